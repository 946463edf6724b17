# SPDX-License-Identifier: Apache-2.0
"""Everything that lies outside a stage, on one screen: each port, who needs it, who provides it.

A port is defined by the stage that needs it; this page only gathers them.

    Decoder       match      media.decoder.SandboxedDecoder
    Reel          media      media.reel.ReelSender
    HashIndex     match      match.index.LayeredIndex
    ChangeSource  match      store.banks.PostgresBanks
    Banks         pipeline   store.banks.PostgresBanks
    Screenings    pipeline   store.screenings.PostgresScreenings
    LongScreenings later     store.long_screenings.PostgresLongScreenings
    Journal       every      store.journal.PostgresJournal
    Keyrings      sealed     adapters.keyring.KeyringFile
    Keeper        sealed     adapters.keyring.RightsKeeper, .AgeKeeper, adapters.kms.KmsKeeper
    Erasures      sealed     adapters.keyring.ErasureFile
    FoundCopies   match      store.searches.CopiesAlarm
    PublicPath    blocked    adapters.public_path.HttpPath
    Handler       effect     none yet; `bootstrap.wire` lists each kind of effect with its handler
"""

from holdfast.blocked import PublicPath
from holdfast.effect.handler import Handler
from holdfast.later import LongScreenings
from holdfast.log.journal import Journal
from holdfast.match.found_copies import FoundCopies
from holdfast.match.index import HashIndex
from holdfast.match.known import ChangeSource
from holdfast.media.decoder import Decoder
from holdfast.media.video import Reel
from holdfast.pipeline import Banks, Screenings
from holdfast.sealed.keyring import Erasures, Keeper, Keyrings

__all__ = [
    "Banks",
    "ChangeSource",
    "Decoder",
    "Erasures",
    "FoundCopies",
    "Handler",
    "HashIndex",
    "Journal",
    "Keeper",
    "Keyrings",
    "LongScreenings",
    "PublicPath",
    "Reel",
    "Screenings",
]

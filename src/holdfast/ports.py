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
    Handler       effect     hold.enforce.Resolve, .Ask, .Look, adapters.webhook.Webhook, alarm.telling.Teller,
                             hold.follow_up.AskForCopies, .HoldFound, .ReadCounters, .Freeze, .Tell;
                             hold.reported_hash.BankHash,
                             decision.take.Take, .Carry
    Platform      hold       adapters.platform.SignedPlatform, testing.simulators.SimulatedPlatform
    Stranger      hold       adapters.stranger.HttpStranger, testing.simulators.SimulatedStranger
    Doings        testing    whoever puts a platform under testing.contracts.PlatformContract; testing.site.Site
    Named         hold       store.reports.PostgresReports
    Cases         hold       store.cases.PostgresCases
    FollowedUp    hold       store.cases.PostgresCases
    Items         hold       store.case_copies.PostgresCopies
    Alike         hold       store.case_copies.PostgresCopies
    Archived      hold       store.found_items.FoundItems
    Holds         hold       store.holds.PostgresHolds
    Told          hold       store.contests.PostgresContests
    Hashes        hold       store.reported_hashes.ReportedHashes
    Decisions     decision   store.decisions.PostgresDecisions
    Tellable      decision   store.decision_notices.DecisionNotices
    Settled       decision   the store of reviews
    OpensReviews  decision   the store of reviews
    AlarmChannel  alarm      adapters.mail.Mail, adapters.webhook.AlarmWebhook; `channels.channels_of` chooses
    Owing         alarm      store.outbox.Outbox
    Viewings      review     store.viewings.PostgresViewings
    SignedIn      review     whoever is signed in on the pages of staff
    FoundCopies   match      store.found_items.FoundItems
    PublicPath    blocked    adapters.public_path.HttpPath
"""

from holdfast.alarm.telling import AlarmChannel, Owing
from holdfast.blocked import PublicPath
from holdfast.decision.take import Decisions, OpensReviews, Settled
from holdfast.decision.telling import Tellable
from holdfast.effect.handler import Handler
from holdfast.hold.enforce import Cases, Holds, Named
from holdfast.hold.follow_up import Alike, Archived, FollowedUp, Items, Told
from holdfast.hold.platform import Platform, Stranger
from holdfast.later import LongScreenings
from holdfast.log.journal import Journal
from holdfast.match.found_copies import FoundCopies
from holdfast.match.index import HashIndex
from holdfast.match.known import ChangeSource
from holdfast.media.decoder import Decoder
from holdfast.media.video import Reel
from holdfast.pipeline import Banks, Screenings
from holdfast.review.showing import SignedIn, Viewings
from holdfast.sealed.keyring import Erasures, Keeper, Keyrings

__all__ = [
    "AlarmChannel",
    "Alike",
    "Archived",
    "Banks",
    "Cases",
    "ChangeSource",
    "Decisions",
    "Decoder",
    "Erasures",
    "FollowedUp",
    "FoundCopies",
    "Handler",
    "HashIndex",
    "Holds",
    "Items",
    "Journal",
    "Keeper",
    "Keyrings",
    "LongScreenings",
    "Named",
    "OpensReviews",
    "Owing",
    "Platform",
    "PublicPath",
    "Reel",
    "Screenings",
    "Settled",
    "SignedIn",
    "Stranger",
    "Tellable",
    "Told",
    "Viewings",
]

# SPDX-License-Identifier: Apache-2.0
"""Puts the parts of a process together from its settings. It can be loaded once Django is configured.

`holdfast.bootstrap.wire` does both.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import timedelta
from pathlib import Path
from typing import Any

from holdfast.adapters.archive_folder import ArchiveFolder
from holdfast.adapters.index_folder import IndexFolder
from holdfast.adapters.keyring import ErasureFile, KeyringFile
from holdfast.adapters.log_folder import LogFolder
from holdfast.adapters.public_path import HttpPath
from holdfast.adapters.stranger import HttpStranger
from holdfast.adapters.webhook import Webhook
from holdfast.alarm.telling import TELLS, Teller, Telling
from holdfast.bootstrap import System, keeper, new_id, self_test_of, signed_platform, sites_of, webhook_of
from holdfast.case.clock import Place
from holdfast.channels import channels_of
from holdfast.desk import Desk, make_desk
from holdfast.effect.handler import Handler
from holdfast.effect.webhook import KIND
from holdfast.hold.follow_up import Resembles
from holdfast.hold.policy import read_policy
from holdfast.hold.reach import Valve
from holdfast.intake.helplines import read_helplines
from holdfast.intake.spool import Spool
from holdfast.match.index import LayeredIndex
from holdfast.match.known import Known
from holdfast.media.decoder import SandboxedDecoder
from holdfast.settings import Settings
from holdfast.start import clock
from holdfast.store.alarm_telling import PostgresTelling
from holdfast.store.alarms import PostgresAlarms
from holdfast.store.archive import PostgresArchive
from holdfast.store.banks import PostgresBanks
from holdfast.store.clocks import PostgresClocks
from holdfast.store.effect_desk import EffectDesk
from holdfast.store.effects import PostgresEffects
from holdfast.store.imports import PostgresImports
from holdfast.store.journal import PostgresJournal
from holdfast.store.keys import PostgresKeys
from holdfast.store.long_screenings import Outgoing, PostgresLongScreenings
from holdfast.store.means import Means
from holdfast.store.outbox import Outbox
from holdfast.store.processes import PostgresProcesses
from holdfast.store.proposals import PostgresProposals, Terms
from holdfast.store.review_people import Asking
from holdfast.store.safety import PostgresSafety
from holdfast.store.screenings import PostgresScreenings
from holdfast.store.sealed_rotation import Rotation
from holdfast.store.sealed_subjects import PostgresSealed
from holdfast.store.sealing import PostgresSealer
from holdfast.store.search_desk import SearchDesk
from holdfast.store.search_owing import SearchOwing
from holdfast.store.searches import PostgresSearches
from holdfast.store.staff import PostgresStaff
from holdfast.store.staff_sessions import StaffSessions
from holdfast.store.subjects import subjects
from holdfast.store.waking import Bell


def assemble(settings: Settings, resembling: Callable[[ArchiveFolder], Resembles] | None = None) -> System:
    """Everything a process works with. Raises InvalidSetting.

    `resembling` makes what looks through the archive, for the process that carries out what is owed.
    """
    keyrings = KeyringFile(settings.keyring_path, keeper(settings))
    journal = PostgresJournal(PostgresSealer(keyrings, clock, new_id))
    sealed = PostgresSealed(journal, keyrings, ErasureFile(settings.keyring_path.with_name("erased")), clock)
    owing = SearchOwing(journal, new_id, owner=settings.unscreened_owner)
    banks, imports = PostgresBanks(journal, clock, new_id, owing), PostgresImports(journal, clock, new_id, owing)
    keys, safety = PostgresKeys(journal, clock), PostgresSafety(journal, clock)
    staff = PostgresStaff(journal, clock)
    nouns = subjects(banks=banks, imports=imports, keys=keys, safety=safety, sealed=sealed, staff=staff)
    terms = Terms(
        owner=settings.proposal_owner,
        patience=timedelta(hours=settings.proposal_hours),
        solo_after=timedelta(hours=settings.solo_hours) if settings.solo else None,
    )
    bell, channels = Bell(), channels_of(settings, clock)
    outbox = Outbox(new_id, bell)
    telling = Telling(
        owe=outbox.enqueue, channels=tuple(channels), patience=timedelta(minutes=settings.alarm_again_minutes)
    )
    alarms, told = PostgresAlarms(journal, clock, new_id, telling), PostgresTelling(telling, clock)
    self_test = self_test_of(settings)
    archive = PostgresArchive(
        journal,
        clock,
        new_id,
        kept=settings.archive_days > 0,
        private_surfaces=frozenset(settings.private_surfaces.split(",")),
        self_test=self_test.actor if self_test else None,
    )
    patience = timedelta(hours=settings.unscreened_hours)
    screenings = PostgresScreenings(journal, archive, new_id, owner=settings.unscreened_owner, patience=patience)
    effects, webhook = PostgresEffects(journal, alarms, outbox, clock), webhook_of(settings)
    outgoing = Outgoing(effects, alarms, settings.unscreened_owner, webhook is not None)
    long = PostgresLongScreenings(
        journal, screenings, outgoing, clock, patience=patience, lease=timedelta(seconds=settings.long_lease_seconds)
    )
    clocks = PostgresClocks(journal, alarms, new_id)
    asking = Asking(colleagues=staff.colleagues)
    desk = _desk(settings, banks, asking, journal=journal, effects=effects, alarms=alarms, clocks=clocks)
    platform, stranger = signed_platform(settings), HttpStranger(sites_of(settings))
    handlers: dict[str, Handler] = dict.fromkeys(TELLS, Teller(channels, told.message))
    archive_folder = ArchiveFolder(settings.data / "archive-index")
    if platform and resembling:
        handlers |= desk.handlers(platform, stranger, resembling(archive_folder))
    else:
        handlers |= desk.own_handlers()
    if webhook is not None:
        handlers[KIND] = Webhook(webhook.url, webhook.key, long.announcement, clock)
    return System(
        settings=settings,
        journal=journal,
        banks=banks,
        imports=imports,
        screenings=screenings,
        long=long,
        spool=Spool(settings.data / "spool", settings.spool_bytes),
        keys=keys,
        staff=staff,
        sessions=StaffSessions(journal, clock),
        proposals=PostgresProposals(journal, clock, new_id, keys=keys, subjects=nouns, terms=terms),
        safety=safety,
        archive=archive,
        searches=PostgresSearches(journal, alarms, desk.found, clock),
        search_desk=SearchDesk(journal, clock),
        public_path=HttpPath(self_test.url, self_test.key) if self_test else None,
        processes=PostgresProcesses(),
        sealed=sealed,
        rotation=Rotation(journal, keyrings, clock),
        keyrings=keyrings,
        channels=channels,
        alarms=alarms,
        telling=told,
        clocks=clocks,
        effects=effects,
        effect_desk=EffectDesk(journal, alarms, clock, bell, keys.people),
        desk=desk,
        helplines=read_helplines(settings.helplines_file),
        handlers=handlers,
        platform=platform,
        stranger=stranger,
        known=Known(LayeredIndex, banks),
        index_folder=IndexFolder(settings.data / "index"),
        archive_folder=archive_folder,
        log_folder=LogFolder(settings.data / "log"),
        decoder=SandboxedDecoder(
            settings.decoder_socket or Path("/nonexistent"),
            settings.decode_seconds,
            settings.max_pixels,
            settings.video_seconds,
        ),
    )


def _desk(settings: Settings, banks: PostgresBanks, asking: Asking, **parts: Any) -> Desk:  # noqa: ANN401  # each is of the type that `Means` names
    """What takes reports and holds what they name."""
    places = frozenset(map(Place, settings.places.split(","))) if settings.places else frozenset[Place]()
    return make_desk(
        Means(**parts, clock=clock, new_id=new_id, owner=settings.case_owner, places=places),
        banks,
        policy=read_policy(settings.hold_policy_file),
        valve=Valve(least=settings.hold_budget_least, percent_of_visible=settings.hold_budget_percent),
        public_url=settings.public_url,
        has_platform=settings.platform_url is not None,
        exposure_budget=settings.exposure_budget,
        afterthought=timedelta(seconds=settings.afterthought_seconds),
        asking=asking,
    )

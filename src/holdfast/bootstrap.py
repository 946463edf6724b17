# SPDX-License-Identifier: Apache-2.0
"""Wire ports to adapters from the settings. The only place that knows both sides."""

from __future__ import annotations

import base64
import importlib
import secrets
import tempfile
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field, replace
from pathlib import Path
from types import ModuleType
from typing import TYPE_CHECKING, Any, Final

from holdfast.access.key import split
from holdfast.adapters.archive_folder import ArchiveFolder
from holdfast.adapters.index_folder import IndexFolder
from holdfast.adapters.keyring import AgeKeeper, KeyringFile, RightsKeeper
from holdfast.adapters.kms import KmsKeeper
from holdfast.adapters.log_folder import LogFolder
from holdfast.adapters.platform import SignedPlatform
from holdfast.alarm.telling import AlarmChannel
from holdfast.channels import signing_key
from holdfast.errors import InvalidSetting, Refusal
from holdfast.hold.follow_up import Resembles
from holdfast.hold.platform import Platform, Stranger
from holdfast.intake.helplines import Helplines
from holdfast.intake.spool import Spool
from holdfast.match.known import Known
from holdfast.media.decoder import SandboxedDecoder
from holdfast.sealed.keyring import Keeper
from holdfast.settings import Settings
from holdfast.start import clock, embedded, launch_decoder, with_urls
from holdfast.store.configure import configure

if TYPE_CHECKING:
    from holdfast.blocked import PublicPath
    from holdfast.desk import Desk
    from holdfast.effect.handler import Registry
    from holdfast.later import Later
    from holdfast.pipeline import Parts
    from holdfast.review.review import Review
    from holdfast.review.seeing import Seeing
    from holdfast.review.showing import Showing
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
    from holdfast.store.long_screenings import PostgresLongScreenings
    from holdfast.store.processes import PostgresProcesses
    from holdfast.store.proposals import PostgresProposals
    from holdfast.store.safety import PostgresSafety
    from holdfast.store.screenings import PostgresScreenings
    from holdfast.store.sealed_rotation import Rotation
    from holdfast.store.sealed_subjects import PostgresSealed
    from holdfast.store.search_desk import SearchDesk
    from holdfast.store.searches import PostgresSearches
    from holdfast.store.staff import PostgresStaff
    from holdfast.store.staff_sessions import StaffSessions

_ID_BYTES: Final = 15
_TAKE_OVER_SECONDS: Final = 30.0


@dataclass(frozen=True, slots=True, kw_only=True)
class System:
    """Everything a process works with, wired."""

    settings: Settings
    journal: PostgresJournal
    banks: PostgresBanks
    imports: PostgresImports
    screenings: PostgresScreenings
    long: PostgresLongScreenings
    spool: Spool
    keys: PostgresKeys
    staff: PostgresStaff
    sessions: StaffSessions
    proposals: PostgresProposals
    safety: PostgresSafety
    archive: PostgresArchive
    searches: PostgresSearches
    search_desk: SearchDesk
    public_path: PublicPath | None
    """Where new entries are looked up as a platform would; None if no address is set."""
    processes: PostgresProcesses
    sealed: PostgresSealed
    rotation: Rotation
    keyrings: KeyringFile
    channels: Mapping[str, AlarmChannel]
    """How alarms reach people."""
    alarms: PostgresAlarms
    telling: PostgresTelling
    clocks: PostgresClocks
    effects: PostgresEffects
    effect_desk: EffectDesk
    desk: Desk
    helplines: Helplines
    handlers: Registry
    """Each kind of effect that this build carries out."""
    platform: Platform | None
    """Who serves the content; None if no platform is set."""
    stranger: Stranger
    known: Known
    index_folder: IndexFolder
    archive_folder: ArchiveFolder
    log_folder: LogFolder
    decoder: SandboxedDecoder

    def parts(self) -> Parts:
        """What the pipeline takes."""
        from holdfast.pipeline import Parts  # noqa: PLC0415  # see `wire`

        return Parts(
            decoder=self.decoder,
            known=self.known,
            banks=self.banks,
            screenings=self.screenings,
            clock=clock,
            new_id=new_id,
            shadow=self.settings.shadow,
        )

    def later(self) -> Later:
        """What answering later takes."""
        from holdfast.later import Later  # noqa: PLC0415  # see `wire`

        return Later(spool=self.spool, long=self.long, new_id=new_id, clock=clock)

    def showing(
        self,
        *,
        may_see: Callable[[str, str], Refusal | None],
        give_back: Callable[[str, str], None],
        review_of: Callable[[str], Review | None],
    ) -> Showing:
        """What gives people addresses of pictures, and opens them; see `Showing` for who is asked what."""
        from holdfast.review.showing import Showing  # noqa: PLC0415  # see `wire`

        return Showing(
            seeing=self.seeing(),
            viewings=self.desk.viewings,
            may_see=may_see,
            give_back=give_back,
            review_of=review_of,
        )

    def seeing(self) -> Seeing | None:
        """What makes previews; None if no platform is set that could be asked for an item."""
        from holdfast.review.seeing import Bounds, Seeing  # noqa: PLC0415  # see `wire`

        if self.platform is None:
            return None
        given = self.settings
        bounds = Bounds(
            spool=self.spool,
            most_bytes=given.max_upload_bytes,
            most_video_bytes=given.max_video_bytes,
            spool_above=given.spool_above_bytes,
        )
        decoder = replace(self.decoder, every_frame=True)
        return Seeing(platform=self.platform, decoder=decoder, bounds=bounds, new_id=new_id)


def new_id(kind: str) -> str:
    """A fresh id: a short word for the kind and 120 random bits."""
    return f"{kind}_{base64.b32encode(secrets.token_bytes(_ID_BYTES)).decode().lower()}"


def wire(settings: Settings, *, web: dict[str, Any] | None = None) -> System:
    """Configure Django for `settings.database_url` and put the parts together.

    Raises InvalidSetting if there is no database URL: whoever calls has started one first.
    """
    load(settings, web=web)
    return assemble(settings)


def assemble(settings: Settings, resembling: Callable[[ArchiveFolder], Resembles] | None = None) -> System:
    """Put the parts together, once everything is loaded; `resembling` is for whoever carries out what is owed."""
    system: System = _assembling().assemble(settings, resembling)
    return system


def _assembling() -> ModuleType:
    """What knows every part: it can be loaded once Django is configured."""
    return importlib.import_module("holdfast.assemble")


def load(settings: Settings, *, web: dict[str, Any] | None = None) -> None:
    """Configure Django, and load what takes long; nothing is opened yet, so that a process may still fork.

    Raises InvalidSetting if there is no database URL.
    """
    if not settings.database_url:
        message = "DATABASE_URL: no database was named or started"
        raise InvalidSetting(message)
    configure(
        database_url=settings.database_url,
        owner_url=settings.database_owner_url,
        # Whoever names another address to listen at has a pooler between.
        direct=settings.database_listen_url is None,
        web=web,
    )
    _assembling()


def keeper(settings: Settings) -> Keeper:
    """What locks the keyring of these settings."""
    if settings.keyring_kms and settings.keyring_identity:
        message = "HOLDFAST_KEYRING_KMS and HOLDFAST_KEYRING_IDENTITY: set one of them"
        raise InvalidSetting(message)
    if settings.keyring_kms:
        return KmsKeeper(settings.keyring_kms)
    return AgeKeeper(settings.keyring_identity) if settings.keyring_identity else RightsKeeper()


@dataclass(frozen=True, slots=True)
class WebhookTarget:
    """Where webhooks go, and the key that signs them."""

    url: str
    key: bytes = field(repr=False)


def webhook_of(settings: Settings) -> WebhookTarget | None:
    """Where webhooks go; None if nowhere. Raises InvalidSetting for an address without a good secret."""
    if settings.webhook_url is None:
        return None
    names = "HOLDFAST_WEBHOOK_SECRET_FILE, HOLDFAST_WEBHOOK_SECRET"
    key = signing_key(names, settings.webhook_secret_file, settings.webhook_secret)
    return WebhookTarget(settings.webhook_url, key)


@dataclass(frozen=True, slots=True)
class PlatformTarget:
    """Where the platform is asked, the key that signs what it is asked, and where it serves everybody."""

    url: str
    key: bytes = field(repr=False)
    sites: tuple[str, ...]


def platform_of(settings: Settings) -> PlatformTarget | None:
    """Where the platform is; None if nowhere. Raises InvalidSetting for an address without a good secret."""
    if settings.platform_url is None:
        return None
    names = "HOLDFAST_PLATFORM_SECRET_FILE, HOLDFAST_PLATFORM_SECRET"
    key = signing_key(names, settings.platform_secret_file, settings.platform_secret)
    return PlatformTarget(settings.platform_url, key, sites_of(settings))


def sites_of(settings: Settings) -> tuple[str, ...]:
    """The origins that the platform serves everybody from."""
    return tuple(site for site in settings.platform_sites.split(",") if site)


def signed_platform(settings: Settings) -> SignedPlatform | None:
    """The platform of these settings; nothing is asked of it yet. Raises InvalidSetting."""
    target = platform_of(settings)
    return SignedPlatform(target.url, target.key, clock) if target else None


@dataclass(frozen=True, slots=True)
class SelfTest:
    """Where new entries are looked up, the key for it, and the actor that this key is."""

    url: str
    key: str = field(repr=False)

    @property
    def actor(self) -> str:
        """How the journal names it."""
        return f"key:{(split(self.key) or ('',))[0]}"


def self_test_of(settings: Settings) -> SelfTest | None:
    """Where new entries are looked up; None if nowhere. Raises InvalidSetting for an address without a key."""
    if settings.self_test_url is None:
        return None
    try:
        path = settings.self_test_key_file
        key = path.read_text(encoding="ascii").strip() if path else ""
    except (OSError, ValueError) as fault:
        message = f"HOLDFAST_SELF_TEST_KEY_FILE: {type(fault).__name__}"
        raise InvalidSetting(message) from None
    if split(key) is None:
        message = "HOLDFAST_SELF_TEST_KEY_FILE: it must name a file with an API key, of the scopes screen and explain"
        raise InvalidSetting(message)
    return SelfTest(settings.self_test_url, key)


@contextmanager
def running(settings: Settings, *, decoder: bool = False) -> Iterator[System]:
    """A wired system for one command: attaches to a running database, or starts one and stops it after.

    With `decoder`, a decoder server of its own too. The tables exist and are current.
    """
    with database(settings) as reachable, decoding(reachable, wanted=decoder) as ready:
        system = wire(ready)
        prepare_tables(ready)
        prepare_keys(system)
        yield system


@contextmanager
def database(settings: Settings) -> Iterator[Settings]:
    """Settings that name a running database: the given one, another process's, or one started here."""
    if settings.database_url:
        yield settings
        return
    server = embedded(settings)
    with server:
        urls = server.attach()
        if urls is not None:
            # The tables are the business of whoever runs the database.
            yield settings.model_copy(update={"database_url": urls.app, "database_owner_url": None})
            return
        yield with_urls(settings, server.start(wait_seconds=_TAKE_OVER_SECONDS))


@contextmanager
def decoding(settings: Settings, *, wanted: bool) -> Iterator[Settings]:
    """Settings that name a decoder: the given one, or one started here if wanted."""
    if settings.decoder_socket or not wanted:
        yield settings
        return
    with tempfile.TemporaryDirectory(prefix="holdfast-") as folder:
        process = launch_decoder(settings, Path(folder))
        try:
            yield settings.model_copy(update={"decoder_socket": Path(folder) / "decoder.sock"})
        finally:
            process.kill()
            process.wait()


def prepare_tables(settings: Settings) -> None:
    """Create or update the tables if the owner's URL is known; otherwise insist that they are current."""
    from psycopg.conninfo import conninfo_to_dict  # noqa: PLC0415

    from holdfast.store import migrate  # noqa: PLC0415  # needs configured Django

    if settings.database_owner_url and settings.database_url:
        migrate.migrate(str(conninfo_to_dict(settings.database_url)["user"]))
    else:
        migrate.require_current()


def prepare_keys(system: System) -> None:
    """Make the sealing key if there is none yet, or insist on it; seal and erase what a restore brought back.

    Raises SealingKeyMissing if the database was sealed with a key that is not here.
    """
    from holdfast.store.sealed_old import seal_what_is_clear  # noqa: PLC0415  # see `wire`

    system.rotation.prepare(actor="system:start")
    seal_what_is_clear(system.journal.sealer)
    system.sealed.repeat_erasures()

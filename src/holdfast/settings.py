# SPDX-License-Identifier: Apache-2.0
"""Every setting, typed, with its environment variable and its meaning.

Settings come from the environment alone and are read once, by `bootstrap`; stages receive plain
values. A name that begins with HOLDFAST_ and is not listed here is refused: a misspelt safety
setting must not be silently ignored. Nothing here reaches an authority; what will, has no default.
"""

from __future__ import annotations

import ipaddress
import os
import re
from collections.abc import Mapping
from enum import StrEnum
from pathlib import Path
from typing import Annotated, Self
from urllib.parse import urlsplit

from pydantic import (
    AfterValidator,
    BaseModel,
    ConfigDict,
    Field,
    SecretStr,
    ValidationError,
    ValidationInfo,
    field_validator,
)

from holdfast.errors import InvalidSetting
from holdfast.origin import read_address, read_origin

_UNPREFIXED = {
    "database_url": "DATABASE_URL",
    "database_owner_url": "DATABASE_OWNER_URL",
    "database_listen_url": "DATABASE_LISTEN_URL",
}
MIB = 1024 * 1024
PLACES = ("eu", "uk", "us", "au")
"""Where a platform may be bound by law, as `holdfast.case.clock.Place` has them."""
_MAILBOX = re.compile(r"[A-Za-z0-9.!#$%&'*+/=?^_`{|}~-]{1,64}@[A-Za-z0-9-]+(\.[A-Za-z0-9-]+)*")


class SandboxPolicy(StrEnum):
    """What to do when the kernel lacks a layer that confines the decoder."""

    REQUIRE = "require"
    WEAKER = "weaker"


def default_data() -> Path:
    """Root keeps data in /var/lib, where the database's own uid can reach it; others at home."""
    if os.geteuid() == 0:
        return Path("/var/lib/holdfast")
    home = os.environ.get("XDG_DATA_HOME") or str(Path.home() / ".local" / "share")
    return Path(home) / "holdfast"


def _half_the_cores() -> int:
    return max(1, len(os.sched_getaffinity(0)) // 2)


def _networks(value: str) -> str:
    networks = [ipaddress.ip_network(part.strip()) for part in value.split(",") if part.strip()]
    if any(network.prefixlen == 0 for network in networks):
        message = "must name addresses, not everyone"
        raise ValueError(message)
    return ",".join(map(str, networks))


def _some_networks(value: str) -> str:
    networks = _networks(value)
    if not networks:
        message = "must name at least one address"
        raise ValueError(message)
    return networks


def _web_address(value: str | None) -> str | None:
    parts = urlsplit(value or "")
    if value is not None and (parts.scheme not in ("http", "https") or not parts.hostname or parts.username):
        message = "must be an address that begins with https:// or http://, without a user name"
        raise ValueError(message)
    return value


def _leads_away(value: str) -> str:
    return value if value == "about:blank" else str(_web_address(value))


def _base_address(value: str | None) -> str | None:
    if value is not None and (read_address(value) is None or set(value) & {"?", "#"}):
        message = "must be an address that begins with https:// or http://, without user name, query and fragment"
        raise ValueError(message)
    return value


def _origins(value: str) -> str:
    return ",".join(str(read_origin(part.strip())) for part in value.split(",") if part.strip())


def _listen_address(value: str) -> str:
    host, separator, port = value.rpartition(":")
    if not separator or not host or not port.isdigit() or int(port) not in range(1, 65536):
        message = "must look like 127.0.0.1:8711"
        raise ValueError(message)
    return value


def _surface_list(value: str) -> str:
    return ",".join(name.strip() for name in value.split(",") if name.strip())


def _place_list(value: str) -> str:
    places = sorted({name.strip().lower() for name in value.split(",") if name.strip()})
    if not places or set(places) - set(PLACES):
        message = f"must name some of {', '.join(PLACES)}, separated by commas"
        raise ValueError(message)
    return ",".join(places)


def _mailboxes(value: str | None) -> str | None:
    if value is None:
        return None
    found = [one.strip() for one in value.split(",") if one.strip()]
    if not found or not all(_MAILBOX.fullmatch(one) for one in found):
        message = "must be addresses like on-call@platform.example, separated by commas"
        raise ValueError(message)
    return ",".join(found)


def _one_mailbox(value: str | None) -> str | None:
    if value is not None and not _MAILBOX.fullmatch(value):
        message = "must be one address like holdfast@platform.example"
        raise ValueError(message)
    return value


def _mail_server(value: str | None) -> str | None:
    """A password has no place in it: variables and lists of processes show it."""
    if value is None:
        return None
    parts = urlsplit(value)
    more = (
        re.search(r"[^!-~]|%[^0-7]", value)
        or parts.password is not None
        or parts.path.strip("/")
        or parts.query
        or parts.fragment
    )
    if parts.scheme not in ("smtp", "smtps") or not parts.hostname or more or parts.port == 0:
        message = "must look like smtp://user@mail.platform.example:587 or smtps://..., without a password"
        raise ValueError(message)
    return value


def is_loopback(host: str) -> bool:
    """Whether a host is this machine itself, by its name or address."""
    try:
        return host == "localhost" or ipaddress.ip_address(host.strip("[]")).is_loopback
    except ValueError:
        return False


class Settings(BaseModel):
    """All settings of one running Holdfast. Sizes in bytes, times in seconds unless the name says otherwise."""

    model_config = ConfigDict(frozen=True, extra="forbid")

    database_url: str | None = Field(
        default=None, description="PostgreSQL to use, as the app role. Unset: an embedded PostgreSQL is started."
    )
    database_owner_url: str | None = Field(
        default=None,
        description="The same database as the role that owns the tables; needed with DATABASE_URL to migrate.",
    )
    database_listen_url: str | None = Field(
        default=None,
        description="The same database, reached directly. Needed where DATABASE_URL goes through a pooler of "
        "transactions (PgBouncer), which loses notifications. Unset: DATABASE_URL.",
    )
    data: Path = Field(
        default_factory=default_data,
        description="Where the embedded database, the index, sockets and secrets live. "
        "Default: /var/lib/holdfast for root, else ~/.local/share/holdfast.",
    )
    listen: Annotated[str, AfterValidator(_listen_address)] = Field(
        default="127.0.0.1:8711", description="Address and port of the HTTP API."
    )
    web_workers: int = Field(default=2, ge=1, le=64, description="Web processes.")
    web_threads: int = Field(
        default=2, ge=1, le=16, description="Blocking threads per web process; also bounds its database connections."
    )
    shadow: bool = Field(
        default=False,
        description="Screen and record, but answer publish to everything. For trying Holdfast out; shown loudly.",
    )
    max_upload_bytes: int = Field(
        default=64 * MIB,
        ge=1024,
        le=2**31,
        description="An upload longer than this is held unread beyond it, as too_large.",
    )
    receive_seconds: float = Field(
        default=60.0, ge=1, le=3600, description="Longest time the body of one upload may take to arrive."
    )
    max_video_bytes: int = Field(
        default=4096 * MIB,
        ge=1024,
        le=2**40,
        description="A video longer than this is held unread beyond it, as too_large.",
    )
    spool_above_bytes: int = Field(
        default=16 * MIB,
        ge=4096,
        le=2**31,
        description="An upload longer than this is received into a file below HOLDFAST_DATA instead of memory. "
        "Videos always are.",
    )
    spool_bytes: int = Field(
        default=32 * 1024 * MIB,
        ge=MIB,
        le=2**50,
        description="Most disk that uploads may take while they are received and wait to be screened. "
        "Beyond it they are answered 503.",
    )
    receive_least_rate: int = Field(
        default=MIB,
        ge=1,
        le=2**40,
        description="A body that arrives at this many bytes a second or faster may take longer than "
        "HOLDFAST_RECEIVE_SECONDS.",
    )
    long_at_once: int = Field(
        default_factory=_half_the_cores,
        ge=1,
        le=64,
        description="How many uploads of those answered later one server screens at once. "
        "Default: one for every two cores.",
    )
    long_lease_seconds: float = Field(
        default=30.0,
        ge=1,
        le=3600,
        description="Screening an upload later is taken over from a process that has not been heard of for this long.",
    )
    long_tries: int = Field(
        default=5,
        ge=1,
        le=100,
        description="How often screening an upload later is begun, at most; then it is held for a person.",
    )
    max_pixels: int = Field(
        default=64_000_000,
        ge=4096,
        le=2**30,
        description="A picture with more pixels is held as too_large; "
        "a JPEG may have four times as many, because it is decoded at a fraction.",
    )
    decode_seconds: float = Field(default=10.0, ge=0.1, le=600, description="Longest time one upload may be decoded.")
    video_seconds: float = Field(
        default=600.0,
        ge=15,
        le=86_400,
        description="Most processor time for which one video may be watched; by the clock, four times that. "
        "A video gets 15 seconds and one more for each 500,000 bytes, up to this; what is left is held as too_long.",
    )
    decode_memory_bytes: int = Field(
        default=576 * MIB,
        ge=256 * MIB,
        description="Most address space one decoder process may take. Of the default, at most 512 MiB are resident.",
    )
    decoder_spares: int = Field(default=4, ge=1, le=64, description="Confined decoder processes kept ready.")
    decoder_socket: Path | None = Field(
        default=None,
        description="Where a decoder server listens. Set by serve for its own processes; unset, one is started.",
    )
    sandbox: SandboxPolicy = Field(
        default=SandboxPolicy.REQUIRE,
        description="require: no decoding without rlimits and seccomp (Landlock is used where the kernel has it). "
        "weaker: go on, and let doctor say so.",
    )
    bank_poll_seconds: float = Field(
        default=0.25,
        ge=0.01,
        le=5,
        description="Longest time until a process asks for bank changes by itself, "
        "if the notification of one was lost.",
    )
    bank_stale_seconds: float = Field(
        default=5.0,
        ge=0.1,
        le=300,
        description="A process that has not heard from the banks for this long answers 503.",
    )
    archive_days: float = Field(
        default=90.0,
        ge=0,
        le=3650,
        description="How long the signals of screened items are kept, for searches that run backwards; in the sheets "
        "made of them about an hour longer. 0: never kept.",
    )
    private_surfaces: Annotated[str, AfterValidator(_surface_list)] = Field(
        default="", description="Surfaces whose items leave nothing in the archive, separated by commas."
    )
    keyring: Path | None = Field(
        default=None,
        description="The file with the keys that open sealed personal data. "
        "Default: keys/sealing.json in the data directory. Keep a copy elsewhere: without it nothing sealed opens.",
    )
    keyring_identity: Path | None = Field(
        default=None,
        description="An age identity file that the keyring is locked with. Best on another medium than the data. "
        "Unset: the keyring is protected by its file rights alone.",
    )
    keyring_kms: str | None = Field(
        default=None,
        pattern=r"^[a-z0-9-]+://\S+$",
        description="A key of a key management service that the keyring is locked with, such as "
        "`aws-kms://arn:aws:kms:...` or `gcp-kms://projects/...`. Needs `holdfast[kms]` and Tink's part for it. "
        "Not together with HOLDFAST_KEYRING_IDENTITY.",
    )
    unscreened_owner: str = Field(
        default="trust-and-safety",
        min_length=1,
        max_length=100,
        description="Who owns items held because they could not be screened.",
    )
    unscreened_hours: float = Field(
        default=24.0, gt=0, le=24 * 365, description="Hours until such a hold is overdue and raises an alarm."
    )

    case_owner: str = Field(
        default="trust-and-safety",
        min_length=1,
        max_length=100,
        description="Who owns cases and reports until somebody takes them up, and is alarmed about them.",
    )
    hold_policy_file: Path | None = Field(
        default=None,
        description="A JSON file that says which reports are held before a person has looked, besides those about "
        "minors and intimate images, which always are: "
        '`{"hold": [{"category": "other_illegal", "reporters": ["police"]}]}`.',
    )
    hold_budget_least: int = Field(
        default=500,
        ge=1,
        le=1_000_000,
        description="How many items an hour unproven words alone may hide, at least. Publish it. Beyond it holds wait "
        "their turn, and a person is alarmed.",
    )
    hold_budget_percent: float = Field(
        default=1.0, gt=0, le=100, description="The same budget in percent of all items; the larger counts."
    )
    exposure_budget: int = Field(
        default=200,
        ge=1,
        le=100_000,
        description="How many pictures one person may be shown in grey in a day (UTC); a blurred one counts a quarter. "
        "Beyond it their reviews go to somebody else, without blame.",
    )
    afterthought_seconds: int = Field(
        default=600,
        ge=0,
        le=7 * 24 * 3600,
        description="For so long what two people found has no effect where it lets something be seen again: each of "
        "them can still take it back.",
    )
    public_url: str | None = Field(
        default=None,
        description="Where people reach this Holdfast, such as `https://safety.example.org`: printed on receipts and "
        "notices.",
    )
    helplines_file: Path | None = Field(
        default=None,
        description="A JSON file with the emergency numbers and helplines that the pages for people name, in the form "
        "of `src/holdfast/intake/helplines.json`. Unset: that one, which names few countries.",
    )
    quick_exit_url: Annotated[str, AfterValidator(_leads_away)] = Field(
        default="about:blank",
        description="Where the link `Leave this page quickly` of the pages for people leads: a page that nobody "
        "wonders about. The default is an empty page.",
    )
    proxies: Annotated[str, AfterValidator(_some_networks)] = Field(
        default="127.0.0.1/32,::1/128",
        description="Addresses of your proxies, separated by commas. From them the last entry of `X-Forwarded-For` "
        "that is none of them says which network somebody comes from. It counts tries at secret words and orders what "
        "waits in a flood, and lets nobody in.",
    )
    proposal_owner: str = Field(
        default="trust-and-safety",
        min_length=1,
        max_length=100,
        description="Who owns what waits for a second person.",
    )
    proposal_hours: float = Field(
        default=24.0,
        gt=0,
        le=24 * 365,
        description="Hours until what waits for a second person raises an alarm. Nothing is ever done by time.",
    )
    solo: bool = Field(
        default=False,
        description="Lets a person who is alone agree to what they asked for themselves, after HOLDFAST_SOLO_HOURS. "
        "Shown loudly, recorded with each such act, and of no effect while two people are known.",
    )
    solo_hours: float = Field(
        default=24.0, ge=1, le=24 * 365, description="Hours between asking and agreeing alone, in solo mode."
    )

    webhook_url: Annotated[str | None, AfterValidator(_web_address)] = Field(
        default=None,
        description="Where to send a signed message once what was answered 202 has its answer. Unset: nowhere.",
    )
    webhook_secret: SecretStr | None = Field(
        default=None, description="What such messages are signed with: whsec_ and 24 to 64 random bytes in base64."
    )
    webhook_secret_file: Path | None = Field(
        default=None, description="A file that holds that secret, which is safer than a variable."
    )

    platform_url: Annotated[str | None, AfterValidator(_base_address)] = Field(
        default=None,
        description="Where the platform answers the calls of docs/platform.md. Unset: nowhere; then nothing that was "
        "reported is put out of reach by Holdfast.",
    )
    platform_secret: SecretStr | None = Field(
        default=None, description="What those calls are signed with: whsec_ and 24 to 64 random bytes in base64."
    )
    platform_secret_file: Path | None = Field(
        default=None, description="A file that holds that secret, which is safer than a variable."
    )
    platform_sites: Annotated[str, AfterValidator(_origins)] = Field(
        default="",
        description="The origins that serve content to everybody, such as https://example.org, with commas between. "
        "Holdfast looks there as a stranger would, and nowhere else. Unset: it rests on the platform's word alone.",
    )
    production: bool = Field(
        default=False,
        description="On for a platform with users. `serve` then refuses to start without an alarm channel, and in "
        "shadow mode. Off is for trying Holdfast out on one machine.",
    )
    production_without_alarms: bool = Field(
        default=False,
        description="Lets `serve` start in production although no alarm reaches anybody: somebody has to look.",
    )
    production_shadow: bool = Field(
        default=False, description="Lets `serve` start in production although shadow mode lets everything pass."
    )

    alarm_url: Annotated[str | None, AfterValidator(_web_address)] = Field(
        default=None, description="Where to send a signed message for each alarm. Unset: nowhere."
    )
    alarm_secret: SecretStr | None = Field(
        default=None, description="What such messages are signed with: whsec_ and 24 to 64 random bytes in base64."
    )
    alarm_secret_file: Path | None = Field(
        default=None, description="A file that holds that secret, which is safer than a variable."
    )
    alarm_smtp: Annotated[str | None, AfterValidator(_mail_server)] = Field(
        default=None,
        description="The server that takes e-mail for HOLDFAST_ALARM_EMAIL: smtp://user@host:port, where TLS "
        "(STARTTLS) is required unless the host is this machine, or smtps://user@host:port.",
    )
    alarm_smtp_password_file: Path | None = Field(
        default=None, description="A file that holds the password of that user."
    )
    alarm_email: Annotated[str | None, AfterValidator(_mailboxes)] = Field(
        default=None,
        description="Who gets each alarm by e-mail: one address, or several separated by commas. Unset: nobody.",
    )
    alarm_from: Annotated[str | None, AfterValidator(_one_mailbox)] = Field(
        default=None,
        description="From whom such e-mail is. Unset: the user of HOLDFAST_ALARM_SMTP if that is an address, else "
        "the first address of HOLDFAST_ALARM_EMAIL.",
    )
    alarm_deputy_email: Annotated[str | None, AfterValidator(_mailboxes)] = Field(
        default=None, description="Who gets those alarms too that nobody has acknowledged in time. Unset: nobody."
    )
    alarm_again_minutes: float = Field(
        default=60.0,
        ge=1,
        le=24 * 60,
        description="After how long an alarm that nobody has acknowledged is told again, to the deputy too; then every "
        "hour. What is urgent is told again every five minutes.",
    )
    places: Annotated[str, AfterValidator(_place_list)] = Field(
        default=",".join(sorted(PLACES)),
        description="Whose law binds the platform: some of eu, uk, us, au, separated by commas. It decides which "
        "legal clocks run (docs/clocks.md). Default: all, which is the careful choice.",
    )

    checkpoint_seconds: float = Field(
        default=2.0,
        ge=0.1,
        le=10,
        description="How often the log signs a checkpoint while there is something new.",
    )
    checkpoint_copy: str | None = Field(
        default=None,
        description="A folder on another machine's disk, or an http(s) address that takes PUT, where each signed "
        "checkpoint is left too. Unset: nowhere, and doctor says so.",
    )
    timestamp_roots: Path | None = Field(
        default=None, description="The authority's root certificates, PEM. Needed with HOLDFAST_TIMESTAMP_URL."
    )
    timestamp_url: str | None = Field(
        default=None,
        pattern="^https?://",
        description="An RFC 3161 timestamp authority that stamps a checkpoint every hour. Unset: none; "
        "then proofs rest on this system's own clock.",
    )

    self_test_url: Annotated[str | None, AfterValidator(_web_address)] = Field(
        default=None,
        description="The address at which platforms reach this Holdfast, without `/v1`. New entries are looked up "
        "there, as a platform would, before they are called blocked. Unset: by the same code, in the worker.",
    )
    self_test_key_file: Path | None = Field(
        default=None,
        description="A file with the key for HOLDFAST_SELF_TEST_URL, with the scopes screen and explain. What is "
        "screened with it leaves nothing in the archive.",
    )

    hma_open_to: Annotated[str, AfterValidator(_networks)] = Field(
        default="",
        description="Addresses (such as 127.0.0.1 or 10.1.2.0/24, separated by commas) that may use the HMA "
        "interface without a key, for clients that cannot send one. Unset: none. See docs/hma.md first.",
    )

    @field_validator("timestamp_url")
    @classmethod
    def _authority_with_roots(cls, value: str | None, known: ValidationInfo) -> str | None:
        if value and not known.data.get("timestamp_roots"):
            message = "needs HOLDFAST_TIMESTAMP_ROOTS too"
            raise ValueError(message)
        return value

    @field_validator("alarm_email")
    @classmethod
    def _mail_with_server(cls, value: str | None, known: ValidationInfo) -> str | None:
        if value and not known.data.get("alarm_smtp"):
            message = "needs HOLDFAST_ALARM_SMTP too"
            raise ValueError(message)
        return value

    @field_validator("alarm_deputy_email")
    @classmethod
    def _deputy_with_owner(cls, value: str | None, known: ValidationInfo) -> str | None:
        if value and not known.data.get("alarm_email"):
            message = "needs HOLDFAST_ALARM_EMAIL too"
            raise ValueError(message)
        return value

    @classmethod
    def from_environment(cls, environ: Mapping[str, str] = os.environ) -> Self:
        """Read the settings from environment variables.

        Raises InvalidSetting: a value of the wrong form, or a HOLDFAST_ name that is no setting.
        """
        known = {env_name(field): field for field in cls.model_fields}
        unknown = sorted(name for name in environ if name.startswith("HOLDFAST_") and name not in known)
        if unknown:
            message = f"{', '.join(unknown)}: no such setting"
            raise InvalidSetting(message)
        values = {field: environ[name] for name, field in known.items() if environ.get(name)}
        try:
            return cls(**values)
        except ValidationError as cause:
            raise InvalidSetting("; ".join(_in_words(error) for error in cause.errors())) from None

    @property
    def keyring_path(self) -> Path:
        """Where the keyring lies: never in the database's own folder."""
        return self.keyring or self.data / "keys" / "sealing.json"

    @property
    def listens_beyond_this_machine(self) -> bool:
        """Whether others than processes of this machine can reach it."""
        return not is_loopback(self.listen.rpartition(":")[0])

    def as_environment(self) -> dict[str, str]:
        """The environment variables that give a child process these very settings."""
        values = self.model_dump(mode="json", exclude_none=True)
        for secret in ("webhook_secret", "alarm_secret", "platform_secret"):
            if given := getattr(self, secret):
                values[secret] = given.get_secret_value()
        return {env_name(field): str(value) for field, value in values.items()}


def env_name(field: str) -> str:
    """The environment variable of a setting."""
    return _UNPREFIXED.get(field, f"HOLDFAST_{field.upper()}")


def _in_words(error: Mapping[str, object]) -> str:
    location = error["loc"]
    field = str(location[0]) if isinstance(location, tuple) and location else "settings"
    return f"{env_name(field)}: {error['msg']}"

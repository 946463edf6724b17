# SPDX-License-Identifier: Apache-2.0
"""The settings in force: which of them protect, and which way is weaker.

A setting is in a file or an environment that one person can change, and no program can ask for a
second person there. So this does not prevent; it notices. Each start compares the settings with the
last ones two people stand behind (the defaults, at first), records what changed and what is weaker,
and raises an alarm that stays until two people accept it or it is set right.

Every setting is classified here, one way or the other; a test insists.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Any, Final

from holdfast.access.two_people import register
from holdfast.errors import Refusal
from holdfast.log.event import Event, event
from holdfast.sealed.text import PrivateText
from holdfast.settings import SandboxPolicy, Settings

IN_FORCE: Final = "settings:in_force"
Values = Mapping[str, Any]


def _names(text: object) -> set[str]:
    return {name for name in str(text).split(",") if name}


WEAKER: Final[Mapping[str, Callable[[Any, Any], bool]]] = {
    "shadow": lambda before, after: after and not before,
    "sandbox": lambda before, after: after == SandboxPolicy.WEAKER and before != after,
    "private_surfaces": lambda before, after: bool(_names(after) - _names(before)),
    "archive_days": lambda before, after: after < before,
    "hma_open_to": lambda before, after: bool(_names(after) - _names(before)),
    "bank_stale_seconds": lambda before, after: after > before,
    "unscreened_hours": lambda before, after: after > before,
    "proposal_hours": lambda before, after: after > before,
    "solo": lambda before, after: after and not before,
    "solo_hours": lambda before, after: after < before,
    # What is hidden before a person has looked.
    "hold_policy_file": lambda before, after: bool(before) and after != before,
    "hold_budget_least": lambda before, after: after < before,
    "hold_budget_percent": lambda before, after: after < before,
    # What the people who look are spared.
    "exposure_budget": lambda before, after: after > before,
    # In which somebody can still think better of letting something be seen again.
    "afterthought_seconds": lambda before, after: after < before,
    # What keeps this machine's own people from writing the log anew: later, or by a witness that they chose.
    "checkpoint_seconds": lambda before, after: after > before,
    "checkpoint_copy": lambda before, after: bool(before) and after != before,
    "timestamp_url": lambda before, after: bool(before) and after != before,
    "timestamp_roots": lambda before, after: bool(before) and after != before,
    # Who puts out of reach what was reported, and where somebody looks whether that is so.
    "platform_url": lambda before, after: bool(before) and after != before,
    "platform_sites": lambda before, after: bool(_names(before) - _names(after)),
    # Whether it starts although nobody would be called, or nothing is held.
    "production": lambda before, after: before and not after,
    "production_without_alarms": lambda before, after: after and not before,
    "production_shadow": lambda before, after: after and not before,
    # Who is called, and when again: another address may be nobody's.
    "alarm_url": lambda before, after: bool(before) and after != before,
    "alarm_email": lambda before, after: bool(before) and after != before,
    "alarm_deputy_email": lambda before, after: bool(before) and after != before,
    "alarm_again_minutes": lambda before, after: after > before,
    # Where a place is left out, its legal clocks do not run.
    "places": lambda before, after: bool(_names(before) - _names(after)),
    # What a new entry is looked up through before it is called blocked.
    "self_test_url": lambda before, after: bool(before) and after != before,
    # What locks the keys to what is sealed.
    "keyring_identity": lambda before, after: bool(before) and not after,
    "keyring_kms": lambda before, after: bool(before) and not after,
}
"""The settings that protect, and whether going from one value to another is weaker."""
NEUTRAL: Final = frozenset(
    {
        # Where things are and how many: nothing passes because of them.
        *("database_url", "database_owner_url", "database_listen_url", "data", "listen", "web_workers", "web_threads"),
        *("keyring", "decoder_socket", "decoder_spares", "bank_poll_seconds", "receive_seconds"),
        # Beyond these limits an upload is held, not published.
        *("max_upload_bytes", "max_pixels", "decode_seconds", "decode_memory_bytes"),
        *("max_video_bytes", "video_seconds", "receive_least_rate"),
        # What is answered later is held until then, and where there is no room it is not taken.
        *("spool_above_bytes", "spool_bytes", "long_at_once", "long_lease_seconds", "long_tries"),
        # Who is told what became of it: whoever hears nothing holds. The secret may not be in the journal.
        *("webhook_url", "webhook_secret", "webhook_secret_file"),
        # Where people are sent who hold a receipt, or need somebody else; and whose word says where they come from.
        *("public_url", "helplines_file", "quick_exit_url", "proxies"),
        # With a wrong one the platform answers nothing, which alarms. It may not be in the journal.
        *("platform_secret", "platform_secret_file"),
        # Whose an alarm is, and the way it takes to the address above. A wrong way shows: alarms come back.
        *("unscreened_owner", "proposal_owner", "case_owner"),
        *("alarm_secret", "alarm_secret_file", "alarm_smtp", "alarm_smtp_password_file", "alarm_from"),
        # Without it new entries are not proven at the address that is set, which raises an alarm.
        "self_test_key_file",
    }
)


class InForceState(StrEnum):
    """How the settings in force stand."""

    ACCEPTED = "accepted"
    """None is weaker than two people know."""
    WEAKENED = "weakened"
    """Some are weaker, and it takes two people to accept that."""


@dataclass(frozen=True, slots=True, kw_only=True)
class InForce:
    """The settings of the last start, and the values that two people stand behind."""

    values: Values
    accepted: Values

    @property
    def weakened(self) -> tuple[str, ...]:
        """The settings that are weaker than accepted."""
        return weaker_than(self.accepted, self.values)

    @property
    def state(self) -> InForceState:
        """Whether somebody has to look at them."""
        return InForceState.WEAKENED if self.weakened else InForceState.ACCEPTED


# --- commands


@dataclass(frozen=True, slots=True, kw_only=True)
class RecordSettings:
    """Say with which settings Holdfast starts."""

    values: Values


@dataclass(frozen=True, slots=True, kw_only=True)
class AcceptSettings:
    """Stand behind what is weaker."""

    because: str


# --- events


@event("settings.changed")
@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsChanged(Event):
    """Holdfast was started with other settings than before; who started it stands beside it. `weakened`: the alarm."""

    values: dict[str, Any]
    changed: tuple[str, ...]
    weakened: tuple[str, ...]


@event("settings.accepted")
@dataclass(frozen=True, slots=True, kw_only=True)
class SettingsAccepted(Event):
    """Two people stand behind the settings in force, weaker ones included."""

    weakened: tuple[str, ...]
    because: PrivateText


SETTINGS_TRANSITIONS: Final[Mapping[tuple[InForceState | None, type], InForceState]] = {
    (None, RecordSettings): InForceState.ACCEPTED,
    (InForceState.ACCEPTED, RecordSettings): InForceState.ACCEPTED,
    (InForceState.WEAKENED, RecordSettings): InForceState.WEAKENED,
    (InForceState.WEAKENED, AcceptSettings): InForceState.ACCEPTED,
}
"""Recording leads to `weakened` if a value is weaker than accepted, and to `accepted` if none is any more."""


def decide_settings(found: InForce | None, command: RecordSettings | AcceptSettings) -> list[Event] | Refusal:
    """What happens when `command` meets the settings as last recorded; nothing if they are the same."""
    if (found and found.state, type(command)) not in SETTINGS_TRANSITIONS:
        state = found.state if found else "not recorded yet"
        return Refusal("settings.not_in_this_state", f"the settings are {state}, and this cannot be done then")
    if isinstance(command, AcceptSettings):
        return [SettingsAccepted(weakened=found.weakened if found else (), because=command.because)]
    before = found.values if found else default_values()
    changed = tuple(name for name in WEAKER if before.get(name) != command.values.get(name))
    if found and not changed:
        return []
    weakened = weaker_than(found.accepted if found else before, command.values)
    return [SettingsChanged(values=dict(command.values), changed=changed, weakened=weakened)]


def evolve_settings(found: InForce | None, happened: Event) -> InForce:
    """The settings after `happened`.

    Raises ValueError for an event that they cannot have.
    """
    match found, happened:
        case _, SettingsChanged(values=values, weakened=weak):
            # A setting that is new in this build was accepted as its default.
            accepted = {**default_values(), **(found.accepted if found else {})}
            return InForce(values=values, accepted={**values, **{name: accepted[name] for name in weak}})
        case InForce(), SettingsAccepted():
            return replace(found, accepted=found.values)
    message = f"no settings can have {happened.tag!r} here"
    raise ValueError(message)


def protecting(settings: Settings) -> dict[str, Any]:
    """The values of the settings that protect, as JSON types."""
    values = settings.model_dump(mode="json", include=set(WEAKER))
    return {name: _for_the_journal(name, value) if isinstance(value, str) else value for name, value in values.items()}


def default_values() -> dict[str, Any]:
    """The same of an installation that nobody has changed."""
    return protecting(Settings())


def _for_the_journal(name: str, value: str) -> str:
    """A value without what the journal must not hold: passwords, whose mailbox it is, addresses that are secrets."""
    if name in ("alarm_email", "alarm_deputy_email"):
        return ",".join(f"@{one.rpartition('@')[2]}" for one in value.split(","))
    without_login = re.sub(r"(?<=://)[^/@]*@", "", value)
    return re.sub(r"(?<=://)([^/?#]*).*", r"\1", without_login) if name == "alarm_url" else without_login


def weaker_than(before: Values, after: Values) -> tuple[str, ...]:
    """The settings of `after` that are weaker than `before`, or than the default where `before` has none."""
    known = {**default_values(), **before}
    return tuple(name for name, weaker in WEAKER.items() if name in after and weaker(known[name], after[name]))


register(RecordSettings, SettingsChanged)  # a file does not ask: what it weakens is noticed, recorded and alarmed
register(AcceptSettings, SettingsAccepted, when="always", weakens=lambda _command, _state: True)

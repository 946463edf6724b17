# SPDX-License-Identifier: Apache-2.0
"""An API key: a public prefix to find it by, a 128-bit random secret, scopes, perhaps an end.

The secret is shown once and never stored; its SHA-256 is. (A slow hash protects guessable words;
128 random bits cannot be guessed.) A key reads `hf_PREFIX_SECRET`, so that secret scanners know it.

A key may be a *person's*. Such a key can ask for what weakens protection and agree to what another
person asked; one without a person can only protect. Once Holdfast has been told of two people, giving
anybody but oneself such a key takes two: else one person could make up the second. Such a key has two
halves, `hf_PREFIX_SECRET_SECRET`: whoever asked was shown one and whoever agreed draws the other, so that
neither of them can use it in that person's name.
"""

from __future__ import annotations

import base64
import hashlib
import hmac
import re
from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime
from enum import StrEnum
from typing import Final

from holdfast.access.person import People, person_named
from holdfast.access.two_people import register
from holdfast.errors import InvalidRequest, Refusal
from holdfast.log.event import Event, event
from holdfast.log.text import check_text
from holdfast.sealed.text import PrivateText

SECRET_BYTES: Final = 16
PREFIX_BYTES: Final = 5
ENOUGH_PEOPLE: Final = 2
_PREFIX: Final = re.compile(r"[a-z2-7]{8}")
_TOKEN: Final = re.compile(r"hf_([a-z2-7]{8})_([a-z2-7]{26}(?:_[a-z2-7]{26})?)")


class Scope(StrEnum):
    """What a key may be used for."""

    SCREEN = "screen"
    """Screen uploads and see what is held unscreened."""
    EXPLAIN = "explain"
    """Also see why: bank, entry, signal, distance. Never show this to uploaders."""
    BANKS_READ = "banks:read"
    """List banks and export their entries."""
    BANKS_WRITE = "banks:write"
    """Create banks; add, disable and remove entries."""
    ARCHIVE = "archive:search"
    """Look for items screened earlier that a banked entry matches."""
    OPERATE = "operate"
    """See what is owed to other systems and which alarms stand, and say that an alarm was seen."""
    REPORT = "report"
    """Hand reports in, for whoever uses a form of one's own, and open them again with their words."""
    REPORT_VERIFIED = "report:verified"
    """The same, and what its holder reports as a flagger, hotline, police, regulator or staff counts as verified."""
    PROPOSALS = "proposals"
    """See what waits for a second person; agree, refuse, withdraw. To ask or agree, the key must be a person's."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Key:
    """An API key as it stands; the secret is not here."""

    prefix: str
    secret_digest: str
    label: str
    scopes: frozenset[Scope]
    expires_at: datetime | None
    revoked: bool
    person: str | None = None
    in_halves: bool = False
    """Whether two people made it: it opens nothing before its other half was drawn."""
    half_digest: str | None = None

    def opens_with(self, untrusted_secret: str, now: datetime) -> bool:
        """Whether the secret, or both halves of it, are right and the key is neither revoked nor expired at `now`."""
        first, _, second = untrusted_secret.partition("_")
        right = hmac.compare_digest(digest(first), self.secret_digest) and self._has_other(second)
        in_time = self.expires_at is None or now < self.expires_at
        return right and in_time and not self.revoked

    def _has_other(self, untrusted_half: str) -> bool:
        if not self.in_halves:
            return not untrusted_half
        return self.half_digest is not None and hmac.compare_digest(digest(untrusted_half), self.half_digest)


@dataclass(frozen=True, slots=True, kw_only=True)
class CreateKey:
    """Make a key."""

    prefix: str
    secret_digest: str
    label: str
    scopes: frozenset[Scope]
    expires_at: datetime | None
    person: str | None = None


@dataclass(frozen=True, slots=True)
class RevokeKey:
    """End a key."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Voices:
    """What is known when a key is to be made: the people there are, and which of them asks for it."""

    people: People
    asker: str | None


@event("key.created")
@dataclass(frozen=True, slots=True, kw_only=True)
class KeyCreated1(Event):
    """As it is in schema 3, from before keys had persons and free text was sealed."""

    label: str
    scopes: tuple[Scope, ...]
    expires_at: datetime | None


@event("key.created", schema=2)
@dataclass(frozen=True, slots=True, kw_only=True)
class KeyCreated2(Event):
    """As it is in schema 3, from before keys had persons."""

    label: PrivateText
    scopes: tuple[Scope, ...]
    expires_at: datetime | None


@event("key.created", schema=3)
@dataclass(frozen=True, slots=True, kw_only=True)
class KeyCreated(Event):
    """An API key was made. Of its secret the journal knows nothing. `person`: who answers for what it does."""

    label: PrivateText
    scopes: tuple[Scope, ...]
    expires_at: datetime | None
    person: str | None


@event("key.revoked")
@dataclass(frozen=True, slots=True, kw_only=True)
class KeyRevoked(Event):
    """An API key was ended; requests that carry it are refused from now on."""


KEY_TRANSITIONS: Final[Mapping[tuple[str | None, type], str]] = {
    (None, CreateKey): "active",
    ("active", RevokeKey): "revoked",
}


def decide_key(key: Key | None, command: CreateKey | RevokeKey) -> list[Event] | Refusal:
    """What happens when `command` meets the key as it stands.

    Raises InvalidRequest for a key that could never be made.
    """
    state = None if key is None else "revoked" if key.revoked else "active"
    if (state, type(command)) not in KEY_TRANSITIONS:
        return Refusal("key.not_in_this_state", f"the key is {state or 'not there'}, and this cannot be done then")
    match command:
        case CreateKey():
            check_text("label", command.label)
            if not command.scopes:
                message = "scopes: a key needs at least one scope"
                raise InvalidRequest(message)
            scopes = tuple(sorted(command.scopes))
            person = None if command.person is None else person_named(command.person)
            return [
                KeyCreated(label=command.label.strip(), scopes=scopes, expires_at=command.expires_at, person=person)
            ]
        case RevokeKey():
            return [KeyRevoked()]


def evolve_key(key: Key | None, prefix: str, happened: Event) -> Key:
    """The key after `happened`. One made from its event has no digest: of secrets the journal knows nothing.

    Raises ValueError for an event that no key in this state can have.
    """
    match key, happened:
        case None, (KeyCreated1() | KeyCreated2() | KeyCreated()) as made:
            return Key(
                prefix=prefix,
                secret_digest="",
                label=made.label,
                scopes=frozenset(made.scopes),
                expires_at=made.expires_at,
                revoked=False,
                person=made.person if isinstance(made, KeyCreated) else None,
            )
        case Key(revoked=False), KeyRevoked():
            return replace(key, revoked=True)
    message = f"no key can have {happened.tag!r} here"
    raise ValueError(message)


def token(prefix_bytes: bytes, secret_bytes: bytes) -> tuple[str, str, str]:
    """(prefix, secret, the whole key) from PREFIX_BYTES and SECRET_BYTES random bytes."""
    prefix, secret = _base32(prefix_bytes), _base32(secret_bytes)
    return prefix, secret, f"hf_{prefix}_{secret}"


def split(untrusted_token: str) -> tuple[str, str] | None:
    """(prefix, secret) of a well-formed key, else None; a secret of two halves has `_` between them."""
    found = _TOKEN.fullmatch(untrusted_token)
    return (found.group(1), found.group(2)) if found else None


def half(secret_bytes: bytes) -> str:
    """The other half of a key's secret, from SECRET_BYTES random bytes."""
    return _base32(secret_bytes)


def is_prefix(untrusted_text: str) -> bool:
    """Whether a text has the form of a key's prefix."""
    return bool(_PREFIX.fullmatch(untrusted_text))


def digest(secret: str) -> str:
    """What is stored of a secret."""
    return hashlib.sha256(secret.encode()).hexdigest()


def key_subject(prefix: str) -> str:
    """The journal's subject for a key."""
    return f"key:{prefix}"


def _base32(raw: bytes) -> str:
    return base64.b32encode(raw).decode().rstrip("=").lower()


def _gives_a_voice(command: CreateKey, state: Voices) -> bool:
    """Whether a key gives somebody a voice whom not two people gave it; the first two anybody may name."""
    if command.person is None or len(state.people.ever) < ENOUGH_PEOPLE:
        return False
    person = person_named(command.person)
    return person != state.asker or person not in state.people.now


register(
    CreateKey,
    KeyCreated,
    when="when it is a person's, other than the asker's own, and two people were ever known",
    weakens=_gives_a_voice,
)
register(RevokeKey, KeyRevoked)

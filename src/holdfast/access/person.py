# SPDX-License-Identifier: Apache-2.0
"""A person: whoever answers for a key or for an account of this machine, by a short name.

Two keys of one person are one person. On the command line the person is the operating system's
account, by its number and not by what the environment says of it. A person *counts* while a key of
theirs is good: whoever has none can protect, but can neither ask for what weakens nor agree to it.

Holdfast knows names, not people: it cannot tell one human with two accounts from two humans. What it
can do is let nobody add to the names alone once there are two (`holdfast.access.key`).
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from holdfast.errors import InvalidName, PersonMissing

_NAME: Final = re.compile(r"[a-z0-9][a-z0-9._@-]{0,63}")


@dataclass(frozen=True, slots=True)
class Who:
    """Who does something: the actor as the journal names it, and the person behind it, if one is known."""

    actor: str
    person: str | None


@dataclass(frozen=True, slots=True)
class People:
    """The names that Holdfast was told: every one there ever was, and those with a good key now."""

    ever: frozenset[str]
    now: frozenset[str]


def person_named(untrusted_name: str) -> str:
    """The one spelling of a person's name: `Alice` and `alice` are one. Raises InvalidName."""
    name = untrusted_name.strip()
    # Only plain letters are made small: what merely looks like one must not become one.
    if not name.isascii() or not _NAME.fullmatch(name.lower()):
        message = "a person's name"
        raise InvalidName(message)
    return name.lower()


def person_if_named(untrusted_name: str) -> str | None:
    """The same; None where it is no name, for whoever answers every mistake alike."""
    try:
        return person_named(untrusted_name)
    except InvalidName:
        return None


def counting(by: Who, people: People) -> str:
    """The person who does something that takes two; known, and with a good key. Raises PersonMissing."""
    if by.person is None or by.person not in people.now:
        message = f"{by.actor}: no known person stands behind it" if by.person is None else f"{by.person} has no key"
        raise PersonMissing(message)
    return by.person

# SPDX-License-Identifier: Apache-2.0
"""A staff account: a person who works here, their roles, and whether they can sign in.

An account is a *voice*: two of them let something be seen again (`holdfast.review`). So it counts as a person exactly
as a key does (`holdfast.access.key`), and once two people are known, making one, giving it powers or letting somebody
into it anew takes two: else one person could make up the second. Taking powers away takes one.

`decide_staff` and `evolve_staff` are pure. Of passwords, codes and second factors the journal knows nothing.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from holdfast.access.key import ENOUGH_PEOPLE
from holdfast.access.person import People, person_named
from holdfast.access.role import Role
from holdfast.access.two_people import register
from holdfast.errors import InvalidRequest, Refusal
from holdfast.log.event import Event, event
from holdfast.log.text import check_text
from holdfast.sealed.text import PrivateText

_LONGEST_TEAM: Final = 64


class StaffState(StrEnum):
    """Whether somebody can sign in."""

    INVITED = "invited"
    """They have a code with which they choose a password and a second factor."""
    ACTIVE = "active"
    BLOCKED = "blocked"


@dataclass(frozen=True, slots=True, kw_only=True)
class Account:
    """A staff account as it stands; no secret is here."""

    person: str
    roles: frozenset[Role]
    team: str = ""
    outside: bool = False
    """A second reviewer from outside: one case at a time, previews only."""
    state: StaffState = StaffState.INVITED


@dataclass(frozen=True, slots=True, kw_only=True)
class StaffVoices:
    """What is known when an account is to be changed: the account, and the people there are."""

    account: Account | None
    people: People


# --- commands


@dataclass(frozen=True, slots=True, kw_only=True)
class AddStaff:
    """Let somebody work here. `code_digest`: of the code with which they begin."""

    person: str
    roles: frozenset[Role]
    code_digest: str
    team: str = ""
    account: str = ""
    """Their own account at the platform: nobody reviews what they are party to. Not told to the journal."""
    outside: bool = False


@dataclass(frozen=True, slots=True)
class Enrol:
    """Choose a password and a second factor, with a code."""


@dataclass(frozen=True, slots=True)
class SetRoles:
    """Say what somebody may be asked to do, from now on."""

    roles: frozenset[Role]


@dataclass(frozen=True, slots=True)
class BlockStaff:
    """Let somebody sign in no more."""

    because: str


@dataclass(frozen=True, slots=True, kw_only=True)
class ResetStaff:
    """Let somebody begin anew, with another code: they lost their second factor, or were blocked."""

    because: str
    code_digest: str


StaffCommand = AddStaff | Enrol | SetRoles | BlockStaff | ResetStaff


# --- events


@event("staff.added")
@dataclass(frozen=True, slots=True, kw_only=True)
class StaffAdded(Event):
    """Somebody may work here, once they chose a password."""

    roles: tuple[Role, ...]
    team: str
    outside: bool


@event("staff.enrolled")
@dataclass(frozen=True, slots=True, kw_only=True)
class StaffEnrolled(Event):
    """Somebody chose a password and a second factor, and can sign in."""


@event("staff.roles_set")
@dataclass(frozen=True, slots=True, kw_only=True)
class StaffRolesSet(Event):
    """What somebody may be asked to do was said anew."""

    roles: tuple[Role, ...]


@event("staff.blocked")
@dataclass(frozen=True, slots=True, kw_only=True)
class StaffBlocked(Event):
    """Somebody can sign in no more; their sessions ended."""

    because: PrivateText


@event("staff.reset")
@dataclass(frozen=True, slots=True, kw_only=True)
class StaffReset(Event):
    """Somebody begins anew: their password and second factor open nothing any more."""

    because: PrivateText


STAFF_TRANSITIONS: Final[Mapping[tuple[StaffState | None, type], StaffState]] = {
    (None, AddStaff): StaffState.INVITED,
    (StaffState.INVITED, Enrol): StaffState.ACTIVE,
    (StaffState.INVITED, SetRoles): StaffState.INVITED,
    (StaffState.ACTIVE, SetRoles): StaffState.ACTIVE,
    (StaffState.INVITED, BlockStaff): StaffState.BLOCKED,
    (StaffState.ACTIVE, BlockStaff): StaffState.BLOCKED,
    (StaffState.INVITED, ResetStaff): StaffState.INVITED,
    (StaffState.ACTIVE, ResetStaff): StaffState.INVITED,
    (StaffState.BLOCKED, ResetStaff): StaffState.INVITED,
}


def decide_staff(account: Account | None, command: StaffCommand) -> list[Event] | Refusal:
    """What happens when `command` meets the account as it stands.

    Raises InvalidRequest for an account that could never be, InvalidName for a name that is none.
    """
    if (account and account.state, type(command)) not in STAFF_TRANSITIONS:
        state = account.state if account else "not there"
        return Refusal("staff.not_in_this_state", f"the account is {state}, and this cannot be done then")
    match command:
        case AddStaff():
            person_named(command.person)
            return [StaffAdded(roles=_roles(command.roles), team=_team(command.team), outside=command.outside)]
        case Enrol():
            return [StaffEnrolled()]
        case SetRoles():
            return [StaffRolesSet(roles=_roles(command.roles))]
        case BlockStaff():
            check_text("because", command.because)
            return [StaffBlocked(because=command.because.strip())]
        case ResetStaff():
            check_text("because", command.because)
            return [StaffReset(because=command.because.strip())]


def evolve_staff(account: Account | None, person: str, happened: Event) -> Account:
    """The account after `happened`. Raises ValueError for an event that no account in this state can have."""
    match account, happened:
        case None, StaffAdded(roles=roles, team=team, outside=outside):
            return Account(person=person, roles=frozenset(map(Role, roles)), team=team, outside=outside)
        case Account(state=StaffState.INVITED), StaffEnrolled():
            return replace(account, state=StaffState.ACTIVE)
        case Account(state=StaffState.INVITED | StaffState.ACTIVE), StaffRolesSet(roles=roles):
            return replace(account, roles=frozenset(map(Role, roles)))
        case Account(state=StaffState.INVITED | StaffState.ACTIVE), StaffBlocked():
            return replace(account, state=StaffState.BLOCKED)
        case Account(), StaffReset():
            return replace(account, state=StaffState.INVITED)
    message = f"no account can have {happened.tag!r} here"
    raise ValueError(message)


def staff_subject(person: str) -> str:
    """The journal's subject for an account, and the actor of whoever signed in to it."""
    return f"staff:{person}"


def _roles(roles: frozenset[Role]) -> tuple[Role, ...]:
    if not roles:
        message = "roles: an account needs at least one role"
        raise InvalidRequest(message)
    if Role.ADMINISTRATOR in roles and len(roles) > 1:
        message = "roles: an administrator sees no case, and so has no other role"
        raise InvalidRequest(message)
    return tuple(sorted(roles))


def _team(team: str) -> str:
    plain = team.strip()
    if len(plain) > _LONGEST_TEAM or not plain.isprintable():
        message = f"team: at most {_LONGEST_TEAM} characters that can be printed"
        raise InvalidRequest(message)
    return plain


def _adds_a_voice(_command: AddStaff | ResetStaff, state: StaffVoices) -> bool:
    """The first two people anybody may name."""
    return len(state.people.ever) >= ENOUGH_PEOPLE


def _gives_powers(command: SetRoles, state: StaffVoices) -> bool:
    gained = command.roles - (state.account.roles if state.account else frozenset())
    return bool(gained) and len(state.people.ever) >= ENOUGH_PEOPLE


_TWO_KNOWN: Final = "once two people were ever known"
register(AddStaff, StaffAdded, when=_TWO_KNOWN, weakens=_adds_a_voice)
register(ResetStaff, StaffReset, when=_TWO_KNOWN, weakens=_adds_a_voice)
register(SetRoles, StaffRolesSet, when=f"when it gives a role, {_TWO_KNOWN}", weakens=_gives_powers)
register(BlockStaff, StaffBlocked)
register(Enrol, StaffEnrolled)

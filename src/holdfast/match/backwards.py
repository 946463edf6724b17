# SPDX-License-Identifier: Apache-2.0
"""A backwards search: the archive is looked through for what a bank has just begun to match.

It is owed by the very transaction that changed the bank, looks at every archived item, and ends with the
new entries being looked up as a platform would look them up: only then is it said that they are blocked.
It may be one entry, what one file brought, or a whole bank that was switched on or made to match more. What
it finds is kept, and handed to whoever puts holds on copies. Nothing but that ends it: no time and no failure.

`decide_search` and `evolve_search` are pure; time and identity are passed in. How far it has come stands
beside it in the table, not in the journal.
"""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from enum import StrEnum
from typing import Final

from holdfast.access.two_people import register
from holdfast.errors import Refusal
from holdfast.log.event import Event, event
from holdfast.match.bank import Action, Bank, BankKind, BankState

PATIENCE: Final = timedelta(minutes=10)
"""After which a search that has not ended raises an alarm; it goes on."""
PATIENCE_FOR_EACH: Final = timedelta(milliseconds=20)
"""So much more for each entry that it looks for."""


class SearchState(StrEnum):
    """Where a backwards search stands."""

    OWED = "owed"
    """The bank has changed; nobody has begun."""
    RUNNING = "running"
    """Archived items are being looked at."""
    SEARCHED = "searched"
    """All were looked at; that the entries are found from now on is not proven yet."""
    UNPROVEN = "unproven"
    """They were looked up and not all of them found; its owner was alarmed, and it is tried again."""
    BLOCKED = "blocked"
    """They were looked up as a platform would, and found."""
    WITHDRAWN = "withdrawn"
    """They left the bank, or their bank no longer holds anything, before it came to that."""


OPEN: Final = frozenset({SearchState.OWED, SearchState.RUNNING, SearchState.SEARCHED, SearchState.UNPROVEN})
"""Still owed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Target:
    """What is looked for: some entries of a bank, all that one import brought, or (neither named) the whole bank."""

    bank: str
    entries: tuple[str, ...] = ()
    bank_import: str | None = None
    count: int
    """How many entries that is, when it was owed."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Search:
    """A backwards search as it stands."""

    target: Target
    owner: str
    due: datetime
    state: SearchState
    items: int | None = None
    """How many archived items there are to look at; None before it began."""
    copies: int = 0
    """How many of them were found."""
    late: bool = False


# --- commands


@dataclass(frozen=True, slots=True)
class OweSearch:
    """Owe it."""

    target: Target
    owner: str
    due: datetime


@dataclass(frozen=True, slots=True)
class BeginSearch:
    """Begin to look at so many items."""

    items: int


@dataclass(frozen=True, slots=True)
class FindCopies:
    """So many more were found."""

    copies: int


@dataclass(frozen=True, slots=True)
class EndSearch:
    """Every item was looked at."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProveSearch:
    """So many entries were looked up and found, `over_http` of them over HTTP at the public address."""

    entries: int
    over_http: int
    list_version: int


@dataclass(frozen=True, slots=True, kw_only=True)
class FailProof:
    """So many entries were looked up and not found."""

    missing: int
    over_http: bool


@dataclass(frozen=True, slots=True)
class WithdrawSearch:
    """Nothing of what it looks for counts any more."""


@dataclass(frozen=True, slots=True)
class MarkSearchLate:
    """Look at the clock."""


@dataclass(frozen=True, slots=True)
class ShowCopies:
    """Somebody wants to see which items were found."""


SearchCommand = (
    OweSearch
    | BeginSearch
    | FindCopies
    | EndSearch
    | ProveSearch
    | FailProof
    | WithdrawSearch
    | MarkSearchLate
    | ShowCopies
)


# --- events


@event("archive.search.owed")
@dataclass(frozen=True, slots=True, kw_only=True)
class SearchOwed(Event):
    """A bank matches more than before: the archive owes a search for these entries, this import, or all of it."""

    bank: str
    entries: tuple[str, ...]
    bank_import: str | None
    count: int
    owner: str
    due: datetime


@event("archive.search.begun")
@dataclass(frozen=True, slots=True, kw_only=True)
class SearchBegun(Event):
    """A backwards search began; so many archived items are to be looked at."""

    items: int


@event("archive.search.found")
@dataclass(frozen=True, slots=True, kw_only=True)
class CopiesFound(Event):
    """So many more archived items match; which they are stands in the table, and is handed on in this transaction."""

    copies: int


@event("archive.search.ended")
@dataclass(frozen=True, slots=True, kw_only=True)
class SearchEnded(Event):
    """Every archived item was looked at; so many match. That the entries are found from now on is proven next."""

    items: int
    copies: int


@event("archive.search.proven")
@dataclass(frozen=True, slots=True, kw_only=True)
class SearchProven(Event):
    """The entries are blocked: all were looked up in the banks at `list_version` by the code that screens and found.

    `over_http`: how many of them also over HTTP at the public address, as a platform would; 0 if none is set.
    """

    entries: int
    over_http: int
    list_version: int


@event("archive.search.unproven")
@dataclass(frozen=True, slots=True, kw_only=True)
class SearchUnproven(Event):
    """So many of the entries were looked up and not found; its owner was alarmed, and it is tried again."""

    missing: int
    over_http: bool
    owner: str


@event("archive.search.withdrawn")
@dataclass(frozen=True, slots=True, kw_only=True)
class SearchWithdrawn(Event):
    """Nothing of what was looked for counts any more, so there is nothing left to look for or to prove."""


@event("archive.search.late")
@dataclass(frozen=True, slots=True, kw_only=True)
class SearchLate(Event):
    """It was not ended and proven in time; its owner was alarmed. It goes on."""

    owner: str
    due: datetime


@event("archive.search.shown")
@dataclass(frozen=True, slots=True, kw_only=True)
class CopiesShown(Event):
    """Somebody was shown which items were found: so many of them."""

    copies: int


# --- the table: (state before, command) -> state after; None is "does not exist yet"

SEARCH_TRANSITIONS: Final[Mapping[tuple[SearchState | None, type], SearchState]] = {
    (None, OweSearch): SearchState.OWED,
    (SearchState.OWED, BeginSearch): SearchState.RUNNING,
    (SearchState.RUNNING, FindCopies): SearchState.RUNNING,
    (SearchState.RUNNING, EndSearch): SearchState.SEARCHED,
    (SearchState.SEARCHED, ProveSearch): SearchState.BLOCKED,
    (SearchState.SEARCHED, FailProof): SearchState.UNPROVEN,
    (SearchState.UNPROVEN, ProveSearch): SearchState.BLOCKED,
    **{(state, WithdrawSearch): SearchState.WITHDRAWN for state in SearchState if state in OPEN},
    **{(state, MarkSearchLate): state for state in SearchState if state in OPEN},
    **{(state, ShowCopies): state for state in SearchState},
}


def decide_search(search: Search | None, command: SearchCommand, now: datetime) -> list[Event] | Refusal:
    """What happens when `command` meets the search as it stands at `now`."""
    if (search and search.state, type(command)) not in SEARCH_TRANSITIONS:
        state = search.state if search else "not there"
        return Refusal("archive.search.not_in_this_state", f"the search is {state}, and this cannot be done then")
    if search is None:
        assert isinstance(command, OweSearch)
        return [_owed(command)]
    return _decide_work(search, command) or _decide_rest(search, command, now)


def evolve_search(search: Search | None, happened: Event) -> Search:
    """The search after `happened`.

    Raises ValueError for an event that no search in this state can have.
    """
    match search, happened:
        case None, SearchOwed():
            return _search(happened)
        case Search(), CopiesShown():
            return search
        case Search(late=False), SearchLate() if search.state in OPEN:
            return replace(search, late=True)
        case Search(), SearchWithdrawn() if search.state in OPEN:
            return replace(search, state=SearchState.WITHDRAWN)
        case Search(), _ if (after := _evolve_work(search, happened)) is not None:
            return after
    message = f"no search can have {happened.tag!r} here"
    raise ValueError(message)


def search_subject(search_id: str) -> str:
    """The journal's subject for a backwards search."""
    return f"archive.search:{search_id}"


def due_for(count: int, now: datetime) -> datetime:
    """When a search for so many entries is late."""
    return now + PATIENCE + count * PATIENCE_FOR_EACH


def stops_things(bank: Bank) -> bool:
    """Whether a match with the bank, as it stands, leads to hold or review."""
    known = bank.kind is BankKind.KNOWN and bank.action in (Action.HOLD, Action.REVIEW)
    return known and bank.state is BankState.ACTIVE


def matches_more(before: Bank, after: Bank) -> bool:
    """Whether the bank now stops what it did not stop before: switched on, made to stop things, or made wider."""
    return stops_things(after) and (not stops_things(before) or after.threshold > before.threshold)


def _owed(command: OweSearch) -> SearchOwed:
    target = command.target
    return SearchOwed(
        bank=target.bank,
        entries=target.entries,
        bank_import=target.bank_import,
        count=target.count,
        owner=command.owner,
        due=command.due,
    )


def _search(owed: SearchOwed) -> Search:
    target = Target(bank=owed.bank, entries=owed.entries, bank_import=owed.bank_import, count=owed.count)
    return Search(target=target, owner=owed.owner, due=owed.due, state=SearchState.OWED)


def _decide_work(search: Search, command: SearchCommand) -> list[Event]:
    """What a worker's command leads to; nothing if it is not one of these."""
    match command:
        case BeginSearch(items=items):
            return [SearchBegun(items=items)]
        case FindCopies(copies=copies):
            return [CopiesFound(copies=copies)]
        case EndSearch():
            return [SearchEnded(items=search.items or 0, copies=search.copies)]
        case ProveSearch(entries=entries, over_http=over_http, list_version=version):
            return [SearchProven(entries=entries, over_http=over_http, list_version=version)]
        case FailProof(missing=missing, over_http=over_http):
            return [SearchUnproven(missing=missing, over_http=over_http, owner=search.owner)]
    return []


def _decide_rest(search: Search, command: SearchCommand, now: datetime) -> list[Event] | Refusal:
    if isinstance(command, WithdrawSearch):
        return [SearchWithdrawn()]
    if isinstance(command, ShowCopies):
        return [CopiesShown(copies=search.copies)]
    if search.late or now < search.due:
        return Refusal("archive.search.not_late", "the clock still runs, or its owner was alarmed already")
    return [SearchLate(owner=search.owner, due=search.due)]


def _evolve_work(search: Search, happened: Event) -> Search | None:
    """The search after what a worker did; None if it cannot have it."""
    match search.state, happened:
        case SearchState.OWED, SearchBegun(items=items):
            return replace(search, state=SearchState.RUNNING, items=items)
        case SearchState.RUNNING, CopiesFound(copies=copies):
            return replace(search, copies=search.copies + copies)
        case SearchState.RUNNING, SearchEnded():
            return replace(search, state=SearchState.SEARCHED)
        case SearchState.SEARCHED, SearchUnproven():
            return replace(search, state=SearchState.UNPROVEN)
        case ((SearchState.SEARCHED | SearchState.UNPROVEN), SearchProven()):
            return replace(search, state=SearchState.BLOCKED)
    return None


register(OweSearch, SearchOwed)
register(BeginSearch, SearchBegun)
register(FindCopies, CopiesFound)
register(EndSearch, SearchEnded)
register(ProveSearch, SearchProven)
register(FailProof, SearchUnproven)
register(WithdrawSearch, SearchWithdrawn)  # by no person: what it looks for was taken out, which took two
register(MarkSearchLate, SearchLate)
register(ShowCopies, CopiesShown)

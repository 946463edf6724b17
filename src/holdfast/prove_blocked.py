# SPDX-License-Identifier: Apache-2.0
"""The end of a backwards search: look its entries up as an upload would be, and only then say that they are blocked.

In shadow mode everything is published, so nothing is said to be blocked until it is off.
"""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Final

import structlog

from holdfast.blocked import not_found
from holdfast.bootstrap import System
from holdfast.match.backwards import FailProof, ProveSearch, WithdrawSearch
from holdfast.match.signal import Signal

if TYPE_CHECKING:
    from holdfast.store.searches import Taken

AGAIN: Final = timedelta(seconds=30)
"""After which what was not found is looked up again."""
MOST_AT_ONCE: Final = 20_000
SENT: Final = 10
"""Of the entries of one search, so many are also looked up over HTTP, where an address is set."""
_log = structlog.get_logger("backwards")
Entries = Mapping[str, tuple[Signal, ...]]


def prove(taken: Taken, system: System, most: int = MOST_AT_ONCE) -> bool:
    """Look up some of what this search looked for; whether that is to be gone on with at once.

    Raises NotReady if the banks are not loaded, DependencyError if the public address does not answer as it
    should, TakenOver, and whatever the database raises.
    """
    from holdfast.store.search_rows import by_entry, signals_of  # noqa: PLC0415  # needs configured Django

    if system.settings.shadow:
        system.searches.put_back(taken, "shadow_mode", AGAIN)
        return False
    banked = signals_of(taken.search.target, after=taken.after, most=most)
    if not banked and not taken.after:
        system.searches.prove(taken, WithdrawSearch())
        return False
    missing = not_found(taken.search.target.bank, by_entry(banked), system.parts())
    if missing:
        return _failed(taken, system, missing, over_http=False)
    if len(banked) == most:
        system.searches.go_on_proving(taken, banked[-1].label)
        return True
    return _over_http(taken, system, most)


def _over_http(taken: Taken, system: System, most: int) -> bool:
    """Every entry was found here; some are looked up at the public address too, and then it is proven."""
    sample = _sample(taken, most) if system.public_path else {}
    bank = taken.search.target.bank
    missing = [
        entry
        for entry, signals in sample.items()
        if system.public_path and not system.public_path.finds(bank, entry, signals)
    ]
    if missing:
        return _failed(taken, system, missing, over_http=True)
    version, count = system.known.ready_to or 0, taken.search.target.count
    system.searches.prove(taken, ProveSearch(entries=count, over_http=len(sample), list_version=version))
    _log.debug("entries_blocked", search=taken.id, entries=count, copies=taken.search.copies)
    return False


def _failed(taken: Taken, system: System, missing: Sequence[str], *, over_http: bool) -> bool:
    """They were not found, unless they left the bank this very moment: then all of it is looked up anew."""
    from holdfast.store.search_rows import still_counts  # noqa: PLC0415  # see above

    still = still_counts(taken.search.target, missing)
    if not still:
        system.searches.go_on_proving(taken, 0)
        return True
    what_to_do = "its entries are banked and not found: see 'holdfast doctor'; they are looked up again"
    _log.error("search_unproven", search=taken.id, missing=len(still), what_to_do=what_to_do)
    system.searches.prove(taken, FailProof(missing=len(still), over_http=over_http))
    system.searches.put_back(taken, "not_found", AGAIN)
    return False


def _sample(taken: Taken, most: int) -> Entries:
    """Some entries of those it looked for, evenly chosen among the first thousands."""
    from holdfast.store.search_rows import by_entry, signals_of  # noqa: PLC0415  # see above

    entries = by_entry(signals_of(taken.search.target, after=0, most=most))
    chosen = list(entries)[:: -(-len(entries) // SENT) or 1]
    return {entry: entries[entry] for entry in chosen}

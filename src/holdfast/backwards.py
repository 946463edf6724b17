# SPDX-License-Identifier: Apache-2.0
"""Carry backwards searches out, step by step: bank change -> archive -> found copies -> proof -> blocked.

A step takes about a second and ends with one transaction, which keeps what was found and how far it came. Between two
of them any process may die, and a smaller search may go first.
"""

from __future__ import annotations

import time
from collections import defaultdict
from collections.abc import Callable, Sequence
from datetime import timedelta
from typing import TYPE_CHECKING, Any, Final

import structlog
from django.db import Error as DjangoDatabaseError
from django.db import connections

from holdfast.adapters.listener import Listener
from holdfast.bootstrap import System
from holdfast.errors import DependencyError, HoldfastError, NotReady
from holdfast.keep_archive import ArchiveKeeper, sound_shelf
from holdfast.later import TakenOver
from holdfast.match.backwards import SearchState, WithdrawSearch
from holdfast.match.found_copies import FoundCopy
from holdfast.match.known import CHANNEL
from holdfast.match.sheet import START, Place
from holdfast.prove_blocked import prove
from holdfast.walk_archive import Pass, Walk, checked, equal

if TYPE_CHECKING:
    from holdfast.store.searches import Taken

STEP_SECONDS: Final = 1.0
MOST_SIGNALS: Final = 500_000
"""Looked for at once; a search for more goes through the archive again for the next so many."""
_LOOK_SECONDS: Final = 1.0
_KEEP_SECONDS: Final = 10.0
_PAUSE: Final = timedelta(seconds=5)
_NOT_READY_PAUSE: Final = timedelta(seconds=1)
_WRITERS_PAUSE: Final = 0.005
_LONG_WRITERS_PAUSE: Final = timedelta(seconds=1)
_log = structlog.get_logger("backwards")


class Backwards:
    """Carries searches out. For one thread."""

    def __init__(
        self,
        system: System,
        *,
        seconds: float = STEP_SECONDS,
        most_signals: int = MOST_SIGNALS,
        piece: int | None = None,
    ) -> None:
        """Take steps of about so many seconds; `piece`: compare no more than so many hashes in one go."""
        self._system = system
        self._seconds = seconds
        self._most_signals = most_signals
        self._walk = Walk(system.archive_folder, piece)
        self._mine: dict[str, int] = {}
        self._passes: dict[str, tuple[int, int, Pass]] = {}
        self._awaited: dict[str, frozenset[str]] = {}

    def round(self) -> bool:
        """One step of the search for the fewest entries; False if there is none to be carried out now.

        Raises whatever the database raises. Whatever else goes wrong is written beside the search: it is tried again.
        """
        taken = self._system.searches.take(self._mine)
        if taken is None:
            return False
        self._mine[taken.id] = taken.taking
        try:
            self._step(taken)
        except TakenOver:
            self._let_go(taken)
        except DjangoDatabaseError:
            raise
        except Exception as fault:  # noqa: BLE001  # whatever it is: it is still owed, and its clock runs
            ours = not isinstance(fault, HoldfastError)
            _log.warning("search_waits", search=taken.id, fault=type(fault).__name__, exc_info=fault if ours else None)
            self._let_go(taken)
            pause = _NOT_READY_PAUSE if isinstance(fault, NotReady) else _PAUSE
            self._system.searches.put_back(taken, type(fault).__name__, pause)
        return True

    def for_ever(self, keeper: ArchiveKeeper, stopping: Callable[[], bool]) -> None:
        """Search while something is owed, keep the sheets in between, and wait for the next bank change."""
        settings = self._system.settings
        url = settings.database_listen_url or settings.database_url
        assert url is not None  # whoever wired the system had one
        listener, kept = Listener(url, CHANNEL), -_KEEP_SECONDS
        while not stopping():
            busy = False
            try:
                busy = self.round()
                if not busy or time.monotonic() - kept >= _KEEP_SECONDS:
                    kept = time.monotonic()
                    busy = keeper.step() or busy
            except Exception as fault:  # noqa: BLE001  # whatever it is: what is owed stays owed, and this goes on
                ours = not isinstance(fault, (DjangoDatabaseError, DependencyError, OSError))
                _log.warning("searches_wait", fault=type(fault).__name__, exc_info=fault if ours else None)
                connections.close_all()  # a broken connection is not mended by using it again
            if not busy:
                listener.wait(_LOOK_SECONDS)
        listener.close()
        self.close()

    def close(self) -> None:
        """Let go of the threads that compare."""
        self._walk.close()

    def _step(self, taken: Taken) -> None:
        match taken.search.state:
            case SearchState.OWED:
                self._begin(taken)
            case SearchState.RUNNING:
                self._look(taken)
            case _:
                if not prove(taken, self._system):
                    self._let_go(taken)

    def _begin(self, taken: Taken) -> None:
        """Wait until whoever may not have seen the bank change has written what he writes; then count."""
        from holdfast.store import archive_rows as rows  # noqa: PLC0415  # needs configured Django

        if self._withdrawn(taken) or rows.adopt_foreign():
            return
        awaited = self._awaited.get(taken.id)
        awaited, ends = rows.writers() if awaited is None else awaited, time.monotonic() + self._seconds
        while (awaited := awaited & rows.writers()) and time.monotonic() < ends:
            time.sleep(_WRITERS_PAUSE)
        if awaited:  # somebody's transaction stays open: others first
            self._let_go(taken)
            self._awaited[taken.id] = awaited
            self._system.searches.put_back(taken, "a_writer_stays", _LONG_WRITERS_PAUSE)
            return
        self._count(taken)

    def _count(self, taken: Taken) -> None:
        """Say how many items there are to look at: everything that is there now."""
        from holdfast.store import archive_rows as rows  # noqa: PLC0415  # see above

        shelf, upto = sound_shelf(self._system.archive_folder), rows.present()
        items = rows.count(shelf.upto, upto) + shelf.items if shelf else rows.count(START, upto)
        self._system.searches.begin(taken, items=items, upto=upto, cluster=rows.cluster())

    def _look(self, taken: Taken) -> None:
        """Look at items for about a second, and write what was found and how far it came."""
        from holdfast.store import archive_rows as rows  # noqa: PLC0415  # see above

        if taken.cluster != rows.cluster():
            self._count(taken)
            return
        if self._withdrawn(taken):
            return
        going = self._pass(taken)
        if going is None:
            self._advance(taken, [], taken.upto, taken.after, ended=True)
            return
        copies = list(equal(going, taken.upto)) if taken.place == START else []
        place, looked_at, found = self._through(taken, going)
        copies += found
        if place < taken.upto:
            self._advance(taken, copies, place, taken.after, looked_at=looked_at)
        elif going.full:
            self._advance(taken, copies, START, going.last)
        else:
            self._advance(taken, copies, taken.upto, going.last, ended=True)

    def _through(self, taken: Taken, going: Pass) -> tuple[Place, int, list[FoundCopy]]:
        """(the place reached, how many items were looked at by then, what was found)."""
        place, looked_at, near = taken.place, taken.looked_at, defaultdict[str, list[int]](list)
        ends = time.monotonic() + self._seconds
        pieces = self._walk.pieces(going.wanted, place, taken.upto) if going.perceptual else iter(())
        for piece, some in pieces:
            for screening, queries in some.items():
                near[screening] += queries
            place, looked_at = piece.behind, looked_at + len(piece)
            if time.monotonic() >= ends:
                break
        else:
            place = taken.upto
        return place, looked_at, list(checked(near, going, taken.bank.threshold, taken.upto))

    def _pass(self, taken: Taken) -> Pass | None:
        """What is looked for now; None if there is nothing behind what was looked for already."""
        from holdfast.store.search_rows import signals_of  # noqa: PLC0415  # see above

        taking, after, held = self._passes.get(taken.id, (0, 0, None))
        if held is None or (taking, after) != (taken.taking, taken.after):
            banked = signals_of(taken.search.target, after=taken.after, most=self._most_signals)
            if not banked:
                return None
            held = Pass(banked, taken.bank.threshold, full=len(banked) == self._most_signals)
            self._passes[taken.id] = (taken.taking, taken.after, held)
        return held

    def _advance(  # each is one fact about how far it came
        self,
        taken: Taken,
        copies: Sequence[FoundCopy],
        place: Place,
        after: int,
        *,
        looked_at: int = 0,
        ended: bool = False,
    ) -> None:
        """Write it. Only what still counts this moment is kept: an entry may have left its bank meanwhile."""
        from holdfast.store.search_rows import still_counts  # noqa: PLC0415  # see above
        from holdfast.store.searches import Step  # noqa: PLC0415  # see above

        still = still_counts(taken.search.target, {copy.entry for copy in copies}) if copies else frozenset()
        looked_at = (taken.search.items or 0) if ended else looked_at
        kept = [copy for copy in copies if copy.entry in still]
        step = Step(copies=kept, place=place, looked_at=looked_at, after=after, ended=ended)
        self._system.searches.advance(taken, step)

    def _withdrawn(self, taken: Taken) -> bool:
        """Whether nothing of what is looked for counts any more; it is then withdrawn."""
        from holdfast.store.search_rows import counts_at_all  # noqa: PLC0415  # see above

        if counts_at_all(taken.search.target):
            return False
        self._system.searches.prove(taken, WithdrawSearch())
        self._let_go(taken)
        return True

    def _let_go(self, taken: Taken) -> None:
        held: tuple[dict[str, Any], ...] = (self._mine, self._passes, self._awaited)
        for one in held:
            one.pop(taken.id, None)

# SPDX-License-Identifier: Apache-2.0
"""Clocks start with their cause, alarm in time, are missed aloud, and stop only with what they wait for."""

from __future__ import annotations

from collections.abc import Iterable
from datetime import datetime, timedelta
from uuid import uuid4

import psycopg
import pytest
from django.db import transaction
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from holdfast.alarm.kinds import AlarmKind
from holdfast.alarm.telling import TELL, TELL_CLEARED
from holdfast.bootstrap import System
from holdfast.case.clock import Clock, ClockState, Moment, Running, every_clock
from holdfast.case.running_clock import ClockAlarmed, ClockItem, ClockMissed, ClockStarted, ClockStopped
from holdfast.effect.handler import Done
from holdfast.errors import InvalidRequest
from holdfast.worker import alarm_of_clocks
from tests.alarm.calling import calling, owed
from tests.conftest import superuser
from tests.store.making import ACTOR, NOW, STORIES, rows, together

CLOCKS = {clock.code: clock for clock in every_clock()}
TIDA, DANGER, LOOK, PROOF = (CLOCKS[code] for code in ("tida", "danger", "first-look", "proof"))
HOUR, MOMENT = timedelta(hours=1), timedelta(microseconds=1)


def start(system: System, *clocks: Clock, subject: str = "case:1", at: datetime = NOW) -> list[str]:
    with transaction.atomic(durable=True):
        return system.clocks.start(subject, clocks, at=at, actor=ACTOR)


def stop(
    system: System,
    moment: Moment,
    *,
    subject: str = "case:1",
    at: datetime = NOW,
    codes: Iterable[str] | None = None,
) -> list[str]:
    with transaction.atomic(durable=True):
        only = None if codes is None else list(codes)
        return system.clocks.stop(subject, moment, at=at, actor=ACTOR, codes=only)


def one(system: System, subject: str = "case:1") -> ClockItem:
    (item,) = system.clocks.of(subject)
    return item


def mark(system: System, at: datetime) -> list[ClockState]:
    return [item.clock.state for item in system.clocks.mark_due(at)]


def told(system: System) -> list[type]:
    return [type(row.happened) for row in system.journal.read(f"clock:{one(system).id}")]


def alarms(system: System) -> list[tuple[str, str, str]]:
    return [(item.alarm.kind, item.alarm.owner, item.alarm.state.value) for item in system.alarms.standing(limit=1000)]


# --- starting


def test_a_clock_starts_in_the_transaction_of_what_starts_it_on_the_terms_of_its_row(system: System) -> None:
    (clock_id,) = start(system, TIDA)
    item = one(system)
    assert (item.id, item.started_at, item.stopped_at) == (clock_id, NOW, None)
    terms = item.clock.terms
    assert (terms.code, terms.stops, terms.due) == ("tida", Moment.OUT_OF_REACH, NOW + 48 * HOUR)
    assert terms.alarm_at == (NOW + 24 * HOUR, NOW + 36 * HOUR, NOW + 44 * HOUR)
    assert (terms.owner, terms.deputy, terms.pages) == ("lead", "legal", False)
    assert told(system) == [ClockStarted]


def test_what_was_rolled_back_has_no_clock(system: System) -> None:
    def fail_after_starting() -> None:
        with transaction.atomic(durable=True):
            system.clocks.start("case:1", [TIDA], at=NOW, actor=ACTOR)
            raise LookupError

    with pytest.raises(LookupError):
        fail_after_starting()
    assert rows(system.settings.data, "clock", "journal") == {"clock": 0, "journal": 0}
    with pytest.raises(RuntimeError, match="inside the transaction"):
        system.clocks.start("case:1", [TIDA], at=NOW, actor=ACTOR)


def test_a_clock_that_runs_is_not_begun_anew_by_a_second_report(system: System) -> None:
    start(system, TIDA)
    assert start(system, TIDA, DANGER, at=NOW + HOUR) != []
    assert {item.clock.terms.code: item.started_at for item in system.clocks.of("case:1")} == {
        "tida": NOW,
        "danger": NOW + HOUR,
    }


def test_of_many_that_start_the_same_clock_at_once_one_does(system: System) -> None:
    started = together([lambda: start(system, TIDA, LOOK)] * 6)
    assert sorted(map(len, started)) == [0] * 5 + [2]
    assert rows(system.settings.data, "clock", "journal") == {"clock": 2, "journal": 2}


def test_once_it_was_stopped_it_may_start_again_as_another(system: System) -> None:
    start(system, TIDA)
    stop(system, Moment.OUT_OF_REACH)
    start(system, TIDA, at=NOW + HOUR)
    states = [item.clock.state for item in system.clocks.of("case:1")]
    assert states == [ClockState.STOPPED, ClockState.RUNNING]


@pytest.mark.parametrize("subject", ["", "case", "case:", "case:a b", "Case:1", "case:" + "x" * 256])
def test_nothing_runs_for_what_is_no_subject(system: System, subject: str) -> None:
    with pytest.raises(InvalidRequest, match="subject"):
        start(system, TIDA, subject=subject)


# --- alarming


def test_its_owner_is_alarmed_by_its_target_and_before_its_limit_each_time_anew(system: System) -> None:
    here = calling(system, "email")
    start(here, TIDA)
    for number, hours in enumerate((24, 36, 44), start=1):
        at = NOW + hours * HOUR
        assert mark(here, at - MOMENT) == []
        assert mark(here, at) == [ClockState.ALARMED]
        assert mark(here, at) == []
        assert alarms(here) == [("clock_near", "lead", "raised")]
        (message,) = owed(here)
        assert message.kind == TELL
        here.effects.settle([(message, Done())])
        assert one(here).clock.alarms_given == number
        here.alarms.acknowledge(here.alarms.standing(limit=1)[0].id, actor=ACTOR)
    assert told(here) == [ClockStarted, ClockAlarmed, ClockAlarmed, ClockAlarmed]


def test_a_missed_clock_is_urgent_and_runs_on(system: System) -> None:
    here = calling(system, "email")
    start(here, TIDA)
    mark(here, NOW + 44 * HOUR)
    end = NOW + 48 * HOUR
    assert mark(here, end) == []
    assert mark(here, end + MOMENT) == [ClockState.MISSED]
    assert mark(here, end + 100 * HOUR) == []
    assert alarms(here) == [("clock_missed", "lead", "raised")]
    item = one(here)
    assert (item.clock.state, item.stopped_at) == (ClockState.MISSED, None)
    assert here.clocks.running(limit=9) == [item]
    kinds = [message.kind for message in owed(here)]
    assert kinds == [TELL, TELL], "nobody is told that what was nearing is in order"


def test_a_worker_that_comes_back_late_says_at_once_what_was_missed(system: System) -> None:
    start(system, TIDA)
    assert mark(system, NOW + 49 * HOUR) == [ClockState.MISSED]
    assert told(system) == [ClockStarted, ClockMissed]
    assert alarms(system) == [("clock_missed", "lead", "raised")]


def test_a_worker_that_comes_back_between_alarms_gives_one_for_those_that_are_over(system: System) -> None:
    start(system, TIDA)
    assert mark(system, NOW + 40 * HOUR) == [ClockState.ALARMED]
    assert (one(system).clock.alarms_given, told(system)) == (2, [ClockStarted, ClockAlarmed])


def test_imminent_danger_calls_somebody_at_once_and_every_five_minutes(system: System) -> None:
    here = calling(system, "email")
    start(here, DANGER)
    assert mark(here, NOW) == [ClockState.ALARMED]
    assert alarms(here) == [("clock_short", "reviewer", "raised")]
    (message,) = owed(here)
    here.effects.settle([(message, Done())])
    assert here.telling.tell_again(NOW + timedelta(minutes=5)) == 1


def test_of_many_workers_each_alarm_is_given_once(system: System) -> None:
    for number in range(20):
        start(system, TIDA, subject=f"case:{number}")
    marked = together([lambda: len(mark(system, NOW + 24 * HOUR))] * 5)
    assert sum(marked) == 20
    assert len(alarms(system)) == 20


def test_more_than_a_batch_is_alarmed_in_several_rounds(system: System) -> None:
    with transaction.atomic(durable=True):
        for number in range(130):
            system.clocks.start(f"case:{number}", [TIDA], at=NOW, actor=ACTOR)
    assert [len(mark(system, NOW + 24 * HOUR)) for _ in range(3)] == [100, 30, 0]


def test_the_worker_logs_what_nears_and_what_was_missed(system: System) -> None:
    (clock_id,) = start(system, TIDA)
    with capture_logs() as logs:
        assert alarm_of_clocks(system.clocks, NOW + 24 * HOUR) == 1
        assert alarm_of_clocks(system.clocks, NOW + 49 * HOUR) == 1
        assert alarm_of_clocks(system.clocks, NOW + 49 * HOUR) == 0
    assert [(line["event"], line["clock"], line["owner"]) for line in logs] == [
        ("clock_near", clock_id, "lead"),
        ("clock_missed", clock_id, "lead"),
    ]


def test_a_row_that_is_only_said_to_be_due_is_put_right_and_keeps_no_other_waiting(system: System) -> None:
    (wrong,) = start(system, TIDA)
    with psycopg.connect(superuser(system.settings.data)) as connection:
        connection.execute("update clock set next_at = %s", [NOW])
    start(system, DANGER, subject="case:2")
    assert [item.clock.terms.code for item in system.clocks.mark_due(NOW)] == ["danger"]
    (item,) = system.clocks.of("case:1")
    assert (item.id, item.clock.state) == (wrong, ClockState.RUNNING)
    assert mark(system, NOW + 24 * HOUR - MOMENT) == [ClockState.MISSED]


# --- stopping


def test_its_own_moment_stops_it_and_clears_its_alarms(system: System) -> None:
    here = calling(system, "email")
    start(here, TIDA, LOOK)
    mark(here, NOW + 24 * HOUR)
    here.effects.settle([(message, Done()) for message in owed(here)])
    assert stop(here, Moment.DECIDED, at=NOW + 25 * HOUR) == []
    assert stop(here, Moment.OUT_OF_REACH, at=NOW + 25 * HOUR) != []
    found = {item.clock.terms.code: item for item in here.clocks.of("case:1")}
    assert (found["tida"].clock.state, found["tida"].stopped_at) == (ClockState.STOPPED, NOW + 25 * HOUR)
    assert found["first-look"].clock.state is ClockState.MISSED
    assert [kind for kind, *_ in alarms(here)] == [AlarmKind.CLOCK_MISSED]
    assert [message.kind for message in owed(here)] == [TELL_CLEARED]
    assert mark(here, NOW + 100 * HOUR) == []
    assert stop(here, Moment.OUT_OF_REACH, at=NOW + 26 * HOUR) == []


def test_one_subject_s_moment_stops_no_other_subject_s_clock(system: System) -> None:
    start(system, LOOK)
    start(system, LOOK, subject="case:2")
    stop(system, Moment.LOOKED_AT)
    assert [item.clock.state for item in system.clocks.running(limit=9)] == [ClockState.RUNNING]


def test_where_a_moment_stops_several_one_may_be_named(system: System) -> None:
    start(system, LOOK, PROOF)
    stop(system, Moment.LOOKED_AT, codes=["proof"])
    assert [item.clock.terms.code for item in system.clocks.running(limit=9)] == ["first-look"]


def test_what_is_stopped_after_its_end_was_missed_whether_or_not_anybody_looked(system: System) -> None:
    start(system, TIDA)
    stop(system, Moment.OUT_OF_REACH, at=NOW + 49 * HOUR)
    assert told(system) == [ClockStarted, ClockMissed, ClockStopped]
    assert one(system).clock.state is ClockState.STOPPED_LATE
    assert mark(system, NOW + 100 * HOUR) == []
    assert alarms(system) == []


def test_the_nearest_end_comes_first_and_what_was_missed_before_it(system: System) -> None:
    start(system, *every_clock())
    codes = [item.clock.terms.code for item in system.clocks.running(limit=3)]
    assert codes[2] == "danger"
    assert set(codes[:2]) == {"dsa-receipt", "dsa-reasons"}
    mark(system, NOW + HOUR)
    counts = system.clocks.count_running()
    assert (counts.running, counts.missed) == (len(CLOCKS), 3)


# --- any story


@STORIES
@given(
    code=st.sampled_from(sorted(CLOCKS)),
    looks=st.lists(st.timedeltas(timedelta(0), timedelta(days=9)), max_size=8),
    stopped=st.none() | st.timedeltas(timedelta(0), timedelta(days=9)),
)
def test_however_often_somebody_looks_it_stands_as_the_table_says(
    wired: System, code: str, looks: list[timedelta], stopped: timedelta | None
) -> None:
    clock, subject = CLOCKS[code], f"case:{uuid4().hex}"
    start(wired, clock, subject=subject)
    as_table = Running(clock=clock, started=NOW)
    for later in sorted(looks):
        while wired.clocks.mark_due(NOW + later):
            pass
        assert one(wired, subject).clock.state is as_table.state(NOW + later)
    end = max([*looks, stopped]) if stopped is not None else None
    if end is not None:
        stop(wired, clock.stops, subject=subject, at=NOW + end)
        expected = Running(clock=clock, started=NOW, stopped=NOW + end).state(NOW + end)
        assert one(wired, subject).clock.state is expected

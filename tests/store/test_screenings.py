# SPDX-License-Identifier: Apache-2.0
"""Answers as they are kept: the answer, its event and the hold it opens are one; a hold ends only by a verdict."""

from __future__ import annotations

from dataclasses import replace
from datetime import datetime, timedelta
from typing import TYPE_CHECKING
from uuid import uuid4

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.bootstrap import System
from holdfast.errors import JournalConflict, ScreeningUnknown
from holdfast.match.bank import Action
from holdfast.match.screen import NoMatch, NotScreened, Screening, matches_of
from holdfast.match.signal import Signal, SignalType
from holdfast.match.unscreened import (
    UnscreenedOpened,
    UnscreenedOverdue,
    UnscreenedSettled,
    UnscreenedState,
    UnscreenedTriedAgain,
)
from holdfast.media.reason import Reason
from holdfast.pipeline import Answered, Once, Recorded
from holdfast.worker import one_round
from tests.conftest import superuser
from tests.store.making import (
    NOTHING_TOLD,
    NOW,
    STORIES,
    add,
    all_rows,
    answered,
    create,
    insert_journal_row,
    left_by,
    matched,
    record,
    rows,
    together,
)

if TYPE_CHECKING:
    from holdfast.store.screenings import UnscreenedItem

EVERY = 1000
HOUR = timedelta(hours=1)
INSTANT = timedelta(microseconds=1)
ONCE = Once("abcdefgh", "first-try", lambda: "digest")


def standing(system: System) -> list[UnscreenedItem]:
    return system.screenings.unscreened(limit=EVERY)


def patience(system: System) -> timedelta:
    return timedelta(hours=system.settings.unscreened_hours)


# --- recording


@pytest.mark.parametrize("screening", [NoMatch(), matched(), matched(Action.IGNORE), NOTHING_TOLD])
def test_an_answer_can_be_read_back_as_it_was_given(system: System, screening: Screening) -> None:
    one = answered("post-1", "3", screening, uploader="user-9")
    assert record(system, one)
    told = system.screenings.get(one.id)
    assert (told["content"], told["content_version"], told["surface"]) == ("post-1", "3", "photos")
    assert (told["verdict"], told["answer"], told["shadow"]) == (one.verdict, one.answer, False)
    assert (told["list_version"], told["at"]) == (7, NOW.isoformat())
    assert told["reason"] == (screening.reason if isinstance(screening, NotScreened) else None)
    assert [match["entry"] for match in told["matches"]] == [match.entry for match in one.matches]


def test_who_uploaded_is_kept_beside_the_answer_and_not_in_the_journal(system: System) -> None:
    record(system, answered(uploader="a person"))
    with psycopg.connect(superuser(system.settings.data)) as connection:
        assert connection.execute("select uploader from screening").fetchall() == [("a person",)]
        journal = connection.execute("select t::text from journal t").fetchall()
    assert journal
    assert not any("a person" in row for (row,) in journal)


def test_a_screening_that_never_was_is_not_found(system: System) -> None:
    with pytest.raises(ScreeningUnknown):
        system.screenings.get("scr_x")


def test_the_same_answer_is_not_recorded_twice(system: System) -> None:
    one = answered()
    record(system, one)
    before = all_rows(system)
    with pytest.raises(JournalConflict):
        record(system, one)
    assert all_rows(system) == before


def test_if_the_journal_cannot_be_written_no_part_of_the_answer_is(system: System) -> None:
    one = answered(screening=NOTHING_TOLD)
    insert_journal_row(system.settings.data, f"screening:{one.id}", 1)
    before = all_rows(system)
    with pytest.raises(JournalConflict):
        record(system, one, ONCE)
    assert all_rows(system) == before
    assert system.screenings.first_answer(ONCE) is None


@pytest.mark.parametrize("screening", [NoMatch(), NOTHING_TOLD])
def test_nothing_is_written_while_a_digest_that_was_not_looked_up_stands_in_a_bank(
    system: System, screening: Screening
) -> None:
    digest = Signal(SignalType.MD5, "0f" * 16)
    create(system)
    add(system, digest)
    one, level, before = answered(screening=screening), system.banks.newest_level(), all_rows(system)

    def recorded(*unless: Signal) -> Recorded:
        return system.screenings.record(one, one.as_body(), level, ONCE, left_by(one), unless=unless)

    assert recorded(digest) is Recorded.KNOWN
    assert all_rows(system) == before
    assert recorded(Signal(SignalType.MD5, "f0" * 16)) is Recorded.WRITTEN


# --- asking twice


def test_the_first_answer_to_an_idempotency_key_is_kept(system: System) -> None:
    assert system.screenings.first_answer(ONCE) is None
    one = answered()
    assert record(system, one, ONCE)
    first = system.screenings.first_answer(ONCE)
    assert first is not None
    assert (first.request_digest, first.body) == ("digest", one.as_body())


def test_a_second_answer_to_an_idempotency_key_is_turned_away(system: System) -> None:
    first, second = answered(), answered()
    record(system, first, ONCE)
    assert not record(system, second, ONCE)
    kept = system.screenings.first_answer(ONCE)
    assert kept is not None
    assert kept.body["screening"] == first.id
    with pytest.raises(ScreeningUnknown):
        system.screenings.get(second.id)


@pytest.mark.parametrize("other", [replace(ONCE, api_key="hijklmno"), replace(ONCE, idempotency_key="second-try")])
def test_an_idempotency_key_is_of_one_api_key_and_one_name(system: System, other: Once) -> None:
    record(system, answered(), ONCE)
    assert system.screenings.first_answer(other) is None
    assert record(system, answered("post-2"), other)


def test_first_answers_are_forgotten_after_a_day_and_not_before(system: System) -> None:
    ages = {"older": 24 * HOUR + INSTANT, "a day": 24 * HOUR, "younger": HOUR, "later": -HOUR}
    keys = {name: replace(ONCE, idempotency_key=name) for name in ages}
    for name, age in ages.items():
        record(system, answered(name, at=NOW - age), keys[name])
    assert system.screenings.forget_idempotency(NOW) == 1
    kept = [name for name, once in keys.items() if system.screenings.first_answer(once)]
    assert kept == ["a day", "younger", "later"]
    assert rows(system.settings.data, "screening") == {"screening": 4}, "only the key is forgotten, never the answer"
    assert system.screenings.forget_idempotency(NOW) == 0
    assert record(system, answered("older"), keys["older"])


# --- the life of an unscreened hold


def test_what_could_not_be_screened_is_held_with_an_owner_and_a_clock(system: System) -> None:
    one = answered("post-1", "2", NOTHING_TOLD)
    record(system, one)
    (item,) = standing(system)
    assert (item.held.content, item.held.content_version, item.held.reason) == ("post-1", "2", Reason.TRUNCATED)
    assert (item.held.state, item.held.owner) == (UnscreenedState.OPEN, system.settings.unscreened_owner)
    assert (item.since, item.held.due) == (NOW, NOW + patience(system))
    (row,) = system.journal.read(f"unscreened:{item.id}")
    assert isinstance(row.happened, UnscreenedOpened)
    assert (row.happened.screening, row.actor) == (one.id, one.asked_by)


@pytest.mark.parametrize("screening", [NoMatch(), matched(), matched(Action.IGNORE)])
def test_a_verdict_opens_no_unscreened_hold(system: System, screening: Screening) -> None:
    record(system, answered(screening=screening))
    assert standing(system) == []


@pytest.mark.parametrize("screening", [NoMatch(), matched(), matched(Action.IGNORE)])
def test_a_later_verdict_about_the_same_version_settles_the_hold(system: System, screening: Screening) -> None:
    record(system, answered(screening=NOTHING_TOLD))
    (item,) = standing(system)
    later = answered(screening=screening, at=NOW + HOUR)
    record(system, later)
    assert standing(system) == []
    last = system.journal.read(f"unscreened:{item.id}")[-1]
    assert last.happened == UnscreenedSettled(screening=later.id, verdict=later.verdict)
    assert last.at == NOW + HOUR


def test_a_verdict_about_a_newer_version_settles_the_hold_of_the_older(system: System) -> None:
    record(system, answered(version="1", screening=NOTHING_TOLD))
    record(system, answered(version="2", at=NOW + HOUR))
    assert standing(system) == []


def test_a_verdict_about_an_older_version_does_not_settle_the_hold_of_a_newer(system: System) -> None:
    """What was screened says nothing about the next edit, so the newer version still waits to be screened."""
    record(system, answered(version="1"))
    record(system, answered(version="2", screening=NOTHING_TOLD, at=NOW + HOUR))
    record(system, answered(version="1", at=NOW + 2 * HOUR))
    assert [item.held.content_version for item in standing(system)] == ["2"]


def test_a_newer_version_that_is_screened_after_all_settles_its_own_hold_and_the_older(system: System) -> None:
    record(system, answered(version="1", screening=NOTHING_TOLD))
    record(system, answered(version="2", screening=NOTHING_TOLD, at=NOW + HOUR))
    record(system, answered(version="2", at=NOW + 2 * HOUR))
    assert standing(system) == []


def test_an_older_version_that_is_screened_after_all_settles_its_own_hold_only(system: System) -> None:
    record(system, answered(version="1", screening=NOTHING_TOLD))
    record(system, answered(version="2", screening=NOTHING_TOLD, at=NOW + HOUR))
    record(system, answered(version="1", at=NOW + 2 * HOUR))
    assert [item.held.content_version for item in standing(system)] == ["2"]


def test_a_newer_version_that_could_not_be_screened_either_is_a_hold_of_its_own(system: System) -> None:
    record(system, answered(version="1", screening=NOTHING_TOLD))
    record(system, answered(version="2", screening=NOTHING_TOLD, at=NOW + HOUR))
    assert [item.held.content_version for item in standing(system)] == ["1", "2"]


def test_a_verdict_about_another_item_settles_nothing(system: System) -> None:
    record(system, answered("post-1", screening=NOTHING_TOLD))
    record(system, answered("post-2"))
    assert [item.held.content for item in standing(system)] == ["post-1"]


def test_trying_again_in_vain_keeps_the_one_hold_its_clock_and_tells_the_newest_reason(system: System) -> None:
    record(system, answered(screening=NOTHING_TOLD))
    (before,) = standing(system)
    again = answered(screening=NotScreened(Reason.DECODER_UNAVAILABLE), at=NOW + HOUR)
    record(system, again)
    (after,) = standing(system)
    assert after == replace(before, held=replace(before.held, reason=Reason.DECODER_UNAVAILABLE))
    assert system.journal.read(f"unscreened:{after.id}")[-1].happened == UnscreenedTriedAgain(
        reason=Reason.DECODER_UNAVAILABLE, screening=again.id
    )


@pytest.mark.parametrize("screening", [NoMatch(), matched(), NOTHING_TOLD])
def test_in_shadow_no_hold_is_opened_and_none_is_settled(system: System, screening: Screening) -> None:
    record(system, answered("standing", screening=NOTHING_TOLD))
    record(system, answered("standing", screening=screening, shadow=True))
    record(system, answered("other", screening=screening, shadow=True))
    assert [(item.held.content, item.held.state) for item in standing(system)] == [("standing", UnscreenedState.OPEN)]


def test_a_settled_hold_does_not_keep_a_new_one_from_opening(system: System) -> None:
    record(system, answered(screening=NOTHING_TOLD))
    (first,) = standing(system)
    record(system, answered())
    record(system, answered(screening=NOTHING_TOLD, at=NOW + HOUR))
    (second,) = standing(system)
    assert second.id != first.id
    assert second.held.due == NOW + HOUR + patience(system)


def test_an_unscreened_hold_never_becomes_an_accusation(system: System) -> None:
    record(system, answered(screening=NOTHING_TOLD))
    one_round(system.screenings, NOW + 365 * patience(system))
    with psycopg.connect(superuser(system.settings.data)) as connection:
        tags = {tag for (tag,) in connection.execute("select tag from journal").fetchall()}
    assert tags == {"screening.answered", "unscreened.opened", "unscreened.overdue"}


# --- the clock


def test_a_hold_is_overdue_from_the_moment_its_clock_runs_out_and_not_before(system: System) -> None:
    record(system, answered(screening=NOTHING_TOLD))
    due = NOW + patience(system)
    assert system.screenings.mark_overdue(due - INSTANT) == []
    assert system.screenings.count_unscreened() == {"open": 1, "overdue": 0}
    (marked,) = system.screenings.mark_overdue(due)
    assert marked.held.state is UnscreenedState.OVERDUE
    assert [item.held.state for item in standing(system)] == [UnscreenedState.OVERDUE], "it stays held"
    assert system.screenings.count_unscreened() == {"open": 0, "overdue": 1}
    last = system.journal.read(f"unscreened:{marked.id}")[-1]
    assert last.happened == UnscreenedOverdue(owner=system.settings.unscreened_owner, due=due)
    assert last.actor == "system:worker"


def test_a_hold_is_marked_overdue_once(system: System) -> None:
    record(system, answered(screening=NOTHING_TOLD))
    late = NOW + 2 * patience(system)
    assert one_round(system.screenings, late) == 1
    assert one_round(system.screenings, late) == 0
    assert one_round(system.screenings, late + HOUR) == 0


@pytest.mark.parametrize("screening", [NoMatch(), matched()])
def test_an_overdue_hold_is_still_settled_by_a_verdict(system: System, screening: Screening) -> None:
    record(system, answered(screening=NOTHING_TOLD))
    one_round(system.screenings, NOW + patience(system))
    record(system, answered(screening=screening, at=NOW + 2 * patience(system)))
    assert standing(system) == []
    assert system.screenings.count_unscreened() == {"open": 0, "overdue": 0}


def test_an_overdue_hold_that_is_tried_again_in_vain_stays_overdue(system: System) -> None:
    record(system, answered(screening=NOTHING_TOLD))
    one_round(system.screenings, NOW + patience(system))
    record(system, answered(screening=NOTHING_TOLD, at=NOW + 2 * patience(system)))
    assert [item.held.state for item in standing(system)] == [UnscreenedState.OVERDUE]
    assert one_round(system.screenings, NOW + 3 * patience(system)) == 0


def test_holds_are_listed_with_the_one_due_first_at_the_top_and_at_most_as_many_as_asked(system: System) -> None:
    for number in (3, 1, 2):
        record(system, answered(f"post-{number}", screening=NOTHING_TOLD, at=NOW + number * HOUR))
    assert [item.held.content for item in standing(system)] == ["post-1", "post-2", "post-3"]
    assert [item.held.content for item in system.screenings.unscreened(limit=2)] == ["post-1", "post-2"]


def test_several_workers_at_once_alarm_about_each_hold_exactly_once(system: System) -> None:
    for number in range(12):
        record(system, answered(f"post-{number}", screening=NOTHING_TOLD))
    late = NOW + patience(system)
    marked = together([lambda: [item.id for item in system.screenings.mark_overdue(late)]] * 3)
    marked.append([item.id for item in system.screenings.mark_overdue(late)])
    every = [one for of_one in marked for one in of_one]
    assert len(every) == len(set(every)) == 12


def test_more_holds_than_fit_one_round_are_all_marked_in_the_next_rounds(system: System) -> None:
    for number in range(101):
        record(system, answered(f"post-{number}", screening=NOTHING_TOLD))
    late = NOW + patience(system)
    assert [one_round(system.screenings, late) for _ in range(3)] == [100, 1, 0]


# --- at the same moment


def test_many_that_could_not_screen_the_same_item_at_once_leave_one_hold(system: System) -> None:
    def try_until_recorded() -> int:
        for tries in range(1, 50):
            try:
                record(system, answered(screening=NOTHING_TOLD))
            except JournalConflict:
                continue
            return tries
        raise AssertionError

    together([try_until_recorded] * 6)
    (item,) = standing(system)
    told = [type(row.happened) for row in system.journal.read(f"unscreened:{item.id}")]
    assert told == [UnscreenedOpened, *[UnscreenedTriedAgain] * 5]
    assert rows(system.settings.data, "screening") == {"screening": 6}


# --- any story

Step = tuple[str, int, int]


@STORIES
@given(
    st.lists(
        st.tuples(
            st.sampled_from(["verdict", "nothing", "nothing", "shadow", "clock"]), st.integers(0, 1), st.integers(0, 30)
        ),
        min_size=1,
        max_size=12,
    )
)
def test_an_item_is_held_unscreened_exactly_while_its_last_screening_told_nothing(
    system: System, story: list[Step]
) -> None:
    run = uuid4().hex
    now = NOW
    model: dict[str, tuple[datetime, UnscreenedState]] = {}
    for what, number, hours in story:
        content = f"{run}-{number}"
        now += hours * HOUR
        match what:
            case "verdict":
                record(system, answered(content, at=now))
                model.pop(content, None)
            case "nothing":
                record(system, answered(content, screening=NOTHING_TOLD, at=now))
                model.setdefault(content, (now + patience(system), UnscreenedState.OPEN))
            case "shadow":
                record(system, answered(content, screening=NOTHING_TOLD, at=now, shadow=True))
            case "clock":
                system.screenings.mark_overdue(now)
                for late in [one for one, (due, _) in model.items() if due <= now]:
                    model[late] = (model[late][0], UnscreenedState.OVERDUE)
        ours = [item for item in standing(system) if item.held.content.startswith(run)]
        assert {item.held.content: (item.held.due, item.held.state) for item in ours} == model
        assert len(ours) == len(model)


def test_an_answer_knows_its_verdict_and_matches(system: System) -> None:
    one: Answered = answered(screening=NotScreened(Reason.LOW_QUALITY, matches_of(matched(Action.IGNORE))))
    record(system, one)
    told = system.screenings.get(one.id)
    assert (told["verdict"], told["reason"], told["answer"]) == ("not_screened", "low_quality", "hold")
    assert [match["action"] for match in told["matches"]] == ["ignore"]

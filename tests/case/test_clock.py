# SPDX-License-Identifier: Apache-2.0
"""Clocks start at the first word, never pause, and always have somebody who answers for them."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.case.clock import (
    About,
    Clock,
    ClockState,
    Moment,
    Place,
    Running,
    clocks_for,
    every_clock,
    places_of,
    started_by,
)
from holdfast.intake.reporter import Category, ReporterKind, is_held_at_once
from holdfast.settings import PLACES, Settings

NOW = datetime(2026, 11, 22, 10, 4, 16, tzinfo=UTC)
EVERYWHERE = frozenset(Place)
abouts = st.builds(
    About,
    category=st.sampled_from(Category),
    reporter=st.sampled_from(ReporterKind),
    places=st.frozensets(st.sampled_from(Place)),
    notice_of_regulator=st.booleans(),
)


def named(about: About) -> set[str]:
    return {clock.code for clock in clocks_for(about)}


def about(category: Category, reporter: ReporterKind, places: frozenset[Place] = EVERYWHERE) -> About:
    return About(category=category, reporter=reporter, places=places)


@pytest.mark.parametrize("clock", every_clock(), ids=lambda clock: clock.code)
def test_each_has_an_owner_a_deputy_a_source_and_a_day_on_which_it_was_compared(clock: Clock) -> None:
    assert clock.owner
    assert clock.deputy
    assert clock.owner != clock.deputy
    assert clock.source
    assert clock.checked_on <= NOW.date()
    assert timedelta(0) < clock.target <= (clock.limit or clock.target)
    assert clock.starts is not clock.stops


def test_every_code_is_of_one_clock() -> None:
    codes = [clock.code for clock in every_clock()]
    assert len(codes) == len(set(codes))


@given(abouts)
def test_every_report_has_somebody_who_must_look_at_it(found: About) -> None:
    assert {"first-look", "copies", "proof", "second", "contest", "appeal", "reporter"} <= named(found)


@pytest.mark.parametrize(
    "reporter",
    [ReporterKind.DEPICTED_ADULT, ReporterKind.DEPICTED_CHILD, ReporterKind.AGENT, ReporterKind.PARENT],
)
def test_intimate_images_are_gone_within_48_hours_also_if_somebody_acts_for_her(reporter: ReporterKind) -> None:
    found = {clock.code: clock for clock in clocks_for(about(Category.INTIMATE, reporter))}
    for code in ("tida", "uk-intimate"):
        assert found[code].limit == timedelta(hours=48)
        assert (found[code].starts, found[code].stops) == (Moment.REPORT_RECEIVED, Moment.OUT_OF_REACH)
        hours = [after / timedelta(hours=1) for after in found[code].alarms]
        assert hours == [24, 36, 44]
    assert is_held_at_once(Category.INTIMATE, reporter)


def test_a_strangers_word_about_intimate_images_follows_the_policy_instead() -> None:
    assert not {"tida", "uk-intimate"} & named(about(Category.INTIMATE, ReporterKind.BYSTANDER))
    assert not is_held_at_once(Category.INTIMATE, ReporterKind.BYSTANDER)


@given(st.sampled_from(ReporterKind))
def test_what_concerns_a_minor_is_held_at_once_whoever_says_so(reporter: ReporterKind) -> None:
    assert is_held_at_once(Category.CSAM, reporter)


def test_no_law_applies_where_the_platform_is_not() -> None:
    found = clocks_for(about(Category.CSAM, ReporterKind.DEPICTED_CHILD, frozenset()))
    assert not any(clock.legal for clock in found)


def test_imminent_danger_pages_a_person_within_five_minutes() -> None:
    found = {clock.code: clock for clock in clocks_for(about(Category.DANGER, ReporterKind.BYSTANDER))}
    assert found["danger"].limit == timedelta(minutes=5)


@given(abouts, st.timedeltas(timedelta(0), timedelta(days=30)))
def test_a_clock_that_was_not_stopped_never_pauses_and_ends_missed(found: About, later: timedelta) -> None:
    for one in started_by(clocks_for(found), Moment.REPORT_RECEIVED, NOW):
        state = one.state(NOW + later)
        assert (state is ClockState.MISSED) == (NOW + later > one.due)
        assert state in (ClockState.RUNNING, ClockState.ALARMED, ClockState.MISSED)


@given(abouts, st.lists(st.timedeltas(timedelta(0), timedelta(days=30)), max_size=20))
def test_each_alarm_is_given_once_however_often_somebody_looks(found: About, looks: list[timedelta]) -> None:
    for one in started_by(clocks_for(found), Moment.REPORT_RECEIVED, NOW):
        given_so_far = 0
        end = max(looks, default=timedelta(0))
        for later in sorted([*looks, end]):
            given_so_far += one.alarms_due(NOW + later, given=given_so_far)
        assert given_so_far == one.alarms_due(NOW + end, given=0)
        assert given_so_far <= len(one.clock.alarms) + 1


def test_stopped_in_time_and_stopped_late_are_told_apart() -> None:
    (clock,) = (clock for clock in every_clock() if clock.code == "tida")
    for after, state in ((48, ClockState.STOPPED), (48.1, ClockState.STOPPED_LATE)):
        one = Running(clock=clock, started=NOW, stopped=NOW + timedelta(hours=after))
        assert one.state(NOW + timedelta(days=9)) is state
        assert one.alarms_due(NOW + timedelta(days=9), given=0) == 0


@pytest.mark.parametrize("clock", every_clock(), ids=lambda clock: clock.code)
def test_its_owner_is_alarmed_by_its_target_and_before_its_limit(clock: Clock) -> None:
    assert clock.alarms[0] <= clock.target
    assert clock.alarms[-1] < (clock.limit or clock.target)
    assert list(clock.alarms) == sorted(set(clock.alarms))


def test_a_clock_of_minutes_calls_at_once_where_somebody_may_be_in_danger_and_nowhere_else() -> None:
    assert [clock.code for clock in every_clock() if clock.alarms[0] == timedelta(0)] == ["danger"]
    assert [clock.code for clock in every_clock() if clock.pages] == ["danger"]


def test_the_places_of_the_settings_are_the_places_of_the_clocks() -> None:
    assert set(PLACES) == set(Place)
    assert places_of(Settings().places) == EVERYWHERE
    assert places_of("uk,eu") == {Place.UK, Place.EU}
    with pytest.raises(ValueError, match="fr"):
        places_of("fr")

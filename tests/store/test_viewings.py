# SPDX-License-Identifier: Apache-2.0
"""Whoever is asked about an item sees it in steps: each address opens once, and not before it is written down."""

from __future__ import annotations

import io
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import replace
from datetime import timedelta

import pytest
from django.db import connections
from PIL import Image

from holdfast.bootstrap import System
from holdfast.errors import Refusal
from holdfast.hold.platform import Platform
from holdfast.media.filetype import FileType
from holdfast.media.preview import Preview, Previews
from holdfast.review.look import MOST_AT_ONCE, NOTHING_HERE, ViewingShown
from holdfast.review.seeing import NotOpened, Why
from holdfast.review.showing import Viewer, Wanted
from holdfast.review.viewing import Seen, Step
from holdfast.sealed.single import digest_of
from holdfast.testing.simulators import How
from tests.pictures import encoded, natural
from tests.review.looking import ANN, CASE, REVIEW, Looking, looking
from tests.videos import film, steady

ONE = frozenset({0})
PICTURE = encoded(natural(300, 400), FileType.JPEG)


def in_steps() -> bytes:
    """A file of four pictures."""
    pictures = [Image.fromarray(natural(96, 96, seed)) for seed in range(4)]
    written = io.BytesIO()
    pictures[0].save(written, "GIF", save_all=True, append_images=pictures[1:], duration=100)
    return written.getvalue()


@pytest.fixture
def one(system: System) -> Looking:
    return looking(system, PICTURE)


@pytest.fixture
def four(system: System) -> Looking:
    return looking(system, in_steps())


def events() -> list[ViewingShown]:
    """That somebody was shown something, as the journal has it."""
    from holdfast.log.event import decode
    from holdfast.store.models import JournalRow

    rows = JournalRow.objects.filter(tag="viewing.shown").order_by("id")
    found = [decode(row.tag, row.schema, row.body) for row in rows]
    return [told for told in found if isinstance(told, ViewingShown)]


def seen(at: Looking, person: str = "ann") -> Seen:
    viewings = at.at.desk.viewings
    return viewings.seen(person, at.item.content, at.item.version)


# --- what is shown


def test_a_picture_is_shown_blurred_and_that_it_is_stands_in_the_journal(one: Looking) -> None:
    (content,) = one.see()
    with Image.open(io.BytesIO(content)) as image:
        assert (image.mode, max(image.size)) == ("L", 96)
    (told,) = events()
    assert (told.person, told.case, told.review, told.content) == ("ann", CASE, REVIEW, one.item.content)
    assert (told.step, told.number, told.of, told.at_ms) == (Step.BLURRED, 0, 1, None)
    assert told.session == ANN.session_digest
    assert ANN.session not in told.session


def test_steps_are_taken_in_order(one: Looking) -> None:
    assert one.refused(Step.GREY, ONE) == "viewing.step_order"
    one.see(Step.BLURRED, ONE)
    (grey,) = one.see(Step.GREY, ONE)
    with Image.open(io.BytesIO(grey)) as image:
        assert max(image.size) == 256
    assert [told.step for told in events()] == [Step.BLURRED, Step.GREY]


def test_only_the_pictures_that_were_seen_blurred_are_seen_in_grey(four: Looking) -> None:
    four.see(Step.BLURRED, frozenset({0, 2}))
    assert four.refused(Step.GREY, frozenset({0, 1})) == "viewing.step_order"
    assert len(four.see(Step.GREY, frozenset({0, 2}))) == 2


@pytest.mark.parametrize("step", [Step.NOTHING, Step.CLEAR])
def test_nothing_else_can_be_seen(one: Looking, step: Step) -> None:
    one.see()
    one.see(Step.GREY, ONE)
    assert one.refused(step, ONE) == "viewing.no_such_step"


@pytest.mark.parametrize("numbers", [frozenset[int](), frozenset(range(MOST_AT_ONCE + 1))])
def test_a_page_has_some_pictures_and_not_too_many(one: Looking, numbers: frozenset[int]) -> None:
    assert one.refused(Step.BLURRED, numbers) == "viewing.too_many"


def test_what_somebody_has_seen_is_counted_by_person_and_item(four: Looking) -> None:
    assert seen(four) == Seen()
    four.ask()
    assert seen(four) == Seen(), "an address alone shows nothing"
    four.see()
    assert seen(four) == Seen(step=Step.BLURRED, pictures=4, of=4)
    four.see(Step.GREY, ONE)
    assert seen(four) == Seen(step=Step.GREY, pictures=1, of=4)
    four.see(Step.GREY, frozenset(range(4)))
    assert seen(four) == Seen(step=Step.GREY, pictures=4, of=4)
    assert seen(four, "bob") == Seen()
    assert four.at.desk.viewings.seen("ann", four.item.content, "another version") == Seen()


def test_of_a_video_its_scenes_are_seen_and_the_seconds_they_stand_for(system: System) -> None:
    at = looking(system, film(steady([1, 2, 3], seconds=2.0)))
    given = at.ask().given
    assert [one.number for one in given] == [0, 1, 2]
    assert [one.seconds for one in given] == [pytest.approx(2.0 * number, abs=0.2) for number in range(3)]
    at.see()
    found = seen(at)
    assert (found.pictures, found.of) == (3, 3)
    assert found.seconds == pytest.approx(6.0, abs=0.3)


def test_who_saw_what_of_a_case_is_listed_in_the_order_of_seeing(four: Looking) -> None:
    four.see(Step.BLURRED, frozenset({0, 1}))
    four.at.now += timedelta(minutes=1)
    four.see(Step.GREY, frozenset({1}))
    lines = four.at.desk.viewings.of_case(CASE)
    assert [(line.person, line.step, line.number, line.of) for line in lines][-1] == ("ann", "grey", 1, 4)
    assert len(lines) == 3
    assert lines[-1].shown_at == four.at.now
    assert four.at.desk.viewings.of_case("another") == []


# --- an address


def test_an_address_opens_once(one: Looking) -> None:
    (given,) = one.ask().given
    assert isinstance(one.showing.open(ANN, given.token), bytes)
    assert one.showing.open(ANN, given.token) == NOTHING_HERE
    assert len(events()) == 1


def elsewhere(at: Looking, token: str) -> bytes | Refusal:
    return at.showing.open(replace(ANN, session="another session of ann"), token)


def somebody_else(at: Looking, token: str) -> bytes | Refusal:
    at.asked.add("bob")
    return at.showing.open(Viewer(person="bob", session=ANN.session), token)


def late(at: Looking, token: str) -> bytes | Refusal:
    at.at.now += timedelta(seconds=60)
    return at.showing.open(ANN, token)


def not_asked_any_more(at: Looking, token: str) -> bytes | Refusal:
    at.asked.clear()
    return at.showing.open(ANN, token)


def guessed(at: Looking, token: str) -> bytes | Refusal:
    return at.showing.open(ANN, token[:-1] + ("A" if token[-1] != "A" else "B"))


def made_longer(at: Looking, token: str) -> bytes | Refusal:
    return at.showing.open(ANN, token + "A" * 1000)


WAYS = (elsewhere, somebody_else, late, not_asked_any_more, guessed, made_longer)


@pytest.mark.parametrize("way", WAYS, ids=lambda way: way.__name__)
def test_an_address_opens_for_nobody_else_and_says_the_same_to_all(
    one: Looking, way: Callable[[Looking, str], bytes | Refusal]
) -> None:
    (given,) = one.ask().given
    assert way(one, given.token) == NOTHING_HERE
    assert events() == []


@pytest.mark.parametrize("way", [elsewhere, somebody_else, guessed, made_longer], ids=lambda way: way.__name__)
def test_trying_an_address_does_not_spend_it_for_whoever_it_was_given_to(
    one: Looking, way: Callable[[Looking, str], bytes | Refusal]
) -> None:
    (given,) = one.ask().given
    way(one, given.token)
    assert isinstance(one.showing.open(ANN, given.token), bytes)


def test_an_address_that_is_opened_many_times_at_once_opens_once(one: Looking) -> None:
    (given,) = one.ask().given

    def opened(_: int) -> bytes | Refusal:
        try:
            return one.showing.open(ANN, given.token)
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        outcomes = list(pool.map(opened, range(16)))
    assert sum(isinstance(outcome, bytes) for outcome in outcomes) == 1
    assert len(events()) == 1


def test_what_waits_to_be_opened_cannot_be_read_in_the_database(one: Looking) -> None:
    from holdfast.store.models import ViewingAddressRow

    (given,) = one.ask().given
    (row,) = ViewingAddressRow.objects.all()
    assert bytes(row.digest) == digest_of(given.token)
    kept = repr([getattr(row, field.name) for field in ViewingAddressRow._meta.get_fields()])
    assert given.token not in kept
    assert b"PNG" not in bytes(row.sealed)
    assert b"IDAT" not in bytes(row.sealed)


def test_what_was_not_opened_goes_after_its_minute(one: Looking) -> None:
    from holdfast.store.models import ViewingAddressRow

    one.ask()
    one.at.wait(timedelta(seconds=59))
    assert ViewingAddressRow.objects.count() == 1
    one.at.wait(timedelta(seconds=1))
    assert ViewingAddressRow.objects.count() == 0


# --- who may


def test_nothing_is_fetched_for_whoever_is_not_asked(one: Looking) -> None:
    one.at.platform.fail("open", How.AWAY)
    assert one.refused(viewer=Viewer(person="bob", session="s")) == "review.not_asked"
    assert one.showing.ask(ANN, "no such review", Step.BLURRED, ONE) == Refusal(
        "viewing.no_review", "there is no such review"
    )


@pytest.mark.parametrize(("how", "why"), [(How.AWAY, Why.AWAY), (How.REFUSED, Why.REFUSED)])
def test_what_cannot_be_opened_says_why_and_counts_as_nothing_seen(one: Looking, how: How, why: Why) -> None:
    one.at.platform.fail("open", how)
    assert one.showing.ask(ANN, REVIEW, Step.BLURRED, ONE) == NotOpened(why)
    assert seen(one) == Seen()


def wired_to(at: Looking, platform: Platform | None) -> Looking:
    """The same, as a process of this platform wires it."""
    system = replace(at.at.system, platform=platform, desk=at.at.desk)
    showing = system.showing(may_see=at.showing.may_see, give_back=at.showing.give_back, review_of=at.showing.review_of)
    return replace(at, showing=showing)


def test_a_process_with_a_platform_shows_what_is_there(one: Looking) -> None:
    assert len(wired_to(one, one.at.platform).see()) == 1


def test_a_process_without_a_platform_says_that_nobody_can_be_asked(one: Looking) -> None:
    nobody = wired_to(one, None)
    assert nobody.showing.ask(ANN, REVIEW, Step.BLURRED, ONE) == NotOpened(Why.NO_PLATFORM)


# --- the budget


def test_when_the_budget_is_spent_the_review_is_given_back_and_nothing_more_is_shown(system: System) -> None:
    at = looking(system, in_steps(), budget=1)
    assert len(at.see()) == 4, "four blurred pictures are one in grey"
    assert at.refused() == "viewing.budget_spent"
    assert at.given_back == [(REVIEW, "ann")]


def test_a_budget_that_does_not_last_for_a_page_shows_the_first_pictures_of_it(system: System) -> None:
    at = looking(system, in_steps(), budget=2)
    at.see()
    assert len(at.see(Step.GREY, frozenset({0, 1, 2}))) == 1
    assert at.refused(Step.GREY, frozenset({1, 2})) == "viewing.budget_spent"


def test_another_day_has_another_budget_and_so_has_another_person(system: System) -> None:
    at = looking(system, in_steps(), budget=1)
    at.see()
    at.asked.add("bob")
    assert len(at.see(viewer=Viewer(person="bob", session="s"))) == 4
    at.at.now += timedelta(days=1)
    assert len(at.see()) == 4


def test_addresses_that_wait_are_spent_until_their_minute_is_over(system: System) -> None:
    at = looking(system, in_steps(), budget=1)
    at.ask()
    assert at.refused() == "viewing.budget_spent"
    at.at.now += timedelta(seconds=60)
    assert len(at.see()) == 4


def test_many_windows_at_once_do_not_stretch_the_budget(system: System) -> None:
    at = looking(system, PICTURE, budget=2)
    wanted = Wanted(
        case=CASE, review=REVIEW, content="post-1", version="1", step=Step.BLURRED, numbers=frozenset(range(4))
    )
    made = Previews(pictures=tuple(Preview(number=n, content=b"x") for n in range(3)), counted=3, complete=True)

    def given(_: int) -> int:
        try:
            return len(at.showing.viewings.give(ANN, wanted, made))
        finally:
            connections.close_all()

    with ThreadPoolExecutor(8) as pool:
        assert sum(pool.map(given, range(12))) == 8

# SPDX-License-Identifier: Apache-2.0
"""Whatever people do with pages and addresses, in whatever order: what they saw was theirs to see, and was written."""

from __future__ import annotations

import io
import os
from dataclasses import dataclass, field
from datetime import timedelta
from typing import Any

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st
from PIL import Image

from holdfast.bootstrap import System
from holdfast.review.look import COST, QUARTERS, day_of
from holdfast.review.showing import Page, Viewer
from holdfast.review.viewing import Step
from tests.conftest import empty_tables
from tests.pictures import natural
from tests.review.looking import REVIEW, Looking, looking

STORIES = settings(
    max_examples=200 if os.environ.get("HYPOTHESIS_PROFILE") == "soak" else 12,
    deadline=None,
    suppress_health_check=list(HealthCheck),
)
PICTURES, BUDGET = 3, 4
ANN, HOME, BOB = Viewer(person="ann", session="1"), Viewer(person="ann", session="2"), Viewer(person="bob", session="3")
WHO = st.sampled_from([ANN, HOME, BOB])
ACTS = st.one_of(
    st.tuples(
        st.just("ask"), WHO, st.sampled_from(list(Step)), st.frozensets(st.integers(0, PICTURES), max_size=PICTURES)
    ),
    st.tuples(st.just("open"), WHO, st.integers(0, 30)),
    st.tuples(st.just("wait"), st.sampled_from([1, 59, 60, 3600, 86_400])),
    st.tuples(st.just("asked"), st.sets(st.sampled_from(["ann", "bob"]))),
)


def file() -> bytes:
    pictures = [Image.fromarray(natural(64, 64, seed)) for seed in range(PICTURES)]
    written = io.BytesIO()
    pictures[0].save(written, "GIF", save_all=True, append_images=pictures[1:], duration=100)
    return written.getvalue()


@dataclass
class Story:
    """What happened, as whoever did it could tell."""

    at: Looking
    addresses: list[tuple[str, Viewer, Step, int]] = field(default_factory=list)
    opened: list[int] = field(default_factory=list)

    def ask(self, viewer: Viewer, step: Step, numbers: frozenset[int]) -> None:
        page = self.at.showing.ask(viewer, REVIEW, step, numbers)
        if isinstance(page, Page):
            assert viewer.person in self.at.asked
            assert {one.number for one in page.given} <= numbers
            self.addresses += [(one.token, viewer, one.step, one.number) for one in page.given]

    def open(self, viewer: Viewer, which: int) -> None:
        if not self.addresses:
            return
        token, whose, _, _ = self.addresses[which % len(self.addresses)]
        if isinstance(self.at.showing.open(viewer, token), bytes):
            assert whose == viewer, "in another session, or by another person"
            assert viewer.person in self.at.asked
            self.opened.append(which % len(self.addresses))

    def wait(self, seconds: int) -> None:
        self.at.at.now += timedelta(seconds=seconds)

    def asked(self, people: set[str]) -> None:
        self.at.asked.clear()
        self.at.asked.update(people)


@STORIES
@given(acts=st.lists(ACTS, max_size=40))
def test_what_somebody_saw_was_theirs_to_see_and_stands_in_the_journal(
    wired: System, acts: list[tuple[Any, ...]]
) -> None:
    from holdfast.store.models import ViewingRow

    empty_tables(wired.settings.data)
    story = Story(looking(wired, file(), budget=BUDGET))
    for name, *rest in [("ask", ANN, Step.BLURRED, frozenset({0, 1})), ("open", ANN, 0), *acts]:
        getattr(story, name)(*rest)
    assert len(set(story.opened)) == len(story.opened), "an address opened twice"
    rows = list(ViewingRow.objects.order_by("shown_at", "id"))
    told = [(row.person, row.step, row.number) for row in rows]
    opened = [story.addresses[which] for which in story.opened]
    saw = [(whose.person, step.value, number) for _, whose, step, number in opened]
    assert sorted(told) == sorted(saw)
    for row in rows:
        before = {(one.person, one.number) for one in rows if one.step == Step.BLURRED and one.shown_at <= row.shown_at}
        assert row.step == Step.BLURRED or (row.person, row.number) in before
    for person, day in {(row.person, day_of(row.shown_at)) for row in rows}:
        spent = [COST[Step(row.step)] for row in rows if (row.person, day_of(row.shown_at)) == (person, day)]
        assert sum(spent) <= BUDGET * QUARTERS

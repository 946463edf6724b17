# SPDX-License-Identifier: Apache-2.0
"""How something stands, in sentences: never that it is hidden before it is, with the times at which it became so."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.bootstrap import System
from holdfast.intake.proof import ProofState
from holdfast.intake.report import ReportState
from holdfast.intake.reporter import Category, ItemKind
from holdfast.intake.view import NamedView, ProofView, ReportView, Standing

AT = datetime(2026, 11, 23, 10, 4, 16, tzinfo=UTC)


@pytest.fixture(autouse=True, scope="module")
def _configured(wired: System) -> None:
    """Sentences need a language, and so Django's settings."""
    assert wired


def item(standing: Standing, **more: Any) -> NamedView:
    plain = {
        "number": 1,
        "kind": ItemKind.LINK,
        "address": "x",
        "places": 4,
        "hidden": 4,
        "asked_at": None,
        "hidden_at": None,
    }
    return NamedView(**{**plain, "standing": standing, **more})


def told(standing: Standing, **more: Any) -> str:
    from holdfast.web.doors.told import item_told

    return item_told(item(standing, **more))


def test_when_it_was_asked_and_when_it_was_hidden_and_where() -> None:
    done = AT + timedelta(seconds=1)
    assert told(Standing.HIDDEN, asked_at=AT, hidden_at=done) == (
        "Asked on 23 November 2026, 10:04:16 UTC, hidden by 10:04:17 UTC, at 4 of 4 places."
    )
    later = told(Standing.HIDDEN, asked_at=AT, hidden_at=AT + timedelta(days=1), places=1, hidden=1)
    assert later.endswith("hidden by 24 November 2026, 10:04:16 UTC, at 1 of 1 place.")
    assert told(Standing.HIDDEN) == "Hidden, at 4 of 4 places."


def test_what_is_asked_and_not_confirmed_everywhere_says_how_many_are_missing() -> None:
    assert told(Standing.ASKED, asked_at=AT, hidden=2) == (
        "We asked on 23 November 2026, 10:04:16 UTC. Hidden so far at 2 of 4 places. "
        "2 places have not confirmed yet; we go on asking."
    )
    assert told(Standing.ASKED, hidden=0, places=1) == "1 place has not confirmed yet; we go on asking."


@pytest.mark.parametrize("standing", Standing)
def test_every_standing_has_a_sentence_and_only_hidden_says_hidden(standing: Standing) -> None:
    from holdfast.web.doors.told import is_good

    says = told(standing, asked_at=AT, hidden_at=AT if standing is Standing.HIDDEN else None, hidden=0)
    assert says.endswith(".")
    assert ("hidden by" in says) == (standing is Standing.HIDDEN)
    assert is_good(item(standing)) == (standing in (Standing.HIDDEN, Standing.GONE))


@given(st.datetimes(timezones=st.timezones()))
def test_every_time_is_in_utc_and_says_so(at: datetime) -> None:
    from holdfast.web.doors.told import moment

    assert moment(at).endswith(f"{at.astimezone(UTC):%H:%M:%S} UTC")


@pytest.mark.parametrize("state", ProofState)
def test_every_state_of_a_proof_has_its_sentence(state: ProofState) -> None:
    from holdfast.web.doors.told import proof_told

    says = proof_told(ProofView(received_at=AT, state=state))
    assert says.startswith("Your file came on 23 November 2026, 10:04:16 UTC. ")
    assert ("does not count against you" in says) == (state is ProofState.UNCLEAR)


def view(hidden: int | None, waiting: int | None) -> ReportView:
    return ReportView(
        reference="R-AAAA-AAAA",
        received_at=AT,
        category=Category.CSAM,
        state=ReportState.RECEIVED,
        items=(),
        proofs=(),
        copies_hidden=hidden,
        copies_waiting=waiting,
        code_kept=False,
        contact_stopped=False,
    )


def test_copies_are_told_of_to_whoever_may_know_and_counted_as_they_are() -> None:
    from holdfast.web.doors.told import copies_told

    assert copies_told(view(None, None)) == ""
    assert copies_told(view(1, 0)) == "We also found 1 other place with the same, and it is hidden."
    assert copies_told(view(3, 2)) == (
        "We also found 3 other places with the same, and they are hidden. "
        "2 more are not confirmed yet; we go on asking."
    )


def test_the_hours_are_those_of_the_clocks() -> None:
    from holdfast.web.doors.told import hours_of

    assert (hours_of("first-look"), hours_of("proof")) == (12, 24)

# SPDX-License-Identifier: Apache-2.0
"""How far a report reaches: the item always, strangers never by a mere word, and nothing by counting."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.hold.reach import REACH, Copy, Plan, Standing, Valve, plan

copies = st.lists(
    st.builds(
        lambda number, account, distance, exact, asset: Copy(
            location=f"l{number}", account=f"a{account}", distance=0 if exact else distance, exact=exact, is_asset=asset
        ),
        st.integers(),
        st.integers(0, 200),
        st.integers(0, 60),
        st.booleans(),
        st.booleans(),
    ),
    unique_by=lambda copy: copy.location,
    max_size=300,
)


@given(copies, st.sampled_from(Standing))
def test_every_place_gets_a_plan_and_nothing_is_forgotten(found: list[Copy], standing: Standing) -> None:
    assert set(plan(found, standing)) == {copy.location for copy in found}


@given(copies, st.sampled_from(Standing))
def test_no_report_touches_more_accounts_than_its_standing_allows(found: list[Copy], standing: Standing) -> None:
    plans = plan(found, standing)
    touched = {copy.account for copy in found if plans[copy.location] is Plan.HOLD}
    most = REACH[standing].accounts
    assert most is None or len(touched) <= most


@given(copies, st.sampled_from(Standing))
def test_the_platforms_own_pictures_are_never_swept(found: list[Copy], standing: Standing) -> None:
    plans = plan(found, standing)
    for copy in found:
        assert (plans[copy.location] is Plan.NEVER_SWEPT) == copy.is_asset


@given(copies)
def test_more_behind_a_report_never_reaches_less_far(found: list[Copy]) -> None:
    held = [
        {location for location, what in plan(found, standing).items() if what is Plan.HOLD}
        for standing in sorted(Standing)
    ]
    assert held[1] >= held[0] or any(copy.distance > REACH[Standing.WORD].distance for copy in found)
    assert held[2] >= held[1]


@pytest.mark.parametrize("standing", Standing)
def test_the_named_item_and_what_is_the_same_are_held_whatever_stands_behind_it(standing: Standing) -> None:
    found = [Copy(location=f"l{number}", account="a", distance=0, exact=True) for number in range(50)]
    assert set(plan(found, standing).values()) == {Plan.HOLD}


@pytest.mark.parametrize(("standing", "distance", "expected"), [
    (Standing.WORD, 10, Plan.HOLD),
    (Standing.WORD, 11, Plan.QUEUE),
    (Standing.PROOF_RECEIVED, 31, Plan.HOLD),
    (Standing.PROOF_RECEIVED, 32, Plan.QUEUE),
    (Standing.VERIFIED, 31, Plan.HOLD),
    (Standing.VERIFIED, 32, Plan.QUEUE),
])  # fmt: skip
def test_how_alike_is_near_enough_depends_on_what_stands_behind_it(
    standing: Standing, distance: int, expected: Plan
) -> None:
    assert plan([Copy(location="l", account="a", distance=distance, exact=False)], standing) == {"l": expected}


@given(st.integers(0, 10**9), st.integers(0, 10**6))
def test_above_the_budget_only_unproven_words_wait(visible: int, held: int) -> None:
    valve = Valve()
    assert valve.budget(visible) >= valve.least
    for standing in Standing:
        for corroborated in (False, True):
            through = valve.lets_through(
                standing, held_this_hour=held, visible_items=visible, corroborated=corroborated
            )
            assert through or (standing is Standing.WORD and not corroborated and held >= valve.budget(visible))

# SPDX-License-Identifier: Apache-2.0
"""Age when it was made: bounded by arithmetic, never guessed toward less care."""

from __future__ import annotations

from datetime import date, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import InvalidRequest
from holdfast.intake.age import (
    ADULT,
    OLDEST,
    AgeBasis,
    AgeClaim,
    BirthDate,
    ClaimStatus,
    Handling,
    by_arithmetic,
    handling,
    oldest_when_made,
)

days = st.dates(date(1930, 1, 1), date(2026, 12, 31))
claims = st.builds(
    lambda person, ages, basis, status: AgeClaim(
        person=person, item="i", lower=min(ages), upper=max(ages), basis=basis, status=status
    ),
    st.sampled_from("ab"),
    st.tuples(st.integers(0, OLDEST), st.integers(0, OLDEST)),
    st.sampled_from(AgeBasis),
    st.sampled_from(ClaimStatus),
)


def claim(lower: int, upper: int, basis: AgeBasis = AgeBasis.PROOF, status: str = "verified") -> AgeClaim:
    return AgeClaim(person="a", item="i", lower=lower, upper=upper, basis=basis, status=ClaimStatus(status))


def test_whoever_was_born_in_may_2008_was_at_most_13_in_what_was_first_seen_in_march_2022() -> None:
    assert oldest_when_made(BirthDate(year=2008, month=5), date(2022, 3, 1)) == 13
    assert oldest_when_made(BirthDate(year=2008, month=5, day=9), date(2022, 5, 9)) == 14
    assert oldest_when_made(BirthDate(year=2008), date(2022, 3, 1)) == 14


@given(days, days, days)
def test_whatever_the_true_birth_date_nobody_was_older_than_the_bound(born: date, made: date, seen: date) -> None:
    born, made, seen = sorted((born, made, seen))
    true_age = (made - born).days // 366  # at least so many full years have at most so many days
    for known in (
        BirthDate(year=born.year),
        BirthDate(year=born.year, month=born.month),
        BirthDate(year=born.year, month=born.month, day=born.day),
    ):
        bound = oldest_when_made(known, seen)
        assert bound is not None
        assert bound >= true_age


@given(days, st.integers(1, 20_000))
def test_who_was_not_born_when_it_was_seen_is_not_in_it(seen: date, later: int) -> None:
    born = seen + timedelta(days=later)
    known = BirthDate(year=born.year, month=born.month, day=born.day)
    assert oldest_when_made(known, seen) is None
    assert by_arithmetic("a", "i", known, seen, ClaimStatus.VERIFIED) is None


def test_nothing_known_is_handled_as_a_childs() -> None:
    assert handling([]) is Handling.AS_A_CHILDS
    assert handling([], ["somebody"]) is Handling.AS_A_CHILDS


@given(st.lists(claims))
def test_an_adults_handling_takes_something_verified_of_every_person_and_nothing_against_it(
    found: list[AgeClaim],
) -> None:
    if handling(found) is Handling.AS_AN_ADULTS:
        assert found
        for person in {one.person for one in found}:
            theirs = [one for one in found if one.person == person and one.status is not ClaimStatus.REJECTED]
            assert any(one.lower >= ADULT and one.status is ClaimStatus.VERIFIED for one in theirs)
            assert all(one.upper >= ADULT for one in theirs)


@given(st.lists(claims), claims)
def test_a_further_claim_that_somebody_was_a_child_never_makes_anybody_less_careful(
    found: list[AgeClaim], more: AgeClaim
) -> None:
    if handling(found) is Handling.AS_A_CHILDS and more.upper < ADULT:
        assert handling([*found, more]) is Handling.AS_A_CHILDS


@pytest.mark.parametrize("basis", AgeBasis)
def test_a_word_that_was_not_verified_makes_nobody_less_careful(basis: AgeBasis) -> None:
    assert handling([claim(30, 40, basis, "claimed")]) is Handling.AS_A_CHILDS


def test_a_reviewer_who_thinks_somebody_looks_adult_changes_nothing() -> None:
    assert handling([claim(25, 40, AgeBasis.REVIEWER)]) is Handling.AS_A_CHILDS
    assert handling([claim(25, 40), claim(0, 15, AgeBasis.REVIEWER, "claimed")]) is Handling.AS_A_CHILDS


def test_one_adult_beside_somebody_of_whom_nothing_is_known_is_handled_as_a_childs() -> None:
    assert handling([claim(25, 40)]) is Handling.AS_AN_ADULTS
    assert handling([claim(25, 40)], ["a", "b"]) is Handling.AS_A_CHILDS


@pytest.mark.parametrize(("lower", "upper"), [(-1, 3), (5, 4), (0, OLDEST + 1)])
def test_a_range_that_no_age_is_in_is_refused(lower: int, upper: int) -> None:
    with pytest.raises(InvalidRequest, match="age"):
        claim(lower, upper)


def test_a_day_that_was_never_is_refused() -> None:
    with pytest.raises(InvalidRequest, match="birth date"):
        oldest_when_made(BirthDate(year=2009, month=2, day=30), date(2022, 1, 1))

# SPDX-License-Identifier: Apache-2.0
"""A staff account is a voice: the first two anybody may name, then it takes two; powers are taken by one."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.access import factor
from holdfast.access.factor import matches, secret_of, weakness_of
from holdfast.access.person import People
from holdfast.access.role import Role
from holdfast.access.staff import (
    Account,
    AddStaff,
    BlockStaff,
    ResetStaff,
    SetRoles,
    StaffState,
    StaffVoices,
    decide_staff,
)
from holdfast.access.two_people import weakens
from holdfast.errors import InvalidName, InvalidRequest
from tests.access.making import digits_of

NOW = datetime(2026, 11, 1, 12, tzinfo=UTC)
SECRET = secret_of(bytes(range(20)))
REVIEWER = frozenset({Role.REVIEWER})
roles = st.sets(st.sampled_from(Role), min_size=1).map(frozenset)
states = st.sampled_from(StaffState)


def voices(known: int, account: Account | None = None) -> StaffVoices:
    names = frozenset(f"person{number}" for number in range(known))
    return StaffVoices(account=account, people=People(ever=names, now=frozenset()))


@given(st.integers(0, 5))
def test_the_first_two_anybody_may_name_and_then_it_takes_two(known: int) -> None:
    assert weakens(AddStaff(person="ann", roles=REVIEWER, code_digest="d"), voices(known)) == (known >= 2)
    account = Account(person="ann", roles=REVIEWER)
    assert weakens(ResetStaff(because="x", code_digest="d"), voices(known, account)) == (known >= 2)


@given(roles, roles)
def test_giving_a_role_takes_two_and_taking_one_does_not(before: frozenset[Role], after: frozenset[Role]) -> None:
    account = Account(person="ann", roles=before, state=StaffState.ACTIVE)
    assert weakens(SetRoles(after), voices(2, account)) == bool(after - before)


@given(states)
def test_one_person_may_block_anybody(state: StaffState) -> None:
    account = Account(person="ann", roles=REVIEWER, state=state)
    assert not weakens(BlockStaff("x"), voices(5, account))


@pytest.mark.parametrize("roles", [frozenset(), frozenset({Role.ADMINISTRATOR, Role.REVIEWER})])
def test_an_account_has_roles_that_go_together(roles: frozenset[Role]) -> None:
    with pytest.raises(InvalidRequest, match="roles"):
        decide_staff(None, AddStaff(person="ann", roles=roles, code_digest="d"))


def test_a_name_that_only_looks_like_one_is_none() -> None:
    with pytest.raises(InvalidName):
        decide_staff(None, AddStaff(person="\u0430nn", roles=REVIEWER, code_digest="d"))


# --- factors


@given(st.integers(0, 2**31), st.integers(-1, 1))
def test_digits_are_good_in_their_half_minute_and_beside_it(second: int, steps: int) -> None:
    now = datetime.fromtimestamp(second, UTC)
    digits = digits_of(SECRET, now + timedelta(seconds=30 * steps) if second >= 30 else now)
    assert matches(SECRET, digits, now) is not None


@given(st.integers(100, 2**31))
def test_digits_are_good_once(second: int) -> None:
    now = datetime.fromtimestamp(second, UTC)
    step = matches(SECRET, digits_of(SECRET, now), now)
    assert step is not None
    assert matches(SECRET, digits_of(SECRET, now), now, after=max(step, second // 30 + 1)) is None


@given(st.text(max_size=12))
def test_what_are_no_digits_is_never_good(text: str) -> None:
    if not (text.replace(" ", "").isascii() and text.replace(" ", "").isdecimal()):
        assert matches(SECRET, text, NOW) is None


@pytest.mark.parametrize("secret", ["", "x", "JBSWY3DPEHPK3PXP", "not base 32 at all!"])
def test_a_secret_of_another_length_is_none(secret: str) -> None:
    assert matches(secret, "123456", NOW) is None


def test_the_digits_are_those_of_the_standard() -> None:
    secret = secret_of(b"12345678901234567890")  # RFC 6238, appendix B, the last six of its eight digits
    for second, digits in ((59, "287082"), (1111111109, "081804"), (2000000000, "279037")):
        assert matches(secret, digits, datetime.fromtimestamp(second, UTC)) == second // 30


@pytest.mark.parametrize("password", ["short", "ann" * 8, "a" * 40, "x" * 2000])
def test_what_is_short_or_ones_name_is_no_password(password: str) -> None:
    assert weakness_of(password, "ann")


def test_four_words_are_a_password() -> None:
    assert weakness_of("correct horse battery staple", "ann") is None


@given(st.binary(min_size=factor.CODE_BYTES, max_size=factor.CODE_BYTES))
def test_a_code_is_the_same_however_it_is_typed(random: bytes) -> None:
    code = factor.code_of(random)
    assert factor.code_digest(code) == factor.code_digest(f"  {code.upper().replace('-', ' ')} ")
    assert len(code) == 19

# SPDX-License-Identifier: Apache-2.0
"""Signing in: one answer for whatever is wrong, digits once, tries that end; and sessions that end by themselves."""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from typing import TYPE_CHECKING

import pytest

from holdfast.access.factor import SECRET_BYTES, secret_of
from holdfast.access.role import Role
from holdfast.access.session import IDLE, LONGEST, Signed
from holdfast.access.staff import BlockStaff, SetRoles
from holdfast.bootstrap import System
from holdfast.errors import SignInRefused
from holdfast.start import clock
from tests.access.making import digits_of

if TYPE_CHECKING:
    from holdfast.store.staff import PostgresStaff
    from holdfast.store.staff_sessions import StaffSessions

PASSWORD = "correct horse battery staple"
SECRET = secret_of(b"s" * SECRET_BYTES)
HALF_MINUTE = timedelta(seconds=30)
LOOKS = frozenset({Role.REVIEWER, Role.SENIOR})


@dataclass
class Door:
    """Ann's account, at a time that a test sets."""

    staff: PostgresStaff
    sessions: StaffSessions
    times: list[datetime]

    @property
    def now(self) -> datetime:
        return self.times[0]

    def wait(self, much: timedelta) -> None:
        self.times[0] += much

    def sign_in(
        self, person: str = "ann", password: str = PASSWORD, digits: str | None = None, network: str = "192.0.2.0/24"
    ) -> Signed:
        digits = digits_of(SECRET, self.now) if digits is None else digits
        return self.sessions.sign_in(person, password, digits, network=network)

    def fail(self, network: str = "192.0.2.0/24") -> None:
        with pytest.raises(SignInRefused):
            self.sign_in(password="not the password", network=network)


@pytest.fixture
def door(system: System) -> Door:
    from holdfast.store.staff import PostgresStaff, new_staff
    from holdfast.store.staff_sessions import StaffSessions

    times = [clock()]
    staff = PostgresStaff(system.journal, lambda: times[0])
    command, code = new_staff("ann", roles=LOOKS)
    staff.change("ann", command, actor="cli:test")
    staff.enrol("ann", code, PASSWORD, secret=SECRET, digits=digits_of(SECRET, times[0]))
    times[0] += HALF_MINUTE
    return Door(staff, StaffSessions(system.journal, lambda: times[0]), times)


def test_name_password_and_digits_open_a_session_with_the_roles_of_now(door: Door) -> None:
    signed = door.sign_in(" Ann ")
    assert (signed.person, signed.roles) == ("ann", LOOKS)
    assert door.sessions.signed(signed.session) == signed


def test_digits_are_good_once(door: Door) -> None:
    door.sign_in()
    with pytest.raises(SignInRefused):
        door.sign_in()
    door.wait(HALF_MINUTE)
    door.sign_in()


@pytest.mark.parametrize(
    "wrong",
    [
        {"person": "bob"},
        {"password": "x"},
        {"digits": "000000"},
        {"person": ""},
        {"person": "a\0b"},
        {"person": "\ud800"},
        {"password": "\0"},
    ],
)
def test_whatever_is_wrong_is_answered_in_the_same_words(door: Door, wrong: dict[str, str]) -> None:
    with pytest.raises(SignInRefused) as refused:
        door.sign_in(**wrong)
    assert str(refused.value) == str(SignInRefused())


def test_after_ten_tries_nothing_opens_for_a_quarter_of_an_hour_and_then_it_does(door: Door) -> None:
    from holdfast.store.staff_sessions import MOST_TRIES, WAIT

    for _ in range(MOST_TRIES):
        door.fail()
    with pytest.raises(SignInRefused):
        door.sign_in()
    door.wait(WAIT)
    door.sign_in()


def test_a_crowd_that_knows_a_name_locks_out_nobody_who_signs_in_from_elsewhere(door: Door) -> None:
    from holdfast.store.models import StaffRow
    from holdfast.store.staff_sessions import _MOST_NETWORKS, MOST_TRIES

    for number in range(3):
        for _ in range(MOST_TRIES):
            door.fail(f"198.51.{number}.0/24")
    assert door.sign_in().person == "ann"
    with pytest.raises(SignInRefused):
        door.sign_in(network="198.51.1.0/24")
    door.wait(HALF_MINUTE)
    row = StaffRow.objects.get()
    assert len(row.tries) == 3
    assert not any("198.51" in key for key in row.tries), "a digest, and no network"
    row.tries = {f"{number:064x}": [1, door.now.isoformat()] for number in range(_MOST_NETWORKS + 5)}
    row.save()
    door.fail()
    assert len(StaffRow.objects.get().tries) <= _MOST_NETWORKS + 1


def test_what_opens_forgives_the_tries_before(door: Door) -> None:
    from holdfast.store.staff_sessions import MOST_TRIES

    for _ in range(3):
        for _ in range(MOST_TRIES - 1):
            door.fail()
        door.sign_in()
        door.wait(HALF_MINUTE)


def test_a_session_that_nobody_uses_ends_and_one_that_is_used_does_half_a_day_later(door: Door) -> None:
    idle = door.sign_in()
    door.wait(IDLE)
    assert door.sessions.signed(idle.session) is None
    used, began = door.sign_in(), door.now
    while door.now < began + LONGEST - IDLE:
        door.wait(IDLE - HALF_MINUTE)
        assert door.sessions.signed(used.session) is not None
    door.wait(IDLE)
    assert door.sessions.signed(used.session) is None


def test_signing_out_ends_one_session_and_no_other(door: Door) -> None:
    first = door.sign_in()
    door.wait(HALF_MINUTE)
    second = door.sign_in()
    door.sessions.sign_out(first)
    assert door.sessions.signed(first.session) is None
    assert door.sessions.signed(second.session) == second


def test_who_is_blocked_or_given_other_roles_is_out_at_once(door: Door) -> None:
    signed = door.sign_in()
    door.staff.change("ann", SetRoles(frozenset({Role.REVIEWER})), actor="cli:test")
    assert door.sessions.signed(signed.session) is None
    door.wait(HALF_MINUTE)
    again = door.sign_in()
    assert again.roles == {Role.REVIEWER}
    door.staff.change("ann", BlockStaff("left"), actor="cli:test")
    assert door.sessions.signed(again.session) is None
    with pytest.raises(SignInRefused):
        door.sign_in()


def test_a_token_is_stored_nowhere(door: Door, system: System) -> None:
    from tests.access.test_keys_kept import everything_stored

    signed = door.sign_in()
    stored = everything_stored(system.settings.data)
    assert signed.session not in stored
    assert signed.form_token not in stored


@pytest.mark.parametrize("token", ["", "x", "é", "\x00"])
def test_what_is_no_token_opens_nothing(door: Door, token: str) -> None:
    assert door.sessions.signed(token) is None

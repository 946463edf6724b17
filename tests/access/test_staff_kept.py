# SPDX-License-Identifier: Apache-2.0
"""Staff accounts as they are kept: two make the third, a code begins one once, and secrets are nowhere in clear."""

from __future__ import annotations

from datetime import timedelta

import pytest

from holdfast.access.factor import SECRET_BYTES, secret_of
from holdfast.access.key import Scope
from holdfast.access.person import Who
from holdfast.access.role import Role
from holdfast.access.staff import BlockStaff, SetRoles, StaffState
from holdfast.bootstrap import System
from holdfast.errors import CodeRefused, InvalidRequest, ProposalUnknown, Refused, SecondPersonNeeded, StaffUnknown
from holdfast.start import clock
from tests.access.making import digits_of
from tests.access.test_keys_kept import everything_stored

ACTOR = "cli:test"
REVIEWER = frozenset({Role.REVIEWER})
PASSWORD = "correct horse battery staple"
SECRET = secret_of(b"s" * SECRET_BYTES)


def added(system: System, person: str, roles: frozenset[Role] = REVIEWER, *, team: str = "", account: str = "") -> str:
    from holdfast.store.staff import new_staff

    command, code = new_staff(person, roles=roles, team=team, account=account)
    system.staff.change(command.person, command, actor=ACTOR)
    return code


def enrolled(system: System, person: str, code: str) -> None:
    system.staff.enrol(person, code, PASSWORD, secret=SECRET, digits=digits_of(SECRET, clock()))


def test_who_has_a_code_begins_and_can_be_asked(system: System) -> None:
    code = added(system, "ann", team="day", account="ann-here")
    assert system.staff.colleagues() == ()
    enrolled(system, "ann", code)
    (one,) = system.staff.colleagues()
    assert (one.person, one.roles, one.team, one.account, one.outside) == ("ann", REVIEWER, "day", "ann-here", False)


def test_a_code_begins_once(system: System) -> None:
    code = added(system, "ann")
    enrolled(system, "ann", code)
    with pytest.raises(CodeRefused):
        enrolled(system, "ann", code)


@pytest.mark.parametrize(
    ("person", "code"),
    [("ann", "aaaa-bbbb-cccc-dddd"), ("bob", None), ("", ""), ("ann", ""), ("a\0b", None), ("\ud800", None)],
)
def test_a_wrong_name_or_code_begins_nothing_in_the_same_words(system: System, person: str, code: str | None) -> None:
    right = added(system, "ann")
    with pytest.raises(CodeRefused) as refused:
        enrolled(system, person, right if code is None else code)
    assert str(refused.value) == str(CodeRefused())


def test_a_password_that_will_not_do_leaves_the_code_good(system: System) -> None:
    code = added(system, "ann")
    with pytest.raises(InvalidRequest, match="at least 12"):
        system.staff.enrol("ann", code, "short", secret=SECRET, digits=digits_of(SECRET, clock()))
    with pytest.raises(InvalidRequest, match="six digits"):
        system.staff.enrol("ann", code, PASSWORD, secret=SECRET, digits="12345")
    enrolled(system, "ann", code)


def test_neither_code_nor_password_nor_secret_lies_anywhere(system: System) -> None:
    code = added(system, "ann")
    enrolled(system, "ann", code)
    stored = everything_stored(system.settings.data)
    assert "ann" in stored
    assert not [one for one in (code, code.replace("-", ""), PASSWORD, SECRET) if one in stored]


def test_an_account_counts_as_a_person_as_a_key_does(system: System) -> None:
    code = added(system, "ann")
    people = system.keys.people()
    assert (set(people.ever), set(people.now)) == ({"ann"}, set())
    enrolled(system, "ann", code)
    assert system.keys.people().now == {"ann"}
    system.staff.change("ann", BlockStaff("left"), actor=ACTOR)
    people = system.keys.people()
    assert (set(people.ever), set(people.now)) == ({"ann"}, set())


@pytest.mark.parametrize("keys", range(3))
def test_with_two_people_known_by_key_or_account_a_third_takes_two(system: System, keys: int) -> None:
    for number in range(2):
        if number < keys:
            scopes = frozenset({Scope.PROPOSALS})
            system.keys.create(label="l", scopes=scopes, expires_at=None, actor=ACTOR, person=f"person{number}")
        else:
            added(system, f"person{number}")
    with pytest.raises(SecondPersonNeeded):
        added(system, "mallory")
    scopes = frozenset({Scope.PROPOSALS})
    with pytest.raises(SecondPersonNeeded):
        system.keys.create(label="l", scopes=scopes, expires_at=None, actor=ACTOR, person="mallory")
    assert system.staff.account("mallory") is None


def agreed_to(system: System) -> tuple[str, str, Who]:
    """Cleo's account, which Ann asked for and Bob agreed to: the proposal, Ann's half of the code, and Bob."""
    from holdfast.store.staff import new_staff

    for person in ("ann", "bob"):
        enrolled(system, person, added(system, person))
    command, code = new_staff("cleo", roles=REVIEWER)
    with pytest.raises(SecondPersonNeeded) as needed:
        system.staff.change("cleo", command, actor=ACTOR)
    ann, bob = Who("staff:ann", "ann"), Who("staff:bob", "bob")
    asked = system.proposals.ask(needed.value.wanted, ann)  # type: ignore[arg-type]
    with pytest.raises(CodeRefused):
        enrolled(system, "cleo", code)
    with pytest.raises(Refused):
        system.proposals.agree(asked.id, ann, because="me", digest=asked.digest)
    system.proposals.agree(asked.id, bob, because="we need one", digest=asked.digest)
    return asked.id, code, bob


def test_two_people_add_a_third_who_then_begins_with_what_both_of_them_give(system: System) -> None:
    asked, code, bob = agreed_to(system)
    enrolled(system, "cleo", f"{code} {system.proposals.draw_half(asked, bob)}")
    assert [one.person for one in system.staff.colleagues()] == ["ann", "bob", "cleo"]


def test_whoever_asked_for_an_account_cannot_begin_it_in_that_persons_name(system: System) -> None:
    asked, code, bob = agreed_to(system)
    for given in (code, code + code, f"{code}-aaaa-bbbb-cccc-dddd"):
        with pytest.raises(CodeRefused):
            enrolled(system, "cleo", given)
    with pytest.raises(Refused, match="only whoever agreed"):
        system.proposals.draw_half(asked, Who("staff:ann", "ann"))
    half = system.proposals.draw_half(asked, bob)
    for given in (half, half + half, half + code):
        with pytest.raises(CodeRefused):
            enrolled(system, "cleo", given)
    with pytest.raises(Refused, match="no half to draw"):
        system.proposals.draw_half(asked, bob)


def test_what_nobody_asked_for_has_no_half(system: System) -> None:
    with pytest.raises(ProposalUnknown):
        system.proposals.draw_half("pro_none", Who("staff:ann", "ann"))


def test_where_one_person_is_enough_the_code_is_whole_and_nothing_stands_behind_it(system: System) -> None:
    code = added(system, "ann")
    with pytest.raises(CodeRefused):
        enrolled(system, "ann", code + "x")
    enrolled(system, "ann", code)


def test_one_person_gives_nobody_powers_and_may_take_them(system: System) -> None:
    for person in ("ann", "bob"):
        enrolled(system, person, added(system, person))
    with pytest.raises(SecondPersonNeeded):
        system.staff.change("ann", SetRoles(frozenset({Role.REVIEWER, Role.SENIOR})), actor=ACTOR)
    after = system.staff.change("ann", SetRoles(frozenset({Role.REVIEWER})), actor=ACTOR)
    assert after.roles == REVIEWER
    assert system.staff.change("ann", BlockStaff("left"), actor=ACTOR).state is StaffState.BLOCKED
    assert [one.person for one in system.staff.colleagues()] == ["bob"]


def test_a_code_is_good_for_a_day(system: System) -> None:
    from holdfast.store.staff import CODE_LIVES, PostgresStaff

    code = added(system, "ann")
    later = PostgresStaff(system.journal, lambda: clock() + CODE_LIVES + timedelta(seconds=1))
    with pytest.raises(CodeRefused):
        later.invites("ann", code)
    assert system.staff.invites("ANN", code) == "ann"


def test_nobody_changes_an_account_that_is_not_there(system: System) -> None:
    with pytest.raises(StaffUnknown, match="nobody"):
        system.staff.change("nobody", BlockStaff("x"), actor=ACTOR)

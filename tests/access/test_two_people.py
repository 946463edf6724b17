# SPDX-License-Identifier: Apache-2.0
"""Every command of every decider is classified in one table, and the gate lets none past that weakens."""

from __future__ import annotations

import ast
import importlib
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from types import UnionType
from typing import Any, Union, get_args, get_origin, get_type_hints

import pytest

from holdfast.access.key import CreateKey, Scope, Voices
from holdfast.access.person import People
from holdfast.access.role import Role
from holdfast.access.safety import AcceptSettings, RecordSettings
from holdfast.access.staff import AddStaff, ResetStaff, SetRoles
from holdfast.access.two_people import Agreed, Wanted, acting, decode, encode, register, rules, weakens
from holdfast.deciders import DECIDERS
from holdfast.decision.decision import Because, DecisionKind, Reverse
from holdfast.errors import SecondPersonNeeded
from holdfast.hold.hold import ReleaseHold
from holdfast.log.event import registered
from holdfast.match import bank as banks
from holdfast.match import entry as entries
from holdfast.match.importing import Contents, PublishImport, RollBackImport
from holdfast.match.signal import Signal, SignalType
from holdfast.match.two_people import AddEntries
from holdfast.match.video import VideoRule
from holdfast.sealed.subject import EraseSealed, LiftPreservation
from tests.decision.making import make

SOURCE = Path(banks.__file__).parents[1]
BANK = banks.Bank(
    name="b", meaning="m", source="s", threshold=31, action=banks.Action.HOLD, state=banks.BankState.ACTIVE
)


def deciders() -> Iterator[tuple[str, str]]:
    """(module, function) of every decider there is in the sources."""
    for path in SOURCE.rglob("*.py"):
        for node in ast.parse(path.read_text()).body:
            if isinstance(node, ast.FunctionDef) and node.name.startswith("decide_"):
                yield ".".join(("holdfast", *path.relative_to(SOURCE).with_suffix("").parts)), node.name


def members(kind: Any) -> Iterator[type]:
    """The types of a union, or the one type."""
    if get_origin(kind) in (Union, UnionType):
        for one in get_args(kind):
            yield from members(one)
    else:
        yield kind


def test_there_are_deciders() -> None:
    assert {name for _, name in deciders()} >= {"decide_bank", "decide_entry", "decide_key", "decide_proposal"}
    assert len(list(deciders())) >= len(DECIDERS)


@pytest.mark.parametrize(("module", "name"), sorted(deciders()), ids=lambda part: part.rpartition(".")[2])
def test_every_command_of_every_decider_is_classified(module: str, name: str) -> None:
    command = get_type_hints(getattr(importlib.import_module(module), name))["command"]
    assert [kind for kind in members(command) if kind not in rules()] == []


def test_every_rule_leads_to_an_event_that_there_is() -> None:
    # A lease and a try that failed are kept in a table alone, and have no tag.
    told = {rule.leads_to for rule in rules().values() if rule.leads_to.tag}
    assert told <= set(registered().values())


def test_a_command_is_classified_once() -> None:
    with pytest.raises(ValueError, match="disable_bank is classified twice"):
        register(banks.DisableBank, banks.BankDisabled)


def test_a_command_that_nobody_has_classified_is_carried_out_by_nobody() -> None:
    class Unheard:
        pass

    with pytest.raises(KeyError):
        weakens(Unheard(), BANK)
    with pytest.raises(KeyError):
        acting("key:aaaaaaaa", Unheard(), BANK, subject="bank:b", version=1)


def test_one_person_acts_alone_only_where_it_protects() -> None:
    assert acting("key:a", banks.EnableBank(), BANK, subject="bank:b", version=1) == "key:a"
    with pytest.raises(SecondPersonNeeded) as needed:
        acting("key:a", banks.ChangeThreshold(threshold=2, because="why"), BANK, subject="bank:b", version=7)
    wanted = needed.value.wanted
    assert isinstance(wanted, Wanted)
    assert (wanted.subject, wanted.at_version, wanted.because) == ("bank:b", 7, "why")


def test_two_people_are_named_by_their_proposal() -> None:
    assert acting(Agreed("pro_1"), banks.DisableBank(), BANK, subject="bank:b", version=1) == "proposal:pro_1"


def test_only_a_proposal_says_that_two_people_agreed() -> None:
    makers = {
        path.name for path in SOURCE.rglob("*.py") if "Agreed(" in path.read_text().replace("ProposalAgreed(", "")
    }
    assert makers == {"proposals.py"}
    assert "Agreed(" not in (SOURCE / "web/proposals.py").read_text()
    assert "Agreed(" not in (SOURCE / "cli/proposals.py").read_text()


def test_only_a_review_says_that_two_people_found_the_same() -> None:
    makers = {
        str(path.relative_to(SOURCE))
        for path in SOURCE.rglob("*.py")
        if "TwoFound(" in path.read_text().replace("class TwoFound", "")
    }
    assert makers == {"decision/two_found.py"}


COMMANDS: list[Any] = [
    AddStaff(person="cleo", roles=frozenset({Role.SENIOR, Role.LEAD}), code_digest="d", team="night"),
    ResetStaff(because="lost", code_digest="d"),
    SetRoles(frozenset({Role.SENIOR, Role.LEAD})),
    banks.DisableBank(),
    banks.EnableBank(),
    banks.ChangeThreshold(threshold=20, because="x"),
    banks.ChangeAction(action=banks.Action.REVIEW, because="x"),
    banks.ChangeVideoRule(rule=VideoRule(least_frames=5), because="x"),
    entries.DisableEntry(),
    entries.RemoveEntry(because="x"),
    entries.GiveOpinion(opinion=entries.Opinion.DISPUTED, because="x"),
    AddEntries(
        (entries.AddEntry(id="ent_1", bank="b", signals=(Signal(SignalType.MD5, "0" * 31 + "1"),), provenance="p"),)
    ),
    PublishImport(contents=Contents(entries=1, signals=1, refused=0, digest="00")),
    RollBackImport(because="x"),
    CreateKey(
        prefix="abcdefgh",
        secret_digest="00",
        label="l",
        scopes=frozenset(Scope),
        expires_at=datetime(2027, 1, 1, tzinfo=UTC),
        person="bob",
    ),
    AcceptSettings(because="x"),
    EraseSealed(because="x"),
    LiftPreservation(hold="hld_1", because="x"),
    ReleaseHold(decision="dec_1", because="x"),
    make(DecisionKind.KEEP),
    Reverse(review="rev_1", because=Because.APPEAL, held=False),
    RecordSettings(values={"shadow": True}),
]


@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: type(one).__name__)
def test_what_is_agreed_to_is_the_very_command_that_was_asked_for(command: Any) -> None:
    name, schema, body = encode(command)
    assert decode(name, schema, body) == command


def test_every_command_that_can_weaken_can_wait() -> None:
    can = {kind for kind, rule in rules().items() if rule.when != "never"}
    assert can - {type(command) for command in COMMANDS} == {entries.AddEntry, entries.EnableEntry}


def test_a_command_of_another_build_is_not_guessed_at() -> None:
    with pytest.raises(KeyError):
        decode("disable_bank", 2, "{}")
    with pytest.raises(ValueError, match="cannot be read"):
        decode("change_threshold", 1, '{"threshold": 20}')


# --- keys: nobody makes up the second person


def key(person: str | None) -> CreateKey:
    return CreateKey(
        prefix="abcdefgh", secret_digest="00", label="l", scopes=frozenset(Scope), expires_at=None, person=person
    )


def voices(ever: str, now: str, asker: str | None) -> Voices:
    return Voices(people=People(frozenset(ever.split()), frozenset(now.split())), asker=asker)


@pytest.mark.parametrize(
    ("person", "state", "two"),
    [
        (None, voices("a b", "a b", "a"), False),
        ("a", voices("", "", "a"), False),
        ("b", voices("a", "a", "a"), False),
        ("a", voices("a b", "a b", "a"), False),
        ("A", voices("a b", "a b", "a"), False),
        ("b", voices("a b", "a b", "a"), True),
        ("c", voices("a b", "a b", "a"), True),
        ("c", voices("a b", "a b", None), True),
        ("c", voices("a b", "a", "a"), True),
        ("a", voices("a b", "b", "a"), True),
    ],
)
def test_once_two_people_are_known_it_takes_two_to_give_another_a_voice(
    person: str | None, state: Voices, *, two: bool
) -> None:
    assert weakens(key(person), state) is two

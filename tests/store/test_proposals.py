# SPDX-License-Identifier: Apache-2.0
"""What weakens is done when another person agreed to exactly that, once, whole, and never otherwise."""

from __future__ import annotations

import os
import signal
from collections.abc import Callable
from contextlib import suppress
from dataclasses import asdict, replace
from datetime import datetime, timedelta
from functools import partial
from typing import Any, cast

import pytest
from django.db import connection, connections
from hypothesis import given
from hypothesis import strategies as st
from structlog.testing import capture_logs

from holdfast.access.key import Scope
from holdfast.access.person import Who
from holdfast.access.proposal import Proposal, ProposalState, evolve_proposal
from holdfast.access.safety import AcceptSettings
from holdfast.access.two_people import Agreed, Wanted
from holdfast.bootstrap import System, new_id
from holdfast.errors import (
    HoldfastError,
    InvalidRequest,
    KeyRefused,
    PersonMissing,
    ProposalUnknown,
    Refused,
    SecondPersonNeeded,
)
from holdfast.match import bank as banks
from holdfast.match import entry as entries
from holdfast.match.bankline import Line
from holdfast.match.entry import EntryState
from holdfast.match.video import USUAL
from holdfast.settings import Settings
from holdfast.start import clock
from holdfast.worker import alarm_of_proposals
from tests.store.making import ACTOR, STORIES, TWO, add, all_rows, create, found, md5, pdq, rows, together

ALICE, BOB, CAROL = Who("key:alice", "alice"), Who("key:bob", "bob"), Who("cli:carol", "carol")
ALL = frozenset(Scope)


def key_for(system: System, person: str | None, *, ends: datetime | None = None) -> str:
    """A key of a person, whoever is known already; its prefix."""
    from holdfast.store.keys import new_key

    command, _ = new_key(label="a test", scopes=ALL, expires_at=ends, person=person)
    system.keys.write(command, actor=TWO)
    assert system.keys.draw_half(command.prefix, TWO.proposal)
    return command.prefix


@pytest.fixture
def people(system: System) -> System:
    """A system that knows Alice, Bob and Carol."""
    for person in ("alice", "bob", "carol"):
        key_for(system, person)
    return system


def asked(system: System, deed: Callable[[], object], who: Who = ALICE, because: str | None = "a test") -> Proposal:
    """Try it alone, and ask for it as every door does."""
    with pytest.raises(SecondPersonNeeded) as needed:
        deed()
    return system.proposals.ask(cast("Wanted", needed.value.wanted), who, because=because)


def agree(system: System, proposal: Proposal, who: Who = BOB) -> Proposal:
    return system.proposals.agree(proposal.id, who, because="looked at it", digest=proposal.digest)


def code_of(refusal: pytest.ExceptionInfo[Refused]) -> str:
    return refusal.value.stable_code


def removing(system: System, entry: str, name: str = "bank") -> Callable[[], object]:
    command = entries.RemoveEntry(because="a mistake")
    return lambda: system.banks.change_entry(name, entry, command, actor=ALICE.actor)


# --- the whole way


def test_an_entry_is_removed_when_another_person_agrees_and_both_are_in_the_journal(people: System) -> None:
    create(people)
    entry = add(people, md5(1))
    proposal = asked(people, removing(people, entry.id))
    assert found(people, md5(1)), "asking changes nothing"
    assert agree(people, proposal).state is ProposalState.AGREED
    assert not found(people, md5(1))
    told = people.journal.read(f"proposal:{proposal.id}")
    assert [(row.happened.tag, row.actor) for row in told] == [
        ("proposal.asked", "key:alice"),
        ("proposal.agreed", "key:bob"),
    ]
    deed = people.journal.read(f"entry:{entry.id}")[-1]
    assert (deed.happened.tag, deed.actor) == ("bank.entry.removed", f"proposal:{proposal.id}")
    rebuilt = evolve_proposal(None, proposal.id, told[0].happened)
    for row in told[1:]:
        rebuilt = evolve_proposal(rebuilt, proposal.id, row.happened)
    assert rebuilt == people.proposals.get(proposal.id)


Deed = Callable[[], object]


def weakenings(system: System) -> dict[str, tuple[Deed, Callable[[], bool]]]:
    """Every kind of weakening: (trying it alone, whether it was done)."""
    create(system, "known")
    create(system, "benign", kind=banks.BankKind.BENIGN)
    entry, off = add(system, md5(1), name="known"), add(system, md5(2), name="known")
    taken = system.imports.run("known", [Line(1, "", "", (md5(3),))], source="f", provenance="f", actor=ACTOR)

    def change(command: banks.BankCommand) -> Deed:
        return lambda: system.banks.change_bank("known", command, actor=ALICE.actor)

    def bank() -> banks.Bank:
        return system.banks.get("known")

    more = [((md5(4),), "harmless"), ((md5(5),), "harmless")]
    lines = [Line(1, "", "", (md5(6),))]
    return {
        "a lower threshold": (
            change(banks.ChangeThreshold(threshold=3, because="x")),
            lambda: bank().threshold == 3,
        ),
        "a softer action": (
            change(banks.ChangeAction(action=banks.Action.IGNORE, because="x")),
            lambda: bank().action == "ignore",
        ),
        "removing an entry": (removing(system, entry.id, "known"), lambda: not found(system, md5(1))),
        "disabling an entry": (
            lambda: system.banks.change_entry("known", off.id, entries.DisableEntry(), actor=ALICE.actor),
            lambda: not found(system, md5(2)),
        ),
        "rolling an import back": (
            lambda: system.imports.roll_back("known", taken.id or "", because="x", actor=ALICE.actor),
            lambda: not found(system, md5(3)),
        ),
        "adding what is harmless": (
            lambda: system.banks.add_entries("benign", more, actor=ALICE.actor),
            lambda: len(found(system, md5(4)) + found(system, md5(5))) == 2,
        ),
        "importing what is harmless": (
            lambda: system.imports.run("benign", lines, source="f", provenance="f", actor=ALICE.actor),
            lambda: len(found(system, md5(6))) == 1,
        ),
        "a key for another person": (
            lambda: system.keys.create(label="k", scopes=ALL, expires_at=None, actor="cli:alice", person="mallory"),
            lambda: "mallory" in system.keys.people().ever,
        ),
        "disabling a bank": (change(banks.DisableBank()), lambda: bank().state == "disabled"),
    }


def test_everything_that_weakens_waits_says_what_it_would_do_and_is_done_as_asked(people: System) -> None:
    for name, (deed, done) in weakenings(people).items():
        before = people.banks.newest_change()
        proposal = asked(people, deed)
        assert not done(), name
        assert people.banks.newest_change() == before, name
        assert people.proposals.effect(proposal), name
        agree(people, proposal)
        assert done(), name
        assert people.proposals.effect(people.proposals.get(proposal.id)) is None, "it would do nothing any more"


def test_what_it_would_do_is_shown_before_and_after_with_how_many_entries(people: System) -> None:
    create(people)
    add(people, md5(1))
    add(people, md5(2))
    command = banks.ChangeThreshold(threshold=3, because="x")
    proposal = asked(people, lambda: people.banks.change_bank("bank", command, actor=ALICE.actor))
    same = {"state": "active", "action": "hold", "video": asdict(USUAL)}
    assert people.proposals.effect(proposal) == {
        "before": {**same, "threshold": 31},
        "after": {**same, "threshold": 3},
        "entries": 2,
    }


# --- who


def test_a_key_without_a_person_protects_and_neither_asks_nor_agrees(people: System) -> None:
    create(people)
    entry = add(people, md5(1))
    nobody = Who("key:nobody", None)
    before = all_rows(people)
    with pytest.raises(PersonMissing):
        asked(people, removing(people, entry.id), nobody)
    assert all_rows(people) == before
    proposal = asked(people, removing(people, entry.id))
    with pytest.raises(PersonMissing):
        agree(people, proposal, nobody)
    assert found(people, md5(1))
    people.proposals.refuse(proposal.id, nobody, because="not this one")
    with pytest.raises(Refused) as refusal:
        agree(people, proposal)
    assert code_of(refusal) == "proposal.not_in_this_state"


def test_two_keys_of_one_person_are_one_person(people: System) -> None:
    create(people)
    entry = add(people, md5(1))
    proposal = asked(people, removing(people, entry.id))
    for actor in ("key:another", "cli:alice", "key:alice"):
        with pytest.raises(Refused) as refusal:
            agree(people, proposal, Who(actor, "alice"))
        assert code_of(refusal) == "proposal.same_person"
    assert found(people, md5(1))


def test_a_person_counts_while_a_key_of_theirs_is_good(system: System) -> None:
    key_for(system, "alice")
    prefix = key_for(system, "bob")
    key_for(system, "carol", ends=clock() - timedelta(seconds=1))
    key_for(system, None)
    assert system.keys.people().ever == {"alice", "bob", "carol"}
    assert system.keys.people().now == {"alice", "bob"}
    create(system)
    proposal = asked(system, removing(system, add(system, md5(1)).id))
    system.keys.revoke(prefix, actor=ACTOR)
    for who in (BOB, CAROL):
        with pytest.raises(PersonMissing):
            agree(system, proposal, who)
    assert system.keys.people().ever == {"alice", "bob", "carol"}


def test_a_key_that_waits_opens_nothing_until_somebody_agreed(people: System) -> None:
    from holdfast.store.keys import new_key

    command, whole = new_key(label="k", scopes=ALL, expires_at=None, person="dave")
    proposal = asked(people, lambda: people.keys.write(command, actor="cli:alice", asker="alice"))
    with pytest.raises(KeyRefused):
        people.keys.open(whole)
    agree(people, proposal)
    with pytest.raises(KeyRefused):
        people.keys.open(whole)
    assert "dave" not in people.keys.people().now, "nobody can use it yet"
    with pytest.raises(Refused, match="only whoever agreed"):
        people.proposals.draw_half(proposal.id, ALICE)
    half = people.proposals.draw_half(proposal.id, BOB)
    assert people.keys.open(f"{whole}_{half}").person == "dave"
    assert "dave" in people.keys.people().now
    with pytest.raises(Refused, match="no half"):
        people.proposals.draw_half(proposal.id, BOB)
    with pytest.raises(Refused):
        agree(people, proposal, CAROL)


def test_of_two_who_draw_the_half_at_once_one_is_given_it(people: System) -> None:
    from holdfast.store.keys import new_key

    command, _ = new_key(label="k", scopes=ALL, expires_at=None, person="dave")
    proposal = asked(people, lambda: people.keys.write(command, actor="cli:alice", asker="alice"))
    agree(people, proposal)

    def draw() -> bool:
        with suppress(Refused):
            return bool(people.proposals.draw_half(proposal.id, BOB))
        return False

    assert sorted(together([draw, draw])) == [False, True]


def test_what_gives_nobody_anything_has_no_half(people: System) -> None:
    create(people)
    proposal = asked(people, removing(people, add(people, md5(1)).id))
    with pytest.raises(Refused, match="only whoever agreed"):
        people.proposals.draw_half(proposal.id, BOB)
    agree(people, proposal)
    with pytest.raises(Refused, match="no half"):
        people.proposals.draw_half(proposal.id, BOB)


def test_of_those_who_name_the_second_person_at_once_one_does(system: System) -> None:
    key_for(system, "alice")

    def name(person: str) -> bool:
        with suppress(SecondPersonNeeded):
            system.keys.create(label="k", scopes=ALL, expires_at=None, actor="cli:alice", person=person, asker="alice")
            return True
        return False

    done = together([partial(name, person) for person in ("bob", "carol", "dave", "erin")])
    assert sorted(done) == [False, False, False, True]
    assert len(system.keys.people().now) == 2


# --- once, and only to what was shown


def test_it_is_carried_out_once_however_many_agree_at_the_same_time(people: System) -> None:
    create(people)
    for number in range(5):
        entry = add(people, md5(number))
        proposal = asked(people, removing(people, entry.id))

        def tried(who: Who, proposal: Proposal = proposal) -> str:
            try:
                return agree(people, proposal, who).state
            except Refused as refusal:
                return refusal.stable_code

        outcomes = together([partial(tried, who) for who in (BOB, CAROL, BOB, CAROL)])
        assert sorted(outcomes) == ["agreed", *["proposal.not_in_this_state"] * 3]
        assert [row.happened.tag for row in people.journal.read(f"entry:{entry.id}")] == [
            "bank.entry.added",
            "bank.entry.removed",
        ]


def test_what_changed_since_it_was_asked_for_is_overtaken_and_not_done(people: System) -> None:
    create(people)
    entry = add(people, md5(1))
    proposal = asked(people, removing(people, entry.id))
    opinion = entries.GiveOpinion(opinion=entries.Opinion.CONFIRMED, because="looked")
    people.banks.change_entry("bank", entry.id, opinion, actor="key:carol")
    assert people.proposals.effect(proposal) is None
    with pytest.raises(Refused) as refusal:
        agree(people, proposal)
    assert code_of(refusal) == "proposal.overtaken"
    assert found(people, md5(1))
    assert people.proposals.get(proposal.id).state is ProposalState.OVERTAKEN
    assert [row.happened.tag for row in people.journal.read(f"proposal:{proposal.id}")][-1] == "proposal.overtaken"


def test_agreeing_while_the_subject_changes_does_it_as_asked_or_not_at_all(people: System) -> None:
    create(people)
    for number in range(6):
        entry = add(people, md5(100 + number))
        proposal = asked(people, removing(people, entry.id))
        opinion = entries.GiveOpinion(opinion=entries.Opinion.CONFIRMED, because="looked")

        def agreed(proposal: Proposal = proposal) -> str:
            with suppress(Refused):
                return agree(people, proposal).state
            return "overtaken"

        def confirmed(entry_id: str = entry.id, opinion: entries.GiveOpinion = opinion) -> str:
            with suppress(Refused):
                return str(people.banks.change_entry("bank", entry_id, opinion, actor="key:carol").opinion)
            return "removed"

        works: list[Callable[[], str]] = [agreed, confirmed]
        assert together(works) in (["agreed", "removed"], ["overtaken", "confirmed"])
        tags = [row.happened.tag for row in people.journal.read(f"entry:{entry.id}")]
        assert tags[1:] in (["bank.entry.removed"], ["bank.entry.opinion_given"])


def test_what_its_own_rules_no_longer_allow_is_overtaken(people: System) -> None:
    create(people)
    taken = people.imports.run("bank", [Line(1, "", "", (md5(1),))], source="f", provenance="f", actor=ACTOR)
    (entry,) = people.banks.entries("bank")
    proposal = asked(people, removing(people, entry.id))
    people.imports.roll_back("bank", taken.id or "", because="x", actor=TWO)
    before = people.banks.newest_change()
    with pytest.raises(Refused) as refusal:
        agree(people, proposal)
    assert code_of(refusal) == "proposal.overtaken"
    assert rows(people.settings.data, "proposal") == {"proposal": 1}
    assert people.banks.newest_change() >= before


def test_asking_for_the_same_again_is_the_same_proposal(people: System) -> None:
    create(people)
    entry = add(people, md5(1))
    first = asked(people, removing(people, entry.id))
    assert asked(people, removing(people, entry.id), BOB).id == first.id
    assert len(people.proposals.all_told(waiting=True)) == 1
    with pytest.raises(Refused):
        agree(people, first, ALICE)
    people.proposals.withdraw(first.id, ALICE, because="a slip")
    assert asked(people, removing(people, entry.id)).id != first.id


def test_without_a_reason_nothing_is_asked_for(people: System) -> None:
    create(people)
    with pytest.raises(InvalidRequest, match="because"):
        asked(people, lambda: people.banks.change_bank("bank", banks.DisableBank(), actor="key:a"), because=None)
    assert people.proposals.all_told(waiting=False) == []


def test_a_proposal_that_is_not_there_is_unknown(people: System) -> None:
    acts: list[Deed] = [
        lambda: people.proposals.get("pro_x"),
        lambda: people.proposals.agree("pro_x", BOB, because="x", digest="0" * 64),
        lambda: people.proposals.refuse("pro_x", BOB, because="x"),
        lambda: people.proposals.withdraw("pro_x", BOB, because="x"),
    ]
    for act in acts:
        with pytest.raises(ProposalUnknown):
            act()


# --- an import that waits


def test_an_import_that_waits_stays_staged_and_counts_as_soon_as_somebody_agreed(people: System) -> None:
    create(people, "benign", kind=banks.BankKind.BENIGN)
    lines = [Line(1, "", "", (md5(1),)), Line(2, "", "", (pdq(1),))]
    proposal = asked(people, lambda: people.imports.run("benign", lines, source="f", provenance="f", actor=ALICE.actor))
    assert people.imports.abandon_stale(timedelta(0)) == [], "somebody is still asked about it"
    assert not found(people, md5(1))
    agree(people, proposal)
    assert found(people, md5(1))
    assert found(people, pdq(1))


def test_an_import_that_was_refused_is_given_up_like_any_other_that_falls_silent(people: System) -> None:
    create(people, "benign", kind=banks.BankKind.BENIGN)
    lines = [Line(1, "", "", (md5(1),))]
    proposal = asked(people, lambda: people.imports.run("benign", lines, source="f", provenance="f", actor=ALICE.actor))
    people.proposals.refuse(proposal.id, BOB, because="not harmless")
    assert people.imports.abandon_stale(timedelta(0)) == [proposal.subject.removeprefix("import:")]


# --- clocks


def test_when_the_clock_runs_out_its_owner_is_alarmed_once_and_it_still_waits(people: System) -> None:
    create(people)
    proposal = asked(people, removing(people, add(people, md5(1)).id))
    assert people.proposals.mark_overdue(proposal.due - timedelta(seconds=1)) == []
    (alarmed,) = people.proposals.mark_overdue(proposal.due)
    assert (alarmed.id, alarmed.owner, alarmed.state) == (proposal.id, "trust-and-safety", ProposalState.OVERDUE)
    assert people.proposals.mark_overdue(proposal.due + timedelta(days=365)) == []
    assert found(people, md5(1)), "nothing is done by time"
    assert agree(people, proposal).state is ProposalState.AGREED


def test_the_worker_logs_the_alarm_with_its_owner_and_what_to_do(people: System) -> None:
    create(people)
    proposal = asked(people, removing(people, add(people, md5(1)).id))
    with capture_logs() as logs:
        assert alarm_of_proposals(people.proposals, proposal.due) == 1
        assert alarm_of_proposals(people.proposals, proposal.due) == 0
    (alarm,) = logs
    assert (alarm["log_level"], alarm["proposal"], alarm["owner"]) == ("error", proposal.id, "trust-and-safety")
    assert "proposals list" in alarm["what_to_do"]


def test_what_is_overtaken_when_the_clock_runs_out_is_ended_without_an_alarm(people: System) -> None:
    create(people)
    entry = add(people, md5(1))
    proposal = asked(people, removing(people, entry.id))
    people.banks.change_entry("bank", entry.id, entries.DisableEntry(), actor=TWO)
    assert people.proposals.mark_overdue(proposal.due) == []
    assert people.proposals.get(proposal.id).state is ProposalState.OVERTAKEN


# --- alone


def test_in_solo_mode_who_is_alone_agrees_after_the_delay_and_the_record_says_so(system: System) -> None:
    prefix = key_for(system, "bob")
    key_for(system, "alice")
    create(system)
    proposal = asked(system, removing(system, add(system, md5(1)).id))
    system.proposals._terms = replace(system.proposals._terms, solo_after=timedelta(hours=24))
    now = system.proposals._clock
    try:
        system.proposals._clock = lambda: now() + timedelta(hours=25)
        with pytest.raises(Refused) as refusal:
            agree(system, proposal, ALICE)
        assert code_of(refusal) == "proposal.same_person", "while Bob is there"
        system.keys.revoke(prefix, actor=ACTOR)
        system.proposals._clock = now
        with pytest.raises(Refused) as refusal:
            agree(system, proposal, ALICE)
        assert code_of(refusal) == "proposal.solo_waits"
        system.proposals._clock = lambda: now() + timedelta(hours=25)
        assert agree(system, proposal, ALICE).state is ProposalState.AGREED
        assert system.proposals.told(proposal.id).solo
    finally:
        system.proposals._clock = now
        system.proposals._terms = replace(system.proposals._terms, solo_after=None)


# --- settings


def test_weaker_settings_are_recorded_at_the_start_and_accepted_by_two(people: System) -> None:
    weaker = Settings(shadow=True, archive_days=30)
    assert people.safety.record(Settings(), actor="cli:root") == ()
    assert people.safety.record(weaker, actor="cli:eve") == ("shadow", "archive_days")
    assert people.safety.record(weaker, actor="cli:eve") == ("shadow", "archive_days"), "an alarm at each start"
    told = people.journal.read("settings:in_force")
    assert [(row.happened.tag, row.actor) for row in told] == [
        ("settings.changed", "cli:root"),
        ("settings.changed", "cli:eve"),
    ]
    accept = AcceptSettings(because="a trial")
    proposal = asked(people, lambda: people.safety.accept(accept, actor="cli:alice"))
    assert people.proposals.effect(proposal) == {
        "before": {"shadow": False, "archive_days": 90.0},
        "after": {"shadow": True, "archive_days": 30.0},
    }
    agree(people, proposal)
    assert people.safety.record(weaker, actor="cli:eve") == ()
    assert people.journal.read("settings:in_force")[-1].actor == f"proposal:{proposal.id}"


def test_settings_that_change_while_somebody_is_asked_are_not_accepted_unseen(people: System) -> None:
    people.safety.record(Settings(archive_days=30), actor="cli:eve")
    proposal = asked(people, lambda: people.safety.accept(AcceptSettings(because="x"), actor="cli:alice"))
    people.safety.record(Settings(archive_days=30, shadow=True), actor="cli:eve")
    with pytest.raises(Refused) as refusal:
        agree(people, proposal)
    assert code_of(refusal) == "proposal.overtaken"
    found_now = people.safety.found()
    assert found_now is not None
    assert found_now.weakened == ("shadow", "archive_days")


# --- killed


def killed_at(statement: int, work: Callable[[], object]) -> bool:
    """Do `work` in a process that is killed just before its n-th statement; whether it came to its end."""
    connections.close_all()
    cast("Any", connections["default"]).close_pool()  # a child that ends must not end the parent's connections
    child = os.fork()
    if not child:
        count = [0]

        def count_down(execute: Any, *rest: Any) -> Any:
            count[0] += 1
            if count[0] == statement:
                os.kill(os.getpid(), signal.SIGKILL)
            return execute(*rest)

        code = 1
        try:
            with connection.execute_wrapper(count_down):
                work()
            code = 0
        finally:
            os._exit(code)
    _, status = os.waitpid(child, 0)
    ended = os.waitstatus_to_exitcode(status)
    assert ended in (0, -signal.SIGKILL), ended
    return ended == 0


def test_killed_before_any_statement_of_asking_or_agreeing_nothing_is_half_done(people: System) -> None:
    create(people)
    entry = add(people, md5(1))
    before = all_rows(people)
    wanted = Wanted(command=entries.RemoveEntry(because="x"), subject=f"entry:{entry.id}", at_version=1, because="x")
    asking = 1
    while not killed_at(asking, lambda: people.proposals.ask(wanted, ALICE)):
        assert all_rows(people) == before
        asking += 1
    (told,) = people.proposals.all_told(waiting=True)
    proposal = people.proposals.get(told.proposal.id)
    before = all_rows(people)
    agreeing = 1
    while not killed_at(agreeing, lambda: agree(people, proposal)):
        assert all_rows(people) == before
        assert people.proposals.get(proposal.id).state is ProposalState.ASKED
        assert found(people, md5(1))
        agreeing += 1
    assert people.proposals.get(proposal.id).state is ProposalState.AGREED
    assert not found(people, md5(1))
    assert asking > 4
    assert agreeing > 10


# --- an insider


class Insider:
    """Alice, who has keys, the command line and time, and wants something to pass; Bob only protects."""

    def __init__(self, system: System) -> None:
        run = new_id("run")[4:14]
        self.system, self.known, self.benign = system, f"{run}-known", f"{run}-benign"
        create(system, self.known)
        create(system, self.benign, kind=banks.BankKind.BENIGN)
        self.number = int.from_bytes(run.encode()) * 1000
        self.entries = [add(system, md5(self.number + n), name=self.known).id for n in range(2)]
        lines = [Line(1, "", "", (md5(self.number + 2),))]
        taken = system.imports.run(self.known, lines, source="f", provenance="f", actor=ACTOR)
        self.imported = taken.id or ""
        self.excuses = [
            system.banks.add_all(self.benign, self._benign_entry(), actor=Agreed("setup"))[0].id for _ in range(1)
        ]
        system.banks.change_entry(self.benign, self.excuses[0], entries.DisableEntry(), actor=ACTOR)
        self.asked: list[str] = []

    def _benign_entry(self) -> Any:
        from holdfast.match.two_people import AddEntries

        made = entries.AddEntry(
            id=new_id("ent"), bank=self.benign, signals=(md5(self.number + 3),), provenance="harmless"
        )
        return AddEntries((made,))

    def stands(self) -> tuple[Any, ...]:
        """What must not become less: known signals that hold, how firmly; and what must not become more: excuses."""
        self.system.known.follow()
        holding = [found(self.system, md5(self.number + n)) for n in range(3)]
        firm = tuple(bool(one) and one[0].effect == "hold" for one in holding)
        bank = self.system.banks.get(self.known)
        excuses = bool(found(self.system, md5(self.number + 3)))
        return firm, bank.threshold, excuses, frozenset(self.system.keys.people().ever) - {"alice"}

    def attempt(self, deed: Callable[[str], object], who: Who) -> None:
        """As a door does it: try, and ask for what takes two."""
        try:
            deed(who.actor)
        except SecondPersonNeeded as needed:
            with suppress(HoldfastError):
                asked_for = self.system.proposals.ask(cast("Wanted", needed.wanted), who, because="let it pass")
                self.asked.append(asked_for.id)
        except HoldfastError:
            pass

    def deeds(self) -> list[Callable[[str], object]]:
        """Everything a person can ask of the banks, the keys and the settings."""
        system, known, benign = self.system, self.known, self.benign
        on_bank: list[tuple[str, Any]] = [
            (known, banks.DisableBank()),
            (known, banks.EnableBank()),
            (known, banks.ChangeThreshold(threshold=0, because="x")),
            (known, banks.ChangeThreshold(threshold=64, because="x")),
            (known, banks.ChangeAction(action=banks.Action.REVIEW, because="x")),
            (known, banks.ChangeAction(action=banks.Action.IGNORE, because="x")),
            (known, banks.ChangeAction(action=banks.Action.HOLD, because="x")),
            (benign, banks.EnableBank()),
            (benign, banks.DisableBank()),
        ]
        on_entry: list[tuple[str, str, Any]] = [
            (bank, entry, command)
            for bank, entry in ((known, self.entries[0]), (known, self.entries[1]), (benign, self.excuses[0]))
            for command in (
                entries.DisableEntry(),
                entries.EnableEntry(),
                entries.RemoveEntry(because="x"),
                entries.GiveOpinion(opinion=entries.Opinion.DISPUTED, because="x"),
                entries.GiveOpinion(opinion=entries.Opinion.CONFIRMED, because="x"),
            )
        ]
        line = [Line(1, "", "", (md5(self.number + 3),))]
        return [
            *(lambda by, b=b, c=c: system.banks.change_bank(b, c, actor=by) for b, c in on_bank),
            *(lambda by, b=b, e=e, c=c: system.banks.change_entry(b, e, c, actor=by) for b, e, c in on_entry),
            lambda by: system.banks.add_all(benign, self._benign_entry(), actor=by),
            lambda by: system.imports.run(benign, line, source="f", provenance="f", actor=by),
            lambda by: system.imports.roll_back(known, self.imported, because="x", actor=by),
            lambda by: self.key("alice", by),
            lambda by: self.key("bob", by),
            lambda by: self.key("mallory", by),
            lambda by: self.key(None, by),
            lambda by: self.revoke("bob", by),
            lambda by: self.revoke("alice", by),
        ]

    def key(self, person: str | None, by: str) -> None:
        """On the command line, where the account is Alice's."""
        self.system.keys.create(label="k", scopes=ALL, expires_at=None, actor=by, person=person, asker="alice")

    def revoke(self, person: str, by: str) -> None:
        """Whoever may use the command line may end any key."""
        for key in self.system.keys.all_keys():
            if key.person == person and not key.revoked:
                self.system.keys.revoke(key.prefix, actor=by)

    def answer(self, number: int, how: str, who: Who) -> None:
        """Agree to, refuse or withdraw what was asked for."""
        if not self.asked:
            return
        proposals, proposal = self.system.proposals, self.asked[number % len(self.asked)]
        with suppress(HoldfastError):
            if how == "agree":
                proposals.agree(proposal, who, because="x", digest=proposals.get(proposal).digest)
            elif how == "refuse":
                proposals.refuse(proposal, who, because="x")
            else:
                proposals.withdraw(proposal, who, because="x")


def at(moment: datetime) -> datetime:
    """A clock that stands."""
    return moment


HERS = [ALICE, Who("key:alice2", "alice"), Who("cli:alice", "alice"), Who("key:none", None), Who("system:hma", None)]
ACTS = st.one_of(
    st.tuples(st.just("deed"), st.integers(0, 34), st.sampled_from(HERS)),
    st.tuples(st.sampled_from(["agree", "agree", "refuse", "withdraw"]), st.integers(0, 9), st.sampled_from(HERS)),
    st.tuples(st.just("wait"), st.integers(1, 10_000), st.sampled_from(HERS)),
)


@STORIES
@given(st.lists(ACTS, min_size=1, max_size=25))
def test_no_sequence_of_one_persons_acts_weakens_anything(people: System, acts: list[tuple[str, int, Who]]) -> None:
    key_for(people, "alice")
    key_for(people, "bob")
    insider = Insider(people)
    firm, threshold, excuses, voices = insider.stands()
    assert firm == (True, True, True)
    assert not excuses
    deeds = insider.deeds()
    now = people.proposals._clock
    try:
        for act, number, who in acts:
            if act == "deed":
                insider.attempt(deeds[number % len(deeds)], who)
            elif act == "wait":
                later = now() + timedelta(hours=number)
                people.proposals._clock = partial(at, later)
                people.proposals.mark_overdue(later)
            else:
                insider.answer(number, act, who)
            assert insider.stands() == (firm, threshold, excuses, voices), (act, number, who)
    finally:
        people.proposals._clock = now


def test_the_same_acts_do_weaken_when_another_person_agrees(people: System) -> None:
    """So that the test above cannot pass because nothing works."""
    insider = Insider(people)
    for deed in insider.deeds()[:-2]:  # without ending keys
        insider.attempt(deed, ALICE)
    assert len(insider.asked) > 10
    for number in range(len(insider.asked)):
        insider.answer(number, "agree", BOB)
    firm, _, _, _ = insider.stands()
    assert not any(firm)
    assert [entry.state for entry in people.banks.entries(insider.known)].count(EntryState.ACTIVE) < 3

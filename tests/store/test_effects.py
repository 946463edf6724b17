# SPDX-License-Identifier: Apache-2.0
"""What is owed is done in order, at least once, by one at a time; what cannot be done ends with its owner."""

from __future__ import annotations

import random
from collections import defaultdict
from dataclasses import dataclass, field
from datetime import datetime, timedelta
from uuid import uuid4

import pytest
from django.db import transaction
from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import (
    RuleBasedStateMachine,
    initialize,
    invariant,
    precondition,
    rule,
    run_state_machine_as_test,
)

from holdfast.access.key import Scope
from holdfast.access.person import Who
from holdfast.bootstrap import System
from holdfast.effect.backoff import pause
from holdfast.effect.effect import EffectDone, EffectEnqueued, EffectQuarantined, EffectState, Weight
from holdfast.effect.handler import Done, Failed, Leased, Outcome, Refused
from holdfast.errors import EffectUnknown, InvalidRequest, PersonMissing
from holdfast.errors import Refused as RefusedError
from tests.effect.making import ACTOR, LASTING, NOW, order, owe
from tests.store.making import TWO, rows, together

KINDS = ["test.act"]
ANN, BOB = Who("cli:ann", "ann"), Who("cli:bob", "bob")


def give_keys(system: System) -> None:
    """Make these two people known."""
    from holdfast.store.keys import new_key

    for who in (ANN, BOB):
        command, _ = new_key(label="a test", scopes=frozenset({Scope.OPERATE}), expires_at=None, person=who.person)
        system.keys.write(command, actor=TWO)
        assert system.keys.draw_half(command.prefix, TWO.proposal)


def lease(system: System, most: int = 100, now: datetime = NOW) -> list[Leased]:
    return system.effects.lease(KINDS, most=most, lasting=LASTING, now=now)


def one(system: System, now: datetime = NOW) -> Leased:
    (leased,) = lease(system, now=now)
    return leased


def settle(system: System, leased: Leased, outcome: Outcome, now: datetime = NOW) -> bool:
    return system.effects.settle([(leased, outcome)], now=now)[0]


def quarantine(system: System) -> None:
    """Let the head be refused."""
    assert settle(system, one(system), Refused("gone"))


def told(system: System, effect_id: str) -> list[type]:
    return [type(row.happened) for row in system.journal.read(f"effect:{effect_id}")]


# --- owing


def test_what_a_transaction_owes_is_owed_only_if_it_commits(system: System) -> None:
    def fail_after_owing() -> None:
        with transaction.atomic(durable=True):
            system.effects.enqueue([order()], actor=ACTOR, at=NOW)
            raise LookupError

    with pytest.raises(LookupError):
        fail_after_owing()
    assert rows(system.settings.data, "effect", "journal") == {"effect": 0, "journal": 0}
    (effect_id,) = owe(system, order())
    assert told(system, effect_id) == [EffectEnqueued]
    assert one(system).id == effect_id


def test_nothing_is_owed_outside_a_transaction(system: System) -> None:
    with pytest.raises(RuntimeError, match="inside the transaction"):
        system.effects.enqueue([order()], actor=ACTOR, at=NOW)
    assert rows(system.settings.data, "effect") == {"effect": 0}


def test_an_order_that_could_never_be_carried_out_takes_its_whole_transaction_with_it(system: System) -> None:
    with pytest.raises(InvalidRequest, match="most_tries"):
        owe(system, order("a"), order("b", most_tries=0))
    assert rows(system.settings.data, "effect", "journal") == {"effect": 0, "journal": 0}


def test_what_is_leased_carries_what_was_ordered(system: System) -> None:
    owe(system, order("post 7", weight=Weight.PROTECTIVE))
    leased = one(system)
    assert (leased.item, leased.location, leased.payload) == ("post 7", "eu-1", {"content": "post-id"})
    assert (leased.weight, leased.tries, leased.until) == (Weight.PROTECTIVE, 1, NOW + LASTING)


# --- one line, one at a time, in order


def test_only_the_head_of_a_line_is_leased_and_the_next_once_it_is_done(system: System) -> None:
    ids = owe(system, *[order("a")] * 3, *[order("b")] * 2)
    assert {leased.id for leased in lease(system)} == {ids[0], ids[3]}
    assert lease(system) == []
    (again,) = lease(system, now=NOW + LASTING)[:1]
    assert again.id in {ids[0], ids[3]}


def test_a_worker_is_given_no_kind_that_it_does_not_know(system: System) -> None:
    owe(system, order(kind="test.other"))
    assert lease(system) == []


def test_what_protects_goes_first_however_much_else_waits(system: System) -> None:
    owe(system, *[order(f"notice {number}") for number in range(20)])
    (hold,) = owe(system, order("post 7", weight=Weight.PROTECTIVE))
    leased = system.effects.lease(["test.act"], most=3, now=NOW)
    assert len(leased) == 3
    assert leased[0].id == hold


def test_many_workers_at_once_finish_every_line_in_its_order_and_nothing_twice(system: System) -> None:
    owed: dict[str, list[str]] = defaultdict(list)
    for number in range(160):
        item = f"post-{number % 8}"
        owed[item] += owe(system, order(item))
    done: list[tuple[str, str]] = []

    def work() -> None:
        chance = random.Random()
        while len(done) < 160:
            taken = lease(system, most=chance.randint(1, 4))
            done.extend((leased.item, leased.id) for leased in taken)
            assert all(system.effects.settle([(leased, Done()) for leased in taken], now=NOW))

    together([work] * 4)
    finished: dict[str, list[str]] = defaultdict(list)
    for item, effect_id in done:
        finished[item].append(effect_id)
    assert finished == owed


def test_what_is_owed_at_the_same_moment_to_one_line_gets_one_place_after_another(system: System) -> None:
    ids = together([lambda: owe(system, order())[0]] * 8)
    seen = []
    while taken := lease(system):
        seen += [leased.id for leased in taken]
        assert settle(system, taken[0], Done())
    assert sorted(seen) == sorted(ids)


# --- fences


def test_whoever_comes_back_after_its_lease_is_not_listened_to(system: System) -> None:
    (effect_id,) = owe(system, order())
    late = one(system)
    assert not settle(system, late, Done(), now=NOW + LASTING)
    fresh = one(system, now=NOW + LASTING)
    assert (fresh.id, fresh.tries) == (effect_id, 2)
    assert not settle(system, late, Done(), now=NOW + LASTING)
    assert not settle(system, late, Refused("no"), now=NOW + LASTING)
    assert settle(system, fresh, Done(), now=NOW + LASTING)
    assert not settle(system, fresh, Done(), now=NOW + LASTING)
    assert told(system, effect_id) == [EffectEnqueued, EffectDone]


def test_one_answer_given_twice_in_one_breath_counts_once(system: System) -> None:
    owe(system, order())
    leased = one(system)
    assert system.effects.settle([(leased, Done()), (leased, Refused("no"))], now=NOW) == [True, False]


def test_an_effect_nobody_has_ever_owed_is_not_listened_to(system: System) -> None:
    owe(system, order())
    leased = one(system)
    ghost = Leased(**{name: getattr(leased, name) for name in leased.__slots__} | {"id": "eff_none"})
    assert system.effects.settle([(ghost, Done())], now=NOW) == [False]


# --- trying again


def test_a_failed_try_waits_longer_each_time_and_the_last_one_is_quarantined_with_an_alarm(system: System) -> None:
    (effect_id,) = owe(system, order(most_tries=3))
    now = NOW
    for tries in (1, 2, 3):
        assert settle(system, one(system, now), Failed("timeout"), now)
        if tries < 3:
            assert lease(system, now=now + pause(tries, effect_id) - timedelta(milliseconds=1)) == []
            now += pause(tries, effect_id)
    assert lease(system, now=now + timedelta(days=365)) == []
    assert told(system, effect_id) == [EffectEnqueued, EffectQuarantined]
    (alarm,) = system.alarms.standing(limit=10)
    assert (alarm.alarm.kind, alarm.alarm.about) == ("effect_quarantined", f"effect:{effect_id}")
    assert alarm.alarm.owner == "on-call"


def test_the_other_side_may_say_when_to_try_again(system: System) -> None:
    owe(system, order())
    later = NOW + timedelta(hours=2)
    assert settle(system, one(system), Failed("rate_limited", later))
    assert lease(system, now=later - timedelta(seconds=1)) == []
    assert one(system, now=later).tries == 2


def test_an_effect_that_kills_its_worker_every_time_is_quarantined_too(system: System) -> None:
    (effect_id,) = owe(system, order(most_tries=2))
    for number in range(2):
        one(system, now=NOW + number * LASTING)
    assert lease(system, now=NOW + 2 * LASTING) == []
    item = system.effect_desk.get(effect_id)
    assert (item.effect.state, item.fault) == (EffectState.QUARANTINED, "the worker at it was lost")
    assert len(system.alarms.standing(limit=10)) == 1


def test_a_refused_effect_blocks_its_own_line_alone(system: System) -> None:
    owe(system, order("a"))
    quarantine(system)
    owe(system, order("a"), order("b"))
    assert one(system).item == "b"


def test_what_protects_goes_before_what_is_quarantined_and_before_what_that_keeps_waiting(system: System) -> None:
    owe(system, order())
    quarantine(system)
    first, second = owe(system, order(), order(weight=Weight.PROTECTIVE), order(weight=Weight.PROTECTIVE))[1:]
    leased = one(system)
    assert leased.id == first
    assert lease(system) == []
    assert settle(system, leased, Done())
    assert one(system).id == second


def test_what_releases_never_goes_before_anything(system: System) -> None:
    owe(system, order())
    quarantine(system)
    owe(system, order(weight=Weight.RELEASING))
    assert lease(system) == []


def test_a_release_that_something_protective_went_before_is_never_carried_out(system: System) -> None:
    (stuck,) = owe(system, order())
    quarantine(system)
    release, hold = owe(system, order(weight=Weight.RELEASING), order(weight=Weight.PROTECTIVE))
    assert settle(system, one(system), Done())
    assert system.effect_desk.get(hold).effect.state is EffectState.DONE
    system.effect_desk.retry(stuck, because="mended", actor=ACTOR)
    assert settle(system, one(system), Done())
    assert lease(system) == []
    assert system.effect_desk.get(release).effect.state is EffectState.QUARANTINED
    with pytest.raises(RefusedError) as refusal:
        system.effect_desk.retry(release, because="try", actor=ACTOR)
    assert refusal.value.stable_code == "effect.overtaken"


# --- people


def test_a_person_lets_a_quarantined_effect_be_tried_again_in_its_old_place(system: System) -> None:
    (effect_id,) = owe(system, order())
    quarantine(system)
    owe(system, order())
    after = system.effect_desk.retry(effect_id, because="the other side is back", actor=ACTOR)
    assert after.effect.state is EffectState.WAITING
    assert system.alarms.standing(limit=10) == []
    leased = one(system)
    assert (leased.id, leased.tries) == (effect_id, 1)


def test_it_takes_two_people_to_give_an_effect_up(system: System) -> None:
    give_keys(system)
    (effect_id,) = owe(system, order())
    quarantine(system)
    (behind,) = owe(system, order())
    asked = system.effect_desk.give_up(effect_id, because="the item is gone", by=ANN)
    assert asked.effect.state is EffectState.GIVING_UP
    assert len(system.alarms.standing(limit=10)) == 1
    for ann in (ANN, Who("key:aaaaaaaa", "ann")):
        with pytest.raises(RefusedError) as refusal:
            system.effect_desk.give_up(effect_id, because="yes", by=ann)
        assert refusal.value.stable_code == "effect.same_person"
    for nobody in (Who("key:bbbbbbbb", None), Who("cli:carol", "carol")):
        with pytest.raises(PersonMissing):
            system.effect_desk.give_up(effect_id, because="yes", by=nobody)
    assert lease(system) == []
    agreed = system.effect_desk.give_up(effect_id, because="looked, it is", by=BOB)
    assert agreed.effect.state is EffectState.GIVEN_UP
    assert system.alarms.standing(limit=10) == []
    assert one(system).id == behind


def test_nothing_is_retried_while_another_of_its_line_is_in_somebodys_hands(system: System) -> None:
    (effect_id,) = owe(system, order())
    quarantine(system)
    owe(system, order(weight=Weight.PROTECTIVE))
    hold = one(system)
    with pytest.raises(RefusedError) as refusal:
        system.effect_desk.retry(effect_id, because="mended", actor=ACTOR)
    assert refusal.value.stable_code == "effect.busy"
    assert settle(system, hold, Done())
    system.effect_desk.retry(effect_id, because="mended", actor=ACTOR)
    assert one(system).id == effect_id


def test_an_effect_that_is_not_there_is_called_unknown(system: System) -> None:
    with pytest.raises(EffectUnknown):
        system.effect_desk.retry("eff_none", because="x", actor=ACTOR)
    with pytest.raises(EffectUnknown):
        system.effect_desk.give_up("eff_none", because="x", by=ANN)


def test_what_is_not_done_by_its_deadline_alarms_its_owner_once_and_is_tried_on(system: System) -> None:
    (effect_id,) = owe(system, order())
    after = NOW + timedelta(hours=1)
    assert system.effects.mark_late(after - timedelta(seconds=1)) == []
    assert system.effects.mark_late(after) == [effect_id]
    assert system.effects.mark_late(after) == []
    assert [item.alarm.kind for item in system.alarms.standing(limit=10)] == ["effect_late"]
    assert settle(system, one(system, after), Done(), after)
    assert system.alarms.standing(limit=10) == []


def test_people_see_what_is_owed_the_quarantined_first(system: System) -> None:
    (stuck,) = owe(system, order("b"))
    quarantine(system)
    (waiting,) = owe(system, order("a"))
    assert [item.id for item in system.effect_desk.open(limit=10)] == [stuck, waiting]
    assert [item.id for item in system.effect_desk.open(limit=10, quarantined_only=True)] == [stuck]
    lag = system.effect_desk.lag()
    assert (lag.waiting, lag.quarantined, lag.late) == (1, 1, 0)


# --- any story


@dataclass
class Owed:
    """What the model knows of one effect."""

    id: str
    weight: Weight
    state: str = "waiting"
    tries: int = 0
    ready_at: datetime = NOW
    holder: Leased | None = None
    overtaken: bool = False


@dataclass
class Model:
    """Lines of effects, written down as the promises say it."""

    lines: dict[str, list[Owed]] = field(default_factory=lambda: defaultdict(list))

    def heads(self, now: datetime) -> list[Owed]:
        """Of each line the one that may go, if one may."""
        found = [self.head(line) for line in self.lines.values()]
        return [owed for owed in found if owed is not None and owed.ready_at <= now]

    def head(self, line: list[Owed]) -> Owed | None:
        """The first that may go, ready or not."""
        if in_hand := [owed for owed in line if owed.state == "leased"]:
            return in_hand[0]
        stuck = False
        for owed in line:
            stuck = stuck or owed.state in ("quarantined", "giving_up")
            if owed.state == "waiting" and (not stuck or owed.weight is Weight.PROTECTIVE):
                return owed
        return None


class Story(RuleBasedStateMachine):
    """Any interleaving of owing, leasing, dying, answering and deciding, against the model."""

    system: System

    @initialize()
    def begin(self) -> None:
        self.run = uuid4().hex
        self.kind = f"test.k{self.run}"
        self.now = NOW
        self.model = Model()
        self.leases: list[Leased] = []
        self.done: dict[str, list[str]] = defaultdict(list)

    def every(self) -> list[Owed]:
        return [owed for line in self.model.lines.values() for owed in line]

    @rule(item=st.integers(0, 1), weight=st.sampled_from(Weight))
    def owe(self, item: int, weight: Weight) -> None:
        name = f"{self.run}-{item}"
        (effect_id,) = owe(self.system, order(name, kind=self.kind, weight=weight, most_tries=2), at=self.now)
        self.model.lines[name].append(Owed(effect_id, weight))

    @rule(seconds=st.integers(0, 90))
    def time_passes(self, seconds: int) -> None:
        self.now += timedelta(seconds=seconds)

    @rule()
    def lease(self) -> None:
        expected = {}
        for owed in self.model.heads(self.now):
            line = next(line for line in self.model.lines.values() if owed in line)
            later = line[line.index(owed) + 1 :]
            lost = owed.state == "leased" and owed.tries >= 2
            passed = any(one.weight is Weight.PROTECTIVE and one.state in ("leased", "done") for one in later)
            overtaken = owed.weight is Weight.RELEASING and passed
            if lost or overtaken:
                owed.state, owed.overtaken = "quarantined", overtaken
                continue
            owed.state, owed.tries, owed.ready_at = "leased", owed.tries + 1, self.now + LASTING
            expected[owed.id] = owed
        taken = self.system.effects.lease([self.kind], most=100, lasting=LASTING, now=self.now)
        assert {leased.id: leased.tries for leased in taken} == {key: owed.tries for key, owed in expected.items()}
        for leased in taken:
            expected[leased.id].holder = leased
        self.leases += taken

    @precondition(lambda self: self.leases)
    @rule(which=st.integers(0, 1000), outcome=st.sampled_from([Done(), Done(), Failed("x"), Refused("x")]))
    def answer(self, which: int, outcome: Outcome) -> None:
        leased = self.leases[which % len(self.leases)]
        owed = next(one for one in self.every() if one.id == leased.id)
        good = owed.state == "leased" and owed.holder is leased and self.now < owed.ready_at
        (heard,) = self.system.effects.settle([(leased, outcome)], now=self.now)
        assert heard == good
        if not heard:
            return
        if outcome == Done():
            owed.state = "done"
        elif outcome == Refused("x") or owed.tries >= 2:
            owed.state = "quarantined"
        else:
            owed.state, owed.ready_at = "waiting", self.now + pause(owed.tries, owed.id)

    @precondition(lambda self: any(owed.state in ("quarantined", "giving_up") for owed in self.every()))
    @rule(which=st.integers(0, 1000))
    def retry(self, which: int) -> None:
        stuck = [owed for owed in self.every() if owed.state in ("quarantined", "giving_up")]
        owed = stuck[which % len(stuck)]
        line = next(line for line in self.model.lines.values() if owed in line)
        busy = any(one.state == "leased" for one in line)
        later = line[line.index(owed) + 1 :]
        passed = any(one.weight is Weight.PROTECTIVE and one.state in ("leased", "done") for one in later)
        if busy or (passed and owed.weight is Weight.RELEASING):
            with pytest.raises(RefusedError):
                self.system.effect_desk.retry(owed.id, because="x", actor=ACTOR)
            return
        self.system.effect_desk.retry(owed.id, because="x", actor=ACTOR)
        owed.state, owed.tries, owed.ready_at = "waiting", 0, NOW

    @precondition(lambda self: any(owed.state in ("quarantined", "giving_up") for owed in self.every()))
    @rule(which=st.integers(0, 1000))
    def give_up(self, which: int) -> None:
        stuck = [owed for owed in self.every() if owed.state in ("quarantined", "giving_up")]
        owed = stuck[which % len(stuck)]
        by = ANN if owed.state == "quarantined" else BOB
        self.system.effect_desk.give_up(owed.id, because="x", by=by)
        owed.state = "giving_up" if owed.state == "quarantined" else "given_up"

    @invariant()
    def every_effect_stands_where_the_model_says(self) -> None:
        stands = {owed.id: self.system.effect_desk.get(owed.id).effect.state for owed in self.every()}
        assert stands == {owed.id: owed.state for owed in self.every()}

    @invariant()
    def exactly_what_is_quarantined_has_an_alarm(self) -> None:
        about = {item.alarm.about for item in self.system.alarms.standing(limit=100_000)}
        ours = {f"effect:{owed.id}" for owed in self.every()}
        stuck = {f"effect:{owed.id}" for owed in self.every() if owed.state in ("quarantined", "giving_up")}
        assert about & ours == stuck


def test_any_story_of_leases_crashes_answers_and_people_keeps_the_promises(system: System) -> None:
    give_keys(system)
    machine = type("StoryHere", (Story,), {"system": system})
    few = settings(max_examples=max(20, (settings.default.max_examples if settings.default else 60) // 3))
    run_state_machine_as_test(machine, settings=settings(few, stateful_step_count=30, deadline=None))

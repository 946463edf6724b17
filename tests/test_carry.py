# SPDX-License-Identifier: Apache-2.0
"""The worker's carrier does everything that is owed, and outlives its handlers and its database."""

from __future__ import annotations

import threading
from collections import Counter
from datetime import timedelta

from django.db import connections

from holdfast.adapters.listener import listening
from holdfast.bootstrap import System
from holdfast.carry import Carrier
from holdfast.effect.effect import EffectState
from holdfast.effect.handler import Done, Leased, Outcome, Refused
from holdfast.store.waking import CHANNEL, Bell
from tests.effect.making import order, owe

PATIENCE = 30.0


def test_everything_owed_is_carried_out_once_and_in_order(system: System) -> None:
    ids = owe(system, *[order(f"post-{number % 5}") for number in range(40)])
    called: list[str] = []

    def handle(effect: Leased) -> Outcome:
        called.append(effect.id)
        return Done()

    carrier = Carrier(system.effects, {"test.act": handle}, hands=3)
    carrier.drain()
    carrier.close()
    assert Counter(called) == Counter(ids)
    for item in range(5):
        of_one = [one for number, one in enumerate(ids) if number % 5 == item]
        assert [one for one in called if one in of_one] == of_one
    assert system.effect_desk.open(limit=1) == []


def test_what_a_handler_raises_is_a_failed_try_with_its_name(system: System) -> None:
    (effect_id,) = owe(system, order(most_tries=1))

    def handle(effect: Leased) -> Outcome:
        raise ZeroDivisionError(effect.id)

    carrier = Carrier(system.effects, {"test.act": handle})
    carrier.drain()
    carrier.close()
    item = system.effect_desk.get(effect_id)
    assert (item.effect.state, item.fault) == (EffectState.QUARANTINED, "ZeroDivisionError")


def test_a_poisoned_effect_does_not_keep_others_from_being_carried_out(system: System) -> None:
    owe(system, *[order(f"post-{number}") for number in range(30)])
    carrier = Carrier(
        system.effects, {"test.act": lambda effect: Refused("poison") if effect.item == "post-7" else Done()}
    )
    carrier.drain()
    carrier.close()
    (left,) = system.effect_desk.open(limit=10)
    assert (left.effect.order.item, left.effect.state) == ("post-7", EffectState.QUARANTINED)


def test_a_handler_that_outlasts_its_lease_is_called_again_and_its_late_word_does_not_count(system: System) -> None:
    (effect_id,) = owe(system, order())
    slow, may_end = threading.Event(), threading.Event()
    fences: list[int] = []

    def handle(effect: Leased) -> Outcome:
        fences.append(effect.fence)
        if effect.tries == 1:
            slow.set()
            assert may_end.wait(PATIENCE)
            return Refused("what it says is too late")
        return Done()

    first = Carrier(system.effects, {"test.act": handle}, lasting=timedelta(0))
    first.round()
    assert slow.wait(PATIENCE)
    second = Carrier(system.effects, {"test.act": handle})
    second.drain()
    second.close()
    may_end.set()
    first.close()
    assert fences == [1, 2]
    assert system.effect_desk.get(effect_id).effect.state is EffectState.DONE
    assert system.alarms.standing(limit=1) == []


def test_it_is_woken_by_what_is_owed_and_stops_when_told(system: System) -> None:
    url = system.settings.database_url
    assert url
    done, stopping = threading.Event(), threading.Event()

    def handle(effect: Leased) -> Outcome:  # noqa: ARG001  # the form of a handler
        done.set()
        return Done()

    carrier = Carrier(system.effects, {"test.act": handle})
    connections.close_all()
    thread = threading.Thread(target=carrier.for_ever, args=(url, stopping.is_set))
    thread.start()
    try:
        owe(system, order())
        assert done.wait(PATIENCE)
    finally:
        stopping.set()
        thread.join(PATIENCE)
    assert not thread.is_alive()
    assert system.effect_desk.lag().waiting == 0


def test_the_bell_is_heard_once_for_all_that_is_owed_within_a_tenth_of_a_second(system: System) -> None:
    url = system.settings.database_url
    assert url
    now = [0.0]
    bell = Bell(lambda: now[0])
    with listening(url, CHANNEL) as direct:
        rings = []
        for moment in (0.0, 0.01, 0.09, 0.1, 0.15, 0.35):
            now[0] = moment
            rings.append(bell.ring())
        heard = list(direct.notifies(timeout=PATIENCE, stop_after=3))
    assert rings == [True, False, False, True, False, True]
    assert len(heard) == 3

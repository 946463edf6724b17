# SPDX-License-Identifier: Apache-2.0
"""What every handler of effects promises: its test inherits this class and says how to reach its other side."""

from __future__ import annotations

import pytest

from holdfast.effect.effect import Weight
from holdfast.effect.handler import Done, Failed, Handler, Leased
from tests.effect.making import LASTING, NOW


class HandlerContract:
    """Inherit, and give `handler`, `leased`, `acts`, `break_other_side`; the other side is a real one."""

    @pytest.fixture
    def handler(self) -> Handler:
        """The handler, wired to its other side."""
        raise NotImplementedError

    def leased(self, effect_id: str, *, tries: int = 1) -> Leased:
        """An effect that it can carry out; override to give it another kind and payload."""
        return a_lease(effect_id, tries=tries)

    def acts(self, effect_id: str) -> int:
        """How many times the other side did what this effect asks."""
        raise NotImplementedError

    def break_other_side(self) -> None:
        """Let the other side be out of reach."""
        raise NotImplementedError

    def test_what_it_calls_done_was_done(self, handler: Handler) -> None:
        assert handler(self.leased("eff_a")) == Done()
        assert self.acts("eff_a") == 1

    def test_called_again_for_the_same_effect_it_does_nothing_more(self, handler: Handler) -> None:
        for tries in (1, 2, 3):
            assert handler(self.leased("eff_a", tries=tries)) == Done()
        assert self.acts("eff_a") == 1

    def test_two_effects_are_two_acts(self, handler: Handler) -> None:
        assert [handler(self.leased(one)) for one in ("eff_a", "eff_b")] == [Done(), Done()]
        assert [self.acts(one) for one in ("eff_a", "eff_b")] == [1, 1]

    def test_what_it_cannot_tell_is_failed_and_never_done(self, handler: Handler) -> None:
        self.break_other_side()
        outcome = handler(self.leased("eff_a"))
        assert isinstance(outcome, Failed)
        assert 0 < len(outcome.fault) <= 100
        assert self.acts("eff_a") == 0


def a_lease(effect_id: str, *, tries: int = 1, kind: str = "test.act", **payload: str) -> Leased:
    """An effect in the hands of a worker."""
    return Leased(
        id=effect_id,
        kind=kind,
        item="post-1",
        location="eu-1",
        payload=payload,
        weight=Weight.NEUTRAL,
        tries=tries,
        owner="on-call",
        fence=tries,
        until=NOW + LASTING,
    )

# SPDX-License-Identifier: Apache-2.0
"""A key is made, used, retired and destroyed, in this order and once."""

from __future__ import annotations

import pytest

from holdfast.errors import Refusal
from holdfast.sealed.kek import (
    KEK_TRANSITIONS,
    DestroyKek,
    KekCommand,
    KekState,
    MakeKek,
    RetireKek,
    UseKek,
    decide_kek,
    evolve_kek,
)

COMMANDS: tuple[KekCommand, ...] = (MakeKek(), UseKek(), RetireKek(), DestroyKek())


@pytest.mark.parametrize("state", [None, *KekState])
@pytest.mark.parametrize("command", COMMANDS, ids=lambda one: type(one).__name__)
def test_every_state_and_command_is_as_the_table_says(state: KekState | None, command: KekCommand) -> None:
    events = decide_kek(state, command)
    expected = KEK_TRANSITIONS.get((state, type(command)))
    if expected is None:
        assert isinstance(events, Refusal)
        return
    assert not isinstance(events, Refusal)
    assert evolve_kek(state, events[0]) is expected
    for other in {None, *KekState} - {state}:
        with pytest.raises(ValueError, match="no key can have"):
            evolve_kek(other, events[0])

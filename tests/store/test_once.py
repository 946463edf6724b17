# SPDX-License-Identifier: Apache-2.0
"""A key and the change it stands for are committed together or not at all."""

from __future__ import annotations

from datetime import timedelta

import psycopg
import pytest

from holdfast.bootstrap import System
from holdfast.errors import AnswerLost, AnswerPending, IdempotencyConflict
from holdfast.match.bank import CreateBank, DisableBank
from tests.conftest import superuser
from tests.store.making import ACTOR, TWO, create, rows

DISABLE = DisableBank()


def claim(digest: str = "d") -> object:
    from holdfast.store.once import Claim

    return Claim("abcdefgh", "key-1", lambda: digest)


def disable(system: System, under: object) -> None:
    from holdfast.store.once import carrying

    with carrying(under):  # type: ignore[arg-type]
        system.banks.change_bank("bank", DISABLE, actor=TWO)


def asked(under: object) -> object:
    from holdfast.store.once import first_answer

    return first_answer(under)  # type: ignore[arg-type]


def test_a_change_that_was_made_and_not_answered_is_never_made_again(system: System) -> None:
    create(system)
    disable(system, claim())
    with pytest.raises(AnswerPending):
        asked(claim())
    with pytest.raises(AnswerPending):
        disable(system, claim())
    with psycopg.connect(superuser(system.settings.data), autocommit=True) as connection:
        connection.execute("update idempotency set at = at - %s", [timedelta(minutes=2)])
    with pytest.raises(AnswerLost):
        asked(claim())
    assert system.journal.last_version("bank:bank") == 2


def test_a_change_that_was_refused_leaves_its_key_free(system: System) -> None:
    from holdfast.errors import Refused
    from holdfast.store.once import carrying

    create(system)
    same = CreateBank(name="bank", meaning="m", source="s")
    with pytest.raises(Refused), carrying(claim()):  # type: ignore[arg-type]
        system.banks.change_bank("bank", same, actor=ACTOR)
    assert rows(system.settings.data, "idempotency") == {"idempotency": 0}
    assert asked(claim()) is None


def test_the_answer_is_kept_beside_the_key_and_belongs_to_its_request(system: System) -> None:
    from holdfast.store.once import keep_answer

    create(system)
    disable(system, claim())
    keep_answer(claim(), 200, {"state": "disabled"})  # type: ignore[arg-type]
    assert asked(claim()) == (200, {"state": "disabled"})
    with pytest.raises(IdempotencyConflict):
        asked(claim("another request"))

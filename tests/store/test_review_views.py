# SPDX-License-Identifier: Apache-2.0
"""An operator sees what people are to look at and who is asked, and never what anybody found, or why."""

from __future__ import annotations

from dataclasses import asdict
from datetime import timedelta
from typing import Any

from holdfast.access.role import Colleague, Role
from holdfast.bootstrap import System
from holdfast.review.finding import Ground, Verdict
from tests.desk.making import Place, place

ANN = Colleague(person="ann", roles=frozenset({Role.REVIEWER}))


def held(system: System) -> tuple[Place, str]:
    """Something that is held, and whose review asks Ann."""
    from holdfast.store.review_people import Asking

    at = place(system, asking=Asking(colleagues=lambda: (ANN,), chance=lambda below: below - 1))
    address = at.site.publish("mallory")
    at.report(address)
    at.carry()
    at.wait(timedelta(seconds=1))
    return at, address


def listed(*, everything: bool = False) -> list[dict[str, Any]]:
    from holdfast.store.review_views import reviews

    return [asdict(one) for one in reviews(everything=everything, limit=10)]


def test_what_waits_is_listed_with_whom_chance_asked(system: System) -> None:
    _, address = held(system)
    (one,) = listed()
    assert (one["item"], one["asked"], one["state"], one["spoke"]) == (address.rpartition("/")[2], "ann", "asked", 0)


def test_what_is_settled_is_listed_among_all_only_and_without_what_anybody_said(system: System) -> None:
    at, _ = held(system)
    (one,) = listed()
    words = "what nobody else is to read"
    from holdfast.store.reviews import Said

    said = Said(by="ann", verdict=Verdict.REMOVE, ground=Ground.LIST_MATCH, words=words)
    at.desk.reviews.find(one["id"], said, actor="staff:ann")
    assert listed() == []
    (settled,) = listed(everything=True)
    assert (settled["outcome"], settled["spoke"]) == ("remove", 1)
    assert words not in str(settled)
    assert set(settled) == set(one)

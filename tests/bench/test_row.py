# SPDX-License-Identifier: Apache-2.0
"""A row is plain JSON with every field, and says truly whether its target is met."""

from __future__ import annotations

import json
from dataclasses import replace

import pytest

from bench.row import Row, distance_row, speed_row, to_json

FIELDS = ["name", "ours", "peer", "ratio", "target", "met", "detail"]


def test_rows_are_one_json_list_of_all_fields_in_order() -> None:
    rows = [
        speed_row("hash", ours=2.0, peer=50.0, target=20, detail={"pictures": 3, "parts": {"decode": 1.5}}),
        distance_row("fidelity", [0, 2, 4], most=6, detail={}),
    ]
    read = json.loads(to_json(rows))
    assert [list(row) for row in read] == [FIELDS, FIELDS]
    assert read[0]["ratio"] == 25
    assert read[0]["met"] is True
    assert read[0]["detail"]["parts"] == {"decode": 1.5}
    assert read[1]["peer"] is None
    assert read[1]["ratio"] is None


def test_no_rows_are_an_empty_list() -> None:
    assert json.loads(to_json([])) == []


def test_a_number_that_json_does_not_have_is_refused() -> None:
    row = Row("hash", 1.0, None, None, 1.0, met=False)
    with pytest.raises(ValueError, match="not JSON compliant"):
        to_json([replace(row, ours=float("nan"))])


@pytest.mark.parametrize(("ours", "met"), [(2.5, True), (2.501, False)])
def test_a_speed_target_is_met_at_the_ratio_and_not_just_below(ours: float, met: bool) -> None:
    assert speed_row("hash", ours=ours, peer=50.0, target=20, detail={}).met is met


@pytest.mark.parametrize(
    ("bits", "mean", "met"),
    [([0, 12], None, True), ([0, 14], None, False), ([0, 4], 2.0, True), ([2, 4], 2.0, False)],
)
def test_a_distance_target_is_met_by_the_largest_and_by_the_mean(
    bits: list[int], mean: float | None, met: bool
) -> None:
    assert distance_row("fidelity", bits, most=12, mean=mean, detail={}).met is met

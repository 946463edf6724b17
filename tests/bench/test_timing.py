# SPDX-License-Identifier: Apache-2.0
"""Timing alternates its sides, keeps the best, and leaves the process as it found it."""

from __future__ import annotations

import os
import time

from bench.timing import interleaved, one_core


def test_sides_take_turns_and_the_best_of_each_is_kept() -> None:
    order: list[str] = []
    times = interleaved(lambda: order.append("ours"), lambda: order.append("peer"), tries=3)
    assert order == ["ours", "peer"] * 3
    assert all(0 <= taken < 100 for taken in times)


def test_sleeping_costs_no_cpu_time() -> None:
    (slept,) = interleaved(lambda: time.sleep(0.05), tries=1)
    assert slept < 40


def test_one_core_is_given_back() -> None:
    before = os.sched_getaffinity(0)
    with one_core() as core:
        assert os.sched_getaffinity(0) == {core}
    assert os.sched_getaffinity(0) == before

# SPDX-License-Identifier: Apache-2.0
"""How often one network may try: counted exactly, forgotten after a minute, and never against another network."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from holdfast.demo.pictures import encoded, hills
from holdfast.web.doors.limit import MINUTE, Limit
from tests.web.doors.visiting import Visitor

PHOTO = encoded(hills(4713, (160, 120)))


@given(st.integers(1, 50), st.lists(st.floats(0, 59), max_size=80))
def test_so_many_in_a_minute_and_no_more(most: int, moments: list[float]) -> None:
    limit, taken = Limit(most), 0
    for at in sorted(moments):
        if not limit.wait("a", at):
            limit.count("a", at)
            taken += 1
    assert taken == min(most, len(moments))


@given(st.integers(1, 20), st.floats(0, 1e6), st.floats(0, 59.9))
def test_whoever_waits_as_long_as_told_may_try_again(most: int, began: float, later: float) -> None:
    limit = Limit(most)
    for _ in range(most):
        limit.count("a", began)
    wait = limit.wait("a", began + later)
    assert 1 <= wait <= MINUTE + 1
    assert not limit.wait("a", began + later + wait)


def test_another_source_is_not_touched() -> None:
    limit = Limit(1)
    limit.count("a", 0)
    assert limit.wait("a", 1)
    assert not limit.wait("b", 1)


def test_so_many_sources_are_remembered_and_no_more() -> None:
    limit = Limit(1, sources=100)
    for number in range(1000):
        limit.count(f"source {number}", 0)
    assert sum(bool(limit.wait(f"source {number}", 0)) for number in range(1000)) == 100
    assert limit.wait("source 999", 0)


def test_twenty_files_a_minute_and_without_one_the_report_goes_on_at_once(visitor: Visitor) -> None:
    fields = {"words": "typed with care", "addresses": "", "contact": ""}
    assert {visitor.send("/report", fields, PHOTO).status for _ in range(20)} == {200}
    page = visitor.send("/report", fields, PHOTO)
    assert page.status == 429
    assert 1 <= int(page.headers["Retry-After"]) <= 60
    says, file = page.faults()
    assert "press Send again in" in says
    assert "Without the file you can send it now." in says
    assert "please choose it again" in file
    assert dict(page.form("/report").fields)["words"] == "typed with care"
    assert visitor.post("/report", page.form("/report").fields).words


def test_two_hundred_reports_a_minute_are_never_refused_and_then_nothing_is_lost(visitor: Visitor) -> None:
    assert {visitor.post("/report", {"words": ""}).status for _ in range(199)} == {422}
    assert visitor.report(words="the two hundredth").words
    page = visitor.post("/report", {"words": "typed with care"})
    assert page.status == 429
    assert "Without the file" not in page.main
    assert dict(page.form("/report").fields)["words"] == "typed with care"

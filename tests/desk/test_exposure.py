# SPDX-License-Identifier: Apache-2.0
"""What is counted after notice: every view and every minute, and nothing that was not read."""

from __future__ import annotations

from datetime import timedelta

import pytest

from holdfast.bootstrap import System
from holdfast.testing.simulators import How
from tests.desk.making import Place, place


@pytest.fixture
def at(system: System) -> Place:
    return place(system)


def the_case(at: Place, code: str) -> str:
    (case,) = at.desk.reports.open(code).report.cases
    return case


def look(at: Place, address: str, often: int) -> None:
    upload = at.site.upload(address)
    for _ in range(often):
        for one in upload.places.values():
            at.site.view(one.location)


def test_views_and_minutes_after_notice_are_counted_and_those_before_are_not(at: Place) -> None:
    from holdfast.store.exposures import exposure_of, totals

    address = at.site.publish("mallory", places=2)
    look(at, address, 100)
    at.wait(timedelta(seconds=1))
    at.platform.fail("hold", How.AWAY)
    receipt = at.report(address)
    at.carry()
    begun = at.now
    at.wait(timedelta(minutes=3))
    look(at, address, 7)
    at.platform.recover()
    at.carry()
    at.wait(timedelta(hours=1, minutes=5))
    at.carry()
    found = exposure_of(the_case(at, receipt.code), at.now)
    assert found.notice == begun
    assert found.exposure.views_after_notice == 14
    assert found.exposure.minutes_visible == pytest.approx(6)
    assert totals(begun, at.now).views_after_notice == 14


def test_a_breach_counts_from_when_it_was_seen_until_it_is_held_again(at: Place) -> None:
    from holdfast.store.exposures import exposure_of

    address = at.site.publish("mallory", places=1)
    receipt = at.report(address)
    at.carry()
    at.leak(address)
    at.platform.fail("hold", How.AWAY)
    at.wait(timedelta(minutes=2))
    at.carry()
    at.wait(timedelta(minutes=10))
    at.platform.recover()
    at.carry()
    assert exposure_of(the_case(at, receipt.code), at.now).exposure.minutes_visible == pytest.approx(10)


def test_counters_that_were_read_too_late_are_unknown_and_not_nought(at: Place) -> None:
    from holdfast.store.exposures import exposure_of, totals

    address = at.site.publish("mallory")
    at.platform.fail("views", How.AWAY)
    receipt = at.report(address)
    at.carry()
    assert exposure_of(the_case(at, receipt.code), at.now).exposure.views_after_notice is None
    assert totals(at.now - timedelta(days=1), at.now).cases_not_counted == 1

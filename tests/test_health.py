# SPDX-License-Identifier: Apache-2.0
"""What `doctor` says of the platform: it is asked, signed, and what it answers is told."""

from __future__ import annotations

import dataclasses

from holdfast import health
from holdfast.adapters.platform import SignedPlatform
from holdfast.bootstrap import System
from holdfast.hold.platform import Platform
from holdfast.start import clock
from holdfast.testing.platform_server import serve_platform
from holdfast.testing.simulators import How, SimulatedPlatform

KEY = bytes(range(32))


def found(system: System, platform: Platform | None, url: str | None, sites: str = "") -> dict[str, tuple[str, str]]:
    settings = system.settings.model_copy(update={"platform_url": url, "platform_sites": sites})
    findings = health._platform(dataclasses.replace(system, platform=platform, settings=settings))
    return {one.what: (one.grade, one.says) for one in findings}


def grades(findings: dict[str, tuple[str, str]]) -> dict[str, str]:
    return {what: grade for what, (grade, _) in findings.items()}


def test_without_a_platform_nothing_can_be_put_out_of_reach(wired: System) -> None:
    findings = found(wired, None, None)
    assert grades(findings) == {"platform": "weaker"}
    assert "HOLDFAST_PLATFORM_URL" in findings["platform"][1]


def test_a_platform_that_answers_is_good_and_one_taken_at_its_word_is_weaker(wired: System) -> None:
    with serve_platform(SimulatedPlatform(), KEY) as url:
        platform = SignedPlatform(url, KEY, clock)
        sites = "https://a.example,https://b.example"
        assert grades(found(wired, platform, url, sites)) == {"platform": "good", "platform: sites": "good"}
        assert grades(found(wired, platform, url)) == {"platform": "good", "platform: sites": "weaker"}
        platform.close()


def test_a_platform_that_does_not_answer_is_wrong_and_it_says_how_and_what_to_do(wired: System) -> None:
    simulated = SimulatedPlatform()
    with serve_platform(simulated, KEY) as url:
        refused, platform = SignedPlatform(url, bytes(32), clock), SignedPlatform(url, KEY, clock)
        grade, says = found(wired, refused, url)["platform"]
        assert (grade, "the signature was refused" in says) == ("wrong", True)
        for how in (How.AWAY, How.REFUSED):
            simulated.fail("resolve", how, times=1)
            grade, says = found(wired, platform, url)["platform"]
            assert grade == "wrong"
            assert "resolve: status" in says
        refused.close()
        platform.close()


def test_calls_that_leave_this_machine_without_tls_are_weaker(wired: System) -> None:
    simulated = SimulatedPlatform()
    for url, weaker in (
        ("http://platform.example/holdfast", True),
        ("http://10.1.2.3/holdfast", True),
        ("https://platform.example/holdfast", False),
        ("http://127.0.0.1:9000/holdfast", False),
        ("http://[::1]:9000/holdfast", False),
    ):
        assert ("platform: TLS" in found(wired, simulated, url)) is weaker

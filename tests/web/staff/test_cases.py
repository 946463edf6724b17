# SPDX-License-Identifier: Apache-2.0
"""The pages of cases: for those who answer for them, without content or what somebody found of an open one."""

from __future__ import annotations

import itertools
import json
from collections.abc import Iterator
from functools import partial
from pathlib import Path

import pytest

from holdfast.access.role import Role
from holdfast.bootstrap import System
from holdfast.media.filetype import FileType
from tests.beside import Beside, standing
from tests.conftest import holdfast
from tests.pictures import encoded, natural
from tests.web.doors.visiting import until
from tests.web.staff.signing import Person, hired

SEEDS = itertools.count(4712)


@pytest.fixture(scope="module")
def work(folder: Path) -> Iterator[Beside]:
    with standing(folder / "cased") as made:
        yield made


@pytest.fixture(scope="module")
def two(work: Beside) -> tuple[Person, Person]:
    """Somebody who answers for cases, and somebody who looks."""
    return hired(work.server, "lea", "lead", "legal"), hired(work.server, "ray", "reviewer")


def test_whoever_reads_cases_is_never_asked_to_find_anything_in_them(system: System) -> None:
    assert system
    from holdfast.web.staff.casing import ANSWER_FOR_CASES

    assert {Role.INTAKE, Role.LEAD, Role.LEGAL, Role.AUDITOR} == ANSWER_FOR_CASES


def case_of(work: Beside, address: str) -> str:
    listed = json.loads(holdfast(work.server.environment, "reviews", "list", "--all", "--json").stdout)
    return str(next(one["case"] for one in listed if one["item"] == address.rpartition("/")[2]))


def held(work: Beside) -> tuple[str, str]:
    """Something that was reported, and is out of reach; its address and its case."""
    address = work.site.publish("mallory", content=encoded(natural(240, 320, next(SEEDS)), FileType.PNG))
    assert work.visitor().report(address, reporter="parent", category="csam").words
    upload = work.site.upload(address)
    until(lambda: not any(work.site.view(place.location) for place in upload.places.values()))
    until(lambda: address.rpartition("/")[2] in holdfast(work.server.environment, "reviews", "list", "--json").stdout)
    return address, case_of(work, address)


def test_who_answers_for_cases_sees_how_each_stands(work: Beside, two: tuple[Person, Person]) -> None:
    lea, _ = two
    _, case = held(work)
    assert "Cases, and how they stand" in lea.get("/staff/").text
    listed = lea.get("/staff/cases")
    assert case in listed.text
    page = lea.get(f"/staff/cases/{case}")
    assert page.status == 200
    assert "About: csam. State: open." in page.text
    assert "1 report, 1 item" in page.text
    assert "1 item still to be looked at" in page.text
    assert "Nothing yet." in page.text
    assert "a person has looked at what is held: due " in page.text
    assert page.hidden("form"), "its forms are of this session"
    assert "<img" not in page.html


def test_who_looks_sees_no_case_and_nobody_else_does(work: Beside, two: tuple[Person, Person]) -> None:
    _, ray = two
    _, case = held(work)
    assert "Cases, and how they stand" not in ray.get("/staff/").text
    for path in ("/staff/cases", f"/staff/cases/{case}"):
        assert ray.get(path).status == 403
        assert Person(work.server.address, "nobody").get(path).status == 302
    assert two[0].get("/staff/cases/cas_none").status == 404


def test_what_somebody_found_is_not_there_and_what_was_decided_is(work: Beside, two: tuple[Person, Person]) -> None:
    lea, ray = two
    address, case = held(work)
    for person in (ray, lea):
        until(partial(_asked_or_decided, work, person, lea, case))
        if _decided(lea, case):
            break
        (review,) = _asked(work, person, case)
        done = person.post(f"/staff/reviews/{review}", verdict="remove", ground="words", words="as it is written")
        assert "What you found is written down." in done.text
        assert "as it is written" not in lea.get(f"/staff/cases/{case}").text
    until(lambda: _decided(lea, case))
    page = lea.get(f"/staff/cases/{case}").text
    assert f"{address.rpartition('/')[2]}: removed" in page
    assert "Nothing waits to be looked at." in page


def _asked_or_decided(work: Beside, person: Person, lea: Person, case: str) -> bool:
    return bool(_asked(work, person, case)) or _decided(lea, case)


def _decided(lea: Person, case: str) -> bool:
    return ": removed, " in lea.get(f"/staff/cases/{case}").text


def _asked(work: Beside, person: Person, case: str) -> list[str]:
    """The reviews of a case that somebody is asked."""
    listed = json.loads(holdfast(work.server.environment, "reviews", "list", "--json").stdout)
    return [one["review"] for one in listed if one["case"] == case and one["asked"] == person.name]

# SPDX-License-Identifier: Apache-2.0
"""Commons without Holdfast: everything is public at once, and one person's answer to a report is the end of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from commons.client import Person

from tests.examples.commons.running import Running, environment_of, picture, start, stop

PASSWORD = "a long password"


@pytest.fixture(scope="module")
def alone(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Running]:
    environment = environment_of(tmp_path_factory.mktemp("alone"), "", "")
    kept = {name: value for name, value in environment.items() if name not in _OF_HOLDFAST}
    running = start({**kept, "COMMONS_ALONE": "1", "COMMONS_MODERATORS": "mona moe"})
    yield running
    stop(running)


_OF_HOLDFAST = ("COMMONS_HOLDFAST_URL", "COMMONS_HOLDFAST_KEY", "COMMONS_SECRET_FILE")


@pytest.fixture(scope="module")
def mona(alone: Running) -> Person:
    return Person(alone.site, "mona", PASSWORD)


def flag(alone: Running, address: str, words: str = "Take this away.") -> str:
    """Report an address; where the answer will be."""
    answer = alone.stranger.post("/flag", data={"address": address, "words": words})
    assert answer.status_code == 303
    return str(answer.headers["location"])


def waiting(mona: Person) -> str:
    return mona.read("/queue").text


def settle(mona: Person, number: int, answer: str) -> int:
    return mona._http.post(f"/queue/{number}", data={"answer": answer}).status_code


def number_of(mona: Person, path: str) -> int:
    """The report that names this path."""
    before = waiting(mona).partition(f"{path}</p>")[0]
    return int(before.rpartition('id="flag-')[2].partition('"')[0])


def test_what_is_posted_is_public_at_once(alone: Running) -> None:
    made = alone.person().post("hello", picture())
    assert made.public
    assert alone.get(made.path).status_code == 200


def test_a_report_waits_and_hides_nothing(alone: Running, mona: Person) -> None:
    made = alone.person().post("hello", picture())
    answer = flag(alone, alone.site + made.path)
    assert "We will look at it." in alone.get(answer).text
    assert alone.get(made.path).status_code == 200
    assert alone.site + made.path in waiting(mona)


def test_one_person_answers_that_there_is_no_violation_and_nobody_looks_again(alone: Running, mona: Person) -> None:
    made = alone.person().post("hello", picture())
    answer = flag(alone, alone.site + made.path)
    number = number_of(mona, alone.site + made.path)
    assert settle(mona, number, "no violation") == 303
    assert "found no violation" in alone.get(answer).text
    assert alone.get(made.path).status_code == 200
    assert settle(mona, number, "remove") == 404, "it was answered"


def test_one_person_removes_a_post_and_what_shows_its_picture_again(alone: Running, mona: Person) -> None:
    person = alone.person()
    made, other = person.post("hello", picture()), person.post("hello", picture())
    shared = alone.person().share(int(made.path.rpartition("/")[2]))
    answer = flag(alone, alone.site + made.path)
    assert settle(mona, number_of(mona, alone.site + made.path), "remove") == 303
    assert "We removed it." in alone.get(answer).text
    assert [alone.get(one.path).status_code for one in (made, shared, other)] == [404, 404, 200]


def test_nobody_else_sees_what_was_reported(alone: Running) -> None:
    flag(alone, "somewhere")
    assert alone.get("/queue").status_code == 303, "log in first"
    other = alone.person()
    assert other.read("/queue").status_code == 404
    assert other._http.post("/queue/1", data={"answer": "remove"}).status_code == 404


def test_beside_holdfast_there_is_no_such_list(commons: Running) -> None:
    assert commons.get("/flag").status_code == 404
    assert commons.person().read("/queue").status_code == 404


def test_it_is_alone_only_where_that_is_said(starting: Callable[[dict[str, str]], Running], tmp_path: Path) -> None:
    environment = environment_of(tmp_path, "", "")
    del environment["COMMONS_HOLDFAST_URL"]
    with pytest.raises(AssertionError):
        starting(environment)

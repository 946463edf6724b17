# SPDX-License-Identifier: Apache-2.0
"""The pages for staff, over HTTP: signing in, being asked, looking, finding; and nothing for anybody else."""

from __future__ import annotations

import json
import re
from collections.abc import Iterator
from dataclasses import replace
from functools import partial
from pathlib import Path

import pytest

from holdfast.media.filetype import FileType
from tests.beside import Beside, standing
from tests.conftest import holdfast
from tests.pictures import encoded, natural
from tests.web.doors.visiting import until
from tests.web.staff.signing import PASSWORD, Person, hired

PICTURE = encoded(natural(240, 320, 4711), FileType.PNG)


@pytest.fixture(scope="module")
def work(folder: Path) -> Iterator[Beside]:
    """A server of its own, with a platform."""
    with standing(folder / "staffed") as made:
        yield made


@pytest.fixture(scope="module")
def two(work: Beside) -> tuple[Person, Person]:
    """The first two who work here, of two teams."""
    return hired(work.server, "ann", "reviewer", team="day"), hired(work.server, "cleo", "reviewer", team="night")


def held(work: Beside) -> str:
    """Something that was reported, and is out of reach; its address."""
    address = work.site.publish("mallory", content=PICTURE)
    assert work.visitor().report(address, reporter="parent", category="csam").words
    upload = work.site.upload(address)
    until(lambda: not any(work.site.view(place.location) for place in upload.places.values()))
    return address


def asked(work: Beside, two: tuple[Person, Person], address: str) -> tuple[Person, str]:
    """Whoever of the two is asked about something, and the review."""
    found: list[tuple[Person, str]] = []

    def look() -> bool:
        listed = json.loads(holdfast(work.server.environment, "reviews", "list", "--json").stdout)
        names = {one["asked"]: one["review"] for one in listed if one["item"] == address.rpartition("/")[2]}
        found.extend((person, names[person.name]) for person in two if person.name in names)
        return bool(found)

    until(look)
    return found[0]


def looked(person: Person, review: str) -> bytes:
    """Let somebody look at the item blurred and in grey; the last picture."""
    picture = b""
    for show in ("blurred:0-47", "grey:0"):
        page = person.post(f"/staff/reviews/{review}/look", show=show)
        assert page.status == 200, page.text
        (address,) = re.findall(r'<img src="(/staff/pictures/[^"]+)"', page.html)
        shown = person.get(address, **{"Sec-Fetch-Dest": "image"})
        assert (shown.status, shown.headers["Content-Type"]) == (200, "image/png")
        assert person.get(address, **{"Sec-Fetch-Dest": "image"}).status == 404, "it opens once"
        picture = shown.content
    return picture


# --- signing in


@pytest.mark.parametrize("path", ["/staff/", "/staff/reviews", "/staff/reviews/rev_x", "/staff/pictures/x"])
def test_whoever_is_not_signed_in_is_led_to_where_they_can(work: Beside, path: str) -> None:
    page = Person(work.server.address, "nobody").get(path)
    assert (page.status, page.headers["Location"]) == (302, "/staff/sign-in")


def test_a_wrong_name_password_or_number_is_answered_in_the_same_words(two: tuple[Person, Person]) -> None:
    ann = two[0]
    wrong = [
        replace(ann, cookie="", name="nobody").sign_in(),
        replace(ann, cookie="").sign_in("not the password at all"),
        replace(ann, cookie="").sign_in(steps=-40),
        replace(ann, cookie="").sign_in(digits=ann.digits),  # they opened it before
    ]
    assert {page.status for page in wrong} == {422}
    assert len({page.text.replace("nobody", "ann") for page in wrong}) == 1
    assert not any("Set-Cookie" in page.headers for page in wrong)


def test_the_cookie_goes_nowhere_else_and_no_script_reads_it(work: Beside) -> None:
    page = Person(work.server.address, "x").get("/staff/sign-in")
    assert "Set-Cookie" not in page.headers
    assert "script" not in page.headers["Content-Security-Policy"]
    assert page.headers["Cache-Control"] == "no-store"


def test_a_code_that_is_wrong_begins_nothing(work: Beside) -> None:
    page = Person(work.server.address, "ann").post("/staff/begin", person="ann", code="aaaa-bbbb-cccc-dddd")
    assert page.status == 422
    assert "Name and code do not begin an account together" in page.text


def test_a_third_person_takes_two_and_their_code_opens_nothing_yet(work: Beside, two: tuple[Person, Person]) -> None:
    assert two
    done = holdfast(work.server.environment, "staff", "add", "mallory", "--role", "senior", "--json")
    assert done.returncode != 0
    assert "ann" in holdfast(work.server.environment, "staff", "list").stdout
    assert "mallory" not in holdfast(work.server.environment, "staff", "list").stdout


# --- what one person of one session may


def test_a_form_of_another_session_is_not_taken(two: tuple[Person, Person]) -> None:
    ann, cleo = two
    for token in ("", "x", cleo.form_token()):
        assert ann.post("/staff/sign-out", token=token).status == 403
    assert ann.get("/staff/").status == 200


def test_only_whoever_is_asked_sees_a_review(work: Beside, two: tuple[Person, Person]) -> None:
    person, review = asked(work, two, held(work))
    other = two[1] if person is two[0] else two[0]
    assert person.get(f"/staff/reviews/{review}").status == 200
    assert other.get(f"/staff/reviews/{review}").status == 404
    assert other.post(f"/staff/reviews/{review}/look", show="blurred:0-47").status != 200
    assert other.post(f"/staff/reviews/{review}", verdict="unsure", words="x").status == 409
    assert person.get("/staff/reviews/rev_none").status == 404


# --- finding


def test_one_person_looks_and_removes(work: Beside, two: tuple[Person, Person]) -> None:
    person, review = asked(work, two, held(work))
    page = person.get(f"/staff/reviews/{review}")
    assert "Does this stay out of reach?" in page.text
    assert "Handled as being about a child." in page.text
    assert "<img" not in page.html, "nothing is shown unasked"
    assert "Choose what you find" in person.post(f"/staff/reviews/{review}", words="x").text
    refused = person.post(f"/staff/reviews/{review}", verdict="remove", ground="seen", words="as I see it")
    assert refused.status == 409
    assert "nothing of the item was looked at" in refused.text
    assert "as I see it" in refused.text, "what was typed is not lost"
    assert looked(person, review).startswith(b"\x89PNG")
    done = person.post(f"/staff/reviews/{review}", verdict="remove", ground="seen", words="as I see it")
    assert "What you found is written down." in done.text
    listed = json.loads(holdfast(work.server.environment, "reviews", "list", "--all", "--json").stdout)
    (one,) = [one for one in listed if one["review"] == review]
    assert one["outcome"] == "remove" or one["turn"] == "second", "unless the lot asks for a second look"
    assert review in person.get("/staff/reviews").html, "it can be taken back"
    assert "no longer counts" in person.post(f"/staff/reviews/{review}/take-back").text


def test_two_who_find_the_same_by_themselves_are_needed_to_let_it_be_seen(
    work: Beside, two: tuple[Person, Person]
) -> None:
    address = held(work)
    person, review = asked(work, two, address)
    looked(person, review)
    said = {"verdict": "not_upheld", "reason": "not_intimate", "words": "a hill, and some sky"}
    assert "Somebody else is asked now." in person.post(f"/staff/reviews/{review}", **said).text
    other = two[1] if person is two[0] else two[0]
    until(lambda: review in other.get("/staff/reviews").html)
    page = other.get(f"/staff/reviews/{review}")
    assert not re.search(rf"\b{person.name}\b", page.text)
    assert "not_intimate" not in page.text.split("What do you find?")[0]
    assert "a hill" not in page.text
    looked(other, review)
    assert "It is settled." in other.post(f"/staff/reviews/{review}", **said).text
    upload = work.site.upload(address)
    assert not any(work.site.view(place.location) for place in upload.places.values()), "for ten minutes yet"


def test_whoever_reported_reads_what_was_decided_and_says_that_it_is_wrong(
    work: Beside, two: tuple[Person, Person]
) -> None:
    visitor = work.visitor()
    address = work.site.publish("mallory", content=PICTURE)
    code = visitor.report(address, reporter="parent", category="csam").words
    person, review = asked(work, two, address)
    assert "was removed" not in visitor.post("/case", {"code": code}).main
    for one in (person, two[1] if person is two[0] else two[0]):
        until(partial(_asked_or_settled, work, one, review))
        if not _settled(work, review):
            one.post(f"/staff/reviews/{review}", verdict="remove", ground="words", words="as it is written")
    until(lambda: "What you reported was removed" in visitor.post("/case", {"code": code}).main)
    page = visitor.post("/case", {"code": code})
    assert "article 16(5)" in page.main
    assert not any(re.search(rf"\b{one.name}\b", page.main) for one in two)
    (decision,) = re.findall(r'name="decision" value="(dec_\w+)"', page.html)
    nothing = visitor.post("/case/appeal", {"code": code, "decision": decision, "words": " "})
    assert nothing.faults() == ["Write why it is wrong."]
    foreign = visitor.post("/case/appeal", {"code": code, "decision": "dec_x", "words": "x"})
    assert foreign.faults() == ["That decision is none about what you named."]
    done = visitor.post("/case/appeal", {"code": code, "decision": decision, "words": "There is more of it."})
    assert "People who had no part in it look again." in done.main
    again = visitor.post("/case/appeal", {"code": code, "decision": decision, "words": "There is more of it."})
    assert again.faults() == ["This cannot be appealed now. You see below how it stands."]


def _asked_or_settled(work: Beside, one: Person, review: str) -> bool:
    return review in one.get("/staff/reviews").html or _settled(work, review)


def _settled(work: Beside, review: str) -> bool:
    listed = json.loads(holdfast(work.server.environment, "reviews", "list", "--all", "--json").stdout)
    return any(one["review"] == review and one["outcome"] == "remove" for one in listed)


def test_whoever_steps_back_is_not_asked_again(work: Beside, two: tuple[Person, Person]) -> None:
    person, review = asked(work, two, held(work))
    assert person.post(f"/staff/reviews/{review}/step-back").status == 302
    other = two[1] if person is two[0] else two[0]
    until(lambda: review in other.get("/staff/reviews").html)
    assert f'/staff/reviews/{review}"' not in person.get("/staff/reviews").html


def test_the_password_stands_on_no_page(two: tuple[Person, Person]) -> None:
    assert not any(PASSWORD in person.get(path).html for person in two for path in ("/staff/", "/staff/reviews"))


def test_signing_out_ends_the_session_also_for_whoever_kept_its_cookie(two: tuple[Person, Person]) -> None:
    """The last here: whoever signed out signs in again with other digits only, half a minute later."""
    ann, cleo = two
    assert ann.post("/staff/sign-out").status == 302
    assert ann.get("/staff/").status == 302
    assert cleo.get("/staff/").status == 200

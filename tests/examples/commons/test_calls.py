# SPDX-License-Identifier: Apache-2.0
"""The nine calls of docs/platform.md, over HTTP: what is answered, and that it is so."""

from __future__ import annotations

import hashlib
import json
import time
from concurrent.futures import ThreadPoolExecutor
from datetime import UTC, datetime, timedelta
from typing import Any
from uuid import uuid4

import httpx
import pytest
from commons.client import Made, Person

from tests.examples.commons.running import Running, picture, spots, urls

NOWHERE = "/p/999999999"
TOLD = {"results": [{"state": "done"}]}
CALLS = ("resolve", "copies", "hold", "release", "remove", "views", "notify", "freeze", "open")


def likeness(answer: httpx.Response) -> tuple[int, list[tuple[str, str]], bytes]:
    """All that a stranger can tell of an answer, but for when it was given."""
    return answer.status_code, [(n, v) for n, v in answer.headers.multi_items() if n != "date"], answer.content


def is_out_of_reach(commons: Running, address: str) -> bool:
    """Whether an address is, for GET and HEAD, exactly like one that never was."""
    return all(
        likeness(commons.get(address, method)) == likeness(commons.get(NOWHERE, method)) for method in ("GET", "HEAD")
    )


@pytest.fixture
def anna(commons: Running) -> Person:
    return commons.person()


@pytest.fixture
def post(anna: Person) -> Made:
    made = anna.post(f"words {uuid4().hex}", picture())
    assert made.public
    return made


def about(made: Made) -> dict[str, str]:
    return {"content": made.content, "version": "1"}


# --- who may call


@pytest.mark.parametrize("call", [*CALLS, "nonsense"])
def test_whoever_cannot_sign_is_refused_and_does_not_learn_which_calls_there_are(commons: Running, call: str) -> None:
    for wrong in (
        commons.send(call, {}, key=bytes(32)),
        commons.send(call, {}, at=int(time.time()) - 301),
        commons.send(call, {}, at=int(time.time()) + 302),
        commons.stranger.post(f"/holdfast/{call}", content=b"{}"),
    ):
        assert wrong.status_code == 401


def test_a_signature_over_another_body_changes_nothing(commons: Running, post: Made) -> None:
    item = commons.item(post.path)
    signed = commons.send("hold", {"spots": []}).request.headers
    body = json.dumps({"spots": spots(item)})
    kept = {name: signed[name] for name in ("webhook-id", "webhook-timestamp", "webhook-signature")}
    assert commons.stranger.post("/holdfast/hold", content=body, headers=kept).status_code == 401
    assert commons.get(post.path).status_code == 200


def test_a_call_that_is_read_instead_of_sent_finds_nothing(commons: Running) -> None:
    assert is_out_of_reach(commons, "/holdfast/hold")


@pytest.mark.parametrize(
    ("call", "body"),
    [
        ("resolve", {"addresses": ["x"] * 101}),
        ("resolve", {"addresses": "x"}),
        ("resolve", {}),
        ("hold", {"spots": [{"content": "post-1", "version": 1, "location": "page:post-1"}]}),
        ("hold", {"spots": [{"content": "post-1", "version": "1"}]}),
        ("hold", {"spots": [{"content": "post-1", "version": "1", "location": "x"}] * 101}),
        ("views", {"locations": ["x"], "at": "2026-11-23T10:04:16"}),
        ("views", {"locations": ["x"], "at": "yesterday"}),
        ("notify", {"notices": [{"notice": "ntc_1", "account": "acc-1", "content": "post-1", "title": "t"}]}),
        ("notify", {"notice": "ntc_1", "account": "acc-1", "content": "post-1", "title": "t", "text": "x"}),
        ("copies", []),
        ("copies", b"\xff{"),
        ("open", {}),
        ("nonsense", {}),
    ],
)
def test_a_call_that_is_wrong_is_said_to_be(commons: Running, call: str, body: object) -> None:
    answer = commons.send(call, body)
    assert 400 <= answer.status_code < 500
    assert answer.status_code != 401
    assert answer.json()["error"]


def test_unknown_fields_are_ignored(commons: Running, post: Made) -> None:
    told = commons.call("resolve", {"addresses": [commons.site + post.path], "since": "later"})
    assert told["results"][0]["state"] == "found"


# --- resolve


def test_a_page_a_file_and_a_thumbnail_name_their_item(commons: Running, post: Made) -> None:
    item = commons.item(commons.site + post.path)
    assert item["content"] == post.content
    assert (item["version"], item["kind"], item["asset"]) == ("1", "post", False)
    assert item["account"].startswith("acc-")
    assert abs(datetime.fromisoformat(item["first_seen"]) - datetime.now(UTC)) < timedelta(minutes=5)
    assert [location["id"].split(":")[0] for location in item["locations"]] == ["page", "media", "thumb"]
    for url in urls(item):
        assert commons.get(url).status_code == 200
        assert commons.item(url) == item


def test_an_address_is_found_as_people_type_it(commons: Running, post: Made) -> None:
    host = commons.site.removeprefix("http://")
    for typed in (
        f"{commons.site}{post.path}/",
        f"  {commons.site}{post.path}?from=feed#comments ",
        f"{host}{post.path}",
        f"<{commons.site}{post.path}>",
        f"HTTP://{host}{post.path}",
        f"https://{host}{post.path}",
        f"{commons.site}{post.path}/share",
    ):
        assert commons.item(typed)["content"] == post.content, typed


def test_what_names_nothing_here_is_nowhere_and_answers_keep_their_order(commons: Running, post: Made) -> None:
    lost = [
        commons.site + NOWHERE,
        f"http://elsewhere.example{post.path}",
        "",
        "the video of last week",
        f"{commons.site}/m/{'0' * 24}",
        f"{commons.site}/p/0{post.path[3:]}",
        "http://[::1",
        "http://127.0.0.1:99999999/p/1",
        commons.site,
    ]
    asked = [address for each in lost for address in (each, commons.site + post.path)]
    states = [result["state"] for result in commons.call("resolve", {"addresses": asked})["results"]]
    assert states == ["nowhere", "found"] * len(lost)


def test_a_persons_page_is_the_person_or_with_a_profile_picture_ambiguous(commons: Running, anna: Person) -> None:
    address = f"{commons.site}/u/{anna.name}"
    page = commons.item(address)
    assert (page["kind"], page["content"]) == ("account", page["account"])
    assert anna.show_face(picture()).public
    (told,) = commons.call("resolve", {"addresses": [address]})["results"]
    assert told["state"] == "ambiguous"
    assert [item["content"].split("-")[0] for item in told["items"]] == ["acc", "avatar"]
    assert {item["account"] for item in told["items"]} == {page["account"]}


@pytest.mark.parametrize("name", ["logo", "avatar"])
def test_the_platforms_own_pictures_say_so_and_are_not_held(commons: Running, name: str) -> None:
    item = commons.item(f"{commons.site}/assets/{name}.png")
    assert item["asset"]
    (result,) = commons.call("hold", {"spots": spots(item)})["results"]
    assert result["state"] == "refused"
    assert result["because"]
    assert commons.get(urls(item)[0]).status_code == 200
    opened = commons.send("open", {"content": item["content"], "version": "1"})
    assert opened.content == commons.get(urls(item)[0]).content


# --- hold


def test_what_is_held_is_like_what_never_was_everywhere(commons: Running, anna: Person) -> None:
    word = uuid4().hex
    made = anna.post(f"look {word}", picture())
    item = commons.item(made.path)
    lists = ("/", f"/search?q={word}", f"/u/{anna.name}")
    assert all(made.path in commons.get(page).text for page in lists)
    assert commons.act("hold", *spots(item)) == ["done"] * 3
    for url in urls(item):
        assert is_out_of_reach(commons, url)
        assert is_out_of_reach(commons, f"{url}?again")
    assert not any(made.path in commons.get(page).text for page in lists)
    assert word not in commons.get("/").text + commons.get(f"/u/{anna.name}").text


def test_the_neutral_page_says_nothing_of_why(commons: Running) -> None:
    text = commons.get(NOWHERE).text.lower()
    assert not any(word in text for word in ("held", "check", "remov", "report", "safety", "delet"))


def test_one_held_spot_hides_the_whole_item_and_its_uploader_learns_no_more_than_that(
    commons: Running, anna: Person, post: Made
) -> None:
    item = commons.item(post.path)
    assert commons.act("hold", spots(item)[1]) == ["done"]
    assert all(is_out_of_reach(commons, url) for url in urls(item))
    own = anna.read("/me").text
    assert "This is being checked." in own
    assert post.path not in own.replace(f"{post.path}/edit", "").replace(f"{post.path}/delete", "")
    assert likeness(anna.read(post.path)) == likeness(commons.get(NOWHERE))


def test_nobody_can_share_edit_or_delete_what_is_held_into_view(commons: Running, anna: Person, post: Made) -> None:
    item = commons.item(post.path)
    commons.act("hold", *spots(item))
    other = commons.person()
    for act in (f"{post.path}/share", f"{post.path}/edit", f"{post.path}/delete"):
        assert likeness(other.read(act)) == likeness(commons.get(NOWHERE))
    with pytest.raises(httpx.HTTPStatusError, match="404"):
        other.share(int(post.path[3:]))
    changed = anna.edit(int(post.path[3:]), "harmless words")
    assert not changed.public
    replaced = anna.edit(int(post.path[3:]), "harmless words", picture())
    assert not replaced.public
    latest = commons.item(post.path)
    assert latest["version"] == "3"
    assert all(is_out_of_reach(commons, url) for url in urls(item) + urls(latest))
    assert commons.act("release", *spots(item)) == ["done"] * 3
    assert "harmless words" in commons.get(post.path).text


def test_a_hold_of_an_older_version_holds_what_it_was_edited_into(commons: Running, anna: Person, post: Made) -> None:
    item = commons.item(post.path)
    assert anna.edit(int(post.path[3:]), "new words").public
    assert commons.get(post.path).status_code == 200
    assert commons.act("hold", *spots(item)) == ["done"] * 3
    assert is_out_of_reach(commons, post.path)


def test_what_is_held_cannot_be_destroyed_by_its_uploader(commons: Running, anna: Person) -> None:
    content = picture()
    made = anna.post("mine", content)
    item = commons.item(made.path)
    commons.act("hold", *spots(item))
    anna.delete(int(made.path[3:]))
    assert made.content not in anna.read("/me").text
    anna.close()
    assert commons.send("open", about(made)).content == content
    assert commons.item(made.path)["content"] == made.content
    facts = commons.call("freeze", {"account": item["account"], "content": made.content})["facts"]
    assert hashlib.sha256(content).hexdigest() in facts
    assert commons.act("hold", *spots(item)) == ["done"] * 3


def test_what_is_not_held_is_destroyed_with_its_account(commons: Running, anna: Person, post: Made) -> None:
    item = commons.item(post.path)
    token = urls(item)[1].rpartition("/")[2]
    assert (commons.data / "media" / token).exists()
    anna.close()
    assert not (commons.data / "media" / token).exists()
    assert not (commons.data / "thumbs" / f"{token}.jpg").exists()
    assert commons.act("hold", *spots(item)) == ["gone"] * 3
    assert commons.send("open", about(post)).status_code == 404
    assert commons.call("resolve", {"addresses": urls(item)})["results"] == [{"state": "nowhere"}] * 3
    assert is_out_of_reach(commons, f"/u/{anna.name}")


def test_what_was_deleted_while_held_is_destroyed_once_it_is_released(
    commons: Running, anna: Person, post: Made
) -> None:
    item = commons.item(post.path)
    commons.act("hold", *spots(item))
    anna.delete(int(post.path[3:]))
    assert commons.act("release", *spots(item)) == ["gone"] * 3
    assert commons.send("open", about(post)).status_code == 404
    assert is_out_of_reach(commons, post.path)


def test_spots_that_there_are_not_are_gone_and_the_others_are_held(commons: Running, post: Made) -> None:
    item = commons.item(post.path)
    good = spots(item)[0]
    odd = [
        {**good, "content": "post-999999999"},
        {**good, "version": "2"},
        {**good, "version": "01"},
        {**good, "version": "one"},
        {**good, "location": "page:post-999999999"},
    ]
    assert commons.act("hold", odd[0], good, *odd[1:]) == ["gone", "done", "gone", "gone", "gone", "gone"]


def test_a_profile_picture_is_held_by_itself(commons: Running, anna: Person, post: Made) -> None:
    anna.show_face(picture())
    (told,) = commons.call("resolve", {"addresses": [f"{commons.site}/u/{anna.name}"]})["results"]
    page, face = told["items"]
    assert urls(face)[1].removeprefix(commons.site) in commons.get(post.path).text
    commons.act("hold", *spots(face))
    assert all(is_out_of_reach(commons, url) for url in urls(face))
    assert commons.get(urls(page)[0]).status_code == 200
    assert "/assets/avatar.png" in commons.get(post.path).text


def test_another_profile_picture_takes_the_place_of_a_held_one_which_is_kept(commons: Running, anna: Person) -> None:
    first, second, third = picture(), picture(), picture()
    faces = [anna.show_face(first)]
    (_, held) = _at(commons, anna)
    commons.act("hold", *spots(held))
    faces += [anna.show_face(second), anna.show_face(third)]
    assert all(face.public for face in faces)
    (_, shown) = _at(commons, anna)
    assert shown["content"] == faces[2].content
    assert urls(shown)[1].removeprefix(commons.site) in anna.read("/me").text
    assert all(is_out_of_reach(commons, url) for url in urls(held))
    opened = [commons.send("open", about(face)) for face in faces]
    assert [each.status_code for each in opened] == [200, 404, 200]
    assert (opened[0].content, opened[2].content) == (first, third)
    assert commons.act("release", *spots(held)) == ["gone"] * 2
    assert commons.send("open", about(faces[0])).status_code == 404


def _at(commons: Running, person: Person) -> list[Any]:
    """What the page of a person with a profile picture may be about."""
    (told,) = commons.call("resolve", {"addresses": [f"{commons.site}/u/{person.name}"]})["results"]
    assert told["state"] == "ambiguous"
    return list(told["items"])


def test_a_page_of_words_is_held_too(commons: Running, anna: Person) -> None:
    made = anna.post("only words")
    item = commons.item(made.path)
    assert [location["id"] for location in item["locations"]] == [f"page:{made.content}"]
    assert commons.act("hold", *spots(item)) == ["done"]
    assert is_out_of_reach(commons, made.path)
    assert commons.send("open", about(made)).status_code == 404
    assert not anna.edit(int(made.path[3:]), "other words").public
    assert is_out_of_reach(commons, made.path)


def test_a_person_is_held_by_their_page_and_what_they_posted_is_not(commons: Running, anna: Person, post: Made) -> None:
    page = commons.item(f"{commons.site}/u/{anna.name}")
    assert commons.act("hold", *spots(page)) == ["done"]
    assert is_out_of_reach(commons, f"/u/{anna.name}")
    assert commons.get(post.path).status_code == 200


# --- idempotency


def test_the_same_id_gives_the_same_answer_and_does_nothing_twice(commons: Running, post: Made) -> None:
    item, name = commons.item(post.path), f"msg_{uuid4().hex}"
    body = {"spots": spots(item)}
    first = commons.send("hold", body, message=name)
    commons.act("release", *spots(item))
    again = commons.send("hold", body, message=name, at=int(time.time()) + 1)
    assert (again.status_code, again.content) == (200, first.content)
    assert commons.get(post.path).status_code == 200


def test_an_id_cannot_be_used_for_something_else(commons: Running, post: Made) -> None:
    item, name = commons.item(post.path), f"msg_{uuid4().hex}"
    commons.call("copies", about(post), message=name)
    assert commons.send("copies", {**about(post), "version": "2"}, message=name).status_code == 409
    assert commons.send("hold", {"spots": spots(item)}, message=name).status_code == 409
    assert commons.get(post.path).status_code == 200


def test_the_same_call_many_times_at_once_is_answered_once(commons: Running, anna: Person, post: Made) -> None:
    account, name, notice = commons.item(post.path)["account"], f"msg_{uuid4().hex}", f"ntc_{uuid4().hex}"
    told = {"notice": notice, "account": account, "content": post.content, "title": "Once", "text": "only"}
    body = {"notices": [told]}
    with ThreadPoolExecutor(8) as threads:
        answers = list(threads.map(lambda _: commons.send("notify", body, message=name), range(24)))
    assert {(each.status_code, each.content) for each in answers} == {(200, json.dumps(TOLD).encode())}
    assert anna.read("/me").text.count(f'id="{notice}"') == 1


# --- release and remove


def test_what_is_released_is_seen_again_as_it_was(commons: Running, anna: Person, post: Made) -> None:
    item = commons.item(post.path)
    before = {url: commons.get(url).content for url in urls(item)[1:]}
    commons.act("hold", *spots(item))
    assert commons.act("release", *spots(item)[:2]) == ["done"] * 2
    assert all(is_out_of_reach(commons, url) for url in urls(item))
    assert commons.act("release", *spots(item)) == ["done"] * 3
    assert {url: commons.get(url).content for url in urls(item)[1:]} == before
    assert post.path in commons.get(f"/u/{anna.name}").text


def test_what_is_removed_is_gone_for_good_and_nothing_but_its_own_bytes_goes(commons: Running, anna: Person) -> None:
    made = anna.post("first", picture())
    shared = commons.person().share(int(made.path[3:]))
    item = commons.item(made.path)
    assert commons.act("hold", *spots(item)) == ["done"] * 3
    assert commons.act("remove", *spots(item)[:1]) == ["done"]
    assert commons.send("open", about(made)).status_code == 200
    assert commons.act("remove", *spots(item)) == ["done"] * 3
    assert commons.send("open", about(made)).status_code == 404
    assert all(is_out_of_reach(commons, url) for url in urls(item))
    assert commons.act("remove", *spots(item)) == ["done"] * 3
    assert commons.act("release", *spots(item)) == ["gone"] * 3
    assert commons.act("hold", *spots(item)) == ["gone"] * 3
    assert commons.get(urls(commons.item(shared.path))[1]).status_code == 200


def test_a_version_that_was_removed_never_gives_its_number_to_another(commons: Running, anna: Person) -> None:
    made = anna.post("first", picture())
    number, content = int(made.path[3:]), picture()
    anna.edit(number, "second", content)
    second = commons.item(made.path)
    assert commons.act("remove", *spots(second)) == ["done"] * 3
    anna.edit(number, "third", picture())
    opened = [commons.send("open", {"content": made.content, "version": str(each)}) for each in (1, 2, 3)]
    assert [each.status_code for each in opened] == [200, 404, 200]
    assert is_out_of_reach(commons, made.path)
    for version in ("1", "3"):
        every = [{**spot, "version": version} for spot in spots(second)]
        assert commons.act("remove", *every) == ["done"] * 3
    with pytest.raises(httpx.HTTPStatusError, match="404"):
        anna.edit(number, "fourth")


# --- copies


def test_shares_uploads_of_the_same_bytes_and_profile_pictures_are_copies(commons: Running, anna: Person) -> None:
    content = picture()
    made = anna.post("first", content)
    ben = commons.person()
    shared, uploaded, face = ben.share(int(made.path[3:])), ben.post("mine now", content), ben.show_face(content)
    assert all(each.public for each in (shared, uploaded, face))
    told = commons.call("copies", about(made))["copies"]
    assert [copy["item"]["content"] for copy in told] == [face.content, shared.content, uploaded.content]
    assert all(copy["exact"] and copy["distance"] == 0 for copy in told)
    assert all(len(copy["item"]["locations"]) >= 2 for copy in told)
    every = [spot for copy in told for spot in spots(copy["item"])]
    assert set(commons.act("hold", *every)) == {"done"}
    assert all(is_out_of_reach(commons, url) for copy in told for url in urls(copy["item"]))
    assert commons.get(made.path).status_code == 200


def test_another_version_with_the_same_picture_is_a_copy(commons: Running, anna: Person, post: Made) -> None:
    anna.edit(int(post.path[3:]), "other words")
    (copy,) = commons.call("copies", about(post))["copies"]
    assert (copy["item"]["content"], copy["item"]["version"]) == (post.content, "2")


@pytest.mark.parametrize("asked", [{"content": "post-999999999", "version": "1"}, {"content": "x", "version": "y"}])
def test_of_what_there_is_not_there_are_no_copies(commons: Running, asked: dict[str, str]) -> None:
    assert commons.call("copies", asked) == {"copies": []}


# --- views


def test_views_are_counted_for_each_location_also_by_the_cache(commons: Running, post: Made) -> None:
    item = commons.item(post.path)
    page, media, _ = urls(item)
    begun = datetime.now(UTC)
    for url, times in ((page, 5), (media, 3)):
        for _ in range(times):
            assert commons.get(url).status_code == 200
    commons.get(page, "HEAD")
    names = [location["id"] for location in item["locations"]]
    told = commons.call("views", {"locations": [*names, "page:post-999999999"], "at": None})["views"]
    assert [(each["location"], each["views"]) for each in told] == [
        *zip(names, (5, 3, 0), strict=True),
        ("page:post-999999999", 0),
    ]
    assert all(begun <= datetime.fromisoformat(each["at"]) <= datetime.now(UTC) for each in told)


def test_views_until_a_past_moment_say_until_when_they_are_counted(commons: Running, post: Made) -> None:
    name = f"page:{post.content}"
    asked = datetime.now(UTC) - timedelta(seconds=1, milliseconds=300)
    commons.get(post.path)
    (told,) = commons.call("views", {"locations": [name], "at": asked.isoformat()})["views"]
    assert told["views"] == 0
    assert datetime.fromisoformat(told["at"]) == asked.replace(microsecond=0)
    future = datetime.now(UTC) + timedelta(days=1)
    (told,) = commons.call("views", {"locations": [name], "at": future.isoformat()})["views"]
    assert told["views"] == 1
    assert datetime.fromisoformat(told["at"]) <= datetime.now(UTC)


def test_what_is_held_is_not_counted_as_opened(commons: Running, post: Made) -> None:
    commons.act("hold", *spots(commons.item(post.path)))
    commons.get(post.path)
    (told,) = commons.call("views", {"locations": [f"page:{post.content}"], "at": None})["views"]
    assert told["views"] == 0


# --- notify


def test_a_notice_lies_where_the_account_sees_it_with_its_link_and_its_code(
    commons: Running, anna: Person, post: Made
) -> None:
    notice = {
        "notice": f"ntc_{uuid4().hex}",
        "account": commons.item(post.path)["account"],
        "content": post.content,
        "title": "A post of yours <is> not visible",
        "text": "We check a report.\nNobody has decided anything.",
        "answer_url": "https://holdfast.example/answer?a=1&b=2",
        "answer_code": "apple river stone",
    }
    assert commons.call("notify", {"notices": [notice]}) == TOLD
    assert commons.call("notify", {"notices": [notice]}) == TOLD
    text = anna.read("/me").text
    assert text.count("A post of yours &lt;is&gt; not visible") == 1
    assert "Nobody has decided anything." in text
    assert 'href="https://holdfast.example/answer?a=1&amp;b=2"' in text
    assert "apple river stone" in text
    assert "apple river stone" not in commons.get(f"/u/{anna.name}").text + commons.person().read("/me").text


def test_a_notice_may_have_no_link_and_never_has_one_that_is_a_script(
    commons: Running, anna: Person, post: Made
) -> None:
    bare = {"account": commons.item(post.path)["account"], "content": post.content, "title": "T", "text": "x"}
    for link in (None, "javascript:alert(1)", "data:text/html,x"):
        body = {**bare, "notice": f"ntc_{uuid4().hex}", "answer_url": link, "answer_code": None}
        assert commons.call("notify", {"notices": [body]}) == TOLD
    assert "javascript:" not in anna.read("/me").text


@pytest.mark.parametrize("account", ["acc-999999999", "acc-0", "somebody"])
def test_an_account_that_there_is_not_cannot_be_told_and_that_is_said(commons: Running, account: str) -> None:
    body = {"notice": f"ntc_{uuid4().hex}", "account": account, "content": "post-1", "title": "t", "text": "x"}
    assert commons.call("notify", {"notices": [body]}) == {"results": [{"state": "gone"}]}


# --- freeze and open


def test_freezing_gives_times_addresses_and_ports_and_keeps_them(commons: Running, anna: Person) -> None:
    content = picture()
    made = anna.post("mine", content)
    account = commons.item(made.path)["account"]
    facts = commons.call("freeze", {"account": account, "content": made.content})["facts"]
    assert anna.name in facts
    for line in ("signed up", f"uploaded {made.content} version 1"):
        (found,) = [each for each in facts.splitlines() if line in each]
        assert "from address 127.0.0.1 port " in found
        assert 1024 <= int(found.split(" port ")[1].split(",")[0]) <= 65535
        assert datetime.fromisoformat(found.split()[0]).tzinfo is not None
    assert anna.post("and goes on").public
    anna.close()
    later = commons.call("freeze", {"account": account, "content": made.content})["facts"]
    assert later.startswith(facts)
    assert "closed the account" in later


def test_of_an_account_that_there_is_not_no_facts_are_kept(commons: Running) -> None:
    assert commons.call("freeze", {"account": "acc-999999999", "content": "post-1"}) == {"facts": None}


def test_the_bytes_are_given_as_they_came_held_or_not(commons: Running, anna: Person) -> None:
    content = picture()
    made = anna.post("mine", content)
    for _ in range(2):
        opened = commons.send("open", about(made))
        assert (opened.status_code, opened.content) == (200, content)
        assert opened.headers["content-type"] == "application/octet-stream"
        assert opened.headers["content-length"] == str(len(content))
        commons.act("hold", *spots(commons.item(made.path)))


def test_each_version_has_its_own_bytes(commons: Running, anna: Person) -> None:
    first, second = picture(), picture()
    made = anna.post("mine", first)
    anna.edit(int(made.path[3:]), "mine", second)
    opened = [commons.send("open", {"content": made.content, "version": str(number)}) for number in (1, 2, 3)]
    assert [each.status_code for each in opened] == [200, 200, 404]
    assert [each.content for each in opened[:2]] == [first, second]

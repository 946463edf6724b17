# SPDX-License-Identifier: Apache-2.0
"""The HMA interface where it differs from HMA: each line of the list in docs/hma.md, shown on a running server."""

from __future__ import annotations

from contextlib import suppress
from functools import cache
from http.client import HTTPConnection
from typing import Any
from uuid import uuid4

import numpy as np
import pytest
from PIL import Image

from holdfast.demo.pictures import DISGUISES, encoded, hills, unscreenable
from holdfast.media import pdq as pdqs
from holdfast.media.plane import Plane
from tests.conftest import Server
from tests.store.making import md5, pdq
from tests.test_pipeline import REASONS
from tests.two_people import Second
from tests.web.hma import Client
from tests.web.http import JSON, Asker, Reply, check_problem, form, in_pieces, refused

SIZE = (640, 480)


@pytest.fixture(scope="module")
def client(server: Server, keys: dict[str, str]) -> Client:
    """Somebody who may do everything."""
    return Client(server.address, keys["all"])


@pytest.fixture
def hma_bank(client: Client) -> str:
    """A bank of one's own, under a name as HMA wants it."""
    name = f"TEST_{uuid4().hex[:16].upper()}"
    assert client.send("POST", "/c/banks", {"name": name}).status == 201
    return name


@cache
def known() -> bytes:
    return encoded(hills(61_001, SIZE))


@cache
def unknown() -> bytes:
    return encoded(hills(61_002, SIZE))


@cache
def samples() -> dict[str, bytes]:
    return {sample.title: sample.content for sample in unscreenable(hills(61_003, SIZE))}


def put(client: Client, bank: str, **signals: str) -> int:
    """A known item by its hashes."""
    reply = client.send("POST", f"/c/bank/{bank}/signal", signals)
    assert reply.status == 200, reply.content
    return int(reply.json["id"])


def said(reply: Reply, status: int, code: str) -> str:
    """Insist on an error that is text, so that nobody can take it for banks; returns it."""
    assert reply.status == status, reply.content
    assert reply.headers["Content-Type"] == "text/plain; charset=utf-8"
    text = reply.content.decode()
    assert text.startswith(f"{code}: ")
    with pytest.raises(ValueError, match="Expecting value"):
        assert reply.json
    return text


def none_of(bank: str, found: Any) -> bool:
    return all(bank not in banks for banks in found.values())


# --- nothing is fetched


# shows difference 1
@pytest.mark.parametrize(
    "where", ["GET /h/hash", "POST /h/hash", "GET /m/lookup", "POST /m/lookup", "GET /m/raw_lookup"]
)
def test_no_address_is_fetched_and_the_refusal_says_so(client: Client, where: str) -> None:
    method, path = where.split()
    reply = client.ask(method, f"{path}?url=http%3A%2F%2F127.0.0.1%3A1%2Fa.jpg&signal_type=pdq&signal={pdq(1).value}")
    if path == "/h/hash":
        refused(reply, 422, "hma.address_not_fetched")
    else:
        said(reply, 422, "hma.address_not_fetched")


def test_content_is_not_fetched_either(client: Client, hma_bank: str) -> None:
    reply = client.send("POST", f"/c/bank/{hma_bank}/content?url=http%3A%2F%2Fexample.com%2Fa.jpg", {})
    assert "photo" in reply.json["advice"]
    refused(reply, 422, "hma.address_not_fetched")


# --- a file that cannot be told is never "no match"


# shows difference 3
@pytest.mark.parametrize("title", REASONS)
def test_what_cannot_be_seen_whole_has_no_look_up_and_no_hash(client: Client, title: str) -> None:
    said(client.upload("/m/lookup", samples()[title]), 422, "hma.not_compared")
    refused(client.upload("/h/hash", samples()[title]), 422, "hma.not_compared")


def test_what_cannot_be_seen_is_found_by_its_bytes_all_the_same(client: Client, hma_bank: str) -> None:
    content = samples()["not a picture"] + hma_bank.encode()
    assert client.upload(f"/c/bank/{hma_bank}/content", content, "video").status == 200
    found = client.upload("/m/lookup", content).json
    assert hma_bank in found["video_md5"]
    assert "pdq" not in found  # there it was not looked up, so nothing is said of it
    said(client.upload("/m/lookup?banks=" + other_bank(client), content), 422, "hma.not_compared")


def other_bank(client: Client) -> str:
    name = f"OTHER_{uuid4().hex[:16].upper()}"
    assert client.send("POST", "/c/banks", {"name": name}).status == 201
    return name


def test_a_match_with_a_bank_that_is_ignored_does_not_make_an_unreadable_file_readable(
    client: Client, everyone: Asker
) -> None:
    name, content = f"IGNORED_{uuid4().hex[:12].upper()}", b"no picture" + uuid4().bytes
    about = {"name": name, "meaning": "m", "source": "s", "action": "ignore"}
    assert everyone.send("POST", "/banks", about).status == 201
    assert client.upload(f"/c/bank/{name}/content", content, "video").status == 200
    said(client.upload("/m/lookup", content), 422, "hma.not_compared")


def test_an_unknown_picture_is_in_no_bank(client: Client, hma_bank: str) -> None:
    assert client.upload("/m/lookup", unknown()).json == {"pdq": {}}
    assert hma_bank


# shows difference 18
def test_a_photo_without_a_usable_look_cannot_be_banked_as_a_photo(client: Client, hma_bank: str) -> None:
    path = f"/c/bank/{hma_bank}/content"
    for title in ("a flat colour", "not a picture", "empty"):
        refused(client.upload(path, samples()[title]), 422, "hma.not_compared")
    assert client.upload(path, samples()["a flat colour"] + hma_bank.encode(), "video").status == 200


# --- no coin is flipped


# shows difference 5
@pytest.mark.parametrize("ratio", [0.5, "0.999", 2, -1, "half", True, "nan", [1]])
def test_a_bank_that_would_match_by_chance_is_refused(client: Client, hma_bank: str, ratio: object) -> None:
    asked = {"enabled_ratio": ratio}
    assert "by chance" in refused(client.send("PUT", f"/c/bank/{hma_bank}", asked), 400, "request.invalid")
    new = {"name": f"NEW_{uuid4().hex[:12].upper()}", **asked}
    refused(client.send("POST", "/c/banks", new), 400, "request.invalid")
    refused(client.ask("GET", f"/c/bank/{new['name']}"), 404, "bank.unknown")


# shows difference 5
@pytest.mark.parametrize("off", [{"enabled_ratio": 0}, {"enabled_ratio": "0.0"}, {"enabled": False}])
@pytest.mark.parametrize("on", [{"enabled_ratio": 1}, {"enabled_ratio": "1"}, {"enabled": True}])
def test_a_bank_is_on_or_off_and_no_seed_or_bypass_changes_it(
    client: Client, second: Second, hma_bank: str, off: dict[str, object], on: dict[str, object]
) -> None:
    value = pdq(uuid4().int).value
    put(client, hma_bank, pdq=value)
    for change, ratio in ((off, 0.0), (off, 0.0), (on, 1.0), (on, 1.0)):
        changed = client.send("PUT", f"/c/bank/{hma_bank}", change)
        if changed.status == 403:
            assert hma_bank in client.lookup(value).json
            second.agrees(changed)
            changed = client.ask("GET", f"/c/bank/{hma_bank}")
        assert (changed.status, changed.json) == (200, {"name": hma_bank, "matching_enabled_ratio": ratio})
        for more in ({}, {"bypass_coinflip": "true"}, {"seed": "1"}, {"seed": "2", "bypass_coinflip": "false"}):
            assert (hma_bank in client.lookup(value, **more).json) == (ratio == 1.0)


# shows difference 25
def test_a_bank_is_not_made_off(client: Client) -> None:
    for asked in ({"enabled_ratio": "0"}, {"enabled": False}):
        name = f"OFF_{uuid4().hex[:12].upper()}"
        made = client.send("POST", "/c/banks", {"name": name, **asked})
        assert "two people" in refused(made, 400, "request.invalid")
        refused(client.ask("GET", f"/c/bank/{name}"), 404, "bank.unknown")


# --- more is found, never less


# shows difference 6
@pytest.mark.parametrize("disguise", [name for name in DISGUISES if name != "squeezed to a square"])
def test_a_file_is_looked_up_in_every_disguise(client: Client, hma_bank: str, disguise: str) -> None:
    picture = hills(61_004, SIZE)
    assert client.upload(f"/c/bank/{hma_bank}/content", encoded(picture)).status == 200
    found = client.upload("/m/lookup", DISGUISES[disguise](picture)).json
    assert hma_bank in found["pdq"]
    assert none_of(hma_bank, {kind: banks for kind, banks in found.items() if kind != "pdq"})


# shows difference 6
def test_equal_bytes_are_told_whatever_was_asked_for(client: Client, hma_bank: str) -> None:
    number = client.upload(f"/c/bank/{hma_bank}/content", known()).json["id"]
    exactly = [{"bank_content_id": number, "distance": "0"}]
    for path in ("/m/lookup", "/m/lookup?types=pdq", f"/m/lookup?types=pdq,video_md5&banks={hma_bank}"):
        found = client.upload(path, known()).json
        assert {kind: banks[hma_bank] for kind, banks in found.items()} == dict.fromkeys(
            ("pdq", "video_md5", "sha1", "sha256"), exactly
        )


# shows difference 15
def test_distances_are_text_and_the_bank_has_its_own_threshold(client: Client, everyone: Asker) -> None:
    name = f"NEAR_{uuid4().hex[:12].upper()}"
    about = {"name": name, "meaning": "m", "source": "s", "threshold": 4}
    assert everyone.send("POST", "/banks", about).status == 201
    value = pdq(uuid4().int).value
    number = put(client, name, pdq=value)
    for apart, matches in ((0, True), (4, True), (5, False), (31, False)):
        moved = f"{int(value, 16) ^ ((1 << apart) - 1):064x}"
        found = client.lookup(moved).json.get(name)
        assert found == ([{"bank_content_id": number, "distance": str(apart)}] if matches else None)


@pytest.mark.parametrize("kind", ["md5", "video_md5", "sha1", "sha256"])
def test_digests_are_looked_up_under_either_name(client: Client, hma_bank: str, kind: str) -> None:
    length = {"md5": 32, "video_md5": 32, "sha1": 40, "sha256": 64}[kind]
    value = (uuid4().hex + uuid4().hex)[:length]
    number = put(client, hma_bank, **{kind: value})
    assert client.lookup(value.upper(), kind).json == {hma_bank: [{"bank_content_id": number, "distance": "0"}]}
    raw = client.ask("GET", f"/m/raw_lookup?signal_type={kind}&signal={value}")
    assert raw.json == {"matches": [number]}


# shows difference 12, 14, 25
def test_what_is_added_matches_at_once_and_what_is_taken_out_by_two_no_longer(
    client: Client, second: Second, hma_bank: str
) -> None:
    for _ in range(5):
        value = pdq(uuid4().int).value
        number = put(client, hma_bank, pdq=value)
        assert hma_bank in client.lookup(value).json
        path = f"/c/bank/{hma_bank}/content/{number}"
        refused(client.send("PUT", path, {"disable_until_ts": 0}), 403, "access.second_person")
        assert hma_bank in client.lookup(value).json
        second.agrees(client.send("PUT", path, {"disable_until_ts": 0}))
        assert client.ask("GET", path).json["disable_until_ts"] == 0
        assert client.lookup(value).json == {}
        assert client.ask("GET", f"/m/raw_lookup?signal_type=pdq&signal={value}").json == {"matches": []}
        assert client.send("PUT", path, {"disable_until_ts": 1}).json["disable_until_ts"] == 1
        assert hma_bank in client.lookup(value).json
        second.agrees(client.ask("DELETE", path))
        assert client.ask("DELETE", path).json == {"deleted": 0}
        assert client.lookup(value).json == {}
        refused(client.ask("GET", path), 404, "entry.unknown")


# --- an error cannot be taken for an answer


LOOKUPS = {
    "no such kind": ("GET", "/m/lookup?signal_type=tmk&signal=00", 400, "request.invalid"),
    "no signal": ("GET", "/m/lookup?signal_type=pdq", 400, "request.invalid"),
    "no kind": ("GET", "/m/raw_lookup?signal=00", 400, "request.invalid"),
    "twice": ("GET", "/m/lookup?signal_type=pdq&signal_type=md5&signal=00", 400, "request.invalid"),
    "too short": ("GET", "/m/lookup?signal_type=pdq&signal=abc", 400, "input.signal"),
    "no digits": ("GET", f"/m/lookup?signal_type=pdq&signal={'g' * 64}", 400, "input.signal"),
    "all zero": ("GET", f"/m/lookup?signal_type=pdq&signal={'0' * 64}", 400, "input.signal"),
    "of nothing": ("GET", "/m/raw_lookup?signal_type=md5&signal=d41d8cd98f00b204e9800998ecf8427e", 400, "input.signal"),
    "no such bank": ("GET", f"/m/lookup?signal_type=pdq&signal={pdq(5).value}&banks=NO_SUCH", 404, "bank.unknown"),
    "no form": ("POST", "/m/lookup", 400, "request.invalid"),
    "no such method": ("DELETE", "/m/lookup", 405, "request.method"),
    "no such method either": ("POST", "/m/raw_lookup", 405, "request.method"),
}


# shows difference 7, 8, 9
@pytest.mark.parametrize("what", LOOKUPS)
def test_an_error_on_a_lookup_is_text(client: Client, what: str) -> None:
    method, path, status, code = LOOKUPS[what]
    text = said(client.ask(method, path), status, code)
    assert "\n" not in text.strip()


def test_a_hash_that_was_refused_is_not_repeated(client: Client) -> None:
    value = "1234567890abcdef" * 3
    assert value not in client.lookup(value).content.decode()


def test_a_lookup_without_a_key_is_refused_in_text_too(server: Server, keys: dict[str, str]) -> None:
    value = pdq(6).value
    assert "WWW-Authenticate" in Client(server.address).lookup(value).headers
    said(Client(server.address).lookup(value), 401, "access.key_missing")
    said(Client(server.address, keys["revoked"]).lookup(value), 401, "access.key_refused")
    said(Client(server.address, keys["screen"]).lookup(value), 403, "access.scope_missing")


# shows difference 21
def test_a_body_in_chunks_is_refused_in_text(server: Server, keys: dict[str, str]) -> None:
    """Half of it could not be told from the whole; and the refusal is not made by a view."""
    body, kind = form(("photo", "x", known()))
    connection = HTTPConnection(server.address, timeout=60)
    headers = {"Authorization": f"Bearer {keys['all']}", "Content-Type": kind}
    with suppress(BrokenPipeError, ConnectionResetError):  # the answer may come before all is sent
        connection.request("POST", "/m/lookup", body=in_pieces(body), headers=headers, encode_chunked=True)
    response = connection.getresponse()
    said(Reply(response.status, response.headers, response.read()), 422, "request.invalid")
    connection.close()


# --- forms


FORMS = {
    "no file": form(("note", "x")),
    "a field of another name": form(("picture", "x", b"x")),
    "two files": form(("photo", "x", b"x"), ("video", "y", b"y")),
}


@pytest.mark.parametrize("what", FORMS)
def test_a_form_without_one_photo_or_video_is_refused(client: Client, hma_bank: str, what: str) -> None:
    body, kind = FORMS[what]
    refused(client.ask("POST", "/h/hash", body, Content_Type=kind), 400, "request.invalid")
    refused(client.ask("POST", f"/c/bank/{hma_bank}/content", body, Content_Type=kind), 400, "request.invalid")
    said(client.ask("POST", "/m/lookup", body, Content_Type=kind), 400, "request.invalid")


def test_the_hash_is_the_one_that_hma_computes(client: Client) -> None:
    """Of the picture at its full size, upright."""
    picture = hills(61_005, SIZE).convert("L")
    luma = np.asarray(picture)
    expected = pdqs.hash_plane(Plane(luma, *luma.shape)).of(pdqs.Family.FULL)
    content = encoded(picture, "PNG")
    assert client.upload("/h/hash", content).json == {"pdq": expected}
    kinds = client.upload("/h/hash?types=pdq,video_md5,sha256", content).json
    assert list(kinds) == ["pdq", "video_md5", "sha256"]
    refused(client.upload("/h/hash?types=pdq,tmk", content), 400, "request.invalid")


# --- comparing


# shows difference 15
def test_hashes_are_compared_at_the_recommended_distance(client: Client) -> None:
    value = pdq(7).value
    for apart, same in ((0, True), (31, True), (32, False)):
        moved = f"{int(value, 16) ^ ((1 << apart) - 1):064x}"
        reply = client.send("POST", "/m/compare", {"pdq": [value, moved]})
        assert reply.json == {"pdq": [same, {"distance": apart}]}
    digests = [md5(8).value, md5(9).value]
    assert client.send("POST", "/m/compare", {"video_md5": digests}).json == {"video_md5": [False, {}]}


# shows difference 23
@pytest.mark.parametrize(
    "body", [{"pdq": ["00"]}, {"pdq": "00"}, {"tmk": ["0", "0"]}, {"pdq": [1, 2]}, {"pdq": ["a", "b"]}]
)
def test_what_cannot_be_compared_is_refused(client: Client, body: object) -> None:
    reply = client.send("POST", "/m/compare", body)
    assert reply.status == 400
    check_problem(reply)


# --- banks and content


# shows difference 11, 25
def test_a_bank_is_never_deleted_and_its_name_stays_taken(
    client: Client, second: Second, hma_bank: str, everyone: Asker
) -> None:
    value = pdq(uuid4().int).value
    put(client, hma_bank, pdq=value)
    second.agrees(client.ask("DELETE", f"/c/bank/{hma_bank}"))
    for _ in range(2):
        assert client.ask("DELETE", f"/c/bank/{hma_bank}").json == {"message": "Done"}
        assert client.ask("GET", f"/c/bank/{hma_bank}").json["matching_enabled_ratio"] == 0.0
    refused(client.send("POST", "/c/banks", {"name": hma_bank}), 409, "bank.exists")
    assert everyone.ask("POST", f"/banks/{hma_bank}/enable").status == 200
    assert hma_bank in client.lookup(value).json
    refused(client.ask("DELETE", "/c/bank/NO_SUCH"), 404, "bank.unknown")


# shows difference 10
def test_a_bank_keeps_its_name(client: Client, hma_bank: str) -> None:
    detail = refused(client.send("PUT", f"/c/bank/{hma_bank}", {"name": "NEW_NAME"}), 400, "request.invalid")
    assert "keeps its name" in detail
    assert client.send("PUT", f"/c/bank/{hma_bank}", {"name": hma_bank}).status == 200


# shows difference 20
@pytest.mark.parametrize("name", ["", "with space", "-x", "ä", "x" * 65, 7, None])
def test_a_name_that_cannot_be_used_is_refused(client: Client, name: object) -> None:
    assert client.send("POST", "/c/banks", {"name": name}).status == 400


# shows difference 13
@pytest.mark.parametrize("until", [2, -1, 1_900_000_000, "1", True, None, 0.5])
def test_nothing_is_disabled_for_a_time(client: Client, hma_bank: str, until: object) -> None:
    number = put(client, hma_bank, pdq=pdq(uuid4().int).value)
    reply = client.send("PUT", f"/c/bank/{hma_bank}/content/{number}", {"disable_until_ts": until})
    assert "by itself" in refused(reply, 400, "request.invalid")


# shows difference 19
def test_what_an_entry_says_of_itself_is_kept_and_not_changed(client: Client, hma_bank: str, everyone: Asker) -> None:
    content = encoded(hills(uuid4().int % 2**32, SIZE))
    path = f"/c/bank/{hma_bank}/content"
    number = client.upload(path, content, note="from our reviewers", content_id="post:7").json["id"]
    shown = client.ask("GET", f"{path}/{number}").json
    assert shown["note"] == "note from our reviewers; content_id post:7"
    assert "signals" not in shown
    assert "metadata" not in shown
    refused(client.send("PUT", f"{path}/{number}", {"note": "another"}), 400, "request.invalid")
    assert b"from our reviewers" in everyone.ask("GET", f"/banks/{hma_bank}/export").content


# shows difference 19
def test_a_note_that_is_too_long_is_cut_and_the_hash_is_kept(client: Client, hma_bank: str) -> None:
    path = f"/c/bank/{hma_bank}/content"
    number = client.upload(path, known(), note="n" * 2000).json["id"]
    note = client.ask("GET", f"{path}/{number}").json["note"]
    assert (len(note), note[-1]) == (500, "…")
    assert hma_bank in client.upload("/m/lookup", known()).json["pdq"]


# shows difference 24
def test_the_number_of_an_entry_is_good_in_its_own_bank_only(client: Client, hma_bank: str) -> None:
    number = put(client, hma_bank, pdq=pdq(uuid4().int).value, md5=md5(uuid4().int).value)
    assert client.ask("GET", f"/c/bank/{hma_bank}/content/{number}").status == 200
    for path in (
        f"{other_bank(client)}/content/{number}",
        f"{hma_bank}/content/{number + 1}",
        f"{hma_bank}/content/{10**30}",
    ):
        refused(client.ask("GET", f"/c/bank/{path}"), 404, "entry.unknown")
    assert client.ask("DELETE", f"/c/bank/{other_bank(client)}/content/{number}").json == {"deleted": 0}
    refused(client.ask("DELETE", f"/c/bank/NO_SUCH/content/{number}"), 404, "bank.unknown")


@pytest.mark.parametrize("body", [{}, {"pdq": 7}, {"tmk": "00"}, {"pdq": "0" * 64}, {"pdq": None}])
def test_signals_that_cannot_be_used_are_refused(client: Client, hma_bank: str, body: object) -> None:
    assert client.send("POST", f"/c/bank/{hma_bank}/signal", body).status == 400


@pytest.mark.parametrize("body", [b"", b"[]", b"{", b"1", b"[" * 100_000, b"\xff"])
def test_a_body_that_is_no_json_object_is_refused(client: Client, body: bytes) -> None:
    for method, path in (("POST", "/c/banks"), ("POST", "/m/compare")):
        refused(client.ask(method, path, body, Content_Type=JSON), 400, "request.invalid")


# shows difference 21
def test_json_must_be_called_json(client: Client) -> None:
    """A page in a browser may post anything else to this machine without asking first."""
    body = b'{"name": "FROM_A_PAGE"}'
    for kind in ("text/plain", "application/x-www-form-urlencoded", "multipart/form-data; boundary=x"):
        assert client.ask("POST", "/c/banks", body, Content_Type=kind).status == 400
    refused(client.ask("GET", "/c/bank/FROM_A_PAGE"), 404, "bank.unknown")


# --- kinds, and how current


# shows difference 17
def test_no_kind_of_hash_can_be_turned_off(client: Client) -> None:
    assert client.send("PUT", "/c/signal_type/pdq", {"enabled_ratio": 1.0}).status == 204
    refused(client.send("PUT", "/c/signal_type/pdq", {"enabled_ratio": 0}), 400, "request.invalid")
    refused(client.send("PUT", "/c/signal_type/tmk", {"enabled_ratio": 1}), 400, "request.invalid")
    assert {one["enabled_ratio"] for one in client.ask("GET", "/c/signal_type").json} == {1.0}


# shows difference 16
def test_built_to_counts_bank_changes(client: Client, hma_bank: str) -> None:
    before = client.ask("GET", "/c/signal_type/index").json
    put(client, hma_bank, pdq=pdq(uuid4().int).value)
    after = client.ask("GET", "/c/signal_type/index").json
    assert list(after) == ["pdq", "video_md5", "sha1", "sha256"]
    assert after["pdq"]["newest_db_item"] == before["pdq"]["newest_db_item"] + 1
    assert after["pdq"]["db_size"] == before["pdq"]["db_size"] + 1
    assert after["pdq"]["index_out_of_date"] == (after["pdq"]["index_built_to"] < after["pdq"]["newest_db_item"])
    for path in ("/c/signal_type/index", "/m/index/status"):
        assert list(client.ask("GET", f"{path}?signal_type=video_md5").json) == ["video_md5"]
        refused(client.ask("GET", f"{path}?signal_type=tmk"), 400, "request.invalid")


def test_the_words_of_status_are_hmas(server: Server) -> None:
    words = {"/status": b"I-AM-ALIVE", "/status/live": b"I-AM-ALIVE", "/livez": b"OK", "/readyz": b"READY"}
    for path, word in words.items():
        reply = Client(server.address).ask("GET", path)
        assert (reply.status, reply.content) == (200, word)


def test_a_lookup_leaves_no_screening(client: Client, everyone: Asker) -> None:
    title = "a JPEG in name only"
    before = [one["id"] for one in everyone.ask("GET", "/unscreened").json]
    client.upload("/m/lookup", samples()[title])
    client.upload("/m/lookup", unknown())
    assert [one["id"] for one in everyone.ask("GET", "/unscreened").json] == before


def test_a_picture_over_white_and_over_black_is_found_as_either(client: Client, hma_bank: str) -> None:
    shown = hills(61_006, SIZE)
    layered = Image.new("RGBA", SIZE)
    layered.paste(shown)
    assert client.upload(f"/c/bank/{hma_bank}/content", encoded(layered, "PNG")).status == 200
    assert hma_bank in client.upload("/m/lookup", encoded(shown)).json["pdq"]


# shows difference 20
def test_banks_of_v1_are_the_same_banks_whatever_their_names(client: Client, bank: str) -> None:
    assert client.ask("GET", f"/c/bank/{bank}").json == {"name": bank, "matching_enabled_ratio": 1.0}
    value = pdq(uuid4().int).value
    put(client, bank, pdq=value)
    assert bank in client.lookup(value).json


# shows difference 22
def test_no_exchange_is_set_up_here(client: Client) -> None:
    body = {"bank": "FROM_AN_EXCHANGE", "api": "ncmec", "api_json": {}, "credential_json": {"user": "u"}}
    refused(client.send("POST", "/c/exchanges", body), 405, "request.method")
    refused(client.ask("GET", "/c/exchange/FROM_AN_EXCHANGE"), 404, "request.address_unknown")
    refused(client.ask("GET", "/c/bank/FROM_AN_EXCHANGE"), 404, "bank.unknown")


def test_a_load_balancer_may_ask_for_the_head_alone(client: Client) -> None:
    reply = client.ask("HEAD", "/status")
    assert (reply.status, reply.content) == (200, b"")

# SPDX-License-Identifier: Apache-2.0
"""POST /v1/screen: however an upload is sent, it gets the answer that its bytes deserve, and no more is told."""

from __future__ import annotations

import json
from collections.abc import Iterator
from contextlib import suppress
from functools import cache
from pathlib import Path
from uuid import uuid4

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.demo.pictures import encoded, hills, unscreenable
from holdfast.media.reason import Reason
from tests.conftest import Server
from tests.test_pipeline import MAGIC, REASONS
from tests.web.http import JSON, Asker, Reply, form, in_pieces, refused

EXPLANATION = {
    "verdict",
    "effect",
    "reason",
    "reason_says",
    "send_again",
    "hashes_by",
    "shadow",
    "list_version",
    "looked_up_at",
    "matches",
}
MATCH = {
    *("bank", "entry", "signal", "variant", "distance", "threshold", "action", "kind", "opinion", "effect"),
    *("part", "spot"),
}
OPTIONS = ("content_id", "content_version", "surface", "uploader")


@cache
def unknown() -> bytes:
    return encoded(hills(31_001, (640, 480)))


@cache
def known() -> bytes:
    return encoded(hills(31_002, (640, 480)))


@cache
def disguised() -> bytes:
    return encoded(hills(31_002, (640, 480)), quality=40)


@cache
def samples() -> dict[str, bytes]:
    return {sample.title: sample.content for sample in unscreenable(hills(31_003, (640, 480)))}


@pytest.fixture(scope="module")
def stocked(everyone: Asker) -> str:
    """A bank that holds one known picture."""
    name = f"test-{uuid4().hex[:16]}"
    assert everyone.send("POST", "/banks", {"name": name, "meaning": "a test", "source": "tests"}).status == 201
    path = f"/banks/{name}/entries/picture"
    assert everyone.ask("POST", path, known(), provenance="tests").status == 201
    return name


@pytest.fixture
def explained(server: Server, keys: dict[str, str]) -> Asker:
    """Somebody who may screen and see why."""
    return Asker(server.address, keys["explained"])


def answer(reply: Reply) -> str:
    assert reply.status == 200, reply.content
    return str(reply.json["answer"])


def why(reply: Reply) -> tuple[str, str, str | None]:
    """(answer, verdict, reason)"""
    explanation = reply.json["explanation"]
    return answer(reply), explanation["verdict"], explanation["reason"]


# --- what is told


@pytest.mark.parametrize(
    "content", [known, disguised, unknown, *(lambda title=title: samples()[title] for title in REASONS)]
)
def test_without_the_scope_explain_the_answer_has_always_the_same_two_parts(
    uploader: Asker, stocked: str, content: object
) -> None:
    reply = uploader.ask("POST", "/screen", content())  # type: ignore[operator]
    assert set(reply.json) == {"answer", "screening"}
    assert stocked.encode() not in reply.content
    assert "Holdfast-Shadow" not in reply.headers


def test_publish_and_hold_look_alike_to_an_uploader(uploader: Asker, stocked: str) -> None:
    assert stocked
    held, other = uploader.ask("POST", "/screen", disguised()), uploader.ask("POST", "/screen", samples()["encrypted"])
    assert (answer(held), answer(other)) == ("hold", "hold")
    assert len(held.content) == len(other.content)
    assert set(held.headers) == set(other.headers)


def test_with_the_scope_explain_the_answer_says_why(explained: Asker, stocked: str) -> None:
    reply = explained.ask("POST", "/screen", disguised())
    assert set(reply.json) == {"answer", "screening", "explanation"}
    explanation = reply.json["explanation"]
    assert set(explanation) == EXPLANATION
    assert why(reply) == ("hold", "matched", None)
    (match,) = explanation["matches"]
    assert set(match) == MATCH
    assert (match["bank"], match["signal"]) == (stocked, "pdq")
    assert match["distance"] <= match["threshold"]


@pytest.mark.parametrize("title", REASONS)
def test_what_cannot_be_screened_is_held_with_its_reason(explained: Asker, title: str) -> None:
    reply = explained.ask("POST", "/screen", samples()[title])
    assert why(reply) == ("hold", "not_screened", REASONS[title])
    assert reply.json["explanation"]["reason_says"] == Reason(REASONS[title]).says


def test_an_unknown_picture_is_published(explained: Asker, stocked: str) -> None:
    assert stocked
    assert why(explained.ask("POST", "/screen", unknown())) == ("publish", "no_match", None)


# --- however it is sent


SENDINGS = ("raw", "form", "form with the file last")
IN_CHUNKS = ("raw in chunks", "form in chunks")


def sent(asker: Asker, how: str, content: bytes, item: str) -> Reply:
    """The same upload of the same item, sent in one of several ways."""
    file, field = ("file", "picture.jpg", content), ("content_id", item)
    if how == "raw":
        return asker.ask("POST", "/screen", content, content_id=item)
    if how == "raw in chunks":
        return asker.ask("POST", "/screen", in_pieces(content), content_id=item)
    parts = (field, file) if "last" in how else (file, field)
    body, kind = form(*parts)
    return asker.ask("POST", "/screen", in_pieces(body) if "chunks" in how else body, kind=kind)


@pytest.mark.parametrize("how", SENDINGS)
def test_the_answer_depends_on_the_bytes_and_not_on_how_they_were_sent(
    everyone: Asker, stocked: str, name: str, how: str
) -> None:
    assert stocked
    expected = {
        known: ("hold", "matched", None),
        disguised: ("hold", "matched", None),
        unknown: ("publish", "no_match", None),
    }
    for content, told in expected.items():
        reply = sent(everyone, how, content(), name)
        assert why(reply) == told
        record = everyone.ask("GET", f"/screenings/{reply.json['screening']}").json
        assert record["content"] == name
    for title, reason in REASONS.items():
        assert why(sent(everyone, how, samples()[title], name)) == ("hold", "not_screened", reason)


@pytest.mark.parametrize("how", IN_CHUNKS)
def test_an_upload_in_chunks_is_refused_in_words_or_screened_whole_but_never_taken_for_an_empty_one(
    everyone: Asker, stocked: str, name: str, how: str
) -> None:
    """Where the end of a body that was broken off cannot be told from its end, refusing is the only honest answer."""
    assert stocked
    for content, told in ((disguised, ("hold", "matched", None)), (unknown, ("publish", "no_match", None))):
        reply = sent(everyone, how, content(), name)
        assert reply.status in (411, 422) or why(reply) == told, reply.content
        if reply.status != 200:
            assert "Content-Length" in reply.json["detail"] + reply.json["advice"]


def test_a_content_type_that_lies_changes_nothing(explained: Asker, stocked: str) -> None:
    assert stocked
    for kind in ("image/png", "text/plain", JSON, "application/x-www-form-urlencoded", None):
        assert why(explained.ask("POST", "/screen", disguised(), kind=kind)) == ("hold", "matched", None)
        assert why(explained.ask("POST", "/screen", unknown(), kind=kind)) == ("publish", "no_match", None)


def test_options_come_in_the_address_or_in_the_form(everyone: Asker, name: str) -> None:
    options = {"content_id": name, "content_version": "v2", "surface": "profile", "uploader": "user-1"}
    body, kind = form(*options.items(), ("file", "x", unknown()))
    half, half_kind = form(*list(options.items())[:2], ("file", "x", unknown()))
    replies = [
        everyone.ask("POST", "/screen", unknown(), options=options),
        everyone.ask("POST", "/screen", body, kind=kind),
        everyone.ask("POST", "/screen", half, kind=half_kind, options=dict(list(options.items())[2:])),
    ]
    for reply in replies:
        record = everyone.ask("GET", f"/screenings/{reply.json['screening']}").json
        told = (record["content"], record["content_version"], record["surface"])
        assert told == (name, "v2", "profile")
        assert "user-1" not in json.dumps(record)


def test_without_options_every_upload_is_an_item_of_its_own(everyone: Asker) -> None:
    screenings = [everyone.ask("POST", "/screen", unknown()).json["screening"] for _ in range(2)]
    items = [everyone.ask("GET", f"/screenings/{one}").json["content"] for one in screenings]
    assert len(set(items)) == 2


BAD_OPTIONS = {
    "an unknown option": ("contentid", "post-1"),
    **{f"an empty {option}": (option, "") for option in OPTIONS},
    **{f"a {option} that is too long": (option, "x" * 201) for option in OPTIONS},
    **{f"a {option} with a control character": (option, "a\nb") for option in OPTIONS},
    **{f"a {option} with a zero byte": (option, "a\0b") for option in OPTIONS},
    "a deletion character": ("surface", "a\x7fb"),
}


@pytest.mark.parametrize("where", ["in the address", "in the form"])
@pytest.mark.parametrize(("option", "value"), BAD_OPTIONS.values(), ids=BAD_OPTIONS)
def test_an_option_that_cannot_be_used_is_a_422_that_names_it(
    everyone: Asker, where: str, option: str, value: str
) -> None:
    if where == "in the address":
        reply = everyone.ask("POST", "/screen", unknown(), options={option: value})
    else:
        body, kind = form((option, value), ("file", "x", unknown()))
        reply = everyone.ask("POST", "/screen", body, kind=kind)
    assert option in refused(reply, 422, "request.invalid")


def test_the_longest_option_is_taken(everyone: Asker) -> None:
    assert answer(everyone.ask("POST", "/screen", unknown(), surface="ü" * 200)) == "publish"


@pytest.mark.parametrize("where", ["in the address", "in the form", "in both"])
def test_an_option_given_twice_is_a_422_rather_than_a_guess(everyone: Asker, where: str) -> None:
    path = {
        "in the address": "/screen?content_id=a&content_id=b",
        "in the form": "/screen",
        "in both": "/screen?content_id=a",
    }
    fields = {"in the address": 0, "in the form": 2, "in both": 1}[where]
    body, kind = form(*[("content_id", letter) for letter in "cd"[:fields]], ("file", "x", unknown()))
    assert "content_id" in refused(everyone.ask("POST", path[where], body, kind=kind), 422, "request.invalid")


FORMS = {
    "two files": form(("file", "a.jpg", b"one"), ("file", "b.jpg", b"two")),
    "two files of different names": form(("file", "a.jpg", b"one"), ("other", "b.jpg", b"two")),
    "no file": form(("content_id", "post-1")),
    "nothing": form(),
    "no end": (form(("file", "a.jpg", b"one"))[0][:-20], form()[1]),
    "no boundary": (b"whatever", "multipart/form-data"),
    "not a form": (b"whatever", form()[1]),
    "another boundary": (form(("file", "a.jpg", b"one"))[0], "multipart/form-data; boundary=other"),
    "an empty body": (b"", form()[1]),
    "broken base64": (
        form(("file", "a.jpg", b"A"))[0].replace(b"Content-Type: image/jpeg", b"Content-Transfer-Encoding: base64"),
        form()[1],
    ),
    "very many fields": form(*[(f"field{number}", "x") for number in range(2000)], ("file", "a.jpg", b"one")),
    "a field that is too long": form(("content_id", "x" * (17 * 1024 * 1024)), ("file", "a.jpg", b"one")),
}


@pytest.mark.parametrize(("body", "kind"), FORMS.values(), ids=FORMS)
def test_a_form_without_exactly_one_whole_file_is_a_422(everyone: Asker, body: bytes, kind: str) -> None:
    refused(everyone.ask("POST", "/screen", body, kind=kind), 422, "request.invalid")


@pytest.mark.parametrize("length", [0, 1, 1000, 30_000])
def test_half_an_upload_is_not_answered_as_if_it_were_whole(everyone: Asker, name: str, length: int) -> None:
    path = f"/screen?content_id={name}"
    refused(everyone.announce(path, len(unknown()), unknown()[:length]), 422, "request.invalid")
    body, kind = form(("content_id", name), ("file", "x.jpg", unknown()))
    refused(everyone.announce("/screen", len(body), body[: length + 300], kind=kind), 422, "request.invalid")
    listed = everyone.ask("GET", "/unscreened").json
    assert name not in [item["content_id"] for item in listed], "nothing was recorded"


@pytest.mark.parametrize("end", [b"", b"\r\n", b"\r\nffff\r\nmore"])
def test_half_an_upload_in_chunks_is_not_answered_as_if_it_were_whole(everyone: Asker, name: str, end: bytes) -> None:
    piece = samples()["not a picture"]
    body = f"{len(piece):x}\r\n".encode() + piece + end
    reply = everyone.break_off(f"/screen?content_id={name}", "Transfer-Encoding: chunked", body)
    assert reply is None or reply.status >= 400, reply.content
    listed = everyone.ask("GET", "/unscreened").json
    assert name not in [item["content_id"] for item in listed], "nothing was recorded"


# --- asking twice


def again(asker: Asker, key: str, content: bytes, **options: str) -> Reply:
    return asker.ask("POST", "/screen", content, headers={"Idempotency-Key": key}, options=options)


def test_the_same_request_with_the_same_idempotency_key_gets_the_first_answer(explained: Asker, name: str) -> None:
    first = again(explained, name, unknown(), content_id=name)
    assert again(explained, name, unknown(), content_id=name).content == first.content
    body, kind = form(("content_id", name), ("file", "x", unknown()))
    as_form = explained.ask("POST", "/screen", body, kind=kind, headers={"Idempotency-Key": name})
    assert as_form.content == first.content, "the same item and bytes are the same request"


def test_another_upload_or_another_item_with_the_same_idempotency_key_is_a_409(explained: Asker, name: str) -> None:
    again(explained, name, unknown(), content_id=name)
    for content, options in ((known(), {"content_id": name}), (unknown(), {"content_id": name, "surface": "other"})):
        refused(again(explained, name, content, **options), 409, "request.idempotency_conflict")


def test_another_api_key_has_idempotency_keys_of_its_own(explained: Asker, keys: dict[str, str], name: str) -> None:
    other = Asker(explained.address, keys["other"])
    first, second = again(explained, name, unknown()), again(other, name, known())
    assert first.json["screening"] != second.json["screening"]


def test_an_idempotency_key_shows_no_explanation_to_a_key_without_the_scope(uploader: Asker, name: str) -> None:
    first = again(uploader, name, unknown())
    assert set(again(uploader, name, unknown()).json) == set(first.json) == {"answer", "screening"}


@pytest.mark.parametrize("bad", ["", "x" * 256, "a\tb"])
def test_an_idempotency_key_that_cannot_be_used_is_a_422(explained: Asker, bad: str) -> None:
    assert "Idempotency-Key" in refused(again(explained, bad, unknown()), 422, "request.invalid")


@pytest.mark.parametrize("key", ["clé", "a\xadb"])
def test_an_idempotency_key_beyond_ascii_is_honoured_or_refused_but_not_ignored(
    explained: Asker, key: str, name: str
) -> None:
    first, second = (again(explained, f"{key}-{name}", unknown()) for _ in range(2))
    assert first.status in (200, 422)
    assert first.content == second.content


# --- looking it up later


def test_an_answer_can_be_looked_up_as_the_journal_has_it(everyone: Asker, stocked: str, name: str) -> None:
    given_answer = everyone.ask("POST", "/screen", disguised(), content_id=name).json
    record = everyone.ask("GET", f"/screenings/{given_answer['screening']}").json
    explanation = given_answer["explanation"]
    assert (record["content"], record["answer"]) == (name, given_answer["answer"])
    for shared in ("verdict", "reason", "shadow", "list_version", "matches"):
        assert record[shared] == explanation[shared]
    assert stocked in [match["bank"] for match in record["matches"]]


def test_an_answer_that_was_never_given_is_not_found(everyone: Asker) -> None:
    refused(everyone.ask("GET", "/screenings/scr_x"), 404, "screening.unknown")


def test_what_is_held_unscreened_is_listed_until_it_is_screened(everyone: Asker, uploader: Asker, name: str) -> None:
    everyone.ask("POST", "/screen", samples()["encrypted"], content_id=name)

    def listed() -> list[dict[str, object]]:
        return [item for item in uploader.ask("GET", "/unscreened").json if item["content_id"] == name]

    (item,) = listed()
    assert (item["reason"], item["state"], item["send_again"]) == (None, "open", False)
    (explained,) = [item for item in everyone.ask("GET", "/unscreened").json if item["content_id"] == name]
    assert explained["reason"] == "encrypted"
    assert set(item) == {
        *("id", "content_id", "content_version", "reason", "reason_says", "send_again"),
        *("state", "owner", "since", "due"),
    }
    everyone.ask("POST", "/screen", unknown(), content_id=name)
    assert listed() == []


# --- anything at all

KINDS = (
    "application/octet-stream",
    "image/jpeg",
    JSON,
    "text/csv",
    "multipart/form-data; boundary=b",
    "multipart/form-data",
)


@given(st.sampled_from(MAGIC), st.binary(max_size=2000), st.sampled_from(KINDS))
def test_no_bytes_whatever_are_our_fault_or_published(everyone: Asker, magic: bytes, rest: bytes, kind: str) -> None:
    reply = everyone.ask("POST", "/screen", magic + rest, kind=kind)
    assert reply.status in (200, 422), reply.content
    if reply.status == 200:
        assert answer(reply) == "hold"


pieces = st.lists(
    st.sampled_from(
        [
            *(b"--b\r\n", b"--b--\r\n", b"--b", b"\r\n", b"\r\n\r\n", b"\n"),
            b'Content-Disposition: form-data; name="file"; filename="x"\r\n',
            b'Content-Disposition: form-data; name="content_id"\r\n',
            b"Content-Disposition: form-data\r\n",
            *(
                b"Content-Transfer-Encoding: base64\r\n",
                b"Content-Length: 9\r\n",
                b"Content-Type: text/plain; charset=x\r\n",
            ),
            *(b"AAAA", b"=", b"\0", b"\xff\xd8\xff", b"x" * 70_000),
        ]
    )
    | st.binary(max_size=10),
    max_size=12,
)


@given(pieces)
def test_no_form_whatever_is_our_fault_or_published(everyone: Asker, parts: list[bytes]) -> None:
    reply = everyone.ask("POST", "/screen", b"".join(parts), kind="multipart/form-data; boundary=b")
    assert reply.status in (200, 422), reply.content
    if reply.status == 200:
        assert answer(reply) == "hold"


@given(st.sampled_from(OPTIONS), st.text(st.characters(codec="utf-8"), max_size=210))
def test_no_option_whatever_is_our_fault(everyone: Asker, option: str, value: str) -> None:
    reply = everyone.ask("POST", "/screen", b"", options={option: value})
    assert reply.status in (200, 422), reply.content
    body, kind = form((option, value), ("file", "x", b""))
    assert everyone.ask("POST", "/screen", body, kind=kind).status == reply.status


# --- too many bytes

LIMIT = 100_000


@pytest.fixture(scope="module")
def limited(small: Server) -> Asker:
    """Somebody at the server that takes at most 100,000 bytes."""
    return Asker(small.address, small.client.key)


@pytest.fixture(scope="module")
def just_fits() -> bytes:
    """A picture that is as long as the limit: what follows its end is of no consequence to a decoder."""
    picture = encoded(hills(31_004, (640, 480)))
    assert len(picture) < LIMIT
    return picture + bytes(LIMIT - len(picture))


def test_an_upload_as_long_as_the_limit_is_screened_and_one_byte_more_is_held(limited: Asker, just_fits: bytes) -> None:
    for how in ("raw", "form"):
        assert why(sent(limited, how, just_fits, "fits"))[2] != "too_large"
        assert why(sent(limited, how, just_fits + b"\0", "over")) == ("hold", "not_screened", "too_large")


@pytest.mark.parametrize("length", [LIMIT + 1, 3_000_000, 20_000_000])
@pytest.mark.parametrize("how", SENDINGS)
def test_too_many_bytes_are_held_as_too_large_and_the_item_keeps_its_name(
    limited: Asker, name: str, how: str, length: int
) -> None:
    reply = sent(limited, how, unknown() + bytes(length - len(unknown())), name)
    assert why(reply) == ("hold", "not_screened", "too_large")
    held = [item for item in limited.ask("GET", "/unscreened").json if item["content_id"] == name]
    assert [item["reason"] for item in held] == ["too_large"]


def open_uploads(server: Server) -> list[str]:
    """The uploads that some process of this server still holds in memory."""
    found = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            found += list(_memory_files(process, server.environment["HOLDFAST_DATA"]))
    return found


def _memory_files(process: Path, data: str) -> Iterator[str]:
    try:
        ours = f"HOLDFAST_DATA={data}\0".encode() in (process / "environ").read_bytes()
        descriptors = list((process / "fd").iterdir()) if ours else []
    except OSError:
        return  # the process ended meanwhile
    for descriptor in descriptors:
        with suppress(OSError):  # this file was closed meanwhile
            if (link := str(descriptor.readlink())).startswith("/memfd:upload"):
                yield f"{process.name}: {link}"


UPLOADS_THAT_END = {
    "too long, raw": lambda asker: sent(asker, "raw", bytes(LIMIT + 1), "x"),
    "too long, as a form": lambda asker: sent(asker, "form", bytes(LIMIT + 1), "x"),
    "empty": lambda asker: asker.ask("POST", "/screen", b""),
    "empty, as a form": lambda asker: sent(asker, "form", b"", "x"),
    "two files": lambda asker: asker.ask("POST", "/screen", *FORMS["two files"][:1], kind=FORMS["two files"][1]),
    "half of it": lambda asker: asker.announce("/screen", 5000, b"half"),
    "a wrong option": lambda asker: asker.ask("POST", "/screen", unknown(), content_id=""),
    "a wrong option in the form": lambda asker: sent(asker, "form", unknown(), ""),
    "an unknown picture": lambda asker: sent(asker, "form", unknown(), "x"),
    "an empty picture for a bank": lambda asker: asker.ask("POST", "/banks/x/entries/picture", b"", provenance="x"),
    "a picture too long for a bank": lambda asker: asker.ask(
        "POST", "/banks/x/entries/picture", bytes(LIMIT + 1), provenance="x"
    ),
    "a picture for a bank that is not there": lambda asker: asker.ask(
        "POST", "/banks/x/entries/picture", unknown(), provenance="x"
    ),
    "a form too long for a bank": lambda asker: asker.ask(
        "POST",
        "/banks/x/entries/picture",
        form(("file", "x", bytes(LIMIT + 1)))[0],
        kind=form()[1],
        provenance="x",
    ),
}


@pytest.mark.parametrize("upload", UPLOADS_THAT_END.values(), ids=UPLOADS_THAT_END)
def test_an_upload_that_was_answered_is_kept_nowhere(small: Server, limited: Asker, upload: object) -> None:
    before = open_uploads(small)
    for _ in range(3):
        assert upload(limited).status in (200, 404, 422)  # type: ignore[operator]
    assert len(open_uploads(small)) <= len(before)

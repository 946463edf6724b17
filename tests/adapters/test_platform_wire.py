# SPDX-License-Identifier: Apache-2.0
"""What counts as an answer of the platform: exactly what docs/platform.md says, and nothing that resembles it."""

from __future__ import annotations

import copy
import json
from collections.abc import Callable
from datetime import UTC, datetime, timedelta, timezone
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.adapters import platform_wire as wire
from holdfast.adapters.strict_json import Misfit, read_object
from holdfast.hold.platform import Act, Acted, Ambiguous, CopyAt, Found, Item, Location, Notice, Nowhere, Views
from holdfast.intake.reporter import ItemKind

ITEM = {
    "content": "post-17",
    "version": "2",
    "kind": "post",
    "account": "acc-5",
    "first_seen": "2026-01-31T10:00:00Z",
    "asset": False,
    "locations": [
        {"id": "page:post-17", "url": "https://example.org/p/17"},
        {"id": "thumb:post-17", "url": None},
    ],
}
READ = Item(
    content="post-17",
    version="2",
    kind=ItemKind.POST,
    account="acc-5",
    first_seen=datetime(2026, 1, 31, 10, tzinfo=UTC),
    locations=(Location(id="page:post-17", url="https://example.org/p/17"), Location(id="thumb:post-17")),
)
RESOLVED = {
    "results": [{"state": "found", "item": ITEM}, {"state": "ambiguous", "items": [ITEM, ITEM]}, {"state": "nowhere"}]
}
COPIES = {"copies": [{"item": ITEM, "exact": True, "distance": 0}, {"item": ITEM, "exact": False, "distance": 31}]}
ACTS = {"results": [{"state": "done"}, {"state": "refused", "because": "not ours"}, {"state": "gone"}]}
VIEWS = {"views": [{"location": "page:post-17", "views": 3120, "at": "2026-11-23T10:04:16.25+01:00"}]}

Reader = Callable[[Any], object]
READERS: dict[str, tuple[Any, Reader]] = {
    "resolve": (RESOLVED, lambda untrusted: wire.read_resolved(untrusted, 3)),
    "copies": (COPIES, wire.read_copies),
    "hold": (ACTS, lambda untrusted: wire.read_acts(untrusted, 3)),
    "views": (VIEWS, lambda untrusted: wire.read_views(untrusted, ["page:post-17"])),
    "freeze": ({"facts": "from 192.0.2.7\nport 50123"}, wire.read_facts),
}


def changed(answer: Any, path: tuple[str | int, ...], value: Any) -> Any:
    """The answer with one part replaced."""
    whole = copy.deepcopy(answer)
    part = whole
    for step in path[:-1]:
        part = part[step]
    part[path[-1]] = value
    return whole


def without(answer: Any, path: tuple[str | int, ...]) -> Any:
    whole = copy.deepcopy(answer)
    part = whole
    for step in path[:-1]:
        part = part[step]
    del part[path[-1]]
    return whole


# --- what fits


def test_answers_of_the_agreed_form_are_read() -> None:
    assert wire.read_resolved(RESOLVED, 3) == [Found(READ), Ambiguous((READ, READ)), Nowhere()]
    assert wire.read_copies(COPIES) == [
        CopyAt(item=READ, exact=True),
        CopyAt(item=READ, exact=False, distance=31),
    ]
    assert wire.read_acts(ACTS, 3) == [Act(Acted.DONE), Act(Acted.REFUSED, "not ours"), Act(Acted.GONE)]
    at = datetime(2026, 11, 23, 9, 4, 16, 250_000, tzinfo=UTC)
    assert wire.read_views(VIEWS, ["page:post-17"]) == [Views(location="page:post-17", views=3120, at=at)]
    assert wire.read_facts({"facts": None}) is None


@pytest.mark.parametrize("name", READERS)
def test_fields_that_nobody_asked_for_are_ignored(name: str) -> None:
    answer, read = READERS[name]
    assert read({**answer, "more": [1]}) == read(answer)


@pytest.mark.parametrize("name", ["account", "first_seen"])
def test_what_the_platform_does_not_know_of_an_item_may_be_null_or_missing(name: str) -> None:
    path = ("results", 0, "item", name)
    (unknown, *_), (missing, *_) = (
        wire.read_resolved(one, 3) for one in (changed(RESOLVED, path, None), without(RESOLVED, path))
    )
    assert unknown == missing
    assert isinstance(missing, Found)
    assert getattr(missing.item, name) is None


def test_an_item_is_no_asset_unless_it_says_so() -> None:
    path = ("results", 0, "item", "asset")
    for answer, is_asset in ((without(RESOLVED, path), False), (changed(RESOLVED, path, True), True)):
        found = wire.read_resolved(answer, 3)[0]
        assert isinstance(found, Found)
        assert found.item.is_asset is is_asset


def test_ten_thousand_locations_fit() -> None:
    many = [{"id": f"page:{number}", "url": None} for number in range(10_000)]
    found = wire.read_resolved(changed(RESOLVED, ("results", 0, "item", "locations"), many), 3)[0]
    assert isinstance(found, Found)
    assert len(found.item.locations) == 10_000


def test_a_reason_is_made_fit_to_be_shown_instead_of_being_a_misfit_itself() -> None:
    for because, shown in ((" a\n\x00b \ud800", "a b"), ("x" * 600, "x" * 500), (None, ""), ("", "")):
        acts = wire.read_acts({"results": [{"state": "refused", "because": because}]}, 1)
        assert acts == [Act(Acted.REFUSED, shown)]


# --- what does not

LONG = "x" * 256
BAD_TEXTS: list[Any] = ["", LONG, "a\nb", "a\x00", "a\x7f", "a\u2028", "\ud800", 17, None, True, [], {}]
BAD_TIMES: list[Any] = [
    *("", "2026-01-31", "2026-01-31T10:00:00", "2026-01-31 10:00:00Z", "20260131T100000Z", "2026-02-30T10:00:00Z"),
    *("2026-01-31T24:00:01Z", "2026-01-31T10:00:00+25:00", "0001-01-01T00:00:00+10:00", "yesterday", 1769853600, True),
    *("2026-01-31T10:00:00Z ", "٢٠٢٦-01-31T10:00:00Z", "2026-01-31T10:00:00.1234567890Z"),
]
BAD_WHOLE: list[Any] = [-1, 1.0, 1.5, "1", True, None, 2**53 + 1, [], 1e3]
BAD_BOOLS: list[Any] = ["true", "false", 0, 1, None, "", []]
FIRST = ("results", 0, "item")
MISFITS: list[tuple[str, tuple[str | int, ...], list[Any]]] = [
    ("resolve", ("results",), [None, {}, "found", [], RESOLVED["results"][:2], RESOLVED["results"] * 2]),
    ("resolve", ("results", 0), [None, [], "found", {}, {"state": "found"}, {"state": "ambiguous", "items": []}]),
    ("resolve", ("results", 0, "state"), ["Found", "", None, True, ["found"], {}, "done", "found "]),
    ("resolve", ("results", 1, "items"), [None, {}, [None], [[]], ITEM]),
    ("resolve", (*FIRST, "content"), BAD_TEXTS),
    ("resolve", (*FIRST, "version"), [*BAD_TEXTS, 2]),
    ("resolve", (*FIRST, "account"), [text for text in BAD_TEXTS if text is not None]),
    ("resolve", (*FIRST, "kind"), ["", "Post", "link", "description", "hash", "elsewhere", None, 1, [], {}]),
    ("resolve", (*FIRST, "first_seen"), BAD_TIMES),
    ("resolve", (*FIRST, "asset"), BAD_BOOLS),
    ("resolve", (*FIRST, "locations"), [None, {}, "page", ["page"], ITEM["locations"] * 2]),  # type: ignore[operator]
    ("resolve", (*FIRST, "locations"), [[{"id": f"{number}", "url": None} for number in range(10_001)]]),
    ("resolve", (*FIRST, "locations", 0, "id"), [*BAD_TEXTS, "thumb:post-17"]),
    ("resolve", (*FIRST, "locations", 0, "url"), ["", "x" * 8193, "https://a\nb", 1, False, []]),
    ("copies", ("copies",), [None, {}, "", [None], [COPIES["copies"][0]] * 10_001]),
    ("copies", ("copies", 0, "exact"), BAD_BOOLS),
    ("copies", ("copies", 0, "distance"), [*BAD_WHOLE, 1]),
    ("copies", ("copies", 1, "distance"), [*BAD_WHOLE, 257]),
    ("copies", ("copies", 0, "item"), [None, [], "post-17", {}]),
    ("hold", ("results",), [None, {}, [], ACTS["results"][:2], ACTS["results"] * 2, ["done"] * 3]),
    ("hold", ("results", 0, "state"), ["Done", "DONE", "held", "", None, True, 1, [], {}, "found"]),
    ("hold", ("results", 1, "because"), [1, True, [], {}]),
    ("views", ("views",), [None, {}, [], VIEWS["views"] * 2]),
    ("views", ("views", 0, "location"), [*BAD_TEXTS, "page:post-18"]),
    ("views", ("views", 0, "views"), BAD_WHOLE),
    ("views", ("views", 0, "at"), [*BAD_TIMES, None]),
    ("freeze", ("facts",), ["", " \n", 1, False, [], {}, "\ud800"]),
]


@pytest.mark.parametrize(
    ("name", "path", "value"),
    [(name, path, value) for name, path, values in MISFITS for value in values],
    ids=lambda part: ascii(part)[:40],
)
def test_what_does_not_fit_exactly_is_no_answer(name: str, path: tuple[str | int, ...], value: Any) -> None:
    answer, read = READERS[name]
    with pytest.raises(Misfit):
        read(changed(answer, path, value))


@pytest.mark.parametrize(
    ("name", "path"),
    [
        ("resolve", ("results",)),
        ("resolve", ("results", 0, "state")),
        ("resolve", ("results", 0, "item")),
        ("resolve", ("results", 1, "items")),
        *(("resolve", (*FIRST, part)) for part in ("content", "version", "kind", "locations")),
        *(("resolve", (*FIRST, "locations", 0, part)) for part in ("id", "url")),
        ("copies", ("copies",)),
        *(("copies", ("copies", 1, part)) for part in ("item", "exact", "distance")),
        ("hold", ("results",)),
        ("hold", ("results", 0, "state")),
        *(("views", ("views", 0, part)) for part in ("location", "views", "at")),
        ("freeze", ("facts",)),
    ],
    ids=str,
)
def test_what_leaves_something_out_is_no_answer(name: str, path: tuple[str | int, ...]) -> None:
    answer, read = READERS[name]
    with pytest.raises(Misfit, match=f"{path[-1]} is missing"):
        read(without(answer, path))


def test_answers_in_another_order_are_none() -> None:
    views = [{"location": one, "views": 1, "at": "2026-11-23T10:04:16Z"} for one in ("a", "b")]
    assert len(wire.read_views({"views": views}, ["a", "b"])) == 2
    with pytest.raises(Misfit, match="in another order"):
        wire.read_views({"views": views}, ["b", "a"])


def fault_of(read: Callable[[], object]) -> str:
    """What a misfit says; nothing if it is none. Whatever else is raised goes on."""
    try:
        read()
    except Misfit as fault:
        return str(fault)
    return ""


JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(max_size=8) | st.sampled_from(["done", "post"]),
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(st.text(max_size=8), inner, max_size=4),
    max_leaves=8,
)


def paths(part: Any, before: tuple[str | int, ...] = ()) -> list[tuple[str | int, ...]]:
    """The way to every part of an answer."""
    steps = list(part.items()) if isinstance(part, dict) else list(enumerate(part)) if isinstance(part, list) else []
    return [way for step, inner in steps for way in ((*before, step), *paths(inner, (*before, step)))]


@given(st.data())
def test_whatever_stands_in_its_place_an_answer_is_read_or_a_misfit_that_tells_nothing(data: st.DataObject) -> None:
    name = data.draw(st.sampled_from(sorted(READERS)))
    answer, read = READERS[name]
    value = data.draw(JSON | st.just("canary-7731") | st.just(["canary-7731"]))
    fault = fault_of(lambda: read(changed(answer, data.draw(st.sampled_from(paths(answer))), value)))
    assert "canary" not in fault
    assert len(fault) <= 100


@given(st.binary(max_size=200) | st.text(max_size=200).map(lambda text: text.encode("utf-8", "surrogatepass")))
def test_any_bytes_are_an_object_or_a_misfit(untrusted_body: bytes) -> None:
    assert len(fault_of(lambda: read_object(untrusted_body))) <= 100


@pytest.mark.parametrize(
    "body",
    [b"", b"null", b"1", b'"x"', b"[]", b"{", b'{"a":1}x', b'{"a":1,"a":1}', b'{"a":{"b":1,"b":2}}', b'{"a":Infinity}',
     b'\xef\xbb\xbf{"a":1}', b'{"a":' + b"9" * 5000 + b"}", b"[" * 200_000, b'{"a":"\xc3"}'],
    ids=lambda body: ascii(body[:20]),
)  # fmt: skip
def test_what_is_no_plain_json_object_is_a_misfit(body: bytes) -> None:
    with pytest.raises(Misfit):
        read_object(body)


# --- what is asked


def test_a_moment_is_asked_for_in_utc() -> None:
    at = datetime(2026, 11, 23, 12, 4, 16, tzinfo=timezone(timedelta(hours=2)))
    assert wire.views_body(["a"], at) == {"locations": ["a"], "at": "2026-11-23T10:04:16Z"}
    assert wire.views_body(["a"], None) == {"locations": ["a"], "at": None}


def test_a_notice_is_asked_for_with_every_field() -> None:
    notice = Notice(id="ntc_1", account="acc-5", content="post-17", title="T", text="x", answer_code="acorn")
    assert json.loads(wire.as_bytes(wire.notices_body([notice]))) == {
        "notices": [
            {
                "notice": "ntc_1",
                "account": "acc-5",
                "content": "post-17",
                "title": "T",
                "text": "x",
                "answer_url": None,
                "answer_code": "acorn",
            }
        ]
    }

# SPDX-License-Identifier: Apache-2.0
"""What the log holds of a row: canonical, committed, chained, and silent about everything else."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime
from typing import Any

import rfc8785
from hypothesis import given
from hypothesis import strategies as st

from holdfast.log.canonical import canonical, canonical_of_json, quoted
from holdfast.log.leaf import Row, commitment, leaf_data, opened, public_name

TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
NUMBERS = st.integers(-(2**53) + 1, 2**53 - 1) | st.floats(allow_nan=False, allow_infinity=False)
VALUES = st.recursive(
    st.none() | st.booleans() | NUMBERS | TEXTS,
    lambda inner: st.lists(inner, max_size=4) | st.dictionaries(TEXTS, inner, max_size=4),
    max_leaves=15,
)
ROW = Row(
    journal_id=9,
    subject="screening:scr_" + "a" * 24,
    version=1,
    tag="screening.answered",
    schema=1,
    body='{"verdict": "no_match", "content": "post-1"}',
    actor="cli:maria",
    at=datetime(2026, 7, 1, 12, tzinfo=UTC),
    salt=b"s" * 32,
)


@given(VALUES, st.booleans())
def test_the_quick_road_to_canonical_json_gives_what_the_library_gives(value: Any, ascii_only: bool) -> None:
    assert canonical_of_json(json.dumps(value, ensure_ascii=ascii_only)).encode() == rfc8785.dumps(value)


@given(TEXTS)
def test_a_text_is_quoted_as_the_library_does(text: str) -> None:
    assert quoted(text).encode() == rfc8785.dumps(text)


def test_an_integer_that_canonical_json_has_no_form_for_does_not_stop_the_log() -> None:
    assert canonical({"n": 2**60}) == b'{"n":"1152921504606846976"}'
    assert canonical_of_json('{"n": 1152921504606846976}') == '{"n":"1152921504606846976"}'


def test_a_leaf_holds_nothing_of_the_body_or_the_actor_but_a_commitment() -> None:
    leaf = leaf_data(ROW, ROW.subject, None)
    assert b"maria" not in leaf
    assert b"post-1" not in leaf
    assert json.loads(leaf)["body"] == commitment(ROW.salt, opened(ROW))
    assert rfc8785.dumps(json.loads(leaf)) == leaf


@given(VALUES, TEXTS, st.integers(1, 2**31 - 1), st.datetimes(timezones=st.just(UTC)))
def test_a_leaf_is_canonical_whatever_the_row_holds(body: Any, actor: str, version: int, at: datetime) -> None:
    row = replace(ROW, body=json.dumps(body), actor=actor, version=version, at=at)
    leaf = leaf_data(row, row.subject, b"p" * 32)
    assert rfc8785.dumps(json.loads(leaf)) == leaf
    assert opened(row).encode() == rfc8785.dumps({"actor": actor, "body": body})


@given(st.sampled_from(["subject", "version", "tag", "schema", "body", "actor", "at", "salt"]))
def test_whatever_of_a_row_changes_changes_its_leaf(field: str) -> None:
    other = {"version": 2, "schema": 2, "at": datetime(2026, 7, 2, tzinfo=UTC), "salt": b"t" * 32, "body": "{}"}
    changed = replace(ROW, **{field: other.get(field, "entry:ent_" + "b" * 24)})  # type: ignore[arg-type]
    assert leaf_data(changed, changed.subject, None) != leaf_data(ROW, ROW.subject, None)


def test_a_name_that_people_chose_stands_as_a_commitment() -> None:
    hidden = public_name("bank:a-name", b"s" * 32)
    assert hidden.startswith("bank:~")
    assert "a-name" not in hidden
    assert hidden == public_name("bank:a-name", b"s" * 32)
    assert hidden != public_name("bank:a-name", b"t" * 32)
    assert public_name(ROW.subject, b"s" * 32) == ROW.subject

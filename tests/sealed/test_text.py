# SPDX-License-Identifier: Apache-2.0
"""A private text is never written in clear."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.log.event import decode, encode, registered
from holdfast.match.entry import EntryRemoved
from holdfast.sealed.text import SealedText, private_fields

TEXT = st.text(min_size=1)


def test_a_text_that_was_not_sealed_cannot_be_written() -> None:
    with pytest.raises(Exception, match="sealed before it is written") as refused:
        encode(EntryRemoved(because="Anna told us"))
    assert "Anna" not in str(refused.value)


@given(TEXT, TEXT)
def test_only_where_it_lies_and_what_commits_to_it_is_written(record: str, commitment: str) -> None:
    written = encode(EntryRemoved(because=SealedText("Anna told us", record=record, commitment=commitment)))
    assert written == {"because": {"sealed": record, "commitment": commitment}}
    again = decode("bank.entry.removed", 2, json.loads(json.dumps(written)))
    assert isinstance(again, EntryRemoved)
    assert isinstance(again.because, SealedText)
    assert (again.because, again.because.record, again.because.commitment) == ("", record, commitment)


def test_an_event_from_before_is_read_in_clear_as_it_was_written() -> None:
    old = decode("bank.entry.removed", 1, {"because": "a mistake"})
    assert encode(old) == {"because": "a mistake"}


@pytest.mark.parametrize("found", ["clear", 1, None, {}, {"sealed": "x"}, {"sealed": "x", "commitment": "y", "z": 1}])
def test_clear_text_in_the_new_form_is_not_read(found: object) -> None:
    with pytest.raises(ValueError, match="sealed record"):
        decode("bank.entry.removed", 2, {"because": found})


def test_every_reason_and_label_that_people_type_is_private_in_the_newest_form_of_its_event() -> None:
    newest = {tag: kind for (tag, _), kind in sorted(registered().items())}
    free = {"because", "label", "provenance"}
    clear = {
        f"{tag}.{name}"
        for tag, kind in newest.items()
        for name in kind.__dataclass_fields__
        if name in free and name not in private_fields(kind)
    }
    ours = {"bank.import.abandoned.because", "decision.reversed.because"}
    assert clear <= ours, "which only Holdfast itself writes"

# SPDX-License-Identifier: Apache-2.0
"""An import is staged, then published or given up, and only what was published is rolled back."""

from __future__ import annotations

import hashlib
from dataclasses import replace

import pytest

from holdfast.errors import InvalidRequest
from holdfast.match.importing import (
    AbandonImport,
    BeginImport,
    Contents,
    Import,
    ImportCommand,
    ImportPublished,
    ImportState,
    PublishImport,
    RollBackImport,
    decide_import,
    digest_of,
)
from tests.match.deciding import UNWRITABLE, decided, refused

IMPORT = Import(id="1", bank="b", source="a.csv", state=ImportState.STAGING)
BEGIN = BeginImport(bank="b", source="a.csv", from_exchange=False)
CONTENTS = Contents(entries=2, signals=3, refused=1, digest="d")
COMMANDS: tuple[ImportCommand, ...] = (
    BEGIN,
    PublishImport(contents=CONTENTS),
    RollBackImport(because="a wrong file"),
    AbandonImport(because="it ended"),
)


def test_what_an_exchange_keeps_is_imported_only_from_the_exchange() -> None:
    assert refused(decide_import(None, BEGIN, read_only=True)).code == "bank.read_only"
    assert decided(decide_import(None, replace(BEGIN, from_exchange=True), read_only=True))
    published = replace(IMPORT, state=ImportState.PUBLISHED)
    assert refused(decide_import(published, RollBackImport(because="x"), read_only=True)).code == "bank.read_only"


def test_the_journal_commits_to_what_is_published() -> None:
    (happened,) = decided(decide_import(IMPORT, PublishImport(contents=CONTENTS)))
    assert happened == ImportPublished(entries=2, signals=3, refused=1, digest="d")


@pytest.mark.parametrize("text", ["", " ", *UNWRITABLE], ids=ascii)
def test_a_source_or_reason_that_cannot_be_kept_is_refused_by_its_name(text: str) -> None:
    with pytest.raises(InvalidRequest, match="source"):
        decide_import(None, replace(BEGIN, source=text))
    with pytest.raises(InvalidRequest, match="because"):
        decide_import(replace(IMPORT, state=ImportState.PUBLISHED), RollBackImport(because=text))


def test_the_digest_is_what_sorting_and_digesting_the_lines_of_a_plain_list_gives() -> None:
    signals = sorted([("pdq", "b" * 64), ("md5", "c" * 32), ("pdq", "a" * 64)])
    text = "".join(sorted(f"{kind} {value}\n" for kind, value in signals))
    assert digest_of(signals) == (3, hashlib.sha256(text.encode()).hexdigest())
    assert digest_of([]) == (0, hashlib.sha256(b"").hexdigest())

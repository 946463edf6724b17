# SPDX-License-Identifier: Apache-2.0
"""Journal rows as the log reads them, and the leaf that each must have, rebuilt from the row itself.

The sequencer makes leaves with this, the publisher makes them again before anything is signed, and
`fsck` once more over everything, so that all three mean the same leaf.
"""

from __future__ import annotations

from collections.abc import Iterable, Iterator, Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

import psycopg
from django.db.backends.utils import CursorWrapper

from holdfast.errors import LogDiverged
from holdfast.log.leaf import Row, leaf_data, public_name, stands_in_clear
from holdfast.log.merkle import leaf_hash

ROW: Final = "j.id, j.subject, j.version, j.tag, j.schema, j.body::text, j.actor, j.at, j.salt"
_LEAVES: Final = f"""
select l.index, l.leaf_hash, l.journal_id, l.subject, l.version, {ROW}, p.leaf_hash
from log_leaf l
left join journal j on j.id = l.journal_id
left join log_leaf p on l.version > 1 and p.subject = l.subject and p.version = l.version - 1
where l.index >= %s and l.index < %s order by l.index
"""  # noqa: S608  # made of constants
_OF_SUBJECT: Final = f"""
select l.index, {ROW} from journal j left join log_leaf l on l.journal_id = j.id
where j.subject = %s order by j.version
"""  # noqa: S608  # made of constants
_FIRST_SALTS: Final = "select subject, salt from journal where version = 1 and subject = any(%s)"
_LAST_LEAVES: Final = """
select distinct on (subject) subject, version, leaf_hash from log_leaf
where subject = any(%s) order by subject, version desc
"""
_COUNT: Final = "select coalesce(max(index) + 1, 0) from log_leaf"


Cursor = psycopg.Cursor[Any] | CursorWrapper
"""What runs a statement and gives its rows: psycopg's cursors and Django's."""


@dataclass(frozen=True, slots=True)
class Leaf:
    """One leaf as the table has it, and as its journal row says it must be; None where there is no such row."""

    index: int
    stored_hash: bytes
    row: Row | None
    named: tuple[int, str, int]
    """Journal id, subject and version as the table of leaves has them."""
    data: bytes | None
    made: bytes | None
    """The hash of `data`."""

    @property
    def true(self) -> bool:
        """Whether the table says what the journal says."""
        row = self.row
        same = row is not None and self.named == (row.journal_id, row.subject, row.version)
        return same and self.made == self.stored_hash


def row_of(values: Sequence[Any]) -> Row:
    """A row from the columns of `ROW`."""
    journal_id, subject, version, tag, schema, body, actor, at, salt = values
    return Row(journal_id, subject, version, tag, schema, body, actor, at, bytes(salt))


def leaves_between(cursor: Cursor, first: int, past: int) -> list[Leaf]:
    """The leaves with an index from `first` up to, not including, `past`, in order."""
    cursor.execute(_LEAVES, [first, past])
    found = cursor.fetchall()
    salts = first_salts(cursor, (values[6] for values in found if values[6] is not None))
    return [_leaf(values, salts) for values in found]


def rows_of_subject(cursor: Cursor, subject: str) -> list[tuple[int | None, Row]]:
    """Every journal row of a subject with its place in the log, if it has one yet."""
    cursor.execute(_OF_SUBJECT, [subject])
    return [(values[0], row_of(values[1:])) for values in cursor.fetchall()]


def first_salts(cursor: Cursor, subjects: Iterable[str]) -> dict[str, bytes]:
    """The salt of the first row of each subject whose name does not stand in clear."""
    hidden = sorted({subject for subject in subjects if not stands_in_clear(subject)})
    if not hidden:
        return {}
    cursor.execute(_FIRST_SALTS, [hidden])
    return {subject: bytes(salt) for subject, salt in cursor.fetchall()}


def last_leaves(cursor: Cursor, subjects: Sequence[str]) -> dict[str, tuple[int, bytes]]:
    """The last version in the log, and its leaf's hash, of each subject that is in it."""
    if not subjects:
        return {}
    cursor.execute(_LAST_LEAVES, [list(subjects)])
    return {subject: (version, bytes(last)) for subject, version, last in cursor.fetchall()}


def count_leaves(cursor: Cursor) -> int:
    """How many leaves there are, if there are no gaps."""
    cursor.execute(_COUNT)
    return int(cursor.fetchall()[0][0])


def whole_range(leaves: Sequence[Leaf], first: int, past: int) -> Iterator[tuple[bytes, bytes]]:
    """Hash and bytes of each leaf from `first` to `past`. Raises LogDiverged, naming the first that is not right."""
    for number, leaf in enumerate(leaves):
        if leaf.index != first + number or not leaf.true:
            message = f"the leaf {first + number} is not what its journal row says"
            raise LogDiverged(message)
        assert leaf.data is not None
        yield leaf.stored_hash, leaf.data
    if len(leaves) != past - first:
        message = f"the leaf {first + len(leaves)} is missing"
        raise LogDiverged(message)


def _leaf(values: Sequence[Any], salts: Mapping[str, bytes]) -> Leaf:
    index, stored, journal_id, subject, version = values[:5]
    named = (journal_id, subject, version)
    if values[5] is None:
        return Leaf(index, bytes(stored), None, named, None, None)
    row = row_of(values[5:14])
    name = public_name(row.subject, salts.get(row.subject, b""))
    previous = bytes(values[14]) if values[14] is not None else None
    data = leaf_data(row, name, previous)
    return Leaf(index, bytes(stored), row, named, data, leaf_hash(data))

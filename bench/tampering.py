# SPDX-License-Identifier: Apache-2.0
"""Edits that someone who owns the database could make behind everyone's back, and whether each is found in its place.

Each is made in a transaction that is rolled back, with triggers off, as the superuser.
"""

from __future__ import annotations

import random
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

import psycopg

from holdfast.adapters.log_folder import LogFolder
from holdfast.check_log import Difference, check_log

Connection = psycopg.Connection[Any]
_FLIPS: Final = (
    "update journal set body = jsonb_set(body, '{content}', to_jsonb(body->>'content' || 'x')) where id = %s",
    "update journal set body = body - 'verdict' where id = %s",
    "update journal set actor = actor || 'x' where id = %s",
    "update journal set tag = tag || 'x' where id = %s",
    "update journal set schema = schema + 1 where id = %s",
    "update journal set salt = set_byte(salt, 7, get_byte(salt, 7) # 1) where id = %s",
    "update journal set subject = subject || 'x' where id = %s",
    "update journal set version = version + 1000 where id = %s",
    "update log_leaf set leaf_hash = set_byte(leaf_hash, 31, get_byte(leaf_hash, 31) # 128) where journal_id = %s",
    "update log_leaf set version = version + 1000 where journal_id = %s",
)
_DELETES: Final = ("delete from journal where id = %s", "delete from log_leaf where journal_id = %s")
_REDATES: Final = (
    "update journal set at = at + interval '1 microsecond' where id = %s",
    "update journal set at = at - interval '1 day' where id = %s",
)
_SWAPS: Final = (
    (
        "update journal a set body = b.body, actor = b.actor, salt = b.salt, at = b.at from journal b"
        " where (a.id, b.id) in ((%(a)s, %(b)s), (%(b)s, %(a)s))"
    ),
    (
        "update log_leaf a set leaf_hash = b.leaf_hash from log_leaf b"
        " where (a.journal_id, b.journal_id) in ((%(a)s, %(b)s), (%(b)s, %(a)s))"
    ),
    (
        "update log_leaf a set journal_id = -b.journal_id, subject = '~' || b.subject from log_leaf b"
        " where (a.journal_id, b.journal_id) in ((%(a)s, %(b)s), (%(b)s, %(a)s));"
        " update log_leaf set journal_id = -journal_id, subject = substr(subject, 2) where journal_id < 0"
    ),
)
_INSERTS: Final = (
    (
        "insert into journal (subject, version, tag, schema, body, actor, at, xact)"
        " select subject, version + 5000, tag, schema, body, actor, at, xact from journal where id = %s returning id"
    ),
    (
        "insert into log_leaf (index, journal_id, subject, version, leaf_hash)"
        " select (select max(index) + 1 from log_leaf), -journal_id, subject, version + 5000, leaf_hash"
        " from log_leaf where journal_id = %s returning index"
    ),
)


@dataclass(frozen=True, slots=True)
class Edit:
    """What was done, and how its place is told in a difference that names it."""

    what: str
    names_it: Callable[[Difference], bool]


def make_edit(connection: Connection, chance: random.Random) -> Edit:
    """One random edit, in the transaction that is open."""
    connection.execute("set local session_replication_role = replica")
    ids = dict(connection.execute("select journal_id, index from log_leaf").fetchall())
    kind = chance.choice((_flip, _delete, _redate, _swap, _insert, _roll_back))
    return kind(connection, chance, ids)


def found(connection: Connection, folder: LogFolder, edit: Edit) -> bool:
    """Whether the check names the place of this edit."""
    with connection.cursor() as cursor:
        return any(edit.names_it(one) for one in check_log(cursor, folder, pause=lambda _: None))


def _at(indexes: set[int]) -> Callable[[Difference], bool]:
    return lambda difference: difference.index in indexes


def _one(words: tuple[str, ...], connection: Connection, chance: random.Random, ids: Mapping[int, int]) -> Edit:
    chosen, one = chance.choice(words), chance.choice(sorted(ids))
    connection.execute(chosen, [one])
    return Edit(chosen, _at({ids[one]}))


def _flip(connection: Connection, chance: random.Random, ids: Mapping[int, int]) -> Edit:
    return _one(_FLIPS, connection, chance, ids)


def _delete(connection: Connection, chance: random.Random, ids: Mapping[int, int]) -> Edit:
    return _one(_DELETES, connection, chance, ids)


def _redate(connection: Connection, chance: random.Random, ids: Mapping[int, int]) -> Edit:
    return _one(_REDATES, connection, chance, ids)


def _swap(connection: Connection, chance: random.Random, ids: Mapping[int, int]) -> Edit:
    words, (one, other) = chance.choice(_SWAPS), chance.sample(sorted(ids), 2)
    for part in words.split(";"):
        connection.execute(part, {"a": one, "b": other} if "%" in part else None)
    return Edit(words, _at({ids[one], ids[other]}))


def _insert(connection: Connection, chance: random.Random, ids: Mapping[int, int]) -> Edit:
    words = chance.choice(_INSERTS)
    made = connection.execute(words, [chance.choice(sorted(ids))]).fetchone()
    assert made
    if words is _INSERTS[0]:
        return Edit(words, lambda difference: f"journal row {made[0]})" in difference.says)
    return Edit(words, _at({made[0]}))


def _roll_back(connection: Connection, chance: random.Random, ids: Mapping[int, int]) -> Edit:
    """Back to yesterday: the newest rows and leaves are gone, and the heads over them."""
    left = chance.randrange(1, len(ids))
    connection.execute("delete from journal where id in (select journal_id from log_leaf where index >= %s)", [left])
    connection.execute("delete from log_leaf where index >= %s", [left])
    connection.execute("delete from log_head where size > %s", [left])
    return Edit(f"roll back to {left}", _at({left}))

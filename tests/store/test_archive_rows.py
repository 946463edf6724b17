# SPDX-License-Identifier: Apache-2.0
"""The archive in the order of its places: nothing appears below the horizon, and other databases are told apart."""

from __future__ import annotations

import dataclasses

import psycopg
import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.bootstrap import System
from holdfast.match.sheet import START, Place, behind, place_of
from tests.archived import empty, fill
from tests.store.making import STORIES, md5, pdq

INSERT = """
insert into archive (screening, content_id, content_version, surface, verdict, md5, sha1, sha256, hashes, at)
values (%s, 'c', '1', 's', 'no_match', '', '', '', '', now())
"""


def everything(upto: Place, most: int = 100) -> list[str]:
    from holdfast.store import archive_rows as rows

    place, found = START, []
    while some := rows.chunk(place, upto, most):
        found += [place_of(row) for row in some]
        place = behind(place_of(some[-1]))
    assert found == sorted(found), "the database orders places as Python does"
    return [place.screening for place in found]


@STORIES
@given(sizes=st.lists(st.integers(1, 4), max_size=5), most=st.integers(1, 5))
def test_a_walk_in_chunks_meets_every_row_once(system: System, sizes: list[int], most: int) -> None:
    from holdfast.store import archive_rows as rows

    assert system
    empty()
    made = [name for size in sizes for name in fill([(f"{n}", [pdq(n)]) for n in range(size)]).values()]
    upto = rows.present()
    assert sorted(everything(upto, most)) == sorted(made)
    assert rows.count(START, upto) == len(made)
    assert rows.count(START, upto, most) == min(most, len(made))


def test_below_the_horizon_nothing_appears_any_more(system: System) -> None:
    from holdfast.store import archive_rows as rows

    url = system.settings.database_url
    assert url
    fill([("before", [pdq(1)])])
    with psycopg.connect(url) as slow:
        slow.execute(INSERT, ["scr_slow"])
        fill([("after", [pdq(2)])])
        horizon, mark = rows.horizon(), rows.mark()
        assert mark.place == horizon
        below = everything(horizon)
        assert len(below) == 1
        slow.commit()
    assert everything(horizon) == below
    assert len(everything(rows.present())) == 3


def test_who_writes_is_told_until_he_has_ended(system: System) -> None:
    from holdfast.store import archive_rows as rows

    url = system.settings.database_url
    assert url
    assert rows.writers() == frozenset()
    with psycopg.connect(url) as one, psycopg.connect(url) as reader:
        reader.execute("select 1 from archive")
        one.execute(INSERT, ["scr_1"])
        writing = rows.writers()
        assert len(writing) == 1
        with psycopg.connect(url) as two:
            two.execute(INSERT, ["scr_2"])
            assert len(rows.writers() - writing) == 1
        one.rollback()
        assert rows.writers() == frozenset()


def test_a_mark_is_known_where_it_was_written_and_nowhere_else(system: System) -> None:
    from holdfast.store import archive_rows as rows
    from holdfast.store.models import ArchiveMarkRow

    assert system
    mark = rows.mark()
    assert rows.knows(mark)
    assert not rows.knows(dataclasses.replace(mark, horizon=mark.horizon + 1))
    assert not rows.knows(dataclasses.replace(mark, cluster="7"))
    ArchiveMarkRow.objects.all().delete()
    assert not rows.knows(mark), "as in a database that was set back to before it"


def test_whoever_writes_after_a_mark_stands_behind_it(system: System) -> None:
    from holdfast.store import archive_rows as rows

    assert system
    mark = rows.mark()
    (screening,) = fill([("later", [pdq(1)])]).values()
    assert everything(mark.place) == []
    assert [row[1] for row in rows.chunk(mark.place, rows.present())] == [screening]


def test_marks_are_forgotten_after_a_month(system: System) -> None:
    from django.db import connection

    from holdfast.store import archive_rows as rows

    assert system
    old, young = rows.mark(), rows.mark()
    with connection.cursor() as cursor:
        cursor.execute("update archive_mark set at = now() - interval '31 days' where token::text = %s", [old.token])
    rows.mark()
    assert (rows.knows(old), rows.knows(young)) == (False, True)


def test_rows_of_another_cluster_are_given_places_of_this_one(system: System) -> None:
    from django.db import connection

    from holdfast.store import archive_rows as rows

    assert system
    fill([(f"{n}", [pdq(n)]) for n in range(5)])
    with connection.cursor() as cursor:
        cursor.execute("update archive set xact = '9000000000000'::xid8 where content_id < '3'")
    assert len(everything(rows.present())) == 2
    assert [rows.adopt_foreign(2), rows.adopt_foreign(2), rows.adopt_foreign(2)] == [2, 1, 0]
    assert len(everything(rows.present())) == 5


@pytest.mark.parametrize("kind", ["md5", "sha1", "sha256"])
def test_rows_are_found_by_any_digest_as_far_as_they_stand_before_a_place(system: System, kind: str) -> None:
    from holdfast.match.signal import Signal, SignalType
    from holdfast.store import archive_rows as rows

    assert system
    digest = Signal(SignalType(kind), "ab" * (SignalType(kind).hex_length // 2))
    fill([("a", [digest]), ("b", [md5(1)])])
    upto = rows.present()
    fill([("later", [digest])])
    assert [(row.content_id, one) for row, one in rows.by_digest([digest, md5(7)], upto)] == [("a", digest)]
    assert len(rows.by_digest([digest], rows.present())) == 2

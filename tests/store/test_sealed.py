# SPDX-License-Identifier: Apache-2.0
"""Sealed records: nothing in clear, opened for those who may, erased for good by two, and proven ever after."""

from __future__ import annotations

import re
from collections.abc import Callable
from datetime import timedelta
from typing import Any

import psycopg
import pytest
from django.db import connection, transaction

from holdfast.adapters.keyring import KeyringFile
from holdfast.bootstrap import System
from holdfast.errors import (
    JournalConflict,
    Refused,
    SealedDamaged,
    SealedUnknown,
    SealingKeyMissing,
    SecondPersonNeeded,
)
from holdfast.health import Grade, sealing
from holdfast.match.entry import EntryRemoved
from holdfast.sealed.sealing import commitment_of
from holdfast.sealed.subject import EraseSealed, LiftPreservation, PreserveSealed, SealedState
from holdfast.sealed.text import ERASED, SealedText
from holdfast.start import clock
from tests.conftest import superuser
from tests.store.making import ACTOR, TWO, add, answered, create, left_by, md5, pdq, record, together

SAID = "Anna Beispiel told us on the phone"
PERSON = "user-4711"


def everything(system: System) -> str:
    """Every column of every table, as text, for whoever may see it all."""
    with psycopg.connect(superuser(system.settings.data)) as found:
        tables = found.execute("select tablename from pg_tables where schemaname = 'public'").fetchall()
        return "\n".join(
            row[0] for (name,) in tables for row in found.execute(f"select t::text from {name} t").fetchall()
        )


def run_as_superuser(system: System, statement: str) -> None:
    with psycopg.connect(superuser(system.settings.data), autocommit=True) as found:
        found.execute("set session_replication_role = replica")
        found.execute(statement)


def differences(system: System) -> list[str]:
    from holdfast.store.sealed_check import sealed_records

    return list(sealed_records(system.journal.sealer))


def provenance_of(system: System, entry_id: str) -> SealedText:
    (first, *_) = system.journal.read(f"entry:{entry_id}")
    text = first.happened.provenance  # type: ignore[attr-defined]  # it was added
    assert isinstance(text, SealedText)
    return text


def erase(system: System, subject: str) -> None:
    system.sealed.change(subject, EraseSealed(because="asked to"), actor=TWO)


@pytest.fixture
def stocked(system: System) -> System:
    """A bank with an entry somebody said something about, and a person's upload."""
    create(system)
    add(system, pdq(1), md5(1), provenance=SAID)
    record(system, answered(uploader=PERSON))
    return system


# --- sealing


def test_what_people_typed_and_who_uploaded_stands_nowhere_in_clear(stocked: System) -> None:
    whole = everything(stocked)
    assert SAID not in whole
    assert PERSON not in whole
    (entry,) = stocked.banks.entries("bank")
    assert entry.provenance == SAID
    assert differences(stocked) == []


def test_a_change_that_is_refused_leaves_no_sealed_record(stocked: System) -> None:
    before = stocked.sealed.count()
    (entry,) = stocked.banks.entries("bank")
    removed = EntryRemoved(because=SAID)
    with pytest.raises(JournalConflict), transaction.atomic():
        stocked.journal.append(f"entry:{entry.id}", after=0, events=[removed], actor=ACTOR, at=clock())
    assert stocked.sealed.count() == before


def test_one_person_is_one_subject_also_if_uploads_come_at_once(system: System) -> None:
    works = [lambda n=n: record(system, answered(f"post-{n}", uploader=PERSON)) for n in range(4)]
    assert all(together(works))
    assert system.sealed.count().subjects == 1
    with connection.cursor() as cursor:
        cursor.execute("select distinct uploader_subject from screening")
        assert cursor.fetchall() == [(system.sealed.find(PERSON),)]
    assert differences(system) == []


def test_reading_is_recorded_before_anything_is_opened(stocked: System) -> None:
    subject = stocked.sealed.find(PERSON)
    shown = stocked.sealed.read(subject, role="identity", because="a report", actor="cli:anna")
    assert list(shown.values()) == [PERSON]
    (told,) = stocked.journal.read(f"sealed:{subject}")
    assert (told.happened.tag, told.actor) == ("sealed.read", "cli:anna")
    damage = f"update sealed_record set sealed = sealed || '\\x00' where subject_id = '{subject}'"
    run_as_superuser(stocked, damage)
    with pytest.raises(SealedDamaged):
        stocked.sealed.read(subject, role="identity", because="again", actor="cli:anna")
    assert len(stocked.journal.read(f"sealed:{subject}")) == 2


def test_the_app_role_cannot_delete_sealed_records(stocked: System) -> None:
    for table in ("sealed_record", "sealed_subject"):
        with pytest.raises(Exception, match="permission denied"), transaction.atomic(), connection.cursor() as cursor:
            cursor.execute(f"delete from {table}")
    assert stocked.sealed.count().records > 0


# --- erasing


def test_erasure_opens_nothing_and_leaves_every_earlier_proof_valid(stocked: System) -> None:
    (entry,) = stocked.banks.entries("bank")
    text = provenance_of(stocked, entry.id)
    opened = stocked.journal.sealer.open_records([text.record])[text.record]
    assert opened is not None
    subject = stocked.sealed.subject_of(text.record)
    erase(stocked, subject)
    # What an outsider was shown before still proves what the journal says; the journal has not changed.
    after = provenance_of(stocked, entry.id)
    from holdfast.store.sealing import stored

    (lying,) = stored([text.record])
    assert commitment_of(opened, lying.place) == after.commitment == text.commitment
    assert (after, lying.sealed, lying.wrapped) == (ERASED, None, None)
    assert [one.provenance for one in stocked.banks.entries("bank")] == [ERASED]
    assert differences(stocked) == []


def test_an_erased_person_is_not_found_and_begins_anew(stocked: System) -> None:
    subject = stocked.sealed.find(PERSON)
    erase(stocked, subject)
    with pytest.raises(SealedUnknown):
        stocked.sealed.find(PERSON)
    with pytest.raises(Refused):
        stocked.sealed.read(subject, role="x", because="x", actor=ACTOR)
    record(stocked, answered("post-2", uploader=PERSON))
    assert stocked.sealed.find(PERSON) != subject
    assert differences(stocked) == []


def test_nobody_erases_alone_nor_what_is_preserved(stocked: System) -> None:
    subject = stocked.sealed.find(PERSON)
    erase_it = EraseSealed(because="asked to")
    with pytest.raises(SecondPersonNeeded):
        stocked.sealed.change(subject, erase_it, actor=ACTOR)
    hold = PreserveSealed(hold="hld_1", until=clock() + timedelta(days=1), because="police")
    stocked.sealed.change(subject, hold, actor="cli:cleo")
    with pytest.raises(SecondPersonNeeded):
        stocked.sealed.change(subject, LiftPreservation(hold="hld_1", because="over"), actor=ACTOR)
    for actor in (ACTOR, TWO):
        with pytest.raises(Refused, match="a hold stands"):
            stocked.sealed.change(subject, erase_it, actor=actor)
    assert stocked.sealed.find(PERSON) == subject
    stocked.sealed.change(subject, LiftPreservation(hold="hld_1", because="over"), actor=TWO)
    stocked.sealed.change(subject, erase_it, actor=TWO)
    assert stocked.sealed.get(subject).state is SealedState.ERASED


def test_an_erasure_is_on_disk_before_it_is_committed_and_repeated_after_a_restore(stocked: System) -> None:
    subject = stocked.sealed.find(PERSON)
    with psycopg.connect(superuser(stocked.settings.data)) as found:
        rows = [found.execute(f"select * from {one}").fetchall() for one in ("sealed_subject", "sealed_record")]
    erase(stocked, subject)
    assert stocked.sealed.repeat_erasures() == []
    # Yesterday's rows come back.
    with psycopg.connect(superuser(stocked.settings.data), autocommit=True) as found:
        found.execute("set session_replication_role = replica")
        found.execute("truncate sealed_subject, sealed_record; delete from journal where subject like 'sealed:sub%'")
        for name, some in zip(("sealed_subject", "sealed_record"), rows, strict=True):
            for row in some:
                found.execute(f"insert into {name} values ({', '.join(['%s'] * len(row))})", row)
    assert stocked.sealed.find(PERSON) == subject
    assert stocked.sealed.repeat_erasures() == [subject]
    with pytest.raises(SealedUnknown):
        stocked.sealed.find(PERSON)


def test_the_dead_rows_of_an_erasure_are_cleared_where_the_database_lets_us(stocked: System) -> None:
    subject = stocked.sealed.find(PERSON)
    erase(stocked, subject)
    with connection.cursor() as cursor:
        cursor.execute("select current_setting('server_version_num')::int >= 170000")
        able = cursor.fetchone()[0]
    from holdfast.store.sealed_subjects import clear_dead_rows

    assert clear_dead_rows() == able
    assert stocked.sealed.count().erased_since_rotation == 1
    stocked.rotation.rotate(actor=ACTOR)
    assert stocked.sealed.count().erased_since_rotation == 0


def test_the_doctor_says_where_the_keys_are_and_who_may_read_them(stocked: System) -> None:
    def graded() -> dict[str, Grade]:
        return {one.what: one.grade for one in sealing(stocked)}

    good = graded()
    assert good["sealing: rights"] is good["sealing: age"] is good["sealing: complete"] is Grade.GOOD
    assert good["sealing: apart"] is Grade.WEAKER, "in a test, keys and database share a disk"
    stocked.keyrings.path.chmod(0o640)
    try:
        assert graded()["sealing: rights"] is Grade.WRONG
    finally:
        stocked.keyrings.path.chmod(0o600)
    run_as_superuser(stocked, "insert into sealed_kek values ('kek_other', 'retiring', 3, now())")
    assert graded()["sealing: complete"] is Grade.WRONG
    run_as_superuser(stocked, "delete from sealed_kek where id = 'kek_other'")


# --- the check


HARM = {
    "a record is gone": ("delete from sealed_record where field = 'bank.entry.added.provenance'", "not there"),
    "a subject's records are gone": ("delete from sealed_record where field = 'uploader'", "nothing is sealed of it"),
    "a subject is gone": ("delete from sealed_subject where kind = 'uploader'", "not there"),
    "a box was changed": ("update sealed_record set sealed = sealed || '\\x00'", "does not open"),
    "boxes were swapped": (
        "update sealed_record r set sealed = o.sealed from sealed_record o where o.id <> r.id", "does not open"
    ),
    "a box was moved to another field": ("update sealed_record set field = 'x'", "does not open"),
    "a commitment was changed": ("update sealed_record set commitment = 'x'", "says otherwise"),
    "the journal was changed": (
        "update journal set body = jsonb_set(body, '{provenance,commitment}', '\"x\"') where tag = 'bank.entry.added'",
        "says otherwise",
    ),
    "a reference is gone": ("delete from screening", "nothing refers"),
    "a key is gone": ("update sealed_subject set wrapped_key = null", "neither whole nor erased"),
    "erased behind our back": (
        """update sealed_record set sealed = null; update sealed_subject
        set wrapped_key = null, kek_id = null, finds = null, state = 'erased'""",
        "do not agree",
    ),
}  # fmt: skip


@pytest.mark.parametrize(("harm", "told"), HARM.values(), ids=HARM)
def test_every_harm_to_what_is_sealed_is_found(stocked: System, harm: str, told: str) -> None:
    assert differences(stocked) == []
    run_as_superuser(stocked, harm)
    assert any(re.search(told, one) for one in differences(stocked)), differences(stocked)
    assert not any(word in one for one in differences(stocked) for word in (SAID, PERSON))


# --- keys


def test_after_a_rotation_everything_opens_and_the_old_key_opens_nothing(stocked: System) -> None:
    from holdfast.sealed.sealing import unwrap

    for number in range(20):
        record(stocked, answered(f"post-{number}", uploader=f"user-{number}"))
    old = stocked.keyrings.read().used
    told: list[tuple[int, int]] = []
    done = stocked.rotation.rotate(actor=ACTOR, progress=lambda *one: told.append(one))
    assert done == told[-1][0] == told[-1][1] == stocked.sealed.count().subjects
    keyring = stocked.keyrings.read()
    assert list(keyring.keys) == [keyring.current] != [old.id]
    with connection.cursor() as cursor:
        cursor.execute("select id, wrapped_key, kek_id from sealed_subject")
        rows = cursor.fetchall()
    for subject, wrapped, kek in rows:
        with pytest.raises(SealedDamaged):
            unwrap(bytes(wrapped), subject, kek, old.secret)
    with pytest.raises(SealingKeyMissing):
        keyring.get(old.id)
    assert differences(stocked) == []
    assert [one.provenance for one in stocked.banks.entries("bank")] == [SAID]


def test_a_process_that_still_wraps_with_a_destroyed_key_is_refused_by_the_database(stocked: System) -> None:
    from holdfast.store.answers import Conditions, send

    stale = stocked.journal.sealer.uploader_columns("late")
    stocked.rotation.rotate(actor=ACTOR)
    late = answered("late", uploader="late")
    level, left = stocked.banks.newest_level(), left_by(late)
    with pytest.raises(JournalConflict):
        send(late, late.as_body(), level, None, left, stale, Conditions(alone=True))
    assert record(stocked, late), "asked again, it is written with the new key"


KILLED_AT = ("write:1", "_next_in_use:1", "write:2", "_rewrap:1", "_destroyed:1", "write:3")


@pytest.mark.parametrize("point", KILLED_AT)
def test_a_rotation_that_was_killed_anywhere_goes_on(stocked: System, point: str) -> None:
    from holdfast.store import sealed_rotation

    for number in range(5):
        record(stocked, answered(f"post-{number}", uploader=f"user-{number}"))
    old = stocked.keyrings.read().current
    with pytest.raises(_Killed):
        dying(stocked, *point.split(":"))
    # Whatever was reached: everything opens, and new things are sealed, before anybody goes on.
    stocked.rotation.prepare(actor=ACTOR)
    assert [one.provenance for one in stocked.banks.entries("bank")] == [SAID]
    record(stocked, answered("meanwhile", uploader="meanwhile"))
    assert differences(stocked) == []
    sealed_rotation.Rotation(stocked.journal, stocked.keyrings, clock).rotate(actor=ACTOR)
    keyring = stocked.keyrings.read()
    assert list(keyring.keys) == [keyring.current] != [old]
    assert {one["id"] for one in stocked.sealed.count().keys} == {keyring.current}
    assert differences(stocked) == []
    assert stocked.sealed.find("meanwhile")


def test_reading_and_sealing_go_on_while_keys_rotate(stocked: System) -> None:
    def rotate() -> bool:
        for _ in range(5):
            stocked.rotation.rotate(actor=ACTOR)
        return True

    def use() -> bool:
        for number in range(60):
            while True:
                try:
                    assert record(stocked, answered(f"post-{number}", uploader=f"user-{number}"))
                    break
                except JournalConflict:
                    continue
            assert [one.provenance for one in stocked.banks.entries("bank")] == [SAID]
        return True

    assert together([rotate, use]) == [True, True]
    assert differences(stocked) == []


def test_a_keyring_that_is_gone_is_missed_and_not_replaced(stocked: System) -> None:
    path = stocked.keyrings.path
    aside = path.rename(path.with_suffix(".aside"))
    try:
        with pytest.raises(SealingKeyMissing):
            stocked.rotation.prepare(actor=ACTOR)
        assert not path.exists()
    finally:
        aside.rename(path)


def test_what_stood_in_clear_is_sealed_once(stocked: System) -> None:
    from holdfast.store.sealed_old import seal_what_is_clear

    run_as_superuser(stocked, "update entry set provenance = 'clear text', provenance_record = null")
    run_as_superuser(stocked, "update screening set uploader = 'clear person', uploader_subject = null")
    assert [one.provenance for one in stocked.banks.entries("bank")] == ["clear text"]
    assert seal_what_is_clear(stocked.journal.sealer) == 2
    assert seal_what_is_clear(stocked.journal.sealer) == 0
    assert [one.provenance for one in stocked.banks.entries("bank")] == ["clear text"]
    assert stocked.sealed.find("clear person")
    assert "clear text" not in everything(stocked)
    assert "clear person" not in everything(stocked)


class _Killed(Exception):  # noqa: N818  # what happened
    pass


def dying(system: System, where: str, when: str) -> None:
    """Rotate, and die right after the n-th step of a kind."""
    from holdfast.store import sealed_rotation

    left = {where: int(when)}

    def passed(step: str) -> None:
        if step in left:
            left[step] -= 1
            if not left[step]:
                raise _Killed

    def then(step: str, work: Callable[..., Any]) -> Callable[..., Any]:
        def run(*arguments: Any) -> Any:
            done = work(*arguments)
            passed(step)
            return done

        return run

    keyrings = KeyringFile(system.keyrings.path, system.keyrings.keeper)
    rotation = sealed_rotation.Rotation(system.journal, keyrings, clock)
    with pytest.MonkeyPatch.context() as patch:
        patch.setattr(keyrings, "write", then("write", keyrings.write))
        for step in ("_next_in_use", "_rewrap", "_destroyed"):
            patch.setattr(rotation, step, then(step, getattr(rotation, step)))
        rotation.rotate(actor=ACTOR)

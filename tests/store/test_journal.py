# SPDX-License-Identifier: Apache-2.0
"""The journal only grows, holds what it was given, and lets one writer win."""

from __future__ import annotations

import dataclasses
import types
import typing
from datetime import UTC, datetime
from enum import StrEnum
from uuid import uuid4

import psycopg
import pytest
from django.db import connection, transaction
from hypothesis import given
from hypothesis import strategies as st

from holdfast.access import key as keys
from holdfast.access import proposal, safety, staff
from holdfast.alarm import alarm
from holdfast.bootstrap import System
from holdfast.case import case, running_clock
from holdfast.decision import decision
from holdfast.effect import effect
from holdfast.errors import JournalConflict
from holdfast.hold import contest, hold
from holdfast.intake import proof, report, reported
from holdfast.log import check
from holdfast.log.event import Event, registered
from holdfast.match import archive, backwards, bank, entry, importing, long_screening, screen, unscreened
from holdfast.match.bank import BankDisabled, BankEnabled
from holdfast.match.entry import EntryRemoved
from holdfast.review import look, review
from holdfast.sealed import kek, subject
from tests.store.making import ACTOR, NOW, STORIES, create, insert_journal_row, rows, together

REWRITING = (
    "update journal set actor = 'someone else'",
    "update journal set body = '{}' where false",
    "delete from journal",
    "delete from journal where false",
    "truncate journal",
)
AROUND = (
    (
        "insert into journal (subject, version, tag, schema, body, actor, at)"
        " select subject, version, tag, schema, body, actor, at from journal"
        " on conflict (subject, version) do update set actor = 'someone else'"
    ),
    "select * from journal for update",
    "lock table journal in access exclusive mode",
    "alter table journal disable trigger all",
    "alter table journal disable trigger journal_is_append_only",
    "alter table journal drop constraint journal_subject_version",
    "alter table journal add column note text",
    "alter table journal rename to old_journal",
    "alter table journal owner to holdfast_app",
    "drop trigger journal_is_append_only on journal",
    "drop table journal",
    "drop function journal_is_append_only() cascade",
    "create or replace function journal_is_append_only() returns trigger language plpgsql as 'begin return null; end'",
    "create rule quiet as on insert to journal do instead nothing",
    "create trigger quiet before insert on journal for each row execute function journal_is_append_only()",
    "set session_replication_role = replica",
    "set role holdfast_owner",
    "alter role holdfast_app superuser",
    "create table shadow_journal (like journal)",
    "delete from django_migrations",
    "insert into django_migrations (app, name, applied) values ('store', 'x', now())",
)


def appended(
    system: System, subject: str, *events: Event, after: int = 0, actor: str = ACTOR, at: datetime = NOW
) -> None:
    with transaction.atomic(durable=True):
        system.journal.append(subject, after=after, events=events, actor=actor, at=at)


def refused(url: str | None, statement: str) -> str:
    """What the database says to this statement. Fails if it does not refuse it."""
    assert url
    with psycopg.connect(url) as mine, pytest.raises(psycopg.errors.InsufficientPrivilege) as fault:
        mine.execute(statement)
    return str(fault.value)


# --- only growing


@pytest.fixture
def guarded(wired: System) -> System:
    """The system with something in its journal that must stay as it is; tables are not emptied for each statement."""
    if not wired.journal.last_version("bank:guarded"):
        create(wired, "guarded")
    return wired


@pytest.mark.parametrize("statement", [*REWRITING, *AROUND])
def test_the_role_that_runs_everything_cannot_rewrite_the_journal_nor_lift_its_guard(
    guarded: System, statement: str
) -> None:
    before = guarded.journal.read("bank:guarded")
    said = refused(guarded.settings.database_url, statement)
    assert "append-only" not in said, "only the trigger refused this: the role has the right"
    assert list(guarded.journal.read("bank:guarded")) == list(before) != []


@pytest.mark.parametrize("statement", REWRITING)
def test_even_the_owner_of_the_tables_cannot_rewrite_the_journal(guarded: System, statement: str) -> None:
    before = guarded.journal.read("bank:guarded")
    assert "append-only" in refused(guarded.settings.database_owner_url, statement)
    assert list(guarded.journal.read("bank:guarded")) == list(before) != []


def test_the_role_that_runs_everything_cannot_give_itself_the_right_to_rewrite(guarded: System) -> None:
    url = guarded.settings.database_url
    assert url
    with psycopg.connect(url) as mine:
        mine.execute("grant all on journal to holdfast_app")  # PostgreSQL only warns that nothing was granted
    assert "permission denied" in refused(url, "update journal set actor = actor where false")


def test_the_role_that_runs_everything_may_add_to_the_journal_and_read_it(system: System) -> None:
    appended(system, "bank:a", BankDisabled())
    assert system.journal.last_version("bank:a") == 1
    assert rows(system.settings.data, "journal") == {"journal": 1}


def test_the_journal_is_not_written_outside_a_transaction(system: System) -> None:
    with pytest.raises(RuntimeError, match="inside the transaction"):
        system.journal.append("bank:a", after=0, events=[BankDisabled()], actor=ACTOR, at=NOW)
    assert system.journal.last_version("bank:a") == 0


def test_what_is_appended_in_a_transaction_that_fails_was_never_there(system: System) -> None:
    def fail_after_appending() -> None:
        with transaction.atomic(durable=True):
            system.journal.append("bank:a", after=0, events=[BankDisabled()], actor=ACTOR, at=NOW)
            raise LookupError

    with pytest.raises(LookupError):
        fail_after_appending()
    assert system.journal.read("bank:a") == []


# --- one writer wins


def test_a_version_that_is_taken_is_a_conflict_and_the_first_stays(system: System) -> None:
    appended(system, "bank:a", BankDisabled(), actor="first")
    with pytest.raises(JournalConflict):
        appended(system, "bank:a", BankEnabled(), actor="second")
    assert [(row.happened, row.actor) for row in system.journal.read("bank:a")] == [(BankDisabled(), "first")]


def test_one_conflict_in_a_batch_keeps_the_whole_batch_out(system: System) -> None:
    insert_journal_row(system.settings.data, "bank:b", 1)
    batch = [(f"bank:{name}", 0, [BankDisabled()]) for name in "abc"]
    with pytest.raises(JournalConflict), transaction.atomic(durable=True):
        system.journal.append_many(batch, actor=ACTOR, at=NOW)
    assert [system.journal.last_version(f"bank:{name}") for name in "abc"] == [0, 1, 0]


@pytest.mark.parametrize("version", [0, -1])
def test_there_is_no_version_before_the_first(system: System, version: int) -> None:
    with pytest.raises(JournalConflict):
        appended(system, "bank:a", BankDisabled(), after=version - 1)
    assert system.journal.last_version("bank:a") == 0


def test_of_many_that_write_the_same_version_at_once_exactly_one_succeeds(system: System) -> None:
    def try_it(actor: str) -> bool:
        try:
            appended(system, "bank:a", BankDisabled(), actor=actor)
        except JournalConflict:
            return False
        return True

    outcomes = together([lambda actor=str(number): try_it(actor) for number in range(8)])  # type: ignore[misc]
    assert outcomes.count(True) == 1
    assert [row.actor for row in system.journal.read("bank:a")] == [str(outcomes.index(True))]


# --- reading back


def texts() -> st.SearchStrategy[str]:
    """Any text that PostgreSQL can hold."""
    return st.text(st.characters(codec="utf-8", exclude_characters="\0"))


def values_of(hint: object) -> st.SearchStrategy[object]:
    """Any value of one type that an event carries."""
    simple: dict[object, st.SearchStrategy[object]] = {
        str: texts(),
        bool: st.booleans(),
        int: st.integers(-(2**63), 2**63),
        float: st.floats(0, 1e9),
        datetime: st.datetimes(timezones=st.just(UTC)),
        type(None): st.none(),
        dict[str, typing.Any]: st.dictionaries(
            texts(), st.none() | st.booleans() | st.integers() | texts(), max_size=4
        ),
    }
    if hint in simple:
        return simple[hint]
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin in (typing.Union, types.UnionType):
        return st.one_of(*map(values_of, arguments))
    if origin is tuple and arguments[1:] == (...,):
        return st.lists(values_of(arguments[0]), max_size=4).map(tuple)
    if origin is tuple:
        return st.tuples(*map(values_of, arguments))
    assert isinstance(hint, type), f"this test does not know how to make {hint!r}"
    if issubclass(hint, StrEnum):
        return st.sampled_from(hint)
    assert dataclasses.is_dataclass(hint), f"this test does not know how to make {hint!r}"
    return instances(hint)


def instances(cls: type) -> st.SearchStrategy[typing.Any]:
    """Any instance of a dataclass."""
    hints = typing.get_type_hints(cls)
    return st.builds(cls, **{field.name: values_of(hints[field.name]) for field in dataclasses.fields(cls)})


STAGES = (
    *(archive, backwards, bank, entry, importing, long_screening, screen, unscreened),
    *(keys, effect, alarm, check, kek, subject, proposal, safety),
    *(report, reported, proof, case, hold, contest, review, decision, look, staff),
    *(keys, effect, alarm, hold, running_clock, check, kek, subject, proposal, safety),
)
EVENTS = {key: kind for key, kind in registered().items() if kind.__module__ in {stage.__name__ for stage in STAGES}}


def test_the_events_of_these_stages_are_all_there_are(system: System) -> None:
    assert system, "everything is imported once the system is wired"
    ours = {key for key, kind in registered().items() if kind.__module__.startswith("holdfast.")}
    assert ours == set(EVENTS)


@pytest.mark.parametrize("kind", EVENTS.values(), ids=lambda kind: f"{kind.tag}/{kind.schema}")
def test_every_kind_of_event_is_read_back_as_it_was_appended(system: System, kind: type[Event]) -> None:
    @STORIES
    @given(st.lists(instances(kind), min_size=1, max_size=3), st.datetimes(timezones=st.just(UTC)), texts())
    def read_back(events: list[Event], at: datetime, actor: str) -> None:
        subject = f"test:{uuid4()}"
        appended(system, subject, *events, actor=actor, at=at)
        recorded = system.journal.read(subject)
        assert [row.happened for row in recorded] == events
        assert [type(row.happened) for row in recorded] == [kind] * len(events)
        assert [(row.subject, row.version) for row in recorded] == [(subject, n + 1) for n in range(len(events))]
        assert {(row.actor, row.at) for row in recorded} == {(actor, at)}

    read_back()


def test_an_event_this_build_does_not_know_is_not_guessed_at(system: System) -> None:
    appended(system, "bank:a", BankDisabled())
    with connection.cursor() as cursor:
        cursor.execute(
            "insert into journal (subject, version, tag, schema, body, actor, at)"
            " values ('bank:a', 2, 'bank.exploded', 1, '{}', 'x', now())"
        )
    with pytest.raises(KeyError):
        system.journal.read("bank:a")


def test_a_subject_has_its_own_rows_only_in_the_order_of_their_versions(system: System) -> None:
    appended(system, "bank:a", BankDisabled(), BankEnabled())
    appended(system, "bank:b", BankDisabled())
    appended(system, "bank:a", EntryRemoved(because="x"), after=2)
    assert [row.version for row in system.journal.read("bank:a")] == [1, 2, 3]
    assert [row.version for row in system.journal.read("bank:b")] == [1]
    assert system.journal.read("bank:c") == []

# SPDX-License-Identifier: Apache-2.0
"""API keys as they are kept: the secret nowhere, every refusal in the same words, revoked at once."""

from __future__ import annotations

from datetime import timedelta
from pathlib import Path

import psycopg
import pytest

from holdfast.access.key import KeyCreated, KeyRevoked, Scope, digest, split
from holdfast.bootstrap import System
from holdfast.errors import KeyRefused, KeyUnknown, Refused
from holdfast.pipeline import FirstAnswer, Once
from holdfast.start import clock
from tests.conftest import superuser
from tests.store.making import answered, record

ACTOR = "cli:test"
SCREEN = frozenset({Scope.SCREEN})


def made(system: System, label: str = "upload service", **more: object) -> str:
    given = {"scopes": SCREEN, "expires_at": None, **more}
    return system.keys.create(label=label, actor=ACTOR, **given)  # type: ignore[arg-type]  # as given


def parts(whole: str) -> tuple[str, str]:
    found = split(whole)
    assert found
    return found


def everything_stored(data: Path) -> str:
    """Every row of every table as text."""
    with psycopg.connect(superuser(data)) as connection:
        tables = connection.execute("select tablename from pg_tables where schemaname = 'public'").fetchall()
        rows = [connection.execute(f"select t::text from {name} t").fetchall() for (name,) in tables]
    return "\n".join(row[0] for table in rows for row in table)


def test_the_secret_is_stored_nowhere_and_its_digest_only_with_the_key(system: System) -> None:
    prefix, secret = parts(made(system))
    stored = everything_stored(system.settings.data)
    assert prefix in stored
    assert secret not in stored
    assert stored.count(digest(secret)) == 1
    with psycopg.connect(superuser(system.settings.data)) as connection:
        journal = connection.execute("select t::text from journal t").fetchall()
        held = connection.execute("select secret_digest from api_key").fetchall()
    assert held == [(digest(secret),)]
    assert not any(digest(secret) in row for (row,) in journal)


def test_a_key_opens_with_its_whole_token_and_carries_its_scopes(system: System) -> None:
    scopes = frozenset({Scope.EXPLAIN, Scope.BANKS_READ})
    key = system.keys.open(made(system, scopes=scopes, label="  reviewer  "))
    assert (key.label, key.scopes, key.revoked) == ("", scopes, False), "who uses a key has no need of its label"
    assert [one.label for one in system.keys.all_keys()] == ["reviewer"]


def test_no_two_keys_share_a_prefix_or_a_secret(system: System) -> None:
    keys = [parts(made(system)) for _ in range(20)]
    assert len({prefix for prefix, _ in keys}) == len({secret for _, secret in keys}) == 20


def test_every_cause_of_refusal_sounds_the_same(system: System) -> None:
    whole, other = made(system), made(system)
    expired = made(system, expires_at=clock() - timedelta(seconds=1))
    revoked = made(system)
    system.keys.revoke(parts(revoked)[0], actor=ACTOR)
    wrong_secret = f"hf_{parts(whole)[0]}_{parts(other)[1]}"
    unknown_prefix = f"hf_aaaaaaaa_{parts(whole)[1]}"
    said = set()
    for refused in (expired, revoked, wrong_secret, unknown_prefix, "", "nonsense", whole[:-1], whole + "a"):
        with pytest.raises(KeyRefused) as fault:
            system.keys.open(refused)
        said.add((str(fault.value), fault.value.stable_code))
    assert len(said) == 1
    assert system.keys.open(whole)


def test_a_key_opens_after_the_database_has_ended_the_connection(system: System) -> None:
    """As when it was started again: the first statement of a request is how that is noticed."""
    whole = made(system)
    assert system.keys.open(whole)
    with psycopg.connect(superuser(system.settings.data), autocommit=True) as connection:
        ended = connection.execute(
            "select pg_terminate_backend(pid, 5000) from pg_stat_activity where usename = 'holdfast_app'"
        ).fetchall()
    assert (True,) in ended
    assert system.keys.open(whole)


def test_what_was_answered_before_is_read_with_the_key_and_only_of_that_key(system: System) -> None:
    whole, other = made(system), made(system)
    once = Once(parts(whole)[0], "try-1", lambda: "digest")
    one = answered()
    assert record(system, one, once)
    assert system.keys.open_for(whole, "try-1")[1] == FirstAnswer("digest", one.as_body())
    assert [system.keys.open_for(*asked)[1] for asked in ((whole, "try-2"), (whole, None), (other, "try-1"))] == [
        None
    ] * 3


def test_a_revoked_key_opens_nothing_from_then_on_and_the_others_still_do(system: System) -> None:
    ended, kept = made(system), made(system)
    system.keys.revoke(parts(ended)[0], actor="cli:admin")
    with pytest.raises(KeyRefused):
        system.keys.open(ended)
    assert system.keys.open(kept)
    recorded = system.journal.read(f"key:{parts(ended)[0]}")
    assert [type(row.happened) for row in recorded] == [KeyCreated, KeyRevoked]
    assert [(row.version, row.actor) for row in recorded] == [(1, ACTOR), (2, "cli:admin")]


def test_a_key_cannot_be_revoked_twice_and_the_second_try_leaves_no_trace(system: System) -> None:
    prefix, _ = parts(made(system))
    system.keys.revoke(prefix, actor=ACTOR)
    with pytest.raises(Refused) as refused:
        system.keys.revoke(prefix, actor=ACTOR)
    assert refused.value.stable_code == "key.not_in_this_state"
    assert system.journal.last_version(f"key:{prefix}") == 2


def test_a_key_that_is_not_there_cannot_be_revoked(system: System) -> None:
    with pytest.raises(KeyUnknown):
        system.keys.revoke("aaaaaaaa", actor=ACTOR)
    assert system.journal.last_version("key:aaaaaaaa") == 0


def test_keys_are_listed_newest_first_without_secrets(system: System) -> None:
    tokens = [made(system, label=f"number {number}") for number in range(3)]
    listed = system.keys.all_keys()
    assert [key.prefix for key in listed] == [parts(whole)[0] for whole in reversed(tokens)]
    assert not any(parts(whole)[1] in repr(listed) for whole in tokens)

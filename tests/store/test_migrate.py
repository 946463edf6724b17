# SPDX-License-Identifier: Apache-2.0
"""Tables are brought up to date, and rights given, without anybody who is at work noticing."""

from __future__ import annotations

from threading import Event

import psycopg
from django.db import connections

from holdfast import bootstrap
from holdfast.bootstrap import System
from tests.store.making import rows, together


def grant(times: int) -> None:
    from holdfast.store import migrate

    for _ in range(times):
        migrate.grant("holdfast_app")


def test_the_tables_that_were_just_prepared_are_current(system: System) -> None:
    from holdfast.store import migrate

    bootstrap.prepare_tables(system.settings)
    migrate.require_current()
    assert rows(system.settings.data, "journal") == {"journal": 0}


def test_while_rights_are_given_again_nobody_at_work_loses_them(system: System) -> None:
    """Every command on the command line gives them again, beside a server that is screening."""
    done = Event()
    url = system.settings.database_url
    assert url

    def give() -> int:
        try:
            grant(20)
        finally:
            done.set()
        return 0

    def work() -> int:
        refused = 0
        with psycopg.connect(url, autocommit=True) as mine:
            while not done.is_set():
                try:
                    mine.execute("select count(*) from bank_change, journal, entry, idempotency")
                except psycopg.errors.InsufficientPrivilege:
                    refused += 1
        return refused

    assert together([give, work]) == [0, 0]


def test_several_commands_may_give_rights_at_the_same_time(system: System) -> None:
    assert system
    together([lambda: grant(10)] * 3)
    connections["owner"].close()

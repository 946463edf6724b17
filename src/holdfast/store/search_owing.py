# SPDX-License-Identifier: Apache-2.0
"""A backwards search is owed in the transaction of the bank change that it follows from."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from datetime import datetime

from django.db import connection

from holdfast.match.backwards import OweSearch, Target, decide_search, due_for, search_subject, stops_things
from holdfast.match.bank import Bank
from holdfast.store.bank_changes import allowed
from holdfast.store.journal import PostgresJournal
from holdfast.store.models import ArchiveSearchRow

_ENTRIES_IN_BANK = "select count(*) from entry where bank_id = %s and state = 'active'"


class SearchOwing:
    """Owes searches."""

    def __init__(self, journal: PostgresJournal, new_id: Callable[[str], str], *, owner: str) -> None:
        """Searches belong to `owner`, who is alarmed of what they find, and if they are late."""
        self._journal = journal
        self._new_id = new_id
        self._owner = owner

    def for_entries(self, bank: Bank, entries: Sequence[str], *, actor: str, at: datetime) -> None:
        """Owe one search for these entries, in the open transaction, if the bank as it stands stops things."""
        self._owe(bank, Target(bank=bank.name, entries=tuple(entries), count=len(entries)), actor, at)

    def for_import(self, bank: Bank, import_id: str, count: int, *, actor: str, at: datetime) -> None:
        """Owe one search for all that an import brought: see `for_entries`."""
        self._owe(bank, Target(bank=bank.name, bank_import=import_id, count=count), actor, at)

    def for_bank(self, bank: Bank, *, actor: str, at: datetime) -> None:
        """Owe one search for everything in the bank: see `for_entries`."""
        with connection.cursor() as cursor:
            cursor.execute(_ENTRIES_IN_BANK, [bank.name])
            count = int(cursor.fetchone()[0])
        self._owe(bank, Target(bank=bank.name, count=count), actor, at)

    def _owe(self, bank: Bank, target: Target, actor: str, at: datetime) -> None:
        if not stops_things(bank) or not target.count:
            return
        search = self._new_id("bws")
        command = OweSearch(target, owner=self._owner, due=due_for(target.count, at))
        events = allowed(decide_search(None, command, at))
        self._journal.append(search_subject(search), after=0, events=events, actor=actor, at=at)
        ArchiveSearchRow.objects.create(
            id=search,
            bank=target.bank,
            entries=list(target.entries),
            bank_import=target.bank_import,
            count=target.count,
            state="owed",
            owner=command.owner,
            due=command.due,
            version=len(events),
            owed_at=at,
        )

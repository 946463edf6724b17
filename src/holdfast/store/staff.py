# SPDX-License-Identifier: Apache-2.0
"""The people who work here, in PostgreSQL: made and changed as two people agree, and read by whoever asks somebody.

The promises: of passwords and codes only what cannot be turned back is kept, and the secret of a second factor is
sealed; a code begins an account once, within a day; where an account took two people, neither of them has all of its
code; and who is blocked is out at once.
"""

from __future__ import annotations

import hmac
import secrets
from collections.abc import Sequence
from datetime import datetime, timedelta
from typing import Any, Final

from django.contrib.auth.hashers import make_password
from django.db import transaction

from holdfast.access.factor import CODE_BYTES, code_digest, code_of, halves, matches, weakness_of
from holdfast.access.person import person_if_named, person_named
from holdfast.access.role import Colleague, Role
from holdfast.access.staff import (
    Account,
    AddStaff,
    BlockStaff,
    Enrol,
    ResetStaff,
    SetRoles,
    StaffCommand,
    StaffState,
    StaffVoices,
    decide_staff,
    evolve_staff,
    staff_subject,
)
from holdfast.access.two_people import Actor, Agreed, acting
from holdfast.errors import CodeRefused, InvalidRequest, StaffUnknown
from holdfast.store.bank_changes import allowed
from holdfast.store.journal import PostgresJournal
from holdfast.store.models import StaffRow, StaffSessionRow
from holdfast.store.people import people_alone

FACTOR: Final = "staff.factor"
"""The field under which the secret of a second factor is sealed."""
CODE_LIVES: Final = timedelta(hours=24)


class PostgresStaff:
    """The staff accounts."""

    def __init__(self, journal: PostgresJournal, clock: Any) -> None:  # noqa: ANN401  # () -> datetime
        """Use `clock` for time."""
        self._journal = journal
        self._clock = clock

    # --- making and changing

    def change(self, person: str, command: StaffCommand, *, actor: Actor) -> Account:
        """Carry a command out.

        Raises StaffUnknown, Refused, InvalidRequest, InvalidName; or SecondPersonNeeded: then nothing was changed.
        """
        now, subject = self._clock(), staff_subject(person)
        with transaction.atomic():
            people = people_alone(now)
            row = StaffRow.objects.select_for_update().filter(person=person).first()
            if row is None and not isinstance(command, AddStaff):
                raise StaffUnknown(ascii(person))
            before, version = (account_of(row), row.version) if row else (None, 0)
            events = allowed(decide_staff(before, command))
            because = f"an account for {person}" if isinstance(command, AddStaff) else f"the powers of {person}"
            voices = StaffVoices(account=before, people=people)
            by = acting(actor, command, voices, subject=subject, version=version, because=because)
            self._journal.append(subject, after=version, events=events, actor=by, at=now)
            after = before
            for happened in events:
                after = evolve_staff(after, person, happened)
            assert after is not None
            row = row or StaffRow(person=person, added_at=now)
            if isinstance(command, AddStaff | ResetStaff):
                row.half_for, row.half_digest = actor.proposal if isinstance(actor, Agreed) else None, None
            self._write(row, after, version + len(events), command)
        return after

    def _write(self, row: StaffRow, after: Account, version: int, command: StaffCommand) -> None:
        row.roles, row.team, row.outside = sorted(after.roles), after.team, after.outside
        row.state, row.version = after.state, version
        if isinstance(command, AddStaff):
            row.account = command.account.strip()
        if isinstance(command, AddStaff | ResetStaff):
            row.code_digest, row.code_until = command.code_digest, self._clock() + CODE_LIVES
            row.password = None
        row.save()
        if isinstance(command, BlockStaff | ResetStaff | SetRoles):
            ended = StaffSessionRow.objects.filter(staff=row, ended_at__isnull=True)
            ended.update(ended_at=self._clock())

    def draw_half(self, person: str, proposal: str) -> str | None:
        """The other half of the code of an account that two people made, once; None if it was drawn, or begun."""
        with transaction.atomic(durable=True):
            row = StaffRow.objects.select_for_update().filter(person=person, half_for=proposal).first()
            if row is None or row.state != StaffState.INVITED or row.half_digest:
                return None
            half = code_of(secrets.token_bytes(CODE_BYTES))
            row.half_digest = code_digest(half)
            row.save(update_fields=["half_digest"])
        return half

    def enrol(self, untrusted_person: str, untrusted_code: str, password: str, *, secret: str, digits: str) -> Account:
        """Let somebody choose a password, and a second factor that they show to have.

        Raises CodeRefused in the same words for every cause that lies with person or code, and InvalidRequest for a
        password or digits that will not do: then the code is good still.
        """
        now = self._clock()
        with transaction.atomic(durable=True):
            people_alone(now)  # before the row, as `change` does
            row = self._invited(untrusted_person, untrusted_code, now)
            weakness = weakness_of(password, row.person)
            if weakness:
                raise InvalidRequest(weakness)
            step = matches(secret, digits, now)
            if step is None:
                message = "The six digits are not those that the secret gives now."
                raise InvalidRequest(message)
            sealed = self._journal.sealer.seal_texts([(FACTOR, secret)])[FACTOR, secret]
            row.password, row.code_digest, row.code_until = make_password(password), None, None
            row.half_for = row.half_digest = None
            row.factor_record, row.factor_step, row.tries = sealed.record, step, {}
            row.save()
            return self.change(row.person, Enrol(), actor=staff_subject(row.person))

    def invites(self, untrusted_person: str, untrusted_code: str) -> str:
        """The person whom a code lets begin. Raises CodeRefused."""
        with transaction.atomic():
            return self._invited(untrusted_person, untrusted_code, self._clock()).person

    def _invited(self, untrusted_person: str, untrusted_code: str, now: datetime) -> StaffRow:
        first, second = halves(untrusted_code)
        row = StaffRow.objects.select_for_update().filter(person=person_if_named(untrusted_person)).first()
        right = row is not None and _is(row.code_digest, first)
        other = row is not None and (_is(row.half_digest, second) if row.half_for else not second)
        if row is None or not (right and other):
            raise CodeRefused
        if row.state != StaffState.INVITED or row.code_until is None or now >= row.code_until:
            raise CodeRefused
        return row

    # --- reading

    def colleagues(self) -> Sequence[Colleague]:
        """Whoever can be asked now."""
        rows = StaffRow.objects.filter(state=StaffState.ACTIVE).order_by("person")
        return tuple(
            Colleague(
                person=row.person,
                roles=frozenset(map(Role, row.roles)),
                team=row.team,
                account=row.account,
                outside=row.outside,
            )
            for row in rows
        )

    def accounts(self) -> list[Account]:
        """Every account, by name."""
        return [account_of(row) for row in StaffRow.objects.order_by("person")]

    def version(self, person: str) -> int:
        """The journal version of an account; 0 if there is none."""
        return StaffRow.objects.filter(person=person).values_list("version", flat=True).first() or 0

    def account(self, person: str) -> Account | None:
        """An account; None if there is none."""
        row = StaffRow.objects.filter(person=person).first()
        return None if row is None else account_of(row)


def account_of(row: StaffRow) -> Account:
    """The account that a row holds."""
    return Account(
        person=row.person,
        roles=frozenset(map(Role, row.roles)),
        team=row.team,
        outside=row.outside,
        state=StaffState(row.state),
    )


def _is(digest: str | None, half: str) -> bool:
    given = code_digest(half)
    return hmac.compare_digest(given, digest or given[::-1]) and bool(digest)


def new_staff(
    untrusted_person: str, *, roles: frozenset[Role], team: str = "", account: str = "", outside: bool = False
) -> tuple[AddStaff, str]:
    """Draw a code: the command that makes the account, which holds only its digest; and it. Raises InvalidName."""
    code = code_of(secrets.token_bytes(CODE_BYTES))
    command = AddStaff(
        person=person_named(untrusted_person),
        roles=roles,
        code_digest=code_digest(code),
        team=team,
        account=account,
        outside=outside,
    )
    return command, code


def new_reset(because: str) -> tuple[ResetStaff, str]:
    """The same for somebody who begins anew."""
    code = code_of(secrets.token_bytes(CODE_BYTES))
    return ResetStaff(because=because, code_digest=code_digest(code)), code

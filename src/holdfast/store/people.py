# SPDX-License-Identifier: Apache-2.0
"""The people whom Holdfast was told of: whoever has a key of their own, or an account. One lock guards both."""

from __future__ import annotations

from datetime import datetime
from typing import Final

from django.db import connection
from django.db.models import Q

from holdfast.access.person import People
from holdfast.access.staff import StaffState
from holdfast.store.models import ApiKeyRow, StaffRow

_LOCK: Final = 0x484F4C44_50454F50  # "HOLDPEOP"


def people_at(now: datetime) -> People:
    """Every person there ever was, and those with a good key or an account at `now`."""
    keys, accounts = ApiKeyRow.objects.filter(person__isnull=False), StaffRow.objects.all()
    whole = keys.exclude(half_for__isnull=False, half_digest__isnull=True)  # else nobody can use it yet
    good = whole.filter(Q(expires_at__isnull=True) | Q(expires_at__gt=now), revoked_at__isnull=True)
    active = accounts.filter(state=StaffState.ACTIVE)
    ever, present = (
        {str(name) for rows in both for name in rows.values_list("person", flat=True)}
        for both in ((keys, accounts), (good, active))
    )
    return People(ever=frozenset(ever), now=frozenset(present))


def people_alone(now: datetime) -> People:
    """The same, while nobody else adds to them until the transaction ends: two seconds are one too many."""
    with connection.cursor() as cursor:
        cursor.execute("select pg_advisory_xact_lock(%s)", [_LOCK])
    return people_at(now)

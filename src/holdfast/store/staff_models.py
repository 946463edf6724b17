# SPDX-License-Identifier: Apache-2.0
"""The tables of the people who work here, and of the sessions in which they do."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class StaffRow(models.Model):
    """Somebody who works here."""

    person = models.TextField(primary_key=True)
    roles = models.JSONField()
    team = models.TextField(blank=True)
    account = models.TextField(
        blank=True, db_comment="their own at the platform: nobody reviews what they are party to"
    )
    outside = models.BooleanField()
    state = models.TextField(db_comment="invited, active or blocked")
    code_digest = models.TextField(null=True, db_comment="of the code with which they begin; null once it was used")
    code_until = models.DateTimeField(null=True)
    half_for = models.TextField(
        null=True, db_comment="the proposal that was agreed to: whoever agreed draws the other half of the code"
    )
    half_digest = models.TextField(null=True, db_comment="of that half, once it was drawn")
    password = models.TextField(null=True, db_comment="a slow, salted hash")
    factor_record = models.TextField(null=True, db_comment="the sealed secret of their second factor")
    factor_step = models.BigIntegerField(default=-1, db_comment="the half minute of the last number that was used")
    tries = models.JSONField(
        default=dict, db_comment="that opened nothing lately: [how many, the last], by a keyed digest of the network"
    )
    added_at = models.DateTimeField()
    version = models.IntegerField(db_comment="its last journal version")

    class Meta:
        """Table."""

        db_table = "staff"


class StaffSessionRow(models.Model):
    """A session: it opens with a token of which only the digest is here. Never deleted: it says who was here when."""

    digest = models.TextField(primary_key=True)
    staff = models.ForeignKey(StaffRow, on_delete=models.PROTECT, related_name="sessions", db_column="person")
    opened_at = models.DateTimeField()
    used_at = models.DateTimeField()
    ended_at = models.DateTimeField(null=True)

    class Meta:
        """Table."""

        db_table = "staff_session"
        indexes: ClassVar = [
            models.Index(fields=["staff"], name="staff_session_open", condition=models.Q(ended_at__isnull=True))
        ]

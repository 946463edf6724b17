# SPDX-License-Identifier: Apache-2.0
"""The tables of looking: what somebody was shown, and the addresses that wait to be opened for a minute."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class ViewingRow(models.Model):
    """A picture of an item that somebody was shown; written before it was."""

    id = models.TextField(primary_key=True)
    person = models.TextField()
    session = models.TextField(db_comment="a digest of it")
    case_id = models.TextField()
    review = models.TextField()
    content_id = models.TextField()
    content_version = models.TextField()
    step = models.TextField(db_comment="blurred, grey or clear")
    number = models.IntegerField(db_comment="which picture of the item, from 0")
    pictures = models.IntegerField(db_comment="how many the item has; 0: nobody knows")
    at_ms = models.BigIntegerField(null=True, db_comment="when it is shown, in a video")
    lasts_ms = models.BigIntegerField(db_comment="how much of the video it stands for")
    cost = models.SmallIntegerField(db_comment="of the day's budget")
    state = models.TextField()
    shown_at = models.DateTimeField()
    version = models.IntegerField(db_comment="its last journal version")

    class Meta:
        """Table."""

        db_table = "viewing"
        indexes: ClassVar = [
            models.Index(fields=["person", "content_id", "content_version"], name="viewing_seen"),
            models.Index(fields=["person", "shown_at"], name="viewing_day"),
            models.Index(fields=["case_id", "shown_at"], name="viewing_case"),
        ]


class ViewingAddressRow(models.Model):
    """A picture that waits to be opened: sealed with what only its address says. It goes when opened, or soon after."""

    digest = models.BinaryField(primary_key=True, db_comment="of the token in its address")
    person = models.TextField()
    session = models.TextField(db_comment="a digest of it")
    case_id = models.TextField()
    review = models.TextField()
    content_id = models.TextField()
    content_version = models.TextField()
    step = models.TextField()
    number = models.IntegerField()
    pictures = models.IntegerField()
    at_ms = models.BigIntegerField(null=True)
    lasts_ms = models.BigIntegerField()
    cost = models.SmallIntegerField()
    sealed = models.BinaryField(db_comment="the preview; its key is in the address and nowhere here")
    until = models.DateTimeField()

    class Meta:
        """Table."""

        db_table = "viewing_address"
        indexes: ClassVar = [
            models.Index(fields=["until"], name="viewing_address_until"),
            models.Index(fields=["person"], name="viewing_address_person"),
        ]

# SPDX-License-Identifier: Apache-2.0
"""The tables of reports: reports, what they name, proofs, cases, holds, contests, and the platform's counters.

All are projections of the journal, but for digests of secrets, ids of sealed records and what only finding needs.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class ReportRow(models.Model):
    """What one person reported."""

    id = models.TextField(primary_key=True)
    reference = models.TextField(unique=True, db_comment="may be quoted to anybody; opens nothing")
    code_digest = models.BinaryField(unique=True, db_comment="HMAC of the secret words, under a key in the keyring")
    source = models.BinaryField(null=True, db_comment="HMAC of where it came from, for the order of what is staged")
    reporter = models.TextField(db_comment="who they say they are")
    verified = models.BooleanField(db_comment="whether the key it came with is a verified source's")
    category = models.TextField()
    state = models.TextField(db_comment="received or withdrawn")
    elements = models.JSONField(db_comment="which elements of a legal request are there")
    words_record = models.TextField()
    contact_record = models.TextField()
    ages_record = models.TextField()
    shown = models.TextField(db_comment="digest of the texts they were shown")
    cases = models.JSONField(default=list)
    contact_stopped = models.BooleanField(default=False)
    code_kept = models.BooleanField(default=False)
    received_at = models.DateTimeField()
    version = models.IntegerField(db_comment="its last journal version")

    class Meta:
        """Table."""

        db_table = "report"
        indexes: ClassVar = [models.Index(fields=["source", "received_at"], name="report_source")]


class ReportedRow(models.Model):
    """One thing that a report names."""

    id = models.TextField(primary_key=True)
    report = models.ForeignKey(ReportRow, on_delete=models.PROTECT, related_name="items")
    place = models.IntegerField(db_comment="in the order in which the report names them")
    kind = models.TextField()
    address_record = models.TextField()
    uploader_is = models.TextField()
    state = models.TextField()
    content_id = models.TextField(null=True)
    content_version = models.TextField(null=True)
    case = models.ForeignKey("CaseRow", null=True, on_delete=models.PROTECT, related_name="named")
    version = models.IntegerField(db_comment="its last journal version")

    class Meta:
        """Table."""

        db_table = "reported"
        indexes: ClassVar = [
            models.Index(
                fields=["state"],
                name="reported_open",
                condition=models.Q(state__in=["named", "ambiguous", "unresolved", "for_person"]),
            )
        ]


class ProofRow(models.Model):
    """Something that was shown so that a claim is believed."""

    id = models.TextField(primary_key=True)
    report = models.ForeignKey(ReportRow, on_delete=models.PROTECT, related_name="proofs")
    state = models.TextField(db_comment="received, verified, unclear or rejected")
    says = models.JSONField()
    verified = models.JSONField(default=list)
    shown_record = models.TextField(db_comment="the sealed file, under a key of its own")
    views = models.IntegerField(default=0)
    received_at = models.DateTimeField()
    version = models.IntegerField(db_comment="its last journal version")

    class Meta:
        """Table."""

        db_table = "proof"


class CaseRow(models.Model):
    """What belongs together because it is about the same content."""

    id = models.TextField(primary_key=True)
    category = models.TextField(db_comment="the strictest of its reports")
    state = models.TextField()
    opened_at = models.DateTimeField()
    views_at = models.DateTimeField(null=True, db_comment="when the platform's counters are asked for again")
    version = models.IntegerField(db_comment="its last journal version")

    class Meta:
        """Table."""

        db_table = "cases"
        indexes: ClassVar = [
            models.Index(fields=["views_at"], name="cases_views_at"),
            models.Index(fields=["-opened_at", "id"], name="cases_newest"),
        ]


class CaseItemRow(models.Model):
    """One item that a case is about. An item is in one case at a time."""

    content_id = models.TextField(primary_key=True)
    case = models.ForeignKey(CaseRow, on_delete=models.PROTECT, related_name="items")
    content_version = models.TextField(db_comment="the newest version that it was asked about in")
    is_copy = models.BooleanField(db_comment="found as an exact copy: what is decided of another is of this")
    waits = models.BooleanField(db_comment="for a person: it lies beyond what the report reaches")
    account_subject = models.TextField(null=True, db_comment="the sealed subject of whoever uploaded it")
    first_seen = models.DateTimeField(null=True)

    class Meta:
        """Table."""

        db_table = "case_item"


class HoldRow(models.Model):
    """One item's version at one location, held or asked to be."""

    id = models.TextField(primary_key=True)
    case = models.ForeignKey(CaseRow, on_delete=models.PROTECT, related_name="holds")
    content_id = models.TextField()
    content_version = models.TextField()
    location = models.TextField()
    url_record = models.TextField(db_comment="the sealed address that a stranger would open")
    has_url = models.BooleanField()
    state = models.TextField()
    standing = models.SmallIntegerField(db_comment="what stands behind it: 0 a word, 1 a proof, 2 something verified")
    danger = models.SmallIntegerField(db_comment="0 is the greatest")
    asked_at = models.DateTimeField()
    confirmed_at = models.DateTimeField(null=True)
    looks = models.IntegerField(default=0)
    look_at = models.DateTimeField(null=True, db_comment="when somebody looks again")
    alarmed = models.BooleanField(default=False)
    version = models.IntegerField(db_comment="its last journal version")

    class Meta:
        """Table."""

        db_table = "hold"
        constraints: ClassVar = [
            models.UniqueConstraint(fields=["content_id", "content_version", "location"], name="hold_spot")
        ]
        indexes: ClassVar = [
            models.Index(fields=["look_at"], name="hold_look", condition=models.Q(look_at__isnull=False)),
            models.Index(
                fields=["asked_at"],
                name="hold_unconfirmed",
                condition=models.Q(state__in=["requested", "breached", "refused", "unreachable"]),
            ),
            models.Index(fields=["standing", "asked_at"], name="hold_standing"),
            models.Index(fields=["danger", "asked_at"], name="hold_staged", condition=models.Q(state="staged")),
        ]


class ContestRow(models.Model):
    """What whoever posted a held item was told, and what they answer."""

    id = models.TextField(primary_key=True)
    case = models.ForeignKey(CaseRow, on_delete=models.PROTECT, related_name="contests")
    content_id = models.TextField()
    account_subject = models.TextField()
    code_digest = models.BinaryField(unique=True)
    blameless = models.BooleanField()
    state = models.TextField()
    offered_at = models.DateTimeField()
    version = models.IntegerField(db_comment="its last journal version")

    class Meta:
        """Table."""

        db_table = "contest"
        constraints: ClassVar = [models.UniqueConstraint(fields=["case", "content_id"], name="contest_item")]


class ViewsRow(models.Model):
    """The platform's counter of one location at one moment."""

    id = models.BigAutoField(primary_key=True)
    hold = models.ForeignKey(HoldRow, on_delete=models.PROTECT, related_name="readings", db_index=False)
    views = models.BigIntegerField()
    at = models.DateTimeField()

    class Meta:
        """Table."""

        db_table = "views"
        constraints: ClassVar = [models.UniqueConstraint(fields=["hold", "at"], name="views_once")]

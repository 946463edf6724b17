# SPDX-License-Identifier: Apache-2.0
"""The table of decisions: a projection of the journal."""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class DecisionRow(models.Model):
    """What became of one item's version and its exact copies."""

    id = models.TextField(primary_key=True)
    case = models.ForeignKey("CaseRow", on_delete=models.PROTECT, related_name="decisions")
    content_id = models.TextField()
    content_version = models.TextField()
    copies = models.JSONField(default=list, db_comment="[content, version] of what is the same byte for byte")
    kind = models.TextField(db_comment="remove, restrict, keep_with_warning, keep or asked_by_child")
    state = models.TextField(db_comment="made, carried_out, appealed, upheld or reversed")
    review = models.TextField(db_comment="the review that it follows from")
    by = models.JSONField(db_comment="whose findings carry it")
    ground = models.TextField(null=True, db_comment="what a removal rests on")
    reason = models.TextField(null=True, db_comment="why it is seen again")
    reference = models.TextField(db_comment="the rule that it rests on")
    found_by_machine = models.BooleanField()
    shown = models.JSONField(default=list, db_comment="[party, id, when] of whom it was shown to")
    appealed_in = models.TextField(null=True, db_comment="the review that looks again")
    upheld_by = models.JSONField(default=list, db_comment="reviews that looked again and came to the same")
    made_at = models.DateTimeField()
    version = models.IntegerField(db_comment="its last journal version")

    class Meta:
        """Table."""

        db_table = "decision"
        constraints: ClassVar = [
            models.UniqueConstraint(
                fields=["content_id", "content_version"],
                name="decision_standing",
                condition=~models.Q(state="reversed"),
            )
        ]
        indexes: ClassVar = [
            models.Index(fields=["review"], name="decision_review"),
            models.Index(fields=["content_id"], name="decision_content"),
        ]

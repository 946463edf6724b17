# SPDX-License-Identifier: Apache-2.0
"""The tables of reviews: what somebody is to look at, whom the system asked, and what they found.

All are projections of the journal, but for what only the order of the queue needs.
"""

from __future__ import annotations

from typing import ClassVar

from django.db import models


class ReviewRow(models.Model):
    """The question whether one item, in one version, stays held."""

    id = models.TextField(primary_key=True)
    case = models.ForeignKey("CaseRow", on_delete=models.PROTECT, related_name="reviews")
    content_id = models.TextField()
    content_version = models.TextField()
    about = models.TextField(db_comment="held, copy, contest or appeal")
    state = models.TextField(db_comment="waiting, asked, needs_outside or concluded")
    turn = models.TextField(db_comment="first, second or third")
    asked = models.TextField(null=True, db_comment="the person whose turn it is")
    until = models.DateTimeField(null=True, db_comment="when their turn is over")
    findings = models.JSONField(default=list, db_comment="those that count, without their words")
    spoke = models.JSONField(default=list, db_comment="who is not asked again, as they found or decided something")
    recused = models.JSONField(default=list, db_comment="who stepped back")
    outcome = models.TextField(null=True)
    effective_at = models.DateTimeField(null=True)
    sampled = models.BooleanField(db_comment="whether two look whatever the first says")
    urgency = models.SmallIntegerField(default=0, db_comment="what is looked at first has the least")
    due = models.DateTimeField(db_comment="when the nearest clock of its case runs out, as far as was known")
    opened_at = models.DateTimeField()
    version = models.IntegerField(db_comment="its last journal version")

    class Meta:
        """Table."""

        db_table = "review"
        indexes: ClassVar = [
            models.Index(
                fields=["urgency", "due", "opened_at"],
                name="review_queue",
                condition=models.Q(state__in=["waiting", "asked", "needs_outside"]),
            ),
            models.Index(fields=["content_id", "content_version"], name="review_item"),
            models.Index(fields=["asked"], name="review_asked", condition=models.Q(state="asked")),
        ]

# SPDX-License-Identifier: Apache-2.0
"""Which rows a second person is still asked about, as a condition for queries on them."""

from __future__ import annotations

from typing import Final

from django.db.models import Exists, OuterRef, Value
from django.db.models.functions import Concat

from holdfast.access.proposal import ProposalState
from holdfast.store.models import ProposalRow

OPEN: Final = (ProposalState.ASKED, ProposalState.OVERDUE)


def waits_for_second(noun: str) -> Exists:
    """Whether an open proposal is about the row `noun:id`."""
    about = ProposalRow.objects.filter(state__in=OPEN, subject=Concat(Value(f"{noun}:"), OuterRef("id")))
    return Exists(about)

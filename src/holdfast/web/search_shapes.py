# SPDX-License-Identifier: Apache-2.0
"""The shapes of /v1/searches."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated

from ninja import Schema
from pydantic import Field

from holdfast.web.shapes import BankName, Strict


class SearchOptions(Strict):
    """Which searches to list."""

    bank: BankName | None = Field(default=None, description="Only those for something of this bank.")
    entry: Annotated[str, Field(max_length=64)] | None = Field(default=None, description="Only those for this entry.")


class SearchProgress(Schema):
    """How far a search has come."""

    items: int | None = Field(description="Archived items there are to look at; null before it began.")
    looked_at: int = Field(
        description="How many of them were looked at; of a search for very many signals, for those it is at now."
    )


class SearchProof(Schema):
    """How the entries were looked up once all was searched."""

    entries: int = Field(description="How many were looked up and found, by the code that screens.")
    over_http: int = Field(description="How many of them also at the public address, as a platform would.")
    list_version: int = Field(description="The bank change that they were looked up in.")


class SearchShape(Schema):
    """A backwards search."""

    id: str
    bank: str
    entries: list[str] = Field(description="What it looks for; none if that is an import, or the whole bank.")
    bank_import: str | None
    count: int = Field(description="How many entries it looks for.")
    state: str = Field(
        description="owed, running, searched (every item was looked at), blocked (and its entries are found from now "
        "on), unproven (they are not, and somebody was alarmed) or withdrawn (nothing of it counts any more)."
    )
    progress: SearchProgress
    copies: int = Field(description="How many archived items match.")
    owner: str
    owed_at: datetime
    due: datetime
    late: bool
    ended_at: datetime | None = Field(description="When every item was looked at.")
    blocked_at: datetime | None
    fault: str | None = Field(description="Of the last step that failed; it is tried again.")
    proof: SearchProof | None = None


class CopyShape(Schema):
    """An item screened earlier that an entry matches now."""

    screening: str
    content: str
    content_version: str
    surface: str
    verdict: str = Field(description="What was answered then.")
    screened_at: datetime
    entry: str = Field(description="The nearest of those that match.")
    signal: str
    distance: int
    signals: int = Field(description="How many signals of the entry lie near it: of a video, how many frames.")

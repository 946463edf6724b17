# SPDX-License-Identifier: Apache-2.0
"""The API's shapes. Strict: no field that is not listed, no text taken for a number."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from ninja import Schema
from pydantic import ConfigDict, Field

from holdfast.intake.content import LONGEST_REFERENCE
from holdfast.match.text import LONGEST_TEXT

Reference = Annotated[str, Field(min_length=1, max_length=LONGEST_REFERENCE, pattern=r"^[^\x00-\x1f\x7f]+$")]
Text = Annotated[str, Field(min_length=1, max_length=LONGEST_TEXT, pattern=r"^[^\x00]*\S[^\x00]*$")]
BankName = Annotated[str, Field(pattern=r"^[A-Za-z0-9][A-Za-z0-9_-]{0,63}$")]


class Strict(Schema):
    """Refuses unknown fields and loose types."""

    model_config = ConfigDict(extra="forbid", strict=True)


class ScreenOptions(Strict):
    """Which item is being uploaded, in the platform's own references."""

    content_id: Reference | None = Field(default=None, description="The item. Without one, a reference is made up.")
    content_version: Reference = Field(default="1", description="Which version of the item: an edit is a new version.")
    surface: Reference = Field(default="default", description="Where on the platform it would appear.")
    uploader: Reference | None = Field(
        default=None, description="Who uploads. Sealed beside the answer, not in the journal."
    )


class MatchShape(Schema):
    """One match. What is known, not what it means: see the bank's meaning and source."""

    bank: str
    entry: str
    signal: str
    variant: str = Field(
        description="How the upload was turned, and the PDQ family; 'bytes' for an exact digest, "
        "'given' for a hash that the platform sent."
    )
    distance: int = Field(description="Bits of 256 that differ; 0 for an exact digest.")
    threshold: int
    action: str | None = Field(description="The bank's; a benign bank has none.")
    kind: str = Field(default="known", description="Of the bank: known or benign.")
    opinion: str | None = Field(default=None, description="The latest on the entry: confirmed, disputed or none.")
    effect: str | None = Field(
        default=None,
        description="What it leads to beside the other matches: hold, review, ignore. Null in the oldest records.",
    )


class Explanation(Schema):
    """Why this answer. Only for keys with the scope explain; never show it to uploaders."""

    verdict: Literal["matched", "no_match", "not_screened"]
    effect: Literal["hold", "review", "ignore"] | None = Field(
        description="The firmest of what the matches lead to. `review` is held until a person has looked."
    )
    reason: str | None = Field(description="Why it was not screened; a closed list, see docs/integrating.md.")
    reason_says: str | None
    send_again: bool = Field(description="Whether the same bytes may well be screened later.")
    hashes_by: Literal["holdfast", "platform"] = Field(description="Who computed the hashes that were looked up.")
    shadow: bool = Field(description="Shadow mode was on: the answer is publish whatever the verdict.")
    list_version: int = Field(description="The newest bank change it was looked up in.")
    looked_up_at: datetime
    matches: list[MatchShape]


class ScreenAnswer(Schema):
    """What to do with the upload. `hold` means: do not publish."""

    answer: Literal["publish", "hold"]
    screening: str = Field(description="The id of this answer.")
    explanation: Explanation | None = None


class ScreeningRecord(Schema):
    """An answer that was given, as the journal has it."""

    screening: str
    at: datetime
    content: str
    content_version: str
    surface: str
    verdict: str
    reason: str | None
    answer: str
    hashes_by: str
    shadow: bool
    list_version: int
    matches: list[MatchShape]
    looked_up_at: datetime


class UnscreenedShape(Schema):
    """An item that is held only because it could not be screened. Not an accusation."""

    id: str
    content_id: str
    content_version: str
    reason: str | None = Field(description="Only for keys with the scope explain.")
    reason_says: str | None
    send_again: bool = Field(description="Whether the same bytes may well be screened now; else try another format.")
    state: str
    owner: str
    since: datetime
    due: datetime


class ProcessShape(Schema):
    """A process that screens, or keeps what screening needs."""

    id: str
    kind: str = Field(description="web or worker.")
    host: str
    pid: int
    started_at: datetime
    silent_seconds: float = Field(description="How long ago it was heard of.")
    stale: bool = Field(description="Silent for longer than allowed: it answers 503 until it is level again.")
    ready_to: int | None = Field(description="The bank change it is level with.")
    perceptual_signals: int


class Processes(Schema):
    """Every process, and the newest committed bank change."""

    newest_change: int
    processes: list[ProcessShape]


class PastShape(Schema):
    """An item screened earlier that an entry matches now."""

    screening: str
    content: str
    content_version: str
    surface: str
    verdict: str = Field(description="What was answered then.")
    signal: str
    distance: int
    at: datetime


class Ready(Schema):
    """Whether this process can screen."""

    ready: bool
    shadow: bool
    list_version: int
    perceptual_signals: int
    version: str


class Problem(Schema):
    """An error (RFC 9457)."""

    type: str
    title: str
    status: int
    code: str = Field(description="Stable: docs/errors.md lists every code.")
    detail: str
    advice: str
    retry: bool = Field(description="Whether asking again later is safe and useful.")

# SPDX-License-Identifier: Apache-2.0
"""The API's shapes. Strict: no field that is not listed, no text taken for a number."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import ConfigDict, Field

from holdfast.intake.content import LONGEST_REFERENCE
from holdfast.log.text import LONGEST_TEXT

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


class SecondsShape(Schema):
    """From when to when: the longest stretch without a gap."""

    upload: list[float] | None = Field(description="[from, to] in the upload; null for a picture or an animation.")
    entry: list[float] = Field(description="[from, to] in the known video.")


class PartShape(Schema):
    """Which part of a known video was seen again."""

    frames: int = Field(description="Frames of the upload that show the known video in its order, or backwards.")
    looks: int = Field(description="How many of them differ from the one before.")
    of: int = Field(description="How many frames of the known video there are.")
    covered: float = Field(description="Seconds of the known video that they show.")
    seconds: SecondsShape
    length: float | None = Field(description="Seconds that the upload lasts; null for a picture or an animation.")
    strength: Literal["firm", "weak", "stray"] = Field(
        description="firm: what the bank asks for. weak: review at most. stray: one frame of a film, recorded only."
    )


class SpotShape(Schema):
    """Where in a video one frame is shown that matches a known picture: the nearest."""

    seconds: list[float] = Field(description="[from, to] in the upload.")
    length: float = Field(description="Seconds that the upload lasts.")


class MatchShape(Schema):
    """One match. What is known, not what it means: see the bank's meaning and source."""

    bank: str
    entry: str
    signal: str
    variant: str = Field(
        description="How the upload was turned, and the PDQ family; 'bytes' for an exact digest, "
        "'given' for a hash that the platform sent."
    )
    distance: int = Field(
        description="Bits of 256 that differ, in the nearest frame of a video; 0 for an exact digest."
    )
    threshold: int
    action: str | None = Field(description="The bank's; a benign bank has none.")
    kind: str = Field(default="known", description="Of the bank: known or benign.")
    opinion: str | None = Field(default=None, description="The latest on the entry: confirmed, disputed or none.")
    effect: str | None = Field(
        default=None,
        description="What it leads to beside the other matches: hold, review, ignore. Null in the oldest records.",
    )
    part: PartShape | None = Field(default=None, description="Of a known video: which part of it.")
    spot: SpotShape | None = Field(default=None, description="Of a known picture in a video: where.")


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


Status = Annotated[
    Literal["waiting", "running", "answered", "held_for_person"],
    Field(description="Whether there is an answer yet. held_for_person: no verdict could be reached."),
]


class Accepted(Schema):
    """The upload is kept and will be answered later. `hold` until then."""

    answer: Literal["publish", "hold"] = Field(description="hold; publish in shadow mode alone.")
    screening: str = Field(description="The id that its answer will have.")
    status: Status
    status_url: str = Field(description="Where to ask how it stands.")


class Progress(Schema):
    """How far a video has been looked at."""

    fraction: float | None = Field(description="Null if the file does not say how long it is, or is no video.")
    seconds_seen: float
    seconds_total: float | None


class ScreeningRecord(Schema):
    """How a screening stands; its answer, once it was given, as the journal has it.

    A key without the scope explain gets `screening`, `status` and `answer`, and the progress until there is one.
    """

    screening: str
    status: Status
    answer: str
    received_at: datetime | None = None
    due: datetime | None = Field(default=None, description="When it is held for a person if it is not answered.")
    progress: Progress | None = None
    at: datetime | None = None
    content: str | None = None
    content_version: str | None = None
    surface: str | None = None
    verdict: str | None = None
    reason: str | None = None
    hashes_by: str | None = None
    shadow: bool | None = None
    list_version: int | None = None
    matches: list[MatchShape] | None = None
    looked_up_at: datetime | None = None
    explanation: Explanation | None = Field(
        default=None, description="Of what was answered later: what the answer would have carried at once."
    )


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


IDEMPOTENCY_KEY = {
    "in": "header",
    "name": "Idempotency-Key",
    "schema": {"type": "string", "minLength": 1, "maxLength": 255},
    "description": "Repeat a request with the same key to get its first answer again, for 24 hours.",
}


def take_idempotency_key(method: str, operation: dict[str, Any]) -> None:
    """Let the document say of whatever changes something that it takes a key."""
    parameters = operation.setdefault("parameters", [])
    if method != "get" and not any(one["name"] == IDEMPOTENCY_KEY["name"] for one in parameters):
        parameters.append(IDEMPOTENCY_KEY)

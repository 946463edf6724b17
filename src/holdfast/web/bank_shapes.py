# SPDX-License-Identifier: Apache-2.0
"""The shapes of /v1/banks."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Literal

from ninja import Schema
from pydantic import Field

from holdfast.match.bank import DEFAULT_THRESHOLD, HIGHEST_THRESHOLD
from holdfast.match.video import MOST_FRAMES_ASKED, MOST_SECONDS_ASKED, USUAL
from holdfast.web.shapes import BankName, Strict, Text

MOST_ENTRIES = 1000
MOST_SIGNALS = 100
Threshold = Annotated[int, Field(ge=0, le=HIGHEST_THRESHOLD, description="Largest PDQ distance that counts.")]
Act = Literal["hold", "review", "ignore"]
Because = Annotated[Text, Field(description="Why; it is in the journal.")]


class NewBank(Strict):
    """A bank to make."""

    name: BankName
    meaning: Text = Field(description="What its entries are known to be.")
    source: Text = Field(description="Who says so.")
    threshold: Threshold = DEFAULT_THRESHOLD
    action: Act | None = Field(default=None, description="What a match leads to: hold, unless said. None if benign.")
    kind: Literal["known", "benign"] = Field(default="known", description="A benign bank excuses what looks alike.")
    exchange: BankName | None = Field(
        default=None, description="The exchange that alone changes its entries, if it mirrors one."
    )


class NewThreshold(Strict):
    """Match more, or less."""

    threshold: Threshold
    because: Because


class NewAction(Strict):
    """Let a match lead to something else."""

    action: Act
    because: Because


class VideoRuleShape(Strict):
    """When an upload counts as showing one of the bank's videos again; see docs/integrating.md."""

    least_frames: Annotated[int, Field(ge=1, le=MOST_FRAMES_ASKED)] = Field(
        default=USUAL.least_frames, description="Frames that differ, in the known video's order; half of a shorter one."
    )
    least_seconds: Annotated[float, Field(ge=0, le=MOST_SECONDS_ASKED)] = Field(
        default=USUAL.least_seconds, description="Seconds of the known video that they cover; half of a shorter one."
    )
    query_percent: Annotated[float, Field(gt=0, le=100)] = Field(
        default=USUAL.query_percent, description="vPDQ: so much of the upload's frames is enough too,"
    )
    compared_percent: Annotated[float, Field(ge=0, le=100)] = Field(
        default=USUAL.compared_percent, description="together with so much of the known video's."
    )


class NewVideoRule(VideoRuleShape):
    """Ask for more, or less, of a known video."""

    because: Because


class BankShape(Schema):
    """A bank as it stands."""

    name: str
    meaning: str
    source: str
    threshold: int
    action: str | None
    kind: str
    exchange: str | None
    state: str
    entries: int
    video: VideoRuleShape


class SignalShape(Strict):
    """One hash."""

    signal_type: Annotated[str, Field(max_length=16)]
    value: Annotated[str, Field(max_length=64)]


class NewEntry(Strict):
    """A known item to add, by its signals."""

    signals: list[SignalShape] = Field(min_length=1, max_length=MOST_SIGNALS)
    provenance: Text = Field(description="Where the knowledge comes from.")


class NewEntries(Strict):
    """Known items to add: all are added, or none."""

    entries: list[NewEntry] = Field(min_length=1, max_length=MOST_ENTRIES)


class Added(Schema):
    """The ids of what was added, in order."""

    added: list[str]


class NewOpinion(Strict):
    """What somebody who looked thinks of an entry."""

    opinion: Literal["confirmed", "disputed"]
    because: Because


class EntryShape(Schema):
    """An entry after a change, without anybody's words: this is kept beside an Idempotency-Key."""

    id: str
    bank: str
    state: str
    signal_types: list[str]
    opinion: str | None


class RemoveOptions(Strict):
    """Why an entry leaves its bank."""

    because: Text


class Why(Strict):
    """Why something is switched off, or on."""

    because: Text | None = Field(default=None, description="Needed where a second person must agree.")


class PictureOptions(Strict):
    """Where the knowledge about a picture comes from."""

    provenance: Text
    exact_only: Literal["true", "false"] = Field(
        default="false", description="Take a file that has no usable look, by its digests alone."
    )


class ImportOptions(Strict):
    """What is said beside a file."""

    provenance: Text = Field(description="Where the knowledge in lines that do not say comes from.")
    signal_type: Annotated[str, Field(max_length=16)] | None = Field(
        default=None, description="For a plain list of bare hashes: what they are."
    )
    from_exchange: Literal["true", "false"] = Field(
        default="false", description="The bank mirrors an exchange, and this file is from there."
    )


class BadLineShape(Schema):
    """A line that was not taken, and why."""

    line: int
    code: str
    because: str


class Imported(Schema):
    """What an import did: good lines kept, bad lines listed."""

    id: str | None = Field(description="The import; null if nothing was taken, for there is none then.")
    added: int = Field(description="How many entries.")
    signals: int
    digest: str | None = Field(description="SHA-256 over the lines `type value`, sorted: as in the journal.")
    refused: list[BadLineShape] = Field(description="The first thousand.")
    refused_lines: int = Field(description="How many in all.")


class ImportShape(Schema):
    """An import as it stands."""

    id: str
    bank: str
    source: str
    state: str = Field(description="staging, published, rolled_back or abandoned")
    entries: int
    signals: int
    refused: int
    digest: str | None
    begun_by: str
    begun_at: datetime


class RollBack(Strict):
    """Why an import leaves its bank."""

    because: Because


class RolledBack(Schema):
    """An import after it was rolled back."""

    id: str
    bank: str
    state: str


class ExportOptions(Strict):
    """How to write an export."""

    form: Literal["csv", "jsonl", "txt", "dataset"] = "jsonl"

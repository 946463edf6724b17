# SPDX-License-Identifier: Apache-2.0
"""The shapes of /v1/reports."""

from __future__ import annotations

from datetime import datetime
from typing import Annotated, Any, Literal

from ninja import Schema
from pydantic import Field

from holdfast.intake.age import OLDEST
from holdfast.intake.code import LONGEST_TYPED
from holdfast.intake.desk import MOST_ITEMS, MOST_PROOF_BYTES
from holdfast.intake.reported import LONGEST_ADDRESS
from holdfast.log.text import LONGEST_STORY, LONGEST_TEXT
from holdfast.web.shapes import Strict

Kind = Literal[
    "post", "message", "account", "conversation", "live", "link", "description", "hash", "elsewhere",
]  # fmt: skip
Uploader = Literal["unknown", "third_party", "depicted", "not_in_control"]
Reporter = Literal[
    "depicted_child", "depicted_adult", "parent", "agent", "bystander", "flagger", "hotline", "police", "regulator",
    "staff",
]  # fmt: skip
What = Literal[
    "csam", "intimate", "grooming", "sextortion", "trafficking", "danger", "asked_by_child", "other_illegal", "other",
]  # fmt: skip
LegalElement = Literal["signature", "where", "without_consent", "how_to_reach"]
Shows = Literal["birth_date", "identity", "authority", "likeness"]
Code = Annotated[str, Field(max_length=LONGEST_TYPED, description="The 8 words. They are in no log and no address.")]
Age = Annotated[int, Field(ge=0, le=OLDEST)]
_MOST_BASE64 = MOST_PROOF_BYTES * 4 // 3 + 4


class ItemIn(Strict):
    """One thing that is reported."""

    kind: Kind = "link"
    address: str = Field(min_length=1, max_length=LONGEST_STORY, description=f"At most {LONGEST_ADDRESS} characters, "
                         "but for a description. A hash is md5, sha1 or sha256 in hex.")  # fmt: skip
    uploader_is: Uploader = Field(default="unknown", description="What who posted it is to the person depicted.")


class BornIn(Strict):
    """A birth date, as far as it is known."""

    year: int = Field(ge=1900, le=2200)
    month: int | None = Field(default=None, ge=1, le=12)
    day: int | None = Field(default=None, ge=1, le=31)


class AgesIn(Strict):
    """How old whoever is in it was when it was made; all of it may be unknown."""

    lower: Age | None = None
    upper: Age | None = None
    born: BornIn | None = None


class ProofIn(Strict):
    """A file that shows something. Never the content that is reported."""

    says: list[Shows] = Field(default=[], max_length=4)
    content: str = Field(max_length=_MOST_BASE64, description="JPEG, PNG, WebP, HEIC or PDF, in base64; 10 MB.")


class ReportIn(Strict):
    """A report. Only items or words are needed."""

    reporter: Reporter = Field(description="Who says so. An authority without report:verified counts as a bystander.")
    category: What
    items: list[ItemIn] = Field(default=[], max_length=MOST_ITEMS)
    words: str = Field(default="", max_length=LONGEST_STORY, description="What happened, in their own words.")
    contact: str = Field(default="", max_length=LONGEST_TEXT, description="How they may be reached safely.")
    ages: AgesIn | None = None
    elements: list[LegalElement] = Field(
        default=[], max_length=4, description="Which elements of a request by law are there; none needs to be."
    )
    proof: ProofIn | None = None
    source: str | None = Field(
        default=None,
        min_length=1,
        max_length=LONGEST_TEXT,
        description="Where it came from, such as a network: orders what waits in a flood, and is kept as a keyed "
        "digest for a day. Without it, the key that it came with.",
    )


class CodeIn(Strict):
    """The words that open a report."""

    code: Code


class AddIn(CodeIn):
    """What is added to a report."""

    items: list[ItemIn] = Field(default=[], max_length=MOST_ITEMS)
    words: str = Field(default="", max_length=LONGEST_STORY)
    proof: ProofIn | None = None


class ReportOut(Schema):
    """The receipt. Give whoever reported their code: it is shown this once."""

    report: str = Field(description="The subject of the journal is report:ID.")
    reference: str = Field(description="May be quoted to anybody; opens nothing.")
    code: str = Field(description="The 8 secret words.")
    received_at: datetime
    receipt: dict[str, Any] | None = Field(
        description="The log's signed statement: check it with `holdfast verify`. Null where this machine has not "
        "the log's keys; the report is received all the same."
    )


class NamedOut(Schema):
    """How one thing that was named stands."""

    number: int
    kind: str
    address: str
    standing: str = Field(description="See `holdfast.intake.view.Standing`; hidden: at every place that is known.")
    places: int
    hidden: int
    asked_at: datetime | None
    hidden_at: datetime | None


class ShownProofOut(Schema):
    """How a proof stands."""

    received_at: datetime
    state: str


class ReportViewOut(Schema):
    """A report as its own reporter may see it."""

    reference: str
    received_at: datetime
    category: str
    state: str
    items: list[NamedOut]
    proofs: list[ShownProofOut]
    copies_hidden: int | None = Field(description="Null for whoever may not know.")
    copies_waiting: int | None
    code_kept: bool
    contact_stopped: bool


class ChangedOut(Schema):
    """A report after a change, without anybody's words: this is kept beside an Idempotency-Key."""

    report: str
    reference: str
    state: str
    contact_stopped: bool

# SPDX-License-Identifier: Apache-2.0
"""The shapes of /v1/effects, /v1/alarms and /v1/clocks."""

from __future__ import annotations

from datetime import datetime
from typing import Literal

from ninja import Schema
from pydantic import Field

from holdfast.web.shapes import Strict


class EffectOptions(Strict):
    """Which effects to list."""

    quarantined_only: Literal["true", "false"] = Field(default="false", description="Only those that wait for people.")


class EffectShape(Schema):
    """One act that is owed to another system."""

    id: str = Field(description="Also the idempotency key of the call it makes.")
    kind: str
    item: str
    location: str
    weight: str = Field(description="protective, neutral or releasing.")
    state: str
    tries: int
    most_tries: int
    fault: str | None = Field(description="Of the last try that failed.")
    owner: str
    since: datetime
    deadline: datetime
    late: bool


class Effects(Schema):
    """What is owed, and how far behind it is."""

    waiting: int
    quarantined: int
    late: int
    oldest_seconds: float = Field(description="For how long the oldest that waits has been owed.")
    effects: list[EffectShape]


class AlarmShape(Schema):
    """Something that is not as promised, and who has to look."""

    id: str
    kind: str
    about: str = Field(description="What it is about, such as effect:ID.")
    owner: str
    state: str = Field(description="raised, or acknowledged once somebody has seen it.")
    acknowledged_by: str | None
    since: datetime


class ClockShape(Schema):
    """What must have happened by when, and who answers for it."""

    id: str
    subject: str = Field(description="What it runs for.")
    code: str = Field(description="Which duty: docs/clocks.md.")
    state: str = Field(description="running, alarmed once its owner was, or missed.")
    started_at: datetime
    due: datetime
    owner: str
    deputy: str

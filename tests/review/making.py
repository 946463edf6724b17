# SPDX-License-Identifier: Apache-2.0
"""Findings and people for tests, and strategies for them."""

from __future__ import annotations

from datetime import UTC, datetime
from typing import Any, Final

from hypothesis import strategies as st

from holdfast.intake.proof import NotUpheld
from holdfast.review.finding import Finding, Ground, Verdict
from holdfast.review.viewing import Seen, Step

NOW: Final = datetime(2026, 11, 1, 12, tzinfo=UTC)
ALL: Final = Seen(step=Step.CLEAR, pictures=3, of=3)
NAMES: Final = ("ada", "ben", "cleo", "dora")


def finding(verdict: Verdict, by: str = "ada", **more: Any) -> Finding:
    """One person's word, with a ground or reason where it takes one."""
    given: dict[str, Any] = {"at": NOW, "seen": ALL}
    if verdict is Verdict.REMOVE:
        given["ground"] = Ground.SEEN
    if verdict is Verdict.NOT_UPHELD:
        given["reason"] = NotUpheld.NOT_INTIMATE
    return Finding(by=by, verdict=verdict, **{**given, **more})


findings = st.lists(st.builds(finding, st.sampled_from(Verdict), st.sampled_from(NAMES)), max_size=8)

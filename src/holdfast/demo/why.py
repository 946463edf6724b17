# SPDX-License-Identifier: Apache-2.0
"""An explanation in one line."""

from __future__ import annotations

from typing import Any


def why(explanation: dict[str, Any]) -> str:
    """One line that says what is known, and no more."""
    if explanation["reason"]:
        return f"not screened ({explanation['reason']}): {explanation['reason_says']}"
    if not explanation["matches"]:
        return "no match"
    nearest = min(explanation["matches"], key=lambda match: (match["distance"], match["signal"] == "pdq"))
    how = "same bytes" if nearest["variant"] == "bytes" else f"distance {nearest['distance']} of {nearest['threshold']}"
    return f"{nearest['signal']}, {how} ({nearest['variant']}): bank {nearest['bank']}, entry {nearest['entry']}"

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
    telling = [match for match in explanation["matches"] if match["effect"] == explanation["effect"]]
    nearest = min(telling, key=lambda match: (match["distance"], match["signal"] == "pdq"))
    how = "same bytes" if nearest["variant"] == "bytes" else f"distance {nearest['distance']} of {nearest['threshold']}"
    leads = "" if explanation["effect"] == "hold" else f"{explanation['effect']}: "
    known = f"bank {nearest['bank']}, entry {nearest['entry']}"
    return f"{leads}{nearest['signal']}, {how} ({nearest['variant']}): {known}"

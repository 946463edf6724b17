# SPDX-License-Identifier: Apache-2.0
"""An explanation in one line, and where in a video the match lies."""

from __future__ import annotations

from typing import Any, Final

_WIDTH: Final = 48


def why(explanation: dict[str, Any]) -> str:
    """One line that says what is known, and no more."""
    if explanation["reason"]:
        return f"not screened ({explanation['reason']}): {explanation['reason_says']}"
    if not explanation["matches"]:
        return "no match"
    telling = [match for match in explanation["matches"] if match["effect"] == explanation["effect"]]
    nearest = min(telling, key=lambda match: (match["distance"], match["signal"] == "pdq"))
    how = "same bytes" if nearest["variant"] == "bytes" else f"distance {nearest['distance']} of {nearest['threshold']}"
    if nearest.get("part"):
        how = _seen_again(nearest["part"])
    leads = "" if explanation["effect"] == "hold" else f"{explanation['effect']}: "
    known = f"bank {nearest['bank']}, entry {nearest['entry']}"
    if nearest.get("spot"):
        how += f" at {clock(nearest['spot']['seconds'][0])}"
    form = "" if nearest.get("part") else f" ({nearest['variant']})"
    return f"{leads}{nearest['signal']}, {how}{form}: {known}"


def matched_seconds(explanation: dict[str, Any]) -> list[tuple[float, float]]:
    """From when to when in the upload something known was seen, in order."""
    binding = [match for match in explanation["matches"] if match["effect"] != "ignore"]
    parts = [match["part"]["seconds"]["upload"] for match in binding if match.get("part")]
    spots = [match["spot"]["seconds"] for match in binding if match.get("spot")]
    return sorted({(start, end) for start, end in [*filter(None, parts), *spots]})


def timeline(explanation: dict[str, Any]) -> str | None:
    """The upload's time as a line of characters, the matched seconds thick; None if there are none to show."""
    places = [match.get("part") or match.get("spot") for match in explanation["matches"]]
    lengths = [place["length"] for place in places if place]
    marked, length = matched_seconds(explanation), max([one for one in lengths if one] or [0.0])
    if not marked or not length:
        return None
    cells = ["─"] * _WIDTH
    for start, end in marked:
        first = min(_WIDTH - 1, int(_WIDTH * start / length))
        last = max(first + 1, min(_WIDTH, round(_WIDTH * end / length)))
        cells[first:last] = "█" * (last - first)
    return f"{clock(0)} {''.join(cells)} {clock(length)}"


def clock(seconds: float) -> str:
    """A time in a video, as players show it."""
    whole = round(seconds)
    hours, minutes = whole // 3600, whole // 60 % 60
    return f"{hours}:{minutes:02}:{whole % 60:02}" if hours else f"{minutes}:{whole % 60:02}"


def _seen_again(part: dict[str, Any]) -> str:
    start, end = map(clock, part["seconds"]["entry"])
    where = ""
    if part["seconds"]["upload"]:
        where = " at {} to {}".format(*map(clock, part["seconds"]["upload"]))
    frames = "1 frame" if part["frames"] == 1 else f"{part['frames']} frames"
    return f"{frames}, its {start} to {end}{where}"

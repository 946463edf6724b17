# SPDX-License-Identifier: Apache-2.0
"""Asks Holdfast at its public address about hashes, as a platform would: through whatever stands in front of it.

No redirect is followed, no proxy of the environment is used, and every step has a time limit.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any, Final

import httpx

from holdfast.blocked import MOST_SENT, as_picture, evenly
from holdfast.errors import DependencyError
from holdfast.match.signal import Signal

SURFACE: Final = "holdfast-self-test"
_STEP_SECONDS: Final = 10.0
_QUALITY: Final = 100
_OK: Final = 200


class HttpPath:
    """A `PublicPath` over HTTP."""

    def __init__(self, url: str, key: str, seconds: float = _STEP_SECONDS) -> None:
        """Ask at `url`, below which lies `/v1`, with `key`, which needs the scopes screen and explain."""
        self._url = f"{url.rstrip('/')}/v1/screen/hashes"
        self._key = key
        self._seconds = seconds

    def finds(self, bank: str, entry: str, signals: Sequence[Signal]) -> bool:
        """Whether it is held because of this entry: see `PublicPath`."""
        body = self._asked({"surface": SURFACE, "signals": [_told(one) for one in evenly(signals, MOST_SENT)]})
        matches = (body.get("explanation") or {}).get("matches")
        if matches is None:
            raise DependencyError("the self-test's key lacks the scope explain")
        return body.get("answer") == "hold" and any(
            match["bank"] == bank and (match["entry"] == entry or match["distance"] == 0) for match in matches
        )

    def _asked(self, item: dict[str, Any]) -> dict[str, Any]:
        headers = {"authorization": f"Bearer {self._key}", "user-agent": "Holdfast"}
        try:
            with httpx.Client(timeout=self._seconds, follow_redirects=False, trust_env=False) as client:
                answer = client.post(self._url, json=item, headers=headers)
            if answer.status_code != _OK:
                message = f"the self-test was answered {answer.status_code}"
                raise DependencyError(message)
            body: dict[str, Any] = answer.json()
        except (httpx.HTTPError, ValueError) as fault:
            message = f"the self-test could not be made: {type(fault).__name__}"
            raise DependencyError(message) from fault
        return body


def _told(signal: Signal) -> dict[str, Any]:
    one = as_picture(signal)
    told: dict[str, Any] = {"signal_type": one.type.value, "value": one.value}
    return told if one.type.is_exact else {**told, "quality": _QUALITY}

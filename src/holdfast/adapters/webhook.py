# SPDX-License-Identifier: Apache-2.0
"""Sends webhooks to the one address that the operator has set (Standard Webhooks, HMAC-SHA256).

No redirect is followed, no proxy of the environment is used, every step has a time limit, and of what
comes back only the status is looked at. A message may arrive more than once, always under the same
`webhook-id`, which is the effect's.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final

import httpx

from holdfast.effect.handler import Done, Failed, Leased, Outcome, Refused
from holdfast.effect.webhook import Announcement, sign

_STEP_SECONDS: Final = 10.0
_LONGEST_PAUSE: Final = timedelta(hours=1)


class Webhook:
    """A `Handler` for the effects that `webhook_order` makes."""

    def __init__(
        self,
        url: str,
        key: bytes,
        announcement: Callable[[str], Announcement | None],
        clock: Callable[[], datetime],
        seconds: float = _STEP_SECONDS,
    ) -> None:
        """Send to `url`, signed with `key`, what `announcement` says of a screening."""
        self._url = url
        self._key = key
        self._announcement = announcement
        self._clock = clock
        self._seconds = seconds

    def __call__(self, effect: Leased) -> Outcome:
        """Send one message: see `Handler`."""
        told = self._announcement(effect.payload["screening"])
        if told is None:
            return Refused("no_such_screening")
        payload, now = told.as_payload(), self._clock()
        headers = {
            "content-type": "application/json",
            "user-agent": "Holdfast",
            "webhook-id": effect.id,
            "webhook-timestamp": str(int(now.timestamp())),
            "webhook-signature": sign(self._key, effect.id, int(now.timestamp()), payload),
        }
        try:
            with (
                httpx.Client(timeout=self._seconds, follow_redirects=False, trust_env=False) as client,
                client.stream("POST", self._url, content=payload, headers=headers) as answer,
            ):
                return _outcome(answer, now)
        except httpx.HTTPError as fault:
            return Failed(type(fault).__name__)


def _outcome(answer: httpx.Response, now: datetime) -> Outcome:
    """By its status alone: 2xx is a confirmation, and anything else none, a redirect neither."""
    if answer.is_success:
        return Done()
    pause = answer.headers.get("retry-after", "")
    wait = min(timedelta(seconds=int(pause)), _LONGEST_PAUSE) if pause.isascii() and pause.isdigit() else None
    return Failed(f"status_{answer.status_code}", retry_at=now + wait if wait else None)

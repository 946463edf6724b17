# SPDX-License-Identifier: Apache-2.0
"""Sends webhooks to the addresses that the operator has set (Standard Webhooks, HMAC-SHA256).

No redirect is followed, no proxy of the environment is used, every step has a time limit, and of what
comes back only the status is looked at. A message may arrive more than once, always under the same
`webhook-id`, which is the effect's.
"""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime, timedelta
from typing import Final
from urllib.parse import urlsplit

import httpx

from holdfast.alarm.message import Message
from holdfast.alarm.telling import Told
from holdfast.effect.handler import Done, Failed, Leased, Outcome, Refused
from holdfast.effect.webhook import Announcement, sign
from holdfast.settings import is_loopback

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
        return post_signed(self._url, self._key, effect.id, told.as_payload(), self._clock(), seconds=self._seconds)[0]


class AlarmWebhook:
    """An `AlarmChannel` to a program: signed messages in JSON."""

    def __init__(self, url: str, key: bytes, clock: Callable[[], datetime], seconds: float = _STEP_SECONDS) -> None:
        """Send to `url`, signed with `key`."""
        self._url = url
        self._key = key
        self._clock = clock
        self._seconds = seconds

    @property
    def where(self) -> str:
        """The host alone: the rest of an address may be a secret."""
        parts = urlsplit(self._url)
        return f"a webhook at {parts.scheme}://{parts.hostname}"

    @property
    def is_private(self) -> bool:
        """Whether it goes over TLS, or stays on this machine."""
        parts = urlsplit(self._url)
        return parts.scheme == "https" or is_loopback(parts.hostname or "")

    def tell(self, message: Message, message_id: str) -> Told:
        """Send it: see `AlarmChannel`."""
        payload = message.as_payload()
        return Told(*post_signed(self._url, self._key, message_id, payload, self._clock(), seconds=self._seconds))

    def reach(self) -> Told:
        """Ask for nothing, unsigned: any answer shows that somebody listens."""
        try:
            with httpx.Client(timeout=self._seconds, follow_redirects=False, trust_env=False) as client:
                answer = client.head(self._url)
        except httpx.HTTPError as fault:
            return Told(Failed(type(fault).__name__), str(fault))
        return Told(Done(), _said(answer))


def post_signed(
    url: str, key: bytes, message_id: str, payload: bytes, now: datetime, *, seconds: float
) -> tuple[Outcome, str]:
    """Send one signed message, each step within `seconds`: how it ended, and what the other side said."""
    headers = {
        "content-type": "application/json",
        "user-agent": "Holdfast",
        "webhook-id": message_id,
        "webhook-timestamp": str(int(now.timestamp())),
        "webhook-signature": sign(key, message_id, int(now.timestamp()), payload),
    }
    try:
        with (
            httpx.Client(timeout=seconds, follow_redirects=False, trust_env=False) as client,
            client.stream("POST", url, content=payload, headers=headers) as answer,
        ):
            return _outcome(answer, now), _said(answer)
    except httpx.HTTPError as fault:
        return Failed(type(fault).__name__), str(fault)


def _said(answer: httpx.Response) -> str:
    return f"status {answer.status_code} {answer.reason_phrase}".strip()


def _outcome(answer: httpx.Response, now: datetime) -> Outcome:
    """By its status alone: 2xx is a confirmation, and anything else none, a redirect neither."""
    if answer.is_success:
        return Done()
    pause = answer.headers.get("retry-after", "")
    wait = min(timedelta(seconds=int(pause)), _LONGEST_PAUSE) if pause.isascii() and pause.isdigit() else None
    return Failed(f"status_{answer.status_code}", retry_at=now + wait if wait else None)

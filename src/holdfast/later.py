# SPDX-License-Identifier: Apache-2.0
"""The path of one item that is answered later: content -> spool -> match -> answer.

`receive` is on disk and committed before anybody is told that it was received. `screen_taken` runs the
very screening that an upload gets at once, on what waits in the spool; its answer and the end of the
long screening are one transaction. Between the two any process may die at any moment: what was taken up
and never ended is taken up again, a bounded number of times, and then held for a person.
"""

from __future__ import annotations

import os
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field, replace
from datetime import datetime, timedelta
from typing import Any, Final, Protocol

import structlog

from holdfast.errors import IdempotencyConflict
from holdfast.intake.content import Content
from holdfast.intake.spool import Spool, Waiting
from holdfast.intake.upload import Digests, Upload
from holdfast.match.archive import ArchivedItem
from holdfast.match.known import Level
from holdfast.match.screen import NotScreened
from holdfast.match.signal import Signal
from holdfast.media.decoder import Decoder
from holdfast.media.filetype import FileType, recognise
from holdfast.media.plane import Begun, Decoded, Frame, Watched
from holdfast.media.reason import NotDecoded, Reason
from holdfast.media.reel import Begin, See
from holdfast.pipeline import Answered, FirstAnswer, Once, Parts, Recorded, screen

PAUSE: Final = timedelta(seconds=2)
"""Before what failed for a passing reason is tried again."""
_TRIED_AGAIN: Final = frozenset({Reason.DECODER_UNAVAILABLE, Reason.DECODER_FAILED})
"""A decoder that was killed from outside looks like one that died over the file."""
_log = structlog.get_logger("later")


@dataclass(frozen=True, slots=True, kw_only=True)
class Arrived:
    """An upload that is on disk for good and is to be answered later."""

    id: str
    content: Content
    asked_by: str
    spool: str
    file: str
    fingerprint: str
    size: int
    digests: Digests
    at: datetime


@dataclass(slots=True)
class Progress:
    """How far a taking is. Written by the thread that screens, read by the one that renews the lease."""

    seconds_seen: float = 0.0
    seconds_total: float | None = None
    signs: int = 0
    """Grows with every sign of life: a taking that shows none for too long is not worth its lease."""
    length: float | None = None
    """Of one track, as the video says."""

    def begun(self, seconds: float | None, tracks: int) -> None:
        """A video says that it lasts so long, on so many tracks, which are watched one after the other."""
        self.length = seconds
        self.seconds_total = None if seconds is None else seconds * tracks
        self.signs += 1

    def seen(self, seconds: float, track: int) -> None:
        """This second of this track was looked at."""
        reached = track * self.length + min(seconds, self.length) if self.length else seconds
        self.seconds_seen = max(self.seconds_seen, reached)
        self.signs += 1


@dataclass(frozen=True, slots=True, kw_only=True)
class Taken:
    """A long screening that this process has taken up; `taking` fences off whoever had it before."""

    arrived: Arrived
    taking: int
    progress: Progress = field(default_factory=Progress, compare=False)


class TakenOver(Exception):  # noqa: N818  # names what happened
    """Another process has taken it up meanwhile: nothing this one found counts."""


class LongScreenings(Protocol):
    """Where long screenings stand. Each change is one transaction with what the journal is told of it."""

    def receive(self, arrived: Arrived, once: Once | None, body: dict[str, Any]) -> FirstAnswer | None:
        """Write it down; or give what was answered to its Idempotency-Key before, and write nothing."""

    def put_back(self, taken: Taken, reason: Reason, pause: timedelta) -> None:
        """Let it be taken up again after `pause`. Raises TakenOver."""

    def end(self, taken: Taken, answered: Answered, body: dict[str, Any], level: Level, left: ArchivedItem) -> Recorded:
        """Write the answer and the end, or nothing: as `Screenings.record`. Raises TakenOver."""


@dataclass(frozen=True, slots=True)
class Later:
    """What answering later works with."""

    spool: Spool
    long: LongScreenings
    new_id: Callable[[str], str]
    clock: Callable[[], datetime]


def receive(
    upload: Upload, content: Content, *, asked_by: str, once: Once | None, shadow: bool, later: Later
) -> dict[str, Any]:
    """Content -> spool: keep an upload for later; gives the body that says so, or the first answer to `once`.

    It is on disk and committed when this returns. Raises NoRoom if the disk is full and
    IdempotencyConflict if the Idempotency-Key stood for another request; nothing is kept then.
    """
    assert upload.waiting is not None
    upload.waiting.keep()
    arrived = Arrived(
        id=later.new_id("scr"),
        content=content,
        asked_by=asked_by,
        spool=later.spool.id,
        file=upload.waiting.name,
        fingerprint=upload.waiting.fingerprint,
        size=upload.size,
        digests=upload.digests,
        at=later.clock(),
    )
    body = {"answer": "publish" if shadow else "hold", "screening": arrived.id, "status_url": status_url(arrived.id)}
    first = later.long.receive(arrived, once, body)
    if first is None:
        return body
    later.spool.remove(arrived.file)
    assert once is not None
    if first.request_digest != once.request_digest:
        raise IdempotencyConflict
    return first.body


def is_video(head: bytes) -> bool:
    """Whether a file that begins like this is a video, and so is answered later."""
    kind = recognise(head)
    return isinstance(kind, FileType) and kind.is_video


def status_url(screening: str) -> str:
    """Where to ask how a screening stands."""
    return f"/v1/screenings/{screening}"


def screen_taken(taken: Taken, *, most_tries: int, parts: Parts, later: Later) -> None:
    """Spool -> match -> answer: screen what was taken up, and record its answer and its end together.

    Raises TakenOver if another process took it up meanwhile, and what `pipeline.screen` raises: then
    nothing was recorded, and it is taken up again when the lease has run out.
    """
    arrived = taken.arrived
    waiting = later.spool.open(arrived.file, arrived.fingerprint) if arrived.spool == later.spool.id else None
    hindrance = _hindrance(taken, waiting, most_tries)
    ending = _Ending(taken, waiting, later.long, last=hindrance is not None or taken.taking >= most_tries)
    decoder = _NotRead(hindrance) if hindrance else Followed(parts.decoder, taken.progress)
    own = replace(parts, screenings=ending, new_id=lambda _: arrived.id, decoder=decoder)
    try:
        with _upload(arrived, waiting) as upload:
            screen(upload, arrived.content, asked_by=arrived.asked_by, once=None, parts=own)
    except _TryAgain as again:
        later.long.put_back(taken, again.reason, PAUSE * taken.taking)
        return
    later.spool.remove(arrived.file)


def hold_overdue(taken: Taken, *, parts: Parts, later: Later) -> None:
    """Its clock has run out: hold it for a person, whatever became of its file. Raises as `screen_taken` does."""
    arrived = taken.arrived
    ending = _Ending(taken, None, later.long, last=True)
    own = replace(parts, screenings=ending, new_id=lambda _: arrived.id, decoder=_NotRead(Reason.TIMED_OUT))
    with _upload(arrived, None) as upload:
        screen(upload, arrived.content, asked_by=arrived.asked_by, once=None, parts=own)
    if arrived.spool == later.spool.id:
        later.spool.remove(arrived.file)


def _hindrance(taken: Taken, waiting: Waiting | None, most_tries: int) -> Reason | None:
    """Why the file is not even to be read."""
    if waiting is None:
        return Reason.UPLOAD_LOST
    return Reason.GIVEN_UP if taken.taking > most_tries else None


def _upload(arrived: Arrived, waiting: Waiting | None) -> Upload:
    """What was received; of a file that is not to be read, its digests and an empty file that no decoder sees."""
    descriptor = waiting.descriptor if waiting else os.memfd_create("lost", os.MFD_CLOEXEC)
    return Upload(descriptor, arrived.size, arrived.digests, waiting)


def _unheard(_begun: Begun) -> None:
    """For those who show no progress."""


class _TryAgain(Exception):  # noqa: N818
    """It could not be screened for a reason that may pass."""

    def __init__(self, reason: Reason) -> None:
        super().__init__(reason)
        self.reason = reason


@dataclass(frozen=True, slots=True)
class _NotRead:
    """A `Decoder` for a file that is not to be read: its digests are still looked up."""

    reason: Reason

    def decode(self, upload: Upload) -> Decoded | NotDecoded:  # noqa: ARG002  # the form of a decoder
        """The reason."""
        return NotDecoded(self.reason)

    def watch(self, upload: Upload, see: See, begin: Begin = _unheard) -> Watched | NotDecoded:  # noqa: ARG002
        """The reason."""
        return NotDecoded(self.reason)


@dataclass(frozen=True, slots=True)
class Followed:
    """A `Decoder` whose progress can be followed."""

    decoder: Decoder
    progress: Progress

    def decode(self, upload: Upload) -> Decoded | NotDecoded:
        """As the other decodes."""
        return self.decoder.decode(upload)

    def watch(self, upload: Upload, see: See, begin: Begin = _unheard) -> Watched | NotDecoded:
        """As the other watches."""

        def begun(said: Begun) -> None:
            # Tracks are watched one after the other, each for as long as the video lasts.
            self.progress.begun(said.seconds, max(1, said.tracks))
            begin(said)

        def seen(frame: Frame) -> None:
            see(frame)
            self.progress.seen(frame.seconds or 0.0, frame.track)

        return self.decoder.watch(upload, seen, begun)


@dataclass(frozen=True, slots=True)
class _Ending:
    """`Screenings` for one taking: what is recorded ends it."""

    taken: Taken
    waiting: Waiting | None
    long: LongScreenings
    last: bool
    """Whether a reason that may pass is an answer now, because it was waited for long enough."""

    def first_answer(self, once: Once) -> FirstAnswer | None:  # noqa: ARG002  # the form of the port
        """Nobody asks under a key here: the request was told at once that it will be answered later."""
        return None

    def record(
        self,
        answered: Answered,
        body: dict[str, Any],
        level: Level,
        once: Once | None,
        left: ArchivedItem,
        *,
        unless: Sequence[Signal] = (),
    ) -> Recorded:
        """Write the answer and the end, or nothing."""
        assert once is None
        if unless:
            return Recorded.KNOWN  # as far as is known: here nobody waits, so that they are looked up first
        screening = answered.screening
        if isinstance(screening, NotScreened) and screening.reason in _TRIED_AGAIN and not self.last:
            raise _TryAgain(screening.reason)
        if self.waiting and self.waiting.fingerprint != self.taken.arrived.fingerprint:
            raise _TryAgain(Reason.UPLOAD_LOST)  # somebody wrote to it: the next taking finds it lost
        return self.long.end(self.taken, answered, body, level, left)

# SPDX-License-Identifier: Apache-2.0
"""Watch a whole video, track by track, and send what is to be looked at.

Frames that no other frame rests on are mostly not decoded: that halves the work. They are never all
left out: in every stretch of packets a few, chosen by chance, are decoded whatever they are, and if one
shows something that the frames around it do not, or the frames that were decoded lie too far apart,
the track is decoded whole from there, and gone through again where something may have been lost. Runs inside
the confined decoder.
"""

from __future__ import annotations

import time
from dataclasses import dataclass, field
from random import SystemRandom
from typing import Any, Final

import av
from av.container import InputContainer
from av.error import FFmpegError
from av.packet import Packet
from av.video.stream import VideoStream

from holdfast.media.boxes import ends_early
from holdfast.media.filetype import FileType
from holdfast.media.film import Track, length_of, opened, packets_of, prepare, start_of, tracks_of
from holdfast.media.filmframe import luma_of_frame, planes_of
from holdfast.media.plane import MOST_TRACKS, MOST_WATCHED, Luma
from holdfast.media.reason import NotDecoded, Reason, Unreadable
from holdfast.media.sampling import GAP, Glance, Sampler, Timeline, alike, glance
from holdfast.media.shape import reason_for, refuse_pixels
from holdfast.media.video import Descriptor, Reel, VideoLimits

_SKIPPABLE: Final = frozenset({"h264", "hevc", "mpeg4", "mpeg1video", "mpeg2video"})
_STRETCH: Final = 24  # packets: about a second
_LOOKED_INTO: Final = 3  # packets of a stretch that are decoded whatever they are
_SLOW: Final = 0.1  # seconds between packets, above which leaving any out gains nothing
_SHORT: Final = GAP  # seconds that may be missing at the end of what was said to be there
_TELLING: Final = frozenset(Reason) - {Reason.DAMAGED}  # which say more than that the end is missing
_ODDS: Final = SystemRandom()


class _Again(Exception):  # noqa: N818  # names what is to be done
    """Something may have been lost by leaving frames out: go through the track again."""


@dataclass(slots=True)
class Viewing:
    """One video being watched."""

    untrusted: Descriptor
    kind: FileType
    limits: VideoLimits
    reel: Reel
    missed: Reason | None = None
    longest: float = 0.0
    sent: int = 0
    until: float = 0.0
    last_packet: float = 0.0
    cut: bool = False

    def run(self) -> None:
        """Watch all of it, as far as it can be, and say how it ended."""
        self.until = time.process_time() + self.limits.seconds
        self.cut = ends_early(self.untrusted, self.kind)
        try:
            self._watch()
        except Unreadable as fault:
            self.miss(fault.why.reason)
        except MemoryError:
            self.miss(Reason.TOO_LARGE)
        except (FFmpegError, ValueError, ArithmeticError, LookupError, TypeError, NotImplementedError) as fault:
            self.miss(Reason.TRUNCATED if self.cut else reason_for(fault))
        self.reel.end(self.longest, self.missed)

    def miss(self, reason: Reason) -> None:
        """Something was not seen; the first reason counts."""
        self.missed = self.missed or reason

    def _watch(self) -> None:
        with opened(self.untrusted, self.kind) as container:
            tracks = tracks_of(self.kind, container)
            if not tracks:
                raise Unreadable(NotDecoded(Reason.NO_PICTURE))
            said = length_of(container)
            self.reel.begin(said, min(len(tracks), MOST_TRACKS))
            whole = self.limits.every_frame
            first, *others = [Pass(self, number, track, whole) for number, track in enumerate(tracks[:MOST_TRACKS])]
            done = first.through(container)
        if not done:
            self._anew(first)
        if self.cut or (said and self.last_packet < said - _SHORT):
            self.missed = self.missed if self.missed in _TELLING else Reason.TRUNCATED
        for other in others:
            self._anew(other)
        if len(tracks) > MOST_TRACKS:
            self.miss(Reason.SEVERAL_PICTURES)

    def _anew(self, passing: Pass) -> None:
        """Go through a track in an opening of its own, and if need be in another."""
        with opened(self.untrusted, self.kind, edited=passing.track.edited) as container:
            done = passing.through(container)
        if not done:
            self._anew(passing)


@dataclass(slots=True)
class Pass:
    """Going through one track, and through it again if need be."""

    viewing: Viewing
    number: int
    track: Track
    whole: bool = False
    """Whether every frame is decoded."""
    sent_until: float = 0.0
    """What lies before this was sent when the track was gone through first."""
    timeline: Timeline = field(default_factory=Timeline)
    sampler: Sampler = field(default_factory=Sampler)
    glances: list[Glance] = field(default_factory=list)
    since: int = 0
    """Packets since a frame came out."""
    left_out: bool = False
    """Whether any packet may have been left out since then."""
    counted: int = 0
    looked_into: int = 0
    before: int | None = None
    step: float = 0.0
    """Seconds that one unit of its times lasts."""

    def through(self, container: InputContainer) -> bool:
        """Go through it; False if it must be gone through once more, whole. Raises Unreadable if no time is left."""
        try:
            self._run(container)
        except _Again:
            self.whole, self.sent_until = True, self.sampler.last_seconds or 0.0
            return False
        except Unreadable as fault:
            if fault.why.reason is Reason.TOO_LONG:
                raise
            self.viewing.miss(fault.why.reason)
        return True

    def _run(self, container: InputContainer) -> None:
        stream = next(one for one in container.streams.video if one.index == self.track.stream)
        prepare(stream, self.viewing.limits.max_pixels)
        self.step = float(stream.time_base or 0)
        self.timeline, self.glances, self.since, self.left_out = Timeline(), [], 0, False
        start = start_of(container, self.viewing.kind)
        steps = {one.index: float(one.time_base or 0) for one in container.streams}
        for packet in packets_of(container):
            if time.process_time() > self.viewing.until:
                raise Unreadable(NotDecoded(Reason.TOO_LONG))
            if packet is None:
                self.viewing.miss(Reason.DAMAGED)
                continue
            self._note_end(packet, steps.get(packet.stream_index, 0.0), start)
            if packet.stream is stream:  # not by its number: the empty packets at the end all say 0
                self._packet(stream, packet, start)
            if self.track.still and self.timeline.begun:
                return
        self._insist_on_no_gap(self.viewing.last_packet, self.timeline.now)

    def _note_end(self, packet: Packet[Any], step: float, start: float) -> None:
        stamp = packet.pts if packet.pts is not None else packet.dts
        if stamp is not None:
            ends = (stamp + (packet.duration or 0)) * step - start
            self.viewing.last_packet = max(self.viewing.last_packet, ends)

    def _packet(self, stream: VideoStream, packet: Packet[Any], start: float) -> None:
        if packet.is_corrupt:
            self.viewing.miss(Reason.DAMAGED)
        if packet.has_sidedata("encryption_info"):
            raise Unreadable(NotDecoded(Reason.ENCRYPTED))
        may_leave_out = self._may_leave_out(stream, packet)
        stream.codec_context.skip_frame = "NONREF" if may_leave_out else "DEFAULT"
        self.left_out = self.left_out or may_leave_out
        self.since += 1
        try:
            frames = stream.codec_context.decode(packet)
        except FFmpegError as fault:
            if reason_for(fault) is Reason.TOO_LARGE:
                raise Unreadable(NotDecoded(Reason.TOO_LARGE)) from fault
            self.viewing.miss(Reason.DAMAGED)
            return
        for frame in frames:
            self._frame(frame, start)

    def _may_leave_out(self, stream: VideoStream, packet: Packet[Any]) -> bool:
        """Whether this packet need not be decoded if nothing rests on it."""
        if self.whole or stream.codec_context.name not in _SKIPPABLE:
            return False
        place = self.counted % _STRETCH
        if not place:
            self.looked_into = _ODDS.randrange(_STRETCH - _LOOKED_INTO + 1)
        self.counted += 1
        dts, before = packet.dts, self.before
        slow = dts is None or before is None or abs(dts - before) * self.step > _SLOW
        self.before = dts
        return not slow and not self.looked_into <= place < self.looked_into + _LOOKED_INTO

    def _frame(self, frame: av.VideoFrame, start: float) -> None:
        if frame.is_corrupt:
            self.viewing.miss(Reason.DAMAGED)
        refuse_pixels(frame.width, frame.height, self.viewing.limits.max_pixels)
        last = self.timeline.now if self.timeline.begun else None
        seconds = self.timeline.at(None if frame.time is None else frame.time - start)
        self._insist_on_no_gap(seconds, last)
        luma = luma_of_frame(frame)
        seen = glance(luma)
        self._notice_flicker(seen)
        self.viewing.longest = max(self.viewing.longest, seconds)
        if seconds >= self.sent_until and self.sampler.wants(seconds, seen):
            self._send(frame, luma, seconds)

    def _insist_on_no_gap(self, seconds: float, last: float | None) -> None:
        """Raises _Again if between this frame and the last more was left out than may be."""
        gap = last is not None and seconds - last > GAP
        if self.left_out and (self.since > 2 * _STRETCH or (gap and self.since > 1)):
            raise _Again
        self.since, self.left_out = 0, False

    def _notice_flicker(self, seen: Glance) -> None:
        """If a frame shows something else than those on both its sides, no frame is left out from here on."""
        if self.whole:
            return
        self.glances = [*self.glances[-2:], seen]
        if len(self.glances) > 2:  # noqa: PLR2004  # one on each side
            one, between, other = self.glances
            self.whole = alike(one, other) and not alike(one, between)

    def _send(self, frame: av.VideoFrame, luma: Luma, seconds: float) -> None:
        if self.viewing.sent >= MOST_WATCHED:
            raise Unreadable(NotDecoded(Reason.TOO_LONG))
        self.viewing.sent += 1
        self.viewing.reel.frame(seconds, self.number, planes_of(frame, luma))

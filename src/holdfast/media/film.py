# SPDX-License-Identifier: Apache-2.0
"""One opening of a video file: its tracks, its packets, and what it says of itself.

The type decides which reader opens it; only named decoders may run; nothing outside the file is ever
opened. Runs inside the confined decoder.
"""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import dataclass
from typing import Any, Final

import av
from av.container import InputContainer
from av.error import EOFError as EndOfFile
from av.error import FFmpegError
from av.packet import Packet
from av.stream import Disposition
from av.video.stream import VideoStream

from holdfast.media.filetype import FileType
from holdfast.media.reason import NotDecoded, Reason, Unreadable
from holdfast.media.video import Descriptor

av.logging.set_level(None)

_READERS: Final = {
    FileType.MP4: "mov",
    FileType.MATROSKA: "matroska",
    FileType.AVI: "avi",
    FileType.MPEG_TS: "mpegts",
    FileType.FLV: "flv",
}
DECODERS: Final = frozenset(
    {"h264", "hevc", "vvc", "libdav1d", "av1", "vp8", "vp9", "vp6", "vp6a", "vp6f", "theora", "h263", "h263i", "flv"}
    | {"mpeg1video", "mpeg2video", "mpeg4", "msmpeg4v1", "msmpeg4v2", "msmpeg4", "wmv1", "wmv2", "wmv3", "vc1"}
    | {"mjpeg", "mjpegb", "png", "bmp", "webp", "gif", "jpeg2000", "prores", "dnxhd", "dvvideo", "cinepak", "svq1"}
    | {"svq3", "rawvideo", "huffyuv", "ffvhuff", "ffv1", "utvideo", "qtrle", "rpza"}
)
"""The decoders that may run. Another codec is held as unsupported."""
_BUFFER: Final = 256 * 1024
_MICRO: Final = 1_000_000
_ENCRYPTED_TAGS: Final = frozenset({"encv", "drmi", "drms"})
_MOST_FAULTS: Final = 32  # after which reading on makes no sense


@dataclass(frozen=True, slots=True)
class Track:
    """One way of watching: a stream of the file, and whether edit lists are obeyed."""

    stream: int
    edited: bool
    still: bool
    """A cover picture, not a film."""


def opened(untrusted: Descriptor, kind: FileType, *, edited: bool = True) -> InputContainer:
    """The file, opened by the reader of its type. With `edited` false, also what its edit lists hide."""
    untrusted.seek(0)
    options = {
        "codec_whitelist": ",".join(sorted(DECODERS)),
        "format_whitelist": "mov,mp4,m4a,3gp,3g2,mj2,matroska,webm,avi,mpegts,flv",
        "protocol_whitelist": "",
    }
    if kind is FileType.MP4 and not edited:
        options["ignore_editlist"] = "1"
    return av.open(
        untrusted,
        "r",
        format=_READERS[kind],
        container_options=options,
        buffer_size=_BUFFER,
        metadata_errors="ignore",
    )


def tracks_of(kind: FileType, container: InputContainer) -> list[Track]:
    """Every way of watching it: each stream of pictures, films before covers, then what edit lists hide of each."""
    streams = list(container.streams.video)
    stills = {stream.index for stream in streams if stream.disposition & Disposition.attached_pic}
    shown = sorted((Track(one.index, edited=True, still=one.index in stills) for one in streams), key=_films_first)
    if kind is not FileType.MP4:
        return shown
    # Its table of samples counts them all; the reader's index only what edit lists let it show.
    hiding = [one.index for one in streams if one.frames > _kept_samples(one) and one.index not in stills]
    return [*shown, *(Track(index, edited=False, still=False) for index in hiding)]


def _films_first(track: Track) -> tuple[bool, int]:
    return track.still, track.stream


def _kept_samples(stream: VideoStream) -> int:
    """How many of its samples are shown to whoever watches."""
    return sum(not entry.is_discard for entry in stream.index_entries)


def length_of(container: InputContainer) -> float | None:
    """How long it says that it lasts, in seconds."""
    return container.duration / _MICRO if container.duration else None


def start_of(container: InputContainer, kind: FileType) -> float:
    """What its times begin with, in seconds: an MP4 has a timeline of its own, others just go on."""
    return 0.0 if kind is FileType.MP4 else (container.start_time or 0) / _MICRO


def packets_of(container: InputContainer) -> Iterator[Packet[Any] | None]:
    """Each packet of every stream, the empty ones at the end too; None where something could not be read."""
    for _ in range(_MOST_FAULTS):
        try:
            yield from container.demux()
        except EndOfFile:
            return
        except FFmpegError:
            yield None
        else:
            return


def prepare(stream: VideoStream, max_pixels: int) -> None:
    """Make its decoder ready, in one thread. Raises Unreadable if it may not be decoded."""
    codec = stream.codec_context
    if codec is None or codec.name not in DECODERS:
        raise Unreadable(NotDecoded(Reason.UNSUPPORTED, "codec"))
    if codec.codec_tag in _ENCRYPTED_TAGS:
        raise Unreadable(NotDecoded(Reason.ENCRYPTED))
    if codec.width * codec.height > max_pixels:
        raise Unreadable(NotDecoded(Reason.TOO_LARGE, f"{codec.width} x {codec.height} pixels"))
    codec.thread_count = 1
    # What rests on no other picture, or on few, is not smoothed: that leaves the hash where it is.
    codec.options = {"max_pixels": str(max_pixels), "skip_loop_filter": "bidir"}

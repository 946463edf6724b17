# SPDX-License-Identifier: Apache-2.0
"""The trusted side of decoding: give one upload to one confined child and read its answer.

Whatever happens over there, the caller gets an outcome. There is no path from an error to planes.
"""

from __future__ import annotations

import os
import socket
import subprocess
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final, Protocol

from holdfast.intake.upload import Upload
from holdfast.media import wire
from holdfast.media.filetype import HEAD_LENGTH, recognise
from holdfast.media.photo import JPEG_PIXEL_FACTOR
from holdfast.media.plane import Begun, Decoded, Watched
from holdfast.media.reason import NotDecoded, Reason
from holdfast.media.reel import Begin, ReelReader, See

_HAND_OUT_SECONDS: Final = 5.0
VIDEO_SECONDS: Final = 600.0
_LEAST_VIDEO_SECONDS: Final = 15.0
_BYTES_A_SECOND: Final = 500_000  # a video that takes more time for its bytes is odd, or a bomb
WALL_FACTOR: Final = 4  # by the clock, a busy machine may take so much longer
GRACE_SECONDS: Final = 5.0


def seconds_for(size: int, most: float) -> float:
    """How much processor time a video of `size` bytes may take: by its bytes, and never more than `most`."""
    return min(most, _LEAST_VIDEO_SECONDS + size / _BYTES_A_SECOND)


def video_path(path: Path) -> Path:
    """Where the decoder server that listens at `path` hands out children for videos."""
    return path.with_name(f"{path.name}.video")


def _unheard(_begun: Begun) -> None:
    """For those who show no progress."""


class Decoder(Protocol):
    """Turns an upload into planes, somewhere it can do no harm."""

    def decode(self, upload: Upload) -> Decoded | NotDecoded:
        """The pictures of the upload that differ, or the reason why there are none.

        An adapter MUST NOT raise for anything a file can cause, and MUST answer in bounded time.
        A caller MAY ask again after a reason that `passes`. A video is not decoded but watched: of
        one, an adapter answers UNSUPPORTED.
        """

    def watch(self, upload: Upload, see: See, begin: Begin = _unheard) -> Watched | NotDecoded:
        """Show the frames of a video to `see`, one by one, and say how much of it was seen.

        `begin` is told first what the video says of its length. Tracks come one after the other, and
        within one no frame lies before the last. At least one frame of each second is shown, and one
        wherever the picture changes. An adapter MUST keep no frame, MUST NOT raise for anything a file can
        cause, and MUST answer in bounded time, that which `see` takes not counted. What `see` raises
        comes through. A caller MUST NOT take the end for a whole video if something was `missed`.
        """


@dataclass(frozen=True, slots=True)
class SandboxedDecoder:
    """A `Decoder` that asks the decoder server listening at `path`.

    `seconds` is for one picture; `video_seconds` the most processor time for one video. With `every_frame` the same
    video shows the same frames each time it is watched, and takes twice as long.
    """

    path: Path
    seconds: float
    max_pixels: int
    video_seconds: float = VIDEO_SECONDS
    every_frame: bool = False

    def decode(self, upload: Upload) -> Decoded | NotDecoded:
        """Ask one confined child: see `Decoder`."""
        kind = recognise(upload.head(HEAD_LENGTH))
        if isinstance(kind, NotDecoded):
            return kind
        if kind.is_video:
            return NotDecoded(Reason.UNSUPPORTED, "a video is watched, not decoded")
        child = _child_at(self.path)
        if isinstance(child, NotDecoded):
            return child
        request = wire.Request(upload.size, self.max_pixels, kind)
        with child:
            return self._ask(child, request, upload)

    def watch(self, upload: Upload, see: See, begin: Begin = _unheard) -> Watched | NotDecoded:
        """Ask one confined child: see `Decoder`."""
        kind = recognise(upload.head(HEAD_LENGTH))
        if isinstance(kind, NotDecoded) or not kind.is_video:
            return kind if isinstance(kind, NotDecoded) else NotDecoded(Reason.UNSUPPORTED, "a picture is not watched")
        child = _child_at(video_path(self.path))
        if isinstance(child, NotDecoded):
            return child
        seconds = seconds_for(upload.size, self.video_seconds)
        request = wire.Request(upload.size, self.max_pixels, kind, seconds, self.every_frame)
        with child:
            reader = ReelReader(wire.Timed(child, WALL_FACTOR * seconds + GRACE_SECONDS), self.max_pixels, see, begin)
            return _follow(child, request, upload, reader)

    def _ask(self, child: socket.socket, request: wire.Request, upload: Upload) -> Decoded | NotDecoded:
        child.settimeout(self.seconds)
        try:
            socket.send_fds(child, [request.pack()], [upload.descriptor])
        except OSError as fault:  # it died before it saw the file: not the file's fault
            return NotDecoded(Reason.DECODER_UNAVAILABLE, type(fault).__name__)
        try:
            return wire.receive_answer(child, most_pixels=self.max_pixels * JPEG_PIXEL_FACTOR)
        except TimeoutError:
            return NotDecoded(Reason.TIMED_OUT)
        except wire.ProtocolBroken:
            return NotDecoded(Reason.DECODER_FAILED)
        except OSError as fault:
            return NotDecoded(Reason.DECODER_FAILED, type(fault).__name__)


def _child_at(path: Path) -> socket.socket | NotDecoded:
    """A socket to a child of our own."""
    with socket.socket(socket.AF_UNIX) as server:
        server.settimeout(_HAND_OUT_SECONDS)
        try:
            server.connect(str(path))
            _, descriptors, _, _ = socket.recv_fds(server, 1, 1)
        except OSError as fault:
            return NotDecoded(Reason.DECODER_UNAVAILABLE, type(fault).__name__)
    if not descriptors:
        return NotDecoded(Reason.DECODER_UNAVAILABLE, "no child")
    return socket.socket(fileno=descriptors[0])


def _follow(child: socket.socket, request: wire.Request, upload: Upload, reader: ReelReader) -> Watched | NotDecoded:
    """Ask, and read the reel as far as it goes. What `see` raises is no fault of the child's."""
    child.settimeout(_HAND_OUT_SECONDS)
    try:
        socket.send_fds(child, [request.pack()], [upload.descriptor])
    except OSError as fault:  # it died before it saw the file: not the file's fault
        return NotDecoded(Reason.DECODER_UNAVAILABLE, type(fault).__name__)
    try:
        return reader.read()
    except wire.ProtocolBroken:
        return reader.stopped(Reason.DECODER_FAILED)
    except wire.TimedOut:
        return reader.stopped(Reason.TIMED_OUT)


@dataclass(frozen=True, slots=True, kw_only=True)
class ServerOptions:
    """How to start the decoder server."""

    path: Path
    spares: int
    seconds: float
    memory_bytes: int
    video_seconds: float = VIDEO_SECONDS
    weaker: bool = False
    uid: int | None = None
    gid: int | None = None


def start_server(options: ServerOptions) -> subprocess.Popen[bytes]:
    """Exec the decoder server, tied to this process, and wait until it is ready.

    Call it from a thread that lives as long as the process. Raises RuntimeError with what the
    server said if it ends before it is ready.
    """
    ids = [] if options.uid is None else [f"--uid={options.uid}", f"--gid={options.gid}"]
    command = [sys.executable, "-m", "holdfast.media.server", str(options.path), f"--parent={os.getpid()}"]
    limits = [f"--spares={options.spares}", f"--seconds={options.seconds}", f"--memory-bytes={options.memory_bytes}"]
    limits += [f"--video-seconds={options.video_seconds}"]
    weaker = ["--weaker"] if options.weaker else []
    environment = {"OPENBLAS_NUM_THREADS": "1", "PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}
    # One heap: each further one would reserve 128 MiB of a decoder's address space.
    environment["MALLOC_ARENA_MAX"] = "1"
    process = subprocess.Popen(
        [*command, *limits, *weaker, *ids],
        stdin=subprocess.DEVNULL,
        stdout=subprocess.PIPE,
        env=environment,
        cwd="/",
        start_new_session=True,  # Ctrl-C on a terminal is for the supervisor alone
    )
    assert process.stdout is not None
    if process.stdout.readline() != b"ready\n":
        process.wait()
        message = f"the decoder server ended with status {process.returncode} before it was ready"
        raise RuntimeError(message)
    return process

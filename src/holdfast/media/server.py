# SPDX-License-Identifier: Apache-2.0
"""The decoder server: keeps confined children ready and hands each to exactly one upload.

It is exec'd, single-threaded, and decodes one sample of every type before it gives up its rights,
so that nothing is loaded lazily later. Its children are forked before they are needed and confine
themselves before they touch a byte of a file. A client connects, is handed the other end of one
child's socketpair, and talks to that child alone; the child answers once and dies. The server never
sees a byte of any upload, and a child never sees a second one.

Pictures and videos have children of their own, at sockets of their own, because a video may take
longer: how long this one may is in the request, and its child sees to that itself.

Run as `python -m holdfast.media.server SOCKET ...`; it says "ready" on standard output when it is.
"""

from __future__ import annotations

import argparse
import gc
import math
import os
import signal
import socket
import sys
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from holdfast.lifeline import become, die_with_parent
from holdfast.media import sandbox, video, wire
from holdfast.media.children import Pool, listen, serve
from holdfast.media.decoder import WALL_FACTOR, video_path
from holdfast.media.filetype import PICTURES, FileType
from holdfast.media.image import decode
from holdfast.media.reason import NotDecoded, Reason
from holdfast.media.reel import ReelSender
from holdfast.media.samples import sample
from holdfast.media.shape import Limits

_WARM_UP_PIXELS: Final = 64
_SHARE_FOR_MORE: Final = 0.6  # of the time: the pictures after the first; the rest is for the last of them, and sending
_TO_END_BY_ITSELF: Final = 3  # seconds of processor time beyond the limit, in which a video can still be ended in words


@dataclass(frozen=True, slots=True)
class Options:
    """What one decoder may use."""

    seconds: float
    video_seconds: float
    memory_bytes: int
    calls: bytes | None
    """The seccomp program of every child; None where the machine has no seccomp and that was allowed."""


def warm_up() -> int:
    """Decode one sample of every type; returns how many bytes of address space the video libraries take unused.

    Raises RuntimeError if that left a thread behind: forking then would hang the children.
    """
    for kind in PICTURES:
        outcome = decode(sample(kind), kind, Limits(_WARM_UP_PIXELS))
        if isinstance(outcome, NotDecoded) or outcome.missed:
            message = f"the {kind} decoder does not read its own sample: {outcome}"
            raise RuntimeError(message)
    before = _mapped_not_resident()
    video.warm_up()
    gc.collect()
    if len(os.listdir("/proc/self/task")) != 1:  # noqa: PTH208  # a count, not paths
        message = "a decoder left a thread behind"
        raise RuntimeError(message)
    return max(0, _mapped_not_resident() - before)


def _mapped_not_resident() -> int:
    """Bytes of address space that hold nothing."""
    mapped, resident = Path("/proc/self/statm").read_text().split()[:2]
    return (int(mapped) - int(resident)) * os.sysconf("SC_PAGESIZE")


def _decode_one(own_end: socket.socket, server: int, options: Options) -> None:
    """The whole life of a child for a picture: confine, wait, read one file, answer, end."""
    die_with_parent(server)
    cpu_seconds = int(options.seconds) + 1
    sandbox.confine_decoder(cpu_seconds=cpu_seconds, memory_bytes=options.memory_bytes, calls=options.calls)
    _get_warm(options)
    asked = _request(own_end)
    if not asked:
        return
    request, descriptor = asked
    try:
        untrusted = _read_all(descriptor, request.size)
        limits = Limits(request.max_pixels, seconds=options.seconds * _SHARE_FOR_MORE)
        outcome = decode(untrusted, request.kind, limits)
    except MemoryError:
        outcome = NotDecoded(Reason.TOO_LARGE)
    wire.send_answer(own_end, outcome)
    own_end.shutdown(socket.SHUT_WR)


def _watch_one(own_end: socket.socket, server: int, options: Options) -> None:
    """The whole life of a child for a video: confine, wait, watch one file, end."""
    die_with_parent(server)
    most = math.ceil(options.video_seconds) + _TO_END_BY_ITSELF
    sandbox.confine_decoder(cpu_seconds=most, memory_bytes=options.memory_bytes, calls=options.calls)
    asked = _request(own_end)
    if not asked:
        return
    request, descriptor = asked
    seconds = min(request.seconds, options.video_seconds)
    # A library that does not come back is ended by this; one that was taken over by the limit above.
    signal.setitimer(signal.ITIMER_PROF, seconds + _TO_END_BY_ITSELF)
    limits = video.VideoLimits(request.max_pixels, seconds, request.every_frame)
    video.watch(video.Descriptor(descriptor, request.size), request.kind, limits, ReelSender(own_end))
    own_end.shutdown(socket.SHUT_WR)


def _request(own_end: socket.socket) -> tuple[wire.Request, int] | None:
    """What is asked of this child, with the file; None if whoever had it went away."""
    message, descriptors, _, _ = socket.recv_fds(own_end, wire.REQUEST_SIZE, 1)
    if len(message) < wire.REQUEST_SIZE or not descriptors:
        return None
    return wire.Request.unpack(message), descriptors[0]


def _get_warm(options: Options) -> None:
    """Decode something of our own before anybody waits.

    A forked process copies each page when it first writes to it; done now, that costs no upload time.
    """
    decode(sample(FileType.JPEG), FileType.JPEG, Limits(_WARM_UP_PIXELS, seconds=options.seconds))


def _read_all(descriptor: int, size: int) -> bytes:
    os.lseek(descriptor, 0, os.SEEK_SET)
    chunks = []
    while size > 0 and (chunk := os.read(descriptor, size)):
        chunks.append(chunk)
        size -= len(chunk)
    return b"".join(chunks)


def main() -> NoReturn:
    """Warm up, listen, give up rights, serve."""
    parser = argparse.ArgumentParser()
    parser.add_argument("socket", type=Path)
    for name in ("--parent", "--spares", "--memory-bytes"):
        parser.add_argument(name, type=int, required=True)
    for name in ("--seconds", "--video-seconds"):
        parser.add_argument(name, type=float, required=True)
    for name in ("--uid", "--gid"):
        parser.add_argument(name, type=int)
    parser.add_argument("--weaker", action="store_true")
    wanted = parser.parse_args()
    idle_space = warm_up()
    calls = sandbox.program_of_calls()
    if calls is None and not wanted.weaker:
        sys.exit("holdfast: seccomp is missing; see HOLDFAST_SANDBOX")
    nothing = os.open(os.devnull, os.O_RDWR)
    pools = _pools(wanted, Options(wanted.seconds, wanted.video_seconds, wanted.memory_bytes + idle_space, calls))
    if wanted.uid is not None:
        become(wanted.uid, wanted.gid)
    die_with_parent(wanted.parent)
    sandbox.refuse_new_privileges()
    sandbox.restrict_files()
    gc.freeze()
    print("ready", flush=True)
    serve(pools, nothing)


def _pools(wanted: argparse.Namespace, options: Options) -> tuple[Pool, Pool]:
    """Children for pictures at the socket named, and some for videos beside it."""
    pictures = Pool(
        listen(wanted.socket), lambda end, server: _decode_one(end, server, options), wanted.spares, options.seconds
    )
    videos = Pool(
        listen(video_path(wanted.socket)),
        lambda end, server: _watch_one(end, server, options),
        max(1, wanted.spares // 2),
        WALL_FACTOR * options.video_seconds,
    )
    return pictures, videos


if __name__ == "__main__":
    main()

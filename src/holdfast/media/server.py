# SPDX-License-Identifier: Apache-2.0
"""The decoder server: keeps confined children ready and hands each to exactly one upload.

It is exec'd, single-threaded, and decodes one sample of every type before it gives up its rights,
so that nothing is loaded lazily later. Its children are forked before they are needed, confine
themselves, then wait on a socketpair. A client connects, is handed the other end of one child's
socketpair, and talks to that child alone; the child answers once and dies. The server never sees
a byte of any upload, and a child never sees a second one.

Run as `python -m holdfast.media.server SOCKET ...`; it says "ready" on standard output when it is.
"""

from __future__ import annotations

import argparse
import gc
import json
import os
import select
import signal
import socket
import sys
import time
from collections import deque
from dataclasses import dataclass
from pathlib import Path
from typing import Final, NoReturn

from holdfast.lifeline import become, die_with_parent
from holdfast.media import sandbox, wire
from holdfast.media.filetype import FileType
from holdfast.media.image import decode
from holdfast.media.reason import NotDecoded, Reason
from holdfast.media.samples import sample
from holdfast.media.shape import Limits

_GRACE_SECONDS: Final = 5.0
_TICK_MILLISECONDS: Final = 500
_CALM_MILLISECONDS: Final = 10
_WARM_UP_PIXELS: Final = 64
_SHARE_FOR_MORE: Final = 0.6  # of the time: the pictures after the first; the rest is for the last of them, and sending


@dataclass(frozen=True, slots=True)
class Options:
    """What one decoder may use, and how many stand ready."""

    spares: int
    seconds: float
    memory_bytes: int
    nothing: int
    """A descriptor of /dev/null, opened before files were out of reach."""
    calls: bytes | None
    """The seccomp program of every child; None where the machine has no seccomp and that was allowed."""


@dataclass(slots=True)
class _Child:
    pid: int
    client_end: socket.socket
    handed_out_at: float | None = None


def warm_up() -> None:
    """Decode one sample of every type.

    Raises RuntimeError if that left a thread behind: forking then would hang the children.
    """
    for kind in FileType:
        outcome = decode(sample(kind), kind, Limits(_WARM_UP_PIXELS))
        if isinstance(outcome, NotDecoded) or outcome.missed:
            message = f"the {kind} decoder does not read its own sample: {outcome}"
            raise RuntimeError(message)
    gc.collect()
    if len(os.listdir("/proc/self/task")) != 1:  # noqa: PTH208  # a count, not paths
        message = "a decoder left a thread behind"
        raise RuntimeError(message)


def serve(listener: socket.socket, options: Options) -> NoReturn:
    """Hand out children for ever."""
    idle: deque[_Child] = deque(_spawn(options) for _ in range(options.spares))
    busy: dict[int, _Child] = {}
    waiting = select.poll()
    waiting.register(listener, select.POLLIN)
    while True:
        short = len(idle) < options.spares
        asked = bool(waiting.poll(_CALM_MILLISECONDS if short else _TICK_MILLISECONDS))
        if asked:
            child = _hand_out(listener, idle)
            if child:
                busy[child.pid] = child
        _reap(idle, busy)
        # The next child is made once it is calm, so that making it takes no time from the upload that took the
        # last one; at once if few are left.
        if (short and not asked) or len(idle) <= options.spares // 2:
            idle.append(_spawn(options))
        _end_overdue(busy, options)


def _hand_out(listener: socket.socket, idle: deque[_Child]) -> _Child | None:
    """Give the next waiting client one child's socket; None if the client is gone."""
    connection, _ = listener.accept()
    with connection:
        child = idle.popleft()
        try:
            socket.send_fds(connection, [b"\x01"], [child.client_end.fileno()])
        except OSError:
            idle.append(child)
            return None
    child.client_end.close()
    child.handed_out_at = time.monotonic()
    return child


def _spawn(options: Options) -> _Child:
    client_end, own_end = socket.socketpair()
    server = os.getpid()
    pid = os.fork()
    if pid:
        own_end.close()
        return _Child(pid, client_end)
    try:
        # Nothing of the server's may stay open here: not its listener, not another child's socket.
        keep = own_end.detach()
        for standard in range(3):
            os.dup2(options.nothing, standard)
        os.dup2(keep, 3)  # last: it may take the place of the descriptor just copied
        os.closerange(4, 4096)
        with socket.socket(fileno=3) as connection:
            _decode_one(connection, server, options)
    except BaseException:  # noqa: BLE001  # no handler of the server's may run in a child; the status tells
        os._exit(1)
    os._exit(0)


def _decode_one(own_end: socket.socket, server: int, options: Options) -> None:
    """The whole life of a child: confine, wait, read one file, answer, end."""
    die_with_parent(server)
    cpu_seconds = int(options.seconds) + 1
    sandbox.confine_decoder(cpu_seconds=cpu_seconds, memory_bytes=options.memory_bytes, calls=options.calls)
    _get_warm(options)
    message, descriptors, _, _ = socket.recv_fds(own_end, wire.REQUEST_SIZE, 1)
    if len(message) < wire.REQUEST_SIZE or not descriptors:
        return
    request = wire.Request.unpack(message)
    try:
        untrusted = _read_all(descriptors[0], request.size)
        limits = Limits(request.max_pixels, seconds=options.seconds * _SHARE_FOR_MORE)
        outcome = decode(untrusted, request.kind, limits)
    except MemoryError:
        outcome = NotDecoded(Reason.TOO_LARGE)
    wire.send_answer(own_end, outcome)
    own_end.shutdown(socket.SHUT_WR)


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


def _reap(idle: deque[_Child], busy: dict[int, _Child]) -> None:
    """Collect ended children, before their turn or after; report each that was killed or failed."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        busy.pop(pid, None)
        if os.WIFSIGNALED(status):
            _report("decoder_killed", signal=signal.Signals(os.WTERMSIG(status)).name)
        elif os.WEXITSTATUS(status):
            _report("decoder_failed", status=os.WEXITSTATUS(status))
        for child in [child for child in idle if child.pid == pid]:
            idle.remove(child)
            child.client_end.close()
            time.sleep(0.1)  # a child that cannot even start must not become a fork storm


def _end_overdue(busy: dict[int, _Child], options: Options) -> None:
    now = time.monotonic()
    for child in busy.values():
        if child.handed_out_at and now - child.handed_out_at > options.seconds + _GRACE_SECONDS:
            os.kill(child.pid, signal.SIGKILL)


def _report(what: str, **facts: object) -> None:
    """One JSON line on standard error; never anything from the file."""
    print(json.dumps({"event": what, **facts}), file=sys.stderr, flush=True)


def listen(path: Path) -> socket.socket:
    """A Unix socket at `path` that only this uid (and root) can reach: its directory is 0700."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(1024)
    return listener


def main() -> NoReturn:
    """Warm up, listen, give up rights, serve."""
    parser = argparse.ArgumentParser()
    parser.add_argument("socket", type=Path)
    for name in ("--parent", "--spares", "--memory-bytes"):
        parser.add_argument(name, type=int, required=True)
    parser.add_argument("--seconds", type=float, required=True)
    for name in ("--uid", "--gid"):
        parser.add_argument(name, type=int)
    parser.add_argument("--weaker", action="store_true")
    wanted = parser.parse_args()
    warm_up()
    calls = sandbox.program_of_calls()
    if calls is None and not wanted.weaker:
        sys.exit("holdfast: seccomp is missing; see HOLDFAST_SANDBOX")
    nothing = os.open(os.devnull, os.O_RDWR)
    listener = listen(wanted.socket)
    if wanted.uid is not None:
        become(wanted.uid, wanted.gid)
    die_with_parent(wanted.parent)
    sandbox.refuse_new_privileges()
    sandbox.restrict_files()
    gc.freeze()
    print("ready", flush=True)
    serve(listener, Options(wanted.spares, wanted.seconds, wanted.memory_bytes, nothing, calls))


if __name__ == "__main__":
    main()

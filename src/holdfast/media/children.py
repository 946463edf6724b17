# SPDX-License-Identifier: Apache-2.0
"""Children kept ready, each handed to exactly one upload: forked before they are needed, dead after.

A pool has a socket of its own, so that whoever connects says by that which kind of child is wanted;
nothing is ever read from a client. `serve` promises that no child outlives its pool's time, that
one that dies early is replaced, and that nothing of the server's stays open in a child.
"""

from __future__ import annotations

import json
import os
import select
import signal
import socket
import sys
import time
from collections import deque
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final, NoReturn

_GRACE_SECONDS: Final = 5.0
_TICK_MILLISECONDS: Final = 500
_CALM_MILLISECONDS: Final = 10


@dataclass(slots=True)
class _Child:
    pid: int
    client_end: socket.socket
    handed_out_at: float | None = None


@dataclass(slots=True)
class Pool:
    """Children that do one kind of `work`, `spares` of them ready.

    `work` is the whole life of a child, given its end of the socket and the server's process id.
    `seconds` is how long it may take by the clock, once it was handed out.
    """

    listener: socket.socket
    work: Callable[[socket.socket, int], None]
    spares: int
    seconds: float
    idle: deque[_Child] = field(default_factory=deque)
    busy: dict[int, _Child] = field(default_factory=dict)


def listen(path: Path) -> socket.socket:
    """A Unix socket at `path` that only this uid (and root) can reach: its directory is 0700."""
    path.unlink(missing_ok=True)
    listener = socket.socket(socket.AF_UNIX)
    listener.bind(str(path))
    listener.listen(1024)
    return listener


def serve(pools: Sequence[Pool], nothing: int) -> NoReturn:
    """Hand out children for ever. `nothing` is a descriptor of /dev/null, opened before files were out of reach."""
    waiting = select.poll()
    by_descriptor = {pool.listener.fileno(): pool for pool in pools}
    for pool in pools:
        pool.idle.extend(_spawn(pool, nothing) for _ in range(pool.spares))
        waiting.register(pool.listener, select.POLLIN)
    while True:
        short = any(len(pool.idle) < pool.spares for pool in pools)
        asked = waiting.poll(_CALM_MILLISECONDS if short else _TICK_MILLISECONDS)
        for descriptor, _ in asked:
            pool = by_descriptor[descriptor]
            if child := _hand_out(pool):
                pool.busy[child.pid] = child
        _reap(pools)
        for pool in pools:
            _fill_up(pool, nothing, calm=not asked)
            _end_overdue(pool)


def _fill_up(pool: Pool, nothing: int, *, calm: bool) -> None:
    """Make the next child: once it is calm, so that making it takes no time from the upload that took the last one.

    At once if few are left.
    """
    if len(pool.idle) <= pool.spares // 2 or (calm and len(pool.idle) < pool.spares):
        pool.idle.append(_spawn(pool, nothing))


def _hand_out(pool: Pool) -> _Child | None:
    """Give the next waiting client one child's socket; None if the client is gone."""
    connection, _ = pool.listener.accept()
    with connection:
        child = pool.idle.popleft()
        try:
            socket.send_fds(connection, [b"\x01"], [child.client_end.fileno()])
        except OSError:
            pool.idle.append(child)
            return None
    child.client_end.close()
    child.handed_out_at = time.monotonic()
    return child


def _spawn(pool: Pool, nothing: int) -> _Child:
    client_end, own_end = socket.socketpair()
    server = os.getpid()
    pid = os.fork()
    if pid:
        own_end.close()
        return _Child(pid, client_end)
    try:
        # Nothing of the server's may stay open here: not its listeners, not another child's socket.
        keep = own_end.detach()
        for standard in range(3):
            os.dup2(nothing, standard)
        os.dup2(keep, 3)  # last: it may take the place of the descriptor just copied
        os.closerange(4, 4096)
        with socket.socket(fileno=3) as connection:
            pool.work(connection, server)
    except BaseException:  # noqa: BLE001  # no handler of the server's may run in a child; the status tells
        os._exit(1)
    os._exit(0)


def _reap(pools: Sequence[Pool]) -> None:
    """Collect ended children, before their turn or after; report each that was killed or failed."""
    while True:
        try:
            pid, status = os.waitpid(-1, os.WNOHANG)
        except ChildProcessError:
            return
        if not pid:
            return
        if os.WIFSIGNALED(status):
            _report("decoder_killed", signal=signal.Signals(os.WTERMSIG(status)).name)
        elif os.WEXITSTATUS(status):
            _report("decoder_failed", status=os.WEXITSTATUS(status))
        for pool in pools:
            pool.busy.pop(pid, None)
            _forget(pool, pid)


def _forget(pool: Pool, pid: int) -> None:
    """If it died before its turn, it is not handed out."""
    for child in [child for child in pool.idle if child.pid == pid]:
        pool.idle.remove(child)
        child.client_end.close()
        time.sleep(0.1)  # a child that cannot even start must not become a fork storm


def _end_overdue(pool: Pool) -> None:
    now = time.monotonic()
    for child in pool.busy.values():
        if child.handed_out_at and now - child.handed_out_at > pool.seconds + _GRACE_SECONDS:
            os.kill(child.pid, signal.SIGKILL)


def _report(what: str, **facts: object) -> None:
    """One JSON line on standard error; never anything from the file."""
    sys.stderr.write(json.dumps({"event": what, **facts}) + "\n")
    sys.stderr.flush()

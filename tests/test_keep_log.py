# SPDX-License-Identifier: Apache-2.0
"""The worker's part: checkpoints are signed, copied out and stamped by themselves, a contradiction stops it."""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from http.server import BaseHTTPRequestHandler, HTTPServer
from pathlib import Path

import psycopg
import pytest

from holdfast.adapters.checkpoint_copy import CheckpointCopy
from holdfast.adapters.log_folder import LogFolder
from holdfast.bootstrap import System
from holdfast.errors import LogDiverged
from holdfast.keep_log import LogKeeper
from holdfast.prove import prove
from tests.adapters.test_timestamp import Authority
from tests.adapters.test_timestamp import authority as authority  # noqa: PLC0414  # a fixture
from tests.conftest import environment_for, holdfast, superuser
from tests.store.logging import NOW, app, append, screened


@contextmanager
def _kept(system: System, folder: Path, **settings: object) -> Iterator[LogKeeper]:
    """A keeper at work in two threads, as in the worker."""
    over = {"checkpoint_seconds": 0.1, **settings}
    keeper = LogKeeper(system.settings.model_copy(update=over), LogFolder(folder), threading.Event().wait)
    keeper_ends = threading.Event()
    threads = [
        threading.Thread(target=work, args=(keeper_ends.is_set,)) for work in (keeper.for_ever, keeper.outside_for_ever)
    ]
    for thread in threads:
        thread.start()
    try:
        yield keeper
    finally:
        keeper_ends.set()
        for thread in threads:
            thread.join()


def _until(true: Callable[[], object]) -> None:
    pause = threading.Event()
    while not true():
        pause.wait(0.02)


def test_what_is_committed_is_signed_copied_out_and_stamped_without_anyone_asking(
    system: System, tmp_path: Path, authority: Authority
) -> None:
    out = tmp_path / "outside"
    out.mkdir()
    more = {
        "checkpoint_copy": str(out),
        "timestamp_url": authority.url,
        "timestamp_roots": authority.place / "root.pem",
    }
    with app(system) as connection, _kept(system, tmp_path / "log", **more) as keeper:
        append(connection, "bank:a-name", 1)
        stamps = "select count(*) from log_timestamp"
        _until(lambda: (connection.execute(stamps).fetchone() or (0,))[0])
        with connection.cursor() as cursor:
            bundle = prove(cursor, keeper.folder, "bank:a-name", now=NOW)
        _until((out / "checkpoint").exists)
        assert (CheckpointCopy(str(out)).held() or (0,)) == (keeper.folder.last_signed() or (None,))[0]
    assert bundle["timestamp"] is not None
    (tmp_path / "bundle").write_text(json.dumps(bundle))
    words = ["verify", str(tmp_path / "bundle"), "--timestamp-roots", str(authority.place / "root.pem")]
    done = holdfast(environment_for(tmp_path), *words)
    assert (done.returncode, "existed not later than" in done.stdout) == (0, True), done.stderr
    bundle["timestamp"]["token"] = bundle["timestamp"]["token"][:-8] + "AAAAAAA="
    (tmp_path / "bundle").write_text(json.dumps(bundle))
    done = holdfast(environment_for(tmp_path), *words)
    assert (done.returncode, "REFUSED" in done.stderr) == (1, True)


def test_a_database_set_back_under_a_running_worker_stops_the_log_aloud(
    system: System, tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    with app(system) as connection, _kept(system, tmp_path) as keeper:
        screened(connection, 1, 20)
        _until(lambda: keeper.folder.published() and (keeper.folder.last_signed() or [None])[0])
        _until(lambda: connection.execute("select 1 from log_head where size = 20").fetchone())
        with psycopg.connect(superuser(system.settings.data), autocommit=True) as root:
            root.execute("set session_replication_role = replica")
            root.execute("delete from log_leaf where index >= 10")
            root.execute("delete from journal where id > 10")
        said = ""

        def stopped() -> bool:
            nonlocal said
            said += capsys.readouterr().out
            return "log_stopped" in said

        _until(stopped)
        assert "20 were signed" in said
        assert (keeper.folder.last_signed() or (None,))[0] is not None


def test_a_copy_outside_that_is_ahead_is_never_overwritten(system: System, tmp_path: Path) -> None:
    notes: list[str] = []
    with app(system) as connection, _kept(system, tmp_path / "log") as keeper:
        for number in (1, 2):
            screened(connection, number, number)
            _until(lambda: (keeper.folder.published() or "") not in ["", *notes])
            notes.append(keeper.folder.published() or "")
    copy = CheckpointCopy(str(tmp_path))
    copy.put(notes[1])
    with pytest.raises(LogDiverged):
        copy.put(notes[0])
    assert (tmp_path / "checkpoint").read_text() == notes[1]


class _Store(BaseHTTPRequestHandler):
    held: bytes | None = None

    def do_PUT(self) -> None:
        type(self).held = self.rfile.read(int(self.headers["Content-Length"]))
        self._answer(204, b"")

    def do_GET(self) -> None:
        self._answer(200 if self.held else 404, self.held or b"")

    def _answer(self, status: int, body: bytes) -> None:
        self.send_response(status)
        self.send_header("Content-Length", str(len(body)))
        self.end_headers()
        self.wfile.write(body)

    def log_message(self, format: str, *args: object) -> None:  # noqa: A002
        """Say nothing."""


def test_a_copy_can_be_put_over_http(system: System, tmp_path: Path) -> None:
    server = HTTPServer(("127.0.0.1", 0), _Store)
    thread = threading.Thread(target=server.serve_forever)
    thread.start()
    try:
        place = f"http://127.0.0.1:{server.server_port}/checkpoint"
        with app(system) as connection, _kept(system, tmp_path, checkpoint_copy=place):
            screened(connection, 1, 3)
            _until(lambda: CheckpointCopy(place).held())
        assert (CheckpointCopy(place).held() or LogFolder(tmp_path)) == (LogFolder(tmp_path).last_signed() or [0])[0]
    finally:
        server.shutdown()
        thread.join()
        server.server_close()
    with pytest.raises(OSError, match="did not answer"):
        CheckpointCopy(place).held()

# SPDX-License-Identifier: Apache-2.0
"""An embedded PostgreSQL: one data directory, one server, nobody else's concern.

It listens on a Unix socket only, with passwords (scram) even there; as root it runs under a uid
of its own. It is tied to the process that started it and shuts down cleanly when that process
dies, however it dies. Whoever holds the lock file owns the server; everyone else attaches to it.
Statements and their values never reach its log: they hold hashes.
"""

from __future__ import annotations

import fcntl
import json
import os
import secrets
import shutil
import signal
import subprocess
import tempfile
import time
from dataclasses import dataclass
from pathlib import Path
from typing import IO, Final, Self
from urllib.parse import quote

import psycopg
from psycopg import sql

from holdfast import lifeline
from holdfast.adapters import binaries
from holdfast.adapters.accounts import DATABASE, own_account, require_reachable
from holdfast.errors import DatabaseUnavailable, DataInUse, DataUnreachable

_NAME: Final = "holdfast"
OWNER: Final = "holdfast_owner"
APP: Final = "holdfast_app"
_LONGEST_SOCKET_FOLDER: Final = 80  # a socket's whole path may have 107 bytes
_START_SECONDS: Final = 60.0
_SETTINGS: Final = {
    "listen_addresses": "",
    "unix_socket_permissions": "0700",
    "log_min_error_statement": "panic",
    "log_error_verbosity": "terse",  # the detail of a broken constraint quotes the value
    "log_parameter_max_length": "0",
    "log_parameter_max_length_on_error": "0",
    "timezone": "UTC",
    "log_timezone": "UTC",
}


@dataclass(frozen=True, slots=True)
class Urls:
    """How to reach the database as the role that runs things, and as the role that owns the tables."""

    app: str
    owner: str


class EmbeddedPostgres:
    """The server of one data directory. Start it from the main thread: it is tied to that thread's life."""

    def __init__(self, folder: Path) -> None:
        """Use `folder` (made if missing) for the cluster, its socket, its secrets and its log."""
        self.folder = folder
        self.cluster = folder / "cluster"
        self._account = own_account(DATABASE)
        self._process: subprocess.Popen[bytes] | None = None
        self._lock: IO[str] | None = None
        self.server: binaries.Binaries | None = None

    def start(self, *, wait_seconds: float = 0.0) -> Urls:
        """Become the owner of the server and start it; the database and its roles exist afterwards.

        Raises DataInUse if another process is the owner and stays so for `wait_seconds`,
        PostgresMissing, PostgresVersion or DataUnreachable if it cannot run here, and
        DatabaseUnavailable with the end of its log if it does not come up.
        """
        self._make_folder()
        self._take_lock(wait_seconds)
        chosen = binaries.where_reachable(binaries.choose(self.cluster), self._account, self.folder)
        self.server = chosen
        known = self._secrets()
        if not (self.cluster / "PG_VERSION").exists():
            self._create_cluster(chosen, known["postgres"])
        self._await_predecessor()
        self._launch(chosen)
        self._await_ready(known["postgres"])
        _ensure_roles(self._conninfo("postgres", known["postgres"]), known)
        return self._urls(known)

    def attach(self) -> Urls | None:
        """The URLs of the server that another process owns, or None if no server answers here."""
        try:
            known = json.loads((self.folder / "secrets.json").read_text())
            psycopg.connect(self._conninfo(APP, known[APP], _NAME), connect_timeout=5).close()
        except (OSError, KeyError, ValueError, psycopg.Error):
            return None
        return self._urls(known)

    def restart(self) -> subprocess.Popen[bytes]:
        """Start the server again after it died under its owner; returns the new process."""
        assert self.server is not None
        self._await_predecessor()
        self._launch(self.server)
        self._await_ready(self._secrets()["postgres"])
        return self.process

    @property
    def process(self) -> subprocess.Popen[bytes]:
        """The running server. Only the owner has one."""
        assert self._process is not None
        return self._process

    def stop(self) -> None:
        """Shut the server down cleanly and give up the lock; harmless if it is not running."""
        if self._process is not None:
            self._process.send_signal(signal.SIGINT)
            self._process.wait()
            self._process = None
        if self._lock is not None:
            self._lock.close()
            self._lock = None

    def __enter__(self) -> Self:
        """Use it; call `start` inside."""
        return self

    def __exit__(self, *_: object) -> None:
        """Stop it."""
        self.stop()

    def _make_folder(self) -> None:
        try:
            self.folder.mkdir(mode=0o711 if self._account else 0o700, parents=True, exist_ok=True)
        except OSError as cause:
            message = f"{self.folder}: {cause.strerror}"
            raise DataUnreachable(message) from cause
        require_reachable(self.folder / "cluster", self._account)
        run = self._socket_folder()
        run.mkdir(mode=0o700, exist_ok=True)
        self._give(run)

    def _socket_folder(self) -> Path:
        beside = self.folder / "run"
        if len(str(beside)) <= _LONGEST_SOCKET_FOLDER:
            return beside
        short = self.folder / "run.short"
        if not short.exists():
            short.write_text(tempfile.mkdtemp(prefix="holdfast-"))
        return Path(short.read_text())

    def _take_lock(self, wait_seconds: float) -> None:
        lock = (self.folder / "lock").open("w")
        deadline = time.monotonic() + wait_seconds
        while True:
            try:
                fcntl.flock(lock, fcntl.LOCK_EX | fcntl.LOCK_NB)
            except BlockingIOError:
                if time.monotonic() > deadline:
                    lock.close()
                    message = f"{self.folder}: another Holdfast process runs the database here"
                    raise DataInUse(message) from None
                time.sleep(0.1)
            else:
                self._lock = lock
                return

    def _secrets(self) -> dict[str, str]:
        path = self.folder / "secrets.json"
        if path.exists():
            return dict(json.loads(path.read_text()))
        made = {role: secrets.token_urlsafe(24) for role in ("postgres", OWNER, APP)}
        half = path.with_suffix(".half")
        half.touch(mode=0o600)
        half.write_text(json.dumps(made))
        half.rename(path)
        return made

    def _create_cluster(self, chosen: binaries.Binaries, password: str) -> None:
        """Initialise beside the final place and rename, so that a half-made cluster is never opened."""
        half = self.folder / "cluster.half"
        shutil.rmtree(half, ignore_errors=True)
        half.mkdir(mode=0o700)
        self._give(half)
        words = self.folder / "cluster.password"
        words.touch(mode=0o600)
        words.write_text(password)
        self._give(words)
        options = ["-U", "postgres", "-A", "scram-sha-256", f"--pwfile={words}", "-k", "-E", "UTF8", "--no-locale"]
        try:
            self._run([chosen.program("initdb"), "-D", str(half), *options])
        finally:
            words.unlink()
        half.rename(self.cluster)

    def _run(self, program: list[str]) -> None:
        done = subprocess.run(
            self._tied(program), capture_output=True, text=True, check=False, cwd="/", env=_environment()
        )
        if done.returncode:
            message = f"{Path(program[0]).name} failed: {done.stderr.strip()[-500:]}"
            raise DatabaseUnavailable(message)

    def _tied(self, program: list[str]) -> list[str]:
        account = self._account
        uid, gid = (account.uid, account.gid) if account else (None, None)
        return lifeline.command(program, by=signal.SIGINT, uid=uid, gid=gid)

    def _await_predecessor(self) -> None:
        """A server whose owner was killed is shutting down; let it finish before the next begins."""
        deadline = time.monotonic() + _START_SECONDS
        while (pid := _running_server(self.cluster)) is not None:
            if time.monotonic() > deadline:
                message = f"an earlier server (process {pid}) still runs on {self.cluster}"
                raise DataInUse(message)
            time.sleep(0.05)

    def _launch(self, chosen: binaries.Binaries) -> None:
        settings = {**_SETTINGS, "unix_socket_directories": str(self._socket_folder())}
        options = [part for name, value in settings.items() for part in ("-c", f"{name}={value}")]
        program = [chosen.program("postgres"), "-D", str(self.cluster), *options]
        with (self.folder / "server.log").open("ab") as log:
            self._process = subprocess.Popen(
                self._tied(program),
                stdin=subprocess.DEVNULL,
                stdout=log,
                stderr=log,
                cwd="/",
                env=_environment(),
                start_new_session=True,  # Ctrl-C on a terminal is for the supervisor alone
            )

    def _await_ready(self, password: str) -> None:
        assert self._process is not None
        deadline = time.monotonic() + _START_SECONDS
        while True:
            try:
                psycopg.connect(self._conninfo("postgres", password)).close()
            except psycopg.OperationalError:
                if self._process.poll() is not None or time.monotonic() > deadline:
                    message = f"the embedded PostgreSQL did not start: {self._end_of_log()}"
                    raise DatabaseUnavailable(message) from None
                time.sleep(0.02)
            else:
                return

    def _end_of_log(self) -> str:
        return " | ".join((self.folder / "server.log").read_text(errors="replace").splitlines()[-5:])

    def _conninfo(self, role: str, password: str, database: str = "postgres") -> str:
        folder = quote(str(self._socket_folder()), safe="")
        return f"postgresql://{role}:{quote(password)}@/{database}?host={folder}"

    def _urls(self, known: dict[str, str]) -> Urls:
        return Urls(app=self._conninfo(APP, known[APP], _NAME), owner=self._conninfo(OWNER, known[OWNER], _NAME))

    def _give(self, path: Path) -> None:
        if self._account:
            os.chown(path, self._account.uid, self._account.gid)


def _ensure_roles(superuser: str, passwords: dict[str, str]) -> None:
    """The owner and app roles and the database; safe to repeat."""
    with psycopg.connect(superuser, autocommit=True) as connection:
        for role in (OWNER, APP):
            if not connection.execute("select 1 from pg_roles where rolname = %s", [role]).fetchone():
                words = sql.SQL("create role {} login password {}")
                connection.execute(words.format(sql.Identifier(role), sql.Literal(passwords[role])))
        if not connection.execute("select 1 from pg_database where datname = %s", [_NAME]).fetchone():
            words = sql.SQL("create database {} owner {}")
            connection.execute(words.format(sql.Identifier(_NAME), sql.Identifier(OWNER)))


def _running_server(cluster: Path) -> int | None:
    """The process id of a live server on this cluster."""
    try:
        pid = int((cluster / "postmaster.pid").read_text().split()[0])
        command = Path(f"/proc/{pid}/cmdline").read_bytes()
    except (OSError, ValueError, IndexError):
        return None
    return pid if str(cluster).encode() in command else None


def _environment() -> dict[str, str]:
    """Nothing of ours: no secrets, no settings of another PostgreSQL."""
    return {"PATH": "/usr/sbin:/usr/bin:/sbin:/bin", "LC_ALL": "C.UTF-8"}

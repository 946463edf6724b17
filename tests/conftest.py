# SPDX-License-Identifier: Apache-2.0
"""What tests share: a real database, a real decoder, a real server. Nothing is replaced by a stand-in.

`system` is wired in this process, on tables emptied before each test. `server` is `holdfast serve`
in a process of its own, on a data directory of its own, shared by the tests of one run: they use
names of their own.
"""

from __future__ import annotations

import atexit
import dataclasses
import functools
import json
import os
import shutil
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from dataclasses import dataclass
from pathlib import Path
from typing import IO

import psycopg
import pytest
from hypothesis import HealthCheck, settings

from holdfast import bootstrap
from holdfast.access.key import Scope
from holdfast.bootstrap import System
from holdfast.demo.client import Client
from holdfast.match.index import LayeredIndex
from holdfast.match.known import Known
from holdfast.settings import Settings
from tests.cli.forking import Shell, start

settings.register_profile("quick", deadline=None, max_examples=30, suppress_health_check=[HealthCheck.too_slow])
settings.register_profile("soak", deadline=None, max_examples=5000, suppress_health_check=[HealthCheck.too_slow])
settings.load_profile(os.environ.get("HYPOTHESIS_PROFILE", "quick"))

pytest_plugins = ["tests.skips", "tests.beside"]
pytest.register_assert_rewrite("holdfast.testing.asking", "holdfast.testing.contracts")
READY_SECONDS = 120.0
_FORKING = threading.Lock()
EMPTIED = tuple(
    """
    journal bank entry entry_signal screening unscreened api_key idempotency bank_import bank_change process
    archive archive_mark archive_search archive_hit effect alarm long_screening sealed_subject sealed_record
    log_leaf log_head log_timestamp log_cursor proposal settings_in_force clock report reported proof cases
    case_item hold contest views review decision viewing viewing_address staff staff_session
    """.split()  # noqa: SIM905  # as they are read
)
"""Every table but the one of sealing keys."""
# To truncate them all takes a fifth of a second; few have rows, and few many.
_EMPTY = f"""
do $$
declare
    one text;
    several int;
begin
    foreach one in array '{{{",".join(EMPTIED)}}}'::text[] loop
        execute format('select count(*) from (select from %I limit 1000) few', one) into several;
        if several = 1000 then
            execute format('truncate %I cascade', one);
        elsif several > 0 then
            execute format('delete from %I', one);
        end if;
    end loop;
    perform setval(pg_get_serial_sequence(quote_ident(table_name), column_name), 1, false)
        from information_schema.columns where table_schema = 'public' and is_identity = 'YES';
end $$
"""


@pytest.fixture(scope="session")
def folder() -> Iterator[Path]:
    """A short-named directory that the database's own user can reach."""
    made = Path(tempfile.mkdtemp(prefix="hf-test-"))
    made.chmod(0o755)
    yield made
    shutil.rmtree(made)


@pytest.fixture(scope="session")
def wired(folder: Path) -> Iterator[System]:
    """A system on an embedded database with its tables, and a decoder server."""
    subprocess.run(["cp", "-a", _prepared(), folder / "wired"], check=True)  # noqa: S607  # the one on the path
    given = Settings(data=folder / "wired")
    with bootstrap.database(given) as reachable, bootstrap.decoding(reachable, wanted=True) as ready:
        system = bootstrap.wire(ready)
        bootstrap.prepare_tables(ready)
        bootstrap.prepare_keys(system)
        yield system


@pytest.fixture
def system(wired: System) -> System:
    """The wired system with empty tables and an empty memory."""
    empty_tables(wired.settings.data)
    return dataclasses.replace(wired, known=Known(LayeredIndex, wired.banks))


def superuser(data: Path) -> str:
    """A connection string that may do anything to the embedded database in `data`."""
    password = json.loads((data / "postgres" / "secrets.json").read_text())["postgres"]
    return f"host={data / 'postgres' / 'run'} user=postgres password={password} dbname=holdfast"


def empty_tables(data: Path) -> None:
    """Forget everything but the sealing key: as superuser, with triggers off, which no role of ours can do."""
    with psycopg.connect(superuser(data), autocommit=True) as connection:
        connection.execute("set session_replication_role = replica")
        connection.execute(_EMPTY)
        connection.execute("insert into bank_change (number) values (0)")
        connection.execute("insert into log_cursor (id, xact, cluster) values (1, 0, '')")


@dataclass(frozen=True)
class Server:
    """A running `holdfast serve`."""

    process: subprocess.Popen[bytes]
    environment: dict[str, str]
    address: str
    client: Client

    def key(self, *scopes: Scope) -> str:
        """A new key with these scopes, made on the command line."""
        wanted = [part for scope in scopes for part in ("--scope", scope.value)]
        done = holdfast(self.environment, "key", "create", "test", *wanted, "--json")
        return str(json.loads(done.stdout)["key"])

    def with_key(self, *scopes: Scope) -> Client:
        """A client with a new key."""
        return Client(self.address, self.key(*scopes))


def holdfast(environment: dict[str, str], *arguments: str) -> subprocess.CompletedProcess[str]:
    """Run one command of the real program and return what it said.

    In a process of its own, forked from one that has loaded the program: loading takes longer than most commands.
    """
    with _FORKING:
        done = Shell(_forking(), environment).run(*arguments)
    return subprocess.CompletedProcess(["holdfast", *arguments], done.code, done.out, done.err)


def said_by(environment: dict[str, str], program: str, *arguments: str) -> str:
    """What a program says that is run as `python -c` would. It must end well."""
    with _FORKING:
        done = Shell(_forking(), environment).python(program, *arguments)
    assert done.code == 0, done.err
    return done.out


@functools.cache
def _prepared() -> Path:
    """A data directory with its database, its tables and its sealing key, that nobody uses."""
    made = Path(tempfile.mkdtemp(prefix="hf-test-"))
    made.chmod(0o755)
    atexit.register(shutil.rmtree, made)
    done = holdfast(environment_for(made / "data"), "key", "list", "--json")
    assert done.returncode == 0, done.stderr
    (made / "data" / "postgres" / "run.short").unlink(missing_ok=True)
    return made / "data"


@functools.cache
def _forking() -> subprocess.Popen[str]:
    """What forks, for as long as this process lives."""
    process = start({name: value for name, value in os.environ.items() if not name.startswith("HOLDFAST_")})
    atexit.register(process.communicate)
    return process


def free_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def environment_for(data: Path, **more: str) -> dict[str, str]:
    """The environment of a Holdfast of its own."""
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("HOLDFAST_", "DATABASE_"))}
    return {
        **plain,
        "HOLDFAST_DATA": str(data),
        "HOLDFAST_LISTEN": f"127.0.0.1:{free_port()}",
        "COLUMNS": "200",
        **more,
    }


def start_server(environment: dict[str, str], output: IO[bytes] | None = None) -> Server:
    """Start `holdfast serve`, which says what it says into `output`, and wait until it can screen.

    A directory that is not there yet is one that was prepared once: making a database takes longer than most tests.
    """
    data = Path(environment["HOLDFAST_DATA"])
    if not data.exists() and not {"DATABASE_URL", "HOLDFAST_KEYRING", "HOLDFAST_KEYRING_IDENTITY"} & environment.keys():
        data.parent.mkdir(parents=True, exist_ok=True)
        subprocess.run(["cp", "-a", _prepared(), data], check=True)  # noqa: S607  # the one on the path
    command = [sys.executable, "-m", "holdfast", "serve"]
    process = subprocess.Popen(command, env=environment, stdout=output, stderr=output)
    address = environment["HOLDFAST_LISTEN"]
    Client(address, "").wait_until_ready(patience=READY_SECONDS)
    bare = Server(process, environment, address, Client(address, ""))
    return dataclasses.replace(bare, client=bare.with_key(*Scope))


def stop(process: subprocess.Popen[bytes]) -> int:
    """End a server as Ctrl-C would, and return its status."""
    process.send_signal(signal.SIGINT)
    return process.wait(60)


@pytest.fixture(scope="session")
def server(folder: Path) -> Iterator[Server]:
    """A server shared by the whole run."""
    running = start_server(environment_for(folder / "server"))
    yield running
    stop(running.process)

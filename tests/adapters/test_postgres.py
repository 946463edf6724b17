# SPDX-License-Identifier: Apache-2.0
"""The embedded PostgreSQL, run for real."""

from __future__ import annotations

import json
import os
import select
import shutil
import signal
import stat
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from holdfast.adapters import binaries
from holdfast.adapters.accounts import Account, require_reachable
from holdfast.adapters.postgres import EmbeddedPostgres
from holdfast.errors import DatabaseUnavailable, DataInUse, DataUnreachable, PostgresMissing, PostgresVersion
from tests.conftest import superuser

_OWNER = """
import sys, time
from pathlib import Path
from holdfast.adapters.postgres import EmbeddedPostgres
server = EmbeddedPostgres(Path(sys.argv[1]))
server.start(wait_seconds=30)
print(server.process.pid, flush=True)
time.sleep(600)
"""


@pytest.fixture
def place(folder: Path, request: pytest.FixtureRequest) -> Path:
    made = folder / f"pg-{abs(hash(request.node.name)) % 10**8}"
    made.mkdir(mode=0o755)
    return made / "postgres"


@pytest.fixture(scope="module")
def shared(folder: Path) -> Iterator[EmbeddedPostgres]:
    with EmbeddedPostgres(folder / "pg-shared" / "postgres") as server:
        server.start()
        yield server


def _wait_for_end(pid: int, seconds: float = 30) -> bool:
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], seconds)[0])
    finally:
        os.close(handle)


def test_it_listens_on_a_socket_that_only_its_own_uid_and_root_can_reach(shared: EmbeddedPostgres) -> None:
    run = shared.folder / "run"

    assert stat.S_IMODE(run.stat().st_mode) == 0o700
    assert stat.S_IMODE((shared.folder / "cluster").stat().st_mode) == 0o700
    assert stat.S_IMODE((shared.folder / "secrets.json").stat().st_mode) == 0o600
    with psycopg.connect(superuser(shared.folder.parent)) as connection:
        assert connection.execute("show listen_addresses").fetchone() == ("",)
        assert connection.execute("show data_checksums").fetchone() == ("on",)
        assert connection.execute("show fsync").fetchone() == ("on",)


@pytest.mark.parametrize("password", ["", "wrong"])
def test_nobody_gets_in_without_the_password(shared: EmbeddedPostgres, password: str) -> None:
    with pytest.raises(psycopg.OperationalError):
        psycopg.connect(host=str(shared.folder / "run"), user="postgres", password=password, dbname="postgres")


def test_statements_and_values_stay_out_of_its_log(shared: EmbeddedPostgres) -> None:
    marker = "c0ffee" * 8
    with psycopg.connect(superuser(shared.folder.parent), autocommit=True) as connection:
        connection.execute("create table if not exists log_probe (value text primary key check (value <> 'x'))")
        for statement in ("insert into log_probe values (%s)", "select 1/0 from log_probe where value = %s"):
            connection.execute("insert into log_probe values (%s) on conflict do nothing", [marker])
            with pytest.raises(psycopg.Error):
                connection.execute(statement, [marker])

    assert marker not in (shared.folder / "server.log").read_text()
    assert "insert into log_probe" not in (shared.folder / "server.log").read_text()


@pytest.mark.skipif(os.geteuid() != 0, reason="only root can give the database a uid of its own")
def test_as_root_it_runs_under_a_uid_of_its_own(shared: EmbeddedPostgres) -> None:
    status = Path(f"/proc/{shared.process.pid}/status").read_text()
    uid = int(status.split("Uid:")[1].split()[0])

    assert uid not in (0, 65534)
    assert uid == (shared.folder / "cluster").stat().st_uid


def test_a_second_owner_is_refused_and_can_attach_instead(shared: EmbeddedPostgres) -> None:
    second = EmbeddedPostgres(shared.folder)

    with pytest.raises(DataInUse):
        second.start()

    assert second.attach() is not None


def test_nothing_answers_where_no_server_runs(place: Path) -> None:
    assert EmbeddedPostgres(place).attach() is None


def test_what_was_written_is_there_after_a_restart(place: Path) -> None:
    with EmbeddedPostgres(place) as server:
        urls = server.start()
        with psycopg.connect(urls.owner) as connection:
            connection.execute("create table kept as select 17 as number")
    with EmbeddedPostgres(place) as server:
        urls = server.start()
        with psycopg.connect(urls.owner) as connection:
            assert connection.execute("select number from kept").fetchone() == (17,)


def test_it_shuts_down_cleanly_when_its_owner_is_killed_and_the_next_start_recovers(place: Path) -> None:
    owner = subprocess.Popen([sys.executable, "-c", _OWNER, str(place)], stdout=subprocess.PIPE)
    assert owner.stdout is not None
    server = int(owner.stdout.readline())

    owner.kill()
    owner.wait()

    assert _wait_for_end(server)
    assert "database system is shut down" in (place / "server.log").read_text()
    with EmbeddedPostgres(place) as again, psycopg.connect(again.start().app) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_a_server_that_dies_under_its_owner_is_started_again(place: Path) -> None:
    with EmbeddedPostgres(place) as server:
        urls = server.start()
        os.kill(server.process.pid, signal.SIGKILL)
        server.process.wait()

        server.restart()

        with psycopg.connect(urls.app) as connection:
            assert connection.execute("select 1").fetchone() == (1,)


def test_a_half_made_cluster_is_made_anew(place: Path) -> None:
    place.mkdir(mode=0o711)
    (place / "cluster.half").mkdir()
    (place / "cluster.half" / "PG_VERSION").write_text("18\n")

    with EmbeddedPostgres(place) as server, psycopg.connect(server.start().app) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_a_directory_made_by_another_major_version_is_refused_in_words(place: Path) -> None:
    (place / "cluster").mkdir(parents=True)
    (place / "cluster" / "PG_VERSION").write_text("9\n")

    with pytest.raises(PostgresVersion, match="made by PostgreSQL 9; this machine has"):
        EmbeddedPostgres(place).start()


def test_an_existing_directory_is_opened_by_the_version_that_made_it(tmp_path: Path) -> None:
    versions = {candidate.major for candidate in binaries.found()}
    assert {16, 18} <= versions
    for major in versions:
        (tmp_path / "PG_VERSION").write_text(f"{major}\n")
        assert binaries.choose(tmp_path).major == major


def test_a_new_directory_is_made_with_18_from_the_wheel(tmp_path: Path) -> None:
    chosen = binaries.choose(tmp_path)

    assert (chosen.major, chosen.origin) == (18, "wheel")


def test_no_programs_at_all_is_said_in_words(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(binaries, "found", list)

    with pytest.raises(PostgresMissing):
        binaries.choose(tmp_path)


def test_a_server_that_cannot_start_says_why(place: Path) -> None:
    with EmbeddedPostgres(place) as server:
        server.start()
    (place / "cluster" / "postgresql.auto.conf").write_text("shared_buffers = 'nonsense'\n")

    with pytest.raises(DatabaseUnavailable, match="shared_buffers"), EmbeddedPostgres(place) as server:
        server.start()


def test_a_private_parent_is_refused_before_anything_is_made(tmp_path: Path) -> None:
    tmp_path.chmod(0o700)

    with pytest.raises(DataUnreachable, match="cannot pass through"):
        require_reachable(tmp_path / "postgres", Account(64321, 64321))


@pytest.mark.parametrize("major", [16, 18])
def test_programs_in_a_private_home_are_copied_to_where_another_uid_can_run_them(folder: Path, major: int) -> None:
    original = next(one for one in binaries.found() if one.major == major and one.origin == "wheel")
    home, copies = folder / f"home-{major}", folder / f"copies-{major}"
    package = original.root.parent
    libraries = package.with_name(f"{package.name}.libs")
    shutil.copytree(original.root, home / package.name / original.root.name, symlinks=True)
    shutil.copytree(libraries, home / libraries.name, symlinks=True)
    home.chmod(0o700)
    copies.mkdir(mode=0o755)
    private = binaries.Binaries(home / package.name / original.root.name, original.version, "wheel")

    reachable = binaries.where_reachable(private, Account(64321, 64321), copies)
    shutil.rmtree(home)

    assert copies in reachable.root.parents
    for program in ("postgres", "initdb"):
        as_another = ["setpriv", "--reuid=64321", "--regid=64321", "--clear-groups"] if os.geteuid() == 0 else []
        done = subprocess.run([*as_another, reachable.program(program), "--version"], capture_output=True, check=False)
        assert done.returncode == 0, done.stderr
    assert binaries.where_reachable(original, None, copies) == original


def test_a_long_path_gets_a_short_socket(folder: Path) -> None:
    deep = folder / ("d" * 60) / ("e" * 60)
    deep.mkdir(parents=True)

    with EmbeddedPostgres(deep / "postgres") as server, psycopg.connect(server.start().app) as connection:
        assert connection.execute("select 1").fetchone() == (1,)


def test_secrets_are_made_once(place: Path) -> None:
    with EmbeddedPostgres(place) as server:
        first = server.start()
    known = json.loads((place / "secrets.json").read_text())
    with EmbeddedPostgres(place) as server:
        assert server.start() == first

    assert len(set(known.values())) == 3
    assert min(map(len, known.values())) >= 32

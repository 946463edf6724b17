# SPDX-License-Identifier: Apache-2.0
"""Kill `serve` and its parts: nothing is left running, nothing that was answered is lost, the next start goes on."""

from __future__ import annotations

import os
import select
import signal
import threading
from collections.abc import Iterator
from pathlib import Path

import psycopg
import pytest

from holdfast.access.key import Scope
from holdfast.demo.client import Client
from holdfast.demo.pictures import encoded, hills
from holdfast.errors import DependencyError
from tests.conftest import Server, environment_for, start_server, stop, superuser

UPLOAD = encoded(hills(31, (640, 480)))


def _descendants(pid: int) -> set[int]:
    """Every process below `pid`."""
    children: dict[int, list[int]] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parent = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except (OSError, IndexError):
                continue
            children.setdefault(parent, []).append(int(entry.name))
    found: set[int] = set()
    waiting = [pid]
    while waiting:
        for child in children.get(waiting.pop(), []):
            found.add(child)
            waiting.append(child)
    return found


def _named(pids: set[int], word: str) -> list[int]:
    found = []
    for pid in pids:
        try:
            line = Path(f"/proc/{pid}/cmdline").read_bytes().decode().replace("\0", " ")
            if word in line or word == Path(f"/proc/{pid}/comm").read_text().strip():
                found.append(pid)
        except OSError:
            continue
    return found


def _ended(pid: int, seconds: float = 30.0) -> bool:
    """Wait for the end of a process that need not be a child."""
    try:
        handle = os.pidfd_open(pid)
    except ProcessLookupError:
        return True
    try:
        return bool(select.select([handle], [], [], seconds)[0])
    finally:
        os.close(handle)


def _kill_9(own: Server) -> None:
    """Kill the main process, and wait until everything below it is gone too: its port would still answer."""
    below = _descendants(own.process.pid)
    own.process.kill()
    own.process.wait()
    assert [pid for pid in below if not _ended(pid)] == []


def _running(own: Server, part: str) -> int:
    """The process of a part, once it is there: what was killed before may still be starting."""
    pause = threading.Event()
    while not (found := _named(_descendants(own.process.pid), part)):
        pause.wait(0.05)
    return min(found)


def _started_again(own: Server, part: str, victim: int) -> bool:
    """Wait, in the supervisor's own rhythm, until a process in place of `victim` is there."""
    pause = threading.Event()
    while victim == min(_named(_descendants(own.process.pid), part), default=victim):
        pause.wait(0.05)
    return True


@pytest.fixture(scope="module")
def mended(folder: Path) -> Iterator[Server]:
    """A server of which tests may kill one part after the other."""
    running = start_server(environment_for(folder / "mended", HOLDFAST_WEB_WORKERS="2"))
    yield running
    if running.process.poll() is None:
        stop(running.process)


@pytest.fixture
def own(folder: Path) -> Iterator[Server]:
    """A server that a test may kill."""
    running = start_server(environment_for(folder / "killed", HOLDFAST_WEB_WORKERS="2"))
    yield running
    if running.process.poll() is None:
        stop(running.process)


def _upload_until_killed(own: Server, least: int) -> list[str]:
    """Screenings of which answers came, from three clients at once, while everything is killed with kill -9."""
    answered: list[str] = []
    killed = threading.Event()

    def upload(client: Client) -> None:
        while not killed.is_set():
            try:
                answered.append(client.call("POST", "/screen", body=UPLOAD).body["screening"])
            except (DependencyError, ValueError, KeyError):
                return

    clients = [own.with_key(Scope.SCREEN) for _ in range(3)]
    threads = [threading.Thread(target=upload, args=(client,)) for client in clients]
    for thread in threads:
        thread.start()
    while len(answered) < least and any(thread.is_alive() for thread in threads):
        killed.wait(0.01)
    _kill_9(own)
    killed.set()
    for thread in threads:
        thread.join()
    return answered


def _kept(own: Server) -> tuple[set[str], set[str]]:
    """The screenings in the table, and those of which the journal says that they were answered."""
    with psycopg.connect(superuser(Path(own.environment["HOLDFAST_DATA"]))) as connection:
        kept = {row[0] for row in connection.execute("select id from screening")}
        told = "select split_part(subject, ':', 2) from journal where tag = 'screening.answered'"
        return kept, {row[0] for row in connection.execute(told)}


def test_after_kill_9_under_load_nothing_is_left_running_and_the_next_start_has_every_answer(own: Server) -> None:
    below = _descendants(own.process.pid)
    assert len(_named(below, "postgres")) >= 1
    assert len(_named(below, "hf-web")) >= 3
    assert len(_named(below, "holdfast.media.server")) >= 2
    assert len(_named(below, "hf-worker")) == 1

    answered = _upload_until_killed(own, least=40)

    again = start_server(own.environment)
    try:
        kept, journal = _kept(own)
        assert len(answered) >= 40
        assert set(answered) <= kept
        assert kept == journal
        for screening in answered[-5:]:
            assert again.client.call("GET", f"/screenings/{screening}").status == 200
        assert again.client.call("POST", "/screen", body=UPLOAD).body["answer"] == "publish"
    finally:
        stop(again.process)


@pytest.mark.parametrize("part", ["hf-web", "holdfast.media.server", "holdfast.background", "hf-worker", "postgres -D"])
def test_a_part_that_dies_is_started_again_and_nothing_unscreened_is_published(mended: Server, part: str) -> None:
    victim = _running(mended, part)
    os.kill(victim, signal.SIGKILL)
    assert _ended(victim)

    client = Client(mended.address, mended.client.key)
    answers: list[str] = []
    while not answers or answers[-1] != "publish":
        try:
            reply = client.call("POST", "/screen", body=UPLOAD)
        except (DependencyError, ValueError):
            continue
        assert reply.status in (200, 503), reply
        answers.append(reply.body.get("answer", "none"))
        assert mended.process.poll() is None

    assert set(answers) <= {"publish", "hold", "none"}
    assert _started_again(mended, part, victim)


def test_a_second_serve_on_the_same_port_is_refused_in_words(mended: Server) -> None:
    from tests.conftest import holdfast

    done = holdfast(mended.environment, "serve")

    assert done.returncode == 4
    assert "config.port_taken" in done.stderr
    assert "Traceback" not in done.stderr


def test_it_ends_by_itself_when_told_to_and_takes_everything_along(mended: Server) -> None:
    below = _descendants(mended.process.pid)

    mended.process.send_signal(signal.SIGTERM)

    assert mended.process.wait(60) == 0
    assert [pid for pid in below if not _ended(pid)] == []

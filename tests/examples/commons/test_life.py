# SPDX-License-Identifier: Apache-2.0
"""Commons starts with a line, ends with its parent, and comes up again as it was."""

from __future__ import annotations

import contextlib
import os
import signal
import socket
import subprocess
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from pathlib import Path

import httpx
import pytest

from tests.conftest import free_port
from tests.examples.commons.running import ROOT, Running, environment_of, picture, spots, stop, urls

Starting = Callable[[dict[str, str]], Running]
COMMAND = [sys.executable, "-m", "commons"]


@pytest.fixture
def environment(tmp_path: Path) -> dict[str, str]:
    """Nobody is at Holdfast's address."""
    return environment_of(tmp_path, f"http://127.0.0.1:{free_port()}", "no key")


def until(condition: Callable[[], bool]) -> None:
    """Return once it is so; pytest's time limit ends it otherwise."""
    pause = threading.Event()
    while not condition():
        pause.wait(0.05)


def is_served(environment: dict[str, str]) -> bool:
    with socket.socket() as probe:
        return probe.connect_ex(("127.0.0.1", int(environment["COMMONS_PORT"]))) == 0


def descendants(pid: int) -> list[int]:
    """The processes that a process has started, whichever of its threads did, and those that these have."""
    listed = Path(f"/proc/{pid}/task").glob("*/children")
    children = [int(each) for path in listed for each in path.read_text().split()]
    return [each for child in children for each in (child, *descendants(child))]


def is_there(pid: int) -> bool:
    """Whether a process runs; one that has ended and that nobody has asked about does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rpartition(")")[2].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.mark.parametrize(
    "name", ["COMMONS_DATA", "COMMONS_HOLDFAST_URL", "COMMONS_HOLDFAST_KEY", "COMMONS_SECRET_FILE"]
)
def test_what_is_missing_is_said_in_a_sentence(environment: dict[str, str], name: str) -> None:
    del environment[name]
    done = subprocess.run(COMMAND, env=environment, cwd=ROOT / "examples", capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr == f"commons: Set {name}; README.md says what it is.\n"


@pytest.mark.parametrize(("name", "value"), [("COMMONS_PORT", "none"), ("COMMONS_SECRET_FILE", "/nowhere/at/all")])
def test_what_is_wrong_is_said_in_a_sentence(environment: dict[str, str], name: str, value: str) -> None:
    environment[name] = value
    done = subprocess.run(COMMAND, env=environment, cwd=ROOT / "examples", capture_output=True, text=True, check=False)
    assert done.returncode == 1
    assert done.stderr.startswith(f"commons: {name} ")
    assert done.stderr.count("\n") == 1


def test_it_ends_with_its_parent_if_asked_to(environment: dict[str, str]) -> None:
    parent = subprocess.Popen(
        [sys.executable, "-c", f"import subprocess; subprocess.run({COMMAND!r})"],
        env=environment,
        cwd=ROOT / "examples",
        stdout=subprocess.PIPE,
    )
    assert parent.stdout is not None
    assert parent.stdout.readline().startswith(b"Commons is ready")
    family = descendants(parent.pid)
    assert len(family) >= 3  # the main process and two workers
    parent.kill()
    parent.wait()
    until(lambda: not any(is_there(each) for each in family))
    parent.stdout.close()
    until(lambda: not is_served(environment))


@pytest.mark.parametrize("_round", range(6))  # before it was mended, one in three said that Rust had panicked
def test_told_to_stop_while_people_read_it_stops_without_a_word(environment: dict[str, str], _round: int) -> None:
    process = subprocess.Popen(
        COMMAND, env=environment, cwd=ROOT / "examples", stdout=subprocess.PIPE, stderr=subprocess.PIPE, text=True
    )
    assert process.stdout is not None
    assert process.stdout.readline().startswith("Commons is ready")
    ended = threading.Event()
    asked = threading.Barrier(5)
    with ThreadPoolExecutor(4) as readers:
        for _ in range(4):
            readers.submit(_keep_asking, int(environment["COMMONS_PORT"]), asked, ended)
        asked.wait()
        process.terminate()
        _, said = process.communicate()
        ended.set()
    assert (process.returncode, said) == (0, "")


def _keep_asking(port: int, asked: threading.Barrier, ended: threading.Event) -> None:
    with httpx.Client(base_url=f"http://127.0.0.1:{port}", trust_env=False) as reader:
        for _ in range(50):
            reader.get("/")
        asked.wait()
        while not ended.is_set():
            with contextlib.suppress(httpx.TransportError):
                reader.get("/")


def test_its_workers_end_with_its_main_process(environment: dict[str, str], starting: Starting) -> None:
    running = starting(environment)
    family = descendants(running.process.pid)
    assert len(family) >= 2
    running.process.kill()
    assert stop(running) == -signal.SIGKILL
    until(lambda: not any(is_there(each) for each in family))
    until(lambda: not is_served(environment))


def test_a_worker_that_dies_is_replaced(environment: dict[str, str], starting: Starting) -> None:
    running = starting({**environment, "COMMONS_WORKERS": "1"})
    made = running.person().post("still there")
    (worker,) = [each for each in descendants(running.process.pid) if b"resource_tracker" not in _command(each)]
    os.kill(worker, signal.SIGKILL)
    until(lambda: not is_there(worker))
    until(lambda: _status(running, made.path) == 200)


def test_killed_and_started_again_it_holds_what_was_held_and_shows_the_rest(
    environment: dict[str, str], starting: Starting
) -> None:
    running = starting(environment)
    anna = running.person()
    held, shown, waiting = anna.post("held"), anna.post("shown"), anna.post("waiting", picture())
    assert not waiting.public
    item = running.item(held.path)
    assert running.act("hold", *spots(item), message="msg_once") == ["done"]
    (orphan := running.data / "media" / ("0" * 24)).write_bytes(b"what somebody had begun to upload")
    running.process.kill()
    stop(running)
    until(lambda: not is_served(environment))

    again = starting(environment)
    assert again.get(held.path).status_code == again.get(waiting.path).status_code == 404
    assert again.get(shown.path).status_code == 200
    assert anna.read("/me").text.count("This is being checked.") == 2
    assert again.act("hold", *spots(item), message="msg_once") == ["done"]
    assert not orphan.exists()
    assert all(again.get(url).status_code == 404 for url in urls(again.item(waiting.path)))
    assert stop(again) == 0


def test_uploads_that_wait_for_holdfast_keep_neither_its_calls_nor_readers_waiting(
    tmp_path: Path, starting: Starting
) -> None:
    with socket.create_server(("127.0.0.1", 0), backlog=64) as silent:  # it takes connections, and says nothing
        url = f"http://127.0.0.1:{silent.getsockname()[1]}"
        running = starting(environment_of(tmp_path, url, "no key", COMMONS_WORKERS="1"))
        anna, content = running.person(), picture()
        held, shown = anna.post("held"), anna.post("shown")
        people = [running.person() for _ in range(12)]
        with ThreadPoolExecutor(len(people)) as threads:
            uploads = [threads.submit(person.post, "waits", content) for person in people]
            taken = [silent.accept()[0] for _ in range(8)]
            assert running.act("hold", *spots(running.item(held.path))) == ["done"]
            assert running.get(held.path).status_code == 404
            assert running.get(shown.path).status_code == 200
            assert not any(upload.done() for upload in uploads)
            silent.close()
            for connection in taken:
                connection.close()
            assert not any(upload.result().public for upload in uploads)


def _status(running: Running, path: str) -> int | None:
    try:
        return running.get(path).status_code
    except httpx.TransportError:
        return None


def _command(pid: int) -> bytes:
    return Path(f"/proc/{pid}/cmdline").read_bytes()

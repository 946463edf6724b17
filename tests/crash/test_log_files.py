# SPDX-License-Identifier: Apache-2.0
"""Errors and death at any file call of whoever signs: never a torn head, never a smaller one, and the next goes on."""

from __future__ import annotations

import os
import random
import re
import shutil
import subprocess
import sys
from collections import Counter
from pathlib import Path

import pytest

from holdfast.bootstrap import System
from holdfast.check_log import check_log
from holdfast.log.checkpoint import Checkpoint
from holdfast.log.merkle import check_consistency, consistency_proof
from holdfast.publish import Publisher
from tests.store.logging import app, keeping, screened

CALLS = ("openat", "mkdir", "write", "fsync", "rename", "close")
FAULTS = ("error=EIO", "error=ENOSPC", "signal=SIGKILL")
SAMPLE = 18
SOAK = os.environ.get("HYPOTHESIS_PROFILE") == "soak"


class Writer:
    """The process that signs, under strace."""

    def __init__(self, system: System, folder: Path) -> None:
        self._system, self.folder, self._last = system, folder, 0

    def grow(self, count: int) -> None:
        with app(self._system) as connection:
            screened(connection, self._last + 1, self._last + count)
        self._last += count

    def run(self, inject: str | None, log: Path) -> int:
        """Sign what is new while strace injects; the status of the process."""
        command = [sys.executable, "-m", "tests.crash.log_writer", str(self._system.settings.database_url)]
        process = subprocess.Popen(
            [*command, str(self.folder)], stdin=subprocess.PIPE, stdout=subprocess.PIPE, stderr=subprocess.DEVNULL
        )
        assert process.stdin
        assert process.stdout
        assert process.stdout.readline() == b"ready\n"
        strace = shutil.which("strace")
        assert strace, "apt-get install strace"
        words = [strace, "-p", str(process.pid), "-o", str(log), "-e", f"trace={','.join(CALLS)}"]
        words += ["-e", f"inject={inject}"] if inject else []
        tracer = subprocess.Popen(words, stderr=subprocess.PIPE)
        assert tracer.stderr
        assert b"attached" in tracer.stderr.readline()
        process.communicate(b"go\n")
        tracer.communicate()
        return process.returncode

    def goes_on(self) -> Checkpoint:
        """The next who leads signs everything, and all agrees; the new head."""
        with keeping(self._system, self.folder) as (sequencer, publisher):
            sequencer.round()
            publisher.publish()
            with publisher.connection.cursor() as cursor:
                assert list(check_log(cursor, publisher.folder, pause=lambda _: None)) == []
            return _head(publisher)


def _head(publisher: Publisher) -> Checkpoint:
    last = publisher.folder.last_signed()
    assert last
    return last[0]


@pytest.fixture
def writer(system: System, tmp_path: Path) -> Writer:
    return Writer(system, tmp_path / "log")


def _places(writer: Writer, tmp_path: Path) -> list[str]:
    """Every fault at every file call that signing makes."""
    writer.grow(300)
    assert writer.run(None, tmp_path / "trace") == 0
    calls = Counter(re.findall(r"^(?:\d+ +)?(\w+)\(", (tmp_path / "trace").read_text(), re.MULTILINE))
    assert set(calls) == set(CALLS)
    places = [f"{call}:{fault}:when={at + 1}" for call in CALLS for at in range(calls[call]) for fault in FAULTS]
    return places if SOAK else random.Random(11).sample(places, SAMPLE)


def test_whatever_fails_at_whichever_file_call_the_head_is_whole_and_only_grows(writer: Writer, tmp_path: Path) -> None:
    statuses = Counter[int]()
    places = _places(writer, tmp_path)
    before = writer.goes_on()
    for place in places:
        writer.grow(random.Random(place).choice([1, 40, 300]))
        statuses[writer.run(place, tmp_path / "trace")] += 1
        after = writer.goes_on()
        assert after.size == writer._last, place
        with keeping(writer._system, writer.folder) as (_, publisher):
            proof = consistency_proof(before.size, after.size, publisher.folder.nodes(after.size))
        check_consistency(before.size, after.size, before.root, after.root, proof)
        before = after
    assert set(statuses) - {0}, "no fault was felt"


def test_the_first_start_can_be_interrupted_anywhere_and_the_next_makes_the_log(system: System, tmp_path: Path) -> None:
    chance = random.Random(12)
    for number in range(60 if SOAK else 4):
        writer = Writer(system, tmp_path / f"log-{number}")
        writer.run(f"{chance.choice(CALLS)}:{chance.choice(FAULTS)}:when={chance.randint(1, 8)}", tmp_path / "trace")
        with keeping(system, writer.folder) as (_, publisher):
            assert publisher.folder.identity().log.verifier == publisher.folder.identity().keys.log[-1]

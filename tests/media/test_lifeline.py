# SPDX-License-Identifier: Apache-2.0
"""No process of ours outlives the one that started it."""

from __future__ import annotations

import json
import os
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from holdfast import lifeline
from tests.media.processes import facts_of, watching

ROOT = os.geteuid() == 0
OWN_UID, OWN_GID = 64123, 64124
SLEEPER = ["/bin/sh", "-c", "echo up; exec sleep 600"]

# Starts a program tied to itself, tells its pid once it is running, and waits.
STARTER = """
import json, signal, subprocess, sys
from holdfast import lifeline
program, by, uid, gid = json.loads(sys.argv[1])
tied = lifeline.command(program, by=signal.Signals(by), uid=uid, gid=gid)
started = subprocess.Popen(tied, stdout=subprocess.PIPE)
assert started.stdout.readline() == b"up\\n"
print(started.pid, flush=True)
sys.stdin.read()
"""

# Tied by itself rather than by the script, as the decoder server is.
SELF_TIED = """
import os, subprocess, sys
child = subprocess.Popen([sys.executable, "-c", '''
import os, signal, sys
from holdfast.lifeline import die_with_parent
die_with_parent(int(sys.argv[1]))
print(os.getpid(), flush=True)
signal.pause()
''', str(os.getpid())])
sys.stdin.read()
"""


@contextmanager
def running(script: str, *arguments: str) -> Iterator[tuple[subprocess.Popen[str], int]]:
    """A starter that is running, and the pid of what it started."""
    pipe = subprocess.PIPE
    with subprocess.Popen([sys.executable, "-c", script, *arguments], stdin=pipe, stdout=pipe, text=True) as starter:
        assert starter.stdout is not None
        try:
            yield starter, int(starter.stdout.readline())
        finally:
            starter.kill()


def started_with(
    program: list[str], by: signal.Signals = signal.SIGKILL, uid: int | None = None, gid: int | None = None
) -> str:
    return json.dumps([program, int(by), uid, gid])


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM, signal.SIGINT])
@pytest.mark.parametrize("by", [signal.SIGKILL, signal.SIGTERM])
def test_a_program_ends_with_the_process_that_started_it_however_that_ends(
    how: signal.Signals, by: signal.Signals
) -> None:
    with running(STARTER, started_with(SLEEPER, by)) as (starter, program), watching([program]) as watch:
        starter.send_signal(how)
        starter.wait()
        assert watch.until_all()


def test_a_program_of_another_user_ends_with_its_starter_too() -> None:
    """Changing the user takes the request back, so it has to be made afterwards."""
    given = started_with(SLEEPER, uid=OWN_UID, gid=OWN_GID)
    if not ROOT:
        return  # nobody else may become another user; the refusal is tested below
    with running(STARTER, given) as (starter, program), watching([program]) as watch:
        assert facts_of(program)["Uid"].split() == [str(OWN_UID)] * 4
        starter.kill()
        starter.wait()
        assert watch.until_all()


def test_a_process_that_ties_itself_ends_with_its_parent() -> None:
    with running(SELF_TIED) as (starter, child), watching([child]) as watch:
        starter.kill()
        starter.wait()
        assert watch.until_all()


def test_a_program_whose_starter_is_gone_already_is_never_run() -> None:
    with subprocess.Popen(["/bin/true"]) as gone:
        gone.wait()
    tied = lifeline.command(["/bin/echo", "it ran"], by=signal.SIGKILL)
    late = [f"--parent={gone.pid}" if word.startswith("--parent=") else word for word in tied]
    done = subprocess.run(late, capture_output=True, text=True, check=False)
    assert done.returncode != 0
    assert done.stdout == ""
    assert "is gone" in done.stderr


def identity(**ids: int) -> dict[str, str]:
    """What the kernel says about a program that was started under these ids."""
    command = lifeline.command(["/bin/cat", "/proc/self/status"], by=signal.SIGKILL, **ids)
    said = subprocess.run(command, stdout=subprocess.PIPE, text=True, check=True).stdout
    return {name: value.strip() for name, _, value in (line.partition(":") for line in said.splitlines())}


def test_a_program_is_run_as_the_user_given_for_good_and_in_no_other_group_or_not_at_all() -> None:
    if not ROOT:
        with pytest.raises(subprocess.CalledProcessError):
            identity(uid=OWN_UID, gid=OWN_GID)
        return
    facts = identity(uid=OWN_UID, gid=OWN_GID)
    assert facts["Uid"].split() == [str(OWN_UID)] * 4
    assert facts["Gid"].split() == [str(OWN_GID)] * 4
    assert set(facts["Groups"].split()) <= {str(OWN_GID)}
    assert int(facts["CapPrm"], 16) == int(facts["CapEff"], 16) == 0


def test_without_a_user_given_a_program_is_run_as_this_one() -> None:
    facts = identity()
    assert facts["Uid"].split() == [str(os.getuid())] * 4
    assert facts["Gid"].split() == [str(os.getgid())] * 4


@pytest.mark.parametrize("ids", [{"uid": OWN_UID}, {"gid": OWN_GID}], ids=["uid alone", "gid alone"])
def test_half_an_identity_is_refused_rather_than_ignored(ids: dict[str, int]) -> None:
    """The program would run as root although another user was asked for."""
    with pytest.raises((ValueError, TypeError, subprocess.CalledProcessError)):
        identity(**ids)


WORDS = st.lists(st.text(st.characters(exclude_characters="\0", exclude_categories=["Cs"]), max_size=8), max_size=4)


@settings(max_examples=15)
@given(
    st.one_of(WORDS, st.lists(st.sampled_from(["--", "-", "--uid=5", "--help", "", "-I", "--parent=1"]), max_size=5))
)
def test_a_program_gets_its_words_as_they_are(words: list[str]) -> None:
    program = ["/usr/bin/printf", "%s\\0", *words]
    said = subprocess.run(lifeline.command(program, by=signal.SIGKILL), stdout=subprocess.PIPE, check=True).stdout
    assert said == b"".join(word.encode() + b"\0" for word in words) or (not words and said == b"\0")


def test_the_status_of_the_program_is_the_status_of_the_command() -> None:
    done = subprocess.run(lifeline.command(["/bin/sh", "-c", "exit 7"], by=signal.SIGKILL), check=False)
    assert done.returncode == 7

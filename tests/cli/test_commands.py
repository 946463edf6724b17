# SPDX-License-Identifier: Apache-2.0
"""`holdfast` as a whole: screening files, the doctor, help, and what it says when it cannot work at all."""

from __future__ import annotations

import base64
import os
import shutil
from pathlib import Path

import pytest

import holdfast as package
from holdfast.testing.platform_server import serve_platform
from holdfast.testing.simulators import SimulatedPlatform
from tests.cli.forking import Done, Shell
from tests.conftest import environment_for, holdfast
from tests.web.http import Asker

COMMANDS = ("serve", "worker", "doctor", "screen", "demo", "bank", "key", "alarms", "clocks")
SUBCOMMANDS = {
    "bank": ("create", "list", "disable", "enable", "add", "remove", "import", "export"),
    "key": ("create", "revoke", "list"),
    "alarms": ("list", "acknowledge", "test"),
    "clocks": ("list",),
}


# --- screening


def test_a_file_that_nobody_knows_is_published_and_the_exit_code_is_0(shell: Shell, files: Path) -> None:
    done = shell.run("screen", str(files / "unknown.jpg"))
    assert done.code == 0
    assert "publish" in done.words


def test_if_any_file_is_held_the_exit_code_is_1_and_every_answer_is_told(shell: Shell, files: Path) -> None:
    done = shell.run(
        "screen", str(files / "unknown.jpg"), str(files / "broken.jpg"), str(files / "empty.jpg"), "--json"
    )
    assert done.code == 1
    assert [Path(one["file"]).name for one in done.json] == ["unknown.jpg", "broken.jpg", "empty.jpg"]
    assert [one["answer"] for one in done.json] == ["publish", "hold", "hold"]
    assert [one["explanation"]["reason"] for one in done.json] == [None, "truncated", "empty"]


def test_an_answer_of_the_command_line_stands_in_the_journal(shell: Shell, files: Path) -> None:
    (answer,) = shell.run("screen", str(files / "broken.jpg"), "--json").json
    key = shell.run("key", "create", "test", "--scope", "explain", "--json").json["key"]
    told = Asker(shell.environment["HOLDFAST_LISTEN"], key).ask("GET", f"/screenings/{answer['screening']}").json
    assert (told["answer"], told["reason"], told["surface"]) == ("hold", "truncated", "command line")


@pytest.mark.parametrize("missing", ["missing.jpg", "."])
def test_a_file_that_is_not_there_is_refused_in_words(shell: Shell, files: Path, missing: str) -> None:
    done = shell.run("screen", str(files / "unknown.jpg"), str(files / missing))
    assert done.code == 2
    assert "no such file" in done.words
    assert "Traceback" not in done.words
    told = shell.run("screen", str(files / missing), "--json")
    assert (told.code, told.json["error"]["code"]) == (2, "request.invalid")


def screened_under(shell: Shell, files: Path, folder: Path, *names: str) -> Done:
    """Screen the same unknown picture under each of these names."""
    for name in names:
        (folder / name).parent.mkdir(exist_ok=True)
        shutil.copy(files / "unknown.jpg", folder / name)
    return shell.run("screen", *[str(folder / name) for name in names])


def test_a_file_may_have_any_name_that_is_text(shell: Shell, files: Path, tmp_path: Path) -> None:
    done = screened_under(shell, files, tmp_path, "[bold]x[/].jpg", "[/x].jpg", "line\nend.jpg", "-x.jpg", "x" * 250)
    assert done.code == 0, done.err[-300:]
    assert "[/x].jpg" in done.words


def test_a_file_may_have_a_name_that_is_no_text(shell: Shell, files: Path, tmp_path: Path) -> None:
    done = screened_under(shell, files, tmp_path, os.fsdecode(b"\xff.jpg"))
    assert done.code == 0, done.err[-300:]


def test_the_name_of_a_file_does_not_steer_the_terminal(shell: Shell, files: Path, tmp_path: Path) -> None:
    done = screened_under(shell, files, tmp_path, "\x1b[31m\x1b]0;title\x07.jpg")
    assert done.code == 0, done.err[-300:]
    assert "\x1b" not in done.out
    assert "\x07" not in done.out


# --- the doctor


def test_the_doctor_finds_nothing_wrong_here(shell: Shell) -> None:
    for alarm in shell.run("alarms", "list", "--json").json:  # what other tests banked was found among their uploads
        shell.run("alarms", "acknowledge", alarm["id"])
    done = shell.run("doctor", "--json")
    findings = done.json
    assert [one for one in findings if one["grade"] == "wrong"] == []
    assert done.code == 0
    assert {one["grade"] for one in findings} <= {"good", "weaker"}
    examined = {one["what"].split(":")[0] for one in findings}
    assert {
        "sandbox",
        "codec",
        "database",
        "journal",
        "index",
        "clock",
        "disk",
        "unscreened holds",
        "canary",
    } <= examined
    canary = [one["says"] for one in findings if one["what"].startswith("canary")]
    assert len(canary) == 2
    assert all("through the running server" in says for says in canary)


def test_the_doctor_says_that_shadow_mode_is_wrong(shell: Shell) -> None:
    done = shell.run("doctor", "--json", HOLDFAST_SHADOW="true")
    assert done.code == 1
    assert "shadow mode" in [one["what"] for one in done.json if one["grade"] == "wrong"]


def test_the_doctor_says_whether_the_platform_answers(shell: Shell) -> None:
    secret = "whsec_" + base64.b64encode(bytes(32)).decode()
    with serve_platform(SimulatedPlatform(), bytes(32)) as url:
        done = shell.run("doctor", "--json", HOLDFAST_PLATFORM_URL=url, HOLDFAST_PLATFORM_SECRET=secret)
    assert {one["what"]: one["grade"] for one in done.json if one["what"].startswith("platform")} == {
        "platform": "good",
        "platform: sites": "weaker",
    }


# --- help


def test_help_names_every_command(shell: Shell) -> None:
    done = holdfast(shell.environment, "--help")
    assert done.returncode == 0
    for command in COMMANDS:
        assert f" {command} " in done.stdout


@pytest.mark.parametrize(
    "command", [*COMMANDS, *((group, one) for group, every in SUBCOMMANDS.items() for one in every)]
)
def test_every_command_explains_itself(shell: Shell, command: str | tuple[str, str]) -> None:
    done = shell.run(*([command] if isinstance(command, str) else command), "--help")
    assert done.code == 0
    assert "Usage:" in done.out
    for one in SUBCOMMANDS.get(str(command), ()):
        assert f" {one} " in done.out


def test_the_version_is_the_package_s(shell: Shell) -> None:
    done = shell.run("--version")
    assert (done.code, done.out.strip()) == (0, package.__version__)


@pytest.mark.parametrize(
    "wrong", [("nonsense",), ("bank", "nonsense"), ("serve", "--nonsense"), ("bank", "create", "x")]
)
def test_a_command_line_that_cannot_be_used_has_exit_code_2(shell: Shell, wrong: tuple[str, ...]) -> None:
    done = shell.run(*wrong)
    assert done.code == 2
    assert "Traceback" not in done.words


# --- when it cannot work


def test_a_wrong_setting_ends_the_program_in_words_with_exit_code_4(shell: Shell) -> None:
    done = holdfast({**shell.environment, "HOLDFAST_SHADWO": "true"}, "bank", "list")
    assert done.returncode == 4
    assert "HOLDFAST_SHADWO" in done.stderr
    assert "config.setting" in done.stderr
    assert "Traceback" not in done.stderr


@pytest.mark.parametrize(
    "command",
    [("bank", "list"), ("key", "list"), ("screen", "x"), ("doctor",), ("serve",), ("worker",), ("demo", "--once")],
)
def test_every_command_refuses_a_wrong_setting(shell: Shell, command: tuple[str, ...]) -> None:
    done = shell.run(*command, HOLDFAST_WEB_WORKERS="many")
    assert done.code == 4
    assert "HOLDFAST_WEB_WORKERS" in done.err
    assert "Traceback" not in done.words


def test_a_database_that_does_not_answer_is_told_in_a_few_words_without_the_password(shell: Shell) -> None:
    done = holdfast(
        {**shell.environment, "DATABASE_URL": "postgresql://nobody:hunter2@127.0.0.1:1/holdfast"}, "bank", "list"
    )
    assert done.returncode == 5
    assert "dependency.database" in done.stderr
    assert "Traceback" not in done.stderr
    assert "hunter2" not in done.stdout + done.stderr
    assert len(done.stderr.splitlines()) < 10, "the library's own lines drown the sentence"


@pytest.mark.parametrize("url", ["nonsense", "postgresql://", "mysql://localhost/holdfast"])
def test_a_database_url_that_cannot_be_used_is_a_wrong_setting(shell: Shell, url: str) -> None:
    done = shell.run("bank", "list", DATABASE_URL=url)
    assert done.code == 4, done.err[-300:]
    assert "DATABASE_URL" in done.words
    assert "Traceback" not in done.words


@pytest.mark.parametrize("data", ["/proc/holdfast", "/dev/null", "/dev/null/holdfast"])
def test_a_data_directory_that_cannot_be_is_refused_in_words(shell: Shell, data: str) -> None:
    done = shell.run("bank", "list", HOLDFAST_DATA=data)
    assert done.code == 4, done.err[-300:]
    assert data in done.words
    assert "Traceback" not in done.words


def test_a_port_that_is_taken_is_refused_in_words(shell: Shell) -> None:
    done = shell.run("serve")
    assert done.code == 4
    assert "config.port_taken" in done.words
    assert "Traceback" not in done.words


def test_without_a_server_a_command_starts_the_database_by_itself_and_leaves_nothing_running(folder: Path) -> None:
    environment = environment_for(folder / "alone")
    made = holdfast(environment, "bank", "create", "alone", "--meaning", "m", "--source", "s")
    assert made.returncode == 0
    listed = holdfast(environment, "bank", "list", "--json")
    assert '"alone"' in listed.stdout
    left = []
    for process in Path("/proc").iterdir():
        if process.name.isdigit():
            try:
                command = (process / "cmdline").read_bytes()
            except OSError:
                continue
            if str(folder / "alone").encode() in command:
                left.append(command)
    assert left == []

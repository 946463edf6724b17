# SPDX-License-Identifier: Apache-2.0
"""`holdfast bank`: made, filled, emptied, moved in and out, always in words."""

from __future__ import annotations

import csv
import json
import os
import stat
from pathlib import Path
from uuid import uuid4

import psycopg
import pytest

from tests.cli.forking import Done, Shell
from tests.conftest import superuser
from tests.store.making import md5, pdq
from tests.two_people import PROPOSAL, Second, this_account


def digest() -> str:
    """A digest that no other test uses."""
    return md5(uuid4().int).value


def summary(shell: Shell, bank: str) -> dict[str, object]:
    return next(one for one in shell.run("bank", "list", "--json").json if one["name"] == bank)


def in_words(done: Done, code: int, stable_code: str) -> None:
    """Insist that a command ended with this exit code, in words."""
    assert done.code == code, done.err
    assert "Traceback" not in done.words
    assert f"code {stable_code}" in done.words


def test_a_bank_is_made_and_listed(shell: Shell, name: str) -> None:
    about = ("--meaning", "a test", "--source", "tests", "--threshold", "20", "--action", "review")
    made = shell.run("bank", "create", name, *about, "--json")
    expected: dict[str, object] = {"name": name, "meaning": "a test", "source": "tests", "threshold": 20}
    expected["action"] = "review"
    video = {"least_frames": 3, "least_seconds": 2.0, "query_percent": 80.0, "compared_percent": 0.0}
    expected |= {"kind": "known", "exchange": None, "video": video}
    assert (made.code, made.json) == (0, {**expected, "state": "active"})
    assert summary(shell, name) == {**expected, "state": "active", "entries": 0}
    listed = shell.run("bank", "list")
    assert listed.code == 0
    assert name in listed.words


def test_the_journal_knows_who_used_the_command_line(shell: Shell, bank: str) -> None:
    with psycopg.connect(superuser(Path(shell.environment["HOLDFAST_DATA"]))) as connection:
        told = connection.execute("select actor from journal where subject = %s", [f"bank:{bank}"]).fetchall()
    assert told == [(f"cli:{this_account()}",)]


def test_a_bank_is_not_made_twice(shell: Shell, bank: str) -> None:
    again = ("bank", "create", bank, "--meaning", "m", "--source", "s")
    in_words(shell.run(*again), 3, "bank.exists")
    told = shell.run(*again, "--json")
    assert (told.code, told.json["error"]["code"]) == (3, "bank.exists")
    assert set(told.json["error"]) == {"code", "detail", "advice", "retry"}


@pytest.mark.parametrize(
    ("wrong", "code"),
    [
        (("no spaces", "--meaning", "m", "--source", "s"), "input.name"),
        (("good", "--meaning", " ", "--source", "s"), "request.invalid"),
        (("good", "--meaning", "m", "--source", "s", "--threshold", "65"), "request.invalid"),
    ],
)
def test_a_bank_that_cannot_be_is_refused_in_words(shell: Shell, wrong: tuple[str, ...], code: str) -> None:
    in_words(shell.run("bank", "create", *wrong), 2, code)


@pytest.mark.parametrize(
    "command",
    [
        ("disable", "nothing-here"),
        ("add", "nothing-here", "--signal", "md5:0123456789abcdef0123456789abcdef"),
        ("export", "nothing-here", "-"),
    ],
)
def test_a_bank_that_is_not_there_is_refused_in_words(shell: Shell, command: tuple[str, ...]) -> None:
    in_words(shell.run("bank", *command), 3, "bank.unknown")


def test_a_picture_holds_its_disguise_from_when_it_is_added_until_it_is_removed(
    shell: Shell, second: Second, bank: str, files: Path
) -> None:
    disguised = str(files / "disguised.jpg")
    added = shell.run("bank", "add", bank, str(files / "known.jpg"), "--provenance", "a partner", "--json")
    assert added.code == 0
    (entry,) = added.json
    assert set(entry["signal_types"]) == {"md5", "sha1", "sha256", "pdq"}
    assert shell.run("screen", disguised).code == 1
    in_words(shell.run("bank", "disable", bank), 2, "request.invalid")
    by_two(second, shell.run("bank", "disable", bank, "--because", "a test"))
    assert shell.run("screen", disguised).code == 0
    in_words(shell.run("bank", "disable", bank), 3, "bank.not_in_this_state")
    assert shell.run("bank", "enable", bank).code == 0
    by_two(second, shell.run("bank", "remove", bank, entry["id"], "--because", "a mistake"))
    assert shell.run("screen", disguised).code == 0
    in_words(shell.run("bank", "remove", bank, entry["id"], "--because", "x"), 3, "entry.not_in_this_state")


def test_several_hashes_make_one_entry_and_several_files_make_several(shell: Shell, bank: str, tmp_path: Path) -> None:
    hashes = ("--signal", f"md5:{digest()}", "--signal", f"PDQ:{pdq(uuid4().int).value.upper()}")
    one = shell.run("bank", "add", bank, *hashes, "--json")
    assert [entry["signal_types"] for entry in one.json] == [["md5", "pdq"]]
    files = [tmp_path / "first", tmp_path / "second"]
    for file in files:
        file.write_text(f"no picture, but known by its digests: {bank} {file.name}")
    in_words(shell.run("bank", "add", bank, *map(str, files)), 2, "request.invalid")
    several = shell.run("bank", "add", bank, *map(str, files), "--exact-only", "--json")
    assert [entry["signal_types"] for entry in several.json] == [["md5", "sha1", "sha256"]] * 2
    assert summary(shell, bank)["entries"] == 3


def test_what_cannot_be_an_entry_is_refused_in_words_and_adds_nothing(shell: Shell, bank: str, files: Path) -> None:
    refusals: list[tuple[str, tuple[str, ...]]] = [
        ("request.invalid", ()),
        ("request.invalid", ("no/such/file.jpg",)),
        ("request.invalid", (str(files / "known.jpg"), str(files / "empty.jpg"))),
        ("input.signal", ("--signal", "md5")),
        ("input.signal", ("--signal", "pdq:" + "0" * 64)),
    ]
    for code, wrong in refusals:
        in_words(shell.run("bank", "add", bank, *wrong), 2, code)
    assert summary(shell, bank)["entries"] == 0


# --- files


def test_an_import_takes_good_lines_lists_bad_ones_and_says_so_by_its_exit_code(
    shell: Shell, bank: str, tmp_path: Path
) -> None:
    file = tmp_path / "list.csv"
    file.write_text(f"signal_type,value\nmd5,{digest()}\nmd5,short\nmd5,{digest()}\n")
    taken = shell.run("bank", "import", bank, str(file), "--json")
    assert taken.code == 1
    assert taken.json["added"] == 2
    assert [(bad["number"], bad["code"]) for bad in taken.json["refused"]] == [(3, "input.signal")]
    again = shell.run("bank", "import", bank, str(file))
    assert again.code == 1
    assert "Added 0 entries; refused 3 lines" in again.words
    assert "input.duplicate" in again.words
    good = tmp_path / "good.jsonl"
    good.write_text(json.dumps({"signal_type": "md5", "value": digest()}) + "\n")
    assert shell.run("bank", "import", bank, str(good)).code == 0
    assert summary(shell, bank)["entries"] == 3


def test_what_is_no_list_of_entries_is_refused_in_words(shell: Shell, bank: str, tmp_path: Path) -> None:
    for file, content in (("list.csv", b"\xff\xfe\n"), ("list.csv", b""), ("list.jsonl", b"\xff"), ("list.xml", b"")):
        (tmp_path / file).write_bytes(content)
        in_words(shell.run("bank", "import", bank, str(tmp_path / file)), 2, "input.bank_file")


def test_what_is_exported_is_readable_by_its_owner_alone_and_can_be_imported(
    shell: Shell, bank: str, tmp_path: Path
) -> None:
    shell.run("bank", "add", bank, "--signal", f"md5:{digest()}", "--provenance", "a [bold]partner[/]")
    file = tmp_path / "list.csv"
    assert shell.run("bank", "export", bank, str(file)).code == 0
    assert stat.S_IMODE(file.stat().st_mode) == 0o600
    assert [one.name for one in tmp_path.iterdir()] == [file.name], "nothing half-written stays behind"
    copy = f"{bank}-copy"
    shell.run("bank", "create", copy, "--meaning", "m", "--source", "s")
    assert shell.run("bank", "import", copy, str(file)).code == 0
    first, second = (json.loads(shell.run("bank", "export", one, "-").out) for one in (bank, copy))
    assert (first["signals"], first["provenance"]) == (second["signals"], second["provenance"])
    assert first["provenance"] == "a [bold]partner[/]"


def test_an_export_to_standard_output_is_json_lines_and_nothing_else(shell: Shell, bank: str) -> None:
    assert shell.run("bank", "export", bank, "-").out == ""
    shell.run("bank", "add", bank, "--signal", f"md5:{digest()}")
    (line,) = shell.run("bank", "export", bank, "-").out.splitlines()
    assert json.loads(line)["state"] == "active"


def test_an_export_replaces_an_older_one(shell: Shell, bank: str, tmp_path: Path) -> None:
    file = tmp_path / "list.csv"
    file.write_text("something older\n")
    file.chmod(0o644)
    assert shell.run("bank", "export", bank, str(file)).code == 0
    assert list(csv.reader(file.open())) == [["entry", "signal_type", "value", "provenance", "state", "opinion"]]
    assert stat.S_IMODE(file.stat().st_mode) == 0o600


@pytest.mark.parametrize("place", ["missing/list.csv", "folder.csv"])
def test_an_export_that_cannot_be_written_is_refused_in_words(
    shell: Shell, bank: str, tmp_path: Path, place: str
) -> None:
    (tmp_path / "folder.csv").mkdir()
    done = shell.run("bank", "export", bank, str(tmp_path / place))
    assert done.code in (2, 4)
    assert "Traceback" not in done.words
    assert [one.name for one in tmp_path.iterdir()] == ["folder.csv"], "nothing half-written stays behind"


def test_an_import_is_listed_and_rolled_back_as_a_whole(
    shell: Shell, second: Second, bank: str, tmp_path: Path
) -> None:
    file = tmp_path / "list.txt"
    file.write_text(f"pdq {pdq(uuid4().int).value}\nmd5 {digest()}\n")
    taken = shell.run("bank", "import", bank, str(file), "--json")
    assert (taken.code, taken.json["added"]) == (0, 2)
    (one,) = shell.run("bank", "imports", bank, "--json").json
    assert (one["id"], one["state"], one["source"]) == (taken.json["id"], "published", "list.txt")
    assert taken.json["id"] in shell.run("bank", "imports", bank).words
    done = shell.run("bank", "roll-back", bank, taken.json["id"], "--because", "a wrong file")
    assert summary(shell, bank)["entries"] == 2
    by_two(second, done)
    assert summary(shell, bank)["entries"] == 0
    in_words(
        shell.run("bank", "roll-back", bank, taken.json["id"], "--because", "again"), 3, "import.not_in_this_state"
    )
    in_words(shell.run("bank", "roll-back", bank, "imp_x", "--because", "x"), 3, "import.unknown")


def test_a_long_import_says_how_far_it_is_where_there_is_no_terminal(shell: Shell, bank: str, tmp_path: Path) -> None:
    file = tmp_path / "list.txt"
    start = uuid4().int
    file.write_text("".join(f"md5 {(start + number) % 2**128:032x}\n" for number in range(100_000)))
    taken = shell.run("bank", "import", bank, str(file))
    assert taken.code == 0, taken.err[-300:]
    assert "Staged 100,000 entries." in taken.err
    assert "Added 100,000 entries; refused 0 lines." in taken.words


def test_the_files_of_python_threatexchange_go_in_and_out(shell: Shell, bank: str, tmp_path: Path) -> None:
    value = pdq(uuid4().int).value
    bare = tmp_path / "bare.txt"
    bare.write_text(f"{value}\n")
    assert shell.run("bank", "import", bank, str(bare)).code == 1
    assert shell.run("bank", "import", bank, str(bare), "--type", "pdq").code == 0
    assert shell.run("bank", "export", bank, "-", "--form", "txt").out == f"pdq {value}\n"
    file = tmp_path / "dataset.csv"
    assert shell.run("bank", "export", bank, str(file), "--form", "dataset").code == 0
    assert file.read_text().splitlines()[1] == f"pdq,{value},{bank},POSITIVE_CLASS,"


# --- what a match leads to


def by_two(second: Second, asked: Done) -> None:
    """What weakens says that it waits and what the other person does; then that is done."""
    assert asked.code == 6, (asked.out, asked.err)
    assert "waits for a second person" in asked.words
    (proposal,) = set(PROPOSAL.findall(asked.words))
    assert f"holdfast proposals agree {proposal}" in asked.words
    second.agrees_to(proposal)


def test_thresholds_actions_and_opinions_are_changed_and_what_weakens_waits_for_a_second_person(
    shell: Shell, second: Second, bank: str
) -> None:
    added = shell.run("bank", "add", bank, "--signal", f"md5:{digest()}", "--json").json[0]["id"]
    for command, two in (
        (("threshold", bank, "20"), True),
        (("action", bank, "review"), True),
        (("action", bank, "hold"), False),
        (("video", bank, "--frames", "5", "--seconds", "4"), True),
        (("opinion", bank, added, "disputed"), True),
        (("opinion", bank, added, "confirmed"), False),
        (("disable", bank), True),
        (("enable", bank), False),
    ):
        done = shell.run("bank", *command, "--because", "a test")
        if two:
            by_two(second, done)
        else:
            assert done.code == 0, done.err
    assert (summary(shell, bank)["threshold"], summary(shell, bank)["action"]) == (20, "hold")
    assert '"least_frames": 5' in json.dumps(summary(shell, bank)["video"])
    in_words(shell.run("bank", "video", bank, "--frames", "0", "--because", "x"), 2, "request.invalid")
    in_words(shell.run("bank", "threshold", bank, "20", "--because", "x"), 3, "bank.unchanged")
    in_words(shell.run("bank", "threshold", bank, "65", "--because", "x"), 2, "request.invalid")
    asked = shell.run("bank", "threshold", bank, "30", "--because", "x", "--json")
    assert (asked.code, asked.json["state"], asked.json["needs"]) == (6, "asked", "a second person")
    assert summary(shell, bank)["threshold"] == 20


def test_a_benign_bank_is_made_without_an_action_and_what_goes_in_takes_two(
    shell: Shell, second: Second, name: str
) -> None:
    about = ("--meaning", "harmless", "--source", "tests", "--kind", "benign")
    in_words(shell.run("bank", "create", name, *about, "--action", "hold"), 2, "request.invalid")
    assert shell.run("bank", "create", name, *about, "--json").json["action"] is None
    by_two(second, shell.run("bank", "add", name, "--signal", f"md5:{digest()}"))
    assert summary(shell, name)["entries"] == 1
    in_words(shell.run("bank", "action", name, "hold", "--because", "x"), 3, "bank.benign")
    assert "benign" in shell.run("bank", "list").words


def test_a_bank_of_an_exchange_is_read_only_to_people(shell: Shell, name: str, tmp_path: Path) -> None:
    made = shell.run("bank", "create", name, "--meaning", "m", "--source", "s", "--exchange", "ncmec", "--json")
    assert made.json["exchange"] == "ncmec"
    in_words(shell.run("bank", "add", name, "--signal", f"md5:{digest()}"), 3, "bank.read_only")
    file = tmp_path / "list.txt"
    file.write_text(f"md5 {digest()}\n")
    in_words(shell.run("bank", "import", name, str(file)), 3, "bank.read_only")
    assert shell.run("bank", "import", name, str(file), "--from-exchange").code == 0
    assert summary(shell, name)["entries"] == 1


# --- names that look like something else


def test_words_in_brackets_are_shown_as_they_are(shell: Shell, name: str) -> None:
    text = "[/x] [red]a[/red] [/] back\\slash [i]"
    made = shell.run("bank", "create", name, "--meaning", text, "--source", "s")
    assert made.code == 0
    listed = shell.run("bank", "list")
    assert listed.code == 0, listed.err[-300:]
    assert text in listed.words


NOT_TEXT = os.fsdecode(b"\xff")


@pytest.mark.parametrize(
    "command",
    [
        ("create", NOT_TEXT, "--meaning", "m", "--source", "s"),
        ("create", "good", "--meaning", NOT_TEXT, "--source", "s"),
        ("disable", NOT_TEXT),
        ("remove", "nothing-here", NOT_TEXT, "--because", "x"),
    ],
)
def test_an_argument_that_is_not_text_is_refused_in_words(shell: Shell, command: tuple[str, ...]) -> None:
    done = shell.run("bank", *command)
    assert done.code in (2, 3), done.err[-300:]
    assert "Traceback" not in done.words

# SPDX-License-Identifier: Apache-2.0
"""The command: one line for what it cannot do, and nothing but the result on stdout."""

from __future__ import annotations

import json
import sys
from pathlib import Path

import pytest

from bench import __main__ as command
from bench.corpus import Package, fetched
from bench.errors import BenchError
from bench.row import Row

ROW = Row("noisy", 1.0, None, None, 2.0, met=True, detail={"pictures": 3, "12 MP": {"mean": 1.5}})


def noisy() -> list[Row]:
    sys.stdout.write("a library says hello\n")
    return [ROW]


def unable() -> list[Row]:
    raise BenchError("the corpus is gone")


@pytest.fixture(autouse=True)
def _benches(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(command, "BENCHES", {"noisy": noisy, "unable": unable})


def test_stdout_holds_the_json_and_nothing_else(capsys: pytest.CaptureFixture[str], tmp_path: Path) -> None:
    assert command.main(["noisy", "--json", "--out", str(tmp_path / "rows.json")]) == 0
    printed = capsys.readouterr()
    assert [row["name"] for row in json.loads(printed.out)] == ["noisy"]
    assert "hello" in printed.err
    assert (tmp_path / "rows.json").read_text() == printed.out


def test_without_json_it_prints_a_table_with_the_detail(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["noisy"]) == 0
    printed = capsys.readouterr().out
    assert "yes" in printed
    assert "12 MP: mean 1.5" in printed


def test_an_unknown_name_is_one_line_and_exit_2_and_runs_nothing(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["noisy", "hsah"]) == 2
    printed = capsys.readouterr()
    assert printed.out == ""
    assert printed.err == "bench: no bench is called 'hsah'; there are: noisy, unable\n"


def test_a_bench_that_cannot_run_is_one_line_and_exit_1(capsys: pytest.CaptureFixture[str]) -> None:
    assert command.main(["unable", "--json"]) == 1
    printed = capsys.readouterr()
    assert (printed.out, printed.err) == ("", "bench: the corpus is gone\n")


def test_a_machine_without_debians_tools_is_told_so(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setenv("BENCH_CACHE", str(tmp_path))
    monkeypatch.setenv("PATH", str(tmp_path))
    with pytest.raises(BenchError, match="apt-get is missing"):
        fetched(Package("some-backgrounds", "1.0"))

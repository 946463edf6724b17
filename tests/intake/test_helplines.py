# SPDX-License-Identifier: Apache-2.0
"""The table of helplines says when it was checked, and a line that nobody could use is refused at the start."""

from __future__ import annotations

import json
from datetime import date
from pathlib import Path
from typing import Any

import pytest

from holdfast.errors import InvalidSetting
from holdfast.intake.helplines import SHIPPED, read_helplines

GOOD: dict[str, Any] = {
    "checked_on": "2027-01-31",
    "emergency": [{"number": "117", "where": "here"}],
    "lines": [{"name": "A line", "says": "day and night", "phone": "0800 123 (4)"}],
}


def written(folder: Path, table: Any) -> Path:
    path = folder / "helplines.json"
    path.write_text(json.dumps(table))
    return path


def test_the_shipped_table_has_the_emergency_numbers_and_says_when_it_was_checked() -> None:
    found = read_helplines()
    assert [one.number for one in found.emergency] == ["112", "999", "911"]
    assert found.checked_on == date(2026, 11, 22)
    assert {"Take It Down", "Report Remove", "StopNCII"} <= {line.name for line in found.lines}


def test_an_own_table_takes_the_place_of_the_shipped_one(tmp_path: Path) -> None:
    found = read_helplines(written(tmp_path, GOOD))
    assert [one.number for one in found.emergency] == ["117"]
    assert found.lines[0].dialled == "08001234"
    assert found.checked_on == date(2027, 1, 31)


@pytest.mark.parametrize(
    "change",
    [
        {"checked_on": "last week"},
        {"checked_on": None},
        {"emergency": []},
        {"emergency": [{"number": "112"}]},
        {"emergency": [{"number": "one", "where": "here"}]},
        {"emergency": [{"number": "112", "where": "here", "more": 1}]},
        {"lines": [{"name": "nobody", "says": "cannot be reached"}]},
        {"lines": [{"name": "", "says": "nameless", "phone": "112"}]},
        {"lines": [{"name": "a", "says": "b", "url": "javascript:alert(1)"}]},
        {"lines": [{"name": "a", "says": "b", "url": "http://plain.example"}]},
        {"lines": [{"name": "a", "says": "b", "phone": "call us"}]},
        {"lines": [1]},
        {"more": 1},
    ],
    ids=str,
)
def test_a_table_that_somebody_in_need_could_not_use_is_refused(tmp_path: Path, change: dict[str, Any]) -> None:
    with pytest.raises(InvalidSetting, match="HOLDFAST_HELPLINES_FILE"):
        read_helplines(written(tmp_path, {**GOOD, **change}))


@pytest.mark.parametrize("text", ["", "[]", "null", "{", '"x"'])
def test_a_file_that_is_no_table_is_refused(tmp_path: Path, text: str) -> None:
    path = tmp_path / "helplines.json"
    path.write_text(text)
    with pytest.raises(InvalidSetting):
        read_helplines(path)


def test_a_file_that_is_not_there_is_refused(tmp_path: Path) -> None:
    with pytest.raises(InvalidSetting, match="No such file"):
        read_helplines(tmp_path / "nothing.json")
    assert SHIPPED.exists()

# SPDX-License-Identifier: Apache-2.0
"""The page about HMA names every address that is served, and counts its differences."""

from __future__ import annotations

import re
from pathlib import Path

ROOT = Path(__file__).parents[2]
PAGE = (ROOT / "docs/hma.md").read_text()


def test_every_address_is_in_the_table() -> None:
    source = (ROOT / "src/holdfast/web/hma/urls.py").read_text()
    paths = re.findall(r'path\(\s*"([^"]+)"', source)
    words = {"<str:bank>": "BANK", "<int:number>": "ID", "<str:name>": "NAME"}
    assert paths
    for path in paths:
        named = re.sub(r"<[^>]+>", lambda found: words[found[0]], path)
        assert re.search(rf"/{re.escape(named)}`", PAGE), named


def test_the_differences_are_numbered_without_gaps() -> None:
    numbers = [int(number) for number in re.findall(r"^\| (\d+) \|", PAGE, flags=re.MULTILINE)]
    assert numbers == list(range(1, len(numbers) + 1))


def test_the_differences_that_transcripts_and_texts_name_exist() -> None:
    transcripts = "".join(path.read_text() for path in (ROOT / "tests/web/transcripts").glob("*.http"))
    named = {int(number) for number in re.findall(r"difference (\d+)", transcripts + PAGE)}
    assert named
    assert all(re.search(rf"^\| {number} \|", PAGE, flags=re.MULTILINE) for number in named)


def test_every_difference_has_a_test() -> None:
    tests = "".join(path.read_text() for path in (ROOT / "tests/web").glob("test_hma*.py"))
    lines = re.findall(r"^# shows difference ([\d, ]+)$", tests, flags=re.MULTILINE)
    shown = {int(number) for line in lines for number in line.split(", ")}
    assert shown == {int(number) for number in re.findall(r"^\| (\d+) \|", PAGE, flags=re.MULTILINE)}

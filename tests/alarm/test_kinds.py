# SPDX-License-Identifier: Apache-2.0
"""Whatever alarm the code can raise has a sentence for whoever gets it, and says what to do and where to look."""

from __future__ import annotations

import ast
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

import holdfast
from holdfast.alarm.kinds import MEANINGS, URGENT, AlarmKind, meaning_of

SOURCE = Path(holdfast.__file__).parent
COMMANDS = (SOURCE.parents[1] / "docs/commands.md").read_text()


CHOSEN = ("watched.kind", "nearing")
"""Names in the sources that hold one of several kinds; mypy knows their type."""


def calls() -> Iterator[tuple[str, ast.expr]]:
    """(where, kind) of every call in the sources that raises an alarm."""
    for path in SOURCE.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text())):
            raises = isinstance(node, ast.Call) and isinstance(node.func, ast.Attribute)
            if raises and node.func.attr in ("call", "renew") and ast.unparse(node.func.value).endswith("alarms"):  # type: ignore[attr-defined]
                yield f"{path.name}:{node.lineno}", node.args[0]  # type: ignore[attr-defined]


def test_there_are_calls() -> None:
    assert len(list(calls())) >= 8


@pytest.mark.parametrize(("where", "kind"), [*calls()], ids=[where for where, _ in calls()])
def test_alarms_are_raised_by_names_of_this_table_alone(where: str, kind: ast.expr) -> None:
    written = ast.unparse(kind)
    named = re.fullmatch(r"AlarmKind\.([A-Z_]+)", written)
    assert (named and named[1] in AlarmKind.__members__) or written in CHOSEN, (where, written)


def test_every_kind_is_raised_somewhere() -> None:
    sources = "\n".join(path.read_text() for path in SOURCE.rglob("*.py") if path.name != "kinds.py")
    assert [kind.name for kind in AlarmKind if f"AlarmKind.{kind.name}" not in sources] == []


@pytest.mark.parametrize("kind", AlarmKind)
def test_every_kind_says_what_it_is_what_to_do_and_where_to_look(kind: AlarmKind) -> None:
    meaning = meaning_of(kind)
    assert meaning is MEANINGS[kind]
    for sentence in (meaning.says, meaning.what_to_do):
        assert re.fullmatch(r"[A-Z'].*[.]", sentence)
        assert sentence.isascii()
        assert len(sentence) <= 150
    assert re.search(r"'holdfast |GET /v1/", meaning.where_to_look)


@pytest.mark.parametrize("kind", AlarmKind)
def test_the_commands_that_it_names_exist(kind: AlarmKind) -> None:
    said = f"{MEANINGS[kind].what_to_do} {MEANINGS[kind].where_to_look}"
    for command in re.findall(r"'holdfast ([a-z ]+?)(?: --[a-z]+)?'", said):
        assert f"## `holdfast {command}`" in COMMANDS


def test_what_is_urgent_is_few() -> None:
    still_seen = {AlarmKind.HOLD_UNCONFIRMED, AlarmKind.HOLD_REFUSED, AlarmKind.HOLD_BREACHED, AlarmKind.HOLDS_STAGED}
    assert {AlarmKind.CLOCK_SHORT, AlarmKind.CLOCK_MISSED, AlarmKind.SEARCH_UNPROVEN, *still_seen} == URGENT


def test_only_an_alarm_about_a_channel_is_not_told_through_channels() -> None:
    assert [kind for kind in AlarmKind if not MEANINGS[kind].told] == [AlarmKind.CHANNEL_SILENT]


def test_a_kind_of_another_version_has_a_sentence_too() -> None:
    meaning = meaning_of("something_new")
    assert meaning.told
    assert not meaning.urgent
    assert "no sentence" in meaning.says

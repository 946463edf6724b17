# SPDX-License-Identifier: Apache-2.0
"""Commons is an outsider: nothing of Holdfast is imported, and Holdfast imports nothing of it."""

from __future__ import annotations

import ast
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[3]


def imported(path: Path) -> set[str]:
    """The packages that a module imports."""
    found = set()
    for node in ast.walk(ast.parse(path.read_text())):
        if isinstance(node, ast.Import):
            found |= {each.name.partition(".")[0] for each in node.names}
        elif isinstance(node, ast.ImportFrom):
            found.add((node.module or "").partition(".")[0])
    return found


@pytest.mark.parametrize("path", sorted((ROOT / "examples").rglob("*.py")), ids=lambda path: path.stem)
def test_no_module_of_commons_imports_holdfast(path: Path) -> None:
    assert "holdfast" not in imported(path)


def test_no_module_of_holdfast_imports_commons() -> None:
    modules = list((ROOT / "src").rglob("*.py"))
    assert modules
    assert not [path for path in modules if "commons" in imported(path)]


def test_only_the_gate_reads_what_is_shown_to_the_public() -> None:
    """`items.py` reads the view `seen`, and the public pages read nothing else of items."""
    source = (ROOT / "examples/commons/pages.py").read_text()
    assert " from item" not in source
    assert " from kept" not in source
    assert " from version" not in source
    assert " from item" not in (ROOT / "examples/commons/items.py").read_text()

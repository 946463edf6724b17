# SPDX-License-Identifier: Apache-2.0
"""Commands load what needs a database only once one is configured: tests that share a process would not notice."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

import holdfast.cli

_NEEDS_DJANGO = ("holdfast.store", "holdfast.web", "holdfast.desk")
MODULES = sorted(Path(next(iter(holdfast.cli.__path__))).glob("*.py"))


@pytest.mark.parametrize("path", MODULES, ids=lambda path: path.stem)
def test_what_needs_a_configured_database_is_loaded_inside_a_running_system(path: Path) -> None:
    too_early = [node.lineno for node in _outside_with(ast.parse(path.read_text())) if _needs(node)]
    assert not too_early, f"{path.name}: lines {too_early}"


def _outside_with(tree: ast.AST) -> Iterator[ast.ImportFrom]:
    """Imports that run, and not within any `with` block."""
    for node in ast.iter_child_nodes(tree):
        if isinstance(node, ast.ImportFrom):
            yield node
        elif not isinstance(node, ast.With) and not _is_for_types(node) and not _is_a_helper(node):
            yield from _outside_with(node)


def _is_for_types(node: ast.AST) -> bool:
    return isinstance(node, ast.If) and isinstance(node.test, ast.Name) and node.test.id == "TYPE_CHECKING"


def _is_a_helper(node: ast.AST) -> bool:
    """Helpers are called with a system that runs."""
    return isinstance(node, ast.FunctionDef) and node.name.startswith("_")


def _needs(node: ast.ImportFrom) -> bool:
    return (node.module or "").startswith(_NEEDS_DJANGO)

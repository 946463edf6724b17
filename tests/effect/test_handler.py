# SPDX-License-Identifier: Apache-2.0
"""The contract holds for a handler with a real other side: a folder that keeps one file for each id."""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path

import pytest

from holdfast.effect.handler import Done, Failed, Handler, Leased, Outcome
from tests.effect.contract import HandlerContract


@dataclass
class FileHandler:
    """Does its act by making a file that bears the effect's id."""

    folder: Path

    def __call__(self, effect: Leased) -> Outcome:
        """Make the file, or find it made."""
        try:
            (self.folder / effect.id).write_text(effect.item)
        except OSError as fault:
            return Failed(type(fault).__name__)
        return Done()


class TestFileHandler(HandlerContract):
    """A handler whose other side is a folder."""

    @pytest.fixture
    def handler(self, tmp_path: Path) -> Handler:
        self.folder = tmp_path / "out"
        self.folder.mkdir()
        return FileHandler(self.folder)

    def acts(self, effect_id: str) -> int:
        return int((self.folder / effect_id).exists())

    def break_other_side(self) -> None:
        self.folder.rmdir()

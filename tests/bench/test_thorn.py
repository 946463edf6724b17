# SPDX-License-Identifier: Apache-2.0
"""Thorn's perception is asked in a process of its own: what it says, and what happens without it."""

from __future__ import annotations

import io
from pathlib import Path

import pytest

from bench import thorn
from bench.errors import BenchError


def test_without_its_environment_the_bench_says_what_to_do(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    monkeypatch.setattr(thorn, "PYTHON", tmp_path / "nothing")
    with pytest.raises(BenchError, match="make bench"), thorn.perception():
        pass


@pytest.mark.parametrize(("answer", "hashed"), [(b"-\n", None), (b"00ff\n", "00ff")])
def test_a_file_is_sent_after_its_length_and_a_dash_means_that_it_cannot_be_read(
    answer: bytes, hashed: str | None
) -> None:
    sent = io.BytesIO()
    assert thorn.Perception(sent, io.BytesIO(answer)).hash_of(b"abc") == hashed
    assert sent.getvalue() == b"\x03\0\0\0abc"


def test_if_it_ends_before_it_answers_that_is_said() -> None:
    with pytest.raises(BenchError):
        thorn.Perception(io.BytesIO(), io.BytesIO(b"")).hash_of(b"abc")

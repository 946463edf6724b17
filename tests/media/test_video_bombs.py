# SPDX-License-Identifier: Apache-2.0
"""Videos that ask for far more than their bytes cost a bounded amount of memory and processor time."""

from __future__ import annotations

import tempfile
from collections.abc import Iterator
from pathlib import Path
from typing import Final

import pytest

from bench.bombs import BOMBS
from bench.videobombs import measured
from holdfast.media import sandbox
from holdfast.media.decoder import SandboxedDecoder
from holdfast.media.plane import Watched
from holdfast.media.reason import NotDecoded
from holdfast.settings import Settings
from tests.media.test_decoder import options_in, serving
from tests.videos import uploaded

pytestmark = pytest.mark.skipif(
    not all(layer.present for layer in sandbox.layers() if layer.name == "seccomp"),
    reason="libseccomp is not installed",
)

MOST_MIB: Final = 512
BUDGET: Final = 4.0
MOST_SECONDS: Final = BUDGET + 4.0
"""The budget, what is left to end in words, and what a clock of hundredths may be off."""
QUICK: Final = [name for name in BOMBS if "4096" not in name and "7680" not in name]
"""Those that are made in a moment; `bench videobombs` has all."""


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[int, SandboxedDecoder]]:
    with tempfile.TemporaryDirectory() as folder:
        options = options_in(Path(folder), seconds=10, memory_bytes=Settings().decode_memory_bytes)
        with serving(options) as process:
            yield process.pid, SandboxedDecoder(options.path, 10, Settings().max_pixels, video_seconds=BUDGET)


@pytest.mark.parametrize("name", QUICK)
def test_a_video_that_claims_too_much_is_cheap(name: str, served: tuple[int, SandboxedDecoder]) -> None:
    server, decoder = served
    with uploaded(BOMBS[name]()) as upload, measured(server) as most:
        outcome = decoder.watch(upload, lambda _frame: None)
    assert isinstance(outcome, Watched | NotDecoded)
    assert most["mib"] <= MOST_MIB
    assert most["cpu"] <= MOST_SECONDS

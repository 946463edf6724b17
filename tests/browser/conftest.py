# SPDX-License-Identifier: Apache-2.0
"""A browser for the run, and an empty page of it for each test."""

from __future__ import annotations

from collections.abc import Iterator

import pytest

from tests.beside import Beside
from tests.browser.chromium import Chromium, Tab, browsing, new_tab


@pytest.fixture(scope="module")
def chromium() -> Iterator[Chromium]:
    """Debian's Chromium."""
    with browsing() as browser:
        yield browser


@pytest.fixture
def tab(chromium: Chromium) -> Tab:
    """An empty page."""
    return new_tab(chromium)


@pytest.fixture
def origin(beside: Beside) -> str:
    """Where the pages are."""
    return f"http://{beside.server.address}"

# SPDX-License-Identifier: Apache-2.0
"""A Commons that asks a real Holdfast, shared by the run; each test has people and pictures of its own."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

import pytest

from holdfast.access.key import Scope
from tests.conftest import Server
from tests.examples.commons.running import Running, environment_of, start, stop


@pytest.fixture(scope="session")
def upload_key(server: Server) -> str:
    """What an upload path has: the scope `screen` alone."""
    return server.key(Scope.SCREEN)


@pytest.fixture(scope="session")
def commons(server: Server, upload_key: str, folder: Path) -> Iterator[Running]:
    """A running Commons."""
    running = start(environment_of(folder / "commons", f"http://{server.address}", upload_key))
    yield running
    stop(running)

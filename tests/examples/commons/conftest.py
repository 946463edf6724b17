# SPDX-License-Identifier: Apache-2.0
"""A Commons that asks a real Holdfast, shared by the run; each test has people and pictures of its own."""

from __future__ import annotations

from collections.abc import Callable, Iterator
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


@pytest.fixture
def starting() -> Iterator[Callable[[dict[str, str]], Running]]:
    """Starts a Commons of one's own; ended with the test."""
    begun: list[Running] = []

    def begin(environment: dict[str, str]) -> Running:
        begun.append(start(environment))
        return begun[-1]

    yield begin
    for running in begun:
        stop(running)

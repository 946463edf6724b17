# SPDX-License-Identifier: Apache-2.0
"""A server with a platform beside it that is carried out by the server's own worker, over HTTP."""

from __future__ import annotations

import base64
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path

import pytest

from holdfast.testing.platform_server import serve_platform
from holdfast.testing.simulators import SimulatedPlatform
from holdfast.testing.site import Site
from tests.conftest import Server, environment_for, start_server, stop
from tests.web.doors.visiting import Visitor

KEY = bytes(range(32))


@dataclass(frozen=True)
class Beside:
    """A server and the platform it stands beside."""

    server: Server
    site: Site
    platform: SimulatedPlatform
    said: Path

    @property
    def server_data(self) -> Path:
        """The folder of its data."""
        return Path(self.server.environment["HOLDFAST_DATA"])

    def visitor(self) -> Visitor:
        """Somebody who was never there."""
        return Visitor(self.server.address)


@pytest.fixture(scope="session")
def beside(folder: Path) -> Iterator[Beside]:
    """A server of the pages' own, whose output is kept; its platform holds what it is asked to."""
    with standing(folder / "beside") as made:
        yield made


@contextmanager
def standing(data: Path) -> Iterator[Beside]:
    """The same, with its data in a folder that is not there yet."""
    site = Site()
    platform = SimulatedPlatform(site)
    with serve_platform(platform, KEY, site) as url:
        environment = environment_for(
            data,
            HOLDFAST_WEB_WORKERS="1",  # so that tries are counted in one place
            HOLDFAST_PLATFORM_URL=url,
            HOLDFAST_PLATFORM_SECRET=f"whsec_{base64.b64encode(KEY).decode()}",
            HOLDFAST_PLATFORM_SITES=site.origin,
            HOLDFAST_PUBLIC_URL="https://help.example",
        )
        said = data.with_suffix(".log")
        with said.open("wb") as output:
            running = start_server(environment, output=output)
        yield Beside(running, site, platform, said)
        stop(running.process)


@pytest.fixture
def visitor(beside: Beside) -> Visitor:
    """Somebody who was never there."""
    return beside.visitor()

# SPDX-License-Identifier: Apache-2.0
"""Keys of every kind for the shared server, and names that no other test uses."""

from __future__ import annotations

import json
from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from holdfast.access.key import Scope
from tests.conftest import Server, environment_for, said_by, start_server, stop
from tests.two_people import Second
from tests.web.http import Asker

_MAKE_KEYS = """
import json
from datetime import timedelta
from holdfast.access.key import Scope
from holdfast.access.two_people import Agreed
from holdfast.bootstrap import running
from holdfast.start import clock
from holdfast.settings import Settings
with running(Settings.from_environment()) as system:
    def make(*scopes, ends=None, person=None):
        from holdfast.store.keys import new_key
        command, whole = new_key(label="web test", scopes=frozenset(scopes), expires_at=ends, person=person)
        system.keys.write(command, actor=Agreed("tests") if person else "cli:test")
        return f"{whole}_{system.keys.draw_half(command.prefix, 'tests')}" if person else whole
    keys = {scope.value: make(scope) for scope in Scope}
    keys["all"], keys["again"] = make(*Scope, person="first"), make(*Scope, person="first")
    keys["second"], keys["impersonal"] = make(*Scope, person="second"), make(*Scope)
    keys["explained"], keys["revoked"] = make(Scope.SCREEN, Scope.EXPLAIN), make(*Scope)
    keys["other"] = make(Scope.SCREEN, Scope.EXPLAIN)
    keys["expired"] = make(*Scope, ends=clock() - timedelta(seconds=1))
    system.keys.revoke(keys["revoked"].split("_")[1], actor="cli:test")
print(json.dumps(keys))
"""


@pytest.fixture(scope="session")
def keys(server: Server) -> dict[str, str]:
    """One key for each scope alone, some for several, and some that no longer open anything."""
    return dict(json.loads(said_by(server.environment, _MAKE_KEYS)))


@pytest.fixture(scope="session")
def everyone(server: Server, keys: dict[str, str]) -> Asker:
    """Somebody who may do everything."""
    return Asker(server.address, keys["all"])


@pytest.fixture(scope="session")
def second(server: Server, keys: dict[str, str]) -> Second:
    """Another person, who may do everything too."""
    return Second(Asker(server.address, keys["second"]))


@pytest.fixture(scope="session")
def uploader(server: Server, keys: dict[str, str]) -> Asker:
    """Somebody who may screen and not see why."""
    return Asker(server.address, keys[Scope.SCREEN])


@pytest.fixture(scope="session")
def nobody(server: Server) -> Asker:
    """Somebody without a key."""
    return Asker(server.address)


@pytest.fixture
def name() -> str:
    """A name that no other test uses."""
    return f"test-{uuid4().hex[:16]}"


@pytest.fixture
def bank(everyone: Asker, name: str) -> str:
    """A bank of one's own."""
    made = everyone.send("POST", "/banks", {"name": name, "meaning": "a test", "source": "tests"})
    assert made.status == 201
    return name


@pytest.fixture(scope="package")
def small(folder: Path) -> Iterator[Server]:
    """A server that takes at most 100,000 bytes, with one process so that its open files can be counted.

    Its HMA interface needs no key from this machine.
    """
    own = {"HOLDFAST_MAX_UPLOAD_BYTES": "100000", "HOLDFAST_HMA_OPEN_TO": "127.0.0.1"}
    running = start_server(environment_for(folder / "small", HOLDFAST_WEB_WORKERS="1", **own))
    yield running
    stop(running.process)


@pytest.fixture(scope="package")
def opened(small: Server) -> Server:
    """A server whose HMA interface needs no key from this machine."""
    return small

# SPDX-License-Identifier: Apache-2.0
"""A shell beside the shared server, and the files that commands are given."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from uuid import uuid4

import pytest

from holdfast.demo.pictures import encoded, hills
from tests.cli.forking import Shell, start
from tests.conftest import Server
from tests.two_people import Second, key_for, this_account
from tests.web.http import Asker


@pytest.fixture(scope="package")
def shell(server: Server) -> Iterator[Shell]:
    """The command line, attached to the data of the shared server."""
    process = start(server.environment)
    yield Shell(process, server.environment)
    assert process.stdin
    process.stdin.close()
    assert process.wait(60) == 0
    assert process.stdout
    process.stdout.close()


@pytest.fixture(scope="package")
def second(server: Server) -> Second:
    """Another person than who uses the command line; both are known."""
    key_for(server.environment, this_account())
    return Second(Asker(server.address, key_for(server.environment, "somebody-else")))


@pytest.fixture
def name() -> str:
    """A name that no other test uses."""
    return f"test-{uuid4().hex[:16]}"


@pytest.fixture
def bank(shell: Shell, name: str) -> str:
    """A bank of one's own."""
    assert shell.run("bank", "create", name, "--meaning", "a test", "--source", "tests").code == 0
    return name


@pytest.fixture(scope="package")
def files(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A folder with pictures: `known.jpg`, the same in disguise, and `unknown.jpg`; and `broken.jpg`."""
    folder = tmp_path_factory.mktemp("files")
    known = hills(51_001, (640, 480))
    (folder / "known.jpg").write_bytes(encoded(known))
    (folder / "disguised.jpg").write_bytes(encoded(known, quality=40))
    (folder / "unknown.jpg").write_bytes(encoded(hills(51_002, (640, 480))))
    (folder / "broken.jpg").write_bytes(encoded(known)[: len(encoded(known)) // 2])
    (folder / "empty.jpg").touch()
    return folder

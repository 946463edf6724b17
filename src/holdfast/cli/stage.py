# SPDX-License-Identifier: Apache-2.0
"""What `demo` and `replay` set up: data that nobody else uses, free ports, two people's keys, and Commons beside it."""

from __future__ import annotations

import base64
import os
import secrets
import shutil
import socket
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.cli.session import actor
from holdfast.errors import DataInUse, PortTaken
from holdfast.settings import Settings, env_name

if TYPE_CHECKING:
    from holdfast.demo.client import Client
    from holdfast.replay.world import World

_MARKER = ".holdfast-demo"
_PORTS_TRIED = 20


def own_settings(name: str) -> Settings:
    """Settings whose data nobody else uses, on a free port."""
    given = Settings.from_environment()
    folder = given.data / name
    if folder.exists():
        if not (folder / _MARKER).exists():
            message = f"{folder} exists and was not made by a demonstration"
            raise DataInUse(message)
        if _in_use(folder):
            message = f"{folder}: a demonstration is still running"
            raise DataInUse(message)
        shutil.rmtree(folder)
    folder.mkdir(parents=True, mode=0o755)
    (folder / _MARKER).touch()
    fresh = given.model_copy(update={"data": folder, "database_url": None, "database_owner_url": None, "shadow": False})
    return _with_platform(fresh.model_copy(update={"listen": _free_address(given)}))


def _with_platform(settings: Settings) -> Settings:
    """The same, with a platform of its own beside it: Commons, on another free port."""
    from pydantic import SecretStr  # noqa: PLC0415

    site = f"http://127.0.0.1:{any_port()}"
    secret = "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    about = {"platform_url": f"{site}/holdfast", "platform_sites": site, "platform_secret": SecretStr(secret)}
    return settings.model_copy(update={**about, "public_url": f"http://{settings.listen}"})


def any_port() -> int:
    """A port that nobody listens on."""
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


@contextmanager
def platform(ready: Settings, key: str) -> Iterator[str]:
    """Commons, with a key that may screen and nothing else."""
    from holdfast.demo.commons import commons  # noqa: PLC0415

    assert ready.platform_secret is not None
    port, secret = int(ready.platform_sites.rpartition(":")[2]), ready.platform_secret.get_secret_value()
    with commons(ready.data / "commons", port, holdfast_url=f"http://{ready.listen}", key=key, secret=secret) as site:
        yield site


def world_of(ready: Settings, site: str, second: Client) -> World:
    """Where a story is played: the public addresses, this command line, and the second person."""
    from holdfast.replay.world import World  # noqa: PLC0415

    inherited = {name: value for name, value in os.environ.items() if not name.startswith(("HOLDFAST_", "DATABASE_"))}
    environment = {**inherited, **ready.as_environment()}
    return World(site=site, door=f"http://{ready.listen}", environment=environment, second=second)


def _in_use(folder: Path) -> bool:
    import fcntl  # noqa: PLC0415

    lock = folder / "postgres" / "lock"
    if not lock.exists():
        return False
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _free_address(given: Settings) -> str:
    """The configured address; if it was not chosen and is taken, the next free port."""
    from holdfast.supervise import require_free_port  # noqa: PLC0415

    host, _, port = given.listen.rpartition(":")
    tries = 1 if env_name("listen") in os.environ else _PORTS_TRIED
    for offset in range(tries):
        address = f"{host}:{int(port) + offset}"
        try:
            require_free_port(address)
        except PortTaken:
            if offset == tries - 1:
                raise
        else:
            return address
    raise AssertionError


def clients(ready: Settings) -> tuple[Client, Client, str]:
    """Two people's clients, with keys that may do everything, and an upload path's key; an administrator makes them.

    The first person is whoever uses this command line, so that it may ask for what takes two.
    """
    from holdfast.access.key import Scope  # noqa: PLC0415
    from holdfast.adapters.accounts import account_name  # noqa: PLC0415
    from holdfast.bootstrap import wire  # noqa: PLC0415
    from holdfast.demo.client import Client  # noqa: PLC0415

    system = wire(ready)

    def key_of(person: str) -> str:
        scopes = frozenset(Scope)
        return system.keys.create(label="demonstration", scopes=scopes, expires_at=None, actor=actor(), person=person)

    upload_key = system.keys.create(label="commons", scopes=frozenset({Scope.SCREEN}), expires_at=None, actor=actor())
    return Client(ready.listen, key_of(account_name(os.getuid()))), Client(ready.listen, key_of("second")), upload_key

# SPDX-License-Identifier: Apache-2.0
"""A running Commons, and Holdfast's side of the nine calls: signed by Holdfast's own code."""

from __future__ import annotations

import base64
import itertools
import json
import os
import subprocess
import sys
import time
from dataclasses import dataclass
from functools import cached_property
from pathlib import Path
from typing import Any
from uuid import uuid4

import httpx
from commons.client import Person

from holdfast.demo.pictures import encoded, hills
from holdfast.effect.webhook import sign
from tests.conftest import free_port

ROOT = Path(__file__).parents[3]
KEY = bytes(range(32))
_SEEDS = itertools.count(70_000)


@dataclass(frozen=True)
class Running:
    """A Commons in a process of its own."""

    process: subprocess.Popen[str]
    environment: dict[str, str]

    @property
    def site(self) -> str:
        return f"http://127.0.0.1:{self.environment['COMMONS_PORT']}"

    @property
    def data(self) -> Path:
        return Path(self.environment["COMMONS_DATA"])

    @cached_property
    def stranger(self) -> httpx.Client:
        """Somebody who is nobody there."""
        return httpx.Client(base_url=self.site, trust_env=False, timeout=30)

    def get(self, path: str, method: str = "GET") -> httpx.Response:
        return self.stranger.request(method, path.removeprefix(self.site))

    def person(self) -> Person:
        """Somebody new."""
        return Person(self.site, f"p{uuid4().hex[:12]}", "a long password")

    def send(
        self, call: str, body: Any, *, message: str | None = None, at: int | None = None, key: bytes = KEY
    ) -> httpx.Response:
        """One signed call, whatever is answered."""
        content = body if isinstance(body, bytes) else json.dumps(body).encode()
        name, now = message or f"msg_{uuid4().hex}", int(time.time()) if at is None else at
        headers = {
            "webhook-id": name,
            "webhook-timestamp": str(now),
            "webhook-signature": sign(key, name, now, content),
        }
        return self.stranger.post(f"/holdfast/{call}", content=content, headers=headers)

    def call(self, call: str, body: Any, **more: Any) -> Any:
        """One signed call that succeeds."""
        answer = self.send(call, body, **more)
        assert answer.status_code == 200, answer.text
        return answer.json()

    def item(self, address: str) -> Any:
        """The item that an address, or a path, names."""
        whole = self.site + address if address.startswith("/") else address
        (found,) = self.call("resolve", {"addresses": [whole]})["results"]
        assert found["state"] == "found", found
        return found["item"]

    def act(self, call: str, *spots: dict[str, str], **more: Any) -> list[str]:
        """Hold, release or remove these; gives the states."""
        results = self.call(call, {"spots": list(spots)}, **more)["results"]
        return [result["state"] for result in results]


def spots(item: Any) -> list[dict[str, str]]:
    """Every spot of an item."""
    return [
        {"content": item["content"], "version": item["version"], "location": location["id"]}
        for location in item["locations"]
    ]


def urls(item: Any) -> list[str]:
    return [location["url"] for location in item["locations"]]


def picture(seed: int | None = None) -> bytes:
    """A picture that no other test has."""
    return encoded(hills(next(_SEEDS) if seed is None else seed, (320, 240)))


def environment_of(folder: Path, holdfast: str, key: str, **more: str) -> dict[str, str]:
    """What a Commons in `folder` is told."""
    folder.mkdir(parents=True, exist_ok=True)
    (folder / "key").write_text(key + "\n")
    (folder / "secret").write_text("whsec_" + base64.b64encode(KEY).decode() + "\n")
    plain = {name: value for name, value in os.environ.items() if not name.startswith(("HOLDFAST_", "COMMONS_"))}
    return {
        **plain,
        "COMMONS_DATA": str(folder / "data"),
        "COMMONS_PORT": str(free_port()),
        "COMMONS_HOLDFAST_URL": holdfast,
        "COMMONS_HOLDFAST_KEY": str(folder / "key"),
        "COMMONS_SECRET_FILE": str(folder / "secret"),
        "COMMONS_DIE_WITH_PARENT": "1",
        **more,
    }


def start(environment: dict[str, str]) -> Running:
    """Start it, and wait for the line that says that it is ready."""
    command = [sys.executable, "-m", "commons"]
    process = subprocess.Popen(command, env=environment, cwd=ROOT / "examples", stdout=subprocess.PIPE, text=True)
    assert process.stdout is not None
    running = Running(process, environment)
    assert process.stdout.readline() == f"Commons is ready at {running.site}\n"
    return running


def stop(running: Running) -> int:
    """End it, if it has not ended, and return its status."""
    if running.process.poll() is None:
        running.process.terminate()
    status = running.process.wait(30)
    if running.process.stdout is not None:
        running.process.stdout.close()
    running.stranger.close()
    return status

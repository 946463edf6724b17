# SPDX-License-Identifier: Apache-2.0
"""A few lines that talk to the API as any platform would: plain HTTP, no help from inside."""

from __future__ import annotations

import json
import time
from collections.abc import Mapping
from dataclasses import dataclass
from http.client import HTTPConnection, HTTPException
from typing import Any
from urllib.parse import urlencode

from holdfast.errors import DependencyError


@dataclass(frozen=True, slots=True)
class Reply:
    """What came back, and how long it took, in seconds."""

    status: int
    body: Any
    seconds: float


@dataclass(frozen=True, slots=True)
class Client:
    """An API client at `address` (host:port) with a key."""

    address: str
    key: str
    timeout: float = 60.0

    def call(
        self,
        method: str,
        path: str,
        *,
        body: bytes | None = None,
        kind: str = "application/octet-stream",
        headers: Mapping[str, str] | None = None,
        **query: str,
    ) -> Reply:
        """One request. Raises DependencyError if nothing answers."""
        target = f"/v1{path}" + (f"?{urlencode(query)}" if query else "")
        sent = {"Authorization": f"Bearer {self.key}", "Content-Type": kind, **(headers or {})}
        connection = HTTPConnection(self.address, timeout=self.timeout)
        began = time.perf_counter()
        try:
            connection.request(method, target, body=body, headers=sent)
            response = connection.getresponse()
            content = response.read()
        except (OSError, HTTPException) as fault:
            message = f"nothing answers at http://{self.address}"
            raise DependencyError(message) from fault
        finally:
            connection.close()
        seconds = time.perf_counter() - began
        return Reply(response.status, json.loads(content) if content else None, seconds)

    def follow(self, reply: Reply) -> Reply:
        """The answer to an upload: `reply` itself, or of a 202 what is answered in the end, in the same form.

        Needs a key with the scope explain for the explanation.
        """
        if reply.status != 202:  # noqa: PLR2004
            return reply
        began = time.perf_counter()
        while True:
            standing = self.call("GET", f"/screenings/{reply.body['screening']}")
            if standing.status != 200 or standing.body["status"] in ("answered", "held_for_person"):  # noqa: PLR2004
                break
            time.sleep(0.1)
        told = standing.body
        body = {"answer": told.get("answer"), "screening": told.get("screening"), "explanation": told}
        return Reply(standing.status, body, reply.seconds + time.perf_counter() - began)

    def send_json(self, method: str, path: str, body: Any) -> Reply:  # noqa: ANN401  # whatever JSON can hold
        """One request with a JSON body."""
        return self.call(method, path, body=json.dumps(body).encode(), kind="application/json")

    def wait_until_ready(self, *, patience: float) -> float:
        """Wait until the server can screen; returns the seconds it took.

        Raises DependencyError if it cannot after `patience` seconds.
        """
        began = time.monotonic()
        while True:
            try:
                if self.call("GET", "/health/ready").status == 200:  # noqa: PLR2004
                    return time.monotonic() - began
            except DependencyError:
                pass
            if time.monotonic() - began > patience:
                message = f"the server at http://{self.address} was not ready after {patience:.0f} seconds"
                raise DependencyError(message)
            time.sleep(0.05)

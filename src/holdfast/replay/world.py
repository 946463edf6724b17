# SPDX-License-Identifier: Apache-2.0
"""Where a story with Holdfast is played: its public addresses, its command line, and a second person who agrees."""

from __future__ import annotations

import json
import subprocess
import sys
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any

from holdfast.demo.client import Client
from holdfast.errors import DependencyError

ASKED = 6
"""The exit code of a command that waits for a second person."""


@dataclass(frozen=True, slots=True, kw_only=True)
class World:
    """`site` is Commons, `door` is where people reach Holdfast; both without a slash at the end."""

    site: str
    door: str
    environment: Mapping[str, str]
    second: Client
    """The API, with a key of somebody else than who uses the command line."""

    def command(self, *words: str, expected: Sequence[int] = (0,)) -> Any:  # noqa: ANN401  # whatever it says
        """Run `holdfast` with --json; what it said. Raises DependencyError with its complaint."""
        return json.loads(self._run((*words, "--json"), expected))

    def show(self, *words: str) -> None:
        """Run `holdfast` for what it does, and not for what it says. Raises DependencyError with its complaint."""
        self._run(words, (0,))

    def do(self, *words: str) -> Any:  # noqa: ANN401  # whatever it says
        """The same for what may take two: if it waits, the second person looks at it and agrees."""
        said = self.command(*words, expected=(0, ASKED))
        if "proposal" in said:
            asked = self._call("GET", said["proposal"], {})
            agreed = {"because": "It was talked over.", "digest": asked["digest"]}
            self._call("POST", f"{said['proposal']}/agree", agreed)
            if "code" in said:
                said["code"] += "-" + self._call("POST", f"{said['proposal']}/half", {})["half"]
        return said

    def _run(self, words: Sequence[str], expected: Sequence[int]) -> str:
        command = [sys.executable, "-m", "holdfast", *words]
        done = subprocess.run(command, env=dict(self.environment), capture_output=True, text=True, check=False)
        if done.returncode not in expected:
            message = f"holdfast {' '.join(words[:2])}: {done.stderr.strip() or done.stdout.strip()}"
            raise DependencyError(message)
        return done.stdout

    def _call(self, method: str, path: str, body: Mapping[str, str]) -> Any:  # noqa: ANN401  # whatever it says
        reply = self.second.send_json(method, f"/proposals/{path}", dict(body))
        if reply.status != 200:  # noqa: PLR2004
            message = f"/v1/proposals answered {reply.status}: {reply.body}"
            raise DependencyError(message)
        return reply.body

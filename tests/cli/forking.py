# SPDX-License-Identifier: Apache-2.0
"""A process that has loaded the program once and forks for each command: the real program, started quickly.

Loading takes seconds, most commands take a tenth. Each command still has a process, an environment, a
database, an exit code and output of its own. One line of JSON asks, one answers.
"""

from __future__ import annotations

import importlib
import json
import os
import subprocess
import sys
import tempfile
import traceback
from collections.abc import Sequence
from dataclasses import dataclass
from typing import IO, Any

from holdfast.cli.on_demand import ELSEWHERE


@dataclass(frozen=True)
class Done:
    """How a command ended."""

    code: int
    out: str
    err: str

    @property
    def json(self) -> Any:
        """Its one JSON document."""
        return json.loads(self.out)

    @property
    def words(self) -> str:
        """Everything it said, without line ends and frames, for looking for words in it."""
        return " ".join((self.out + self.err).split())


class Shell:
    """Runs commands of `holdfast` with one environment."""

    def __init__(self, process: subprocess.Popen[str], environment: dict[str, str]) -> None:
        self.process = process
        self.environment = environment

    def run(self, *arguments: str, **more: str) -> Done:
        """One command; `more` are variables besides the environment's."""
        return self._ask(None, arguments, more)

    def python(self, program: str, *arguments: str, **more: str) -> Done:
        """A program as `python -c` would run it, where everything is loaded already."""
        return self._ask(program, arguments, more)

    def _ask(self, program: str | None, arguments: Sequence[str], more: dict[str, str]) -> Done:
        assert self.process.stdin
        assert self.process.stdout
        asked = {"program": program, "arguments": arguments, "environment": {**self.environment, **more}}
        self.process.stdin.write(json.dumps(asked) + "\n")
        self.process.stdin.flush()
        return Done(**json.loads(self.process.stdout.readline()))


def start(environment: dict[str, str]) -> subprocess.Popen[str]:
    """The process that forks."""
    command = [sys.executable, "-m", "tests.cli.forking"]
    quiet = {**environment, "OPENBLAS_NUM_THREADS": "1"}
    return subprocess.Popen(command, env=quiet, stdin=subprocess.PIPE, stdout=subprocess.PIPE, text=True)


def _run(
    program: str | None, arguments: Sequence[str], environment: dict[str, str], files: tuple[IO[bytes], IO[bytes]]
) -> int:
    """In the child: be the program."""
    from holdfast.cli.main import main

    _forget_the_database()
    with open(os.devnull) as nothing:  # noqa: PTH123  # a device
        os.dup2(nothing.fileno(), 0)
    for number, file in enumerate(files, start=1):
        os.dup2(file.fileno(), number)
    os.environ.clear()
    os.environ.update(environment)
    sys.argv = ["-c" if program else "holdfast", *arguments]
    try:
        if program:
            exec(compile(program, "<program>", "exec"), {"__name__": "__main__"})  # noqa: S102  # what it is for
        else:
            main()
    except SystemExit as end:
        code = end.code if isinstance(end.code, int) else 0 if end.code is None else 1
    except BaseException:  # noqa: BLE001  # what the interpreter would do
        traceback.print_exc()
        code = 1
    else:
        code = 0
    sys.stdout.flush()
    sys.stderr.flush()
    return code


LOADED = (
    "holdfast.cli.main",
    *sorted({f"holdfast.cli.{place.partition(':')[0]}" for place in ELSEWHERE.values()}),
    "holdfast.health",
    "holdfast.pipeline",
    "holdfast.supervise",
    "django.apps.registry",
    "django.core.management.commands.migrate",
    "django.db.backends.postgresql.base",
    "django.db.backends.postgresql.psycopg_any",
    "django.db.migrations.executor",
    "django.db.models",
    "django.urls",
    "psycopg_pool",
)
"""What takes the time, and can be loaded before the settings are known."""


def _load() -> None:
    """Load everything that a command may need, for a database that is never opened."""
    from holdfast.bootstrap import load
    from holdfast.settings import Settings

    for module in LOADED:
        importlib.import_module(module)
    load(Settings(database_url="postgresql://nobody@127.0.0.1:1/nothing"))


def _forget_the_database() -> None:
    """Let the command name its own, as if Django had not been set up; what was loaded stays."""
    from django.conf import settings
    from django.db import connections
    from django.utils.functional import empty

    settings._wrapped = empty
    known: Any = connections
    known._settings = None
    known.__dict__.pop("settings", None)
    for alias in ("default", "owner"):
        if hasattr(known._connections, alias):
            delattr(known._connections, alias)


def _serve() -> None:
    _load()
    answers = os.fdopen(os.dup(1), "w")
    for line in sys.stdin:
        with tempfile.TemporaryFile() as out, tempfile.TemporaryFile() as err:
            child = os.fork()
            if not child:
                code = 1
                try:
                    code = _run(**json.loads(line), files=(out, err))
                finally:
                    os._exit(code)
            _, status = os.waitpid(child, 0)
            said = []
            for file in (out, err):
                file.seek(0)
                said.append(file.read().decode(errors="backslashreplace"))
        body = {"code": os.waitstatus_to_exitcode(status), "out": said[0], "err": said[1]}
        answers.write(json.dumps(body) + "\n")
        answers.flush()


if __name__ == "__main__":
    _serve()

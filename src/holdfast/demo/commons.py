# SPDX-License-Identifier: Apache-2.0
"""Commons, the small platform of examples/, started beside Holdfast as its operator would, in a process of its own."""

from __future__ import annotations

import os
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

import holdfast
from holdfast.errors import DependencyError

EXAMPLES: Final = Path(holdfast.__file__).parents[2] / "examples"
_TIMEOUT: Final = 30.0


@dataclass(frozen=True, slots=True)
class Visitor:
    """Somebody's browser at a site: forms over plain HTTP, with a session once there is one."""

    http: httpx.Client

    def join(self, name: str) -> None:
        """Sign up."""
        self.send("/signup", {"name": name, "password": "a long password, made up"})

    def post(self, text: str, picture: bytes) -> str:
        """Publish a picture; the path of its page."""
        return self.send("/new", {"text": text}, picture)

    def share(self, path: str, text: str) -> str:
        """Show somebody's picture again; the path of the new page."""
        return self.send(f"{path}/share", {"text": text})

    def offer(self, text: str, file: bytes) -> Offered:
        """Post a picture or a film, which may have to be checked first."""
        return _offered(self._sent("/new", {"text": text}, file))

    def offer_share(self, path: str, text: str) -> Offered:
        """Show somebody's picture or film again, which may have to be checked first."""
        return _offered(self._sent(f"{path}/share", {"text": text}, None))

    def send(self, path: str, fields: dict[str, str], picture: bytes | None = None) -> str:
        """Send a form; where it leads. Raises DependencyError if the site says that something is wrong."""
        return self._sent(path, fields, picture).headers["location"].partition("?")[0].partition("#")[0]

    def sees(self, path: str) -> int:
        """The status of a page."""
        return self.http.get(path).status_code

    def _sent(self, path: str, fields: dict[str, str], file: bytes | None) -> httpx.Response:
        """The answer to a form. What kind of file it is the site sees for itself."""
        files = {"file": ("upload", file, "application/octet-stream")} if file is not None else None
        answer = self.http.post(path, data=fields, files=files)
        if answer.status_code != httpx.codes.SEE_OTHER:
            message = f"Commons answered {answer.status_code} to {path}"
            raise DependencyError(message)
        return answer


@dataclass(frozen=True, slots=True)
class Offered:
    """Something posted: the page it has or will have, and whether everybody sees it already."""

    path: str
    public: bool


def _offered(answer: httpx.Response) -> Offered:
    number = answer.headers["commons-content"].rpartition("-")[2]
    return Offered(f"/p/{number}", answer.headers["commons-state"] == "public")


def visitor(site: str) -> Visitor:
    """A browser of its own."""
    return Visitor(httpx.Client(base_url=site, timeout=_TIMEOUT, trust_env=False))


@contextmanager
def commons_alone(folder: Path, port: int, *, moderators: str) -> Iterator[str]:
    """A running Commons without any Holdfast; its address. Raises DependencyError as `commons` does."""
    _here(folder)
    with _run(folder, port, COMMONS_ALONE="1", COMMONS_MODERATORS=moderators) as site:
        yield site


@contextmanager
def commons(folder: Path, port: int, *, holdfast_url: str, key: str, secret: str) -> Iterator[str]:
    """A running Commons whose data lie in `folder`; its address.

    Raises DependencyError if the examples are not here, or it does not come up.
    """
    _here(folder)
    for name, text in (("key", key), ("secret", secret)):
        (folder / name).touch(mode=0o600)
        (folder / name).write_text(text, encoding="ascii")
    about = {
        "COMMONS_HOLDFAST_URL": holdfast_url,
        "COMMONS_HOLDFAST_KEY": str(folder / "key"),
        "COMMONS_SECRET_FILE": str(folder / "secret"),
    }
    with _run(folder, port, **about) as site:
        yield site


def _here(folder: Path) -> None:
    if not (EXAMPLES / "commons").is_dir():
        message = "examples/commons is not here: run the demonstration from a clone"
        raise DependencyError(message)
    folder.mkdir(parents=True, exist_ok=True)


@contextmanager
def _run(folder: Path, port: int, **about: str) -> Iterator[str]:
    environment = {
        **{name: value for name, value in os.environ.items() if not name.startswith("COMMONS_")},
        "PYTHONPATH": str(EXAMPLES),
        "COMMONS_DATA": str(folder / "data"),
        "COMMONS_PORT": str(port),
        "COMMONS_DIE_WITH_PARENT": "1",
        **about,
    }
    process = subprocess.Popen([sys.executable, "-m", "commons"], env=environment, stdout=subprocess.PIPE, text=True)
    try:
        yield _ready(process)
    finally:
        process.terminate()
        process.wait()


def _ready(process: subprocess.Popen[str]) -> str:
    assert process.stdout is not None
    line = process.stdout.readline()
    if "ready at" not in line:
        message = "Commons did not start; what it said stands above"
        raise DependencyError(message)
    return line.rsplit(maxsplit=1)[-1]

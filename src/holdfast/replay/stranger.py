# SPDX-License-Identifier: Apache-2.0
"""Somebody who is nobody and looks at pages: plain GETs. Only 404 is gone; whatever cannot be told counts as seen."""

from __future__ import annotations

import http.client
import time
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from http import HTTPStatus
from typing import Final

from holdfast.errors import DependencyError

_TIMEOUT: Final = 30.0
_BETWEEN: Final = 0.05


@dataclass
class Stranger:
    """One connection to a site. For one thread."""

    site: str
    _connection: http.client.HTTPConnection = field(init=False)

    def __post_init__(self) -> None:
        """Nothing is sent yet."""
        self._connection = http.client.HTTPConnection(self.site.removeprefix("http://"), timeout=_TIMEOUT)

    def sees(self, path: str) -> bool:
        """Whether a page is there. Raises DependencyError if the site does not answer: then it cannot be told."""
        try:
            self._connection.request("GET", path)
            answer = self._connection.getresponse()
            answer.read()
        except (OSError, http.client.HTTPException) as fault:
            self._connection.close()
            message = f"the platform does not answer at {path}"
            raise DependencyError(message) from fault
        return answer.status != HTTPStatus.NOT_FOUND

    def visible(self, paths: Iterable[str]) -> frozenset[str]:
        """Which of these are there."""
        return frozenset(path for path in paths if self.sees(path))

    def wait_for(self, paths: Sequence[str], *, seen: bool, patience: float, between: float = _BETWEEN) -> list[str]:
        """Look until all are there, or none is; the last first. Gives those that are not so when patience ends."""
        open_still, ends = list(paths), time.monotonic() + patience
        while open_still and time.monotonic() < ends:
            if self.sees(open_still[-1]) is seen:
                open_still.pop()
            else:
                time.sleep(between)
        return [path for path in open_still if self.sees(path) is not seen]

    def close(self) -> None:
        """Let go of the connection."""
        self._connection.close()


def until(holds: Callable[[], bool], what: str, *, patience: float) -> None:
    """Wait until something is so. Raises DependencyError, naming `what`, if it is not so in time."""
    ends = time.monotonic() + patience
    while not holds():
        if time.monotonic() > ends:
            message = f"this did not happen within {patience:.0f} seconds: {what}"
            raise DependencyError(message)
        time.sleep(_BETWEEN)

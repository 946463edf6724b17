# SPDX-License-Identifier: Apache-2.0
"""What a client prefers (RFC 7240): to be answered later, or to wait a little. Anything else is not obeyed."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

_LONGEST_WAIT_DIGITS: Final = 6


@dataclass(frozen=True, slots=True)
class Preferences:
    """`respond_async`: answer 202 at once. `wait`: seconds the client is ready to wait; None if it did not say."""

    respond_async: bool = False
    wait: int | None = None

    @property
    def applied(self) -> str:
        """The form of `Preference-Applied`."""
        wait = [] if self.wait is None else [f"wait={self.wait}"]
        return ", ".join([*(["respond-async"] if self.respond_async else []), *wait])


def preferences(untrusted_header: str) -> Preferences:
    """The preferences in a `Prefer` header: of one given twice the first; one that cannot be read is not there."""
    found: dict[str, str] = {}
    for part in untrusted_header.split(","):
        name, _, value = part.partition(";")[0].partition("=")
        found.setdefault(name.strip().lower(), value.strip().strip('"'))
    wait = found.get("wait", "")
    readable = wait.isascii() and wait.isdigit() and len(wait) <= _LONGEST_WAIT_DIGITS
    return Preferences("respond-async" in found, int(wait) if readable else None)

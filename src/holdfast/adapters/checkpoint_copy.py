# SPDX-License-Identifier: Apache-2.0
"""Put signed checkpoints where this machine's owner alone cannot take them back: a folder, or an address by PUT.

A copy that is ahead of what is to be put there means that this log was set back; it is never
overwritten by a smaller one.
"""

from __future__ import annotations

from dataclasses import dataclass
from pathlib import Path
from typing import Final

import httpx

from holdfast.adapters.log_folder import replace
from holdfast.errors import LogDiverged, ProofInvalid
from holdfast.log.checkpoint import Checkpoint, parse_checkpoint

_SECONDS: Final = 10.0
_NAME: Final = "checkpoint"


@dataclass(frozen=True, slots=True)
class CheckpointCopy:
    """One place outside: a folder, or an http(s) address that takes PUT and gives GET."""

    place: str

    @property
    def over_http(self) -> bool:
        """Whether the place is an address."""
        return self.place.startswith(("http://", "https://"))

    def put(self, note: str) -> None:
        """Leave a signed checkpoint there. Raises LogDiverged if one ahead of it is there, OSError if it cannot."""
        new, held = parse_checkpoint(note), self.held()
        if held and held.origin == new.origin and held.size > new.size:
            message = f"the copy outside holds a checkpoint of {held.size} entries, this log signed one of {new.size}"
            raise LogDiverged(message)
        if self.over_http:
            self._http("PUT", note)
        else:
            replace(Path(self.place) / _NAME, note.encode(), 0o644)

    def held(self) -> Checkpoint | None:
        """The checkpoint that lies there, if one that can be read does. Raises OSError if the place is not there."""
        try:
            note = self._http("GET") if self.over_http else (Path(self.place) / _NAME).read_text()
            return parse_checkpoint(note)
        except (FileNotFoundError, ProofInvalid):
            return None

    def _http(self, method: str, note: str | None = None) -> str:
        try:
            answer = httpx.request(method, self.place, content=note, timeout=_SECONDS)
        except httpx.HTTPError as cause:
            message = f"the place for copies did not answer: {type(cause).__name__}"
            raise OSError(message) from cause
        if answer.status_code in {404, 405} and method == "GET":
            raise FileNotFoundError(self.place)
        if not answer.is_success:
            message = f"the place for copies answered {answer.status_code}"
            raise OSError(message)
        return answer.text

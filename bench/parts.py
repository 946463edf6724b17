# SPDX-License-Identifier: Apache-2.0
"""Where the time of a screening goes: the product's own steps, one after the other, each timed.

In a process of its own beside a running server, on its database, because a process is wired once.
"""

from __future__ import annotations

import json
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final, TypeVar

from bench.errors import BenchError
from holdfast.bootstrap import System, database, decoding, wire
from holdfast.follow import Follower
from holdfast.intake.content import Content
from holdfast.intake.upload import Upload, from_bytes
from holdfast.media import pdq
from holdfast.media.reason import NotDecoded
from holdfast.settings import Settings

_ROUNDS: Final = 2
Made = TypeVar("Made")


@dataclass(frozen=True, slots=True)
class Parts:
    """Milliseconds of each step for one file; `all_in_process` is the whole pipeline without HTTP."""

    receive_and_digest: float
    decode_confined: float
    hash: float
    search: float
    all_in_process: float

    @property
    def rest(self) -> float:
        """What is left: the transaction."""
        known = self.receive_and_digest + self.decode_confined + self.hash + self.search
        return self.all_in_process - known


def parts_of(environment: Mapping[str, str], files: Sequence[bytes]) -> list[dict[str, Any]]:
    """The parts for each file. Raises BenchError if the process that measures fails."""
    with tempfile.TemporaryDirectory() as place:
        for number, file in enumerate(files):
            (Path(place) / f"{number:04}.bin").write_bytes(file)
        done = subprocess.run(
            [sys.executable, "-m", "bench.parts", place],
            env=dict(environment),
            capture_output=True,
            text=True,
            check=False,
        )
    if done.returncode:
        raise BenchError(done.stderr)
    return list(json.loads(done.stdout))


def main() -> None:
    """Measure the files of a folder and print the parts as JSON."""
    files = [path.read_bytes() for path in sorted(Path(sys.argv[1]).iterdir())]
    settings = Settings.from_environment()
    with database(settings) as reachable, decoding(reachable, wanted=True) as ready:
        system = wire(ready)
        follower = Follower(system, _process())
        follower.round()
        for _ in range(_ROUNDS):  # the first warms everything
            taken = [_measured(system, file) for file in files]
    print(json.dumps([asdict(one) for one in taken]))


def _process() -> Any:  # noqa: ANN401
    from holdfast.store.processes import ThisProcess  # noqa: PLC0415  # needs a wired process

    return ThisProcess("worker")


def _measured(system: System, file: bytes) -> Parts:
    from holdfast.pipeline import screen  # noqa: PLC0415

    received, receiving = _timed(lambda: _received(file))
    with received:
        decoded, decoding_ = _timed(lambda: system.decoder.decode(received))
        if isinstance(decoded, NotDecoded):
            message = f"not decoded: {decoded}"
            raise BenchError(message)
        hashed, hashing = _timed(lambda: pdq.hash_plane(decoded.frames[0].planes[0]))
        _, searching = _timed(lambda: system.known.near(hashed.hashes))
    _, whole = _timed(lambda: _whole(system, file, screen))
    return Parts(receiving, decoding_, hashing, searching, whole)


def _whole(system: System, file: bytes, screen: Callable[..., object]) -> None:
    with _received(file) as received:
        screen(received, Content(id="bench"), asked_by="cli:bench", once=None, parts=system.parts())


def _received(file: bytes) -> Upload:
    received = from_bytes(file, len(file))
    assert isinstance(received, Upload)
    return received


def _timed(work: Callable[[], Made]) -> tuple[Made, float]:
    began = time.perf_counter()
    made = work()
    return made, (time.perf_counter() - began) * 1000


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""Look at an upload: its digests, the PDQ hashes of its planes, and what kept it from being seen whole."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

import numpy as np
from numpy.typing import NDArray

from holdfast.errors import DecoderUnavailable, InvalidRequest
from holdfast.intake.upload import TooLong, Upload
from holdfast.match import pdq
from holdfast.match.signal import Signal, SignalType
from holdfast.media.decoder import Decoder
from holdfast.media.reason import NotDecoded, Reason


@dataclass(frozen=True, slots=True, eq=False)
class Seen:
    """What an upload looks like to the banks.

    `hashes` has shape (n, 4); `variants[i]` says how the picture was turned for hashes[i].
    `obstacle` is why a missing match would not mean "unknown"; None if it would.
    """

    exact: tuple[Signal, ...]
    hashes: NDArray[np.uint64]
    variants: tuple[str, ...]
    obstacle: NotDecoded | None


_PLANES_THAT_SHOW: Final = 2  # over white and over black; a third is colour without transparency
_NO_HASHES = np.empty((0, 4), np.uint64)


def look(received: Upload | TooLong, decoder: Decoder) -> Seen:
    """Decode and hash what was received. Never raises for anything a file can cause."""
    if isinstance(received, TooLong):
        return Seen((), _NO_HASHES, (), NotDecoded(Reason.TOO_LARGE, f"more than {received.limit} bytes"))
    if received.size == 0:
        return Seen((), _NO_HASHES, (), NotDecoded(Reason.EMPTY))
    exact = exact_signals(received)
    decoded = decoder.decode(received)
    if isinstance(decoded, NotDecoded):
        return Seen(exact, _NO_HASHES, (), decoded)
    every_plane = [pdq.hash_plane(plane) for plane in decoded.planes]
    usable = [_usable(hashed) for hashed in every_plane]
    hashes = np.concatenate([hashed for hashed, _ in usable])
    variants = tuple(name for _, names in usable for name in names)
    obstacle = NotDecoded(Reason.SEVERAL_PICTURES) if decoded.several_pictures else None
    # What lies hidden under transparency may match, but need not have any detail.
    if not all(names for _, names in usable[:_PLANES_THAT_SHOW]):
        obstacle = obstacle or NotDecoded(Reason.LOW_QUALITY)
    return Seen(exact, hashes, variants, obstacle)


def exact_signals(upload: Upload) -> tuple[Signal, ...]:
    """The digests of the received bytes."""
    digests = upload.digests
    return (
        Signal(SignalType.MD5, digests.md5),
        Signal(SignalType.SHA1, digests.sha1),
        Signal(SignalType.SHA256, digests.sha256),
    )


def signals_to_bank(seen: Seen, *, exact_only: bool) -> tuple[Signal, ...]:
    """The signals under which this very picture would be found again: digests, and its upright hashes.

    Raises DecoderUnavailable if it was not seen for a fault of ours, and InvalidRequest if it has no
    usable look and `exact_only` does not say that its digests will do: known by its bytes alone, a
    picture is no longer known once it is saved again.
    """
    obstacle = seen.obstacle
    if obstacle and (obstacle.reason.passes or obstacle.reason is Reason.DECODER_FAILED):
        raise DecoderUnavailable(obstacle.reason.says)
    upright = [pdq.to_hex(seen.hashes[i]) for i, name in enumerate(seen.variants) if name.endswith(pdq.Form.AS_IS)]
    if not upright and not exact_only:
        why = obstacle.reason.says if obstacle else "It has no usable look."
        message = f"{why} Only its bytes would be known: say exact_only to add it so"
        raise InvalidRequest(message)
    return (*seen.exact, *(Signal(SignalType.PDQ, value) for value in dict.fromkeys(upright)))


def _usable(hashed: pdq.PdqHashes) -> tuple[NDArray[np.uint64], list[str]]:
    """The hashes of the families whose quality means something, equal ones once, with their names."""
    kept: dict[bytes, tuple[int, str]] = {}
    for number, (family, form) in enumerate(hashed.variants):
        if hashed.quality[family] >= pdq.MINIMUM_QUALITY:
            kept.setdefault(hashed.hashes[number].tobytes(), (number, f"{family}.{form}"))
    rows = [number for number, _ in kept.values()]
    return hashed.hashes[rows], [name for _, name in kept.values()]

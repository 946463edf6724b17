# SPDX-License-Identifier: Apache-2.0
"""Decode a file into canonical luma planes: of its first picture, and of every other that differs.

Runs only inside the confined decoder. Every fault of the file is an outcome, whatever exception the
library chose for it. A fault after the first picture leaves what was seen until then, with the word
that there is more: it may match, and if it does not, that means nothing.
"""

from __future__ import annotations

import time
import warnings

from PIL import Image, ImageFile, UnidentifiedImageError

from holdfast.media.filetype import FileType
from holdfast.media.frames import Keeper
from holdfast.media.plane import Decoded
from holdfast.media.reason import NotDecoded, Reason, Unreadable
from holdfast.media.shape import Limits, reason_for
from holdfast.media.walk import pictures_in

ImageFile.LOAD_TRUNCATED_IMAGES = False
Image.MAX_IMAGE_PIXELS = None  # our own limit is checked first, and is stricter
warnings.simplefilter("ignore")


def decode(untrusted: bytes, kind: FileType, limits: Limits) -> Decoded | NotDecoded:
    """The pictures of a file, or why its first cannot be read."""
    keeper = Keeper()
    try:
        _look_at_all(untrusted, kind, limits, keeper)
    except MemoryError:
        why = NotDecoded(Reason.TOO_LARGE, "the memory limit was reached")
    except Unreadable as fault:
        why = fault.why
    except UnidentifiedImageError:
        why = NotDecoded(Reason.UNDECODABLE)
    except Exception as fault:  # noqa: BLE001  # libraries raise a dozen kinds on bad files; each means the same
        why = NotDecoded(reason_for(fault), type(fault).__name__)
    else:
        return Decoded(tuple(keeper.frames))
    return Decoded(tuple(keeper.frames), why.reason) if keeper.frames else why


def _look_at_all(untrusted: bytes, kind: FileType, limits: Limits, keeper: Keeper) -> None:
    """Offer every picture of the file to the keeper, as long as there is time."""
    until = time.monotonic() + limits.seconds
    missed: NotDecoded | None = None
    for number, picture in enumerate(pictures_in(untrusted, kind, limits)):
        if picture.planes:
            keeper.offer(number, picture.planes)
        missed = missed or picture.missed
        if number and time.monotonic() > until:
            # Even if this was the last: there was no time to see whether it is.
            raise Unreadable(NotDecoded(Reason.SEVERAL_PICTURES, f"more than {limits.seconds} seconds of them"))
    if not keeper.frames:
        raise Unreadable(NotDecoded(Reason.UNDECODABLE, "no picture"))
    if missed:
        raise Unreadable(missed)

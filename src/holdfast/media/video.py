# SPDX-License-Identifier: Apache-2.0
"""Watch a video: the door to everything that needs PyAV, which is an optional extra.

Without PyAV every video is UNSUPPORTED, which is a hold. Runs only inside the confined decoder.
"""

from __future__ import annotations

import importlib.util
import io
import os
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from holdfast.media.filetype import VIDEOS, FileType
from holdfast.media.reason import Reason
from holdfast.media.video_samples import video_sample

if TYPE_CHECKING:
    from _typeshed import WriteableBuffer

    from holdfast.media.plane import Plane


@dataclass(frozen=True, slots=True)
class VideoLimits:
    """How much one video may ask for: pixels in one frame, and seconds of processor time for all of it.

    With `every_frame` none is left out, and what is sent is the same each time.
    """

    max_pixels: int
    seconds: float
    every_frame: bool = False


class Reel(Protocol):
    """Where frames go: see `reel.ReelSender`."""

    def begin(self, seconds: float | None, tracks: int) -> None:
        """Said once, before any frame."""

    def frame(self, seconds: float, track: int, planes: tuple[Plane, ...]) -> None:
        """One frame; track by track, and within a track never back in time."""

    def end(self, seconds: float, missed: Reason | None) -> None:
        """Said once, at the end; if it never began, `missed` says why."""


class Descriptor(io.RawIOBase):
    """A file of `size` bytes behind a descriptor, as something to read and seek in; never read as a whole."""

    def __init__(self, descriptor: int, size: int) -> None:
        """Read from the first byte on."""
        super().__init__()
        self._descriptor = descriptor
        self.size = size
        self._at = 0

    def readable(self) -> bool:
        """It can be read."""
        return True

    def seekable(self) -> bool:
        """It can be read from anywhere."""
        return True

    def readinto(self, buffer: WriteableBuffer) -> int:
        """As many bytes as there are, at most as many as fit."""
        view = memoryview(buffer).cast("B")
        wanted = max(0, min(len(view), self.size - self._at))
        # From a place of its own: whoever else holds the descriptor shares the place where `read` goes on.
        chunk = os.pread(self._descriptor, wanted, self._at)
        view[: len(chunk)] = chunk
        self._at += len(chunk)
        return len(chunk)

    def seek(self, offset: int, whence: int = os.SEEK_SET) -> int:
        """Go somewhere; beyond the end is the end."""
        start = {os.SEEK_SET: 0, os.SEEK_CUR: self._at, os.SEEK_END: self.size}[whence]
        self._at = min(max(0, start + offset), self.size)
        return self._at

    def tell(self) -> int:
        """Where it would be read next."""
        return self._at


_WARM_UP_PIXELS: Final = 2**20


def is_available() -> bool:
    """Whether PyAV is installed."""
    return importlib.util.find_spec("av") is not None


def watch(untrusted: Descriptor, kind: FileType, limits: VideoLimits, reel: Reel) -> None:
    """Send every frame that is to be looked at, and how it ended. Raises nothing that a file can cause."""
    if not is_available():
        reel.end(0.0, Reason.UNSUPPORTED)
        return
    from holdfast.media.watching import Viewing  # noqa: PLC0415  # it needs PyAV

    Viewing(untrusted, kind, limits, reel).run()


class _Counted:
    """A reel that only counts."""

    frames = 0
    missed: Reason | None = None

    def begin(self, seconds: float | None, tracks: int) -> None:
        """Nothing to do."""

    def frame(self, seconds: float, track: int, planes: tuple[Plane, ...]) -> None:  # noqa: ARG002  # as `Reel` has it
        """Count it."""
        self.frames += 1

    def end(self, seconds: float, missed: Reason | None) -> None:  # noqa: ARG002  # as `Reel` has it
        """Note why."""
        self.missed = missed


def warm_up() -> None:
    """Watch one sample of every type, if PyAV is installed. Raises RuntimeError if one is not read."""
    if not is_available():
        return
    for kind in VIDEOS:
        content, seen = video_sample(kind), _Counted()
        descriptor = os.memfd_create("sample")
        os.write(descriptor, content)
        watch(Descriptor(descriptor, len(content)), kind, VideoLimits(_WARM_UP_PIXELS, 10.0), seen)
        os.close(descriptor)
        if not seen.frames or seen.missed:
            message = f"the {kind} reader does not read its own sample: {seen.missed}"
            raise RuntimeError(message)

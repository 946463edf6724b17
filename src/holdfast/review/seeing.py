# SPDX-License-Identifier: Apache-2.0
"""Fetch an item from the platform and make previews of it: the one way from an item's bytes to anybody's eyes.

The bytes are received as an upload is, within the same bounds: in memory, or in the spool while they are decoded and no
longer. A confined decoder reads them; what leaves here are previews. What cannot be opened is an outcome with a
reason of its own, and never an empty picture: nobody may take it for an item on which there is nothing to be seen.
"""

from __future__ import annotations

from collections.abc import Callable, Container, Mapping
from dataclasses import dataclass
from enum import StrEnum
from threading import BoundedSemaphore
from typing import Final

from holdfast.errors import NoRoom, PlatformAway, PlatformGone, PlatformRefused
from holdfast.hold.platform import Platform
from holdfast.intake.spool import Spool
from holdfast.intake.upload import Room, TooLong, Upload, receive
from holdfast.media.decoder import Decoder
from holdfast.media.filetype import HEAD_LENGTH, FileType, recognise
from holdfast.media.plane import Decoded
from holdfast.media.preview import BLURRED, GREY, Form, Previews, pictures_of
from holdfast.media.reason import NotDecoded, Reason
from holdfast.media.storyboard import Storyboard
from holdfast.review.viewing import Step

AT_ONCE: Final = 2
"""Items of which one process makes previews at once: a long video takes minutes, and uploads are screened meanwhile."""
_GATE: Final = BoundedSemaphore(AT_ONCE)
FORMS: Final[Mapping[Step, Form]] = {Step.BLURRED: BLURRED, Step.GREY: GREY}
"""What each step shows. In colour nothing is shown yet: colours do not leave the decoder."""


class Why(StrEnum):
    """Why an item could not be opened."""

    GONE = "gone"
    """The platform has no bytes of it any more."""
    REFUSED = "refused"
    """The platform will not give them."""
    AWAY = "away"
    """The platform did not answer, or not to the end. Asking again may help."""
    UNDECODABLE = "undecodable"
    """There are bytes, and no picture can be made of them; the reason says why."""
    NO_PLATFORM = "no_platform"
    """No platform is set that could be asked for it."""
    NOT_NOW = "not_now"
    """There is no room, no time or no decoder here. Asking again may help."""


@dataclass(frozen=True, slots=True)
class NotOpened:
    """Nothing can be shown, and why."""

    why: Why
    reason: Reason | None = None

    @property
    def passes(self) -> bool:
        """Whether asking again may help."""
        return self.why in (Why.AWAY, Why.NOT_NOW)

    @property
    def says(self) -> str:
        """The same as sentences, for whoever wanted to look."""
        return " ".join([_SENTENCES[self.why], *([self.reason.says] if self.reason else [])])


_SENTENCES: Final[Mapping[Why, str]] = {
    Why.GONE: "The platform has nothing of this item any more. This is no finding.",
    Why.REFUSED: "The platform does not give this item. This is no finding.",
    Why.AWAY: "The platform did not answer. Try again in a while.",
    Why.NO_PLATFORM: "No platform is set here (HOLDFAST_PLATFORM_URL) that could be asked for this item.",
    Why.UNDECODABLE: "No picture can be made of this item. This is no finding.",
    Why.NOT_NOW: "This cannot be shown just now. Try again in a while.",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Bounds:
    """How much is fetched of one item, and where it may lie meanwhile."""

    spool: Spool
    most_bytes: int
    most_video_bytes: int
    spool_above: int


@dataclass(frozen=True, slots=True, kw_only=True)
class Seeing:
    """Makes previews of items. `decoder` decodes every frame of a video, so that a picture keeps its number."""

    platform: Platform
    decoder: Decoder
    bounds: Bounds
    new_id: Callable[[str], str]
    patience: float = 5.0
    """Seconds to wait for others who look, before it is said that this cannot be shown now."""

    def previews(self, content: str, version: str, step: Step, wanted: Container[int]) -> Previews | NotOpened:
        """These pictures of an item's version at this step. Nothing that a platform or a file does raises."""
        if not _GATE.acquire(timeout=self.patience):
            return NotOpened(Why.NOT_NOW)
        try:
            return self._made(content, version, FORMS[step], wanted)
        finally:
            _GATE.release()

    def _made(self, content: str, version: str, form: Form, wanted: Container[int]) -> Previews | NotOpened:
        upload = self._fetched(content, version)
        if isinstance(upload, NotOpened):
            return upload
        with upload:
            return _previews(upload, self.decoder, form, wanted)

    def _fetched(self, content: str, version: str) -> Upload | NotOpened:
        try:
            untrusted = self.platform.open(self.new_id("see"), content, version)
            received = receive(untrusted, self.bounds.most_bytes, room=self._room())
        except PlatformGone:
            return NotOpened(Why.GONE)
        except PlatformRefused:
            return NotOpened(Why.REFUSED)
        except PlatformAway:
            return NotOpened(Why.AWAY)
        except NoRoom:
            return NotOpened(Why.NOT_NOW)
        return NotOpened(Why.UNDECODABLE, Reason.TOO_LARGE) if isinstance(received, TooLong) else received

    def _room(self) -> Room:
        """How long it will be, nobody says beforehand: it may take as much as the longest."""
        return Room(
            spool=self.bounds.spool,
            announced=self.bounds.most_video_bytes,
            above=self.bounds.spool_above,
            limit=self.bounds.most_video_bytes,
            is_long=_is_video,
            head=HEAD_LENGTH,
        )


def _previews(upload: Upload, decoder: Decoder, form: Form, wanted: Container[int]) -> Previews | NotOpened:
    if not _is_video(upload.head(HEAD_LENGTH)):
        decoded = decoder.decode(upload)
        return pictures_of(decoded, form, wanted) if isinstance(decoded, Decoded) else _not_opened(decoded)
    board = Storyboard(form, wanted)
    watched = decoder.watch(upload, board.see)
    return _not_opened(watched) if isinstance(watched, NotDecoded) else board.pictures(watched)


def _not_opened(why: NotDecoded) -> NotOpened:
    return NotOpened(Why.NOT_NOW if why.reason.passes else Why.UNDECODABLE, why.reason)


def _is_video(head: bytes) -> bool:
    kind = recognise(head)
    return isinstance(kind, FileType) and kind.is_video

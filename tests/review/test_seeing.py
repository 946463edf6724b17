# SPDX-License-Identifier: Apache-2.0
"""From an item at the platform to previews, through the real decoder: pictures, videos, and what cannot be opened."""

from __future__ import annotations

import dataclasses
import io
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor

import numpy as np
import pytest
from PIL import Image

from holdfast.bootstrap import System, new_id
from holdfast.errors import PlatformAway
from holdfast.hold.platform import Found, Item
from holdfast.media.filetype import FileType
from holdfast.media.preview import Previews
from holdfast.media.reason import Reason
from holdfast.review.seeing import AT_ONCE, NotOpened, Seeing, Why
from holdfast.review.viewing import Step
from holdfast.testing.simulators import How, SimulatedPlatform
from holdfast.testing.site import Site
from tests.pictures import encoded, losslessly, natural
from tests.review.looking import MIB, seeing_of
from tests.videos import film, scene, steady

FIRST = range(48)


@dataclasses.dataclass
class Desk:
    """A platform, and what makes previews of what is there."""

    site: Site
    platform: SimulatedPlatform
    seeing: Seeing

    def published(self, content: bytes) -> Item:
        answer = self.platform.resolve(new_id("key"), [self.site.publish("somebody", content=content)])[0]
        assert isinstance(answer, Found)
        return answer.item

    def see(self, content: bytes, step: Step = Step.GREY, wanted: range = FIRST) -> Previews | NotOpened:
        item = self.published(content)
        return self.seeing.previews(item.content, item.version, step, wanted)


@pytest.fixture
def desk(wired: System) -> Desk:
    site = Site()
    platform = SimulatedPlatform(site)
    return Desk(site, platform, seeing_of(wired, platform))


def test_a_picture_is_seen_in_grey_and_small(desk: Desk) -> None:
    found = desk.see(encoded(natural(600, 900), FileType.JPEG))
    assert isinstance(found, Previews)
    (one,) = found.pictures
    assert found.of == 1
    assert one.seconds is None
    with Image.open(io.BytesIO(one.content)) as image:
        assert (image.mode, image.size, image.info) == ("L", (256, 171), {})


def test_nothing_that_a_file_says_beside_its_pixels_gets_out(desk: Desk) -> None:
    said = b"where it was taken, by whom, with what"
    exif = Image.Exif()
    exif[0x010E] = said.decode()
    found = desk.see(encoded(natural(300, 300), FileType.JPEG, exif=exif.tobytes(), comment=said))
    assert isinstance(found, Previews)
    assert said not in found.pictures[0].content


def test_every_picture_of_a_file_with_several_is_seen(desk: Desk) -> None:
    pictures = [Image.fromarray(natural(128, 128, seed)) for seed in range(3)]
    written = io.BytesIO()
    pictures[0].save(written, "GIF", save_all=True, append_images=pictures[1:], duration=100)
    found = desk.see(written.getvalue())
    assert isinstance(found, Previews)
    assert (found.of, len(found.pictures)) == (3, 3)


def test_a_video_is_seen_scene_by_scene_and_the_same_way_each_time(desk: Desk) -> None:
    item = desk.published(film(steady([1, 2, 3], seconds=2.0)))
    blurred, grey, again = (
        desk.seeing.previews(item.content, item.version, step, FIRST) for step in (Step.BLURRED, Step.GREY, Step.GREY)
    )
    assert isinstance(blurred, Previews)
    assert isinstance(grey, Previews)
    times = [one.seconds for one in blurred.pictures]
    assert times == [pytest.approx(at, abs=0.11) for at in (0.0, 2.0, 4.0)]
    assert [one.seconds for one in grey.pictures] == times
    assert grey == again


def test_a_video_shows_what_is_on_its_frames(desk: Desk) -> None:
    found = desk.see(film(steady([7])))
    assert isinstance(found, Previews)
    with Image.open(io.BytesIO(found.pictures[0].content)) as image:
        shown = np.asarray(image).astype(float)
    right = np.asarray(Image.fromarray(scene(7)).convert("L")).astype(float)
    assert np.corrcoef(shown.ravel(), right.ravel())[0, 1] > 0.98


def test_of_a_long_video_the_pages_asked_for_are_made(desk: Desk) -> None:
    found = desk.see(film(steady(range(8))), wanted=range(4, 6))
    assert isinstance(found, Previews)
    assert ([one.number for one in found.pictures], found.of) == ([4, 5], 8)


def test_nothing_is_left_in_the_spool(desk: Desk, wired: System) -> None:
    assert isinstance(desk.see(film(steady([1, 2]))), Previews)
    assert [path.name for path in wired.spool.folder.iterdir() if not path.name.startswith(".")] == []


# --- what cannot be opened


def test_what_the_platform_has_no_more_is_gone(desk: Desk) -> None:
    assert desk.seeing.previews("nothing", "1", Step.GREY, FIRST) == NotOpened(Why.GONE)


@pytest.mark.parametrize(("how", "why"), [(How.AWAY, Why.AWAY), (How.REFUSED, Why.REFUSED)])
def test_what_the_platform_does_not_give_says_why(desk: Desk, how: How, why: Why) -> None:
    item = desk.published(b"whatever")
    desk.platform.fail("open", how)
    found = desk.seeing.previews(item.content, item.version, Step.GREY, FIRST)
    assert found == NotOpened(why)


@pytest.mark.parametrize(
    ("content", "reason"),
    [
        (b"no picture at all, only words", Reason.UNKNOWN_TYPE),
        (b"", Reason.EMPTY),
        (losslessly(natural(64, 64))[:-200], Reason.TRUNCATED),
        (b"\x89PNG\r\n\x1a\n" + b"\0" * (5 * MIB), Reason.TOO_LARGE),
    ],
    ids=["words", "nothing", "a picture that breaks off", "too long"],
)
def test_of_what_no_picture_can_be_made_says_why(desk: Desk, content: bytes, reason: Reason) -> None:
    assert desk.see(content) == NotOpened(Why.UNDECODABLE, reason)


def test_without_a_decoder_it_cannot_be_shown_now(desk: Desk, wired: System) -> None:
    nobody = dataclasses.replace(wired.decoder, path=wired.decoder.path.with_name("nobody"))
    seeing = dataclasses.replace(desk.seeing, decoder=nobody)
    item = desk.published(encoded(natural(64, 64), FileType.PNG))
    found = seeing.previews(item.content, item.version, Step.GREY, FIRST)
    assert isinstance(found, NotOpened)
    assert (found.why, found.passes) == (Why.NOT_NOW, True)


class BreaksOff(SimulatedPlatform):
    """A platform that stops answering in the middle of an item's bytes."""

    def open(self, key: str, content: str, version: str) -> Iterator[bytes]:
        """The first of them."""
        yield next(super().open(key, content, version))
        message = "open: the connection broke off"
        raise PlatformAway(message)


def test_what_came_until_the_platform_stopped_answering_is_not_shown(wired: System) -> None:
    site = Site()
    platform = BreaksOff(site)
    desk = Desk(site, platform, seeing_of(wired, platform))
    assert desk.see(encoded(natural(64, 64), FileType.JPEG)) == NotOpened(Why.AWAY)


class Waits(SimulatedPlatform):
    """A platform that gives nothing until it is told to."""

    def __init__(self, site: Site) -> None:
        super().__init__(site)
        self.asked, self.goes_on = threading.Semaphore(0), threading.Event()

    def open(self, key: str, content: str, version: str) -> Iterator[bytes]:
        """All of it, later."""
        self.asked.release()
        assert self.goes_on.wait(60)
        return super().open(key, content, version)


def test_a_few_who_look_at_what_takes_long_do_not_take_every_thread(wired: System) -> None:
    site = Site()
    platform = Waits(site)
    desk = Desk(site, platform, dataclasses.replace(seeing_of(wired, platform), patience=0.01))
    picture = encoded(natural(64, 64), FileType.PNG)
    with ThreadPoolExecutor(AT_ONCE) as pool:
        others = [pool.submit(desk.see, picture) for _ in range(AT_ONCE)]
        for _ in others:
            assert platform.asked.acquire(timeout=60)
        assert desk.see(picture) == NotOpened(Why.NOT_NOW)
        platform.goes_on.set()
        assert all(isinstance(other.result(), Previews) for other in others)
    assert isinstance(desk.see(picture), Previews), "and when they have finished, others may"


@pytest.mark.parametrize("why", list(Why))
def test_each_reason_is_said_in_words(why: Why) -> None:
    assert NotOpened(why, Reason.DAMAGED).says.endswith(Reason.DAMAGED.says)
    assert NotOpened(why).says

# SPDX-License-Identifier: Apache-2.0
"""Real videos through the real decoder server: confined, bounded, and an outcome whatever happens."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import suppress
from pathlib import Path
from typing import Final

import pytest

from holdfast.media import sandbox
from holdfast.media.decoder import SandboxedDecoder, seconds_for
from holdfast.media.filetype import VIDEOS, FileType
from holdfast.media.plane import Begun, Frame, Watched
from holdfast.media.reason import NotDecoded, Reason
from holdfast.media.video_samples import video_sample
from tests.media.processes import children_of, eventually
from tests.media.test_decoder import options_in, serving
from tests.media.test_video import EVERY
from tests.pictures import losslessly, natural
from tests.videos import film, scene, steady, uploaded, watched

pytestmark = pytest.mark.skipif(
    not all(layer.present for layer in sandbox.layers() if layer.name == "seccomp"),
    reason="libseccomp is not installed",
)

MAX_PIXELS: Final = 4_000_000


@pytest.fixture(scope="module")
def served() -> Iterator[tuple[int, SandboxedDecoder]]:
    with tempfile.TemporaryDirectory() as folder:
        options = options_in(Path(folder))
        with serving(options) as process:
            yield process.pid, SandboxedDecoder(options.path, 20, MAX_PIXELS)


@pytest.fixture
def decoder(served: tuple[int, SandboxedDecoder]) -> SandboxedDecoder:
    return served[1]


def ask(decoder: SandboxedDecoder, content: bytes) -> tuple[Watched | NotDecoded, list[Frame]]:
    seen: list[Frame] = []
    with uploaded(content) as upload:
        return decoder.watch(upload, seen.append), seen


@pytest.mark.parametrize("name", EVERY)
def test_every_container_and_codec_is_watched_in_the_sandbox_as_outside_it(
    name: str, decoder: SandboxedDecoder
) -> None:
    coding = EVERY[name]
    content = film(steady([1, 2, 3], fps=coding.fps), coding=coding)
    outside = watched(content)
    outcome, seen = ask(decoder, content)
    assert isinstance(outcome, Watched)
    assert outcome.missed is None
    assert outcome.seconds == pytest.approx(outside.seconds, abs=1e-5)
    # Which frames are looked into beyond those that must be is left to chance.
    assert {int(frame.seconds or 0) for frame in seen} == {int(at) for at in outside.times()}


@pytest.mark.parametrize("kind", VIDEOS)
def test_the_sample_of_every_type_is_watched(kind: FileType, decoder: SandboxedDecoder) -> None:
    outcome, seen = ask(decoder, video_sample(kind))
    assert isinstance(outcome, Watched)
    assert (outcome.missed, outcome.frames, len(seen)) == (None, 1, 1)


def test_the_length_is_told_before_the_first_frame(decoder: SandboxedDecoder) -> None:
    told: list[Begun | Frame] = []
    with uploaded(film(steady([1, 2, 3]))) as upload:
        decoder.watch(upload, told.append, told.append)
    assert isinstance(told[0], Begun)
    assert told[0].seconds == pytest.approx(3.0, abs=0.1)
    assert all(isinstance(one, Frame) for one in told[1:])


def test_a_picture_is_not_watched_and_a_video_not_decoded(decoder: SandboxedDecoder) -> None:
    assert ask(decoder, losslessly(natural(8, 8)))[0] == NotDecoded(Reason.UNSUPPORTED, "a picture is not watched")
    with uploaded(video_sample(FileType.MP4)) as upload:
        assert decoder.decode(upload) == NotDecoded(Reason.UNSUPPORTED, "a video is watched, not decoded")
    assert ask(decoder, b"nothing known")[0] == NotDecoded(Reason.UNKNOWN_TYPE)


def test_a_file_on_disk_is_watched_through_a_descriptor_that_can_only_read(
    decoder: SandboxedDecoder, tmp_path: Path
) -> None:
    content = film(steady([1, 2]))
    (tmp_path / "film").write_bytes(content)
    seen: list[Frame] = []
    with uploaded(content) as upload:
        memory, upload.descriptor = upload.descriptor, os.open(tmp_path / "film", os.O_RDONLY)
        os.close(memory)
        assert decoder.watch(upload, seen.append) == Watched(len(seen), 1.9, 1)


def test_a_video_is_watched_though_others_read_the_same_descriptor(decoder: SandboxedDecoder) -> None:
    """They share the place where a plain read goes on."""
    content = film([(scene(number % 20), number / 10) for number in range(200)])
    with uploaded(content) as upload:

        def see(_frame: Frame) -> None:
            os.lseek(upload.descriptor, 7, os.SEEK_SET)

        outcome = decoder.watch(upload, see)
    assert isinstance(outcome, Watched)
    assert (outcome.missed, outcome.frames) == (None, 200)


def test_what_the_caller_raises_comes_through_and_the_child_ends(
    served: tuple[int, SandboxedDecoder],
) -> None:
    server, decoder = served
    before = children_of(server)

    def see(_frame: Frame) -> None:
        raise KeyError("mine")

    with uploaded(film(steady([1, 2]))) as upload, pytest.raises(KeyError):
        decoder.watch(upload, see)
    assert eventually(lambda: len(children_of(server)) == len(before))


def test_a_child_that_dies_in_the_middle_leaves_what_was_seen(served: tuple[int, SandboxedDecoder]) -> None:
    server, decoder = served
    waiting = set(children_of(server))
    seen: list[Frame] = []

    def see(frame: Frame) -> None:
        seen.append(frame)
        for pid in waiting:  # the one that is at work, and those beside it
            with suppress(ProcessLookupError):
                os.kill(pid, signal.SIGKILL)
        waiting.clear()

    with uploaded(film([(scene(number), number / 10) for number in range(600)])) as upload:
        outcome = decoder.watch(upload, see)
    assert isinstance(outcome, Watched)
    assert outcome.missed is Reason.DECODER_FAILED
    assert 1 <= outcome.frames < 600


def test_without_a_server_nothing_is_known(tmp_path: Path) -> None:
    outcome, _ = ask(SandboxedDecoder(tmp_path / "none", 1, MAX_PIXELS), video_sample(FileType.MP4))
    assert isinstance(outcome, NotDecoded)
    assert outcome.reason is Reason.DECODER_UNAVAILABLE


def test_a_video_may_take_longer_the_more_bytes_it_has_up_to_a_limit() -> None:
    assert seconds_for(0, 600) == 15
    assert seconds_for(50_000_000, 600) == 115
    assert seconds_for(2**40, 600) == 600
    assert seconds_for(2**40, 20) == 20

# SPDX-License-Identifier: Apache-2.0
"""Real uploads through the real decoder server: an outcome whatever happens, and nothing left running."""

from __future__ import annotations

import functools
import math
import os
import signal
import socket
import subprocess
import sys
import tempfile
import threading
from collections.abc import Iterator
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager, suppress
from dataclasses import replace
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from PIL import Image

from bench.forms import FORMS, Subject
from holdfast.intake.upload import Upload, from_bytes
from holdfast.media import sandbox, wire
from holdfast.media.decoder import SandboxedDecoder, ServerOptions, start_server
from holdfast.media.filetype import PICTURES, FileType
from holdfast.media.image import decode
from holdfast.media.plane import LONGEST_SIDE, Decoded
from holdfast.media.reason import NotDecoded, Reason
from holdfast.media.shape import Limits
from tests.media.processes import children_of, eventually, facts_of, watching
from tests.pictures import animation, encoded, grey, losslessly, natural

pytestmark = pytest.mark.skipif(
    not all(layer.present for layer in sandbox.layers() if layer.name == "seccomp"),
    reason="libseccomp is not installed",
)

MIB = 1024 * 1024
MAX_PIXELS = 4_000_000
SPARES = 2
OWN_UID = 64123 if os.geteuid() == 0 else None


def options_in(folder: Path, *, seconds: float = 20, memory_bytes: int = 576 * MIB) -> ServerOptions:
    path = folder / "decoder"
    return ServerOptions(path=path, spares=SPARES, seconds=seconds, memory_bytes=memory_bytes, uid=OWN_UID, gid=OWN_UID)


def asking(options: ServerOptions, seconds: float = 20, max_pixels: int = MAX_PIXELS) -> SandboxedDecoder:
    return SandboxedDecoder(options.path, seconds, max_pixels)


@contextmanager
def serving(options: ServerOptions) -> Iterator[subprocess.Popen[bytes]]:
    process = start_server(options)
    try:
        yield process
    finally:
        process.kill()
        process.wait()
        assert process.stdout is not None
        process.stdout.close()


@pytest.fixture
def place() -> Iterator[ServerOptions]:
    with tempfile.TemporaryDirectory() as folder:
        yield options_in(Path(folder))


@pytest.fixture(scope="module")
def shared() -> Iterator[tuple[ServerOptions, subprocess.Popen[bytes]]]:
    with tempfile.TemporaryDirectory() as folder:
        options = options_in(Path(folder))
        with serving(options) as process:
            yield options, process


@pytest.fixture
def decoder(shared: tuple[ServerOptions, subprocess.Popen[bytes]]) -> SandboxedDecoder:
    return asking(shared[0])


def ask(decoder: SandboxedDecoder, content: bytes) -> Decoded | NotDecoded:
    upload = from_bytes(content, 512 * MIB)
    assert isinstance(upload, Upload)
    with upload:
        return decoder.decode(upload)


def planes(decoder: SandboxedDecoder, content: bytes) -> Decoded:
    outcome = ask(decoder, content)
    assert isinstance(outcome, Decoded), outcome
    return outcome


def reason(decoder: SandboxedDecoder, content: bytes) -> Reason:
    outcome = ask(decoder, content)
    assert isinstance(outcome, NotDecoded)
    return outcome.reason


def tiny() -> Upload:
    upload = from_bytes(losslessly(natural(8, 8)), MIB)
    assert isinstance(upload, Upload)
    return upload


@functools.cache
def large() -> bytes:
    """A small file that is a large picture."""
    return encoded(Image.new("1", (8000, 8000)), FileType.PNG)


def handed_out(options: ServerOptions) -> socket.socket:
    """One decoder's socket, as a client gets it."""
    with socket.socket(socket.AF_UNIX) as server:
        server.settimeout(20)
        server.connect(str(options.path))
        _, (descriptor,), _, _ = socket.recv_fds(server, 1, 1)
    return socket.socket(fileno=descriptor)


# --- what comes out


@pytest.mark.parametrize("kind", PICTURES)
def test_what_comes_out_of_the_sandbox_is_what_the_picture_decodes_to(
    kind: FileType, decoder: SandboxedDecoder
) -> None:
    picture = natural(200, 250) if kind is FileType.ICO else natural(700, 1100, seed=1)
    file = encoded(picture, kind)
    outcome = planes(decoder, file)
    expected = decode(file, kind, Limits(MAX_PIXELS))
    assert isinstance(expected, Decoded)
    assert outcome.missed is expected.missed is None
    ((there,), (here,)) = (one.frames[0].planes for one in (outcome, expected))
    assert (there.luma == here.luma).all()
    assert (there.full_height, there.full_width) == picture.shape[:2]


def test_a_transparent_picture_comes_out_as_three_planes(decoder: SandboxedDecoder) -> None:
    picture = Image.fromarray(natural(60, 80))
    picture.putalpha(Image.fromarray(grey(60, 80, seed=1)))
    assert len(planes(decoder, losslessly(picture)).frames[0].planes) == 3


@pytest.mark.parametrize("kind", [FileType.GIF, FileType.WEBP, FileType.PNG, FileType.TIFF, FileType.AVIF])
def test_every_picture_of_a_file_comes_out(kind: FileType, decoder: SandboxedDecoder) -> None:
    outcome = planes(decoder, animation(kind, frames=3))
    assert outcome.missed is None
    assert len(outcome.frames) >= 3


@pytest.mark.parametrize("name", FORMS)
def test_every_form_of_a_picture_comes_out_as_it_does_without_a_sandbox(name: str, decoder: SandboxedDecoder) -> None:
    """Nothing is left to be loaded once no file can be opened."""
    kind, make = FORMS[name]
    file = make(Subject(Image.fromarray(natural(90, 120)), Image.fromarray(natural(90, 120, seed=1)), 4))
    expected, outcome = decode(file, kind, Limits(MAX_PIXELS)), planes(decoder, file)
    assert isinstance(expected, Decoded)
    assert outcome.missed is expected.missed is None
    assert [frame.number for frame in outcome.frames] == [frame.number for frame in expected.frames]
    for there, here in zip(outcome.frames, expected.frames, strict=True):
        assert all((one.luma == other.luma).all() for one, other in zip(there.planes, here.planes, strict=True))


@pytest.mark.parametrize("mode", ["RGBA", "LA", "P", "1", "I;16", "F"])
def test_every_mode_comes_out(mode: str, decoder: SandboxedDecoder) -> None:
    image = Image.fromarray(grey(40, 50)).convert(mode)
    assert planes(decoder, encoded(image, FileType.TIFF)).missed is None


def test_what_was_seen_of_a_file_that_breaks_off_comes_out_with_the_reason(decoder: SandboxedDecoder) -> None:
    file = animation(FileType.GIF, frames=3, side=200)
    outcome = planes(decoder, file[: len(file) * 5 // 6])
    assert len(outcome.frames) == 2
    assert outcome.missed is Reason.TRUNCATED


@pytest.mark.parametrize(
    ("content", "expected"),
    [
        (b"", Reason.EMPTY),
        (b"just words", Reason.UNKNOWN_TYPE),
        (b"Salted__12345678", Reason.ENCRYPTED),
        (b"\x00\x00\x00\x14ftypheic", Reason.UNDECODABLE),
        (b"BM" + bytes(60), Reason.UNDECODABLE),
        (encoded(natural(90, 120), FileType.JPEG)[:2000], Reason.TRUNCATED),
        (encoded(Image.new("L", (2100, 2000)), FileType.PNG), Reason.TOO_LARGE),
    ],
)
def test_what_cannot_be_decoded_comes_out_as_its_reason(
    content: bytes, expected: Reason, decoder: SandboxedDecoder
) -> None:
    assert reason(decoder, content) is expected


def test_a_picture_with_a_longer_side_than_can_be_answered_is_too_large(decoder: SandboxedDecoder) -> None:
    """The decoder is honest, and so must the reason be: nothing failed."""
    assert reason(decoder, encoded(Image.new("L", (LONGEST_SIDE + 1, 1)), FileType.PNG)) is Reason.TOO_LARGE


def test_the_same_upload_can_be_decoded_again(decoder: SandboxedDecoder) -> None:
    upload = from_bytes(losslessly(natural(30, 40)), MIB)
    assert isinstance(upload, Upload)
    with upload:
        first, again = decoder.decode(upload), decoder.decode(upload)
    assert isinstance(first, Decoded)
    assert isinstance(again, Decoded)
    assert (first.frames[0].planes[0].luma == again.frames[0].planes[0].luma).all()


def test_many_at_once_each_get_their_own_picture(decoder: SandboxedDecoder) -> None:
    def ten(thread: int) -> bool:
        for turn in range(10):
            picture = Image.fromarray(grey(40 + thread, 50 + turn, seed=100 * thread + turn))
            (plane,) = planes(decoder, losslessly(picture)).frames[0].planes
            if not np.array_equal(plane.luma, np.asarray(picture)):
                return False
        return True

    with ThreadPoolExecutor(8) as pool:
        assert list(pool.map(ten, range(8))) == [True] * 8


# --- how decoders are kept


def confined(server: int) -> list[int]:
    """The decoders of a server, once every one of them has had the time to confine itself."""

    def all_filtered() -> bool:
        return all(facts_of(pid)["Seccomp"] == "2" for pid in children_of(server))

    assert eventually(all_filtered)
    return sorted(children_of(server))


@pytest.mark.parametrize("weaker", [False, True], ids=["require", "weaker"])
def test_every_layer_this_machine_has_is_used_even_when_weaker_is_allowed(weaker: bool, place: ServerOptions) -> None:
    options = replace(place, weaker=weaker)
    with serving(options) as process, handed_out(options):
        decoders = confined(process.pid)
        assert len(decoders) >= SPARES
        for pid in decoders:
            facts = facts_of(pid)
            assert facts["NoNewPrivs"] == "1"
            assert facts["Threads"] == "1"
            if OWN_UID is not None:
                assert set(facts["Uid"].split()) == set(facts["Gid"].split()) == {str(OWN_UID)}
                assert facts["Groups"] == ""
                assert int(facts["CapEff"], 16) == int(facts["CapPrm"], 16) == 0


def test_a_decoder_is_limited_in_memory_time_and_space(place: ServerOptions) -> None:
    seen: set[str] = set()
    with serving(place) as process, handed_out(place):
        for pid in confined(process.pid):
            lines = Path(f"/proc/{pid}/limits").read_text().splitlines()
            limits = {line[:26].strip(): line[26:].split()[:2] for line in lines}
            # What the video libraries map and never touch comes on top.
            assert place.memory_bytes <= int(limits["Max address space"][0]) < place.memory_bytes + 256 * MIB
            assert limits["Max address space"][0] == limits["Max address space"][1]
            for_picture, for_video = int(place.seconds) + 1, math.ceil(place.video_seconds) + 3
            assert limits["Max cpu time"] in ([str(for_picture)] * 2, [str(for_video)] * 2)
            seen.add(limits["Max cpu time"][0])
            assert limits["Max file size"] == limits["Max core file size"] == ["0", "0"]
            assert limits["Max open files"] == ["16", "16"]
        assert str(for_picture) in seen


def test_a_decoder_holds_nothing_but_its_own_socket(place: ServerOptions) -> None:
    """Not the server's log, nor its line to the starter: whoever took a decoder over could write there."""
    with serving(place) as process, handed_out(place):
        for pid in confined(process.pid):
            held = {int(link.name): str(link.readlink()) for link in Path(f"/proc/{pid}/fd").iterdir()}
            assert {number for number, target in held.items() if target != "/dev/null"} == {3}, held


def test_the_server_itself_opens_no_file_and_gains_no_rights(
    shared: tuple[ServerOptions, subprocess.Popen[bytes]],
) -> None:
    facts = facts_of(shared[1].pid)
    assert facts["NoNewPrivs"] == "1"
    assert facts["Threads"] == "1"
    if OWN_UID is not None:
        assert set(facts["Uid"].split()) == {str(OWN_UID)}


# --- clients that misbehave


def test_clients_that_come_and_go_do_not_stop_the_line(
    shared: tuple[ServerOptions, subprocess.Popen[bytes]], decoder: SandboxedDecoder
) -> None:
    options, process = shared
    for _ in range(30):
        with socket.socket(socket.AF_UNIX) as gone:
            gone.connect(str(options.path))
    for _ in range(10):
        handed_out(options).close()
    assert planes(decoder, losslessly(natural(8, 8)))
    assert process.poll() is None


@pytest.mark.parametrize(
    "words", [b"", b"x", b"\0" * wire.REQUEST_SIZE, b"\xff" * wire.REQUEST_SIZE, b"\xff" * 100], ids=repr
)
@pytest.mark.parametrize("with_file", [False, True])
def test_a_decoder_that_is_asked_nonsense_ends(
    words: bytes, with_file: bool, shared: tuple[ServerOptions, subprocess.Popen[bytes]]
) -> None:
    options, process = shared
    with handed_out(options) as child, watching(children_of(process.pid)) as watch, tiny() as upload:
        if words:
            socket.send_fds(child, [words], [upload.descriptor] if with_file else [])
        child.shutdown(socket.SHUT_WR)
        assert watch.until(1)
    assert planes(asking(options), losslessly(natural(8, 8)))


def test_a_decoder_whose_client_stays_silent_is_ended(place: ServerOptions) -> None:
    """The client's own time has long passed by then: it is a client that was stopped, or lies."""
    options = replace(place, seconds=0.1)
    with serving(options) as process:
        with handed_out(options), watching(children_of(process.pid)) as watch:
            assert len(watch.until(1)) == 1
        assert planes(asking(options), losslessly(natural(8, 8)))


def test_a_picture_that_takes_too_long_is_timed_out(shared: tuple[ServerOptions, subprocess.Popen[bytes]]) -> None:
    impatient = asking(shared[0], seconds=0.001, max_pixels=100_000_000)
    assert reason(impatient, large()) is Reason.TIMED_OUT
    assert planes(asking(shared[0]), losslessly(natural(8, 8)))


def test_a_picture_that_takes_too_much_memory_is_too_large(place: ServerOptions) -> None:
    options = replace(place, memory_bytes=256 * MIB)
    file = encoded(Image.new("RGB", (8000, 8000)), FileType.PNG)
    with serving(options):
        assert reason(asking(options, max_pixels=100_000_000), file) is Reason.TOO_LARGE
        assert planes(asking(options), losslessly(natural(8, 8)))


# --- ends


def test_the_decoders_end_with_a_server_that_is_killed_and_uploads_are_held(place: ServerOptions) -> None:
    with serving(place) as process, handed_out(place) as busy:
        with watching(children_of(process.pid)) as watch:
            process.kill()
            process.wait()
            assert watch.until_all()
        assert busy.recv(1) == b""
        assert reason(asking(place), losslessly(natural(8, 8))) is Reason.DECODER_UNAVAILABLE


def test_a_server_that_was_killed_can_be_started_again_at_the_same_place(place: ServerOptions) -> None:
    for _ in range(2):
        with serving(place):
            assert planes(asking(place), losslessly(natural(8, 8)))


def test_without_a_server_the_decoder_is_unavailable(place: ServerOptions) -> None:
    assert reason(asking(place), losslessly(natural(8, 8))) is Reason.DECODER_UNAVAILABLE


STARTER = """
import sys
from pathlib import Path
from holdfast.media.decoder import ServerOptions, start_server
uid = int(sys.argv[2]) or None
server = start_server(ServerOptions(
    path=Path(sys.argv[1]), spares=2, seconds=5, memory_bytes=2**30, uid=uid, gid=uid))
print(server.pid, flush=True)
sys.stdin.read()
"""


@pytest.mark.parametrize("how", [signal.SIGKILL, signal.SIGTERM])
def test_a_server_and_its_decoders_end_with_the_process_that_started_them(
    how: signal.Signals, place: ServerOptions
) -> None:
    command = [sys.executable, "-c", STARTER, str(place.path), str(OWN_UID or 0)]
    with subprocess.Popen(command, stdin=subprocess.PIPE, stdout=subprocess.PIPE) as starter:
        assert starter.stdout is not None
        server = int(starter.stdout.readline())
        assert planes(asking(place), losslessly(natural(8, 8)))
        with watching({server, *children_of(server)}) as watch:
            starter.send_signal(how)
            starter.wait()
            assert watch.until_all()


def test_decoders_that_died_before_their_turn_are_replaced(place: ServerOptions) -> None:
    with serving(place) as process:
        assert planes(asking(place), losslessly(natural(8, 8)))
        with watching(children_of(process.pid)) as watch:
            for pid in children_of(process.pid):
                os.kill(pid, signal.SIGKILL)
            assert watch.until_all()
        outcomes = [ask(asking(place), losslessly(natural(8, 8))) for _ in range(2 * SPARES)]
        assert isinstance(outcomes[-1], Decoded)


def test_a_decoder_that_died_before_its_turn_is_not_blamed_on_the_file(place: ServerOptions) -> None:
    """Nothing ever looked at the file: that is a fault of ours, which passes."""
    with serving(place) as process:
        assert planes(asking(place), losslessly(natural(8, 8)))
        with watching(children_of(process.pid)) as watch:
            for pid in children_of(process.pid):
                os.kill(pid, signal.SIGKILL)
            assert watch.until_all()
        outcome = ask(asking(place), losslessly(natural(8, 8)))
        assert isinstance(outcome, Decoded) or outcome.reason.passes


def test_a_server_that_cannot_start_says_so(place: ServerOptions) -> None:
    with pytest.raises(RuntimeError, match="before it was ready"):
        start_server(replace(place, path=place.path / "no" / "such" / "folder"))


# --- a server that was taken over


@contextmanager
def false_server(gives: bytes | None, *, with_decoder: bool = True) -> Iterator[Path]:
    """A server that hands out a decoder which answers `gives` at once, whatever it is asked."""
    with tempfile.TemporaryDirectory() as folder, socket.socket(socket.AF_UNIX) as listener:
        path = Path(folder) / "decoder"
        listener.bind(str(path))
        listener.listen()

        def serve() -> None:
            connection, _ = listener.accept()
            ours, theirs = socket.socketpair()
            with connection, ours, theirs:
                if gives is None:
                    return
                socket.send_fds(connection, [b"\x01"], [theirs.fileno()] if with_decoder else [])
                theirs.close()
                with suppress(OSError):  # nobody has the other end
                    ours.recv(wire.REQUEST_SIZE)
                    ours.sendall(gives)

        server = threading.Thread(target=serve)
        server.start()
        yield path
        server.join()


@given(st.one_of(st.binary(max_size=60), st.binary(max_size=40).map(lambda rest: b"\x00\x01\x00" + rest)))
def test_whatever_a_decoder_answers_there_is_an_outcome(answer: bytes) -> None:
    with false_server(answer) as path:
        outcome = ask(SandboxedDecoder(path, 20, MAX_PIXELS), losslessly(natural(8, 8)))
    assert isinstance(outcome, Decoded | NotDecoded)


@pytest.mark.parametrize(("gives", "with_decoder"), [(None, True), (b"", False)], ids=["nothing", "no decoder"])
def test_a_server_that_hands_out_nothing_is_unavailable(gives: bytes | None, with_decoder: bool) -> None:
    with false_server(gives, with_decoder=with_decoder) as path:
        decoder = SandboxedDecoder(path, 20, MAX_PIXELS)
        assert reason(decoder, losslessly(natural(8, 8))) is Reason.DECODER_UNAVAILABLE


def test_a_decoder_that_dies_over_a_file_is_a_failed_decoder() -> None:
    with false_server(b"") as path:
        outcome = ask(SandboxedDecoder(path, 20, MAX_PIXELS), losslessly(natural(8, 8)))
    assert outcome == NotDecoded(Reason.DECODER_FAILED)

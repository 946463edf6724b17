# SPDX-License-Identifier: Apache-2.0
"""What was digested is what is decoded, and what is not kept leaves nothing behind."""

from __future__ import annotations

import errno
import hashlib
import itertools
import mmap
import os
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import InvalidRequest
from holdfast.intake.upload import Receiver, TooLong, Upload, from_bytes, receive

LIMIT = 4096


def memory_files() -> int:
    """How many memory files this process holds open."""
    links = []
    for descriptor in Path("/proc/self/fd").iterdir():
        try:
            links.append(str(descriptor.readlink()))
        except FileNotFoundError:
            continue  # the one that listed the folder
    return sum("memfd:upload" in link for link in links)


@pytest.fixture(autouse=True)
def nothing_left_behind() -> Iterator[None]:
    before = memory_files()
    yield
    assert memory_files() == before


def received(content: bytes, limit: int = LIMIT) -> Upload:
    upload = from_bytes(content, limit)
    assert isinstance(upload, Upload)
    return upload


def cut(content: bytes, places: list[int]) -> list[bytes]:
    bounds = [0, *sorted(place % (len(content) + 1) for place in places), len(content)]
    return [content[start:stop] for start, stop in itertools.pairwise(bounds)]


@given(st.binary(max_size=LIMIT), st.lists(st.integers(0, LIMIT), max_size=20))
def test_digests_and_bytes_are_the_same_however_the_upload_is_cut(content: bytes, places: list[int]) -> None:
    chunks = cut(content, places)
    upload = receive(chunks, LIMIT)
    assert isinstance(upload, Upload)
    with upload:
        assert upload.size == len(content)
        assert os.pread(upload.descriptor, LIMIT + 1, 0) == content
        for name in ("md5", "sha1", "sha256"):
            assert getattr(upload.digests, name) == hashlib.new(name, content).hexdigest()


@given(st.binary(max_size=200), st.integers(0, 300))
def test_the_head_is_the_first_bytes_or_all(content: bytes, length: int) -> None:
    with received(content) as upload:
        assert upload.head(length) == content[:length]


def test_an_empty_upload_is_an_upload() -> None:
    with received(b"", limit=0) as upload:
        assert upload.size == 0
        assert upload.head(10) == b""


CHANGES: dict[str, Callable[[int], object]] = {
    "write": lambda descriptor: os.pwrite(descriptor, b"x", 0),
    "append": lambda descriptor: os.pwrite(descriptor, b"x", 3),
    "shorten": lambda descriptor: os.ftruncate(descriptor, 1),
    "lengthen": lambda descriptor: os.ftruncate(descriptor, 9),
    "map": lambda descriptor: mmap.mmap(descriptor, 3, mmap.MAP_SHARED, mmap.PROT_READ | mmap.PROT_WRITE),
}


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_nothing_can_change_a_received_upload(change: Callable[[int], object]) -> None:
    with received(b"abc") as upload:
        with pytest.raises(OSError, match="not permitted") as refused:
            change(upload.descriptor)
        assert refused.value.errno == errno.EPERM
        assert os.pread(upload.descriptor, 10, 0) == b"abc"


@pytest.mark.parametrize("change", CHANGES.values(), ids=CHANGES)
def test_nothing_can_change_it_through_another_way_to_the_same_file(change: Callable[[int], object]) -> None:
    with received(b"abc") as upload:
        again = os.open(f"/proc/self/fd/{upload.descriptor}", os.O_RDWR)
        try:
            with pytest.raises(PermissionError):
                change(again)
        finally:
            os.close(again)


@given(st.integers(0, 500), st.integers(1, 500), st.lists(st.integers(0, 1000), max_size=10))
def test_an_upload_past_the_limit_is_too_long_and_nothing_of_it_is_kept(
    limit: int, more: int, places: list[int]
) -> None:
    before = memory_files()
    assert receive(cut(bytes(limit + more), places), limit) == TooLong(limit)
    assert memory_files() == before


@given(st.integers(0, 500), st.lists(st.integers(0, 1000), max_size=10))
def test_an_upload_of_exactly_the_limit_is_taken(limit: int, places: list[int]) -> None:
    upload = receive(cut(bytes(limit), places), limit)
    assert isinstance(upload, Upload)
    upload.close()


def test_what_comes_after_the_limit_is_not_even_read() -> None:
    asked_for = 0

    def endless() -> Iterator[bytes]:
        nonlocal asked_for
        while True:
            asked_for += 1
            yield bytes(1000)

    assert receive(endless(), 2500) == TooLong(2500)
    assert asked_for == 3


def test_memory_is_given_back_the_moment_the_limit_is_passed() -> None:
    receiver = Receiver(10)
    receiver.take(b"0123456789")
    receiver.take(b"x")
    assert receiver.over_limit
    assert os.fstat(receiver._descriptor).st_size == 0
    receiver.take(b"more of it")
    assert os.fstat(receiver._descriptor).st_size == 0
    assert receiver.finish() == TooLong(10)


@given(st.binary(max_size=100), st.integers(1, 100))
def test_an_upload_shorter_than_announced_is_refused_and_nothing_of_it_is_kept(content: bytes, missing: int) -> None:
    before = memory_files()
    with pytest.raises(InvalidRequest, match=f"{len(content) + missing} bytes were announced and {len(content)} came"):
        receive([content], LIMIT, declared=len(content) + missing)
    assert memory_files() == before


def test_an_upload_as_long_as_announced_is_taken() -> None:
    upload = receive([b"ab", b"c"], LIMIT, declared=3)
    assert isinstance(upload, Upload)
    upload.close()


def test_an_announced_upload_past_the_limit_is_too_long_rather_than_short() -> None:
    assert receive([bytes(11)], 10, declared=100) == TooLong(10)


@pytest.mark.parametrize("fault", [ConnectionResetError, KeyboardInterrupt])
def test_a_sender_that_breaks_off_leaves_nothing_behind(fault: type[BaseException]) -> None:
    def broken() -> Iterator[bytes]:
        yield b"some"
        raise fault

    before = memory_files()
    with pytest.raises(fault):
        receive(broken(), LIMIT)
    assert memory_files() == before


def test_closing_twice_closes_nothing_else() -> None:
    upload = received(b"abc")
    number = upload.descriptor
    upload.close()
    other = os.open("/dev/null", os.O_RDONLY)
    assert other == number
    upload.close()
    assert os.fstat(other)
    os.close(other)


def test_leaving_the_with_block_closes_it_even_after_a_fault() -> None:
    upload = received(b"abc")
    with pytest.raises(ZeroDivisionError), upload:
        raise ZeroDivisionError
    assert upload.descriptor == -1


def test_an_upload_does_not_reach_programs_that_are_started() -> None:
    with received(b"abc") as upload:
        assert not os.get_inheritable(upload.descriptor)

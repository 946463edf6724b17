# SPDX-License-Identifier: Apache-2.0
"""The spool: what waits there is what came, nobody can write to it, and its budget is never passed."""

from __future__ import annotations

import errno
import os
import stat
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from holdfast.errors import NoRoom
from holdfast.intake import spool as module
from holdfast.intake.spool import Spool
from holdfast.intake.upload import TooLong, Upload, from_bytes, receive
from tests.waiting import room, spooled

MIB = 1024 * 1024
CONTENT = bytes(range(256)) * 40


@pytest.fixture
def spool(tmp_path: Path) -> Spool:
    return Spool(tmp_path / "spool", MIB)


def files(spool: Spool) -> list[str]:
    return sorted(path.name for path in spool.folder.glob("[!.]*"))


def test_only_this_uid_can_enter_the_folder_and_read_a_file_and_nobody_can_write_to_it(spool: Spool) -> None:
    with spooled(spool, CONTENT) as upload:
        path = spool.folder / files(spool)[0]
        assert stat.S_IMODE(spool.folder.stat().st_mode) == 0o700
        assert stat.S_IMODE(path.stat().st_mode) == 0o400
        with pytest.raises(OSError, match="Bad file descriptor"):
            os.write(upload.descriptor, b"x")


def test_while_it_arrives_only_this_uid_can_read_or_write_it(spool: Spool) -> None:
    arriving = spool.begin(10)
    assert stat.S_IMODE((spool.folder / files(spool)[0]).stat().st_mode) == 0o600
    arriving.abandon()
    assert files(spool) == []


def test_what_was_not_kept_is_gone_when_it_is_closed(spool: Spool) -> None:
    with spooled(spool, CONTENT):
        assert len(files(spool)) == 1
    assert files(spool) == []


def test_what_was_kept_stays_and_is_found_again_by_its_fingerprint(spool: Spool) -> None:
    with spooled(spool, CONTENT) as upload:
        assert upload.waiting is not None
        upload.waiting.keep()
        name, fingerprint = upload.waiting.name, upload.waiting.fingerprint

    found = spool.open(name, fingerprint)

    assert found is not None
    assert os.pread(found.descriptor, len(CONTENT) + 1, 0) == CONTENT
    found.let_go()
    assert spool.kept() == [name]


@pytest.mark.parametrize("change", ["append", "overwrite with the time set back", "truncate", "replace"])
def test_what_somebody_wrote_to_is_not_found_again(spool: Spool, change: str) -> None:
    with spooled(spool, CONTENT) as upload:
        assert upload.waiting is not None
        upload.waiting.keep()
        name, fingerprint = upload.waiting.name, upload.waiting.fingerprint
    path = spool.folder / name
    before = path.stat()
    path.chmod(0o600)
    match change:
        case "append":
            path.write_bytes(CONTENT + b"x")
        case "truncate":
            os.truncate(path, 5)
        case "replace":
            path.unlink()
            path.write_bytes(CONTENT)
        case _:
            path.write_bytes(CONTENT[::-1])
            os.utime(path, ns=(before.st_atime_ns, before.st_mtime_ns))

    assert spool.open(name, fingerprint) is None


@pytest.mark.parametrize("name", ["../outside", ".id", ".lock", "", "0" * 31, "0" * 32 + ".part", "0" * 32])
def test_a_name_that_is_none_of_its_own_opens_nothing(spool: Spool, name: str) -> None:
    (spool.folder.parent / "outside").write_text("x")
    assert spool.open(name, "") is None
    spool.remove(name)
    assert (spool.folder.parent / "outside").exists()


def test_a_link_in_its_place_is_not_followed(spool: Spool, tmp_path: Path) -> None:
    (tmp_path / "elsewhere").write_bytes(CONTENT)
    assert spool.id.startswith("spool_")
    (spool.folder / ("a" * 32)).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(OSError, match="symbolic"):
        spool.open("a" * 32, "")


def test_two_processes_agree_on_which_spool_it_is_and_another_folder_is_another(spool: Spool, tmp_path: Path) -> None:
    assert spool.id == Spool(spool.folder, 5).id != Spool(tmp_path / "other", MIB).id


def test_when_the_budget_is_used_the_next_is_refused_and_those_that_wait_stay(spool: Spool) -> None:
    first = spool.begin(MIB - 100)
    with pytest.raises(NoRoom):
        spool.begin(101)
    second = spool.begin(100)
    assert spool.used() == MIB
    first.abandon()
    second.abandon()
    assert spool.used() == 0


def test_room_that_was_announced_and_not_used_is_given_back_at_the_end_of_the_upload(spool: Spool) -> None:
    received = receive([CONTENT], MIB, room=room(spool, MIB))
    assert isinstance(received, Upload)
    assert spool.used() == len(CONTENT)
    received.close()


@pytest.mark.parametrize("number", [errno.ENOSPC, errno.EDQUOT])
def test_a_full_disk_is_no_room_and_leaves_nothing(spool: Spool, number: int, monkeypatch: pytest.MonkeyPatch) -> None:
    def full(_descriptor: int, _bytes: memoryview) -> int:
        raise OSError(number, os.strerror(number))

    arrived = room(spool, len(CONTENT))
    with monkeypatch.context() as patched:
        patched.setattr(os, "write", full)
        with pytest.raises((NoRoom, OSError)):
            receive([CONTENT], MIB, room=arrived)
    assert files(spool) == []


def test_what_would_leave_the_disk_too_full_is_refused(spool: Spool, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(module, "LEAST_FREE_BYTES", 2**60)
    with pytest.raises(NoRoom):
        spool.begin(1)


def test_what_a_dead_process_was_receiving_makes_room_for_the_next(spool: Spool) -> None:
    child = os.fork()
    if child == 0:
        spool.begin(MIB)
        os._exit(0)
    os.waitpid(child, 0)
    assert spool.used() == MIB

    spool.begin(MIB).abandon()

    assert spool.used() == 0


def test_sweeping_removes_what_ended_and_what_was_orphaned_for_an_hour_and_nothing_else(
    spool: Spool, monkeypatch: pytest.MonkeyPatch
) -> None:
    names = []
    for _ in range(3):
        with spooled(spool, CONTENT) as upload:
            assert upload.waiting is not None
            upload.waiting.keep()
            names.append(upload.waiting.name)
    still, ended, orphan = names
    arriving = spool.begin(5)

    assert spool.sweep({still}, {ended}) == 1
    assert sorted(spool.kept()) == sorted([still, orphan])

    monkeypatch.setattr(module, "ORPHANED_AFTER_SECONDS", -5.0)
    assert spool.sweep({still}, set()) == 1
    assert spool.kept() == [still]
    assert spool.used() == len(CONTENT) + 5
    arriving.abandon()


@settings(suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    st.lists(st.binary(max_size=900), max_size=8),
    st.booleans(),
    st.integers(0, 3000),
    st.sampled_from([b"", b"video"]),
)
def test_however_it_is_cut_and_wherever_it_goes_what_came_is_what_is_read(
    spool: Spool, chunks: list[bytes], always: bool, limit: int, begin: bytes
) -> None:
    whole = begin + b"".join(chunks)
    most = 4000 if begin else limit
    received = receive([begin, *chunks], limit, room=room(spool, len(whole), always=always, limit=4000))
    if len(whole) > most:
        assert received == TooLong(most)
        assert files(spool) == []
        return
    assert isinstance(received, Upload)
    plain = from_bytes(whole, len(whole) + 1)
    assert isinstance(plain, Upload)
    with received, plain:
        assert (received.waiting is not None) == (bool(begin) or always or len(whole) > 1024)
        assert os.pread(received.descriptor, 8192, 0) == whole
        assert (received.size, received.digests) == (plain.size, plain.digests)
    assert files(spool) == []

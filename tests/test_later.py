# SPDX-License-Identifier: Apache-2.0
"""What is answered later is answered once, whatever dies in between, and is never published before."""

from __future__ import annotations

import dataclasses
import os
import signal
import traceback
from collections.abc import Callable
from pathlib import Path
from typing import Any

import psycopg
import pytest
from django.db import connections

from holdfast import later
from holdfast.bootstrap import System
from holdfast.demo.pictures import encoded, hills
from holdfast.errors import IdempotencyConflict, ScreeningUnknown, SealedUnknown
from holdfast.intake import spool as spools
from holdfast.intake.upload import Upload
from holdfast.later import PAUSE, Taken, TakenOver
from holdfast.match.long_screening import ALARMING, LongState
from holdfast.media.plane import Decoded, Watched
from holdfast.media.reason import NotDecoded, Reason
from holdfast.pipeline import Once
from holdfast.screener import Screener, sweep
from holdfast.sealed.subject import EraseSealed
from tests.conftest import superuser
from tests.store.making import TWO
from tests.waiting import LONG, OVER, patient, screen, send, take

PICTURE = encoded(hills(41, (640, 480)))
ONCE = Once("key", "again", lambda: "digest")


@dataclasses.dataclass(frozen=True)
class Says:
    """A decoder that says one thing of whatever it is given, and what it was given to."""

    outcome: NotDecoded
    before: Callable[[], object] = lambda: None

    def decode(self, upload: Upload) -> Decoded | NotDecoded:  # noqa: ARG002
        self.before()
        return self.outcome

    def watch(self, upload: Upload, *_: object) -> Watched | NotDecoded:  # noqa: ARG002
        self.before()
        return self.outcome


def saying(system: System, reason: Reason, before: Callable[[], object] = lambda: None) -> System:
    return dataclasses.replace(system, decoder=Says(NotDecoded(reason), before))  # type: ignore[arg-type]


def state(system: System, screening: str) -> LongState:
    standing = system.long.standing(screening)
    assert standing is not None
    return standing.state


def body(system: System, screening: str) -> dict[str, Any]:
    standing = system.long.standing(screening)
    assert standing is not None
    return standing.body


def reason(system: System, screening: str) -> str | None:
    found = body(system, screening)["explanation"]["reason"]
    return None if found is None else str(found)


def alarms(system: System) -> list[tuple[str, str]]:
    with psycopg.connect(superuser(system.settings.data)) as connection:
        rows = connection.execute("select kind, about from alarm where state <> 'cleared'").fetchall()
    return [(row[0], row[1]) for row in rows]


def tags(system: System, screening: str) -> list[str]:
    return [row.happened.tag.rpartition(".")[2] for row in system.journal.read(f"long:{screening}")]


def test_it_waits_is_screened_and_its_file_is_gone(system: System, tmp_path: Path) -> None:
    own = patient(system, tmp_path)
    screening = send(own, PICTURE)
    assert state(own, screening) is LongState.WAITING
    with pytest.raises(ScreeningUnknown):
        own.screenings.get(screening)

    screen(own, take(own))

    assert state(own, screening) is LongState.ANSWERED
    assert body(own, screening)["answer"] == "publish"
    assert own.screenings.get(screening)["verdict"] == "no_match"
    assert own.spool.kept() == []
    assert tags(own, screening) == ["received", "begun", "answered"]
    assert own.long.take_up(own.spool.id) is None


def uploaders(system: System) -> tuple[set[str | None], set[str | None]]:
    """The sealed subjects that screenings name, and that long screenings do."""
    with psycopg.connect(superuser(system.settings.data)) as connection:
        clear = "select uploader from screening union all select uploader from long_screening"
        assert {row[0] for row in connection.execute(clear)} == {None}
        tables = ("screening", "long_screening")
        one, other = ({row[0] for row in connection.execute(f"select uploader_subject from {t}")} for t in tables)
    return one, other


def test_who_uploads_is_sealed_while_it_waits_and_after(system: System, tmp_path: Path) -> None:
    own = patient(system, tmp_path)
    send(own, PICTURE, uploader="ann")
    send(own, PICTURE, name="post-2", uploader="ann")
    ann = own.sealed.find("ann")
    assert uploaders(own) == (set(), {ann})

    screen(own, take(own))

    assert uploaders(own) == ({ann}, {ann})
    assert own.sealed.count().subjects == 1
    assert list(own.sealed.read(ann, role="test", because="x", actor="cli:bob").values()) == ["ann"]


def test_who_is_erased_while_it_waits_does_not_come_back_with_the_answer(system: System, tmp_path: Path) -> None:
    own = patient(system, tmp_path)
    screening = send(own, PICTURE, uploader="ann")
    ann, taken = own.sealed.find("ann"), take(own)
    own.sealed.change(ann, EraseSealed(because="x"), actor=TWO)

    screen(own, taken)

    assert state(own, screening) is LongState.ANSWERED
    assert uploaders(own) == ({ann}, {ann})
    with pytest.raises(SealedUnknown):
        own.sealed.find("ann")


def test_those_that_wait_longest_are_taken_up_first_and_each_by_one(system: System, tmp_path: Path) -> None:
    own = patient(system, tmp_path)
    sent = [send(own, PICTURE, name=f"post-{number}") for number in range(3)]
    taken = [own.long.take_up(own.spool.id) for _ in range(4)]
    assert [one and one.arrived.id for one in taken] == [*sent, None]


def test_an_upload_in_another_spool_is_left_to_those_who_see_it(system: System, tmp_path: Path) -> None:
    send(patient(system, tmp_path / "there"), PICTURE)
    here = patient(system, tmp_path / "here")
    assert here.long.take_up(here.spool.id) is None


def test_a_lease_that_ran_out_is_taken_over_and_the_late_holder_records_nothing(system: System, tmp_path: Path) -> None:
    own = patient(system, tmp_path, lease=OVER)
    screening = send(own, PICTURE)
    late, next_one = take(own), take(own)
    assert (late.taking, next_one.taking) == (1, 2)

    with pytest.raises(TakenOver):
        screen(own, late)
    assert own.long.renew(late) is False
    with pytest.raises(TakenOver):
        own.long.put_back(late, Reason.DECODER_FAILED, PAUSE)
    with pytest.raises(ScreeningUnknown):
        own.screenings.get(screening)

    screen(own, next_one)
    assert state(own, screening) is LongState.ANSWERED
    with pytest.raises(TakenOver):
        screen(own, late)
    assert tags(own, screening) == ["received", "begun", "begun", "answered"]


def test_a_lease_that_is_renewed_is_not_taken_over(system: System, tmp_path: Path) -> None:
    short, own = patient(system, tmp_path, lease=OVER), patient(system, tmp_path)
    screening = send(short, PICTURE)
    taken = take(short)
    taken.progress.begun(60.0, 2)
    taken.progress.seen(12.5, 1)

    assert own.long.renew(taken) is True

    assert own.long.take_up(own.spool.id) is None
    standing = own.long.standing(screening)
    assert standing is not None
    assert (standing.seconds_seen, standing.seconds_total) == (72.5, 120.0)


@pytest.mark.parametrize("why", [Reason.DECODER_FAILED, Reason.DECODER_UNAVAILABLE])
def test_what_a_decoder_died_over_is_tried_again_as_often_as_allowed_and_then_held(
    system: System, tmp_path: Path, why: Reason, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(later, "PAUSE", OVER)
    own = saying(patient(system, tmp_path), why)
    screening = send(own, PICTURE)
    for _ in range(2):
        screen(own, take(own))
        assert state(own, screening) is LongState.WAITING
        assert own.spool.kept() != []

    screen(own, take(own))

    assert state(own, screening) is LongState.HELD_FOR_PERSON
    assert (body(own, screening)["answer"], reason(own, screening)) == ("hold", why)
    assert alarms(own) == [("long_screening_held", f"long:{screening}")]
    assert [item.held.reason for item in own.screenings.unscreened(limit=9)] == [why]
    assert own.spool.kept() == []


def test_after_a_failure_it_is_left_alone_for_a_moment(system: System, tmp_path: Path) -> None:
    own = saying(patient(system, tmp_path), Reason.DECODER_UNAVAILABLE)
    screening = send(own, PICTURE)
    screen(own, take(own))
    assert state(own, screening) is LongState.WAITING
    assert own.long.take_up(own.spool.id) is None


def test_what_was_begun_too_often_and_never_ended_is_held_for_a_person_unread(system: System, tmp_path: Path) -> None:
    own = patient(system, tmp_path, lease=OVER)
    screening = send(own, PICTURE)
    for _ in range(3):
        take(own)

    screen(own, take(own))

    assert (state(own, screening), reason(own, screening)) == (LongState.HELD_FOR_PERSON, Reason.GIVEN_UP)
    assert alarms(own) == [("long_screening_held", f"long:{screening}")]


@pytest.mark.parametrize("what", ["gone", "changed"])
def test_a_file_that_is_not_what_was_received_is_lost_and_held(system: System, tmp_path: Path, what: str) -> None:
    own = patient(system, tmp_path)
    screening = send(own, PICTURE)
    path = own.spool.folder / own.spool.kept()[0]
    if what == "gone":
        path.unlink()
    else:
        path.chmod(0o600)
        path.write_bytes(encoded(hills(42, (640, 480))))

    screen(own, take(own))

    assert (state(own, screening), reason(own, screening)) == (LongState.HELD_FOR_PERSON, Reason.UPLOAD_LOST)
    assert own.spool.kept() == []


def test_a_file_that_is_changed_while_it_is_read_gives_no_verdict(
    system: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(later, "PAUSE", OVER)
    own = patient(system, tmp_path)
    screening = send(own, PICTURE)
    path = own.spool.folder / own.spool.kept()[0]

    def write() -> None:
        path.chmod(0o600)
        path.write_bytes(b"other")

    changed = saying(own, Reason.UNDECODABLE, before=write)

    screen(changed, take(own))
    assert state(own, screening) is LongState.WAITING

    screen(own, take(own))
    assert reason(own, screening) == Reason.UPLOAD_LOST


def test_what_is_lost_is_still_known_by_its_digests(system: System, tmp_path: Path) -> None:
    from holdfast.match.signal import Signal, SignalType
    from tests.store.making import add, create

    own = patient(system, tmp_path)
    screening = send(own, PICTURE)
    row = take(own)
    create(own)
    add(own, Signal(SignalType.MD5, row.arrived.digests.md5))
    own.spool.remove(own.spool.kept()[0])

    screen(own, row)

    assert state(own, screening) is LongState.ANSWERED
    assert (body(own, screening)["answer"], own.screenings.get(screening)["verdict"]) == ("hold", "matched")


def test_what_a_file_is_held_for_by_itself_alarms_nobody(system: System, tmp_path: Path) -> None:
    own = patient(system, tmp_path)
    screening = send(own, b"no picture at all")
    screen(own, take(own))
    assert (state(own, screening), reason(own, screening)) == (LongState.HELD_FOR_PERSON, Reason.UNKNOWN_TYPE)
    assert Reason.UNKNOWN_TYPE not in ALARMING
    assert alarms(own) == []


def test_when_its_clock_has_run_out_it_is_held_for_a_person_wherever_its_file_is(
    system: System, tmp_path: Path
) -> None:
    there = patient(system, tmp_path / "there", patience=OVER)
    here = patient(system, tmp_path / "here")
    screening = send(there, PICTURE)

    taken = here.long.take_up_overdue()
    assert taken is not None
    later.hold_overdue(taken, parts=here.parts(), later=here.later())

    assert (state(here, screening), reason(here, screening)) == (LongState.HELD_FOR_PERSON, Reason.TIMED_OUT)
    assert alarms(here) == [("long_screening_held", f"long:{screening}")]
    assert sweep(there) == 1


def test_the_same_key_is_the_same_screening_and_another_request_under_it_is_refused(
    system: System, tmp_path: Path
) -> None:
    own = patient(system, tmp_path)
    screening = send(own, PICTURE, once=ONCE)
    assert send(own, PICTURE, once=ONCE) == screening
    with pytest.raises(IdempotencyConflict):
        send(own, PICTURE, once=dataclasses.replace(ONCE, digest=lambda: "other"))
    assert len(own.spool.kept()) == 1
    assert own.long.count_open() == {"waiting": 1, "running": 0}


def test_a_key_whose_upload_was_lost_may_be_used_to_send_it_again(system: System, tmp_path: Path) -> None:
    own = patient(system, tmp_path)
    lost = send(own, PICTURE, once=ONCE)
    own.spool.remove(own.spool.kept()[0])
    screen(own, take(own))

    again = send(own, PICTURE, once=ONCE)
    screen(own, take(own))

    assert again != lost
    assert state(own, again) is LongState.ANSWERED
    assert own.screenings.unscreened(limit=9) == []


def test_who_uploaded_and_the_digests_are_forgotten_at_the_end(system: System, tmp_path: Path) -> None:
    own = patient(system, tmp_path)
    screening = send(own, PICTURE)
    screen(own, take(own))
    with psycopg.connect(superuser(own.settings.data)) as connection:
        row = connection.execute(
            "select uploader, md5, sha1, sha256 from long_screening where id = %s", [screening]
        ).fetchone()
    assert row == (None, "", "", "")


def test_the_webhook_is_owed_with_the_answer_and_says_nothing_of_why(system: System, tmp_path: Path) -> None:
    own = patient(system, tmp_path, webhook=True)
    screening = send(own, PICTURE)
    assert own.effects.lease(["webhook.screening_ended"], most=9) == []

    screen(own, take(own))

    (owed,) = own.effects.lease(["webhook.screening_ended"], most=9)
    assert owed.payload == {"screening": screening}
    told = own.long.announcement(screening)
    assert told is not None
    assert (told.content_id, told.answer, told.status) == ("post-1", "publish", "answered")


def test_before_the_end_there_is_nothing_to_tell(system: System, tmp_path: Path) -> None:
    own = patient(system, tmp_path)
    assert own.long.announcement(send(own, PICTURE)) is None
    assert own.long.announcement("scr_none") is None
    assert own.long.standing("scr_none") is None


# --- died at each named point


def dying(act: Callable[[], object]) -> None:
    """Do it in a process that is killed in the middle, with connections of its own."""
    connections.close_all()
    connections["default"].close_pool()  # type: ignore[attr-defined]  # its threads would not come along
    child = os.fork()
    if child == 0:
        try:
            signal.alarm(60)
            act()
        except BaseException:  # noqa: BLE001  # said, and then this process ends
            traceback.print_exc()
        finally:
            os._exit(9)
    _, status = os.waitpid(child, 0)
    assert os.WIFSIGNALED(status), status
    assert os.WTERMSIG(status) == signal.SIGKILL


def kill_this() -> None:
    os.kill(os.getpid(), signal.SIGKILL)


def killed_in(owner: Any, name: str, monkeypatch: pytest.MonkeyPatch, *, after: bool = False) -> None:
    """Let this call kill the process that makes it."""
    real = getattr(owner, name)

    def call(*arguments: Any, **named: Any) -> Any:
        if after:
            real(*arguments, **named)
        kill_this()

    monkeypatch.setattr(owner, name, call)


def test_died_after_the_file_was_kept_before_its_row_the_file_is_swept_after_an_hour(
    system: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = patient(system, tmp_path)
    with monkeypatch.context() as patched:
        killed_in(spools.Waiting, "keep", patched, after=True)
        dying(lambda: send(own, PICTURE))

    assert own.long.count_open() == {"waiting": 0, "running": 0}
    assert len(own.spool.kept()) == 1
    assert sweep(own) == 0
    monkeypatch.setattr(spools, "ORPHANED_AFTER_SECONDS", -5.0)
    assert sweep(own) == 1


def test_died_before_the_row_was_committed_nothing_is_there(
    system: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = patient(system, tmp_path)
    with monkeypatch.context() as patched:
        killed_in(type(own.journal), "append", patched, after=True)
        dying(lambda: send(own, PICTURE, once=ONCE))

    assert own.long.count_open() == {"waiting": 0, "running": 0}
    assert own.screenings.first_answer(ONCE) is None


def test_died_after_the_row_before_the_reply_the_same_key_finds_it(
    system: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = patient(system, tmp_path)
    with monkeypatch.context() as patched:
        killed_in(type(own.long), "receive", patched, after=True)
        dying(lambda: send(own, PICTURE, once=ONCE))

    screening = send(own, PICTURE, once=ONCE)

    assert own.long.count_open() == {"waiting": 1, "running": 0}
    screen(own, take(own))
    assert body(own, screening)["answer"] == "publish"


@pytest.mark.parametrize("point", ["taking it up", "reading it", "recording it", "putting it back"])
def test_died_while_it_was_worked_on_it_is_taken_up_again_and_answered_once(
    system: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, point: str
) -> None:
    own = patient(system, tmp_path, lease=OVER)
    screening = send(own, PICTURE)
    dies = own
    with monkeypatch.context() as patched:
        match point:
            case "taking it up":
                killed_in(type(own.long), "take_up", patched, after=True)
            case "reading it":
                dies = saying(own, Reason.EMPTY, before=kill_this)
            case "recording it":
                killed_in(type(own.screenings), "record_inside", patched, after=True)
            case _:
                dies = saying(own, Reason.DECODER_FAILED)
                killed_in(type(own.long), "put_back", patched)
        dying(lambda: screen(dies, take(dies)))

    assert state(own, screening) is LongState.RUNNING
    with pytest.raises(ScreeningUnknown):
        own.screenings.get(screening)
    screen(own, take(own))
    assert state(own, screening) is LongState.ANSWERED
    assert tags(own, screening) == ["received", "begun", "begun", "answered"]
    assert len(own.journal.read(f"screening:{screening}")) == 1


def test_died_after_it_was_recorded_before_the_file_was_removed_the_file_is_swept_at_once(
    system: System, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    own = patient(system, tmp_path, lease=OVER)
    screening = send(own, PICTURE)
    with monkeypatch.context() as patched:
        killed_in(type(own.spool), "remove", patched)
        dying(lambda: screen(own, take(own)))

    assert state(own, screening) is LongState.ANSWERED
    assert own.long.take_up(own.spool.id) is None
    assert len(own.spool.kept()) == 1
    assert sweep(own) == 1


# --- the screener


def settled(screener: Screener) -> None:
    """Let what it works on come to its end."""
    for work in screener._works:
        work.thread.join(60)
        assert not work.thread.is_alive()


def test_a_screener_takes_up_as_many_as_allowed_and_none_while_the_banks_are_not_level(
    system: System, tmp_path: Path
) -> None:
    own = patient(system, tmp_path)
    own = dataclasses.replace(own, settings=own.settings.model_copy(update={"long_at_once": 2}))
    sent = [send(own, PICTURE, name=f"post-{number}") for number in range(3)]
    screener = Screener(own)

    assert screener.round(level=False) == 0
    assert screener.round(level=True) == 2
    settled(screener)
    assert screener.round(level=True) == 1
    settled(screener)

    assert {state(own, one) for one in sent} == {LongState.ANSWERED}
    assert screener.round(level=True) == 0
    assert screener.busy == 0


def test_a_screener_holds_what_is_overdue_instead_of_reading_it(system: System, tmp_path: Path) -> None:
    own = patient(system, tmp_path, patience=OVER)
    screening = send(own, PICTURE)
    screener = Screener(own)
    assert screener.round(level=True) == 1
    settled(screener)
    assert reason(own, screening) == Reason.TIMED_OUT


def test_what_fails_without_a_name_is_taken_up_again(system: System, tmp_path: Path) -> None:
    def fail() -> None:
        message = "a fault of ours"
        raise RuntimeError(message)

    own = patient(system, tmp_path, lease=OVER)
    screening = send(own, PICTURE)
    screener = Screener(saying(own, Reason.EMPTY, before=fail))
    assert screener.round(level=True) == 1
    settled(screener)

    assert state(own, screening) is LongState.RUNNING
    assert own.spool.kept() != []
    screen(own, take(own))
    assert state(own, screening) is LongState.ANSWERED


def test_a_taking_that_shows_no_sign_of_life_loses_its_lease(system: System, tmp_path: Path) -> None:
    own = patient(system, tmp_path, lease=LONG)
    send(own, PICTURE)
    taken: Taken = take(own)
    from threading import Thread

    from holdfast.screener import _Work

    work = _Work(taken, Thread())
    assert work.alive(0.0) is False
    taken.progress.seen(1.0, 0)
    assert work.alive(60.0) is True

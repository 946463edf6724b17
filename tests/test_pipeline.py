# SPDX-License-Identifier: Apache-2.0
"""One item from upload to recorded answer, with the real database and the real decoder.

What must never happen: that anything is published of which it was not known that it is unknown.
"""

from __future__ import annotations

import itertools
import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import replace
from functools import cache
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.bootstrap import System
from holdfast.demo.pictures import DISGUISES, encoded, hills, unscreenable
from holdfast.errors import IdempotencyConflict, JournalConflict, NotReady
from holdfast.intake.content import Content
from holdfast.intake.upload import TooLong, Upload, from_bytes
from holdfast.match import bank as banks
from holdfast.match import entry as entries
from holdfast.match.bank import Action
from holdfast.match.index import LayeredIndex
from holdfast.match.known import Known
from holdfast.match.look import exact_signals, look, signals_to_bank
from holdfast.match.signal import Signal
from holdfast.media.decoder import SandboxedDecoder
from holdfast.media.reason import Reason
from holdfast.pipeline import Once, Parts, find, screen
from tests.store.making import ACTOR, STORIES, TWO, add, all_rows, create, rows, together

ASKER = "key:abcdefgh"
SMALL = (640, 480)
REASONS = {
    "broken off in the middle": Reason.TRUNCATED,
    "a JPEG in name only": Reason.TRUNCATED,  # its first segment claims more bytes than there are
    "not a picture": Reason.UNKNOWN_TYPE,
    "empty": Reason.EMPTY,
    "over-large: 400 million pixels": Reason.TOO_LARGE,
    "an animation that breaks off": Reason.TRUNCATED,
    "a flat colour": Reason.LOW_QUALITY,
    "encrypted": Reason.ENCRYPTED,
}
MAGIC = (
    b"",
    b"\xff\xd8\xff\xe0",
    b"\x89PNG\r\n\x1a\n",
    b"GIF89a",
    b"BM",
    b"II*\x00",
    b"RIFF____WEBP",
    b"\x00\x00\x01\x00",
)


@cache
def known_picture() -> Any:
    return hills(1)


@cache
def known() -> bytes:
    """The file of a picture that the tests put into a bank."""
    return encoded(known_picture())


@cache
def unrelated() -> bytes:
    """The file of a picture that nobody knows."""
    return encoded(hills(2))


@cache
def samples() -> dict[str, bytes]:
    """Files about which nothing can be told, by their titles."""
    return {sample.title: sample.content for sample in unscreenable(hills(3, SMALL))}


def received(content: bytes) -> Upload:
    upload = from_bytes(content, max(1, len(content)))
    assert isinstance(upload, Upload)
    return upload


def signals_of(system: System, content: bytes) -> tuple[Signal, ...]:
    with received(content) as upload:
        return signals_to_bank(look(upload, system.decoder), exact_only=True)


def digests_of(content: bytes) -> tuple[Signal, ...]:
    with received(content) as upload:
        return exact_signals(upload)


def screened(
    system: System, content: bytes, *, parts: Parts | None = None, once: Once | None = None, item: str = "post-1"
) -> dict[str, Any]:
    """What the pipeline answers. The banks are loaded first, as a server has them when it is ready."""
    if system.known.ready_to is None:
        system.known.follow()
    # As a door does: what was answered to the key before is read with the key.
    asked = once and replace(once, first=system.screenings.first_answer(once))
    with received(content) as upload:
        return screen(upload, Content(id=item), asked_by=ASKER, once=asked, parts=parts or system.parts())


def told(answer: dict[str, Any]) -> tuple[str, str, str | None]:
    """(answer, verdict, reason)"""
    return answer["answer"], answer["explanation"]["verdict"], answer["explanation"]["reason"]


# --- what is known is held, what is not is published


@pytest.fixture
def stocked(system: System) -> System:
    """The system with one picture in its bank."""
    create(system)
    add(system, *signals_of(system, known()))
    return system


def test_a_known_picture_is_held(stocked: System) -> None:
    answer = screened(stocked, known())
    assert told(answer) == ("hold", "matched", None)
    assert {match["distance"] for match in answer["explanation"]["matches"]} == {0}
    assert {match["signal"] for match in answer["explanation"]["matches"]} == {"md5", "sha1", "sha256", "pdq"}


@pytest.mark.parametrize("disguise", DISGUISES)
def test_a_known_picture_in_disguise_is_held(stocked: System, disguise: str) -> None:
    answer = screened(stocked, DISGUISES[disguise](known_picture()))
    assert told(answer) == ("hold", "matched", None)
    (match,) = answer["explanation"]["matches"]
    assert match["signal"] == "pdq"
    assert match["distance"] <= match["threshold"] == banks.DEFAULT_THRESHOLD


def test_pictures_that_nobody_knows_are_published(stocked: System) -> None:
    for content in (unrelated(), *(encoded(hills(seed, SMALL)) for seed in range(10, 16))):
        assert told(screened(stocked, content)) == ("publish", "no_match", None)


def test_a_match_with_a_bank_for_review_is_held_too(system: System) -> None:
    create(system, action=Action.REVIEW)
    add(system, *signals_of(system, known()))
    assert told(screened(system, known())) == ("hold", "matched", None)


# --- what could not be told is held


def test_every_kind_of_sample_has_its_reason_in_this_test() -> None:
    assert set(REASONS) == set(samples())


@pytest.mark.parametrize("title", REASONS)
def test_what_cannot_be_screened_is_held_and_the_reason_is_told(stocked: System, title: str) -> None:
    answer = screened(stocked, samples()[title])
    assert told(answer) == ("hold", "not_screened", REASONS[title])
    assert answer["explanation"]["reason_says"] == REASONS[title].says
    assert answer["explanation"]["send_again"] is False
    (item,) = stocked.screenings.unscreened(limit=9)
    assert (item.held.reason, item.held.content) == (REASONS[title], "post-1")


@pytest.mark.parametrize("title", [title for title in REASONS if title != "empty"])
def test_what_cannot_be_decoded_but_has_a_known_digest_is_a_match(system: System, title: str) -> None:
    create(system)
    add(system, digests_of(samples()[title])[0])
    answer = screened(system, samples()[title])
    assert told(answer) == ("hold", "matched", None)
    assert [match["variant"] for match in answer["explanation"]["matches"]] == ["bytes"]
    assert system.screenings.unscreened(limit=9) == []


def test_an_upload_beyond_the_limit_is_held_unread(stocked: System) -> None:
    stocked.known.follow()
    parts = stocked.parts()
    answer = screen(TooLong(10), Content(id="post-1"), asked_by=ASKER, once=None, parts=parts)
    assert told(answer) == ("hold", "not_screened", Reason.TOO_LARGE)


@STORIES
@given(st.sampled_from(MAGIC), st.binary(max_size=400))
def test_no_bytes_that_are_no_picture_are_ever_published(system: System, magic: bytes, rest: bytes) -> None:
    answer = screened(system, magic + rest)
    assert answer["answer"] == "hold"
    assert answer["explanation"]["verdict"] == "not_screened"


# --- banks that only record


IGNORED_MATRIX = {
    "unknown": unrelated,
    "known": known,
    **{title: lambda title=title: samples()[title] for title in REASONS if title != "empty"},
}


@pytest.mark.parametrize("content", IGNORED_MATRIX.values(), ids=IGNORED_MATRIX)
def test_a_bank_that_is_ignored_never_changes_an_answer(stocked: System, content: Callable[[], bytes]) -> None:
    before = screened(stocked, content(), item="before")
    create(stocked, "noted", action=Action.IGNORE, threshold=64)
    noted = add(stocked, *signals_of(stocked, content()), name="noted")
    after = screened(stocked, content(), item="after")
    assert after["answer"] == before["answer"]
    assert after["explanation"]["reason"] == before["explanation"]["reason"]
    assert noted.id in [match["entry"] for match in after["explanation"]["matches"]], "but it is recorded"
    held = [item.held.content for item in stocked.screenings.unscreened(limit=9)]
    assert held in ([], ["before", "after"]), "an ignored match neither opens nor spares an unscreened hold"


# --- banks that change meanwhile


def test_an_entry_added_since_the_banks_were_followed_is_found(system: System) -> None:
    create(system)
    assert screened(system, known())["answer"] == "publish"
    level = system.known.ready_to
    add(system, *[signal for signal in signals_of(system, known()) if not signal.type.is_exact])
    assert system.known.ready_to == level, "nobody has followed"
    answer = screened(system, known())
    assert told(answer) == ("hold", "matched", None)
    assert answer["explanation"]["list_version"] == system.banks.newest_change()


def test_an_entry_removed_since_the_banks_were_followed_is_not_found(system: System) -> None:
    create(system)
    entry = add(system, *signals_of(system, known()))
    assert screened(system, known())["answer"] == "hold"
    system.banks.change_entry("bank", entry.id, entries.RemoveEntry(because="a mistake"), actor=TWO)
    assert told(screened(system, known())) == ("publish", "no_match", None)


def test_a_bank_enabled_since_the_banks_were_followed_is_found(stocked: System) -> None:
    stocked.banks.change_bank("bank", banks.DisableBank(), actor=TWO)
    assert screened(stocked, known())["answer"] == "publish"
    stocked.banks.change_bank("bank", banks.EnableBank(), actor=ACTOR)
    assert screened(stocked, known())["answer"] == "hold"


class ChangedBehindTheBack(Known):
    """A memory right after whose look-up somebody else commits a change, as often as `changes` has one."""

    changes: Iterator[Callable[[], object]] = iter(())

    def near(self, *given: Any) -> Any:
        found = super().near(*given)
        for change in itertools.islice(self.changes, 1):
            change()
        return found


def test_a_bank_changed_between_look_up_and_recording_is_noticed(system: System) -> None:
    create(system)
    entry = [signal for signal in signals_of(system, known()) if not signal.type.is_exact]
    memory = ChangedBehindTheBack(LayeredIndex, system.banks)
    memory.follow()
    memory.changes = iter([lambda: add(system, *entry)])
    answer = screened(system, known(), parts=replace(system.parts(), known=memory))
    assert told(answer) == ("hold", "matched", None)
    assert rows(system.settings.data, "screening") == {"screening": 1}, "the outdated look-up was never recorded"


def test_banks_that_change_faster_than_they_can_be_followed_give_no_answer(system: System) -> None:
    create(system)
    memory = ChangedBehindTheBack(LayeredIndex, system.banks)
    memory.follow()
    memory.changes = iter(lambda: lambda: create(system, f"bank-{system.banks.newest_change()}"), None)
    with pytest.raises(NotReady):
        screened(system, unrelated(), parts=replace(system.parts(), known=memory))
    assert rows(system.settings.data, "screening", "unscreened") == {"screening": 0, "unscreened": 0}


def test_who_screens_after_an_entry_was_committed_finds_it_whatever_else_is_changing(system: System) -> None:
    """Each thread adds a picture and screens it at once, through one shared memory that all of them disturb."""
    create(system)
    pictures = [encoded(hills(seed, SMALL)) for seed in range(20, 24)]
    signals = [[one for one in signals_of(system, content) if not one.type.is_exact] for content in pictures]
    system.known.follow()

    def add_and_screen(number: int) -> list[str]:
        answers = []
        for _ in range(3):
            entry = add(system, *signals[number])
            answers.append(screened(system, pictures[number], item=f"post-{number}")["answer"])
            system.banks.change_entry("bank", entry.id, entries.RemoveEntry(because="test"), actor=TWO)
            answers.append(screened(system, pictures[number], item=f"post-{number}")["answer"])
        return answers

    answers = together([lambda number=number: add_and_screen(number) for number in range(len(pictures))])  # type: ignore[misc]
    assert answers == [["hold", "publish"] * 3] * len(pictures)


def test_before_the_banks_are_loaded_there_is_no_answer_and_nothing_is_recorded(system: System) -> None:
    create(system)
    add(system, *signals_of(system, known()))
    before = all_rows(system)
    for content in (known(), unrelated(), b"", samples()["encrypted"]):
        with received(content) as upload, pytest.raises(NotReady):
            screen(upload, Content(id="post-1"), asked_by=ASKER, once=None, parts=system.parts())
    assert all_rows(system) == before


@pytest.mark.parametrize("disabled", [False, True])
def test_a_digest_that_stands_in_a_bank_is_looked_into_even_if_nothing_looks_alike(
    system: System, disabled: bool
) -> None:
    create(system)
    digests = [one for one in signals_of(system, unrelated()) if one.type.is_exact]
    entry = add(system, *digests)
    if disabled:
        system.banks.change_entry("bank", entry.id, entries.DisableEntry(), actor=TWO)
    answer = screened(system, unrelated())
    assert answer["answer"] == ("publish" if disabled else "hold")
    assert len(system.journal.read(f"screening:{answer['screening']}")) == 1


# --- what is recorded


@pytest.mark.parametrize("content", [known, unrelated, lambda: samples()["not a picture"]])
def test_the_answer_stands_in_the_journal_before_it_is_given(stocked: System, content: Callable[[], bytes]) -> None:
    answer = screened(stocked, content(), item="post-7")
    recorded = stocked.screenings.get(answer["screening"])
    explanation = answer["explanation"]
    assert (recorded["content"], recorded["answer"]) == ("post-7", answer["answer"])
    for shared in ("verdict", "reason", "shadow", "list_version", "matches"):
        assert recorded[shared] == explanation[shared]
    (row,) = stocked.journal.read(f"screening:{answer['screening']}")
    assert row.actor == ASKER


def test_in_shadow_everything_is_published_and_the_true_verdict_recorded(stocked: System) -> None:
    parts = replace(stocked.parts(), shadow=True)
    verdicts = {}
    for title, content in {"known": known(), "unrelated": unrelated(), **samples()}.items():
        answer = screened(stocked, content, parts=parts, item=title)
        assert answer["answer"] == "publish"
        recorded = stocked.screenings.get(answer["screening"])
        assert (recorded["answer"], recorded["shadow"]) == ("publish", True)
        assert recorded["verdict"] == answer["explanation"]["verdict"]
        verdicts[title] = recorded["reason"] or recorded["verdict"]
    assert verdicts == {"known": "matched", "unrelated": "no_match", **REASONS}
    assert stocked.screenings.unscreened(limit=9) == []


def test_an_id_that_is_taken_again_and_again_is_a_conflict(stocked: System) -> None:
    parts = replace(stocked.parts(), new_id=lambda kind: f"{kind}_always_the_same")
    screened(stocked, unrelated(), parts=parts)
    before = all_rows(stocked)
    with pytest.raises(JournalConflict):
        screened(stocked, unrelated(), parts=parts)
    assert all_rows(stocked) == before


# --- without a decoder


@contextmanager
def hanging_up(path: Path) -> Iterator[Path]:
    """A socket that takes every connection and ends it at once."""
    with socket.socket(socket.AF_UNIX) as listener:
        listener.bind(str(path))
        listener.listen()

        def hang_up() -> None:
            while True:
                try:
                    listener.accept()[0].close()
                except OSError:
                    return

        thread = threading.Thread(target=hang_up)
        thread.start()
        yield path
        listener.shutdown(socket.SHUT_RDWR)
        thread.join()


def without_decoder(system: System, path: Path) -> Parts:
    return replace(system.parts(), decoder=SandboxedDecoder(path, 1.0, system.settings.max_pixels))


def test_when_no_decoder_listens_nothing_at_all_is_published(stocked: System) -> None:
    parts = without_decoder(stocked, Path("/nonexistent/decoder.sock"))
    for title, content in {"unrelated": unrelated(), **samples()}.items():
        answer = screened(stocked, content, parts=parts, item=title)
        assert told(answer)[:2] == ("hold", "not_screened")
    answer = screened(stocked, unrelated(), parts=parts)
    assert told(answer)[2] == Reason.DECODER_UNAVAILABLE
    assert answer["explanation"]["send_again"] is True


def test_when_the_decoder_hangs_up_nothing_at_all_is_published(stocked: System, tmp_path: Path) -> None:
    with hanging_up(tmp_path / "decoder.sock") as path:
        parts = without_decoder(stocked, path)
        for title, content in {"unrelated": unrelated(), **samples()}.items():
            assert told(screened(stocked, content, parts=parts, item=title))[:2] == ("hold", "not_screened")


def test_without_a_decoder_a_known_digest_is_still_a_match(stocked: System) -> None:
    answer = screened(stocked, known(), parts=without_decoder(stocked, Path("/nonexistent/decoder.sock")))
    assert told(answer) == ("hold", "matched", None)


@STORIES
@given(st.sampled_from(MAGIC), st.binary(max_size=64))
def test_without_a_decoder_no_bytes_whatever_are_published(system: System, magic: bytes, rest: bytes) -> None:
    parts = without_decoder(system, Path("/nonexistent/decoder.sock"))
    assert screened(system, magic + rest, parts=parts)["answer"] == "hold"


def test_when_the_decoder_is_back_the_same_item_is_screened_after_all(stocked: System) -> None:
    screened(stocked, unrelated(), parts=without_decoder(stocked, Path("/nonexistent/decoder.sock")))
    assert len(stocked.screenings.unscreened(limit=9)) == 1
    assert screened(stocked, unrelated())["answer"] == "publish"
    assert stocked.screenings.unscreened(limit=9) == []


# --- asking twice


ONCE = Once("abcdefgh", "upload-1", lambda: "digest of the request")


def test_the_same_request_with_the_same_idempotency_key_gets_the_same_answer_and_one_row(stocked: System) -> None:
    first = screened(stocked, unrelated(), once=ONCE)
    before = all_rows(stocked)
    assert screened(stocked, unrelated(), once=ONCE) == first
    assert all_rows(stocked) == before


def test_an_answer_that_asking_again_may_change_is_not_kept_for_its_idempotency_key(stocked: System) -> None:
    broken = without_decoder(stocked, Path("/nonexistent/decoder.sock"))
    assert told(screened(stocked, unrelated(), parts=broken, once=ONCE))[2] == Reason.DECODER_UNAVAILABLE
    second = screened(stocked, unrelated(), once=ONCE)
    assert told(second) == ("publish", "no_match", None)
    assert screened(stocked, unrelated(), parts=broken, once=ONCE) == second, "from then on it is kept"


def test_another_request_with_the_same_idempotency_key_is_refused_and_not_recorded(stocked: System) -> None:
    screened(stocked, unrelated(), once=ONCE)
    before = all_rows(stocked)
    with pytest.raises(IdempotencyConflict):
        screened(stocked, known(), once=replace(ONCE, digest=lambda: "another digest"))
    assert all_rows(stocked) == before


def test_without_an_idempotency_key_every_request_is_answered_anew(stocked: System) -> None:
    first, second = (screened(stocked, unrelated()) for _ in range(2))
    assert first["screening"] != second["screening"]
    assert rows(stocked.settings.data, "screening") == {"screening": 2}


@pytest.mark.parametrize("content", [unrelated, lambda: samples()["not a picture"]])
def test_ten_at_once_with_the_same_idempotency_key_get_one_answer(
    stocked: System, content: Callable[[], bytes]
) -> None:
    stocked.known.follow()
    file = content()
    before = rows(stocked.settings.data, "journal", "unscreened")
    answers = together([lambda: screened(stocked, file, once=ONCE)] * 10)
    assert all(answer == answers[0] for answer in answers)
    after = rows(stocked.settings.data, "screening", "idempotency", "journal", "unscreened")
    held = int(answers[0]["answer"] == "hold")
    assert after == {
        "screening": 1,
        "idempotency": 1,
        "journal": before["journal"] + 1 + held,
        "unscreened": held,
    }


def test_many_at_once_about_the_same_item_are_all_answered(stocked: System) -> None:
    stocked.known.follow()
    file = samples()["not a picture"]
    answers = together([lambda: screened(stocked, file)] * 6)
    assert [answer["answer"] for answer in answers] == ["hold"] * 6
    assert len({answer["screening"] for answer in answers}) == 6
    assert len(stocked.screenings.unscreened(limit=9)) == 1


# --- looking up without an item


def test_a_lookup_finds_what_was_banked_a_moment_ago_and_records_nothing(stocked: System) -> None:
    stocked.known.follow()
    with received(unrelated()) as upload:
        seen = look(upload, stocked.decoder)
    assert find(seen, stocked.parts()) == ()
    entry = add(stocked, *signals_of(stocked, unrelated()))
    before = all_rows(stocked)
    assert {match.entry for match in find(seen, stocked.parts())} == {entry.id}
    assert all_rows(stocked) == before


def test_before_the_banks_are_loaded_a_lookup_is_not_answered(stocked: System) -> None:
    with received(unrelated()) as upload:
        seen = look(upload, stocked.decoder)
    with pytest.raises(NotReady):
        find(seen, stocked.parts())

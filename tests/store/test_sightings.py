# SPDX-License-Identifier: Apache-2.0
"""What the index finds of known videos becomes one match for each, with the part that was seen again."""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from hypothesis import given
from hypothesis import strategies as st

from holdfast.bootstrap import System
from holdfast.match import bank as banks
from holdfast.match.bank import Action, BankKind
from holdfast.match.entry import Entry, GiveOpinion, Opinion
from holdfast.match.known import MOST_OF_EACH, MOST_WHOLE
from holdfast.match.screen import Match, judge, matches_of
from holdfast.match.signal import Signal, SignalType
from holdfast.match.variant import in_frame
from holdfast.match.video import MOST_STRAYS, Film, Strength, VideoRule
from holdfast.media.pdq import from_hex
from tests.match.frames import film, frame_hash, video
from tests.store.making import ACTOR, STORIES, TWO, add, create

CLIP = list(range(1000, 1030))


def found(system: System, looks: Sequence[int], shown: Film | None = None, *, apart: int = 0) -> list[Match]:
    """What the system finds for an upload that shows these looks, the way the pipeline asks; judged."""
    system.known.follow()
    hashes = np.array([from_hex(frame_hash(look, flipped=apart)) for look in looks], np.uint64).reshape(-1, 4)
    _, neighbours = system.known.near(hashes)
    near = [(one.label, in_frame(one.query, "full.as_is"), one.distance) for one in neighbours]
    _, matches = system.banks.look_up([], near, shown)
    return list(matches_of(judge(matches, None)))


def shown(system: System, looks: Sequence[int], *, apart: int = 0) -> list[Match]:
    """The same of a film at one look a second."""
    return found(system, looks, film(looks), apart=apart)


def picture(look: int) -> Signal:
    return Signal(SignalType.PDQ, frame_hash(look))


def others(count: int, first: int = 0) -> list[int]:
    return list(range(first, first + count))


def test_a_known_video_late_in_another_is_one_match_that_says_where(system: System) -> None:
    create(system)
    entry = add(system, *video(CLIP))
    (match,) = shown(system, [*others(40), *CLIP[:10], *others(40, 500)], apart=5)
    assert (match.entry, match.signal, match.distance, match.threshold) == (entry.id, SignalType.VPDQ, 5, 31)
    assert match.part is not None
    assert (match.part.frames, match.part.of, match.part.seconds.upload) == (10, 30, (40.0, 50.0))
    assert match.part.seconds.entry == (0.0, 10.0)
    assert match.effect is Action.HOLD


def test_frames_with_equal_hashes_all_stand_and_are_read_back_with_their_times(system: System) -> None:
    create(system)
    frames = video([1, 1, 2, 1])
    entry = add(system, *frames)
    (again,) = system.banks.entries("bank")
    assert set(again.signals) == set(frames)
    assert again.id == entry.id


def test_one_frame_of_a_film_is_recorded_and_leads_to_nothing(system: System) -> None:
    create(system)
    add(system, *video(CLIP))
    (match,) = shown(system, [*others(40), CLIP[7], *others(40, 500)])
    assert match.part
    assert (match.part.strength, match.effect) == (Strength.STRAY, Action.IGNORE)


def test_a_still_of_a_known_video_is_for_a_person_to_look_at(system: System) -> None:
    create(system)
    add(system, *video(CLIP))
    (match,) = found(system, [CLIP[7]])
    assert match.part
    assert (match.signal, match.effect, match.part.seconds.upload) == (SignalType.VPDQ, Action.REVIEW, None)


def test_a_known_picture_in_a_film_matches_as_it_does_by_itself(system: System) -> None:
    create(system)
    entry = add(system, picture(7))
    (match,) = shown(system, [*others(5, 100), 7, *others(300, 500)])
    assert (match.entry, match.signal, match.frame, match.effect) == (entry.id, SignalType.PDQ, 5, Action.HOLD)
    assert match.part is None


def test_distances_beyond_the_banks_threshold_do_not_count(system: System) -> None:
    create(system, threshold=10)
    create(system, "wide", threshold=40)
    add(system, *video(CLIP))
    assert shown(system, CLIP, apart=10)
    assert shown(system, CLIP, apart=11) == []


def test_a_bank_that_asks_for_more_finds_less(system: System) -> None:
    create(system)
    add(system, *video(CLIP))
    upload = [*others(100), *CLIP[:5]]
    assert shown(system, upload)[0].effect is Action.HOLD
    rule = VideoRule(least_frames=10, least_seconds=10)
    system.banks.change_bank("bank", banks.ChangeVideoRule(rule=rule, because="tests"), actor=TWO)
    assert system.banks.get("bank").video == rule
    assert shown(system, upload)[0].effect is Action.REVIEW


def test_the_action_and_a_dispute_count_as_for_pictures(system: System) -> None:
    create(system, action=Action.REVIEW)
    add(system, *video(CLIP))
    assert [one.effect for one in shown(system, CLIP)] == [Action.REVIEW]
    create(system, "other")
    entry = add(system, *video(CLIP), name="other")
    assert sorted(one.effect for one in shown(system, CLIP)) == [Action.HOLD, Action.REVIEW]
    dispute(system, entry)
    assert sorted(one.effect for one in shown(system, CLIP)) == [Action.REVIEW, Action.REVIEW]


def dispute(system: System, entry: Entry) -> None:
    command = GiveOpinion(opinion=Opinion.DISPUTED, because="tests")
    system.banks.change_entry(entry.bank, entry.id, command, actor=TWO)


def test_what_is_as_near_to_something_benign_does_not_count(system: System) -> None:
    create(system)
    create(system, "benign", kind=BankKind.BENIGN)
    known = add(system, *video([*CLIP, *others(5, 70)]))
    upload = [*others(40, 200), *others(5, 70)]
    assert effects(shown(system, upload))[known.id] is Action.HOLD
    system.banks.add_entries("benign", [(video(others(5, 70)), "tests")], actor=TWO)
    assert effects(shown(system, upload))[known.id] is Action.IGNORE
    assert effects(shown(system, [*others(40, 200), *CLIP]))[known.id] is Action.HOLD
    assert effects(shown(system, [*others(40, 200), *others(5, 70), *CLIP[:6]]))[known.id] is Action.HOLD


def effects(matches: Sequence[Match]) -> dict[str, Action]:
    return {match.entry: match.effect for match in matches}


def test_of_many_strays_only_the_nearest_are_recorded(system: System) -> None:
    create(system)
    looks = range(2000, 2000 + MOST_STRAYS + 5)
    system.banks.add_entries("bank", [(video([look, *others(20, 40 * look)]), "tests") for look in looks], actor=ACTOR)
    upload = [one for look in looks for one in (look, *others(3, 100 * look))]
    matches = shown(system, upload)
    assert len(matches) == MOST_STRAYS
    assert {match.effect for match in matches} == {Action.IGNORE}


def test_two_known_videos_that_share_frames_are_both_told(system: System) -> None:
    create(system)
    one, other = add(system, *video(CLIP)), add(system, *video([*CLIP[:20], *others(20)]))
    assert {match.entry for match in shown(system, CLIP[:10])} == {one.id, other.id}


def test_what_is_removed_no_longer_matches(system: System) -> None:
    create(system)
    add(system, *video(CLIP))
    system.banks.change_bank("bank", banks.DisableBank(), actor=TWO)
    assert shown(system, CLIP) == []


def test_a_long_film_of_one_look_gives_no_more_pairs_than_can_be_held_and_is_found(system: System) -> None:
    create(system)
    add(system, *video([7] * 60))
    system.known.follow()
    hashes = np.repeat(from_hex(frame_hash(7)).reshape(1, 4), MOST_WHOLE + 1, axis=0)
    _, neighbours = system.known.near(hashes)
    assert len(neighbours) == 60 * MOST_OF_EACH
    assert [one.effect for one in shown(system, [7] * (MOST_WHOLE + 1))] == [Action.HOLD]


def test_a_long_film_finds_what_a_short_one_finds(system: System) -> None:
    create(system)
    entry = add(system, *video(CLIP))
    upload = [*others(MOST_WHOLE, 5000), *CLIP]
    (match,) = shown(system, upload)
    assert match.part
    assert (match.entry, match.part.frames) == (entry.id, len(CLIP))
    assert match.part.seconds.upload == (MOST_WHOLE, MOST_WHOLE + len(CLIP))


def test_the_same_excerpt_is_found_wherever_it_lies(system: System) -> None:
    create(system)
    add(system, *video(CLIP))

    @STORIES
    @given(st.integers(0, 26), st.integers(3, 20), st.integers(0, 60), st.integers(0, 31))
    def excerpt(start: int, length: int, before: int, apart: int) -> None:
        part = CLIP[start : start + length]
        (match,) = shown(system, [*others(before), *part, *others(5, 500)], apart=apart)
        assert match.part
        assert (match.part.frames, match.distance) == (len(part), apart)
        assert match.part.seconds.upload == (before, before + len(part))

    excerpt()

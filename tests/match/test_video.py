# SPDX-License-Identifier: Apache-2.0
"""A part of a known video is found wherever it lies; one frame that looks alike concludes nothing."""

from __future__ import annotations

from collections.abc import Sequence
from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import InvalidRequest
from holdfast.match.again import seen_again
from holdfast.match.chain import longest_chain
from holdfast.match.video import (
    MOST_SHOWN_MS,
    USUAL,
    Part,
    Strength,
    VideoRule,
    beside_benign,
    check_rule,
    part_body,
)
from tests.match.frames import film, known, near

CLIP = list(range(1000, 1060))
"""A known minute, at one frame a second."""
LENGTHS = st.integers(3, 40)


def others(count: int, first: int = 0) -> list[int]:
    return list(range(first, first + count))


def seen(upload: Sequence[int], looks: Sequence[int] = CLIP, rule: VideoRule = USUAL, **how: object) -> Part:
    return seen_again(near(upload, looks), known(looks), film(upload, **how), rule)  # type: ignore[arg-type]


# --- what is found


def test_a_known_minute_inside_ten_is_found_and_said_where() -> None:
    found = seen([*others(270), *CLIP, *others(270, 500)])
    assert found.strength is Strength.FIRM
    assert (found.frames, found.looks, found.of, found.covered) == (60, 60, 60, 60.0)
    assert found.seconds.upload == (270.0, 330.0)
    assert found.seconds.entry == (0.0, 60.0)
    assert found.length == 600.0


def test_vpdqs_shares_alone_would_miss_it() -> None:
    by_share = VideoRule(least_frames=1000, least_seconds=3600)
    upload = [*others(540), *CLIP[:20]]
    assert seen(upload, rule=by_share).strength is not Strength.FIRM
    assert seen(upload).strength is Strength.FIRM


@given(LENGTHS, st.integers(0, 57), st.integers(0, 50), st.integers(0, 50))
def test_three_frames_and_more_of_a_known_video_are_found_wherever_they_lie(
    length: int, start: int, before: int, after: int
) -> None:
    excerpt = CLIP[start : start + length]
    upload = [*others(before), *excerpt, *others(after, 500)]
    found = seen(upload)
    assert found.strength is Strength.FIRM
    assert found.frames == found.looks == len(excerpt)
    assert found.seconds.upload == (before, before + len(excerpt))
    assert found.seconds.entry == (start, start + len(excerpt))


@given(LENGTHS, st.integers(0, 30))
def test_backwards_it_is_the_same_video(length: int, before: int) -> None:
    upload = [*others(before), *CLIP[:length][::-1]]
    found = seen(upload)
    assert (found.strength, found.frames) == (Strength.FIRM, length)
    assert found.seconds.upload == (before, before + length)


@given(st.integers(2, 4), st.sampled_from([0.25, 0.5, 2.0]))
def test_faster_and_slower_it_is_the_same_video(every: int, step: float) -> None:
    found = seen([*others(20), *CLIP[::every]], step=step)
    assert found.strength is Strength.FIRM
    assert found.frames == len(CLIP[::every])


@given(st.integers(1, 12), st.integers(0, 40))
def test_half_of_a_short_known_video_is_enough(length: int, before: int) -> None:
    short = CLIP[:length]
    upload = [*others(before), *short[: -(-length // 2)]]
    assert seen(upload, short).strength is Strength.FIRM


def test_a_video_banked_at_every_frame_counts_by_seconds_and_by_the_uploads_frames() -> None:
    looks = [1000 + number // 30 for number in range(1800)]  # a minute at 30 a second
    pairs = near([*others(100), *CLIP[:10]], looks)
    found = seen_again(pairs, known(looks, step_ms=33), film([*others(100), *CLIP[:10]]), USUAL)
    assert found.strength is Strength.FIRM
    assert found.frames == 10
    assert found.covered == pytest.approx(9.9, abs=0.2)


def test_what_stands_still_in_the_upload_counts_as_long_as_it_is_shown() -> None:
    looks = [7] * 30
    upload = [*others(50, 100), 7]
    found = seen_again(near(upload, looks), known(looks), film(upload, stands_for={50: 30}), USUAL)
    assert (found.strength, found.frames, found.looks) == (Strength.FIRM, 30, 1)
    assert found.seconds.upload == (50.0, 80.0)


def test_two_stretches_far_apart_are_told_by_the_longer() -> None:
    found = seen([*CLIP[:5], *others(100), *CLIP[5:25]])
    assert found.frames == 25
    assert found.seconds.upload == (105.0, 125.0)
    assert found.seconds.entry == (5.0, 25.0)


# --- what concludes nothing, or little


@given(st.integers(0, 59), st.integers(10, 300), st.integers(10, 300))
def test_one_frame_of_a_film_is_a_stray(place: int, before: int, after: int) -> None:
    assert seen([*others(before), CLIP[place], *others(after, 500)]).strength is Strength.STRAY


def test_the_same_frame_again_and_again_is_one_look() -> None:
    upload = [one for number in range(20) for one in (CLIP[5], *others(9, 10 * number))]
    assert seen(upload).strength is Strength.STRAY


def test_a_card_that_stands_still_in_both_is_for_a_person_to_look_at() -> None:
    looks = [7, 7, 7, 7, 7, *CLIP]
    found = seen([*others(100), 7, 7, 7, 7, 7], looks)
    assert (found.strength, found.frames, found.looks) == (Strength.WEAK, 5, 1)


def test_two_different_frames_are_for_a_person_to_look_at() -> None:
    assert seen([*others(100), *CLIP[20:22], *others(100, 500)]).strength is Strength.WEAK


def test_a_picture_of_a_known_video_is_for_a_person_to_look_at() -> None:
    found = seen_again(near([CLIP[3]], CLIP), known(CLIP), None, USUAL)
    assert (found.strength, found.seconds.upload, found.length) == (Strength.WEAK, None, None)
    assert found.seconds.entry == (3.0, 4.0)


def test_an_animation_of_a_known_video_is_that_video() -> None:
    found = seen_again(near(CLIP[10:20], CLIP), known(CLIP), None, USUAL)
    assert (found.strength, found.frames, found.seconds.upload) == (Strength.FIRM, 10, None)


@given(st.lists(st.integers(1000, 1059), min_size=1, max_size=30), st.integers(50, 100))
def test_more_of_the_known_video_never_makes_it_weaker(shown: list[int], around: int) -> None:
    order = [Strength.STRAY, Strength.WEAK, Strength.FIRM]
    upload = [*others(around), *shown, *others(around, 500)]
    more = [*others(around), *shown, max(shown) + 1 if max(shown) < 1059 else shown[-1], *others(around, 500)]
    assert order.index(seen(more).strength) >= order.index(seen(upload).strength)


@given(
    st.builds(
        VideoRule,
        least_frames=st.integers(1, 80),
        least_seconds=st.floats(0, 80),
        query_percent=st.floats(1, 100),
        compared_percent=st.floats(0, 100),
    ),
    LENGTHS,
)
def test_asking_for_more_never_finds_more(rule: VideoRule, length: int) -> None:
    upload = [*others(100), *CLIP[:length]]
    stricter = VideoRule(
        least_frames=rule.least_frames + 1,
        least_seconds=rule.least_seconds + 1,
        query_percent=100,
        compared_percent=100,
    )
    if seen(upload, rule=stricter).strength is Strength.FIRM:
        assert seen(upload, rule=rule).strength is Strength.FIRM


@given(st.lists(st.integers(1000, 1059) | st.integers(0, 500), min_size=1, max_size=60))
def test_numbers_of_a_part_are_within_what_there_is(upload: list[int]) -> None:
    pairs = near(upload, CLIP)
    if not pairs:
        return
    found = seen_again(pairs, known(CLIP), film(upload), USUAL)
    assert 1 <= found.looks <= found.frames <= min(len(upload), len(CLIP))
    assert 0 < found.covered <= len(CLIP) * MOST_SHOWN_MS / 1000
    assert found.seconds.upload is not None
    assert 0 <= found.seconds.upload[0] < found.seconds.upload[1] <= len(upload)
    assert 0 <= found.seconds.entry[0] < found.seconds.entry[1] <= len(CLIP)


# --- the longest chain, against brute force


def chains(pairs: set[tuple[int, int]]) -> int:
    """How many pairs the longest run has in which both numbers always rise, or one rises while the other falls."""
    longest = 0
    for sign in (1, -1):
        best: dict[tuple[int, int], int] = {}
        for at, place in sorted(pairs, key=lambda pair: (pair[0], sign * pair[1])):
            before = [best[one] for one in best if one[0] < at and sign * one[1] < sign * place]
            best[at, place] = 1 + max(before, default=0)
        longest = max([longest, *best.values()])
    return longest


@given(st.sets(st.tuples(st.integers(0, 8), st.integers(0, 8)), min_size=1, max_size=40))
def test_the_chain_is_a_chain_and_none_has_more_frames(pairs: set[tuple[int, int]]) -> None:
    chain = longest_chain(list(pairs))
    assert set(chain) <= pairs
    assert all(one[0] <= other[0] for one, other in pairwise(chain))
    places = [place for _, place in chain]
    assert places in (sorted(places), sorted(places, reverse=True))
    frames = min(len({at for at, _ in chain}), len(set(places)))
    assert frames >= chains(pairs)


# --- beside something benign, and as it is told


def test_what_is_left_beside_something_benign_is_what_counts() -> None:
    whole, rest = seen([*others(100), *CLIP[:20]]), seen([*others(100), *CLIP[:2]])
    assert beside_benign(whole, rest).strength is rest.strength
    assert beside_benign(whole, whole).strength is Strength.FIRM
    assert beside_benign(whole, None).strength is Strength.STRAY


def test_if_half_of_the_known_video_is_there_somebody_looks_however_benign_it_is() -> None:
    assert beside_benign(seen([*others(100), *CLIP[:30]]), None).strength is Strength.WEAK


def test_a_part_is_told_as_json() -> None:
    body = part_body(seen([*others(10), *CLIP]))
    assert body is not None
    assert body["seconds"] == {"upload": [10.0, 70.0], "entry": [0.0, 60.0]}
    assert (body["frames"], body["strength"]) == (60, "firm")
    assert part_body(None) is None


def test_the_usual_rule_is_a_rule() -> None:
    check_rule(USUAL)
    with pytest.raises(InvalidRequest):
        check_rule(VideoRule(least_frames=0))

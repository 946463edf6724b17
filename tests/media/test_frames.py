# SPDX-License-Identifier: Apache-2.0
"""Of many pictures those are kept that differ: one that flashes up is never lost among its neighbours."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import example, given
from hypothesis import strategies as st
from PIL import Image

from holdfast.media.frames import ALIKE, Keeper, Look
from holdfast.media.pdq import hash_plane
from holdfast.media.plane import MOST_BYTES, MOST_KEPT, MOST_WALKED, Plane
from holdfast.media.reason import Reason, Unreadable
from tests.pictures import Pixels, grey, plane_of


def kept(*pictures: Pixels) -> list[int]:
    keeper = Keeper()
    for number, picture in enumerate(pictures):
        keeper.offer(number, (plane_of(picture),))
    return [frame.number for frame in keeper.frames]


def offer_all(keeper: Keeper, count: int, side: int) -> None:
    """So many different pictures."""
    for number in range(count):
        keeper.offer(number, (plane_of(grey(side, side, seed=number)),))


def bits(one: Pixels, other: Pixels) -> int:
    """By how much any of their hashes differs."""
    values = [hash_plane(plane_of(picture)).hashes for picture in (one, other)]
    return int(np.bitwise_count(values[0] ^ values[1]).sum(axis=1).max())


def nudged(picture: Pixels, steps: int, seed: int) -> Pixels:
    """A picture changed by soft noise, again and again, as long as a thumbnail of it hardly changes."""
    random, shown = np.random.default_rng(seed), picture.astype(float)
    for _ in range(steps):
        cells = int(random.integers(6, 40))
        noise = Image.fromarray(random.integers(0, 255, (cells, cells), np.uint8))
        soft = np.asarray(noise.resize(picture.shape[::-1], Image.Resampling.BICUBIC)).astype(float) - 128
        shown = np.clip(shown + soft * random.uniform(0.01, 0.05), 0, 255)
    return np.asarray(np.rint(shown), np.uint8)


def blended(one: Pixels, other: Pixels, share: float) -> Pixels:
    return np.asarray(np.rint(one * (1 - share) + other * share), np.uint8)


def test_the_first_picture_is_always_kept_and_an_equal_one_never() -> None:
    assert kept(grey(60, 80), grey(60, 80), grey(60, 80)) == [0]


def test_a_picture_among_many_others_of_one_kind_is_kept() -> None:
    film = [grey(60, 80, seed=1)] * 20
    film[13] = grey(60, 80, seed=2)
    assert kept(*film) == [0, 13]


def test_a_picture_that_comes_back_is_kept_once() -> None:
    assert kept(*[grey(60, 80, seed=number % 3) for number in range(12)]) == [0, 1, 2]


def test_a_small_part_that_changes_the_hash_makes_a_picture_another() -> None:
    """The mean hardly differs; what is banked may be either."""
    whole = grey(200, 300, seed=4)
    covered = whole.copy()
    covered[60:110, 90:165] = grey(50, 75, seed=5)
    assert bits(whole, covered) > ALIKE
    assert kept(covered, whole) == [0, 1]


def test_noise_that_nobody_sees_makes_no_other_picture() -> None:
    noise = np.random.default_rng(0).integers(-2, 3, (400, 600))
    assert kept(grey(400, 600), np.clip(grey(400, 600) + noise, 0, 255).astype(np.uint8)) == [0]


def test_a_pale_forerunner_does_not_stand_for_the_picture_it_fades_into() -> None:
    """Its signs are the same, but it may be too pale to be looked up."""
    picture = grey(200, 300, seed=6)
    pale = blended(np.full_like(picture, 128), picture, 0.1)
    numbers = kept(pale, picture)
    assert numbers == [0, 1]


@pytest.mark.parametrize("steps", [10, 60])
def test_every_picture_of_a_slow_change_is_matched_as_one_that_is_kept(steps: int) -> None:
    film = [blended(grey(200, 300, seed=7), grey(200, 300, seed=8), share) for share in np.linspace(0, 1, steps)]
    chosen = kept(*film)
    assert len(chosen) > 5
    for picture in film:
        assert min(bits(picture, film[number]) for number in chosen) <= ALIKE


@example(9, 1, 9, False).via("20 bits apart, and not told apart by what was looked at before")
@example(3, 1, 3, False).via("12 bits apart")
@given(st.integers(0, 10_000), st.integers(0, 12), st.integers(0, 10_000), st.booleans())
def test_a_picture_is_only_left_out_if_every_hash_of_it_is_that_of_a_kept_one(
    seed: int, steps: int, noise: int, turned: bool
) -> None:
    """A known picture behind one that a thumbnail cannot tell from it was left out at up to 38 bits."""
    known = grey(256, 256, seed)
    before = nudged(known, steps, noise)
    before = before[:, ::-1].copy() if turned else before
    if kept(before, known) == [0]:
        assert bits(before, known) <= ALIKE
    else:
        assert bits(before, known) > ALIKE


def test_a_mirrored_picture_is_another() -> None:
    """Its hashes are the same ones under other names, but not to the last bit."""
    assert kept(grey(200, 300), grey(200, 300)[:, ::-1]) == [0, 1]


def test_a_faint_picture_is_not_covered_by_a_flat_one() -> None:
    """A flat one is no reason to hold; a faint one is."""
    flat = np.full((200, 300), 90, np.uint8)
    faint = np.asarray(np.rint(grey(200, 300) * 0.06 + 84), np.uint8)
    assert kept(grey(200, 300, seed=1), flat, flat + 2, faint, faint) == [0, 1, 3]


@given(st.lists(st.integers(0, 6), min_size=1, max_size=25))
def test_of_pictures_in_any_order_each_different_one_is_kept_where_it_first_comes(order: list[int]) -> None:
    pictures = [grey(40, 50, seed=100 + number) for number in range(7)]
    first = [at for at, number in enumerate(order) if number not in order[:at]]
    assert kept(*[pictures[number] for number in order]) == first


def test_more_that_differ_than_can_be_kept_are_said_to_be_missed() -> None:
    keeper = Keeper()
    with pytest.raises(Unreadable) as said:
        offer_all(keeper, MOST_KEPT + 1, side=32)
    assert said.value.why.reason is Reason.SEVERAL_PICTURES
    assert keeper.frames[0].number == 0
    assert len(keeper.frames) <= MOST_KEPT


def test_more_than_can_be_looked_at_are_said_to_be_missed() -> None:
    keeper = Keeper()
    keeper.offer(MOST_WALKED - 1, (plane_of(grey(32, 32)),))
    with pytest.raises(Unreadable):
        keeper.offer(MOST_WALKED, (plane_of(grey(32, 32)),))


def test_the_planes_that_are_kept_never_take_more_than_may_be_sent() -> None:
    keeper = Keeper()
    with pytest.raises(Unreadable):
        offer_all(keeper, MOST_KEPT, side=900)
    assert sum(plane.luma.size for frame in keeper.frames for plane in frame.planes) <= MOST_BYTES


def test_a_picture_shown_in_more_ways_is_another() -> None:
    one = plane_of(grey(40, 40))
    assert not Look.at((one,)).covers(Look.at((one, one, one)))


def test_a_picture_is_another_if_it_differs_over_one_ground_only() -> None:
    white, black = grey(60, 60, seed=1), grey(60, 60, seed=2)
    keeper = Keeper()
    for number, over_black in enumerate((black, grey(60, 60, seed=3))):
        planes: tuple[Plane, ...] = (plane_of(white), plane_of(over_black))
        keeper.offer(number, planes)
    assert len(keeper.frames) == 2

# SPDX-License-Identifier: Apache-2.0
"""The verdict: a benign bank turns a likeness into review, never an equal digest; "could not tell" is never "no"."""

from __future__ import annotations

from dataclasses import replace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.log.event import decode, encode
from holdfast.match.bank import Action, BankKind
from holdfast.match.entry import Opinion
from holdfast.match.screen import (
    Answer,
    Match,
    Matched,
    NoMatch,
    NotScreened,
    ScreeningAnswered,
    ScreeningAnswered1,
    ScreeningAnswered2,
    answer_to,
    effect_of,
    judge,
    matches_of,
)
from holdfast.match.signal import SignalType
from holdfast.match.variant import in_frame
from holdfast.media.reason import Reason

NEAR = Match(
    bank="b", entry="e", signal=SignalType.PDQ, variant="full.as_is", distance=9, threshold=31, action=Action.HOLD
)
EQUAL = replace(NEAR, signal=SignalType.SHA256, variant="bytes", distance=0, threshold=0)
BENIGN = replace(NEAR, bank="ok", kind=BankKind.BENIGN, action=None)
OPINIONS = [None, *Opinion]
MATCHES = st.builds(
    replace,
    st.sampled_from([NEAR, EQUAL]),
    action=st.sampled_from(Action),
    opinion=st.sampled_from(OPINIONS),
) | st.builds(
    replace, st.sampled_from([BENIGN, replace(BENIGN, signal=SignalType.MD5)]), opinion=st.sampled_from(OPINIONS)
)
OBSTACLES = st.none() | st.sampled_from(Reason)


SEVERAL = st.lists(MATCHES, max_size=5).map(
    lambda matches: [replace(match, entry=f"e{number}") for number, match in enumerate(matches)]
)


def effects(*matches: Match) -> list[Action]:
    return [match.effect for match in matches_of(judge(matches, None))]


def in_frame_of(match: Match, frame: int, **more: Any) -> Match:
    """The match as it would be in another picture of the file."""
    return replace(match, variant=in_frame(frame, match.variant), **more)


@pytest.mark.parametrize("match", [NEAR, EQUAL], ids=["near", "equal"])
@pytest.mark.parametrize("action", Action)
def test_a_match_alone_leads_to_what_its_bank_says(match: Match, action: Action) -> None:
    screening = judge((replace(match, action=action),), None)
    assert effect_of(screening) is action
    assert answer_to(screening) is (Answer.PUBLISH if action is Action.IGNORE else Answer.HOLD)


@pytest.mark.parametrize("excuse", [BENIGN, replace(BENIGN, signal=SignalType.SHA1)], ids=["near", "equal"])
def test_a_benign_match_turns_a_likeness_into_review_and_it_stays_unpublished(excuse: Match) -> None:
    screening = judge((NEAR, excuse), None)
    assert [match.effect for match in matches_of(screening)] == [Action.REVIEW, Action.IGNORE]
    assert effect_of(screening) is Action.REVIEW
    assert answer_to(screening) is Answer.HOLD


@pytest.mark.parametrize("excuse", [BENIGN, replace(BENIGN, signal=SignalType.SHA256)], ids=["near", "equal"])
def test_a_benign_match_never_overrides_an_equal_digest(excuse: Match) -> None:
    assert effects(EQUAL, NEAR, excuse) == [Action.HOLD, Action.REVIEW, Action.IGNORE]
    assert effect_of(judge((EQUAL, excuse), None)) is Action.HOLD


def test_a_benign_picture_beside_a_known_one_in_the_same_file_excuses_nothing() -> None:
    beside = in_frame_of(BENIGN, 2, distance=0)
    assert effects(NEAR, beside) == [Action.HOLD, Action.IGNORE]
    assert effects(in_frame_of(NEAR, 1), BENIGN, beside) == [Action.HOLD, Action.IGNORE]
    assert effects(in_frame_of(NEAR, 2), beside) == [Action.REVIEW, Action.IGNORE]


def test_a_known_picture_that_is_excused_in_one_frame_is_held_for_another() -> None:
    screening = judge((replace(NEAR, distance=5), in_frame_of(NEAR, 1), replace(BENIGN, distance=5)), None)
    assert matches_of(screening) == (
        in_frame_of(NEAR, 1, effect=Action.HOLD),
        replace(BENIGN, distance=5, effect=Action.IGNORE),
    )


@given(st.integers(0, 31), st.integers(0, 31))
def test_only_what_is_at_least_as_near_excuses(known: int, benign: int) -> None:
    expected = Action.REVIEW if benign <= known else Action.HOLD
    assert effects(replace(NEAR, distance=known), replace(BENIGN, distance=benign))[0] is expected


def test_a_file_that_is_itself_known_to_be_benign_is_excused_in_every_picture() -> None:
    whole = replace(BENIGN, signal=SignalType.SHA256, variant="bytes", distance=0)
    known = [in_frame_of(NEAR, frame, entry=f"e{frame}", distance=0) for frame in range(3)]
    assert effects(*known, whole) == [Action.REVIEW] * 3 + [Action.IGNORE]


def test_an_entry_that_matches_many_pictures_of_a_file_is_told_once() -> None:
    screening = judge(tuple(in_frame_of(NEAR, frame, distance=20 - frame) for frame in range(9)), None)
    assert matches_of(screening) == (in_frame_of(NEAR, 8, distance=12),)


def test_a_benign_match_alone_is_published_and_recorded() -> None:
    screening = judge((BENIGN,), None)
    assert answer_to(screening) is Answer.PUBLISH
    assert matches_of(screening) == (replace(BENIGN, effect=Action.IGNORE),)


def test_a_benign_match_excuses_nothing_that_could_not_be_screened() -> None:
    screening = judge((BENIGN,), Reason.TRUNCATED)
    assert screening == NotScreened(Reason.TRUNCATED, (replace(BENIGN, effect=Action.IGNORE),))
    assert answer_to(screening) is Answer.HOLD


def test_a_disputed_benign_entry_excuses_nothing() -> None:
    assert effects(NEAR, replace(BENIGN, opinion=Opinion.DISPUTED)) == [Action.HOLD, Action.IGNORE]
    assert effects(NEAR, replace(BENIGN, opinion=Opinion.CONFIRMED)) == [Action.REVIEW, Action.IGNORE]


@pytest.mark.parametrize("match", [NEAR, EQUAL], ids=["near", "equal"])
@pytest.mark.parametrize(
    ("opinion", "expected"),
    [(None, Action.HOLD), (Opinion.CONFIRMED, Action.HOLD), (Opinion.DISPUTED, Action.REVIEW)],
)
def test_a_match_with_a_disputed_entry_leads_to_review_instead_of_hold(
    match: Match, opinion: Opinion | None, expected: Action
) -> None:
    assert effects(replace(match, opinion=opinion)) == [expected]


def test_nothing_found_is_no_match_and_has_no_effect() -> None:
    assert judge((), None) == NoMatch()
    assert effect_of(NoMatch()) is None


@given(SEVERAL, OBSTACLES)
def test_whatever_is_found_every_match_is_kept_and_benign_banks_and_opinions_publish_nothing(
    matches: list[Match], obstacle: Reason | None
) -> None:
    screening = judge(tuple(matches), obstacle)
    assert [replace(match, effect=Action.HOLD) for match in matches_of(screening)] == matches
    binding = any(match.action in (Action.HOLD, Action.REVIEW) for match in matches)
    assert isinstance(screening, Matched) >= binding
    assert answer_to(screening) is (Answer.HOLD if binding or obstacle else Answer.PUBLISH)


@given(SEVERAL)
def test_an_undisputed_equal_digest_leads_to_what_its_bank_says_whatever_else_is_found(matches: list[Match]) -> None:
    for match in matches_of(judge(tuple(matches), None)):
        if match.signal.is_exact and match.action and match.opinion is not Opinion.DISPUTED:
            assert match.effect is match.action


@given(SEVERAL, st.sampled_from(OPINIONS))
def test_one_more_benign_match_never_makes_anything_firmer(matches: list[Match], opinion: Opinion | None) -> None:
    firmness = [Action.IGNORE, Action.REVIEW, Action.HOLD]
    without = matches_of(judge(tuple(matches), None))
    more = matches_of(judge((*matches, replace(BENIGN, entry="one more", opinion=opinion)), None))
    for before, after in zip(without, more, strict=False):
        assert firmness.index(after.effect) <= firmness.index(before.effect)


OLD_MATCH = {
    "bank": "b",
    "entry": "e",
    "signal": "pdq",
    "variant": "full.as_is",
    "distance": 3,
    "threshold": 31,
    "action": "hold",
}
OLD = {
    "content": "post-1",
    "content_version": "1",
    "surface": "photos",
    "verdict": "matched",
    "reason": None,
    "answer": "hold",
    "shadow": False,
    "list_version": 7,
    "matches": [OLD_MATCH],
    "looked_up_at": "2026-07-01T12:00:00Z",
}


def test_an_answer_journaled_before_matches_had_effects_reads_as_it_was_written() -> None:
    old = decode("screening.answered", 1, OLD)
    assert isinstance(old, ScreeningAnswered1)
    assert encode(old) == OLD


def test_an_answer_journaled_before_there_were_videos_reads_as_it_was_written() -> None:
    matches = [encode_match(NEAR), encode_match(BENIGN)]
    old = decode("screening.answered", 2, {**OLD, "matches": matches})
    assert isinstance(old, ScreeningAnswered2)
    assert encode(old) == {**OLD, "matches": matches}


def test_an_answer_is_journaled_with_what_each_match_led_to() -> None:
    now = decode("screening.answered", 3, {**OLD, "matches": [encode_match(NEAR), encode_match(BENIGN)]})
    assert isinstance(now, ScreeningAnswered)
    assert now.matches == matches_of(judge((NEAR, BENIGN), None))


def encode_match(match: Match) -> dict[str, object]:
    """How the journal keeps it, beside another."""
    other = BENIGN if match is NEAR else NEAR
    judged = matches_of(judge((match, other), None))[0]
    return {
        **OLD_MATCH,
        "bank": judged.bank,
        "distance": judged.distance,
        "action": judged.action,
        "kind": judged.kind,
        "opinion": judged.opinion,
        "effect": judged.effect,
    }

# SPDX-License-Identifier: Apache-2.0
"""An API key is a prefix and a 128-bit secret; it opens only what is neither wrong, expired nor revoked."""

from __future__ import annotations

import base64
import string
from dataclasses import replace
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from holdfast.access.key import (
    PREFIX_BYTES,
    SECRET_BYTES,
    CreateKey,
    Key,
    KeyCreated,
    KeyRevoked,
    Scope,
    decide_key,
    digest,
    evolve_key,
    key_subject,
    split,
    token,
)
from holdfast.errors import InvalidRequest, Refusal
from holdfast.log.event import encode
from holdfast.log.text import fault_in
from holdfast.sealed.text import SealedText

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
SECRET = "abcdefghijklmnopqrstuvwxyz"
KEY = Key(
    prefix="abcdefgh",
    secret_digest=digest(SECRET),
    label="upload service",
    scopes=frozenset({Scope.SCREEN}),
    expires_at=None,
    revoked=False,
)
CREATE = CreateKey(
    prefix="abcdefgh", secret_digest=digest(SECRET), label="l", scopes=frozenset({Scope.SCREEN}), expires_at=None
)
ALPHABET = set(string.ascii_lowercase + "234567")

prefixes = st.binary(min_size=PREFIX_BYTES, max_size=PREFIX_BYTES)
secrets = st.binary(min_size=SECRET_BYTES, max_size=SECRET_BYTES)
moments = st.datetimes(min_value=datetime(2000, 1, 1), max_value=datetime(2100, 1, 1), timezones=st.just(UTC))  # noqa: DTZ001  # hypothesis wants naive bounds


# --- two halves


def test_a_key_that_two_people_made_opens_with_both_halves_only_and_not_before_the_second_was_drawn() -> None:
    other = "z" * 26
    waiting = replace(KEY, in_halves=True)
    whole = replace(waiting, half_digest=digest(other))
    tried = (SECRET, other, f"{other}_{SECRET}", f"{SECRET}_{SECRET}", f"{SECRET}_")
    assert not any(key.opens_with(each, NOW) for key in (waiting, whole) for each in tried)
    assert not waiting.opens_with(f"{SECRET}_{other}", NOW)
    assert whole.opens_with(f"{SECRET}_{other}", NOW)
    assert split(f"hf_abcdefgh_{SECRET}_{other}") == ("abcdefgh", f"{SECRET}_{other}")


def test_a_key_in_one_piece_opens_with_nothing_behind_it() -> None:
    assert KEY.opens_with(SECRET, NOW)
    assert not KEY.opens_with(f"{SECRET}_{SECRET}", NOW)


# --- the form


@given(prefixes, secrets)
def test_a_key_reads_hf_prefix_secret_and_splits_into_them(prefix_bytes: bytes, secret_bytes: bytes) -> None:
    prefix, secret, whole = token(prefix_bytes, secret_bytes)
    assert whole == f"hf_{prefix}_{secret}"
    assert (len(prefix), len(secret)) == (8, 26)
    assert set(prefix + secret) <= ALPHABET
    assert split(whole) == (prefix, secret)


@given(secrets)
def test_the_secret_carries_all_of_its_128_bits(secret_bytes: bytes) -> None:
    _, secret, _ = token(bytes(PREFIX_BYTES), secret_bytes)
    assert base64.b32decode(secret.upper() + "======") == secret_bytes
    assert len(secret_bytes) * 8 == 128


@given(secrets, secrets)
def test_different_secrets_make_different_keys_with_different_digests(one: bytes, other: bytes) -> None:
    first, second = token(bytes(PREFIX_BYTES), one), token(bytes(PREFIX_BYTES), other)
    assert (first == second) == (one == other)
    assert (digest(first[1]) == digest(second[1])) == (one == other)


def well_formed(text: str) -> bool:
    """The form of a key in plain words, without the expression that the product uses."""
    parts = text.split("_")
    return (
        len(parts) == 3
        and parts[0] == "hf"
        and [len(part) for part in parts[1:]] == [8, 26]
        and set(parts[1] + parts[2]) <= ALPHABET
    )


@given(st.text())
@example("")
@example("hf_abcdefgh_abcdefghijklmnopqrstuvwxyz\n")
@example(" hf_abcdefgh_abcdefghijklmnopqrstuvwxyz")
@example("HF_ABCDEFGH_ABCDEFGHIJKLMNOPQRSTUVWXYZ")
@example("hf_abcdefg1_abcdefghijklmnopqrstuvwxyz")
@example("hf_abcdefgh_abcdefghijklmnopqrstuvwxyz_")
@example("hf_abcdefgh_ａｂｃｄｅｆｇｈｉｊｋｌｍｎｏｐｑｒｓｔｕｖｗｘｙｚ")  # full-width letters
def test_what_does_not_read_like_a_key_is_not_split(text: str) -> None:
    assert (split(text) is not None) == well_formed(text)


@given(prefixes, secrets, st.data())
def test_a_key_with_one_character_changed_added_or_lost_splits_only_if_it_still_reads_like_one(
    prefix_bytes: bytes, secret_bytes: bytes, data: st.DataObject
) -> None:
    _, _, whole = token(prefix_bytes, secret_bytes)
    at = data.draw(st.integers(0, len(whole) - 1))
    lost = whole[:at] + whole[at + 1 :]
    other = data.draw(st.characters())
    assert split(lost) is None
    assert split(whole[:at] + other + whole[at:]) is None
    changed = whole[:at] + other + whole[at + 1 :]
    assert (split(changed) is not None) == well_formed(changed)


# --- opening


def test_a_key_opens_with_its_secret() -> None:
    assert KEY.opens_with(SECRET, NOW)


@given(st.text())
def test_a_key_opens_with_no_other_text(other: str) -> None:
    assert KEY.opens_with(other, NOW) == (other == SECRET)


@given(moments, moments)
def test_a_key_opens_until_the_moment_at_which_it_expires_and_not_from_then_on(ends: datetime, now: datetime) -> None:
    assert replace(KEY, expires_at=ends).opens_with(SECRET, now) == (now < ends)


def test_the_last_instant_before_the_end_still_opens() -> None:
    key = replace(KEY, expires_at=NOW)
    assert key.opens_with(SECRET, NOW - timedelta(microseconds=1))
    assert not key.opens_with(SECRET, NOW)


@given(st.booleans(), st.booleans(), st.sampled_from([None, NOW - timedelta(days=1), NOW + timedelta(days=1)]))
def test_a_key_opens_only_if_secret_state_and_time_are_all_right(
    right: bool, revoked: bool, ends: datetime | None
) -> None:
    key = replace(KEY, revoked=revoked, expires_at=ends)
    expected = right and not revoked and (ends is None or ends > NOW)
    assert key.opens_with(SECRET if right else SECRET[::-1], NOW) == expected


def test_the_secret_cannot_be_read_from_a_key_nor_from_its_event() -> None:
    happened = decide_key(None, CREATE)
    assert not isinstance(happened, Refusal)
    (made,) = happened
    assert isinstance(made, KeyCreated)
    written = str(encode(replace(made, label=SealedText(made.label, record="rec_1", commitment="00"))))
    for shown in (repr(KEY), repr(CREATE), repr(made), written):
        assert SECRET not in shown
    assert digest(SECRET) not in written


# --- what is decided (where it may be decided: tests/test_deciders.py)


def test_a_revoked_key_is_revoked_and_otherwise_the_same() -> None:
    assert evolve_key(KEY, "abcdefgh", KeyRevoked()) == replace(KEY, revoked=True)


def test_no_key_can_be_revoked_twice_or_made_again() -> None:
    with pytest.raises(ValueError, match=r"key\.revoked"):
        evolve_key(replace(KEY, revoked=True), "abcdefgh", KeyRevoked())
    with pytest.raises(ValueError, match=r"key\.created"):
        evolve_key(KEY, "abcdefgh", KeyCreated(label="l", scopes=(), expires_at=None, person=None))


def test_a_key_made_from_its_event_opens_with_nothing() -> None:
    created = decide_key(None, CREATE)
    assert isinstance(created, list)
    assert evolve_key(None, "abcdefgh", created[0]) == replace(KEY, label="l", secret_digest="")
    assert not evolve_key(None, "abcdefgh", created[0]).opens_with(SECRET, NOW)


@given(
    st.text(st.characters(codec="utf-8", exclude_characters="\0"), max_size=20),
    st.frozensets(st.sampled_from(Scope)),
    st.none() | moments,
)
def test_a_key_without_a_usable_label_or_a_scope_is_not_made(
    label: str, scopes: frozenset[Scope], ends: datetime | None
) -> None:
    command = replace(CREATE, label=label, scopes=scopes, expires_at=ends)
    if fault_in(label) or not scopes:
        with pytest.raises(InvalidRequest, match=r"label|scopes"):
            decide_key(None, command)
        return
    made = KeyCreated(label=label.strip(), scopes=tuple(sorted(scopes)), expires_at=ends, person=None)
    assert decide_key(None, command) == [made]


def test_keys_have_journal_subjects_of_their_own() -> None:
    assert key_subject("abcdefgh") == "key:abcdefgh"

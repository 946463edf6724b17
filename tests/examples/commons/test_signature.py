# SPDX-License-Identifier: Apache-2.0
"""A message is Holdfast's only if every byte of it was signed, within five minutes."""

from __future__ import annotations

import base64
import json

import pytest
from commons.settings import SettingError, secret_bytes
from commons.signature import PATIENCE_SECONDS, NotSigned, check
from hypothesis import given
from hypothesis import strategies as st

from holdfast.effect.webhook import sign
from tests.log.vectors import VECTORS

PUBLISHED = VECTORS / "standard_webhooks.json"
KEY = bytes(range(32))
NOW = 1_800_000_000
BODY = b'{"spots": []}'


def headers(**changed: str) -> dict[str, str]:
    return {
        "webhook-id": "msg_1",
        "webhook-timestamp": str(NOW),
        "webhook-signature": sign(KEY, "msg_1", NOW, BODY),
        **{f"webhook-{name}": value for name, value in changed.items()},
    }


@pytest.mark.skipif(not PUBLISHED.exists(), reason="the public vectors of Standard Webhooks are not on this machine")
def test_the_public_vectors_of_standard_webhooks_are_taken() -> None:
    vectors = json.loads(PUBLISHED.read_text())
    assert vectors
    for vector in vectors:
        sent = headers(id=vector["id"], timestamp=str(vector["timestamp"]), signature=vector["signature"])
        body, now = vector["payload"].encode(), float(vector["timestamp"])
        assert check(secret_bytes(vector["secret"]), sent, body, now) == vector["id"]
        with pytest.raises(NotSigned):
            check(secret_bytes(vector["secret"]), sent, body + b" ", now)


@given(st.binary(min_size=24, max_size=64), st.text(min_size=1, max_size=50), st.integers(0, 10**12), st.binary())
def test_what_holdfast_signs_is_taken(key: bytes, message: str, at: int, body: bytes) -> None:
    sent = {"webhook-id": message, "webhook-timestamp": str(at), "webhook-signature": sign(key, message, at, body)}
    assert check(key, sent, body, at) == message


@given(st.data())
def test_one_changed_bit_of_the_body_is_refused(data: st.DataObject) -> None:
    place, bit = data.draw(st.integers(0, len(BODY) - 1)), data.draw(st.integers(0, 7))
    changed = bytearray(BODY)
    changed[place] ^= 1 << bit
    with pytest.raises(NotSigned):
        check(KEY, headers(), bytes(changed), NOW)


@pytest.mark.parametrize(
    "changed",
    [
        {"id": "msg_2"},
        {"id": ""},
        {"timestamp": str(NOW + 1)},
        {"timestamp": ""},
        {"timestamp": "-1"},
        {"timestamp": "1e9"},
        {"timestamp": "٣"},
        {"signature": ""},
        {"signature": "v1,"},
        {"signature": "v1a," + sign(KEY, "msg_1", NOW, BODY)[3:]},
        {"signature": sign(KEY, "msg_1", NOW, BODY)[3:]},
        {"signature": sign(bytes(32), "msg_1", NOW, BODY)},
        {"signature": "v1,ä"},
    ],
)
def test_anything_else_is_refused(changed: dict[str, str]) -> None:
    with pytest.raises(NotSigned):
        check(KEY, headers(**changed), BODY, NOW)


@pytest.mark.parametrize("missing", ["id", "timestamp", "signature"])
def test_a_message_that_lacks_a_header_is_refused(missing: str) -> None:
    sent = headers()
    del sent[f"webhook-{missing}"]
    with pytest.raises(NotSigned):
        check(KEY, sent, BODY, NOW)


@pytest.mark.parametrize("away", [-PATIENCE_SECONDS, 0, PATIENCE_SECONDS])
def test_a_message_of_these_five_minutes_is_taken(away: int) -> None:
    assert check(KEY, headers(), BODY, NOW + away) == "msg_1"


@pytest.mark.parametrize("away", [-PATIENCE_SECONDS - 1, PATIENCE_SECONDS + 1])
def test_an_older_one_or_one_from_the_future_is_refused(away: int) -> None:
    with pytest.raises(NotSigned, match="five minutes"):
        check(KEY, headers(), BODY, NOW + away)


def test_one_of_several_signatures_is_enough_as_while_a_secret_is_changed() -> None:
    several = f"{sign(bytes(32), 'msg_1', NOW, BODY)} v2,other {sign(KEY, 'msg_1', NOW, BODY)}"
    assert check(KEY, headers(signature=several), BODY, NOW) == "msg_1"


@given(st.one_of(st.text(), st.binary(max_size=23), st.binary(min_size=65, max_size=90)))
def test_a_secret_that_is_none_or_of_another_length_is_refused(given_one: str | bytes) -> None:
    secret = given_one if isinstance(given_one, str) else "whsec_" + base64.b64encode(given_one).decode()
    with pytest.raises(SettingError, match="whsec_"):
        secret_bytes(secret)

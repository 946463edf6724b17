# SPDX-License-Identifier: Apache-2.0
"""The log's keys and how each came to be believed: a list of signed statements, oldest first.

Two roles: `log` signs checkpoints, `receipt` signs what an answer promises at once. The first log
key stands by itself; each later one, and every receipt key, is signed by the log key before it, and
itself signs that it comes after that one. Whoever knows one log key can therefore follow to all
others, later and earlier, and nobody else can put a key of his own before or behind it.
"""

from __future__ import annotations

import base64
import binascii
import json
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from enum import StrEnum
from typing import Any, Final

from holdfast.errors import ProofInvalid
from holdfast.log.canonical import plain
from holdfast.log.leaf import in_utc
from holdfast.log.note import Signer, Verifier

_PURPOSE: Final = b"holdfast key\n"
_FORM: Final = 1
History = Sequence[Mapping[str, str]]


class Role(StrEnum):
    """What a key may sign."""

    LOG = "log"
    RECEIPT = "receipt"


@dataclass(frozen=True, slots=True)
class Keys:
    """The keys of a history that was found sound."""

    log: tuple[Verifier, ...]
    receipt: tuple[Verifier, ...]

    def of_log(self, key_id: bytes) -> Verifier:
        """The log key with this id. Raises ProofInvalid."""
        return _with_id(self.log, key_id)

    def of_receipt(self, key_id: bytes) -> Verifier:
        """The receipt key with this id. Raises ProofInvalid."""
        return _with_id(self.receipt, key_id)


def vouch(new: Signer, role: Role, *, after: Signer | None, at: datetime) -> dict[str, str]:
    """The entry of a history by which the log key `after` says that `new` may sign as `role`, and `new` agrees."""
    by = after or new
    said: dict[str, str | int | None] = {
        "after": base64.b64encode(after.verifier.public).decode() if after else "",
        "from": in_utc(at),
        "key": str(new.verifier),
        "origin": by.name,
        "role": role.value,
        "v": _FORM,
    }
    text = plain(said)
    entry = {"statement": text, "by": by.verifier.key_id.hex(), "signature": signed(by, _PURPOSE, text)}
    return {**entry, "own": signed(new, _PURPOSE, text)}


def read_history(untrusted_history: History, trusted: Verifier | None = None) -> Keys:
    """Follow a history from its first key. Raises ProofInvalid if a link is broken or `trusted` is not in it."""
    log: list[Verifier] = []
    receipt: list[Verifier] = []
    for entry in untrusted_history:
        said = statement(entry)
        key = Verifier.parse(str(said.get("key", "")))
        by = log[-1] if log else key
        check_signed(entry, by, _PURPOSE)
        check_signed({**entry, "by": key.key_id.hex(), "signature": entry.get("own", "")}, key, _PURPOSE)
        after = base64.b64encode(log[-1].public).decode() if log else ""
        if said.get("after") != after:
            raise ProofInvalid("a key does not follow the log key before it")
        if said.get("v") != _FORM or said.get("origin") != by.name:
            raise ProofInvalid("a statement about a key is of another form or another log")
        {Role.LOG: log, Role.RECEIPT: receipt}[_role(said, first=not log)].append(key)
    if not log:
        raise ProofInvalid("the key history is empty")
    if trusted is not None and trusted not in log:
        raise ProofInvalid("the key that you trust is not in this key history")
    return Keys(tuple(log), tuple(receipt))


def signed(signer: Signer, purpose: bytes, text: str) -> str:
    """A signature over a text that cannot be taken for one made for another purpose, base64."""
    return base64.b64encode(signer.sign(purpose + text.encode())).decode()


def check_signed(entry: Mapping[str, Any], by: Verifier, purpose: bytes) -> None:
    """Insist that `by` signed this entry's statement for `purpose`. Raises ProofInvalid."""
    if entry.get("by") != by.key_id.hex():
        raise ProofInvalid("a statement was signed by another key than the one that must sign it")
    try:
        signature = base64.b64decode(str(entry["signature"]), validate=True)
        text = str(entry["statement"]).encode()
    except (KeyError, binascii.Error, UnicodeEncodeError):
        raise ProofInvalid("a statement has no signature that can be read") from None
    by.check(purpose + text, signature)


def statement(entry: Mapping[str, Any]) -> dict[str, Any]:
    """What a signed entry states, unchecked. Raises ProofInvalid if it is no JSON object."""
    try:
        said = json.loads(str(entry["statement"]))
    except (KeyError, ValueError):
        said = None
    if not isinstance(said, dict):
        raise ProofInvalid("a signed statement cannot be read")
    return said


def _role(said: Mapping[str, Any], *, first: bool) -> Role:
    role = said.get("role")
    if role not in set(Role) or (first and role != Role.LOG):
        raise ProofInvalid("a statement about a key names no role that it can have")
    return Role(role)


def _with_id(keys: Sequence[Verifier], key_id: bytes) -> Verifier:
    for key in keys:
        if key.key_id == key_id:
            return key
    raise ProofInvalid("signed by a key that is not in the key history")

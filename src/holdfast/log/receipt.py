# SPDX-License-Identifier: Apache-2.0
"""A receipt: signed at once, it promises that one journal row will be in the log within a stated time.

It holds the row's commitment, not its content; who was given salt and content can compare them. If
the log does not hold the row when the time is up, the receipt proves that the log broke its word.
"""

from __future__ import annotations

from collections.abc import Mapping
from datetime import datetime
from typing import Any, Final

from holdfast.errors import ProofInvalid
from holdfast.log.canonical import plain
from holdfast.log.keys import History, Keys, check_signed, signed, statement
from holdfast.log.leaf import Row, commitment, in_utc, opened
from holdfast.log.note import Signer

MERGE_DELAY_SECONDS: Final = 600
"""Within which a row that a receipt names is under a signed checkpoint."""
KIND: Final = "holdfast.receipt"
_PURPOSE: Final = b"holdfast receipt\n"
_FORM: Final = 1


def give_receipt(row: Row, name: str, *, origin: str, by: Signer, history: History, now: datetime) -> dict[str, Any]:
    """A signed receipt for a committed row; `name` is its subject's public name."""
    text = opened(row)
    said = plain(
        {
            "at": in_utc(row.at),
            "body": commitment(row.salt, text),
            "merge_delay_seconds": MERGE_DELAY_SECONDS,
            "n": row.version,
            "origin": origin,
            "signed_at": in_utc(now),
            "subject": name,
            "tag": row.tag,
            "v": _FORM,
        }
    )
    entry = {"statement": said, "by": by.verifier.key_id.hex(), "signature": signed(by, _PURPOSE, said)}
    return {"kind": KIND, "v": _FORM, **entry, "opened": text, "salt": row.salt.hex(), "keys": list(history)}


def check_receipt(untrusted_receipt: Mapping[str, Any], keys: Keys) -> dict[str, Any]:
    """What a receipt states, once its signature and what it opens are found sound. Raises ProofInvalid."""
    try:
        key = keys.of_receipt(bytes.fromhex(str(untrusted_receipt["by"])))
        salt, text = bytes.fromhex(untrusted_receipt["salt"]), str(untrusted_receipt["opened"])
    except (KeyError, ValueError, TypeError):
        raise ProofInvalid("not a receipt") from None
    check_signed(untrusted_receipt, key, _PURPOSE)
    said = statement(untrusted_receipt)
    if said.get("body") != commitment(salt, text) or said.get("origin") != keys.log[0].name:
        raise ProofInvalid("the receipt does not commit to what stands beside it, or is of another log")
    return said

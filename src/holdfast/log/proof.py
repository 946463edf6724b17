# SPDX-License-Identifier: Apache-2.0
"""A bundle: all events of one subject with everything that is needed to check them without asking us.

For each event its leaf, its place, its inclusion proof, and what the leaf commits to with the salt;
one checkpoint; the key history; a timestamp where an authority was asked; and a signed statement of
how many events the subject had when the checkpoint was signed, so that leaving the last ones out is
a lie in writing. `holdfast verify` and the single-file verifier check it; `LIMITS` says what it
does not show.
"""

from __future__ import annotations

import base64
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import Any, Final

from holdfast.errors import ProofInvalid
from holdfast.log.canonical import canonical
from holdfast.log.checkpoint import Checkpoint
from holdfast.log.keys import History, signed
from holdfast.log.leaf import Row, leaf_data, opened, public_name
from holdfast.log.merkle import Node, consistency_proof, inclusion_proof, leaf_hash
from holdfast.log.note import Signer

BUNDLE: Final = "holdfast.bundle"
CONSISTENCY: Final = "holdfast.consistency"
_PURPOSE: Final = b"holdfast complete\n"
_FORM: Final = 1
LIMITS: Final = (
    "It shows what was recorded, in which order, and that it was not changed since; not that it is true.",
    "It shows nothing about what was never recorded, or happened elsewhere.",
    (
        "That there are no later events than these is signed by the log, not shown by arithmetic: "
        "if one turns up in the log below this size, the signature shows who said otherwise."
    ),
)
OWN_CLOCK: Final = "No timestamp authority was asked: every time here is this system's own clock alone."
STAMPED: Final = "An authority's timestamp says not later than; how much earlier is this system's own clock."


@dataclass(frozen=True, slots=True)
class Placed:
    """One journal row and its place in the log."""

    index: int
    row: Row


@dataclass(frozen=True, slots=True)
class Stamped:
    """A checkpoint that a timestamp authority has stamped."""

    head: Checkpoint
    note: str
    token: bytes


@dataclass(frozen=True, slots=True)
class Signed:
    """A checkpoint as it was signed, the nodes of its tree, and the key history."""

    head: Checkpoint
    note: str
    node: Node
    history: History


def bundle(
    events: Sequence[Placed], tree: Signed, *, by: Signer, stamped: Stamped | None, software: Mapping[str, str]
) -> dict[str, Any]:
    """The bundle of a subject whose events, from the first, are `events`. Raises ProofInvalid if one has no place."""
    if [event.row.version for event in events] != list(range(1, len(events) + 1)):
        raise ProofInvalid("the events of a subject are not all there")
    name = public_name(events[0].row.subject, events[0].row.salt)
    told, previous = [], None
    for event in events:
        data = leaf_data(event.row, name, previous)
        previous = leaf_hash(data)
        if tree.node(0, event.index) != previous:
            message = f"event {event.row.version} in the database is not the one that was signed at {event.index}"
            raise ProofInvalid(message)
        told.append(_event(event, data, tree))
    said = {"n": len(events), "origin": tree.head.origin, "size": tree.head.size, "subject": name, "v": _FORM}
    text = canonical({**said, "software": dict(software)}).decode()
    complete = {"statement": text, "by": by.verifier.key_id.hex(), "signature": signed(by, _PURPOSE, text)}
    return {
        "kind": BUNDLE,
        "v": _FORM,
        "subject": events[0].row.subject,
        "events": told,
        "complete": complete,
        "checkpoint": tree.note,
        "timestamp": _timestamp(stamped, tree),
        "keys": list(tree.history),
        "limits": [*LIMITS, STAMPED if stamped else OWN_CLOCK],
    }


def consistency(old: Checkpoint, old_note: str, tree: Signed) -> dict[str, Any]:
    """What shows that the log of `tree` begins with that of an older checkpoint. Raises ProofInvalid."""
    proof = _hashes(consistency_proof(old.size, tree.head.size, tree.node))
    return {
        "kind": CONSISTENCY,
        "v": _FORM,
        "old": old_note,
        "checkpoint": tree.note,
        "proof": proof,
        "keys": list(tree.history),
    }


def _event(event: Placed, data: bytes, tree: Signed) -> dict[str, Any]:
    return {
        "index": event.index,
        "leaf": data.decode(),
        "proof": _hashes(inclusion_proof(event.index, tree.head.size, tree.node)),
        "opened": opened(event.row),
        "salt": event.row.salt.hex(),
    }


def _timestamp(stamped: Stamped | None, tree: Signed) -> dict[str, Any] | None:
    if stamped is None:
        return None
    proof = consistency_proof(stamped.head.size, tree.head.size, tree.node)
    token = base64.b64encode(stamped.token).decode()
    return {"old": stamped.note, "token": token, "proof": _hashes(proof)}


def _hashes(proof: Sequence[bytes]) -> list[str]:
    return [base64.b64encode(one).decode() for one in proof]

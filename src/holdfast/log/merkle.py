# SPDX-License-Identifier: Apache-2.0
"""The Merkle tree of RFC 6962 and 9162: roots, proofs that an entry is in it, proofs that it only grew.

A tree is given by its size and by `Node`, a way to ask for the hash of one complete subtree: of
2**level leaves, the index-th such from the left. Nothing here knows where nodes are kept. Checking
needs no tree: index, size, hashes and the proof. A check returns nothing and raises ProofInvalid.
"""

from __future__ import annotations

import hashlib
from collections.abc import Callable, Iterable, Sequence
from typing import Final

from holdfast.errors import ProofInvalid

Node = Callable[[int, int], bytes]
"""The hash of the complete subtree (level, index)."""
EMPTY_ROOT: Final = hashlib.sha256(b"").digest()
HASH_BYTES: Final = 32


def leaf_hash(data: bytes) -> bytes:
    """The hash of one entry."""
    return hashlib.sha256(b"\x00" + data).digest()


def node_hash(left: bytes, right: bytes) -> bytes:
    """The hash of two subtrees side by side."""
    return hashlib.sha256(b"\x01" + left + right).digest()


def next_level(hashes: Sequence[bytes]) -> list[bytes]:
    """The complete parents of a row of nodes; an odd one at the end has none yet."""
    return [node_hash(hashes[at], hashes[at + 1]) for at in range(0, len(hashes) - 1, 2)]


def nodes_over(leaves: Sequence[bytes]) -> Node:
    """The nodes of a tree whose leaf hashes are all at hand."""
    levels = [list(leaves)]
    while len(levels[-1]) > 1:
        levels.append(next_level(levels[-1]))
    return lambda level, index: levels[level][index]


class Frontier:
    """The right edge of a tree that grows leaf by leaf: enough for its root, and no more."""

    def __init__(self) -> None:
        """Begin with nothing."""
        self.size = 0
        self._edge: list[bytes] = []  # roots of complete subtrees, the largest first

    def append(self, leaf: bytes) -> None:
        """Add the hash of one more leaf."""
        carry, left = leaf, self.size
        while left & 1:
            carry, left = node_hash(self._edge.pop(), carry), left >> 1
        self._edge.append(carry)
        self.size += 1

    def root(self) -> bytes:
        """The root over all leaves so far."""
        if not self._edge:
            return EMPTY_ROOT
        reached = self._edge[-1]
        for left in self._edge[-2::-1]:
            reached = node_hash(left, reached)
        return reached


def root(size: int, node: Node) -> bytes:
    """The root of the first `size` leaves."""
    return _range_hash(0, size, node) if size else EMPTY_ROOT


def inclusion_proof(index: int, size: int, node: Node) -> list[bytes]:
    """What is needed beside leaf `index` to come to the root of `size`. Raises ProofInvalid outside the tree."""
    if not 0 <= index < size:
        message = f"there is no entry {index} in a tree of {size}"
        raise ProofInvalid(message)
    proof: list[bytes] = []
    start, end = 0, size
    while end - start > 1:
        middle = start + _split(end - start)
        if index < middle:
            proof.append(_range_hash(middle, end, node))
            end = middle
        else:
            proof.append(_range_hash(start, middle, node))
            start = middle
    return proof[::-1]


def consistency_proof(old: int, new: int, node: Node) -> list[bytes]:
    """What shows that the tree of `new` leaves begins with that of `old`. Raises ProofInvalid unless 0 < old <= new."""
    if not 0 < old <= new:
        message = f"a tree of {old} has no consistency proof to one of {new}"
        raise ProofInvalid(message)
    proof: list[bytes] = []
    start, end, whole = 0, new, True
    while old != end:
        middle = start + _split(end - start)
        if old <= middle:
            proof.append(_range_hash(middle, end, node))
            end = middle
        else:
            proof.append(_range_hash(start, middle, node))
            start, whole = middle, False
    if not whole:
        proof.append(_range_hash(start, end, node))
    return proof[::-1]


def check_inclusion(index: int, size: int, leaf: bytes, proof: Iterable[bytes], expected: bytes) -> None:
    """Insist that the entry with hash `leaf` is number `index` of the tree of `size` with root `expected`."""
    if not 0 <= index < size:
        message = f"there is no entry {index} in a tree of {size}"
        raise ProofInvalid(message)
    if len(leaf) != HASH_BYTES:
        raise ProofInvalid("an entry's hash has 32 bytes")
    place, last, reached = index, size - 1, leaf
    for sibling in proof:
        if last == 0:
            raise ProofInvalid("the inclusion proof is too long")
        if place & 1 or place == last:
            reached = node_hash(sibling, reached)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            reached = node_hash(reached, sibling)
        place, last = place >> 1, last >> 1
    if last:
        raise ProofInvalid("the inclusion proof is too short")
    _same(reached, expected, "the entry does not lead to this root")


def check_consistency(old: int, new: int, old_root: bytes, new_root: bytes, proof: Sequence[bytes]) -> None:
    """Insist that the tree of `new` with `new_root` begins with the tree of `old` with `old_root`."""
    if not 0 < old <= new:
        message = f"a tree of {new} cannot be shown to begin with one of {old}"
        raise ProofInvalid(message)
    if old == new:
        if proof:
            raise ProofInvalid("two trees of one size need no proof")
        _same(old_root, new_root, "two different trees of one size: the log shows different views")
        return
    path = list(proof) if old & (old - 1) else [old_root, *proof]
    before, after = _both_roots(old - 1, new - 1, path)
    _same(before, old_root, "the proof does not lead to the older root")
    _same(after, new_root, "the proof does not lead to the newer root")


def _both_roots(place: int, last: int, path: Sequence[bytes]) -> tuple[bytes, bytes]:
    """The older and the newer root to which a consistency proof leads."""
    if not path:
        raise ProofInvalid("the consistency proof is empty")
    while place & 1:
        place, last = place >> 1, last >> 1
    before = after = path[0]
    for sibling in path[1:]:
        if last == 0:
            raise ProofInvalid("the consistency proof is too long")
        if place & 1 or place == last:
            before, after = node_hash(sibling, before), node_hash(sibling, after)
            while not place & 1 and place:
                place, last = place >> 1, last >> 1
        else:
            after = node_hash(after, sibling)
        place, last = place >> 1, last >> 1
    if last:
        raise ProofInvalid("the consistency proof is too short")
    return before, after


def _range_hash(start: int, end: int, node: Node) -> bytes:
    size = end - start
    if size & (size - 1) == 0:
        return node(size.bit_length() - 1, start // size)
    middle = start + _split(size)
    return node_hash(_range_hash(start, middle, node), _range_hash(middle, end, node))


def _split(size: int) -> int:
    """The largest power of two below `size`."""
    return 1 << (size - 1).bit_length() - 1


def _same(reached: bytes, expected: bytes, otherwise: str) -> None:
    if reached != expected:
        raise ProofInvalid(otherwise)

# SPDX-License-Identifier: Apache-2.0
"""The Merkle tree against the public vectors, and against itself: what is changed anywhere is refused."""

from __future__ import annotations

import base64
import json
from collections.abc import Callable
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import ProofInvalid
from holdfast.log import merkle
from tests.log.vectors import VECTORS

FOLDER = VECTORS / "rfc6962-transparency-dev"
INCLUSION = sorted((FOLDER / "inclusion").rglob("*.json"))
CONSISTENCY = sorted((FOLDER / "consistency").rglob("*.json"))


def _hash(text: str | None) -> bytes:
    return base64.b64decode(text or "")


def _hashes(given: list[str] | None) -> list[bytes]:
    return [_hash(one) for one in given or []]


def _refused(check: Callable[[], None]) -> bool:
    try:
        check()
    except ProofInvalid:
        return True
    return False


def _consistency(case: dict[str, Any]) -> bool:
    roots = _hash(case["root1"]), _hash(case["root2"])
    return _refused(lambda: merkle.check_consistency(case["size1"], case["size2"], *roots, _hashes(case["proof"])))


def _inclusion(case: dict[str, Any]) -> bool:
    leaf, root = _hash(case["leafHash"]), _hash(case["root"])
    return _refused(
        lambda: merkle.check_inclusion(case["leafIdx"], case["treeSize"], leaf, _hashes(case["proof"]), root)
    )


@pytest.mark.skipif(not FOLDER.exists(), reason="the public vectors are not on this machine")
def test_all_196_public_vectors_are_judged_as_published() -> None:
    wrong = [path for path in INCLUSION if _inclusion(_load(path)) is not _load(path)["wantErr"]]
    wrong += [path for path in CONSISTENCY if _consistency(_load(path)) is not _load(path)["wantErr"]]

    assert wrong == []
    assert len(INCLUSION) + len(CONSISTENCY) == 196


@pytest.mark.skipif(not FOLDER.exists(), reason="the public vectors are not on this machine")
def test_the_reference_tree_has_the_published_roots() -> None:
    reference = _load(FOLDER / "reference_tree.json")
    leaves = [merkle.leaf_hash(bytes.fromhex(one)) for one in reference["leaf_inputs"]]
    roots = [merkle.root(size, merkle.nodes_over(leaves[:size])).hex() for size in range(len(leaves) + 1)]

    assert roots == reference["roots"]


def _load(path: Path) -> dict[str, Any]:
    return dict(json.loads(path.read_text()))


def _leaves(size: int) -> list[bytes]:
    return [merkle.leaf_hash(b"%d" % number) for number in range(size)]


@pytest.mark.parametrize("size", range(1, 34))
def test_every_proof_of_every_small_tree_is_accepted(size: int) -> None:
    leaves = _leaves(size)
    node = merkle.nodes_over(leaves)
    root = merkle.root(size, node)
    for index in range(size):
        merkle.check_inclusion(index, size, leaves[index], merkle.inclusion_proof(index, size, node), root)
    for old in range(1, size + 1):
        proof = merkle.consistency_proof(old, size, node)
        merkle.check_consistency(old, size, merkle.root(old, node), root, proof)


@given(st.integers(2, 4096), st.data())
def test_an_inclusion_proof_with_one_bit_changed_anywhere_is_refused(size: int, data: st.DataObject) -> None:
    leaves = _leaves(size)
    node = merkle.nodes_over(leaves)
    index = data.draw(st.integers(0, size - 1))
    proof, root = merkle.inclusion_proof(index, size, node), merkle.root(size, node)
    parts = [leaves[index], *proof, root]
    which, bit = data.draw(st.integers(0, len(parts) - 1)), data.draw(st.integers(0, 255))
    parts[which] = _flipped(parts[which], bit)
    with pytest.raises(ProofInvalid):
        merkle.check_inclusion(index, size, parts[0], parts[1:-1], parts[-1])
    other = data.draw(st.integers(0, size - 1).filter(lambda one: one != index))
    with pytest.raises(ProofInvalid):
        merkle.check_inclusion(other, size, leaves[index], proof, root)


@given(st.integers(2, 4096), st.data())
def test_a_consistency_proof_with_one_bit_changed_anywhere_is_refused(size: int, data: st.DataObject) -> None:
    node = merkle.nodes_over(_leaves(size))
    old = data.draw(st.integers(1, size - 1))
    proof = merkle.consistency_proof(old, size, node)
    parts = [merkle.root(old, node), *proof, merkle.root(size, node)]
    which, bit = data.draw(st.integers(0, len(parts) - 1)), data.draw(st.integers(0, 255))
    parts[which] = _flipped(parts[which], bit)
    with pytest.raises(ProofInvalid):
        merkle.check_consistency(old, size, parts[0], parts[-1], parts[1:-1])


def _flipped(value: bytes, bit: int) -> bytes:
    return (int.from_bytes(value, "big") ^ (1 << bit)).to_bytes(len(value), "big")


def test_what_is_not_in_the_tree_has_no_proof() -> None:
    node = merkle.nodes_over(_leaves(3))
    for index, size in ((3, 3), (-1, 3), (0, 0)):
        with pytest.raises(ProofInvalid):
            merkle.inclusion_proof(index, size, node)
    for old, new in ((0, 3), (4, 3)):
        with pytest.raises(ProofInvalid):
            merkle.consistency_proof(old, new, node)


def test_two_roots_for_one_size_are_refused_as_a_split_view() -> None:
    with pytest.raises(ProofInvalid, match="different views"):
        merkle.check_consistency(3, 3, b"a" * 32, b"b" * 32, [])

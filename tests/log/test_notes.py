# SPDX-License-Identifier: Apache-2.0
"""Notes, checkpoints and tiles: the C2SP forms, and what does not have them is refused."""

from __future__ import annotations

import json

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.errors import ProofInvalid
from holdfast.log import merkle
from holdfast.log.checkpoint import Checkpoint, open_checkpoint, parse_checkpoint
from holdfast.log.note import Signer, Verifier, new_signer, open_note, parse_note
from holdfast.log.tile import Tile, bundle_of, entries_of, entries_path, node_reader, split_hashes, tiles_between
from tests.log.vectors import VECTORS

CASES = VECTORS / "checkpoint_parse.json"
SIGNER = Signer("example.org/log", bytes(range(32)))
HEAD = Checkpoint("example.org/log", 7, b"r" * 32)


@pytest.mark.skipif(not CASES.exists(), reason="the public vectors are not on this machine")
def test_the_published_checkpoints_are_read_or_refused_as_published() -> None:
    cases = json.loads(CASES.read_text())["cases"]
    wrong = [case["desc"] for case in cases if _readable(case["text"]) is not case["ok"]]

    assert wrong == []
    assert len(cases) == 10


def _readable(text: str) -> bool:
    try:
        parse_checkpoint(text)
    except ProofInvalid:
        return False
    return True


def test_a_signed_checkpoint_opens_for_the_key_that_signed_it_and_for_no_other() -> None:
    note = HEAD.signed(SIGNER)
    assert open_checkpoint(note, SIGNER.verifier) == HEAD
    for other in (new_signer("example.org/log"), Signer("example.org/other", SIGNER.private)):
        with pytest.raises(ProofInvalid):
            open_checkpoint(note, other.verifier)


def test_a_checkpoint_of_another_log_is_refused_even_if_the_key_signed_it() -> None:
    with pytest.raises(ProofInvalid, match="of the log"):
        open_checkpoint(Checkpoint("example.org/other", 7, b"r" * 32).signed(SIGNER), SIGNER.verifier)


@given(st.data())
def test_a_note_with_one_character_changed_is_refused(data: st.DataObject) -> None:
    note = HEAD.signed(SIGNER)
    at = data.draw(st.integers(0, len(note) - 1))
    other = data.draw(st.characters(min_codepoint=32, max_codepoint=126).filter(lambda one: one != note[at]))
    with pytest.raises(ProofInvalid):
        open_note(note[:at] + other + note[at + 1 :], SIGNER.verifier)


def test_a_note_keeps_signatures_of_keys_that_nobody_here_knows() -> None:
    other = new_signer("witness.example")
    note = HEAD.signed(SIGNER) + other.note("x\n").rpartition("\n\n")[2]
    assert [name for name, _, _ in parse_note(note)[1]] == ["example.org/log", "witness.example"]
    assert open_checkpoint(note, SIGNER.verifier) == HEAD


def test_a_verifier_key_is_read_back_as_it_was_written_and_refused_if_its_id_is_not_its_own() -> None:
    text = str(SIGNER.verifier)
    assert Verifier.parse(text) == SIGNER.verifier
    name, key_id, key = text.split("+", 2)
    for bad in (f"{name}+00000000+{key}", f"other+{key_id}+{key}", f"{name}+{key_id}", f"{name}+{key_id}+A{key}", ""):
        with pytest.raises(ProofInvalid):
            Verifier.parse(bad)


@pytest.mark.parametrize(
    ("tile", "path"),
    [
        (Tile(0, 0), "tile/0/000"),
        (Tile(3, 1234067), "tile/3/x001/x234/067"),
        (Tile(0, 5, 17), "tile/0/005.p/17"),
    ],
)
def test_a_tile_has_the_path_that_c2sp_gives_it(tile: Tile, path: str) -> None:
    assert tile.path() == path
    assert entries_path(1234067, 9) == "tile/entries/x001/x234/067.p/9"


@pytest.mark.parametrize("sizes", [(1, 255), (256, 257), (300, 70_000), (65_535, 65_537)])
def test_roots_and_proofs_read_from_tiles_are_those_of_the_whole_tree(sizes: tuple[int, int]) -> None:
    old, size = sizes
    leaves = [merkle.leaf_hash(b"%d" % number) for number in range(size)]
    whole = merkle.nodes_over(leaves)
    stored: dict[str, bytes] = {}
    for before, after in ((0, old), (old, size)):
        for tile in tiles_between(before, after):
            first = tile.index * 256
            stored[tile.path()] = b"".join(whole(tile.level * 8, place) for place in range(first, first + tile.width))
    node = node_reader(lambda tile: stored[tile.path()], size)

    assert merkle.root(size, node) == merkle.root(size, whole)
    assert merkle.consistency_proof(old, size, node) == merkle.consistency_proof(old, size, whole)
    assert merkle.inclusion_proof(size // 2, size, node) == merkle.inclusion_proof(size // 2, size, whole)


@given(st.lists(st.binary(max_size=300), max_size=256))
def test_a_bundle_of_entries_is_read_back_as_it_was_made_and_never_cut(entries: list[bytes]) -> None:
    bundle = bundle_of(entries)
    assert entries_of(bundle) == entries
    if bundle:
        with pytest.raises(ProofInvalid):
            entries_of(bundle[:-1] if len(entries[-1]) else bundle + b"\0")


@pytest.mark.parametrize("data", [b"", b"x" * 31, b"x" * 33, b"x" * 32 * 257])
def test_a_tile_that_does_not_hold_whole_hashes_is_refused(data: bytes) -> None:
    with pytest.raises(ProofInvalid):
        split_hashes(data)

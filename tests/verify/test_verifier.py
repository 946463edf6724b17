# SPDX-License-Identifier: Apache-2.0
"""The single-file verifier: alone, short, and refusing whatever was changed, left out, set back or shown two ways."""

from __future__ import annotations

import base64
import json
import random
import subprocess
import sys
import venv
from collections.abc import Iterator
from dataclasses import dataclass
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest

from holdfast.adapters.log_folder import LogFolder
from holdfast.bootstrap import System
from holdfast.errors import ProofInvalid
from holdfast.log.checkpoint import Checkpoint
from holdfast.log.keys import read_history
from holdfast.log.merkle import nodes_over, root
from holdfast.log.note import new_signer
from holdfast.log.receipt import check_receipt
from holdfast.prove import grown_since, prove
from holdfast.verify import holdfast_verify
from holdfast.verify.holdfast_verify import Refused, check
from tests.store.logging import NOW, append, keeping, screened

FILE = Path(holdfast_verify.__file__)
UNREADABLE = (Refused, ValueError, KeyError, TypeError, IndexError, AttributeError)
BANK = "bank:a-name"


@dataclass(frozen=True)
class Handed:
    """What a log handed out: its key, a kept checkpoint, and what came later."""

    folder: LogFolder
    key: str
    kept: str
    receipt: dict[str, Any]
    bundle: dict[str, Any]
    consistency: dict[str, Any]


@pytest.fixture
def handed(system: System, tmp_path: Path) -> Iterator[Handed]:
    with keeping(system, tmp_path) as (sequencer, publisher), sequencer.connection.cursor() as cursor:
        screened(sequencer.connection, 1, 5)
        append(sequencer.connection, BANK, 1)
        receipt = prove(cursor, publisher.folder, BANK, now=NOW)
        sequencer.round()
        publisher.publish()
        kept = publisher.folder.published() or ""
        append(sequencer.connection, BANK, 2)
        append(sequencer.connection, BANK, 3)
        screened(sequencer.connection, 6, 300)
        sequencer.round()
        publisher.publish()
        bundle = prove(cursor, publisher.folder, BANK, now=NOW, since=kept)
        key = str(publisher.folder.identity().keys.log[0])
        yield Handed(publisher.folder, key, kept, receipt, bundle, grown_since(publisher.folder, kept))


def test_it_is_at_most_200_lines_and_needs_one_library() -> None:
    text = FILE.read_text()
    imported = {line.split()[1].split(".")[0] for line in text.splitlines() if line.startswith(("import ", "from "))}
    assert len(text.splitlines()) <= 200
    assert imported - set(sys.stdlib_module_names) == {"cryptography"}


def test_what_was_handed_out_proves_what_it_says(handed: Handed) -> None:
    for document in (handed.receipt, handed.bundle, handed.consistency):
        says = check(json.dumps(document), handed.key)
        assert "NOT COMPARED" not in says[0]
    assert "NOT COMPARED" in check(json.dumps(handed.bundle))[0]
    check(handed.kept, handed.key)
    says = check(json.dumps(handed.bundle), handed.key, handed.kept)
    assert any("Events 1 to 3 of bank:a-name" in one for one in says)
    assert any("only grown since the checkpoint of 6 entries" in one for one in says)


def test_it_runs_in_an_empty_virtual_environment_with_cryptography_alone(handed: Handed, tmp_path: Path) -> None:
    place = tmp_path / "empty"
    venv.create(place, with_pip=False)
    packages = next(place.glob("lib/python*/site-packages"))
    import cryptography

    home = Path(cryptography.__file__).parents[1]
    for one in [*home.glob("cryptography*"), *home.glob("cffi*"), *home.glob("_cffi*"), *home.glob("pycparser*")]:
        (packages / one.name).symlink_to(one)
    (tmp_path / "bundle.json").write_text(json.dumps(handed.bundle))
    (tmp_path / "kept").write_text(handed.kept)
    command = [str(place / "bin" / "python"), "-I", str(FILE), str(tmp_path / "bundle.json"), "--key", handed.key]
    done = subprocess.run([*command, "--earlier", str(tmp_path / "kept")], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stderr) == (0, "")
    assert done.stdout.endswith("It proves this.\n")
    (tmp_path / "bundle.json").write_text(json.dumps(handed.bundle).replace("unscreened.opened", "unscreened.settled"))
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout[:7]) == (1, "REFUSED")
    done = subprocess.run([*command[:3], "/nothing/here"], capture_output=True, text=True, check=False)
    assert (done.returncode, done.stdout[:14]) == (2, "CANNOT BE READ")


@pytest.mark.parametrize("kind", ["receipt", "bundle", "consistency"])
def test_one_byte_changed_anywhere_that_counts_is_refused(handed: Handed, kind: str) -> None:
    whole = getattr(handed, kind)
    chance = random.Random(9)
    accepted = []
    for _ in range(200):
        document = json.loads(json.dumps(whole))
        path = chance.choice([one for one in _texts(document) if one[0] not in {"kind", "limits"}])
        changed = _change(document, path, chance)
        try:
            check(json.dumps(document), handed.key)
        except UNREADABLE:
            continue
        accepted.append((path, changed))
    assert accepted == []


def _texts(value: Any, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    if isinstance(value, dict):
        return [one for key, inner in value.items() for one in _texts(inner, (*path, key))]
    if isinstance(value, list):
        return [one for at, inner in enumerate(value) for one in _texts(inner, (*path, at))]
    return [path] if isinstance(value, str) else []


def _change(document: Any, path: tuple[Any, ...], chance: random.Random) -> str:
    for step in path[:-1]:
        document = document[step]
    text = document[path[-1]]
    at = chance.randrange(len(text))
    # Upper and lower case of a hexadecimal digit, and the last bits of base64, mean the same.
    other = "!" if text[at] != "!" else "?"
    document[path[-1]] = text[:at] + other + text[at + 1 :]
    return str(document[path[-1]])


def test_leaving_events_out_at_the_beginning_in_the_middle_or_at_the_end_is_refused(handed: Handed) -> None:
    for at in range(3):
        document = json.loads(json.dumps(handed.bundle))
        del document["events"][at]
        with pytest.raises(Refused):
            check(json.dumps(document), handed.key)
    document = json.loads(json.dumps(handed.bundle))
    document["events"].reverse()
    with pytest.raises(Refused):
        check(json.dumps(document), handed.key)


def test_a_rolled_back_log_is_refused_by_whoever_kept_a_later_checkpoint(handed: Handed) -> None:
    newest = handed.folder.published()
    with pytest.raises(Refused, match="ROLLED BACK"):
        check(handed.kept, handed.key, newest)


@pytest.mark.parametrize("seed", range(20))
def test_two_roots_for_one_size_or_another_past_are_refused_by_whoever_kept_one(handed: Handed, seed: int) -> None:
    """The log's own key signs both: a thief of the key, or a log that lies."""
    chance = random.Random(seed)
    signer = handed.folder.identity().log
    other = [chance.randbytes(32) for _ in range(400)]
    keys = handed.bundle["keys"]
    split = Checkpoint(signer.name, 6, root(6, nodes_over(other[:6]))).signed(signer)
    with pytest.raises(Refused, match="SPLIT VIEW"):
        check(json.dumps({"kind": "x", "checkpoint": split, "keys": keys}), handed.key, handed.kept)
    size = chance.randrange(7, 400)
    node = nodes_over(other[:size])
    rewritten = Checkpoint(signer.name, size, root(size, node)).signed(signer)
    from holdfast.log.merkle import consistency_proof

    proof = [base64.b64encode(one).decode() for one in consistency_proof(6, size, node)]
    lie = {"kind": "x", "checkpoint": rewritten, "old": handed.kept, "proof": proof, "keys": keys}
    with pytest.raises(Refused, match="REWRITTEN"):
        check(json.dumps(lie), handed.key, handed.kept)
    with pytest.raises(Refused, match="NOT SHOWN"):
        check(json.dumps({"kind": "x", "checkpoint": rewritten, "keys": keys}), handed.key, handed.kept)


def test_a_key_that_nobody_vouched_for_is_refused(handed: Handed) -> None:
    stranger = new_signer(handed.folder.identity().log.name)
    with pytest.raises(Refused, match="not the key that you trust"):
        check(json.dumps(handed.bundle), str(stranger.verifier))
    from holdfast.log.keys import Role, vouch

    real = handed.folder.identity()
    false = vouch(stranger, Role.LOG, after=None, at=NOW)
    for history in ([false, *real.history], [*real.history, false], [false]):
        document = {**handed.consistency, "keys": list(history)}
        with pytest.raises(Refused):
            check(json.dumps(document), handed.key)
        with pytest.raises(ProofInvalid):
            read_history(list(history), real.keys.log[0])


def test_after_a_rotation_old_and_new_documents_hold_under_either_key(handed: Handed) -> None:
    with handed.folder.alone():
        handed.folder.rotate(NOW + timedelta(days=1))
    new = str(handed.folder.identity().keys.log[-1])
    assert new != handed.key
    document = {**handed.consistency, "keys": list(handed.folder.history())}
    for key in (handed.key, new):
        check(json.dumps(document), key, handed.kept)
    with pytest.raises(Refused):
        check(json.dumps(handed.consistency), new)


def test_a_name_given_twice_is_refused(handed: Handed) -> None:
    text = json.dumps(handed.receipt)
    with pytest.raises(UNREADABLE):
        check('{"kind": "holdfast.bundle", ' + text[1:], handed.key)


def test_our_own_reader_says_the_same_of_receipts(handed: Handed) -> None:
    keys = read_history(handed.receipt["keys"])
    assert check_receipt(handed.receipt, keys)["n"] == 1
    with pytest.raises(ProofInvalid):
        check_receipt({**handed.receipt, "salt": "00" * 32}, keys)

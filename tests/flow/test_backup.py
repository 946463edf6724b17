# SPDX-License-Identifier: Apache-2.0
"""The drill: a backup of a running system is restored onto an empty database, and protects as before.

The keys that open what is sealed never lie in the folder in clear; restored with them, everything opens,
and who was erased since stays erased. Restored without them, everything else works and nothing sealed opens.
"""

from __future__ import annotations

import hashlib
import json
import shutil
import subprocess
import threading
import time
from collections.abc import Iterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pyrage
import pytest

from holdfast.adapters.binaries import found
from holdfast.demo.client import Client, Reply
from holdfast.demo.pictures import encoded, hills
from holdfast.log.checkpoint import Checkpoint, parse_checkpoint
from holdfast.log.note import Signer
from tests.conftest import READY_SECONDS, Server, environment_for, holdfast, said_by, start_server, stop
from tests.two_people import key_for, this_account

KNOWN = hills(77_001, (640, 480))
ORIGIN = "told by Anna Beispiel on the phone"
UPLOADER = "user-anna-4711"


def told(environment: dict[str, str], *arguments: str) -> Any:
    done = holdfast(environment, *arguments, "--json")
    assert done.returncode == 0, done.stdout + done.stderr
    return json.loads(done.stdout)


def refused(environment: dict[str, str], *arguments: str) -> str:
    done = holdfast(environment, *arguments, "--json")
    assert done.returncode != 0
    return str(json.loads(done.stdout)["error"]["code"])


@pytest.fixture(scope="module")
def identity(folder: Path) -> tuple[Path, str]:
    """An age identity file, and its recipient."""
    made, path = pyrage.x25519.Identity.generate(), folder / "identity.txt"
    path.write_text(f"# kept elsewhere\n{made}\n")
    return path, str(made.to_public())


@pytest.fixture(scope="module")
def original(folder: Path) -> Iterator[Server]:
    """A running system that knows a picture and has held it."""
    server = start_server(environment_for(folder / "original"))
    client = server.client
    assert _made(client, {"name": "b", "meaning": "m", "source": "s"}).status == 201
    added = client.call("POST", "/banks/b/entries/picture", body=encoded(KNOWN), provenance=ORIGIN)
    assert added.status == 201
    assert held_by(server, content_id="before", uploader=UPLOADER)
    yield server
    if server.process.poll() is None:
        stop(server.process)


def _made(client: Client, bank: dict[str, str]) -> Reply:
    return client.call("POST", "/banks", body=json.dumps(bank).encode(), kind="application/json")


def held_by(server: Server, **options: str) -> bool:
    reply = server.client.call("POST", "/screen", body=encoded(KNOWN, quality=50), headers=None, **options)
    return bool(reply.body["answer"] == "hold" and reply.body["explanation"]["verdict"] == "matched")


@pytest.fixture(scope="module")
def backup(original: Server, folder: Path, identity: tuple[Path, str]) -> Path:
    """A backup of it, made while it runs, with the keyring for a recipient."""
    made = folder / "backup"
    manifest = told(original.environment, "backup", str(made), "--to", identity[1])
    assert manifest["facts"]["tables"]["screening"] >= 1
    return made


def restored_to(place: Path, backup: Path, *options: str) -> tuple[dict[str, str], Any]:
    environment = environment_for(place)
    return environment, told(environment, "restore", str(backup), *options)


def test_what_is_restored_is_what_was_there_and_a_known_picture_is_held(
    original: Server, backup: Path, identity: tuple[Path, str], folder: Path
) -> None:
    environment, done = restored_to(folder / "restored", backup, "--identity", str(identity[0]))
    manifest = json.loads((backup / "manifest.json").read_text())
    assert done["facts"] == manifest["facts"]
    assert done["keyring"]
    again = start_server(environment)
    try:
        assert held_by(again, content_id="after", uploader=UPLOADER)
        (entry,) = _exported(again)
        assert entry["provenance"] == ORIGIN
        subject = told(environment, "sealed", "find", "--uploader", UPLOADER)["subject"]
        assert subject == told(original.environment, "sealed", "find", "--uploader", UPLOADER)["subject"]
        shown = told(environment, "sealed", "read", subject, "--role", "test", "--because", "a drill")
        assert list(shown.values()) == [UPLOADER]
        assert (done["log"], done["log_keys"]) == (signed_in(backup), True)
        assert checkpoint_after(folder / "restored", done["log"]).origin == origin_of(original)
        assert told(environment, "fsck")["clean"]
    finally:
        stop(again.process)


def origin_of(server: Server) -> str:
    note = (Path(server.environment["HOLDFAST_DATA"]) / "log" / "head").read_text()
    return parse_checkpoint(note).origin


def signed_in(backup: Path) -> int:
    """How many entries the log in a backup had signed."""
    size = parse_checkpoint(json.loads((backup / "log.json").read_text())["head"]).size
    assert size > 1
    return size


def checkpoint_after(place: Path, size: int) -> Checkpoint:
    """The checkpoint that the log in `place` publishes once it has signed more than `size` entries."""
    pause, ends = threading.Event(), time.monotonic() + READY_SECONDS
    while (found := parse_checkpoint((place / "log" / "checkpoint").read_text())).size <= size:
        assert time.monotonic() < ends, "the restored log signs nothing"
        pause.wait(0.05)
    return found


def test_a_database_that_is_not_what_the_log_signed_is_found(
    original: Server, backup: Path, identity: tuple[Path, str], folder: Path
) -> None:
    other = folder / "other-head"
    shutil.copytree(backup, other)
    log = json.loads((other / "log.json").read_text())
    head = parse_checkpoint(log["head"])
    key = json.loads((Path(original.environment["HOLDFAST_DATA"]) / "log" / "log.key").read_text())
    signer = Signer(key["name"], bytes.fromhex(key["private"]))
    log["head"] = replace(head, root=bytes(32)).signed(signer)
    (other / "log.json").write_text(json.dumps(log))
    manifest = json.loads((other / "manifest.json").read_text())
    whole = (other / "log.json").read_bytes()
    manifest["files"]["log.json"] = {"bytes": len(whole), "sha256": hashlib.sha256(whole).hexdigest()}
    (other / "manifest.json").write_text(json.dumps(manifest))
    environment = environment_for(folder / "other-target")
    assert refused(environment, "restore", str(other), "--identity", str(identity[0])) == "log.diverged"


def test_neither_texts_nor_keys_lie_in_the_folder_in_clear(original: Server, backup: Path) -> None:
    keyring = json.loads((Path(original.environment["HOLDFAST_DATA"]) / "keys" / "sealing.json").read_text())
    log = Path(original.environment["HOLDFAST_DATA"]) / "log"
    private = [json.loads((log / name).read_text())["private"] for name in ("log.key", "receipt.key")]
    secrets = [keyring["finding"], *(key["secret"] for key in keyring["keys"]), *private]
    unpacked = holdfast_dump(backup)
    for file in [*(path.read_bytes() for path in backup.iterdir()), unpacked]:
        for word in (ORIGIN, UPLOADER, *secrets):
            assert word.encode() not in file
    assert b"screening" in unpacked
    assert all(path.stat().st_mode & 0o077 == 0 for path in [backup, *backup.iterdir()])


def holdfast_dump(backup: Path) -> bytes:
    """The dump as SQL, with nothing compressed."""
    program = [found()[0].program("pg_restore"), "--file=-", str(backup / "database.dump")]
    return subprocess.run(program, capture_output=True, check=True).stdout


def test_without_the_keyring_nothing_sealed_opens_and_the_rest_came_back(backup: Path, folder: Path) -> None:
    environment, done = restored_to(folder / "without", backup)
    assert not done["keyring"]
    assert (done["log"], done["log_keys"]) == (signed_in(backup), False)
    assert not list((folder / "without" / "log").glob("*.key")), "new keys would be another log's"
    assert not (folder / "without" / "keys").exists(), "a new key would hide that the old one is missing"
    assert refused(environment, "sealed", "status") == "config.sealing_key"


def test_who_was_erased_since_the_backup_stays_erased(backup: Path, identity: tuple[Path, str], folder: Path) -> None:
    environment, _ = restored_to(folder / "erased", backup, "--identity", str(identity[0]))
    subject = told(environment, "sealed", "find", "--uploader", UPLOADER)["subject"]
    for person in (this_account(), "somebody-else"):
        key_for(environment, person)
    asked = holdfast(environment, "sealed", "erase", subject, "--because", "she asked", "--json")
    assert asked.returncode == 6, asked.stdout + asked.stderr
    proposal = json.loads(asked.stdout)["proposal"]
    agree = ("proposals", "agree", proposal, "--because", "x", "--yes")
    assert refused(environment, *agree) == "proposal.same_person"
    assert agreed_by(environment, "somebody-else", proposal)
    assert refused(environment, "sealed", "find", "--uploader", UPLOADER) == "sealed.unknown"

    place = folder / "erased-again"
    place.mkdir()
    shutil.copytree(folder / "erased" / "keys", place / "keys")
    fresh, done = restored_to(place, backup)
    assert done["erased_again"] == [subject]
    assert refused(fresh, "sealed", "find", "--uploader", UPLOADER) == "sealed.unknown"


def agreed_by(environment: dict[str, str], person: str, proposal: str) -> bool:
    """Have another account of the machine agree: who asks on the command line is the account of its process."""
    program = (
        "import sys; from holdfast.access.person import Who; from holdfast.bootstrap import running\n"
        "from holdfast.settings import Settings\n"
        "proposal, person = sys.argv[1:]\n"
        "with running(Settings.from_environment()) as system:\n"
        "    digest, who = system.proposals.get(proposal).digest, Who(f'cli:{person}', person)\n"
        "    print(system.proposals.agree(proposal, who, because='looked', digest=digest).state)"
    )
    return said_by(environment, program, proposal, person).strip() == "agreed"


def test_nothing_is_ever_overwritten(original: Server, backup: Path) -> None:
    assert refused(original.environment, "backup", str(backup)) == "backup.target_not_empty"
    assert refused(original.environment, "restore", str(backup)) == "backup.target_not_empty"
    assert held_by(original)


@pytest.mark.parametrize("harm", ["cut", "changed", "lost", "unfinished"])
def test_a_backup_that_is_not_whole_is_refused_before_anything_is_written(
    harm: str, backup: Path, folder: Path
) -> None:
    broken = folder / f"broken-{harm}"
    shutil.copytree(backup, broken)
    dump = broken / "database.dump"
    whole = bytearray(dump.read_bytes())
    match harm:
        case "cut":
            dump.write_bytes(whole[:-1])
        case "changed":
            whole[len(whole) // 2] ^= 1
            dump.write_bytes(whole)
        case "lost":
            dump.unlink()
        case "unfinished":
            (broken / "manifest.json").unlink()
    environment = environment_for(folder / f"target-{harm}")
    assert refused(environment, "restore", str(broken)) == "input.backup"
    assert refused(environment, "sealed", "find", "--uploader", UPLOADER) == "sealed.unknown", "the target is empty"


def test_a_recipient_that_is_none_leaves_nothing_behind(original: Server, folder: Path) -> None:
    target = folder / "nobody"
    assert refused(original.environment, "backup", str(target), "--to", "age1nobody") == "request.invalid"
    assert not target.exists()


def _exported(server: Server) -> list[dict[str, Any]]:
    done = holdfast(server.environment, "bank", "export", "b", "-")
    return [json.loads(line) for line in done.stdout.splitlines()]

#!/usr/bin/env python3
# SPDX-License-Identifier: Apache-2.0
"""Checks what a Holdfast log hands out: receipts, bundles, checkpoints, and that a log has only grown.

    python holdfast_verify.py FILE [--key KEY] [--earlier CHECKPOINT]

One file and one library: `pip install cryptography`. KEY is the log's key as you know it from elsewhere (NAME+ID+KEY).
CHECKPOINT is one that you kept: a log that was set back since, or shows other views to other people, is refused.
It asks nobody and reads only the files named. Exit code: 0 it proves what it says; 1 it does not; 2 it cannot be read.
"""

import argparse
import base64
import hashlib
import json
import sys
from datetime import UTC, datetime, timedelta
from pathlib import Path
from typing import Any

from cryptography.exceptions import InvalidSignature
from cryptography.hazmat.primitives.asymmetric.ed25519 import Ed25519PublicKey

Json = dict[str, Any]
Key = tuple[str, str, bytes]  # name, id, public key
Head = tuple[str, int, bytes]  # log, size, root


class Refused(Exception): ...  # noqa: D101, N818


def insist(true: object, otherwise: str) -> None:
    """Go on only if it is so."""
    if not true:
        raise Refused(otherwise)


def read_object(text: str) -> Json:
    """A JSON object; one that gives a name twice is none."""
    return dict(json.loads(text, object_pairs_hook=lambda all_: dict(all_) if len(dict(all_)) == len(all_) else None))


def hashes(proof: list[str]) -> list[bytes]:
    """The hashes of a proof."""
    return [base64.b64decode(one, validate=True) for one in proof]


def read_key(text: str) -> Key:
    """The key in NAME+ID+KEY."""
    name, key_id, key = text.strip().split("+", 2)
    (raw,) = hashes([key])
    own = hashlib.sha256(name.encode() + b"\n" + raw).hexdigest()[:8] if raw[:1] == b"\x01" else ""
    insist(own == key_id, "not an Ed25519 key, or not its id")
    return name, key_id, raw[1:]


def check_signature(key: Key, message: str, signature: bytes) -> None:
    """Insist that `key` signed `message`."""
    try:
        Ed25519PublicKey.from_public_bytes(key[2]).verify(signature, message.encode())
    except (InvalidSignature, ValueError):
        raise Refused(f"not signed by the key {key[1]}") from None


def check_statement(entry: Json, key: Key | None, purpose: str) -> Json:
    """What `key` states for `purpose`."""
    key = key if key and entry["by"] == key[1] else ("", "that it should be of", b"")
    check_signature(key, f"holdfast {purpose}\n{entry['statement']}", hashes([entry["signature"]])[0])
    return read_object(entry["statement"])


def read_keys(history: list[Json], trusted: Key | None) -> tuple[dict[str, Key], dict[str, Key]]:
    """Keys for checkpoints and for receipts, by id. Each and the log key before it vouch for each other."""
    log: dict[str, Key] = {trusted[1]: trusted} if trusted and not history else {}
    receipt, last = dict[str, Key](), None
    for entry in history:
        key = read_key(read_object(entry["statement"])["key"])
        said = check_statement(entry, last or key, "key")
        check_statement({**entry, "by": key[1], "signature": entry["own"]}, key, "key")
        after = hashes([said["after"]])[0] == (last[2] if last else b"")
        insist(after and said["origin"] == (last or key)[0] and (last or said["role"] == "log"), "keys do not follow")
        (log if said["role"] == "log" else receipt)[key[1]] = key
        last = key if said["role"] == "log" else last
    insist(log and trusted in (None, *log.values()), "no key, or not the key that you trust, is in the key history")
    return log, receipt


def read_checkpoint(note: str, log: dict[str, Key]) -> Head:
    """A checkpoint that a key of its own log has signed."""
    text, _, below = note.rpartition("\n\n")
    origin, size, root = text.split("\n")[:3]
    for line in below.strip("\n").split("\n"):
        mark, name, encoded = line.split(" ")
        (raw,) = hashes([encoded])
        if mark == "\u2014" and name == origin == log.get(raw[:4].hex(), ("",))[0]:
            check_signature(log[raw[:4].hex()], text + "\n", raw[4:])
            return origin, int(size), hashes([root])[0]
    raise Refused("the checkpoint is not signed by a key of this log")


def climb(at: int, last: int, start: bytes, path: list[bytes]) -> tuple[bytes, bytes]:
    """RFC 9162, 2.1.3.2 and 2.1.4.2: the roots reached from `start`, by left siblings alone and by all."""
    left = both = start
    for sibling in path:
        insist(last > 0, "a proof is too long")
        if at & 1 or at == last:
            left, both = (hashlib.sha256(b"\x01" + sibling + reached).digest() for reached in (left, both))
            while at and not at & 1:
                at, last = at >> 1, last >> 1
        else:
            both = hashlib.sha256(b"\x01" + both + sibling).digest()
        at, last = at >> 1, last >> 1
    insist(last == 0, "a proof is too short")
    return left, both


def check_grown(old: Head, new: Head, proof: list[bytes] | None) -> str:
    """Insist that the tree of `new` begins with that of `old`."""
    insist(old[0] == new[0], "checkpoints of two different logs")
    insist(old[1] <= new[1], f"ROLLED BACK: the log had {old[1]} entries and now shows {new[1]}")
    insist(old[1] != new[1] or old[2] == new[2], f"SPLIT VIEW: two different logs of {new[1]} entries were signed")
    if 0 < old[1] < new[1]:
        insist(proof, f"NOT SHOWN that the {new[1]} entries begin with the {old[1]} that you kept: ask for a proof")
        low = (old[1] & -old[1]).bit_length() - 1
        path = [*([old[2]] if old[1] == 1 << low else []), *(proof or [])]
        reached = climb((old[1] - 1) >> low, (new[1] - 1) >> low, path[0], path[1:])
        insist(reached == (old[2], new[2]), "REWRITTEN: older entries were changed")
    return f"It has only grown since the checkpoint of {old[1]} entries."


def check_commitment(entry: Json, body: str) -> Json:
    """What an entry opens, if `body` commits to it, and that to the sealed words beside it; it may open nothing."""
    if not {"opened", "salt", "sealed"} & set(entry):
        return {"actor": "somebody who is not shown"}
    own = hashlib.sha256(bytes.fromhex(entry["salt"]) + entry["opened"].encode()).hexdigest()
    insist(own == body, "what was opened is not what the log committed to")
    opened = read_object(entry["opened"])
    _ = [check_commitment(part, opened["body"][name]["commitment"]) for name, part in entry.get("sealed", {}).items()]
    return opened


def check_bundle(bundle: Json, head: Head, receipt: dict[str, Key]) -> list[str]:
    """All events of one subject, each in its place, none missing between them."""
    previous, says, events, subject = None, [], bundle["events"], bundle["subject"]
    hidden = hashlib.sha256(bytes.fromhex(events[0].get("salt", "")) + b"subject" + subject.encode()).hexdigest()
    complete = check_statement(bundle["complete"], receipt.get(bundle["complete"]["by"]), "complete")
    for number, event in enumerate(events, 1):
        leaf, reached = read_object(event["leaf"]), hashlib.sha256(b"\x00" + event["leaf"].encode()).digest()
        insist((leaf["n"], leaf["previous"]) == (number, previous), f"event {number} is missing or out of order")
        insist(leaf["subject"] in {subject, f"{subject.partition(':')[0]}:~{hidden}"}, "an event of another subject")
        opened = check_commitment(event, leaf["body"])
        root = climb(event["index"], head[1] - 1, reached, hashes(event["proof"]))[1]
        insist(0 <= event["index"] < head[1] and root == head[2], f"event {number} is not in the log at its place")
        says.append(f"  {number}. {leaf['at']} {leaf['tag']} by {opened['actor']} (entry {event['index']})")
        previous = reached.hex()
    stated = complete["origin"], complete["size"], complete["n"], complete["subject"]
    insist(stated == (*head[:2], len(events), leaf["subject"]), "the log signed another number of events")
    return [f"Events 1 to {len(events)} of {subject}, which the log signed to be all up to there:", *says]


def check(text: str, key: str | None = None, earlier: str | None = None) -> list[str]:
    """What is proven, in sentences. Raises Refused; ValueError, KeyError, TypeError, IndexError for a wrong form."""
    document: Json = read_object(text) if text.lstrip().startswith("{") else {"checkpoint": text, "keys": []}
    if document.get("kind") == "holdfast.report":
        return [one for part in document["proofs"] or [{}] for one in check(json.dumps(part), key, earlier)]
    log, receipt = read_keys(document["keys"], read_key(key) if key else None)
    says = [] if key else ["NOT COMPARED with a key that you know: sound in itself, whoever made it."]
    if document.get("kind") == "holdfast.receipt":
        said = check_statement(document, receipt.get(document["by"]), "receipt")
        check_commitment(document, said["body"])
        due = datetime.fromisoformat(said["signed_at"]) + timedelta(seconds=said["merge_delay_seconds"])
        late = "It is past: ask for the proof." * (datetime.now(UTC) > due)
        return [*says, f"PROMISED: event {said['n']} of {said['subject']} is in the log by {due:%F %T} UTC. {late}"]
    head = read_checkpoint(document["checkpoint"], log)
    says.append(f"The log {head[0]} signed {head[1]} entries.")
    olds = (document, document.get("timestamp") or {})
    links = [(read_checkpoint(one["old"], log), hashes(one["proof"])) for one in olds if "old" in one]
    says += [check_grown(old, head, proof) for old, proof in links]
    for kept in [read_checkpoint(earlier, log)] if earlier else []:
        says.append(check_grown(kept, head, next((proof for old, proof in links if old == kept), None)))
    if document.get("kind") == "holdfast.bundle":
        says += check_bundle(document, head, receipt)
    return [*says, *document.get("limits", [])]


def main() -> int:  # noqa: D103
    parser = argparse.ArgumentParser(description=__doc__, formatter_class=argparse.RawDescriptionHelpFormatter)
    _ = [parser.add_argument(name) for name in ("file", "--key", "--earlier")]
    asked = parser.parse_args()
    try:
        files = [Path(one).read_text(encoding="utf-8") for one in (asked.file, asked.earlier) if one]
        says, code = [*check(files[0], asked.key, "".join(files[1:])), "It proves this."], 0
    except Refused as fault:
        says, code = [f"REFUSED: {fault}. Do not rely on it."], 1
    except (OSError, ValueError, KeyError, TypeError, IndexError, AttributeError) as fault:
        says, code = [f"CANNOT BE READ: {type(fault).__name__}: {fault}"], 2
    return code * (sys.stdout.write("\n".join(says) + "\n") > 0)


sys.exit(main()) if __name__ == "__main__" else None

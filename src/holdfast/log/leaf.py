# SPDX-License-Identifier: Apache-2.0
"""A leaf: what the Merkle log holds of one journal row, and nothing that tells of a person or a picture.

    {"at", "body", "n", "previous", "schema", "subject", "tag", "v"}

`n` is the row's number within its subject and `previous` the hash of that subject's leaf n-1, so
that rows of one subject cannot be left out or put in another order unseen. `body` commits to what
the event carries and who did it: SHA-256 over the row's own random salt and their canonical form.
Without the salt nobody can try guesses against it; without salt and row it is a random number.
A subject stands in clear if its id is random by making; any other, such as a bank's name, stands
as its kind and a commitment with the salt of its first row.
"""

from __future__ import annotations

import hashlib
import re
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Final

from holdfast.log.canonical import canonical_of_json, quoted

LEAF_FORM: Final = 1
SALT_BYTES: Final = 32
_RANDOM_ID: Final = re.compile(r"[a-z]+:[a-z]{2,5}_[a-z2-7]{24}")
_KIND: Final = re.compile(r"[a-z]+")


@dataclass(frozen=True, slots=True)
class Row:
    """One journal row as the log sees it; `body` is JSON text."""

    journal_id: int
    subject: str
    version: int
    tag: str
    schema: int
    body: str
    actor: str
    at: datetime
    salt: bytes


def stands_in_clear(subject: str) -> bool:
    """Whether a subject's name is a random number that says nothing."""
    return _RANDOM_ID.fullmatch(subject) is not None


def public_name(subject: str, first_salt: bytes) -> str:
    """The name under which a subject stands in the log; `first_salt` is the salt of its first row."""
    if stands_in_clear(subject):
        return subject
    kind = _KIND.match(subject)
    hidden = hashlib.sha256(first_salt + b"subject" + subject.encode()).hexdigest()
    return f"{kind.group() if kind else 'other'}:~{hidden}"


def opened(row: Row) -> str:
    """What the commitment hides: who did it and what the event carries, in canonical form."""
    # The same bytes as the canonical form of the whole: actor before body.
    return '{"actor":' + quoted(row.actor) + ',"body":' + canonical_of_json(row.body) + "}"


def commitment(salt: bytes, text: str) -> str:
    """SHA-256 over salt and text, in hexadecimal."""
    return hashlib.sha256(salt + text.encode()).hexdigest()


def leaf_data(row: Row, name: str, previous: bytes | None) -> bytes:
    """The canonical bytes of a row's leaf; `name` is its subject's public name, `previous` the hash of its leaf n-1."""
    # Written out in the order of its names, which is what canonical means here; a test compares.
    link = f'"{previous.hex()}"' if previous else "null"
    body = commitment(row.salt, opened(row))
    return (
        f'{{"at":"{in_utc(row.at)}","body":"{body}","n":{row.version},"previous":{link},"schema":{row.schema},'
        f'"subject":{quoted(name)},"tag":{quoted(row.tag)},"v":{LEAF_FORM}}}'
    ).encode()


def in_utc(at: datetime) -> str:
    """A moment in the one form that the log writes: 2026-07-01T12:00:00.000000Z."""
    return at.astimezone(UTC).isoformat(timespec="microseconds")[:-6] + "Z"

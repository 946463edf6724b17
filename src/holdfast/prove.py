# SPDX-License-Identifier: Apache-2.0
"""Gather what proves something to an outsider: a receipt at once, a bundle as soon as a checkpoint covers it.

Reads the database and the log's published files; writes nothing.
"""

from __future__ import annotations

from datetime import datetime
from typing import Any, Final

from holdfast.adapters.log_folder import LogFolder, checked_head
from holdfast.errors import NotLoggedYet, SubjectUnknown
from holdfast.log.keys import read_history
from holdfast.log.leaf import public_name
from holdfast.log.proof import Placed, Signed, Stamped, bundle, consistency
from holdfast.log.receipt import give_receipt
from holdfast.software import software
from holdfast.store.log_rows import Cursor, rows_of_subject

_STAMPED: Final = """
select h.note, t.token from log_timestamp t join log_head h on h.size = t.size
where t.size > %s and t.size <= %s order by t.size, t.id limit 1
"""


def prove(
    cursor: Cursor, folder: LogFolder, subject: str, *, now: datetime, since: str | None = None
) -> dict[str, Any]:
    """The bundle of all events of a subject that the published checkpoint covers; before that, a receipt for the first.

    With `since`, the note of a checkpoint that was kept, also what shows that the log only grew from there.
    Raises SubjectUnknown; LogElsewhere where the log's files are not; ProofInvalid for a `since` of another log, and
    if the database no longer holds what was logged.
    """
    rows = rows_of_subject(cursor, subject)
    if not rows:
        raise SubjectUnknown
    me = folder.identity()
    note = folder.published()
    size = checked_head(note, me.keys).size if note else 0
    events = [Placed(index, row) for index, row in rows if index is not None and index < size]
    if note is None or not events:
        first = rows[0][1]
        name = public_name(subject, first.salt)
        return give_receipt(first, name, origin=me.log.name, by=me.receipt, history=me.history, now=now)
    tree = signed_tree(folder, note)
    stamped = _stamped(cursor, tree, events[-1].index)
    made = bundle(events, tree, by=me.receipt, stamped=stamped, software=software())
    if since is None:
        return made
    link = grown_since(folder, since)
    # Both are about the head that is published; it may have grown between the two looks.
    return {**made, "old": since, "proof": link["proof"]} if link["checkpoint"] == tree.note else made


def grown_since(folder: LogFolder, old_note: str) -> dict[str, Any]:
    """What shows that the published log begins with that of an older checkpoint.

    Raises NotLoggedYet, LogElsewhere, and ProofInvalid if the older one was not signed by this log, or is not older.
    """
    note = folder.published()
    if note is None:
        raise NotLoggedYet
    tree = signed_tree(folder, note)
    return consistency(checked_head(old_note, folder.identity().keys), old_note, tree)


def signed_tree(folder: LogFolder, note: str) -> Signed:
    """The published tree under a signed note."""
    me = folder.identity()
    head = checked_head(note, me.keys)
    return Signed(head, note, folder.nodes(head.size), me.history)


def _stamped(cursor: Cursor, tree: Signed, last_index: int) -> Stamped | None:
    cursor.execute(_STAMPED, [last_index, tree.head.size])
    found = cursor.fetchall()
    if not found:
        return None
    note, token = found[0]
    return Stamped(checked_head(note, read_history(tree.history)), note, bytes(token))

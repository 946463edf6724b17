# SPDX-License-Identifier: Apache-2.0
"""The one rule: nothing with bytes is published before Holdfast was asked about it, and said so.

A version waits in the state `asking` until it is told `publish` or `hold`. Whoever takes one up moves `ask_at` on
first, so that two processes do not ask at once; if it dies, another takes it up then, under the same Idempotency-Key.
"""

from __future__ import annotations

import time
from typing import Final

from commons.database import Connection, Row
from commons.ending import destroy_if_free, replace_face
from commons.holdfast import Hold, NotTold, Publish, Question, Said
from commons.holding import refresh
from commons.site import Site

LEASE_SECONDS: Final = 60.0
"""For so long whoever asks has it for themselves."""


def ask(site: Site, content: str, number: int) -> None:
    """Ask about one version that is `asking`, and do what is said."""
    row = _asking(site.database.reading, content, number)
    if row is None:
        return
    if row["standing"]:
        said = site.holdfast.look(row["standing"], tries=row["tries"])
    else:
        question = Question(
            content=content,
            version=number,
            surface=row["kind"],
            uploader=f"acc-{row['account']}",
            media=site.files.media(row["token"]),
            key=f"{content}-v{number}-{row['token']}-{row['round']}",
        )
        said = site.holdfast.ask(question, tries=row["tries"])
    _obey(site, content, number, said)


def ask_due(site: Site) -> None:
    """Take up one version whose time has come, if there is one."""
    now = time.time()
    if site.database.reading.row("select 1 from version where state = 'asking' and ask_at <= ?", now) is None:
        return
    with site.database.writing() as transaction:
        taken = transaction.row(
            "update version set ask_at = ? where rowid = (select rowid from version where state = 'asking'"
            " and ask_at <= ? order by ask_at limit 1) returning content, number",
            now + LEASE_SECONDS,
            now,
        )
    if taken is not None:
        ask(site, taken["content"], taken["number"])


def show(transaction: Connection, content: str, number: int) -> None:
    """Publish one version. If what it shows again is held by now, it stays out of reach as long as that."""
    transaction.rows("update version set state = 'published' where content = ? and number = ?", content, number)
    transaction.rows(
        "update item set shown = (select max(number) from version v where v.content = item.content"
        " and state = 'published'), behind = behind or coalesce((select hidden from item first"
        " where first.content = item.share_of), 0) where content = ?",
        content,
    )
    refresh(transaction, [content])


def _obey(site: Site, content: str, number: int, said: Said) -> None:
    match said:
        case Publish():
            _publish(site, content, number)
        case Hold():
            with site.database.writing() as transaction:
                transaction.rows(
                    "update version set state = 'kept', standing = null"
                    " where content = ? and number = ? and state = 'asking'",
                    content,
                    number,
                )
        case NotTold(seconds, standing):
            due = time.time() + seconds
            with site.database.writing() as transaction:
                transaction.rows(
                    "update version set tries = tries + 1, ask_at = ?, standing = ?"
                    " where content = ? and number = ? and state = 'asking'",
                    due,
                    standing,
                    content,
                    number,
                )


def _publish(site: Site, content: str, number: int) -> None:
    row = _asking(site.database.reading, content, number)
    thumb = row is not None and row["type"].startswith("image/") and site.files.make_thumb(row["token"])
    freed: list[str] = []
    with site.database.writing() as transaction:
        if _asking(transaction, content, number) is not None:
            transaction.rows(
                "update version set thumb = ? where content = ? and number = ?", int(thumb), content, number
            )
            show(transaction, content, number)
            freed = destroy_if_free(transaction, content)
            if row is not None and row["kind"] == "avatar":
                freed += replace_face(transaction, row["account"], content, time.time())
    site.epoch.grow()
    site.files.forget(freed)


def _asking(connection: Connection, content: str, number: int) -> Row | None:
    return connection.row(
        "select item.kind, item.account, version.* from version join item using (content)"
        " where content = ? and version.number = ? and state = 'asking'",
        content,
        number,
    )

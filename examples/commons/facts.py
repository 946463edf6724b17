# SPDX-License-Identifier: Apache-2.0
"""Facts: who did what with which bytes, when, from which address and port. And `freeze`, which keeps and tells them."""

from __future__ import annotations

import re
from dataclasses import dataclass
from typing import Final

from commons.database import Connection, Row
from commons.site import Who
from commons.told import moment

_ACCOUNT: Final = re.compile(r"acc-([1-9][0-9]{0,14})")


@dataclass(frozen=True, slots=True)
class Fact:
    """What somebody did, when, and with which bytes (their SHA-256)."""

    what: str
    at: float
    content: str | None = None
    version: int | None = None
    digest: str | None = None


def note(transaction: Connection, who: Who, fact: Fact) -> None:
    """Write a fact down."""
    transaction.rows(
        "insert into fact (account, content, version, what, digest, at, address, port) values (?, ?, ?, ?, ?, ?, ?, ?)",
        *(who.account, fact.content, fact.version, fact.what, fact.digest, fact.at, who.address, who.port),
    )


def forget(transaction: Connection, account: int, content: str) -> None:
    """Facts go with what they are about; a closed account's, when nothing of it is left; a frozen one's never."""
    if transaction.row("select 1 from account where id = ? and frozen_at is not null", account):
        return
    transaction.rows("delete from fact where content = ?", content)
    transaction.rows(
        "delete from fact where account = ? and exists (select 1 from account where id = ? and closed_at is not null)"
        " and not exists (select 1 from item join version using (content) where item.account = ?)",
        account,
        account,
        account,
    )


def account_number(connection: Connection, reference: str) -> int | None:
    """The number of an open account by its reference, such as acc-5."""
    found = _row(connection, reference)
    return found["id"] if found is not None and found["closed_at"] is None else None


def freeze(transaction: Connection, account: str, content: str, now: float) -> str | None:
    """The facts as text, one on each line; None if there are none. From now on no fact of the account is forgotten."""
    row = _row(transaction, account)
    if row is None:
        return None
    transaction.rows("update account set frozen_at = coalesce(frozen_at, ?) where id = ?", now, row["id"])
    facts = transaction.rows(
        "select * from fact where account = ? and (content is null or content = ?) order by at",
        row["id"],
        content,
    )
    head = f"{account}: name {row['name']}, made {moment(row['made_at'])}"
    text = "\n".join([head, *map(_line, facts)])
    transaction.rows("insert or ignore into frozen values (?, ?, ?, ?)", row["id"], content, text, now)
    return text


def _row(connection: Connection, reference: str) -> Row | None:
    found = _ACCOUNT.fullmatch(reference)
    return connection.row("select * from account where id = ?", int(found[1])) if found else None


def _line(fact: Row) -> str:
    about = (
        f" {fact['content']}" + (f" version {fact['version']}" if fact["version"] else "") if fact["content"] else ""
    )
    port = "unknown" if fact["port"] is None else fact["port"]
    digest = f", sha256 {fact['digest']}" if fact["digest"] else ""
    return f"{moment(fact['at'])} {fact['what']}{about}, from address {fact['address']} port {port}{digest}"

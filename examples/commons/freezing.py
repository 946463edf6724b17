# SPDX-License-Identifier: Apache-2.0
"""Freeze: keep what is known of an account and an upload, and say it. The account is not told, and can go on."""

from __future__ import annotations

import re
from typing import Final

from commons.database import Connection, Row
from commons.told import moment

_ACCOUNT: Final = re.compile(r"acc-([1-9][0-9]{0,14})")


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
        "select fact.*, version.digest from fact left join version"
        " on version.content = fact.content and version.number = fact.version"
        " where account = ? and (fact.content is null or fact.content = ?) order by at",
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

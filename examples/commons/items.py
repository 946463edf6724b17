# SPDX-License-Identifier: Apache-2.0
"""What there is, read from the database: posts, people and files as the public sees them.

Everything that the public gets comes through the view `seen` (`schema.sql`), and nothing does that is held, deleted,
or not yet screened.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from typing import Final

from commons.database import Connection, Row

PAGE: Final = 20
"""So many posts on a page of a list."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Post:
    """A post as it is shown."""

    content: str
    number: int
    version: int
    account: int
    name: str
    text: str
    made_at: float
    token: str | None = None
    type: str | None = None
    thumb: bool = False
    share_of: str | None = None

    @property
    def is_picture(self) -> bool:
        """Whether it shows a picture, and not a film or nothing."""
        return (self.type or "").startswith("image/")


@dataclass(frozen=True, slots=True)
class Media:
    """Bytes that have an address."""

    content: str
    token: str
    type: str


def post(connection: Connection, number: int) -> Post | None:
    """A post that can be seen."""
    found = connection.row("select * from seen where number = ?", number)
    return _post(found) if found else None


def posts(connection: Connection, *, before: int | None = None, words: str = "", name: str = "") -> list[Post]:
    """The newest posts that can be seen: older than post `before`, with these words in them, by this account."""
    like = "%" + words.replace("\\", "\\\\").replace("%", "\\%").replace("_", "\\_") + "%"
    found = connection.rows(
        "select * from seen where number < ? and text like ? escape '\\' and (? = '' or name = ?)"
        " order by number desc limit ?",
        before or 2**62,
        like,
        name,
        name,
        PAGE,
    )
    return [_post(row) for row in found]


def media(connection: Connection, token: str) -> Media | None:
    """The bytes with this address, if they can be seen."""
    found = connection.row("select content, token, type from seen where token = ?", token)
    return Media(found["content"], found["token"], found["type"]) if found else None


def person(connection: Connection, name: str) -> Row | None:
    """The account with this name, if its page can be seen."""
    return connection.row("select account as id, name from seen where kind = 'account' and name = ?", name)


def faces(connection: Connection, accounts: set[int]) -> dict[int, str]:
    """The profile pictures of these accounts that can be seen: their tokens."""
    found = connection.rows(
        "select account, token from seen where kind = 'avatar' and thumb"
        " and account in (select value from json_each(?)) order by first_seen",
        json.dumps(list(accounts)),
    )
    return {row["account"]: row["token"] for row in found}


def _post(row: Row) -> Post:
    return Post(
        content=row["content"],
        number=row["number"],
        version=row["version"],
        account=row["account"],
        name=row["name"],
        text=row["text"],
        made_at=row["first_seen"],
        token=row["token"],
        type=row["type"],
        thumb=bool(row["thumb"]),
        share_of=row["share_of"],
    )

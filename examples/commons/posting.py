# SPDX-License-Identifier: Apache-2.0
"""What people do with items: post, share again, edit, show a face.

Each version is written down before Holdfast is asked about it, and stays out of sight until it said `publish`.
Words alone cannot be asked about, and are published at once.
"""

from __future__ import annotations

import time
from typing import Final

from commons import items
from commons.database import Connection
from commons.facts import Fact, note
from commons.files import Stored
from commons.screening import LEASE_SECONDS, ask, show
from commons.site import Site, Who

MOST_WORDS: Final = 2000
"""So many characters a post may have."""


def post(site: Site, who: Who, text: str, media: Stored | None) -> str:
    """A new post; gives its reference."""
    with site.database.writing() as transaction:
        content = _new_post(transaction, who, None)
        _add_version(transaction, who, content, text, media)
    return _settle(site, content, media)


def share(site: Site, who: Who, number: int, text: str) -> str | None:
    """Show the picture of a post again in a post of one's own; None if that one cannot be seen, or has none."""
    first = items.post(site.database.reading, number)
    media = _again(site, first.content, first.version) if first else None
    if first is None or media is None:
        return None
    with site.database.writing() as transaction:
        content = _new_post(transaction, who, first.content)
        _add_version(transaction, who, content, text, media)
    return _settle(site, content, media)


def edit(site: Site, who: Who, number: int, text: str, media: Stored | None) -> str | None:
    """A new version of one's own post, held or not, with its old picture unless one is given; None if not one's own."""
    content = own_post(site, who, number)
    if content is None:
        return None
    media = media or _again(site, content, newest(site, content))
    with site.database.writing() as transaction:
        _add_version(transaction, who, content, text, media)
    return _settle(site, content, media)


def show_face(site: Site, who: Who, media: Stored) -> str:
    """A new profile picture: an item of its own, which takes the place of the one before once it is published."""
    with site.database.writing() as transaction:
        before = transaction.rows("select 1 from item where kind = 'avatar' and account = ?", who.account)
        content = f"avatar-{who.account}-{len(before) + 1}"
        transaction.rows(
            "insert into item (content, kind, account, first_seen) values (?, 'avatar', ?, ?)",
            content,
            who.account,
            time.time(),
        )
        _add_version(transaction, who, content, "", media)
    return _settle(site, content, media)


def own_post(site: Site, who: Who, number: int) -> str | None:
    """The reference of a post of one's own that one has not deleted, held or not."""
    found = site.database.reading.row(
        "select distinct content from item join version using (content)"
        " where item.number = ? and account = ? and deleted_at is null",
        number,
        who.account,
    )
    return found["content"] if found else None


def newest(site: Site, content: str) -> int:
    """The number of the newest version, 0 if there is none."""
    found = site.database.reading.row("select max(number) as number from version where content = ?", content)
    return (found and found["number"]) or 0


def is_seen(site: Site, content: str) -> bool:
    """Whether the public can see it, in its newest version."""
    seen = "select 1 from seen where content = ? and version = ?"
    return site.database.reading.row(seen, content, newest(site, content)) is not None


def _new_post(transaction: Connection, who: Who, share_of: str | None) -> str:
    last = transaction.row("select coalesce(max(number), 0) as number from item")
    number = (last["number"] if last else 0) + 1
    content = f"post-{number}"
    transaction.rows(
        "insert into item (content, kind, number, account, share_of, first_seen) values (?, 'post', ?, ?, ?, ?)",
        content,
        number,
        who.account,
        share_of,
        time.time(),
    )
    return content


def _add_version(transaction: Connection, who: Who, content: str, text: str, media: Stored | None) -> None:
    now = time.time()
    (given,) = transaction.rows("update item set last = last + 1 where content = ? returning last", content)
    number = given["last"]
    what = "uploaded" if number == 1 else "edited"
    transaction.rows(
        "insert into version (content, number, text, token, type, digest, state, ask_at, made_at)"
        " values (?, ?, ?, ?, ?, ?, 'asking', ?, ?)",
        content,
        number,
        text,
        media.token if media else None,
        media.type if media else None,
        media.digest if media else None,
        now + LEASE_SECONDS if media else None,
        now,
    )
    note(transaction, who, Fact(what, now, content, number, media.digest if media else None))
    if media is None:
        show(transaction, content, number)


def _settle(site: Site, content: str, media: Stored | None) -> str:
    """Ask about the newest version, or, if it has no bytes, let the caches know."""
    if media:
        ask(site, content, newest(site, content))
    else:
        site.epoch.grow()
    return content


def _again(site: Site, content: str, version: int) -> Stored | None:
    """The bytes of a version once more, under a name of their own; None if it has none."""
    row = site.database.reading.row(
        "select token, type, digest from version where content = ? and number = ? and token is not null",
        content,
        version,
    )
    try:
        return site.files.again(Stored(row["token"], row["type"], row["digest"])) if row else None
    except FileNotFoundError:  # taken away this moment
        return None

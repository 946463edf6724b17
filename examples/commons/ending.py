# SPDX-License-Identifier: Apache-2.0
"""How things end: taken away by their uploader, with their account, or by a decision; never while they are held.

What is held disappears for its uploader like anything else, and stays underneath: bytes, versions, facts of the
upload. Once nothing holds it any more, what its uploader wanted is done.
"""

from __future__ import annotations

from commons.database import Connection
from commons.facts import Fact, forget, note
from commons.site import Site, Who


def delete(site: Site, who: Who, content: str, now: float) -> bool:
    """Take an item of one's own away. False if there is none by this reference."""
    with site.database.writing() as transaction:
        deleted = transaction.row(
            "update item set deleted_at = ? where content = ? and account = ? and deleted_at is null"
            " and kind = 'post' returning 1",
            now,
            content,
            who.account,
        )
        if deleted is not None:
            note(transaction, who, Fact("deleted", now, content))
        freed = destroy_if_free(transaction, content)
    site.epoch.grow()
    site.files.forget(freed)
    return deleted is not None


def replace_face(transaction: Connection, account: int, content: str, now: float) -> list[str]:
    """Take away the older profile pictures that `content` takes the place of; gives the files that are to go now."""
    older = transaction.rows(
        "update item set deleted_at = ? where kind = 'avatar' and account = ? and deleted_at is null"
        " and first_seen < (select first_seen from item newer where newer.content = ?) returning content",
        now,
        account,
        content,
    )
    return [token for item in older for token in destroy_if_free(transaction, item["content"])]


def close(site: Site, who: Who, now: float) -> None:
    """End an account, with everything it has."""
    with site.database.writing() as transaction:
        note(transaction, who, Fact("closed the account", now))
        transaction.rows("update account set closed_at = ?, password = '' where id = ?", now, who.account)
        transaction.rows("update item set deleted_at = ? where account = ? and deleted_at is null", now, who.account)
        items = transaction.rows("select content from item where account = ?", who.account)
        freed = [token for item in items for token in destroy_if_free(transaction, item["content"])]
    site.epoch.grow()
    site.files.forget(freed)


def destroy_if_free(transaction: Connection, content: str) -> list[str]:
    """Destroy a deleted item, unless it is held, or was not told `publish`; gives the files that are to go now."""
    free = transaction.row(
        "select account from item where content = ? and deleted_at is not null and not hidden and not exists"
        " (select 1 from version where version.content = item.content and state != 'published')",
        content,
    )
    if free is None:
        return []
    tokens = [row["token"] for row in transaction.rows("select token from version where content = ?", content)]
    transaction.rows("delete from version where content = ?", content)
    forget(transaction, free["account"], content)
    return [token for token in tokens if token]

# SPDX-License-Identifier: Apache-2.0
"""Accounts: a name and a password. A session is a signed cookie with the account's number, and nothing else."""

from __future__ import annotations

import re
import sqlite3
import time
from typing import Final

from django.contrib.auth.hashers import check_password, make_password
from django.core import signing

from commons.database import Row
from commons.facts import Fact, note
from commons.site import Site, Who

COOKIE: Final = "commons"
SESSION_SECONDS: Final = 14 * 24 * 3600
LEAST_PASSWORD: Final = 8
_NAME: Final = re.compile(r"[A-Za-z0-9_-]{2,30}")
_SALT: Final = "commons.session"


def sign_up(site: Site, name: str, password: str, *, address: str, port: int | None) -> int | str:
    """A new account; gives its number, or what is wrong in a sentence."""
    if not _NAME.fullmatch(name):
        return "A name has 2 to 30 letters, digits, - or _."
    if len(password) < LEAST_PASSWORD:
        return f"A password has at least {LEAST_PASSWORD} characters."
    hashed, now = make_password(password), time.time()
    try:
        with site.database.writing() as transaction:
            made = transaction.rows(
                "insert into account (name, password, made_at) values (?, ?, ?) returning id", name, hashed, now
            )
            account = int(made[0]["id"])
            page = f"acc-{account}"
            transaction.rows(
                "insert into item (content, kind, account, last, shown, first_seen) values (?, 'account', ?, 1, 1, ?)",
                page,
                account,
                now,
            )
            transaction.rows(
                "insert into version (content, number, text, state, made_at) values (?, 1, '', 'published', ?)",
                page,
                now,
            )
            note(transaction, Who(account, address, port), Fact("signed up", now))
    except sqlite3.IntegrityError:
        return "Somebody has this name already."
    site.epoch.grow()
    return account


def log_in(site: Site, name: str, password: str, *, address: str, port: int | None) -> int | None:
    """The account's number, or None if name and password do not fit."""
    row = site.database.reading.row("select id, password from account where name = ? and closed_at is null", name)
    if not check_password(password, row["password"] if row else make_password(None)) or row is None:
        return None
    with site.database.writing() as transaction:
        note(transaction, Who(row["id"], address, port), Fact("logged in", time.time()))
    return int(row["id"])


def cookie_for(account: int) -> str:
    """The value of the session's cookie."""
    return signing.dumps(account, salt=_SALT)


def account_of(site: Site, untrusted_cookie: str) -> Row | None:
    """Whose session it is: the account's row; None for nobody's."""
    try:
        account = signing.loads(untrusted_cookie, salt=_SALT, max_age=SESSION_SECONDS)
    except signing.BadSignature:
        return None
    return site.database.reading.row("select id, name from account where id = ? and closed_at is null", account)

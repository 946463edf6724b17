# SPDX-License-Identifier: Apache-2.0
"""The parts of a Commons in this process, with posts that were told `publish`, and nobody at Holdfast's address."""

from __future__ import annotations

from pathlib import Path

from commons.ending import delete
from commons.files import Stored
from commons.posting import post
from commons.screening import show
from commons.settings import settings_from
from commons.site import Site, Who, open_site, prepare

from tests.conftest import free_port
from tests.examples.commons.running import environment_of

ANNA = Who(1, "192.0.2.1", 40_000)
__all__ = ["ANNA", "delete", "posted", "site_in"]


def site_in(folder: Path) -> Site:
    """A site with one account, number 1."""
    site = open_site(settings_from(environment_of(folder, f"http://127.0.0.1:{free_port()}", "no key")))
    prepare(site)
    with site.database.writing() as transaction:
        transaction.rows("insert into account (name, password, made_at) values ('anna', '', 0)")
    return site


def posted(site: Site, *, media: bool = True) -> str:
    """A post that is seen, with a file and a thumbnail or with words alone; gives its reference."""
    stored = site.files.store([b"\x89PNG\r\n\x1a\n", b"made by code"]) if media else None
    assert isinstance(stored, Stored) == media
    content = post(site, ANNA, "words", stored)
    with site.database.writing() as transaction:
        transaction.rows("update version set thumb = 1 where content = ? and token is not null", content)
        show(transaction, content, 1)
    return content

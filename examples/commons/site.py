# SPDX-License-Identifier: Apache-2.0
"""What everything else is given: the parts of this platform, wired once for each process."""

from __future__ import annotations

import secrets
from dataclasses import dataclass
from pathlib import Path

from commons.counting import Views
from commons.database import Database
from commons.epoch import Epoch
from commons.files import Files
from commons.holdfast import Holdfast, Nobody
from commons.settings import Settings


@dataclass(frozen=True, slots=True, kw_only=True)
class Site:
    """The parts."""

    settings: Settings
    database: Database
    files: Files
    epoch: Epoch
    views: Views
    holdfast: Holdfast | Nobody


@dataclass(frozen=True, slots=True)
class Who:
    """Somebody who is logged in, and from where they ask. `port` is None where the server cannot tell."""

    account: int
    address: str
    port: int | None


def open_site(settings: Settings) -> Site:
    """Open the parts in the folder `settings.data`, which is made if it is missing."""
    settings.data.mkdir(parents=True, exist_ok=True, mode=0o700)
    return Site(
        settings=settings,
        database=Database(settings.data / "commons.sqlite3"),
        files=Files(settings.data),
        epoch=Epoch(settings.data / "epoch"),
        views=Views(settings.data / "views"),
        holdfast=Nobody() if settings.alone else Holdfast(settings.holdfast_url, settings.holdfast_key),
    )


def prepare(site: Site) -> None:
    """Make the tables, and clear away what a process that died had begun. Once, before anybody is served."""
    site.database.prepare()
    _make_session_key(_session_key_at(site.settings.data))
    named = site.database.reading.rows("select token from version where token is not null")
    site.files.sweep(frozenset(row["token"] for row in named))


def session_key(folder: Path) -> str:
    """What sessions are signed with."""
    return _session_key_at(folder).read_text()


def _session_key_at(folder: Path) -> Path:
    return folder / "session-key"


def _make_session_key(path: Path) -> None:
    if not path.exists():
        draft = path.with_suffix(".new")
        draft.touch(mode=0o600)
        draft.write_text(secrets.token_urlsafe(48))
        draft.replace(path)

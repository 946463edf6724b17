# SPDX-License-Identifier: Apache-2.0
"""Items as Holdfast is told of them: which there are, where each is served, and what an address names.

Here nothing is left out because it is held or was deleted by its uploader: what is kept can be asked about.
"""

from __future__ import annotations

import re
from datetime import UTC, datetime
from typing import Any, Final
from urllib.parse import unquote, urlsplit

from commons.assets import ASSETS, Asset
from commons.database import Connection, Row

_NUMBER: Final = re.compile(r"[1-9][0-9]{0,14}")
_POST: Final = re.compile(r"/p/([1-9][0-9]{0,15})(?:/(?:share|edit|delete))?")
_FILE: Final = re.compile(r"/[mt]/([0-9a-f]{24})")
_PERSON: Final = re.compile(r"/u/([A-Za-z0-9_-]{2,30})")
_BY_REFERENCE: Final = "content:"
_WRAPPED: Final = " \t\r\n<>\"'()[]"


def locations_of(row: Row) -> dict[str, str]:
    """Where a version is served: the ids, and the paths a stranger would open."""
    content = row["content"]
    if row["kind"] == "account":
        return {f"page:{content}": f"/u/{row['name']}"}
    places = {f"page:{content}": f"/p/{row['number']}"} if row["kind"] == "post" else {}
    if row["token"]:
        places[f"media:{content}"] = f"/m/{row['token']}"
    if row["thumb"]:
        places[f"thumb:{content}"] = f"/t/{row['token']}"
    return places


def version_row(connection: Connection, content: str, version: str) -> Row | None:
    """One version of one item, held or not."""
    if _NUMBER.fullmatch(version) is None:
        return None
    return connection.row("select * from kept where content = ? and version = ?", content, int(version))


def as_item(row: Row, origin: str) -> dict[str, Any]:
    """An item in the words of docs/platform.md."""
    return {
        "content": row["content"],
        "version": str(row["version"]),
        "kind": "post" if row["kind"] == "post" else "account",
        "account": f"acc-{row['account']}",
        "first_seen": moment(row["first_seen"]),
        "asset": False,
        "locations": [{"id": name, "url": origin + path} for name, path in locations_of(row).items()],
    }


def asset_as_item(asset: Asset, origin: str) -> dict[str, Any]:
    """A picture of the platform's own."""
    return {
        "content": asset.content,
        "version": "1",
        "kind": "post",
        "account": None,
        "first_seen": None,
        "asset": True,
        "locations": [{"id": f"media:{asset.content}", "url": origin + asset.path}],
    }


def resolved(connection: Connection, untrusted_address: str, origin: str) -> dict[str, Any]:
    """What an address names, as whoever reports typed it; or what has this reference of ours."""
    if untrusted_address.startswith(_BY_REFERENCE):
        content = untrusted_address.removeprefix(_BY_REFERENCE)
        rows = connection.rows("select * from kept where content = ? and current", content)
        return {"state": "found", "item": as_item(rows[0], origin)} if rows else {"state": "nowhere"}
    path = _path(untrusted_address, origin)
    if path is None:
        return {"state": "nowhere"}
    items = [asset_as_item(asset, origin) for asset in ASSETS if asset.path == path]
    items += [as_item(row, origin) for row in _named(connection, path)]
    if not items:
        return {"state": "nowhere"}
    return {"state": "found", "item": items[0]} if len(items) == 1 else {"state": "ambiguous", "items": items}


def copies_of(connection: Connection, content: str, version: str, origin: str) -> list[dict[str, Any]]:
    """Whatever else shows the very same bytes."""
    named = version_row(connection, content, version)
    if named is None or named["digest"] is None:
        return []
    same = connection.rows("select * from kept where digest = ? order by content, version", named["digest"])
    others = [row for row in same if (row["content"], row["version"]) != (named["content"], named["version"])]
    return [{"item": as_item(row, origin), "exact": True, "distance": 0} for row in others]


def moment(seconds: float) -> str:
    """A time as RFC 3339, in UTC."""
    return datetime.fromtimestamp(seconds, UTC).isoformat().replace("+00:00", "Z")


def _path(untrusted_address: str, origin: str) -> str | None:
    """The path at this site; None for an address of another, or what is no address."""
    text = untrusted_address.strip(_WRAPPED)
    try:
        parts = urlsplit(text if "://" in text else f"http://{text}")
        host, home = (parts.hostname, parts.port), urlsplit(origin)
    except ValueError:
        return None
    if host[0] != home.hostname or host[1] not in (home.port, None):
        return None
    return unquote(parts.path).rstrip("/")


def _named(connection: Connection, path: str) -> list[Row]:
    """The versions that a path is about. A person's page may be about the person, or about their picture."""
    if found := _POST.fullmatch(path):
        return connection.rows("select * from kept where number = ? and current", int(found[1]))
    if found := _FILE.fullmatch(path):
        return connection.rows("select * from kept where token = ?", found[1])
    if found := _PERSON.fullmatch(path):
        return connection.rows(
            "select * from kept where name = ? and kind != 'post' and current and deleted_at is null"
            " order by kind, first_seen",
            found[1],
        )
    return []

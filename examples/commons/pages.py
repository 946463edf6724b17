# SPDX-License-Identifier: Apache-2.0
"""The public pages and files: the same for everybody, logged in or not, so that a cache may keep them."""

from __future__ import annotations

import re
from collections.abc import Iterator
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final
from urllib.parse import urlencode

from django.http import HttpRequest, HttpResponse, StreamingHttpResponse
from django.http.response import HttpResponseBase

from commons import items
from commons.assets import ASSETS
from commons.items import Post
from commons.site import Site
from commons.web import for_all, nothing, page, reads, site_of

_PAGE_SECONDS: Final = 2.0
_FILE_SECONDS: Final = 3600.0
_KEPT_BYTES: Final = 2 * 1024 * 1024
_CHUNK: Final = 256 * 1024
_NUMBER: Final = re.compile(r"[1-9][0-9]{0,15}")
_LONGEST_SEARCH: Final = 100
_STATIC: Final = {"style.css": "text/css; charset=utf-8"}
_STATIC_FOLDER: Final = Path(__file__).parent / "static"


@reads
def feed(request: HttpRequest) -> HttpResponseBase:
    """The newest posts."""
    site, before = site_of(request), _before(request)
    found = items.posts(site.database.reading, before=before)
    return for_all(request, page(request, "feed.html", _list(site, found, "/", {})), _PAGE_SECONDS)


@reads
def search(request: HttpRequest) -> HttpResponseBase:
    """Posts with certain words."""
    site, words = site_of(request), request.GET.get("q", "").strip()[:_LONGEST_SEARCH]
    found = items.posts(site.database.reading, before=_before(request), words=words) if words else []
    context = {**_list(site, found, "/search", {"q": words}), "words": words}
    return for_all(request, page(request, "search.html", context), _PAGE_SECONDS)


@reads
def person(request: HttpRequest, *, name: str) -> HttpResponseBase:
    """Somebody's page."""
    site = site_of(request)
    found = items.person(site.database.reading, name)
    if found is None:
        return nothing(request)
    posts = items.posts(site.database.reading, before=_before(request), name=found["name"])
    face = items.faces(site.database.reading, {found["id"]}).get(found["id"])
    address = f"/u/{found['name']}"
    context = {**_list(site, posts, address, {}), "name": found["name"], "face": face, "report": _report(site, address)}
    return for_all(request, page(request, "person.html", context), _PAGE_SECONDS, f"page:acc-{found['id']}")


@reads
def post(request: HttpRequest, *, number: str) -> HttpResponseBase:
    """A post."""
    site = site_of(request)
    found = items.post(site.database.reading, int(number))
    if found is None:
        return nothing(request)
    location = f"page:{found.content}"
    seen = site.database.reading.row("select sum(views) as views from view where location = ?", location)
    (card,) = _cards(site, [found])
    context = {"card": card, "views": (seen and seen["views"]) or 0}
    return for_all(request, page(request, "post.html", context), _PAGE_SECONDS, location)


@reads
def media(request: HttpRequest, *, token: str) -> HttpResponseBase:
    """The bytes of a post, as they were uploaded."""
    site = site_of(request)
    found = items.media(site.database.reading, token)
    if found is None:
        return nothing(request)
    return _file(request, site.files.media(token), found.type, token, f"media:{found.content}")


@reads
def thumb(request: HttpRequest, *, token: str) -> HttpResponseBase:
    """The thumbnail of a post."""
    site = site_of(request)
    found = items.media(site.database.reading, token)
    if found is None:
        return nothing(request)
    return _file(request, site.files.thumb(token), "image/jpeg", token, f"thumb:{found.content}")


@reads
def static(request: HttpRequest, *, name: str) -> HttpResponseBase:
    """The stylesheet."""
    if name not in _STATIC:
        return nothing(request)
    body = (_STATIC_FOLDER / name).read_bytes()
    return for_all(request, HttpResponse(body, content_type=_STATIC[name]), _FILE_SECONDS)


@reads
def asset(request: HttpRequest, *, name: str) -> HttpResponseBase:
    """The platform's own pictures."""
    found = next((each for each in ASSETS if each.path == f"/assets/{name}"), None)
    if found is None:
        return nothing(request)
    return for_all(request, HttpResponse(found.png, content_type="image/png"), _FILE_SECONDS, f"media:{found.content}")


def _file(request: HttpRequest, path: Path, kind: str, token: str, location: str) -> HttpResponseBase:
    try:
        size = path.stat().st_size
        if size <= _KEPT_BYTES:
            return for_all(request, HttpResponse(path.read_bytes(), content_type=kind), _FILE_SECONDS, location)
        chunks = _while_seen(site_of(request), path, token)
    except FileNotFoundError:
        return nothing(request)
    headers = {"Content-Type": kind, "Content-Length": str(size)}
    return for_all(request, StreamingHttpResponse(chunks, headers=headers), _FILE_SECONDS, location)


def _while_seen(site: Site, path: Path, token: str) -> Iterator[bytes]:
    """A long file, piece by piece. Whoever is still downloading it when it is held gets no more of it."""
    epoch = None
    with path.open("rb") as file:
        while chunk := file.read(_CHUNK):
            now = site.epoch.now
            if epoch != now and items.media(site.database.reading, token) is None:
                return
            epoch = now
            yield chunk


def _before(request: HttpRequest) -> int | None:
    text = request.GET.get("before", "")
    return int(text) if _NUMBER.fullmatch(text) else None


def _list(site: Site, found: list[Post], path: str, query: dict[str, str]) -> dict[str, Any]:
    last = found[-1].number if len(found) == items.PAGE else None
    older = f"{path}?{urlencode({**query, 'before': last})}" if last else None
    return {"cards": _cards(site, found), "older": older}


def _cards(site: Site, found: list[Post]) -> list[dict[str, Any]]:
    """Posts with what is shown around them: the face, what they show again, where they are reported."""
    reading = site.database.reading
    faces = items.faces(reading, {each.account for each in found})
    return [
        {
            "post": each,
            "face": faces.get(each.account),
            "first": items.post(reading, int(each.share_of.removeprefix("post-"))) if each.share_of else None,
            "report": _report(site, f"/p/{each.number}"),
            "at": datetime.fromtimestamp(each.made_at, UTC),
        }
        for each in found
    ]


def _report(site: Site, path: str) -> str:
    return f"{site.settings.report_url}?{urlencode({'address': site.settings.origin + path})}"

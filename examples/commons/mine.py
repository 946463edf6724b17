# SPDX-License-Identifier: Apache-2.0
"""What somebody does who is logged in. Nothing of this is kept by the cache in front."""

from __future__ import annotations

import time
from dataclasses import dataclass
from datetime import UTC, datetime
from typing import Any
from urllib.parse import urlsplit

from django.core.files.uploadedfile import UploadedFile
from django.http import HttpRequest, HttpResponse
from django.http.response import HttpResponseBase
from django.utils.http import url_has_allowed_host_and_scheme

from commons import accounts, ending, items, posting
from commons.database import Row
from commons.files import Stored
from commons.site import Site, Who
from commons.web import came_from, logged_in, nothing, page, see_other, site_of

_UNKNOWN_TYPE = (
    "This kind of file cannot be shown here. Try a JPEG, PNG, WebP, GIF or AVIF picture, or an MP4 or WebM film."
)
_EMPTY = "Write something, or choose a file."


def sign_up(request: HttpRequest) -> HttpResponseBase:
    """Make an account."""
    if request.method != "POST":
        return page(request, "account.html", {"new": True})
    name, password = request.POST.get("name", ""), request.POST.get("password", "")
    address, port = came_from(request)
    made = accounts.sign_up(site_of(request), name, password, address=address, port=port)
    if isinstance(made, str):
        return page(request, "account.html", {"new": True, "wrong": made, "name": name}, status=400)
    return _with_session(request, see_other("/me"), made)


def log_in(request: HttpRequest) -> HttpResponseBase:
    """Begin a session, and go on to where one wanted to go."""
    wanted = request.POST.get("next", request.GET.get("next", ""))
    after = wanted if url_has_allowed_host_and_scheme(wanted, None) and wanted.startswith("/") else "/me"
    if request.method != "POST":
        return page(request, "account.html", {"next": after})
    name, password = request.POST.get("name", ""), request.POST.get("password", "")
    address, port = came_from(request)
    account = accounts.log_in(site_of(request), name, password, address=address, port=port)
    if account is None:
        wrong = "Name and password do not fit."
        return page(request, "account.html", {"wrong": wrong, "name": name, "next": after}, status=400)
    return _with_session(request, see_other(after), account)


def log_out(request: HttpRequest) -> HttpResponseBase:
    """End the session."""
    answer = see_other("/")
    if request.method == "POST":
        answer.delete_cookie(accounts.COOKIE, samesite="Lax")
    return answer


@logged_in
def me(request: HttpRequest, *, who: Who, name: str) -> HttpResponseBase:
    """One's own page: notices, and what one has, held or not. What is held is "being checked", and no more is said."""
    reading = site_of(request).database.reading
    notices = reading.rows("select * from notice where account = ? order by at desc, id", who.account)
    context = {
        "name": name,
        "notices": [{**dict(row), "link": _link(row["answer_url"])} for row in notices],
        "things": [_thing(row) for row in reading.rows(_THINGS, who.account)],
        "face": items.faces(reading, {who.account}).get(who.account),
    }
    return page(request, "me.html", context)


_THINGS = (
    "select item.*, version.number as newest, version.text, item.number as post,"
    " (select sum(views) from view where location = 'page:' || item.content) as views"
    " from item join version using (content) where item.account = ? and kind != 'account' and deleted_at is null"
    " and version.number = (select max(number) from version v where v.content = item.content)"
    " order by kind desc, item.number desc"
)


@logged_in
def new(request: HttpRequest, *, who: Who, name: str) -> HttpResponseBase:
    """Post something."""
    if request.method != "POST":
        return page(request, "write.html", {"what": "new", "name": name})
    given = _given(request)
    if isinstance(given, str):
        return page(request, "write.html", {"what": "new", "wrong": given, "text": _text(request)}, status=400)
    site = site_of(request)
    return _settled(site, posting.post(site, who, given.text, given.media))


@logged_in
def share(request: HttpRequest, *, who: Who, name: str, number: str) -> HttpResponseBase:
    """Show a post's picture again."""
    site = site_of(request)
    first = items.post(site.database.reading, int(number))
    if first is None or first.token is None:
        return nothing(request)
    if request.method != "POST":
        return page(request, "write.html", {"what": "share", "first": first, "name": name})
    made = posting.share(site, who, int(number), _text(request))
    return _settled(site, made) if made else nothing(request)


@logged_in
def edit(request: HttpRequest, *, who: Who, name: str, number: str) -> HttpResponseBase:
    """Change a post of one's own, held or not."""
    site = site_of(request)
    content = posting.own_post(site, who, int(number))
    if content is None:
        return nothing(request)
    newest = site.database.reading.row(
        "select text, token from version where content = ? order by number desc limit 1", content
    )
    old = {"what": "edit", "number": number, "text": newest["text"] if newest else "", "name": name}
    if request.method != "POST":
        return page(request, "write.html", old)
    given = _given(request, may_be_empty=newest is not None and newest["token"] is not None)
    if isinstance(given, str):
        return page(request, "write.html", {**old, "wrong": given, "text": _text(request)}, status=400)
    made = posting.edit(site, who, int(number), given.text, given.media)
    return _settled(site, made) if made else nothing(request)


@logged_in
def face(request: HttpRequest, *, who: Who, name: str) -> HttpResponseBase:
    """Choose a profile picture."""
    if request.method != "POST":
        return page(request, "write.html", {"what": "face", "name": name})
    given = _given(request)
    if isinstance(given, str) or given.media is None or not given.media.type.startswith("image/"):
        wrong = given if isinstance(given, str) else _UNKNOWN_TYPE
        return page(request, "write.html", {"what": "face", "wrong": wrong}, status=400)
    site = site_of(request)
    return _settled(site, posting.show_face(site, who, given.media))


@logged_in
def delete(request: HttpRequest, *, who: Who, name: str, number: str) -> HttpResponseBase:
    """Take a post of one's own away."""
    site = site_of(request)
    content = posting.own_post(site, who, int(number))
    if content is None:
        return nothing(request)
    if request.method != "POST":
        return page(request, "sure.html", {"number": number, "name": name})
    ending.delete(site, who, content, time.time())
    return see_other("/me")


@logged_in
def close(request: HttpRequest, *, who: Who, name: str) -> HttpResponseBase:
    """End one's account."""
    if request.method != "POST":
        return page(request, "sure.html", {"name": name})
    ending.close(site_of(request), who, time.time())
    return log_out(request)


@dataclass(frozen=True, slots=True)
class _Given:
    """What a form brought."""

    text: str
    media: Stored | None


def _given(request: HttpRequest, *, may_be_empty: bool = False) -> _Given | str:
    """What a form brought, its file on disk; or what is wrong with it, in a sentence."""
    text, upload = _text(request), request.FILES.get("file")
    if not isinstance(upload, UploadedFile) or not upload.size:
        return _Given(text, None) if text or may_be_empty else _EMPTY
    stored = site_of(request).files.store(upload.chunks())
    return _Given(text, stored) if stored else _UNKNOWN_TYPE


def _text(request: HttpRequest) -> str:
    return request.POST.get("text", "").strip()[: posting.MOST_WORDS]


def _settled(site: Site, content: str) -> HttpResponse:
    """Go on to what was made, or, while it is being checked, to one's own page. The two headers are for programs."""
    seen, kind, number = posting.is_seen(site, content), *content.split("-", 1)
    answer = see_other(f"/p/{number}" if seen and kind == "post" else f"/me#{content}")
    answer.headers["Commons-Content"] = content
    answer.headers["Commons-State"] = "public" if seen else "being checked"
    return answer


def _thing(row: Row) -> dict[str, Any]:
    seen = not row["hidden"] and row["shown"] is not None
    return {
        **dict(row),
        "seen": seen,
        "waits": not seen or row["shown"] != row["newest"],
        "at": datetime.fromtimestamp(row["first_seen"], UTC),
    }


def _link(url: str | None) -> str | None:
    """An address to be clicked on, if it is one of the web."""
    return url if url and urlsplit(url).scheme in ("http", "https") else None


def _with_session(request: HttpRequest, answer: HttpResponse, account: int) -> HttpResponse:
    answer.set_cookie(
        accounts.COOKIE,
        accounts.cookie_for(account),
        max_age=accounts.SESSION_SECONDS,
        httponly=True,
        samesite="Lax",
        secure=site_of(request).settings.origin.startswith("https:"),
    )
    return answer

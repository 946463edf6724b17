# SPDX-License-Identifier: Apache-2.0
"""Every address there is."""

from __future__ import annotations

from typing import Final

from django.urls import re_path

from commons import desk, flags, mine, pages

_POST: Final = r"^p/(?P<number>[1-9][0-9]{0,15})"
_FILE: Final = r"(?P<token>[0-9a-f]{24})\Z"

urlpatterns = [
    re_path(r"^\Z", pages.feed),
    re_path(r"^search\Z", pages.search),
    re_path(_POST + r"\Z", pages.post),
    re_path(r"^m/" + _FILE, pages.media),
    re_path(r"^t/" + _FILE, pages.thumb),
    re_path(r"^u/(?P<name>[A-Za-z0-9_-]{2,30})\Z", pages.person),
    re_path(r"^static/(?P<name>[a-z.]+)\Z", pages.static),
    re_path(r"^assets/(?P<name>[a-z.]+)\Z", pages.asset),
    re_path(r"^signup\Z", mine.sign_up),
    re_path(r"^login\Z", mine.log_in),
    re_path(r"^logout\Z", mine.log_out),
    re_path(r"^me\Z", mine.me),
    re_path(r"^me/face\Z", mine.face),
    re_path(r"^me/close\Z", mine.close),
    re_path(r"^new\Z", mine.new),
    re_path(_POST + r"/share\Z", mine.share),
    re_path(_POST + r"/edit\Z", mine.edit),
    re_path(_POST + r"/delete\Z", mine.delete),
    re_path(r"^flag\Z", flags.flag),
    re_path(r"^flag/(?P<code>[0-9a-f]{32})\Z", flags.answer),
    re_path(r"^queue\Z", flags.queue),
    re_path(r"^queue/(?P<number>[1-9][0-9]{0,9})\Z", flags.settle),
    re_path(r"^holdfast/(?P<name>[a-z]+)\Z", desk.call),
]
handler400 = "commons.web.failed"
handler404 = "commons.web.nothing"
handler500 = "commons.web.failed"

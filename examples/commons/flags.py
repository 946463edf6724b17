# SPDX-License-Identifier: Apache-2.0
"""Reports where there is no Holdfast: a form, a list, and one person whose answer is the end of it.

Nothing is hidden while it waits, no second person looks, and there is no appeal. This is not how it should be done:
it is what many platforms do, and what Holdfast is measured against (`holdfast replay`).
"""

from __future__ import annotations

import re
import secrets
import time
from typing import Final

from django.http import HttpRequest
from django.http.response import HttpResponseBase

from commons.database import Connection
from commons.ending import destroy_if_free
from commons.site import Site, Who
from commons.web import logged_in, nothing, page, see_other, site_of

MOST_WORDS: Final = 4000
_MOST_PROOF: Final = 10 * 1024 * 1024
_POST: Final = re.compile(r"/p/([1-9][0-9]{0,15})/?\Z")
_REMOVE: Final = "remove"


def flag(request: HttpRequest) -> HttpResponseBase:
    """Report something."""
    site = site_of(request)
    if not site.settings.alone:
        return nothing(request)
    address = request.POST.get("address", request.GET.get("address", ""))[:MOST_WORDS]
    if request.method != "POST" or not address:
        return page(request, "flag.html", {"address": address})
    file = request.FILES.get("proof")
    code, proof = secrets.token_hex(16), file.read(_MOST_PROOF) if file else None
    with site.database.writing() as transaction:
        transaction.rows(
            "insert into flag (code, address, words, proof, at) values (?, ?, ?, ?, ?)",
            *(code, address, request.POST.get("words", "")[:MOST_WORDS], proof, time.time()),
        )
    return see_other(f"/flag/{code}")


def answer(request: HttpRequest, code: str) -> HttpResponseBase:
    """What whoever reported is told."""
    found = site_of(request).database.reading.row("select * from flag where code = ?", code)
    return page(request, "flagged.html", {"flag": found}) if found else nothing(request)


@logged_in
def queue(request: HttpRequest, *, who: Who, name: str) -> HttpResponseBase:
    """What was reported, the oldest first."""
    del who
    site = site_of(request)
    if name not in site.settings.moderators:
        return nothing(request)
    found = site.database.reading.rows("select * from flag where answer is null order by id limit 100")
    return page(request, "queue.html", {"flags": found, "name": name})


@logged_in
def settle(request: HttpRequest, *, who: Who, name: str, number: str) -> HttpResponseBase:
    """Answer one report. One person does, and that is all."""
    del who
    site, removes = site_of(request), request.POST.get("answer") == _REMOVE
    if name not in site.settings.moderators or request.method != "POST":
        return nothing(request)
    with site.database.writing() as transaction:
        row = transaction.row(
            "update flag set answer = ?, answered_by = ?, answered_at = ? where id = ? and answer is null"
            " returning address",
            *("removed" if removes else "no violation", name, time.time(), int(number)),
        )
        freed = _take_away(transaction, row["address"]) if row is not None and removes else []
    _forget(site, freed)
    return see_other("/queue") if row is not None else nothing(request)


def _take_away(transaction: Connection, untrusted_address: str) -> list[str]:
    """Take a post away, and what shows its picture again; gives the files that are to go."""
    found = _POST.search(untrusted_address.partition("?")[0].partition("#")[0])
    content = f"post-{found[1]}" if found else ""
    gone = transaction.rows(
        "update item set deleted_at = ? where (content = ? or share_of = ?) and deleted_at is null returning content",
        *(time.time(), content, content),
    )
    return [token for row in gone for token in destroy_if_free(transaction, row["content"])]


def _forget(site: Site, freed: list[str]) -> None:
    site.epoch.grow()
    site.files.forget(freed)

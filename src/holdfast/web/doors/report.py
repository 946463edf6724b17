# SPDX-License-Identifier: Apache-2.0
"""`/report`: the page that takes a report, and the receipt that answers it.

The receipt is the answer to the POST itself. To load it again sends the form again, and that is harmless: it
makes a second report with a receipt of its own, which joins what is there already. So no code is ever lost
to a page that was loaded twice, without a cookie or anything else that would have to remember it.
"""

from __future__ import annotations

import hashlib
import time
from functools import cache
from typing import Any, Final

import segno
from django.db import Error as DjangoDatabaseError
from django.http import HttpRequest, HttpResponse
from django.utils import translation
from django.utils.safestring import SafeString, mark_safe
from django.utils.translation import gettext, ngettext

from holdfast.errors import DependencyError, InvalidRequest
from holdfast.intake.desk import Incoming, Receipt
from holdfast.intake.reported import LONGEST_ADDRESS
from holdfast.intake.reporter import counts_as, is_held_at_once
from holdfast.web.doors.edge import door, fault_of, page, rendered
from holdfast.web.doors.fields import plain
from holdfast.web.doors.incoming import incoming_of
from holdfast.web.doors.limit import Limit
from holdfast.web.doors.report_form import ReportForm, faults_of
from holdfast.web.doors.source import source_of
from holdfast.web.doors.taking import take_form
from holdfast.web.doors.told import hours_of, moment
from holdfast.web.system import system

ACTOR: Final = "door:report"
_REPORTS: Final = Limit(200)
"""Above this, one network is asked to wait. Floods are the valve's business, which refuses nobody."""
_FILES: Final = Limit(20)
_MOST_GIVEN: Final = 20


def blank(request: HttpRequest) -> HttpResponse:
    """The page, with the addresses filled in that a link to it names: `/report?address=...`."""
    given = [plain(one)[:LONGEST_ADDRESS].strip() for one in request.GET.getlist("address")[:_MOST_GIVEN]]
    return page("report", {"form": ReportForm(initial={"addresses": "\n".join(given)})})


def send(request: HttpRequest) -> HttpResponse:
    """Take the report, or show the page again with all that was typed and what is to be done."""
    take_form(request)
    form = ReportForm(request.POST, request.FILES)
    wait, without = _wait(source_of(request), with_file=bool(request.FILES))
    if wait:
        return _again(form, _busy(wait, without_file=without), status=429, wait=wait)
    if not form.is_valid():
        return _again(form)
    try:
        incoming = incoming_of(form.cleaned_data, source=source_of(request), shown=shown(translation.get_language()))
        receipt = system().desk.reports.receive(incoming, actor=ACTOR)
    except InvalidRequest:
        return _again(form, gettext("Something in it cannot be kept as it is. Please write it in other words."))
    except (DependencyError, DjangoDatabaseError) as fault:
        fault_of(fault)
        return _again(form, gettext("We could not keep it just now. Nothing is lost: press Send again."), status=503)
    return page("receipt", _receipt(receipt, incoming))


def picture_of(code: str) -> SafeString:
    """The words as a QR code, to be read by another telephone. They are in it as words, never as an address."""
    drawn = segno.make(code, error="m", micro=False).svg_inline(scale=4, border=4, dark="#000", light="#fff")
    return mark_safe(drawn)  # noqa: S308  # drawn by us, of words from our own list


@cache
def shown(language: str) -> str:
    """A digest of the page as it is shown in a language: which words were in force, for the journal."""
    with translation.override(language):
        return hashlib.sha256(rendered("report", {"form": ReportForm()}).encode()).hexdigest()


def _receipt(receipt: Receipt, incoming: Incoming) -> dict[str, Any]:
    kind = counts_as(incoming.reporter, verified=incoming.verified)
    return {
        "code": receipt.code,
        "words": receipt.code.split(),
        "reference": receipt.reference,
        "received_at": moment(receipt.received_at),
        "picture": picture_of(receipt.code),
        "items": receipt.items,
        "held_first": is_held_at_once(incoming.category, kind),
        "proof": incoming.proof is not None,
        "look_hours": hours_of("first-look"),
        "proof_hours": hours_of("proof"),
        "come_back_to": system().settings.public_url,
    }


def _wait(source: str, *, with_file: bool) -> tuple[int, bool]:
    """For how many seconds this network is to wait; and whether it need not, without its file."""
    now = time.monotonic()
    wait, for_file = _REPORTS.wait(source, now), _FILES.wait(source, now) if with_file else 0
    if not wait:
        _REPORTS.count(source, now)
    if with_file:
        _FILES.count(source, now)
    return max(wait, for_file), not wait


def _busy(wait: int, *, without_file: bool) -> str:
    told = ngettext(
        "Very much is coming from your network at this moment. Nothing is lost: press Send again in %(count)d second.",
        "Very much is coming from your network at this moment. Nothing is lost: press Send again in %(count)d seconds.",
        wait,
    ) % {"count": wait}
    return f"{told} {gettext('Without the file you can send it now.')}" if without_file else told


def _again(form: ReportForm, says: str = "", *, status: int = 422, wait: int = 0) -> HttpResponse:
    """The page with everything that was typed; only a file has to be chosen anew, and the page says so."""
    told = {"form": form, "faults": faults_of(form), "says": says, "had_file": bool(form.files)}
    response = page("report", told, status=status)
    if status in (429, 503):
        response["Retry-After"] = str(wait or 10)
    return response


view = door(listed=True, GET=blank, POST=send)

# SPDX-License-Identifier: Apache-2.0
"""`/case`: what became of a report, for whoever holds its words; and the other side, for whoever posted what is held.

The words come in the body of each request and nowhere else. Whether they open nothing, or are none, or are
nearly right, is answered in one sentence. Tries that open nothing are counted for each network.
"""

from __future__ import annotations

import json
import time
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import Any, Final

from django.forms import Form
from django.http import HttpRequest, HttpResponse
from django.utils.translation import gettext, ngettext

from holdfast.decision.decision import Party
from holdfast.errors import DependencyError, InvalidRequest, ReceiptUnknown, Refused
from holdfast.intake.report import ReportState
from holdfast.intake.reporter import UploaderIs
from holdfast.store.contests import OpenedContest
from holdfast.store.reports import OpenedReport
from holdfast.web.doors import papers
from holdfast.web.doors.case_forms import AddForm, CodeForm, ContestForm
from holdfast.web.doors.edge import door, page
from holdfast.web.doors.incoming import items_of, shown_of
from holdfast.web.doors.limit import Limit
from holdfast.web.doors.report_form import faults_of
from holdfast.web.doors.source import source_of
from holdfast.web.doors.taking import take_form
from holdfast.web.doors.told import copies_told, decision_told, is_good, item_told, moment, proof_told
from holdfast.web.system import system

_TRIES: Final = Limit(30)


@dataclass(frozen=True, slots=True)
class Closed:
    """The words opened nothing; or too many did not, and more may be tried after `wait` seconds."""

    wait: int = 0


def ask(request: HttpRequest, act: str = "") -> HttpResponse:  # noqa: ARG001  # an act that is loaded anew
    """Ask for the words."""
    return page("case", {"form": CodeForm()})


def show(request: HttpRequest) -> HttpResponse:
    """How it stands."""
    take_form(request)
    return _opened(request, _showing)


def act(request: HttpRequest, act: str) -> HttpResponse:
    """Do something about it, and show how it stands then."""
    take_form(request)
    return _opened(request, _ACTS[act])


# --- what may be done; each is given the words and what they open

Opened = OpenedReport | OpenedContest
Act = Callable[[HttpRequest, str, Opened], HttpResponse]


def _showing(
    request: HttpRequest,  # noqa: ARG001  # the form of an act
    code: str,
    opened: Opened,
    says: str = "",
    faulty: Form | None = None,
) -> HttpResponse:
    if isinstance(opened, OpenedContest):
        name, told = "contest", _contest_told(code, opened)
    else:
        name, told = "status", _report_told(code, opened)
    if faulty is None:
        return page(name, {**told, "says": says})
    again = {"form": faulty, "faults": faults_of(faulty), "had_file": bool(faulty.files)}
    says = says or " ".join(map(str, faulty.non_field_errors()))
    return page(name, {**told, **again, "says": says}, status=422)


def _kept(request: HttpRequest, code: str, opened: Opened) -> HttpResponse:
    if isinstance(opened, OpenedReport):
        system().desk.reports.keep_code(code)
    return _showing(request, code, opened)


def _add(request: HttpRequest, code: str, opened: Opened) -> HttpResponse:
    form = AddForm(request.POST, request.FILES)
    if isinstance(opened, OpenedContest):
        return _showing(request, code, opened)
    if not form.is_valid():
        return _showing(request, code, opened, faulty=form)
    told = form.cleaned_data
    items = items_of(told["addresses"], UploaderIs.UNKNOWN, more=False)
    try:
        system().desk.reports.add(code, told["words"], items, shown_of(told))
    except InvalidRequest:
        form.add_error(None, gettext("Something in it cannot be kept as it is. Please write it in other words."))
        return _showing(request, code, opened, faulty=form)
    return _showing(request, code, opened, gettext("It was added to your report."))


def _quiet(request: HttpRequest, code: str, opened: Opened) -> HttpResponse:
    if isinstance(opened, OpenedReport):
        system().desk.reports.stop_contact(code)
    return _showing(request, code, opened, gettext("We will not write to you."))


def _withdraw(request: HttpRequest, code: str, opened: Opened) -> HttpResponse:
    if isinstance(opened, OpenedContest):
        return _showing(request, code, opened)
    try:
        system().desk.reports.withdraw(code)
    except Refused:
        return _showing(request, code, opened, gettext("It was withdrawn before."))
    return _showing(request, code, opened, gettext("Your report is withdrawn."))


def _contest(request: HttpRequest, code: str, opened: Opened) -> HttpResponse:
    form = ContestForm(request.POST)
    if isinstance(opened, OpenedReport):
        return _showing(request, code, opened)
    if not form.is_valid():
        return _showing(request, code, opened, faulty=form)
    try:
        after = system().desk.contests.contest(code, form.cleaned_data["words"])
    except Refused:
        return _showing(request, code, opened, gettext("You said so before; a person reads it."))
    return _showing(request, code, after, gettext("Thank you. A person reads what you wrote."))


def _appeal(request: HttpRequest, code: str, opened: Opened) -> HttpResponse:
    by = Party.REPORTER if isinstance(opened, OpenedReport) else Party.UPLOADER
    named, words = request.POST.get("decision", ""), request.POST.get("words", "")
    try:
        system().desk.appeals.appeal(named, by=by, who=opened.id, words=words)
    except InvalidRequest:
        return _showing(request, code, opened, gettext("Write why it is wrong."))
    except Refused:
        return _showing(request, code, opened, gettext("This cannot be appealed now. You see below how it stands."))
    except LookupError:
        return _showing(request, code, opened, gettext("That decision is none about what you named."))
    says = gettext("Thank you. People who had no part in it look again. It stays as it is until then.")
    return _showing(request, code, opened, says)


def _small(request: HttpRequest, code: str, opened: Opened) -> HttpResponse:
    return _taken_home(request, code, opened, papers.small_file)


def _full(request: HttpRequest, code: str, opened: Opened) -> HttpResponse:
    return _taken_home(request, code, opened, papers.full_file)


_ACTS: Final[Mapping[str, Act]] = {
    "kept": _kept,
    "add": _add,
    "quiet": _quiet,
    "withdraw": _withdraw,
    "contest": _contest,
    "appeal": _appeal,
    "small": _small,
    "full": _full,
}
ACTS: Final = tuple(_ACTS)


# --- parts


def _opened(request: HttpRequest, then: Act) -> HttpResponse:
    found, code = _open(request), request.POST.get("code", "")
    if not isinstance(found, Closed):
        return then(request, code, found)
    if found.wait:
        response = page("case", {"form": CodeForm(), "says": _busy(found.wait)}, status=429)
        response["Retry-After"] = str(found.wait)
        return response
    says = gettext("These words open nothing. Compare each one with what you wrote down.")
    return page("case", {"form": CodeForm({"code": code}), "says": says}, status=422)


def _open(request: HttpRequest) -> Opened | Closed:
    """What the words in the body open: a report, or the other side of one."""
    source, now, code = source_of(request), time.monotonic(), request.POST.get("code", "")
    if wait := _TRIES.wait(source, now):
        return Closed(wait)
    desk = system().desk
    try:
        return desk.reports.open(code)
    except InvalidRequest:
        pass
    except ReceiptUnknown:
        try:
            return desk.contests.open(code)
        except ReceiptUnknown:
            pass
    _TRIES.count(source, now)
    return Closed()


def _report_told(code: str, opened: OpenedReport) -> dict[str, Any]:
    view = system().desk.reports.view(code)
    return {
        "code": code,
        "view": view,
        "received_at": moment(view.received_at),
        "withdrawn": view.state is ReportState.WITHDRAWN,
        "items": [{"item": item, "told": item_told(item), "good": is_good(item)} for item in view.items],
        "proofs": [proof_told(proof) for proof in view.proofs],
        "copies": copies_told(view),
        "decisions": [decision_told(one) for one in system().desk.appeals.shown_to_reporter(opened.id)],
        "form": AddForm(),
    }


def _contest_told(code: str, opened: OpenedContest) -> dict[str, Any]:
    return {
        "code": code,
        "opened": opened,
        "offered_at": moment(opened.offered_at),
        "decisions": [decision_told(one) for one in system().desk.appeals.shown_to_uploader(opened.id)],
        "form": ContestForm(),
    }


def _taken_home(
    request: HttpRequest, code: str, opened: Opened, made: Callable[[str, str], papers.Paper]
) -> HttpResponse:
    if isinstance(opened, OpenedContest):
        return _showing(request, code, opened)
    try:
        text = json.dumps(made(opened.id, opened.reference), ensure_ascii=False, indent=1)
    except DependencyError:
        return _showing(request, code, opened, gettext("The file cannot be made just now. Try again in a minute."))
    response = HttpResponse(text, content_type="application/json")
    response["Content-Disposition"] = f'attachment; filename="receipt-{opened.reference}.json"'
    return response


def _busy(wait: int) -> str:
    return ngettext(
        "Too many words that open nothing came from your network. Try again in %(count)d second.",
        "Too many words that open nothing came from your network. Try again in %(count)d seconds.",
        wait,
    ) % {"count": wait}


view = door(GET=ask, POST=show)
act_view = door(GET=ask, POST=act)

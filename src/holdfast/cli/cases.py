# SPDX-License-Identifier: Apache-2.0
"""`holdfast cases`: what was reported and how it stands, as ids and counts; what anybody said is not shown here."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast.cli.output import out, say_json, table
from holdfast.cli.session import AsJson, using
from holdfast.errors import CaseUnknown
from holdfast.start import clock

if TYPE_CHECKING:
    from holdfast.store.case_views import CaseLine, CaseSheet
    from holdfast.store.exposures import Totals
    from holdfast.store.viewings import ViewingLine

app = typer.Typer(help="See what was reported, and how it stands.", no_args_is_help=True)
_SHOWN = 1000


@app.command("list")
def list_cases(as_json: AsJson = False) -> None:  # noqa: FBT002
    """List the cases, the newest first: how many places are held, and how many not yet."""
    with using(as_json=as_json):
        from holdfast.store.case_views import cases  # noqa: PLC0415  # needs configured Django

        found = [_line(one) for one in cases(limit=_SHOWN)]
    _say("Cases", found, as_json=as_json)


@app.command("show")
def show_case(
    case: Annotated[str, typer.Argument(help="The case's id, cas_...")],
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Show one case: each place and its state, views and minutes after notice, and its clocks."""
    with using(as_json=as_json) as system:
        from holdfast.store.case_views import case_sheet  # noqa: PLC0415  # see `list_cases`

        sheet = case_sheet(case.removeprefix("case:"), clock())
        if sheet is None:
            raise CaseUnknown(ascii(case))
        clocks = [
            {"code": item.clock.terms.code, "state": item.clock.state.value, "due": _time(item.clock.terms.due)}
            for item in system.clocks.of(f"case:{sheet.line.id}")
        ]
    body, places = {**_line(sheet.line), **_seen(sheet)}, _places(sheet)
    waiting = [{"item": item, "version": version} for item, version in sheet.waiting]
    if as_json:
        say_json({**body, "places": places, "waiting_copies": waiting, "clocks": clocks})
        return
    table("The case", ["", ""], [[name, str(value)] for name, value in body.items()])
    _say("Where it is", places, as_json=False)
    _say("What looks alike and waits for a person", waiting, as_json=False)
    _say("Its clocks", clocks, as_json=False)


@app.command("viewings")
def viewings_of(
    case: Annotated[str, typer.Argument(help="The case's id, cas_...")],
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """List who was shown which picture of a case, when and how clearly. Each line was written before it was shown."""
    with using(as_json=as_json) as system:
        from holdfast.store.case_views import is_known  # noqa: PLC0415  # see `list_cases`

        named = case.removeprefix("case:")
        lines = system.desk.viewings.of_case(named)
        if not lines and not is_known(named):
            raise CaseUnknown(ascii(case))
        found = [_viewing(line) for line in lines]
    _say("Who saw what", found, as_json=as_json)


@app.command("waiting")
def waiting_items(as_json: AsJson = False) -> None:  # noqa: FBT002
    """List what reports name and no machine could find: a person finds it. Nothing here was dropped."""
    with using(as_json=as_json):
        from holdfast.store.case_views import waiting  # noqa: PLC0415  # see `list_cases`

        found = [
            {"report": one.report, "reference": one.reference, "item": one.number, "kind": one.kind,
             "state": one.state, "since": _time(one.since)}
            for one in waiting(limit=_SHOWN)
        ]  # fmt: skip
    _say("What waits for a person", found, as_json=as_json)


@app.command("contests")
def contested(as_json: AsJson = False) -> None:  # noqa: FBT002
    """List the holds that somebody contests."""
    with using(as_json=as_json):
        from holdfast.store.case_views import contests  # noqa: PLC0415  # see `list_cases`

        found = [
            {"contest": one.id, "case": one.case, "item": one.item, "told": _time(one.offered_at)}
            for one in contests(limit=_SHOWN)
        ]
    _say("Contested holds", found, as_json=as_json)


@app.command("totals")
def show_totals(
    days: Annotated[int, typer.Option(min=1, max=3660, help="Of cases opened in so many days.")] = 30,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Show views and minutes after notice of all cases together, as a platform publishes them."""
    with using(as_json=as_json):
        from holdfast.store.exposures import totals  # noqa: PLC0415  # see `list_cases`

        now = clock()
        body = _totals(totals(now - timedelta(days=days), now), days)
    if as_json:
        say_json(body)
        return
    table(f"The last {days} days", ["", ""], [[name, str(value)] for name, value in body.items()])


def _totals(found: Totals, days: int) -> dict[str, object]:
    return {
        "days": days,
        "cases": found.cases,
        "views_after_notice": found.views_after_notice,
        "cases_not_counted": found.cases_not_counted,
        "minutes_visible_after_notice": round(found.visible_after_notice / timedelta(minutes=1), 2),
    }


def _line(one: CaseLine) -> dict[str, object]:
    return {
        "case": one.id,
        "category": one.category,
        "state": one.state,
        "opened": _time(one.opened_at),
        "reports": one.reports,
        "items": one.items,
        "held": one.held,
        "not_yet": one.not_yet,
    }


def _seen(sheet: CaseSheet) -> dict[str, object]:
    found = sheet.exposure.exposure
    return {
        "notice": _time(sheet.exposure.notice),
        "views_after_notice": found.views_after_notice,
        "minutes_visible_after_notice": round(found.minutes_visible, 3),
    }


def _viewing(line: ViewingLine) -> dict[str, object]:
    return {
        "person": line.person,
        "shown": _time(line.shown_at),
        "item": line.content,
        "version": line.version,
        "step": line.step,
        "picture": line.number + 1,
        "of": line.of or None,
        "at_second": line.seconds,
        "review": line.review,
    }


def _places(sheet: CaseSheet) -> list[dict[str, object]]:
    return [{"item": item, "version": version, "place": place, "state": state}
            for item, version, place, state in sheet.holds]  # fmt: skip


def _time(at: datetime) -> str:
    return at.isoformat(timespec="milliseconds")


def _say(title: str, found: list[dict[str, Any]], *, as_json: bool) -> None:
    if as_json:
        say_json(found)
    elif found:
        table(title, list(found[0]), [[str(value) for value in one.values()] for one in found])
    else:
        out.print(f"{title}: none", highlight=False)

# SPDX-License-Identifier: Apache-2.0
"""`holdfast reviews`: what people are asked to look at, and who is asked; never what anybody found, or why."""

from __future__ import annotations

from datetime import datetime
from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast.cli.output import out, say_json, table
from holdfast.cli.session import AsJson, using
from holdfast.start import clock

if TYPE_CHECKING:
    from holdfast.store.review_views import ReviewLine

app = typer.Typer(help="See what people are asked to look at.", no_args_is_help=True)
_SHOWN = 1000


@app.command("list")
def list_reviews(
    everything: Annotated[bool, typer.Option("--all", help="Those that are settled too, the newest first.")] = False,  # noqa: FBT002
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """List the reviews in the order in which people look, and who is asked. Nobody chooses who is."""
    with using(as_json=as_json):
        from holdfast.store.review_views import reviews as found_reviews  # noqa: PLC0415  # needs configured Django

        found = [_body(one) for one in found_reviews(everything=everything, limit=_SHOWN)]
    if as_json:
        say_json(found)
    elif found:
        table("Reviews", list(found[0]), [[str(value or "-") for value in one.values()] for one in found])
    else:
        out.print("Nothing waits for a look.", highlight=False)


@app.command("unusual")
def list_unusual(as_json: AsJson = False) -> None:  # noqa: FBT002
    """List whose findings toward release are unusual: too fast, far more often than others', or always by the same two.

    It may be harmless. Look at what they let go, and talk with them.
    """
    with using(as_json=as_json):
        from holdfast.store.dismissals import unusual_now  # noqa: PLC0415  # needs configured Django

        found = [
            {"what": one.kind.value, "who": ", ".join(one.people), "reviews": one.number}
            for one in unusual_now(clock())
        ]
    if as_json:
        say_json(found)
    elif found:
        table("Unusual", list(found[0]), [[str(value) for value in one.values()] for one in found])
    else:
        out.print("Nothing is unusual.", highlight=False)


def _body(one: ReviewLine) -> dict[str, Any]:
    return {
        "review": one.id,
        "case": one.case,
        "item": one.item,
        "about": one.about,
        "state": one.state,
        "turn": one.turn,
        "asked": one.asked,
        "until": _time(one.until),
        "spoke": one.spoke,
        "outcome": one.outcome,
        "opened": _time(one.opened_at),
    }


def _time(at: datetime | None) -> str | None:
    return None if at is None else at.isoformat(timespec="seconds")

# SPDX-License-Identifier: Apache-2.0
"""`holdfast clocks`: see what must have happened by when, and who answers for it."""

from __future__ import annotations

from typing import Annotated

import typer

from holdfast.case.running_clock import ClockItem
from holdfast.cli.output import say_json, table
from holdfast.cli.session import AsJson, using

app = typer.Typer(help="See what must have happened by when, and who answers for it.", no_args_is_help=True)
_SHOWN = 1000


@app.command("list")
def list_clocks(
    subject: Annotated[str | None, typer.Option(help="All clocks of one subject, stopped ones too.")] = None,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """List the clocks that run, the nearest end first; docs/clocks.md says what each is."""
    with using(as_json=as_json) as system:
        items = system.clocks.of(subject) if subject else system.clocks.running(limit=_SHOWN)
    if as_json:
        say_json([_body(item) for item in items])
        return
    columns = ["clock", "of", "code", "state", "due", "owner", "deputy", "since", "stopped"]
    table("Clocks", columns, [[str(value or "") for value in _body(item).values()] for item in items])


def _body(item: ClockItem) -> dict[str, object]:
    terms = item.clock.terms
    return {
        "id": item.id,
        "subject": terms.subject,
        "code": terms.code,
        "state": item.clock.state.value,
        "due": terms.due.isoformat(),
        "owner": terms.owner,
        "deputy": terms.deputy,
        "started_at": item.started_at.isoformat(),
        "stopped_at": item.stopped_at and item.stopped_at.isoformat(),
    }

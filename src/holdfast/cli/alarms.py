# SPDX-License-Identifier: Apache-2.0
"""`holdfast alarms`: see what somebody has to look at, and say that it was seen."""

from __future__ import annotations

from typing import Annotated

import typer

from holdfast.alarm.alarm import AlarmItem
from holdfast.cli.output import out, say_json, table
from holdfast.cli.session import AsJson, actor, using

app = typer.Typer(help="See which alarms stand, and say that one was seen.", no_args_is_help=True)
_SHOWN = 1000


@app.command("list")
def list_alarms(as_json: AsJson = False) -> None:  # noqa: FBT002
    """List the alarms that stand, the oldest first."""
    with using(as_json=as_json) as system:
        items = system.alarms.standing(limit=_SHOWN)
    if as_json:
        say_json([_body(item) for item in items])
        return
    rows = [[str(value or "") for value in _body(item).values()] for item in items]
    table("Alarms", ["alarm", "what", "about", "owner", "state", "seen by", "since"], rows)


@app.command()
def acknowledge(
    alarm: Annotated[str, typer.Argument(help="The alarm's id.")],
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Say that you have seen it. It stands until what it is about is in order again."""
    with using(as_json=as_json) as system:
        item = system.alarms.acknowledge(alarm, actor=actor())
    if as_json:
        say_json(_body(item))
        return
    out.print("Seen. It stands until what it is about is in order.", highlight=False)


def _body(item: AlarmItem) -> dict[str, object]:
    return {
        "id": item.id,
        "kind": item.alarm.kind,
        "about": item.alarm.about,
        "owner": item.alarm.owner,
        "state": item.alarm.state,
        "acknowledged_by": item.alarm.acknowledged_by,
        "since": item.since.isoformat(),
    }

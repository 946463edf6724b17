# SPDX-License-Identifier: Apache-2.0
"""`holdfast effects`: see what is owed to other systems, and decide about what could not be done."""

from __future__ import annotations

from typing import Annotated

import typer

from holdfast.cli.bank_files import Because
from holdfast.cli.output import out, say_json, table
from holdfast.cli.session import AsJson, actor, using, who
from holdfast.effect.listed import EffectItem

app = typer.Typer(help="See what is owed to other systems; retry or give up what failed.", no_args_is_help=True)
EffectId = Annotated[str, typer.Argument(help="The effect's id.")]
_SHOWN = 1000


@app.command("list")
def list_effects(
    quarantined: Annotated[bool, typer.Option(help="Only those that wait for people.")] = False,  # noqa: FBT002
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """List what is still owed, the quarantined first."""
    with using(as_json=as_json) as system:
        items = system.effect_desk.open(limit=_SHOWN, quarantined_only=quarantined)
    if as_json:
        say_json([_body(item) for item in items])
        return
    columns = ["effect", "kind", "item", "location", "weight", "state", "tries", "fault", "owner", "since"]
    rows = [[str(value or "") for value in _row(item)] for item in items]
    table("Effects", columns, rows)


@app.command()
def retry(effect: EffectId, because: Because, as_json: AsJson = False) -> None:  # noqa: FBT002
    """Let a quarantined effect be tried again, in its old place of its line."""
    with using(as_json=as_json) as system:
        item = system.effect_desk.retry(effect, because=because, actor=actor())
    _say(item, "It will be tried again.", as_json=as_json)


@app.command("give-up")
def give_up(effect: EffectId, because: Because, as_json: AsJson = False) -> None:  # noqa: FBT002
    """Ask that a quarantined effect be given up or, as another person, agree to it."""
    with using(as_json=as_json) as system:
        item = system.effect_desk.give_up(effect, because=because, by=who())
    asked = "Asked for. Another person has to agree, with the same command."
    _say(item, asked if item.effect.state == "giving_up" else "Given up.", as_json=as_json)


def _say(item: EffectItem, words: str, *, as_json: bool) -> None:
    if as_json:
        say_json(_body(item))
    else:
        out.print(words, highlight=False)


def _body(item: EffectItem) -> dict[str, object]:
    order = item.effect.order
    return {
        "id": item.id,
        "kind": order.kind,
        "item": order.item,
        "location": order.location,
        "weight": order.weight,
        "state": item.effect.state,
        "tries": item.effect.tries,
        "fault": item.fault,
        "owner": order.owner,
        "since": item.since.isoformat(),
        "deadline": order.deadline.isoformat(),
        "late": item.effect.late,
    }


def _row(item: EffectItem) -> list[object]:
    return list(_body(item).values())[:10]

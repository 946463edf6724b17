# SPDX-License-Identifier: Apache-2.0
"""`holdfast key`: make, list and end API keys."""

from __future__ import annotations

from datetime import datetime, timedelta
from typing import Annotated

import typer

from holdfast.access.key import Key, Scope
from holdfast.cli.output import out, say_json, table
from holdfast.cli.session import ASKED, AsJson, actor, ask, say_asked, using, who
from holdfast.errors import SecondPersonNeeded
from holdfast.start import clock

app = typer.Typer(help="Make, list and end API keys.", no_args_is_help=True)


@app.command()
def create(
    label: Annotated[str, typer.Argument(help="What it is for, such as 'upload service'.")],
    scope: Annotated[list[Scope], typer.Option(help="What it may do; repeat for several.")] = [Scope.SCREEN],  # noqa: B006  # typer copies it
    person: Annotated[
        str | None, typer.Option("--for", help="Who answers for what it does. Without a person it can only protect.")
    ] = None,
    days: Annotated[int | None, typer.Option(min=1, max=36_500, help="End by itself after so many days.")] = None,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Make a key and show it, once: only its digest is kept.

    Once two people are known, a key for another person waits for a second one (exit code 6): its first half
    is shown now, and whoever agrees draws the second ('holdfast proposals half').
    """
    asked = None
    with using(as_json=as_json) as system:
        from holdfast.store.keys import new_key  # noqa: PLC0415  # needs configured Django

        ends = clock() + timedelta(days=days) if days else None
        command, whole = new_key(label=label, scopes=frozenset(scope), expires_at=ends, person=person)
        try:
            system.keys.write(command, actor=actor(), asker=who().person)
        except SecondPersonNeeded as needed:
            asked = ask(system, needed)
    if as_json:
        waits = {"proposal": asked.id} if asked else {}
        shown = {"key": whole, "scopes": sorted(scope), "person": command.person}
        say_json({**shown, "expires_at": ends.isoformat() if ends else None, **waits})
    else:
        out.print(f"[bold]{whole}[/]", highlight=False)
        out.print("Keep it now: it cannot be shown again.", style="dim")
        if asked:
            out.print("It is half of the key: whoever agrees draws the other half, which follows it after a _, with")
            out.print(f"'holdfast proposals half {asked.id}', and gives it to its person themselves.")
    if asked:
        if not as_json:
            say_asked(asked, as_json=False)
        raise typer.Exit(ASKED)


@app.command()
def revoke(
    prefix: Annotated[str, typer.Argument(help="The eight characters after 'hf_'.")],
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """End a key. Requests that carry it are refused from the next one on."""
    plain = prefix.removeprefix("hf_").partition("_")[0]
    with using(as_json=as_json) as system:
        system.keys.revoke(plain, actor=actor())
    if as_json:
        say_json({"revoked": plain})
        return
    out.print(f"Ended {plain}.", highlight=False)


def _state(key: Key, now: datetime) -> str:
    if key.revoked:
        return "revoked"
    if key.expires_at and key.expires_at <= now:
        return "expired"
    return "half" if key.in_halves and key.half_digest is None else "active"


@app.command("list")
def list_keys(as_json: AsJson = False) -> None:  # noqa: FBT002
    """List the keys, without their secrets."""
    with using(as_json=as_json) as system:
        every = system.keys.all_keys()
    now = clock()
    rows = [
        {
            "prefix": key.prefix,
            "label": key.label,
            "person": key.person,
            "scopes": sorted(key.scopes),
            "expires_at": key.expires_at.isoformat() if key.expires_at else None,
            "state": _state(key, now),
        }
        for key in every
    ]
    if as_json:
        say_json(rows)
        return
    cells = [
        [
            key.prefix,
            key.label,
            key.person or "",
            ", ".join(sorted(key.scopes)),
            str(row["expires_at"] or "never"),
            str(row["state"]),
        ]
        for key, row in zip(every, rows, strict=True)
    ]
    table("API keys", ["prefix", "label", "person", "scopes", "ends", "state"], cells)

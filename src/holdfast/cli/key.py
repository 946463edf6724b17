# SPDX-License-Identifier: Apache-2.0
"""`holdfast key`: make, list and end API keys."""

from __future__ import annotations

from datetime import timedelta
from typing import Annotated

import typer

from holdfast.access.key import Scope
from holdfast.bootstrap import clock
from holdfast.cli.output import out, say_json, table
from holdfast.cli.session import AsJson, actor, using

app = typer.Typer(help="Make, list and end API keys.", no_args_is_help=True)


@app.command()
def create(
    label: Annotated[str, typer.Argument(help="What it is for, such as 'upload service'.")],
    scope: Annotated[list[Scope], typer.Option(help="What it may do; repeat for several.")] = [Scope.SCREEN],  # noqa: B006  # typer copies it
    days: Annotated[int | None, typer.Option(min=1, max=36_500, help="End by itself after so many days.")] = None,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Make a key and show it, once: only its digest is kept."""
    with using(as_json=as_json) as system:
        ends = clock() + timedelta(days=days) if days else None
        whole = system.keys.create(label=label, scopes=frozenset(scope), expires_at=ends, actor=actor())
    if as_json:
        say_json({"key": whole, "scopes": sorted(scope), "expires_at": ends.isoformat() if ends else None})
        return
    out.print(f"[bold]{whole}[/]", highlight=False)
    out.print("Keep it now: it cannot be shown again.", style="dim")


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
            "scopes": sorted(key.scopes),
            "expires_at": key.expires_at.isoformat() if key.expires_at else None,
            "state": "revoked" if key.revoked else "expired" if key.expires_at and key.expires_at <= now else "active",
        }
        for key in every
    ]
    if as_json:
        say_json(rows)
        return
    cells = [
        [key.prefix, key.label, ", ".join(sorted(key.scopes)), str(row["expires_at"] or "never"), str(row["state"])]
        for key, row in zip(every, rows, strict=True)
    ]
    table("API keys", ["prefix", "label", "scopes", "ends", "state"], cells)

# SPDX-License-Identifier: Apache-2.0
"""`holdfast searches`: see how far the archive was looked through for what banks began to match, and what was found."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated

import typer

from holdfast.cli.output import out, say_json, table
from holdfast.cli.session import AsJson, actor, using
from holdfast.match.found_copies import SearchItem

app = typer.Typer(help="See how backwards searches stand, and what they found.", no_args_is_help=True)
SearchId = Annotated[str, typer.Argument(help="The search's id.")]


@app.command("list")
def list_searches(
    bank: Annotated[str | None, typer.Option(help="Only those for something of this bank.")] = None,
    entry: Annotated[str | None, typer.Option(help="Only those for this entry.")] = None,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """List backwards searches, the newest first."""
    with using(as_json=as_json) as system:
        items = system.search_desk.recent(bank=bank, entry=entry)
    if as_json:
        say_json([_body(item) for item in items])
        return
    rows = [
        [
            item.id,
            item.search.target.bank,
            _looks_for(item),
            item.search.state.value + (" (late)" if item.search.late else ""),
            _progress(item),
            f"{item.search.copies:,}",
            item.owed_at.isoformat(timespec="seconds"),
        ]
        for item in items
    ]
    table("Backwards searches", ["search", "bank", "looks for", "state", "looked at", "found", "since"], rows)


@app.command()
def show(search: SearchId, as_json: AsJson = False) -> None:  # noqa: FBT002
    """Show how far one has come."""
    with using(as_json=as_json) as system:
        item = system.search_desk.get(search)
    if as_json:
        say_json(_body(item))
        return
    out.print(f"{_looks_for(item)} of {item.search.target.bank}: {item.search.state.value}", highlight=False)
    out.print(f"  {_progress(item)} items looked at, {item.search.copies:,} found", highlight=False)
    if item.proof:
        how = f"{item.proof.over_http} of them at the public address" if item.proof.over_http else "in this system"
        out.print(f"  {item.proof.entries:,} looked up and found, {how}", highlight=False)


@app.command()
def copies(search: SearchId, as_json: AsJson = False) -> None:  # noqa: FBT002
    """Show which items it found. That you looked is recorded."""
    with using(as_json=as_json) as system:
        found = system.search_desk.copies(search, actor=actor())
    if as_json:
        say_json([{**asdict(copy), "screened_at": copy.screened_at.isoformat()} for copy in found])
        return
    rows = [
        [
            copy.content,
            copy.content_version,
            copy.surface,
            copy.verdict,
            copy.entry,
            copy.signal.value,
            str(copy.distance),
            copy.screened_at.isoformat(timespec="seconds"),
        ]
        for copy in found
    ]
    table("Found", ["item", "version", "surface", "then", "entry", "signal", "distance", "screened"], rows)


def _looks_for(item: SearchItem) -> str:
    target = item.search.target
    if target.bank_import:
        return f"import {target.bank_import}, {target.count:,} entries"
    if not target.entries:
        return f"the whole bank, {target.count:,} entries"
    return target.entries[0] if len(target.entries) == 1 else f"{target.count:,} entries"


def _progress(item: SearchItem) -> str:
    items = item.search.items
    return "not begun" if items is None else f"{item.looked_at:,} of {items:,}"


def _body(item: SearchItem) -> dict[str, object]:
    target = item.search.target
    return {
        "id": item.id,
        "bank": target.bank,
        "entries": list(target.entries),
        "bank_import": target.bank_import,
        "count": target.count,
        "state": item.search.state,
        "items": item.search.items,
        "looked_at": item.looked_at,
        "copies": item.search.copies,
        "owner": item.search.owner,
        "owed_at": item.owed_at.isoformat(),
        "due": item.search.due.isoformat(),
        "late": item.search.late,
        "fault": item.fault,
        "proof": asdict(item.proof) if item.proof else None,
    }

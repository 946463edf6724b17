# SPDX-License-Identifier: Apache-2.0
"""`holdfast sealed`: personal data, its keys, and its end."""

from __future__ import annotations

from dataclasses import asdict
from datetime import UTC, datetime
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, MofNCompleteColumn, Progress, TextColumn

from holdfast.bootstrap import new_id
from holdfast.cli.output import err, out, say_json, table
from holdfast.cli.session import AsJson, actor, using
from holdfast.sealed.subject import EraseSealed, LiftPreservation, PreserveSealed, SealedSubject

app = typer.Typer(help="Personal data: who it is of, its keys, and its erasure.", no_args_is_help=True)
Subject = Annotated[str, typer.Argument(help="The sealed subject, such as 'sub_...'; 'find' gives it.")]
Because = Annotated[str, typer.Option(help="Why.")]


@app.command()
def status(as_json: AsJson = False) -> None:  # noqa: FBT002
    """Say how much is sealed, with which keys, and what an erasure has not reached yet."""
    with using(as_json=as_json) as system:
        counts, path = system.sealed.count(), system.keyrings.path
    body: dict[str, Any] = {**asdict(counts), "keyring": str(path), "keeper": system.keyrings.keeper.kind}
    body["keys"] = [{**key, "made_at": key["made_at"].isoformat()} for key in counts.keys]
    if as_json:
        say_json(body)
        return
    out.print(
        f"{counts.subjects:,} subjects with {counts.records:,} records; {counts.erased:,} erased.", highlight=False
    )
    out.print(f"Keyring: {path} ({body['keeper']})", highlight=False)
    rows = [[key["id"], key["state"], key["made_at"], f"{key['subjects']:,}"] for key in body["keys"]]
    table("Keys", ["key", "state", "made", "data keys"], rows)
    if counts.erased_since_rotation:
        out.print(f"{counts.erased_since_rotation} erased since the last rotation: what the write-ahead log and "
                  "backups still hold of them opens with the present key. 'sealed rotate' ends that.")  # fmt: skip


@app.command()
def rotate(as_json: AsJson = False) -> None:  # noqa: FBT002
    """Wrap every data key with a new key and destroy the old one, while everything goes on. Safe to repeat."""
    shown = Progress(TextColumn("wrapping data keys anew"), BarColumn(), MofNCompleteColumn(), console=err)
    with using(as_json=as_json) as system, shown:
        task = shown.add_task("rotate", total=None)
        done = system.rotation.rotate(
            actor=actor(), progress=lambda done, count: shown.update(task, completed=done, total=count)
        )
        used = system.keyrings.read().current
    if as_json:
        say_json({"wrapped_anew": done, "key": used})
        return
    out.print(f"{done:,} data keys are wrapped with {used}; the old key is destroyed here.", highlight=False)
    out.print("Keep a copy of the keyring apart from the database, and make a new backup: older ones open with "
              "the old key only.", style="dim")  # fmt: skip


@app.command()
def find(
    uploader: Annotated[str, typer.Option(help="The platform's reference of the person.")],
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Find the subject that holds what is known of a person."""
    with using(as_json=as_json) as system:
        subject = system.sealed.find(uploader)
        found = system.sealed.get(subject)
    _say(subject, found, as_json=as_json)


@app.command()
def read(
    subject: Subject,
    because: Because,
    role: Annotated[str, typer.Option(help="As whom, such as 'identity' or 'legal'.")],
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Open what is sealed of a subject. That you do is recorded first."""
    with using(as_json=as_json) as system:
        says = system.sealed.read(subject, role=role, because=because, actor=actor())
    if as_json:
        say_json(says)
        return
    table("Sealed records", ["record", "says"], [[record, text] for record, text in says.items()])


@app.command()
def preserve(
    subject: Subject,
    because: Because,
    until: Annotated[datetime | None, typer.Option(help="Until then (UTC); without it, until it is lifted.")] = None,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Forbid that a subject be erased."""
    with using(as_json=as_json) as system:
        ends = until.replace(tzinfo=UTC) if until else None
        command = PreserveSealed(hold=new_id("hld"), until=ends, because=because)
        after = system.sealed.change(subject, command, actor=actor())
    _say(subject, after, as_json=as_json)


@app.command()
def lift(
    subject: Subject,
    hold: Annotated[str, typer.Argument(help="The hold, such as 'hld_...'.")],
    because: Because,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """End a hold. It takes two people."""
    with using(as_json=as_json) as system:
        after = system.sealed.change(subject, LiftPreservation(hold=hold, because=because), actor=actor())
    _say(subject, after, as_json=as_json)


@app.command()
def erase(subject: Subject, because: Because, as_json: AsJson = False) -> None:  # noqa: FBT002
    """Destroy everything sealed of a subject, for good. It takes two people."""
    with using(as_json=as_json) as system:
        after = system.sealed.change(subject, EraseSealed(because=because), actor=actor())
    _say(subject, after, as_json=as_json)


def _say(subject: str, found: SealedSubject, *, as_json: bool) -> None:
    holds = [{"hold": one.id, "until": one.until.isoformat() if one.until else None} for one in found.holds]
    if as_json:
        say_json({"subject": subject, "state": found.state.value, "holds": holds})
        return
    out.print(f"{subject}: {found.state.value}", highlight=False)
    for one in holds:
        out.print(f"  preserved by {one['hold']} until {one['until'] or 'it is lifted'}", highlight=False)

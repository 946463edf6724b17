# SPDX-License-Identifier: Apache-2.0
"""`holdfast proposals`: see what waits for a second person, agree, refuse, withdraw."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast.cli.bank_files import Because
from holdfast.cli.output import out, printable, say_json, table
from holdfast.cli.session import AsJson, using, who
from holdfast.errors import InvalidRequest

if TYPE_CHECKING:
    from holdfast.bootstrap import System
    from holdfast.store.models import ProposalRow

app = typer.Typer(help="See what waits for a second person; agree, refuse, withdraw.", no_args_is_help=True)
Id = Annotated[str, typer.Argument(metavar="PROPOSAL", help="Its id.")]


@app.command("list")
def list_proposals(
    everything: Annotated[bool, typer.Option("--all", help="Also what was answered.")] = False,  # noqa: FBT002
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """List what waits for a second person, the newest first."""
    with using(as_json=as_json) as system:
        rows = system.proposals.rows(waiting=not everything)
    if as_json:
        say_json([_facts(row) for row in rows])
        return
    cells = [
        [row.id, row.command, row.subject, row.person, row.because, f"{row.due:%F %R}Z", row.state] for row in rows
    ]
    table("Proposals", ["proposal", "asks to", "about", "asked by", "because", "due", "state"], cells)


@app.command()
def show(proposal: Id, as_json: AsJson = False) -> None:  # noqa: FBT002
    """Show what a proposal would do as things stand."""
    with using(as_json=as_json) as system:
        facts = _shown(system, proposal)
    _say(facts, as_json=as_json)


@app.command()
def agree(
    proposal: Id,
    because: Because,
    yes: Annotated[bool, typer.Option("--yes", help="Having looked at it with 'show', do not ask.")] = False,  # noqa: FBT002
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Be the second person: look at what it does, and it is done at once. Not for who asked for it."""
    with using(as_json=as_json) as system:
        facts = _shown(system, proposal)
        if as_json and not yes:
            message = "--json asks nothing: look at it with 'show', and say --yes"
            raise InvalidRequest(message)
        if not yes:
            _say(facts, as_json=False)
            typer.confirm("Do you agree that this is done?", abort=True)
        system.proposals.agree(proposal, who(), because=because, digest=facts["digest"])
        _say(_shown(system, proposal), as_json=as_json)


@app.command()
def refuse(proposal: Id, because: Because, as_json: AsJson = False) -> None:  # noqa: FBT002
    """Say no. Anybody may, alone."""
    with using(as_json=as_json) as system:
        system.proposals.refuse(proposal, who(), because=because)
        _say(_shown(system, proposal), as_json=as_json)


@app.command()
def withdraw(proposal: Id, because: Because, as_json: AsJson = False) -> None:  # noqa: FBT002
    """Take back what one asked for."""
    with using(as_json=as_json) as system:
        system.proposals.withdraw(proposal, who(), because=because)
        _say(_shown(system, proposal), as_json=as_json)


def _shown(system: System, proposal: str) -> dict[str, Any]:
    found = system.proposals.get(proposal)
    facts = {**_facts(system.proposals.row(proposal)), "does": system.proposals.effect(found)}
    return {**facts, "digest": found.digest}


def _facts(row: ProposalRow) -> dict[str, Any]:
    return {
        "id": row.id,
        "state": row.state,
        "command": row.command,
        "about": row.subject,
        "at_version": row.at_version,
        "person": row.person,
        "because": row.because,
        "asked_at": row.asked_at.isoformat(),
        "owner": row.owner,
        "due": row.due.isoformat(),
        "answered_by": row.answered_by,
        "answer": row.answer,
        "answered_at": row.answered_at.isoformat() if row.answered_at else None,
        "solo": row.solo,
    }


def _say(facts: dict[str, Any], *, as_json: bool) -> None:
    if as_json:
        say_json(facts)
        return
    does = facts["does"]
    flat = {**facts, "does": "nothing any more: what it is about has changed, or it was answered"}
    if does is not None:
        flat |= {"does": "", **{f"  {name}": value for name, value in does.items()}}
    for name, value in flat.items():
        if value is not None:
            out.print(f"{name:<12} {printable(str(value))}", highlight=False, markup=False, soft_wrap=True)

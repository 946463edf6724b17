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
    from holdfast.store.proposal_rows import ToldProposal

app = typer.Typer(help="See what waits for a second person; agree, refuse, withdraw.", no_args_is_help=True)
Id = Annotated[str, typer.Argument(metavar="PROPOSAL", help="Its id.")]


@app.command("list")
def list_proposals(
    everything: Annotated[bool, typer.Option("--all", help="Also what was answered.")] = False,  # noqa: FBT002
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """List what waits for a second person, the newest first."""
    with using(as_json=as_json) as system:
        all_told = system.proposals.all_told(waiting=not everything)
    if as_json:
        say_json([_facts(told) for told in all_told])
        return
    cells = [
        [one.id, one.command, one.subject, one.person, one.because, f"{one.due:%F %R}Z", one.state.value]
        for one in (told.proposal for told in all_told)
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
def half(proposal: Id, as_json: AsJson = False) -> None:  # noqa: FBT002
    """Having agreed to a key or an account, draw your half of it, once, and give it to its person yourself."""
    with using(as_json=as_json) as system:
        drawn = system.proposals.draw_half(proposal, who())
    if as_json:
        say_json({"proposal": proposal, "half": drawn})
        return
    out.print(f"[bold]{drawn}[/]", highlight=False)
    out.print(
        "They put it behind the half of whoever asked; of a key, with a _ between. It cannot be shown again.",
        style="dim",
    )


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
    told = system.proposals.told(proposal)
    return {**_facts(told), "does": system.proposals.effect(told.proposal), "digest": told.proposal.digest}


def _facts(told: ToldProposal) -> dict[str, Any]:
    proposal = told.proposal
    return {
        "id": proposal.id,
        "state": proposal.state.value,
        "command": proposal.command,
        "about": proposal.subject,
        "at_version": proposal.at_version,
        "person": proposal.person,
        "because": proposal.because,
        "asked_at": proposal.asked_at.isoformat(),
        "owner": proposal.owner,
        "due": proposal.due.isoformat(),
        "answered_by": told.answered_by,
        "answer": told.answer,
        "answered_at": told.answered_at.isoformat() if told.answered_at else None,
        "solo": told.solo,
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

# SPDX-License-Identifier: Apache-2.0
"""`holdfast staff`: the people who work here. Adding one, giving powers and letting somebody in anew takes two."""

from __future__ import annotations

from typing import TYPE_CHECKING, Annotated, Any

import typer

from holdfast.access.person import person_named
from holdfast.access.role import Role
from holdfast.cli.output import out, say_json, table
from holdfast.cli.session import ASKED, AsJson, actor, ask, say_asked, using
from holdfast.errors import SecondPersonNeeded

if TYPE_CHECKING:
    from holdfast.access.staff import Account, StaffCommand

app = typer.Typer(help="Add the people who work here, give and take their roles.", no_args_is_help=True)
Person = Annotated[str, typer.Argument(help="Their short name: one name, one person.")]
Because = Annotated[str, typer.Option("--because", help="Why, in a sentence. Sealed.")]
Roles = Annotated[list[Role], typer.Option("--role", help="What they may be asked to do; repeat for several.")]


@app.command()
def add(  # each is one fact
    person: Person,
    role: Roles,
    team: Annotated[str, typer.Option(help="A second look comes from another team, where there is one.")] = "",
    account: Annotated[str, typer.Option(help="Their own account at the platform: nobody reviews their own.")] = "",
    outside: Annotated[bool, typer.Option("--outside", help="From outside: one case at a time.")] = False,  # noqa: FBT002
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Add somebody, and show the code with which they choose a password: once, good for a day.

    Once two people are known, it waits for a second one (exit code 6): the code opens nothing until somebody agreed.
    """
    with using(as_json=as_json) as system:
        from holdfast.store.staff import new_staff  # noqa: PLC0415  # needs configured Django

        command, code = new_staff(person, roles=frozenset(role), team=team, account=account, outside=outside)
        asked = _do(system, command.person, command)
    _say_code(code, command.person, asked, as_json=as_json)


@app.command()
def reset(person: Person, because: Because, as_json: AsJson = False) -> None:  # noqa: FBT002
    """Let somebody begin anew, with another code: their password and second factor open nothing any more."""
    with using(as_json=as_json) as system:
        from holdfast.store.staff import new_reset  # noqa: PLC0415  # needs configured Django

        command, code = new_reset(because)
        asked = _do(system, person_named(person), command)
    _say_code(code, person_named(person), asked, as_json=as_json)


@app.command("roles")
def set_roles(person: Person, role: Roles, as_json: AsJson = False) -> None:  # noqa: FBT002
    """Say what somebody may be asked to do from now on: all of it. What is not named is taken."""
    from holdfast.access.staff import SetRoles  # noqa: PLC0415  # loaded when it is asked for

    with using(as_json=as_json) as system:
        done = system.staff.change(person_named(person), SetRoles(frozenset(role)), actor=actor())
    _say([done], as_json=as_json)


@app.command()
def block(person: Person, because: Because, as_json: AsJson = False) -> None:  # noqa: FBT002
    """Let somebody sign in no more, from now on. One person may."""
    from holdfast.access.staff import BlockStaff  # noqa: PLC0415  # loaded when it is asked for

    with using(as_json=as_json) as system:
        done = system.staff.change(person_named(person), BlockStaff(because), actor=actor())
    _say([done], as_json=as_json)


@app.command("list")
def list_staff(as_json: AsJson = False) -> None:  # noqa: FBT002
    """List the people who work here."""
    with using(as_json=as_json) as system:
        found = system.staff.accounts()
    _say(found, as_json=as_json)


def _do(system: Any, person: str, command: StaffCommand) -> Any:  # noqa: ANN401  # a System; a Proposal or None
    """Do it, or ask for a second person: the proposal that waits then."""
    try:
        system.staff.change(person, command, actor=actor())
    except SecondPersonNeeded as needed:
        return ask(system, needed)
    return None


def _say_code(code: str, person: str, asked: Any, *, as_json: bool) -> None:  # noqa: ANN401  # a Proposal or None
    if as_json:
        say_json({"person": person, "code": code, **({"proposal": asked.id} if asked else {})})
    else:
        out.print(f"[bold]{code}[/]", highlight=False)
        out.print(f"With this {person} chooses a password, within a day. It cannot be shown again.", style="dim")
        if asked:
            out.print("It is half of the code: whoever agrees draws the other half with", style="dim")
            out.print(f"'holdfast proposals half {asked.id}', and gives it to {person} themselves.", style="dim")
    if asked:
        if not as_json:
            say_asked(asked, as_json=False)
        raise typer.Exit(ASKED)


def _say(found: list[Account], *, as_json: bool) -> None:
    rows = [
        {
            "person": one.person,
            "roles": sorted(one.roles),
            "team": one.team,
            "outside": one.outside,
            "state": one.state.value,
        }
        for one in found
    ]
    if as_json:
        say_json(rows)
        return
    cells = [
        [one.person, ", ".join(sorted(one.roles)), one.team, "yes" if one.outside else "", one.state] for one in found
    ]
    table("Staff", ["person", "roles", "team", "from outside", "state"], cells)

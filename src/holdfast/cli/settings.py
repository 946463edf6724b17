# SPDX-License-Identifier: Apache-2.0
"""`holdfast settings`: what protects, as the last start had it, and what two people must accept."""

from __future__ import annotations

import typer

from holdfast.access.safety import AcceptSettings
from holdfast.cli.bank_files import Because, say
from holdfast.cli.output import out, say_json, table
from holdfast.cli.session import AsJson, actor, using
from holdfast.settings import env_name

app = typer.Typer(help="The settings that protect, and whether two people stand behind them.", no_args_is_help=True)


@app.command()
def show(as_json: AsJson = False) -> None:  # noqa: FBT002
    """Show the settings that protect, as the last `serve` had them, and which are weaker than accepted."""
    with using(as_json=as_json) as system:
        found = system.safety.found()
    if as_json:
        said = {"values": found.values, "accepted": found.accepted, "weakened": found.weakened} if found else None
        say_json(said)
        return
    if found is None:
        out.print("'holdfast serve' has not been started with this database yet.", highlight=False)
        return
    rows = [
        [env_name(name), str(value), str(found.accepted[name]), "weaker" if name in found.weakened else ""]
        for name, value in found.values.items()
    ]
    table("Settings that protect", ["setting", "in force", "accepted", ""], rows)


@app.command()
def accept(because: Because, as_json: AsJson = False) -> None:  # noqa: FBT002
    """Stand behind weaker settings. It takes two people."""
    with using(as_json=as_json) as system:
        system.safety.accept(AcceptSettings(because=because), actor=actor())
    say({"accepted": True}, "Accepted.", as_json=as_json)

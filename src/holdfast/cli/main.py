# SPDX-License-Identifier: Apache-2.0
"""`holdfast`: the tour. Each command is a short function; what it does lives elsewhere."""

from __future__ import annotations

import signal
from contextlib import suppress
from typing import Annotated

import typer

import holdfast
from holdfast.cli import alarms, bank, cases, clocks, effects, key, log, proposals, sealed, searches
from holdfast.cli import settings as settings_command
from holdfast.cli.backup import backup, restore
from holdfast.cli.demo import demo
from holdfast.cli.doctor import doctor
from holdfast.cli.fsck import fsck
from holdfast.cli.output import err, errors_in_words, out
from holdfast.cli.screen import screen
from holdfast.observe import configure_logging
from holdfast.settings import Settings

app = typer.Typer(
    name="holdfast",
    help="Stops known illegal pictures before they are published, and can prove what it answered.\n\n"
    "First time here? [bold]holdfast demo[/] shows the whole of it in a minute. Then: [bold]serve[/] it, make a "
    "[bold]key[/] and a [bold]bank[/], [bold]screen[/] a file, and ask the [bold]doctor[/] what could be stronger.",
    no_args_is_help=True,
    rich_markup_mode="rich",
    pretty_exceptions_enable=False,
    context_settings={"help_option_names": ["-h", "--help"]},
)


@app.callback(invoke_without_command=True)
def _tour(version: Annotated[bool, typer.Option("--version", help="Print the version and exit.")] = False) -> None:  # noqa: FBT002
    if version:
        out.print(holdfast.__version__, highlight=False)
        raise typer.Exit


@app.command()
def serve() -> None:
    """Run everything: database (unless DATABASE_URL is set), decoders, HTTP API, worker. Stops with Ctrl-C."""
    from holdfast.supervise import Supervisor  # noqa: PLC0415  # heavy, and only needed here

    configure_logging()
    with errors_in_words():
        settings = Settings.from_environment()
        supervisor = Supervisor(settings)
        with suppress(KeyboardInterrupt), supervisor.running():
            out.print(f"Holdfast {holdfast.__version__} at [bold]http://{settings.listen}/v1/[/]  (Ctrl-C stops it)")
            _warn_of_shadow(settings)
            _warn_of_solo(settings)
            supervisor.watch()


@app.command()
def worker() -> None:
    """Run one more background worker against the database of the settings. `serve` runs one already."""
    from holdfast.bootstrap import database  # noqa: PLC0415
    from holdfast.worker import run  # noqa: PLC0415

    configure_logging()
    with errors_in_words(), database(Settings.from_environment()) as settings:
        out.print("Worker running. Ctrl-C stops it.")
        run(settings)


app.command()(doctor)
app.command()(fsck)
app.command()(screen)
app.command()(demo)
app.command()(backup)
app.command()(restore)
app.add_typer(bank.app, name="bank")
app.add_typer(key.app, name="key")
app.add_typer(sealed.app, name="sealed")
app.add_typer(proposals.app, name="proposals")
app.add_typer(settings_command.app, name="settings")
app.add_typer(effects.app, name="effects")
app.add_typer(alarms.app, name="alarms")
app.add_typer(cases.app, name="cases")
app.add_typer(clocks.app, name="clocks")
app.add_typer(searches.app, name="searches")
app.add_typer(log.app, name="log")
app.command()(log.verify)


def _warn_of_shadow(settings: Settings) -> None:
    if settings.shadow:
        err.print("[bold white on red] SHADOW MODE [/] Everything is answered [bold]publish[/], whatever is found.")


def _warn_of_solo(settings: Settings) -> None:
    if settings.solo:
        says = f"A person who is alone may weaken protection after {settings.solo_hours:g} hours."
        err.print(f"[bold white on red] SOLO MODE [/] {says}")


def main() -> None:
    """The entry point."""
    signal.signal(signal.SIGPIPE, signal.SIG_DFL)
    app()

# SPDX-License-Identifier: Apache-2.0
"""`holdfast`: the tour. Each command is a short function; what it does lives elsewhere."""

from __future__ import annotations

import signal
from contextlib import suppress
from typing import Annotated

import typer

import holdfast
from holdfast.cli.on_demand import OnDemand
from holdfast.cli.output import err, errors_in_words, out
from holdfast.observe import configure_logging
from holdfast.settings import Settings

app = typer.Typer(
    cls=OnDemand,
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
    from holdfast.bootstrap import database, load  # noqa: PLC0415
    from holdfast.worker import run  # noqa: PLC0415

    configure_logging()
    with errors_in_words(), database(Settings.from_environment()) as settings:
        load(settings)
        out.print("Worker running. Ctrl-C stops it.")
        run(settings)


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

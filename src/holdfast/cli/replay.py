# SPDX-License-Identifier: Apache-2.0
"""`holdfast replay`: the failure that Holdfast exists to end, played as it happened and with Holdfast, and measured."""

from __future__ import annotations

import logging
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from holdfast.cli.output import err, errors_in_words, out, say_json
from holdfast.cli.output import table as draw_table
from holdfast.cli.session import AsJson
from holdfast.cli.stage import any_port, clients, own_settings, platform, world_of
from holdfast.observe import configure_logging

if TYPE_CHECKING:
    from holdfast.replay.play import Played
    from holdfast.replay.publishing import Tell
    from holdfast.replay.world import World
    from holdfast.settings import Settings

_READY_PATIENCE = 60.0
_MOST_SHARES = 20_000


def replay(
    shares: Annotated[
        int | None,
        typer.Option(min=1, max=_MOST_SHARES, help="Re-shares of the film; 2,223 if not given, as it was."),
    ] = None,
    into: Annotated[Path, typer.Option(help="Where to write the picture and the figures.")] = Path("demo-sheet"),
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Play the story as it happened and with Holdfast, and a brigade against a family's photo; measure both.

    With all re-shares it takes about twenty minutes, ten of which two people's finding waits before it lets
    anything be seen again. Exit code 1 if a promise was not kept.
    """
    from holdfast.supervise import Supervisor  # noqa: PLC0415

    configure_logging(logging.ERROR)
    with errors_in_words(as_json=as_json), Supervisor(own_settings("replay")).running() as ready:
        client, second, upload_key = clients(ready)
        client.wait_until_ready(patience=_READY_PATIENCE)
        with platform(ready, upload_key) as site, telling() as tell:
            played = play_here(ready, world_of(ready, site, second), shares, tell)
    files = played.write(into)
    if as_json:
        say_json({**played.as_json(), "files": [str(path) for path in files]})
    else:
        say_played(played, files)
    if not played.as_promised:
        raise typer.Exit(1)


def play_here(ready: Settings, world: World, shares: int | None, tell: Tell) -> Played:
    """Play both stories beside what runs already, and a Commons without Holdfast."""
    from holdfast.demo.commons import commons_alone  # noqa: PLC0415
    from holdfast.replay.as_it_happened import MODERATOR  # noqa: PLC0415
    from holdfast.replay.play import play_stories  # noqa: PLC0415
    from holdfast.replay.story import the_story  # noqa: PLC0415

    story = the_story() if shares is None else the_story().with_shares(shares)
    with commons_alone(ready.data / "alone", any_port(), moderators=MODERATOR) as alone:
        return play_stories(world, alone, story, ready.afterthought_seconds, tell)


@contextmanager
def telling(*, quietly: bool = False) -> Iterator[Tell]:
    """Shows what is being done; where no terminal is, one line for each step, or nothing."""
    if not err.is_terminal:
        yield lambda words: None if quietly else err.print(words, highlight=False, markup=False)
        return
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True) as progress:
        task = progress.add_task("Starting", total=None)
        yield lambda words: progress.update(task, description=words)


def say_played(played: Played, files: list[Path]) -> None:
    """Both tables, what was promised, and where the picture is."""
    from holdfast.replay.table import other_side, table  # noqa: PLC0415

    out.print("\n[bold]What happened, and what would have[/]")
    for line in table(played.figures).splitlines():
        out.print(line, markup=False, highlight=False, soft_wrap=True)
    rows = [list(row) for row in other_side(played.restored)]
    draw_table("The other side: a brigade reports a family's photo", ["", ""], rows)
    out.print("[bold green]as promised[/]" if played.as_promised else "[bold red]NOT AS PROMISED[/]")
    out.print(f"Picture: [bold]{files[0]}[/]\n         {files[1]}", soft_wrap=True, highlight=False)

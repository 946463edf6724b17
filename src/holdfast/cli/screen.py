# SPDX-License-Identifier: Apache-2.0
"""`holdfast screen FILE...`: screen files here, against the banks as they are, and record the answers."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import BarColumn, Progress, TextColumn, TimeElapsedColumn
from rich.text import Text

from holdfast import later, pipeline
from holdfast.bootstrap import System
from holdfast.cli.output import err, out, printable, say_json, table
from holdfast.cli.session import AsJson, actor, using
from holdfast.demo.why import timeline, why
from holdfast.errors import InvalidRequest
from holdfast.intake.content import LONGEST_REFERENCE, Content
from holdfast.intake.upload import CHUNK, Room, Upload, receive
from holdfast.media.filetype import HEAD_LENGTH


def screen(
    files: Annotated[list[Path], typer.Argument(help="The files to screen.")],
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Screen files against the banks and say why. Exit code 1 if any would be held."""
    missing = [path for path in files if not path.is_file()]
    with using(as_json=as_json, decoder=True) as system:
        if missing:
            message = f"{', '.join(map(str, missing))}: no such file"
            raise InvalidRequest(message)
        system.known.follow()
        columns = TextColumn("{task.description}"), BarColumn(), TimeElapsedColumn()
        with Progress(*columns, console=err, transient=True) as bars:
            whole = bars.add_task("Screening", total=len(files), visible=len(files) > 1)
            results = []
            for path in files:
                results.append((path, _screen_one(path, system, bars)))
                bars.advance(whole)
    _say(results, as_json=as_json, shadow=system.settings.shadow)
    if any(body["answer"] == "hold" for _, body in results):
        raise typer.Exit(1)


class _Bar(later.Progress):
    """Shows on a bar how much of a video was seen."""

    def __init__(self, name: str, bars: Progress) -> None:
        super().__init__()
        self._bars = bars
        self._task = bars.add_task(name, total=None, visible=False)

    def begun(self, seconds: float | None, tracks: int) -> None:
        """It is a video, and says how long it is."""
        super().begun(seconds, tracks)
        self._bars.update(self._task, total=self.seconds_total, visible=True)

    def seen(self, seconds: float, track: int) -> None:
        """So much was seen."""
        super().seen(seconds, track)
        self._bars.update(self._task, completed=self.seconds_seen)


def _room(path: Path, system: System) -> Room:
    """Videos and long files go to the spool, as uploads do."""
    settings = system.settings
    return Room(
        spool=system.spool,
        announced=path.stat().st_size,
        above=settings.spool_above_bytes,
        limit=settings.max_video_bytes,
        is_long=later.is_video,
        head=HEAD_LENGTH,
    )


def _screen_one(path: Path, system: System, bars: Progress) -> dict[str, Any]:
    with path.open("rb") as file:
        chunks = iter(lambda: file.read(CHUNK), b"")
        received = receive(chunks, system.settings.max_upload_bytes, room=_room(path, system))
    try:
        shown = path.name.encode(errors="replace").decode()  # file names need not be text
        content = Content(id=f"file:{shown}"[:LONGEST_REFERENCE], surface="command line")
        parts = system.parts()
        followed = replace(parts, decoder=later.Followed(parts.decoder, _Bar(path.name, bars)))
        return pipeline.screen(received, content, asked_by=actor(), once=None, parts=followed)
    finally:
        if isinstance(received, Upload):
            received.close()


def _say(results: list[tuple[Path, dict[str, Any]]], *, as_json: bool, shadow: bool) -> None:
    if as_json:
        say_json([{"file": str(path), **body} for path, body in results])
        return
    if shadow:
        err.print("[bold white on red] SHADOW MODE [/] The answers below say publish, whatever was found.")
    rows: list[list[str | Text]] = [
        [str(path), _coloured(body["answer"]), _in_words(body["explanation"])] for path, body in results
    ]
    table("Screened", ["file", "answer", "why"], rows)
    out.print("Each answer is in the journal; --json shows its id.", style="dim")


def _in_words(explanation: dict[str, Any]) -> Text:
    """Why; of a video also where in it."""
    where = timeline(explanation)
    words = Text(printable(why(explanation)))
    return words.append(f"\n{where}", "red") if where else words


def _coloured(answer: str) -> Text:
    return Text(answer, "bold red" if answer == "hold" else "green")

# SPDX-License-Identifier: Apache-2.0
"""`holdfast screen FILE...`: screen files here, against the banks as they are, and record the answers."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any

import typer
from rich.progress import track
from rich.text import Text

from holdfast import pipeline
from holdfast.bootstrap import System
from holdfast.cli.output import err, out, printable, say_json, table
from holdfast.cli.session import AsJson, actor, using
from holdfast.demo.why import timeline, why
from holdfast.errors import InvalidRequest
from holdfast.intake.content import LONGEST_REFERENCE, Content
from holdfast.intake.upload import CHUNK, Upload, receive


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
        chosen = track(files, description="Screening", console=err, transient=True) if len(files) > 1 else files
        results = [(path, _screen_one(path, system)) for path in chosen]
    _say(results, as_json=as_json, shadow=system.settings.shadow)
    if any(body["answer"] == "hold" for _, body in results):
        raise typer.Exit(1)


def _screen_one(path: Path, system: System) -> dict[str, Any]:
    with path.open("rb") as file:
        received = receive(iter(lambda: file.read(CHUNK), b""), system.settings.max_upload_bytes)
    try:
        shown = path.name.encode(errors="replace").decode()  # file names need not be text
        content = Content(id=f"file:{shown}"[:LONGEST_REFERENCE], surface="command line")
        return pipeline.screen(received, content, asked_by=actor(), once=None, parts=system.parts())
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

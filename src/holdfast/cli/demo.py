# SPDX-License-Identifier: Apache-2.0
"""`holdfast demo`: start everything, run the main job through the real API, leave the server up."""

from __future__ import annotations

import statistics
from dataclasses import asdict
from pathlib import Path
from typing import TYPE_CHECKING, Annotated, Any

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from holdfast.cli.output import err, errors_in_words, out, say_json, table
from holdfast.cli.replay import play_here, say_played, telling
from holdfast.cli.session import AsJson
from holdfast.cli.stage import clients, own_settings, platform, world_of
from holdfast.observe import configure_logging
from holdfast.settings import Settings

if TYPE_CHECKING:
    from holdfast.demo.client import Client
    from holdfast.demo.proof import Proven
    from holdfast.demo.reporting import Reported
    from holdfast.demo.story import Result
    from holdfast.replay.play import Played

_READY_PATIENCE = 60.0
SHARES = 24
"""Of the film in the replay: `holdfast replay` plays it with all of them."""

THOUGHT = 20
"""Seconds in which somebody can think better of it: ten minutes otherwise, and whoever tries it waits no such time."""


def demo(
    once: Annotated[bool, typer.Option(help="End when done, instead of leaving the server up.")] = False,  # noqa: FBT002
    sheet: Annotated[Path, typer.Option(help="Where to write the contact sheet.")] = Path("demo-sheet"),
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Start everything, screen known, disguised, other and broken pictures and videos, and draw a contact sheet.

    Uses a data directory of its own, made anew each time. Exit code 1 if any answer was not the expected one.
    """
    import logging  # noqa: PLC0415

    from holdfast.supervise import Supervisor  # noqa: PLC0415

    configure_logging(logging.ERROR)
    with errors_in_words(as_json=as_json):
        settings = own_settings("demo").model_copy(update={"afterthought_seconds": THOUGHT})
        if not as_json:
            out.print(f"What two people find has effect here after {THOUGHT} seconds instead of ten minutes. Holdfast")
            out.print("notices that this is weaker, and says so: an alarm, until two people accept it.")
        supervisor = Supervisor(settings)
        with supervisor.running() as ready:
            client, second, upload_key = clients(ready)
            started = client.wait_until_ready(patience=_READY_PATIENCE)
            result = _play(client, second)
            facts = _summary(result, started)
            files = _write(result, facts, sheet)
            proven = _prove(client, result, ready, sheet)
            with platform(ready, upload_key) as site:
                reported = _report(site, ready, sheet)
                if not as_json:
                    _say(result, facts, files, proven, reported)
                with telling(quietly=True) as tell:
                    played = play_here(ready, world_of(ready, site, second), SHARES, tell)
                pictures = played.write(sheet)
                if as_json:
                    say_json(_as_json(result, facts, files, proven, reported) | {"replay": played.as_json()})
                else:
                    say_played(played, pictures)
                if not once:
                    _say_addresses(client, settings, site)
                    _say_people(settings, played)
                    supervisor.watch()
    if not (result.all_as_expected and proven.good and reported.as_expected and played.as_promised):
        raise typer.Exit(1)


def _report(site: str, ready: Settings, sheet: Path) -> Reported:
    from holdfast.adapters.log_folder import LogFolder  # noqa: PLC0415
    from holdfast.demo.reporting import play_report  # noqa: PLC0415

    key = str(LogFolder(ready.data / "log").identity().keys.log[-1])
    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task("Starting Commons", total=None)
        door = f"http://{ready.listen}"
        return play_report(site, door, key, sheet, lambda words: progress.update(task, description=words))


def _play(client: Client, second: Client) -> Result:
    from holdfast.demo.story import play  # noqa: PLC0415

    columns = (SpinnerColumn(), TextColumn("{task.description}"), TimeElapsedColumn())
    with Progress(*columns, console=err, transient=True, disable=not err.is_terminal) as progress:
        task = progress.add_task("Starting", total=None)
        return play(client, second, lambda words: progress.update(task, description=words))


def _summary(result: Result, started: float) -> list[tuple[str, str]]:
    seconds = result.seconds()
    words = {
        "known": "known, held",
        "disguised": "disguised, held",
        "format": "other formats, held",
        "video": "in videos, held",
        "unrelated": "others, published",
    }
    counts = [(words[kind], "{} of {}".format(*result.count(kind))) for kind in words if result.count(kind)[1]]
    return [
        *counts,
        ("not screenable, held", "{} of {}".format(*result.count("unscreenable"))),
        ("answer, median", f"{statistics.median(seconds) * 1000:.0f} ms"),
        ("slowest answer", f"{seconds[-1] * 1000:.0f} ms"),
        ("server ready after", f"{started:.1f} s"),
        ("new entry held after", f"{result.steps[-1].seconds * 1000:.0f} ms"),
    ]


def _write(result: Result, facts: list[tuple[str, str]], sheet: Path) -> list[Path]:
    from holdfast.demo.sheet import write_html, write_png  # noqa: PLC0415

    sheet.mkdir(parents=True, exist_ok=True)
    page, picture = sheet / "contact-sheet.html", sheet / "contact-sheet.png"
    write_html(result, facts, page)
    write_png(result, facts, picture)
    return [page.resolve(), picture.resolve()]


def _prove(client: Client, result: Result, settings: Settings, sheet: Path) -> Proven:
    """What the log says of the first upload that was held; the operator gives the log's key."""
    from holdfast.adapters.log_folder import LogFolder  # noqa: PLC0415
    from holdfast.demo.proof import prove_one  # noqa: PLC0415

    held = next(one for one in result.outcomes if one.answer == "hold")
    key = str(LogFolder(settings.data / "log").identity().keys.log[-1])
    return prove_one(client, str(held.reply.body["screening"]), key, sheet / "proof.json")


def _say(  # each is one part of what is shown
    result: Result,
    facts: list[tuple[str, str]],
    files: list[Path],
    proven: Proven,
    reported: Reported,
) -> None:
    table("What was screened, in this run", ["", ""], [[name, value] for name, value in facts])
    rows = [[step.did, step.answer, f"{step.seconds * 1000:.0f} ms"] for step in result.steps]
    table("Taking an entry out, putting one in", ["what was done", "the next upload", "answered in"], rows)
    for one in result.outcomes:
        if not one.as_expected:
            out.print(f"[bold red]not as expected[/] {one.sample.title}: {one.answer}")
    _say_proof(proven)
    _say_report(reported)
    out.print(f"\nContact sheet: [bold]{files[0]}[/]\n               {files[1]}", soft_wrap=True, highlight=False)


def _as_json(
    result: Result, facts: list[tuple[str, str]], files: list[Path], proven: Proven, reported: Reported
) -> dict[str, Any]:
    """The same for machines."""
    steps = [{"did": s.did, "answer": s.answer, "expected": s.expected, "seconds": s.seconds} for s in result.steps]
    wrong = [one.sample.title for one in result.outcomes if not one.as_expected]
    body = {"as_expected": result.all_as_expected, "wrong": wrong, "facts": dict(facts), "steps": steps}
    proof = {"proven": proven.good, "file": str(proven.file), "events": proven.events, "says": proven.says}
    return {**body, "sheet": [str(path) for path in files], "proof": proof, "report": asdict(reported)}


def _say_people(settings: Settings, played: Played) -> None:
    """Who works here, so that their pages can be clicked through."""
    out.print(f"  who works here   http://{settings.listen}/staff/sign-in", highlight=False, soft_wrap=True)
    for one in played.people:
        told = f"password {one.password}, secret for an authenticator app {one.secret}"
        out.print(f"    {one.name:<14} {told}", highlight=False, soft_wrap=True)


def _say_proof(proven: Proven) -> None:
    rows = [[str(one[name]) for name in ("number", "at", "event", "by", "entry")] for one in proven.events]
    table("The first held upload, as the log has it", ["", "at", "event", "by", "entry"], rows)
    out.print("What somebody who trusts nobody finds, offline, with the log's key and a program of 200 lines:")
    for sentence in proven.says:
        out.print(f"  {sentence}", markup=False, highlight=False, soft_wrap=True)
    out.print("[bold green]proven[/]" if proven.good else "[bold red]NOT PROVEN[/]")
    out.print(f"Again: {proven.command}", markup=False, highlight=False, soft_wrap=True)


def _say_report(seen: Reported) -> None:
    """The second story: what was so when, what a stranger gets, what each side is told, and the receipt."""
    rows = [[f"{one.after:6.2f} s", one.what] for one in seen.timeline]
    table("A parent reports what Commons shows: seconds after sending", ["", ""], rows)
    stranger = f"a stranger got {_codes(seen.before)} before, and gets {_codes(seen.after)} now"
    out.print(f"Of {len(seen.before)} pages {stranger}.", highlight=False)
    out.print(f"The receipt's words: [bold]{seen.words}[/]", highlight=False)
    for line in seen.status:
        out.print(f"  the receipt says: {line}", markup=False, highlight=False, soft_wrap=True)
    out.print(f"Whoever posted it is told: {seen.notice}", markup=False, highlight=False, soft_wrap=True)
    for line in seen.receipt_says:
        out.print(f"  the verifier says: {line}", markup=False, highlight=False, soft_wrap=True)
    out.print("[bold green]held, told and proven[/]" if seen.as_expected else "[bold red]NOT AS IT SHOULD BE[/]")


def _codes(statuses: list[int]) -> str:
    return ", ".join(map(str, sorted(set(statuses))))


def _say_addresses(client: Client, settings: Settings, site: str) -> None:
    base = f"http://{settings.listen}/v1"
    out.print(f"\nThe server is up at [bold]{base}/[/]  (Ctrl-C stops it)", highlight=False)
    out.print(f"  what it offers   {base}/openapi.json", highlight=False, soft_wrap=True)
    out.print(f"  is it ready      {base}/health/ready", highlight=False, soft_wrap=True)
    out.print(f"  report something http://{settings.listen}/report", highlight=False, soft_wrap=True)
    out.print(f"  the platform     {site}", highlight=False, soft_wrap=True)
    curl = f"curl -H 'Authorization: Bearer {client.key}' --data-binary @FILE {base}/screen"
    out.print(f"  screen a file    {curl}", soft_wrap=True, highlight=False, markup=False)

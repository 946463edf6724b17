# SPDX-License-Identifier: Apache-2.0
"""`holdfast demo`: start everything, run the main job through the real API, leave the server up."""

from __future__ import annotations

import shutil
import statistics
from pathlib import Path
from typing import TYPE_CHECKING, Annotated

import typer
from rich.progress import Progress, SpinnerColumn, TextColumn, TimeElapsedColumn

from holdfast.cli.output import err, errors_in_words, out, say_json, table
from holdfast.cli.session import AsJson, actor
from holdfast.errors import DataInUse, PortTaken
from holdfast.observe import configure_logging
from holdfast.settings import Settings, env_name

if TYPE_CHECKING:
    from holdfast.demo.client import Client
    from holdfast.demo.proof import Proven
    from holdfast.demo.story import Result

_MARKER = ".holdfast-demo"
_READY_PATIENCE = 60.0
_PORTS_TRIED = 20


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
        settings = _own_settings()
        supervisor = Supervisor(settings)
        with supervisor.running() as ready:
            client, second = _clients(ready)
            started = client.wait_until_ready(patience=_READY_PATIENCE)
            result = _play(client, second)
            facts = _summary(result, started)
            files = _write(result, facts, sheet)
            proven = _prove(client, result, ready, sheet)
            _say(result, facts, files, proven, as_json=as_json)
            if not once:
                _say_addresses(client, settings)
                supervisor.watch()
    if not (result.all_as_expected and proven.good):
        raise typer.Exit(1)


def _own_settings() -> Settings:
    """Settings whose data nobody else uses, on a free port."""
    given = Settings.from_environment()
    folder = given.data / "demo"
    if folder.exists():
        if not (folder / _MARKER).exists():
            message = f"{folder} exists and was not made by a demonstration"
            raise DataInUse(message)
        if _in_use(folder):
            message = f"{folder}: a demonstration is still running"
            raise DataInUse(message)
        shutil.rmtree(folder)
    folder.mkdir(parents=True, mode=0o755)
    (folder / _MARKER).touch()
    fresh = given.model_copy(update={"data": folder, "database_url": None, "database_owner_url": None, "shadow": False})
    return fresh.model_copy(update={"listen": _free_address(given)})


def _in_use(folder: Path) -> bool:
    import fcntl  # noqa: PLC0415

    lock = folder / "postgres" / "lock"
    if not lock.exists():
        return False
    with lock.open("w") as file:
        try:
            fcntl.flock(file, fcntl.LOCK_EX | fcntl.LOCK_NB)
        except BlockingIOError:
            return True
    return False


def _free_address(given: Settings) -> str:
    """The configured address; if it was not chosen and is taken, the next free port."""
    import os  # noqa: PLC0415

    from holdfast.supervise import require_free_port  # noqa: PLC0415

    host, _, port = given.listen.rpartition(":")
    tries = 1 if env_name("listen") in os.environ else _PORTS_TRIED
    for offset in range(tries):
        address = f"{host}:{int(port) + offset}"
        try:
            require_free_port(address)
        except PortTaken:
            if offset == tries - 1:
                raise
        else:
            return address
    raise AssertionError


def _clients(ready: Settings) -> tuple[Client, Client]:
    """Two people's clients, with keys that may do everything, made as an administrator would."""
    from holdfast.access.key import Scope  # noqa: PLC0415
    from holdfast.bootstrap import wire  # noqa: PLC0415
    from holdfast.demo.client import Client  # noqa: PLC0415

    system = wire(ready)

    def key_of(person: str) -> str:
        scopes = frozenset(Scope)
        return system.keys.create(label="demonstration", scopes=scopes, expires_at=None, actor=actor(), person=person)

    return Client(ready.listen, key_of("first")), Client(ready.listen, key_of("second"))


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


def _say(result: Result, facts: list[tuple[str, str]], files: list[Path], proven: Proven, *, as_json: bool) -> None:
    if as_json:
        steps = [{"did": s.did, "answer": s.answer, "expected": s.expected, "seconds": s.seconds} for s in result.steps]
        wrong = [one.sample.title for one in result.outcomes if not one.as_expected]
        body = {"as_expected": result.all_as_expected, "wrong": wrong, "facts": dict(facts), "steps": steps}
        proof = {"proven": proven.good, "file": str(proven.file), "events": proven.events, "says": proven.says}
        say_json({**body, "sheet": [str(path) for path in files], "proof": proof})
        return
    table("What was screened, in this run", ["", ""], [[name, value] for name, value in facts])
    rows = [[step.did, step.answer, f"{step.seconds * 1000:.0f} ms"] for step in result.steps]
    table("Taking an entry out, putting one in", ["what was done", "the next upload", "answered in"], rows)
    for one in result.outcomes:
        if not one.as_expected:
            out.print(f"[bold red]not as expected[/] {one.sample.title}: {one.answer}")
    _say_proof(proven)
    out.print(f"\nContact sheet: [bold]{files[0]}[/]\n               {files[1]}", soft_wrap=True, highlight=False)


def _say_proof(proven: Proven) -> None:
    rows = [[str(one[name]) for name in ("number", "at", "event", "by", "entry")] for one in proven.events]
    table("The first held upload, as the log has it", ["", "at", "event", "by", "entry"], rows)
    out.print("What somebody who trusts nobody finds, offline, with the log's key and a program of 200 lines:")
    for sentence in proven.says:
        out.print(f"  {sentence}", markup=False, highlight=False, soft_wrap=True)
    out.print("[bold green]proven[/]" if proven.good else "[bold red]NOT PROVEN[/]")
    out.print(f"Again: {proven.command}", markup=False, highlight=False, soft_wrap=True)


def _say_addresses(client: Client, settings: Settings) -> None:
    base = f"http://{settings.listen}/v1"
    out.print(f"\nThe server is up at [bold]{base}/[/]  (Ctrl-C stops it)", highlight=False)
    out.print(f"  what it offers   {base}/openapi.json", highlight=False, soft_wrap=True)
    out.print(f"  is it ready      {base}/health/ready", highlight=False, soft_wrap=True)
    curl = f"curl -H 'Authorization: Bearer {client.key}' --data-binary @FILE {base}/screen"
    out.print(f"  screen a file    {curl}", soft_wrap=True, highlight=False, markup=False)

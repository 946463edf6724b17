# SPDX-License-Identifier: Apache-2.0
"""`holdfast bank`: make banks, fill them, take entries out, move them in and out as files."""

from __future__ import annotations

import sys
from collections.abc import Iterator
from dataclasses import asdict
from pathlib import Path
from typing import IO, Annotated, Any

import typer
from rich.progress import Progress

from holdfast.cli.output import err, out, say_json, table
from holdfast.cli.session import AsJson, actor, using
from holdfast.errors import InvalidBankFile, InvalidRequest
from holdfast.intake.upload import CHUNK, Upload, receive
from holdfast.match import bank as banks
from holdfast.match import bankfile
from holdfast.match.look import look, signals_to_bank
from holdfast.match.signal import parse

app = typer.Typer(help="Make banks, fill them, take entries out, import and export.", no_args_is_help=True)
Name = Annotated[str, typer.Argument(help="The bank's name.")]
_MOST_BAD_LINES_SHOWN = 20


@app.command()
def create(  # each is one fact about a bank
    name: Name,
    meaning: Annotated[str, typer.Option(help="What its entries are known to be.")],
    source: Annotated[str, typer.Option(help="Who says so.")],
    threshold: Annotated[int, typer.Option(help="Largest PDQ distance that counts, of 256.")] = banks.DEFAULT_THRESHOLD,
    action: Annotated[banks.Action, typer.Option(help="What a match leads to.")] = banks.Action.HOLD,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Make a bank."""
    command = banks.CreateBank(name=name, meaning=meaning, source=source, threshold=threshold, action=action)
    with using(as_json=as_json) as system:
        made = system.banks.change_bank(name, command, actor=actor())
    _say(as_json, asdict(made), f"Made the bank {made.name}.")


@app.command("list")
def list_banks(as_json: AsJson = False) -> None:  # noqa: FBT002
    """List the banks."""
    with using(as_json=as_json) as system:
        every = system.banks.all_banks()
    if as_json:
        say_json([{**asdict(summary.bank), "entries": summary.entries} for summary in every])
        return
    columns = ["bank", "entries", "action", "threshold", "state", "meaning", "source"]
    rows = [
        [b.name, f"{s.entries:,}", b.action, str(b.threshold), b.state, b.meaning, b.source]
        for s in every
        for b in [s.bank]
    ]
    table("Banks", columns, rows)


@app.command()
def disable(name: Name, as_json: AsJson = False) -> None:  # noqa: FBT002
    """Take a whole bank out of screening. This weakens protection."""
    with using(as_json=as_json) as system:
        changed = system.banks.change_bank(name, banks.DisableBank(), actor=actor())
    _say(as_json, asdict(changed), f"{name} no longer matches.")


@app.command()
def enable(name: Name, as_json: AsJson = False) -> None:  # noqa: FBT002
    """Put a bank back into screening."""
    with using(as_json=as_json) as system:
        changed = system.banks.change_bank(name, banks.EnableBank(), actor=actor())
    _say(as_json, asdict(changed), f"{name} matches again.")


@app.command()
def add(
    name: Name,
    files: Annotated[list[Path] | None, typer.Argument(help="Pictures: their signals are kept, they are not.")] = None,
    signal: Annotated[
        list[str] | None, typer.Option(help="A hash instead, as type:value; several make one entry.")
    ] = None,
    provenance: Annotated[str, typer.Option(help="Where the knowledge comes from.")] = "command line",
    exact_only: Annotated[bool, typer.Option(help="Take files without a usable look, by their digests alone.")] = False,  # noqa: FBT002
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Add known items: pictures, or hashes. They match within a second."""
    with using(as_json=as_json, decoder=bool(files)) as system:
        items = [(signals_to_bank(_look_at(path, system), exact_only=exact_only), provenance) for path in files or ()]
        if signal:
            items.append((tuple(parse(*text.partition(":")[::2]) for text in signal), provenance))
        if not items:
            message = "name at least one picture, or a --signal type:value"
            raise InvalidRequest(message)
        added = system.banks.add_entries(name, items, actor=actor())
    body = [{"id": entry.id, "signal_types": [one.type for one in entry.signals]} for entry in added]
    _say(as_json, body, "\n".join(f"{entry.id}  {', '.join(one.type for one in entry.signals)}" for entry in added))


@app.command()
def remove(
    name: Name,
    entry: Annotated[str, typer.Argument(help="The entry's id.")],
    because: Annotated[str, typer.Option(help="Why it leaves the bank.")],
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Take an entry out for good. This weakens protection."""
    with using(as_json=as_json) as system:
        system.banks.change_entry(name, entry, banks.RemoveEntry(because=because), actor=actor())
    _say(as_json, {"removed": entry}, f"Removed {entry}.")


@app.command("import")
def import_file(
    name: Name,
    file: Annotated[Path, typer.Argument(exists=True, dir_okay=False, help="CSV (.csv) or JSON lines (.jsonl).")],
    provenance: Annotated[str, typer.Option(help="Where lines that do not say come from.")] = "",
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Import entries: good lines are kept, bad lines are listed. Exit code 1 if any line was refused."""
    with using(as_json=as_json) as system:
        form = bankfile.form_of(file.name)
        system.banks.get(name)
        with file.open("rb") as source, Progress(console=err, transient=True) as progress:
            task = progress.add_task(f"Reading {file.name}", total=file.stat().st_size)
            lines = _lines(source, lambda done: progress.update(task, advance=done))
            reading = bankfile.read(lines, form, default_provenance=provenance or f"import of {file.name}")
            progress.update(task, description=f"Adding {len(reading.items):,} entries")
            taken = system.banks.import_reading(name, reading, actor=actor())
    _say_import(taken, as_json=as_json)
    if taken.bad:
        raise typer.Exit(1)


@app.command()
def export(
    name: Name,
    file: Annotated[
        Path, typer.Argument(help="Where to write; .csv or .jsonl. '-' writes JSON lines to standard output.")
    ],
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Export every entry that was not removed. Such hashes are sensitive: the file is readable by you alone."""
    with using(as_json=as_json) as system:
        entries = system.banks.entries(name)
        if str(file) == "-":
            sys.stdout.writelines(bankfile.write(entries, bankfile.Form.JSONL))
            return
        form = bankfile.form_of(file.name)
        system.banks.get(name)
        _write_privately(file, bankfile.write(entries, form))
    _say(as_json, {"written": str(file)}, f"Wrote {file}.")


def _write_privately(file: Path, lines: Iterator[str]) -> None:
    """Write beside the place and rename, readable by this user alone. Raises InvalidRequest if it cannot be."""
    half = file.with_name(f".{file.name}.half")
    try:
        half.touch(mode=0o600)
        with half.open("w", encoding="utf-8") as target:
            target.writelines(lines)
        half.rename(file)
    except OSError as cause:
        half.unlink(missing_ok=True)
        message = f"{file}: {cause.strerror}"
        raise InvalidRequest(message) from cause


def _look_at(path: Path, system: Any) -> Any:  # noqa: ANN401  # System and Seen; imported lazily elsewhere
    if not path.is_file():
        message = f"{path}: no such file"
        raise InvalidRequest(message)
    with path.open("rb") as file:
        received = receive(iter(lambda: file.read(CHUNK), b""), system.settings.max_upload_bytes)
    if not isinstance(received, Upload) or not received.size:
        message = f"{path}: empty, or larger than HOLDFAST_MAX_UPLOAD_BYTES"
        raise InvalidRequest(message)
    with received:
        return look(received, system.decoder)


def _lines(source: IO[bytes], advance: Any) -> Iterator[str]:  # noqa: ANN401  # a callback
    for raw in source:
        advance(len(raw))
        try:
            yield raw.decode("utf-8-sig" if source.tell() == len(raw) else "utf-8")
        except UnicodeDecodeError as fault:
            message = "the file is not UTF-8 text"
            raise InvalidBankFile(message) from fault


def _say_import(taken: bankfile.Reading, *, as_json: bool) -> None:
    if as_json:
        say_json({"added": len(taken.items), "refused": [asdict(bad) for bad in taken.bad]})
        return
    out.print(f"Added {len(taken.items):,} entries; refused {len(taken.bad):,} lines.", highlight=False)
    if taken.bad:
        shown = taken.bad[:_MOST_BAD_LINES_SHOWN]
        rows = [[str(bad.number or ""), bad.code, bad.because] for bad in shown]
        table(f"Refused (first {len(shown)})", ["line", "code", "because"], rows)


def _say(as_json: bool, body: Any, words: str) -> None:  # noqa: ANN401, FBT001
    if as_json:
        say_json(body)
        return
    out.print(words, highlight=False, markup=False)

# SPDX-License-Identifier: Apache-2.0
"""`holdfast bank`: make banks, say what a match means, fill them, take entries out."""

from __future__ import annotations

from dataclasses import asdict
from pathlib import Path
from typing import Annotated, Any

import typer

from holdfast.cli import bank_files
from holdfast.cli.bank_files import Because, Name, say
from holdfast.cli.output import say_json, table
from holdfast.cli.session import AsJson, actor, using
from holdfast.errors import InvalidRequest
from holdfast.intake.upload import CHUNK, Upload, receive
from holdfast.match import bank as banks
from holdfast.match import entry as entries
from holdfast.match.look import look, signals_to_bank
from holdfast.match.signal import parse
from holdfast.match.video import USUAL, VideoRule

app = typer.Typer(help="Make banks, fill them, take entries out, import and export.", no_args_is_help=True)
Why = Annotated[str | None, typer.Option("--because", help="Why; needed where a second person must agree.")]
EntryId = Annotated[str, typer.Argument(help="The entry's id.")]


@app.command()
def create(  # noqa: PLR0913, PLR0917  # each is one fact about a bank
    name: Name,
    meaning: Annotated[str, typer.Option(help="What its entries are known to be.")],
    source: Annotated[str, typer.Option(help="Who says so.")],
    threshold: Annotated[int, typer.Option(help="Largest PDQ distance that counts, of 256.")] = banks.DEFAULT_THRESHOLD,
    action: Annotated[
        banks.Action | None, typer.Option(help="What a match leads to: hold, unless said. A benign bank has none.")
    ] = None,
    kind: Annotated[
        banks.BankKind, typer.Option(help="known: stop what is in it. benign: excuse what looks like it.")
    ] = banks.BankKind.KNOWN,
    exchange: Annotated[
        str | None, typer.Option(help="The exchange it mirrors, which alone changes its entries.")
    ] = None,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Make a bank."""
    command = banks.CreateBank(
        name=name,
        meaning=meaning,
        source=source,
        threshold=threshold,
        action=action,
        kind=kind,
        exchange=exchange,
    )
    with using(as_json=as_json) as system:
        made = system.banks.change_bank(name, command, actor=actor())
    say(asdict(made), f"Made the bank {made.name}.", as_json=as_json)


@app.command("list")
def list_banks(as_json: AsJson = False) -> None:  # noqa: FBT002
    """List the banks."""
    with using(as_json=as_json) as system:
        every = system.banks.all_banks()
    if as_json:
        say_json([{**asdict(summary.bank), "entries": summary.entries} for summary in every])
        return
    columns = ["bank", "entries", "action", "threshold", "state", "exchange", "meaning", "source"]
    rows = [
        [b.name, f"{s.entries:,}", b.action or b.kind, str(b.threshold), b.state, b.exchange or "", b.meaning, b.source]
        for s in every
        for b in [s.bank]
    ]
    table("Banks", columns, rows)


@app.command()
def disable(name: Name, because: Why = None, as_json: AsJson = False) -> None:  # noqa: FBT002
    """Take a whole bank out of screening."""
    _change(name, banks.DisableBank(), f"{name} no longer matches.", because=because, as_json=as_json)


@app.command()
def enable(name: Name, because: Why = None, as_json: AsJson = False) -> None:  # noqa: FBT002
    """Put a bank back into screening."""
    _change(name, banks.EnableBank(), f"{name} matches again.", because=because, as_json=as_json)


@app.command()
def threshold(
    name: Name,
    new: Annotated[int, typer.Argument(metavar="THRESHOLD", help="Largest PDQ distance that counts, of 256.")],
    because: Because,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Match more with a bank, or less."""
    command = banks.ChangeThreshold(threshold=new, because=because)
    _change(name, command, f"{name} matches up to a distance of {new}.", as_json=as_json)


@app.command()
def action(
    name: Name,
    new: Annotated[banks.Action, typer.Argument(metavar="ACTION", help="hold, review or ignore.")],
    because: Because,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Let a match with a bank lead to something else."""
    command = banks.ChangeAction(action=new, because=because)
    _change(name, command, f"A match with {name} leads to {new}.", as_json=as_json)


@app.command()
def video(  # each is one fact about the rule
    name: Name,
    because: Because,
    frames: Annotated[
        int, typer.Option(help="Frames that differ, in the known video's order; half of a shorter one.")
    ] = USUAL.least_frames,
    seconds: Annotated[
        float, typer.Option(help="Seconds of the known video that they cover; half of a shorter one.")
    ] = USUAL.least_seconds,
    query_percent: Annotated[
        float, typer.Option(help="vPDQ: so much of the upload's frames is enough too,")
    ] = USUAL.query_percent,
    compared_percent: Annotated[
        float, typer.Option(help="together with so much of the known video's.")
    ] = USUAL.compared_percent,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Ask for more, or less, of a known video before an upload counts as showing it; what is not said is as usual."""
    rule = VideoRule(
        least_frames=frames, least_seconds=seconds, query_percent=query_percent, compared_percent=compared_percent
    )
    words = f"{name} matches {frames} frames of a known video that cover {seconds:g} seconds."
    _change(name, banks.ChangeVideoRule(rule=rule, because=because), words, as_json=as_json)


@app.command()
def add(
    name: Name,
    files: Annotated[
        list[Path] | None, typer.Argument(help="Pictures and videos: their signals are kept, they are not.")
    ] = None,
    signal: Annotated[
        list[str] | None, typer.Option(help="A hash instead, as type:value; several make one entry.")
    ] = None,
    provenance: Annotated[str, typer.Option(help="Where the knowledge comes from.")] = "command line",
    exact_only: Annotated[bool, typer.Option(help="Take files without a usable look, by their digests alone.")] = False,  # noqa: FBT002
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Add known items: pictures, videos, or hashes. They match within a second."""
    with using(as_json=as_json, decoder=bool(files)) as system:
        items = [(signals_to_bank(_look_at(path, system), exact_only=exact_only), provenance) for path in files or ()]
        if signal:
            items.append((tuple(parse(*text.partition(":")[::2]) for text in signal), provenance))
        if not items:
            message = "name at least one picture or video, or a --signal type:value"
            raise InvalidRequest(message)
        added = system.banks.add_entries(name, items, actor=actor())
    body = [{"id": entry.id, "signal_types": list(dict.fromkeys(one.type for one in entry.signals))} for entry in added]
    words = "\n".join(f"{entry.id}  {_in_words(entry)}" for entry in added)
    say(body, words, as_json=as_json)


@app.command()
def remove(
    name: Name,
    entry: EntryId,
    because: Because,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Take an entry out for good."""
    _change_entry(name, entry, entries.RemoveEntry(because=because), f"Removed {entry}.", as_json=as_json)


@app.command()
def opinion(
    name: Name,
    entry: EntryId,
    given: Annotated[entries.Opinion, typer.Argument(metavar="OPINION", help="confirmed or disputed.")],
    because: Because,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Confirm or dispute an entry. While it is disputed, its matches lead to review at most."""
    command = entries.GiveOpinion(opinion=given, because=because)
    _change_entry(name, entry, command, f"{entry} is {given}.", as_json=as_json)


bank_files.add_to(app)


def _change(name: str, command: banks.BankCommand, words: str, *, as_json: bool, because: str | None = None) -> None:
    with using(as_json=as_json, because=because) as system:
        changed = system.banks.change_bank(name, command, actor=actor())
    say(asdict(changed), words, as_json=as_json)


def _change_entry(name: str, entry: str, command: entries.EntryCommand, words: str, *, as_json: bool) -> None:
    with using(as_json=as_json) as system:
        changed = system.banks.change_entry(name, entry, command, actor=actor())
    body = {"id": changed.id, "bank": name, "state": changed.state, "opinion": changed.opinion}
    say(body, words, as_json=as_json)


def _in_words(entry: entries.Entry) -> str:
    """What an entry holds: of a video, how many frames."""
    frames = sum(one.frame is not None for one in entry.signals)
    kinds = [one.type.value for one in entry.signals if one.frame is None]
    return ", ".join([*kinds, f"vpdq of {frames} frames"] if frames else kinds)


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

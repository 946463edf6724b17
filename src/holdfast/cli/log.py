# SPDX-License-Identifier: Apache-2.0
"""`holdfast log` and `holdfast verify`: what the log has signed, proofs from it, and checking them."""

from __future__ import annotations

from pathlib import Path
from typing import Annotated, Any, NoReturn

import typer

from holdfast.adapters.log_folder import LogFolder
from holdfast.adapters.timestamp import check_token
from holdfast.cli.output import err, errors_in_words, out, printable, say_json
from holdfast.cli.session import AsJson, using
from holdfast.errors import NotLoggedYet, ProofInvalid, UnreadableFile
from holdfast.log.checkpoint import parse_checkpoint
from holdfast.prove import grown_since, prove
from holdfast.settings import Settings
from holdfast.start import clock
from holdfast.verify import holdfast_verify

app = typer.Typer(
    help="The log that outsiders can check: its checkpoint, proofs from it, its keys.", no_args_is_help=True
)
Since = Annotated[Path | None, typer.Option(help="A checkpoint kept from earlier: show that the log only grew since.")]


@app.command()
def checkpoint(as_json: AsJson = False) -> None:  # noqa: FBT002
    """Print the newest signed checkpoint. Keep it: with it you can tell later whether anything was changed."""
    with errors_in_words(as_json=as_json):
        note = _folder().published()
        if note is None:
            raise NotLoggedYet
    if as_json:
        head = parse_checkpoint(note)
        say_json({"origin": head.origin, "size": head.size, "root": head.root.hex(), "note": note})
        return
    typer.echo(note, nl=False)


@app.command("key")
def show_key(as_json: AsJson = False) -> None:  # noqa: FBT002
    """Print the log's public key. Give it to whoever will check proofs, by another way than the proofs."""
    with errors_in_words(as_json=as_json):
        keys = _folder().identity().keys
    if as_json:
        say_json({"log": [str(key) for key in keys.log], "receipt": [str(key) for key in keys.receipt]})
        return
    typer.echo(str(keys.log[-1]))


@app.command("rotate-key")
def rotate_key(as_json: AsJson = False) -> None:  # noqa: FBT002
    """Make new keys, which old and new sign; the old private key is forgotten, its checkpoints stay good."""
    with errors_in_words(as_json=as_json):
        folder = _folder()
        with folder.alone():
            folder.rotate(clock())
    show_key(as_json=as_json)


@app.command("prove")
def prove_subject(
    subject: Annotated[str, typer.Argument(help="A screening's id, or a subject such as bank:NAME.")],
    since: Since = None,
) -> None:
    """Print the bundle (JSON) that proves all events of a subject; a receipt if no checkpoint covers them yet."""
    from django.db import connection  # noqa: PLC0415  # once Django is configured

    named = f"screening:{subject}" if subject.startswith("scr_") else subject
    with using(as_json=False) as system, connection.cursor() as cursor:
        kept = _read(since) if since else None
        say_json(prove(cursor, system.log_folder, named, now=clock(), since=kept))


@app.command()
def consistency(earlier: Annotated[Path, typer.Argument(help="A checkpoint that you kept.")]) -> None:
    """Print what shows (JSON) that the log begins with the entries of an earlier checkpoint, unchanged."""
    with errors_in_words():
        say_json(grown_since(_folder(), _read(earlier)))


def verify(
    file: Annotated[Path, typer.Argument(help="A receipt, bundle, consistency proof or checkpoint.")],
    key: Annotated[str | None, typer.Option(help="The log's key, as you know it from elsewhere.")] = None,
    earlier: Annotated[Path | None, typer.Option(help="A checkpoint that you kept.")] = None,
    timestamp_roots: Annotated[
        Path | None, typer.Option(help="Root certificates of the timestamp authority, PEM.")
    ] = None,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Check offline what the log handed out. Exit code 0: it proves what it says; 1: it does not; 2: unreadable."""
    with errors_in_words(as_json=as_json):
        text, kept = _read(file), _read(earlier) if earlier else None
        try:
            says = holdfast_verify.check(text, key, kept)
            says += _stamped(text, timestamp_roots)
        except (holdfast_verify.Refused, ProofInvalid) as fault:
            _refuse(str(fault), as_json=as_json)
        except (ValueError, KeyError, TypeError, IndexError, AttributeError) as fault:
            message = f"{file.name} has not the form of anything that a log hands out ({type(fault).__name__})"
            raise UnreadableFile(message) from fault
    if as_json:
        say_json({"proven": True, "says": says})
        return
    for sentence in says:
        out.print(printable(sentence), markup=False, highlight=False)
    out.print("[bold green]It proves what it says.[/]")


def _refuse(because: str, *, as_json: bool) -> NoReturn:
    if as_json:
        say_json({"proven": False, "because": because})
    else:
        err.print(f"[bold red]REFUSED[/] {printable(because)}", highlight=False)
        err.print("  Do not rely on it; keep it, and ask who gave it to you for the original.")
    raise typer.Exit(1)


def _stamped(text: str, roots: Path | None) -> list[str]:
    """What a bundle's timestamp shows, which needs more than the single-file verifier."""
    stamp: dict[str, Any] = holdfast_verify.read_object(text).get("timestamp") or {} if text.startswith("{") else {}
    if not stamp:
        return []
    if roots is None:
        return ["A timestamp is in it; --timestamp-roots with the authority's certificates checks it."]
    (token,) = holdfast_verify.hashes([stamp["token"]])
    at = check_token(token, stamp["old"].encode(), roots.read_bytes())
    size = parse_checkpoint(stamp["old"]).size
    return [f"A timestamp authority saw the checkpoint of {size} entries: they existed not later than {at:%F %T} UTC."]


def _folder() -> LogFolder:
    return LogFolder(Settings.from_environment().data / "log")


def _read(path: Path) -> str:
    try:
        return path.read_text(encoding="utf-8")
    except (OSError, UnicodeDecodeError) as cause:
        message = f"{path}: {getattr(cause, 'strerror', None) or 'not a text'}"
        raise UnreadableFile(message) from cause

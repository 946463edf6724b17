# SPDX-License-Identifier: Apache-2.0
"""`holdfast proofs`: for whoever checks what people show of themselves. Each look is recorded before it happens."""

from __future__ import annotations

import os
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import IO, TYPE_CHECKING, Annotated, Any

import typer

from holdfast.cli.output import out, say_json, table
from holdfast.cli.session import AsJson, actor, using
from holdfast.errors import InvalidRequest
from holdfast.intake.proof import Claim

if TYPE_CHECKING:
    from holdfast.store.proofs import ProofLine

app = typer.Typer(
    help="Look at what people show so that they are believed, and say what it shows.", no_args_is_help=True
)
ProofId = Annotated[str, typer.Argument(help="The proof's id, prf_...")]
_SHOWN = 200


@app.command("list")
def list_proofs(
    everything: Annotated[bool, typer.Option("--all", help="Those that were looked at too.")] = False,  # noqa: FBT002
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """List the proofs that nobody has looked at, the longest waiting first. Each is due within a day."""
    with using(as_json=as_json) as system:
        found = [_body(one) for one in system.desk.proofs.waiting(everything=everything, limit=_SHOWN)]
    if as_json:
        say_json(found)
    elif found:
        table("Proofs", list(found[0]), [[str(value) for value in one.values()] for one in found])
    else:
        out.print("Nothing waits.", highlight=False)


@app.command()
def show(
    proof: ProofId,
    into: Annotated[Path, typer.Option("--into", help="A file that is not there yet; only you can read it.")],
) -> None:
    """Write a proof into a file, to look at it. That you look is recorded. Delete the file as soon as you have."""
    with using(as_json=False) as system, _made_for_me(into) as file:
        shown = system.desk.proofs.view(proof, actor=actor())
        file.write(shown.content)
    out.print(f"{shown.media_type}, {len(shown.content):,} bytes, in {into}", highlight=False, soft_wrap=True)
    out.print("That you looked is recorded. Delete the file once you have.", highlight=False)


@app.command()
def verify(
    proof: ProofId,
    shows: Annotated[list[Claim], typer.Option("--shows", help="What it shows; more than once for several things.")],
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Say what a proof shows. The holds of its report then reach as far as a verified report's."""
    with using(as_json=as_json) as system:
        done = system.desk.proofs.verify(proof, frozenset(shows), actor=actor())
    _say(done, as_json=as_json)


@app.command()
def unclear(
    proof: ProofId,
    because: Annotated[str, typer.Option("--because", help="Why it cannot be told. Sealed.")],
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Say that it cannot be told what a proof shows. That counts neither for nor against whoever reported."""
    with using(as_json=as_json) as system:
        done = system.desk.proofs.find_unclear(proof, because, actor=actor())
    _say(done, as_json=as_json)


@contextmanager
def _made_for_me(path: Path) -> Iterator[IO[bytes]]:
    """A new file that nobody else reads; gone again if what was to be in it did not come. Raises InvalidRequest."""
    try:
        descriptor = os.open(path, os.O_WRONLY | os.O_CREAT | os.O_EXCL | os.O_NOFOLLOW, 0o600)
    except OSError as cause:
        message = f"--into: {cause.strerror}"
        raise InvalidRequest(message) from cause
    try:
        with os.fdopen(descriptor, "wb") as file:
            yield file
    except BaseException:
        path.unlink()
        raise


def _body(one: ProofLine) -> dict[str, Any]:
    return {
        "proof": one.id,
        "report": one.reference,
        "state": one.state.value,
        "says": ", ".join(one.says),
        "verified": ", ".join(one.verified),
        "looked at": one.views,
        "received": one.received_at.isoformat(timespec="seconds"),
    }


def _say(done: ProofLine, *, as_json: bool) -> None:
    if as_json:
        say_json(_body(done))
    else:
        out.print(f"{done.id} of report {done.reference}: {done.state.value}", highlight=False)

# SPDX-License-Identifier: Apache-2.0
"""`holdfast backup` and `holdfast restore`."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path
from typing import Annotated

import typer
from rich.progress import BarColumn, DownloadColumn, Progress, TextColumn, TimeElapsedColumn

from holdfast.adapters.backup_folder import BackupFolder
from holdfast.backup import Progress as Told
from holdfast.backup import back_up, bring_back, owning
from holdfast.bootstrap import prepare_tables
from holdfast.cli.output import err, errors_in_words, out, say_json
from holdfast.cli.session import AsJson
from holdfast.settings import Settings

Folder = Annotated[Path, typer.Argument(help="The folder.")]


def backup(
    folder: Folder,
    to: Annotated[
        str | None,
        typer.Option(help="An age recipient ('age1...'): put keyring and log keys in too, encrypted to it alone."),
    ] = None,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Write everything in the database to an empty folder, while everything goes on."""
    with errors_in_words(as_json=as_json), owning(Settings.from_environment()) as system, _shown() as progress:
        prepare_tables(system.settings.model_copy(update={"database_owner_url": None}))  # as they are, or not at all
        manifest = back_up(system, BackupFolder(folder), to=to, progress=progress)
    if as_json:
        say_json(manifest)
        return
    rows = sum(manifest["facts"]["tables"].values())
    size = sum(one["bytes"] for one in manifest["files"].values())
    out.print(f"{rows:,} rows in {size:,} bytes in {folder}. Not in it:", highlight=False)
    for sentence in manifest["not_here"]:
        out.print(f"  {sentence}", highlight=False)


def restore(
    folder: Folder,
    identity: Annotated[
        Path | None, typer.Option(help="The age identity file that opens the keys in the backup.")
    ] = None,
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Put a backup into an empty database and compare. Nothing is ever overwritten."""
    with errors_in_words(as_json=as_json), owning(Settings.from_environment()) as system, _shown() as progress:
        done = bring_back(system, BackupFolder(folder), identity=identity, progress=progress)
        keyring = system.keyrings.path
    if as_json:
        facts = done.manifest["facts"]
        say_json(
            {
                "facts": facts,
                "keyring": done.keyring,
                "log": done.log,
                "log_keys": done.log_keys,
                "erased_again": list(done.erased_again),
            }
        )
        return
    rows = sum(done.manifest["facts"]["tables"].values())
    out.print(f"{rows:,} rows and the journal are as they were on {done.manifest['made_at']}.", highlight=False)
    if not done.keyring:
        out.print(f"[bold]Nothing sealed opens yet:[/] put the keyring of that day at {keyring}.", highlight=False)
    if done.log is not None:
        out.print(f"All {done.log:,} entries that the log had signed are here.", highlight=False)
    if not done.log_keys:
        folder = system.log_folder.path
        out.print(
            f"[bold]Nothing signs the log yet:[/] docs/backup.md says what to put into {folder}.", highlight=False
        )
    if done.erased_again:
        out.print(f"Erased again, as two people had decided: {', '.join(done.erased_again)}", highlight=False)


@contextmanager
def _shown() -> Iterator[Told]:
    """A bar for each step."""
    columns = (TextColumn("{task.description}"), BarColumn(), DownloadColumn(), TimeElapsedColumn())
    tasks = {}
    with Progress(*columns, console=err) as bars:

        def told(what: str, done: int, of: int | None) -> None:
            if what not in tasks:
                tasks[what] = bars.add_task(what, total=of)
            bars.update(tasks[what], completed=done, total=of)

        yield told

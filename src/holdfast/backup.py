# SPDX-License-Identifier: Apache-2.0
"""Back up to a folder, and restore from one onto an empty database: one command each.

A backup is one moment of the database. The keys that open what is sealed in it are not in the folder,
unless they are encrypted to a recipient whose identity is kept elsewhere: whoever finds a folder with both
has everything. A restore is done only when the database holds again what the manifest says.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import holdfast
from holdfast import bootstrap
from holdfast.adapters.backup_folder import DUMP, KEYRING, BackupFolder, Written, read_recipient
from holdfast.adapters.dump import dump, restore
from holdfast.bootstrap import System
from holdfast.errors import BackupUnusable, SealingKeyMissing, TargetNotEmpty
from holdfast.settings import Settings

Progress = Callable[[str, int, int | None], None]
"""Told what is done, how many bytes of it, and of how many if that is known."""
_NOT_HERE: Final = (
    "The keyring, which alone opens what is sealed: keep a copy of it elsewhere.",
    "The list of erasures beside the keyring: keep it with the keyring, so that who was erased stays erased.",
    "The index: it is built anew.",
    "Settings, and whatever else is in the environment.",
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Restored:
    """What a restore came to."""

    manifest: dict[str, Any]
    keyring: bool
    """Whether the keys that open what is sealed are here."""
    erased_again: tuple[str, ...] = ()


@contextmanager
def owning(settings: Settings) -> Iterator[System]:
    """A wired system whose database is reached as its owner too: a running one, or one started here."""
    if settings.database_url:
        yield bootstrap.wire(settings)
        return
    with bootstrap.embedded(settings) as server:
        urls = server.attach() or server.start(wait_seconds=0.0)
        yield bootstrap.wire(bootstrap.with_urls(settings, urls))


def back_up(system: System, folder: BackupFolder, *, to: str | None, progress: Progress) -> dict[str, Any]:
    """Write a backup and return its manifest; with `to`, the keyring too, encrypted to that age recipient.

    Raises TargetNotEmpty, InvalidRequest, DatabaseUnavailable, or SealingKeyMissing if the keyring cannot be added.
    """
    from holdfast.store.facts import facts, one_moment, server_major  # noqa: PLC0415  # needs configured Django

    if to is not None:
        read_recipient(to)
    folder.begin()
    url = system.settings.database_owner_url or system.settings.database_url
    assert url is not None
    with one_moment() as snapshot:
        keyring = _keyring_of(system) if to is not None else b""
        told, major = facts(), server_major()
        if to is not None:
            _require_keys(system, told.sealing_keys)
        files = {DUMP: folder.write(DUMP, dump(url, snapshot, major), lambda size: progress("database", size, None))}
    if to is not None:
        files[KEYRING] = folder.keep_keyring(keyring, to)
    manifest = {
        "made_at": bootstrap.clock().isoformat(),
        "holdfast": holdfast.__version__,
        "postgresql": major,
        "facts": asdict(told),
        "files": {name: asdict(written) for name, written in files.items()},
        "not_here": list(_NOT_HERE[0 if to is None else 1 :]),
    }
    folder.finish(manifest)
    return manifest


def bring_back(system: System, folder: BackupFolder, *, identity: Path | None, progress: Progress) -> Restored:
    """Restore onto an empty database, bring its tables up to date, and compare with the manifest.

    Raises TargetNotEmpty, and BackupUnusable if the folder is not whole or not all of it came back.
    """
    from holdfast.store.facts import is_empty, server_major  # noqa: PLC0415  # needs configured Django

    manifest = folder.manifest()
    files = {name: Written(**facts) for name, facts in manifest["files"].items()}
    folder.check(lambda size: progress("check", size, sum(one.bytes for one in files.values())))
    url = system.settings.database_owner_url or system.settings.database_url
    assert url is not None
    if not is_empty():
        raise TargetNotEmpty("the database has tables in it")
    if identity is not None:
        _put_keyring_back(system, folder.keyring(identity))
    pieces = _counted(folder.read(DUMP), lambda size: progress("restore", size, files[DUMP].bytes))
    restore(url, pieces, max(server_major(), int(manifest["postgresql"])))
    bootstrap.prepare_tables(system.settings)
    _compare(manifest)
    return _with_keys(system, manifest)


def _with_keys(system: System, manifest: dict[str, Any]) -> Restored:
    """What is to be erased again is, if the keys are here to write down that it was."""
    try:
        _require_keys(system, tuple(manifest["facts"]["sealing_keys"]))
    except SealingKeyMissing:
        return Restored(manifest=manifest, keyring=False)
    return Restored(manifest=manifest, keyring=True, erased_again=tuple(system.sealed.repeat_erasures()))


def _compare(manifest: dict[str, Any]) -> None:
    """Raise BackupUnusable unless the database holds what the manifest says."""
    from holdfast.store.facts import facts, one_moment  # noqa: PLC0415  # needs configured Django

    with one_moment():
        now = asdict(facts())
    before = manifest["facts"]
    different = [name for name, count in before["tables"].items() if now["tables"].get(name) != count]
    if different or now["journal"] != before["journal"]:
        message = f"what came back is not what was there: {', '.join(different) or 'the journal'}"
        raise BackupUnusable(message)


def _keyring_of(system: System) -> bytes:
    """The keyring as it lies on disk. Raises SealingKeyMissing."""
    system.keyrings.read()
    return system.keyrings.path.read_bytes()


def _require_keys(system: System, wanted: tuple[str, ...]) -> None:
    """Raise SealingKeyMissing unless these keys are in the keyring."""
    keyring = system.keyrings.read()
    for kek_id in wanted:
        keyring.get(kek_id)


def _put_keyring_back(system: System, keyring: bytes) -> None:
    """Raise TargetNotEmpty if another keyring is there."""
    path = system.keyrings.path
    if path.exists() and path.read_bytes() != keyring:
        message = f"{path}: another keyring is there"
        raise TargetNotEmpty(message)
    system.keyrings.put_back(keyring)


def _counted(pieces: Iterator[bytes], progress: Callable[[int], None]) -> Iterator[bytes]:
    done = 0
    for piece in pieces:
        yield piece
        done += len(piece)
        progress(done)

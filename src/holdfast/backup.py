# SPDX-License-Identifier: Apache-2.0
"""Back up to a folder, and restore from one onto an empty database: one command each.

A backup is one moment of the database, and of the log that is signed over it. The keys, which open what is
sealed and sign the log, are not in the folder unless they are encrypted to a recipient whose identity is kept
elsewhere: whoever finds a folder with both has everything. A restore is done only when the database holds
again what the manifest says, and the tree that the log signed last.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Mapping
from contextlib import ExitStack, contextmanager
from dataclasses import asdict, dataclass
from pathlib import Path
from typing import Any, Final

import psycopg

import holdfast
from holdfast import bootstrap, start
from holdfast.adapters.backup_folder import DUMP, KEYRING, LOG, LOG_KEYS, BackupFolder, Written, read_recipient
from holdfast.adapters.dump import dump, restore
from holdfast.adapters.log_copy import LogCopy, copied, put_back, read_copy
from holdfast.bootstrap import System
from holdfast.errors import BackupUnusable, SealingKeyMissing, TargetNotEmpty
from holdfast.publish import Publisher
from holdfast.settings import Settings

Progress = Callable[[str, int, int | None], None]
"""Told what is done, how many bytes of it, and of how many if that is known."""
_KEYRING_NOT_HERE: Final = "The keyring, which alone opens what is sealed: keep a copy of it elsewhere."
_LOG_KEYS_NOT_HERE: Final = "The keys that sign the log: keep a copy of log.key and receipt.key elsewhere."
_LOG_NOT_HERE: Final = "The log's keys and the head that it signed last: back up where the worker signs it."
_NOT_HERE: Final = (
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
    log: int | None
    """How many entries the log had signed, which are all here again; None if no log was in the backup."""
    log_keys: bool
    """Whether the keys that sign the log are here."""
    erased_again: tuple[str, ...] = ()


@contextmanager
def owning(settings: Settings) -> Iterator[System]:
    """A wired system whose database is reached as its owner too: a running one, or one started here."""
    if settings.database_url:
        yield bootstrap.wire(settings)
        return
    with start.embedded(settings) as server:
        urls = server.attach() or server.start(wait_seconds=0.0)
        yield bootstrap.wire(start.with_urls(settings, urls))


def back_up(system: System, folder: BackupFolder, *, to: str | None, progress: Progress) -> dict[str, Any]:
    """Write a backup and return its manifest; with `to`, keyring and the log's keys too, for that age recipient.

    Raises TargetNotEmpty, InvalidRequest, DatabaseUnavailable, or SealingKeyMissing if the keyring cannot be added.
    """
    from holdfast.store.facts import facts, server_major  # noqa: PLC0415  # needs configured Django

    if to is not None:
        read_recipient(to)
    folder.begin()
    url = system.settings.database_owner_url or system.settings.database_url
    assert url is not None
    with _moment_of(system) as (snapshot, log):
        keyring = _keyring_of(system) if to is not None else b""
        told, major = facts(), server_major()
        if to is not None:
            _require_keys(system, told.sealing_keys)
        files = {DUMP: folder.write(DUMP, dump(url, snapshot, major), lambda size: progress("database", size, None))}
    if log is not None:
        files[LOG] = folder.write(LOG, [log.public()])
    if to is not None:
        files |= _kept_secret(folder, keyring, log, to)
    manifest = {
        "made_at": start.clock().isoformat(),
        "holdfast": holdfast.__version__,
        "postgresql": major,
        "facts": asdict(told),
        "files": {name: asdict(written) for name, written in files.items()},
        "not_here": [*_missing(log, to), *_NOT_HERE],
    }
    folder.finish(manifest)
    return manifest


@contextmanager
def _moment_of(system: System) -> Iterator[tuple[str, LogCopy | None]]:
    """One moment of the database, and the log as it is signed at that moment; None if another machine signs it."""
    from holdfast.store.facts import one_moment  # noqa: PLC0415  # needs configured Django

    with ExitStack() as stack:
        if not system.log_folder.exists():
            yield stack.enter_context(one_moment()), None
            return
        with system.log_folder.alone():  # nobody signs between the one and the other
            snapshot, log = stack.enter_context(one_moment()), copied(system.log_folder)
        yield snapshot, log


def _kept_secret(folder: BackupFolder, keyring: bytes, log: LogCopy | None, to: str) -> dict[str, Written]:
    files = {KEYRING: folder.write_secret(KEYRING, keyring, to)}
    if log is not None:
        files[LOG_KEYS] = folder.write_secret(LOG_KEYS, log.secret(), to)
    return files


def _missing(log: LogCopy | None, to: str | None) -> Iterator[str]:
    """What could be in the folder and is not, in words."""
    if to is None:
        yield _KEYRING_NOT_HERE
    if log is None:
        yield _LOG_NOT_HERE
    elif to is None:
        yield _LOG_KEYS_NOT_HERE


def bring_back(system: System, folder: BackupFolder, *, identity: Path | None, progress: Progress) -> Restored:
    """Restore onto an empty database, bring its tables up to date, and compare with the manifest and the log.

    Raises TargetNotEmpty, BackupUnusable if the folder is not whole or not all of it came back, and LogDiverged if
    what came back is not what the log signed.
    """
    from holdfast.store.facts import is_empty, server_major  # noqa: PLC0415  # needs configured Django

    manifest = folder.manifest()
    files = {name: Written(**facts) for name, facts in manifest["files"].items()}
    folder.check(lambda size: progress("check", size, sum(one.bytes for one in files.values())))
    url = system.settings.database_owner_url or system.settings.database_url
    assert url is not None
    if not is_empty():
        raise TargetNotEmpty("the database has tables in it")
    log = _log_in(folder, files, identity)
    if log is not None and system.log_folder.exists():
        raise TargetNotEmpty(str(system.log_folder.path))
    if identity is not None:
        _put_keyring_back(system, folder.secret(KEYRING, identity))
    pieces = _counted(folder.read(DUMP), lambda size: progress("restore", size, files[DUMP].bytes))
    restore(url, pieces, max(server_major(), int(manifest["postgresql"])))
    bootstrap.prepare_tables(system.settings)
    _compare(manifest)
    signed = _bring_log_back(system, log)
    keyring = _has_keys(system, manifest)
    return Restored(
        manifest=manifest,
        keyring=keyring,
        log=signed,
        log_keys=log is not None and bool(log.private),
        erased_again=tuple(system.sealed.repeat_erasures()) if keyring else (),
    )


def _log_in(folder: BackupFolder, files: Mapping[str, Written], identity: Path | None) -> LogCopy | None:
    """The log in a backup, with its private keys if they are there and `identity` opens them."""
    if LOG not in files:
        return None
    secret = folder.secret(LOG_KEYS, identity) if identity is not None and LOG_KEYS in files else None
    return read_copy(b"".join(folder.read(LOG)), secret)


def _bring_log_back(system: System, log: LogCopy | None) -> int | None:
    """Put the log back, and compare the database with the head that was signed last. Raises LogDiverged."""
    url = system.settings.database_url
    assert url is not None
    if log is None:
        return None
    put_back(system.log_folder, log)
    with psycopg.connect(url, autocommit=True) as connection:
        signed = Publisher(connection, system.log_folder, start.clock).rebuild()
    return signed.size if signed else 0


def _has_keys(system: System, manifest: dict[str, Any]) -> bool:
    """Whether what is sealed can be opened, and with it what is to be erased again written down."""
    try:
        _require_keys(system, tuple(manifest["facts"]["sealing_keys"]))
    except SealingKeyMissing:
        return False
    return True


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

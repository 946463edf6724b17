# SPDX-License-Identifier: Apache-2.0
"""System accounts of our own, one per job, so that a job that is taken over has only its own rights.

Only root can have them. An ordinary user runs everything under one uid, and `doctor` says so.
"""

from __future__ import annotations

import os
import pwd
import subprocess
from dataclasses import dataclass
from pathlib import Path

from holdfast.errors import DataUnreachable

DATABASE = "holdfast-db"
DECODER = "holdfast-decode"


@dataclass(frozen=True, slots=True)
class Account:
    """A uid and its gid."""

    uid: int
    gid: int


def own_account(name: str) -> Account | None:
    """The account `name`, made if it is missing; None for whoever is not root."""
    if os.geteuid() != 0:
        return None
    try:
        found = pwd.getpwnam(name)
    except KeyError:
        _create(name)
        found = pwd.getpwnam(name)
    return Account(found.pw_uid, found.pw_gid)


def account_name(uid: int) -> str:
    """The name of an account of this machine, by its number: what the environment says of a user is his own word."""
    try:
        return pwd.getpwuid(uid).pw_name
    except KeyError:
        return f"uid-{uid}"


def _create(name: str) -> None:
    home = ["--no-create-home", "--home-dir", "/nonexistent", "--shell", "/usr/sbin/nologin"]
    command = ["/usr/sbin/useradd", "--system", "--user-group", *home, name]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    if done.returncode not in (0, 9):  # 9: another process made it just now
        message = f"the system account {name} cannot be made: {done.stderr.strip()}"
        raise DataUnreachable(message)


def require_reachable(folder: Path, account: Account | None) -> None:
    """Raise DataUnreachable if `account` cannot pass through every parent of `folder`."""
    if account is None:
        return
    for parent in [*reversed(folder.resolve().parents)]:
        facts = parent.stat()
        if not facts.st_mode & 0o001 and facts.st_uid != account.uid:
            message = f"the database's own user cannot pass through {parent} to reach {folder}"
            raise DataUnreachable(message)

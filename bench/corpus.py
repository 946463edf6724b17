# SPDX-License-Identifier: Apache-2.0
"""The pictures: every large opaque one of two named Debian packages, at three sizes.

Promises the same pictures on every machine: the packages are named with their versions and fetched
with apt (which checks their signatures), unpacked and never installed; the choice is a rule, not a
selection; what is derived is cached under a key of everything it depends on. The cache is
~/.cache/holdfast-bench, or the folder that BENCH_CACHE names.
"""

from __future__ import annotations

import hashlib
import os
import subprocess
import tempfile
from dataclasses import dataclass
from pathlib import Path
from typing import Final

from PIL import Image

from bench.derive import SIZES, Size, derive, recipe
from bench.errors import BenchError
from bench.report import tell
from bench.row import Value


@dataclass(frozen=True, slots=True)
class Package:
    """A Debian package at one version."""

    name: str
    version: str


@dataclass(frozen=True, slots=True)
class Picture:
    """One derived picture: its name in the corpus, its JPEG bytes, and its pixels."""

    name: str
    jpeg: bytes
    pixels: int


PACKAGES: Final = (Package("mate-backgrounds", "1.26.0-1"), Package("plasma-workspace-wallpapers", "4:5.27.5-2"))
LEAST_SOURCE_PIXELS: Final = 4_000_000
OPAQUE_MODES: Final = frozenset({"RGB", "L"})
PICTURE_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp"})


def cache_dir() -> Path:
    """Where fetched packages and derived pictures are kept; made if need be."""
    chosen = os.environ.get("BENCH_CACHE")
    folder = Path(chosen) if chosen else Path.home() / ".cache" / "holdfast-bench"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def pictures(size: Size) -> list[Picture]:
    """Every picture of the corpus at one size, fetched and derived if that was not done before."""
    key = hashlib.sha256(f"{recipe()} {PACKAGES} {LEAST_SOURCE_PIXELS}".encode()).hexdigest()[:16]
    folder = cache_dir() / "derived" / key
    if not (folder / "complete").exists():
        _derive_all(folder)
    return [_picture(path) for path in sorted((folder / size.name).glob("*.jpg"))]


def describe(chosen: list[Picture]) -> dict[str, Value]:
    """The corpus in words and numbers, for a row's detail."""
    size, pixels = sum(len(picture.jpeg) for picture in chosen), sum(picture.pixels for picture in chosen)
    return {
        "corpus": " and ".join(f"{package.name} {package.version}" for package in PACKAGES) + " (Debian)",
        "choice": f"every opaque picture of at least {LEAST_SOURCE_PIXELS} pixels",
        "derived": recipe(),
        "pictures": len(chosen),
        "mean_bytes": round(size / len(chosen)),
        "bytes_per_pixel": round(size / pixels, 4),
    }


def _picture(path: Path) -> Picture:
    with Image.open(path) as image:
        return Picture(path.stem, path.read_bytes(), image.width * image.height)


def _derive_all(folder: Path) -> None:
    for package in PACKAGES:
        unpacked = _fetched(package)
        for source in sorted(unpacked.rglob("*")):
            if source.suffix.lower() in PICTURE_SUFFIXES and source.is_file() and not source.is_symlink():
                _derive_one(source, _name_of(source.relative_to(unpacked)), folder)
    (folder / "complete").touch()


def _derive_one(source: Path, name: str, folder: Path) -> None:
    with Image.open(source) as image:
        if image.mode not in OPAQUE_MODES or image.width * image.height < LEAST_SOURCE_PIXELS:
            return
        tell(f"deriving {name}")
        for size in SIZES:
            target = folder / size.name / f"{name}.jpg"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(derive(image, name, size))


def _name_of(path: Path) -> str:
    """A short unique name: the folders that tell pictures apart, without those every picture lies in."""
    dull = {"usr", "share", "wallpapers", "backgrounds", "contents", "images"}
    return "-".join(part for part in path.with_suffix("").parts if part not in dull)


def _fetched(package: Package) -> Path:
    """The folder of a package's files, downloaded and unpacked on first use."""
    folder = cache_dir() / "packages" / f"{package.name}_{package.version}"
    if not folder.is_dir():
        folder.parent.mkdir(exist_ok=True)
        tell(f"fetching {package.name} {package.version}")
        with tempfile.TemporaryDirectory(dir=folder.parent) as work:
            _run(["apt-get", "download", f"{package.name}={package.version}"], Path(work))
            (archive,) = Path(work).glob("*.deb")
            _run(["dpkg-deb", "-x", archive.name, "files"], Path(work))
            (Path(work) / "files").rename(folder)
    return folder


def _run(command: list[str], folder: Path) -> None:
    try:
        subprocess.run(command, cwd=folder, check=True, capture_output=True, text=True)
    except FileNotFoundError as fault:
        message = f"{command[0]} is missing: the corpus is fetched with Debian's tools"
        raise BenchError(message) from fault
    except subprocess.CalledProcessError as fault:
        last = (fault.stderr.strip().splitlines() or ["no reason given"])[-1]
        message = f"'{' '.join(command)}' failed: {last} (are the package lists fresh?)"
        raise BenchError(message) from fault

# SPDX-License-Identifier: Apache-2.0
"""The pictures: every large opaque artwork of two named Debian packages, at three sizes.

Promises the same pictures on every machine: the packages are named with their versions and fetched
with apt (which checks their signatures), unpacked and never installed; the choice is a rule, not a
selection; what is derived is cached under a key of everything it depends on. The cache is
~/.cache/holdfast-bench, or the folder that BENCH_CACHE names.
"""

from __future__ import annotations

import hashlib
import os
import re
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
CHOICE: Final = f"every opaque picture of at least {LEAST_SOURCE_PIXELS} pixels, each artwork once at its largest"
DULL_FOLDERS: Final = frozenset({"usr", "share", "wallpapers", "backgrounds", "contents", "images"})
SIDES_AT_END: Final = re.compile(r"[-_]?\d+x\d+$")
PICTURE_SUFFIXES: Final = frozenset({".jpg", ".jpeg", ".png", ".webp"})


def cache_dir() -> Path:
    """Where fetched packages and derived pictures are kept; made if need be."""
    chosen = os.environ.get("BENCH_CACHE")
    folder = Path(chosen) if chosen else Path.home() / ".cache" / "holdfast-bench"
    folder.mkdir(parents=True, exist_ok=True)
    return folder


def pictures(size: Size) -> list[Picture]:
    """Every picture of the corpus at one size, fetched and derived if that was not done before."""
    key = hashlib.sha256(f"{recipe()} {PACKAGES} {CHOICE}".encode()).hexdigest()[:16]
    folder = cache_dir() / "derived" / key
    if not (folder / "complete").exists():
        _derive_all(folder)
    return [_picture(path) for path in sorted((folder / size.name).glob("*.jpg"))]


def origin() -> dict[str, Value]:
    """Where the pictures come from and what was done to them, for a row's detail."""
    packages = " and ".join(f"{package.name} {package.version}" for package in PACKAGES)
    return {"corpus": f"{packages} (Debian)", "choice": CHOICE, "derived": recipe()}


def measures(chosen: list[Picture]) -> dict[str, Value]:
    """How many pictures there are and how large, for a row's detail."""
    size, pixels = sum(len(picture.jpeg) for picture in chosen), sum(picture.pixels for picture in chosen)
    return {
        "pictures": len(chosen),
        "mean_bytes": round(size / len(chosen)),
        "bytes_per_pixel": round(size / pixels, 4),
    }


def chosen_from(unpacked: Path) -> dict[str, Path]:
    """The pictures of a package that belong to the corpus, by name; of one artwork the largest file."""
    largest: dict[str, tuple[int, Path]] = {}
    for source in sorted(unpacked.rglob("*")):
        name, found = _name_of(source.relative_to(unpacked)), (_opaque_pixels(source), source)
        if found[0] >= LEAST_SOURCE_PIXELS:
            largest[name] = max(found, largest.get(name, found))
    return {name: source for name, (_, source) in largest.items()}


def fetched(package: Package) -> Path:
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


def _picture(path: Path) -> Picture:
    with Image.open(path) as image:
        return Picture(path.stem, path.read_bytes(), image.width * image.height)


def _derive_all(folder: Path) -> None:
    for package in PACKAGES:
        for name, source in chosen_from(fetched(package)).items():
            _derive_one(source, name, folder)
    (folder / "complete").touch()


def _opaque_pixels(source: Path) -> int:
    """How many pixels a picture has; none if it is no picture, a link to one, or may be transparent."""
    if source.suffix.lower() not in PICTURE_SUFFIXES or source.is_symlink():
        return 0
    with Image.open(source) as image:
        return image.width * image.height if image.mode in OPAQUE_MODES else 0


def _derive_one(source: Path, name: str, folder: Path) -> None:
    tell(f"deriving {name}")
    with Image.open(source) as image:
        for size in SIZES:
            target = folder / size.name / f"{name}.jpg"
            target.parent.mkdir(parents=True, exist_ok=True)
            target.write_bytes(derive(image, name, size))


def _name_of(path: Path) -> str:
    """What an artwork is called: its folders, without those every picture lies in and without its sides."""
    telling = [part for part in path.with_suffix("").parts if part not in DULL_FOLDERS]
    return SIDES_AT_END.sub("", "-".join(telling))


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

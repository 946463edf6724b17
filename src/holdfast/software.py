# SPDX-License-Identifier: Apache-2.0
"""Which program is in force, so that whatever is signed or decided can say so."""

from __future__ import annotations

import hashlib
import sys
from functools import cache
from pathlib import Path

import holdfast


@cache
def software() -> dict[str, str]:
    """Its version, and SHA-256 over its source files in order of their names."""
    package = Path(holdfast.__file__).parent
    digest = hashlib.sha256()
    for path in sorted(package.rglob("*.py")):
        digest.update(f"{path.relative_to(package)}\n".encode() + hashlib.sha256(path.read_bytes()).digest())
    return {"holdfast": holdfast.__version__, "source": digest.hexdigest(), "python": sys.version.split()[0]}

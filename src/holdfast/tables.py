# SPDX-License-Identifier: Apache-2.0
"""Bring the tables up to date in a process of its own, for `serve`."""

from __future__ import annotations

import sys

from holdfast.bootstrap import prepare_keys, prepare_tables, wire
from holdfast.errors import HoldfastError
from holdfast.settings import Settings


def main() -> None:
    """Migrate, or end with the reason in words."""
    try:
        settings = Settings.from_environment()
        system = wire(settings)
        prepare_tables(settings)
        prepare_keys(system)
    except HoldfastError as fault:
        sys.exit(f"holdfast: {fault} ({fault.stable_code}) {fault.advice}")


if __name__ == "__main__":
    main()

# SPDX-License-Identifier: Apache-2.0
"""Bring the tables up to date and record the settings of this start, in a process of its own, for `serve`."""

from __future__ import annotations

import os
import sys

import structlog

from holdfast.adapters.accounts import account_name
from holdfast.bootstrap import prepare_keys, prepare_tables, wire
from holdfast.errors import HoldfastError
from holdfast.observe import configure_logging
from holdfast.settings import Settings

_log = structlog.get_logger("serve")


def main() -> None:
    """Migrate and record, or end with the reason in words."""
    configure_logging()
    try:
        settings = Settings.from_environment()
        system = wire(settings)
        prepare_tables(settings)
        prepare_keys(system)
        weakened = system.safety.record(settings, actor=f"cli:{account_name(os.getuid())}")
        if weakened:
            what_to_do = "set it right, or accept it with two people: 'holdfast settings accept'"
            _log.error("settings_weakened", settings=list(weakened), what_to_do=what_to_do)
    except HoldfastError as fault:
        sys.exit(f"holdfast: {fault} ({fault.stable_code}) {fault.advice}")


if __name__ == "__main__":
    main()

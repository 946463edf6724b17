# SPDX-License-Identifier: Apache-2.0
"""What most commands begin with: settings, a running system, errors in words, and who is asking."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated

import typer

from holdfast.adapters.accounts import account_name
from holdfast.bootstrap import System, running
from holdfast.cli.output import errors_in_words
from holdfast.observe import configure_logging
from holdfast.settings import Settings

AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]


@contextmanager
def using(*, as_json: bool, decoder: bool = False) -> Iterator[System]:
    """A wired system for the length of one command."""
    configure_logging(logging.CRITICAL)  # what goes wrong is told in words
    with errors_in_words(as_json=as_json), running(Settings.from_environment(), decoder=decoder) as system:
        yield system


def actor() -> str:
    """Who uses the command line, for the journal."""
    return f"cli:{account_name(os.getuid())}"

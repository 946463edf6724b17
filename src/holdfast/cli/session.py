# SPDX-License-Identifier: Apache-2.0
"""What most commands begin with: settings, a running system, errors in words, and who is asking."""

from __future__ import annotations

import logging
import os
from collections.abc import Iterator
from contextlib import contextmanager
from typing import Annotated, Final

import typer

from holdfast.access.person import Who, person_named
from holdfast.access.proposal import Proposal
from holdfast.access.two_people import Wanted
from holdfast.adapters.accounts import account_name
from holdfast.bootstrap import System, running
from holdfast.cli.output import errors_in_words, out, say_json
from holdfast.errors import InvalidName, SecondPersonNeeded
from holdfast.observe import configure_logging
from holdfast.settings import Settings

ASKED: Final = 6
"""The exit code of a command that waits for a second person."""
AsJson = Annotated[bool, typer.Option("--json", help="Print one JSON document instead of text.")]


@contextmanager
def using(*, as_json: bool, decoder: bool = False, because: str | None = None) -> Iterator[System]:
    """A wired system for the length of one command. What takes two is asked for, and ends the command saying so."""
    configure_logging(logging.CRITICAL)  # what goes wrong is told in words
    with errors_in_words(as_json=as_json), running(Settings.from_environment(), decoder=decoder) as system:
        try:
            yield system
        except SecondPersonNeeded as needed:
            say_asked(ask(system, needed, because), as_json=as_json)
            raise typer.Exit(ASKED) from None


def ask(system: System, needed: SecondPersonNeeded, because: str | None = None) -> Proposal:
    """Ask for what takes two. Raises PersonMissing, or InvalidRequest if nobody said why."""
    assert isinstance(needed.wanted, Wanted)
    return system.proposals.ask(needed.wanted, who(), because=because)


def say_asked(asked: Proposal, *, as_json: bool) -> None:
    """Tell that it waits, and what the other person does."""
    if as_json:
        say_json({"proposal": asked.id, "state": asked.state, "needs": "a second person"})
        return
    out.print("This weakens protection, so it waits for a second person. Nothing was changed.", highlight=False)
    out.print(f"The other person runs:  holdfast proposals agree {asked.id}", highlight=False, soft_wrap=True)


def actor() -> str:
    """Who uses the command line, for the journal."""
    return f"cli:{account_name(os.getuid())}"


def who() -> Who:
    """The same, and the person: the account of this process."""
    try:
        person = person_named(account_name(os.getuid()))
    except InvalidName:
        person = None
    return Who(actor(), person)

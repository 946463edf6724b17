# SPDX-License-Identifier: Apache-2.0
"""`holdfast doctor`: what works, what is weaker than it could be, what is wrong, and what to do about it."""

from __future__ import annotations

from dataclasses import asdict

import typer
from rich.text import Text

from holdfast.bootstrap import database, decoding, prepare_keys, prepare_tables, wire
from holdfast.cli.output import errors_in_words, out, say_json, table
from holdfast.cli.session import AsJson, actor
from holdfast.health import Finding, Grade, examine
from holdfast.settings import Settings

_COLOURS = {Grade.GOOD: "green", Grade.WEAKER: "yellow", Grade.WRONG: "bold red"}


def doctor(as_json: AsJson = False) -> None:  # noqa: FBT002
    """Examine sandbox, codecs, database, index, clock, disk; upload a canary. Exit code 1 if anything is wrong."""
    with errors_in_words(as_json=as_json):
        settings = Settings.from_environment()
        with database(settings) as reachable, decoding(reachable, wanted=True) as ready:
            system = wire(ready)
            prepare_tables(ready)
            prepare_keys(system)
            findings = examine(system, actor=actor())
    _say(findings, as_json=as_json)
    if any(finding.grade is Grade.WRONG for finding in findings):
        raise typer.Exit(1)


def _say(findings: list[Finding], *, as_json: bool) -> None:
    if as_json:
        say_json([asdict(finding) for finding in findings])
        return
    rows: list[list[str | Text]] = [
        [finding.what, Text(finding.grade, _COLOURS[finding.grade]), finding.says] for finding in findings
    ]
    table("Doctor", ["what", "state", "what was found, and what to do"], rows)
    weaker = sum(finding.grade is Grade.WEAKER for finding in findings)
    wrong = sum(finding.grade is Grade.WRONG for finding in findings)
    out.print(f"{len(findings)} examined: {wrong} wrong, {weaker} weaker than they could be.", highlight=False)

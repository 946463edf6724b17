# SPDX-License-Identifier: Apache-2.0
"""`holdfast fsck`: compare every table with the journal, and print the first difference of each."""

from __future__ import annotations

from dataclasses import asdict
from typing import Annotated, Any

import typer
from rich.console import Console
from rich.text import Text

from holdfast.bootstrap import System, new_id
from holdfast.check_log import checked
from holdfast.cli.output import err, out, say_json, table
from holdfast.cli.session import AsJson, actor, using
from holdfast.log.check import Checked, Difference
from holdfast.start import clock

Fix = Annotated[
    bool, typer.Option(help="Write what differs anew from the journal; an event each. Needs DATABASE_OWNER_URL.")
]


def fsck(
    fix: Fix = False,  # noqa: FBT002
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Rebuild every table and the log from the journal and compare. Exit code 1 if anything differs."""
    with using(as_json=as_json) as system:
        done = _examined(system, quiet=as_json)
        mended = _mend_all(system, done) if fix else []
        if mended:
            done = _examined(system, quiet=as_json)
    differing = [one.first for one in done if one.first is not None]
    if as_json:
        body = {"checks": [_body(one) for one in done], "mended": mended, "clean": not differing}
        say_json(body)
    else:
        _say(done, mended)
    if differing:
        raise typer.Exit(1)


def _examined(system: System, *, quiet: bool) -> list[Checked]:
    from holdfast.store.fsck import checks, run  # noqa: PLC0415  # needs configured Django

    url = system.settings.database_url
    assert url
    wanted = checks(system.journal.sealer)
    if quiet or not err.is_terminal:
        with system.rotation.standing():
            return [*run(wanted), checked(url, system.log_folder)]
    with Console(stderr=True).status("Comparing ...") as status, system.rotation.standing():
        done = list(run(wanted, lambda name, rows: status.update(f"Comparing {name}: {rows:,} rows")))
        status.update("Comparing the log with the journal and with what was signed")
        return [*done, checked(url, system.log_folder)]


def _mend_all(system: System, done: list[Checked]) -> list[dict[str, Any]]:
    """Mend row after row until a check finds nothing more that can be mended."""
    from holdfast.store.fsck import CHECKS, run  # noqa: PLC0415
    from holdfast.store.mend import mend  # noqa: PLC0415

    by_name, mended = {check.name: check for check in CHECKS}, []
    assert system
    for one in done:
        first = one.first
        while first is not None and first.mends:
            columns = mend(first, new_id=new_id, actor=actor(), at=clock())
            mended.append({"table": first.table, "key": first.key, "columns": list(columns)})
            (again,) = run([by_name[one.name]])
            first = again.first if columns else None
    return mended


def _body(one: Checked) -> dict[str, Any]:
    first = {name: _plain(value) for name, value in asdict(one.first).items()} if one.first else None
    return {"check": one.name, "rows": one.rows, "first_difference": first}


def _plain(value: object) -> object:
    return value if isinstance(value, (str, int, float, bool, list, dict, type(None))) else str(value)


def _say(done: list[Checked], mended: list[dict[str, Any]]) -> None:
    rows: list[list[str | Text]] = [
        [one.name, f"{one.rows:,}", Text("same", "green") if one.first is None else Text("differs", "bold red")]
        for one in done
    ]
    table("The journal and the tables", ["what", "rows", "result"], rows)
    for one in mended:
        out.print(f"Mended {one['table']} {one['key']}: {', '.join(one['columns'])}", highlight=False, markup=False)
    for ended in done:
        if ended.first is not None:
            _say_difference(ended.first)


def _say_difference(found: Difference) -> None:
    out.print(f"{found.table}, row {found.key}, {found.column}", style="bold", highlight=False, markup=False)
    out.print(f"  the journal says: {found.journal!a}", highlight=False, markup=False)
    out.print(f"  found:            {found.found!a}", highlight=False, markup=False)

# SPDX-License-Identifier: Apache-2.0
"""Commands that are loaded when they are asked for: `serve` must not wait for what it does not need."""

from __future__ import annotations

import importlib
from typing import TYPE_CHECKING, Final

import typer
from typer.core import TyperGroup
from typer.main import get_command as built

if TYPE_CHECKING:
    from typer.core import Command, Context  # type: ignore[attr-defined]

ELSEWHERE: Final = {
    "doctor": "doctor:doctor",
    "fsck": "fsck:fsck",
    "screen": "screen:screen",
    "demo": "demo:demo",
    "replay": "replay:replay",
    "backup": "backup:backup",
    "restore": "backup:restore",
    "bank": "bank:app",
    "key": "key:app",
    "staff": "staff:app",
    "sealed": "sealed:app",
    "proposals": "proposals:app",
    "settings": "settings:app",
    "effects": "effects:app",
    "alarms": "alarms:app",
    "cases": "cases:app",
    "clocks": "clocks:app",
    "proofs": "proofs:app",
    "reviews": "reviews:app",
    "searches": "searches:app",
    "log": "log:app",
    "verify": "log:verify",
}
"""Each command: its module here, and its name in it."""


class OnDemand(TyperGroup):
    """A group whose other commands are in modules of their own."""

    def list_commands(self, ctx: Context) -> list[str]:
        """All of them, loaded: whoever lists them says what each is for."""
        for name in ELSEWHERE:
            self.get_command(ctx, name)
        return super().list_commands(ctx)

    def get_command(self, ctx: Context, cmd_name: str) -> Command | None:
        """The command of this name, loaded if it is not yet; for another name all are, so that one can be suggested."""
        if cmd_name in ELSEWHERE and cmd_name not in self.commands:
            self.add_command(_loaded(cmd_name), cmd_name)
        elif cmd_name not in self.commands:
            self.list_commands(ctx)
        return super().get_command(ctx, cmd_name)


def _loaded(name: str) -> Command:
    """The command as it would be if it had been given to the app that has this group."""
    module, attribute = ELSEWHERE[name].split(":")
    found = getattr(importlib.import_module(f"holdfast.cli.{module}"), attribute)
    holder = typer.Typer(rich_markup_mode="rich", pretty_exceptions_enable=False, add_completion=False)
    if not isinstance(found, typer.Typer):
        holder.command(name)(found)
        return built(holder)
    holder.add_typer(found, name=name)
    group = built(holder)
    assert isinstance(group, TyperGroup)
    return group.commands[name]

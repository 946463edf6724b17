# SPDX-License-Identifier: Apache-2.0
"""`holdfast alarms`: see what somebody has to look at, say that it was seen, and try how alarms are told."""

from __future__ import annotations

import logging
from typing import Annotated

import typer

from holdfast.alarm.alarm import AlarmItem
from holdfast.alarm.message import Message, Occasion
from holdfast.alarm.telling import AlarmChannel
from holdfast.bootstrap import new_id
from holdfast.channels import channels_of
from holdfast.cli.output import errors_in_words, out, printable, say_json, table
from holdfast.cli.session import AsJson, actor, using
from holdfast.effect.handler import Done
from holdfast.errors import NoAlarmChannel
from holdfast.observe import configure_logging
from holdfast.settings import Settings
from holdfast.start import clock

app = typer.Typer(help="See which alarms stand, say that one was seen, try how they are told.", no_args_is_help=True)
_SHOWN = 1000


@app.command("list")
def list_alarms(as_json: AsJson = False) -> None:  # noqa: FBT002
    """List the alarms that stand, the oldest first."""
    with using(as_json=as_json) as system:
        items = system.alarms.standing(limit=_SHOWN)
    if as_json:
        say_json([_body(item) for item in items])
        return
    rows = [[str(value or "") for value in _body(item).values()] for item in items]
    table("Alarms", ["alarm", "what", "about", "owner", "state", "seen by", "since"], rows)


@app.command()
def acknowledge(
    alarm: Annotated[str, typer.Argument(help="The alarm's id.")],
    as_json: AsJson = False,  # noqa: FBT002
) -> None:
    """Say that you have seen it. It stands until what it is about is in order again."""
    with using(as_json=as_json) as system:
        item = system.alarms.acknowledge(alarm, actor=actor())
    if as_json:
        say_json(_body(item))
        return
    out.print("Seen. It stands until what it is about is in order.", highlight=False)


@app.command("test")
def try_channels(as_json: AsJson = False) -> None:  # noqa: FBT002
    """Send a test message through every alarm channel; say what the other side answered. Exit code 1 if one fails."""
    configure_logging(logging.CRITICAL)
    with errors_in_words(as_json=as_json):
        channels = channels_of(Settings.from_environment(), clock)
        if not channels:
            raise NoAlarmChannel
        tried = [_tried(name, channel) for name, channel in channels.items()]
    if as_json:
        say_json(tried)
    else:
        rows = [[str(one["channel"]), str(one["where"]), _verdict(one), str(one["answered"])] for one in tried]
        table("Alarm channels", ["channel", "where", "taken", "the other side answered"], rows)
    if not all(one["taken"] for one in tried):
        raise typer.Exit(1)


def _tried(name: str, channel: AlarmChannel) -> dict[str, object]:
    message = Message(occasion=Occasion.TEST, alarms=(), at=clock())
    told = channel.tell(message, new_id("tst"))
    said = printable(told.untrusted_said)
    return {"channel": name, "where": channel.where, "taken": isinstance(told.outcome, Done), "answered": said}


def _verdict(tried: dict[str, object]) -> str:
    return "yes" if tried["taken"] else "no"


def _body(item: AlarmItem) -> dict[str, object]:
    return {
        "id": item.id,
        "kind": item.alarm.kind,
        "about": item.alarm.about,
        "owner": item.alarm.owner,
        "state": item.alarm.state,
        "acknowledged_by": item.alarm.acknowledged_by,
        "since": item.since.isoformat(),
    }

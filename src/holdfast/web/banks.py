# SPDX-License-Identifier: Apache-2.0
"""/v1/banks: make them, say what a match means, fill them, take entries out."""

from __future__ import annotations

from dataclasses import asdict
from typing import Any

from django.http import HttpRequest
from ninja import Query, Router

from holdfast.access.key import Scope
from holdfast.errors import InvalidRequest
from holdfast.intake.upload import Upload
from holdfast.match import bank as banks
from holdfast.match import entry as entries
from holdfast.match.look import look, signals_to_bank
from holdfast.match.signal import Signal, parse
from holdfast.match.video import VideoRule
from holdfast.store.banks import BankSummary
from holdfast.web import bank_shapes, shapes
from holdfast.web.auth import NeedsKey, actor_of
from holdfast.web.proposals import Asked
from holdfast.web.system import system
from holdfast.web.uploads import refuse_unknown, take_upload

router = Router(tags=["banks"])
READ, WRITE = NeedsKey(Scope.BANKS_READ), NeedsKey(Scope.BANKS_WRITE)
PROBLEMS = (401, 403, 404, 409, 422, 503)
_BANK = {200: bank_shapes.BankShape, 202: Asked, PROBLEMS: shapes.Problem}
_ENTRY = {200: bank_shapes.EntryShape, 202: Asked, PROBLEMS: shapes.Problem}
_PICTURE_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}


@router.get("", response={200: list[bank_shapes.BankShape], (401, 403, 503): shapes.Problem}, auth=READ)
def list_banks(request: HttpRequest) -> list[dict[str, Any]]:  # noqa: ARG001
    """Every bank."""
    return [_shape(summary) for summary in system().banks.all_banks()]


@router.post("", response={201: bank_shapes.BankShape, PROBLEMS: shapes.Problem}, auth=WRITE)
def create_bank(request: HttpRequest, new: bank_shapes.NewBank) -> tuple[int, dict[str, Any]]:
    """Make a bank: of known material, or benign."""
    command = banks.CreateBank(
        name=new.name,
        meaning=new.meaning,
        source=new.source,
        threshold=new.threshold,
        action=banks.Action(new.action) if new.action else None,
        kind=banks.BankKind(new.kind),
        exchange=new.exchange,
    )
    made = system().banks.change_bank(new.name, command, actor=actor_of(request))
    return 201, _shape(BankSummary(made, 0))


@router.post("/{name}/disable", response=_BANK, auth=WRITE)
def disable_bank(request: HttpRequest, name: str, why: Query[bank_shapes.Why]) -> dict[str, Any]:  # noqa: ARG001  # read where it is asked for
    """Take a bank out of screening."""
    return _changed(request, name, banks.DisableBank())


@router.post("/{name}/enable", response=_BANK, auth=WRITE)
def enable_bank(request: HttpRequest, name: str, why: Query[bank_shapes.Why]) -> dict[str, Any]:  # noqa: ARG001  # read where it is asked for
    """Put a bank back into screening."""
    return _changed(request, name, banks.EnableBank())


@router.post("/{name}/threshold", response=_BANK, auth=WRITE)
def change_threshold(request: HttpRequest, name: str, new: bank_shapes.NewThreshold) -> dict[str, Any]:
    """Change the largest PDQ distance that counts as a match."""
    return _changed(request, name, banks.ChangeThreshold(threshold=new.threshold, because=new.because))


@router.post("/{name}/action", response=_BANK, auth=WRITE)
def change_action(request: HttpRequest, name: str, new: bank_shapes.NewAction) -> dict[str, Any]:
    """Change what a match leads to."""
    return _changed(request, name, banks.ChangeAction(action=banks.Action(new.action), because=new.because))


@router.post("/{name}/video", response=_BANK, auth=WRITE)
def change_video_rule(request: HttpRequest, name: str, new: bank_shapes.NewVideoRule) -> dict[str, Any]:
    """Change how much of one of its videos must be seen again; what is not said is as usual."""
    rule = VideoRule(**new.model_dump(exclude={"because"}))
    return _changed(request, name, banks.ChangeVideoRule(rule=rule, because=new.because))


@router.post("/{name}/entries", response={201: bank_shapes.Added, 202: Asked, PROBLEMS: shapes.Problem}, auth=WRITE)
def add_entries(request: HttpRequest, name: str, new: bank_shapes.NewEntries) -> tuple[int, dict[str, Any]]:
    """Add known items by their signals: all, or none. They match from the next second on."""
    items = [(_signals(entry), entry.provenance) for entry in new.entries]
    added = system().banks.add_entries(name, items, actor=actor_of(request))
    return 201, {"added": [entry.id for entry in added]}


@router.post(
    "/{name}/entries/picture",
    response={201: bank_shapes.EntryShape, 202: Asked, PROBLEMS: shapes.Problem},
    auth=WRITE,
    openapi_extra=_PICTURE_BODY,
)
def add_picture(
    request: HttpRequest, name: str, options: Query[bank_shapes.PictureOptions]
) -> tuple[int, dict[str, Any]]:
    """Add a known picture, or video: its signals are computed and kept, the file is not."""
    refuse_unknown(request, bank_shapes.PictureOptions)
    received, _ = take_upload(request, system().settings)
    if not isinstance(received, Upload) or received.size == 0:
        if isinstance(received, Upload):
            received.close()
        message = "body: empty, or larger than the limit"
        raise InvalidRequest(message)
    with received:
        signals = signals_to_bank(look(received, system().decoder), exact_only=options.exact_only == "true")
    item = (signals, options.provenance)
    (added,) = system().banks.add_entries(name, [item], actor=actor_of(request))
    return 201, _entry_shape(added)


@router.post("/{name}/entries/{entry_id}/disable", response=_ENTRY, auth=WRITE)
def disable_entry(
    request: HttpRequest,
    name: str,
    entry_id: str,
    why: Query[bank_shapes.Why],  # noqa: ARG001  # read where it is asked for
) -> dict[str, Any]:
    """Take an entry out of screening for now."""
    return _entry_changed(request, name, entry_id, entries.DisableEntry())


@router.post("/{name}/entries/{entry_id}/enable", response=_ENTRY, auth=WRITE)
def enable_entry(
    request: HttpRequest,
    name: str,
    entry_id: str,
    why: Query[bank_shapes.Why],  # noqa: ARG001  # read where it is asked for
) -> dict[str, Any]:
    """Put an entry back into screening."""
    return _entry_changed(request, name, entry_id, entries.EnableEntry())


@router.post("/{name}/entries/{entry_id}/opinion", response=_ENTRY, auth=WRITE)
def give_opinion(request: HttpRequest, name: str, entry_id: str, given: bank_shapes.NewOpinion) -> dict[str, Any]:
    """Confirm or dispute an entry. While it is disputed, its matches lead to review at most."""
    opinion = entries.GiveOpinion(opinion=entries.Opinion(given.opinion), because=given.because)
    return _entry_changed(request, name, entry_id, opinion)


@router.delete("/{name}/entries/{entry_id}", response=_ENTRY, auth=WRITE)
def remove_entry(
    request: HttpRequest, name: str, entry_id: str, options: Query[bank_shapes.RemoveOptions]
) -> dict[str, Any]:
    """Take an entry out for good."""
    refuse_unknown(request, bank_shapes.RemoveOptions)
    return _entry_changed(request, name, entry_id, entries.RemoveEntry(because=options.because))


def _changed(request: HttpRequest, name: str, command: banks.BankCommand) -> dict[str, Any]:
    system().banks.change_bank(name, command, actor=actor_of(request))
    return next(_shape(summary) for summary in system().banks.all_banks() if summary.bank.name == name)


def _entry_changed(request: HttpRequest, name: str, entry_id: str, command: entries.EntryCommand) -> dict[str, Any]:
    return _entry_shape(system().banks.change_entry(name, entry_id, command, actor=actor_of(request)))


def _signals(entry: bank_shapes.NewEntry) -> tuple[Signal, ...]:
    return tuple(parse(signal.signal_type, signal.value) for signal in entry.signals)


def _shape(summary: BankSummary) -> dict[str, Any]:
    bank = summary.bank
    return {
        "name": bank.name,
        "meaning": bank.meaning,
        "source": bank.source,
        "threshold": bank.threshold,
        "action": bank.action and bank.action.value,
        "kind": bank.kind.value,
        "exchange": bank.exchange,
        "state": bank.state.value,
        "entries": summary.entries,
        "video": asdict(bank.video),
    }


def _entry_shape(entry: entries.Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "bank": entry.bank,
        "state": entry.state.value,
        "signal_types": list(dict.fromkeys(signal.type.value for signal in entry.signals)),
        "opinion": entry.opinion and entry.opinion.value,
    }

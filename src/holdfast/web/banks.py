# SPDX-License-Identifier: Apache-2.0
"""/v1/banks: make them, fill them, take entries out, export them."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from typing import Any

from django.http import HttpRequest, StreamingHttpResponse
from ninja import Query, Router

from holdfast.access.key import Scope
from holdfast.errors import InvalidBankFile, InvalidRequest
from holdfast.intake.upload import CHUNK, Upload
from holdfast.match import bank as banks
from holdfast.match import bankfile
from holdfast.match.look import look, signals_to_bank
from holdfast.match.signal import Signal, parse
from holdfast.store.banks import BankSummary
from holdfast.web import shapes
from holdfast.web.auth import NeedsKey, actor_of
from holdfast.web.system import system
from holdfast.web.uploads import refuse_unknown, take_upload

router = Router(tags=["banks"])
_READ, _WRITE = NeedsKey(Scope.BANKS_READ), NeedsKey(Scope.BANKS_WRITE)
_PROBLEMS = (401, 403, 404, 409, 422, 503)
_TYPES = {bankfile.Form.CSV: "text/csv; charset=utf-8", bankfile.Form.JSONL: "application/x-ndjson"}
_PICTURE_BODY = {
    "requestBody": {
        "required": True,
        "content": {"application/octet-stream": {"schema": {"type": "string", "format": "binary"}}},
    }
}
_LINES_BODY = {
    "requestBody": {
        "required": True,
        "content": {"text/csv": {"schema": {"type": "string"}}, "application/x-ndjson": {"schema": {"type": "string"}}},
    }
}


@router.get("", response={200: list[shapes.BankShape], (401, 403, 503): shapes.Problem}, auth=_READ)
def list_banks(request: HttpRequest) -> list[dict[str, Any]]:  # noqa: ARG001
    """Every bank."""
    return [_shape(summary) for summary in system().banks.all_banks()]


@router.post("", response={201: shapes.BankShape, _PROBLEMS: shapes.Problem}, auth=_WRITE)
def create_bank(request: HttpRequest, new: shapes.NewBank) -> tuple[int, dict[str, Any]]:
    """Make a bank."""
    command = banks.CreateBank(
        name=new.name, meaning=new.meaning, source=new.source, threshold=new.threshold, action=new.action_type()
    )
    made = system().banks.change_bank(new.name, command, actor=actor_of(request))
    return 201, _shape(BankSummary(made, 0))


@router.post("/{name}/disable", response={200: shapes.BankShape, _PROBLEMS: shapes.Problem}, auth=_WRITE)
def disable_bank(request: HttpRequest, name: str) -> dict[str, Any]:
    """Take a bank out of screening. This weakens protection."""
    return _changed(request, name, banks.DisableBank())


@router.post("/{name}/enable", response={200: shapes.BankShape, _PROBLEMS: shapes.Problem}, auth=_WRITE)
def enable_bank(request: HttpRequest, name: str) -> dict[str, Any]:
    """Put a bank back into screening."""
    return _changed(request, name, banks.EnableBank())


@router.post("/{name}/entries", response={201: shapes.Added, _PROBLEMS: shapes.Problem}, auth=_WRITE)
def add_entries(request: HttpRequest, name: str, new: shapes.NewEntries) -> tuple[int, dict[str, Any]]:
    """Add known items by their signals: all, or none. They match from the next second on."""
    items = [(_signals(entry), entry.provenance) for entry in new.entries]
    added = system().banks.add_entries(name, items, actor=actor_of(request))
    return 201, {"added": [entry.id for entry in added]}


@router.post(
    "/{name}/entries/picture",
    response={201: shapes.EntryShape, _PROBLEMS: shapes.Problem},
    auth=_WRITE,
    openapi_extra=_PICTURE_BODY,
)
def add_picture(request: HttpRequest, name: str, options: Query[shapes.PictureOptions]) -> tuple[int, dict[str, Any]]:
    """Add a known picture: its signals are computed and kept, the picture is not."""
    refuse_unknown(request, shapes.PictureOptions)
    received, _ = take_upload(request, system().settings)
    if not isinstance(received, Upload) or received.size == 0:
        if isinstance(received, Upload):
            received.close()
        message = "body: empty, or larger than the limit"
        raise InvalidRequest(message)
    with received:
        signals = signals_to_bank(look(received, system().decoder), exact_only=options.exact_only == "true")
    item = (signals, options.provenance)
    return 201, _entry_shape(system().banks.add_entries(name, [item], actor=actor_of(request))[0])


@router.post(
    "/{name}/import",
    response={200: shapes.Imported, _PROBLEMS: shapes.Problem},
    auth=_WRITE,
    openapi_extra=_LINES_BODY,
)
def import_lines(request: HttpRequest, name: str, options: Query[shapes.ImportOptions]) -> dict[str, Any]:
    """Import CSV (text/csv) or JSON lines (application/x-ndjson): good lines are kept, bad lines listed."""
    refuse_unknown(request, shapes.ImportOptions)
    form = next((form for form, kind in _TYPES.items() if kind.split(";")[0] == request.content_type), None)
    if form is None:
        message = "Content-Type: text/csv or application/x-ndjson"
        raise InvalidBankFile(message)
    system().banks.get(name)
    reading = bankfile.read(_lines(request), form, default_provenance=options.provenance)
    reading = system().banks.import_reading(name, reading, actor=actor_of(request))
    refused = [{"line": bad.number, "code": bad.code, "because": bad.because} for bad in reading.bad]
    return {"added": len(reading.items), "refused": refused}


@router.get(
    "/{name}/export",
    response={(401, 403, 404, 422, 503): shapes.Problem},
    auth=_READ,
    openapi_extra={
        "responses": {200: {"description": "The entries.", "content": {"text/csv": {}, "application/x-ndjson": {}}}}
    },
)
def export_entries(request: HttpRequest, name: str, options: Query[shapes.ExportOptions]) -> StreamingHttpResponse:
    """Every entry that was not removed. Hashes of such material are sensitive: keep the file so."""
    refuse_unknown(request, shapes.ExportOptions)
    system().banks.get(name)
    wanted = bankfile.Form(options.form)
    lines = bankfile.write(system().banks.entries(name), wanted)
    return StreamingHttpResponse(lines, content_type=_TYPES[wanted])


@router.post(
    "/{name}/entries/{entry_id}/disable", response={200: shapes.EntryShape, _PROBLEMS: shapes.Problem}, auth=_WRITE
)
def disable_entry(request: HttpRequest, name: str, entry_id: str) -> dict[str, Any]:
    """Take an entry out of screening for now. This weakens protection."""
    return _entry_changed(request, name, entry_id, banks.DisableEntry())


@router.post(
    "/{name}/entries/{entry_id}/enable", response={200: shapes.EntryShape, _PROBLEMS: shapes.Problem}, auth=_WRITE
)
def enable_entry(request: HttpRequest, name: str, entry_id: str) -> dict[str, Any]:
    """Put an entry back into screening."""
    return _entry_changed(request, name, entry_id, banks.EnableEntry())


@router.delete("/{name}/entries/{entry_id}", response={200: shapes.EntryShape, _PROBLEMS: shapes.Problem}, auth=_WRITE)
def remove_entry(
    request: HttpRequest, name: str, entry_id: str, options: Query[shapes.RemoveOptions]
) -> dict[str, Any]:
    """Take an entry out for good. This weakens protection."""
    refuse_unknown(request, shapes.RemoveOptions)
    return _entry_changed(request, name, entry_id, banks.RemoveEntry(because=options.because))


def _changed(request: HttpRequest, name: str, command: banks.BankCommand) -> dict[str, Any]:
    system().banks.change_bank(name, command, actor=actor_of(request))
    return next(_shape(summary) for summary in system().banks.all_banks() if summary.bank.name == name)


def _entry_changed(request: HttpRequest, name: str, entry_id: str, command: banks.EntryCommand) -> dict[str, Any]:
    return _entry_shape(system().banks.change_entry(name, entry_id, command, actor=actor_of(request)))


def _signals(entry: shapes.NewEntry) -> tuple[Signal, ...]:
    return tuple(parse(signal.signal_type, signal.value) for signal in entry.signals)


def _lines(request: HttpRequest) -> Iterator[str]:
    """The body as lines of UTF-8. Raises InvalidBankFile if it is not UTF-8 or a line never ends."""
    decoder, rest, missing = (
        codecs.getincrementaldecoder("utf-8-sig")(),
        "",
        int(request.META.get("CONTENT_LENGTH") or 0),
    )
    try:
        while chunk := request.read(CHUNK):
            missing -= len(chunk)
            *whole, rest = (rest + decoder.decode(chunk)).split("\n")
            yield from (f"{line}\n" for line in whole)
            if len(rest) > bankfile.LONGEST_LINE:
                message = f"a line is longer than {bankfile.LONGEST_LINE} characters"
                raise InvalidBankFile(message)
        rest += decoder.decode(b"", final=True)
    except UnicodeDecodeError as fault:
        message = "the file is not UTF-8 text"
        raise InvalidBankFile(message) from fault
    if missing > 0:
        message = f"{missing} bytes of the announced length did not come"
        raise InvalidBankFile(message)
    if rest:
        yield rest


def _shape(summary: BankSummary) -> dict[str, Any]:
    bank = summary.bank
    return {
        "name": bank.name,
        "meaning": bank.meaning,
        "source": bank.source,
        "threshold": bank.threshold,
        "action": bank.action.value,
        "state": bank.state.value,
        "entries": summary.entries,
    }


def _entry_shape(entry: banks.Entry) -> dict[str, Any]:
    return {
        "id": entry.id,
        "bank": entry.bank,
        "state": entry.state.value,
        "signal_types": [signal.type.value for signal in entry.signals],
        "provenance": entry.provenance,
    }

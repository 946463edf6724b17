# SPDX-License-Identifier: Apache-2.0
"""/v1/banks as files: import, list imports, roll one back, export."""

from __future__ import annotations

import codecs
from collections.abc import Iterator
from dataclasses import asdict
from typing import Any, Final

from django.http import HttpRequest, StreamingHttpResponse
from ninja import Query, Router

from holdfast.errors import InvalidBankFile
from holdfast.intake.upload import CHUNK
from holdfast.log.text import LONGEST_TEXT
from holdfast.match import bankfile
from holdfast.match.bankfile import Form
from holdfast.match.bankline import LONGEST_LINE
from holdfast.store.imports import ImportSummary
from holdfast.web import bank_shapes, shapes
from holdfast.web.auth import actor_of
from holdfast.web.banks import PROBLEMS, READ, WRITE
from holdfast.web.proposals import Asked
from holdfast.web.system import system
from holdfast.web.uploads import refuse_unknown

router = Router(tags=["banks"])
_TYPES: Final = {
    Form.CSV: "text/csv; charset=utf-8",
    Form.JSONL: "application/x-ndjson",
    Form.TXT: "text/plain; charset=utf-8",
    Form.DATASET: "text/csv; charset=utf-8",
}
_READ_AS: Final = {"text/csv": Form.CSV, "application/x-ndjson": Form.JSONL, "text/plain": Form.TXT}
_FILE: Final = {kind: {"schema": {"type": "string"}} for kind in _READ_AS}
_SENT: Final[dict[str, dict[str, str]]] = {kind: {} for kind in _READ_AS}


@router.post(
    "/{name}/import",
    response={200: bank_shapes.Imported, 202: Asked, PROBLEMS: shapes.Problem},
    auth=WRITE,
    openapi_extra={"requestBody": {"required": True, "content": _FILE}},
)
def import_lines(request: HttpRequest, name: str, options: Query[bank_shapes.ImportOptions]) -> dict[str, Any]:
    """Import CSV (text/csv), JSON lines (application/x-ndjson) or a plain list (text/plain).

    Good lines are kept, bad lines listed. All of it counts at once, at the end.
    """
    refuse_unknown(request, bank_shapes.ImportOptions)
    form = _READ_AS.get(request.content_type or "")
    if form is None:
        message = f"Content-Type: one of {', '.join(_READ_AS)}"
        raise InvalidBankFile(message)
    bank = system().banks.get(name)
    taken = system().imports.run(
        name,
        bankfile.read(_lines(request), form, kind=bank.kind, signal_type=options.signal_type),
        source=f"sent as {request.content_type}: {options.provenance}"[:LONGEST_TEXT],
        provenance=options.provenance,
        actor=actor_of(request),
        from_exchange=options.from_exchange == "true",
    )
    return {
        "id": taken.id,
        "added": taken.entries,
        "signals": taken.signals,
        "digest": taken.digest,
        "refused": [{"line": bad.number, "code": bad.code, "because": bad.because} for bad in taken.bad],
        "refused_lines": taken.refused,
    }


@router.get(
    "/{name}/imports",
    response={200: list[bank_shapes.ImportShape], (401, 403, 404, 503): shapes.Problem},
    auth=READ,
)
def list_imports(request: HttpRequest, name: str) -> list[dict[str, Any]]:  # noqa: ARG001
    """Every import into a bank, the newest first."""
    return [_import_shape(summary) for summary in system().imports.of(name)]


@router.post(
    "/{name}/imports/{import_id}/roll-back",
    response={200: bank_shapes.RolledBack, 202: Asked, PROBLEMS: shapes.Problem},
    auth=WRITE,
)
def roll_back(request: HttpRequest, name: str, import_id: str, why: bank_shapes.RollBack) -> dict[str, Any]:
    """Take everything that an import brought out of its bank, at once."""
    after = system().imports.roll_back(name, import_id, because=why.because, actor=actor_of(request))
    return {"id": after.id, "bank": after.bank, "state": after.state.value}


@router.get(
    "/{name}/export",
    response={(401, 403, 404, 422, 503): shapes.Problem},
    auth=READ,
    openapi_extra={"responses": {200: {"description": "The entries.", "content": _SENT}}},
)
def export_entries(request: HttpRequest, name: str, options: Query[bank_shapes.ExportOptions]) -> StreamingHttpResponse:
    """Every entry that was not removed; as txt or dataset, the active ones. Such hashes are sensitive: keep it so."""
    refuse_unknown(request, bank_shapes.ExportOptions)
    bank, wanted = system().banks.get(name), Form(options.form)
    lines = bankfile.write(system().banks.entries(name), wanted, bank)
    return StreamingHttpResponse(lines, content_type=_TYPES[wanted])


def _import_shape(summary: ImportSummary) -> dict[str, Any]:
    facts = asdict(summary)
    found = facts.pop("found")
    return {**found, **facts}


def _lines(request: HttpRequest) -> Iterator[str]:
    """The body as lines of UTF-8. Raises InvalidBankFile if it is not UTF-8 or a line never ends."""
    decoder, rest = codecs.getincrementaldecoder("utf-8-sig")(), ""
    missing = int(request.META.get("CONTENT_LENGTH") or 0)
    try:
        while chunk := request.read(CHUNK):
            missing -= len(chunk)
            *whole, rest = (rest + decoder.decode(chunk)).split("\n")
            yield from (f"{line}\n" for line in whole)
            if len(rest) > LONGEST_LINE:
                message = f"a line is longer than {LONGEST_LINE} characters"
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

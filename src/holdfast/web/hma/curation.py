# SPDX-License-Identifier: Apache-2.0
"""/c: banks and what is in them, in HMA's words. Nothing is deleted here: it leaves screening, by an event."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.http import HttpRequest, HttpResponse

from holdfast.access.key import Scope
from holdfast.errors import EntryUnknown, InvalidRequest
from holdfast.log.text import LONGEST_TEXT
from holdfast.match import bank as banks
from holdfast.match.bank import Bank, BankState
from holdfast.match.entry import DisableEntry, EnableEntry, Entry, EntryState, RemoveEntry
from holdfast.match.look import look, signals_to_bank
from holdfast.match.signal import Signal
from holdfast.match.vpdqfile import videos_and_others
from holdfast.store.numbers import entry_numbered, numbers_of
from holdfast.web.hma import kinds
from holdfast.web.hma.edge import admit, answer, json_body, refuse_address
from holdfast.web.hma.hashing import done_with, file_of, refuse_unseen
from holdfast.web.system import system

_UNSAID: Final = "added over the HMA interface"
_REMOVED: Final = "deleted over the HMA interface"
_ABOUT: Final = ("note", "content_id", "content_uri", "metadata")
_ENABLED, _DISABLED = 1, 0  # HMA's disable_until_ts: "since ever" and "for ever"


def list_banks(request: HttpRequest) -> HttpResponse:
    """GET /c/banks."""
    admit(request, Scope.BANKS_READ)
    return answer([_bank(summary.bank) for summary in system().banks.all_banks()])


def create_bank(request: HttpRequest) -> HttpResponse:
    """POST /c/banks. Raises Refused if there is one of that name."""
    actor = admit(request, Scope.BANKS_WRITE)
    body = json_body(request)
    name, enabled = body.get("name"), _enabled(body)
    if not isinstance(name, str):
        message = "name: needed, as text"
        raise InvalidRequest(message)
    if enabled is False:
        message = "enabled: a bank is made enabled; to disable it takes two people"
        raise InvalidRequest(message)
    command = banks.CreateBank(name=name, meaning="what its HMA client says", source=f"HMA client {actor}")
    return answer(_bank(system().banks.change_bank(name, command, actor=actor)), 201)


def show_bank(request: HttpRequest, bank: str) -> HttpResponse:
    """GET /c/bank/NAME. Raises BankUnknown."""
    admit(request, Scope.BANKS_READ)
    return answer(_bank(system().banks.get(bank)))


def update_bank(request: HttpRequest, bank: str) -> HttpResponse:
    """PUT /c/bank/NAME: enable or disable. Raises BankUnknown, or InvalidRequest for a new name."""
    actor = admit(request, Scope.BANKS_WRITE)
    body, found = json_body(request), system().banks.get(bank)
    if body.get("name", bank) != bank:
        message = "name: a bank keeps its name, which stands in the journal; make another and fill it"
        raise InvalidRequest(message)
    return answer(_bank(_set_enabled(found, actor, enabled=_enabled(body))))


def delete_bank(request: HttpRequest, bank: str) -> HttpResponse:
    """DELETE /c/bank/NAME: it is disabled, and keeps its entries. Raises BankUnknown."""
    actor = admit(request, Scope.BANKS_WRITE)
    _set_enabled(system().banks.get(bank), actor, enabled=False)
    return answer({"message": "Done"})


def add_content(request: HttpRequest, bank: str) -> HttpResponse:
    """POST /c/bank/NAME/content: add a file by its hashes; the file is not kept.

    Raises UploadNotCompared for a photo without a usable look: it would not be found again.
    """
    actor = admit(request, Scope.BANKS_WRITE)
    refuse_address(request)
    system().banks.get(bank)
    form = file_of(request)
    try:
        wanted = kinds.kinds_wanted(request, form.field)
        seen = look(form.received, system().decoder)
    finally:
        done_with(form)
    perceptual = any(not kind.is_exact for kind in wanted)
    if seen.obstacle and not (seen.exact and (len(seen.hashes) or not perceptual)):
        refuse_unseen(seen.obstacle)
    signals = signals_to_bank(seen, exact_only=not perceptual)
    return _added(bank, signals, _provenance(form.fields), actor)


def add_signals(request: HttpRequest, bank: str) -> HttpResponse:
    """POST /c/bank/NAME/signal: add one known item by its hashes."""
    actor = admit(request, Scope.BANKS_WRITE)
    signals = tuple(kinds.signal_named(name, value) for name, value in json_body(request).items())
    return _added(bank, signals, _UNSAID, actor)


def show_content(request: HttpRequest, bank: str, number: int) -> HttpResponse:
    """GET /c/bank/NAME/content/NUMBER. Raises BankUnknown or EntryUnknown."""
    admit(request, Scope.BANKS_READ)
    found = system().banks.get(bank)
    return answer(_content(request, found, number, entry_numbered(bank, number, system().journal.sealer)))


def update_content(request: HttpRequest, bank: str, number: int) -> HttpResponse:
    """PUT /c/bank/NAME/content/NUMBER: disable_until_ts 0 takes the entry out of screening, 1 puts it back."""
    actor = admit(request, Scope.BANKS_WRITE)
    body, found = json_body(request), system().banks.get(bank)
    entry = entry_numbered(bank, number, system().journal.sealer)
    if unknown := sorted(set(body) - {"disable_until_ts"}):
        message = f"{', '.join(map(ascii, unknown))}: cannot be changed; what an entry says of itself is in the journal"
        raise InvalidRequest(message)
    until = body.get("disable_until_ts", _ENABLED if entry.state is EntryState.ACTIVE else _DISABLED)
    if isinstance(until, bool) or until not in (_ENABLED, _DISABLED):
        message = "disable_until_ts: 0 disables, 1 enables; nothing comes back or goes by itself at some time"
        raise InvalidRequest(message)
    wanted = EntryState.ACTIVE if until == _ENABLED else EntryState.DISABLED
    if entry.state is not wanted:
        command = EnableEntry() if until == _ENABLED else DisableEntry()
        entry = system().banks.change_entry(bank, entry.id, command, actor=actor)
    return answer(_content(request, found, number, entry))


def delete_content(request: HttpRequest, bank: str, number: int) -> HttpResponse:
    """DELETE /c/bank/NAME/content/NUMBER: how many were taken out. Raises BankUnknown."""
    actor = admit(request, Scope.BANKS_WRITE)
    system().banks.get(bank)
    try:
        entry = entry_numbered(bank, number, system().journal.sealer)
    except EntryUnknown:
        return answer({"deleted": 0})
    system().banks.change_entry(bank, entry.id, RemoveEntry(because=_REMOVED), actor=actor)
    return answer({"deleted": 1})


def _added(bank: str, signals: tuple[Signal, ...], provenance: str, actor: str) -> HttpResponse:
    entry = system().banks.add_entries(bank, [(signals, provenance)], actor=actor)[0]
    return answer({"id": numbers_of([entry.id])[entry.id], "signals": _signals(entry)})


def _bank(bank: Bank) -> dict[str, Any]:
    return {"matching_enabled_ratio": 1.0 if bank.state is BankState.ACTIVE else 0.0, "name": bank.name}


def _content(request: HttpRequest, bank: Bank, number: int, entry: Entry) -> dict[str, Any]:
    body = {
        "id": number,
        "disable_until_ts": _ENABLED if entry.state is EntryState.ACTIVE else _DISABLED,
        "original_media_uri": None,
        "bank": _bank(bank),
        "note": entry.provenance,
    }
    if request.GET.get("include_signals", "").lower() == "true":
        body["signals"] = _signals(entry)
    if request.GET.get("include_metadata", "").lower() == "true":
        body["metadata"] = None
    return body


def _signals(entry: Entry) -> dict[str, str]:
    """One hash of each kind: HMA's form has room for no more."""
    return {kinds.NAMES[kind]: value for kind, value in videos_and_others(reversed(entry.signals))}


def _provenance(fields: Mapping[str, str]) -> str:
    """What the client says about an item, as one text; too long a text is cut, because the hash matters more."""
    said = "; ".join(f"{name} {fields[name].strip()}" for name in _ABOUT if fields.get(name, "").strip())
    text = said or _UNSAID
    return text if len(text) <= LONGEST_TEXT else text[: LONGEST_TEXT - 1] + "…"


def _enabled(body: Mapping[str, Any]) -> bool | None:
    """Whether a bank is to take part in screening; None if the body does not say. Raises InvalidRequest."""
    if (ratio := body.get("enabled_ratio")) is not None:
        try:
            share = float(ratio)
        except (TypeError, ValueError, OverflowError):
            share = -1.0
        if share not in (0.0, 1.0) or isinstance(ratio, bool):
            message = "enabled_ratio: 0 disables, 1 enables; a bank that matches by chance protects no one"
            raise InvalidRequest(message)
        return share == 1.0
    enabled = body.get("enabled")
    if enabled is not None and not isinstance(enabled, bool):
        message = "enabled: true or false"
        raise InvalidRequest(message)
    return enabled


def _set_enabled(bank: Bank, actor: str, *, enabled: bool | None) -> Bank:
    """The bank, enabled or disabled if it is not so already."""
    if enabled is None or enabled == (bank.state is BankState.ACTIVE):
        return bank
    command = banks.EnableBank() if enabled else banks.DisableBank()
    return system().banks.change_bank(bank.name, command, actor=actor)

# SPDX-License-Identifier: Apache-2.0
"""/m: look hashes and files up, compare hashes, and how current the memory of the banks is."""

from __future__ import annotations

from collections.abc import Iterable
from typing import Any, Final

from django.http import HttpRequest, HttpResponse

from holdfast.access.key import Scope
from holdfast.errors import HoldfastError, InvalidRequest
from holdfast.match.bank import DEFAULT_THRESHOLD
from holdfast.match.given import as_seen
from holdfast.match.look import look
from holdfast.match.screen import Match, NotScreened, judge
from holdfast.match.signal import PERCEPTUAL, Signal, SignalType
from holdfast.media import pdq
from holdfast.pipeline import find
from holdfast.store.numbers import active_signals, numbers_of
from holdfast.web.hma import kinds
from holdfast.web.hma.edge import admit, answer, asked, json_body, refuse_address
from holdfast.web.hma.hashing import done_with, file_of, refuse_unseen
from holdfast.web.system import require_fresh, system

_PAIR: Final = 2
_YES: Final = ("true", "1")


def lookup_signal(request: HttpRequest) -> HttpResponse:
    """GET /m/lookup: {bank: its matches} of one hash. It says nothing about the file behind the hash."""
    return answer(_by_bank(_matches_of_signal(request)))


def raw_lookup(request: HttpRequest) -> HttpResponse:
    """GET /m/raw_lookup: the matches of one hash without their banks."""
    found = _numbered(_matches_of_signal(request))
    with_distance = request.GET.get("include_distance", "").lower() in _YES
    return answer({"matches": [body if with_distance else body["bank_content_id"] for _, body in found]})


def lookup_file(request: HttpRequest) -> HttpResponse:
    """POST /m/lookup: {kind of hash: {bank: its matches}} of a file, in all its forms.

    Raises UploadNotCompared if nothing matched and the file could not be seen whole.
    """
    admit(request, Scope.SCREEN, Scope.EXPLAIN)
    refuse_address(request)
    require_fresh()
    form = file_of(request)
    try:
        wanted = kinds.kinds_wanted(request, form.field)
        seen = look(form.received, system().decoder)
    finally:
        done_with(form)
    matches = _in_banks(request, find(seen, system().parts()))
    if isinstance(judge(tuple(matches), seen.obstacle), NotScreened) and seen.obstacle:
        refuse_unseen(seen.obstacle)
    # Exact matches are told whether or not they were asked for; "none" only of what was looked up.
    told = {match.signal for match in matches} | (set() if seen.obstacle else set(wanted))
    return answer({kinds.NAMES[kind]: _by_bank(m for m in matches if m.signal is kind) for kind in sorted(told)})


def compare(request: HttpRequest) -> HttpResponse:
    """POST /m/compare: {kind: [whether two hashes match, how far apart they are]}."""
    admit(request, Scope.SCREEN)
    return answer({name: _compared(name, pair) for name, pair in json_body(request).items()})


def index_status(request: HttpRequest) -> HttpResponse:
    """GET /m/index/status: what this process has loaded, of every kind of hash or of one."""
    admit(request, Scope.SCREEN)
    known = system().known
    newest, counts, fresh = system().banks.newest_change(), active_signals(), _is_fresh()
    body: dict[str, dict[str, Any]] = {}
    for kind in _kinds_asked(request):
        level = newest if kind.is_exact else known.ready_to
        size = counts.get(kind, 0) if kind.is_exact else len(known)
        present = kind.is_exact or fresh
        body[kinds.NAMES[kind]] = {"built_to": -1 if level is None else level, "present": present, "size": size}
    return answer(body)


def signal_type_index(request: HttpRequest) -> HttpResponse:
    """GET /c/signal_type/index: how far what is loaded lies behind what is committed."""
    admit(request, Scope.BANKS_READ)
    known, newest, counts = system().known, system().banks.newest_change(), active_signals()
    body = {}
    for kind in _kinds_asked(request):
        level = newest if kind.is_exact else known.ready_to
        size = counts.get(kind, 0) if kind.is_exact else sum(counts.get(one, 0) for one in PERCEPTUAL)
        body[kinds.NAMES[kind]] = {
            "db_size": size,
            "index_size": size if kind.is_exact else len(known),
            "index_out_of_date": level != newest,
            "newest_db_item": newest,
            "index_built_to": -1 if level is None else level,
        }
    return answer(body)


def _kinds_asked(request: HttpRequest) -> list[SignalType]:
    name = request.GET.get("signal_type")
    return [kinds.kind_named(name)] if name is not None else list(kinds.ASKED_FOR)


def _is_fresh() -> bool:
    try:
        require_fresh()
    except HoldfastError:
        return False
    return True


def _matches_of_signal(request: HttpRequest) -> list[Match]:
    """What lies near, or equals, the hash in the address."""
    admit(request, Scope.SCREEN, Scope.EXPLAIN)
    refuse_address(request)
    signal = kinds.signal_named(asked(request, "signal_type"), asked(request, "signal"))
    require_fresh()
    return _in_banks(request, find(as_seen([signal]), system().parts()))


def _in_banks(request: HttpRequest, matches: Iterable[Match]) -> list[Match]:
    """The matches in the banks that the request names, or all. Raises BankUnknown: it would never match."""
    names = [name.strip() for name in request.GET.get("banks", "").split(",") if name.strip()]
    for name in names:
        system().banks.get(name)
    return [match for match in matches if not names or match.bank in names]


def _by_bank(matches: Iterable[Match]) -> dict[str, list[dict[str, Any]]]:
    found: dict[str, list[dict[str, Any]]] = {}
    for match, body in _numbered(matches):
        found.setdefault(match.bank, []).append(body)
    return found


def _numbered(matches: Iterable[Match]) -> list[tuple[Match, dict[str, Any]]]:
    """Each match with HMA's words for it, the nearest first. A distance is text there."""
    nearest = sorted(matches, key=lambda match: match.distance)
    numbers = numbers_of({match.entry for match in nearest})
    return [(one, {"bank_content_id": numbers[one.entry], "distance": str(one.distance)}) for one in nearest]


def _compared(name: str, pair: object) -> list[Any]:
    if not isinstance(pair, list) or len(pair) != _PAIR:
        message = f"{kinds.kind_named(name)}: a list of two hashes is needed"
        raise InvalidRequest(message)
    left, right = (kinds.signal_named(name, value) for value in pair)
    if left.type.is_exact:
        return [left == right, {}]
    distance = _apart(left, right)
    return [distance <= DEFAULT_THRESHOLD, {"distance": distance}]


def _apart(left: Signal, right: Signal) -> int:
    """How many bits of two PDQ hashes differ."""
    words = pdq.from_hex(left.value) ^ pdq.from_hex(right.value)
    return int.from_bytes(words.tobytes()).bit_count()

# SPDX-License-Identifier: Apache-2.0
"""What each table says that the journal says too: how its rows follow from the events of one subject.

Columns that are not here cannot be known from the journal (`screening.uploader_subject`,
`api_key.secret_digest`), hold the id of a sealed record (which has a check of its own, `sealed_check`), or
are service (`changed_in`, `effect.fence`). What an import brought in stands in the journal as a count and a
digest; its entries follow from that until they have events of their own.
"""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Final

from holdfast.access.key import KeyRevoked
from holdfast.access.proposal import ProposalAgreed, ProposalEnd
from holdfast.case.running_clock import ClockStopped
from holdfast.deciders import BY_NOUN
from holdfast.effect.effect import EffectState
from holdfast.hold.contest import ContestOffered
from holdfast.hold.hold import HoldRequested, HoldStaged
from holdfast.intake.proof import ProofReceived
from holdfast.intake.report import ReportReceived
from holdfast.intake.reported import ItemNamed
from holdfast.log.event import Event, encode
from holdfast.log.journal import Recorded
from holdfast.match.entry import Entry, EntryState
from holdfast.match.importing import ImportBegun, ImportPublished
from holdfast.match.screen import ScreeningAnswered, ScreeningAnswered1
from holdfast.match.signal import Signal, SignalType
from holdfast.review.look import COST
from holdfast.store import review_rows
from holdfast.store.bank_rows import record_of
from holdfast.store.decision_rows import COLUMNS, columns_of

Row = Mapping[str, Any]


@dataclass(slots=True)
class Folded:
    """One subject as its events tell it so far."""

    id: str
    state: Any = None
    version: int = 0
    first: Recorded | None = None
    last: Recorded | None = None
    notes: dict[str, Any] = field(default_factory=dict)
    """What a table keeps besides the thing itself."""

    @property
    def begun_at(self) -> datetime | None:
        """When its first event happened."""
        return self.first.at if self.first else None


@dataclass(frozen=True, slots=True, kw_only=True)
class Projection:
    """One table: its key, the journal's noun for it, and the columns that follow from a folded subject."""

    table: str
    key: str
    noun: str
    columns: tuple[str, ...]
    expected: Callable[[Folded], dict[str, Any]]
    evolve: Callable[[Any, str, Event], Any]
    notes: Callable[[Recorded], dict[str, Any]] = lambda _: {}
    begin: Callable[[Row], Any] = lambda _: None
    """What a row is before its own events, where something else brought it in; None if nothing did."""
    extra: str = ""
    """More columns to read, as SQL about the row `t`, for `begin` and for comparing."""
    compare: Callable[[str, Any], Any] = lambda _, value: value
    """A column's value in the table, as the journal would say it."""
    numbered: bool = False
    """Whether a row carries the bank change that last touched it, so that mending it is a bank change."""


def _bank(folded: Folded) -> dict[str, Any]:
    bank = folded.state
    named = {name: getattr(bank, name) for name in ("meaning", "source", "threshold", "exchange")}
    return {**named, "action": _word(bank.action), "state": _word(bank.state), "kind": _word(bank.kind)}


def _entry(folded: Folded) -> dict[str, Any]:
    entry: Entry = folded.state
    return {
        "bank_id": entry.bank,
        "state": _word(entry.state),
        "opinion": _word(entry.opinion),
        "signals": sorted(f"{signal.type.value} {signal.value}" for signal in entry.signals),
    }


def _imported_entry(row: Row) -> Entry | None:
    """An entry that an import brought in, as it was then."""
    if row["import_id"] is None:
        return None
    signals = [text.split(" ", 1) for text in row["signals"]]
    return Entry(
        id=row["id"],
        bank=row["bank_id"],
        signals=tuple(Signal(SignalType(kind), value) for kind, value in signals),
        provenance="",
        state=EntryState.ACTIVE,
    )


def _import(folded: Folded) -> dict[str, Any]:
    """What it holds is known from the journal only once it was published."""
    found = folded.state
    by = folded.first.actor if folded.first else None
    about = {"bank_id": found.bank, "state": _word(found.state)}
    return {**about, "begun_by": by, "begun_at": folded.begun_at, **folded.notes}


def _import_notes(row: Recorded) -> dict[str, Any]:
    match row.happened:
        case ImportBegun(from_exchange=from_exchange):
            return {"from_exchange": from_exchange}
        case ImportPublished() as told:
            return {"entries": told.entries, "signals": told.signals, "refused": told.refused, "digest": told.digest}
    return {}


def _unscreened(folded: Folded) -> dict[str, Any]:
    held = folded.state
    named = {"content_id": held.content, "content_version": held.content_version, "owner": held.owner, "due": held.due}
    states = {"reason": _word(held.reason), "state": _word(held.state)}
    return {**named, **states, "since": folded.begun_at, **folded.notes}


def _screening(folded: Folded) -> dict[str, Any]:
    """A screening is its first event; what comes after adds to it and changes nothing."""
    told = encode(folded.state)
    named = {name: told[name] for name in ("surface", "verdict", "reason", "answer", "shadow", "list_version")}
    by = folded.first.actor if folded.first else None
    ids = {"content_id": told["content"], "content_version": told["content_version"]}
    return {**ids, **named, "matches": told["matches"], "asked_by": by, "at": folded.begun_at}


def _evolve_screening(before: Event | None, _: str, happened: Event) -> Event:
    if before is None and not isinstance(happened, (ScreeningAnswered, ScreeningAnswered1)):
        message = f"no screening begins with {happened.tag!r}"
        raise ValueError(message)
    return before or happened


def _key(folded: Folded) -> dict[str, Any]:
    key = folded.state
    about = {"scopes": sorted(scope.value for scope in key.scopes), "expires_at": key.expires_at}
    return {**about, "person": key.person, "created_at": folded.begun_at, "revoked_at": None, **folded.notes}


def _staff(folded: Folded) -> dict[str, Any]:
    account = folded.state
    about = {"roles": sorted(role.value for role in account.roles), "team": account.team, "outside": account.outside}
    return {**about, "state": _word(account.state), "added_at": folded.begun_at}


def _proposal(folded: Folded) -> dict[str, Any]:
    proposal = folded.state
    about = {name: getattr(proposal, name) for name in ("command", "command_schema", "subject", "at_version")}
    asked = {name: getattr(proposal, name) for name in ("person", "asked_at", "owner", "due")}
    by = folded.first.actor if folded.first else None
    unanswered = {"answered_by": None, "answered_at": None, "solo": False}
    stands = {"asked_by": by, "state": _word(proposal.state)}
    records = {"body_record": record_of(proposal.body), "because_record": record_of(proposal.because)}
    return {**about, **asked, **stands, **records, "answer_record": None, **unanswered, **folded.notes}


def _proposal_notes(row: Recorded) -> dict[str, Any]:
    """What ended it, and where the words for it lie."""
    ended = row.happened
    if not isinstance(ended, ProposalEnd):
        return {}
    solo = isinstance(ended, ProposalAgreed) and ended.solo
    return {"answered_by": row.actor, "answered_at": row.at, "answer_record": record_of(ended.because), "solo": solo}


def _settings(folded: Folded) -> dict[str, Any]:
    return {"values": dict(folded.state.values), "accepted": dict(folded.state.accepted)}


def _effect(folded: Folded) -> dict[str, Any]:
    effect, order = folded.state, folded.state.order
    named = {name: getattr(order, name) for name in ("kind", "item", "location", "owner", "most_tries", "deadline")}
    return {
        **named,
        "weight": _word(order.weight),
        "payload": {one.name: one.id for one in order.payload},
        "state": _word(effect.state),
        "late": effect.late,
        "asked_by": effect.asked_by,
        "enqueued_at": folded.begun_at,
    }


def _effect_compare(column: str, value: Any) -> Any:  # noqa: ANN401  # whatever a table holds
    """A lease is no event: to the journal it is waiting."""
    return EffectState.WAITING.value if column == "state" and value == EffectState.LEASED else value


def _alarm(folded: Folded) -> dict[str, Any]:
    alarm = folded.state
    named = {name: getattr(alarm, name) for name in ("kind", "about", "owner", "acknowledged_by")}
    return {**named, "state": _word(alarm.state), "raised_at": folded.begun_at}


def _report(folded: Folded) -> dict[str, Any]:
    report = folded.state
    words = {"reporter": _word(report.reporter), "category": _word(report.category), "state": _word(report.state)}
    plain = {name: getattr(report, name) for name in ("verified", "contact_stopped", "code_kept")}
    lists = {"elements": sorted(one.value for one in report.elements), "cases": list(report.cases)}
    return {**words, **plain, **lists, "received_at": folded.begun_at, **folded.notes}


def _report_notes(row: Recorded) -> dict[str, Any]:
    """Its reference, and where its words lie."""
    told = row.happened
    if not isinstance(told, ReportReceived):
        return {}
    records = {"words_record": told.words, "contact_record": told.contact, "ages_record": told.known_ages}
    return {
        "reference": told.reference,
        "shown": told.shown,
        **{name: record_of(text) for name, text in records.items()},
    }


def _reported(folded: Folded) -> dict[str, Any]:
    found = folded.state
    words = {"kind": _word(found.kind), "uploader_is": _word(found.uploader_is), "state": _word(found.state)}
    ids = {"report_id": found.report, "case_id": found.case}
    return {**words, **ids, "content_id": found.content, "content_version": found.version, **folded.notes}


def _reported_notes(row: Recorded) -> dict[str, Any]:
    told = row.happened
    return {"address_record": record_of(told.address)} if isinstance(told, ItemNamed) else {}


def _proof(folded: Folded) -> dict[str, Any]:
    proof = folded.state
    lists = {name: sorted(one.value for one in getattr(proof, name)) for name in ("says", "verified")}
    stands = {"report_id": proof.report, "state": _word(proof.state), "views": proof.views}
    return {**lists, **stands, "received_at": folded.begun_at, **folded.notes}


def _proof_notes(row: Recorded) -> dict[str, Any]:
    told = row.happened
    return {"shown_record": record_of(told.shown)} if isinstance(told, ProofReceived) else {}


def _case(folded: Folded) -> dict[str, Any]:
    case = folded.state
    return {"category": _word(case.category), "state": _word(case.state), "opened_at": folded.begun_at}


def _hold(folded: Folded) -> dict[str, Any]:
    hold = folded.state
    ids = {"case_id": hold.case, "content_id": hold.item, "content_version": hold.version, "location": hold.location}
    plain = {name: getattr(hold, name) for name in ("asked_at", "confirmed_at", "looks", "alarmed")}
    return {**ids, **plain, "state": _word(hold.state), **folded.notes}


def _hold_notes(row: Recorded) -> dict[str, Any]:
    told = row.happened
    return {"url_record": record_of(told.url)} if isinstance(told, (HoldRequested, HoldStaged)) else {}


def _contest(folded: Folded) -> dict[str, Any]:
    contest = folded.state
    ids = {"case_id": contest.case, "content_id": contest.content, "blameless": contest.blameless}
    return {**ids, "state": _word(contest.state), "offered_at": folded.begun_at, **folded.notes}


def _contest_notes(row: Recorded) -> dict[str, Any]:
    return {"account_subject": row.happened.account} if isinstance(row.happened, ContestOffered) else {}


def _viewing(folded: Folded) -> dict[str, Any]:
    viewing, one = folded.state, folded.state.picture
    ids = {"case_id": one.case, "content_id": one.content, "content_version": one.version, "pictures": one.of}
    plain = {name: getattr(one, name) for name in ("review", "number", "at_ms", "lasts_ms")}
    words = {"step": _word(one.step), "state": _word(viewing.state), "cost": COST[one.step]}
    return {
        **ids,
        **plain,
        **words,
        "person": viewing.person,
        "session": viewing.session,
        "shown_at": folded.begun_at,
    }


def _review(folded: Folded) -> dict[str, Any]:
    return {**review_rows.columns_of(folded.state), "opened_at": folded.begun_at}


def _decision(folded: Folded) -> dict[str, Any]:
    return columns_of(folded.state)


def _clock(folded: Folded) -> dict[str, Any]:
    clock, terms = folded.state, folded.state.terms
    named = {name: getattr(terms, name) for name in ("subject", "code", "due", "owner", "deputy", "pages")}
    return {
        **named,
        "state": _word(clock.state),
        "stops": _word(terms.stops),
        "started_at": folded.begun_at,
        "alarm_at": encode(folded.first.happened)["alarm_at"] if folded.first else None,
        "alarms_given": clock.alarms_given,
        "next_at": clock.next_at,
        "stopped_at": None,
        **folded.notes,
    }


def _search(folded: Folded) -> dict[str, Any]:
    search, target = folded.state, folded.state.target
    named = {name: getattr(search, name) for name in ("owner", "due", "late", "items", "copies")}
    about = {"bank": target.bank, "entries": list(target.entries), "bank_import": target.bank_import}
    stands = {"state": _word(search.state), "owed_at": folded.begun_at, "hits": search.copies}
    return {**named, **about, "count": target.count, **stands}


def _word(value: Any) -> Any:  # noqa: ANN401  # an enumeration's member, or None
    return value and value.value


def _columns(text: str) -> tuple[str, ...]:
    return tuple(text.split())


PROJECTIONS: Final = (
    Projection(
        table="bank",
        key="name",
        noun="bank",
        columns=_columns("meaning source threshold action state kind exchange version"),
        expected=_bank,
        evolve=BY_NOUN["bank"].evolve,
        numbered=True,
    ),
    Projection(
        table="bank_import",
        key="id",
        noun="import",
        columns=_columns("bank_id from_exchange state begun_by begun_at entries signals refused digest version"),
        expected=_import,
        evolve=BY_NOUN["import"].evolve,
        notes=_import_notes,
        numbered=True,
    ),
    Projection(
        table="entry",
        key="id",
        noun="entry",
        columns=_columns("bank_id state opinion version"),
        expected=_entry,
        evolve=BY_NOUN["entry"].evolve,
        begin=_imported_entry,
        extra="""t.import_id, array(select s.type || ' ' || s.value from entry_signal s where s.entry_id = t.id
            order by s.type collate "C", s.value collate "C") as signals""",
        numbered=True,
    ),
    Projection(
        table="unscreened",
        key="id",
        noun="unscreened",
        columns=_columns("content_id content_version reason state owner since due screening version"),
        expected=_unscreened,
        evolve=BY_NOUN["unscreened"].evolve,
        notes=lambda row: {"screening": row.happened.screening} if hasattr(row.happened, "screening") else {},
    ),
    Projection(
        table="screening",
        key="id",
        noun="screening",
        columns=_columns(
            "content_id content_version surface verdict reason answer shadow list_version matches asked_by at"
        ),
        expected=_screening,
        evolve=_evolve_screening,
    ),
    Projection(
        table="api_key",
        key="prefix",
        noun="key",
        columns=_columns("scopes person created_at expires_at revoked_at version"),
        expected=_key,
        evolve=BY_NOUN["key"].evolve,
        notes=lambda row: {"revoked_at": row.at} if isinstance(row.happened, KeyRevoked) else {},
    ),
    Projection(
        table="staff",
        key="person",
        noun="staff",
        columns=_columns("roles team outside state added_at version"),
        expected=_staff,
        evolve=BY_NOUN["staff"].evolve,
    ),
    Projection(
        table="proposal",
        key="id",
        noun="proposal",
        columns=_columns(
            "command command_schema body_record subject at_version person asked_by because_record asked_at owner "
            "due state answered_by answer_record answered_at solo version"
        ),
        expected=_proposal,
        evolve=BY_NOUN["proposal"].evolve,
        notes=_proposal_notes,
    ),
    Projection(
        table="settings_in_force",
        key="id",
        noun="settings",
        columns=_columns("values accepted version"),
        expected=_settings,
        evolve=BY_NOUN["settings"].evolve,
    ),
    Projection(
        table="effect",
        key="id",
        noun="effect",
        columns=_columns(
            "kind item location weight payload owner most_tries deadline state late asked_by enqueued_at version"
        ),
        expected=_effect,
        evolve=BY_NOUN["effect"].evolve,
        compare=_effect_compare,
    ),
    Projection(
        table="alarm",
        key="id",
        noun="alarm",
        columns=_columns("kind about owner state acknowledged_by raised_at version"),
        expected=_alarm,
        evolve=BY_NOUN["alarm"].evolve,
    ),
    Projection(
        table="report",
        key="id",
        noun="report",
        columns=_columns(
            "reference reporter verified category state elements words_record contact_record ages_record shown "
            "cases contact_stopped code_kept received_at version"
        ),
        expected=_report,
        evolve=BY_NOUN["report"].evolve,
        notes=_report_notes,
    ),
    Projection(
        table="reported",
        key="id",
        noun="reported",
        columns=_columns("report_id kind address_record uploader_is state content_id content_version case_id version"),
        expected=_reported,
        evolve=BY_NOUN["reported"].evolve,
        notes=_reported_notes,
    ),
    Projection(
        table="proof",
        key="id",
        noun="proof",
        columns=_columns("report_id state says verified shown_record views received_at version"),
        expected=_proof,
        evolve=BY_NOUN["proof"].evolve,
        notes=_proof_notes,
    ),
    Projection(
        table="cases",
        key="id",
        noun="case",
        columns=_columns("category state opened_at version"),
        expected=_case,
        evolve=BY_NOUN["case"].evolve,
    ),
    Projection(
        table="hold",
        key="id",
        noun="hold",
        columns=_columns(
            "case_id content_id content_version location url_record state asked_at confirmed_at looks alarmed version"
        ),
        expected=_hold,
        evolve=BY_NOUN["hold"].evolve,
        notes=_hold_notes,
    ),
    Projection(
        table="contest",
        key="id",
        noun="contest",
        columns=_columns("case_id content_id account_subject blameless state offered_at version"),
        expected=_contest,
        evolve=BY_NOUN["contest"].evolve,
        notes=_contest_notes,
    ),
    Projection(
        table="viewing",
        key="id",
        noun="viewing",
        columns=_columns(
            "person session case_id review content_id content_version step number pictures at_ms lasts_ms cost state "
            "shown_at version"
        ),
        expected=_viewing,
        evolve=BY_NOUN["viewing"].evolve,
    ),
    Projection(
        table="review",
        key="id",
        noun="review",
        columns=_columns(f"{review_rows.COLUMNS} opened_at version"),
        expected=_review,
        evolve=BY_NOUN["review"].evolve,
    ),
    Projection(
        table="decision",
        key="id",
        noun="decision",
        columns=_columns(f"{COLUMNS} version"),
        expected=_decision,
        evolve=BY_NOUN["decision"].evolve,
    ),
    Projection(
        table="clock",
        key="id",
        noun="clock",
        columns=_columns(
            "subject code state started_at due stops alarm_at owner deputy pages alarms_given next_at stopped_at "
            "version"
        ),
        expected=_clock,
        evolve=BY_NOUN["clock"].evolve,
        notes=lambda row: {"stopped_at": row.at} if isinstance(row.happened, ClockStopped) else {},
    ),
    Projection(
        table="archive_search",
        key="id",
        noun="archive.search",
        columns=_columns("bank entries bank_import count state owner due late items copies owed_at version"),
        expected=_search,
        evolve=BY_NOUN["archive.search"].evolve,
        extra="(select count(*) from archive_hit h where h.search = t.id) as hits",
    ),
)

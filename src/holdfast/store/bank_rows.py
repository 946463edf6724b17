# SPDX-License-Identifier: Apache-2.0
"""Banks and entries as rows: how they are written, read back as values, and found by their signals."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from types import MappingProxyType
from typing import Final

from django.db.models import Q

from holdfast.match.bank import Action, Bank, BankKind, BankState
from holdfast.match.entry import Entry, EntryState, Opinion
from holdfast.match.importing import ImportState
from holdfast.match.screen import Match
from holdfast.match.signal import PERCEPTUAL, InVideo, Signal, SignalType
from holdfast.match.video import VideoRule
from holdfast.sealed.text import SealedText
from holdfast.store.models import BankRow, EntryRow, EntrySignalRow
from holdfast.store.sealing import PostgresSealer

BATCH: Final = 1000
# An entry stands in its bank if it was added by itself, or by an import that was published.
STANDS: Final = "(i.state is null or i.state = 'published')"
_COUNTS: Final = f"e.state = 'active' and b.state = 'active' and {STANDS}"
_SIGNALS: Final = """
from entry_signal s join entry e on e.id = s.entry_id join bank b on b.name = e.bank_id
    left join bank_import i on i.id = e.import_id
"""
_AS_ROWS: Final = f"s.id, decode(s.value, 'hex'), {_COUNTS}"
# What lies in the index: pictures' hashes, and those of the frames of videos.
_PERCEPTUAL: Final = "type in ('pdq', 'vpdq')"
# Every perceptual label, with its hash, and whether it counts.
WHOLE: Final = f"copy (select {_AS_ROWS} {_SIGNALS} where s.{_PERCEPTUAL}) to stdout (format binary)"
# The same of entries that were touched after a change, by themselves, with their bank, or with their import: each
# found by its own key, because one condition over all three is a walk through everything at every bank change.
CHANGED: Final = f"""
copy (
    select {_AS_ROWS}
    from (
        select id from entry where changed_in > %(number)s
        union select e.id from bank b cross join lateral (select id from entry where bank_id = b.name offset 0) e
            where b.changed_in > %(number)s
        union select e.id from bank_import i cross join lateral (select id from entry where import_id = i.id offset 0) e
            where i.changed_in > %(number)s
    ) touched
    join entry e on e.id = touched.id join bank b on b.name = e.bank_id left join bank_import i on i.id = e.import_id
    cross join lateral (select id, value from entry_signal where entry_id = e.id and {_PERCEPTUAL} offset 0) s
) to stdout (format binary)
"""  # noqa: S608  # made of constants
# Signal first, then its entry by key, whatever the statistics say: right after a big import there are none, and
# a plan that began with the bank took 0.9 s for one screening ("offset 0" keeps the planner from turning it round).
_BY_KEY: Final = """
from entry_signal s cross join lateral (select * from entry where id = s.entry_id offset 0) e
    join bank b on b.name = e.bank_id left join bank_import i on i.id = e.import_id
"""
_FACTS: Final = "b.name, e.id, b.action, b.threshold, b.kind, e.opinion"
# What stands behind labels found in the index, as far as it counts now.
BY_LABEL: Final = f"select s.id, s.type, s.value, {_FACTS} {_BY_KEY} where s.id = any(%s) and {_COUNTS}"
# The frames of known videos in their order, and the rules of the banks they are in.
VIDEOS: Final = """
select e.id, b.least_frames, b.least_seconds, b.query_percent, b.compared_percent,
    array_agg(s.id order by s.at_ms, s.frame), array_agg(s.at_ms order by s.at_ms, s.frame),
    decode(string_agg(s.value, '' order by s.at_ms, s.frame), 'hex')
from entry e join bank b on b.name = e.bank_id
    cross join lateral (select * from entry_signal where entry_id = e.id and type = 'vpdq' offset 0) s
where e.id = any(%s) group by e.id, b.name
"""
# What stands behind digests, as far as it counts now; the strongest digest first.
BY_VALUE: Final = f"""
select s.type, s.value, {_FACTS} {_BY_KEY}
where s.value = any(%s) and not s.{_PERCEPTUAL} and {_COUNTS}
order by s.type desc, s.id
"""
# The newest bank change, and which of these digests stand in any bank in whatever state.
LOOK_UP: Final = f"""
select c.number, c.token::text,
    array(select s.value from entry_signal s where s.value = any(%s) and not s.{_PERCEPTUAL})
from bank_change c order by c.number desc limit 1
"""  # noqa: S608  # made of constants
COUNTED_SIGNALS: Final = f"select s.type, count(*) {_SIGNALS} where {_COUNTS} group by s.type"
COUNTED_PERCEPTUAL: Final = f"select count(*) {_SIGNALS} where s.{_PERCEPTUAL} and {_COUNTS}"
COUNTED: Final = f"""
select e.bank_id, count(*) from entry e left join bank_import i on i.id = e.import_id
where e.state = 'active' and {STANDS} group by e.bank_id
"""  # noqa: S608  # made of constants
STANDING: Final = Q(imported_in__isnull=True) | Q(imported_in__state=ImportState.PUBLISHED)
Facts = tuple[str, str, str | None, int, str, str | None]


def write_bank(bank: Bank, version: int, number: int) -> None:
    """Insert or update a bank, at its journal version, in bank change `number`."""
    values = {
        "meaning": bank.meaning,
        "source": bank.source,
        "threshold": bank.threshold,
        "action": bank.action,
        "state": bank.state,
        "kind": bank.kind,
        "exchange": bank.exchange,
        "least_frames": bank.video.least_frames,
        "least_seconds": bank.video.least_seconds,
        "query_percent": bank.video.query_percent,
        "compared_percent": bank.video.compared_percent,
        "version": version,
        "changed_in": number,
    }
    BankRow.objects.update_or_create(name=bank.name, defaults=values)


def write_entries(added: Sequence[Entry], number: int, now: datetime) -> None:
    """Insert new entries, their provenance sealed, with their signals, in bank change `number`."""
    EntryRow.objects.bulk_create(
        [
            EntryRow(
                id=entry.id,
                bank_id=entry.bank,
                provenance_record=record_of(entry.provenance),
                state=entry.state,
                version=1,
                changed_in=number,
                added_at=now,
            )
            for entry in added
        ],
        batch_size=BATCH,
    )
    signals = [_signal_row(entry.id, signal) for entry in added for signal in entry.signals]
    EntrySignalRow.objects.bulk_create(signals, batch_size=BATCH)


def _signal_row(entry_id: str, signal: Signal) -> EntrySignalRow:
    row = EntrySignalRow(entry_id=entry_id, type=signal.type, value=signal.value)
    if signal.frame:
        row.frame, row.at_ms, row.quality = signal.frame.number, signal.frame.at_ms, signal.frame.quality
    return row


def bank_of(row: BankRow) -> Bank:
    """The bank that a row holds."""
    return Bank(
        name=row.name,
        meaning=row.meaning,
        source=row.source,
        threshold=row.threshold,
        action=Action(row.action) if row.action else None,
        state=BankState(row.state),
        kind=BankKind(row.kind),
        exchange=row.exchange,
        video=VideoRule(
            least_frames=row.least_frames,
            least_seconds=row.least_seconds,
            query_percent=row.query_percent,
            compared_percent=row.compared_percent,
        ),
    )


def record_of(text: str) -> str:
    """The sealed record of a text that was sealed."""
    assert isinstance(text, SealedText)
    return text.record


def provenances(rows: Sequence[EntryRow], sealer: PostgresSealer) -> Mapping[str, str]:
    """What the sealed records of these entries say, by record."""
    return sealer.open_texts(row.provenance_record for row in rows if row.provenance_record)


def entry_of(row: EntryRow, says: Mapping[str, str] = MappingProxyType({})) -> Entry:
    """The entry that a row and its signals hold; its provenance is empty unless `says` tells it."""
    provenance = row.provenance or says.get(row.provenance_record or "", "")
    in_order = sorted(row.signals.all(), key=lambda one: one.id)  # a table has no order, and the first ones are shown
    signals = tuple(signal_of(one) for one in in_order)
    return Entry(
        id=row.id,
        bank=row.bank_id,
        signals=signals,
        provenance=provenance,
        state=EntryState(row.state),
        opinion=Opinion(row.opinion) if row.opinion else None,
    )


def signal_of(row: EntrySignalRow) -> Signal:
    """The signal that a row holds."""
    if row.frame is None or row.at_ms is None or row.quality is None:
        return Signal(SignalType(row.type), row.value)
    return Signal(SignalType(row.type), row.value, InVideo(row.frame, row.at_ms, row.quality))


def firmness(row: Facts) -> bool:
    """Sorts the firmest first among entries of one bank that hold an equal signal.

    Of known material that is one nobody disputes; of benign material a disputed one, which excuses nothing.
    """
    return (row[4] == BankKind.BENIGN) != (row[5] == Opinion.DISPUTED)


def match_of(row: Facts, signal: SignalType, variant: str, distance: int) -> Match:
    """The match with the facts that BY_LABEL and BY_VALUE give."""
    bank, entry, action, threshold, kind, opinion = row
    return Match(
        bank=bank,
        entry=entry,
        signal=signal,
        variant=variant,
        distance=distance,
        threshold=threshold if signal in PERCEPTUAL else 0,
        action=Action(action) if action else None,
        kind=BankKind(kind),
        opinion=Opinion(opinion) if opinion else None,
    )

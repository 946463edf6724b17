# SPDX-License-Identifier: Apache-2.0
"""What proposals can be about: for each noun its version now, what a command would do to it, and the doing."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from dataclasses import asdict, dataclass
from typing import Any, Final

from holdfast.access.key import CreateKey, decide_key
from holdfast.access.staff import Account, AddStaff, decide_staff, evolve_staff
from holdfast.access.two_people import Agreed
from holdfast.errors import EntryUnknown, ImportUnknown
from holdfast.match import bank as banks
from holdfast.match.importing import PublishImport, RollBackImport
from holdfast.match.two_people import AddEntries
from holdfast.sealed.subject import SealedSubject
from holdfast.store.bank_changes import allowed
from holdfast.store.bank_rows import bank_of
from holdfast.store.banks import PostgresBanks
from holdfast.store.imports import PostgresImports
from holdfast.store.keys import PostgresKeys
from holdfast.store.models import ApiKeyRow, BankImportRow, BankRow, EntryRow, SettingsRow
from holdfast.store.safety import PostgresSafety
from holdfast.store.sealed_subjects import PostgresSealed
from holdfast.store.staff import PostgresStaff

Effect = dict[str, Any]
"""What a command would do: `before` and `after` where they can be told, `entries` that it touches."""
ON_BANKS: Final = frozenset({"bank", "entry", "import"})
"""Nouns whose changes are bank changes."""


def _no_half(_id: str, _proposal: str) -> None:
    """What most nouns have."""


@dataclass(frozen=True, slots=True)
class Subject:
    """One noun, by id."""

    version: Callable[[str], int | None]
    """Its journal version now; None if it is gone."""
    effect: Callable[[str, Any], Effect]
    """What a command would do to it, as JSON types."""
    carry_out: Callable[[str, Any, Agreed], object]
    """Do it, inside the open transaction. Raises what the doing raises."""
    draw_half: Callable[[str, str], str | None] = _no_half
    """Of what two people give somebody else, by id and proposal: the half that whoever agreed gives them, once."""


def subjects(
    *,
    banks: PostgresBanks,
    imports: PostgresImports,
    keys: PostgresKeys,
    safety: PostgresSafety,
    sealed: PostgresSealed,
    staff: PostgresStaff,
) -> Mapping[str, Subject]:
    """Every noun that proposals can be about."""
    return {
        **_of_banks(banks, imports),
        "key": Subject(
            lambda prefix: _version(ApiKeyRow, prefix=prefix) or 0,
            _key_effect,
            lambda _prefix, command, agreed: keys.write(command, actor=agreed),
            keys.draw_half,
        ),
        "staff": Subject(
            staff.version,
            lambda person, command: _staff_effect(staff, person, command),
            lambda person, command, agreed: staff.change(person, command, actor=agreed),
            staff.draw_half,
        ),
        "settings": Subject(
            lambda _: _version(SettingsRow),
            lambda _id, _command: _settings_effect(safety),
            lambda _, command, agreed: safety.accept(command, actor=agreed),
        ),
        "sealed": Subject(
            sealed.version,
            lambda subject, command: _sealed_effect(sealed, subject, command),
            lambda subject, command, agreed: sealed.change(subject, command, actor=agreed),
        ),
    }


def _of_banks(banks: PostgresBanks, imports: PostgresImports) -> Mapping[str, Subject]:
    return {
        "bank": Subject(
            lambda name: _version(BankRow, name=name),
            _bank_effect,
            lambda name, command, agreed: (
                banks.add_all(name, command, actor=agreed)
                if isinstance(command, AddEntries)
                else banks.change_bank(name, command, actor=agreed)
            ),
        ),
        "entry": Subject(
            lambda entry: _version(EntryRow, id=entry),
            _entry_effect,
            lambda entry, command, agreed: banks.change_entry(_bank_of_entry(entry), entry, command, actor=agreed),
        ),
        "import": Subject(
            lambda found: _version(BankImportRow, id=found),
            _import_effect,
            lambda found, command, agreed: _carry_out_import(imports, found, command, agreed),
        ),
    }


def _version(model: Any, **where: str) -> int | None:  # noqa: ANN401  # any model with a version
    found: int | None = model.objects.filter(**where).values_list("version", flat=True).first()
    return found


def _bank_effect(name: str, command: Any) -> Effect:  # noqa: ANN401  # bank commands and AddEntries
    row = BankRow.objects.get(name=name)
    if isinstance(command, AddEntries):
        provenance = sorted({entry.provenance for entry in command.entries})
        return {"adds_to": name, "entries": len(command.entries), "provenance": provenance}
    before = after = bank_of(row)
    for happened in allowed(banks.decide_bank(before, command)):
        after = banks.evolve_bank(after, happened)
    active = EntryRow.objects.filter(bank_id=name, state="active").count()
    return {"before": _bank_facts(before), "after": _bank_facts(after), "entries": active}


def _bank_facts(bank: banks.Bank) -> Effect:
    facts = {"state": bank.state.value, "threshold": bank.threshold, "action": bank.action and bank.action.value}
    return {**facts, "video": asdict(bank.video)}


def _entry_effect(entry_id: str, command: Any) -> Effect:  # noqa: ANN401  # any entry command
    row = EntryRow.objects.select_related("bank").get(id=entry_id)
    signals = list(dict.fromkeys(signal.type for signal in row.signals.all()))  # a film has one for each frame
    before = {"bank": row.bank_id, "state": row.state, "opinion": row.opinion, "signals": signals}
    after = {"RemoveEntry": "removed", "DisableEntry": "disabled", "EnableEntry": "active"}.get(type(command).__name__)
    opinion = getattr(command, "opinion", None)
    changed = {"state": after or row.state, "opinion": opinion.value if opinion else row.opinion}
    return {"before": before, "after": {**before, **changed}, "entries": 1}


def _import_effect(import_id: str, command: Any) -> Effect:  # noqa: ANN401  # any import command
    row = BankImportRow.objects.get(id=import_id)
    after = "published" if isinstance(command, PublishImport) else "rolled_back"
    about = {"bank": row.bank_id, "source": row.source}
    return {"before": {**about, "state": row.state}, "after": {**about, "state": after}, "entries": row.entries}


def _key_effect(prefix: str, command: CreateKey) -> Effect:
    allowed(decide_key(None, command))
    ends = command.expires_at.isoformat() if command.expires_at else None
    about = {"label": command.label, "person": command.person, "scopes": sorted(command.scopes), "expires_at": ends}
    return {"makes_key": prefix, **about}


def _staff_effect(staff: PostgresStaff, person: str, command: Any) -> Effect:  # noqa: ANN401  # any staff command
    before = after = staff.account(person)
    for happened in allowed(decide_staff(before, command)):
        after = evolve_staff(after, person, happened)
    own = {"account": command.account} if isinstance(command, AddStaff) else {}
    return {"before": _staff_facts(before), "after": {**_staff_facts(after), **own}}


def _staff_facts(account: Account | None) -> Effect:
    if account is None:
        return {}
    about = {"person": account.person, "roles": sorted(account.roles), "team": account.team}
    return {**about, "outside": account.outside, "state": account.state.value}


def _settings_effect(safety: PostgresSafety) -> Effect:
    found = safety.found()
    weak = found.weakened if found else ()
    values = (found.accepted, found.values) if found else ({}, {})
    return {"before": {name: values[0][name] for name in weak}, "after": {name: values[1][name] for name in weak}}


def _sealed_effect(sealed: PostgresSealed, subject_id: str, command: Any) -> Effect:  # noqa: ANN401
    before, after, records = sealed.preview(subject_id, command)
    return {"before": _sealed_facts(before), "after": _sealed_facts(after), "records": records}


def _sealed_facts(subject: SealedSubject) -> Effect:
    return {"state": subject.state.value, "holds": [hold.id for hold in subject.holds]}


def _bank_of_entry(entry_id: str) -> str:
    found = EntryRow.objects.filter(id=entry_id).values_list("bank_id", flat=True).first()
    if found is None:
        raise EntryUnknown(entry_id)
    return str(found)


def _carry_out_import(imports: PostgresImports, import_id: str, command: Any, agreed: Agreed) -> None:  # noqa: ANN401
    row = BankImportRow.objects.filter(id=import_id).first()
    if row is None:
        raise ImportUnknown(import_id)
    if isinstance(command, PublishImport):
        imports.publish_agreed(row.bank_id, import_id, command.contents, actor=agreed)
        return
    assert isinstance(command, RollBackImport)
    imports.roll_back(row.bank_id, import_id, because=command.because, actor=agreed)

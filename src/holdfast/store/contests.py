# SPDX-License-Identifier: Apache-2.0
"""What whoever posted a held item is told, and what they answer, in PostgreSQL.

Their words open their answer and nothing else. They follow from the keyring and the contest's id, so that the
platform can be told the same ones again; whoever reports gets words that follow from nothing.
"""

from __future__ import annotations

from collections.abc import Collection, Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Final

from django.db import transaction

from holdfast.alarm.kinds import AlarmKind
from holdfast.case.clock import Moment, started_at
from holdfast.errors import ReceiptUnknown
from holdfast.hold.contest import (
    CONTEST_TRANSITIONS,
    Contest,
    ContestCommand,
    ContestHold,
    ContestState,
    FindNobody,
    MarkTold,
    OfferContest,
)
from holdfast.hold.hold import HoldState
from holdfast.hold.notice import NoticeText, held_notice
from holdfast.hold.platform import Act, Acted, Notice
from holdfast.intake.code import CODE_BYTES, code_of, read_code
from holdfast.intake.reporter import UploaderIs
from holdfast.sealed.text import ERASED
from holdfast.store.case_book import order
from holdfast.store.deciding import Step, Told, take_steps
from holdfast.store.many import update_many
from holdfast.store.means import Means
from holdfast.store.models import CaseItemRow, ContestRow, HoldRow, ReportedRow, SealedRecordRow

NOTIFY: Final = "account.notify"
_CODE: Final = "contest code"
_WORDS: Final = "contest words"
_SYSTEM: Final = "system:holds"
_HELD: Final = (HoldState.CONFIRMED, HoldState.BREACHED)
_BLAMELESS: Final = [kind for kind in UploaderIs if kind.blameless]


@dataclass(frozen=True, slots=True, kw_only=True)
class OpenedContest:
    """What whoever holds the words may see: since when, and where it stands. Nothing of a report."""

    id: str
    offered_at: datetime
    state: ContestState
    is_held: bool


class PostgresContests:
    """Notices and contests. It is a `holdfast.hold.follow_up.Told`."""

    def __init__(
        self,
        means: Means,
        *,
        public_url: str | None,
    ) -> None:
        """Work with `means`; `public_url` is where people reach this Holdfast."""
        self._means = means
        self._journal = means.journal
        self._effects = means.effects
        self._alarms = means.alarms
        self._clock = means.clock
        self._new_id = means.new_id
        self._owner = means.owner
        self._answer_url = f"{public_url.rstrip('/')}/case" if public_url else None

    def offer(self, case: str, contents: Collection[str], at: datetime) -> None:
        """Owe a notice to the account of each of these items, which are held now, once, inside the open transaction.

        Where anybody said that the account may be the depicted person's, the notice does not mention a report.
        """
        told = set(ContestRow.objects.filter(case_id=case).values_list("content_id", flat=True))
        items = CaseItemRow.objects.filter(content_id__in=set(contents) - told, account_subject__isnull=False)
        offered = {self._new_id("ctt"): item for item in items.order_by("content_id")}
        named = ReportedRow.objects.filter(content_id__in=[one.content_id for one in offered.values()])
        blameless = set(named.filter(uploader_is__in=_BLAMELESS).values_list("content_id", flat=True))
        commands = {key: _command(case, item, blameless) for key, item in offered.items()}
        steps = [Step("contest", key, None, 0, command) for key, command in commands.items()]
        begun = take_steps(self._journal, steps, actor=_SYSTEM, at=at)
        ContestRow.objects.bulk_create(
            self._row_of(key, commands[key], told, at) for key, told in zip(commands, begun, strict=True)
        )
        waiting = ContestRow.objects.filter(case_id=case, content_id__in=contents, state=ContestState.OFFERED)
        if waiting.exists():
            self._effects.enqueue([order(NOTIFY, case, at, self._owner, case=case)], actor=_SYSTEM, at=at)

    def _row_of(self, key: str, offer: OfferContest, told: Told, at: datetime) -> ContestRow:
        return ContestRow(
            id=key,
            case_id=offer.case,
            content_id=offer.content,
            account_subject=offer.account,
            code_digest=self._digest(self._words(key)),
            blameless=offer.blameless,
            state=told.after.state,
            offered_at=at,
            version=told.version,
        )

    def account(self, subject: str | None) -> str | None:
        """The platform's reference that a sealed subject holds; None if there is none, or it was erased."""
        return None if subject is None else self.accounts([subject]).get(subject)

    def owed(self, case: str) -> list[Notice]:
        """What is to be told of a case now: see `Told`.

        Nobody is told that something is hidden before it is. Who was erased here can be told nothing.
        """
        held = HoldRow.objects.filter(case_id=case, state__in=_HELD).values("content_id")
        waiting = ContestRow.objects.filter(case_id=case, state=ContestState.OFFERED, content_id__in=held)
        rows = list(waiting.order_by("id"))
        accounts = self.accounts(row.account_subject for row in rows)
        self._settle(case, {row.id: FindNobody() for row in rows if row.account_subject not in accounts})
        return [
            self.notice(row, accounts[row.account_subject], held_notice(blameless=row.blameless), key=row.id)
            for row in rows
            if row.account_subject in accounts
        ]

    def heard(self, case: str, answers: Sequence[tuple[Notice, Act]]) -> None:
        """Write whom the platform told, and whom it does not know any more; who was refused is still to be told."""
        found: dict[str, ContestCommand] = {
            one.id: FindNobody() if act.acted is Acted.GONE else MarkTold(NoticeText(one.title, one.text).digest)
            for one, act in answers
            if act.acted is not Acted.REFUSED
        }
        self._settle(case, found)

    def _settle(self, case: str, found: Mapping[str, ContestCommand]) -> None:
        if not found:
            return
        at = self._clock()
        with transaction.atomic(durable=True):
            rows = ContestRow.objects.select_for_update(no_key=True).filter(id__in=found).order_by("id")
            self._apply([(row, found[row.id]) for row in rows if _fits(row, found[row.id])], _SYSTEM)
            if not ContestRow.objects.filter(case_id=case, state=ContestState.OFFERED).exists():
                self._means.clocks.stop(f"case:{case}", Moment.NOTICE_GIVEN, at=at, actor=_SYSTEM)

    def accounts(self, subjects: Iterable[str]) -> dict[str, str]:
        """The platform's references that these sealed subjects hold; those that were erased are left out."""
        records = dict(
            SealedRecordRow.objects.filter(subject_id__in=set(subjects)).values_list("id", "subject_id").order_by("id")
        )
        opened = self._journal.sealer.open_texts(records)
        return {records[record]: text for record, text in opened.items() if text != ERASED}

    def notice(self, row: ContestRow, account: str, text: NoticeText, *, key: str) -> Notice:
        """What an account is told about something of theirs, with the words that open their answer; `key` is its id."""
        return Notice(
            id=key,
            account=account,
            content=row.content_id,
            title=text.title,
            text=text.text,
            answer_url=self._answer_url,
            answer_code=self._words(row.id),
        )

    def open(self, untrusted_code: str) -> OpenedContest:
        """What these words open. Raises InvalidRequest if they are none, or ReceiptUnknown."""
        return _opened(self._row(untrusted_code))

    def contest(self, untrusted_code: str, words: str) -> OpenedContest:
        """Say why it should be visible again; raises as `open` does, and InvalidRequest."""
        with transaction.atomic(durable=True):
            row = self._row(untrusted_code, lock=True)
            self._apply([(row, ContestHold(words))], f"contest:{row.id}")
            at = self._clock()
            about = f"contest:{row.id}"
            self._means.clocks.start(about, started_at(Moment.CONTESTED), at=at, actor=_SYSTEM)
            self._alarms.call(AlarmKind.HOLD_CONTESTED, about, self._owner, actor=_SYSTEM, at=at)
        return _opened(row)

    def _apply(self, changes: Sequence[tuple[ContestRow, ContestCommand]], actor: str) -> None:
        steps = [Step("contest", row.id, contest_of(row), row.version, command) for row, command in changes]
        for (row, _), told in zip(
            changes, take_steps(self._journal, steps, actor=actor, at=self._clock()), strict=True
        ):
            row.state, row.version = told.after.state, told.version
        update_many([row for row, _ in changes], ("state", "version"))

    def _row(self, untrusted_code: str, *, lock: bool = False) -> ContestRow:
        rows = ContestRow.objects.select_for_update(no_key=True) if lock else ContestRow.objects.all()
        row = rows.filter(code_digest=self._digest(read_code(untrusted_code))).first()
        if row is None:
            raise ReceiptUnknown
        return row

    def _words(self, contest_id: str) -> str:
        return code_of(self._journal.sealer.finds(_WORDS, contest_id)[:CODE_BYTES])

    def _digest(self, code: str) -> bytes:
        return self._journal.sealer.finds(_CODE, code)


def contest_of(row: ContestRow) -> Contest:
    """The contest that a row holds."""
    return Contest(
        case=row.case_id,
        content=row.content_id,
        state=ContestState(row.state),
        blameless=row.blameless,
    )


def _command(case: str, item: CaseItemRow, blameless: Collection[str | None]) -> OfferContest:
    return OfferContest(
        case=case,
        content=item.content_id,
        account=str(item.account_subject),
        blameless=item.content_id in blameless,
    )


def _is_held(row: ContestRow) -> bool:
    return HoldRow.objects.filter(case_id=row.case_id, content_id=row.content_id, state__in=_HELD).exists()


def _fits(row: ContestRow, command: ContestCommand) -> bool:
    """Whether this is still news: somebody may have heard it already, or have answered meanwhile."""
    return (ContestState(row.state), type(command)) in CONTEST_TRANSITIONS


def _opened(row: ContestRow) -> OpenedContest:
    return OpenedContest(
        id=row.id,
        offered_at=row.offered_at,
        state=ContestState(row.state),
        is_held=_is_held(row),
    )

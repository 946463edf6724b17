# SPDX-License-Identifier: Apache-2.0
"""What each account is told of a decision: of the item that it is about, and of exact copies that follow it.

The promises: the words open the same answer as those that came when it was hidden; nobody is told what was reversed,
nor a removal that its finder can still take back; and what takes the place of a wrong decision says so.
"""

from __future__ import annotations

from collections.abc import Sequence

from holdfast.decision.decision import Decision, DecisionKind, DecisionState, Party
from holdfast.decision.statement import statement
from holdfast.decision.take import Wait
from holdfast.hold.platform import Notice
from holdfast.review.review import AFTERTHOUGHT
from holdfast.store.contests import PostgresContests
from holdfast.store.decision_rows import decision_of
from holdfast.store.means import Means
from holdfast.store.models import ContestRow, DecisionRow


class DecisionNotices:
    """The notices of decisions. It is a `holdfast.decision.telling.Tellable`."""

    def __init__(self, means: Means, contests: PostgresContests) -> None:
        """Find accounts and words in `contests`."""
        self._means = means
        self._contests = contests

    def to_tell(self, decision_id: str) -> Wait | Sequence[Notice]:
        """See `Tellable`."""
        row = DecisionRow.objects.get(id=decision_id)
        decision = decision_of(row)
        if decision.state is DecisionState.REVERSED:
            return []
        sure = decision.made_at + AFTERTHOUGHT
        if decision.kind.removes and self._means.clock() < sure:
            return Wait(sure)
        return self._notices(row.id, decision)

    def _notices(self, decision_id: str, decision: Decision) -> list[Notice]:
        contents = {content for content, _ in decision.items}
        rows = list(ContestRow.objects.filter(case_id=decision.case, content_id__in=contents).order_by("id"))
        accounts = self._contests.accounts(row.account_subject for row in rows)
        undoes = undoes_another(decision)
        looked = f"{decision_id}.{len(decision.upheld_by)}"
        return [
            self._contests.notice(
                row,
                accounts[row.account_subject],
                statement(decision, Party.UPLOADER, blameless=row.blameless, undoes=undoes),
                key=f"{looked}.{row.id}",
            )
            for row in rows
            if row.account_subject in accounts
        ]


def undoes_another(decision: Decision) -> bool:
    """Whether it lets be seen what was removed before, by a decision that was reversed."""
    if decision.kind.removes:
        return False
    removals = [kind.value for kind in DecisionKind if kind.removes]
    rows = DecisionRow.objects.filter(content_id=decision.content, content_version=decision.version)
    return rows.filter(state=DecisionState.REVERSED, kind__in=removals).exists()

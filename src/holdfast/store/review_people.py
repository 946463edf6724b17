# SPDX-License-Identifier: Apache-2.0
"""Who may look at what: the people who work here now, what bears on each, and the lot that picks one."""

from __future__ import annotations

import secrets
from collections.abc import Callable, Iterable, Mapping, Sequence
from dataclasses import dataclass
from typing import Final

from holdfast.access.role import Colleague
from holdfast.errors import Refusal, Refused
from holdfast.review.eligible import Matter, asked, may_look
from holdfast.review.review import Review
from holdfast.store.models import CaseItemRow

SAMPLED_OF: Final = 10
"""One of so many reviews has a second look whatever the first says."""
Colleagues = Callable[[], Sequence[Colleague]]
Accounts = Callable[[Iterable[str]], Mapping[str, str]]
"""The platform's references that sealed subjects hold; without those that were erased."""
_NOBODY: Final = Refusal("review.no_colleague", "nobody of this name works here now")


@dataclass(frozen=True, slots=True, kw_only=True)
class Asking:
    """Who can be asked, and by what lot: `chance(n)` is any number below n, and nobody can foretell it."""

    colleagues: Colleagues = tuple
    chance: Callable[[int], int] = secrets.randbelow


@dataclass(frozen=True, slots=True, kw_only=True)
class People:
    """The people of a review."""

    asking: Asking
    accounts: Accounts
    """Names the platform's accounts that bear on a conflict of interest."""

    def here(self) -> Sequence[Colleague]:
        """Whoever can be asked now."""
        return self.asking.colleagues()

    def sampled(self) -> bool:
        """Whether the lot asks for a second look."""
        return self.asking.chance(SAMPLED_OF) == 0

    def drawn(self, review: Review, here: Sequence[Colleague]) -> Colleague | None:
        """Whom the lot picks among those who may look; None if nobody may."""
        return asked(here, _matter(review, here, self.accounts), review.turn, self.asking.chance(2**32))

    def check(self, review: Review, person: str) -> None:
        """Raise Refused unless somebody may look still: powers may have been taken since they were asked."""
        here = self.here()
        found = next((one for one in here if one.person == person), None)
        refusal = _NOBODY if found is None else may_look(found, _matter(review, here, self.accounts))
        if refusal:
            raise Refused(refusal)


def _matter(review: Review, here: Sequence[Colleague], accounts: Accounts) -> Matter:
    """What bears on who may look: whose it is, who spoke, and of which teams they are."""
    posted = CaseItemRow.objects.filter(content_id=review.content, account_subject__isnull=False)
    subjects = [str(one) for one in posted.values_list("account_subject", flat=True)]
    teams = frozenset(one.team for one in here if one.person in review.spoke)
    parties = frozenset(accounts(subjects).values())
    return Matter(parties=parties, spoke=review.spoke, recused=review.recused, teams=teams)

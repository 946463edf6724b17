# SPDX-License-Identifier: Apache-2.0
"""The desk as a whole: what takes reports, holds what they name, and follows both up; put together once.

`handlers` carries out what it owes to the platform; `round` is what its clocks ask for, each second.
"""

from __future__ import annotations

from dataclasses import dataclass
from datetime import datetime, timedelta
from functools import partial

from holdfast.decision.decision import APPEALABLE
from holdfast.decision.digests import digests_of
from holdfast.decision.take import CARRY, TAKE, Carry, Settled, Take
from holdfast.decision.telling import TELL, TellDecided
from holdfast.effect.handler import Registry
from holdfast.hold.enforce import Ask, Look, Resolve
from holdfast.hold.follow_up import AskForCopies, Freeze, HoldFound, ReadCounters, Resembles, Tell
from holdfast.hold.platform import Platform, Stranger
from holdfast.hold.policy import HoldPolicy
from holdfast.hold.reach import Valve
from holdfast.hold.reported_hash import BankHash
from holdfast.review.review import AFTERTHOUGHT
from holdfast.store.appeals import PostgresAppeals
from holdfast.store.banks import PostgresBanks
from holdfast.store.case_book import COPIES, FOUND, FREEZE, VIEWS, CaseBook
from holdfast.store.case_copies import PostgresCopies
from holdfast.store.cases import PostgresCases
from holdfast.store.confirmed_here import ConfirmedHere
from holdfast.store.contests import NOTIFY, PostgresContests
from holdfast.store.decision_notices import DecisionNotices
from holdfast.store.decisions import PostgresDecisions
from holdfast.store.dismissals import Dismissals
from holdfast.store.found_items import FoundItems
from holdfast.store.holds import ASK, LOOK, PostgresHolds
from holdfast.store.means import Means
from holdfast.store.proofs import PostgresProofs
from holdfast.store.reported_hashes import ReportedHashes
from holdfast.store.reports import BANK_HASH, RESOLVE, PostgresReports
from holdfast.store.review_people import Asking, People
from holdfast.store.reviews import PostgresReviews
from holdfast.store.viewings import PostgresViewings


@dataclass(frozen=True, slots=True, kw_only=True)
class Desk:
    """Everything between a report and a hold."""

    means: Means
    reports: PostgresReports
    cases: PostgresCases
    copies: PostgresCopies
    found: FoundItems
    proofs: PostgresProofs
    holds: PostgresHolds
    contests: PostgresContests
    reviews: PostgresReviews
    hashes: ReportedHashes
    viewings: PostgresViewings
    decisions: PostgresDecisions
    dismissals: Dismissals
    appeals: PostgresAppeals

    def own_handlers(self) -> Registry:
        """What carries out those effects of the desk that need no platform, by kind."""
        return {BANK_HASH: BankHash(self.hashes, self.means.clock)}

    def handlers(self, platform: Platform, stranger: Stranger, resembling: Resembles) -> Registry:
        """What carries out all the effects that the desk owes, by kind; `resembling` looks through the archive."""
        clock = self.means.clock
        return {
            **self.own_handlers(),
            RESOLVE: Resolve(platform, self.reports, self.cases, clock),
            ASK: Ask(platform, stranger, self.holds, clock),
            LOOK: Look(platform, stranger, self.holds, clock),
            COPIES: AskForCopies(platform, self.copies, clock, resembling),
            FOUND: HoldFound(platform, self.found, clock),
            VIEWS: ReadCounters(platform, self.cases, clock),
            FREEZE: Freeze(platform, self.copies, self.cases, clock),
            NOTIFY: Tell(platform, self.contests, clock),
            TAKE: Take(platform, self.decisions, clock),
            CARRY: Carry(platform, stranger, self.decisions, clock),
            TELL: TellDecided(platform, DecisionNotices(self.means, self.contests), clock),
        }

    def round(self, now: datetime) -> int:
        """Everything that is due at `now`; returns how many alarms were raised about what is not confirmed."""
        alarmed = self.holds.mark_unconfirmed(now)
        self.holds.unstage(now)
        self.holds.owe_looks(now)
        self.cases.owe_views(now)
        self.reviews.heed_contests(now)
        self.reviews.ask(now)
        self.dismissals.watch(now)
        self.reports.forget_sources(now)
        self.viewings.forget(now)
        return alarmed


@dataclass(frozen=True, slots=True, kw_only=True)
class Deciding:
    """What decisions need besides: the reviews, and how long what is removed is kept before it is gone for good."""

    settled: Settled
    kept: timedelta = APPEALABLE


def make_desk(  # noqa: PLR0913  # each is one rule of the house
    means: Means,
    banks: PostgresBanks,
    *,
    policy: HoldPolicy,
    valve: Valve,
    public_url: str | None,
    has_platform: bool = True,
    exposure_budget: int = 200,
    afterthought: timedelta = AFTERTHOUGHT,
    deciding: Deciding | None = None,
    asking: Asking | None = None,
) -> Desk:
    """Put it together: `policy` says what is held at once, `valve` how much from unproven words in an hour.

    `exposure_budget` is how many pictures one person may see in grey in a day, `afterthought` how long what two found
    has no effect yet. Without `deciding` decisions follow
    from the reviews here; `asking` says who is asked about those: without it nobody is, as nobody works here.
    """
    contests = PostgresContests(means, public_url=public_url)
    viewings = PostgresViewings(means, budget=exposure_budget)
    people = People(asking=asking or Asking(), accounts=contests.accounts)
    reviews = PostgresReviews(means, people, viewings.seen, afterthought)
    deciding = deciding or Deciding(settled=reviews.of)
    holds = PostgresHolds(means, contests, reviews, valve=valve)
    book = CaseBook(means)
    copies = PostgresCopies(means, book, holds, contests)
    return Desk(
        means=means,
        reports=PostgresReports(means, copies.widen),
        cases=PostgresCases(means, book, holds, policy=policy),
        copies=copies,
        found=FoundItems(means, book, holds, has_platform=has_platform),
        proofs=PostgresProofs(means, copies.widen),
        holds=holds,
        contests=contests,
        reviews=reviews,
        hashes=ReportedHashes(means, banks, valve),
        viewings=viewings,
        dismissals=Dismissals(means),
        appeals=PostgresAppeals(means, settled=deciding.settled, open_review=reviews.open),
        decisions=PostgresDecisions(
            means,
            book,
            holds,
            ConfirmedHere(banks),
            settled=deciding.settled,
            digests=partial(digests_of, policy, afterthought),
            kept=deciding.kept,
        ),
    )

# SPDX-License-Identifier: Apache-2.0
"""The whole life of an item, from hold to appeal, with somebody inside who tries everything that one person can.

Honest people may be unsure, step back and take words back; in some stories they err and do not uphold a true report.
What is let go was found so by two people, by themselves, for one reason, and not before they could think again.
`make soak` goes 300,000 steps.
"""

from __future__ import annotations

from dataclasses import replace
from datetime import timedelta
from typing import Any, Final

from hypothesis import settings
from hypothesis import strategies as st
from hypothesis.stateful import RuleBasedStateMachine, initialize, invariant, precondition, rule

from holdfast.access.two_people import TwoFound, acting
from holdfast.decision.basis import Reference
from holdfast.decision.decision import (
    Appeal,
    Because,
    Decision,
    DecisionKind,
    DecisionState,
    MakeDecision,
    Party,
    Reverse,
    Uphold,
    decide_decision,
    evolve_decision,
)
from holdfast.decision.two_found import carriers, takes_effect, two_found
from holdfast.errors import Refusal, SecondPersonNeeded
from holdfast.hold.hold import Hold, HoldState, ReleaseHold, RemoveHeld, decide_hold, evolve_hold
from holdfast.intake.proof import NotUpheld
from holdfast.review.finding import Circumstances, Ground, Verdict
from holdfast.review.review import (
    AFTERTHOUGHT,
    About,
    AskPerson,
    Find,
    FindNobodyLeft,
    GiveBack,
    OpenReview,
    Review,
    ReviewState,
    StepBack,
    TakeBack,
    decide_review,
    evolve_review,
)
from holdfast.review.weighing import Weighed
from tests.decision.making import DIGESTS, NOW
from tests.review.making import ALL

EVE: Final = "eve"
HONEST: Final = ("ada", "ben", "cleo", "dora", "emil", "fay", "gus")
REASONS: Final = (NotUpheld.NOT_INTIMATE, NotUpheld.NOT_INTIMATE, NotUpheld.OTHER_ITEM)
PEOPLE: Final = st.sampled_from([EVE, EVE, *HONEST])
VERDICTS: Final = st.sampled_from([*Verdict, Verdict.NOT_UPHELD, Verdict.NOT_UPHELD])
CAREFUL: Final = (Verdict.REMOVE, Verdict.UNSURE, Verdict.CANNOT_ASSESS)


def found_by(person: str, verdict: Verdict, reason: NotUpheld) -> Find:
    """What somebody says who has seen all of it."""
    return Find(
        by=person,
        verdict=verdict,
        seen=ALL,
        known=Circumstances(),
        ground=Ground.SEEN if verdict is Verdict.REMOVE else None,
        reason=reason if verdict is Verdict.NOT_UPHELD else None,
        words="as I see it",
    )


class Life(RuleBasedStateMachine):
    """One item, its hold, its reviews in turn, and what was decided."""

    def __init__(self) -> None:
        super().__init__()
        self.now = NOW
        self.hold = Hold(
            case="cas_1", item="post-1", version="1", location="eu-1", state=HoldState.CONFIRMED, asked_at=NOW
        )
        self.reviews: list[Review] = []
        self.decisions: list[Decision] = []
        self.let_go_by: Review | None = None
        self.err = False
        self.open(About.HELD)

    # --- what the system does

    @initialize(err=st.booleans())
    def honest_people_may_err(self, err: bool) -> None:
        self.err = err

    def open(self, about: About) -> None:
        spoke = tuple(sorted({name for review in self.reviews for name in review.spoke}))
        command = OpenReview(case="cas_1", content="post-1", version="1", about=about, spoke=spoke)
        events = decide_review(None, command, self.now)
        assert isinstance(events, list)
        self.reviews.append(evolve_review(None, events[0]))

    @property
    def review(self) -> Review:
        return self.reviews[-1]

    @property
    def name(self) -> str:
        return f"rev_{len(self.reviews)}"

    def happens(self, command: Any) -> bool:
        """Whether the review allows it; then it is so."""
        events = decide_review(self.review, command, self.now)
        if isinstance(events, Refusal):
            return False
        for happened in events:
            self.reviews[-1] = evolve_review(self.review, happened)
        return True

    def ask(self, person: str) -> None:
        before = {name for review in self.reviews[:-1] for name in review.spoke} | self.review.spoke
        if self.happens(AskPerson(person=person, until=self.now + timedelta(hours=4))):
            assert person not in before

    @rule()
    def nobody_is_left(self) -> None:
        self.happens(FindNobodyLeft())

    @rule(minutes=st.sampled_from([1, 9, 10, 300]))
    def time_passes(self, minutes: int) -> None:
        self.now += timedelta(minutes=minutes)

    @precondition(lambda self: self.review.state is ReviewState.CONCLUDED)
    @rule(waits=st.booleans())
    def what_was_found_is_carried_out(self, waits: bool) -> None:
        assert self.review.effective_at is not None
        if waits:
            self.now = max(self.now, self.review.effective_at)
        if not takes_effect(self.review, self.now):
            return
        standing = self.decisions[-1] if self.decisions else None
        if standing is None or standing.state is DecisionState.REVERSED:
            self.decide()
        elif standing.state is DecisionState.APPEALED and standing.appealed_in == self.name:
            self.answer_appeal(standing)

    def leave(self, decision: str) -> TwoFound | str:
        """What stands behind a decision: two people, or only whoever did it."""
        return two_found(self.name, self.review, self.now, decision=decision) or f"staff:{EVE}"

    def decide(self) -> None:
        removes = self.review.outcome is Weighed.REMOVE
        decision = f"dec_{len(self.decisions) + 1}"
        command = kept(self.name, carriers(self.review))
        if removes:
            about = Reference.CHILD_ABUSE_MATERIAL
            command = replace(command, kind=DecisionKind.REMOVE, ground=Ground.SEEN, reason=None, reference=about)
        acting(self.leave(decision), command, None, subject=f"decision:{decision}", version=0)
        events = decide_decision(None, command, self.now)
        assert isinstance(events, list)
        self.decisions.append(evolve_decision(None, events[0]))
        self.follow(RemoveHeld(decision) if removes else ReleaseHold(decision, "not upheld"), self.leave(decision))

    def follow(self, command: RemoveHeld | ReleaseHold, actor: TwoFound | str) -> None:
        """What a decision means for the hold."""
        events = decide_hold(self.hold, command, self.now)
        if isinstance(events, Refusal):
            return
        acting(actor, command, self.hold, subject="hold:hld_1", version=2)
        for happened in events:
            self.hold = evolve_hold(self.hold, happened)
        if self.hold.state is HoldState.RELEASED:
            self.let_go_by = self.review

    def answer_appeal(self, standing: Decision) -> None:
        same = standing.kind.removes == (self.review.outcome is Weighed.REMOVE)
        if same:
            self.after(Uphold(self.name))
            return
        released = self.review.outcome is not Weighed.REMOVE
        command = Reverse(review=self.name, because=Because.APPEAL, held=not released)
        actor = self.leave(f"dec_{len(self.decisions)}")
        acting(actor, command, standing, subject="decision:dec_1", version=1)
        self.after(command)
        if released:
            self.let_go_by = self.review

    def after(self, command: Any) -> bool:
        events = decide_decision(self.decisions[-1], command, self.now)
        if isinstance(events, Refusal):
            return False
        for happened in events:
            self.decisions[-1] = evolve_decision(self.decisions[-1], happened)
        return True

    # --- what people do

    @rule(person=PEOPLE, verdict=VERDICTS, reason=st.sampled_from(REASONS), minutes=st.integers(0, 20))
    def somebody_is_asked_and_says(self, person: str, verdict: Verdict, reason: NotUpheld, minutes: int) -> None:
        self.ask(person)
        self.now += timedelta(minutes=minutes)
        asked = self.review.asked
        if asked:
            may = asked == EVE or self.err or verdict in CAREFUL
            self.happens(found_by(asked, verdict if may else Verdict.UNSURE, reason))

    @rule(person=PEOPLE)
    def somebody_is_asked(self, person: str) -> None:
        self.ask(person)

    @rule(person=PEOPLE, deed=st.sampled_from([StepBack, GiveBack, TakeBack]))
    def somebody_steps_or_takes_back(self, person: str, deed: type) -> None:
        if deed is TakeBack and any(one.state is not DecisionState.REVERSED for one in self.decisions):
            return  # what follows from that is the desk's: see tests/desk
        self.happens(deed(person))

    @rule(by=st.sampled_from(Party))
    def somebody_appeals(self, by: Party) -> None:
        if not self.decisions or self.review.state is not ReviewState.CONCLUDED:
            return
        name = f"rev_{len(self.reviews) + 1}"
        if self.after(Appeal(by=by, who="rep_1", words="that is wrong", review=name)):
            self.open(About.APPEAL)

    # --- what Eve tries

    @rule(verdict=st.sampled_from(Verdict), which=st.integers(0, 5))
    def eve_tries_everything(self, verdict: Verdict, which: int) -> None:
        if self.review.asked != EVE:
            assert not self.happens(found_by(EVE, verdict, REASONS[0])), "without being asked"
        assert is_refused(ReleaseHold("dec_1", "I say so"), self.hold)
        for spelling in (("eve",), ("eve", "eve"), ("eve", " Eve "), ("eve", "ada")):
            assert is_refused(kept(self.name, spelling), None)
        for one in self.decisions:
            reverse = Reverse(review=self.name, because=Because.NEW_FACTS, held=False)
            assert not one.kind.removes or is_refused(reverse, one)
        number = which % len(self.reviews)
        if found := two_found(f"rev_{number + 1}", self.reviews[number], self.now, decision="dec_1"):
            elsewhere = replace(self.hold, item="post-2")
            assert is_refused(ReleaseHold("dec_1", "as they found"), elsewhere, found)
            assert is_refused(ReleaseHold("dec_9", "as they found"), self.hold, found)

    # --- what is always so

    @invariant()
    def what_is_seen_again_two_people_found_so_for_one_reason_and_could_think_again(self) -> None:
        if self.hold.state is HoldState.RELEASED:
            assert self.let_go_by is not None
        if self.let_go_by is None:
            return
        by = set(carriers(self.let_go_by))
        words = {one.by: (one.verdict, one.reason) for one in self.let_go_by.findings}
        assert len(by) >= 2
        assert len({words[name] for name in by}) == 1
        assert {words[name][0] for name in by} == {Verdict.NOT_UPHELD}
        assert self.now >= max(one.at for one in self.let_go_by.findings) + AFTERTHOUGHT

    @invariant()
    def where_honest_people_do_not_err_eve_lets_nothing_be_seen(self) -> None:
        if not self.err:
            assert self.let_go_by is None
            assert self.hold.state in (HoldState.CONFIRMED, HoldState.REMOVED)

    @invariant()
    def nobody_looks_again_at_what_they_found_before(self) -> None:
        for number, review in enumerate(self.reviews):
            before = {one.by for earlier in self.reviews[:number] for one in earlier.findings}
            assert not before & {one.by for one in review.findings}


def kept(review: str, by: tuple[str, ...]) -> MakeDecision:
    """The decision that it is seen again."""
    return MakeDecision(
        case="cas_1",
        content="post-1",
        version="1",
        kind=DecisionKind.KEEP,
        review=review,
        by=by,
        reason=NotUpheld.NOT_INTIMATE,
        reference=Reference.NOTHING_AGAINST_IT,
        found_by_machine=False,
        digests=DIGESTS,
    )


def is_refused(command: Any, state: Any, actor: TwoFound | str = f"staff:{EVE}") -> bool:
    """Whether it takes a second person."""
    try:
        acting(actor, command, state, subject="any", version=1)
    except SecondPersonNeeded:
        return True
    return False


TestLife = Life.TestCase
TestLife.settings = settings(max_examples=max(300, settings().max_examples), stateful_step_count=60)

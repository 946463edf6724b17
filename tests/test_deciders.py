# SPDX-License-Identifier: Apache-2.0
"""Every noun with a life changes along its transition table, whatever meets it in whatever state."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime, timedelta
from functools import cache
from typing import Any, get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from holdfast.access import key as keys
from holdfast.access import proposal as proposals
from holdfast.access import safety, staff
from holdfast.access.person import People, Who
from holdfast.access.role import Role
from holdfast.alarm import alarm as alarms
from holdfast.alarm.kinds import AlarmKind
from holdfast.case import case as cases
from holdfast.case import running_clock as clocks
from holdfast.case.clock import ClockState, Moment
from holdfast.deciders import BY_NOUN, DECIDERS
from holdfast.decision import decision as decisions
from holdfast.decision.basis import Reference
from holdfast.effect import effect as effects
from holdfast.errors import Refusal
from holdfast.hold import contest, hold
from holdfast.intake import proof, report, reported
from holdfast.intake.age import AgeBasis, ClaimStatus
from holdfast.intake.reporter import Category, ItemKind, ReporterKind, UploaderIs
from holdfast.log.decider import Decider
from holdfast.log.event import Event
from holdfast.match import backwards, importing
from holdfast.match import bank as banks
from holdfast.match import entry as entries
from holdfast.match import long_screening as longs
from holdfast.match import unscreened as holds
from holdfast.match.signal import Signal, SignalType
from holdfast.match.video import VideoRule
from holdfast.media.reason import Reason
from holdfast.review import look as looks
from holdfast.review import review as reviews
from holdfast.review.finding import Circumstances, Finding, Ground, Verdict
from holdfast.review.viewing import Seen, Step
from holdfast.sealed import kek, subject
from tests.match.deciding import CODE, named, reachable

NOW = datetime(2026, 7, 1, 12, tzinfo=UTC)
SIGNAL = Signal(SignalType.MD5, "0123456789abcdef" * 2)
BANK = banks.Bank(
    name="b", meaning="m", source="s", threshold=31, action=banks.Action.HOLD, state=banks.BankState.ACTIVE
)
ENTRY = entries.Entry(id="1", bank="b", signals=(SIGNAL,), provenance="p", state=entries.EntryState.ACTIVE)
IMPORT = importing.Import(id="1", bank="b", source="a.csv", state=importing.ImportState.STAGING)
CONTENTS = importing.Contents(entries=2, signals=3, refused=1, digest="d")
OPEN = holds.OpenUnscreened(
    content="post-1", content_version="1", reason=Reason.TRUNCATED, screening="scr_1", owner="t", due=NOW
)
HELD = holds.Unscreened(
    content="post-1",
    content_version="1",
    reason=Reason.TRUNCATED,
    owner="t",
    due=NOW,
    state=holds.UnscreenedState.OPEN,
)
SEARCH = backwards.Search(
    target=backwards.Target(bank="b", entries=("1",), count=1),
    owner="o",
    due=NOW,
    state=backwards.SearchState.OWED,
)
LONG = longs.LongScreening(content="post-1", content_version="1", due=NOW, taken=1)
STAFF = staff.Account(person="1", roles=frozenset({Role.REVIEWER}))
KEY = keys.Key(
    prefix="1", secret_digest="", label="l", scopes=frozenset({keys.Scope.SCREEN}), expires_at=None, revoked=False
)
ORDER = effects.Order(
    kind="test.act", item="post-1", location="eu-1", weight=effects.Weight.NEUTRAL, deadline=NOW, owner="o"
)
EFFECT = effects.Effect(order=ORDER, state=effects.EffectState.WAITING, tries=1, asked_by="ann")
ANN, BOB = Who("key:aaaaaaaa", "ann"), Who("key:bbbbbbbb", "bob")
BOTH = People(frozenset({"ann", "bob"}), frozenset({"ann", "bob"}))
ASK = proposals.AskProposal(
    id="1",
    by=ANN,
    command="disable_bank",
    command_schema=1,
    body="{}",
    subject="bank:b",
    at_version=1,
    because="x",
    owner="o",
    due=NOW,
    people=BOTH,
)
ASKED = proposals.Proposal(
    id="1",
    command="disable_bank",
    command_schema=1,
    body="{}",
    subject="bank:b",
    at_version=1,
    person="ann",
    because="x",
    asked_at=NOW,
    owner="o",
    due=NOW,
    state=proposals.ProposalState.ASKED,
)
DEFAULTS = safety.default_values()
SLOWER = {**DEFAULTS, "unscreened_hours": 48.0}
ALARM = alarms.Alarm(kind="k", about="effect:1", owner="o", state=alarms.AlarmState.RAISED)
AT_COMMONS = hold.Hold(
    case="c",
    item="post-1",
    version="1",
    location="eu-1",
    state=hold.HoldState.REQUESTED,
    asked_at=NOW - timedelta(minutes=2),
    confirmed_at=NOW,
)
REPORT = report.Report(
    reporter=ReporterKind.PARENT,
    verified=False,
    category=Category.CSAM,
    state=report.ReportState.RECEIVED,
    elements=frozenset({report.Element.WHERE}),
)
NAMED = reported.Reported(
    report="rep_1", kind=ItemKind.POST, uploader_is=UploaderIs.UNKNOWN, state=reported.ReportedState.NAMED
)
PROOF = proof.Proof(report="rep_1", state=proof.ProofState.RECEIVED, says=frozenset({proof.Claim.BIRTH_DATE}))
CASE = cases.Case(category=Category.INTIMATE, state=cases.CaseState.OPEN)
PICTURE = looks.Picture(case="c", review="r", content="post-1", version="1", step=Step.GREY, number=0, of=1)
ADDRESS = looks.Address(picture=PICTURE, person="ann", session="s", until=NOW + timedelta(days=3650))
REVIEW = reviews.Review(
    case="c",
    content="post-1",
    version="1",
    about=reviews.About.HELD,
    state=reviews.ReviewState.WAITING,
    asked="ann",
    until=NOW + timedelta(hours=2),
    findings=(Finding(by="bob", verdict=Verdict.UNSURE, at=NOW, seen=Seen()),),
    spoke=frozenset({"bob"}),
)
DECISION = decisions.Decision(
    case="c",
    content="post-1",
    version="1",
    kind=decisions.DecisionKind.REMOVE,
    review="rev_1",
    by=("ann",),
    state=decisions.DecisionState.MADE,
    made_at=NOW,
)
CONTEST = contest.Contest(case="c", content="post-1", state=contest.ContestState.OFFERED, blameless=False)
TERMS = clocks.Terms(
    subject="case:1",
    code="a-duty",
    stops=Moment.DECIDED,
    due=NOW + timedelta(minutes=30),
    alarm_at=(NOW, NOW + timedelta(minutes=20)),
    owner="o",
    deputy="d",
)
CLOCK = clocks.RunningClock(terms=TERMS, state=ClockState.RUNNING)
SUBJECT = subject.SealedSubject(holds=(subject.Preserved(id="hld_1", until=NOW),))
"""With a hold that has run out, and may still be lifted."""


@dataclass(frozen=True, kw_only=True)
class Sample:
    """What a noun's walk is made of: one thing in each state, one command of each type, and old events."""

    things: Mapping[Any, Any]
    commands: tuple[Any, ...]
    command_types: tuple[type, ...]
    old_events: Mapping[Event, type[Event]] = field(default_factory=dict)
    """Events of earlier schemas, each with the one that took its place."""
    skipping: Mapping[type, tuple[Any, ...]] = field(default_factory=dict)
    """Events that a journal may tell in these states too, because it does not tell what lies between."""


def in_states(thing: Any, states: type) -> dict[Any, Any]:
    return {None: None, **{state: replace(thing, state=state) for state in states}}  # type: ignore[attr-defined]


SAMPLES: dict[str, Sample] = {
    "bank": Sample(
        things=in_states(BANK, banks.BankState),
        commands=(
            banks.CreateBank(name="b", meaning="m", source="s"),
            banks.DisableBank(),
            banks.EnableBank(),
            banks.ChangeThreshold(threshold=20, because="x"),
            banks.ChangeAction(action=banks.Action.REVIEW, because="x"),
            banks.ChangeVideoRule(rule=VideoRule(least_frames=10), because="x"),
        ),
        command_types=get_args(banks.BankCommand),
        old_events={
            banks.BankCreated1(
                name="b", meaning="m", source="s", threshold=31, action=banks.Action.HOLD
            ): banks.BankCreated
        },
    ),
    "entry": Sample(
        things=in_states(ENTRY, entries.EntryState),
        commands=(
            entries.AddEntry(id="1", bank="b", signals=(SIGNAL,), provenance="p"),
            entries.DisableEntry(),
            entries.EnableEntry(),
            entries.RemoveEntry(because="x"),
            entries.GiveOpinion(opinion=entries.Opinion.DISPUTED, because="x"),
        ),
        command_types=get_args(entries.EntryCommand),
    ),
    "import": Sample(
        things=in_states(IMPORT, importing.ImportState),
        commands=(
            importing.BeginImport(bank="b", source="a.csv", from_exchange=False),
            importing.PublishImport(contents=CONTENTS),
            importing.RollBackImport(because="x"),
            importing.AbandonImport(because="x"),
        ),
        command_types=get_args(importing.ImportCommand),
    ),
    "unscreened": Sample(
        things=in_states(HELD, holds.UnscreenedState),
        commands=(
            OPEN,
            holds.TryUnscreenedAgain(reason=Reason.TRUNCATED, screening="scr_2"),
            holds.MarkOverdue(),
            holds.SettleUnscreened(screening="scr_3", verdict="no_match"),
        ),
        command_types=get_args(holds.UnscreenedCommand),
    ),
    "long": Sample(
        things=in_states(LONG, longs.LongState),
        commands=(
            longs.ReceiveLong(content="post-1", content_version="1", surface="s", size=1, due=NOW),
            longs.TakeUpLong(lease_until=NOW),
            longs.PutBackLong(taking=1, reason=Reason.DECODER_UNAVAILABLE, free_from=NOW),
            longs.AnswerLong(taking=1, verdict="no_match", answer="publish"),
            longs.HoldLongForPerson(taking=1, reason=Reason.GIVEN_UP),
        ),
        command_types=get_args(longs.LongCommand),
    ),
    "archive.search": Sample(
        things=in_states(SEARCH, backwards.SearchState),
        commands=(
            backwards.OweSearch(SEARCH.target, owner="o", due=NOW),
            backwards.BeginSearch(7),
            backwards.FindCopies(2),
            backwards.EndSearch(),
            backwards.ProveSearch(entries=1, over_http=0, list_version=3),
            backwards.FailProof(missing=1, over_http=False),
            backwards.WithdrawSearch(),
            backwards.MarkSearchLate(),
            backwards.ShowCopies(),
        ),
        command_types=get_args(backwards.SearchCommand),
    ),
    "key": Sample(
        things={None: None, "active": KEY, "revoked": replace(KEY, revoked=True)},
        commands=(
            keys.CreateKey(prefix="1", secret_digest="d", label="l", scopes=frozenset(keys.Scope), expires_at=None),
            keys.RevokeKey(),
        ),
        command_types=(keys.CreateKey, keys.RevokeKey),
        old_events={keys.KeyCreated1(label="l", scopes=(keys.Scope.SCREEN,), expires_at=None): keys.KeyCreated},
    ),
    "staff": Sample(
        things=in_states(STAFF, staff.StaffState),
        commands=(
            staff.AddStaff(person="ann", roles=frozenset({Role.REVIEWER}), code_digest="d"),
            staff.Enrol(),
            staff.SetRoles(frozenset({Role.SENIOR})),
            staff.BlockStaff("x"),
            staff.ResetStaff(because="x", code_digest="d"),
        ),
        command_types=get_args(staff.StaffCommand),
    ),
    "proposal": Sample(
        things=in_states(ASKED, proposals.ProposalState),
        commands=(
            ASK,
            proposals.AgreeProposal(by=BOB, people=BOTH, because="x", digest=ASKED.digest, now_at=1),
            proposals.RefuseProposal(by=BOB, because="x"),
            proposals.WithdrawProposal(by=ANN, because="x"),
            proposals.OvertakeProposal(because="x"),
            proposals.MarkProposalOverdue(),
        ),
        command_types=get_args(proposals.ProposalCommand),
    ),
    "settings": Sample(
        things={
            None: None,
            "accepted": safety.InForce(values=SLOWER, accepted=SLOWER),
            "weakened": safety.InForce(
                values={**DEFAULTS, "archive_days": 200.0}, accepted={**DEFAULTS, "archive_days": 365.0}
            ),
        },
        commands=(safety.RecordSettings(values=DEFAULTS), safety.AcceptSettings(because="x")),
        command_types=(safety.RecordSettings, safety.AcceptSettings),
        # Which value is weaker is a build's to say: what an earlier one let be accepted, stays so.
        skipping={safety.SettingsAccepted: ("accepted",)},
    ),
    "effect": Sample(
        things=in_states(EFFECT, effects.EffectState),
        commands=(
            effects.EnqueueEffect(ORDER),
            effects.LeaseEffect(),
            effects.FinishEffect(),
            effects.FailEffect("x"),
            effects.RefuseEffect("x"),
            effects.OvertakeEffect(),
            effects.LoseEffect(),
            effects.MarkEffectLate(),
            effects.RetryEffect("x"),
            effects.AskToGiveUpEffect("ann", "x"),
            effects.GiveUpEffect("bob", "x"),
        ),
        command_types=get_args(effects.EffectCommand),
        skipping={
            effects.EffectDone: (effects.EffectState.WAITING,),
            effects.EffectQuarantined: (effects.EffectState.LEASED,),
        },
    ),
    "alarm": Sample(
        things=in_states(ALARM, alarms.AlarmState),
        commands=(
            alarms.RaiseAlarm(kind=AlarmKind.EFFECT_LATE, about="effect:1", owner="o"),
            alarms.AcknowledgeAlarm("cli:ann"),
            alarms.RenewAlarm(),
            alarms.ClearAlarm("x"),
        ),
        command_types=get_args(alarms.AlarmCommand),
    ),
    "hold": Sample(
        things=in_states(AT_COMMONS, hold.HoldState),
        commands=(
            hold.AskHold(case="c", item="post-1", version="1", location="eu-1"),
            hold.StageHold(case="c", item="post-1", version="1", location="eu-1"),
            hold.AskAgain(),
            hold.ConfirmHold(hold.ConfirmedBy.LOOKING),
            hold.SeeHeld(),
            hold.FindBreach(),
            hold.RefuseHold("x"),
            hold.LoseSight(),
            hold.FindGone(),
            hold.MarkUnconfirmed(),
            hold.ReleaseHold("dec_1", "x"),
            hold.RemoveHeld("dec_1"),
        ),
        command_types=get_args(hold.HoldCommand),
    ),
    "report": Sample(
        things=in_states(REPORT, report.ReportState),
        commands=(
            report.ReceiveReport(
                reference="R-AAAA-BBBB",
                reporter=ReporterKind.PARENT,
                verified=False,
                category=Category.CSAM,
                elements=frozenset({report.Element.WHERE}),
                words="x",
                contact="",
                known_ages="",
                shown="d",
            ),
            report.AddToReport(words="x", elements=frozenset({report.Element.SIGNATURE})),
            report.JoinReport("cas_1"),
            report.KeepCode(),
            report.StopContact(),
            report.WithdrawReport(),
        ),
        command_types=get_args(report.ReportCommand),
    ),
    "reported": Sample(
        things=in_states(NAMED, reported.ReportedState),
        commands=(
            reported.NameItem(report="rep_1", kind=ItemKind.POST, address="https://example.org/p/1"),
            reported.ResolveItem(content="post-1", version="1", case="cas_1"),
            reported.FindAmbiguous(2),
            reported.FindNowhere(),
            reported.LeaveToPerson(),
            reported.MarkElsewhere(),
            reported.FindItemGone(),
        ),
        command_types=get_args(reported.ReportedCommand),
    ),
    "proof": Sample(
        things=in_states(PROOF, proof.ProofState),
        commands=(
            proof.ReceiveProof(
                report="rep_1", says=frozenset({proof.Claim.BIRTH_DATE}), media_type="image/png", size=3, shown="AAAA"
            ),
            proof.ViewProof(),
            proof.VerifyProof(frozenset({proof.Claim.BIRTH_DATE})),
            proof.FindProofUnclear("x"),
            proof.RejectProof("x"),
        ),
        command_types=get_args(proof.ProofCommand),
    ),
    "case": Sample(
        things=in_states(CASE, cases.CaseState),
        commands=(
            cases.OpenCase(report="rep_1", category=Category.CSAM),
            cases.TakeReport(report="rep_2", category=Category.OTHER),
            cases.TakeItems(items=(cases.CaseItem(content="post-1", version="1"),), are_copies=False),
            cases.ClaimAge(
                item="post-1", person="p", lower=0, upper=13, basis=AgeBasis.ARITHMETIC, status=ClaimStatus.CLAIMED
            ),
            cases.ReadViews(views=(cases.SeenViews(hold="hld_1", views=3, at=NOW),)),
            cases.QueueCopies(copies=(cases.QueuedCopy(content="post-2", version="1", exact=False, distance=24),)),
            cases.KeepFacts(content="post-1", facts="x"),
            cases.DecideCase(),
            cases.ReopenCase(),
        ),
        command_types=get_args(cases.CaseCommand),
    ),
    "contest": Sample(
        things=in_states(CONTEST, contest.ContestState),
        commands=(
            contest.OfferContest(case="c", content="post-1", account="sub_1", blameless=False),
            contest.MarkTold("d"),
            contest.FindNobody(),
            contest.ContestHold("x"),
        ),
        command_types=get_args(contest.ContestCommand),
    ),
    "review": Sample(
        things=in_states(REVIEW, reviews.ReviewState),
        commands=(
            reviews.OpenReview(case="c", content="post-1", version="1", about=reviews.About.HELD),
            reviews.AskPerson(person="cleo", until=NOW + timedelta(hours=2)),
            reviews.Find(by="ann", verdict=Verdict.UNSURE, seen=Seen(), known=Circumstances(), words="x"),
            reviews.StepBack("ann"),
            reviews.GiveBack("ann"),
            reviews.TakeBack("bob"),
            reviews.FindNobodyLeft(),
        ),
        command_types=get_args(reviews.ReviewCommand),
    ),
    "viewing": Sample(
        things={None: None, looks.ViewingState.SHOWN: looks.Viewing(person="ann", session="s", picture=PICTURE)},
        commands=(looks.ShowPicture(address=ADDRESS, by="ann", session="s", reached=Step.BLURRED),),
        command_types=(looks.ShowPicture,),
    ),
    "decision": Sample(
        things=in_states(DECISION, decisions.DecisionState),
        commands=(
            decisions.MakeDecision(
                case="c",
                content="post-1",
                version="1",
                kind=decisions.DecisionKind.REMOVE,
                review="rev_1",
                by=("ann",),
                ground=Ground.SEEN,
                reference=Reference.CHILD_ABUSE_MATERIAL,
                found_by_machine=False,
                digests=decisions.Digests(policy="p", template="t", software="s"),
            ),
            decisions.CarryOut(),
            decisions.ShowDecision(to=decisions.Party.REPORTER, who="rep_1"),
            decisions.Appeal(by=decisions.Party.UPLOADER, who="ctt_1", words="x", review="rev_2"),
            decisions.Uphold("rev_2"),
            decisions.Reverse(review="rev_2", because=decisions.Because.APPEAL, held=True),
        ),
        command_types=get_args(decisions.DecisionCommand),
    ),
    "clock": Sample(
        things=in_states(CLOCK, ClockState),
        commands=(clocks.StartClock(TERMS), clocks.AlarmClock(), clocks.MissClock(), clocks.StopClock(NOW)),
        command_types=get_args(clocks.ClockCommand),
    ),
    "sealed": Sample(
        things={state: replace(SUBJECT, state=state) for state in subject.SealedState},
        commands=(
            subject.ReadSealed(reader="ann", role="r", fields=("uploader",), because="x"),
            subject.PreserveSealed(hold="hld_2", until=NOW + timedelta(days=1), because="x"),
            subject.LiftPreservation(hold="hld_1", because="x"),
            subject.EraseSealed(because="x"),
            subject.RepeatErasure(proposal="pro_1"),
        ),
        command_types=get_args(subject.SealedCommand),
    ),
    "sealed.key": Sample(
        things={None: None, **{state: state for state in kek.KekState}},
        commands=(kek.MakeKek(), kek.UseKek(), kek.RetireKek(), kek.DestroyKek()),
        command_types=get_args(kek.KekCommand),
    ),
}


def decide(decider: Decider, thing: Any, command: Any) -> list[Event] | Refusal:
    return decider.decide(thing, command, NOW + timedelta(hours=1))


def fold(decider: Decider, thing: Any, events: list[Event]) -> Any:
    for happened in events:
        thing = decider.evolve(thing, "1", happened)
    return thing


def walks() -> list[Any]:
    """Every noun in every state with every command."""
    return [
        pytest.param(decider, state, command, id=f"{decider.noun}-{state or 'none'}-{named(command)}")
        for decider in DECIDERS
        for state in SAMPLES[decider.noun].things
        for command in SAMPLES[decider.noun].commands
    ]


@cache
def told_by(noun: str) -> dict[type, set[Any]]:
    """The states in which each kind of event happens, as `decide` has it."""
    decider, sample, found = BY_NOUN[noun], SAMPLES[noun], dict[type, set[Any]]()
    for state, thing in sample.things.items():
        for command in sample.commands:
            outcome = decide(decider, thing, command)
            for happened in outcome if isinstance(outcome, list) else []:
                found.setdefault(type(happened), set(sample.skipping.get(type(happened), ()))).add(state)
    return found


def events() -> list[Any]:
    """Every noun in every state with every event that any noun can have."""
    every: list[tuple[str, Event, type]] = []
    for decider in DECIDERS:
        sample = SAMPLES[decider.noun]
        for thing in sample.things.values():
            for command in sample.commands:
                outcome = decide(decider, thing, command)
                every += [(decider.noun, one, type(one)) for one in (outcome if isinstance(outcome, list) else [])]
        every += [(decider.noun, old, new) for old, new in sample.old_events.items()]
    once = {(noun, type(happened)): (happened, as_kind) for noun, happened, as_kind in every}
    return [
        pytest.param(
            decider, state, happened, as_kind, id=f"{decider.noun}-{state or 'none'}-{type(happened).__name__}"
        )
        for decider in DECIDERS
        for state in SAMPLES[decider.noun].things
        for happened, as_kind in once.values()
    ]


def test_the_walks_know_every_noun_every_state_and_every_command() -> None:
    assert set(SAMPLES) == set(BY_NOUN)
    for decider in DECIDERS:
        sample = SAMPLES[decider.noun]
        assert {type(command) for command in sample.commands} == set(sample.command_types)
        in_table = {state for state, _ in decider.transitions} | set(decider.transitions.values())
        assert set(sample.things) == in_table
        assert {command for _, command in decider.transitions} == set(sample.command_types)


@pytest.mark.parametrize("decider", DECIDERS, ids=lambda decider: decider.noun)
def test_every_state_can_be_reached(decider: Decider) -> None:
    also = {
        (state, (command, after)): after for state, command in decider.transitions for after in ALSO.get(command, ())
    }
    first = decider.state(decider.first)
    assert reachable({**decider.transitions, **also}, first) == set(SAMPLES[decider.noun].things)


@pytest.mark.parametrize(("decider", "state", "command"), walks())
def test_a_thing_goes_where_its_table_says_and_nowhere_else(decider: Decider, state: Any, command: Any) -> None:
    thing = SAMPLES[decider.noun].things[state]
    outcome = decide(decider, thing, command)
    expected = decider.transitions.get((state, type(command)))
    if expected is None:
        assert isinstance(outcome, Refusal)
        assert CODE.fullmatch(outcome.code)
        assert outcome.because
        return
    assert isinstance(outcome, list), outcome
    assert decider.state(fold(decider, thing, outcome)) == expected


@pytest.mark.parametrize(("decider", "state", "happened", "as_kind"), events())
def test_an_event_that_a_thing_in_this_state_cannot_have_is_an_error(
    decider: Decider, state: Any, happened: Event, as_kind: type
) -> None:
    thing = SAMPLES[decider.noun].things[state]
    if state in told_by(decider.noun).get(as_kind, ()):
        decider.evolve(thing, "1", happened)
        return
    with pytest.raises(ValueError, match=re.escape(happened.tag) or "can have"):
        decider.evolve(thing, "1", happened)


@pytest.mark.parametrize("decider", DECIDERS, ids=lambda decider: decider.noun)
@given(data=st.data())
def test_any_run_of_commands_follows_the_table(decider: Decider, data: st.DataObject) -> None:
    thing: Any = decider.first
    for command in data.draw(st.lists(st.sampled_from(SAMPLES[decider.noun].commands), max_size=12)):
        before, outcome = decider.state(thing), decide(decider, thing, command)
        expected = decider.transitions.get((before, type(command)))
        if isinstance(outcome, list):
            assert expected is not None
            thing = fold(decider, thing, outcome)
            assert decider.state(thing) in {expected, *ALSO.get(type(command), ())}


ALSO = {
    reviews.Find: (reviews.ReviewState.CONCLUDED, reviews.ReviewState.NEEDS_OUTSIDE),
    reviews.StepBack: (reviews.ReviewState.ASKED,),
    reviews.TakeBack: (reviews.ReviewState.CONCLUDED, reviews.ReviewState.NEEDS_OUTSIDE),
    clocks.StopClock: (ClockState.STOPPED_LATE,),
    effects.FailEffect: (effects.EffectState.QUARANTINED,),
    effects.LoseEffect: (effects.EffectState.QUARANTINED,),
    safety.RecordSettings: tuple(safety.InForceState),
}
"""What else a command may lead to: once an effect's tries are used up, as the values are weaker or not, too late."""

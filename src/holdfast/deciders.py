# SPDX-License-Identifier: Apache-2.0
"""Every noun with a life, on one screen."""

from __future__ import annotations

from typing import Final

from holdfast.access import sealed_rules as _sealed_rules  # noqa: F401  # which commands take two is registered there
from holdfast.access.key import KEY_TRANSITIONS, decide_key, evolve_key
from holdfast.access.proposal import PROPOSAL_TRANSITIONS, decide_proposal, evolve_proposal
from holdfast.access.safety import SETTINGS_TRANSITIONS, decide_settings, evolve_settings
from holdfast.access.staff import STAFF_TRANSITIONS, decide_staff, evolve_staff
from holdfast.alarm.alarm import ALARM_TRANSITIONS, decide_alarm, evolve_alarm
from holdfast.case.case import CASE_TRANSITIONS, decide_case, evolve_case
from holdfast.case.running_clock import CLOCK_TRANSITIONS, decide_clock, evolve_clock
from holdfast.decision.decision import DECISION_TRANSITIONS, decide_decision, evolve_decision
from holdfast.effect.effect import EFFECT_TRANSITIONS, decide_effect, evolve_effect
from holdfast.hold.contest import CONTEST_TRANSITIONS, decide_contest, evolve_contest
from holdfast.hold.hold import HOLD_TRANSITIONS, decide_hold, evolve_hold
from holdfast.intake.proof import PROOF_TRANSITIONS, decide_proof, evolve_proof
from holdfast.intake.report import REPORT_TRANSITIONS, decide_report, evolve_report
from holdfast.intake.reported import REPORTED_TRANSITIONS, decide_reported, evolve_reported
from holdfast.log.decider import Decider
from holdfast.match import two_people as _bank_rules  # noqa: F401  # and there
from holdfast.match.backwards import SEARCH_TRANSITIONS, decide_search, evolve_search
from holdfast.match.bank import BANK_TRANSITIONS, decide_bank, evolve_bank
from holdfast.match.entry import ENTRY_TRANSITIONS, decide_entry, evolve_entry
from holdfast.match.importing import IMPORT_TRANSITIONS, decide_import, evolve_import
from holdfast.match.long_screening import LONG_TRANSITIONS, decide_long, evolve_long
from holdfast.match.unscreened import UNSCREENED_TRANSITIONS, decide_unscreened, evolve_unscreened
from holdfast.review.look import VIEWING_TRANSITIONS, decide_viewing, evolve_viewing
from holdfast.review.review import REVIEW_TRANSITIONS, decide_review, evolve_review
from holdfast.sealed.kek import KEK_TRANSITIONS, decide_kek, evolve_kek
from holdfast.sealed.subject import SEALED_TRANSITIONS, SealedSubject, decide_sealed, evolve_sealed

DECIDERS: Final = (
    Decider(
        name="Bank",
        noun="bank",
        transitions=BANK_TRANSITIONS,
        decide=lambda bank, command, _: decide_bank(bank, command),
        evolve=lambda bank, _, happened: evolve_bank(bank, happened),
    ),
    Decider(
        name="Entry",
        noun="entry",
        transitions=ENTRY_TRANSITIONS,
        decide=lambda entry, command, _: decide_entry(entry, command),
        evolve=evolve_entry,
    ),
    Decider(
        name="Import",
        noun="import",
        transitions=IMPORT_TRANSITIONS,
        decide=lambda found, command, _: decide_import(found, command),
        evolve=evolve_import,
    ),
    Decider(
        name="Unscreened hold",
        noun="unscreened",
        transitions=UNSCREENED_TRANSITIONS,
        decide=decide_unscreened,
        evolve=lambda held, _, happened: evolve_unscreened(held, happened),
    ),
    Decider(
        name="Long screening",
        noun="long",
        transitions=LONG_TRANSITIONS,
        decide=decide_long,
        evolve=lambda long, _, happened: evolve_long(long, happened),
    ),
    Decider(
        name="Backwards search",
        noun="archive.search",
        transitions=SEARCH_TRANSITIONS,
        decide=decide_search,
        evolve=lambda search, _, happened: evolve_search(search, happened),
    ),
    Decider(
        name="API key",
        noun="key",
        transitions=KEY_TRANSITIONS,
        decide=lambda key, command, _: decide_key(key, command),
        evolve=evolve_key,
        state_of=lambda key: "revoked" if key.revoked else "active",
    ),
    Decider(
        name="Staff account",
        noun="staff",
        transitions=STAFF_TRANSITIONS,
        decide=lambda account, command, _: decide_staff(account, command),
        evolve=evolve_staff,
    ),
    Decider(
        name="Proposal",
        noun="proposal",
        transitions=PROPOSAL_TRANSITIONS,
        decide=decide_proposal,
        evolve=evolve_proposal,
    ),
    Decider(
        name="Settings in force",
        noun="settings",
        transitions=SETTINGS_TRANSITIONS,
        decide=lambda found, command, _: decide_settings(found, command),
        evolve=lambda found, _, happened: evolve_settings(found, happened),
    ),
    Decider(
        name="Effect",
        noun="effect",
        transitions=EFFECT_TRANSITIONS,
        decide=decide_effect,
        evolve=lambda effect, _, happened: evolve_effect(effect, happened),
    ),
    Decider(
        name="Alarm",
        noun="alarm",
        transitions=ALARM_TRANSITIONS,
        decide=lambda alarm, command, _: decide_alarm(alarm, command),
        evolve=lambda alarm, _, happened: evolve_alarm(alarm, happened),
    ),
    Decider(
        name="Report",
        noun="report",
        transitions=REPORT_TRANSITIONS,
        decide=lambda report, command, _: decide_report(report, command),
        evolve=lambda report, _, happened: evolve_report(report, happened),
    ),
    Decider(
        name="Thing that a report names",
        noun="reported",
        transitions=REPORTED_TRANSITIONS,
        decide=lambda reported, command, _: decide_reported(reported, command),
        evolve=lambda reported, _, happened: evolve_reported(reported, happened),
    ),
    Decider(
        name="Proof",
        noun="proof",
        transitions=PROOF_TRANSITIONS,
        decide=lambda proof, command, _: decide_proof(proof, command),
        evolve=lambda proof, _, happened: evolve_proof(proof, happened),
    ),
    Decider(
        name="Case",
        noun="case",
        transitions=CASE_TRANSITIONS,
        decide=lambda case, command, _: decide_case(case, command),
        evolve=lambda case, _, happened: evolve_case(case, happened),
    ),
    Decider(
        name="Hold",
        noun="hold",
        transitions=HOLD_TRANSITIONS,
        decide=decide_hold,
        evolve=lambda hold, _, happened: evolve_hold(hold, happened),
    ),
    Decider(
        name="Contest of a hold",
        noun="contest",
        transitions=CONTEST_TRANSITIONS,
        decide=lambda contest, command, _: decide_contest(contest, command),
        evolve=lambda contest, _, happened: evolve_contest(contest, happened),
    ),
    Decider(
        name="Review",
        noun="review",
        transitions=REVIEW_TRANSITIONS,
        decide=decide_review,
        evolve=lambda review, _, happened: evolve_review(review, happened),
    ),
    Decider(
        name="Viewing of a picture",
        noun="viewing",
        transitions=VIEWING_TRANSITIONS,
        decide=decide_viewing,
        evolve=lambda viewing, _, happened: evolve_viewing(viewing, happened),
    ),
    Decider(
        name="Decision",
        noun="decision",
        transitions=DECISION_TRANSITIONS,
        decide=decide_decision,
        evolve=lambda decision, _, happened: evolve_decision(decision, happened),
    ),
    Decider(
        name="Clock",
        noun="clock",
        transitions=CLOCK_TRANSITIONS,
        decide=decide_clock,
        evolve=lambda clock, _, happened: evolve_clock(clock, happened),
    ),
    Decider(
        name="Sealed subject",
        noun="sealed",
        transitions=SEALED_TRANSITIONS,
        decide=decide_sealed,
        evolve=lambda subject, _, happened: evolve_sealed(subject, happened),
        first=SealedSubject(),
    ),
    Decider(
        name="Key-encryption key",
        noun="sealed.key",
        transitions=KEK_TRANSITIONS,
        decide=lambda state, command, _: decide_kek(state, command),
        evolve=lambda state, _, happened: evolve_kek(state, happened),
        state_of=lambda state: state,
    ),
)
BY_NOUN: Final = {decider.noun: decider for decider in DECIDERS}

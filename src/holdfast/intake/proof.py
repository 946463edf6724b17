# SPDX-License-Identifier: Apache-2.0
"""A proof: something that somebody shows so that a claim is believed. Sealed on arrival, seen by one role alone.

What is verified is a *claim* (a birth date, an identity, the right to act for somebody, a likeness), not a
person's word in general; the document may be destroyed and the claim stays. A proof is never asked for as
a condition. `contradicts` says which reasons for a refusal a verified claim rules out; an age says nothing
about whether somebody is in a picture.

`decide_proof` and `evolve_proof` are pure.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import dataclass, replace
from enum import StrEnum
from typing import Final

from holdfast.access.two_people import register
from holdfast.errors import InvalidRequest, Refusal
from holdfast.log.event import Event, event
from holdfast.log.text import check_text
from holdfast.sealed.text import PrivateText


class Claim(StrEnum):
    """What a proof can show."""

    BIRTH_DATE = "birth_date"
    IDENTITY = "identity"
    AUTHORITY = "authority"
    """To act for the person depicted."""
    LIKENESS = "likeness"
    """That somebody is the person in the picture."""


class ProofState(StrEnum):
    """Whether somebody whose role it is has looked."""

    RECEIVED = "received"
    VERIFIED = "verified"
    UNCLEAR = "unclear"
    REJECTED = "rejected"


class NotUpheld(StrEnum):
    """Reasons for which a report may not be upheld. There is no "looks adult"."""

    SHOWN_ADULT = "shown_adult"
    """Something verified shows that everybody in it was an adult."""
    NOT_INTIMATE = "not_intimate"
    """It is neither sexual nor intimate."""
    OTHER_ITEM = "other_item"
    """The address named something else."""
    NOT_IN_IT = "not_in_it"
    """Whoever reports is not in it, nor acts for anybody who is."""
    NO_AUTHORITY = "no_authority"
    """Whoever reports may not act for the person depicted."""


_RULES_OUT: Final[Mapping[NotUpheld, frozenset[Claim]]] = {
    NotUpheld.SHOWN_ADULT: frozenset({Claim.BIRTH_DATE}),
    NotUpheld.NOT_INTIMATE: frozenset(),
    NotUpheld.OTHER_ITEM: frozenset(),
    NotUpheld.NOT_IN_IT: frozenset({Claim.LIKENESS}),
    NotUpheld.NO_AUTHORITY: frozenset({Claim.AUTHORITY}),
}


def contradicts(reason: NotUpheld, verified: Iterable[Claim]) -> bool:
    """Whether a verified claim rules this reason out, so that a decision for it is refused."""
    return bool(_RULES_OUT[reason] & set(verified))


@dataclass(frozen=True, slots=True, kw_only=True)
class Proof:
    """A proof as it stands; what was shown is in a sealed record with a key of its own."""

    report: str
    state: ProofState
    says: frozenset[Claim]
    verified: frozenset[Claim] = frozenset()
    views: int = 0


# --- commands


@dataclass(frozen=True, slots=True, kw_only=True)
class ReceiveProof:
    """Take it."""

    report: str
    says: frozenset[Claim]
    media_type: str
    size: int
    shown: str
    """The file, in base64; sealed on its way into the journal."""


@dataclass(frozen=True, slots=True)
class ViewProof:
    """Look at it. Written before a byte leaves."""


@dataclass(frozen=True, slots=True)
class VerifyProof:
    """Find that it shows these claims."""

    claims: frozenset[Claim]


@dataclass(frozen=True, slots=True)
class FindProofUnclear:
    """Find that it cannot be told."""

    because: str


@dataclass(frozen=True, slots=True)
class RejectProof:
    """Find that it does not show what it says."""

    because: str


ProofCommand = ReceiveProof | ViewProof | VerifyProof | FindProofUnclear | RejectProof


# --- events


@event("proof.received")
@dataclass(frozen=True, slots=True, kw_only=True)
class ProofReceived(Event):
    """A proof came with a report. What was shown is sealed under a key of its own."""

    report: str
    says: tuple[Claim, ...]
    media_type: str
    size: int
    shown: PrivateText


@event("proof.viewed")
@dataclass(frozen=True, slots=True, kw_only=True)
class ProofViewed(Event):
    """Somebody was about to be shown it."""


@event("proof.verified")
@dataclass(frozen=True, slots=True, kw_only=True)
class ProofVerified(Event):
    """It shows these claims. The document can be destroyed; the claims stay."""

    claims: tuple[Claim, ...]


@event("proof.unclear")
@dataclass(frozen=True, slots=True, kw_only=True)
class ProofUnclear(Event):
    """Whether it shows anything cannot be told. It counts neither for nor against."""

    because: PrivateText


@event("proof.rejected")
@dataclass(frozen=True, slots=True, kw_only=True)
class ProofRejected(Event):
    """It does not show what it says."""

    because: PrivateText


# --- the table: (state before, command) -> state after; None is "does not exist yet"

_LOOKED_AT: Final = (ProofState.RECEIVED, ProofState.UNCLEAR)
PROOF_TRANSITIONS: Final[Mapping[tuple[ProofState | None, type], ProofState]] = {
    (None, ReceiveProof): ProofState.RECEIVED,
    **{(state, ViewProof): state for state in ProofState},
    **dict.fromkeys(((state, VerifyProof) for state in _LOOKED_AT), ProofState.VERIFIED),
    (ProofState.RECEIVED, FindProofUnclear): ProofState.UNCLEAR,
    **dict.fromkeys(((state, RejectProof) for state in _LOOKED_AT), ProofState.REJECTED),
}


def decide_proof(proof: Proof | None, command: ProofCommand) -> list[Event] | Refusal:
    """What happens when `command` meets the proof. Raises InvalidRequest for a reason that cannot be kept."""
    if (proof and proof.state, type(command)) not in PROOF_TRANSITIONS:
        return Refusal("proof.not_in_this_state", f"the proof is {proof.state if proof else 'not there'}")
    if isinstance(command, VerifyProof) and not command.claims:
        message = "claims: name what it shows, or say that it is unclear"
        raise InvalidRequest(message)
    return [_event(command)]


def evolve_proof(proof: Proof | None, happened: Event) -> Proof:
    """The proof after `happened`. Raises ValueError for an event that no proof in this state can have."""
    if proof is None and isinstance(happened, ProofReceived):
        return Proof(report=happened.report, state=ProofState.RECEIVED, says=frozenset(happened.says))
    if proof is None or (proof.state, type(happened)) not in _POSSIBLE:
        message = f"no proof can have {happened.tag!r} here"
        raise ValueError(message)
    match happened:
        case ProofViewed():
            return replace(proof, views=proof.views + 1)
        case ProofVerified(claims=claims):
            return replace(proof, state=ProofState.VERIFIED, verified=frozenset(claims))
        case ProofUnclear():
            return replace(proof, state=ProofState.UNCLEAR)
    return replace(proof, state=ProofState.REJECTED)


def proof_subject(proof_id: str) -> str:
    """The journal's subject for a proof."""
    return f"proof:{proof_id}"


def _event(command: ProofCommand) -> Event:
    match command:
        case ReceiveProof():
            told = {name: getattr(command, name) for name in ("report", "media_type", "size", "shown")}
            return ProofReceived(says=tuple(sorted(command.says)), **told)
        case VerifyProof(claims=claims):
            return ProofVerified(claims=tuple(sorted(claims)))
        case FindProofUnclear(because=because):
            check_text("because", because)
            return ProofUnclear(because=because)
        case RejectProof(because=because):
            check_text("because", because)
            return ProofRejected(because=because)
    return ProofViewed()


_TOLD_BY: Final[Mapping[type, type[Event]]] = {
    ReceiveProof: ProofReceived,
    ViewProof: ProofViewed,
    VerifyProof: ProofVerified,
    FindProofUnclear: ProofUnclear,
    RejectProof: ProofRejected,
}
_POSSIBLE: Final = frozenset((state, _TOLD_BY[command]) for state, command in PROOF_TRANSITIONS if state is not None)

for _command, _told in _TOLD_BY.items():
    register(_command, _told)

# SPDX-License-Identifier: Apache-2.0
"""The roles of the people who work with Holdfast, and a colleague as the other parts need to know one.

A role says what somebody may be asked to do, and nothing of how often or about whom: conflicts of interest
are the case's business (`holdfast.review`). An administrator keeps accounts and sees no case.
"""

from __future__ import annotations

from dataclasses import dataclass
from enum import StrEnum


class Role(StrEnum):
    """What somebody may be asked to do."""

    INTAKE = "intake"
    """Looks after reports: what is missing, what could not be resolved, whom to answer."""
    REVIEWER = "reviewer"
    """Looks at held items and says what they find."""
    SENIOR = "senior"
    """A reviewer who may also be asked for a third finding, and decides contests and appeals."""
    LEAD = "lead"
    """Answers for the queue: owners, deputies, recusals, samples."""
    IDENTITY = "identity"
    """Alone sees proofs of age, identity, authority and likeness."""
    LEGAL = "legal"
    """Answers authorities and courts; may delay a notice, with a basis and an end."""
    AUDITOR = "auditor"
    """Reads what happened, never content."""
    ADMINISTRATOR = "administrator"
    """Keeps accounts and settings; sees no case."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Colleague:
    """Somebody who can be asked now: by the name under which they act, with their roles."""

    person: str
    """As `holdfast.access.person.person_named` spells it: one name, one person."""
    roles: frozenset[Role]
    team: str = ""
    """Where they work; a second look comes from another team where one can be had. Empty: not said."""
    account: str = ""
    """Their own account at the platform, if they said one: nobody reviews what they are party to."""
    outside: bool = False
    """A second reviewer from outside: one case at a time, previews only."""

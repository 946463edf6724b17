# SPDX-License-Identifier: Apache-2.0
"""Who reports, what about, and what for: the words that every door and every table of reach uses."""

from __future__ import annotations

from enum import StrEnum
from typing import Final


class ReporterKind(StrEnum):
    """Who somebody says they are."""

    DEPICTED_CHILD = "depicted_child"
    DEPICTED_ADULT = "depicted_adult"
    """Whoever is adult now; how old they were when it was made is a claim of its own."""
    PARENT = "parent"
    AGENT = "agent"
    """Acts for the person depicted: a lawyer, a helper."""
    BYSTANDER = "bystander"
    FLAGGER = "flagger"
    """A trusted flagger (DSA 22)."""
    HOTLINE = "hotline"
    POLICE = "police"
    REGULATOR = "regulator"
    """Or a court."""
    STAFF = "staff"
    """Of the platform."""


_AUTHORITIES: Final = frozenset(
    {ReporterKind.FLAGGER, ReporterKind.HOTLINE, ReporterKind.POLICE, ReporterKind.REGULATOR, ReporterKind.STAFF}
)
_SUBJECTS: Final = frozenset({ReporterKind.DEPICTED_CHILD, ReporterKind.DEPICTED_ADULT})
_SPEAKS_FOR_THEM: Final = frozenset({*_SUBJECTS, ReporterKind.PARENT, ReporterKind.AGENT})


def counts_as(said: ReporterKind, *, verified: bool) -> ReporterKind:
    """Whom a reporter is treated as: an authority that nobody has verified is a bystander."""
    return ReporterKind.BYSTANDER if said in _AUTHORITIES and not verified else said


def speaks_for_the_depicted(kind: ReporterKind) -> bool:
    """Whether somebody is the person depicted or says that they act for them (TAKE IT DOWN 3(a), UK 20A)."""
    return kind in _SPEAKS_FOR_THEM


class Category(StrEnum):
    """What is reported, with the field's meaning."""

    CSAM = "csam"
    """Child sexual abuse material."""
    INTIMATE = "intimate"
    """Intimate images without consent, also made by a machine, also only threatened."""
    GROOMING = "grooming"
    """Or enticement."""
    SEXTORTION = "sextortion"
    TRAFFICKING = "trafficking"
    """Of a minor."""
    DANGER = "danger"
    """Imminent: a person is paged."""
    ASKED_BY_CHILD = "asked_by_child"
    """A child does not want it to be seen; nothing more needs to be said."""
    OTHER_ILLEGAL = "other_illegal"
    OTHER = "other"


_MINOR_SAFETY: Final = frozenset(
    {
        Category.CSAM,
        Category.GROOMING,
        Category.SEXTORTION,
        Category.TRAFFICKING,
        Category.DANGER,
        Category.ASKED_BY_CHILD,
    }
)


def concerns_a_minor(category: Category) -> bool:
    """Whether it is about somebody's safety who is handled as a child."""
    return category in _MINOR_SAFETY


def is_held_at_once(category: Category, kind: ReporterKind) -> bool:
    """Whether an item is held before anybody has looked, whoever says so; the rest follows the policy file.

    Intimate images: from the person depicted and from whoever acts for them, as both laws have it.
    """
    return concerns_a_minor(category) or (category is Category.INTIMATE and speaks_for_the_depicted(kind))


class ItemKind(StrEnum):
    """What is named."""

    POST = "post"
    MESSAGE = "message"
    ACCOUNT = "account"
    CONVERSATION = "conversation"
    LIVE = "live"
    """A live stream."""
    LINK = "link"
    DESCRIPTION = "description"
    """In words: "there are more, I cannot find them"."""
    HASH = "hash"
    """Computed by the reporter; the picture stays with them."""
    ELSEWHERE = "elsewhere"
    """On another platform."""


class UploaderIs(StrEnum):
    """What the uploader of an item is to the person depicted."""

    UNKNOWN = "unknown"
    THIRD_PARTY = "third_party"
    DEPICTED = "depicted"
    """The person depicted, coerced perhaps: no blame, no sanction."""
    NOT_IN_CONTROL = "not_in_control"
    """The account is the depicted person's and somebody else uses it."""

    @property
    def blameless(self) -> bool:
        """Whether notices must not blame the account, nor anything be done to it."""
        return self in (UploaderIs.DEPICTED, UploaderIs.NOT_IN_CONTROL)

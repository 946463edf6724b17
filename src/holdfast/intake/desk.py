# SPDX-License-Identifier: Apache-2.0
"""What a door takes in, checked: nothing personal is mandatory, nothing is dropped for being incomplete.

A door (a page, the API) makes an `Incoming` from what was sent. It is refused only if nothing could be
done with it at all: no item and no words. Everything else is a report, receipted and clocked.
"""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import Any, Final

from holdfast.errors import InvalidRequest
from holdfast.intake.age import BirthDate
from holdfast.intake.proof import Claim
from holdfast.intake.report import Element
from holdfast.intake.reporter import Category, ItemKind, ReporterKind, UploaderIs

MOST_ITEMS: Final = 100
MOST_PROOF_BYTES: Final = 10 * 1024 * 1024
PROOF_TYPES: Final = frozenset({"image/jpeg", "image/png", "image/webp", "image/heic", "application/pdf"})
_HASH: Final = re.compile(r"[0-9a-f]{32}|[0-9a-f]{40}|[0-9a-f]{64}", re.IGNORECASE)
_ADDRESS: Final = re.compile(r"[a-z][a-z0-9+.-]*://\S+", re.IGNORECASE)


@dataclass(frozen=True, slots=True, kw_only=True)
class NamedItem:
    """One thing that is named, as it was typed."""

    kind: ItemKind
    address: str
    uploader_is: UploaderIs = UploaderIs.UNKNOWN


@dataclass(frozen=True, slots=True, kw_only=True)
class KnownAges:
    """What somebody says of the age of who is in it; all of it may be unknown."""

    lower: int | None = None
    upper: int | None = None
    born: BirthDate | None = None

    def as_text(self) -> str:
        """As it is sealed; empty if nothing is known."""
        born = self.born and {"year": self.born.year, "month": self.born.month, "day": self.born.day}
        known = {"lower": self.lower, "upper": self.upper, "born": born}
        return json.dumps(known) if any(value is not None for value in known.values()) else ""

    @classmethod
    def read(cls, text: str) -> KnownAges:
        """What was sealed."""
        found: dict[str, Any] = json.loads(text) if text.startswith("{") else {}
        born = found.get("born")
        return cls(lower=found.get("lower"), upper=found.get("upper"), born=BirthDate(**born) if born else None)


@dataclass(frozen=True, slots=True, kw_only=True)
class ShownProof:
    """A file that somebody shows, and what they say that it shows."""

    says: frozenset[Claim]
    media_type: str
    content: bytes


@dataclass(frozen=True, slots=True, kw_only=True)
class Incoming:
    """A report as it came in at a door."""

    reporter: ReporterKind
    verified: bool
    category: Category
    items: tuple[NamedItem, ...]
    words: str = ""
    contact: str = ""
    ages: KnownAges = KnownAges()
    elements: frozenset[Element] = frozenset()
    proof: ShownProof | None = None
    source: str | None = None
    """Where it came from, for the order of what waits in a flood; kept as a keyed digest for a day."""
    shown: str = ""
    """A digest of the texts that were shown."""

    def __post_init__(self) -> None:
        """Raises InvalidRequest if nothing could be done with it."""
        if not self.items and not self.words.strip():
            message = "items: name what you report: paste an address, or describe it"
            raise InvalidRequest(message)
        if len(self.items) > MOST_ITEMS:
            message = f"items: at most {MOST_ITEMS} in one report; send the others in a second one, it will be joined"
            raise InvalidRequest(message)
        if self.proof:
            check_proof(self.proof)


@dataclass(frozen=True, slots=True, kw_only=True)
class Receipt:
    """What whoever reported is given: once, and to nobody else."""

    report: str
    reference: str
    code: str
    received_at: datetime
    items: int


def check_proof(proof: ShownProof) -> None:
    """Raise InvalidRequest, in words for whoever sent it, for a file that cannot be kept."""
    if proof.media_type not in PROOF_TYPES:
        message = "proof: send a photo (JPEG, PNG, WebP, HEIC) or a PDF"
        raise InvalidRequest(message)
    if not 0 < len(proof.content) <= MOST_PROOF_BYTES:
        message = f"proof: at most {MOST_PROOF_BYTES // (1024 * 1024)} MB"
        raise InvalidRequest(message)


def pasted(untrusted_text: str, kind: ItemKind = ItemKind.LINK) -> tuple[NamedItem, ...]:
    """What somebody pasted: addresses, one or more on a line; hashes; and lines that are neither, as descriptions.

    The same twice is named once. Raises nothing: whatever it is, a person can still read it.
    """
    found: dict[str, NamedItem] = {}
    for line in untrusted_text.splitlines():
        for item in _of_line(line.strip(), kind):
            found.setdefault(item.address, item)
    return tuple(found.values())


def elements_of(*, name: str, where: bool, without_consent: bool, contact: str) -> frozenset[Element]:
    """Which elements of a request by law are there (TAKE IT DOWN 3(a)(1)(B), UK 20A)."""
    there: Sequence[tuple[Element, bool]] = (
        (Element.SIGNATURE, bool(name.strip())),
        (Element.WHERE, where),
        (Element.WITHOUT_CONSENT, without_consent),
        (Element.HOW_TO_REACH, bool(contact.strip())),
    )
    return frozenset(element for element, is_there in there if is_there)


def _of_line(line: str, kind: ItemKind) -> Iterable[NamedItem]:
    words = line.split()
    if words and all(_ADDRESS.fullmatch(word) for word in words):
        return [NamedItem(kind=kind, address=word) for word in words]
    if _HASH.fullmatch(line):
        return [NamedItem(kind=ItemKind.HASH, address=line.lower())]
    return [NamedItem(kind=ItemKind.DESCRIPTION, address=line)] if line else []

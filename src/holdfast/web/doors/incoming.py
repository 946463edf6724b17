# SPDX-License-Identifier: Apache-2.0
"""From what a page was filled in with to what the desk takes. Pure; what was left open is read with the most care."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Any, Final

from django.utils.translation import gettext

from holdfast.intake.age import ADULT, OLDEST, BirthDate
from holdfast.intake.desk import Incoming, KnownAges, NamedItem, ShownProof, elements_of, pasted
from holdfast.intake.proof import Claim
from holdfast.intake.reporter import Category, ItemKind, ReporterKind, UploaderIs
from holdfast.web.doors.report_form import AUTHORITY
from holdfast.web.proofs import proof_of

Told = Mapping[str, Any]
_NOT_SAID: Final[Mapping[ReporterKind, Category]] = {
    ReporterKind.DEPICTED_CHILD: Category.ASKED_BY_CHILD,
    ReporterKind.PARENT: Category.ASKED_BY_CHILD,
    ReporterKind.DEPICTED_ADULT: Category.INTIMATE,
    ReporterKind.AGENT: Category.INTIMATE,
}
"""What it is handled as if nobody said what it is about: as what is hidden first, where such a person asks."""


def incoming_of(told: Told, *, source: str, shown: str) -> Incoming:
    """The report of somebody who filled the page in. `told`: a valid form's data; `shown`: a digest of the page."""
    who = reporter_of(told)
    items = items_of(told["addresses"], UploaderIs(told["posted"] or UploaderIs.UNKNOWN), more=told["more"])
    return Incoming(
        reporter=who,
        verified=False,
        category=Category(told["category"]) if told["category"] else _NOT_SAID.get(who, Category.OTHER),
        items=items,
        words=words_of(told["words"], told["name"]),
        contact=told["contact"],
        ages=ages_of(told),
        elements=elements_of(
            name=told["name"],
            where=bool(items),
            without_consent=told["without_consent"],
            contact=told["contact"],
        ),
        proof=shown_of(told),
        source=source,
        shown=shown,
    )


def reporter_of(told: Told) -> ReporterKind:
    """Who somebody says they are. Whoever does not say is somebody who saw it."""
    said = told["authority"] if told["who"] == AUTHORITY else told["who"]
    return ReporterKind(said) if said else ReporterKind.BYSTANDER


def items_of(addresses: str, uploader_is: UploaderIs, *, more: bool) -> tuple[NamedItem, ...]:
    """What is named; "there is more" is named too, for a person."""
    named = [NamedItem(kind=one.kind, address=one.address, uploader_is=uploader_is) for one in pasted(addresses)]
    if more:
        says = gettext("There is more, which I cannot find or list")
        named.append(NamedItem(kind=ItemKind.DESCRIPTION, address=says, uploader_is=uploader_is))
    return tuple(named)


def words_of(words: str, name: str) -> str:
    """What happened, and the name that stands for a signature; sealed together, neither is without the other."""
    signed = gettext("Name given as a signature: %(name)s") % {"name": name} if name else ""
    return "\n\n".join(part for part in (words, signed) if part)


def ages_of(told: Told) -> KnownAges:
    """What is said of ages. A range that was given the wrong way round is turned."""
    youngest, oldest = (_age(told[name]) for name in ("youngest", "oldest"))
    if youngest is not None and oldest is not None:
        youngest, oldest = sorted((youngest, oldest))
    year, month = told["born_year"], told["born_month"]
    return KnownAges(
        lower=youngest,
        upper=OLDEST if oldest == ADULT else oldest,
        born=BirthDate(year=year, month=int(month) if month else None) if year else None,
    )


def shown_of(told: Told) -> ShownProof | None:
    """The file that somebody shows; None without one."""
    return proof_of(told["proof"], map(Claim, told["proof_shows"])) if told["proof"] else None


def _age(text: str) -> int | None:
    return int(text) if text else None

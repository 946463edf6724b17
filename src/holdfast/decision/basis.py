# SPDX-License-Identifier: Apache-2.0
"""What a decision rests on: law or the platform's own terms, and where that is written. A closed list.

What is reported says which reference fits; nobody types one. Have a lawyer confirm what applies to you: the
list says where the rule stands in the Union, not how your country made it law.
"""

from __future__ import annotations

from collections.abc import Mapping
from enum import StrEnum
from typing import Final

from holdfast.intake.reporter import Category


class Basis(StrEnum):
    """What kind of rule it is (DSA 17(3)(d) and (e))."""

    LAW = "law"
    TERMS = "terms"


class Reference(StrEnum):
    """The rule itself."""

    CHILD_ABUSE_MATERIAL = "child_abuse_material"
    SOLICITATION = "solicitation"
    TRAFFICKING = "trafficking"
    INTIMATE_IMAGES = "intimate_images"
    TERMS_SAFETY_OF_MINORS = "terms_safety_of_minors"
    TERMS_CHILDS_WISH = "terms_childs_wish"
    TERMS_OTHER = "terms_other"
    NOTHING_AGAINST_IT = "nothing_against_it"
    """What was reported is not so: nothing it says is against law or terms."""

    @property
    def basis(self) -> Basis:
        """What kind of rule it is."""
        return Basis.LAW if self in SOURCES else Basis.TERMS


SOURCES: Final[Mapping[Reference, str]] = {
    Reference.CHILD_ABUSE_MATERIAL: "Directive 2011/93/EU, article 5",
    Reference.SOLICITATION: "Directive 2011/93/EU, article 6",
    Reference.TRAFFICKING: "Directive 2011/36/EU, article 2",
    Reference.INTIMATE_IMAGES: "Directive (EU) 2024/1385, article 5",
}
"""Where a rule of law is written."""
_BY_CATEGORY: Final[Mapping[Category, Reference]] = {
    Category.CSAM: Reference.CHILD_ABUSE_MATERIAL,
    Category.GROOMING: Reference.SOLICITATION,
    Category.TRAFFICKING: Reference.TRAFFICKING,
    Category.INTIMATE: Reference.INTIMATE_IMAGES,
    Category.SEXTORTION: Reference.TERMS_SAFETY_OF_MINORS,
    Category.DANGER: Reference.TERMS_SAFETY_OF_MINORS,
    Category.ASKED_BY_CHILD: Reference.TERMS_CHILDS_WISH,
    Category.OTHER_ILLEGAL: Reference.TERMS_OTHER,
    Category.OTHER: Reference.TERMS_OTHER,
}


def reference_for(category: Category, *, removed: bool, asked_by_child: bool) -> Reference:
    """What a decision in a case of this category rests on."""
    if not removed:
        return Reference.NOTHING_AGAINST_IT
    return Reference.TERMS_CHILDS_WISH if asked_by_child else _BY_CATEGORY[category]

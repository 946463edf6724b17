# SPDX-License-Identifier: Apache-2.0
"""What the page of a report that was made asks: the words that open it, and what may be added."""

from __future__ import annotations

from typing import Any

from django import forms
from django.utils.translation import gettext_lazy as _

from holdfast.intake.code import LONGEST_TYPED
from holdfast.log.text import LONGEST_STORY
from holdfast.web.doors.fields import Story, Typed
from holdfast.web.doors.report_form import ProofFields, WhereFields


class CodeForm(forms.Form):
    """The secret words. Whatever is wrong with them is said in the same sentence."""

    use_required_attribute = False

    code = Typed(
        required=False,
        label=_("The 8 words"),
        help_text=_("In their order. Capitals do not matter, nor what stands between the words."),
        widget=forms.Textarea(
            attrs={
                "rows": 3,
                "maxlength": LONGEST_TYPED,
                "autocomplete": "off",
                "autocapitalize": "none",
                "spellcheck": "false",
            }
        ),
    )


class AddForm(WhereFields, ProofFields):
    """More of a report: words, addresses, a proof; at least one of them."""

    field_order = ("addresses", "words", "proof", "proof_shows")

    def clean(self) -> dict[str, Any]:
        """Insist on something."""
        told = super().clean() or self.cleaned_data
        if not self.errors and not any(told.get(name) for name in ("addresses", "words", "proof")):
            self.add_error("addresses", _("There is nothing to add yet: paste an address, or write something."))
        return told


class ContestForm(forms.Form):
    """Why something should be visible again."""

    use_required_attribute = False

    words = Story(
        max_length=LONGEST_STORY,
        label=_("Why should it be visible again?"),
        help_text=_("A person reads this within a day. Say what it shows, and who made it, if you like."),
        error_messages={"required": _("Write why it should be visible again."), "max_length": _("This is too long.")},
        widget=forms.Textarea(attrs={"rows": 6, "autocomplete": "off"}),
    )

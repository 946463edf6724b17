# SPDX-License-Identifier: Apache-2.0
"""What the page of a report asks, in plain words. Only one thing is needed: where it is, or what happened."""

from __future__ import annotations

from datetime import date
from typing import Any, Final

from django import forms
from django.core.files.uploadedfile import UploadedFile
from django.utils.translation import gettext_lazy as _

from holdfast.intake.age import ADULT
from holdfast.intake.desk import MOST_ITEMS, MOST_PROOF_BYTES, pasted
from holdfast.intake.proof import Claim
from holdfast.intake.reported import LONGEST_ADDRESS
from holdfast.intake.reporter import Category, ItemKind, ReporterKind, UploaderIs
from holdfast.log.text import LONGEST_STORY, LONGEST_TEXT
from holdfast.web.doors.fields import OneOf, SomeOf, Story, Typed
from holdfast.web.proofs import media_type_of

AUTHORITY: Final = "authority"
LONGEST_NAME: Final = 200
LONGEST_WORDS: Final = LONGEST_STORY - LONGEST_NAME - 100
"""Room is left for the name, which is kept with the words."""
LONGEST_LIST: Final = 100_000
_MEGABYTES: Final = MOST_PROOF_BYTES // (1024 * 1024)
_FIRST_YEAR: Final = 1900

WHO: Final = (
    (ReporterKind.DEPICTED_CHILD, _("This is me, and I am under 18")),
    (ReporterKind.DEPICTED_ADULT, _("This is me, and I am an adult now")),
    (ReporterKind.PARENT, _("It is my child, or a child I look after")),
    (ReporterKind.AGENT, _("I act for somebody: as a helper, or a lawyer")),
    (ReporterKind.BYSTANDER, _("I saw it")),
    (AUTHORITY, _("I am from a hotline, the police or another authority")),
)
AUTHORITIES: Final = (
    ("", _("Not from one of these")),
    (ReporterKind.HOTLINE, _("A hotline")),
    (ReporterKind.POLICE, _("The police")),
    (ReporterKind.REGULATOR, _("A regulator or a court")),
    (ReporterKind.FLAGGER, _("A trusted flagger")),
)
WHAT: Final = (
    (Category.DANGER, _("Somebody is in danger now, or may hurt themselves. Call first; a person here is told too")),
    (Category.ASKED_BY_CHILD, _("A child, perhaps me, does not want this to be seen. You need not say why")),
    (Category.CSAM, _("Sexual abuse of a child, or sexual pictures or videos of somebody under 18")),
    (Category.INTIMATE, _("Intimate pictures or videos, shown without being asked. Also if a computer made them, "
                          "and if somebody only threatens to show them")),
    (Category.SEXTORTION, _("Somebody threatens to show pictures, or wants money or more pictures")),
    (Category.GROOMING, _("Somebody tries to get a child to sexual talk, pictures or a meeting")),
    (Category.TRAFFICKING, _("A child is offered, or sold, for sex")),
    (Category.OTHER_ILLEGAL, _("Something else that is against the law")),
    (Category.OTHER, _("Something else, or I am not sure")),
)  # fmt: skip
POSTED: Final = (
    (UploaderIs.UNKNOWN, _("I do not know")),
    (UploaderIs.THIRD_PARTY, _("Somebody who is not in it")),
    (UploaderIs.DEPICTED, _("The person in it (perhaps you), perhaps because somebody made them")),
    (UploaderIs.NOT_IN_CONTROL, _("It is on the account of the person in it, but somebody else controls the account")),
)
SHOWS: Final = (
    (Claim.BIRTH_DATE, _("When somebody was born")),
    (Claim.IDENTITY, _("Who somebody is")),
    (Claim.AUTHORITY, _("That I may act for somebody")),
)
_DO_NOT_KNOW: Final = ("", _("I do not know"))
AGES: Final = (_DO_NOT_KNOW, *((str(age), str(age)) for age in range(ADULT)), (str(ADULT), _("18 or older")))
MONTHS: Final = (
    _DO_NOT_KNOW,
    ("1", _("January")), ("2", _("February")), ("3", _("March")), ("4", _("April")), ("5", _("May")), ("6", _("June")),
    ("7", _("July")), ("8", _("August")), ("9", _("September")), ("10", _("October")), ("11", _("November")),
    ("12", _("December")),
)  # fmt: skip
_TOO_LONG: Final = _("This is longer than we can keep. Send the rest in a second report; it is put with this one.")


class ProofFields(forms.Form):
    """A file that shows something, and what."""

    use_required_attribute = False

    proof = forms.FileField(
        required=False,
        allow_empty_file=True,
        label=_("A photo of a document, or a PDF"),
        help_text=_("At most 10 MB. Never the pictures or videos that this is about."),
    )
    proof_shows = SomeOf(SHOWS, label=_("What does it show?"))

    def clean_proof(self) -> bytes | None:
        """The content of the file. What is no photo and no PDF, or too long, is said to be."""
        file: UploadedFile[Any] | None = self.cleaned_data["proof"]
        if not file:
            return None
        if (file.size or 0) > MOST_PROOF_BYTES:
            raise forms.ValidationError(_("The file is larger than 10 MB. A smaller photo of it will do."))
        content = file.read()
        if not media_type_of(content):
            raise forms.ValidationError(
                _("This file is no photo (JPEG, PNG, WebP, HEIC) and no PDF. Videos cannot be sent here.")
            )
        return bytes(content)


class WhereFields(forms.Form):
    """Where it is, and what happened."""

    use_required_attribute = False

    addresses = Story(
        required=False,
        max_length=LONGEST_LIST,
        error_messages={"max_length": _TOO_LONG},
        label=_("Where is it?"),
        help_text=_("Paste the addresses (links), as many as there are, each on a line of its own. If you have none, "
                    "say where it is: which account, which group, what is to be seen there."),
        widget=forms.Textarea(attrs={"rows": 4, "autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip
    words = Story(
        required=False,
        max_length=LONGEST_WORDS,
        error_messages={"max_length": _TOO_LONG},
        label=_("What happened?"),
        help_text=_("As much or as little as you like."),
        widget=forms.Textarea(attrs={"rows": 5, "autocomplete": "off"}),
    )

    def clean_addresses(self) -> str:
        """What was pasted, if each of it can be kept and it is not too much for one report."""
        text: str = self.cleaned_data["addresses"]
        items = pasted(text)
        if len(items) >= MOST_ITEMS:  # one more may come from "there are more"
            raise forms.ValidationError(_TOO_LONG)
        for item in items:
            if len(item.address) > (LONGEST_STORY if item.kind is ItemKind.DESCRIPTION else LONGEST_ADDRESS):
                raise forms.ValidationError(_("One of the lines is too long. Is something stuck to an address?"))
        return text


class ReportForm(WhereFields, ProofFields):
    """The page `/report`."""

    field_order = (  # Django declares it for each form
        *("addresses", "more", "category", "who", "authority", "youngest", "oldest", "born_month", "born_year"),
        *("posted", "words", "contact", "name", "without_consent", "proof", "proof_shows"),
    )

    more = forms.BooleanField(required=False, label=_("There is more, which I cannot find or list"))
    category = OneOf(WHAT, label=_("What is it about?"))
    who = OneOf(WHO, label=_("Who are you?"))
    authority = forms.ChoiceField(choices=AUTHORITIES, required=False, label=_("If you are from an authority: which?"))
    youngest = forms.ChoiceField(choices=AGES, required=False, label=_("At the youngest"))
    oldest = forms.ChoiceField(choices=AGES, required=False, label=_("At the oldest"))
    born_month = forms.ChoiceField(choices=MONTHS, required=False, label=_("Month of birth"))
    born_year = Typed(
        required=False,
        max_length=4,
        label=_("Year of birth"),
        widget=forms.TextInput(attrs={"inputmode": "numeric", "autocomplete": "off"}),
    )
    posted = OneOf(POSTED, initial=UploaderIs.UNKNOWN, label=_("Who put it there?"))
    contact = Typed(
        required=False,
        max_length=LONGEST_TEXT,
        label=_("How may we reach you safely?"),
        help_text=_("Leave this empty and we will not write to you: you come back with the words that you get next. "
                    "If you want to be written to, name an e-mail address that nobody else reads."),
        widget=forms.TextInput(attrs={"autocomplete": "off", "spellcheck": "false"}),
    )  # fmt: skip
    name = Typed(
        required=False,
        max_length=LONGEST_NAME,
        label=_("Your name, as a signature"),
        widget=forms.TextInput(attrs={"autocomplete": "off"}),
    )
    without_consent = forms.BooleanField(
        required=False,
        label=_("I believe, in good faith, that the person in it did not agree to its being shown"),
    )

    def clean_born_year(self) -> int | None:
        """A year in which somebody who lives can be born."""
        text = self.cleaned_data["born_year"]
        if not text:
            return None
        if not (text.isdecimal() and text.isascii() and _FIRST_YEAR <= int(text) <= date.today().year):  # noqa: DTZ011  # any clock will do
            raise forms.ValidationError(_("Write the year with four digits, such as 2010, or leave it empty."))
        return int(text)

    def clean(self) -> dict[str, Any]:
        """Insist on the one thing that is needed."""
        told = super().clean() or self.cleaned_data
        named = told.get("addresses") or told.get("words") or {"addresses", "words"} & set(self.errors)
        if not named:
            self.add_error("addresses", _("Tell us where it is, or, below, what happened. One of the two is enough."))
        return told


def faults_of(form: forms.Form) -> list[tuple[str, str, str]]:
    """(id of the field, its name, what is wrong) of each mistake, in the order of the page."""
    return [(first_id(field), str(field.label), str(fault)) for field in form for fault in field.errors]


def first_id(field: forms.BoundField) -> str:
    """The id of what a link to a field leads to: of several boxes, the first."""
    return field.subwidgets[0].id_for_label if field.use_fieldset else field.auto_id

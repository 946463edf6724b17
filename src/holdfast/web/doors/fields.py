# SPDX-License-Identifier: Apache-2.0
"""The fields of the pages: nothing is refused that a person could have typed by accident."""

from __future__ import annotations

import unicodedata
from collections.abc import Iterable
from typing import Any, Final

from django import forms
from django.utils.functional import Promise

Label = str | Promise
Choices = Iterable[tuple[str, Label]]
_LINES: Final = "\n\t"


class Typed(forms.CharField):
    """What a person types. Line ends are made one; a character that no text can hold becomes a space."""

    def to_python(self, value: Any) -> Any:  # noqa: ANN401  # Django's form
        """The text as it can be kept."""
        text = super().to_python(value)
        return plain(text).strip() if isinstance(text, str) else text


class Story(Typed):
    """The same over several lines."""

    widget = forms.Textarea


class OneOf(forms.ChoiceField):
    """One of several, or none: nobody has to choose."""

    widget = forms.RadioSelect

    def __init__(self, choices: Choices, **how: Any) -> None:  # noqa: ANN401  # Django's form
        """Offer `choices`."""
        super().__init__(choices=list(choices), required=False, **how)


class SomeOf(forms.MultipleChoiceField):
    """Several of several, or none."""

    widget = forms.CheckboxSelectMultiple

    def __init__(self, choices: Choices, **how: Any) -> None:  # noqa: ANN401  # Django's form
        """Offer `choices`."""
        super().__init__(choices=list(choices), required=False, **how)


def plain(untrusted_text: str) -> str:
    """A text with one kind of line end and without control characters."""
    lines = untrusted_text.replace("\r\n", "\n").replace("\r", "\n")
    return "".join(" " if _is_control(one) else one for one in lines)


def _is_control(character: str) -> bool:
    return character not in _LINES and unicodedata.category(character) in ("Cc", "Cs")

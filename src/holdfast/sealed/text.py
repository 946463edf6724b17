# SPDX-License-Identifier: Apache-2.0
"""Text that people typed and that may be about people: in an event it is a text, in the journal it never is.

A field annotated `PrivateText` holds a plain `str` while something is decided. The journal seals it in
the transaction that appends the event, and what is written is where it lies and what commits to it.
`encode` refuses a text that was not sealed, so that forgetting to is a failure and not a leak.
"""

from __future__ import annotations

import dataclasses
import typing
from collections.abc import Iterator
from typing import Annotated, Any, Final, Self

from pydantic import PlainSerializer, PlainValidator

ERASED: Final = "(erased)"


class SealedText(str):
    """A text with the sealed record that holds it; empty until it was opened."""

    __slots__ = ("commitment", "record")
    record: str
    commitment: str

    def __new__(cls, text: str, *, record: str, commitment: str) -> Self:
        """`text` as it was opened, or "" ; `commitment` is what the journal says of it, in hex."""
        made = super().__new__(cls, text)
        made.record, made.commitment = record, commitment
        return made

    def opened(self, text: str) -> SealedText:
        """The same, with what it says."""
        return SealedText(text, record=self.record, commitment=self.commitment)


def _written(text: str) -> dict[str, str]:
    if not isinstance(text, SealedText):
        raise TypeError("a private text is sealed before it is written")
    return {"sealed": text.record, "commitment": text.commitment}


def _read(found: Any) -> SealedText:  # noqa: ANN401  # whatever stands in the journal
    if not isinstance(found, dict) or set(found) != {"sealed", "commitment"}:
        raise ValueError("a private text in the journal is a sealed record and its commitment")
    return SealedText("", record=str(found["sealed"]), commitment=str(found["commitment"]))


class _Marker:
    """Marks a field as private, for whoever looks for such fields."""


PrivateText = Annotated[
    str, _Marker, PlainValidator(_read), PlainSerializer(_written, return_type=dict[str, str], when_used="always")
]
"""What a person typed: sealed before it is written."""


_KNOWN: dict[type[Any], tuple[str, ...]] = {}


def private_fields(kind: type[Any]) -> tuple[str, ...]:
    """The names of the private fields of an event class, in order. Found out once for each class."""
    if kind not in _KNOWN:
        hints = typing.get_type_hints(kind, include_extras=True)
        names = [field.name for field in dataclasses.fields(kind)]
        _KNOWN[kind] = tuple(name for name in names if _Marker in getattr(hints[name], "__metadata__", ()))
    return _KNOWN[kind]


def texts_of(happened: Any) -> Iterator[tuple[str, str]]:  # noqa: ANN401  # any event
    """(field, text) of every private text of an event."""
    kind: type[Any] = type(happened)
    for name in private_fields(kind):
        yield name, getattr(happened, name)

# SPDX-License-Identifier: Apache-2.0
"""The secret code of a receipt, and its reference: two strings for two purposes.

The code opens everything about one report and is shown to nobody but who reported: eight words of
1,024, 80 bits drawn at random. The reference may be quoted to anybody and opens nothing. Holdfast
keeps neither the words nor anything that they could be guessed from: it finds a report by a keyed digest.

Whoever types the words may use capitals, commas, dashes or line ends, or the first letters of a word
as far as they are those of one word alone.
"""

from __future__ import annotations

import base64
import re
from functools import cache
from typing import Final

from holdfast.errors import InvalidRequest
from holdfast.intake.words import WORDS

CODE_WORDS: Final = 8
CODE_BITS: Final = 80
CODE_BYTES: Final = CODE_BITS // 8
REFERENCE_BYTES: Final = 5
LONGEST_TYPED: Final = 200
_BITS_OF_WORD: Final = 10
_BETWEEN: Final = re.compile(r"[\s,.;:_+\-]+")


def code_of(drawn: bytes) -> str:
    """The words for CODE_BYTES random bytes, with spaces between them."""
    if len(drawn) != CODE_BYTES:
        message = f"a code is made of {CODE_BYTES} random bytes"
        raise ValueError(message)
    number = int.from_bytes(drawn)
    shifts = range(CODE_BITS - _BITS_OF_WORD, -1, -_BITS_OF_WORD)
    return " ".join(WORDS[number >> shift & (len(WORDS) - 1)] for shift in shifts)


def read_code(untrusted_text: str) -> str:
    """The code that somebody typed, as `code_of` writes it. Its length is looked at before anything else.

    Raises InvalidRequest, naming the place of a word that is none, and never the word: it may be nearly a secret.
    """
    if len(untrusted_text) > LONGEST_TYPED:
        message = f"code: at most {LONGEST_TYPED} characters"
        raise InvalidRequest(message)
    typed = [word for word in _BETWEEN.split(untrusted_text.lower()) if word]
    if len(typed) != CODE_WORDS:
        message = f"code: {CODE_WORDS} words; there are {len(typed)}"
        raise InvalidRequest(message)
    return " ".join(_word(place, word) for place, word in enumerate(typed, start=1))


def reference_of(drawn: bytes) -> str:
    """What may be quoted: `R-XXXX-XXXX` for REFERENCE_BYTES random bytes."""
    if len(drawn) != REFERENCE_BYTES:
        message = f"a reference is made of {REFERENCE_BYTES} random bytes"
        raise ValueError(message)
    letters = base64.b32encode(drawn).decode()
    return f"R-{letters[:4]}-{letters[4:]}"


def _word(place: int, typed: str) -> str:
    found = _beginning_with(typed)
    if len(found) != 1 and typed not in found:
        message = f"code: word {place} is not one that codes are made of"
        raise InvalidRequest(message)
    return typed if typed in found else found[0]


@cache
def _by_letters() -> dict[str, tuple[str, ...]]:
    """Which words begin with each beginning."""
    found: dict[str, list[str]] = {}
    for word in WORDS:
        for length in range(1, len(word) + 1):
            found.setdefault(word[:length], []).append(word)
    return {beginning: tuple(words) for beginning, words in found.items()}


def _beginning_with(letters: str) -> tuple[str, ...]:
    return _by_letters().get(letters, ())

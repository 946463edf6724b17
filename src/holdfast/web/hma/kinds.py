# SPDX-License-Identifier: Apache-2.0
"""HMA's names for kinds of hashes and of content, and ours behind them."""

from __future__ import annotations

from collections.abc import Mapping
from typing import Final

from django.http import HttpRequest

from holdfast.errors import InvalidRequest
from holdfast.match.signal import Signal, SignalType, parse

# What HMA calls video_md5 is the MD5 of any file.
NAMES: Final[Mapping[SignalType, str]] = {
    SignalType.PDQ: "pdq",
    SignalType.MD5: "video_md5",
    SignalType.SHA1: "sha1",
    SignalType.SHA256: "sha256",
    SignalType.VPDQ: "vpdq",
}
ASKED_FOR: Final = tuple(kind for kind in NAMES if kind is not SignalType.VPDQ)
"""What requests may name. A video's frames match files, and are told as vpdq; no hash of one is asked about alone."""
_KINDS: Final = {"md5": SignalType.MD5, **{NAMES[kind]: kind for kind in ASKED_FOR}}
CONTENT_TYPES: Final[Mapping[str, SignalType]] = {"photo": SignalType.PDQ, "video": SignalType.MD5}
"""What each kind of content is hashed with if a request does not say."""


def kind_named(untrusted_name: str) -> SignalType:
    """The kind of signal of that name. Raises InvalidRequest."""
    kind = _KINDS.get(untrusted_name.strip())
    if kind is None:
        message = f"signal_type: one of {', '.join(_KINDS)}"
        raise InvalidRequest(message)
    return kind


def signal_named(untrusted_name: str, untrusted_value: object) -> Signal:
    """A signal under HMA's name for its kind. Raises InvalidRequest or InvalidSignal."""
    kind = kind_named(untrusted_name)
    if not isinstance(untrusted_value, str):
        message = f"{kind}: a hash as text is needed"
        raise InvalidRequest(message)
    return parse(kind, untrusted_value)


def kinds_wanted(request: HttpRequest, content_type: str) -> list[SignalType]:
    """The kinds of hashes that a request about a file of this content type asks for. Raises InvalidRequest."""
    usual = CONTENT_TYPES.get(content_type)
    if usual is None:
        message = f"the file's field must be named {' or '.join(CONTENT_TYPES)}"
        raise InvalidRequest(message)
    names = [name for name in request.GET.get("types", "").split(",") if name.strip()]
    return list(dict.fromkeys(map(kind_named, names))) or [usual]

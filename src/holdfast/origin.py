# SPDX-License-Identifier: Apache-2.0
"""Origins: scheme, host and port, read so strictly that no spelling of an address can disguise one.

Nothing is guessed and no number is turned into an address: what is not written plainly is not read at all, and two
hosts are the same only if they are written the same. Whoever connects takes the parts that were compared, and
does not read the address a second time by other rules.
"""

from __future__ import annotations

import ipaddress
import re
import string
from dataclasses import dataclass
from typing import Final
from urllib.parse import quote

_LONGEST: Final = 8192
_ADDRESS: Final = re.compile(r"(https?)://([^/?#]*)([/?#].*)?", re.IGNORECASE | re.ASCII | re.DOTALL)
_AUTHORITY: Final = re.compile(
    r"(\[[0-9a-f:]{2,39}\]|[a-z0-9_][a-z0-9_.-]{0,252})(?::([0-9]{1,5}))?", re.IGNORECASE | re.ASCII
)
_NEVER_PLAIN: Final = re.compile(r"[\x00-\x20\x7f-\x9f\\\ud800-\udfff]")
_NUMBER: Final = re.compile(r"[0-9]+|0x[0-9a-f]*", re.ASCII)
_PRINTABLE: Final = string.ascii_letters + string.digits + string.punctuation
_PORTS: Final = {"http": 80, "https": 443}
_HIGHEST_PORT: Final = 65535


@dataclass(frozen=True, slots=True)
class Origin:
    """Where something is served from. `host` is in lower case, an IPv6 address in brackets."""

    scheme: str
    host: str
    port: int

    def __str__(self) -> str:
        """As a browser writes it: without the port that the scheme implies."""
        return f"{self.scheme}://{self.host}" + ("" if self.port == _PORTS[self.scheme] else f":{self.port}")


@dataclass(frozen=True, slots=True)
class Address:
    """An address in two: who is asked, and for what. `target` is path and query, in ASCII; a fragment is never sent."""

    origin: Origin
    target: str

    def __str__(self) -> str:
        """The whole of it."""
        return f"{self.origin}{self.target}"


def read_address(untrusted_address: str) -> Address | None:
    """The parts of an http or https address; None for whatever is not one, or not written plainly."""
    parts = _ADDRESS.fullmatch(untrusted_address)
    if len(untrusted_address) > _LONGEST or not parts or _NEVER_PLAIN.search(untrusted_address):
        return None
    origin = _origin(parts[1].lower(), parts[2])
    target = quote((parts[3] or "").partition("#")[0], safe=_PRINTABLE)
    return Address(origin, target if target.startswith("/") else f"/{target}") if origin else None


def read_origin(text: str) -> Origin:
    """An origin that an operator wrote, such as https://example.org. Raises ValueError, in words."""
    address = read_address(text)
    if address is None or address.target != "/" or "#" in text:
        message = "must be origins such as https://example.org or http://127.0.0.1:8080, without a path, commas between"
        raise ValueError(message)
    return address.origin


def _origin(scheme: str, authority: str) -> Origin | None:
    found = _AUTHORITY.fullmatch(authority)
    host = _host(found[1].lower()) if found else None
    port = int(found[2]) if found and found[2] else _PORTS[scheme]
    return Origin(scheme, host, port) if host and 0 < port <= _HIGHEST_PORT else None


def _host(written: str) -> str | None:
    """A name, four plain numbers, or an IPv6 address in brackets in its shortest form; None for other spellings."""
    try:
        if written.startswith("["):
            return f"[{ipaddress.IPv6Address(written[1:-1])}]"
        if _NUMBER.fullmatch(written.rpartition(".")[2]):  # whoever resolves names takes this for a number
            return str(ipaddress.IPv4Address(written))
    except ValueError:
        return None
    return None if any(not label or len(label) > 63 for label in written.split(".")) else written  # noqa: PLR2004

# SPDX-License-Identifier: Apache-2.0
"""What Commons must be told, as environment variables that begin with COMMONS_. There is no default for a secret."""

from __future__ import annotations

import base64
import os
import secrets
from collections.abc import Mapping
from dataclasses import dataclass
from pathlib import Path
from typing import Final

MOST_BYTES: Final = 64 * 1024 * 1024
"""The longest body that is taken, in bytes."""
_LEAST_SECRET, _MOST_SECRET = 24, 64


class SettingError(Exception):
    """A setting is missing or wrong; the text says which, and what to do."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Settings:
    """Everything that can be set."""

    data: Path
    port: int
    holdfast_url: str
    holdfast_key: Path
    """The file with the API key; read each time, so that a new one counts at once."""
    secret: bytes
    """What the nine calls are signed with."""
    origin: str
    """How strangers reach Commons, without a slash at the end."""
    report_url: str
    workers: int
    dies_with_parent: bool
    alone: bool = False
    """Nobody screens anything, and reports go to a list of its own: as platforms are that have no Holdfast."""
    moderators: frozenset[str] = frozenset()
    """Names of the accounts that see that list."""


def settings_from(environment: Mapping[str, str]) -> Settings:
    """The settings in `environment`. Raises SettingError."""
    port = _number(environment, "COMMONS_PORT", 9000)
    if environment.get("COMMONS_ALONE", "") == "1":
        return _alone(environment, port)
    url = _needed(environment, "COMMONS_HOLDFAST_URL").rstrip("/")
    return Settings(
        data=Path(_needed(environment, "COMMONS_DATA")).absolute(),
        port=port,
        holdfast_url=url,
        holdfast_key=Path(_needed(environment, "COMMONS_HOLDFAST_KEY")).absolute(),
        secret=_secret(Path(_needed(environment, "COMMONS_SECRET_FILE"))),
        origin=environment.get("COMMONS_ORIGIN", f"http://127.0.0.1:{port}").rstrip("/"),
        report_url=environment.get("COMMONS_REPORT_URL", f"{url}/report"),
        workers=_number(environment, "COMMONS_WORKERS", 2),
        dies_with_parent=environment.get("COMMONS_DIE_WITH_PARENT", "") == "1",
    )


def _alone(environment: Mapping[str, str], port: int) -> Settings:
    """Settings without Holdfast. No call of it is ever signed: nobody knows the secret."""
    origin = environment.get("COMMONS_ORIGIN", f"http://127.0.0.1:{port}").rstrip("/")
    return Settings(
        data=Path(_needed(environment, "COMMONS_DATA")).absolute(),
        port=port,
        holdfast_url="",
        holdfast_key=Path(os.devnull),
        secret=secrets.token_bytes(_MOST_SECRET),
        origin=origin,
        report_url=f"{origin}/flag",
        workers=_number(environment, "COMMONS_WORKERS", 2),
        dies_with_parent=environment.get("COMMONS_DIE_WITH_PARENT", "") == "1",
        alone=True,
        moderators=frozenset(environment.get("COMMONS_MODERATORS", "").split()),
    )


def secret_bytes(text: str) -> bytes:
    """The key in a secret of the form whsec_BASE64. Raises SettingError if it is none, or too short to be safe."""
    prefix, _, encoded = text.strip().partition("_")
    try:
        key = base64.b64decode(encoded, validate=True)
    except ValueError:  # not base64, or not even ASCII
        key = b""
    if prefix != "whsec" or not _LEAST_SECRET <= len(key) <= _MOST_SECRET:
        message = f"COMMONS_SECRET_FILE must hold whsec_ and {_LEAST_SECRET} to {_MOST_SECRET} bytes in base64"
        raise SettingError(message)
    return key


def _secret(path: Path) -> bytes:
    try:
        return secret_bytes(path.read_text())
    except OSError as fault:
        message = f"COMMONS_SECRET_FILE cannot be read: {fault.strerror}"
        raise SettingError(message) from fault


def _needed(environment: Mapping[str, str], name: str) -> str:
    if not environment.get(name):
        message = f"Set {name}; README.md says what it is."
        raise SettingError(message)
    return environment[name]


def _number(environment: Mapping[str, str], name: str, default: int) -> int:
    text = environment.get(name, str(default))
    if not (text.isascii() and text.isdigit() and int(text) > 0):
        message = f"{name} must be a number above 0."
        raise SettingError(message)
    return int(text)

# SPDX-License-Identifier: Apache-2.0
"""Which alarm channels the settings name, and what production insists on before anything is started."""

from __future__ import annotations

from collections.abc import Callable
from datetime import datetime
from pathlib import Path
from typing import TYPE_CHECKING, Final
from urllib.parse import unquote, urlsplit

from holdfast.adapters.mail import Addresses, Mail, MailServer
from holdfast.effect.webhook import secret_bytes
from holdfast.errors import InvalidSetting, NoAlarmChannel, ScreeningOff
from holdfast.settings import Settings, is_loopback

if TYPE_CHECKING:
    from pydantic import SecretStr

    from holdfast.alarm.telling import AlarmChannel

EMAIL, WEBHOOK = "email", "webhook"
_TLS_PORT, _SUBMISSION_PORT, _OWN_PORT = 465, 587, 25
_LONGEST_PASSWORD: Final = 1024


def channels_of(settings: Settings, clock: Callable[[], datetime]) -> dict[str, AlarmChannel]:
    """The channels by their names; none if none is set. Raises InvalidSetting for one that cannot be used."""
    found: dict[str, AlarmChannel] = {}
    if settings.alarm_email and settings.alarm_smtp:
        found[EMAIL] = Mail(mail_server(settings), _addresses(settings), clock)
    if settings.alarm_url:
        from holdfast.adapters.webhook import AlarmWebhook  # noqa: PLC0415  # heavy, and only needed here

        names = "HOLDFAST_ALARM_SECRET_FILE, HOLDFAST_ALARM_SECRET"
        key = signing_key(names, settings.alarm_secret_file, settings.alarm_secret)
        found[WEBHOOK] = AlarmWebhook(settings.alarm_url, key, clock)
    return found


def require_fit_for_production(settings: Settings, clock: Callable[[], datetime]) -> None:
    """Raise NoAlarmChannel or ScreeningOff where production is not fit to start and nobody said that it may.

    Raises InvalidSetting for a channel that cannot be used, in production or not.
    """
    channels = channels_of(settings, clock)
    if not settings.production:
        return
    if not channels and not settings.production_without_alarms:
        raise NoAlarmChannel("HOLDFAST_PRODUCTION is on, and no alarm channel is set")
    if settings.shadow and not settings.production_shadow:
        raise ScreeningOff("HOLDFAST_PRODUCTION and HOLDFAST_SHADOW are both on")


def signing_key(names: str, file: Path | None, secret: SecretStr | None) -> bytes:
    """The key that signs messages. Raises InvalidSetting, with the settings' `names`, for one that is not good."""
    try:
        if file:
            return secret_bytes(file.read_text(encoding="ascii", errors="replace").strip())
        return secret_bytes(secret.get_secret_value() if secret else "")
    except (OSError, ValueError) as fault:
        message = f"{names}: {fault}"
        raise InvalidSetting(message) from None


def mail_server(settings: Settings) -> MailServer:
    """The server of HOLDFAST_ALARM_SMTP. Raises InvalidSetting for a user without a password."""
    parts = urlsplit(settings.alarm_smtp or "")
    host, tls = parts.hostname or "", parts.scheme == "smtps"
    own = is_loopback(host)
    usual = _TLS_PORT if tls else _OWN_PORT if own else _SUBMISSION_PORT
    user = unquote(parts.username) if parts.username else None
    return MailServer(
        host=host,
        port=parts.port or usual,
        tls=tls,
        starttls=not tls and not own,
        user=user,
        password=_password(settings.alarm_smtp_password_file) if user else None,
    )


def _password(file: Path | None) -> str:
    if file is None:
        raise InvalidSetting("HOLDFAST_ALARM_SMTP_PASSWORD_FILE: HOLDFAST_ALARM_SMTP names a user, so it is needed")
    try:
        password = file.read_text(encoding="utf-8").strip()
    except (OSError, ValueError) as fault:
        message = f"HOLDFAST_ALARM_SMTP_PASSWORD_FILE: {type(fault).__name__}"
        raise InvalidSetting(message) from None
    if not 0 < len(password) <= _LONGEST_PASSWORD or not password.isascii():
        raise InvalidSetting("HOLDFAST_ALARM_SMTP_PASSWORD_FILE: holds no password of ASCII characters")
    return password


def _addresses(settings: Settings) -> Addresses:
    owner = tuple((settings.alarm_email or "").split(","))
    user = unquote(urlsplit(settings.alarm_smtp or "").username or "")
    sender = settings.alarm_from or (user if "@" in user else owner[0])
    deputy = tuple((settings.alarm_deputy_email or "").split(",")) if settings.alarm_deputy_email else ()
    return Addresses(sender=sender, owner=owner, deputy=tuple(one for one in deputy if one not in owner))

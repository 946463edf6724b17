# SPDX-License-Identifier: Apache-2.0
"""What is started before anything can be wired: the embedded database and the decoders. And the present moment.

Light on purpose: `serve` itself needs no more than this, so that it is up, and restarts what dies, quickly.
"""

from __future__ import annotations

from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING

from holdfast.adapters.accounts import DECODER, own_account
from holdfast.adapters.postgres import EmbeddedPostgres, Urls
from holdfast.errors import DecoderUnavailable
from holdfast.media.decoder import ServerOptions, start_server
from holdfast.settings import SandboxPolicy, Settings

if TYPE_CHECKING:
    import subprocess


def clock() -> datetime:
    """The present moment, UTC."""
    return datetime.now(UTC)


def embedded(settings: Settings) -> EmbeddedPostgres:
    """The embedded database of these settings' data directory."""
    return EmbeddedPostgres(settings.data / "postgres")


def with_urls(settings: Settings, urls: Urls) -> Settings:
    """The same settings with a database that runs."""
    return settings.model_copy(update={"database_url": urls.app, "database_owner_url": urls.owner})


def decoder_options(settings: Settings, folder: Path) -> ServerOptions:
    """How to start a decoder server with its socket in `folder`."""
    account = own_account(DECODER)
    return ServerOptions(
        path=folder / "decoder.sock",
        spares=settings.decoder_spares,
        seconds=settings.decode_seconds,
        video_seconds=settings.video_seconds,
        memory_bytes=settings.decode_memory_bytes,
        weaker=settings.sandbox is SandboxPolicy.WEAKER,
        uid=account.uid if account else None,
        gid=account.gid if account else None,
    )


def launch_decoder(settings: Settings, folder: Path) -> subprocess.Popen[bytes]:
    """Start a decoder server. Raises DecoderUnavailable with what it said if it does not come up."""
    try:
        return start_server(decoder_options(settings, folder))
    except RuntimeError as cause:
        raise DecoderUnavailable(str(cause)) from cause

# SPDX-License-Identifier: Apache-2.0
"""`python -m commons`: serve on 127.0.0.1, and say when it is ready."""

from __future__ import annotations

import http.client
import logging
import multiprocessing
import os
import sys
import threading
import time

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from commons.lifeline import MAIN, end_gently, watch
from commons.settings import SettingError, Settings, settings_from
from commons.site import open_site, prepare


def main() -> None:
    """Serve until told to stop."""
    try:
        settings = settings_from(os.environ)
    except SettingError as fault:
        sys.exit(f"commons: {fault}")
    if settings.dies_with_parent:
        watch(os.getppid(), end_gently)
    prepare(open_site(settings))
    os.environ[MAIN] = str(os.getpid())
    multiprocessing.set_start_method("spawn")  # a copy of a process that has threads may hang for ever
    threading.Thread(target=_say_when_ready, args=(settings,), daemon=True).start()
    logging.raiseExceptions = False
    Granian(
        "commons.worker:application",
        address="127.0.0.1",
        port=settings.port,
        interface=Interfaces.RSGI,
        workers=settings.workers,
        websockets=False,
        log_level=LogLevels.warning,
        log_access=False,
        respawn_failed_workers=True,
    ).serve()


def _say_when_ready(settings: Settings) -> None:
    while True:
        connection = http.client.HTTPConnection("127.0.0.1", settings.port, timeout=5)
        try:
            connection.request("GET", "/static/style.css")
            if connection.getresponse().status == http.HTTPStatus.OK:
                break
        except OSError:
            time.sleep(0.05)
        finally:
            connection.close()
    sys.stdout.write(f"Commons is ready at {settings.origin}\n")
    sys.stdout.flush()


if __name__ == "__main__":
    main()

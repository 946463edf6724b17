# SPDX-License-Identifier: Apache-2.0
"""The HTTP server process: granian with few requests worked on at once, forked by `holdfast.background`.

Its own workers tie themselves to it (`web.wsgi`), because granian's go on serving when their main process is killed.
"""

from __future__ import annotations

import logging
import multiprocessing

from granian import Granian
from granian.constants import Interfaces
from granian.log import LogLevels

from holdfast.settings import Settings
from holdfast.web.body import MOST_WAITING
from holdfast.web.doors.setup import PAGES

WEB = {
    "ROOT_URLCONF": "holdfast.web.urls",
    "MIDDLEWARE": [
        "holdfast.web.hma.edge.TextErrorsOnLookups",
        "holdfast.web.problems.ProblemMiddleware",
        "holdfast.web.once.OnceMiddleware",
    ],
    # Keys, not cookies: nothing here depends on the Host header.
    "ALLOWED_HOSTS": ["*"],
    "DATA_UPLOAD_MAX_MEMORY_SIZE": 16 * 1024 * 1024,
    **PAGES,
}


def run(settings: Settings) -> None:
    """Serve until told to stop. Everything is loaded (`holdfast.bootstrap.load`), with `WEB`."""
    host, _, port = settings.listen.rpartition(":")
    logging.raiseExceptions = False
    # It warns of more threads than cores; these sleep until a body comes.
    logging.getLogger("_granian").addFilter(lambda record: "Python threads" not in record.getMessage())
    # Its workers are copies of this process, with everything loaded; they end without taking Python apart.
    multiprocessing.set_start_method("fork", force=True)
    Granian(
        "holdfast.web.wsgi:application",
        address=host.strip("[]"),
        port=int(port),
        interface=Interfaces.WSGI,
        workers=settings.web_workers,
        # Those beyond the slots wait for bodies: see `web.body`.
        blocking_threads=settings.web_threads + MOST_WAITING,
        backlog=1024,
        log_level=LogLevels.warning,
        log_access=False,
        respawn_failed_workers=True,
    ).serve()

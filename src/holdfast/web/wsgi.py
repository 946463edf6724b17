# SPDX-License-Identifier: Apache-2.0
"""What each granian worker loads: ties the worker to its parent, wires the system, gives the application."""

from __future__ import annotations

import os

from django.core.handlers.wsgi import WSGIHandler
from django.db import connections

from holdfast.bootstrap import wire
from holdfast.lifeline import die_with_parent
from holdfast.observe import configure_logging
from holdfast.settings import Settings
from holdfast.web.body import Application, Slots, in_slots
from holdfast.web.doors.setup import PAGES
from holdfast.web.system import install

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


def make_application() -> Application:
    """Wire this process and return its WSGI application."""
    die_with_parent(os.getppid())
    configure_logging()
    settings = Settings.from_environment()
    install(wire(settings, web=WEB))
    slots = Slots(
        settings.web_threads,
        seconds=settings.receive_seconds,
        rate=settings.receive_least_rate,
        pause=connections.close_all,  # back into the pool
    )
    return in_slots(WSGIHandler(), slots)


application = make_application()

# SPDX-License-Identifier: Apache-2.0
"""What each granian worker loads: ties the worker to its parent, wires the system, gives the application.

Its parent's parent (`holdfast.background`) has configured Django and loaded everything before it forked.
"""

from __future__ import annotations

import os

from django.core.handlers.wsgi import WSGIHandler
from django.db import connections

from holdfast.bootstrap import assemble
from holdfast.lifeline import die_with_parent
from holdfast.observe import configure_logging
from holdfast.settings import Settings
from holdfast.web.body import Application, Slots, in_slots
from holdfast.web.system import install


def make_application() -> Application:
    """Wire this process, whose parent has loaded everything, and return its WSGI application."""
    die_with_parent(os.getppid())
    configure_logging()
    settings = Settings.from_environment()
    install(assemble(settings))
    slots = Slots(
        settings.web_threads,
        seconds=settings.receive_seconds,
        rate=settings.receive_least_rate,
        pause=connections.close_all,  # back into the pool
    )
    return in_slots(WSGIHandler(), slots)


application = make_application()

# SPDX-License-Identifier: Apache-2.0
"""What each of granian's workers loads: Django, the cache in front of it, and a thread that keeps house."""

from __future__ import annotations

import logging
import os
import threading
import time
from pathlib import Path
from typing import Final

import django
from django.conf import settings as django_settings
from django.core.handlers.wsgi import WSGIHandler

from commons.front import Front
from commons.lifeline import MAIN, end_at_once, end_without_clearing_up, watch
from commons.screening import ask_due
from commons.settings import settings_from
from commons.site import Site, open_site, session_key

_PAUSE_SECONDS: Final = 0.5
_FOLDER: Final = Path(__file__).parent
_log = logging.getLogger("commons")


def configure(site: Site) -> None:
    """Set Django up, once for each process."""
    logging.getLogger("django.request").setLevel(logging.CRITICAL)  # it tells addresses, held ones too
    django_settings.configure(
        SECRET_KEY=session_key(site.settings.data),
        ROOT_URLCONF="commons.urls",
        MIDDLEWARE=["commons.web.guard"],
        TEMPLATES=[{"BACKEND": "django.template.backends.django.DjangoTemplates", "DIRS": [_FOLDER / "templates"]}],
        PASSWORD_HASHERS=["django.contrib.auth.hashers.ScryptPasswordHasher"],
        FILE_UPLOAD_HANDLERS=["django.core.files.uploadhandler.TemporaryFileUploadHandler"],
        FILE_UPLOAD_TEMP_DIR=str(site.files.incoming),
        ALLOWED_HOSTS=["*"],  # nothing here depends on the Host header but the guard, which compares it
        LOGGING_CONFIG=None,
        USE_I18N=False,
        USE_TZ=True,
        TIME_ZONE="UTC",
    )
    django.setup()


def keep_house(site: Site) -> None:
    """Again and again: ask what is still to be asked, add up what was seen."""
    while True:
        try:
            ask_due(site)
            if site.views.waits(site.database.reading):
                with site.database.writing() as transaction:
                    site.views.fold(transaction, time.time())
        except Exception:  # noqa: BLE001  # whatever it is, the next round may well work
            _log.exception("Commons could not keep house; it tries again")
        time.sleep(_PAUSE_SECONDS)


def make_application() -> Front:
    """Wire this process."""
    watch(int(os.environ[MAIN]), end_at_once)
    end_without_clearing_up()
    site = open_site(settings_from(os.environ))
    configure(site)
    return Front(site, WSGIHandler(), threading.Thread(target=keep_house, args=(site,), daemon=True).start)


application = make_application()

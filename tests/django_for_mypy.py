# SPDX-License-Identifier: Apache-2.0
"""Settings that the type checker's Django plugin reads; nothing runs with them."""

INSTALLED_APPS = ["holdfast.store"]
DATABASES = {"default": {"ENGINE": "django.db.backends.postgresql", "NAME": "none"}}
SECRET_KEY = "for the type checker only"

# SPDX-License-Identifier: Apache-2.0
"""The Django app."""

from django.apps import AppConfig


class StoreConfig(AppConfig):
    """Holdfast's tables."""

    name = "holdfast.store"
    label = "store"
    default_auto_field = "django.db.models.BigAutoField"

# SPDX-License-Identifier: Apache-2.0
"""Django's settings for the pages: templates from this folder alone, and languages.

Every sentence goes through gettext. English is the only language yet: another one is a folder
`locale/CODE/LC_MESSAGES` here and its code in LANGUAGES. The style sheet turns with the direction of writing.
"""

from __future__ import annotations

from pathlib import Path
from typing import Any, Final

_FOLDER: Final = Path(__file__).parent
LANGUAGES: Final = (("en", "English"),)
PAGES: Final[dict[str, Any]] = {
    "TEMPLATES": [
        {
            "BACKEND": "django.template.backends.django.DjangoTemplates",
            "DIRS": [_FOLDER / "templates", _FOLDER.parent / "staff" / "templates"],
            "APP_DIRS": False,
            "OPTIONS": {"autoescape": True, "string_if_invalid": "", "context_processors": []},
        }
    ],
    "USE_I18N": True,
    "LANGUAGE_CODE": "en",
    "LANGUAGES": LANGUAGES,
    "LOCALE_PATHS": [_FOLDER / "locale"],
}

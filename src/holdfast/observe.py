# SPDX-License-Identifier: Apache-2.0
"""Logs: one JSON object per line on standard error. Never content, hashes, secrets or references to people."""

from __future__ import annotations

import logging
import sys

import structlog


def configure_logging(level: int = logging.INFO) -> None:
    """Set structured logging up for this process."""
    structlog.configure(
        processors=[
            structlog.processors.add_log_level,
            structlog.processors.TimeStamper(fmt="iso", utc=True),
            structlog.processors.format_exc_info,
            structlog.processors.JSONRenderer(),
        ],
        wrapper_class=structlog.make_filtering_bound_logger(level),
        logger_factory=structlog.PrintLoggerFactory(sys.stderr),
        cache_logger_on_first_use=False,
    )
    # We say ourselves that the database is away; the pool would say it for every try.
    logging.getLogger("psycopg.pool").setLevel(logging.CRITICAL)
    # Of an answer that says that something is away, we say ourselves why (`web.problems`).
    logging.getLogger("django.request").setLevel(logging.CRITICAL)
    # Libraries' warnings, such as a lost database connection, go the same way, without their arguments.
    handler = logging.StreamHandler(sys.stderr)
    handler.setFormatter(_NameOnly())
    logging.basicConfig(level=max(level, logging.ERROR), handlers=[handler])


class _NameOnly(logging.Formatter):
    """Which library complained, and nothing of what it said: messages and tracebacks may quote values."""

    def format(self, record: logging.LogRecord) -> str:
        """One line."""
        return f'{{"event": "library", "logger": "{record.name}"}}'

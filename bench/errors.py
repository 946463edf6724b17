# SPDX-License-Identifier: Apache-2.0
"""The one exception a bench raises on purpose: its text is a whole sentence for the person who ran it."""

from __future__ import annotations


class BenchError(Exception):
    """The bench cannot run here, and the message says what to do about it."""


class UnknownBenchError(BenchError):
    """A name on the command line that no bench has."""

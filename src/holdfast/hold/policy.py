# SPDX-License-Identifier: Apache-2.0
"""Whether something is held before a person has looked: the floor in code, and a policy file that can only add to it.

Whatever concerns a minor, and intimate images that the person depicted or whoever acts for them names, is held,
whoever says so; no file can change that. For every other category the file says which reporters' word
holds; what it does not name waits for a person, with a clock.
"""

from __future__ import annotations

import json
from dataclasses import dataclass
from pathlib import Path
from typing import Any, Final

from holdfast.errors import InvalidSetting
from holdfast.intake.reporter import Category, ReporterKind, counts_as, is_held_at_once

_NAME: Final = "HOLDFAST_HOLD_POLICY_FILE"


@dataclass(frozen=True, slots=True)
class HoldPolicy:
    """What is held besides the floor: pairs of a category and whom a reporter counts as."""

    more: frozenset[tuple[Category, ReporterKind]] = frozenset()

    def holds(self, category: Category, said: ReporterKind, *, verified: bool) -> bool:
        """Whether what such a report names is held before a person has looked."""
        kind = counts_as(said, verified=verified)
        return is_held_at_once(category, kind) or (category, kind) in self.more


def read_policy(path: Path | None) -> HoldPolicy:
    """The policy file: {"hold": [{"category": "other_illegal", "reporters": ["flagger", "police"]}]}.

    Raises InvalidSetting for anything else in it: a misspelt rule must not be silently without effect.
    """
    if path is None:
        return HoldPolicy()
    try:
        return _parsed(json.loads(path.read_text(encoding="utf-8")))
    except OSError as fault:
        message = f"{_NAME}: {fault.strerror}"
        raise InvalidSetting(message) from None
    except (ValueError, KeyError, TypeError, AttributeError) as fault:
        message = f"{_NAME}: {fault}; the form is " + '{"hold": [{"category": "...", "reporters": ["..."]}]}'
        raise InvalidSetting(message) from None


def _parsed(untrusted_rules: Any) -> HoldPolicy:  # noqa: ANN401  # whatever JSON can hold
    if set(untrusted_rules) != {"hold"}:
        message = "one field, hold"
        raise ValueError(message)
    pairs = set[tuple[Category, ReporterKind]]()
    for rule in untrusted_rules["hold"]:
        if set(rule) != {"category", "reporters"} or not isinstance(rule["reporters"], list):
            message = "a rule has category and reporters"
            raise ValueError(message)
        category = Category(rule["category"])
        pairs |= {(category, ReporterKind(kind)) for kind in rule["reporters"]}
    return HoldPolicy(frozenset(pairs))

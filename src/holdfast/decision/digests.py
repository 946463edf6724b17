# SPDX-License-Identifier: Apache-2.0
"""Which policy, which words and which software were in force when something was decided."""

from __future__ import annotations

import hashlib
from datetime import timedelta
from typing import Any

import rfc8785

from holdfast.decision.decision import APPEALABLE, Digests
from holdfast.decision.statement import template
from holdfast.hold.policy import HoldPolicy
from holdfast.review.finding import MUST_HAVE_SEEN, NOT_OF_MINORS, PROOF_PATIENCE
from holdfast.review.review import AFTERTHOUGHT
from holdfast.software import software


def digests_of(policy: HoldPolicy, afterthought: timedelta = AFTERTHOUGHT) -> Digests:
    """The digests of what is in force in this process."""
    return Digests(policy=_policy(policy, afterthought), template=template(), software=software()["source"])


def _policy(policy: HoldPolicy, afterthought: timedelta) -> str:
    """SHA-256 over what is held at once besides the floor, and over the rules by which people find."""
    rules: dict[str, Any] = {
        "held_at_once": sorted([str(category), str(kind)] for category, kind in policy.more),
        "must_have_seen": {str(reason): str(step) for reason, step in MUST_HAVE_SEEN.items()},
        "not_of_minors": sorted(map(str, NOT_OF_MINORS)),
        "seconds": [int(one.total_seconds()) for one in (PROOF_PATIENCE, afterthought, APPEALABLE)],
    }
    return hashlib.sha256(rfc8785.dumps(rules)).hexdigest()

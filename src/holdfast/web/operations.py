# SPDX-License-Identifier: Apache-2.0
"""What is owed to other systems, which alarms stand and which clocks run: for whoever keeps Holdfast running."""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest
from ninja import Query, Router

from holdfast.access.key import Scope
from holdfast.alarm.alarm import AlarmItem
from holdfast.case.running_clock import ClockItem
from holdfast.web import operation_shapes, shapes
from holdfast.web.auth import NeedsKey, actor_of
from holdfast.web.system import system
from holdfast.web.uploads import refuse_unknown

router = Router(tags=["operations"])
OPERATE = NeedsKey(Scope.OPERATE)
_MOST: Final = 1000


@router.get("/effects", response={200: operation_shapes.Effects, (401, 403, 422, 503): shapes.Problem}, auth=OPERATE)
def list_effects(request: HttpRequest, options: Query[operation_shapes.EffectOptions]) -> dict[str, Any]:
    """What is still owed to other systems: the quarantined first, then the longest owed (at most 1000)."""
    refuse_unknown(request, operation_shapes.EffectOptions)
    lag = system().effect_desk.lag()
    only = options.quarantined_only == "true"
    return {
        "waiting": lag.waiting,
        "quarantined": lag.quarantined,
        "late": lag.late,
        "oldest_seconds": lag.oldest_seconds,
        "effects": [
            {
                "id": item.id,
                "kind": item.effect.order.kind,
                "item": item.effect.order.item,
                "location": item.effect.order.location,
                "weight": item.effect.order.weight.value,
                "state": item.effect.state.value,
                "tries": item.effect.tries,
                "most_tries": item.effect.order.most_tries,
                "fault": item.fault,
                "owner": item.effect.order.owner,
                "since": item.since,
                "deadline": item.effect.order.deadline,
                "late": item.effect.late,
            }
            for item in system().effect_desk.open(limit=_MOST, quarantined_only=only)
        ],
    }


@router.get("/alarms", response={200: list[operation_shapes.AlarmShape], (401, 403, 503): shapes.Problem}, auth=OPERATE)
def list_alarms(request: HttpRequest) -> list[dict[str, Any]]:  # noqa: ARG001
    """The alarms that stand, the oldest first (at most 1000)."""
    return [_shape(item) for item in system().alarms.standing(limit=_MOST)]


@router.get("/clocks", response={200: list[operation_shapes.ClockShape], (401, 403, 503): shapes.Problem}, auth=OPERATE)
def list_clocks(request: HttpRequest) -> list[dict[str, Any]]:  # noqa: ARG001
    """The clocks that run, the nearest end first, so that what was missed comes first (at most 1000)."""
    return [_clock_shape(item) for item in system().clocks.running(limit=_MOST)]


@router.post(
    "/alarms/{alarm_id}/acknowledge",
    response={200: operation_shapes.AlarmShape, (401, 403, 404, 409, 503): shapes.Problem},
    auth=OPERATE,
)
def acknowledge_alarm(request: HttpRequest, alarm_id: str) -> dict[str, Any]:
    """Say that a person has seen it. It stands until what it is about is in order again."""
    return _shape(system().alarms.acknowledge(alarm_id, actor=actor_of(request)))


def _shape(item: AlarmItem) -> dict[str, Any]:
    return {
        "id": item.id,
        "kind": item.alarm.kind,
        "about": item.alarm.about,
        "owner": item.alarm.owner,
        "state": item.alarm.state.value,
        "acknowledged_by": item.alarm.acknowledged_by,
        "since": item.since,
    }


def _clock_shape(item: ClockItem) -> dict[str, Any]:
    terms = item.clock.terms
    return {
        "id": item.id,
        "subject": terms.subject,
        "code": terms.code,
        "state": item.clock.state.value,
        "started_at": item.started_at,
        "due": terms.due,
        "owner": terms.owner,
        "deputy": terms.deputy,
    }

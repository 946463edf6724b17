# SPDX-License-Identifier: Apache-2.0
"""Which acts on sealed data need two people: their part of the one table in `holdfast.access.two_people`.

Reading is recorded and preserving protects, so one person may. Lifting a hold and erasing make something
disappear. A key-encryption key is destroyed only once nothing is wrapped with it, so a rotation takes one.
"""

from __future__ import annotations

from holdfast.access.two_people import register
from holdfast.sealed.kek import DestroyKek, KekDestroyed, KekMade, KekRetiring, KekUsed, MakeKek, RetireKek, UseKek
from holdfast.sealed.subject import (
    EraseSealed,
    LiftPreservation,
    PreservationLifted,
    PreserveSealed,
    ReadSealed,
    RepeatErasure,
    SealedErased,
    SealedPreserved,
    SealedRead,
)

register(ReadSealed, SealedRead)
register(PreserveSealed, SealedPreserved)
register(LiftPreservation, PreservationLifted, when="always", weakens=lambda _command, _state: True)
register(EraseSealed, SealedErased, when="always", weakens=lambda _command, _state: True)
register(RepeatErasure, SealedErased)  # it was agreed to before
register(MakeKek, KekMade)
register(UseKek, KekUsed)
register(RetireKek, KekRetiring)
register(DestroyKek, KekDestroyed)

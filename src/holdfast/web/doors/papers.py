# SPDX-License-Identifier: Apache-2.0
"""The two files that whoever reported may take home. Neither holds the secret words.

The *small* one shows that a report was received, and when: signed statements and commitments, and nothing of what
was said or by whom. The *full* one opens them: it has what was written and which addresses were named, each with
the salt that shows it to be what the log committed to. `holdfast verify` and the single-file verifier check both,
offline. At first each part is a receipt, later a bundle (`holdfast.prove`).
"""

from __future__ import annotations

from collections.abc import Callable, Mapping, Sequence
from typing import Any, Final

from django.db import connection

from holdfast.prove import prove
from holdfast.start import clock
from holdfast.store.report_files import Part, opened_parts, subjects_of
from holdfast.web.system import system

KIND: Final = "holdfast.report"
_FORM: Final = 1
_OPENS: Final = ("opened", "salt")
Paper = dict[str, Any]


def small_file(report_id: str, reference: str) -> Paper:
    """What shows that the report was received. Raises LogElsewhere where the log's keys are not."""
    return _paper(reference, [bare(one) for one in _proofs(report_id)])


def full_file(report_id: str, reference: str) -> Paper:
    """The same, with everything that the reporter said. Raises LogElsewhere, and as `opened_parts` does."""
    sealer = system().journal.sealer
    proofs = zip(subjects_of(report_id), _proofs(report_id), strict=True)
    return _paper(reference, [with_parts(proof, opened_parts(subject, sealer)) for subject, proof in proofs])


def bare(proof: Mapping[str, Any]) -> Paper:
    """A proof without what it opens: it still shows that the log committed to something, and when."""
    return _each(proof, _bare)


def with_parts(proof: Mapping[str, Any], parts: Sequence[Part]) -> Paper:
    """A proof that opens the reporter's own words beside the events that tell of them, and nothing that others did."""

    def opened(entry: Mapping[str, Any]) -> Paper:
        told = [part for part in parts if f'"{part.record}"' in str(entry["opened"])]
        sealed = {part.name: {"opened": part.opened, "salt": part.salt.hex()} for part in told}
        return {**entry, "sealed": sealed} if sealed else _bare(entry)

    return _each(proof, opened)


def _bare(entry: Mapping[str, Any]) -> Paper:
    return {name: value for name, value in entry.items() if name not in _OPENS}


def _each(proof: Mapping[str, Any], change: Callable[[Mapping[str, Any]], Paper]) -> Paper:
    """A receipt changed, or a bundle with each of its events changed."""
    if "events" not in proof:
        return change(proof)
    return {**proof, "events": [change(event) for event in proof["events"]]}


def _proofs(report_id: str) -> list[Paper]:
    now = clock()
    with connection.cursor() as cursor:
        return [prove(cursor, system().log_folder, subject, now=now) for subject in subjects_of(report_id)]


def _paper(reference: str, proofs: Sequence[Mapping[str, Any]]) -> Paper:
    return {"kind": KIND, "v": _FORM, "reference": reference, "proofs": list(proofs)}

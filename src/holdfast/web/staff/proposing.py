# SPDX-License-Identifier: Apache-2.0
"""What takes two people: ask for a colleague's account, see what waits, agree, refuse, take back.

Whoever has an account and no key does here what keys do at the API. What is agreed to is what was shown, and nothing
else; of a new account's code whoever asks is shown one half and whoever agrees the other, each once.
"""

from __future__ import annotations

import json
from dataclasses import replace
from typing import Any, Final

from django.http import HttpRequest, HttpResponse

from holdfast.access.person import Who
from holdfast.access.proposal import ProposalState
from holdfast.access.role import Role
from holdfast.access.session import Signed
from holdfast.access.staff import AddStaff
from holdfast.access.two_people import Wanted
from holdfast.errors import InputError, SecondPersonNeeded
from holdfast.store.proposal_rows import ToldProposal
from holdfast.store.staff import new_staff
from holdfast.web.staff.frame import EVERYBODY, page, says, staff_door
from holdfast.web.system import system

_ROLES: Final = (
    (Role.REVIEWER, "reviewer: looks at what is held"),
    (Role.SENIOR, "senior: the same, and has the third word"),
    (Role.INTAKE, "intake: looks after reports"),
    (Role.LEAD, "lead: answers for the queue"),
    (Role.IDENTITY, "identity: sees what people show of themselves"),
    (Role.LEGAL, "legal: answers authorities and courts"),
    (Role.AUDITOR, "auditor: reads what happened, never content"),
    (Role.ADMINISTRATOR, "administrator: keeps accounts, sees no case; has no other role"),
)
_WITH_A_HALF: Final = ("add_staff", "reset_staff", "create_key")
_WAITS: Final = (ProposalState.ASKED, ProposalState.OVERDUE)


def listed(request: HttpRequest, signed: Signed) -> HttpResponse:  # noqa: ARG001  # the form of all views
    """What waits for a second person."""
    told = [_line(one) for one in system().proposals.all_told(waiting=True)]
    return page("proposals", signed, {"proposals": told})


def shown(request: HttpRequest, signed: Signed, proposal: str) -> HttpResponse:  # noqa: ARG001
    """One proposal, and what it would do as things stand. Raises ProposalUnknown."""
    return _page(signed, proposal)


def answer(request: HttpRequest, signed: Signed, proposal: str) -> HttpResponse:
    """Agree, refuse or take back."""
    words, by = request.POST.get("because", "").strip(), _who(signed)
    if not words:
        return _page(signed, proposal, "Write why, in a sentence.", status=422)
    match request.POST.get("answer", ""):
        case "agree":
            return _agreed(request, signed, proposal, words)
        case "refuse":
            system().proposals.refuse(proposal, by, because=words)
            return says("You refused it. Nothing was done.", signed)
        case "withdraw":
            system().proposals.withdraw(proposal, by, because=words)
            return says("You took it back. Nothing was done.", signed)
    return _page(signed, proposal, "Choose what you answer.", status=422)


def _agreed(request: HttpRequest, signed: Signed, proposal: str, words: str) -> HttpResponse:
    before = system().proposals.told(proposal).proposal
    system().proposals.agree(proposal, _who(signed), because=words, digest=request.POST.get("digest", ""))
    if before.command not in _WITH_A_HALF:
        return says("You agreed, and it is done.", signed)
    half = system().proposals.draw_half(proposal, _who(signed))
    if before.command == "create_key":
        told = "You agreed, and it is done. Your half of the key, shown once: give it to its person yourself."
        return page("half", signed, {"told": told, "half": half, "key": True})
    person = before.subject.partition(":")[2]
    told = f"You agreed, and it is done. Your half of the code for {person}, shown once: give it to them yourself."
    return page("half", signed, {"told": told, "half": half, "person": person, "second": True})


def blank(request: HttpRequest, signed: Signed) -> HttpResponse:  # noqa: ARG001
    """Ask for an account for somebody."""
    return page("colleague", signed, {"roles": _ROLES, "given": {}})


def add(request: HttpRequest, signed: Signed) -> HttpResponse:
    """Make it, or ask for a second person; the code, or half of it, once."""
    given = {name: request.POST.get(name, "").strip() for name in ("person", "team", "account", "because")}
    wanted = frozenset(role for role in Role if role.value in request.POST.getlist("role"))
    told = {"roles": _ROLES, "given": given, "wanted": {role.value for role in wanted}}
    try:
        command, code = new_staff(given["person"], roles=wanted, team=given["team"], account=given["account"])
        waits = _add(signed, command, given["because"])
    except InputError as wrong:
        return page("colleague", signed, {**told, "says": str(wrong)}, status=422)
    if waits:
        says_what = f"It waits for somebody else to agree. Your half of the code for {command.person}, shown once."
        return page("half", signed, {"told": says_what, "half": code, "person": command.person, "second": False})
    says_what = f"It is made. The code for {command.person}, shown once and good for a day."
    return page("half", signed, {"told": says_what, "half": code, "person": command.person, "whole": True})


def _add(signed: Signed, command: AddStaff, because: str) -> bool:
    """Whether it waits for a second person."""
    try:
        system().staff.change(command.person, command, actor=signed.actor)
    except SecondPersonNeeded as needed:
        wanted = needed.wanted
    else:
        return False
    assert isinstance(wanted, Wanted)
    system().proposals.ask(replace(wanted, because=because or wanted.because), _who(signed))
    return True


def _page(signed: Signed, proposal: str, wrong: str = "", status: int = 200) -> HttpResponse:
    told = system().proposals.told(proposal)
    does = system().proposals.effect(told.proposal)
    context = {
        "one": {**_line(told), "digest": told.proposal.digest, "answer": told.answer, "answered_by": told.answered_by},
        "does": [(name.replace("_", " "), _facts(value)) for name, value in (does or {}).items()],
        "own": told.proposal.person == signed.person,
        "waits": told.proposal.state in _WAITS and does is not None,
        "says": wrong,
    }
    return page("proposal", signed, context, status=status)


def _facts(value: Any) -> list[tuple[str, str]]:  # noqa: ANN401  # whatever a command changes
    """What stands there, line by line."""
    found = value.items() if isinstance(value, dict) else [("", value)]
    return [(name.replace("_", " "), _plain(one)) for name, one in found]


def _plain(value: Any) -> str:  # noqa: ANN401  # as `_facts`
    if value is None or isinstance(value, str):
        return value or "-"
    if isinstance(value, list) and all(isinstance(one, str) for one in value):
        return ", ".join(value) or "-"
    return json.dumps(value, ensure_ascii=False)


def _line(told: ToldProposal) -> dict[str, Any]:
    one = told.proposal
    return {
        "id": one.id,
        "asks": one.command.replace("_", " "),
        "about": one.subject,
        "person": one.person,
        "because": one.because,
        "due": one.due,
        "state": one.state.value,
    }


def _who(signed: Signed) -> Who:
    return Who(signed.actor, signed.person)


list_view = staff_door(EVERYBODY, GET=listed)
show_view = staff_door(EVERYBODY, GET=shown, POST=answer)
add_view = staff_door(EVERYBODY, GET=blank, POST=add)

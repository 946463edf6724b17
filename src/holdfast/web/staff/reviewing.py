# SPDX-License-Identifier: Apache-2.0
"""What somebody is asked to look at: the list, one review with its item and its findings' form, and taking back.

Whoever is asked sees the item and what is known of its case, and nothing of what anybody else found or said.
"""

from __future__ import annotations

from typing import Any, Final

from django.http import HttpRequest, HttpResponse, HttpResponseRedirect
from django.urls import reverse
from django.utils.safestring import SafeString

from holdfast.access.role import Role
from holdfast.access.session import Signed
from holdfast.decision.actions import Action, actions, duties_of, refusal_of
from holdfast.errors import Refusal, Refused, ReviewUnknown
from holdfast.intake.proof import NotUpheld
from holdfast.review.finding import Ground, Verdict
from holdfast.review.review import Review, ReviewState
from holdfast.review.showing import SignedIn
from holdfast.store.circumstances import circumstances_of, reports_of
from holdfast.store.reviews import Said
from holdfast.web.staff.frame import hidden_of, page, says, staff_door
from holdfast.web.staff.looking import Looking
from holdfast.web.system import system

LOOKS: Final = frozenset(Role) - {Role.ADMINISTRATOR, Role.AUDITOR}
_NOT_ASKED: Final = Refusal("review.not_asked", "somebody else is asked about this, or nobody")
VERDICTS: Final = (
    (Verdict.REMOVE, "Remove it", "It goes at once. You can take this back for ten minutes."),
    (
        Verdict.NOT_UPHELD,
        "Do not uphold the report",
        "It is seen again only if somebody else finds the same by themselves.",
    ),
    (Verdict.UNSURE, "I looked, and cannot say", "No fault of yours: somebody else is asked."),
    (Verdict.CANNOT_ASSESS, "I could not look at it, or not at enough of it", "Somebody else is asked."),
)
GROUNDS: Final = (
    (Ground.SEEN, "what I saw of it"),
    (Ground.WORDS, "what is written with it, or was reported"),
    (Ground.LIST_MATCH, "a list of confirmed material"),
    (Ground.ASKED_BY_CHILD, "a child's wish that it be gone: no finding, reported to nobody"),
)
REASONS: Final = (
    (NotUpheld.NOT_INTIMATE, "it is neither sexual nor intimate"),
    (NotUpheld.OTHER_ITEM, "the address named something else"),
    (NotUpheld.SHOWN_ADULT, "something verified shows that everybody in it was an adult"),
    (NotUpheld.NOT_IN_IT, "whoever reports is not in it, nor acts for anybody who is"),
    (NotUpheld.NO_AUTHORITY, "whoever reports may not act for the person depicted"),
)


def queue(request: HttpRequest, signed: Signed) -> HttpResponse:  # noqa: ARG001  # the form of all views
    """What they are asked, the most urgent first; and what they found, while it can be taken back."""
    asked = [{"id": key, "review": one} for key, one in system().desk.reviews.asked_of(signed.person)]
    said = [{"id": key, "may": _may(one, signed.person)} for key, one in system().desk.reviews.said_by(signed.person)]
    return page("queue", signed, {"asked": asked, "said": said})


def show(request: HttpRequest, signed: Signed, review: str) -> HttpResponse:
    """One review, before anything of its item is shown."""
    return _page(request, signed, review, _looking().part(request, review), 200)


def find(request: HttpRequest, signed: Signed, review: str) -> HttpResponse:
    """Say what they find; or the page again, with what was typed and what is to be done."""
    verdict = _one_of(Verdict, request.POST.get("verdict", ""))
    if verdict is None:
        return _again(request, signed, review, "Choose what you find.")
    said = Said(
        by=signed.person,
        verdict=verdict,
        ground=_one_of(Ground, request.POST.get("ground", "")) if verdict is Verdict.REMOVE else None,
        reason=_one_of(NotUpheld, request.POST.get("reason", "")) if verdict is Verdict.NOT_UPHELD else None,
        words=request.POST.get("words", ""),
    )
    if not said.words.strip():
        return _again(request, signed, review, "Write why, in a sentence.")
    try:
        _allow(Action.FIND, review, signed)
        after = system().desk.reviews.find(review, said, actor=signed.actor)
    except Refused as refused:
        if may_see(review, signed.person):
            raise  # somebody else is asked by now
        return _again(
            request, signed, review, f"{refused.refusal.because[:1].upper()}{refused.refusal.because[1:]}.", 409
        )
    told = "It is settled." if after.state is ReviewState.CONCLUDED else "Thank you. Somebody else is asked now."
    return says(f"What you found is written down. {told}", signed)


def step_back(request: HttpRequest, signed: Signed, review: str) -> HttpResponse:  # noqa: ARG001
    """Not look at this: nobody asks why."""
    _allow(Action.STEP_BACK, review, signed)
    system().desk.reviews.step_back(review, signed.person, actor=signed.actor)
    return HttpResponseRedirect(reverse("staff-reviews"))


def give_back(request: HttpRequest, signed: Signed, review: str) -> HttpResponse:  # noqa: ARG001
    """Let somebody else look."""
    _allow(Action.GIVE_BACK, review, signed)
    system().desk.reviews.give_back(review, signed.person, actor=signed.actor)
    return HttpResponseRedirect(reverse("staff-reviews"))


def take_back(request: HttpRequest, signed: Signed, review: str) -> HttpResponse:  # noqa: ARG001
    """Take back what they found."""
    _allow(Action.TAKE_BACK, review, signed)
    system().desk.reviews.take_back(review, signed.person, actor=signed.actor)
    return says("What you found no longer counts. It stays held, and others look.", signed)


def look(request: HttpRequest, signed: Signed, review: str) -> HttpResponse:
    """Show pictures of the item."""
    return _looking().ask(request, signed, review)


def picture(request: HttpRequest, signed: Signed, token: str) -> HttpResponse:
    """One picture, once."""
    return _looking().picture(request, signed, token)


def may_see(review_id: str, person: str) -> Refusal | None:
    """Why somebody may not look at what a review is about: only whoever is asked may."""
    found = system().desk.reviews.of(review_id)
    return None if found is not None and Action.LOOK in _may(found, person) else _NOT_ASKED


def _may(found: Review, person: str) -> frozenset[Action]:
    """What somebody may do: it draws the buttons, and `_allow` asks the same list."""
    return actions(found.state, duties_of(found, person))


def _allow(action: Action, review_id: str, signed: Signed) -> None:
    """Raises Refused unless they may. Whoever has nothing to do with it is not told how it stands."""
    found = system().desk.reviews.of(review_id)
    duties = duties_of(found, signed.person) if found else ()
    if found is None or not duties:
        raise Refused(_NOT_ASKED)
    if refusal := refusal_of(action, found.state, duties):
        raise Refused(refusal)


def _give(review_id: str, person: str) -> None:
    system().desk.reviews.give_back(review_id, person, actor=f"staff:{person}")


def _looking() -> Looking:
    return Looking(
        showing=lambda: system().showing(may_see=may_see, give_back=_give, review_of=system().desk.reviews.of),
        shows=_page,
        hidden=lambda request: hidden_of(_signed(request)),
        ask_at=lambda review: reverse("staff-look", args=[review]),
        picture_at=lambda token: reverse("staff-picture", args=[token]),
    )


def _signed(request: HttpRequest) -> Signed | None:
    from holdfast.web.staff.frame import signed_in  # noqa: PLC0415  # as the frame found them

    return signed_in(request)


def _page(request: HttpRequest, signed: SignedIn, review: str, part: SafeString, status: int) -> HttpResponse:
    assert isinstance(signed, Signed)
    return page("review", signed, {**_told(signed, review), "part": part, "given": request.POST}, status=status)


def _again(request: HttpRequest, signed: Signed, review: str, wrong: str, status: int = 422) -> HttpResponse:
    """The page with all that was typed, and what is to be done."""
    told = {**_told(signed, review), "part": _looking().part(request, review), "says": wrong, "given": request.POST}
    return page("review", signed, told, status=status)


def _told(signed: Signed, review_id: str) -> dict[str, Any]:
    """What whoever is asked is told. Raises ReviewUnknown for anybody else: being asked is theirs alone to know."""
    found: Review | None = system().desk.reviews.of(review_id)
    if found is None or Action.READ not in (may := _may(found, signed.person)):
        raise ReviewUnknown(ascii(review_id))
    reports = reports_of(found.case, found.content).order_by("received_at")
    history = [
        {"who": row.reporter, "verified": row.verified, "what": row.category, "at": row.received_at} for row in reports
    ]
    return {
        "id": review_id,
        "review": found,
        "may": may,
        "known": circumstances_of(found.case, found.content),
        "history": history,
        "seen": system().desk.viewings.seen(signed.person, found.content, found.version),
        "verdicts": VERDICTS,
        "grounds": GROUNDS,
        "reasons": REASONS,
    }


def _one_of(kind: Any, untrusted: str) -> Any:  # noqa: ANN401  # any closed list of words
    return kind(untrusted) if untrusted in {one.value for one in kind} else None


queue_view = staff_door(LOOKS, GET=queue)
review_view = staff_door(LOOKS, GET=show, POST=find)
step_back_view = staff_door(LOOKS, POST=step_back)
give_back_view = staff_door(LOOKS, POST=give_back)
take_back_view = staff_door(LOOKS, POST=take_back)
look_view = staff_door(LOOKS, POST=look)
picture_view = staff_door(LOOKS, GET=picture)

# SPDX-License-Identifier: Apache-2.0
"""What a decision says to whom it concerns: a statement of reasons (DSA 17), and an answer to the notice (DSA 16(5)).

In plain words. It names no reporter, describes nobody and nothing that is to be seen in the item, and says how
to disagree. Where the account may belong to the person depicted, the text for it does not mention a report.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from typing import Final

from holdfast.decision.basis import SOURCES, Basis, Reference
from holdfast.decision.decision import Decision, DecisionKind, Party
from holdfast.hold.notice import NoticeText

_RULES: Final[Mapping[Reference, str]] = {
    Reference.CHILD_ABUSE_MATERIAL: "the law that protects children from sexual abuse and its depiction",
    Reference.SOLICITATION: "the law against approaching children for sexual purposes",
    Reference.TRAFFICKING: "the law against trafficking in human beings",
    Reference.INTIMATE_IMAGES: "the law against sharing intimate images of somebody who has not agreed",
    Reference.TERMS_SAFETY_OF_MINORS: "our terms: nobody here endangers a minor",
    Reference.TERMS_CHILDS_WISH: "our terms: a child may ask that something is not seen",
    Reference.TERMS_OTHER: "our terms",
    Reference.NOTHING_AGAINST_IT: "nothing: what was said of it was found not to be so",
}
_UPLOADER: Final[Mapping[DecisionKind, tuple[str, str]]] = {
    DecisionKind.REMOVE: (
        "Something you posted was removed",
        "It is not visible any more, anywhere, and neither are exact copies of it.",
    ),
    DecisionKind.RESTRICT: ("Something you posted is visible to fewer people", "It is visible again, to fewer people."),
    DecisionKind.KEEP_WITH_WARNING: ("Something you posted is visible again", "It is visible again, with a warning."),
    DecisionKind.KEEP: ("Something you posted is visible again", "It is visible again, as it was."),
    DecisionKind.ASKED_BY_CHILD: (
        "Something you posted was removed",
        "It is not visible any more. Nobody found that you did anything wrong, and nobody was told of it.",
    ),
}
_REPORTER: Final[Mapping[DecisionKind, tuple[str, str]]] = {
    DecisionKind.REMOVE: (
        "What you reported was removed",
        "Nobody sees it any more, nor exact copies of it, and uploads that show the same are stopped.",
    ),
    DecisionKind.RESTRICT: ("What you reported is visible to fewer people", "It is visible again, to fewer people."),
    DecisionKind.KEEP_WITH_WARNING: (
        "What you reported is visible again, with a warning",
        "Two people looked at it, each by themselves. They did not find what you said of it.",
    ),
    DecisionKind.KEEP: (
        "What you reported is visible again",
        "Two people looked at it, each by themselves. They did not find what you said of it.",
    ),
    DecisionKind.ASKED_BY_CHILD: ("What you asked for was done", "It is not visible any more. Nobody was told of it."),
}
_HOW: Final = {
    True: "A computer found it; people decided.",
    False: "People decided; no computer did.",
}
_UNDOES: Final = "What was decided before was wrong and no longer holds. What followed from it was undone."
_AGAIN: Final = "People who had no part in it looked again, and came to the same."
_REDRESS: Final[Mapping[Party, str]] = {
    Party.UPLOADER: (
        "If you think that this is wrong, say why on the page named here, with the words that belong to it, within six "
        "months from the day on which you read this. People who had no part in it look again. You can also go to an "
        "out-of-court dispute settlement body, or to a court."
    ),
    Party.REPORTER: (
        "If you think that this is wrong, say why with the words of your receipt, within six months from the day on "
        "which you read this. People who had no part in it look again. You can also go to an out-of-court dispute "
        "settlement body, or to a court."
    ),
}
_ARTICLES: Final[Mapping[Party, str]] = {
    Party.UPLOADER: "You are told this under article 17 of Regulation (EU) 2022/2065.",
    Party.REPORTER: "You are told this under article 16(5) of Regulation (EU) 2022/2065.",
}


def statement(decision: Decision, to: Party, *, blameless: bool = False, undoes: bool = False) -> NoticeText:
    """What this decision says to a party; `blameless` if the account may be the depicted person's.

    `undoes`: it takes the place of one that was wrong.
    """
    title, what = (_UPLOADER if to is Party.UPLOADER else _REPORTER)[decision.kind]
    if blameless and to is Party.UPLOADER:
        title = "About something on this account"
    how = "People decided." if blameless else _HOW[decision.found_by_machine]
    before = _UNDOES if undoes else _AGAIN if decision.upheld_by else ""
    parts = [before, what, _rests_on(decision.reference, blameless=blameless), how, _REDRESS[to], _ARTICLES[to]]
    return NoticeText(title, "\n\n".join(part for part in parts if part))


def template() -> str:
    """SHA-256 of all the words from which statements are made."""
    parts = [repr(sorted(table.items())) for table in (_RULES, _UPLOADER, _REPORTER, _REDRESS, _ARTICLES)]
    return hashlib.sha256("\n".join([*parts, repr(sorted(_HOW.items())), _UNDOES, _AGAIN]).encode()).hexdigest()


def _rests_on(reference: Reference, *, blameless: bool) -> str:
    """The rule in words, and where it is written; nothing that could tell somebody else who asked."""
    if blameless:
        return ""
    source = f" ({SOURCES[reference]})" if reference.basis is Basis.LAW else ""
    return f"It rests on {_RULES[reference]}{source}."

# SPDX-License-Identifier: Apache-2.0
"""The story as it happened: nothing is screened, a report waits in a list, and one person's answer is the end of it."""

from __future__ import annotations

import re
import time
from typing import Final

import httpx

from holdfast.demo.commons import Visitor, visitor
from holdfast.demo.pictures import encoded, hills
from holdfast.errors import DependencyError
from holdfast.replay.figures import Run
from holdfast.replay.films import form
from holdfast.replay.publishing import Tell, posted, publish
from holdfast.replay.story import Story
from holdfast.replay.stranger import Stranger
from holdfast.replay.viewers import Viewers

NAME: Final = "as it happened"
MODERATOR: Final = "moderator"
_WORDS: Final = "This is my child, who was 13."
_WAITING: Final = re.compile(r'action="/queue/(\d+)"')
_NO_VIOLATION: Final = "no violation"
_MINUTES_A_DAY: Final = 24 * 60


def as_it_happened(site: str, story: Story, tell: Tell) -> Run:
    """Play it at a Commons that is alone. Raises DependencyError if the platform does not do its part."""
    moderator = visitor(site)
    moderator.join(MODERATOR)
    published = publish(site, story, tell)
    pages = published.pages
    viewers = Viewers(story, site, pages)
    tell("As it happened: the mother reports, with a proof")
    with viewers.looking():
        answers = [_flag(site, page, _WORDS, proof=encoded(hills(4_803))) for page in published.named]
        time.sleep(story.window)
    viewers.skip_to(story.answered)
    _answer_all(moderator, _NO_VIOLATION)
    told = _told(site, answers[0])
    stopped = _days_go_by(site, story, viewers, tell)
    viewers.skip_to(story.officer)
    tell("As it happened: an officer calls")
    with viewers.looking():
        for page in pages[:3]:
            _flag(site, page, "The police ask that this be removed now.")
        _answer_all(moderator, "remove")
        _insist_gone(site, pages)
    return Run(
        name=NAME,
        views_after_notice=viewers.views,
        seconds_to_hold=None,
        never_held=True,
        minutes_visible=viewers.day * _MINUTES_A_DAY,
        places_held=0,
        places=len(pages),
        reuploads_stopped=stopped,
        reuploads=len(story.attempts),
        dismissed_by=f"one moderator, alone, on day {story.answered:g}: {told}",
        stopped_by=f"an officer who called on day {story.officer:g}",
        seen=tuple(viewers.seen),
    )


def _days_go_by(site: str, story: Story, viewers: Viewers, tell: Tell) -> int:
    """Others try to upload it again; how many did not get it published."""
    stopped, stranger = 0, Stranger(site)
    for number, (day, name) in enumerate(story.attempts):
        tell(f"As it happened: day {day:g}")
        viewers.skip_to(day)
        with viewers.looking():
            stopped += not stranger.sees(posted(site, f"again-{number}", form(name)))
    stranger.close()
    return stopped


def _flag(site: str, page: str, words: str, proof: bytes | None = None) -> str:
    """Report a page; where the answer will be read."""
    files = {"proof": ("proof.jpg", proof)} if proof is not None else None
    data = {"address": site + page, "words": words}
    answer = httpx.post(f"{site}/flag", data=data, files=files, trust_env=False, timeout=30.0)
    if answer.status_code != httpx.codes.SEE_OTHER:
        message = f"Commons answered {answer.status_code} to a report"
        raise DependencyError(message)
    return str(answer.headers["location"])


def _answer_all(moderator: Visitor, said: str) -> None:
    for number in _WAITING.findall(moderator.http.get("/queue").text):
        moderator.send(f"/queue/{number}", {"answer": said})


def _told(site: str, path: str) -> str:
    """What whoever reported reads."""
    page = httpx.get(f"{site}{path}", trust_env=False, timeout=30.0).text
    found = re.findall(r"<p>(We [^<]*)</p>", page)
    if not found:
        message = "Commons did not answer a report"
        raise DependencyError(message)
    return f'"{found[0]}"'


def _insist_gone(site: str, pages: tuple[str, ...]) -> None:
    stranger = Stranger(site)
    left = stranger.wait_for(pages, seen=False, patience=30.0 + len(pages))
    stranger.close()
    if left:
        message = f"{len(left)} pages are still there after the officer's call"
        raise DependencyError(message)

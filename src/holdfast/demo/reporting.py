# SPDX-License-Identifier: Apache-2.0
"""The second story of the demonstration: a parent reports, and what was named is out of reach. All of it is measured.

Everything goes through the doors that people use: Commons' pages, Holdfast's public page without an account,
the receipt's words. A stranger looks before and after.
"""

from __future__ import annotations

import html
import re
import subprocess
import sys
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

import httpx

from holdfast.demo.commons import Visitor, visitor
from holdfast.demo.pictures import encoded, hills
from holdfast.errors import DependencyError
from holdfast.verify import holdfast_verify

SHARES: Final = 3
VIEWS: Final = 25
_PATIENCE: Final = 60.0
_BETWEEN: Final = 0.01
_SEED: Final = 4242
_WORDS: Final = re.compile(r'<ol class="words"[^>]*>(.*?)</ol>', re.DOTALL)
_WORD: Final = re.compile(r"<li>([a-z]+)</li>")
_REFERENCE: Final = re.compile(r"R-[A-Z2-7]{4}-[A-Z2-7]{4}")
_NOTICE: Final = re.compile(r'<section class="card notice".*?<h3[^>]*>(.*?)</h3>\s*<p>(.*?)</p>', re.DOTALL)
_TAG: Final = re.compile(r"<[^>]+>")


@dataclass(frozen=True, slots=True)
class Moment:
    """One line of the timeline: seconds after the report was sent, and what was so then."""

    after: float
    what: str


@dataclass(slots=True)
class Reported:
    """What the run saw."""

    reference: str = ""
    words: str = ""
    timeline: list[Moment] = field(default_factory=list)
    before: list[int] = field(default_factory=list)
    after: list[int] = field(default_factory=list)
    notice: str = ""
    receipt_says: tuple[str, ...] = ()
    status: tuple[str, ...] = ()
    verified: bool = False

    @property
    def as_expected(self) -> bool:
        """Whether all was visible before, nothing is now, the uploader was told, and the receipt verifies."""
        seen, hidden = {httpx.codes.OK}, {httpx.codes.NOT_FOUND}
        return set(self.before) == seen and set(self.after) == hidden and bool(self.notice) and self.verified


def play_report(site: str, door: str, key: str, folder: Path, tell: Callable[[str], None]) -> Reported:
    """Publish, share, report, look. `key` is the log's. Raises DependencyError if a door does not answer."""
    seen, stranger, uploader = Reported(), visitor(site), visitor(site)
    tell("Publishing at Commons")
    paths = _published(uploader, site)
    seen.before = [stranger.sees(path) for path in paths]
    for _ in range(VIEWS):
        stranger.sees(paths[0])
    tell("Reporting it, as a parent with a proof")
    begun = time.perf_counter()
    _report(seen, door, f"{site}{paths[0]}", begun)
    tell("Waiting until a stranger finds nothing")
    _watch(seen, stranger, paths, begun)
    seen.after = [stranger.sees(path) for path in paths]
    tell("Looking at what the uploader is told")
    seen.notice = _notice(uploader)
    seen.timeline.append(Moment(time.perf_counter() - begun, "whoever posted it is told, neutrally"))
    seen.status = _status(door, seen.words)
    _verify(seen, door, key, folder)
    return seen


def _published(uploader: Visitor, site: str) -> list[str]:
    """One post and its re-shares by others."""
    uploader.join("sunny")
    first = uploader.post("From the hills", encoded(hills(_SEED)))
    paths = [first]
    for number in range(SHARES):
        other = visitor(site)
        other.join(f"friend-{number + 1}")
        paths.append(other.share(first, "Look at this"))
    return paths


def _report(seen: Reported, door: str, address: str, begun: float) -> None:
    """Fill in the public page: no account, no script, no cookie."""
    fields: dict[str, str | list[str]] = {
        "who": "parent",
        "category": "csam",
        "addresses": address,
        "born_year": "2012",
        "words": "This is my child. Please take it away.",
        "proof_shows": ["birth_date"],
    }
    proof = {"proof": ("proof.jpg", encoded(hills(_SEED + 1)), "image/jpeg")}
    answer = httpx.post(f"{door}/report", data=fields, files=proof, timeout=30.0, trust_env=False)
    shown, reference = _WORDS.search(answer.text), _REFERENCE.search(answer.text)
    if answer.status_code != httpx.codes.OK or shown is None or reference is None:
        message = f"the page for reports answered {answer.status_code}"
        raise DependencyError(message)
    seen.words, seen.reference = " ".join(_WORD.findall(shown[1])), reference[0]
    seen.timeline.append(Moment(time.perf_counter() - begun, f"received: {seen.reference}, and the receipt is given"))


def _watch(seen: Reported, stranger: Visitor, paths: Sequence[str], begun: float) -> None:
    """Look as a stranger until every page is gone, and note when each was."""
    open_still = list(paths)
    while open_still and time.perf_counter() - begun < _PATIENCE:
        for path in list(open_still):
            if stranger.sees(path) == httpx.codes.NOT_FOUND:
                open_still.remove(path)
                kind = "what was named" if path == paths[0] else "a copy that nobody named"
                seen.timeline.append(Moment(time.perf_counter() - begun, f"{kind}, {path}: a stranger finds nothing"))
        time.sleep(_BETWEEN)


def _notice(uploader: Visitor) -> str:
    """The notice on the uploader's own page, once it lies there."""
    ends = time.monotonic() + _PATIENCE
    while time.monotonic() < ends:
        found = _NOTICE.search(uploader.http.get("/me").text)
        if found:
            return _plain(f"{found[1]}\n{found[2]}")
        time.sleep(0.1)
    return ""


def _status(door: str, words: str) -> tuple[str, ...]:
    """What the receipt's page says of each thing that was named."""
    page = httpx.post(f"{door}/case", data={"code": words}, timeout=30.0, trust_env=False)
    main = page.text.partition("<main")[2].partition("</main>")[0]
    lines = [_plain(one) for one in re.findall(r"<li[^>]*>(.*?)</li>", main, re.DOTALL)]
    return tuple(line for line in lines if line)


def _verify(seen: Reported, door: str, key: str, folder: Path) -> None:
    """Take the small file home and check it offline, with the log's key, as an outsider would."""
    answer = httpx.post(f"{door}/case/small", data={"code": seen.words}, timeout=30.0, trust_env=False)
    file = folder / "receipt.json"
    file.write_bytes(answer.content)
    command = [sys.executable, "-I", str(holdfast_verify.__file__), str(file), "--key", key]
    done = subprocess.run(command, capture_output=True, text=True, check=False)
    seen.receipt_says = tuple(dict.fromkeys((done.stdout + done.stderr).splitlines()))
    seen.verified = done.returncode == 0
    seen.timeline.sort(key=lambda one: one.after)


def _plain(text: str) -> str:
    """A piece of a page as words."""
    return " ".join(html.unescape(_TAG.sub(" ", text)).split())

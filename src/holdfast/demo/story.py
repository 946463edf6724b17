# SPDX-License-Identifier: Apache-2.0
"""What the demonstration does, and what it saw. Every number it gives was measured in that run."""

from __future__ import annotations

import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Any, Final

from PIL import Image

from holdfast.demo import videos
from holdfast.demo.client import Client, Reply
from holdfast.demo.formats import FORMATS, animation
from holdfast.demo.pictures import DISGUISES, Sample, encoded, hills, unscreenable
from holdfast.errors import DependencyError

KNOWN: Final = 4
UNRELATED: Final = 12
_FIRST_UNRELATED_SEED: Final = 100
BANK: Final = "demo"
EXPECTED: Final = {
    "known": "hold",
    "disguised": "hold",
    "format": "hold",
    "video": "hold",
    "unrelated": "publish",
    "unscreenable": "hold",
}


@dataclass(frozen=True, slots=True)
class Outcome:
    """One upload and the answer to it."""

    sample: Sample
    reply: Reply

    @property
    def answer(self) -> str:
        """Publish or hold."""
        return str(self.reply.body["answer"])

    @property
    def explanation(self) -> dict[str, Any]:
        """Why."""
        return dict(self.reply.body["explanation"])

    @property
    def as_expected(self) -> bool:
        """Whether the answer is the one that this kind of file must get."""
        return self.answer == EXPECTED[self.sample.kind]


@dataclass(frozen=True, slots=True)
class Step:
    """One act of the last part: what was done, and what an upload was answered right after."""

    did: str
    answer: str
    expected: str
    seconds: float


@dataclass(slots=True)
class Result:
    """Everything the run saw."""

    outcomes: list[Outcome] = field(default_factory=list)
    steps: list[Step] = field(default_factory=list)

    @property
    def all_as_expected(self) -> bool:
        """Whether every answer was the right one."""
        return all(one.as_expected for one in self.outcomes) and all(one.answer == one.expected for one in self.steps)

    def count(self, kind: str) -> tuple[int, int]:
        """(right answers, uploads) of one kind."""
        of_kind = [one for one in self.outcomes if one.sample.kind == kind]
        return sum(one.as_expected for one in of_kind), len(of_kind)

    def seconds(self) -> list[float]:
        """How long each upload took, shortest first."""
        return sorted(one.reply.seconds for one in self.outcomes)


def samples(known: list[Image.Image]) -> Iterator[Sample]:
    """Every file that is uploaded, in the order of the sheet."""
    for number, image in enumerate(known, start=1):
        yield Sample(f"known picture {number}, as it is", "known", encoded(image), image)
        for title, disguise in DISGUISES.items():
            yield Sample(f"known picture {number}, {title}", "disguised", disguise(image), image)
    for title, written in FORMATS.items():
        yield Sample(f"known picture 1 as {title}", "format", written(known[0]), known[0])
    for number in range(UNRELATED):
        image = hills(_FIRST_UNRELATED_SEED + number)
        yield Sample(f"another picture {number + 1}", "unrelated", encoded(image), image)
    moving = tuple(range(_FIRST_UNRELATED_SEED + UNRELATED, _FIRST_UNRELATED_SEED + UNRELATED + 3))
    yield Sample("another animation", "unrelated", animation(moving), hills(moving[0]))
    yield from unscreenable(known[0])
    if videos.can_make():
        yield from _videos(known[0])


def _videos(picture: Image.Image) -> Iterator[Sample]:
    for title, film in videos.VIDEOS.items():
        yield Sample(title, "video", film(picture), None)
    yield Sample("another video", "unrelated", videos.unknown(), None)
    yield Sample("a video that breaks off", "unscreenable", videos.broken(), None)


def play(client: Client, second: Client, tell: Callable[[str], None]) -> Result:
    """Make a bank, screen everything, then remove an entry, which takes two people, and add one.

    Raises DependencyError on any other answer.
    """
    known = [hills(seed) for seed in range(KNOWN)]
    tell("Making a bank from the known pictures")
    entries = _make_bank(client, known)
    if videos.can_make():
        tell("Filming the known video")
        _add(client, videos.encoded(videos.known()))
    result = Result()
    for sample in samples(known):
        tell(f"Screening: {sample.title}")
        sent = _good(client.call("POST", "/screen", body=sample.content, content_id=sample.title, surface="demo"), 202)
        reply = _good(client.follow(sent), 202)
        result.outcomes.append(Outcome(sample, reply))
    tell("Removing one entry, adding another")
    result.steps = _change_bank(client, second, known[0], entries[0])
    return result


def _make_bank(client: Client, known: list[Image.Image]) -> list[str]:
    about = {"name": BANK, "meaning": "benign pictures for the demonstration", "source": "made by code in this run"}
    _good(client.send_json("POST", "/banks", about))
    return [_add(client, encoded(image)) for image in known]


def _add(client: Client, content: bytes) -> str:
    path, provenance = f"/banks/{BANK}/entries/picture", "made by code in this run"
    return str(_good(client.call("POST", path, body=content, provenance=provenance)).body["id"])


def _change_bank(client: Client, second: Client, first: Image.Image, entry: str) -> list[Step]:
    """Ask to remove and see it held still; let another agree and see it pass; add and see it held."""
    disguised = encoded(first.resize((640, 480)), quality=50)
    new = hills(777)
    new_disguised = encoded(new.transpose(Image.Transpose.FLIP_LEFT_RIGHT), quality=50)
    asked: list[str] = []
    ask = lambda: asked.append(_ask_to_remove(client, entry))  # noqa: E731
    agree = lambda: _agree(second, asked[0])  # noqa: E731
    return [
        _step(client, "a picture is known", lambda: None, disguised, "hold"),
        _step(client, "one person asks to remove its entry", ask, disguised, "hold"),
        _step(client, "another person agrees", agree, disguised, "publish"),
        _step(client, "another picture is not known", lambda: None, new_disguised, "publish"),
        _step(client, "it is added, and comes mirrored", lambda: _add(client, encoded(new)), new_disguised, "hold"),
    ]


def _ask_to_remove(client: Client, entry: str) -> str:
    """Ask for what weakens protection; the proposal that waits."""
    reply = client.call("DELETE", f"/banks/{BANK}/entries/{entry}", because="demonstration")
    return str(_good(reply, 202).body["proposal"])


def _agree(second: Client, proposal: str) -> None:
    """Be the second person: look, and agree to what was shown."""
    shown = _good(second.call("GET", f"/proposals/{proposal}")).body
    _good(second.send_json("POST", f"/proposals/{proposal}/agree", {"digest": shown["digest"], "because": "looked"}))


def _step(client: Client, did: str, act: Callable[[], object], upload: bytes, expected: str) -> Step:
    act()
    began = time.perf_counter()
    body = _good(client.call("POST", "/screen", body=upload, surface="demo"), 202).body
    return Step(did, str(body["answer"]), expected, time.perf_counter() - began)


def _good(reply: Reply, *more: int) -> Reply:
    if reply.status not in (200, 201, *more):
        message = f"the server answered {reply.status}: {reply.body}"
        raise DependencyError(message)
    return reply

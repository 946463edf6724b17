# SPDX-License-Identifier: Apache-2.0
"""What was removed does not come back: each removed picture in twenty forms, while all around it things fall and grow.

The pictures are posted at Commons, reported, and removed by people at their pages. Then each is uploaded in its forms,
while lists are imported (so that the index merges) and the worker and the database are killed in turn. An upload that
is not answered is asked again until it is. `REUPLOADS_ITEMS` says how many pictures.
"""

from __future__ import annotations

import base64
import getpass
import json
import os
import secrets
import signal
import tempfile
import threading
import time
from collections import Counter
from collections.abc import Callable, Iterator, Mapping, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Final

from PIL import Image

from bench.errors import BenchError
from bench.forms import FORMS, Subject
from bench.report import tell
from bench.row import Row, Value
from bench.served import BANK, Served, free_port, served
from holdfast.demo.client import Client
from holdfast.demo.commons import commons, visitor
from holdfast.demo.pictures import DISGUISES, encoded, hills
from holdfast.errors import DependencyError
from holdfast.replay.staff import Person, hire_everybody
from holdfast.replay.world import World

ITEMS: Final = 200
_OTHER_FORMS: Final = (
    *("JPEG CMYK", "JPEG grey", "PNG 16 bits", "PNG wholly transparent", "GIF", "WebP", "AVIF", "TIFF, second page"),
)
_SEED: Final = 640_000
_SIZE: Final = (640, 480)
_PATIENCE: Final = 600.0
_PAUSE: Final = 0.2
_AT_ONCE: Final = 3
_EACH_SECONDS: Final = 8.0
_IMPORTED: Final = 20_000
_SCOPES: Final = ("screen", "explain", "banks:read", "banks:write", "report", "proposals")


@dataclass
class Counted:
    """What became of the uploads, and what happened meanwhile."""

    answers: Counter[str] = field(default_factory=Counter)
    published: list[str] = field(default_factory=list)
    asked_again: int = 0
    killed: Counter[str] = field(default_factory=Counter)
    imported: int = 0


def reuploads_rows() -> list[Row]:
    """The row `reuploads`: how many of the uploads were published."""
    items = int(os.environ.get("REUPLOADS_ITEMS", str(ITEMS)))
    counted = measure(items)
    detail: dict[str, Value] = {
        "unit": "uploads that were published, of pictures removed before",
        "items": items,
        "forms": len(forms()),
        "answers": dict(counted.answers),
        "published": ", ".join(counted.published[:20]),
        "asked_again": counted.asked_again,
        "killed": dict(counted.killed),
        "hashes_imported_meanwhile": counted.imported,
    }
    whole = sum(counted.answers.values()) == items * len(forms()) and counted.imported > 0
    published = len(counted.published)
    return [Row("reuploads", published, None, None, 0, whole and not published, detail)]


def forms() -> Mapping[str, Callable[[Image.Image, int], bytes]]:
    """Twenty ways to upload a picture again."""
    plain = {name: _plainly(make) for name, make in DISGUISES.items()}
    return plain | {name: _as_subject(name) for name in _OTHER_FORMS}


def measure(items: int) -> Counted:
    """Publish, report, remove, and upload again."""
    with beside_commons() as (holdfast, world):
        tell(f"publishing and reporting {items} pictures")
        pictures = [hills(_SEED + number, _SIZE) for number in range(items)]
        _reported(holdfast, world.site, pictures)
        tell("people remove them")
        _removed(world, hire_everybody(world), items)
        tell(f"uploading each in {len(forms())} forms, while the worker and the database are killed")
        return _again(holdfast, pictures)


@contextmanager
def beside_commons() -> Iterator[tuple[Served, World]]:
    """Everything, with Commons beside it and two people who have keys."""
    port, secret = free_port(), "whsec_" + base64.b64encode(secrets.token_bytes(32)).decode()
    site = f"http://127.0.0.1:{port}"
    about = {"HOLDFAST_PLATFORM_URL": f"{site}/holdfast", "HOLDFAST_PLATFORM_SITES": site}
    more = {"HOLDFAST_HOLD_BUDGET_LEAST": "1000000", "HOLDFAST_PLATFORM_SECRET": secret}
    with tempfile.TemporaryDirectory(prefix="hf-bench-") as folder, served("report", **about, **more) as holdfast:
        first, second = (_key_of(holdfast, person) for person in (getpass.getuser(), "second"))
        url = f"http://{holdfast.client.address}"
        with commons(Path(folder), port, holdfast_url=url, key=first, secret=secret):
            client = Client(holdfast.client.address, second)
            yield holdfast, World(site=site, door=url, environment=holdfast.environment, second=client)


def _key_of(holdfast: Served, person: str) -> str:
    scopes = [word for scope in _SCOPES for word in ("--scope", scope)]
    return str(json.loads(holdfast.command("key", "create", person, "--for", person, *scopes, "--json"))["key"])


def _reported(holdfast: Served, site: str, pictures: Sequence[Image.Image]) -> None:
    author = visitor(site)
    author.join("author")
    for picture in pictures:
        page = author.post("a picture", encoded(picture))
        body = {"reporter": "parent", "category": "csam", "items": [{"kind": "post", "address": f"{site}{page}"}]}
        reply = holdfast.client.send_json("POST", "/reports", body)
        if reply.status != 201:
            message = f"POST /v1/reports answered {reply.status}: {reply.body}"
            raise BenchError(message)


def _removed(world: World, people: Sequence[Person], items: int) -> None:
    """Let everybody remove what they are asked, resting on words, until each picture is in a bank."""
    ends = time.monotonic() + _PATIENCE + items
    while sum(one["entries"] for one in world.command("bank", "list") if one["name"].startswith("confirmed")) < items:
        if time.monotonic() > ends:
            message = "not everything was removed in time"
            raise BenchError(message)
        for person in people:
            for review in person.asked():
                person.find(review, verdict="remove", ground="words", words="As it is written.")
        time.sleep(_PAUSE)


def _again(holdfast: Served, pictures: Sequence[Image.Image]) -> Counted:
    counted, ended = Counted(), threading.Event()
    trouble = threading.Thread(target=_trouble, args=(holdfast, counted, ended))
    trouble.start()
    try:
        with ThreadPoolExecutor(_AT_ONCE) as pool:
            jobs = [
                pool.submit(_upload, holdfast, f"{number}: {name}", make, picture, number, counted)
                for number, picture in enumerate(pictures)
                for name, make in forms().items()
            ]
            for number, job in enumerate(jobs):
                job.result()
                if number % 400 == 0:
                    tell(f"{number:,} of {len(jobs):,}; killed so far: {dict(counted.killed)}")
    finally:
        ended.set()
        trouble.join()
    return counted


def _upload(  # each is one fact about it
    holdfast: Served,
    name: str,
    make: Callable[[Image.Image, int], bytes],
    picture: Image.Image,
    number: int,
    counted: Counted,
) -> None:
    """Upload it until it is answered."""
    body, ends = make(picture, number), time.monotonic() + _PATIENCE
    while time.monotonic() < ends:
        try:
            reply = holdfast.client.call("POST", "/screen", body=body)
        except DependencyError:
            reply = None
        if reply is not None and reply.status in (200, 202):
            counted.answers[f"{reply.status} {reply.body['answer']}"] += 1
            if reply.status == 200 and reply.body["answer"] == "publish":
                counted.published.append(name)
            return
        counted.asked_again += 1
        time.sleep(_PAUSE)
    message = f"{name} was not answered in {_PATIENCE:.0f} seconds"
    raise BenchError(message)


def _trouble(holdfast: Served, counted: Counted, ended: threading.Event) -> None:
    """Import a list, kill the worker, kill the database; in turn, until it is over."""
    number = 0
    while not ended.wait(_EACH_SECONDS):
        match number % 3:
            case 0:
                counted.imported += _import(holdfast)
            case 1:
                _kill(holdfast, "hf-worker", counted)
            case _:
                _kill(holdfast, "postgres", counted)
        number += 1


def _import(holdfast: Served) -> int:
    with tempfile.NamedTemporaryFile("w", suffix=".csv") as file:
        file.write("signal_type,value\n" + "".join(f"pdq,{secrets.token_hex(32)}\n" for _ in range(_IMPORTED)))
        file.flush()
        try:
            holdfast.command("bank", "import", BANK, file.name)
        except BenchError as fault:
            tell(f"this list was not imported, another comes: {fault}")
            return 0
    return _IMPORTED


def _kill(holdfast: Served, part: str, counted: Counted) -> None:
    found = [pid for pid in _below(holdfast.pid) if part in _called(pid)]
    if found:
        os.kill(min(found), signal.SIGKILL)
        counted.killed[part] += 1


def _below(root: int) -> set[int]:
    """Every process below one."""
    parents: dict[int, int] = {}
    for entry in Path("/proc").iterdir():
        if entry.name.isdigit():
            try:
                parents[int(entry.name)] = int((entry / "stat").read_text().rpartition(")")[2].split()[1])
            except OSError:
                continue
    found = {root}
    while more := {pid for pid, parent in parents.items() if parent in found} - found:
        found |= more
    return found - {root}


def _called(pid: int) -> str:
    """What a process is: its command and its own name."""
    try:
        line = Path(f"/proc/{pid}/cmdline").read_bytes().decode().replace("\0", " ")
        return f"{line} {Path(f'/proc/{pid}/comm').read_text()}"
    except OSError:
        return ""


def _plainly(make: Callable[[Image.Image], bytes]) -> Callable[[Image.Image, int], bytes]:
    return lambda picture, _number: make(picture)


def _as_subject(name: str) -> Callable[[Image.Image, int], bytes]:
    _, make = FORMS[name]
    return lambda picture, number: make(Subject(picture, hills(_SEED - 1 - number, _SIZE), number))

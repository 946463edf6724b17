# SPDX-License-Identifier: Apache-2.0
"""Not one GET that begins after `hold` was answered gets what is held, however many are reading meanwhile.

Readers never stop; meanwhile items are held and released again and again. What each GET saw is judged afterwards,
against the moments when `hold` was answered and when `release` was sent, by one clock.
"""

from __future__ import annotations

import http.client
import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, field
from typing import Any
from uuid import uuid4

from holdfast.demo.pictures import hills
from holdfast.media.filetype import FileType
from tests.examples.commons.running import Running, picture, spots, urls
from tests.pictures import encoded

READERS = 6
ENOUGH = 20_000
ROUNDS = 25


@dataclass(frozen=True)
class Seen:
    """One GET: when it began and ended, and what came."""

    path: str
    began: float
    ended: float
    status: int
    body: bytes


@dataclass
class Readers:
    """Threads that read addresses in turn until they are told to stop."""

    site: str
    paths: list[str]
    seen: list[Seen] = field(default_factory=list)
    stopped: threading.Event = field(default_factory=threading.Event)
    read_once: threading.Semaphore = field(default_factory=lambda: threading.Semaphore(0))

    def wait_for(self, gets: int) -> None:
        """Return once so many more GETs have ended."""
        while self.read_once.acquire(blocking=False):
            pass
        for _ in range(gets):
            self.read_once.acquire()

    def read(self, first: int) -> None:
        address, at = self.site.removeprefix("http://"), first
        connection = http.client.HTTPConnection(address, timeout=30)
        while not self.stopped.is_set():
            path = self.paths[at % len(self.paths)]
            began = time.monotonic()
            connection.request("GET", path)
            answer = connection.getresponse()
            body = answer.read()
            self.seen.append(Seen(path, began, time.monotonic(), answer.status, body))
            self.read_once.release()
            at += 1
            if at % 50 == 0:  # meet another worker
                connection.close()
        connection.close()


@contextmanager
def reading(site: str, paths: list[str]) -> Iterator[Readers]:
    readers = Readers(site, paths)
    threads = [threading.Thread(target=readers.read, args=(number,)) for number in range(READERS)]
    for thread in threads:
        thread.start()
    try:
        yield readers
    finally:
        readers.stopped.set()
        for thread in threads:
            thread.join()


@dataclass
class Item:
    """What is held and released, and when it was out of reach for certain."""

    item: Any
    paths: list[str]
    mark: bytes
    held: list[tuple[float, float]] = field(default_factory=list)

    def was_held(self, seen: Seen) -> bool:
        return any(answered <= seen.began and seen.ended <= released for answered, released in self.held)


def items(commons: Running, word: str, count: int) -> list[Item]:
    anna, made = commons.person(), []
    for number in range(count):
        post = anna.post(f"{word} {number}", picture())
        found = commons.item(post.path)
        paths = [url.removeprefix(commons.site) for url in urls(found)]
        made.append(Item(found, paths, f'href="{post.path}"'.encode()))
    return made


def test_no_get_that_begins_after_the_answer_gets_what_is_held(commons: Running) -> None:
    word = f"w{uuid4().hex}"
    some = items(commons, word, 4)
    lists = ["/", f"/search?q={word}"]
    paths = [path for one in some for path in one.paths] + lists
    rounds = 0
    with reading(commons.site, paths) as readers:
        while len(readers.seen) < ENOUGH or rounds < ROUNDS:
            one = some[rounds % len(some)]
            assert set(commons.act("hold", *spots(one.item))) == {"done"}
            answered = time.monotonic()
            readers.wait_for(10 * len(paths))
            one.held.append((answered, time.monotonic()))
            assert set(commons.act("release", *spots(one.item))) == {"done"}
            rounds += 1

    assert len(readers.seen) >= ENOUGH
    leaks, hidden, shown = [], 0, 0
    for seen in readers.seen:
        for one in some:
            if seen.path in one.paths:
                hidden += one.was_held(seen) and seen.status == 404
                shown += seen.status == 200
                leaks += [seen] if one.was_held(seen) and seen.status != 404 else []
            elif seen.path in lists:
                assert seen.status == 200
                shown += one.mark in seen.body
                leaks += [seen] if one.was_held(seen) and one.mark in seen.body else []
    assert leaks == []
    assert hidden > ENOUGH / 20  # it was looked at while it was held,
    assert shown > ENOUGH / 4  # and the rest of the time everybody saw it


def test_who_is_downloading_a_long_file_gets_no_more_of_it_once_it_is_held(commons: Running) -> None:
    content = encoded(hills(77_300, (320, 240)).resize((3400, 2600)), FileType.PNG, compress_level=0)
    made = commons.person().post("a long one", content)
    assert made.public
    item = commons.item(made.path)
    with socket.socket() as reader:
        reader.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 64 * 1024)
        reader.connect(("127.0.0.1", int(commons.environment["COMMONS_PORT"])))
        reader.sendall(f"GET {urls(item)[1].removeprefix(commons.site)} HTTP/1.1\r\nHost: x\r\n\r\n".encode())
        got = len(reader.recv(65536))
        assert set(commons.act("hold", *spots(item))) == {"done"}
        while more := reader.recv(65536):
            got += len(more)
    assert got < len(content) * 3 / 4

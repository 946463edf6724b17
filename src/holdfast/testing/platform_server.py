# SPDX-License-Identifier: Apache-2.0
"""docs/platform.md from the platform's side, as plainly as it can be written: compare yours with it.

`serve_platform` lets any `Platform` answer over HTTP, on a free port of 127.0.0.1. With a `Site` it serves that to
everybody as well: what can be seen is 200, and everything else the same 404.
"""

from __future__ import annotations

import hmac
import json
import threading
from collections.abc import Callable, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass
from datetime import UTC, datetime
from http.server import BaseHTTPRequestHandler, ThreadingHTTPServer
from typing import Any, Final

from holdfast.effect.webhook import sign
from holdfast.errors import PlatformAway, PlatformGone, PlatformRefused
from holdfast.hold.platform import Act, Acted, Ambiguous, Found, Item, Notice, Platform, Resolved, Spot, Views
from holdfast.testing.site import Site

BASE: Final = "/holdfast/"
_MOST_SECONDS_APART: Final = 300
_JSON, _BYTES = "application/json", "application/octet-stream"
_ANSWERED, _WRONG, _UNSIGNED, _MISSING, _CANNOT_TELL = 200, 422, 401, 404, 503


@dataclass(frozen=True, slots=True)
class Reply:
    """What is answered."""

    status: int
    body: bytes = b"{}"
    kind: str = _JSON


def reply_to(
    platform: Platform,
    call: str,
    untrusted_headers: Mapping[str, str],
    untrusted_body: bytes,
    key: bytes,
    now: datetime,
) -> Reply:
    """The whole of a platform's side. `untrusted_headers` have names in lower case."""
    if not is_signed(untrusted_headers, untrusted_body, key, now):
        return Reply(_UNSIGNED)
    try:
        return _answer(platform, call, untrusted_headers["webhook-id"], json.loads(untrusted_body))
    except PlatformAway:
        return Reply(_CANNOT_TELL)
    except PlatformGone:
        return Reply(_MISSING)
    except PlatformRefused:
        return Reply(_WRONG)
    except (KeyError, TypeError, ValueError):
        return Reply(_WRONG)


def is_signed(untrusted_headers: Mapping[str, str], untrusted_body: bytes, key: bytes, now: datetime) -> bool:
    """Whether a call was signed with `key`, less than five minutes ago."""
    name, time = untrusted_headers.get("webhook-id", ""), untrusted_headers.get("webhook-timestamp", "")
    if not name or not (time.isascii() and time.isdigit()):
        return False
    if abs(now.timestamp() - int(time)) > _MOST_SECONDS_APART:
        return False
    right = sign(key, name, int(time), untrusted_body).encode()
    given = untrusted_headers.get("webhook-signature", "").encode().split(b" ")
    return any([hmac.compare_digest(one, right) for one in given])  # noqa: C419  # each is compared, whichever is right


def _answer(platform: Platform, call: str, key: str, asked: Mapping[str, Any]) -> Reply:  # noqa: PLR0911
    match call:
        case "resolve":
            return _json({"results": [_resolved(one) for one in platform.resolve(key, asked["addresses"])]})
        case "copies":
            copies = platform.copies(key, asked["content"], asked["version"])
            told = [{"item": _item(one.item), "exact": one.exact, "distance": one.distance} for one in copies]
            return _json({"copies": told})
        case "hold":
            return _acts(platform.hold(key, _spots(asked)))
        case "release":
            return _acts(platform.release(key, _spots(asked)))
        case "remove":
            return _acts(platform.remove(key, _spots(asked)))
        case "views":
            at = asked["at"] and datetime.fromisoformat(asked["at"])
            return _json({"views": [_views(one) for one in platform.views(key, asked["locations"], at)]})
        case "notify":
            return _acts(platform.notify(key, [_notice(one) for one in asked["notices"]]))
        case "freeze":
            return _json({"facts": _facts(platform, key, asked)})
        case "open":
            return Reply(_ANSWERED, b"".join(platform.open(key, asked["content"], asked["version"])), _BYTES)
    return Reply(_MISSING)


def _json(answer: Mapping[str, Any]) -> Reply:
    return Reply(_ANSWERED, json.dumps(answer).encode())


def _acts(acts: list[Act]) -> Reply:
    return _json({"results": [_act(one) for one in acts]})


def _act(one: Act) -> Mapping[str, str]:
    return {"state": one.acted, "because": one.because} if one.acted is Acted.REFUSED else {"state": one.acted}


def _resolved(one: Resolved) -> Mapping[str, Any]:
    match one:
        case Found(item):
            return {"state": "found", "item": _item(item)}
        case Ambiguous(candidates):
            return {"state": "ambiguous", "items": [_item(item) for item in candidates]}
    return {"state": "nowhere"}


def _item(item: Item) -> Mapping[str, Any]:
    return {
        "content": item.content,
        "version": item.version,
        "kind": item.kind,
        "account": item.account,
        "first_seen": item.first_seen and _time(item.first_seen),
        "asset": item.is_asset,
        "locations": [{"id": location.id, "url": location.url} for location in item.locations],
    }


def _views(one: Views) -> Mapping[str, Any]:
    return {"location": one.location, "views": one.views, "at": _time(one.at)}


def _spots(asked: Mapping[str, Any]) -> list[Spot]:
    names = ("content", "version", "location")
    return [Spot(**{name: str(spot[name]) for name in names}) for spot in asked["spots"]]  # other fields are ignored


def _notice(asked: Mapping[str, Any]) -> Notice:
    names = ("account", "content", "title", "text", "answer_url", "answer_code")
    return Notice(id=asked["notice"], **{name: asked[name] for name in names})


def _facts(platform: Platform, key: str, asked: Mapping[str, Any]) -> str | None:
    try:
        return platform.freeze(key, asked["account"], asked["content"])
    except PlatformRefused:
        return None


def _time(at: datetime) -> str:
    return at.astimezone(UTC).isoformat().replace("+00:00", "Z")


# --- over HTTP


@contextmanager
def serve_platform(
    platform: Platform,
    key: bytes,
    site: Site | None = None,
    clock: Callable[[], datetime] = lambda: datetime.now(UTC),
) -> Iterator[str]:
    """Serve a platform while the context lasts; gives what HOLDFAST_PLATFORM_URL would be.

    What `site` publishes from now on has addresses on this server.
    """
    server = _Server(platform, key, site, clock)
    origin = f"http://127.0.0.1:{server.server_port}"
    if site:
        site.origin = origin
    thread = threading.Thread(target=server.serve_forever, kwargs={"poll_interval": 0.02}, daemon=True)
    thread.start()
    try:
        yield origin + BASE.rstrip("/")
    finally:
        server.shutdown()
        thread.join()
        server.server_close()


class _Server(ThreadingHTTPServer):
    daemon_threads = True
    request_queue_size = 128

    def __init__(self, platform: Platform, key: bytes, site: Site | None, clock: Callable[[], datetime]) -> None:
        super().__init__(("127.0.0.1", 0), _Handler)
        self.platform, self.key, self.site, self.clock = platform, key, site, clock


class _Handler(BaseHTTPRequestHandler):
    server: _Server
    protocol_version = "HTTP/1.1"
    wbufsize = -1  # one packet for head and body
    disable_nagle_algorithm = True
    timeout = 60

    def do_POST(self) -> None:
        """One call."""
        body = self.rfile.read(int(self.headers["Content-Length"]))
        headers = {name.lower(): value for name, value in self.headers.items()}
        call = self.path.removeprefix(BASE)
        self._send(reply_to(self.server.platform, call, headers, body, self.server.key, self.server.clock()))

    def do_GET(self) -> None:
        """One visit of somebody who is nobody here."""
        site = self.server.site
        place = site.place_at(f"{site.origin}{self.path}") if site else None
        seen = bool(site and place and site.view(place))
        self._send(
            Reply(_ANSWERED, b"here it is", "text/plain") if seen else Reply(_MISSING, b"nothing here", "text/plain")
        )

    def _send(self, reply: Reply) -> None:
        self.send_response(reply.status)
        self.send_header("Content-Type", reply.kind)
        self.send_header("Content-Length", str(len(reply.body)))
        self.end_headers()
        self.wfile.write(reply.body)

    def log_message(self, *_: object) -> None:
        """Say nothing: addresses name content."""

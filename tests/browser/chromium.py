# SPDX-License-Identifier: Apache-2.0
"""Debian's Chromium without a window, driven as a person would: by keys. Spoken to in its own protocol, over two pipes.

No script of a page ever runs. Names of other machines lead nowhere, so that a page that asks for one is found out.
"""

from __future__ import annotations

import base64
import json
import os
import shutil
import subprocess
import tempfile
import time
from collections import deque
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import IO, Any, Final

PATIENCE_SECONDS: Final = 60.0
_FLAGS: Final = (
    "--headless=new",
    "--remote-debugging-pipe",
    "--no-sandbox",  # tests run as root, and it opens our own pages alone
    "--disable-gpu",
    "--disable-dev-shm-usage",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-default-apps",
    "--disable-extensions",
    "--disable-sync",
    "--no-first-run",
    "--hide-scrollbars",
    "--force-device-scale-factor=1",
    "--host-resolver-rules=MAP * ~NOTFOUND, EXCLUDE 127.0.0.1",
)
_KEYS: Final[Mapping[str, tuple[str, int, str]]] = {
    "Tab": ("Tab", 9, ""),
    "Enter": ("Enter", 13, "\r"),
    "Space": (" ", 32, " "),
    "ArrowDown": ("ArrowDown", 40, ""),
}
_SHIFT: Final = 8


class Chromium:
    """One browser process and its pipes."""

    def __init__(self, commands: IO[bytes], replies: IO[bytes]) -> None:
        """Speak through these."""
        self._commands = commands
        self._replies = replies
        self._number = 0
        self._events: deque[dict[str, Any]] = deque()
        self._rest = b""

    def call(self, method: str, session: str | None = None, **given: Any) -> dict[str, Any]:
        """One command, and what it answered."""
        self._number += 1
        asked = {"id": self._number, "method": method, "params": given}
        self._commands.write(json.dumps({**asked, "sessionId": session} if session else asked).encode() + b"\0")
        self._commands.flush()
        while (message := self._read()).get("id") != self._number:
            self._events.append(message)
        assert "error" not in message, (method, message["error"])
        return dict(message["result"])

    def events(self) -> list[dict[str, Any]]:
        """What happened since this was asked last."""
        found = list(self._events)
        self._events.clear()
        return found

    def wait_for(self, method: str, session: str) -> None:
        """Go on once this has happened."""
        kept, ends = [], time.monotonic() + PATIENCE_SECONDS
        while True:
            assert time.monotonic() < ends, f"{method} did not happen"
            message = self._events.popleft() if self._events else self._read()
            kept.append(message)
            if message.get("method") == method and message.get("sessionId") == session:
                break
        self._events.extendleft(reversed(kept))

    def _read(self) -> dict[str, Any]:
        while b"\0" not in self._rest:
            part = os.read(self._replies.fileno(), 65536)
            assert part, "the browser ended"
            self._rest += part
        message, _, self._rest = self._rest.partition(b"\0")
        return dict(json.loads(message))


@dataclass
class Tab:
    """One page, of a size, with no scripts."""

    browser: Chromium
    session: str
    asked: list[str] = field(default_factory=list)
    complaints: list[str] = field(default_factory=list)

    def open(self, url: str) -> None:
        """Go there."""
        self._call("Page.navigate", url=url)
        self.arrive()

    def arrive(self) -> None:
        """Wait until the page that is on its way is there."""
        self.browser.wait_for("Page.loadEventFired", self.session)
        self._listen()

    def size(self, width: int, height: int = 800, *, dark: bool = False) -> None:
        """Make the window so wide and high, and say which colours somebody likes."""
        self._call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=False)
        scheme = {"name": "prefers-color-scheme", "value": "dark" if dark else "light"}
        self._call("Emulation.setEmulatedMedia", features=[scheme])

    def press(self, name: str, times: int = 1, *, shift: bool = False) -> None:
        """Press a key."""
        key, code, text = _KEYS[name]
        given = {"key": key, "code": name, "windowsVirtualKeyCode": code, "modifiers": _SHIFT if shift else 0}
        for _ in range(times):
            kind = "keyDown" if text else "rawKeyDown"
            self._call("Input.dispatchKeyEvent", type=kind, **given, **({"text": text} if text else {}))
            self._call("Input.dispatchKeyEvent", type="keyUp", **given)

    def type(self, text: str) -> None:
        """Type into whatever has the focus."""
        self._call("Input.insertText", text=text)

    def tab_to(self, what: str, *, most: int = 120) -> None:
        """Press Tab until what matches this selector has the focus."""
        for _ in range(most):
            self.press("Tab")
            if self.ask(f"!!document.activeElement && document.activeElement.matches({json.dumps(what)})"):
                return
        message = f"Tab never leads to {what}"
        raise AssertionError(message)

    def ask(self, expression: str) -> Any:
        """What an expression of ours, which is no script of the page, is worth there."""
        answer = self._call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    @property
    def address(self) -> str:
        return str(self.ask("location.href"))

    @property
    def text(self) -> str:
        """What the page itself says."""
        return str(self.ask("document.querySelector('main').innerText"))

    def picture(self, path: Path) -> None:
        """Keep what is to be seen of the whole page."""
        shot = self._call("Page.captureScreenshot", format="png", captureBeyondViewport=True)
        path.write_bytes(base64.b64decode(shot["data"]))

    def names(self) -> list[tuple[str, str]]:
        """(role, name) of everything that a screen reader can act on."""
        nodes = self._call("Accessibility.getFullAXTree")["nodes"]
        told = [(one["role"]["value"], one.get("name", {}).get("value", "")) for one in nodes if not one["ignored"]]
        return [(role, name) for role, name in told if role in ROLES]

    def cookies(self) -> list[Any]:
        """Every cookie there is."""
        return list(self._call("Network.getAllCookies")["cookies"])

    def _call(self, method: str, **given: Any) -> dict[str, Any]:
        return self.browser.call(method, self.session, **given)

    def _listen(self) -> None:
        for message in self.browser.events():
            given = message.get("params", {})
            if message.get("method") == "Network.requestWillBeSent":
                self.asked.append(given["request"]["url"])
            if message.get("method") == "Log.entryAdded":
                self.complaints.append(given["entry"]["text"])


ROLES: Final = frozenset(
    {"textbox", "checkbox", "radio", "combobox", "button", "link", "DisclosureTriangle", "radiogroup", "group"}
)


@contextmanager
def browsing() -> Iterator[Chromium]:
    """A browser that knows nothing yet, and forgets everything at the end."""
    program = shutil.which("chromium")
    assert program, "apt install chromium: see scripts/debian-packages"
    to_read, commands = os.pipe()
    replies, to_write = os.pipe()
    with tempfile.TemporaryDirectory(prefix="hf-browser-", ignore_cleanup_errors=True) as home:
        # It reads from 3 and writes to 4.
        start = ["bash", "-c", f'exec "$@" 3<&{to_read} 4>&{to_write}', "bash", program, *_FLAGS]
        process = subprocess.Popen(
            [*start, f"--user-data-dir={home}", "about:blank"],
            pass_fds=(to_read, to_write),
            stdout=subprocess.DEVNULL,
            stderr=subprocess.DEVNULL,
            env={**os.environ, "HOME": home},
        )
        os.close(to_read)
        os.close(to_write)
        with os.fdopen(commands, "wb") as writing, os.fdopen(replies, "rb") as reading:
            browser = Chromium(writing, reading)
            try:
                yield browser
                browser.call("Browser.close")
                process.wait(PATIENCE_SECONDS)
            finally:
                process.kill()
                process.wait()


def new_tab(browser: Chromium, width: int = 1000) -> Tab:
    """An empty page with nothing of the pages before: cookies, caches and storage are of its own."""
    context = browser.call("Target.createBrowserContext")["browserContextId"]
    target = browser.call("Target.createTarget", url="about:blank", browserContextId=context)["targetId"]
    session = browser.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
    for part in ("Page", "Network", "Log", "Accessibility"):
        browser.call(f"{part}.enable", session)
    browser.call("Emulation.setScriptExecutionDisabled", session, value=True)
    browser.events()
    tab = Tab(browser, session)
    tab.size(width)
    return tab

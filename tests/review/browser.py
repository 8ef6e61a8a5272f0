"""A real browser without a window, driven over two pipes: one start for all that is asked of a page."""

from __future__ import annotations

import base64
import contextlib
import fcntl
import json
import os
import selectors
import shutil
import signal
import struct
import time
import zlib
from collections.abc import Generator, Mapping
from contextlib import contextmanager
from pathlib import Path
from typing import Any, Literal

from tests.conftest import missing

NAMES = ("chromium", "chromium-browser", "google-chrome", "google-chrome-stable")
PATIENCE = 60.0
"""Seconds until an answer that does not come is a failure."""

_FLAGS = (
    *("--headless", "--no-sandbox", "--disable-gpu", "--disable-dev-shm-usage", "--hide-scrollbars", "--no-first-run"),
    *("--disable-quic", "--disable-background-networking", "--disable-component-update", "--disable-sync"),
    *("--disable-default-apps", "--disable-extensions", "--remote-debugging-pipe"),
)
_HIGH = 64
"""Where the pipes' ends lie, so that none of them is 3 or 4, which the browser's own have to be."""


def need_browser() -> str:
    """The program; without one the test is skipped, or fails where skipping is forbidden."""
    found = next((path for name in NAMES if (path := shutil.which(name))), None)
    return found or missing("no chromium is installed, and this test looks at a page in the real browser")


class Browser:
    """requested: every address that a page asked for, in order."""

    def __init__(self, reading: int, writing: int) -> None:
        self._reading, self._writing = reading, writing
        self._selector = selectors.DefaultSelector()
        self._selector.register(reading, selectors.EVENT_READ)
        self._buffer = b""
        self._number = 0
        self._session = ""
        self._loaded = 0
        self.requested: list[str] = []
        self.complaints: list[str] = []

    def attach(self) -> None:
        target = self.call("Target.createTarget", url="about:blank")["targetId"]
        self._session = self.call("Target.attachToTarget", targetId=target, flatten=True)["sessionId"]
        for domain in ("Page", "Network", "Runtime", "Log"):
            self.call(f"{domain}.enable")

    def call(self, method: str, **params: object) -> dict[str, Any]:
        self._number += 1
        message: dict[str, object] = {"id": self._number, "method": method, "params": params}
        if self._session:
            message["sessionId"] = self._session
        data = json.dumps(message).encode() + b"\0"
        while data:
            data = data[os.write(self._writing, data) :]
        while True:
            answer = self._next()
            if answer.get("id") == self._number:
                assert "error" not in answer, answer
                return answer["result"]
            self._hear(answer)

    def open(self, path: Path) -> None:
        """Show a file, and wait until it is there whole."""
        before = self._loaded
        self.call("Page.navigate", url=path.as_uri())
        while self._loaded == before:
            self._hear(self._next())

    def look(self, expression: str) -> Any:
        """The value of an expression in the page, computed by the test and by no script of the page."""
        answer = self.call("Runtime.evaluate", expression=expression, returnByValue=True)
        assert "exceptionDetails" not in answer, answer
        return answer["result"].get("value")

    def resize(self, width: int, height: int, scheme: Literal["light", "dark"]) -> None:
        """The reader's screen; narrow ones are a phone's."""
        phone = width < 600
        self.call("Emulation.setDeviceMetricsOverride", width=width, height=height, deviceScaleFactor=1, mobile=phone)
        self.call("Emulation.setEmulatedMedia", features=[{"name": "prefers-color-scheme", "value": scheme}])

    def click(self, selector: str) -> None:
        """With the mouse, in the middle of the first such element."""
        place = self.look(
            "(e => { e.scrollIntoView({block: 'center'}); const r = e.getBoundingClientRect();"
            " return [r.left + Math.min(r.width / 2, 60), r.top + r.height / 2]; })"
            f"(document.querySelector({selector!r}))"
        )
        for kind in ("mousePressed", "mouseReleased"):
            self.call("Input.dispatchMouseEvent", type=kind, x=place[0], y=place[1], button="left", clickCount=1)

    def picture(self, width: int, height: int) -> list[tuple[int, int, int]]:
        """The colours of the pixels in the upper left corner, row by row."""
        clip = {"x": 0, "y": 0, "width": width, "height": height, "scale": 1}
        return pixels(base64.b64decode(self.call("Page.captureScreenshot", format="png", clip=clip)["data"]))

    def screenshot(self, path: Path) -> None:
        path.write_bytes(base64.b64decode(self.call("Page.captureScreenshot", format="png")["data"]))

    def _hear(self, message: Mapping[str, Any]) -> None:
        params = message.get("params", {})
        match message.get("method"):
            case "Network.requestWillBeSent":
                self.requested.append(params["request"]["url"])
            case "Page.loadEventFired":
                self._loaded += 1
            case "Log.entryAdded":
                self.complaints.append(params["entry"]["text"])
            case "Runtime.exceptionThrown":
                self.complaints.append(str(params))
            case _:
                pass

    def _next(self) -> dict[str, Any]:
        deadline = time.monotonic() + PATIENCE
        while b"\0" not in self._buffer:
            ready = self._selector.select(max(0.0, deadline - time.monotonic()))
            assert ready, "the browser does not answer"
            data = os.read(self._reading, 1 << 16)
            assert data, "the browser ended"
            self._buffer += data
        message, _, self._buffer = self._buffer.partition(b"\0")
        return json.loads(message)

    def close(self) -> None:
        self._session = ""
        with contextlib.suppress(AssertionError, OSError):
            self.call("Browser.close")
        self._selector.close()


@contextmanager
def browser(folder: Path, *flags: str) -> Generator[Browser]:
    """folder: its profile; new, so that nothing is in it. It is gone with all of its processes at the end."""
    program = need_browser()
    to_it, our_writing = _pipe()
    our_reading, from_it = _pipe()
    profile = folder / "profile"
    nothing = os.open(os.devnull, os.O_RDWR)
    try:
        pid = os.posix_spawn(
            program,
            [program, *_FLAGS, f"--user-data-dir={profile}", *flags, "about:blank"],
            {**os.environ, "HOME": str(folder)},
            file_actions=[
                (os.POSIX_SPAWN_DUP2, nothing, 0),
                (os.POSIX_SPAWN_DUP2, nothing, 1),
                (os.POSIX_SPAWN_DUP2, nothing, 2),
                (os.POSIX_SPAWN_DUP2, to_it, 3),
                (os.POSIX_SPAWN_DUP2, from_it, 4),
            ],
            setsid=True,
        )
    finally:
        for end in (to_it, from_it, nothing):
            os.close(end)
    opened = Browser(our_reading, our_writing)
    try:
        opened.attach()
        yield opened
    finally:
        opened.close()
        with contextlib.suppress(ProcessLookupError):
            os.killpg(pid, signal.SIGKILL)
        os.waitpid(pid, 0)
        for end in (our_reading, our_writing):
            os.close(end)


def _pipe() -> tuple[int, int]:
    ends = os.pipe()
    high = [fcntl.fcntl(end, fcntl.F_DUPFD_CLOEXEC, _HIGH) for end in ends]
    for end in ends:
        os.close(end)
    return high[0], high[1]


def pixels(png: bytes) -> list[tuple[int, int, int]]:
    """The colours of a picture of 8 bits a channel, without interlacing, as browsers write them."""
    at, data, head = 8, b"", (0, 0, 0, 0)
    while at < len(png):
        (size,), kind = struct.unpack(">I", png[at : at + 4]), png[at + 4 : at + 8]
        body = png[at + 8 : at + 8 + size]
        if kind == b"IHDR":
            head = struct.unpack(">IIBB", body[:10])
        elif kind == b"IDAT":
            data += body
        at += size + 12
    width, height, depth, colours = head
    channels = {2: 3, 6: 4}[colours]
    assert depth == 8
    raw, before, found = zlib.decompress(data), bytes(width * channels), list[tuple[int, int, int]]()
    for row in range(height):
        start = row * (width * channels + 1)
        line = bytearray(raw[start + 1 : start + 1 + width * channels])
        _unfilter(raw[start], line, before, channels)
        before = bytes(line)
        found += [(line[x], line[x + 1], line[x + 2]) for x in range(0, len(line), channels)]
    return found


def _unfilter(kind: int, line: bytearray, above: bytes, step: int) -> None:
    for x, value in enumerate(line):
        left = line[x - step] if x >= step else 0
        up = above[x]
        corner = above[x - step] if x >= step else 0
        guess = left + up - corner
        near = min((abs(guess - left), 0, left), (abs(guess - up), 1, up), (abs(guess - corner), 2, corner))[2]
        line[x] = (value + (0, left, up, (left + up) // 2, near)[kind]) & 255

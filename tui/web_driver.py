"""Textual's driver for browsers with the weak places of its terminals' brother closed (see `tui/driver.py`).

It speaks packets over the program's own streams with `quarterdeck serve`. A browser that takes nothing does not block
the screen, a paste is no key, and the end of the input ends the program.
"""

from __future__ import annotations

import json
import sys
import threading
from collections.abc import Callable
from queue import SimpleQueue
from typing import TYPE_CHECKING, Any, cast

from textual.drivers.web_driver import WebDriver

from tui.key_input import Keys, hang_up, read_keys
from tui.output import Flow, Output

if TYPE_CHECKING:
    from textual.app import App

LONGEST_PACKET = 32 * 1024 * 1024
SIZES = range(1, 1000)
"""Columns and lines that a browser may ask for."""


class BrowserDriver(WebDriver):
    def __init__(
        self, app: App[Any], *, debug: bool = False, mouse: bool = True, size: tuple[int, int] | None = None
    ) -> None:
        super().__init__(app, debug=debug, mouse=mouse, size=size)
        assert sys.__stdin__ is not None
        self.flow = Flow()
        self._input = sys.__stdin__.fileno()
        self._output = Output(self.fileno, self.flow, hang_up)
        self._waiting: SimpleQueue[bytes | None] = SimpleQueue()
        self._write = self._enqueue
        self._writer = threading.Thread(target=self._write_all, name="textual-output", daemon=True)
        self._writer.start()

    @property
    def behind(self) -> bool:
        """Whether the browser has not taken what was written for it."""
        return self.flow.behind

    def _enqueue(self, data: bytes) -> int:
        self.flow.queued(len(data))
        self._waiting.put(data)
        return len(data)

    def _write_all(self) -> None:
        while (data := self._waiting.get()) is not None:
            self._output.write_bytes(data)

    def close(self) -> None:
        self._waiting.put(None)
        self._writer.join(2.0)

    def run_input_thread(self) -> None:
        """Read packets until told to stop."""
        keys = Keys(self.process_message, self._debug)
        read_keys(self._input, Packets(keys, self._meta), self.exit_event)

    def _meta(self, meta: dict[str, object]) -> None:
        """Nothing else than these is taken from a browser; a file is never delivered to one."""
        match meta:
            case {"type": "resize", "width": int(width), "height": int(height)} if width in SIZES and height in SIZES:
                self.on_meta("resize", {"width": width, "height": height})
            case {"type": "focus"}:
                self.on_meta("focus", {})
            case {"type": "blur"}:
                self.on_meta("blur", {})
            case {"type": "quit"}:
                self.on_meta("quit", {})
            case _:
                return


class Packets:
    """The packets of a stream: one byte of kind, four of size, then so many. Keys go to the keys, the rest to meta."""

    def __init__(self, keys: Keys, meta: Callable[[dict[str, object]], None]) -> None:
        self._keys = keys
        self._meta = meta
        self._held = b""

    @property
    def wait(self) -> float:
        return self._keys.wait

    def tick(self) -> None:
        self._keys.tick()

    def feed(self, data: bytes) -> None:
        held = self._held + data
        while len(held) >= 5:
            size = int.from_bytes(held[1:5], "big")
            if size > LONGEST_PACKET:
                # Out of step with whoever writes: nothing that comes after it can be trusted.
                hang_up()
                held = b""
            if len(held) < 5 + size:
                break
            kind, payload, held = held[:1], held[5 : 5 + size], held[5 + size :]
            if kind == b"D":
                self._keys.feed(payload)
            else:
                self._tell(payload)
        self._held = held

    def _tell(self, payload: bytes) -> None:
        try:
            meta: object = json.loads(payload)
        except ValueError:
            return
        if isinstance(meta, dict):
            self._meta(cast("dict[str, object]", meta))

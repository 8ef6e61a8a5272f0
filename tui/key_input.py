"""The input of a terminal, or of a browser: bytes to keys and pastes, whatever the pieces they arrive in."""

from __future__ import annotations

import codecs
import os
import selectors
import signal
import time
from collections.abc import Callable, Iterable, Iterator
from threading import Event
from typing import Protocol

from textual import events
from textual._parser import ParseError
from textual._xterm_parser import XTermParser
from textual.keys import KEY_NAME_REPLACEMENTS, _character_to_key  # pyright: ignore[reportPrivateUsage]
from textual.message import Message

PASTE_START, PASTE_END = "\x1b[200~", "\x1b[201~"
LONGEST_PASTE = 16 * 1024 * 1024
"""Characters of one paste that are kept; the rest of it is dropped, never read as keys."""

ESCAPE_WAIT, SEQUENCE_WAIT = 0.03, 0.5
"""Seconds of silence after which escape, and a longer beginning of a sequence, are read as keys."""


class PasteGuard:
    """Splits input into pastes and everything else, whatever the pieces it arrives in."""

    def __init__(self) -> None:
        self._held = ""
        self._pasting = False
        self._paste: list[str] = []
        self._size = 0

    def feed(self, data: str) -> Iterator[tuple[bool, str]]:
        """Pairs of (is a paste, text), in order; a paste comes when it is complete."""
        data = self._held + data
        self._held = ""
        while data:
            marker = PASTE_END if self._pasting else PASTE_START
            before, found, data = data.partition(marker)
            if not found:
                kept = _beginning_of(marker, before)
                self._held = before[len(before) - kept :] if kept else ""
                before = before[: len(before) - kept]
            if self._pasting:
                self._keep(before)
            elif before:
                yield False, before
            if not found:
                return
            if self._pasting:
                yield True, "".join(self._paste)
                self._paste, self._size = [], 0
            self._pasting = not self._pasting

    def quiet(self, seconds: float) -> str:
        """Nothing came for so long: what looked like the beginning of a marker may have been a key of its own.

        Escape alone is a key soon; what is longer is no key that a person presses, so a slow terminal gets more time.
        """
        if self._pasting or seconds < (ESCAPE_WAIT if self._held == "\x1b" else SEQUENCE_WAIT):
            return ""
        held, self._held = self._held, ""
        return held

    @property
    def holds(self) -> bool:
        return bool(self._held)

    def _keep(self, text: str) -> None:
        room = LONGEST_PASTE - self._size
        if room > 0 and text:
            self._paste.append(text[:room])
            self._size += len(text)


def _beginning_of(marker: str, text: str) -> int:
    """How many characters at the end of the text may be the beginning of the marker."""
    for size in range(min(len(marker) - 1, len(text)), 0, -1):
        if text.endswith(marker[:size]):
            return size
    return 0


class KeyParser(XTermParser):
    """The library's drops alt from a sign ("alt+<" would type "<"), and reads alt+f, alt+b and alt with a digit as
    other keys."""

    def _sequence_to_key_events(self, sequence: str, alt: bool = False) -> Iterable[events.Key]:
        if len(sequence) == 2 and sequence[0] == "\x1b" and (name := _with_alt(sequence[1])):
            return [events.Key(f"alt+{name}", None)]
        return super()._sequence_to_key_events(sequence, alt)


def _with_alt(letter: str) -> str:
    """The name of a key that escape before a character means; "" where the library knows better."""
    if letter in "fb0123456789":
        return letter
    if letter in "[]_^\\" or letter.isalnum() or not " " < letter <= "~":
        # What begins or ends a sequence, and what the library understands.
        return ""
    name = _character_to_key(letter)
    return KEY_NAME_REPLACEMENTS.get(name, name)


class Keys:
    """Bytes of the input to messages, whatever the pieces they arrive in. A parser that chokes is replaced."""

    def __init__(self, send: Callable[[Message], None], debug: bool) -> None:
        self._send = send
        self._debug = debug
        self._decode = codecs.getincrementaldecoder("utf-8")(errors="replace").decode
        self._guard, self._parser = PasteGuard(), KeyParser(debug)
        self._came = time.monotonic()

    @property
    def wait(self) -> float:
        """Seconds of silence after which tick() is wanted."""
        return ESCAPE_WAIT if self._guard.holds else 0.1

    def feed(self, data: bytes) -> None:
        self._came = time.monotonic()
        for is_paste, text in self._guard.feed(self._decode(data)):
            if is_paste:
                self._send(events.Paste(text.replace("\x00", "")))
            else:
                self._parse(text)
        self._tick()

    def tick(self) -> None:
        """Nothing came for a while."""
        self._parse(self._guard.quiet(time.monotonic() - self._came))
        self._tick()

    def _parse(self, text: str) -> None:
        if not text:
            return
        try:
            for event in self._parser.feed(text):
                self._send(event)
        except (ParseError, ValueError, OverflowError, IndexError, StopIteration):
            self._parser = KeyParser(self._debug)

    def _tick(self) -> None:
        for event in self._parser.tick():
            self._send(event)


def read_keys(fileno: int, keys: Fed, over: Event) -> None:
    """Until it is over; the end of the input is a hangup."""
    with selectors.DefaultSelector() as selector:
        selector.register(fileno, selectors.EVENT_READ)
        while not over.is_set():
            if not selector.select(keys.wait):
                keys.tick()
                continue
            try:
                data = os.read(fileno, 64 * 1024)
            except OSError:
                data = b""
            if not data:
                hang_up()
                return
            keys.feed(data)


class Fed(Protocol):
    """What bytes are given to."""

    @property
    def wait(self) -> float: ...

    def feed(self, data: bytes) -> None: ...

    def tick(self) -> None: ...


def hang_up() -> None:
    """A lost terminal is a hangup, whichever of its ends told first."""
    os.kill(os.getpid(), signal.SIGHUP)

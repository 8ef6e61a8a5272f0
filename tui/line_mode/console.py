"""What the conversation needs of the place where a person writes and reads."""

from __future__ import annotations

import asyncio
import os
from collections.abc import Callable
from contextlib import AbstractContextManager
from typing import Protocol

QUIET = 0.4
"""Seconds without any input after a question is shown; only what is typed after them can answer it."""


class EndOfInput(Exception):
    """Ctrl+D, or the end of a pipe."""


def columns(descriptor: int) -> int:
    """Of the terminal there; 0 where it does not know."""
    try:
        return os.get_terminal_size(descriptor).columns
    except OSError:
        return 0


class Console(Protocol):
    """scripted: a program or a file writes here, not a person. draft: a text to begin the next message with, where it
    can be edited; else it is only remembered.
    """

    draft: str

    @property
    def scripted(self) -> bool: ...

    @property
    def editable(self) -> bool: ...

    @property
    def width(self) -> int:
        """Columns of the terminal; 0 where there is none."""
        ...

    @property
    def lent(self) -> bool:
        """Another program has the terminal."""
        ...

    def write(self, text: str) -> None:
        """Clean text as it comes; put off while a line is being edited."""
        ...

    def say(self, text: str) -> None:
        """Clean text on lines of its own."""
        ...

    async def line(self, attention: asyncio.Event | None) -> str | None:
        """What the person wrote. attention: something goes on; None comes back when it is set and nothing is being
        written. Raises EndOfInput.
        """
        ...

    async def arm(self, show: Callable[[], None]) -> str:
        """Show a question, and wait until what is typed can only be meant for it. Returns what was typed before."""
        ...

    async def reply(self, prompt: str, over: asyncio.Event) -> str | None:
        """An answer that was written after arm(); None when the question is over. Raises EndOfInput."""
        ...

    def waits(self, words: str) -> None:
        """Something waits for an answer while a message is being written; "" when nothing does."""
        ...

    def lend(self) -> AbstractContextManager[None]:
        """Give the terminal to another program for a while. Raises OSError where there is none."""
        ...

    async def drained(self) -> None:
        """All that was said has left the program."""
        ...

    def pause(self) -> None:
        """The program is about to be suspended."""
        ...

    def resume(self) -> None:
        """It goes on, and somebody else may have changed the terminal."""
        ...

    def close(self) -> None:
        """Give the terminal back as it was found."""
        ...

"""Catching what other people's code raises, as a value."""

from __future__ import annotations

from types import TracebackType
from typing import Self


class ToolCrash(Exception):
    """Stands for what must not cross into the event loop as it is: SystemExit, StopIteration and their like."""


class Caught:
    """`with Caught(Exception) as caught:` ends the block at an exception of these kinds and keeps it in `error`."""

    def __init__(self, *kinds: type[BaseException]) -> None:
        self._kinds = kinds
        self.error: BaseException | None = None

    def __enter__(self) -> Self:
        return self

    def __exit__(
        self, kind: type[BaseException] | None, error: BaseException | None, trace: TracebackType | None
    ) -> bool:
        if error is None or not isinstance(error, self._kinds):
            return False
        self.error = error
        return True


def portable(error: BaseException) -> Exception:
    """An exception that an event loop can carry: SystemExit would end the program there, StopIteration is refused."""
    if isinstance(error, Exception) and not isinstance(error, (StopIteration, StopAsyncIteration)):
        return error
    text = str(error)
    crash = ToolCrash(f"{type(error).__name__}: {text}" if text else type(error).__name__)
    crash.__cause__ = error
    return crash

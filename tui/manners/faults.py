"""Where the bugs of ours end up that no handler is for: in a callback of the loop, in a thread."""

from __future__ import annotations

import asyncio
import threading
from collections.abc import Callable, Generator
from contextlib import contextmanager
from typing import Any

OURS = ("textual-", "quarterdeck-", "lexer-")
"""How the names of threads begin without which the screen cannot go on."""


def unwrapped(error: BaseException) -> BaseException:
    """The fault itself, without the library's wrapping of one in a worker."""
    inner = getattr(error, "error", None)
    return inner if type(error).__name__ == "WorkerFailed" and isinstance(inner, BaseException) else error


def watch_loop(
    loop: asyncio.AbstractEventLoop, end: Callable[[Exception], None], note: Callable[[BaseException], None]
) -> None:
    """A callback that fails leaves the screen half alive, so it ends the program in order; a task that nobody waited
    for is only noted."""

    def handle(_: asyncio.AbstractEventLoop, context: dict[str, Any]) -> None:
        error = context.get("exception")
        if isinstance(error, Exception) and "handle" in context:
            end(error)
        elif isinstance(error, BaseException):
            note(error)

    loop.set_exception_handler(handle)


@contextmanager
def watching_threads(end: Callable[[Exception], None], note: Callable[[BaseException], None]) -> Generator[None]:
    """While this is open, a fault in a thread is never printed over the screen. end: may be called from any thread."""
    before = threading.excepthook

    def hook(args: threading.ExceptHookArgs) -> None:
        error = args.exc_value
        if error is None or isinstance(error, SystemExit):
            return
        name = args.thread.name if args.thread is not None else ""
        if isinstance(error, Exception) and name.startswith(OURS):
            end(error)
        else:
            note(error)

    threading.excepthook = hook
    try:
        yield
    finally:
        threading.excepthook = before

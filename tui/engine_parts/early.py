"""A stop that is asked for before the run it is meant for exists on the screen: it must not wait for that."""

from __future__ import annotations

import threading
from typing import TYPE_CHECKING, Literal

if TYPE_CHECKING:
    from runner.control.handle import RunHandle

StopHow = Literal["stop", "abort"]


class EarlyStop:
    """Of one run that was asked for. Both methods at any time, from any thread, in any order."""

    def __init__(self) -> None:
        self._lock = threading.Lock()
        self._how: StopHow | None = None
        self._handle: RunHandle | None = None

    def ask(self, how: StopHow) -> None:
        with self._lock:
            self._how, handle = how, self._handle
        if handle is not None:
            _end(handle, how)

    def begun(self, handle: RunHandle) -> None:
        """The run exists; called before it takes its first step."""
        with self._lock:
            self._handle, how = handle, self._how
        if how is not None:
            _end(handle, how)


def _end(handle: RunHandle, how: StopHow) -> None:
    (handle.abort if how == "abort" else handle.stop)()

"""What the screen keeps from one start to the next and is no configuration: one small file of JSON for each purpose.

Losing one is never worse than a start without it, so nothing here is fatal: a missing, damaged or foreign file reads as
{}, and a folder that cannot be written is only counted.
"""

from __future__ import annotations

import contextlib
import re
from collections.abc import Mapping
from pathlib import Path
from typing import Any, cast

from tui.latest import Latest

FOLDER = "ui"
MOST = 4 << 20
"""Bytes of a file that are read at most."""

_NAME = re.compile(r"[a-z][a-z0-9_-]{0,63}\Z")


class Remembered:
    """Reads at once, writes in a thread of its own in the order of the calls; what was written last is what is read.

    Usable from any thread.
    """

    def __init__(self, data_dir: Path) -> None:
        self._folder = data_dir / FOLDER
        self._latest = Latest(self.path, "quarterdeck-remembered")

    @property
    def failed(self) -> int:
        """How many writes did not succeed."""
        return self._latest.failed

    def path(self, name: str) -> Path:
        """Where a purpose is kept. Raises ValueError for a name that is none: lower case letters, digits, - and _."""
        if _NAME.match(name) is None:
            raise ValueError(f"{name!r} is no name of something remembered")
        return self._folder / f"{name}.json"

    def read(self, name: str) -> dict[str, Any]:
        """What was written last, {} where that is nothing or cannot be read."""
        path = self.path(name)
        text = self._latest.waiting(name)
        return _object(_text(path) if text is None else text)

    def write(self, name: str, value: Mapping[str, Any]) -> None:
        """Keep a value that JSON can hold, in the place of the last one; returns at once."""
        import json

        self.path(name)
        self._latest.write(name, json.dumps(dict(value), ensure_ascii=True, separators=(",", ":")))

    def flush(self, seconds: float = 5.0) -> bool:
        """Wait until everything is written; whether it was in this time."""
        return self._latest.flush(seconds)


def _text(path: Path) -> str:
    try:
        with path.open("rb") as file:
            return file.read(MOST).decode("utf-8", errors="replace")
    except OSError:
        return ""


def _object(text: str) -> dict[str, Any]:
    if not text:
        return {}
    import json

    # RecursionError: brackets nested without end, in a file that something else wrote.
    with contextlib.suppress(ValueError, RecursionError):
        found: object = json.loads(text)
        if isinstance(found, dict):
            return cast("dict[str, Any]", found)
    return {}

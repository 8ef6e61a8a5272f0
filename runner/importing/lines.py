"""Lines of JSON that somebody else wrote: read what is there, say what is not, never fail for one line."""

from __future__ import annotations

import json
from collections import Counter
from collections.abc import Iterable, Iterator
from datetime import UTC, datetime
from typing import Any, cast

from runner.importing.steps import Damage
from runner.messages import JsonObject

LONGEST_LINE = 64 * 1024 * 1024
"""Characters of a line that are looked at; a longer one is counted as damaged."""


class Reading:
    """The lines of one log, and what was wrong with them."""

    def __init__(self, lines: Iterable[str]) -> None:
        self._lines = lines
        self.count = 0
        self.unknown: Counter[str] = Counter()
        self.damaged: list[Damage] = []

    def objects(self) -> Iterator[JsonObject]:
        for line in self._lines:
            self.count += 1
            if not line.strip():
                continue
            if len(line) > LONGEST_LINE:
                self.damage(f"longer than {LONGEST_LINE} characters")
                continue
            try:
                value: Any = json.loads(line)
            except (ValueError, RecursionError):
                self.damage("not JSON")
                continue
            if isinstance(value, dict):
                yield cast("JsonObject", value)
            else:
                self.damage("not an object")

    def damage(self, why: str) -> None:
        """The line that was given out last is not what it should be."""
        self.damaged.append(Damage(line=self.count, why=why))

    def strange(self, kind: object) -> None:
        """The line that was given out last means nothing to us."""
        self.unknown[kind[:80] if isinstance(kind, str) and kind else "without a type"] += 1


def text(value: object) -> str:
    return value if isinstance(value, str) else ""


def number(value: object) -> int:
    """A count; 0 where there is none, or none that makes sense."""
    return value if isinstance(value, int) and not isinstance(value, bool) and value >= 0 else 0


def table(value: object) -> JsonObject:
    return cast("JsonObject", value) if isinstance(value, dict) else {}


def tables(value: object) -> list[JsonObject]:
    return [table(each) for each in cast("list[object]", value)] if isinstance(value, list) else []


def moment(value: object) -> datetime | None:
    """A time in ISO 8601, UTC where it does not say."""
    try:
        time = datetime.fromisoformat(text(value))
    except ValueError:
        return None
    return time.astimezone(UTC) if time.tzinfo is not None else time.replace(tzinfo=UTC)

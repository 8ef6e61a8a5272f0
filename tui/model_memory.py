"""Which models the person likes, and which they used last: kept from one start to the next."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Any, cast

from tui.model_list import Marks

if TYPE_CHECKING:
    from tui.remembered import Remembered

NAME = "models"
MOST_RECENT = 12
MOST_FAVOURITES = 200
LONGEST_NAME = 300


def _now() -> datetime:
    return datetime.now(UTC)


class ModelMemory:
    """What is damaged in the file, or not ours, is passed over."""

    def __init__(self, remembered: Remembered, now: Callable[[], datetime] = _now) -> None:
        self._remembered = remembered
        self._now = now

    @property
    def favourites(self) -> tuple[str, ...]:
        """By the order in which they were chosen."""
        return _favourites(self._remembered.read(NAME))

    @property
    def recents(self) -> dict[str, datetime]:
        """When each was used last, the newest first."""
        return _recents(self._remembered.read(NAME))

    def toggle(self, name: str) -> bool:
        """Make a model a favourite, or no favourite any more; whether it is one now."""
        kept = self._remembered.read(NAME)
        before = _favourites(kept)
        after = tuple(other for other in before if other != name) if name in before else (*before, name)
        self._write(after[-MOST_FAVOURITES:], _recents(kept))
        return name in after

    def used(self, name: str) -> None:
        """A run began with this model, or goes on with it."""
        if not name or len(name) > LONGEST_NAME:
            return
        kept = self._remembered.read(NAME)
        rest = {other: when for other, when in _recents(kept).items() if other != name}
        self._write(_favourites(kept), {name: self._now(), **rest})

    def _write(self, favourites: tuple[str, ...], recents: dict[str, datetime]) -> None:
        newest = list(recents.items())[:MOST_RECENT]
        value: dict[str, Any] = {
            "favourites": list(favourites),
            "recents": [{"name": name, "used": when.isoformat()} for name, when in newest],
        }
        self._remembered.write(NAME, value)


def _items(kept: dict[str, Any], name: str) -> list[object]:
    found: object = kept.get(name)
    return cast("list[object]", found) if isinstance(found, list) else []


def _favourites(kept: dict[str, Any]) -> tuple[str, ...]:
    names = (item for item in _items(kept, "favourites") if isinstance(item, str) and 0 < len(item) <= LONGEST_NAME)
    return tuple(dict.fromkeys(names))[:MOST_FAVOURITES]


def _recents(kept: dict[str, Any]) -> dict[str, datetime]:
    found: dict[str, datetime] = {}
    for item in _items(kept, "recents"):
        entry = cast("dict[str, object]", item) if isinstance(item, dict) else {}
        name, when = entry.get("name"), _moment(entry.get("used"))
        if isinstance(name, str) and 0 < len(name) <= LONGEST_NAME and when is not None:
            found.setdefault(name, when)
    newest = sorted(found.items(), key=lambda pair: pair[1], reverse=True)
    return dict(newest[:MOST_RECENT])


def _moment(text: object) -> datetime | None:
    try:
        moment = datetime.fromisoformat(text) if isinstance(text, str) else None
    except ValueError:
        return None
    return None if moment is None else moment.replace(tzinfo=moment.tzinfo or UTC)


class Marked:
    """The marks of the models as a list shows them, and the key that changes them."""

    def __init__(self, memory: ModelMemory) -> None:
        self._memory = memory
        self.marks = Marks(favourites=memory.favourites, recents=memory.recents)

    def toggle(self, name: str) -> None:
        self._memory.toggle(name)
        self.marks = replace(self.marks, favourites=self._memory.favourites)

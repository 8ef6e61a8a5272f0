"""Messages that wait in a run, as the person left them. Pure.

A change takes a moment to come back as a fact; until then it is counted in here, so that the next key press means
what the person sees.
"""

from __future__ import annotations

from dataclasses import dataclass, field, replace
from itertools import islice

from runner.state import RunState, UserItem

LOOK_BACK = 200
"""Items of a run that are searched for a message that was delivered a moment ago."""


@dataclass(slots=True)
class Waiting:
    """The changes to the messages of one run that are on their way."""

    _edits: dict[str, str] = field(default_factory=dict[str, str])
    _gone: set[str] = field(default_factory=set[str])
    _order: tuple[str, ...] = ()

    def shown(self, run: RunState) -> tuple[UserItem, ...]:
        """The messages that wait, with the changes on their way, in their order."""
        items = {
            item.item_id: replace(item, text=self._edits.get(item.item_id, item.text))
            for item in run.queued
            if item.item_id not in self._gone
        }
        if self._order and set(self._order) == set(items):
            return tuple(items[item_id] for item_id in self._order)
        return tuple(items.values())

    def edit(self, message_id: str, text: str) -> None:
        self._edits[message_id] = text

    def delete(self, message_id: str) -> None:
        self._gone.add(message_id)

    def move(self, run: RunState, message_id: str, by: int) -> int | None:
        """Move it by so many places; its new place, None where it stays where it is."""
        order = [item.item_id for item in self.shown(run)]
        if message_id not in order:
            return None
        old = order.index(message_id)
        new = max(0, min(len(order) - 1, old + by))
        if new == old:
            return None
        order.insert(new, order.pop(old))
        self._order = tuple(order)
        return new

    def heard(self, run: RunState) -> list[str]:
        """Forget what came back as a fact; the new texts of messages that were delivered before their change."""
        queued = {item.item_id: item for item in run.queued}
        late: list[str] = []
        for message_id, text in list(self._edits.items()):
            item = queued.get(message_id)
            if item is None and message_id not in self._gone and delivered(run, message_id) != text:
                late.append(text)
            if item is None or item.text == text:
                del self._edits[message_id]
        self._gone &= set(queued)
        order = tuple(item.item_id for item in run.queued if item.item_id not in self._gone)
        if order == self._order or set(order) != set(self._order):
            self._order = ()
        return late


def delivered(run: RunState, message_id: str) -> str | None:
    """The text with which a message was delivered; None where it was not."""
    recent = islice((run.settled[number] for number in range(len(run.settled) - 1, -1, -1)), LOOK_BACK)
    return next((item.text for item in recent if isinstance(item, UserItem) and item.item_id == message_id), None)

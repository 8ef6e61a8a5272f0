"""Kinds of items that one goes to one after the other, each known without looking at the others again."""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from typing import Final, NamedTuple, get_args

from runner.events import AttemptDiscarded, ErrorOccurred, Event, ModelSwitched, RetryScheduled, RunFinished
from runner.state import CallItem, CommandItem, EventItem, Item, TextItem, UserItem
from runner.state.run import STATUS_OF_REASON
from tui.actions.base import Landmark
from tui.render.calls import call_state
from tui.render.groups import Together
from tui.render.item_view import View
from tui.render.model import TranscriptModel

KINDS: Final[tuple[Landmark, ...]] = get_args(Landmark)

_FAILED: Final = frozenset({"✗", "!"})
"""The signs of calls that did not do what they were to do."""


class Mark(NamedTuple):
    """A landmark: its section, which one of its kind it is, from 1, and how many there are."""

    section: int
    number: int
    total: int


class Landmarks:
    """Of a transcript that may grow. What is settled is looked at once, the end of a run that goes on each time."""

    def __init__(self, model: TranscriptModel) -> None:
        self._model = model
        self._restart()

    def _restart(self) -> None:
        self._known = 0
        self._last: View | None = None
        self._found: dict[Landmark, list[int]] = {kind: [] for kind in KINDS}
        self._answering = ""

    def next(self, kind: Landmark, section: int, by: int) -> Mark | None:
        """The next one of a kind after a section (by = 1), or the last one before it (-1); None where there is none."""
        found = self._all(kind)
        at = bisect_right(found, section) if by > 0 else bisect_left(found, section) - 1
        return Mark(found[at], at + 1, len(found)) if 0 <= at < len(found) else None

    def count(self, kind: Landmark) -> int:
        return len(self._all(kind))

    def _all(self, kind: Landmark) -> list[int]:
        sections, settled = self._model.document.sections, self._model.settled
        if self._known > settled or (self._known and sections[self._known - 1].view is not self._last):
            # Another session is shown, or what was shown is gone.
            self._restart()
        for index in range(self._known, settled):
            kinds, self._answering = kinds_of(sections[index].view.item, self._answering)
            for each in kinds:
                self._found[each].append(index)
        self._known, self._last = settled, sections[settled - 1].view if settled else None
        answering, live = self._answering, list[int]()
        for index in range(settled, len(sections)):
            kinds, answering = kinds_of(sections[index].view.item, answering)
            if kind in kinds:
                live.append(index)
        return [*self._found[kind], *live] if live else self._found[kind]


def kinds_of(item: Item | Together, answering: str) -> tuple[list[Landmark], str]:
    """What an item is a landmark of, and the model that answers from there on. answering: the one before it."""
    match item:
        case UserItem():
            return (["prompt"] if item.by == "user" else []), answering
        case CallItem():
            asked = item.approval is not None or item.question is not None or bool(item.earlier)
            decided = item.verdict is not None
            failed = call_state(item).glyph in _FAILED
            return ["call", *(["error"] if failed else []), *(["approval"] if asked or decided else [])], answering
        case CommandItem():
            failed = item.status == "not_started" or bool(item.exit_code)
            return ["call", *(["error"] if failed else [])], answering
        case TextItem():
            # Between two runs a person chooses another model without a fact that says so.
            switched = bool(answering) and item.model != answering
            wrong = item.what == "refusal"
            kinds: list[Landmark] = ["switch"] if switched else []
            return [*kinds, "error"] if wrong else kinds, item.model or answering
        case EventItem() | Together():
            return _of_events(item.events if isinstance(item, Together) else (item.event,), answering)


def _of_events(events: tuple[Event, ...], answering: str) -> tuple[list[Landmark], str]:
    kinds: list[Landmark] = []
    for event in events:
        match event:
            case ModelSwitched():
                kinds.append("switch")
                answering = event.new
            case AttemptDiscarded(reason="model_switched" | "settings_changed"):
                pass
            case AttemptDiscarded() | RetryScheduled() | ErrorOccurred():
                kinds.append("error")
            case RunFinished() if STATUS_OF_REASON.get(event.reason, "failed") == "failed":
                kinds.append("error")
            case _:
                pass
    return list(dict.fromkeys(kinds)), answering

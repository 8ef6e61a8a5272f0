"""Tags and notes that a person gives to a turn of the session shown, or to all of it."""

from __future__ import annotations

import asyncio
import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Literal

from runner.errors import QuarterdeckError
from runner.review.turns import KINDS, turns
from runner.state import CallItem, CommandItem, EventItem, Item, RunState, TextItem, UserItem
from tui.render.clean import clean
from tui.render.groups import Together
from tui.render.moments import Paid
from tui.words import cut, one_line

if TYPE_CHECKING:
    from runner.store import Store
    from runner.store.base import Annotation
    from tui.desk import Desk

Kind = Literal["tag", "note"]
_SHOWN: Final = 60
_TURN = re.compile(r":t(\d+)\.\d+:")


@dataclass(frozen=True, slots=True)
class Place:
    """What is marked: a turn of a run, or with turn 0 the whole session."""

    session_id: str
    run_id: str = ""
    turn: int = 0

    def holds(self, note: Annotation) -> bool:
        return (note.run_id, note.turn) == (self.run_id, self.turn)

    def words(self, store: Store) -> str:
        """As people count the turns of a session. Blocks."""
        if not self.turn:
            return "the session"
        found = turns(store.facts(self.session_id, KINDS))
        number = next((each.number for each in found if (each.run_id, each.turn) == (self.run_id, self.turn)), None)
        return f"turn {self.turn} of a run" if number is None else f"turn {number}"


def change_tags(store: Store, place: Place, names: Sequence[str]) -> str:
    """Give tags, and take away those after a minus; what was done, in words. Blocks. Raises QuarterdeckError."""
    given = [name for name in names if not name.startswith("-")]
    taken = [name.lstrip("-") for name in names if name.startswith("-")]
    if taken:
        store.untag(place.session_id, *taken, run_id=place.run_id, turn=place.turn)
    if given:
        store.tag(place.session_id, *given, run_id=place.run_id, turn=place.turn)
    parts = [f"tagged {', '.join(given)}" if given else "", f"no longer tagged {', '.join(taken)}" if taken else ""]
    return clean(f"{place.words(store)}: {'; '.join(filter(None, parts))}")


def change_note(store: Store, place: Place, text: str) -> str:
    """The same for a note; an empty one takes it away."""
    store.set_note(place.session_id, text, run_id=place.run_id, turn=place.turn)
    said = f"noted “{cut(clean(one_line(text)), _SHOWN)}”" if text.strip() else "the note is taken away"
    return f"{place.words(store)}: {said}"


def open_tag(desk: Desk, argument: str) -> None:
    """argument: tags to give, those after a minus to take away; without any a form asks."""
    _open(desk, "tag", argument)


def open_note(desk: Desk, argument: str) -> None:
    """argument: the note; without one a form asks."""
    _open(desk, "note", argument)


def turn_of(run: RunState, item: Item | Together) -> int:
    """The turn of a run that an item belongs to: a message to the one that answers it. 0 where there is none yet."""
    match item:
        case TextItem():
            found = _TURN.search(item.item_id)
            return int(found[1]) if found else 0
        case Together():
            return item.events[0].turn
        case EventItem():
            return item.event.turn
        case CallItem():
            entry = Paid().entry(run, item)
            return run.turn if entry is None else entry.turn
        case UserItem() | CommandItem():
            later = (each.turn for each in run.ledger if each.purpose == "turn" and each.time >= item.time)
            return next(later, run.turn)


def place_of(session_id: str, runs: Sequence[RunState], item: Item | Together | None) -> Place:
    """The turn of the current item; the whole session where there is none."""
    whole = Place(session_id)
    if item is None:
        return whole
    for run in reversed(runs):
        if any(each.item_id == item.item_id for each in (*run.settled, *run.live)):
            turn = turn_of(run, item)
            return Place(session_id, run.run_id, turn) if turn else whole
    return whole


def _open(desk: Desk, kind: Kind, argument: str) -> None:
    view = desk.deck.view()
    if view.session_id is None:
        desk.deck.say("there is no session to mark yet")
        desk.repaint()
        return
    marking = Marking(desk, kind, place_of(view.session_id, view.runs, desk.current()))
    desk.host.work(marking.write(argument) if argument else marking.ask(), "annotate")


class Marking:
    """One tag or note on its way into the store; lives on the screen's thread."""

    def __init__(self, desk: Desk, kind: Kind, place: Place) -> None:
        self._desk = desk
        self._kind: Kind = kind
        self._place = place

    async def ask(self) -> None:
        """A form with what stands there now."""
        from tui.screens.annotate import AnnotateForm

        place, kind = self._place, self._kind

        def read(store: Store) -> tuple[str, list[str]]:
            found = store.annotations(place.session_id)
            return place.words(store), [note.text for note in found if place.holds(note) and note.kind == kind]

        try:
            where, found = await asyncio.wrap_future(self._desk.engine.ask(read))
        except QuarterdeckError as error:
            self._say(one_line(clean(str(error))), "warning")
            return
        before = clean(" ".join(found) if kind == "tag" else one_line("".join(found)))
        form = AnnotateForm(kind, where, before)
        self._desk.host.show_screen(form, lambda text: self._answered(text, before, found))

    def _answered(self, text: str | None, shown: str, before: list[str]) -> None:
        # What was not touched is not written: a note may have more lines than the field shows.
        if text is not None and text != shown:
            wanted = text.replace(",", " ").split()
            given = [each for each in wanted if each not in before]
            taken = [f"-{each}" for each in before if each not in wanted]
            self._desk.host.work(self.write(" ".join([*given, *taken]) if self._kind == "tag" else text), "annotate")

    async def write(self, text: str) -> None:
        place = self._place

        def change(store: Store) -> str:
            return change_tags(store, place, text.split()) if self._kind == "tag" else change_note(store, place, text)

        try:
            said = await asyncio.wrap_future(self._desk.engine.ask(change))
        except QuarterdeckError as error:
            self._say(one_line(clean(str(error))), "warning")
        else:
            self._desk.marked()
            self._say(said)

    def _say(self, text: str, level: Literal["info", "warning"] = "info") -> None:
        self._desk.deck.say(text, level)
        self._desk.repaint()

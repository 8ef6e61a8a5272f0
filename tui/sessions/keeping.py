"""What is done with a session from the list: named, tagged, pinned, thrown away and taken back, marked to compare."""

from __future__ import annotations

from collections.abc import Callable, Coroutine
from functools import partial
from typing import TYPE_CHECKING, Any, Protocol

from runner.errors import QuarterdeckError
from tui.render.clean import visible
from tui.sessions.editing import SAID, Edit
from tui.words import cut, one_line

if TYPE_CHECKING:
    from runner.store.base import SessionSummary
    from tui.sessions.finder import Finder
    from tui.sessions.rows import SessionRows


class Shelf(Protocol):
    """The screen, as far as it is needed here."""

    @property
    def rows(self) -> SessionRows: ...

    def start(self, job: Callable[[], Coroutine[Any, Any, None]], group: str, *, exclusive: bool = True) -> None: ...

    def say(self, text: str, token: str = "muted") -> None:
        """ "" says again what is selected."""
        ...

    def key_of(self, action_id: str) -> str: ...

    def changed(self) -> None:
        """Something in the store is not as it was."""
        ...

    def end_edit(self) -> None: ...


class Keeping:
    def __init__(self, shelf: Shelf, finder: Finder) -> None:
        self._shelf = shelf
        self._finder = finder
        self._deleted: list[str] = []
        self._doomed = ""

    @property
    def restorable(self) -> bool:
        """Whether something was deleted here that can be brought back."""
        return bool(self._deleted)

    def moved(self) -> None:
        """Another line is selected: nothing that was asked about it before counts."""
        self._doomed = ""

    def save(self, edit: Edit, text: str) -> None:
        self._change(edit.summary.session_id, partial(self._save, edit, text))

    async def _save(self, edit: Edit, text: str) -> str:
        await edit.save(self._finder, text)
        self._shelf.end_edit()
        return SAID[edit.kind] if text != edit.text else ""

    def pin(self, summary: SessionSummary) -> None:
        self._change(summary.session_id, partial(self._pin, summary))

    async def _pin(self, summary: SessionSummary) -> str:
        await self._finder.pin(summary.session_id, not summary.pinned)
        return "not pinned any more" if summary.pinned else "pinned: it stands above all others now"

    def delete(self, summary: SessionSummary) -> None:
        """Into the trash at once, and from there for good when it is asked for twice."""
        if summary.live:
            self._shelf.say("it is running; stop it before deleting it", "state-failed")
        elif summary.deleted is None:
            self._change(summary.session_id, partial(self._trash, summary))
        elif self._doomed != summary.session_id:
            self._doomed = summary.session_id
            again = f"{self._shelf.key_of('list.delete')} again does it, any move keeps it"
            self._shelf.say(f"delete {_name(summary)} for good? {again}", "state-waiting")
        else:
            self._doomed = ""
            self._change(summary.session_id, partial(self._destroy, summary))

    async def _trash(self, summary: SessionSummary) -> str:
        await self._finder.trash(summary.session_id)
        self._deleted.append(summary.session_id)
        self.unmark(summary.session_id)
        return f"{_name(summary)} is deleted; {self._shelf.key_of('list.restore')} brings it back for 7 days"

    async def _destroy(self, summary: SessionSummary) -> str:
        await self._finder.delete(summary.session_id)
        self._deleted = [one for one in self._deleted if one != summary.session_id]
        self.unmark(summary.session_id)
        return f"{_name(summary)} is gone for good"

    def restore(self, summary: SessionSummary | None) -> None:
        """In the trash the selected one, else the one that was deleted last on this screen."""
        if summary is not None and summary.deleted is not None:
            self._change(summary.session_id, partial(self._restore, summary.session_id))
        elif self._deleted:
            self._change(self._deleted[-1], partial(self._restore, self._deleted[-1]))
        else:
            key = self._shelf.key_of("list.trash")
            self._shelf.say(f"nothing was deleted on this screen; {key} shows the trash")

    async def _restore(self, session_id: str) -> str:
        self._deleted = [one for one in self._deleted if one != session_id]
        await self._finder.restore(session_id)
        return "it is back, as it was"

    def mark(self, session_id: str) -> None:
        """One more of two, or not any more; a third one takes the place of the first."""
        marked = self._shelf.rows.marked
        if session_id in marked:
            marked.remove(session_id)
        else:
            marked[:] = [*marked, session_id][-2:]
        self._shelf.rows.redraw()
        key = self._shelf.key_of("list.compare")
        match len(marked):
            case 2:
                self._shelf.say(f"A and B are marked; {key} sets them side by side")
            case 1:
                self._shelf.say(f"A is marked; mark another one, or go to it, and {key} sets both side by side")
            case _:
                self._shelf.say("")

    def unmark(self, session_id: str) -> None:
        marked = self._shelf.rows.marked
        marked[:] = [one for one in marked if one != session_id]

    def pair(self, selected: str) -> str:
        """The two to compare, as one argument; "" where there are none, which is said."""
        pair = list(self._shelf.rows.marked)
        if len(pair) == 1 and selected not in ("", pair[0]):
            pair.append(selected)
        if len(pair) == 2:
            return " ".join(pair)
        self._shelf.say(f"{self._shelf.key_of('list.mark')} marks two sessions to compare")
        return ""

    def _change(self, session_id: str, change: Callable[[], Coroutine[Any, Any, str]]) -> None:
        self._shelf.start(partial(self._do, session_id, change), "change", exclusive=False)

    async def _do(self, session_id: str, change: Callable[[], Coroutine[Any, Any, str]]) -> None:
        try:
            said = await change()
        except QuarterdeckError as error:
            return self._shelf.say(str(error), "state-failed")
        self._shelf.rows.forget(session_id)
        self._shelf.say(said)
        self._shelf.changed()


def _name(summary: SessionSummary) -> str:
    return f"“{cut(visible(one_line(summary.title)), 40) or 'untitled'}”"

"""The transcript: everything that was said and done in some runs, live or from the store, in one scrolling view."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, ClassVar, Final

from textual.binding import Binding, BindingType
from textual.message import Message

from runner.state import RunState
from tui.render.clean import Clean
from tui.render.model import TranscriptModel
from tui.widgets.line_view import LineView

if TYPE_CHECKING:
    from textual import events

    from themes import Theme

_WHEN_EMPTY: Final = "Nothing has been said yet."


class Transcript(LineView):
    """Call show() with the runs of a session as often as you like; it costs what is visible and what changed."""

    BINDINGS: ClassVar[list[BindingType]] = [
        Binding("j,alt+down", "next_item", "Next item", show=False),
        Binding("k,alt+up", "previous_item", "Previous item", show=False),
        Binding("enter,space", "toggle_item", "Unfold", show=False),
        Binding("escape", "leave_items", "No item", show=False),
    ]

    class ItemMarked(Message):
        """The current item changed; item_id is None where there is none now."""

        def __init__(self, transcript: Transcript, item_id: str | None) -> None:
            super().__init__()
            self.transcript = transcript
            self.item_id = item_id

        @property
        def control(self) -> Transcript:
            return self.transcript

    def __init__(
        self,
        theme: Theme | None = None,
        *,
        placeholder: str = _WHEN_EMPTY,
        name: str | None = None,
        id: str | None = None,
        classes: str | None = None,
    ) -> None:
        super().__init__(theme, placeholder=placeholder, name=name, id=id, classes=classes)
        self._model = TranscriptModel(self.document)
        self._marked_key: str | None = None
        self._pressed: tuple[int, int] | None = None

    def show(self, runs: Sequence[RunState], now: float | None = None) -> None:
        """Show these runs, oldest first. now: seconds of the clock that the events' `mono` is of; with it, running
        calls show for how long they run."""
        if self._model.show(runs, now):
            self._find_mark()
            self.sync()

    def toggle_all_reasoning(self) -> bool:
        """Unfold all reasoning, or fold it again; gives whether it is unfolded now."""
        self._model.fold_reasoning(not self._model.reasoning_open)
        self.sync()
        return self._model.reasoning_open

    def expand_item(self, item_id: str, expanded: bool = True) -> bool:
        """Unfold (or fold) an item; gives whether that changed anything."""
        index = self._model.find(item_id)
        if index is None or not self._model.fold(index, expanded):
            return False
        self.sync()
        return True

    def copy_text(self) -> Clean:
        """The current item as plain text, without borders or padding; empty where there is no current item."""
        return Clean("") if self._marked is None else self._model.view(self._marked).copy()

    @property
    def marked_item(self) -> str | None:
        """The id of the current item."""
        return self._marked_key

    def mark(self, item_id: str | None) -> None:
        """Make an item the current one, and bring it into view."""
        self._mark(None if item_id is None else self._model.find(item_id))

    def _mark(self, index: int | None) -> None:
        self._marked = index
        self._marked_key = None if index is None else self._model.view(index).key
        if index is not None:
            self.bring_into_view(index)
        self.refresh()
        self.post_message(self.ItemMarked(self, self._marked_key))

    def _find_mark(self) -> None:
        """Items may have moved; one that is gone (a discarded attempt) is not the current one any more."""
        if self._marked is None or self._marked_key is None:
            return
        sections = self.document.sections
        if self._marked < len(sections) and sections[self._marked].view.key == self._marked_key:
            return
        self._marked = self._model.find(self._marked_key)
        if self._marked is None:
            self._marked_key = None
            self.post_message(self.ItemMarked(self, None))

    def action_next_item(self) -> None:
        self._step(1)

    def action_previous_item(self) -> None:
        self._step(-1)

    def _step(self, by: int) -> None:
        count = len(self.document.sections)
        if not count:
            return
        shown = [place.section for place, _ in self._window] or [count - 1]
        if self._marked is None:
            target = shown[-1] if by < 0 else shown[0]
        else:
            target = max(0, min(count - 1, self._marked + by))
        self._mark(target)

    def action_toggle_item(self) -> None:
        if self._marked is not None:
            self._toggle(self._marked)

    def action_leave_items(self) -> None:
        self._mark(None)

    def _toggle(self, index: int) -> None:
        view = self._model.view(index)
        if self._model.fold(index, not view.expanded):
            if self.is_at_end and view.expanded:
                # What was unfolded is read from its beginning, which following the end would push out of sight.
                self.bring_into_view(index, hold=True)
            self.sync()

    def on_mouse_down(self, event: events.MouseDown) -> None:
        self._pressed = (event.x, event.y)

    def on_click(self, event: events.Click) -> None:
        """A click on an item makes it the current one; on the line that folds it, folds or unfolds it."""
        pressed, self._pressed = self._pressed, None
        if event.button != 1 or pressed != (event.x, event.y) or event.y >= len(self._window):
            return
        if not self.document.sections:
            return
        place, line = self._window[event.y]
        self._marked = place.section
        self._marked_key = self._model.view(place.section).key
        self.refresh()
        self.post_message(self.ItemMarked(self, self._marked_key))
        if line.action:
            self._toggle(place.section)

"""The running calls, to choose the one to cancel."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content
from textual.message import Message

from runner.state import CallItem
from tui.render.clean import clean
from tui.widgets.rows import Rows
from tui.widgets.shelf import Shelf, ShelfRows, key_words
from tui.widgets.timeline import seconds_of
from tui.words import arguments, cut, duration, one_line


def call_words(call: CallItem) -> str:
    """A running call by its process where it has one, else by its arguments; not cleaned, not cut."""
    what = one_line(call.process) or arguments(call.arguments)
    return f"{call.tool}: {what}" if what else call.tool


class CallRows(ShelfRows):
    now = 0.0

    def draw(self, row: object, width: int, selected: bool) -> Content:
        assert isinstance(row, CallItem)
        seconds = seconds_of(row, self.now)
        facts = [f"process {row.pid}"] if row.pid is not None else []
        facts.append("" if seconds is None else duration(seconds))
        right = f"  {' · '.join(filter(None, facts))}"
        left = cut(clean(call_words(row)), max(1, width - cell_len(right) - 2))
        content = Content.assemble(("● ", "$state-running"), (left, "$foreground"), (right, "$muted"))
        content = content.truncate(width, pad=True)
        return content.stylize("$selection-text on $selection") if selected else content


class CallList(Shelf):
    """Shown from ask() until one is chosen, the person leaves it, or none runs any more."""

    class Cancelled(Message):
        """The call to cancel."""

        def __init__(self, call: CallItem) -> None:
            super().__init__()
            self.call = call

    def __init__(self, cancel_keys: Sequence[str], *, id: str | None = None) -> None:
        self._cancel_keys = cancel_keys
        self._call_rows = CallRows(self._carry_out)
        super().__init__(self._call_rows, id=id)
        self._open = False

    def _carry_out(self, key: str) -> bool:
        if key != "enter" and key not in self._cancel_keys:
            return False
        if isinstance(self.rows.row, CallItem):
            self.post_message(self.Cancelled(self.rows.row))
        return True

    def on_rows_chosen(self, event: Rows.Chosen) -> None:
        event.stop()
        self._carry_out("enter")

    def ask(self, calls: Sequence[CallItem], now: float) -> None:
        self._open = True
        self.show(calls, now)
        self.take_focus()

    def show(self, calls: Sequence[CallItem], now: float) -> None:
        if not self._open or not calls:
            self.close()
            return
        self._call_rows.now = now
        selected = self.rows.row
        ids = [call.call_id for call in calls]
        if isinstance(selected, CallItem) and selected.call_id in ids:
            self.rows.selected = ids.index(selected.call_id)
        lead = Content.styled("cancel which one? ", "$state-waiting")
        words = key_words(self.room - lead.cell_length, ("enter", "cancels it"), ("esc", "cancels none"))
        self.put(lead + words, calls)

    def close(self) -> None:
        self._open = False
        self.put_away()

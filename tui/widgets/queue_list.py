"""The messages that wait for delivery, above the message that is being written."""

from __future__ import annotations

from collections.abc import Sequence

from rich.cells import cell_len
from textual.content import Content
from textual.message import Message

from runner.state import UserItem
from tui.actions import QueueStep
from tui.keymap import Keymap
from tui.render.clean import clean
from tui.widgets.rows import Rows
from tui.widgets.shelf import Shelf, ShelfRows, key_words
from tui.words import count, cut, one_line

STEPS: dict[str, QueueStep] = {
    "queue.edit": "edit",
    "queue.earlier": "earlier",
    "queue.later": "later",
    "queue.delete": "delete",
    "queue.undo": "undo",
    "queue.now": "now",
}


class QueueRows(ShelfRows):
    rewriting = ""

    def draw(self, row: object, width: int, selected: bool) -> Content:
        assert isinstance(row, UserItem)
        edited = " (in the message below)" if row.item_id == self.rewriting else ""
        text = cut(clean(one_line(row.text)), max(1, width - 2 - cell_len(edited)))
        content = Content.assemble(("· ", "$muted"), (text, "$text-user"), (edited, "$state-waiting"))
        content = content.truncate(width, pad=True)
        return content.stylize("$selection-text on $selection") if selected and self.has_focus else content


class QueueList(Shelf):
    class Stepped(Message):
        """A key of the list: what to do with the selected message."""

        def __init__(self, step: QueueStep) -> None:
            super().__init__()
            self.step: QueueStep = step

    def __init__(self, keys: Keymap, *, id: str | None = None) -> None:
        self._keys = keys
        self._by_key: dict[str, QueueStep] = {
            key: step for action_id, step in STEPS.items() for key in keys.of(action_id)
        }
        self._queue_rows = QueueRows(self._carry_out)
        super().__init__(self._queue_rows, id=id)

    def _carry_out(self, key: str) -> bool:
        step = self._by_key.get(key)
        if step is not None:
            self.post_message(self.Stepped(step))
        return step is not None

    def on_rows_chosen(self, event: Rows.Chosen) -> None:
        event.stop()
        self.post_message(self.Stepped("edit"))

    @property
    def message_id(self) -> str:
        """The selected message, "" where there is none."""
        row = self.rows.row
        return row.item_id if isinstance(row, UserItem) else ""

    def show(self, messages: Sequence[UserItem], *, rewriting: str, cramped: bool) -> None:
        """The selection stays with its message when the order changes; cramped: a card needs the room."""
        if not messages:
            self.put_away()
            return
        ids = [item.item_id for item in messages]
        if self.message_id in ids:
            self.rows.selected = ids.index(self.message_id)
        self._queue_rows.rewriting = rewriting
        self.put(self._head(len(messages), bool(rewriting)), messages, cramped)

    def _head(self, number: int, rewriting: bool) -> Content:
        room = self.room
        parts = self._keys_of(rewriting)
        for wait in (f"{count(number, 'message waits', 'messages wait')} for the next turn", f"{number} waiting"):
            lead = Content.assemble((wait, "$state-waiting"), (" — ", "$muted"))
            words = key_words(room - lead.cell_length, *parts)
            if words == key_words(10**6, *parts):
                break
        return lead + words

    def _keys_of(self, rewriting: bool) -> list[tuple[str, str]]:
        """What its keys do now, the most important first, because the last ones may not fit."""
        key = self._keys.show
        if self.in_focus:
            move = "/".join(filter(None, (key("queue.earlier"), key("queue.later"))))
            return [
                (key("queue.edit"), "edits"),
                (move, "moves"),
                (key("queue.delete"), "deletes"),
                (key("queue.now"), "sends all now"),
                ("esc", "back"),
            ]
        if rewriting:
            return [(key("send"), "saves the change"), ("esc", "leaves it as it was")]
        return [("up", "edits"), (key("send_now"), "sends now")]

    def select(self, index: int) -> None:
        self.rows.select(index)

    def select_last(self) -> None:
        self.rows.select(10**6)

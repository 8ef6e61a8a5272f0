"""The keys of the list of waiting messages."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.actions import QueueStep

if TYPE_CHECKING:
    from tui.keymap import Keymap
    from tui.orders import Orders
    from tui.widgets.queue_list import QueueList
    from tui.writing import Writing


class Queueing:
    def __init__(self, queue: QueueList, orders: Orders, writing: Writing, keys: Keymap) -> None:
        self._queue = queue
        self._orders = orders
        self._writing = writing
        self._keys = keys

    def focus(self) -> None:
        self._queue.take_focus()
        self._queue.select_last()

    def step(self, step: QueueStep) -> None:
        chosen = self._queue.message_id
        match step:
            case "edit":
                self._writing.rewrite(chosen)
            case "earlier":
                self._orders.move_message(chosen, -1)
            case "later":
                self._orders.move_message(chosen, 1)
            case "delete":
                self._orders.delete_message(chosen, self._keys.show("queue.undo"))
            case "undo":
                self._orders.undo_delete()
            case "now":
                self._orders.deliver_now()

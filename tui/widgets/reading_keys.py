"""Keys in the transcript: letters move, copy and search, and a word that is typed goes to the message instead."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Final, get_args

from textual import events
from textual.timer import Timer

from tui.actions.base import Landmark
from tui.arming import BURST
from tui.widgets.list_keys import keymap_of

if TYPE_CHECKING:
    from textual.widget import Widget

AT_ONCE: Final = frozenset(
    f"read.{name}"
    for name in (
        *("down", "up", "first", "last", "page_down", "page_up", "next", "previous", "unfold", "search"),
        *(f"{where}_{kind}" for kind in get_args(Landmark) for where in ("next", "previous")),
    )
)
"""What does no harm where the letter turns out to be the beginning of a word; the rest waits until it stood alone."""


class ReadingKeys:
    """step: carries out what the transcript does itself; whether it was that. ask: has another action carried out.
    pick: a digit, while one is asked for. typed: text for the message.
    """

    def __init__(
        self,
        widget: Widget,
        *,
        step: Callable[[str], bool],
        ask: Callable[[str], object],
        pick: Callable[[int], object],
        typed: Callable[[str], object],
    ) -> None:
        self._widget = widget
        self._step = step
        self._ask = ask
        self._pick = pick
        self._typed = typed
        self._pending = ""
        self._waits = ""
        self._typing = False
        self._timer: Timer | None = None
        self.choosing = False

    def press(self, event: events.Key) -> None:
        keys = keymap_of(self._widget)
        action_id = keys.meanings("transcript").get(event.key, "")
        letter = event.character if event.is_printable else None
        if letter:
            event.stop()
            event.prevent_default()
            self._letter(letter, action_id)
            return
        self._alone()
        if not action_id and event.key in keys.of("read.focus"):
            action_id = "read.up"
        if action_id:
            event.stop()
            event.prevent_default()
            self._carry_out(action_id)

    def _letter(self, letter: str, action_id: str) -> None:
        if not self._typing and self.choosing and letter.isdecimal() and letter != "0":
            self._pick(int(letter))
            return
        if len(self._pending) > 1 and len(set(self._pending)) == 1 and letter not in self._pending:
            # No word begins like that: a key was held or pressed again, and this is the next one.
            self._pending = ""
        if self._typing or self._waits or not action_id or (self._pending and action_id not in AT_ONCE):
            text, self._pending, self._waits, self._typing = self._pending + letter, "", "", True
            self._stop()
            self._typed(text)
            return
        self._pending += letter
        if action_id in AT_ONCE:
            self._carry_out(action_id)
        else:
            self._waits = action_id
        self._stop()
        self._timer = self._widget.set_timer(BURST, self._alone)

    def _alone(self) -> None:
        """No further letter came: it was a key."""
        self._stop()
        action_id, self._pending, self._waits = self._waits, "", ""
        if action_id and self._widget.has_focus:
            self._carry_out(action_id)

    def _carry_out(self, action_id: str) -> None:
        if not self._step(action_id):
            self._ask(action_id)

    def forget(self) -> None:
        """The focus is elsewhere."""
        self._stop()
        self._pending, self._waits, self._typing = "", "", False

    def _stop(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None

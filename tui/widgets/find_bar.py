"""The line at the bottom of the transcript where a person writes what to search for."""

from __future__ import annotations

from collections.abc import Callable, Sequence

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal
from textual.content import Content
from textual.widgets import Input, Static

WORDS = "search the transcript"
ROOM = 30
"""Cells that are left for writing in."""


class FindBar(Horizontal):
    """Who searches tells it how many hits there are."""

    DEFAULT_CSS = """
    FindBar { height: 1; background: $panel; padding: 0 1; }
    FindBar Input { width: 1fr; height: 1; border: none; padding: 0; background: $panel; }
    FindBar Input:focus { border: none; background-tint: transparent; }
    FindBar .find-label { width: auto; height: 1; padding: 0 1 0 0; color: $muted; }
    FindBar .find-count { width: auto; height: 1; padding: 0 0 0 2; }
    """

    def __init__(
        self,
        *,
        changed: Callable[[str], object],
        moved: Callable[[int], object],
        left: Callable[[bool], object],
        id: str | None = None,
    ) -> None:
        """changed: other words are searched for. moved: to the next hit (1), or the one before (-1). left: the person
        leaves the line, to stay at the hit they went to, or to go back to where they were.

        All are called at once, not by a message: the next key must find what this one did.
        """
        super().__init__(id=id)
        self._changed, self._moved, self._left = changed, moved, left
        self.input = Input(placeholder=WORDS, compact=True)
        self._count = Static("", classes="find-count", markup=False)

    def compose(self) -> ComposeResult:
        yield Static("find", classes="find-label", markup=False)
        yield self.input
        yield self._count

    @property
    def words(self) -> str:
        return self.input.value

    def begin(self, words: str | None) -> None:
        """Take the keys. words: what to search for, None to go on with what is written."""
        if words is not None:
            self.input.value = words
        # At once, not in the next round of the loop: what is typed now is meant for here.
        self.screen.set_focus(self.input)
        self.input.select_all()

    def show(self, words: str) -> None:
        """Show what is searched for, without taking the keys, and without a word to who searches."""
        with self.input.prevent(Input.Changed):
            self.input.value = words
        self.display = True

    def tell(self, content: Content, keys: Sequence[tuple[str, str]]) -> None:
        """What was found so far, and what the keys do, as many as there is room for."""
        for key, does in keys:
            more = Content.assemble(("  ", ""), (key, "$key-name"), (f" {does}", "$key-label"))
            if content.cell_length + more.cell_length + ROOM <= self.size.width:
                content += more
        self._count.update(content)

    @on(Input.Changed)
    def _words_changed(self, event: Input.Changed) -> None:
        event.stop()
        if self.display:
            self._changed(event.value)

    def on_key(self, event: events.Key) -> None:
        step = {"enter": 1, "down": 1, "shift+enter": -1, "up": -1}.get(event.key)
        if step is not None:
            self._moved(step)
        elif event.key in ("escape", "tab"):
            self._left(event.key == "tab")
        else:
            return
        event.stop()
        event.prevent_default()

"""What every screen of ours has in common: it settles after fast resizes, takes its keys from the registry, and it is
left once."""

from __future__ import annotations

from collections.abc import Mapping
from typing import ClassVar, Final, Generic, TypeVar

from textual import events
from textual.screen import Screen

from tui.keymap import is_typed
from tui.screens.compositing import LeanCompositor
from tui.widgets.list_keys import keymap_of

R = TypeVar("R")


_MOVES: Final = frozenset({"list.up", "list.down", "list.page_up", "list.page_down", "list.first", "list.last"})
_OF_TEXT: Final = frozenset({"home", "end"})
"""Keys that move in a line of text, where one has the focus."""


class Steady(Screen[R], Generic[R]):
    KEYS: ClassVar[Mapping[str, str]] = {}
    """Actions of the registry that the screen carries out itself: the id, and its own action. Subclasses add to it."""

    def __init__(self, name: str | None = None, id: str | None = None, classes: str | None = None) -> None:
        super().__init__(name=name, id=id, classes=classes)
        self._compositor = LeanCompositor()

    def on_mount(self) -> None:
        """Keys that write nothing come before the field in focus, as long as letters are not what moves in lists."""
        keys, found = keymap_of(self), dict[str, str]()
        for each in reversed(type(self).__mro__):
            found.update(getattr(each, "KEYS", {}))
        fixed = frozenset(self._bindings.key_to_bindings)
        for action_id, target in found.items():
            later = action_id in _MOVES and keys.rows_first
            for key in keys.of(action_id):
                if key not in fixed:
                    first = not (later or is_typed(key) or key in _OF_TEXT)
                    self._bindings.bind(key, target, show=False, priority=first)

    def key_of(self, action_id: str) -> str:
        """The key to show for an action, "" where it has none."""
        return keymap_of(self).show(action_id)

    def keys_of(self, *wanted: tuple[str, str]) -> str:
        """What keys do, for a line of hints: "ctrl+n new · ctrl+d deletes"; what has no key is left out."""
        return " · ".join(f"{key} {does}" for action, does in wanted if (key := self.key_of(action)))

    def _on_resize(self, event: events.Resize) -> None:  # pyright: ignore[reportIncompatibleMethodOverride]
        """Ignore a size that is not the terminal's any more.

        A layout for one size tells the screen of that size again; two different sizes on the way at once would
        each cause the other one for ever, with a core busy and no key answered.
        """
        if event.size != self.app.size:  # pyright: ignore[reportUnknownMemberType]
            event.stop()
            event.prevent_default()

    def leave(self, result: R | None = None) -> None:
        """Close the screen; keys may come faster than it goes, and a second one must not close what lies below."""
        if self.is_active:
            self.dismiss(result)

"""What every screen of ours has in common: it settles after fast resizes, and it is left once."""

from __future__ import annotations

from typing import Generic, TypeVar

from textual import events
from textual.screen import Screen

R = TypeVar("R")


class Steady(Screen[R], Generic[R]):
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

"""Which panes are shown and how wide: what a person chose, kept from one start to the next.

Where there is no room panes fold by themselves, in this order. As the width shrinks: below 140 columns the time axis
shows only when asked for; below 100 the side column goes, the meters become one line, and tool calls and output take
the transcript's place when asked for; below 70 the hints in the message go. As the height shrinks: below 44 lines the
time axis shows only when asked for, below 28 not at all; below 18 the line of meters goes, the message is one line
without a border, and a card takes the place of the transcript. The message, the status line and the keys are always
there, except in the zen view, where there is a status line only while something concerns the person.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass, replace
from typing import TYPE_CHECKING, Any, get_args

from tui.actions import PaneName

if TYPE_CHECKING:
    from tui.deck import Deck
    from tui.remembered import Remembered
    from tui.screens.cockpit import CockpitScreen

KEPT = "layout"
LEAST, LEAST_BESIDE = 26, 50
"""Columns that the side column has at least, and what is left beside it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Layout:
    """side: columns of the side column, None = its own width. hidden: panes that a person hid. axis: None = by the size
    of the screen."""

    side: int | None = None
    hidden: frozenset[PaneName] = frozenset()
    axis: bool | None = None

    def kept(self) -> dict[str, Any]:
        return {"side": self.side, "hidden": sorted(self.hidden), "axis": self.axis}


def read_layout(kept: dict[str, Any]) -> Layout:
    """What was kept; what is no layout in it is left out."""
    side, hidden, axis = kept.get("side"), kept.get("hidden"), kept.get("axis")
    names: list[object] = hidden if isinstance(hidden, list) else []  # pyright: ignore[reportUnknownVariableType]
    return Layout(
        side=max(LEAST, min(side, 1000)) if isinstance(side, int) and not isinstance(side, bool) else None,
        hidden=frozenset(name for name in get_args(PaneName) if name in names),
        axis=axis if isinstance(axis, bool) else None,
    )


def side_width(wanted: int | None, screen: int) -> int | None:
    """The columns of the side column on a screen so wide."""
    return None if wanted is None else max(LEAST, min(wanted, screen - LEAST_BESIDE))


class Panes:
    def __init__(
        self,
        screen: CockpitScreen,
        remembered: Remembered,
        deck: Deck,
        key: Callable[[str], str],
        repaint: Callable[[], None],
    ) -> None:
        """key: the key to show for an action, "" where it has none."""
        self._screen = screen
        self._remembered = remembered
        self._deck = deck
        self._key = key
        self._repaint = repaint
        self._layout = read_layout(remembered.read(KEPT))
        self._apply()

    @property
    def layout(self) -> Layout:
        return self._layout

    def toggle(self, pane: PaneName) -> None:
        """On a wide screen each pane comes and goes; on a narrow one the tool calls take the transcript's place."""
        screen = self._screen
        screen.remove_class("-zen")
        if pane == "axis" and screen.has_axis_room:
            self._change(axis=screen.step_to_axis())
        elif screen.wide or pane == "meters":
            self._change(hidden=self._layout.hidden ^ {pane})
        else:
            self._change(hidden=self._layout.hidden - {pane})
            screen.toggle_class("-show-side")
        self._later()

    def widen(self, by: int) -> None:
        """Move the border of the side column by so many columns to the left."""
        screen = self._screen
        if not screen.side_shown:
            self._deck.say("the side column is not shown now")
            return
        now = screen.side_columns
        width = side_width(now + by, screen.size.width)
        if width == now:
            self._deck.say("it is as wide as it can be" if by > 0 else "it is as narrow as it can be")
        else:
            self._change(side=width)
            self._later()

    def drag(self, width: int | None, *, dropped: bool) -> None:
        """The border is dragged with the mouse; None: its own width again."""
        self._change(side=side_width(width, self._screen.size.width), keep=dropped)
        self._later()

    def zen(self) -> None:
        """Only the transcript and the message, or everything again."""
        screen = self._screen
        if screen.zen:
            screen.remove_class("-zen")
        else:
            screen.remove_class("-show-side")
            screen.add_class("-zen")
            self._deck.say(f"zen: {self._key('zen') or '/zen'} shows everything again")
            if screen.focused is None or not screen.focused.is_on_screen:
                screen.composer.focus()
        self._later()

    def fit(self) -> None:
        """The screen has another size."""
        self._apply()

    def _change(self, *, keep: bool = True, **changes: Any) -> None:
        self._layout = replace(self._layout, **changes)
        self._apply()
        if keep:
            self._remembered.write(KEPT, self._layout.kept())

    def _apply(self) -> None:
        screen, layout = self._screen, self._layout
        for name in ("timeline", "output", "meters"):
            screen.set_class(name in layout.hidden, f"-no-{name}")
        screen.axis_wanted = layout.axis
        screen.set_side_columns(side_width(layout.side, screen.size.width) if screen.wide else None)

    def _later(self) -> None:
        """Paint what came into sight once it has its place."""
        self._screen.call_after_refresh(self._repaint)

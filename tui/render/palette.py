"""Names of colours to terminal styles of one theme."""

from __future__ import annotations

from typing import TYPE_CHECKING

from rich.color import Color
from rich.style import Style

from tui.render.lines import Ink

if TYPE_CHECKING:
    from themes import Theme


class Palette:
    """The styles of one theme. ground: the base colour that lines stand on."""

    def __init__(self, theme: Theme, ground: str = "background") -> None:
        self.theme = theme
        self._ground = ground
        self._styles: dict[Ink, Style] = {}

    def style(self, ink: Ink) -> Style:
        """The full style, ground included, so that nothing has to be blended later."""
        found = self._styles.get(ink)
        if found is None:
            found = self._styles[ink] = Style(
                color=self._colour(ink.colour),
                bgcolor=self._colour(ink.ground or self._ground),
                bold=ink.bold or None,
                italic=ink.italic or None,
                underline=ink.underline or None,
                strike=ink.strike or None,
            )
        return found

    def fill(self, ground: str) -> Style:
        return self.style(Ink("foreground", ground))

    def _colour(self, name: str) -> Color:
        value = self.theme.colour(name)
        if value.startswith("ansi_"):
            value = value.removeprefix("ansi_")
        return Color.parse(value)

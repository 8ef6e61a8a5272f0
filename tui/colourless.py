"""What the screen looks like without any colour: weight, dimness and reversal in the place of hues."""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from typing import TYPE_CHECKING, Final

from rich.color import Color as RichColor
from rich.segment import Segment
from rich.style import Style
from textual.filter import LineFilter

if TYPE_CHECKING:
    from textual.color import Color

    from themes import Theme

_REVERSED: Final = ("selection", "search.match_bg", "search.current_bg", "border", "border_focus")
"""Grounds that tell something by themselves: what is selected, found, or a scroll bar."""

_DIM: Final = ("muted", "border")
_BOLD: Final = ("warning", "error", "primary")
_LOOKS: Final[Mapping[str, Style]] = {"reverse": Style(reverse=True), "dim": Style(dim=True), "bold": Style(bold=True)}


class Colourless(LineFilter):
    """Takes every colour out of a line. Words and signs tell states apart; this keeps what only a ground told."""

    def __init__(self, theme: Theme) -> None:
        """theme: the one that is drawn with, made of the terminal's own colours."""
        super().__init__()
        self._grounds = {_number(theme.colour(name)) for name in _REVERSED} - {None}
        self._dim = {_number(theme.colour(name)) for name in _DIM} - {None}
        self._bold = {_number(theme.colour(name)) for name in _BOLD} - {None}
        self._plain = lru_cache(maxsize=4096)(self._made_plain)

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        plain = self._plain
        return [Segment(text, None if style is None else plain(style), control) for text, style, control in segments]

    def _made_plain(self, style: Style) -> Style:
        found = style.without_color
        if style.meta:
            # What a click means is kept in the style, too.
            found += Style.from_meta(style.meta)
        ground, text = _known(style.bgcolor), _known(style.color)
        if ground in self._grounds:
            return found + _LOOKS["reverse"]
        if text in self._dim and not style.bold:
            return found + _LOOKS["dim"]
        return found + _LOOKS["bold"] if text in self._bold else found


def _number(colour: str) -> int | None:
    """Of the terminal's own colours; None for its default."""
    return RichColor.parse(colour.removeprefix("ansi_")).number


def _known(colour: RichColor | None) -> int | None:
    return None if colour is None else colour.number

"""The second wall: whatever a widget draws, no control or direction character reaches the terminal."""

from __future__ import annotations

import re
from typing import TYPE_CHECKING

from rich.segment import Segment
from textual.filter import LineFilter

if TYPE_CHECKING:
    from textual.color import Color

_FORBIDDEN = re.compile("[\x00-\x1f\x7f-\x9f\u061c\u200e\u200f\u2028-\u202e\u2066-\u2069]")


class Wall(LineFilter):
    """Replaces forbidden characters by one visible cell; the sanitiser in front should have left none."""

    def apply(self, segments: list[Segment], background: Color) -> list[Segment]:
        if not any(_FORBIDDEN.search(segment.text) for segment in segments):
            return segments
        return [Segment(_FORBIDDEN.sub("\ufffd", text), style, control) for text, style, control in segments]

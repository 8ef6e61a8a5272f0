"""The recording as a strip of two rows: what is where in it, and how far it is played. Pure."""

from __future__ import annotations

from itertools import groupby
from typing import TYPE_CHECKING, Final

from textual.content import Content

if TYPE_CHECKING:
    from runner.review.player import Player
    from runner.review.reel import Course, MarkKind

_SIGNS: Final[dict[MarkKind, tuple[str, str]]] = {
    "turn": ("·", "$muted"),
    "run": ("┃", "$primary"),
    "prompt": ("»", "$text-user"),
    "approval": ("?", "$state-waiting"),
    "error": ("✗", "$state-failed"),
}
"""A mark's sign and colour; where several share a cell, the last of these is shown."""

_RANK: Final = {kind: rank for rank, kind in enumerate(_SIGNS)}

LEGEND: Final = "» you  ? asked  ✗ error  · turn  ┃ run"
SHORT_LEGEND: Final = "» you ? asked ✗ error · turn"


class Strip:
    """Marks are sorted into columns once for a width and an axis; a frame costs the columns."""

    def __init__(self) -> None:
        self._for: tuple[Course, int] | None = None
        self._marks = Content("")

    def rows(self, player: Player, width: int) -> tuple[Content, Content]:
        if width <= 0:
            return Content(""), Content("")
        if self._for != (player.course, width):
            self._for, self._marks = (player.course, width), _marks(player, width)
        at = column_of(player.moment, player.course.length, width)
        bar = Content.assemble(
            ("━" * at, "$meter-ok"), ("●", "bold $primary"), ("─" * (width - at - 1), "$meter-track")
        )
        return self._marks, bar


def column_of(moment: float, length: float, width: int) -> int:
    """The column of a moment."""
    return min(width - 1, int(moment / length * (width - 1) + 0.5)) if length else 0


def moment_of(column: int, length: float, width: int) -> float:
    """The moment of a column; the last one is the end."""
    return max(0.0, min(1.0, column / (width - 1))) * length if width > 1 else 0.0


def _marks(player: Player, width: int) -> Content:
    course = player.course
    kinds: list[MarkKind | None] = [None] * width
    for mark in player.reel.marks:
        column = column_of(course.moment(mark.at), course.length, width)
        known = kinds[column]
        if known is None or _RANK[mark.kind] > _RANK[known]:
            kinds[column] = mark.kind
    parts = [
        (_SIGNS[kind][0] * len(list(same)), _SIGNS[kind][1]) if kind else (" " * len(list(same)), "$muted")
        for kind, same in groupby(kinds)
    ]
    return Content.assemble(*parts)

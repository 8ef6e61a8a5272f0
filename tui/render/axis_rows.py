"""Which rows of the lanes are shown where, and what is under the mouse there. Pure."""

from __future__ import annotations

from typing import Final, NamedTuple

from tui.render.axis import Window
from tui.render.lanes import LANES, Bar, Lane, Lanes, Row
from tui.words import span

LABEL: Final = 14
"""Columns left of the axis."""

_GENEROUS: Final[tuple[Lane, ...]] = ("tools", "you", "model")
"""Which lane gets what room is left, the first one first."""


class LaneLine(NamedTuple):
    """A line of the screen and the row of its lane that it shows, which may not be there yet."""

    lane: Lane
    place: int
    label: str


def lane_lines(lanes: Lanes, room: int, selected: Bar | None) -> list[LaneLine]:
    """As many rows of each lane as there is room for: tools first, but no lane without one."""
    wanted = {lane: max(1, len(lanes.lanes[lane])) for lane in LANES}
    given = dict.fromkeys(LANES, 1)
    spare = max(0, room - len(LANES))
    for lane in _GENEROUS:
        extra = min(spare, wanted[lane] - 1)
        given[lane] += extra
        spare -= extra
    given["tools"] += spare
    found: list[LaneLine] = []
    for lane in LANES:
        hidden = max(0, wanted[lane] - given[lane])
        first = _first_row(lane, given[lane], selected) if hidden else 0
        for number in range(given[lane]):
            last = number == given[lane] - 1
            found.append(LaneLine(lane, first + number, _label(lanes, lane, number, hidden if last else 0)))
    return found[: max(0, room)]


def _first_row(lane: Lane, rows: int, selected: Bar | None) -> int:
    """The selected bar is in sight."""
    return max(0, selected.row - rows + 1) if selected is not None and selected.lane == lane else 0


def _label(lanes: Lanes, lane: Lane, number: int, hidden: int) -> str:
    """The lane's name with its seconds, and the rows that there is no room for."""
    if hidden:
        return f"{lane if number == 0 else '':<6}+{hidden} more"
    if number:
        return ""
    seconds = lanes.seconds(lane)
    return f"{lane:<6}{span(seconds) if seconds else '—':>6}"


def bar_under(row: Row, lanes: Lanes, window: Window, column: int) -> Bar | None:
    """The bar that is painted in a column, None where there is none."""
    bar = row.near(window.moment(column) + window.scale / 2)
    if bar is None:
        return None
    last = max(window.column(bar.start), window.column(bar.until(lanes.now) - window.scale * 1e-6))
    return bar if window.column(bar.start) <= column <= last else None

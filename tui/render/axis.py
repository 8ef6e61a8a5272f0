"""The time axis as text: ticks, bars, the cost along it. Pure; a row costs what is seen of it."""

from __future__ import annotations

import math
from collections.abc import Iterator
from dataclasses import dataclass
from typing import Final, NamedTuple

from rich.cells import cell_len

from tui.render.bar_words import look, title
from tui.render.lanes import Bar, BarId, Lanes, Row
from tui.words import fit

SCALES: Final = (
    *(0.01, 0.02, 0.05, 0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 20.0, 30.0),
    *(60.0, 120.0, 300.0, 600.0, 1200.0, 3600.0, 7200.0, 21600.0, 86400.0),
)
"""Seconds of a column, for each step of the zoom."""

_STEPS: Final = (
    *(0.1, 0.2, 0.5, 1.0, 2.0, 5.0, 10.0, 15.0, 30.0, 60.0, 120.0, 300.0, 600.0, 900.0),
    *(1800.0, 3600.0, 7200.0, 21600.0, 86400.0, 864_000.0, 8_640_000.0),
)
"""Seconds between two ticks."""

_TICK_ROOM: Final = 13
_CLOCK: Final = 9
_BLOCKS: Final = "▁▂▃▄▅▆▇█"
_CROWD: Final = 8
"""Bars that are looked at where many share a cell."""

_URGENT: Final = {"state-failed": 3, "state-waiting": 2, "state-running": 2, "state-cancelled": 1}


class Piece(NamedTuple):
    """Text and the theme's variables for it; ground "" is the widget's own."""

    text: str
    colour: str = "foreground"
    ground: str = ""
    bold: bool = False


@dataclass(frozen=True, slots=True, kw_only=True)
class Window:
    """What is seen of the axis: from `left` on, so many columns of `scale` seconds."""

    left: float
    scale: float
    columns: int

    @property
    def right(self) -> float:
        return self.left + self.scale * self.columns

    def column(self, moment: float) -> int:
        """The column of a moment, which may lie outside."""
        # A moment that is a column's beginning but for the last digits belongs to that column.
        return math.floor((moment - self.left) / self.scale + 1e-9)

    def moment(self, column: int) -> float:
        return self.left + column * self.scale


def columns_of(seconds: float, scale: float) -> int:
    """How many columns so many seconds need, the one that has just begun among them."""
    return int(seconds / scale + 1e-9) + 1


def fitting(seconds: float, columns: int) -> int:
    """The smallest step of the zoom that shows so much in so many columns."""
    fits = (index for index, scale in enumerate(SCALES) if scale * max(1, columns) >= seconds)
    return next(fits, len(SCALES) - 1)


def scale_words(scale: float) -> str:
    """ "1 s a cell"."""
    return f"{moment_words(scale)} a cell"


def moment_words(seconds: float) -> str:
    """A moment of a run in words, without idle zeros: "0.5 s", "10 s", "2 min 30 s", "1 h 05 min"."""
    if seconds < 60:
        return f"{seconds:g} s"
    minutes, rest = divmod(round(seconds), 60)
    if minutes < 60:
        return f"{minutes} min {rest:02d} s" if rest else f"{minutes} min"
    hours, minutes = divmod(minutes, 60)
    return f"{hours} h {minutes:02d} min" if minutes else f"{hours} h"


def ticks(lanes: Lanes, window: Window) -> list[Piece]:
    """The line above the lanes: the time of day where a run begins, and how far into it a tick is."""
    pieces: list[Piece] = []
    at = 0
    for column, text, token in _marks(lanes, window):
        if column < at or column + len(text) > window.columns:
            continue
        pieces += [Piece(" " * (column - at), "muted"), Piece(text, token)]
        at = column + len(text)
    return [*pieces, Piece(" " * (window.columns - at), "muted")]


def _marks(lanes: Lanes, window: Window) -> Iterator[tuple[int, str, str]]:
    step = next((step for step in _STEPS if step >= window.scale * _TICK_ROOM), _STEPS[-1])
    moment, end = window.left, min(window.right, lanes.now)
    while moment < end:
        begins = lanes.run_at(moment)
        if begins >= moment:
            yield window.column(begins), f"┃{lanes.clock(begins).astimezone():%H:%M:%S}", "primary"
            moment = begins + window.scale * (_CLOCK + 1)
            continue
        number = math.ceil((moment - begins) / step - 1e-9)
        tick = begins + number * step
        following = next(iter(lanes.beginnings(moment, min(end, tick + window.scale * _TICK_ROOM))), None)
        if following is not None:
            moment = following
        else:
            yield window.column(tick), f"│{moment_words(number * step)}", "muted"
            moment = tick + window.scale


def bars(row: Row, lanes: Lanes, window: Window, selected: BarId | None, *, focus: bool) -> list[Piece]:
    """A row of bars; many that share a cell are shown as the one of them that matters most."""
    pieces: list[Piece] = []
    column = 0
    while column < window.columns:
        # A bar that ends on the column's edge but for the last digits was painted already.
        index = row.at_or_after(window.moment(column) + window.scale * 1e-6 * (column > 0), lanes.now)
        if index >= len(row.bars):
            break
        begins = max(column, window.column(row.bars[index].start))
        if begins >= window.columns:
            break
        bar = _telling(row, index, lanes, window.moment(begins + 1), selected)
        ends = max(begins + 1, min(window.columns, _last_column(bar, lanes, window) + 1))
        pieces.append(Piece(" " * (begins - column)))
        pieces += _bar(bar, lanes, window, (begins, ends), selected=bar.id == selected, focus=focus)
        column = ends
    return [*pieces, Piece(" " * (window.columns - column))]


def _last_column(bar: Bar, lanes: Lanes, window: Window) -> int:
    """An end on the edge of a column does not fill the next one."""
    until = bar.until(lanes.now)
    return math.ceil((until - window.left) / window.scale - 1e-9) - 1


def _telling(row: Row, index: int, lanes: Lanes, edge: float, selected: BarId | None) -> Bar:
    """Of the bars that lie wholly in one cell, the selected one, else a failed or open one, else the first."""
    first = row.bars[index]
    if first.until(lanes.now) > edge:
        return first
    crowd = [bar for bar in row.bars[index : index + _CROWD] if bar.start < edge]
    return max(crowd, key=lambda bar: (bar.id == selected, _URGENT.get(look(bar, lanes.call(bar)).token, 0)))


def _bar(bar: Bar, lanes: Lanes, window: Window, place: tuple[int, int], *, selected: bool, focus: bool) -> list[Piece]:
    """What was waited for before the first token is dotted; the rest is filled, and says what it is."""
    begins, ends = place
    call = lanes.call(bar)
    sign, _, token = look(bar, call)
    colour, ground = ("selection-text", "selection") if selected and focus else ("background", token)
    waited = ends if bar.first is None and bar.end is None and bar.span.kind == "request" else begins
    if bar.first is not None:
        waited = max(begins, min(ends - 1, window.column(bar.first)))
    text = fit(f"{sign}{title(bar, call)}" if ends - waited > 2 else sign, ends - waited)
    dots = "░" * (waited - begins)
    if waited == ends:
        dots = sign + dots[cell_len(sign) :]
    return [
        Piece(dots, ground if selected and focus else token, "", selected),
        Piece(text, colour, ground, selected),
    ]


def cost_line(lanes: Lanes, window: Window) -> list[Piece]:
    """How the cost grew, as heights of the whole sum."""
    whole = lanes.cost(lanes.now)
    seen = min(window.columns, max(0, window.column(lanes.now) + 1))
    if not whole:
        return [Piece("·" * seen, "meter-track"), Piece(" " * (window.columns - seen))]
    text = ""
    for column in range(seen):
        share = float(lanes.cost(min(lanes.now, window.moment(column + 1))) / whole)
        text += _BLOCKS[min(7, int(share * 8))] if share else " "
    return [Piece(text, "meter-ok"), Piece(" " * (window.columns - seen))]

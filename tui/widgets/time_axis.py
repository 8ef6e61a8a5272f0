"""The session along a time axis: a lane for the model, for tools, for what waited for a person, and the cost below.

Built on the line API: what is painted is what is seen, and a row that did not change is not painted again.
"""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING, cast

from rich.color import Color
from rich.segment import Segment
from rich.style import Style
from textual import events
from textual.geometry import Region
from textual.message import Message
from textual.strip import Strip
from textual.widget import Widget

from tui.actions import AxisStep
from tui.keymap import Keymap
from tui.render.axis import SCALES, Piece, Window, bars, columns_of, cost_line, fitting, scale_words, ticks
from tui.render.axis_rows import LABEL, LaneLine, bar_under, lane_lines
from tui.render.bar_words import head, look, more
from tui.render.lanes import LANES, Bar, Lane, Lanes, Row
from tui.render.quiet import Badge
from tui.widgets.list_keys import ListStep, list_step
from tui.widgets.strips import LeanStrip
from tui.words import cost as cost_words
from tui.words import cut, fit

if TYPE_CHECKING:
    from textual.app import App

    from runner.state import CallItem, RunState

BELOW = 3
"""Lines below the lanes: the cost, and two about the selected bar."""

STEPS: dict[str, AxisStep] = {
    "axis.in": "in",
    "axis.out": "out",
    "axis.fit": "fit",
    "axis.earlier": "earlier",
    "axis.later": "later",
    "axis.before": "before",
    "axis.after": "after",
}


class TimeAxis(Widget, can_focus=True):
    """It follows the newest until a person selects a bar or scrolls; `fit` goes back to the whole run."""

    class Selected(Message):
        """Another bar is selected."""

    class Chosen(Message):
        """Enter, or a click on the bar that is selected."""

        def __init__(self, bar: Bar, call: CallItem | None) -> None:
            super().__init__()
            self.bar = bar
            self.call = call

    def __init__(self, keys: Keymap, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._by_key: dict[str, AxisStep] = {
            key: step for action_id, step in STEPS.items() for key in keys.of(action_id)
        }
        self.lanes = Lanes()
        self._badge: Badge | None = None
        self._zoom: int | None = None
        self._left: float | None = None
        self._selected: Bar | None = None
        self._lines: list[tuple[Piece, ...]] = []
        self._looks: dict[tuple[str, str, bool], Style] = {}

    # What the app calls

    def show(self, runs: Sequence[RunState], now: float, badge: Badge | None) -> None:
        """now: seconds of the clock that the runs' `mono` comes from."""
        if not self.lanes.continues(runs):
            self.lanes, self._selected, self._left, self._zoom = Lanes(), None, None, None
        self.lanes.show(runs, now)
        self._badge = badge
        self.redraw()

    @property
    def bar(self) -> Bar | None:
        """The selected bar as it is now; the newest one while that is followed."""
        chosen = self._selected
        if chosen is None:
            return self.lanes.last
        return self.lanes.bar(chosen.lane, chosen.row, chosen.id, chosen.start)

    @property
    def call(self) -> CallItem | None:
        """The call that the selected bar belongs to."""
        bar = self.bar
        return None if bar is None else self.lanes.call(bar)

    @property
    def window(self) -> Window:
        """What is seen of the axis."""
        columns = max(1, self.content_size.width - LABEL)
        now = self.lanes.now
        run = self.lanes.run_at(now)
        scale = SCALES[self._step]
        left = self._left
        if left is None:
            # In whole columns, so that what is painted stays where it is while time goes on.
            behind = max(0, columns_of(now - run, scale) - columns) if self._zoom is None else 0
            left = run + behind * scale
            if self._zoom is not None:
                left = max(0, columns_of(now, scale) - columns) * scale
        return Window(left=left, scale=scale, columns=columns)

    @property
    def _step(self) -> int:
        if self._zoom is not None:
            return self._zoom
        now = self.lanes.now
        return fitting(now - self.lanes.run_at(now), max(1, self.content_size.width - LABEL))

    def visible_text(self) -> list[str]:
        """The lines on the screen, without padding."""
        return ["".join(piece.text for piece in line).rstrip() for line in self._lines]

    # Zooming and scrolling

    def step(self, step: AxisStep) -> None:
        window = self.window
        match step:
            case "fit":
                self._zoom, self._left, self._selected = None, None, None
            case "in":
                self._zoom_to(max(0, self._step - 1), self._middle(window))
            case "out":
                self._zoom_to(min(len(SCALES) - 1, self._step + 1), self._middle(window))
            case "earlier":
                self._pan(-window.columns // 2)
            case "later":
                self._pan(window.columns // 2)
            case "before":
                self.action_beside(-1)
            case "after":
                self.action_beside(1)
        self.redraw()

    def _middle(self, window: Window) -> float:
        """What stays where it is: the selected bar where it is seen, else the end."""
        bar = self._selected
        if bar is not None and window.left <= bar.start < window.right:
            return bar.start
        return min(window.right, self.lanes.now)

    def _zoom_to(self, step: int, around: float) -> None:
        window = self.window
        share = (around - window.left) / (window.right - window.left)
        self._zoom = step
        if self._left is not None or self._selected is not None:
            scale = SCALES[step]
            self._pan_to(around - share * scale * window.columns, scale)

    def _pan(self, columns: int) -> None:
        window = self.window
        self._zoom = self._step
        self._pan_to(window.left + columns * window.scale, window.scale)

    def _pan_to(self, left: float, scale: float) -> None:
        """The end is followed again where it is reached."""
        columns = self.window.columns
        most = max(0, columns_of(self.lanes.now, scale) - columns)
        wanted = max(0, round(left / scale))
        self._left = None if wanted >= most and self._selected is None else min(wanted, most) * scale

    # Selecting

    def action_beside(self, by: int) -> None:
        bar = self.bar
        if bar is None:
            return
        row = self.lanes.lanes[bar.lane][bar.row]
        place = row.place(bar.id, bar.start)
        if place is not None and 0 <= place + by < len(row.bars):
            self._select(row.bars[place + by])

    def action_row(self, by: int) -> None:
        bar = self.bar
        if bar is None:
            return
        rows: list[tuple[Lane, int]] = [(lane, index) for lane in LANES for index in range(len(self.lanes.lanes[lane]))]
        at = rows.index((bar.lane, bar.row)) + by
        if 0 <= at < len(rows):
            lane, index = rows[at]
            found = self.lanes.lanes[lane][index].near(bar.start)
            if found is not None:
                self._select(found)

    def action_edge(self, end: bool) -> None:
        if end:
            self._selected, self._left = None, None
            self._tell()
        elif (bar := self.bar) is not None:
            self._select(self.lanes.lanes[bar.lane][bar.row].bars[0])

    def action_choose(self) -> None:
        bar = self.bar
        if bar is not None:
            self.post_message(self.Chosen(bar, self.lanes.call(bar)))

    def _select(self, bar: Bar) -> None:
        self._selected = bar
        window = self.window
        if not window.left <= bar.start < window.right - window.scale:
            self._zoom = self._step
            self._pan_to(bar.start - window.scale * window.columns / 4, window.scale)
        elif self._left is None:
            # What is looked at does not move away.
            self._zoom, self._left = self._step, window.left
        self._tell()

    def _tell(self) -> None:
        self.redraw()
        self.post_message(self.Selected())

    # Keys and mouse

    def on_key(self, event: events.Key) -> None:
        step, move = self._by_key.get(event.key), list_step(self, event.key)
        if step is not None:
            self.step(step)
        elif move is None or not self._take(move):
            return
        event.stop()

    def _take(self, step: ListStep) -> bool:
        """A key of lists; whether the axis has a use for it."""
        match step:
            case "up" | "down":
                self.action_row(1 if step == "down" else -1)
            case "first" | "last":
                self.action_edge(step == "last")
            case "choose":
                self.action_choose()
            case _:
                return False
        return True

    def on_click(self, event: events.Click) -> None:
        event.stop()
        place = event.get_content_offset(self)
        rows = self._rows()
        if place is None or not 1 <= place.y <= len(rows) or place.x < LABEL:
            return
        line = rows[place.y - 1]
        lane = self.lanes.lanes[line.lane]
        window = self.window
        bar = bar_under(lane[line.place], self.lanes, window, place.x - LABEL) if line.place < len(lane) else None
        if bar is None:
            return
        chosen = self._selected
        if chosen is not None and bar.id == chosen.id:
            self.action_choose()
        else:
            self._select(bar)

    def on_mouse_scroll_up(self, event: events.MouseScrollUp) -> None:
        self._wheel(event, -1)

    def on_mouse_scroll_down(self, event: events.MouseScrollDown) -> None:
        self._wheel(event, 1)

    def _wheel(self, event: events.MouseEvent, by: int) -> None:
        event.stop()
        if event.ctrl:
            self.step("out" if by > 0 else "in")
        else:
            self._pan(by * max(1, self.window.columns // 10))
            self.redraw()

    # Painting

    def redraw(self) -> None:
        """Paint what is seen; only rows that look different are painted again."""
        width, height = self.content_size
        if width <= LABEL or height <= BELOW + 1:
            return
        lines = self._paint(width)[:height]
        old, self._lines = self._lines, lines
        if len(old) != len(lines):
            self.refresh()
            return
        changed = [row for row, line in enumerate(lines) if line != old[row]]
        if changed:
            self.refresh(*[Region(0, row, width, 1) for row in changed])

    def _paint(self, width: int) -> list[tuple[Piece, ...]]:
        window, bar = self.window, self.bar
        focus = self.has_focus
        lines = [self._head(window, width)]
        for line in self._rows():
            label = Piece(fit(line.label, LABEL), "muted")
            rows = self.lanes.lanes[line.lane]
            row = rows[line.place] if line.place < len(rows) else Row()
            selected = bar.id if bar is not None and (focus or self._selected is not None) else None
            lines.append((label, *bars(row, self.lanes, window, selected, focus=focus)))
        lines.append((Piece(fit(self._cost(), LABEL), "muted"), *cost_line(self.lanes, window)))
        if bar is None:
            empty = Piece(fit("Nothing ran yet.", width), "muted")
            return [*lines, (empty,), (Piece(" " * width),)]
        token = look(bar, self.lanes.call(bar)).token
        lines.append((Piece(fit(head(bar, self.lanes), width), token),))
        lines.append((Piece(fit(more(bar, self.lanes), width), "muted"),))
        return lines

    def _head(self, window: Window, width: int) -> tuple[Piece, ...]:
        label = Piece(
            fit(scale_words(window.scale), LABEL), "primary" if self.has_focus else "muted", "", self.has_focus
        )
        badge = self._badge
        room = width - LABEL
        if badge is None or len(badge.text) + 2 > room // 2:
            return (label, *ticks(self.lanes, window))
        text = f"  {badge.text}"
        pieces = list(ticks(self.lanes, Window(left=window.left, scale=window.scale, columns=room - len(text))))
        return (label, *pieces, Piece(text, badge.token))

    def _cost(self) -> str:
        from runner.usage import Cost

        lanes = self.lanes
        total = Cost(known=lanes.cost(lanes.now), unknown=lanes.unknown_costs)
        return f"cost {cut(cost_words(total, estimated=lanes.estimated_cost), LABEL - 6)}"

    def _rows(self) -> list[LaneLine]:
        return lane_lines(self.lanes, self.content_size.height - 1 - BELOW, self._selected)

    def render_line(self, y: int) -> Strip:
        width = self.content_size.width
        line = self._lines[y] if y < len(self._lines) else (Piece(" " * width),)
        return LeanStrip([Segment(piece.text, self._style(piece)) for piece in line if piece.text], width)

    def _style(self, piece: Piece) -> Style:
        key = (piece.colour, piece.ground, piece.bold)
        found = self._looks.get(key)
        if found is None:
            # A terminal's own background has no colour to write with: the bar is written in reverse instead.
            reverse = piece.colour == "background"
            found = self._looks[key] = Style(
                color=self._colour(piece.ground if reverse else piece.colour),
                bgcolor=self._colour("background" if reverse else piece.ground or "background"),
                bold=piece.bold or None,
                underline=(piece.bold and bool(piece.ground)) or None,
                reverse=reverse or None,
            )
        return found

    def _colour(self, name: str) -> Color:
        return Color.parse(self._program.theme_variables[name].removeprefix("ansi_"))

    @property
    def _program(self) -> App[object]:
        return cast("App[object]", self.app)  # pyright: ignore[reportUnknownMemberType]

    def on_mount(self) -> None:
        self._program.theme_changed_signal.subscribe(self, self._theme_changed)

    def _theme_changed(self, _theme: object) -> None:
        self._looks.clear()
        self.refresh()

    def on_resize(self) -> None:
        self.redraw()

    def _watch_has_focus(self, focus: bool) -> None:
        self.redraw()

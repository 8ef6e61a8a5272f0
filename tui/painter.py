"""Puts a view on the screen: the one place that tells each widget what to show."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.containers import Vertical

from tui.arming import QUIET
from tui.keymap import Keymap
from tui.lines import key_line, status_line
from tui.meters import meters, meters_line
from tui.view import View, calls_of, totals
from tui.widgets.approval import ApprovalCard
from tui.widgets.bars import Bar
from tui.widgets.timeline import OutputTail, Timeline
from tui.widgets.transcript import Transcript

if TYPE_CHECKING:
    from runner.state import RunState
    from themes import Theme
    from tui.screens.cockpit import CockpitScreen


CLOCK_TIME = 0.25
"""Seconds between two paintings of what only counts: times, tokens, speed."""


class Painter:
    """The widgets that show runs; mounted after the first frame, updated with each view."""

    def __init__(
        self,
        screen: CockpitScreen,
        keys: Keymap,
        theme: Theme,
        *,
        now: Callable[[], float],
        last_input: Callable[[], float],
    ) -> None:
        self._screen = screen
        self._keys = keys
        self.transcript = Transcript(theme, id="transcript")
        self.timeline = Timeline(id="timeline")
        self.output = OutputTail(id="output")
        self.meters = Bar("", id="meters")
        self.card = ApprovalCard(keys, now=now, last_input=last_input, id="card")
        self._now = now
        self._last_input = last_input
        self._shown: View | None = None
        self._clock_at = float("-inf")
        self._kind: tuple[object, ...] = ()

    async def mount(self) -> None:
        self.transcript.display = False
        await self._screen.query_one("#main", Vertical).mount(self.transcript)
        await self._screen.query_one("#side", Vertical).mount(self.timeline, self.output, self.meters)
        await self._screen.query_one("#ask", Vertical).mount(self.card)

    def paint(self, view: View) -> None:
        """Everything that may have changed; what did not change is not drawn again."""
        before, self._shown = self._shown, view
        changed = before is None or not _same(view.runs, before.runs)
        clock_due = view.now - self._clock_at >= CLOCK_TIME or _kind(view) != self._kind
        if changed or (clock_due and view.busy):
            self._paint_runs(view)
        self._paint_card(view)
        if clock_due or not view.busy:
            self._clock_at, self._kind = view.now, _kind(view)
            self._paint_clock(view)
        self._paint_calls(view)

    def _paint_clock(self, view: View) -> None:
        """What changes with every token or by time alone; several times a second is enough to read it."""
        screen = self._screen
        found = totals(view)
        screen.status.put(status_line(view, self._keys, screen.status.room))
        screen.key_bar.put(key_line(view, self._keys, screen.key_bar.room))
        if screen.meters_line.display:
            screen.meters_line.put(meters_line(found, screen.meters_line.room))
        if self.meters.display:
            self.meters.put(meters(found, self.meters.room))

    def _paint_calls(self, view: View) -> None:
        self.timeline.show(calls_of(view.runs), view.now)
        self.output.show(self.timeline.call)

    def _paint_runs(self, view: View) -> None:
        has_runs = bool(view.runs)
        self._screen.welcome.display = not has_runs
        self.transcript.display = has_runs
        self.transcript.show(view.runs, view.now)

    def _paint_card(self, view: View) -> None:
        had_focus = self.card.has_focus_within
        came_up = self.card.show(view.waiting)
        self._screen.set_class(bool(view.waiting), "-asking")
        if not view.waiting:
            if had_focus:
                self._screen.composer.focus()
        elif came_up and had_focus:
            self.card.focus()
        elif came_up:
            self._offer_focus(self.card.request_id, self._now())

    def _offer_focus(self, request_id: str, came_up: float) -> None:
        """The card takes the focus by itself only from an empty message, after a quiet moment, and before any key."""
        composer = self._screen.composer
        idle = self._screen.focused is composer and composer.blank and self._last_input() <= came_up
        if request_id != self.card.request_id or not idle:
            return
        left = self._last_input() + QUIET - self._now()
        if left > 0:
            self._screen.set_timer(left + 0.01, lambda: self._offer_focus(request_id, came_up))
        else:
            self.card.focus()


def _same(runs: tuple[RunState, ...], others: tuple[RunState, ...]) -> bool:
    """Whether these are the very same values; comparing their contents would cost as much as painting them."""
    return len(runs) == len(others) and all(one is other for one, other in zip(runs, others, strict=True))


def _kind(view: View) -> tuple[object, ...]:
    """What of a view is told at once; the rest of its lines may wait for the clock."""
    run = view.run
    progress = (run.status, type(run.phase), len(run.settled), len(run.live)) if run else ()
    said = (view.notice, view.confirm, view.quitting, view.answering, view.starting, view.store_open)
    counts = (len(view.runs), view.queued, view.unseen, len(view.waiting), view.waiting_elsewhere)
    return view.model, view.session_id, progress, said, counts

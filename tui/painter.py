"""Puts a view on the screen: the one place that tells each widget what to show."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.containers import Vertical
from textual.content import Content

from tui.asks import Asks
from tui.call_book import CallBook
from tui.keymap import Keymap
from tui.lines import key_line, status_line
from tui.meters import meters, meters_line
from tui.render.quiet import badge
from tui.speed import SPARK, Speedometer
from tui.status import concerns
from tui.view import Answering, View, totals
from tui.widgets.bars import Bar, does
from tui.widgets.call_list import CallList
from tui.widgets.composer import WRITE
from tui.widgets.queue_list import QueueList
from tui.widgets.time_axis import TimeAxis
from tui.widgets.timeline import OutputTail, Timeline
from tui.widgets.transcript import Transcript

if TYPE_CHECKING:
    from runner.state import RunState
    from themes import Theme
    from tui.screens.cockpit import CockpitScreen


WIDE = 70
"""Columns from which the empty message says what its keys do."""

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
        self.keys = keys
        self.transcript = Transcript(theme, id="transcript")
        self.timeline = Timeline(id="timeline")
        self.output = OutputTail(id="output")
        self.axis = TimeAxis(keys, id="axis")
        self.meters = Bar("", id="meters")
        self.asks = Asks(screen, keys, now=now, last_input=last_input)
        self.queue = QueueList(keys, id="queue")
        self.calls = CallList(keys.of("cancel_tool"), id="calls")
        self.rewriting = ""
        """The waiting message that is being edited."""
        self._book = CallBook()
        self._speed = Speedometer()
        self._placeholder = WRITE
        self._shown: View | None = None
        self._clock_at = float("-inf")
        self._kind: tuple[object, ...] = ()
        self._axis_seq: tuple[str, int] | None = None

    async def mount(self) -> None:
        self.transcript.display = False
        await self._screen.query_one("#main", Vertical).mount(self.transcript)
        await self._screen.query_one("#side", Vertical).mount(self.timeline, self.output, self.meters)
        self.axis.display = False
        await self._screen.mount(self.axis, after="#body")
        await self._screen.query_one("#ask", Vertical).mount(
            self.asks.approval, self.asks.limit, self.calls, self.queue
        )

    def paint(self, view: View) -> None:
        """Everything that may have changed; what did not change is not drawn again."""
        before, self._shown = self._shown, view
        changed = before is None or not _same(view.runs, before.runs)
        clock_due = view.now - self._clock_at >= CLOCK_TIME or _kind(view) != self._kind
        if changed or (clock_due and view.busy):
            self._paint_runs(view)
        self._screen.concern(concerns(view))
        self.asks.paint(view)
        self._paint_shelves(view)
        self._paint_placeholder(view)
        if clock_due or not view.busy:
            self._clock_at, self._kind = view.now, _kind(view)
            self._paint_clock(view)
        self._paint_calls(view)
        self._paint_axis(view, due=clock_due or not view.busy)

    def _paint_clock(self, view: View) -> None:
        """What changes with every token or by time alone; several times a second is enough to read it."""
        screen = self._screen
        found = totals(view)
        self._speed.note(view.run, view.now)
        screen.status.put(status_line(view, self.keys, screen.status.room))
        screen.key_bar.put(key_line(view, self.keys, screen.key_bar.room))
        if screen.meters_line.display:
            screen.meters_line.put(meters_line(found, screen.meters_line.room).stylize(does("ledger")))
        if self.meters.display:
            spark = self._speed.line(view.now, SPARK)
            self.meters.put(meters(found, self.meters.room, self.meters.lines, spark).stylize(does("ledger")))

    def _paint_calls(self, view: View) -> None:
        self.timeline.show(self._book.calls(view.runs), view.now)
        on_axis = self.axis.call if self.axis.has_focus else None
        self.output.show(on_axis or self.timeline.call, view.now)

    def _paint_axis(self, view: View, *, due: bool) -> None:
        """Hidden, it costs nothing; what it missed is taken in when it is shown. Facts are shown at once, time passing
        and text that streams only where that is due."""
        shown = self._screen.axis_shown
        seq = None if view.run is None else (view.run.run_id, view.run.seq)
        due, self._axis_seq = due or seq != self._axis_seq, seq
        if self.axis.display != shown:
            due = True
            focused = self.axis.has_focus
            self.axis.display = shown
            if focused:
                self._screen.composer.focus()
        if shown and due:
            self.axis.show(view.runs, view.now, badge(view.run, view.now))

    def _paint_runs(self, view: View) -> None:
        has_runs = bool(view.runs)
        self._screen.welcome.display = not has_runs
        self.transcript.display = has_runs
        self.transcript.show(view.runs, view.now)

    def _paint_placeholder(self, view: View) -> None:
        """What a message does now, where there is room to say it."""
        send, now = self.keys.show("send"), self.keys.show("send_now")
        goes_on = view.live is not None and view.live.status in ("running", "waiting_approval")
        queues = goes_on and bool(send and now) and self._screen.size.width >= WIDE
        wanted = f"{WRITE}: {send} queues it, {now} interrupts with it" if queues else WRITE
        if self._placeholder != wanted:
            self._placeholder = wanted
            self._screen.composer.placeholder = Content(wanted)

    def _paint_shelves(self, view: View) -> None:
        """A list that goes away while it has the focus gives it back to the message."""
        focused = self.queue.in_focus or self.calls.in_focus
        self.calls.show(view.running_calls, view.now)
        cramped = self.asks.card.display or self.calls.display
        self.queue.show(view.messages, rewriting=self.rewriting, cramped=cramped)
        if focused and not (self.queue.display or self.calls.display):
            self._screen.composer.focus()

    @property
    def answering(self) -> Answering:
        """What takes the keys besides the message."""
        if self.queue.in_focus:
            return "queue"
        if self.calls.in_focus:
            return "calls"
        if self.axis.has_focus:
            return "axis"
        return self.asks.answering or ("rewrite" if self.rewriting else "")


def _same(runs: tuple[RunState, ...], others: tuple[RunState, ...]) -> bool:
    """Whether these are the very same values; comparing their contents would cost as much as painting them."""
    return len(runs) == len(others) and all(one is other for one, other in zip(runs, others, strict=True))


def _kind(view: View) -> tuple[object, ...]:
    """What of a view is told at once; the rest of its lines may wait for the clock."""
    run = view.run
    progress = (run.status, type(run.phase), len(run.settled), len(run.live)) if run else ()
    said = (view.notice, view.confirm, view.quitting, view.answering, view.starting, view.store_open, view.stop_asked)
    counts = (len(view.runs), len(view.messages), view.unseen, len(view.waiting), view.waiting_elsewhere)
    return (view.model, view.asked), view.session_id, progress, said, counts

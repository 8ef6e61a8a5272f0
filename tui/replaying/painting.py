"""Puts a position of a recording on the widgets that show live runs, as they showed it then."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Final

from rich.cells import cell_len
from textual.content import Content

from tui.call_book import CallBook
from tui.meters import meters, meters_line
from tui.preview import preview
from tui.render.clean import clean, visible
from tui.render.quiet import badge
from tui.replaying.scrubber import Scrubber
from tui.speed import SPARK, recorded_line
from tui.status import sentence
from tui.view import View, totals
from tui.widgets.bars import Bar
from tui.widgets.time_axis import TimeAxis
from tui.widgets.timeline import OutputTail, Timeline
from tui.widgets.transcript import Transcript
from tui.words import count, cut, one_line

if TYPE_CHECKING:
    from runner.review.player import Player
    from runner.state import CallItem
    from runner.store.base import SessionSummary
    from themes import Theme
    from tui.keymap import Keymap

MOST_ASKED_LINES: Final = 8
"""Lines of what was asked that are shown; all of it is in the transcript's call."""


def view_of(player: Player, session: SessionSummary) -> View:
    """What the screen showed at the position."""
    runs = player.runs
    run = runs[-1] if runs else None
    view = View(
        agent=session.agent, session_id=session.session_id, title=session.title, workspace=session.workspace,
        store_open=True, runs=runs, now=player.now,
    )  # fmt: skip
    if run is None:
        return view
    return replace(
        view,
        agent=run.agent or session.agent,
        model=run.model,
        model_is_demo=run.model.startswith("demo/"),
        asked=run.asked,
        messages=() if run.finished else run.queued,
    )


MANY: Final = 2000
"""Bars that the time axis has to take in, from which it waits until the person has found the place."""


class ReplayPainter:
    """The widgets, and what they are told."""

    def __init__(self, keys: Keymap, theme: Theme) -> None:
        self.transcript = Transcript(theme, id="transcript", placeholder="Nothing had been said yet.")
        self.timeline = Timeline(id="timeline")
        self.output = OutputTail(id="output")
        self.meters = Bar("", id="meters")
        self.meters_line = Bar("", id="meters-line")
        self.axis = TimeAxis(keys, id="axis")
        self.asked = Bar("", id="replay-asked")
        self.status = Bar("", id="status")
        self.scrubber = Scrubber(id="replay-strip")
        # Every key is one of the replay's, wherever it was clicked.
        for widget in (self.transcript, self.timeline, self.axis):
            widget.can_focus = False
        self._book = CallBook()
        self._axis_spans = 0

    def paint(self, view: View, *, axis: bool) -> bool:
        """axis: whether there is room for the time axis. Gives whether that is behind, because it has much to
        take in and more may come: catch_up() draws it."""
        self.transcript.show(view.runs, view.now)
        self.timeline.show(self._book.calls(view.runs), view.now)
        self.output.show(self.timeline.call, view.now)
        self._paint_meters(view)
        self.status.put(then_line(view, self.status.room))
        self._paint_asked(view)
        if self.axis.display != axis:
            self.axis.display = axis
        spans = sum(len(run.times.closed) for run in view.runs)
        known = self._axis_spans if self.axis.lanes.continues(view.runs) else 0
        behind = axis and spans - known > MANY
        if axis and not behind:
            self.catch_up(view)
        return behind

    def catch_up(self, view: View) -> None:
        self.axis.show(view.runs, view.now, badge(view.run, view.now))
        self._axis_spans = sum(len(run.times.closed) for run in view.runs)

    def _paint_meters(self, view: View) -> None:
        found = totals(view)
        if self.meters_line.display:
            self.meters_line.put(meters_line(found, self.meters_line.room))
        if self.meters.display:
            spark = recorded_line(view.run, view.now, SPARK)
            self.meters.put(meters(found, self.meters.room, self.meters.lines, spark))

    def _paint_asked(self, view: View) -> None:
        """A question as it stood, to be looked at and not to be answered."""
        call = next(iter(view.waiting), None)
        shown = call is not None and call.asked is not None
        if self.asked.display != shown:
            self.asked.display = shown
        if call is None or not shown:
            return
        lines = asked_lines(call, len(view.waiting), self.scrubber.room)
        if self.asked.styles.height is None or self.asked.styles.height.value != len(lines):
            self.asked.styles.height = len(lines)
        self.asked.put(Content("\n").join(lines))


def asked_lines(call: CallItem, waiting: int, width: int) -> list[Content]:
    """What a person was asked, why, and that nothing of it can be answered here."""
    assert call.asked is not None
    found = preview(call.asked, width)
    more = f" · {waiting - 1} more waited" if waiting > 1 else ""
    title = Content.assemble(
        ("as it was then: ", "$state-waiting"), (visible(one_line(found.title)), "bold $foreground"), (more, "$muted")
    )
    body = found.body.split("\n", allow_blank=True)
    lines = [title, *body[:MOST_ASKED_LINES]]
    if len(body) > MOST_ASKED_LINES:
        lines.append(Content.styled(f"… {count(len(body) - MOST_ASKED_LINES, 'line')} more", "$muted"))
    why = f" · asked because {visible(one_line(call.asked.why)).rstrip('.')}" if call.asked.why else ""
    lines.append(Content.assemble(("nothing can be answered here", "$state-waiting"), (why, "$muted")))
    return [line.truncate(width, ellipsis=True) for line in lines]


def then_line(view: View, width: int) -> Content:
    """The status line of that time, without its keys: agent · model · what happened."""
    run = view.run
    if run is None:
        return Content.styled(cut("before the first message", width), "$muted")
    found = sentence(view, lambda _: "")
    said = clean(one_line(found.state))
    if view.messages:
        said += f" · {count(len(view.messages), 'message')} queued"
    model = clean(view.model) + (" (demo)" if view.model_is_demo else "")
    head = f"{clean(view.agent)} · {model} · "
    if cell_len(head) + cell_len(said) + 2 > width:
        head = ""
    return Content.assemble((head, "$muted"), ("● ", f"${found.token}"), (said, f"${found.token}")).truncate(
        width, ellipsis=True
    )

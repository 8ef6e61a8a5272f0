"""A stored session played again: the same transcript, calls, meters and time axis as live, moved by the recording.

Nothing is carried out, no model is asked and nothing can be answered here; the runs that go on meanwhile are elsewhere.
"""

from __future__ import annotations

import asyncio
import gc
from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Final, Protocol, cast

from textual import on
from textual.actions import SkipAction
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.content import Content
from textual.timer import Timer
from textual.widgets import Input, Static

from runner.errors import QuarterdeckError
from tui.render.clean import clean, visible
from tui.replaying.around import hint_line, place_line, title_line
from tui.replaying.frames import Frames, Terminal
from tui.replaying.loading import LeftError, Recording, load
from tui.replaying.painting import ReplayPainter, view_of
from tui.replaying.scrubber import Scrubber
from tui.replaying.steering import STEPS, Steering
from tui.replaying.words import waiting_words
from tui.screens.steady import Steady
from tui.screens.viewer import Viewer, call_body, call_title
from tui.terminal import frames_per_second
from tui.view import View
from tui.widgets.bars import Bar
from tui.widgets.rows import Rows
from tui.widgets.time_axis import TimeAxis
from tui.widgets.timeline import OutputTail

if TYPE_CHECKING:
    from textual.signal import Signal
    from textual.theme import Theme

    from runner.state import CallItem
    from runner.store import Store
    from tui.desk import Desk

LOOK: Final = 1.0
"""Seconds between two looks at the runs that go on meanwhile; without one there is none."""

REST: Final = 0.25
"""Seconds after which the time axis of a long session is drawn too; going elsewhere meanwhile puts it off."""

PROGRESS: Final = 0.25
"""Seconds between two words about how far the loading is."""

AXIS_COLUMNS, AXIS_LINES = 140, 44
"""The size from which the time axis has room, as in the cockpit."""

_OF_FIELD: Final = frozenset({"event_on", "event_back", "on", "back", "first", "last", "play"})
"""Steps whose keys move and write in the field, while that has the focus."""


class Program(Terminal, Protocol):
    """The application, as far as this screen needs it."""

    @property
    def theme_changed_signal(self) -> Signal[Theme]: ...


def open_replay(desk: Desk, argument: str) -> None:
    """argument: the session's id or its beginning; the one on the cockpit without it."""
    session_id = argument or desk.deck.view().session_id
    if session_id is None:
        desk.deck.say('no session is shown; "/replay ID" plays one, and the list of sessions has them')
        desk.repaint()
    else:
        desk.host.show_screen(ReplayScreen(desk, session_id))


class ReplayScreen(Steady[None]):
    KEYS: ClassVar[Mapping[str, str]] = {
        **{f"replay.{name}": f"step('{name}')" for name in STEPS},
        "replay.go": "go",
        "replay.unfold": "unfold",
        "replay.close": "close",
        "list.up": "scroll(-1)",
        "list.down": "scroll(1)",
        "list.page_up": "page(-1)",
        "list.page_down": "page(1)",
    }

    def __init__(self, desk: Desk, session_id: str) -> None:
        super().__init__()
        self._desk = desk
        self._session_id = session_id
        self._recording: Recording | None = None
        self.steering: Steering | None = None
        """None until the recording is loaded."""
        self.view = View()
        """What the widgets show."""
        self.painter = ReplayPainter(desk.keys, desk.host.theme_now)
        self._frames: Frames | None = None
        self._left = False
        self._loaded = 0
        self._watch: Timer | None = None
        self._rest: Timer | None = None
        self._title = Static("", classes="viewer-title", markup=False)
        self._loading = Static("reading the session", id="replay-loading", markup=False)
        self._waits = Bar("", id="replay-waits")
        self._field = Input(
            id="replay-field", placeholder="1:30, 40% or #120; enter goes there, esc leaves it", compact=True
        )
        self._hint = Static("", classes="picker-hint", id="replay-hint", markup=False)

    def compose(self) -> ComposeResult:
        painter = self.painter
        yield self._title
        with Horizontal(id="body"):
            with Vertical(id="main"):
                yield self._loading
                yield painter.transcript
            with Vertical(id="side"):
                yield painter.timeline
                yield painter.output
                yield painter.meters
        yield painter.axis
        yield painter.asked
        yield painter.scrubber
        yield self._field
        yield painter.meters_line
        yield painter.status
        yield self._waits
        yield self._hint

    def on_mount(self) -> None:
        program = cast("Program", self.app)  # pyright: ignore[reportUnknownMemberType]
        self._frames = Frames(
            self.set_timer, self._frame, a_second=frames_per_second(self._desk.settings.environ), terminal=program
        )
        painter = self.painter
        for widget in (painter.transcript, painter.axis, painter.asked, self._field, self._waits):
            widget.display = False
        program.theme_changed_signal.subscribe(self, self._theme_changed)
        painter.scrubber.focus()
        self._show_lines()
        self.run_worker(self._load(), group="replay", exit_on_error=False)
        if self._desk.deck.any_live:
            self._watch = self.set_interval(LOOK, self._look)
            self._look()

    def _theme_changed(self, _theme: Theme) -> None:
        self.painter.transcript.set_theme(self._desk.host.theme_now)

    # Loading

    async def _load(self) -> None:
        def told(count: int) -> None:
            if self._left:
                raise LeftError
            self._loaded = count
            # What was read lives as long as the screen and holds no cycles: the collector, which would stop the
            # screen for longer and longer, need not look at it.
            gc.freeze()

        def read(store: Store) -> Recording:
            return load(store, self._session_id, told)

        progress = self.set_interval(PROGRESS, self._show_progress)
        try:
            recording = await asyncio.wrap_future(self._desk.engine.ask(read))
        except LeftError:
            return
        except QuarterdeckError as error:
            self._loading.update(Content.styled(visible(str(error)), "$state-failed"))
            return
        finally:
            progress.stop()
        self._begin(recording)

    def _show_progress(self) -> None:
        if self._loaded:
            self._loading.update(Content.styled(f"reading the session: {self._loaded:,} events so far", "$muted"))

    def _begin(self, recording: Recording) -> None:
        self._recording = recording
        self._show_lines()
        if not len(recording.player.reel):
            self._loading.update(Content.styled("nothing of this session can be played", "$muted"))
            return
        self.steering = Steering(recording.player)
        self._loading.display = False
        self.painter.transcript.display = True
        self._ask()

    # Frames

    def _ask(self) -> None:
        """A frame, soon."""
        if self._frames is not None and self.steering is not None:
            self._frames.ask()

    def _frame(self, passed: float) -> bool:
        steering = self.steering
        if steering is None or self._left:
            return False
        goes_on = steering.pass_time(passed)
        self._paint(steering)
        return goes_on

    def _paint(self, steering: Steering) -> None:
        assert self._recording is not None
        size, painter = self.size, self.painter
        self.view = view_of(steering.player, self._recording.summary)
        behind = painter.paint(self.view, axis=size.width >= AXIS_COLUMNS and size.height >= AXIS_LINES)
        if self._rest is not None and not (behind and steering.playing):
            self._rest.stop()
            self._rest = None
        if behind and self._rest is None:
            self._rest = self.set_timer(REST, self._catch_up)
        line = place_line(steering, painter.scrubber.room, self.key_of("replay.waits"))
        painter.scrubber.show(steering.player, line)

    def _catch_up(self) -> None:
        self._rest = None
        self.painter.catch_up(self.view)

    def on_resize(self) -> None:
        # Once everything has its new size.
        self.call_after_refresh(self._show_lines)
        self.call_after_refresh(self._ask)

    def on_screen_resume(self) -> None:
        self._ask()

    def _show_lines(self) -> None:
        self._title.update(title_line(self._recording, self._title.content_size.width or 76))
        self._hint.update(hint_line(self._desk.keys, self._hint.content_size.width or 76))

    def _look(self) -> None:
        """Whether a run that goes on meanwhile waits for the person."""
        deck = self._desk.deck
        view = deck.view()
        waiting = len(view.waiting) + view.waiting_elsewhere
        said = waiting_words(waiting, limit=view.limit_asked is not None, key=self.key_of("replay.close"))
        if self._waits.display != bool(said):
            self._waits.display = bool(said)
        if said:
            self._waits.put(Content.styled(f"● {clean(said)}", "$state-waiting"))
        if not deck.any_live and self._watch is not None:
            self._watch.stop()
            self._watch = None

    # What a person does

    def action_step(self, name: str) -> None:
        if self._field.has_focus and name in _OF_FIELD:
            raise SkipAction
        if self.steering is not None:
            if self.steering.do(name):
                self.painter.transcript.follow()
            self._ask()

    @on(Scrubber.Sought)
    def _sought(self, event: Scrubber.Sought) -> None:
        event.stop()
        if self.steering is not None:
            self.steering.seek(event.moment)
            self.painter.transcript.follow()
            self._ask()

    def action_go(self) -> None:
        if self.steering is not None:
            self._field.display = True
            self._field.focus()

    @on(Input.Submitted)
    def _typed(self, event: Input.Submitted) -> None:
        event.stop()
        if self.steering is not None:
            if self.steering.go_to(event.value):
                self._leave_field()
                self.painter.transcript.follow()
            self._ask()

    def _leave_field(self) -> None:
        self._field.value = ""
        self._field.display = False
        self.painter.scrubber.focus()

    def action_close(self) -> None:
        if self._field.has_focus:
            self._leave_field()
            return
        self._left = True
        self.leave()

    def action_unfold(self) -> None:
        self.painter.transcript.toggle_all()

    def action_scroll(self, by: int) -> None:
        self.painter.transcript.scroll_relative(y=by, animate=False)

    def action_page(self, by: int) -> None:
        transcript = self.painter.transcript
        transcript.scroll_relative(y=by * max(1, transcript.size.height - 1), animate=False)

    # What is clicked

    @on(Rows.Selected)
    def _selected(self, event: Rows.Selected) -> None:
        event.stop()
        self._ask()

    @on(Rows.Chosen)
    def _chosen(self, event: Rows.Chosen) -> None:
        event.stop()
        self._view(self.painter.timeline.call)

    def on_output_tail_opened(self, event: OutputTail.Opened) -> None:
        event.stop()
        self._view(event.call)

    def on_time_axis_chosen(self, event: TimeAxis.Chosen) -> None:
        event.stop()
        self._view(event.call)

    def _view(self, call: CallItem | None) -> None:
        """All of a call, as it was at that moment."""
        if call is not None and self.steering is not None:
            self.steering.playing = False
            self._desk.host.show_screen(Viewer(call_title(call), call_body(call)))

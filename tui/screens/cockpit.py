"""The main screen: transcript, tool calls, meters, approval card, composer, status line, keys.

It lays out and passes on; what to show comes from the painter, what to do goes to the conductor. Both are loaded
after the first frame.
"""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, ClassVar, Literal

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Horizontal, Vertical
from textual.message import Message

from tui.actions import ACTIONS
from tui.keymap import Keymap
from tui.screens.steady import Steady
from tui.widgets.bars import Bar
from tui.widgets.completion import CompletionPopup
from tui.widgets.composer import Composer
from tui.widgets.rows import Rows
from tui.widgets.side_column import SideColumn
from tui.widgets.welcome import Welcome

if TYPE_CHECKING:
    from tui.screens.conducts import Conducts
    from tui.widgets.approval import ApprovalCard
    from tui.widgets.asking import Asking
    from tui.widgets.call_list import CallList
    from tui.widgets.limit_card import LimitCard
    from tui.widgets.queue_list import QueueList
    from tui.widgets.shelf import ShelfRows
    from tui.widgets.time_axis import TimeAxis
    from tui.widgets.timeline import OutputTail
    from tui.widgets.transcript import Transcript

_PANES = ("timeline", "transcript", "axis", "welcome")
"""What escape leaves for the message."""

WIDE = 100
"""Columns from which the tool calls and meters have a column of their own."""

AXIS_LINES = 28
"""Lines from which there is room for the time axis."""

BY_WIDTH = [(0, "-narrow"), (WIDE, "-wide"), (140, "-broad")]
BY_HEIGHT = [(0, "-short"), (18, "-medium"), (28, "-tall")]
"""Classes that screens have from so many columns or lines on; the stylesheet lays out by them."""


class CockpitScreen(Steady[None]):
    KEYS: ClassVar[Mapping[str, str]] = {"list.filter": "write"}

    class FrameDue(Message):
        """Something of a run waits to be shown."""

    def __init__(self, keys: Keymap, folder: str) -> None:
        super().__init__()
        self.keys = keys
        self.conductor: Conducts | None = None
        self._folder = folder
        self.axis_wanted: bool | None = None
        """Whether a person wants to see the time axis; None = by the size of the screen."""
        self._early: list[str] = []
        self._early_messages: list[str] = []
        composer_keys = {
            key: action.id for action in ACTIONS if action.scope == "composer" for key in keys.of(action.id)
        }
        self.popup = CompletionPopup(id="completion")
        self.composer = Composer(self.popup, composer_keys, self._asked, id="composer")
        self.welcome = Welcome(keys, folder, id="welcome")
        self._side = SideColumn(id="side")
        self.status = Bar("starting", id="status")
        self.key_bar = Bar("", id="keys")
        self.meters_line = Bar("", id="meters-line")

    def compose(self) -> ComposeResult:
        with Horizontal(id="body"):
            with Vertical(id="main"):
                yield self.welcome
            yield self._side
        yield Vertical(id="ask")
        yield self.popup
        yield self.composer
        yield self.meters_line
        yield self.status
        yield self.key_bar

    def on_mount(self) -> None:
        self.composer.focus()

    @property
    def wide(self) -> bool:
        return self.size.width >= WIDE

    def attach(self, conductor: Conducts) -> None:
        """The parts that show runs are there; keys pressed before are carried out now."""
        self.conductor = conductor
        self.composer.up, self.composer.escape = conductor.up, conductor.escape
        for text in self._early_messages:
            if not conductor.submit(text):
                self.composer.give_back(text)
        for action_id in self._early:
            conductor.do(action_id)
        self._early, self._early_messages = [], []

    @property
    def zen(self) -> bool:
        """Whether only the transcript and the message are shown."""
        return self.has_class("-zen")

    def concern(self, person: bool) -> None:
        """Whether there is something that the zen view shows its status line for."""
        if person != self.has_class("-concerns"):
            self.set_class(person, "-concerns")
            if self.zen and self.conductor is not None:
                self.call_after_refresh(self.conductor.repaint)

    @property
    def side_shown(self) -> bool:
        """Whether there is a column beside the transcript."""
        return self.wide and not self.zen and bool(self._side.display)

    @property
    def side_columns(self) -> int:
        return self._side.region.width

    def set_side_columns(self, width: int | None) -> None:
        """None: as the stylesheet has it."""
        self._side.styles.width = width

    @property
    def has_axis_room(self) -> bool:
        return self.wide and self.size.height >= AXIS_LINES

    @property
    def axis_shown(self) -> bool:
        """On a large screen until a person hides it, on a smaller wide one when asked for. A card needs its room."""
        wanted = self.size.width >= 140 and self.size.height >= 44 if self.axis_wanted is None else self.axis_wanted
        beside_card = not self.has_class("-asking") or self.size.height >= AXIS_LINES + 8
        return wanted and self.has_axis_room and beside_card and not self.zen

    def step_to_axis(self) -> bool:
        """Show it and go to it, or leave it from there; whether it is to be shown."""
        axis = self.query_one("#axis")
        wanted = not (axis.display and axis.has_focus)
        if wanted:
            # It is shown by the next painting, and a hidden widget takes no focus.
            axis.display = True
            axis.focus()
        else:
            self.composer.focus()
        return wanted

    @on(SideColumn.Dragged)
    def _dragged(self, event: SideColumn.Dragged) -> None:
        event.stop()
        if self.conductor is not None:
            self.conductor.panes.drag(event.width, dropped=event.dropped)

    @on(Bar.Clicked)
    def _bar_clicked(self, event: Bar.Clicked) -> None:
        event.stop()
        self._do(event.action_id)

    def on_output_tail_opened(self, event: OutputTail.Opened) -> None:
        event.stop()
        if self.conductor is not None:
            self.conductor.browsing.view_call(event.call)

    def action_write(self) -> None:
        """From a pane back to the message."""
        self.composer.focus()

    @on(FrameDue)
    def _frame(self) -> None:
        if self.conductor is not None:
            self.conductor.frame()

    def _asked(self, action_id: str) -> None:
        if self.conductor is not None:
            self.conductor.do(action_id)
        elif action_id == "newline":
            self.composer.insert_newline()
        elif action_id not in ("send", "send_now"):
            self._early.append(action_id)
        elif not self.composer.blank:
            self._early_messages.append(self.composer.take())

    @on(Composer.LeftOut)
    def _left_out(self, event: Composer.LeftOut) -> None:
        event.stop()
        if self.conductor is not None:
            self.conductor.left_out(event.number)

    @on(Composer.Completing)
    def _completing(self, event: Composer.Completing) -> None:
        event.stop()
        if self.conductor is not None:
            self.conductor.complete(event.word)

    @on(Rows.Selected)
    def _row_selected(self, event: Rows.Selected) -> None:
        event.stop()
        if self.conductor is not None:
            self.conductor.repaint()

    @on(Rows.Chosen)
    def _row_chosen(self, event: Rows.Chosen) -> None:
        event.stop()
        if self.conductor is not None and event.rows.id == "timeline":
            self.conductor.view_selected_call()

    def on_welcome_offered(self, event: Welcome.Offered) -> None:
        event.stop()
        self.composer.focus()
        self._do(event.action_id)

    def on_welcome_typed(self, event: Welcome.Typed) -> None:
        event.stop()
        self._typed(event.text)

    def on_time_axis_selected(self, event: TimeAxis.Selected) -> None:
        event.stop()
        if self.conductor is not None:
            self.conductor.repaint()

    def on_time_axis_chosen(self, event: TimeAxis.Chosen) -> None:
        event.stop()
        if self.conductor is not None:
            self.conductor.browsing.view_bar(event.bar, event.call)

    def on_descendant_focus(self) -> None:
        """What the next key does depends on where the focus is."""
        if self.conductor is not None:
            self.conductor.repaint()

    def on_key(self, event: events.Key) -> None:
        """Escape leaves a pane before it means anything else; tab goes to the card while there is one."""
        focused = self.focused
        if event.key == "escape" and focused is not None and focused.id in _PANES:
            event.stop()
            # Where escape leads into the transcript, it does not lead out of it.
            if focused.id != "transcript" or "escape" not in self.keys.of("composer.leave"):
                self.composer.focus()
        elif event.key == "tab" and focused is self.composer and self._can("approval.focus"):
            event.stop()
            self._do("approval.focus")

    def on_resize(self) -> None:
        if self.conductor is not None:
            self.conductor.panes.fit()
            self.call_after_refresh(self.conductor.repaint)

    def on_screen_resume(self) -> None:
        if self.conductor is not None:
            self.conductor.repaint()

    def _can(self, action_id: str) -> bool:
        return self.conductor is not None and self.conductor.can(action_id)

    def _do(self, action_id: str) -> None:
        if self.conductor is not None:
            self.conductor.do(action_id)

    def scroll_transcript(self, where: Literal["page_up", "page_down", "top", "end"]) -> None:
        for transcript in self.query("#transcript"):
            page = max(1, transcript.size.height - 1)
            match where:
                case "page_up":
                    transcript.scroll_relative(y=-page, animate=False)
                case "page_down":
                    transcript.scroll_relative(y=page, animate=False)
                case "top":
                    transcript.scroll_home(animate=False)
                case "end":
                    transcript.scroll_end(animate=False)

    def on_approval_card_decided(self, event: ApprovalCard.Decided) -> None:
        event.stop()
        if self.conductor is not None:
            self.conductor.answers.decide(event)

    def on_approval_card_view_all(self, event: ApprovalCard.ViewAll) -> None:
        event.stop()
        if self.conductor is not None:
            self.conductor.browsing.view_call(event.call)

    def on_approval_card_try_on_history(self, event: ApprovalCard.TryOnHistory) -> None:
        event.stop()
        if self.conductor is not None:
            self.conductor.answers.try_on_history(event)

    def on_approval_card_edit_outside(self, event: ApprovalCard.EditOutside) -> None:
        event.stop()
        if self.conductor is not None:
            self.conductor.answers.edit_outside(event)

    def on_limit_card_decided(self, event: LimitCard.Decided) -> None:
        event.stop()
        if self.conductor is not None:
            self.conductor.answers.decide_limit(event)

    def on_queue_list_stepped(self, event: QueueList.Stepped) -> None:
        event.stop()
        if self.conductor is not None:
            self.conductor.queue.step(event.step)
            self.conductor.repaint()

    def on_call_list_cancelled(self, event: CallList.Cancelled) -> None:
        event.stop()
        if self.conductor is not None:
            self.conductor.answers.cancel_call(event.call)

    def on_transcript_asked(self, event: Transcript.Asked) -> None:
        event.stop()
        self._do(event.action_id)

    def on_transcript_block_picked(self, event: Transcript.BlockPicked) -> None:
        event.stop()
        if self.conductor is not None:
            self.conductor.reading.pick_code(event.number)
            self.conductor.repaint()

    def on_transcript_item_marked(self, event: Transcript.ItemMarked) -> None:
        """What the keys do depends on the item."""
        event.stop()
        if self.conductor is not None:
            self.conductor.repaint()

    def on_transcript_typed(self, event: Transcript.Typed) -> None:
        event.stop()
        self._typed(event.text)

    def on_asking_typed(self, event: Asking.Typed) -> None:
        event.stop()
        self._typed(event.text)

    def on_shelf_rows_typed(self, event: ShelfRows.Typed) -> None:
        event.stop()
        self._typed(event.text)

    def _typed(self, text: str) -> None:
        if self.conductor is not None:
            self.conductor.typed(text)

    def on_asking_left(self, event: Asking.Left) -> None:
        event.stop()
        self.composer.focus()

    def on_shelf_rows_left(self, event: ShelfRows.Left) -> None:
        event.stop()
        self.composer.focus()
        if event.up:
            self.composer.recall_older()

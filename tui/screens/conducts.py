"""Who carries out what happens on the main screen: its parts, as far as the screen needs them.

Only types: the parts themselves are loaded after the first frame.
"""

from __future__ import annotations

from typing import TYPE_CHECKING, Protocol

from tui.actions import QueueStep

if TYPE_CHECKING:
    from runner.state import CallItem
    from tui.render.lanes import Bar as TimeBar
    from tui.widgets.approval import ApprovalCard
    from tui.widgets.completion import Word
    from tui.widgets.limit_card import LimitCard


class Answers(Protocol):
    """What becomes of the answers that are given on cards."""

    def decide(self, decided: ApprovalCard.Decided) -> None: ...

    def try_on_history(self, asked: ApprovalCard.TryOnHistory) -> None: ...

    def edit_outside(self, asked: ApprovalCard.EditOutside) -> None: ...

    def decide_limit(self, decided: LimitCard.Decided) -> None: ...

    def cancel_call(self, call: CallItem) -> None: ...


class Browsing(Protocol):
    def view_call(self, call: CallItem) -> None: ...

    def view_bar(self, bar: TimeBar, call: CallItem | None) -> None: ...


class Reading(Protocol):
    def pick_code(self, number: int) -> None: ...


class Queue(Protocol):
    def step(self, step: QueueStep) -> None: ...


class Panes(Protocol):
    def drag(self, width: int | None, *, dropped: bool) -> None: ...

    def fit(self) -> None: ...


class Conducts(Protocol):
    """Who carries out what happens on the screen."""

    @property
    def answers(self) -> Answers: ...

    @property
    def browsing(self) -> Browsing: ...

    @property
    def queue(self) -> Queue: ...

    @property
    def reading(self) -> Reading: ...

    @property
    def panes(self) -> Panes: ...

    def do(self, action_id: str) -> bool: ...

    def can(self, action_id: str) -> bool: ...

    def up(self) -> bool: ...

    def escape(self) -> bool: ...

    def submit(self, text: str) -> bool: ...

    def frame(self) -> None: ...

    def repaint(self) -> None: ...

    def complete(self, word: Word | None) -> None: ...

    def typed(self, text: str) -> None: ...

    def left_out(self, number: int) -> None: ...

    def view_selected_call(self) -> None: ...

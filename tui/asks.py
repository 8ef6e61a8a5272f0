"""What waits for the person's answer: which card is up, and when it may take the focus."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING, Literal

from tui.approving import Around
from tui.arming import QUIET
from tui.keymap import Keymap
from tui.meters import pace_words
from tui.view import Answering, View
from tui.widgets.approval import ApprovalCard
from tui.widgets.limit_card import LimitCard

if TYPE_CHECKING:
    from tui.screens.cockpit import CockpitScreen
    from tui.widgets.asking import Asking

Front = Literal["approval", "limit"]


class Asks:
    """One card at a time, the oldest question first; the other one is a key away."""

    def __init__(
        self, screen: CockpitScreen, keys: Keymap, *, now: Callable[[], float], last_input: Callable[[], float]
    ) -> None:
        self._screen = screen
        self._now = now
        self._last_input = last_input
        self.approval = ApprovalCard(keys, now=now, last_input=last_input, id="card")
        self.limit = LimitCard(keys, now=now, last_input=last_input, id="limit-card")
        self._front: Front = "approval"
        self._chosen = False
        self._both = False

    @property
    def card(self) -> Asking:
        """The card that is up, or would be."""
        return self.approval if self._front == "approval" else self.limit

    @property
    def answering(self) -> Answering:
        return self.approval.answering or self.limit.answering

    def focus(self) -> None:
        """Go to the card; from there to the other question, where there is one."""
        if self._both and self.answering in ("choose", "question", "limit"):
            self._front = "limit" if self._front == "approval" else "approval"
            self._chosen = True
        if not self.card.has_focus_within:
            self.card.display = True
            self.card.take_focus()

    def paint(self, view: View) -> None:
        had_focus = bool(self.answering)
        came_up = self._show(view)
        asks = bool(view.waiting) or view.limit_asked is not None
        self._screen.set_class(asks and self._front == "approval", "-asking")
        if not asks:
            if had_focus:
                self._screen.composer.focus()
        elif came_up and had_focus:
            self.card.take_focus()
        elif came_up:
            self._offer_focus(self.card.question_id, self._now())

    def _show(self, view: View) -> bool:
        """Whether a question came up that was not here before."""
        asked = view.limit_asked
        approvals = [call.asked.mono for call in view.waiting if call.asked is not None]
        before_limit = 0 if asked is None else sum(mono <= asked.mono for mono in approvals)
        self._both = asked is not None and bool(approvals)
        if not self._both:
            self._chosen = False
        if not self._chosen:
            self._front = "approval" if approvals and (asked is None or before_limit) else "limit"
        total = len(approvals) + (asked is not None)
        around = Around(run=len(view.runs), elsewhere=view.waiting_elsewhere, refused=view.refused, sent=view.sent)
        if self._front == "approval":
            self.limit.show(None)
            before = 0 if asked is None or before_limit else 1
            return self.approval.show(view.waiting, around, before=before, total=total)
        self.approval.show((), around)
        pace = "" if asked is None else pace_words(view, asked.limit)
        return self.limit.show(asked, pace, place=before_limit + 1, of=total)

    def _offer_focus(self, question_id: str, came_up: float) -> None:
        """The card takes the focus by itself only from an empty message, after a quiet moment, and before any key."""
        composer = self._screen.composer
        idle = self._screen.focused is composer and composer.blank and self._last_input() <= came_up
        if not question_id or question_id != self.card.question_id or not idle:
            return
        left = self._last_input() + QUIET - self._now()
        if left > 0:
            self._screen.set_timer(left + 0.01, lambda: self._offer_focus(question_id, came_up))
        else:
            self.card.focus()

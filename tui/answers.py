"""What a person answers: to a call that asks, at a limit, and which running call to end."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from tui.actions import Choice, FormStep, LimitChoice, ScreenName

if TYPE_CHECKING:
    from runner.state import CallItem
    from tui.deck import Deck
    from tui.desk import Desk
    from tui.orders import Orders
    from tui.painter import Painter
    from tui.widgets.approval import ApprovalCard
    from tui.widgets.limit_card import LimitCard


class Answers:
    def __init__(
        self,
        *,
        desk: Desk,
        painter: Painter,
        deck: Deck,
        orders: Orders,
        open_screen: Callable[[ScreenName], None],
        focus_composer: Callable[[], None],
        repaint: Callable[[], None],
    ) -> None:
        self._desk = desk
        self._painter = painter
        self._deck = deck
        self._orders = orders
        self._open_screen = open_screen
        self._focus_composer = focus_composer
        self._repaint = repaint

    def focus(self) -> None:
        """Go to the card that is up."""
        self._painter.asks.focus()

    def choose(self, choice: Choice) -> None:
        self._painter.asks.approval.choose(choice)

    def form(self, step: FormStep) -> None:
        self._painter.asks.approval.press_form(step)

    def choose_limit(self, choice: LimitChoice) -> None:
        self._painter.asks.limit.choose(choice)

    def decide(self, decided: ApprovalCard.Decided) -> None:
        self._deck.decide(decided.answer)
        self._desk.reflexes.answered()
        self._repaint()

    def edit_outside(self, asked: ApprovalCard.EditOutside) -> None:
        """Lend the terminal to the person's editor; what comes back is looked at on the card before it counts."""
        from tui.outside_editor import EditorError, edit

        card = self._painter.asks.approval
        try:
            text = edit(asked.text, asked.suffix, self._desk.settings.environ, self._desk.host.suspend)
        except EditorError as error:
            card.edited_outside(asked.request_id, None, str(error))
        else:
            card.edited_outside(asked.request_id, text)
        self._repaint()

    def try_on_history(self, asked: ApprovalCard.TryOnHistory) -> None:
        """What a pattern of the card would have allowed so far; nothing is decided by looking."""
        from tui.rule_line import Draft
        from tui.screens.trial import open_trial_of

        draft = Draft(effect=asked.effect, patterns=asked.patterns, tool=asked.tool, arguments=asked.arguments)
        open_trial_of(self._desk, draft)

    def decide_limit(self, decided: LimitCard.Decided) -> None:
        """What to do at the limit that the run asks about."""
        match decided.choice:
            case "model":
                self._open_screen("models")
            case "wrap_up":
                self._orders.give("wrap_up")
            case "stop":
                self._deck.press_stop()
            case _:
                self._orders.set_limit(decided.limit, decided.value)
        self._repaint()

    def cancel_tool(self) -> None:
        """The call that is selected in the tool calls, or the only one; else the person chooses."""
        calls = self._deck.view().running_calls
        selected = self._painter.timeline.call if self._painter.timeline.has_focus else None
        if selected is not None and selected in calls:
            self._orders.cancel(selected)
        elif len(calls) == 1:
            self._orders.cancel(calls[0])
        else:
            self._painter.calls.ask(calls, self._deck.view().now)

    def cancel_call(self, call: CallItem) -> None:
        """The call that was chosen from the list."""
        self._painter.calls.close()
        self._focus_composer()
        self._orders.cancel(call)
        self._repaint()

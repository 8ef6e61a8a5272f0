"""The approval card: what will run, exactly, and the choices. It shows the state and never outlives it.

It takes a decision only while it has the focus itself, only after a quiet moment, and never in a burst of keys:
what turns out to be typing goes to the message instead.
"""

from __future__ import annotations

import json
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, cast

from textual import events, on
from textual.app import ComposeResult
from textual.containers import Vertical, VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.timer import Timer
from textual.widgets import Input, Static, TextArea

from tui.actions import Choice
from tui.arming import BURST, Arming
from tui.keymap import Keymap
from tui.preview import Preview, marked, preview
from tui.render.clean import clean, visible
from tui.view import Answering
from tui.widgets.choices import NARROW, SAFE, Choices
from tui.words import one_line

if TYPE_CHECKING:
    from runner.events import Decision, Scope
    from runner.state import ApprovalView, CallItem

_DIRECT: dict[Choice, tuple[Decision, Scope]] = {
    "allow": ("allow", "call"),
    "allow_run": ("allow", "run"),
    "deny": ("deny", "call"),
    "end_run": ("end_run", "call"),
}


MOST_LINES = 16
"""Lines of a preview on the card; the whole of it has a screen of its own."""


class ApprovalCard(Vertical, can_focus=True):
    class Decided(Message):
        def __init__(
            self,
            request_id: str,
            decision: Decision,
            *,
            scope: Scope = "call",
            reason: str = "",
            arguments: dict[str, Any] | None = None,
        ) -> None:
            super().__init__()
            self.request_id = request_id
            self.decision: Decision = decision
            self.scope: Scope = scope
            self.reason = reason
            self.arguments = arguments

    class ViewAll(Message):
        def __init__(self, call: CallItem) -> None:
            super().__init__()
            self.call = call

    class Typed(Message):
        """Text that was meant for the message."""

        def __init__(self, text: str) -> None:
            super().__init__()
            self.text = text

    class Left(Message):
        """The person goes back to the message."""

    def __init__(
        self, keys: Keymap, *, now: Callable[[], float], last_input: Callable[[], float], id: str | None = None
    ) -> None:
        super().__init__(id=id)
        self.display = False
        self.arming = Arming()
        self._keys = keys
        self._now = now
        self._last_input = last_input
        self._call: CallItem | None = None
        self._preview: Preview | None = None
        self._hidden = 0
        self._waiting = 0
        self._pending: tuple[Choice, str] | None = None
        self._typing = False
        self._timer: Timer | None = None
        self._decide_timer: Timer | None = None
        self._by_key: dict[str, Choice] = {
            key: cast("Choice", action_id.partition(".")[2])
            for action_id in keys.keys
            if action_id.startswith("approval.") and action_id != "approval.focus"
            for key in keys.of(action_id)
        }

    def compose(self) -> ComposeResult:
        yield Static("", id="card-title", markup=False)
        with VerticalScroll(id="card-body", can_focus=False):
            yield Static("", id="card-text", markup=False)
        yield Static("", id="card-facts", markup=False)
        yield Choices(id="card-choices")

    @property
    def answering(self) -> Answering:
        """What of the card has the focus."""
        if self.has_focus:
            return "choose"
        if not self.has_focus_within:
            return ""
        return "edit" if self.query("#card-edit") else "reason"

    @property
    def request_id(self) -> str:
        approval = self._approval
        return approval.request_id if approval else ""

    @property
    def _approval(self) -> ApprovalView | None:
        return self._call.approval if self._call else None

    def show(self, waiting: tuple[CallItem, ...]) -> bool:
        """Show the oldest call that waits, or nothing. Whether a request came up that was not here before."""
        call = waiting[0] if waiting else None
        before, shown_before = self.request_id, self._waiting
        self._call, self._waiting = call, len(waiting)
        if self.request_id == before:
            if call is not None and len(waiting) != shown_before:
                self._show_title()
            return False
        self._forget_pending()
        self._close_inputs()
        self.display = call is not None
        self._preview = preview(call.approval) if call is not None and call.approval is not None else None
        if call is None:
            return False
        self.query_one(Choices).marked = SAFE
        self.query_one("#card-body", VerticalScroll).scroll_home(animate=False)
        self._fill()
        self._rearm()
        return True

    def _fill(self) -> None:
        if self._preview is None:
            return
        self.query_one("#card-text", Static).update(self._preview.body)
        self._show_title()
        self._show_choices()
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        """The preview gets what is left when the choices, the message and a little of the transcript have theirs."""
        others = self.query_one(Choices).lines + self.query_one("#card-facts").size.height + self.gutter.height
        below = self.screen.query("#composer, #meters-line, #status, #keys")
        reserved = (
            others
            + self.query_one("#card-title").size.height
            + sum(part.outer_size.height for part in below if part.display)
        )
        self.query_one("#card-body").styles.max_height = max(2, min(MOST_LINES, self.screen.size.height - reserved - 2))
        self.call_after_refresh(self._show_facts)

    @property
    def _narrow(self) -> bool:
        return self.screen.size.width < NARROW

    def _show_title(self) -> None:
        if self._preview is None:
            return
        place = f"1 of {self._waiting}: " if self._waiting > 1 else ""
        lead = "" if self._narrow else "waiting for you: "
        title = Content.assemble(
            (f"{lead}{place}", f"bold ${self._preview.token}"),
            (visible(one_line(self._preview.title)), "bold $foreground"),
        )
        self.query_one("#card-title", Static).update(title)

    def _show_facts(self) -> None:
        """Where and why; first of all, how much of the preview is not visible."""
        approval = self._approval
        if approval is None or self._preview is None:
            return
        body = self.query_one("#card-body", VerticalScroll)
        self._hidden = max(0, body.virtual_size.height - body.size.height)
        facts = [visible(one_line(fact)) for fact in self._preview.facts]
        if approval.why:
            facts.append(clean(f"asks because {one_line(approval.why)}".rstrip(".")))
        content = Content.styled(" · ".join(facts), "$muted")
        if self._hidden:
            more = f"{self._hidden} more lines: up and down scroll, {self._keys.show('approval.view')} shows all · "
            content = Content.styled(more, "$state-waiting") + content
        self.query_one("#card-facts", Static).update(content)
        self._show_choices()

    def _show_choices(self) -> None:
        tool = clean(self._call.tool) if self._call else ""
        narrow = self._narrow
        if not self.has_focus:
            state = f"{self._keys.show('approval.focus')} to answer"
            words, token = (state if narrow else f"{state}; letters go to your message"), "state-waiting"
        elif self._pending is not None:
            words, token = "taking that answer", "state-ok"
        elif self.arming.armed:
            words, token = ("armed" if narrow else "armed: your next key decides"), "state-ok"
        else:
            words, token = ("wait" if narrow else "wait: the keys count after a quiet moment"), "muted"
        if self._hidden and narrow:
            words += f", {self._hidden} more lines"
        self.query_one(Choices).show(tool, self._keys, live=self.has_focus and self.arming.armed, head=(words, token))

    def _rearm(self) -> None:
        self.arming.reset(self._now())
        self._check_arming()

    def _check_arming(self) -> None:
        if self._timer is not None:
            self._timer.stop()
            self._timer = None
        if self._call is not None and self.has_focus:
            left = self.arming.wait(self._now(), self._last_input())
            if left > 0:
                self._timer = self.set_timer(left + 0.01, self._check_arming)
        self._show_choices()

    def _watch_has_focus(self, focus: bool) -> None:
        self._typing = False
        if not focus:
            self._forget_pending()
        self._rearm()

    def on_resize(self) -> None:
        if self.answering in ("", "choose"):
            self.call_after_refresh(self._fit)

    def on_key(self, event: events.Key) -> None:
        if not self.has_focus:
            self._key_of_input(event)
            return
        choice = self._by_key.get(event.key)
        typed = event.character if event.is_printable else None
        if typed and (self._pending is not None or self._typing):
            event.stop()
            self._type((self._pending[1] if self._pending else "") + typed)
        elif choice is not None or event.key == "enter":
            event.stop()
            self._press(choice or self.query_one(Choices).marked, typed or "")
        elif typed:
            event.stop()
            self._type(typed)
        else:
            self._navigate(event)

    def _navigate(self, event: events.Key) -> None:
        body = self.query_one("#card-body", VerticalScroll)
        match event.key:
            case "up":
                body.scroll_relative(y=-1, animate=False)
            case "down":
                body.scroll_relative(y=1, animate=False)
            case "left":
                self.query_one(Choices).move(-1)
            case "right":
                self.query_one(Choices).move(1)
            case "escape":
                self.post_message(self.Left())
            case _:
                return
        event.stop()

    def _press(self, choice: Choice, typed: str) -> None:
        """A key that decides: it counts when armed, and when no further key shows that it was typing."""
        if not self.arming.armed:
            self._check_arming()
            return
        self._forget_pending()
        self._pending = (choice, typed)
        self._decide_timer = self.set_timer(BURST, self._commit)
        self._show_choices()

    def _commit(self) -> None:
        pending, self._pending = self._pending, None
        if pending is not None and self.has_focus and self.arming.armed:
            self.choose(pending[0])

    def _forget_pending(self) -> None:
        self._pending = None
        if self._decide_timer is not None:
            self._decide_timer.stop()
            self._decide_timer = None

    def _type(self, text: str) -> None:
        """It was typing: the text goes to the message, and nothing is decided."""
        self._forget_pending()
        self._typing = True
        self.arming.reset(self._now())
        self.post_message(self.Typed(text))

    def on_paste(self, event: events.Paste) -> None:
        if self.has_focus:
            event.stop()
            self._type(event.text)

    @on(Choices.Clicked)
    def _clicked(self, event: Choices.Clicked) -> None:
        event.stop()
        if self.has_focus and self.arming.armed:
            self.choose(event.choice)

    def choose(self, choice: Choice) -> None:
        """Carry out a choice that counts."""
        call, request_id = self._call, self.request_id
        if call is None:
            return
        if choice in _DIRECT:
            decision, scope = _DIRECT[choice]
            self.post_message(self.Decided(request_id, decision, scope=scope))
        elif choice == "view":
            self.post_message(self.ViewAll(call))
        elif choice == "deny_reason":
            self._open(Input(placeholder="why not?", id="card-reason"))
        else:
            arguments = call.approval.arguments if call.approval else {}
            area = TextArea(json.dumps(arguments, indent=2, ensure_ascii=False), id="card-edit")
            area.cursor_blink = False
            self._open(area)

    def _open(self, widget: Input | TextArea) -> None:
        self._close_inputs()
        choices = self.query_one(Choices)
        self.query_one("#card-body").display = isinstance(widget, Input)
        self.mount(widget, before=choices)
        does = "enter denies, and the model reads why" if isinstance(widget, Input) else "ctrl+s allows it as edited"
        self._say(f"{does}; esc goes back", "muted")
        choices.display = False
        widget.focus()

    def _close_inputs(self) -> None:
        for widget in self.query("#card-reason, #card-edit"):
            widget.remove()
        self.query_one("#card-body").display = True
        self.query_one(Choices).display = True

    def _key_of_input(self, event: events.Key) -> None:
        """Keys that the input or the editor left over."""
        if event.key == "escape":
            event.stop()
            self._close_inputs()
            self._fill()
            self.focus()
        elif event.key == "ctrl+s" and self.query("#card-edit"):
            event.stop()
            self._allow_edited(self.query_one("#card-edit", TextArea).text)

    @on(Input.Submitted)
    def _deny_with_reason(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Decided(self.request_id, "deny", reason=event.value.strip()))

    def _allow_edited(self, text: str) -> None:
        try:
            arguments: object = json.loads(text)
        except ValueError as error:
            self._say(f"not JSON: {error}", "state-failed")
            return
        if not isinstance(arguments, dict):
            self._say("the arguments are a JSON object, in braces", "state-failed")
            return
        self.post_message(self.Decided(self.request_id, "edit", arguments=cast("dict[str, Any]", arguments)))

    def _say(self, text: str, token: str) -> None:
        self.query_one("#card-facts", Static).update(marked(text, f"${token}"))

"""The approval card: what will run, exactly, and the choices. It shows the state and never outlives it."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Any, cast

from textual import on
from textual.containers import VerticalScroll
from textual.content import Content
from textual.message import Message
from textual.widgets import Input, TextArea

from tui.keymap import Keymap
from tui.preview import Preview, preview
from tui.render.clean import clean, visible
from tui.view import Answering
from tui.widgets.asking import Asking, each_choice
from tui.widgets.choices import Option
from tui.words import one_line

if TYPE_CHECKING:
    from runner.events import Decision, Scope
    from runner.state import ApprovalView, CallItem

ORDER: tuple[tuple[str, str, str], ...] = (
    ("allow", "allow once", "allow"),
    ("allow_run", "allow {tool} for this run", "for run"),
    ("deny", "deny", "deny"),
    ("deny_reason", "deny, saying why", "why"),
    ("edit", "edit", "edit"),
    ("view", "view all", "view"),
    ("end_run", "end run", "end"),
)
"""The choice, and its words for a wide and for a narrow card."""

SAFE = "deny"
"""What enter does unless another choice is marked."""

_DIRECT: dict[str, tuple[Decision, Scope]] = {
    "allow": ("allow", "call"),
    "allow_run": ("allow", "run"),
    "deny": ("deny", "call"),
    "end_run": ("end_run", "call"),
}


class ApprovalCard(Asking):
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

    def __init__(
        self, keys: Keymap, *, now: Callable[[], float], last_input: Callable[[], float], id: str | None = None
    ) -> None:
        choices = each_choice("approval", keys.keys, "approval.focus")
        super().__init__(keys, choices, now=now, last_input=last_input, id=id)
        self._call: CallItem | None = None
        self._preview: Preview | None = None
        self._hidden = 0
        self._waiting = 0
        self._place = 0

    @property
    def answering(self) -> Answering:
        if self.has_focus:
            return "choose"
        if not self.has_focus_within:
            return ""
        return "edit" if self.query("#card-edit") else "reason"

    @property
    def question_id(self) -> str:
        return self.request_id

    @property
    def request_id(self) -> str:
        approval = self._approval
        return approval.request_id if approval else ""

    @property
    def _approval(self) -> ApprovalView | None:
        return self._call.approval if self._call else None

    def show(self, waiting: Sequence[CallItem], *, place: int = 1, of: int | None = None) -> bool:
        """Show the oldest call that waits, or nothing. Whether a request came up that was not here before.

        place, of: the question's place among all that wait.
        """
        call = waiting[0] if waiting else None
        before, shown_before = self.request_id, (self._place, self._waiting)
        self._call, self._place, self._waiting = call, place, len(waiting) if of is None else of
        if self.request_id == before:
            if call is not None and (self._place, self._waiting) != shown_before:
                self._show_title()
            return False
        self.close_input()
        self.display = call is not None
        self._preview = preview(call.approval) if call is not None and call.approval is not None else None
        if call is None:
            return False
        self.ask(SAFE)
        self.show_again()
        return True

    def show_again(self) -> None:
        if self._preview is None:
            return
        self.text.update(self._preview.body)
        self._show_title()
        self.show_choices()
        self.call_after_refresh(self._fit)

    def _fit(self) -> None:
        self.fit(then=self._show_facts)

    def _show_title(self) -> None:
        if self._preview is None:
            return
        place = f"{self._place} of {self._waiting}: " if self._waiting > 1 else ""
        lead = "" if self.narrow else "waiting for you: "
        title = Content.assemble(
            (f"{lead}{place}", f"bold ${self._preview.token}"),
            (visible(one_line(self._preview.title)), "bold $foreground"),
        )
        self.title.update(title)

    def _show_facts(self) -> None:
        """Where and why; first of all, how much of the preview is not visible."""
        approval = self._approval
        if approval is None or self._preview is None:
            return
        body: VerticalScroll = self.body
        self._hidden = max(0, body.virtual_size.height - body.size.height)
        facts = [visible(one_line(fact)) for fact in self._preview.facts]
        if approval.why:
            facts.append(clean(f"asks because {one_line(approval.why)}".rstrip(".")))
        content = Content.styled(" · ".join(facts), "$muted")
        if self._hidden:
            more = f"{self._hidden} more lines: up and down scroll, {self.keys.show('approval.view')} shows all · "
            content = Content.styled(more, "$state-waiting") + content
        self.facts.update(content)
        self.show_choices()

    def options(self) -> Sequence[Option]:
        tool = clean(self._call.tool) if self._call else ""
        return [
            Option(choice, self.keys.show(f"approval.{choice}"), words.format(tool=tool), short)
            for choice, words, short in ORDER
        ]

    def remark(self) -> str:
        return f", {self._hidden} more lines" if self._hidden else ""

    def on_resize(self) -> None:
        if self.answering in ("", "choose"):
            self.call_after_refresh(self._fit)

    def choose(self, choice: str) -> None:
        call, request_id = self._call, self.request_id
        if call is None:
            return
        if choice in _DIRECT:
            decision, scope = _DIRECT[choice]
            self.post_message(self.Decided(request_id, decision, scope=scope))
        elif choice == "view":
            self.post_message(self.ViewAll(call))
        elif choice == "deny_reason":
            self._open(Input(placeholder="why not?", id="card-reason", classes="card-input"))
        elif choice == "edit":
            arguments = call.approval.arguments if call.approval else {}
            area = TextArea(json.dumps(arguments, indent=2, ensure_ascii=False), id="card-edit")
            area.cursor_blink = False
            self._open(area)

    def _open(self, widget: Input | TextArea) -> None:
        self.close_input()
        self.body.display = isinstance(widget, Input)
        self.mount(widget, before=self.choices)
        does = "enter denies, and the model reads why" if isinstance(widget, Input) else "ctrl+s allows it as edited"
        self.say(f"{does}; esc goes back", "muted")
        self.choices.display = False
        widget.focus()

    def close_input(self) -> None:
        for widget in self.query("#card-reason, #card-edit"):
            widget.remove()
        self.quiet()
        self.body.display = True
        self.choices.display = True

    @on(Input.Submitted)
    def _deny_with_reason(self, event: Input.Submitted) -> None:
        event.stop()
        self.post_message(self.Decided(self.request_id, "deny", reason=event.value.strip()))

    def confirm_input(self) -> bool:
        editors = list(self.query("#card-edit").results(TextArea))
        for editor in editors:
            self._allow_edited(editor.text)
        return bool(editors)

    def _allow_edited(self, text: str) -> None:
        try:
            arguments: object = json.loads(text)
        except ValueError as error:
            self.say(f"not JSON: {error}", "state-failed")
            return
        if not isinstance(arguments, dict):
            self.say("the arguments are a JSON object, in braces", "state-failed")
            return
        self.post_message(self.Decided(self.request_id, "edit", arguments=cast("dict[str, Any]", arguments)))

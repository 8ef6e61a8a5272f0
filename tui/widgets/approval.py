"""The approval card: what will run, exactly, and the choices; also the questions of running calls. It shows the state
and never outlives it."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING

from rich.cells import cell_len
from textual import events, on
from textual.app import ComposeResult
from textual.containers import VerticalScroll
from textual.content import Content
from textual.widgets import Static

from tui.approving import Around, behind, countdown, risk_line
from tui.form_fields import MOST_CHARACTERS, as_json
from tui.keymap import Keymap
from tui.marked import marked
from tui.preview import Preview, preview
from tui.view import Answering
from tui.widgets import approval_messages
from tui.widgets.allow_for import AllowForForm
from tui.widgets.answers import Answers
from tui.widgets.argument_form import ArgumentForm
from tui.widgets.asking import each_choice
from tui.widgets.call_choices import call_options, direct
from tui.widgets.card_form import CardForm
from tui.widgets.choices import Choices, Option
from tui.widgets.form_card import FormCard
from tui.widgets.form_kinds import FORMS, make_form
from tui.widgets.question import Question
from tui.words import count, cut, one_line

if TYPE_CHECKING:
    from runner.control.commands import Decide
    from runner.state import ApprovalView, CallItem

SAFE = "deny"
"""What enter does unless another choice is marked."""

MOST_FACTS = 3
"""Lines of facts."""


class ApprovalCard(FormCard):
    Decided = approval_messages.Decided
    ViewAll = approval_messages.ViewAll
    TryOnHistory = approval_messages.TryOnHistory
    EditOutside = approval_messages.EditOutside

    def __init__(
        self, keys: Keymap, *, now: Callable[[], float], last_input: Callable[[], float], id: str | None = None
    ) -> None:
        choices = each_choice("approval", keys.keys, "approval.focus")
        super().__init__(keys, choices, now=now, last_input=last_input, id=id)
        self._question_keys = self._by_key | {
            key: choice for action, choice in each_choice("question", keys.keys).items() for key in keys.of(action)
        }
        self._waiting: tuple[CallItem, ...] = ()
        self._index = 0
        self._before_all = 0
        self._total = 0
        self._around = Around()
        self._preview: Preview | None = None
        self._hidden = 0
        self._question: Question | None = None

    def compose(self) -> ComposeResult:
        yield Static("", classes="card-title", markup=False)
        yield Static("", classes="card-risk", markup=False)
        with VerticalScroll(classes="card-body", can_focus=False):
            yield Static("", classes="card-text", markup=False)
            yield Answers()
        yield Static("", classes="card-facts", markup=False)
        yield Choices()

    @property
    def answering(self) -> Answering:
        form = self.forms.open
        if self.has_focus:
            return "choose" if self._question is None else "question"
        if not self.has_focus_within or form is None:
            return ""
        return form.answering

    @property
    def question_id(self) -> str:
        return self.request_id

    @property
    def request_id(self) -> str:
        approval = self._approval
        return approval.request_id if approval else ""

    @property
    def _call(self) -> CallItem | None:
        return self._waiting[self._index] if self._waiting else None

    @property
    def _approval(self) -> ApprovalView | None:
        return self._call.asked if self._call else None

    def show(
        self,
        waiting: Sequence[CallItem],
        around: Around,
        *,
        before: int = 0,
        total: int | None = None,
    ) -> bool:
        """Show what waits: the one that was shown before as long as it waits, else the next one in its place.

        before: questions of other cards that came earlier. total: all that wait. Whether another request is shown now.
        """
        shown, self._around = self.request_id, around
        self._before_all, self._total = before, len(waiting) if total is None else total
        ids = [call.asked.request_id if call.asked else "" for call in waiting]
        index = ids.index(shown) if shown in ids else min(self._index, len(ids) - 1)
        self._waiting, self._index = tuple(waiting), max(0, index)
        self.forms.keep_only({*ids, *self._around.sent, *self._around.refused})
        if self.request_id == shown:
            if shown:
                self._show_title()
                self._show_risk()
                self.show_choices()
            return False
        return self._show_other()

    def _show_other(self) -> bool:
        """Another request than before; whether there is one."""
        self.close_input()
        approval = self._approval
        self.display = approval is not None
        if approval is None:
            self._preview = self._question = None
            return False
        self._question = Question(approval) if approval.asks == "question" else None
        self.ask("" if self._question else SAFE)
        self.show_again()
        refused = self._around.refused.get(approval.request_id)
        kept = self.forms.kept(approval.request_id)
        if refused and kept is not None:
            self._open(kept[1]).tell(refused)
        return True

    def _step(self, by: int) -> None:
        """See another one that waits, without an answer to this one."""
        if len(self._waiting) > 1:
            self._index = (self._index + by) % len(self._waiting)
            self._show_other()

    def show_again(self) -> None:
        approval = self._approval
        if approval is None:
            return
        self._preview = preview(approval, self._body_width)
        self.text.update(self._preview.body)
        self._show_answers()
        self._show_title()
        self._show_risk()
        self.show_choices()
        self.call_after_refresh(self.refit)

    @property
    def _body_width(self) -> int:
        # Before its first layout: the screen without the margins, the border and the paddings of card and body.
        return self.text.content_size.width or self.screen.size.width - 8

    def _show_answers(self) -> None:
        question = self._question
        answers = self.query_one(Answers)
        if question is None:
            answers.display = False
        else:
            answers.show(question.choices, several=question.several, at=question.at, taken=question.taken)

    def above(self) -> Sequence[Static]:
        return (self.query_one(".card-risk", Static),)

    def refit(self) -> None:
        if self.forms.open is None:
            self.fit(then=self._show_facts)
        else:
            # What the form says takes lines that are then not there to be shared out.
            self._show_facts()
            self.call_after_refresh(self.fit)

    def _show_title(self) -> None:
        if self._preview is None or self._approval is None:
            return
        number = self._before_all + self._index + 1
        place = f"{number} of {self._total}: " if self._total > 1 else ""
        lead = "" if self.narrow else "waiting for you: "
        if self.screen.has_class("-short") and self._question is None:
            lead = f"{self._approval.risk} risk: "
        shown = Content.styled(f"{lead}{place}", f"bold ${self._preview.token}")
        self._put(self.title, shown + marked(one_line(self._preview.title), "bold $foreground"))

    def _show_risk(self) -> None:
        if self._approval is not None:
            self._put(self.above()[0], risk_line(self._approval, self._around, self._now()))

    def _put(self, line: Static, content: Content) -> None:
        if line.content != content:
            line.update(content)

    def _show_facts(self) -> None:
        """What of the preview is not visible, then where and why; or what the open form says."""
        approval, form = self._approval, self.forms.open
        if approval is None or self._preview is None:
            return
        body: VerticalScroll = self.body
        self._hidden = max(0, body.virtual_size.height - body.size.height) if body.display else 0
        self.show_choices()
        if form is not None:
            says = form.said()
            self.say(says.words, says.token)
            return
        parts = [marked(one_line(fact), "$muted") for fact in self._preview.facts]
        if approval.why and self._question is None:
            parts.append(marked(f"asks because {one_line(approval.why)}".rstrip("."), "$muted"))
        if self._hidden:
            more = (
                f"{count(self._hidden, 'more line')}: up and down scroll, {self.keys.show('approval.view')} shows all"
            )
            parts.insert(0, Content.styled(more, "$state-waiting"))
        content = Content.styled(" · ", "$muted").join(parts)
        width = max(10, self.facts.content_size.width or self._body_width)
        if cell_len(content.plain) > MOST_FACTS * (width - 8):
            content = content.truncate(MOST_FACTS * (width - 8), ellipsis=True)
        self.facts.set_class(not parts, "-empty")
        self.facts.update(content)

    def options(self) -> Sequence[Option]:
        approval, form = self._approval, self.forms.open
        if approval is None:
            return ()
        if form is not None:
            return form.options()
        several = len(self._waiting) > 1
        if self._question is not None:
            return self._question.options(self.keys, waiting=several)
        return call_options(approval, self.keys, self.screen.size.width, several=several)

    def remark(self, width: int) -> str:
        """Who waits behind it; on a narrow card what has no line of its own there."""
        if self._approval is None:
            return ""
        parts: list[str] = []
        if self.narrow and self._hidden:
            parts.append(count(self._hidden, "more line"))
        if self.screen.has_class("-short") and (left := countdown(self._approval, self._now())):
            parts.append(left)
        if self._question is not None and self.has_focus:
            parts.append(self._question.hint(short=self.narrow))
        others = [call for index, call in enumerate(self._waiting) if index != self._index]
        parts.append(behind(others, self._around.elsewhere, max(12, width - len(" · ".join(parts)) - 3)))
        return cut(" · ".join(part for part in parts if part), width)

    def on_resize(self) -> None:
        if self._preview is not None and self.forms.open is None:
            self.call_after_refresh(self.show_again)
        else:
            self.call_after_refresh(self.refit)

    def choice_of(self, key: str) -> str | None:
        if self._question is None:
            return super().choice_of(key)
        return self._question.choice_of(key) or self._question_keys.get(key)

    def at_once(self, key: str) -> bool:
        """Taking one answer of several decides nothing yet."""
        question = self._question
        if question is None or not question.several:
            return False
        index = question.at if key == "space" else int(key) - 1 if key.isdecimal() else -1
        if not question.toggle(index):
            return False
        self._show_answers()
        self.show_choices()
        return True

    def navigate(self, event: events.Key) -> None:
        question = self._question
        if question is None or not question.choices or event.key not in ("up", "down"):
            super().navigate(event)
            return
        event.stop()
        question.move(1 if event.key == "down" else -1)
        self._show_answers()
        answers = self.query_one(Answers)
        self.body.scroll_to(y=max(0, answers.virtual_region.y + answers.line_of(question.at) - 1), animate=False)

    def offers(self, choice: str) -> bool:
        return choice.startswith("pick:") or choice == "edit_outside" or super().offers(choice)

    def choose(self, choice: str) -> None:
        call, approval = self._call, self._approval
        if call is None or approval is None:
            return
        answer = direct(choice, approval.request_id) or (self._question.answer(choice) if self._question else None)
        if answer is not None:
            self.decide(answer)
        elif choice == "view":
            self.post_message(self.ViewAll(call))
        elif choice in ("next", "previous"):
            self._step(1 if choice == "next" else -1)
        elif choice == "edit_outside":
            self.post_message(self.EditOutside(approval.request_id, as_json(approval.arguments), ".json"))
        elif choice == "edit" and len(as_json(approval.arguments)) > MOST_CHARACTERS:
            self.say(
                f"too long for a card: {self.keys.show('approval.edit_outside')} opens it in your editor", "warning"
            )
        elif choice in FORMS:
            self._open(choice)

    def decide(self, answer: Decide) -> None:
        """The run's state takes the card away; until then it does not take the same key twice."""
        self.rearm()
        self.post_message(self.Decided(answer))

    def _open(self, kind: str) -> CardForm:
        approval = self._approval
        assert approval is not None
        return self.open_form(kind, lambda: make_form(kind, self.keys, approval))

    @on(Answers.Clicked)
    def _answer_clicked(self, event: Answers.Clicked) -> None:
        event.stop()
        question = self._question
        if question is None or not (self.has_focus and self.arming.armed):
            return
        if question.toggle(event.index):
            self._show_answers()
            self.show_choices()
        else:
            self.choose(f"pick:{event.index}")

    @on(AllowForForm.TryAsked)
    def _try(self, event: AllowForForm.TryAsked) -> None:
        event.stop()
        if self._approval is not None:
            self.post_message(self.TryOnHistory(event.patterns, self._approval))

    @on(ArgumentForm.EditorAsked)
    def _editor_asked(self, event: ArgumentForm.EditorAsked) -> None:
        event.stop()
        self.post_message(self.EditOutside(self.request_id, event.text, event.suffix))

    def edited_outside(self, request_id: str, text: str | None, problem: str = "") -> None:
        """What came back from the editor is shown before it counts."""
        if request_id != self.request_id:
            return
        form = self.forms.open
        if text is None and form is None:
            self.say(problem, "state-failed")
        elif text is None and form is not None:
            form.tell(problem)
        else:
            form = form if isinstance(form, ArgumentForm) else self._open("edit")
            assert isinstance(form, ArgumentForm)
            form.put_back(text or "")

"""A card on which forms can be opened: where something is chosen or written before it is decided."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from typing import TYPE_CHECKING

from textual import events, on
from textual.content import Content

from tui.keymap import Keymap
from tui.widgets.asking import MOST_LINES, Asking
from tui.widgets.card_form import CardForm
from tui.widgets.card_forms import CardForms

if TYPE_CHECKING:
    from runner.control.commands import Decide

FORM_STEPS = ("save", "raw", "editor", "history")


class FormCard(Asking):
    """Subclasses open forms, and say what becomes of an answer."""

    def __init__(
        self,
        keys: Keymap,
        choices: Mapping[str, str],
        *,
        now: Callable[[], float],
        last_input: Callable[[], float],
        id: str | None = None,
    ) -> None:
        super().__init__(keys, choices, now=now, last_input=last_input, id=id)
        self.forms = CardForms(self, now=now, last_input=last_input)

    def decide(self, answer: Decide) -> None:
        """Take an answer."""
        raise NotImplementedError

    def refit(self) -> None:
        """Share the lines out again, and say again what stands below."""
        raise NotImplementedError

    @property
    def settled(self) -> bool:
        """Whether a key that saves a form would be taken for one now."""
        return self.forms.quiet

    @property
    def deciding(self) -> bool:
        return super().deciding or self.forms.saving

    def open_form(self, kind: str, make: Callable[[], CardForm]) -> CardForm:
        """kind: of form; one that was open before for this request comes as it was left."""
        self.screen.add_class("-form")
        form = self.forms.show((self.question_id, kind), make, self.facts)
        self.show_choices()
        self.call_after_refresh(self.refit)
        return form

    def share_out(self, lines: int) -> None:
        form = self.forms.open
        if form is None:
            super().share_out(lines)
            return
        rest = max(0, min(lines - form.needs, MOST_LINES))
        self.body.display = rest > 0
        self.body.styles.max_height = max(1, rest)
        form.styles.max_height = max(2, lines - rest)

    def show_choices(self) -> None:
        form = self.forms.open
        if form is None:
            super().show_choices()
            return
        more = " · tab goes to the next field" if form.fields > 1 else ""
        self.choices.marked = ""
        self.choices.show(self.options(), live=True, head=Content.styled(f"{form.head}{more}", "$state-ok"))

    def clicked(self, choice: str) -> None:
        form = self.forms.open
        if form is None:
            super().clicked(choice)
        elif choice == "form.back":
            self._back()
        else:
            self.press_form(choice.partition(".")[2])

    def close_input(self) -> None:
        self.forms.close()
        self.screen.remove_class("-form")
        self.quiet()
        self.body.display = True

    def take_focus(self) -> None:
        form = self.forms.open
        if form is None:
            self.focus()
        else:
            form.enter()

    def key_of_input(self, event: events.Key) -> None:
        step = next((name for name in FORM_STEPS if event.key in self.keys.of(f"form.{name}")), "")
        if event.key == "escape":
            event.stop()
            self._back()
        elif self.forms.open is not None and (step or event.key == "enter"):
            event.stop()
            self.press_form(step or "save")

    def _back(self) -> None:
        """From a form to the choices."""
        self.close_input()
        self.show_again()
        self.focus()

    def press_form(self, step: str) -> None:
        """One of the keys of the form that is open."""
        form = self.forms.open
        if form is None:
            return
        if step == "save":
            self.forms.save(self.decide)
        elif any(option.id == f"form.{step}" for option in form.options()):
            form.act(step)

    @on(CardForm.Altered)
    def _form_altered(self, event: CardForm.Altered) -> None:
        event.stop()
        self.forms.written()
        self.call_after_refresh(self.refit)

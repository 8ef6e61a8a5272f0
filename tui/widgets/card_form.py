"""What the forms of a card have in common: fields one after the other, a sentence about them, and their keys."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, ClassVar

from textual import events, on
from textual.containers import VerticalScroll
from textual.message import Message
from textual.widget import Widget
from textual.widgets import Input, TextArea

from tui.widgets.choices import Option
from tui.widgets.pick import Pick

if TYPE_CHECKING:
    from runner.control.commands import Decide
    from tui.keymap import Keymap
    from tui.view import Answering


@dataclass(frozen=True, slots=True)
class Says:
    """A sentence of a form, with the theme variable of its colour; not clean."""

    words: str
    token: str = "muted"


class FormError(ValueError):
    """Why a form cannot be saved as it is, in words for the person."""


class CardForm(VerticalScroll, can_focus=False):
    """Subclasses say what its fields are and which answer they come to."""

    DEFAULT_CLASSES: ClassVar[str] = "card-form"

    class Altered(Message):
        """Something was chosen or written."""

    def __init__(self, keys: Keymap, *, answering: Answering, head: str, saves: str) -> None:
        """answering: what the card says it is doing meanwhile. head: what the form is. saves: what saving does."""
        super().__init__()
        self.keys = keys
        self.answering: Answering = answering
        self.head = head
        self.needs = 100
        """Lines that it wants; what is left over shows what is asked."""
        self._saves = saves
        self._problem = ""

    @property
    def passes(self) -> frozenset[str]:
        """The keys that are the form's in every field."""
        ids = [action_id for action_id in self.keys.keys if action_id.startswith("form.")]
        return frozenset(key for action_id in ids for key in self.keys.of(action_id))

    def extra(self) -> Sequence[tuple[str, str, str]]:
        """What else its keys do: the choice, and its words for a wide and for a narrow card."""
        return ()

    def options(self) -> list[Option]:
        wanted = [("save", self._saves, self._saves.split()[0]), *self.extra()]
        found = [
            Option(f"form.{choice}", self.keys.show(f"form.{choice}"), words, short) for choice, words, short in wanted
        ]
        return [*(option for option in found if option.key), Option("form.back", "esc", "go back", "back")]

    def said(self) -> Says:
        """What is to be told about it now."""
        return Says(self._problem, "state-failed") if self._problem else self.says()

    def says(self) -> Says:
        """What saving will do, or what is wrong with what was written."""
        raise NotImplementedError

    def tell(self, problem: str) -> None:
        """Say why what was written could not be used, until something else is written."""
        self._problem = problem
        self.post_message(self.Altered())

    def decision(self) -> Decide:
        """The answer that the form comes to. Raises FormError."""
        raise NotImplementedError

    def act(self, choice: str) -> None:
        """Carry out one of its own keys."""

    def enter(self) -> None:
        """Go to its first field, or back to the one that was left."""
        fields = self._fields()
        if fields and not any(field.has_focus for field in fields):
            fields[0].focus()

    @property
    def fields(self) -> int:
        """How many there are to go to."""
        return len(self._fields())

    def _fields(self) -> list[Widget]:
        fields = self.query("CardInput, CardText, Pick").results(Widget)
        return [field for field in fields if all(part.display for part in field.ancestors_with_self)]

    def move(self, by: int) -> None:
        """To another field, round and round."""
        fields = self._fields()
        here = next((index for index, field in enumerate(fields) if field.has_focus), -by if by > 0 else 0)
        if fields:
            fields[(here + by) % len(fields)].focus()

    def on_key(self, event: events.Key) -> None:
        focused = self.screen.focused
        if event.key in ("tab", "shift+tab"):
            self.move(1 if event.key == "tab" else -1)
        elif event.key in ("up", "down") and not isinstance(focused, TextArea):
            self.move(1 if event.key == "down" else -1)
        else:
            return
        event.stop()

    @on(Input.Changed)
    @on(TextArea.Changed)
    @on(Pick.Picked)
    def _altered(self, event: Message) -> None:
        event.stop()
        self._problem = ""
        self.altered(event)
        self.post_message(self.Altered())

    def altered(self, event: Message) -> None:
        """A field has another value."""

"""A few words on a card: why a call is denied, or an answer of the person's own."""

from __future__ import annotations

from collections.abc import Callable
from typing import TYPE_CHECKING

from textual.app import ComposeResult

from tui.widgets.card_fields import CardText
from tui.widgets.card_form import CardForm, FormError, Says

if TYPE_CHECKING:
    from runner.control.commands import Decide
    from tui.keymap import Keymap
    from tui.view import Answering


class LineForm(CardForm):
    def __init__(
        self,
        keys: Keymap,
        *,
        answering: Answering,
        head: str,
        saves: str,
        says: str,
        id: str,
        made: Callable[[str], Decide],
        needed: str = "",
    ) -> None:
        """says: what saving does, in a sentence. made: the answer that a text comes to. needed: what to say to an
        empty text, "" where it will do.
        """
        super().__init__(keys, answering=answering, head=head, saves=saves)
        self.needs = 3
        self._sentence = says
        self._made = made
        self._needed = needed
        self._field = CardText(passes=self.passes, sends=True, id=id)

    def compose(self) -> ComposeResult:
        yield self._field

    def says(self) -> Says:
        return Says(self._sentence)

    def decision(self) -> Decide:
        text = self._field.text.strip()
        if not text and self._needed:
            raise FormError(self._needed)
        return self._made(text)

"""Fields on a card. What is pasted loses what nobody could see; nothing pasted becomes a key."""

from __future__ import annotations

from textual import events
from textual.widgets import Input, TextArea

from tui.widgets.composer import pasted


class CardInput(Input):
    """One line."""

    def __init__(self, value: str = "", *, placeholder: str = "", id: str | None = None) -> None:
        super().__init__(value, placeholder=placeholder, id=id, classes="card-input", select_on_focus=False)
        self.cursor_blink = False

    def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        self.insert_text_at_cursor(" ".join(pasted(event.text)[0].split("\n")))


class CardText(TextArea):
    """Several lines."""

    def __init__(
        self,
        text: str = "",
        *,
        passes: frozenset[str] = frozenset(),
        sends: bool = False,
        placeholder: str = "",
        id: str | None = None,
    ) -> None:
        """passes: keys that are the card's. sends: enter does not break the line, it ends the writing."""
        super().__init__(text, id=id, classes="card-lines", highlight_cursor_line=False, placeholder=placeholder)
        self.cursor_blink = False
        self._passes = passes
        self._sends = sends

    async def _on_key(self, event: events.Key) -> None:
        if event.key in self._passes or (self._sends and event.key == "enter"):
            # The card, which the key goes on to, takes it for what it means there.
            event.prevent_default()
        elif self._sends and event.key == "ctrl+j":
            event.stop()
            event.prevent_default()
            self.insert("\n")
        elif bindings := self._bindings.key_to_bindings.get(event.key):
            # At once, as letters are: by way of the library's bubbling, letters typed after a key would overtake it.
            event.stop()
            event.prevent_default()
            await self.run_action(bindings[0].action)
        else:
            await super()._on_key(event)

    async def _on_paste(self, event: events.Paste) -> None:
        event.stop()
        event.prevent_default()
        start, end = self.selection
        self.replace(pasted(event.text)[0], min(start, end), max(start, end), maintain_selection_offset=False)

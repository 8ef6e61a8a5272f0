"""The command palette: what can be done now, found by its name."""

from __future__ import annotations

from collections.abc import Sequence

from textual.content import Content

from tui.actions import ACTIONS, Action
from tui.keymap import Keymap
from tui.screens.picker import Picker
from tui.view import View
from tui.widgets.rows import Rows
from tui.words import cut, fit


class CommandRows(Rows):
    def __init__(self, keys: Keymap, *, id: str | None = None) -> None:
        super().__init__(id=id)
        self._keys = keys

    def draw(self, row: object, width: int, selected: bool) -> Content:
        assert isinstance(row, Action)
        name = 16 if width >= 50 else 13
        content = Content.assemble(
            (f" {fit(row.name, name)}", "bold $foreground"),
            (f" {fit(self._keys.show(row.id), 12)} ", "$key-name"),
            (cut(row.help, width - name - 15), "$muted"),
        ).truncate(width, pad=True)
        return content.stylize("$selection-text on $selection") if selected else content


class CommandPicker(Picker[str | None]):
    TITLE_TEXT = "Commands"
    SUBTITLE = "what can be done now"

    def __init__(self, keys: Keymap, view: View) -> None:
        self._keys = keys
        super().__init__()
        self.usable = [
            action for action in ACTIONS if action.listed and action.id != "palette" and action.enabled(view)
        ]

    def make_rows(self) -> Rows:
        return CommandRows(self._keys, id="picker-rows")

    def hint(self) -> str:
        return f"enter does it · {self.keys_of(('list.close', 'closes'))}"

    async def load(self) -> Sequence[object]:
        return self.usable

    def search_text(self, item: object) -> str:
        assert isinstance(item, Action)
        return f"{item.name} {item.slash} {item.help}"

    def detail(self, item: object | None) -> Content:
        assert isinstance(item, Action)
        return Content.styled(f"{item.help} · also /{item.slash}", "$muted")

    def choose(self, item: object) -> None:
        assert isinstance(item, Action)
        self.leave(item.id)

"""Every key, from the registry, searchable."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from textual.content import Content

from tui.actions import ACTIONS, BY_ID, FIXED_KEYS, WRITING
from tui.keymap import Keymap, shown
from tui.screens.picker import Picker
from tui.widgets.rows import Rows
from tui.words import count, cut, fit


@dataclass(frozen=True, slots=True)
class HelpRow:
    """keys "" and text "" make a heading."""

    group: str
    keys: str = ""
    text: str = ""
    action_id: str = ""


def help_rows(keys: Keymap) -> list[HelpRow]:
    """Headings and lines, in the order of the registry."""
    rows: list[HelpRow] = []
    for group in dict.fromkeys(action.group for action in ACTIONS):
        rows.append(HelpRow(group))
        for action in ACTIONS:
            if action.group == group:
                names = ", ".join(map(shown, keys.of(action.id))) or "no key"
                slash = f"  /{action.slash}" if action.slash else ""
                rows.append(HelpRow(group, names + slash, action.help, action.id))
        rows += [HelpRow(group, names, text) for fixed, names, text in FIXED_KEYS if fixed == group]
    return rows


class HelpRows(Rows):
    def selectable(self, row: object) -> bool:
        return isinstance(row, HelpRow) and bool(row.keys)

    def draw(self, row: object, width: int, selected: bool) -> Content:
        assert isinstance(row, HelpRow)
        if not row.keys:
            return Content.styled(fit(f" {row.group}", width), "bold $primary")
        left = min(34, max(18, width // 3))
        content = Content.assemble(
            (f"  {fit(row.keys, left)} ", "$key-name"), (cut(row.text, width - left - 3), "$foreground")
        ).truncate(width, pad=True)
        return content.stylize("$selection-text on $selection") if selected else content


class HelpScreen(Picker[str | None]):
    """Choosing a line carries its action out."""

    TITLE_TEXT = "Keys and commands"

    def __init__(self, keys: Keymap) -> None:
        super().__init__()
        self._keys = keys
        self._all = help_rows(keys)

    def subtitle(self) -> str:
        """Whose keys these are."""
        own = sum(origin == "changed" for origin in self._keys.origins.values())
        yours = f", {count(own, 'change')} of yours" if own else ""
        return f"keymap {self._keys.preset}{yours}"

    def hint(self) -> str:
        what = f"enter does it · {self.keys_of(('list.close', 'closes'))}"
        room = self.app.size.width  # pyright: ignore[reportUnknownMemberType]
        if room < 60:
            return what
        more = ", quarterdeck keys prints them" if room >= 110 else ""
        return f"{what} · keymap and [keys] in config.toml change them{more}"

    def make_rows(self) -> Rows:
        return HelpRows(id="picker-rows")

    async def load(self) -> Sequence[object]:
        return self._all

    def search_text(self, item: object) -> str:
        assert isinstance(item, HelpRow)
        # Headings have nothing to match, so a filtered list has lines only.
        return f"{item.keys} {item.text} {item.group}" if item.keys else ""

    def detail(self, item: object | None) -> Content:
        assert isinstance(item, HelpRow)
        if not item.action_id:
            return Content.styled(f"{item.text} · it belongs to the field or list and stays", "$muted")
        changed = self._keys.origins.get(item.action_id)
        by = {"preset": f", from keymap {self._keys.preset}", "changed": ", changed by you"}.get(changed or "", "")
        return Content.styled(f'{item.text} · its name in [keys] is "{item.action_id}"{by}', "$muted")

    def choose(self, item: object) -> None:
        assert isinstance(item, HelpRow)
        if item.action_id and BY_ID[item.action_id].scope in WRITING:
            self.leave(item.action_id)
        else:
            self.say("it works only where it is meant for: go there and press it", "state-waiting")

"""The model servers that answer on this machine, and what they offer."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING

from textual.content import Content

from tui.render.clean import clean, visible
from tui.screens.picker import Picker
from tui.widgets.rows import Rows
from tui.words import count, cut, fit, one_line

if TYPE_CHECKING:
    from tui.ports import AppSettings


@dataclass(frozen=True, slots=True)
class Local:
    """model: as it is chosen by, "" for a server that has none. said: where it is, or why it has none."""

    model: str
    said: str


def ask(settings: AppSettings) -> tuple[list[str], list[Local]]:
    """The addresses that were asked, and what answers there. Blocks, for a second at most or so."""
    from tui.local_servers import local_servers, probe

    bases = {name: str(base) for name, model in settings.models.items() if (base := getattr(model, "api_base", None))}
    servers = local_servers(settings.environ, bases)
    found: list[Local] = []
    for answer in probe(servers):
        server = answer.server
        if answer.problem:
            found.append(Local("", f"{server.title} at {server.base} {answer.problem}"))
        elif not answer.models:
            found.append(Local("", f"{server.title} at {server.base} has no model loaded"))
        # A server of the configuration is used by the name that its model has there.
        named = [name for name, base in bases.items() if base == server.base] if not server.prefix else []
        names = named or [server.prefix + model for model in answer.models]
        found += [Local(name, f"{server.title}, {server.base}") for name in names if answer.models]
    return [server.base for server in servers], found


class LocalRows(Rows):
    def draw(self, row: object, width: int, selected: bool) -> Content:
        assert isinstance(row, Local)
        name = visible(one_line(row.model)) if row.model else "no model"
        names = min(48, max(20, width // 2))
        content = Content.assemble(
            (f" {fit(cut(name, names - 1), names)}", "$foreground" if row.model else "$muted"),
            (cut(visible(one_line(row.said)), max(4, width - names - 2)), "$muted"),
        ).truncate(width, pad=True)
        return content.stylize("$selection-text on $selection") if selected else content


class LocalModels(Picker[str | None]):
    """Gives the model that was chosen."""

    TITLE_TEXT = "Local models"
    SUBTITLE = "on this machine only"

    def __init__(self, settings: AppSettings, tell: Callable[[str], None]) -> None:
        """tell: is told in a sentence what was found."""
        super().__init__()
        self._settings = settings
        self._tell = tell
        self._asked: list[str] = []

    def make_rows(self) -> Rows:
        return LocalRows(id="picker-rows")

    def hint(self) -> str:
        return "enter uses the model · esc closes"

    async def load(self) -> Sequence[object]:
        self.say("asking the usual ports of this machine")
        self._asked, found = await asyncio.to_thread(ask, self._settings)
        models = [local for local in found if local.model]
        first = f", such as {models[0].model}" if models else ""
        self._tell(f"{count(len(models), 'model')} on this machine{first}" if models else "no model server answers")
        return found

    def show_detail(self) -> None:
        if self._asked and not self.items:
            self.say(f"no model server answers; asked: {', '.join(self._asked)}")
        else:
            super().show_detail()

    def search_text(self, item: object) -> str:
        assert isinstance(item, Local)
        return f"{item.model} {item.said}"

    def detail(self, item: object | None) -> Content:
        assert isinstance(item, Local)
        return Content.styled(clean(one_line(item.said)), "$muted")

    def choose(self, item: object) -> None:
        assert isinstance(item, Local)
        if item.model:
            self.leave(item.model)

"""Makes the list screens and gives them their rows, which come from the engine's threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal, Protocol

from tui.catalogue import model_rows
from tui.model_list import ModelRow
from tui.model_memory import Marked, ModelMemory
from tui.screens.commands import CommandPicker
from tui.screens.help import HelpScreen
from tui.screens.models import ModelPicker
from tui.screens.sessions import SessionsScreen
from tui.sessions.finder import Finder
from tui.sessions.memory import SessionMemory

if TYPE_CHECKING:
    from runner.models.registry import ModelRegistry
    from tui.engine import Engine
    from tui.keymap import Keymap
    from tui.model_switch import Switch
    from tui.remembered import Remembered
    from tui.view import View


class ListSettings(Protocol):
    @property
    def environ(self) -> Mapping[str, str]: ...

    @property
    def models(self) -> Mapping[str, object]: ...

    def registry(self) -> ModelRegistry: ...


class ListScreens:
    def __init__(self, engine: Engine, settings: ListSettings, keys: Keymap, now: Callable[[], datetime]) -> None:
        self._engine = engine
        self._settings = settings
        self._keys = keys
        self._now = now

    def models(self, switch: Switch, memory: ModelMemory, first: Literal["", "temperature"] = "") -> ModelPicker:
        marked = Marked(memory)
        names = (*marked.marks.favourites, *marked.marks.recents, switch.current)
        return ModelPicker(lambda: self._model_rows(names), switch=switch, marked=marked, first=first, now=self._now)

    def sessions(self, current: str | None, remembered: Remembered) -> SessionsScreen:
        home = self._settings.environ.get("HOME", "")
        finder = Finder(self._engine, self._now, home=home)
        return SessionsScreen(finder, memory=SessionMemory(remembered), current=current, home=home)

    def help(self) -> HelpScreen:
        return HelpScreen(self._keys)

    def commands(self, view: View) -> CommandPicker:
        return CommandPicker(self._keys, view)

    async def _model_rows(self, names: Sequence[str]) -> Sequence[ModelRow]:
        """Every model of the table, and those of the names that it does not have."""
        settings = self._settings

        def gather() -> list[ModelRow]:
            registry = settings.registry()
            infos = registry.catalogue()
            known = {info.name for info in infos}
            more = registry.infos(name for name in dict.fromkeys(names) if name and name not in known)
            return model_rows([*infos, *more], settings.models, settings.environ)

        return await asyncio.wrap_future(self._engine.background(gather))


def utc_now() -> datetime:
    return datetime.now(UTC)

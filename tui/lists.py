"""Makes the list screens and gives them their rows, which come from the engine's threads."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Mapping, Sequence
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Protocol

from tui.catalogue import model_rows
from tui.screens.commands import CommandPicker
from tui.screens.help import HelpScreen
from tui.screens.models import ModelPicker, ModelRow
from tui.screens.sessions import SessionPicker

if TYPE_CHECKING:
    from runner.models.registry import ModelRegistry
    from runner.store.base import SessionSummary
    from tui.engine import Engine
    from tui.keymap import Keymap
    from tui.view import View

MOST_SESSIONS = 500
"""Sessions listed, the newest ones."""


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

    def models(self, *, current: str, live: bool, context_used: int) -> ModelPicker:
        return ModelPicker(self._model_rows, current=current, live=live, context_used=context_used)

    def sessions(self, current: str | None) -> SessionPicker:
        return SessionPicker(self._sessions, self._delete, now=self._now, current=current)

    def help(self) -> HelpScreen:
        return HelpScreen(self._keys)

    def commands(self, view: View) -> CommandPicker:
        return CommandPicker(self._keys, view)

    async def _model_rows(self) -> Sequence[ModelRow]:
        settings = self._settings

        def gather() -> list[ModelRow]:
            return model_rows(settings.registry().catalogue(), settings.models, settings.environ)

        return await asyncio.wrap_future(self._engine.background(gather))

    async def _sessions(self) -> Sequence[SessionSummary]:
        return await asyncio.wrap_future(self._engine.ask(lambda store: store.sessions(limit=MOST_SESSIONS)))

    async def _delete(self, session_id: str) -> None:
        await asyncio.wrap_future(self._engine.ask(lambda store: store.delete_session(session_id)))


def utc_now() -> datetime:
    return datetime.now(UTC)

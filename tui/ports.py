"""What the parts of the screen need of each other and of the settings."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from pathlib import Path
from typing import TYPE_CHECKING, Any, Protocol

from tui.engine import EngineSettings

if TYPE_CHECKING:
    from textual.screen import Screen

    from themes import Theme
    from tui.screens.models import ModelChoice
    from tui.screens.sessions import SessionChoice
    from tui.view import View


class AppSettings(EngineSettings, Protocol):
    """What the screen needs of the settings."""

    @property
    def environ(self) -> Mapping[str, str]: ...

    @property
    def theme(self) -> str: ...

    @property
    def themes_dir(self) -> Path: ...

    @property
    def keys(self) -> Mapping[str, str]: ...

    @property
    def models(self) -> Mapping[str, object]: ...

    @property
    def default_agent(self) -> str: ...

    @property
    def withheld(self) -> Sequence[object]:
        """What the project's file would change if the folder were trusted."""
        ...


class Host(Protocol):
    """What the conductor needs of the application."""

    def show_screen(self, screen: Screen[Any], then: Callable[[Any], None] | None = None) -> None: ...

    def work(self, job: Coroutine[Any, Any, None], group: str) -> None: ...

    def next_theme(self) -> Theme: ...

    def copy(self, text: str) -> None: ...

    def leave(self, code: int) -> None: ...


class Lists(Protocol):
    """Makes the screens that are lists."""

    def models(self, *, current: str, live: bool, context_used: int) -> Screen[ModelChoice | None]: ...

    def sessions(self, current: str | None) -> Screen[SessionChoice]: ...

    def help(self) -> Screen[str | None]: ...

    def commands(self, view: View) -> Screen[str | None]: ...

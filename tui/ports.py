"""What the parts of the screen need of each other and of the settings."""

from __future__ import annotations

from collections.abc import Callable, Coroutine, Mapping, Sequence
from contextlib import AbstractContextManager
from decimal import Decimal
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol

from tui.engine import EngineSettings

if TYPE_CHECKING:
    from textual.screen import Screen

    from runner.control.commands import LimitName
    from runner.events import Decision, GrantMatch, Scope, ToolPattern
    from runner.messages import JsonObject
    from themes import Theme, ThemeError
    from tui.person_shell import Shell
    from tui.remembered import Remembered
    from tui.settings.values import PresetName, Source, TerminalSettings
    from tui.view import View


class Handle(Protocol):
    """What is asked of a live run; all of it returns at once, and a refusal comes back as an event."""

    @property
    def run_id(self) -> str: ...

    @property
    def session_id(self) -> str: ...

    def stop(self, by: str = "user") -> None: ...

    def abort(self, by: str = "user") -> None: ...

    def pause(self, by: str = "user") -> None: ...

    def resume(self, by: str = "user") -> None: ...

    def send(self, text: str, *, now: bool = False) -> str: ...

    def edit_message(self, message_id: str, text: str) -> None: ...

    def delete_message(self, message_id: str) -> None: ...

    def move_message(self, message_id: str, position: int) -> None: ...

    def deliver_now(self, by: str = "user") -> None: ...

    def retry_now(self, by: str = "user") -> None: ...

    def next_model(self, by: str = "user") -> None: ...

    def wrap_up(self, by: str = "user") -> None: ...

    def compact(self, by: str = "user") -> None: ...

    def person_command(self, command: str, *, share: bool = False) -> None: ...

    def end_person_command(self, command_id: str) -> None: ...

    def cancel_tool(self, call_id: str) -> None: ...

    def set_limit(self, limit: LimitName, value: Decimal | int | float | None) -> None: ...

    def set_model(
        self,
        model: str = "",
        *,
        now: bool = False,
        effort: str | None = None,
        temperature: float | Literal["default"] | None = None,
    ) -> None: ...

    def decide(
        self,
        request_id: str,
        decision: Decision,
        *,
        scope: Scope = "call",
        reason: str = "",
        arguments: JsonObject | None = None,
        match: GrantMatch | None = None,
        patterns: Sequence[ToolPattern] = (),
        calls: int | None = None,
        minutes: float | None = None,
        until_failure: bool = False,
        spend_usd: Decimal | int | float | None = None,
    ) -> None: ...

    def revoke(self, key: str = "", by: str = "user") -> None: ...


class Starter(Protocol):
    """What starts runs. limits: those that a person set, which win over the configured ones; so do settings, by the
    names of ModelSettings. compact: summarise first. notes: messages before the person's. shell: the
    command that the run begins with instead of a message."""

    def start_run(
        self,
        text: str,
        *,
        session_id: str | None,
        model: str | None,
        settings: Mapping[str, str | float] | None = None,
        agent: str | None = None,
        limits: Mapping[LimitName, Decimal | None] | None = None,
        compact: bool = False,
        notes: Sequence[str] = (),
        shell: Shell | None = None,
    ) -> None: ...

    def stop_starting(self, how: Literal["stop", "abort"]) -> None:
        """Stop the run that was asked for last, also where it does not exist yet."""
        ...


class AppSettings(EngineSettings, Protocol):
    """What the screen needs of the settings."""

    @property
    def environ(self) -> Mapping[str, str]: ...

    @property
    def theme(self) -> str: ...

    @property
    def themes_dir(self) -> Path: ...

    def source(self, key: str) -> Source:
        """Where the value of a setting came from."""
        ...

    @property
    def keymap(self) -> PresetName: ...

    @property
    def keys(self) -> Mapping[str, str]: ...

    @property
    def models(self) -> Mapping[str, object]: ...

    @property
    def default_agent(self) -> str: ...

    def agent_names(self) -> Sequence[str]:
        """The agents that are configured."""
        ...

    @property
    def terminal(self) -> TerminalSettings: ...

    @property
    def withheld(self) -> Sequence[object]:
        """What the project's file would change if the folder were trusted."""
        ...


class Host(Protocol):
    """What the conductor needs of the application."""

    @property
    def remembered(self) -> Remembered:
        """What is kept from one start to the next and is no configuration."""
        ...

    def show_screen(self, screen: Screen[Any], then: Callable[[Any], None] | None = None) -> None: ...

    def work(self, job: Coroutine[Any, Any, None], group: str) -> None: ...

    @property
    def our_themes(self) -> dict[str, Theme]: ...

    @property
    def theme_problems(self) -> list[ThemeError]:
        """What was wrong with the person's own theme files at the start."""
        ...

    @property
    def theme_now(self) -> Theme: ...

    def use_theme(self, name: str) -> Theme: ...

    def renew_themes(self, found: dict[str, Theme]) -> None:
        """The files of themes were read again."""
        ...

    def copy(self, text: str) -> None: ...

    def suspend(self) -> AbstractContextManager[None]:
        """Give the terminal to another program for a while."""
        ...

    def suspend_program(self) -> str:
        """Stop the process until the shell continues it; why that cannot be, "" where it was done."""
        ...

    def leave(self, code: int) -> None: ...

    def tell(self, view: View) -> None:
        """What is shown, for the title of the window and the like."""
        ...

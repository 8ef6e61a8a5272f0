"""Connects the application with what is told around its screen."""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from typing import TYPE_CHECKING, Any, Protocol

from tui.manners.abilities import abilities
from tui.manners.telling import Surroundings, Telling, ask_tmux

if TYPE_CHECKING:
    from collections.abc import Coroutine

    from tui.ports import AppSettings


class Outer(Protocol):
    """What is needed of the application."""

    @property
    def settings(self) -> AppSettings: ...

    @property
    def driver(self) -> Any: ...

    app_focus: Any

    def work(self, job: Coroutine[Any, Any, None], group: str) -> None: ...


def make_telling(app: Outer) -> Telling | None:
    """None where there is no terminal that could be told anything: a browser, a test without one."""
    driver, settings = app.driver, app.settings
    if not hasattr(driver, "greeting"):
        return None
    loop = asyncio.get_running_loop()

    def later(seconds: float, function: Callable[[], None]) -> None:
        loop.call_later(seconds, function)

    def asking(then: Callable[[str], None]) -> None:
        async def ask() -> None:
            then(await ask_tmux(settings.environ))

        app.work(ask(), "notice")

    around = Surroundings(now=time.monotonic, later=later, focused=lambda: bool(app.app_focus), ask_tmux=asking)
    telling = Telling(driver, abilities(settings.environ), settings.terminal, around, folder=str(settings.cwd))
    driver.write(driver.greeting)
    return telling

"""The end of the program: after asking where something would be lost, and in order."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tui.beside import Beside
    from tui.bridge import Bridge
    from tui.deck import Deck
    from tui.engine import Engine
    from tui.ports import Host


class Quitting:
    """before: what is to be kept before anything ends."""

    def __init__(
        self,
        *,
        host: Host,
        deck: Deck,
        engine: Engine,
        bridge: Bridge,
        beside: Beside,
        before: Callable[[], None],
        repaint: Callable[[], None],
    ) -> None:
        self._host = host
        self._deck = deck
        self._engine = engine
        self._bridge = bridge
        self._beside = beside
        self._before = before
        self._repaint = repaint
        self.left = False
        """Whether the screen is about to be taken down: what comes from here on has nowhere to be shown."""

    def ask(self) -> None:
        """Quit; with a run or a process going only after a second press."""
        if self._deck.quitting:
            return
        question = self._beside.before_quitting(self._deck.any_live)
        if not question or self._deck.confirm(question):
            self.quit()

    def suspend(self) -> None:
        """Stop as ctrl+z does, where there is a shell that can continue the program."""
        why = self._host.suspend_program()
        if why:
            self._deck.say(why, "warning")

    def quit(self, code: int = 0) -> None:
        """End the runs with their state saved, then the program; bounded in time."""
        if self._deck.quitting:
            return
        self._deck.quitting = True
        self._before()
        self._host.work(self._shutdown(code), "quit")
        self._repaint()

    async def _shutdown(self, code: int) -> None:
        await asyncio.wrap_future(self._engine.shutdown())
        self._bridge.close()
        self.left = True
        self._host.leave(code)

"""The very first start: what is here already, what to try, and a tour that costs nothing."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING, Final

from runner.errors import QuarterdeckError
from tui.found import found_in

if TYPE_CHECKING:
    from tui.browsing import Browsing
    from tui.desk import Desk
    from tui.widgets.welcome import Welcome

REMEMBERED: Final = "welcome"
TOUR_MODEL: Final = "demo/pilot"
TOUR: Final = "take me on the tour"


class FirstRun:
    """Lives on the screen's thread."""

    def __init__(self, desk: Desk, welcome: Welcome, browsing: Browsing, send: Callable[[str], object]) -> None:
        self._desk = desk
        self._welcome = welcome
        self._browsing = browsing
        self._send = send
        self._before_tour = ""

    def store_opened(self) -> None:
        """Look whether this is the first start: no configuration, no session, and nobody was welcomed before."""
        if not self._desk.remembered.read(REMEMBERED):
            self._desk.host.work(self._greet(), "welcome")

    async def _greet(self) -> None:
        from tui.settings.load import user_file

        environ = self._desk.settings.environ
        file = user_file(environ)
        try:
            sessions = await asyncio.wrap_future(self._desk.engine.ask(lambda store: store.sessions(limit=1)))
        except QuarterdeckError:
            # Without a store nothing says that this is the first start.
            return
        self._desk.remembered.write(REMEMBERED, {"done": True})
        if not sessions and not await asyncio.to_thread(file.exists):
            self._welcome.greet(await asyncio.to_thread(found_in, environ, file))

    def tour(self) -> None:
        """A session of its own on the demo model; afterwards the model is what it was."""
        deck = self._desk.deck
        view = deck.view()
        if view.runs:
            self._browsing.new_session()
        if view.model != TOUR_MODEL:
            self._before_tour = view.model
            self._browsing.use_model(TOUR_MODEL)
        self._send(TOUR)

    def run_ended(self) -> None:
        before, self._before_tour = self._before_tour, ""
        if before and self._desk.deck.view().model == TOUR_MODEL:
            self._browsing.use_model(before)
            self._desk.deck.say(f"the tour is over; {before} answers again", stay=True)

    def probe(self) -> None:
        """Ask the model servers of this machine, because a person asked for it."""
        from tui.screens.local_models import LocalModels

        self._desk.host.show_screen(LocalModels(self._desk.settings, self._welcome.tell_local), self._picked)

    def _picked(self, model: str | None) -> None:
        if model is not None:
            self._browsing.use_model(model)

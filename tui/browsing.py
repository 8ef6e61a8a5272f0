"""Lists and sessions: what is opened on screens of its own, and what is chosen there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from typing import TYPE_CHECKING

from runner.errors import QuarterdeckError
from tui.actions import ScreenName
from tui.screens.viewer import Viewer, call_body, call_title
from tui.view import history_tokens

if TYPE_CHECKING:
    from runner.state import CallItem, RunState
    from runner.store import Store
    from runner.store.base import SessionSummary
    from tui.deck import Deck
    from tui.engine import Engine
    from tui.ports import Host, Lists
    from tui.screens.cockpit import CockpitScreen
    from tui.screens.models import ModelChoice
    from tui.screens.sessions import SessionChoice


class Browsing:
    """do: carries out an action that was chosen from a list. repaint: shows what changed."""

    def __init__(
        self,
        *,
        host: Host,
        screen: CockpitScreen,
        deck: Deck,
        engine: Engine,
        lists: Lists,
        do: Callable[[str], bool],
        repaint: Callable[[], None],
    ) -> None:
        self._host = host
        self._screen = screen
        self._deck = deck
        self._engine = engine
        self._lists = lists
        self._do = do
        self._repaint = repaint

    def open_screen(self, name: ScreenName) -> None:
        view = self._deck.view()
        match name:
            case "models":
                used = history_tokens(view)
                picker = self._lists.models(current=view.model, live=view.live is not None, context_used=used)
                self._host.show_screen(picker, self._model_picked)
            case "sessions":
                self._host.show_screen(self._lists.sessions(view.session_id), self._session_picked)
            case "help":
                self._host.show_screen(self._lists.help(), self._command_picked)
            case "palette":
                self._host.show_screen(self._lists.commands(view), self._command_picked)

    def view_call(self, call: CallItem) -> None:
        self._host.show_screen(Viewer(call_title(call), call_body(call)))

    def _model_picked(self, choice: ModelChoice | None) -> None:
        if choice is not None:
            self.use_model(choice.name, now=choice.now)

    def use_model(self, name: str, *, now: bool = False) -> None:
        self._deck.set_model(name, now=now)
        self.show_model()
        self._repaint()

    def show_model(self) -> None:
        """Say which model answers, and load what it needs."""
        model = self._deck.view().model
        self._screen.welcome.show_model(model, self._deck.why)
        if not model.startswith("demo/"):
            self._engine.load_provider(model)

    def _command_picked(self, action_id: str | None) -> None:
        if action_id is not None:
            self._do(action_id)

    def _session_picked(self, choice: SessionChoice) -> None:
        if choice == "new":
            self.new_session()
        elif choice is not None:
            self._host.work(self.open_session(choice.session_id), "session")
        self._repaint()

    def new_session(self) -> None:
        self._deck.new_session()
        self._screen.composer.focus()

    async def open_session(self, session_id: str) -> None:
        """Show a stored session; the next message continues it."""

        def read(store: Store) -> tuple[SessionSummary, list[RunState]]:
            summary = store.session(session_id)
            return summary, list(store.runs(summary.session_id))

        try:
            summary, runs = await asyncio.wrap_future(self._engine.ask(read))
        except QuarterdeckError as error:
            self._deck.say(str(error), "error", stay=True)
        else:
            self._deck.show(summary.session_id, summary.title, runs, summary.models[-1] if summary.models else "")
            self._screen.scroll_transcript("end")
            self._screen.composer.focus()
        self._repaint()

    async def open_last(self) -> None:
        """The newest session of this folder."""
        here = self._deck.view().workspace
        try:
            found = await asyncio.wrap_future(self._engine.ask(lambda store: store.sessions(limit=200)))
        except QuarterdeckError as error:
            self._deck.say(str(error), "error", stay=True)
            return
        newest = next((each.session_id for each in found if each.workspace == here), None)
        if newest is None:
            self._deck.say("there is no earlier session of this folder; this is a new one")
        else:
            await self.open_session(newest)

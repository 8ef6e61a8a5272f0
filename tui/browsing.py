"""Lists and sessions: what is opened on screens of its own, and what is chosen there."""

from __future__ import annotations

import asyncio
from collections.abc import Callable, Sequence
from typing import TYPE_CHECKING, Literal, Protocol

from runner.errors import QuarterdeckError
from tui.actions import ScreenName
from tui.branching import resume_hint
from tui.desk import Desk
from tui.landing import Landing
from tui.model_memory import ModelMemory
from tui.model_switch import switch_of
from tui.panels import open_panel
from tui.preview import files_of
from tui.render.clean import clean
from tui.screens.viewer import Viewer, call_body, call_title
from tui.session_link import session_of
from tui.sessions.choice import Beyond, Opening
from tui.view import View

if TYPE_CHECKING:
    from textual.screen import Screen

    from runner.state import CallItem, RunState
    from runner.store import Store
    from runner.store.base import Problem, SessionSummary
    from tui.model_switch import Switch
    from tui.next_request import Temperature
    from tui.remembered import Remembered
    from tui.render.lanes import Bar
    from tui.screens.cockpit import CockpitScreen
    from tui.screens.models import ModelChoice
    from tui.sessions.choice import SessionChoice


class Lists(Protocol):
    """Makes the screens that are lists."""

    def models(
        self, switch: Switch, memory: ModelMemory, first: Literal["", "temperature"] = ""
    ) -> Screen[ModelChoice | None]: ...

    def sessions(self, current: str | None, remembered: Remembered) -> Screen[SessionChoice]: ...

    def help(self) -> Screen[str | None]: ...

    def commands(self, view: View) -> Screen[str | None]: ...


class Reviewer(Protocol):
    """What is told of a session that is opened, and goes to a place in it."""

    def opened(self, summary: SessionSummary, runs: Sequence[RunState], problems: Sequence[Problem]) -> str: ...

    async def arrive(self, at: Landing) -> None: ...


class Browsing:
    def __init__(
        self, desk: Desk, *, screen: CockpitScreen, lists: Lists, leaving: Callable[[str | None], str]
    ) -> None:
        """leaving: ends what belongs to the session that is shown, before another one is; says what ended."""
        self.desk = desk
        self._host = desk.host
        self._screen = screen
        self._deck = desk.deck
        self._engine = desk.engine
        self._lists = lists
        self._leaving = leaving
        self.memory = ModelMemory(desk.remembered)
        self._do = desk.do
        self._repaint = desk.repaint
        self.review: Reviewer | None = None

    def open_screen(self, name: ScreenName, argument: str = "") -> None:
        view = self._deck.view()
        match name:
            case "models":
                first = "temperature" if argument == "temperature" else ""
                picker = self._lists.models(switch_of(view), self.memory, first)
                self._host.show_screen(picker, self._model_picked)
            case "sessions":
                screen = self._lists.sessions(view.session_id, self.desk.remembered)
                self._host.show_screen(screen, self._session_picked)
            case "help":
                self._host.show_screen(self._lists.help(), self._command_picked)
            case "palette":
                self._host.show_screen(self._lists.commands(view), self._command_picked)
            case _:
                open_panel(name, self.desk, argument)

    def view_call(self, call: CallItem) -> None:
        asked = call.asked
        files = files_of(asked.preview) if asked is not None else []
        if asked is not None and files:
            from tui.screens.diff_view import DiffView

            self._host.show_screen(DiffView(f"{asked.tool} wants to change", files))
        else:
            self._host.show_screen(Viewer(call_title(call), call_body(call)))

    def view_bar(self, bar: Bar, call: CallItem | None) -> None:
        """What a bar of the time axis was: all of the call, or the request in the ledger."""
        if call is not None and bar.lane != "model":
            self.view_call(call)
        elif bar.entry is not None:
            self.open_screen("ledger", f"{bar.run_id}:{bar.span.entry}")

    def pick_model(self, then: Callable[[str], None]) -> None:
        """Let the person choose a model for something else than the next request; then: gets its name."""

        def picked(choice: ModelChoice | None) -> None:
            if choice is not None:
                then(choice.name)

        self._host.show_screen(self._lists.models(switch_of(self._deck.view()), self.memory), picked)

    def _model_picked(self, choice: ModelChoice | None) -> None:
        if choice is not None:
            self.use_model(choice.name, now=choice.now, effort=choice.effort, temperature=choice.temperature)

    def use_model(
        self, name: str = "", *, now: bool = False, effort: str | None = None, temperature: Temperature = None
    ) -> None:
        """Another model, effort or temperature; what is not given stays."""
        self._deck.set_model(name, now=now, effort=effort, temperature=temperature)
        if self._deck.current is not None:
            self.model_used()
        if name:
            self.show_model()
        self._repaint()

    def model_used(self) -> None:
        """A run goes on with this model, which is one of the last used from now on."""
        self.memory.used(self._deck.view().model)

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
        match choice:
            case "new":
                self.new_session()
            case Opening(session_id, place):
                self._host.work(self.open_session(session_id, at=place), "session")
            case Beyond(panel, argument):
                open_panel(panel, self.desk, argument)
            case None:
                pass
        self._repaint()

    def new_session(self) -> None:
        ended = self._leaving(self._deck.view().session_id)
        self._deck.new_session()
        if ended:
            self._deck.say(ended)
        self._screen.composer.focus()

    async def open_session(self, session_id: str, *, at: Landing | None = None) -> None:
        """Show a stored session; the next message continues it. at: where to go in it, instead of to its end. A link
        says both."""
        try:
            link = session_of(session_id)
        except QuarterdeckError as error:
            self._deck.say(clean(str(error)), "error", stay=True)
            self._repaint()
            return
        session_id = link.session_id
        at = Landing(link.run_id, link.seq) if link.run_id else at

        def read(store: Store) -> tuple[SessionSummary, list[RunState], list[Problem]]:
            summary = store.session(session_id)
            runs = store.runs(summary.session_id)
            return summary, runs, store.problems_of(summary.session_id)

        try:
            summary, runs, problems = await asyncio.wrap_future(self._engine.ask(read))
        except QuarterdeckError as error:
            self._deck.say(str(error), "error", stay=True)
        else:
            before = self._deck.view().session_id
            ended = self._leaving(before) if before != summary.session_id else ""
            self._deck.show(summary.session_id, summary.title, runs, summary.models[-1] if summary.models else "")
            hint = resume_hint(self._deck.view().runs, self.desk.keys.show("resume"))
            damage = "" if self.review is None else self.review.opened(summary, runs, problems)
            if ended or hint or damage:
                said = "; ".join(filter(None, (damage, ended, hint)))
                self._deck.say(said, "warning" if damage else "info", stay=bool(hint or damage))
            self._screen.scroll_transcript("end")
            self._screen.composer.focus()
            if at is not None and self.review is not None:
                self._repaint()
                await self.review.arrive(at)
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

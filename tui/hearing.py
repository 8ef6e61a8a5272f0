"""What the engine says, and what becomes of it on the screen. A new notice of the engine gets a case here."""

from __future__ import annotations

from collections.abc import Callable
from pathlib import Path
from typing import TYPE_CHECKING

from tui.engine import (
    EngineFault,
    McpChanged,
    ModelChosen,
    Notice,
    ProcessesChanged,
    RunBegan,
    RunEnded,
    RunRefused,
    SandboxKnown,
    StoreOpened,
    Warm,
)
from tui.recovered import recovered_words
from tui.words import count

if TYPE_CHECKING:
    from tui.beside import Beside
    from tui.bridge import Bridge
    from tui.browsing import Browsing
    from tui.deck import Deck
    from tui.first_run import FirstRun
    from tui.servers import Servers
    from tui.today import Today
    from tui.widgets.welcome import Welcome
    from tui.writing import Writing


class Hearing:
    def __init__(
        self,
        *,
        deck: Deck,
        bridge: Bridge,
        browsing: Browsing,
        servers: Servers,
        beside: Beside,
        today: Today,
        first_run: FirstRun,
        writing: Writing,
        welcome: Welcome,
        repaint: Callable[[], None],
    ) -> None:
        self._deck = deck
        self._bridge = bridge
        self._browsing = browsing
        self._servers = servers
        self._beside = beside
        self._today = today
        self._first_run = first_run
        self._writing = writing
        self._welcome = welcome
        self._repaint = repaint

    def heard(self, notice: Notice) -> None:
        match notice:
            case Warm():
                return
            case ModelChosen(model=model, why=why):
                if not self._deck.view().model:
                    self._deck.model_chosen(model, why)
                self._browsing.show_model()
            case StoreOpened():
                self._store_opened(notice)
            case RunBegan(handle=handle, subscription=subscription):
                self._deck.began(handle)
                self._bridge.watch(handle, subscription)
                self._browsing.model_used()
            case RunRefused(text=text, problem=problem):
                self._deck.refused(text, problem)
            case RunEnded(problem=problem):
                self._today.refresh()
                self._first_run.run_ended()
                if problem:
                    self._deck.say(problem, "error", stay=True)
            case McpChanged(servers=servers):
                self._servers.heard(servers)
            case ProcessesChanged() | SandboxKnown():
                self._beside.heard(notice)
            case EngineFault(problem=problem):
                self._deck.say(f"a fault of the program: {problem}", "error", stay=True)
        self._writing.give_back()
        self._repaint()

    def _store_opened(self, opened: StoreOpened) -> None:
        self._deck.store_opened()
        self._today.refresh()
        self._first_run.store_opened()
        if opened.problem:
            self._deck.say(f"nothing will be saved: {opened.problem}", "error", stay=True)
            self._welcome.remark(f"nothing will be saved: {opened.problem}")
        if opened.recovered:
            text = recovered_words(opened.recovered)
            self._deck.request.recovered = opened.recovered[-1].session_id
            self._deck.say(text, "warning")
            self._welcome.remark(f"{text}; /resume opens it, and /resume there goes on")
        if opened.data_dir is not None:
            self._writing.load_history(opened.data_dir, Path(self._deck.view().workspace))

    def withheld(self, number: int) -> None:
        """The folder's own configuration is not trusted yet, and wants more than it gets."""
        if number:
            what = count(number, "setting")
            self._deck.say(
                f"{what} of this folder wait for your trust: quarterdeck trust shows them", "warning", stay=True
            )

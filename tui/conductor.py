"""Carries out what a person asks: between the keys, the deck, the engine and the screens."""

from __future__ import annotations

import asyncio
from contextlib import suppress
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Literal

from runner.errors import QuarterdeckError
from tui import history
from tui.actions import BY_ID, Choice, PaneName, ScreenName
from tui.deck import Deck
from tui.engine import Engine, EngineFault, ModelChosen, Notice, RunBegan, RunEnded, RunRefused, StoreOpened, Warm
from tui.screens.viewer import Viewer, call_body, call_title
from tui.slash import read_slash
from tui.widgets.approval import ApprovalCard
from tui.words import count, one_line

if TYPE_CHECKING:
    from runner.state import CallItem, RunState
    from runner.store import Store
    from runner.store.base import SessionSummary
    from tui.bridge import Bridge
    from tui.completer import Completer
    from tui.painter import Painter
    from tui.ports import Host, Lists
    from tui.screens.cockpit import CockpitScreen
    from tui.screens.models import ModelChoice
    from tui.screens.sessions import SessionChoice
    from tui.widgets.completion import Word

TICK = 0.5
"""Seconds between looks at the clock while something runs; without a run nothing ticks."""


class Conductor:
    """Implements `actions.Cockpit`; lives on the screen's thread."""

    def __init__(
        self,
        *,
        host: Host,
        screen: CockpitScreen,
        painter: Painter,
        deck: Deck,
        engine: Engine,
        bridge: Bridge,
        completer: Completer,
        lists: Lists,
    ) -> None:
        self._host = host
        self._screen = screen
        self._painter = painter
        self.deck = deck
        self._engine = engine
        self._bridge = bridge
        self._completer = completer
        self._lists = lists
        self._history_file: Path | None = None
        self._workspace = deck.view().workspace
        self._ticking = False
        self._exit_code = 0

    def do(self, action_id: str) -> bool:
        """Carry out an action where it can be now; whether it could."""
        action = BY_ID[action_id]
        if not action.enabled(self.deck.view()):
            return False
        action.run(self)
        self.repaint()
        return True

    def frame(self) -> None:
        """Show what the runs did since the last frame."""
        began = perf_counter()
        self.deck.changed(self._bridge.collect())
        self._give_back()
        self.repaint()
        self._bridge.painted(perf_counter() - began)

    def repaint(self) -> None:
        view = replace(
            self.deck.view(), answering=self._painter.card.answering, unseen=self._painter.transcript.new_lines
        )
        self._painter.paint(view)
        by_time = view.busy or view.quitting or bool(view.confirm)
        if (by_time or (view.notice is not None and view.notice.until is not None)) and not self._ticking:
            self._ticking = True
            self._screen.set_timer(TICK, self._tick)

    def _tick(self) -> None:
        self._ticking = False
        self.repaint()

    def heard(self, notice: Notice) -> None:
        """Something from the engine."""
        match notice:
            case Warm():
                return
            case ModelChosen(model=model, why=why):
                self._model_chosen(model, why)
            case StoreOpened():
                self._store_opened(notice)
            case RunBegan(handle=handle, subscription=subscription):
                self.deck.began(handle)
                self._bridge.watch(handle, subscription)
            case RunRefused(text=text, problem=problem):
                self.deck.refused(text, problem)
            case RunEnded(problem=problem):
                if problem:
                    self.deck.say(problem, "error", stay=True)
            case EngineFault(problem=problem):
                self.deck.say(f"a fault of the program: {problem}", "error", stay=True)
        self._give_back()
        self.repaint()

    def _model_chosen(self, model: str, why: str) -> None:
        if not self.deck.view().model:
            self.deck.model_chosen(model, why)
        self._screen.welcome.show_model(self.deck.view().model, self.deck.why)
        self._load_provider()

    def _load_provider(self) -> None:
        if not self.deck.view().model_is_demo:
            self._engine.load_provider(self.deck.view().model)

    def _store_opened(self, opened: StoreOpened) -> None:
        self.deck.store_opened()
        if opened.problem:
            self.deck.say(f"nothing will be saved: {opened.problem}", "error", stay=True)
            self._screen.welcome.remark(f"nothing will be saved: {opened.problem}")
        if opened.recovered:
            titles = ", ".join(f'"{one_line(run.title)[:40]}"' for run in opened.recovered[:3])
            runs = count(len(opened.recovered), "run was", "runs were")
            text = f"{runs} interrupted when the program died, and closed now: {titles}"
            self.deck.say(text, "warning")
            self._screen.welcome.remark(f"{text}; the list of sessions opens it")
        if opened.data_dir is not None:
            self._history_file = history.history_file(opened.data_dir, Path(self._workspace))
            self._host.work(self._load_history(self._history_file), "history")

    async def _load_history(self, file: Path) -> None:
        with suppress(QuarterdeckError):
            found = await asyncio.wrap_future(self._engine.background(lambda: history.load(file)))
            self._screen.composer.history_of_messages.extend_older(found)

    def _give_back(self) -> None:
        text = self.deck.take_restored()
        if text:
            self._screen.composer.give_back(text)

    def forget_confirm(self) -> bool:
        """Take an open question back; whether there was one."""
        asked = self.deck.forget_confirm()
        if asked:
            self.repaint()
        return asked

    def press_stop(self) -> None:
        self.deck.press_stop()

    def abort(self) -> None:
        self.deck.abort()

    def toggle_pause(self) -> None:
        self.deck.toggle_pause()

    def new_session(self) -> None:
        self.deck.new_session()
        self.focus_composer()

    def write(self, what: Literal["send", "newline"]) -> None:
        if what == "newline":
            self._screen.composer.insert_newline()
        elif not self._screen.composer.blank:
            self._send()

    def _send(self) -> None:
        text = self._screen.composer.text
        slash = read_slash(text)
        if slash is not None and slash.action_id is None:
            self._unknown(slash.name)
            return
        self._screen.composer.take()
        self.submit(text)

    def submit(self, text: str) -> bool:
        """Send a message, or do what a command says; False where there is no such command."""
        slash = read_slash(text)
        if slash is None:
            self.send(text)
        elif slash.action_id is None:
            self._unknown(slash.name)
            return False
        else:
            self._obey(slash.action_id, slash.argument)
        return True

    def _unknown(self, name: str) -> None:
        self.deck.say(f"there is no command /{name}; begin with a space to send it as a message", "warning")

    def _obey(self, action_id: str, argument: str) -> None:
        if action_id == "model" and argument:
            self._use_model(argument)
        elif not self.do(action_id):
            self.deck.say(f"{BY_ID[action_id].name}: nothing to do now")

    def send(self, text: str) -> None:
        """A message of the person's."""
        self.deck.send(text)
        if self._screen.composer.history_of_messages.add(text) and self._history_file is not None:
            self._remember(self._history_file, text)
        self._screen.scroll_transcript("end")
        self.repaint()

    def _remember(self, file: Path, text: str) -> None:
        async def append() -> None:
            # Losing an entry of the input history is no reason to disturb anybody.
            with suppress(OSError, QuarterdeckError):
                await asyncio.wrap_future(self._engine.background(lambda: history.append(file, text)))

        self._host.work(append(), "history")

    def choose(self, choice: Choice) -> None:
        self._painter.card.choose(choice)

    def decide(self, decided: ApprovalCard.Decided) -> None:
        self.deck.decide(
            decided.request_id,
            decided.decision,
            scope=decided.scope,
            reason=decided.reason,
            arguments=decided.arguments,
        )
        self.repaint()

    def focus_card(self) -> None:
        if not self._painter.card.has_focus_within:
            self._painter.card.focus()

    def focus_composer(self) -> None:
        self._screen.composer.focus()

    def typed(self, text: str) -> None:
        """Text that reached another part belongs to the message."""
        self._screen.composer.focus()
        self._screen.composer.insert_pasted(text)

    def scroll_transcript(self, where: Literal["page_up", "page_down", "top", "end"]) -> None:
        self._screen.scroll_transcript(where)

    def toggle_pane(self, name: PaneName) -> None:
        self._screen.toggle(name)
        self._screen.call_after_refresh(self.repaint)

    def next_theme(self) -> None:
        theme = self._host.next_theme()
        self._painter.transcript.set_theme(theme)
        self.deck.say(f"theme {theme.title}")

    def copy_last(self) -> None:
        run = self.deck.view().run
        text = self._painter.transcript.copy_text() or (run.final_output if run else "")
        if text:
            self._host.copy(text)
            self.deck.say("copied; a terminal may ask before it lets a program use the clipboard")
        else:
            self.deck.say("there is no answer to copy yet")

    def view_call(self, call: CallItem) -> None:
        self._host.show_screen(Viewer(call_title(call), call_body(call)))

    def view_selected_call(self) -> None:
        if self._painter.timeline.call is not None:
            self.view_call(self._painter.timeline.call)

    def complete(self, word: Word | None) -> None:
        if word is None:
            self._screen.composer.close_completion()
        else:
            self._host.work(self._complete(word), "complete")

    async def _complete(self, word: Word) -> None:
        found = await self._completer.candidates(word, self.deck.view())
        if self._screen.composer.word == word:
            self._screen.popup.offer(found)

    def open_screen(self, name: ScreenName) -> None:
        match name:
            case "models":
                view = self.deck.view()
                used = view.run.context_used if view.run else 0
                picker = self._lists.models(current=view.model, live=view.live is not None, context_used=used)
                self._host.show_screen(picker, self._model_picked)
            case "sessions":
                self._host.show_screen(self._lists.sessions(self.deck.view().session_id), self._session_picked)
            case "help":
                self._host.show_screen(self._lists.help(), self._command_picked)
            case "palette":
                self._host.show_screen(self._lists.commands(self.deck.view()), self._command_picked)

    def _model_picked(self, choice: ModelChoice | None) -> None:
        if choice is not None:
            self._use_model(choice.name, now=choice.now)

    def _use_model(self, name: str, *, now: bool = False) -> None:
        self.deck.set_model(name, now=now)
        self._screen.welcome.show_model(self.deck.view().model, self.deck.why)
        self._load_provider()
        self.repaint()

    def _command_picked(self, action_id: str | None) -> None:
        if action_id is not None:
            self.do(action_id)

    def _session_picked(self, choice: SessionChoice) -> None:
        if choice == "new":
            self.new_session()
        elif choice is not None:
            self._host.work(self.open_session(choice.session_id), "session")
        self.repaint()

    async def open_session(self, session_id: str) -> None:
        """Show a stored session; the next message continues it."""

        def read(store: Store) -> tuple[SessionSummary, list[RunState]]:
            summary = store.session(session_id)
            return summary, list(store.runs(summary.session_id))

        try:
            summary, runs = await asyncio.wrap_future(self._engine.ask(read))
        except QuarterdeckError as error:
            self.deck.say(str(error), "error", stay=True)
        else:
            self.deck.show(summary.session_id, summary.title, runs, summary.models[-1] if summary.models else "")
            self._screen.scroll_transcript("end")
            self.focus_composer()
        self.repaint()

    def ask_quit(self) -> None:
        """Quit; with a run going only after a second press."""
        if self.deck.quitting:
            return
        question = "a run goes on: the same key again aborts it, saves and quits; esc stays"
        if not self.deck.any_live or self.deck.confirm(question):
            self.quit()

    def quit(self, code: int = 0) -> None:
        """End the runs with their state saved, then the program; bounded in time."""
        if self.deck.quitting:
            return
        self.deck.quitting = True
        self._exit_code = code
        draft = self._screen.composer.text
        if draft.strip() and self._history_file is not None:
            self._remember(self._history_file, draft)
        self._host.work(self._shutdown(), "quit")
        self.repaint()

    def begin(self, *, prompt: str | None, session: str | None, resume: bool) -> None:
        """What the command line asked for: a session to open, then a message to send."""
        self._host.work(self._begin(prompt, session, resume), "session")

    def tell_withheld(self, number: int) -> None:
        """The folder's own configuration is not trusted yet, and wants more than it gets."""
        if number:
            what = count(number, "setting")
            self.deck.say(
                f"{what} of this folder wait for your trust: quarterdeck trust shows them", "warning", stay=True
            )

    async def _begin(self, prompt: str | None, session: str | None, resume: bool) -> None:
        if resume and session is None:
            session = await self._last_session()
        if session is not None:
            await self.open_session(session)
        if prompt:
            self.send(prompt)

    async def _last_session(self) -> str | None:
        """The newest session of this folder."""
        try:
            found = await asyncio.wrap_future(self._engine.ask(lambda store: store.sessions(limit=200)))
        except QuarterdeckError as error:
            self.deck.say(str(error), "error", stay=True)
            return None
        here = next((each.session_id for each in found if each.workspace == self._workspace), None)
        if here is None:
            self.deck.say("there is no earlier session of this folder; this is a new one")
        return here

    async def _shutdown(self) -> None:
        await asyncio.wrap_future(self._engine.shutdown())
        self._bridge.close()
        self._host.leave(self._exit_code)

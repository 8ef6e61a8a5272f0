"""Carries out what a person asks: between the keys, the deck, the engine and the screens."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Literal

from tui.actions import BY_ID, Order, PaneName, QueueStep, ScreenName
from tui.answers import Answers
from tui.beside import Beside
from tui.browsing import Browsing, Lists
from tui.desk import Desk
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
from tui.orders import Orders
from tui.panels import is_panel
from tui.recovered import recovered_words
from tui.reflexes import Reflexes
from tui.servers import Filled, Servers
from tui.slash import Slash
from tui.today import Today
from tui.words import count
from tui.writing import Writing

if TYPE_CHECKING:
    from collections.abc import Mapping

    from runner.mcp.state import PromptInfo
    from tui.bridge import Bridge
    from tui.completer import Completer
    from tui.deck import Deck
    from tui.engine import Engine
    from tui.painter import Painter
    from tui.ports import AppSettings, Host
    from tui.screens.cockpit import CockpitScreen
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
        settings: AppSettings,
    ) -> None:
        self._host = host
        self._screen = screen
        self._painter = painter
        self.deck = deck
        self._engine = engine
        self._bridge = bridge
        self._orders = Orders(deck)
        self.servers = completer.servers = self._make_servers()
        self._writing = Writing(
            host=host,
            screen=screen,
            deck=deck,
            orders=self._orders,
            engine=engine,
            completer=completer,
            obey=self._obey,
            servers=self.servers,
            repaint=self.repaint,
        )
        desk = Desk(
            host=host,
            deck=deck,
            engine=engine,
            settings=settings,
            keys=painter.keys,
            do=self.do,
            repaint=self.repaint,
            servers=self.servers,
            reflexes=Reflexes(host, deck, engine, painter.keys, self.repaint),
        )
        self.beside = Beside(engine)
        self.today = Today(host, engine, self.repaint)
        self.axis = painter.axis
        self.browsing = Browsing(desk, screen=screen, lists=lists, leaving=self.beside.leave)
        self.answers = Answers(
            desk=desk,
            painter=painter,
            deck=deck,
            orders=self._orders,
            open_screen=self.open_screen,
            focus_composer=self.focus_composer,
            repaint=self.repaint,
        )
        self._ticking = False
        self._exit_code = 0

    def do(self, action_id: str) -> bool:
        """Carry out an action where it can be now; whether it could. Where not, the status line says why."""
        action = BY_ID[action_id]
        why = action.refusal(self.deck.view())
        if why:
            self.deck.say(why)
        else:
            action.run(self)
        self.repaint()
        return not why

    def can(self, action_id: str) -> bool:
        """Whether an action can be carried out now."""
        return BY_ID[action_id].enabled(self.deck.view())

    def frame(self) -> None:
        """Show what the runs did since the last frame."""
        began = perf_counter()
        self.deck.changed(self._bridge.collect())
        self._writing.follow()
        self._writing.give_back()
        self.repaint()
        self._bridge.painted(perf_counter() - began)

    def repaint(self) -> None:
        painter = self._painter
        self._writing.follow()
        painter.rewriting = self._writing.rewriting
        view = self.today.add_to(self.beside.add_to(self.deck.view()), self.deck.live_runs)
        view = replace(view, answering=painter.answering, unseen=painter.transcript.new_lines)
        painter.paint(view)
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
                if not self.deck.view().model:
                    self.deck.model_chosen(model, why)
                self.browsing.show_model()
            case StoreOpened():
                self._store_opened(notice)
            case RunBegan(handle=handle, subscription=subscription):
                self.deck.began(handle)
                self._bridge.watch(handle, subscription)
            case RunRefused(text=text, problem=problem):
                self.deck.refused(text, problem)
            case RunEnded(problem=problem):
                self.today.refresh()
                if problem:
                    self.deck.say(problem, "error", stay=True)
            case McpChanged(servers=servers):
                self.servers.heard(servers)
            case ProcessesChanged() | SandboxKnown():
                self.beside.heard(notice)
            case EngineFault(problem=problem):
                self.deck.say(f"a fault of the program: {problem}", "error", stay=True)
        self._writing.give_back()
        self.repaint()

    def _make_servers(self) -> Servers:
        return Servers(
            host=self._host,
            deck=self.deck,
            engine=self._engine,
            offer=self._offer,
            ask_arguments=self._ask_arguments,
            repaint=self.repaint,
        )

    def _ask_arguments(self, prompt: PromptInfo, given: Mapping[str, str], then: Filled) -> None:
        from tui.screens.prompt_form import PromptForm

        self._host.show_screen(PromptForm(prompt, given), then)

    def _offer(self, text: str) -> None:
        self._writing.offer(text)

    def _store_opened(self, opened: StoreOpened) -> None:
        self.deck.store_opened()
        self.today.refresh()
        if opened.problem:
            self.deck.say(f"nothing will be saved: {opened.problem}", "error", stay=True)
            self._screen.welcome.remark(f"nothing will be saved: {opened.problem}")
        if opened.recovered:
            text = recovered_words(opened.recovered)
            self.deck.say(text, "warning")
            self._screen.welcome.remark(f"{text}; the list of sessions opens it")
        if opened.data_dir is not None:
            self._writing.load_history(opened.data_dir, Path(self.deck.view().workspace))

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
        self._orders.toggle_pause()

    def order(self, what: Order) -> None:
        self._orders.give(what)

    def ask_limit(self) -> None:
        self._writing.begin("/limit ")

    def new_session(self) -> None:
        self.browsing.new_session()

    def write(self, what: Literal["send", "send_now", "newline"]) -> None:
        self._writing.write(what)

    def submit(self, text: str) -> bool:
        """Send a message, or do what a command says; False where it cannot be understood."""
        understood = self._writing.submit(text)
        self.repaint()
        return understood

    def _obey(self, command: Slash) -> None:
        if command.action_id == "model" and command.argument:
            self.browsing.use_model(command.argument)
        elif command.argument and is_panel(command.action_id):
            self.open_screen(command.action_id, command.argument)
        elif command.action_id is not None:
            self.do(command.action_id)

    def escape(self) -> bool:
        """Leave what took the place of the draft in the message; whether there was such a thing."""
        left = self._writing.escape()
        if left:
            self.repaint()
        return left

    def focus_queue(self) -> None:
        self._painter.queue.take_focus()
        self._painter.queue.select_last()

    def up(self) -> bool:
        """Up in an empty message goes to the messages that wait; whether there are any."""
        return self.can("queue.focus") and self.do("queue.focus")

    def queue(self, step: QueueStep) -> None:
        """A key of the list of waiting messages."""
        queue = self._painter.queue
        match step:
            case "edit":
                self._writing.rewrite(queue.message_id)
            case "earlier":
                self._orders.move_message(queue.message_id, -1)
            case "later":
                self._orders.move_message(queue.message_id, 1)
            case "delete":
                self._orders.delete_message(queue.message_id, self._painter.keys.show("queue.undo"))
            case "undo":
                self._orders.undo_delete()
            case "now":
                self._orders.deliver_now()

    def focus_composer(self) -> None:
        self._screen.composer.focus()

    def typed(self, text: str) -> None:
        """Text that reached another part belongs to the message."""
        self._writing.typed(text)

    def left_out(self, number: int) -> None:
        """A paste held characters that nobody could have seen in the message."""
        self.deck.say(f"{count(number, 'invisible character')} of the paste left out", "warning")
        self.repaint()

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

    def complete(self, word: Word | None) -> None:
        self._writing.complete(word)

    def open_screen(self, name: ScreenName, argument: str = "") -> None:
        self.browsing.open_screen(name, argument)

    def view_selected_call(self) -> None:
        if self._painter.timeline.call is not None:
            self.browsing.view_call(self._painter.timeline.call)

    def ask_quit(self) -> None:
        """Quit; with a run or a process going only after a second press."""
        if self.deck.quitting:
            return
        question = self.beside.before_quitting(self.deck.any_live)
        if not question or self.deck.confirm(question):
            self.quit()

    def quit(self, code: int = 0) -> None:
        """End the runs with their state saved, then the program; bounded in time."""
        if self.deck.quitting:
            return
        self.deck.quitting = True
        self._exit_code = code
        self._writing.keep_drafts()
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
        if session is not None:
            await self.browsing.open_session(session)
        elif resume:
            await self.browsing.open_last()
        if prompt:
            self._writing.send(prompt)
        self.repaint()

    async def _shutdown(self) -> None:
        await asyncio.wrap_future(self._engine.shutdown())
        self._bridge.close()
        self._host.leave(self._exit_code)

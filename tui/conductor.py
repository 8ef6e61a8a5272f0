"""Carries out what a person asks: between the keys, the deck, the engine and the screens."""

from __future__ import annotations

import asyncio
from dataclasses import replace
from pathlib import Path
from time import perf_counter
from typing import TYPE_CHECKING, Literal

from tui.actions import BY_ID, Choice, LimitChoice, Order, PaneName, QueueStep, ScreenName
from tui.browsing import Browsing
from tui.engine import EngineFault, ModelChosen, Notice, RunBegan, RunEnded, RunRefused, StoreOpened, Warm
from tui.orders import Orders
from tui.recovered import recovered_words
from tui.slash import Slash
from tui.words import count
from tui.writing import Writing

if TYPE_CHECKING:
    from runner.state import CallItem
    from tui.bridge import Bridge
    from tui.completer import Completer
    from tui.deck import Deck
    from tui.engine import Engine
    from tui.painter import Painter
    from tui.ports import Host, Lists
    from tui.screens.cockpit import CockpitScreen
    from tui.widgets.approval import ApprovalCard
    from tui.widgets.completion import Word
    from tui.widgets.limit_card import LimitCard

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
        self._orders = Orders(deck)
        self._writing = Writing(
            host=host,
            screen=screen,
            deck=deck,
            orders=self._orders,
            engine=engine,
            completer=completer,
            obey=self._obey,
        )
        self._browsing = Browsing(
            host=host, screen=screen, deck=deck, engine=engine, lists=lists, do=self.do, repaint=self.repaint
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
        view = replace(self.deck.view(), answering=painter.answering, unseen=painter.transcript.new_lines)
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
                self._browsing.show_model()
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
        self._writing.give_back()
        self.repaint()

    def _store_opened(self, opened: StoreOpened) -> None:
        self.deck.store_opened()
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

    def cancel_tool(self) -> None:
        """The call that is selected in the tool calls, or the only one; else the person chooses."""
        calls = self.deck.view().running_calls
        selected = self._painter.timeline.call if self._painter.timeline.has_focus else None
        if selected is not None and selected in calls:
            self._orders.cancel(selected)
        elif len(calls) == 1:
            self._orders.cancel(calls[0])
        else:
            self._painter.calls.ask(calls, self.deck.view().now)

    def cancel_call(self, call: CallItem) -> None:
        """The call that was chosen from the list."""
        self._painter.calls.close()
        self.focus_composer()
        self._orders.cancel(call)
        self.repaint()

    def new_session(self) -> None:
        self._browsing.new_session()

    def write(self, what: Literal["send", "send_now", "newline"]) -> None:
        self._writing.write(what)

    def submit(self, text: str) -> bool:
        """Send a message, or do what a command says; False where it cannot be understood."""
        understood = self._writing.submit(text)
        self.repaint()
        return understood

    def _obey(self, command: Slash) -> None:
        if command.action_id == "model" and command.argument:
            self._browsing.use_model(command.argument)
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

    def choose(self, choice: Choice) -> None:
        self._painter.asks.approval.choose(choice)

    def choose_limit(self, choice: LimitChoice) -> None:
        self._painter.asks.limit.choose(choice)

    def decide(self, decided: ApprovalCard.Decided) -> None:
        self.deck.decide(
            decided.request_id,
            decided.decision,
            scope=decided.scope,
            reason=decided.reason,
            arguments=decided.arguments,
        )
        self.repaint()

    def decide_limit(self, decided: LimitCard.Decided) -> None:
        """What to do at the limit that the run asks about."""
        match decided.choice:
            case "model":
                self.open_screen("models")
            case "wrap_up":
                self._orders.give("wrap_up")
            case "stop":
                self.deck.press_stop()
            case _:
                self._orders.set_limit(decided.limit, decided.value)
        self.repaint()

    def focus_card(self) -> None:
        self._painter.asks.focus()

    def focus_composer(self) -> None:
        self._screen.composer.focus()

    def typed(self, text: str) -> None:
        """Text that reached another part belongs to the message."""
        self._writing.typed(text)

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
        self._browsing.view_call(call)

    def view_selected_call(self) -> None:
        if self._painter.timeline.call is not None:
            self._browsing.view_call(self._painter.timeline.call)

    def complete(self, word: Word | None) -> None:
        self._writing.complete(word)

    def open_screen(self, name: ScreenName) -> None:
        self._browsing.open_screen(name)

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
            await self._browsing.open_session(session)
        elif resume:
            await self._browsing.open_last()
        if prompt:
            self._writing.send(prompt)
        self.repaint()

    async def _shutdown(self) -> None:
        await asyncio.wrap_future(self._engine.shutdown())
        self._bridge.close()
        self._host.leave(self._exit_code)

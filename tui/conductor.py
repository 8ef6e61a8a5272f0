"""Carries out what a person asks: between the keys, the deck, the engine and the screens."""

from __future__ import annotations

from dataclasses import replace
from typing import TYPE_CHECKING, Literal

from tui.actions import BY_ID, Order, ScreenName
from tui.answers import Answers
from tui.beside import Beside
from tui.branching import Branching
from tui.browsing import Browsing, Lists
from tui.composing import Composing, argument_words
from tui.desk import Desk
from tui.drafting import Drafting
from tui.first_run import FirstRun
from tui.hearing import Hearing
from tui.links import Links
from tui.looks import Looks
from tui.marks import Marks
from tui.orders import Orders
from tui.panels import is_panel
from tui.panes import Panes
from tui.queueing import Queueing
from tui.quitting import Quitting
from tui.reading import Reading
from tui.reflexes import Reflexes
from tui.review import Review
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
    """Implements `actions.Cockpit`; lives on the screen's thread.

    What belongs together is a part of its own: a class in its own module, made here and kept in an attribute, which
    actions reach by a property of `actions.Cockpit`.
    """

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
        self._writing = self._make_writing(completer)
        self.looks = Looks(host, deck, settings, painter.transcript, self.repaint)
        self.branching = self._make_branching(settings)
        desk = self._make_desk(settings)
        self.beside = Beside(engine)
        self.today = Today(host, engine, self.repaint)
        self.axis = painter.axis
        self.browsing = Browsing(desk, screen=screen, lists=lists, leaving=self._leave)
        self.first_run = FirstRun(desk, screen.welcome, self.browsing, self._writing.send)
        self.answers = Answers(
            desk=desk,
            painter=painter,
            deck=deck,
            orders=self._orders,
            open_screen=self.open_screen,
            focus_composer=self.focus_composer,
            repaint=self.repaint,
        )
        self.queue = Queueing(painter.queue, self._orders, self._writing, painter.keys)
        self.panes = Panes(screen, host.remembered, deck, painter.keys.show, self.repaint)
        self.reading = Reading(desk, screen, painter.transcript)
        self.review = Review(desk, screen, painter.transcript, self.reading)
        self.browsing.review = self.review
        self.marks = Marks(host, engine, painter.transcript)
        self.links = Links(desk, painter.transcript)
        self.quitting = self._make_quitting()
        self.hearing = self._make_hearing()
        self.composing = self._make_composing(desk, completer)
        self._ticking = False

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
        self.deck.changed(self._bridge.collect())
        self._writing.follow()
        self._writing.give_back()
        self.repaint()
        self.reading.follow()

    def repaint(self) -> None:
        if self.quitting.left:
            return
        painter = self._painter
        self._writing.follow()
        painter.rewriting = self._writing.rewriting
        view = self.today.add_to(self.beside.add_to(self.deck.view()), self.deck.live_runs)
        view = replace(view, answering=painter.answering, unseen=painter.transcript.new_lines)
        view = self.review.add_to(self.reading.add_to(view))
        self.marks.follow(view.session_id)
        painter.paint(view)
        self._host.tell(view)
        by_time = view.busy or view.quitting or bool(view.confirm)
        if (by_time or (view.notice is not None and view.notice.until is not None)) and not self._ticking:
            self._ticking = True
            self._screen.set_timer(TICK, self._tick)

    def _tick(self) -> None:
        self._ticking = False
        self.repaint()

    def _leave(self, session_id: str | None) -> str:
        """Another session is going to be shown; says what ends with the one that was."""
        self._writing.leave_session()
        return self.beside.leave(session_id)

    def _make_writing(self, completer: Completer) -> Writing:
        return Writing(
            host=self._host,
            screen=self._screen,
            deck=self.deck,
            orders=self._orders,
            engine=self._engine,
            completer=completer,
            obey=self._obey,
            servers=self.servers,
            repaint=self.repaint,
        )

    def _make_desk(self, settings: AppSettings) -> Desk:
        host = self._host
        return Desk(
            host=self._host,
            deck=self.deck,
            engine=self._engine,
            settings=settings,
            keys=self._painter.keys,
            do=self.do,
            go=lambda session_id, at: host.work(self.browsing.open_session(session_id, at=at), "session"),
            repaint=self.repaint,
            servers=self.servers,
            remembered=self._host.remembered,
            looks=self.looks,
            branching=self.branching,
            current=lambda: self._painter.transcript.current,
            marked=lambda: self.marks.again(),
            reflexes=Reflexes(self._host, self.deck, self._engine, self._painter.keys, self.repaint),
        )

    def _make_branching(self, settings: AppSettings) -> Branching:
        return Branching(
            host=self._host,
            deck=self.deck,
            engine=self._engine,
            settings=settings,
            show=lambda session_id: self.browsing.open_session(session_id),
            offer=self._offer,
            pick_model=lambda then: self.browsing.pick_model(then),
            repaint=self.repaint,
        )

    def _make_composing(self, desk: Desk, completer: Completer) -> Composing:
        workspace = self.deck.view().workspace
        self._writing.drafting = Drafting(self._screen.set_timer, self.deck, self._writing, workspace)
        completer.arguments = argument_words(desk)
        return Composing(desk, self._writing)

    def _make_quitting(self) -> Quitting:
        return Quitting(
            host=self._host,
            deck=self.deck,
            engine=self._engine,
            bridge=self._bridge,
            beside=self.beside,
            before=self._writing.keep_drafts,
            repaint=self.repaint,
        )

    def _make_hearing(self) -> Hearing:
        return Hearing(
            deck=self.deck,
            bridge=self._bridge,
            browsing=self.browsing,
            servers=self.servers,
            beside=self.beside,
            today=self.today,
            first_run=self.first_run,
            writing=self._writing,
            welcome=self._screen.welcome,
            repaint=self.repaint,
        )

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
        if command.action_id == "read.find" and command.argument:
            self.reading.find(command.argument)
        elif command.action_id == "model" and command.argument:
            self.browsing.use_model(command.argument)
        elif (command.action_id == "effort" or command.action_id == "temperature") and command.argument:
            if problem := self._orders.write_setting(command.action_id, command.argument):
                self.deck.say(problem, "warning")
        elif command.action_id == "agent":
            self.branching.use_agent(command.argument)
        elif command.action_id == "theme" and command.argument:
            self.looks.use(command.argument)
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

    def up(self) -> bool:
        """Up in an empty message goes to the messages that wait; whether there are any."""
        return self.can("queue.focus") and self.do("queue.focus")

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

    def copy_last(self) -> None:
        self.reading.copy_last()

    def complete(self, word: Word | None) -> None:
        self._writing.complete(word)

    def open_screen(self, name: ScreenName, argument: str = "") -> None:
        self.browsing.open_screen(name, argument)

    def view_selected_call(self) -> None:
        if self._painter.timeline.call is not None:
            self.browsing.view_call(self._painter.timeline.call)

    def begin(self, *, prompt: str | None, session: str | None, resume: bool) -> None:
        """What the command line asked for: a session to open, then a message to send."""
        self.looks.watch()
        self._host.work(self._begin(prompt, session, resume), "session")

    async def _begin(self, prompt: str | None, session: str | None, resume: bool) -> None:
        if session is not None:
            await self.browsing.open_session(session)
        elif resume:
            await self.browsing.open_last()
        if prompt:
            self._writing.send(prompt)
        self.repaint()

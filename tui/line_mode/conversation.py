"""Line mode itself: what is written, what the engine says, what asks, and the end."""

from __future__ import annotations

import asyncio
import os
import termios
from collections import deque
from collections.abc import Callable, Coroutine, Mapping
from contextlib import suppress
from typing import TYPE_CHECKING, Any

from runner.errors import QuarterdeckError
from tui.beside import Beside
from tui.cli import EXIT_INTERRUPTED, EXIT_USAGE
from tui.deck import Deck
from tui.engine import (
    Engine,
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
from tui.headless import EXIT_FAILED, EXIT_LIMIT, EXIT_OK, LIMIT_REASONS
from tui.line_mode.asking import Asking
from tui.line_mode.cards import bar
from tui.line_mode.commands import AT_ONCE, read_line
from tui.line_mode.console import Console, EndOfInput
from tui.line_mode.follow import Follower
from tui.line_mode.obeying import Obeying
from tui.line_mode.table import Table
from tui.line_mode.topics import topics
from tui.orders import Orders
from tui.person_shell import read_shell
from tui.recovered import recovered_words
from tui.render.clean import clean, visible
from tui.servers import Servers
from tui.widgets.composer import pasted
from tui.words import count, cut, one_line

if TYPE_CHECKING:
    from runner.mcp.state import PromptInfo
    from runner.state import RunState
    from tui.line_mode.writer import Writer
    from tui.ports import AppSettings
    from tui.servers import Filled
    from tui.view import Level


class SpokenDeck(Deck):
    """Its remarks are printed, each once."""

    speak: Callable[[str], None]

    def say(self, text: str, level: Level = "info", *, stay: bool = False, seconds: float = 0.0) -> None:
        super().say(text, level, stay=stay, seconds=seconds)
        self.speak(f"quarterdeck: {visible(text)}")


class LineMode:
    """Lives on one event loop; the engine has its own."""

    def __init__(
        self, settings: AppSettings, console: Console, writer: Writer, deck: SpokenDeck, engine: Engine
    ) -> None:
        self.console = console
        self.deck = deck
        self._engine = engine
        self._settings = settings
        self._loop = asyncio.get_running_loop()
        self._beside = Beside(engine)
        self._orders = Orders(deck)
        self._follower = Follower(console, writer, self._changed)
        engine.on_events = self._follower.wake
        self.servers = Servers(
            host=self,
            deck=deck,
            engine=engine,
            offer=self._offer,
            ask_arguments=self._ask_arguments,
            repaint=lambda: None,
        )
        table = Table(console=console, deck=deck, engine=engine, settings=settings, obey=self._obeyed)
        self._obeying = Obeying(
            console=console,
            deck=deck,
            orders=self._orders,
            engine=engine,
            beside=self._beside,
            settings=settings,
            topics=topics(table, self.servers, self._keep),
            send=self._send,
            leave=self.ask_leave,
        )
        self._asking = Asking(
            console=console,
            deck=deck,
            orders=self._orders,
            environ=settings.environ,
            use_model=self._obeying.use_model,
            obey=self._obeyed,
        )
        self._opened = asyncio.Event()
        self._attention = asyncio.Event()
        self._leaving = asyncio.Event()
        self._later: deque[str] = deque()
        self._tasks: set[asyncio.Task[None]] = set()
        self._input_over = False
        self._refused = False
        self._code = EXIT_OK

    async def run(self, *, prompt: str | None, session: str | None, resume: bool) -> int:
        """Until it is left; returns the exit code."""
        self._engine.start()
        talking = asyncio.create_task(self._converse(prompt, session, resume))
        leaving = asyncio.create_task(self._leaving.wait())
        await asyncio.wait({talking, leaving}, return_when=asyncio.FIRST_COMPLETED)
        for task in (talking, leaving, *self._tasks):
            task.cancel()
        # A terminal that is gone fails once more while it is given back; only then is that of no interest.
        with suppress(asyncio.CancelledError, *((OSError, termios.error) if self._leaving.is_set() else ())):
            await talking
        await asyncio.wrap_future(self._engine.shutdown())
        self._follower.collect()
        return self._code

    def heard(self, notice: Notice) -> None:
        """Something from the engine."""
        match notice:
            case ModelChosen(model=model, why=why):
                if not self.deck.view().model:
                    self.deck.model_chosen(model, why)
                if not model.startswith("demo/"):
                    self._engine.load_provider(model)
            case StoreOpened():
                self._store_opened(notice)
            case RunBegan() | RunRefused() | RunEnded():
                self._heard_of_run(notice)
            case McpChanged(servers=servers):
                self.servers.heard(servers)
            case SandboxKnown():
                self._beside.heard(notice)
            case EngineFault(problem=problem):
                self.deck.say(f"a fault of the program: {problem}", "error")
                self._opened.set()
            case Warm() | ProcessesChanged():
                return
        self._look()

    def _heard_of_run(self, notice: RunBegan | RunRefused | RunEnded) -> None:
        match notice:
            case RunBegan(handle=handle, subscription=subscription):
                self.deck.began(handle)
                self._follower.watch(handle, subscription)
            case RunRefused(text=text, problem=problem):
                self._refused = True
                self.deck.refused(text, problem)
            case RunEnded(problem=problem):
                if problem:
                    self.deck.say(problem, "error")

    def interrupt(self) -> None:
        """Ctrl+C: stop, again: abort; where nothing runs, twice: leave."""
        if self.console.lent:
            return
        if self._leaving.is_set():
            # Every fact so far is stored; what is left is a tool that does not end.
            os._exit(EXIT_INTERRUPTED)
        if self.deck.any_live:
            self.deck.press_stop()
        elif self.console.scripted:
            self.leave(EXIT_INTERRUPTED)
        else:
            self._confirm_leave("Ctrl+C again leaves")

    def abort(self) -> None:
        self.deck.abort()

    def ask_leave(self) -> None:
        """Leave; where something goes on, only when asked twice."""
        question = self._beside.before_quitting(self.deck.any_live)
        if question:
            what = "a run goes on and is aborted" if self.deck.any_live else "processes in the background will end"
            self._confirm_leave(f"{what}: the same again leaves")
        else:
            self.leave(EXIT_OK)

    def _confirm_leave(self, question: str) -> None:
        if self.deck.confirm(question):
            self.leave(EXIT_OK)
        else:
            self.console.say(f"quarterdeck: {question}")

    def leave(self, code: int) -> None:
        if not self._leaving.is_set():
            self._code = code
            self.deck.quitting = True
            self._leaving.set()
            self._look()

    def work(self, job: Coroutine[Any, Any, None], group: str) -> None:
        """Keep a task until it is done."""
        task = self._loop.create_task(job, name=group)
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)

    async def _converse(self, prompt: str | None, session: str | None, resume: bool) -> None:
        await self._opened.wait()
        if not self.console.scripted:
            model, why = clean(self.deck.view().model), clean(self.deck.why)
            self.console.say(f"quarterdeck, line mode. {model}: {why}. /help says what can be typed.")
        if session is not None and not await self._obeying.open_session(session):
            return self.leave(EXIT_USAGE)
        if session is None and resume:
            await self._obeying.open_last()
        if prompt:
            await self._send(prompt, False)
        while not self._leaving.is_set():
            self._attention.clear()
            try:
                if self._input_over:
                    await self._without_input()
                elif (asked := self._asking.next()) is not None:
                    await self._asking.ask(asked)
                else:
                    await self._take_line()
            except EndOfInput:
                self._end_of_input()

    async def _take_line(self) -> None:
        busy = self.deck.any_live
        if self._later and not busy:
            await self._handle(self._later.popleft())
            return
        line = await self.console.line(self._attention if busy else None)
        if line is None or not line.strip():
            return
        command = read_line(line)
        # Lines of a program or a file come all at once, and each is meant to follow the answer to the one before.
        if self.console.scripted and self.deck.any_live and (command is None or command.command not in AT_ONCE):
            self._later.append(line)
        else:
            await self._handle(line)

    async def _without_input(self) -> None:
        """Everything was read: what goes on ends by itself, then the program."""
        if self.deck.any_live:
            if self.deck.view().limit_asked is not None and not self.deck.view().stop_asked:
                self.deck.press_stop()
            await self._attention.wait()
        elif self._later:
            await self._handle(self._later.popleft())
        else:
            self.leave(self._ended_with())

    def _end_of_input(self) -> None:
        if self.console.scripted:
            self._input_over = True
            self._follower.nobody_answers()
        else:
            self.ask_leave()

    def _ended_with(self) -> int:
        """What the last run came to, as `quarterdeck run` says it."""
        last = self._follower.last
        if self._refused:
            return EXIT_USAGE
        if last is None or last.status == "completed":
            return EXIT_OK
        if last.status == "cancelled":
            return EXIT_INTERRUPTED
        return EXIT_LIMIT if last.reason in LIMIT_REASONS else EXIT_FAILED

    async def _handle(self, line: str) -> None:
        """A message, a command, or a prompt of a server."""
        prompt = self.servers.read_prompt(line)
        # What a program or a file gives as input is for the model; only a person at the keys runs commands here.
        shell = None if self.console.scripted else read_shell(line)
        if prompt is not None:
            self.servers.run_prompt(prompt)
        elif shell is not None:
            self.deck.send(line, shell=shell)
        elif not await self._obeyed(line):
            await self._send(line, False)

    async def _obeyed(self, line: str) -> bool:
        command = read_line(line.strip("\r\n"))
        if command is not None:
            await self._obeying.obey(command)
        return command is not None

    async def _send(self, text: str, now: bool) -> None:
        """With the resources that it mentions."""
        mentioned = self.servers.mentions(text)
        if mentioned:
            self.console.say(f"(reading {count(len(mentioned), 'resource')} first)")
            try:
                text = await self.servers.attach(text, mentioned)
            except QuarterdeckError as error:
                self._keep(text)
                self.console.say(f"quarterdeck: not sent: {one_line(visible(str(error)))}")
                return
        waits = self.deck.any_live and not now
        self.deck.send(text, now=now)
        if now:
            self._orders.say_delivery(len(self.deck.messages) + 1)
        elif waits:
            self.console.say("(queued for the next turn; /now delivers it at once)")

    def _changed(self, states: dict[str, RunState]) -> None:
        """The runs went on."""
        self.deck.changed(states)
        self._look()

    def _look(self) -> None:
        """What may need the person now."""
        if self.deck.restored:
            self._keep(self.deck.take_restored())
        asked = self._asking.next()
        self.console.waits("a question waits" if asked is not None else "")
        self._asking.look(leaving=self._leaving.is_set())
        if asked is not None or not self.deck.any_live or self._leaving.is_set():
            self._attention.set()

    def _keep(self, text: str) -> None:
        """A text that was not sent goes back to the person."""
        draft = self.console.draft
        self.console.draft = f"{draft}\n{text}" if draft else text
        if not self.console.editable:
            self.console.say(f"(kept, /send sends it: {cut(one_line(clean(text)), 120)})")

    def _store_opened(self, opened: StoreOpened) -> None:
        self.deck.store_opened()
        if opened.problem:
            self.deck.say(f"nothing will be saved: {opened.problem}", "error")
        if opened.recovered:
            self.deck.request.recovered = opened.recovered[-1].session_id
            self.deck.say(f"{recovered_words(opened.recovered)}; /resume opens it, and goes on there", "warning")
        self._opened.set()

    def _offer(self, text: str) -> None:
        """A server's text that the person may send, once they have read it."""
        shown = pasted(text)[0]
        self.console.say("\n".join(bar(visible(shown), whole=True)))
        self._keep(shown)

    def _ask_arguments(self, prompt: PromptInfo, given: Mapping[str, str], then: Filled) -> None:
        del then  # The command is written again, with them.
        self.console.say(f"/{prompt.server}:{prompt.name} needs its arguments behind it, as name=value:")
        for argument in prompt.arguments:
            needed = "" if argument.required else ", may be left out"
            have = ", given" if argument.name in given else ""
            about = f": {one_line(visible(argument.description))}" if argument.description else ""
            self.console.say(f"  {visible(argument.name)}{needed}{have}{about}")

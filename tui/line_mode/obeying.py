"""Carries out the commands of a line."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable, Mapping
from datetime import UTC, datetime
from typing import TYPE_CHECKING, Literal

from runner.errors import QuarterdeckError
from tui.actions import BY_ID
from tui.branching import resume_hint
from tui.line_mode.cards import folded
from tui.line_mode.commands import Line, help_text
from tui.line_mode.telling import (
    call_text,
    conversation,
    cost_words,
    queue_words,
    session_lines,
    status_words,
)
from tui.render.clean import clean, visible
from tui.session_link import is_link, session_of
from tui.setting_words import setting_words
from tui.view import calls_of
from tui.words import count, cut, one_line

if TYPE_CHECKING:
    from runner.state import RunState
    from runner.store import Store
    from runner.store.base import SessionSummary
    from tui.beside import Beside
    from tui.deck import Deck
    from tui.engine import Engine
    from tui.line_mode.console import Console
    from tui.line_mode.table import Topic
    from tui.orders import Orders
    from tui.ports import AppSettings

MOST_SESSIONS = 10


class Obeying:
    """topics: commands that others carry out. send: a message of the person's, True: it interrupts. leave: they want to
    leave.
    """

    def __init__(
        self,
        *,
        console: Console,
        deck: Deck,
        orders: Orders,
        engine: Engine,
        beside: Beside,
        settings: AppSettings,
        topics: Mapping[str, Topic],
        send: Callable[[str, bool], Awaitable[None]],
        leave: Callable[[], None],
    ) -> None:
        self._console = console
        self._deck = deck
        self._orders = orders
        self._engine = engine
        self._beside = beside
        self._settings = settings
        self._topics = topics
        self._send = send
        self._leave = leave
        self._listed: list[str] = []

    async def obey(self, line: Line) -> None:
        """Where it cannot be done now, that is said."""
        action = BY_ID.get(line.command)
        why = line.problem or (action.refusal(self._deck.view()) if action is not None else "")
        if why:
            self._console.say(visible(why))
            return
        topic = self._topics.get(line.command)
        if topic is not None:
            try:
                await topic.obey(line.argument)
            except QuarterdeckError as error:
                self._console.say(visible(str(error)))
            return
        match line.command:
            case "model":
                await self.use_model(line.argument)
            case "sessions" | "open":
                await self._sessions(line.argument)
            case "new":
                self._new_session()
            case "send":
                await self._send_draft()
            case "send_now" if line.argument:
                await self._send(line.argument, True)
            case "quit":
                self._leave()
            case _:
                self._now(line)

    def _now(self, line: Line) -> None:
        """What needs no waiting: about the run that goes on, and what only tells."""
        match line.command:
            case "stop":
                self._deck.press_stop()
            case "abort":
                self._deck.abort()
            case "pause":
                self._orders.toggle_pause()
            case "retry_now" | "next_model" | "wrap_up" | "compact":
                self._orders.give(line.command)
            case "limit":
                problem = self._orders.write_limit(line.argument)
                if problem:
                    self._console.say(visible(problem))
            case "effort" | "temperature":
                self._setting(line.command, line.argument)
            case "cancel_tool":
                self._cancel(line.argument)
            case "send_now":
                self._orders.deliver_now()
            case _:
                self._console.say(folded(self._told(line), self._console.width))

    def _setting(self, name: Literal["effort", "temperature"], argument: str) -> None:
        if argument:
            problem = self._orders.write_setting(name, argument)
        else:
            problem = f"{setting_words(self._deck.view().asked) or f'{name} default'}; /{name} and a value changes it"
        if problem:
            self._console.say(visible(problem))

    def _told(self, line: Line) -> str:
        view = self._beside.add_to(self._deck.view())
        match line.command:
            case "cost":
                return cost_words(view)
            case "status":
                return status_words(view)
            case "queue.focus":
                return queue_words(view)
            case "show":
                calls = calls_of(view.runs)
                back = int(line.argument) if line.argument.isascii() and line.argument.isdecimal() else 1
                return call_text(calls[-back]) if 0 < back <= len(calls) else "there is no such tool call"
            case _:
                return help_text(editable=self._console.editable, person=not self._console.scripted)

    def _cancel(self, argument: str) -> None:
        calls = self._deck.view().running_calls
        if len(calls) == 1 and not argument:
            self._orders.cancel(calls[0])
        elif argument.isascii() and argument.isdecimal() and 0 < int(argument) <= len(calls):
            self._orders.cancel(calls[int(argument) - 1])
        else:
            for number, call in enumerate(calls, 1):
                self._console.say(f"{number}. {cut(one_line(clean(f'{call.tool} {call.process}')), 100)}")
            self._console.say("which one? /cancel and its number")

    async def use_model(self, words: str) -> None:
        """NAME, or NAME now."""
        name, _, when = words.partition(" ")
        if not name:
            view = self._deck.view()
            self._console.say(f"{visible(view.model)}: {visible(self._deck.why)}. /model NAME takes another one")
            return
        if when.strip() not in ("", "now"):
            self._console.say("write /model NAME, or /model NAME now")
            return
        try:
            await asyncio.wrap_future(self._engine.background(lambda: self._settings.registry().resolve(name)))
        except QuarterdeckError as error:
            self._console.say(visible(str(error)))
            return
        self._deck.set_model(name, now=bool(when))
        if not name.startswith("demo/"):
            self._engine.load_provider(name)

    async def _send_draft(self) -> None:
        draft, self._console.draft = self._console.draft, ""
        if draft:
            await self._send(draft, False)
        else:
            self._console.say("no text waits to be sent")

    def _busy(self) -> bool:
        if self._deck.any_live:
            self._console.say("a run goes on in this session; /stop ends it after the current step")
        return self._deck.any_live

    def _new_session(self) -> None:
        if not self._busy():
            ended = self._beside.leave(self._deck.view().session_id)
            self._deck.new_session()
            if ended:
                self._console.say(ended)

    async def _sessions(self, argument: str) -> None:
        if argument.isascii() and argument.isdecimal() and 0 < int(argument) <= len(self._listed):
            await self.open_session(self._listed[int(argument) - 1])
        elif is_link(argument) or (len(argument) >= 8 and all(sign in "0123456789abcdef-" for sign in argument)):
            await self.open_session(argument)
        else:
            await (self._find(argument) if argument else self._list())

    async def _find(self, text: str) -> None:
        from tui.line_mode.found_sessions import find, lines

        now = datetime.now(UTC)
        try:
            found = await asyncio.wrap_future(self._engine.ask(lambda store: find(store, text, now)))
        except QuarterdeckError as error:
            self._console.say(visible(str(error)))
            return
        self._listed = [each.session_id for each in found.sessions]
        for each in lines(found, self._deck.view().session_id, now):
            self._console.say(each)

    async def _list(self) -> None:
        here = self._deck.view().workspace
        try:
            found = await asyncio.wrap_future(self._engine.ask(lambda store: store.sessions(limit=200)))
        except QuarterdeckError as error:
            self._console.say(visible(str(error)))
            return
        shown = [each for each in found if each.workspace == here][:MOST_SESSIONS]
        self._listed = [each.session_id for each in shown]
        if not shown:
            self._console.say("no session of this folder yet")
            return
        for each in session_lines(shown, self._deck.view().session_id, datetime.now(UTC)):
            self._console.say(each)
        self._console.say("/sessions and a number opens one")

    async def open_last(self) -> None:
        """The newest session of this folder."""
        here = self._deck.view().workspace
        try:
            found = await asyncio.wrap_future(self._engine.ask(lambda store: store.sessions(limit=200)))
        except QuarterdeckError as error:
            self._console.say(visible(str(error)))
            return
        newest = next((each.session_id for each in found if each.workspace == here), None)
        if newest is None:
            self._console.say("there is no earlier session of this folder; this is a new one")
        else:
            await self.open_session(newest)

    async def open_session(self, session_id: str) -> bool:
        """Show the end of a stored session; the next message continues it. Whether it is open."""
        if self._busy():
            return False

        def read(store: Store) -> tuple[SessionSummary, list[RunState]]:
            summary = store.session(session_of(session_id).session_id)
            return summary, list(store.runs(summary.session_id))

        try:
            summary, runs = await asyncio.wrap_future(self._engine.ask(read))
        except QuarterdeckError as error:
            self._console.say(visible(str(error)))
            return False
        before = self._deck.view().session_id
        ended = self._beside.leave(before) if before != summary.session_id else ""
        self._deck.show(summary.session_id, summary.title, runs, summary.models[-1] if summary.models else "")
        for each in conversation(runs):
            self._console.say(each)
        title = cut(one_line(clean(summary.title)), 60)
        self._console.say(
            f"(session {summary.session_id}, {title}: {count(len(runs), 'run')}; the next message continues it)"
        )
        for said in filter(None, (ended, resume_hint(runs, "/resume"))):
            self._console.say(said)
        return True

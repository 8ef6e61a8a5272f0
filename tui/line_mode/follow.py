"""Follows the runs: prints what they say as it comes, and tells the deck their states."""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import dataclass, field
from typing import TYPE_CHECKING

from runner.events import (
    AbortRequested,
    Event,
    LimitReached,
    MessageDelivered,
    PersonCommandFinished,
    PersonCommandStarted,
    StopRequested,
    ToolStarted,
)
from runner.state import RunState, reduce
from tui import words
from tui.line_mode.cards import bar
from tui.plain import PlainPrinter
from tui.render.clean import clean, clean_output
from tui.render.command_words import finished_words
from tui.render.wording import notice

if TYPE_CHECKING:
    from runner.control.handle import RunHandle
    from runner.hub import Subscription
    from tui.line_mode.console import Console
    from tui.line_mode.writer import Writer

TOGETHER = 0.02
"""Seconds in which events are taken together."""


@dataclass(slots=True)
class _Followed:
    handle: RunHandle
    subscription: Subscription
    state: RunState = field(default_factory=RunState)
    printer: PlainPrinter = field(default_factory=lambda: PlainPrinter(terminal=True))
    dropped: int = 0


class Follower:
    """Lives on the loop that prints; only wake may be called from elsewhere."""

    def __init__(self, console: Console, writer: Writer, changed: Callable[[dict[str, RunState]], None]) -> None:
        self._console = console
        self._writer = writer
        self._changed = changed
        self._loop = asyncio.get_running_loop()
        self._followed: dict[str, _Followed] = {}
        self._due = False
        self._nobody = False
        self.last: RunState | None = None
        """The run that ended last."""

    def watch(self, handle: RunHandle, subscription: Subscription) -> None:
        self._followed[handle.run_id] = _Followed(handle, subscription)
        if self._nobody:
            handle.approver_gone()
        self._wake()

    def wake(self) -> None:
        """Something waits; from any thread."""
        try:
            self._loop.call_soon_threadsafe(self._wake)
        except RuntimeError:
            # The loop is closed: nobody reads any more.
            self._due = True

    def nobody_answers(self) -> None:
        """The input is over: what asks is denied from now on."""
        self._nobody = True
        for followed in self._followed.values():
            followed.handle.approver_gone()

    def collect(self) -> None:
        """Print what waits; nothing is taken while the reader is behind."""
        self._due = False
        if self._writer.behind:
            self._wake()
            return
        changed: dict[str, RunState] = {}
        for run_id, followed in list(self._followed.items()):
            events = followed.subscription.drain()
            if events:
                self._take(followed, events)
                changed[run_id] = followed.state
            if followed.state.finished:
                followed.handle.unsubscribe(followed.subscription)
                del self._followed[run_id]
                self.last = followed.state
        if changed:
            self._changed(changed)

    def _wake(self) -> None:
        if not self._due:
            self._due = True
            self._loop.call_later(TOGETHER, self.collect)

    def _take(self, followed: _Followed, events: list[Event]) -> None:
        dropped, followed.dropped = followed.dropped, followed.subscription.dropped_characters
        if dropped != followed.dropped:
            followed.printer.gap()
        for event in events:
            # A call begins with the words that it was proposed with, which its end forgets.
            self._begin(followed.state, event)
            printed = followed.printer.feed(event)
            self._console.write("".join(printed.out))
            for line in printed.err:
                self._console.say(line)
            followed.state = reduce(followed.state, event)

    def _begin(self, state: RunState, event: Event) -> None:
        """What the answer itself does not show."""
        match event:
            case ToolStarted(pid=None, call_id=call_id):
                call = next((call for call in state.live_calls if call.call_id == call_id), None)
                what = "" if call is None else clean(words.arguments(call.arguments)).replace("\n", " ")
                self._console.say(words.cut(f"[running] {clean(event.tool)} {what}".rstrip(), 200))
            case MessageDelivered(text=text, by="user") if _waited(state, event.message_id):
                self._console.say(f"quarterdeck: delivered: {words.cut(words.one_line(clean(text)), 200)}")
            case StopRequested() | AbortRequested():
                self._console.say(f"quarterdeck: {notice(event).text}")
            case PersonCommandStarted(pid=None, command=command):
                self._console.say(words.cut(f"[run by you, no sandbox] $ {words.one_line(clean(command))}", 200))
            case PersonCommandFinished():
                # What it printed is shown at its end, so that it never stands within the model's lines.
                printed = clean_output(event.output).removesuffix("\n")
                for line in [*(bar(printed, whole=True) if printed else ()), f"[{finished_words(event)}]"]:
                    self._console.say(line)
            case LimitReached(asks=True):
                pass  # The question says so.
            case _:
                pass


def _waited(state: RunState, message_id: str) -> bool:
    """Whether the person saw it wait; the first message of a run goes at once."""
    return state.turn > 0 and any(item.item_id == message_id for item in state.queued)

"""A run as plain text: the answer for stdout, and for stderr one line for each tool call and a summary at the end."""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Final

from runner.events import (
    AttemptDiscarded,
    CompactionFinished,
    CompactionStarted,
    ErrorOccurred,
    Event,
    LimitChanged,
    LimitReached,
    ModelResponded,
    ModelSwitched,
    Notification,
    Paused,
    Resumed,
    RetryScheduled,
    RetrySkipped,
    RunFinished,
    SamplingFinished,
    SettingsChanged,
    SettingsLeftOut,
    TextDelta,
    ToolFinished,
    ToolProposed,
)
from runner.events.tool import ApprovalResolved
from tui import words
from tui.render.clean import Sanitiser, clean
from tui.render.receipt import receipt_rest, receipt_words
from tui.render.wording import notice

LONGEST_LINE: Final = 200
"""Characters of a line on stderr that come from a tool call."""

_SAID: Final = (
    RetryScheduled,
    RetrySkipped,
    ModelSwitched,
    SettingsChanged,
    SettingsLeftOut,
    LimitReached,
    LimitChanged,
    Paused,
    Resumed,
    CompactionStarted,
    CompactionFinished,
    SamplingFinished,
    ErrorOccurred,
    Notification,
)
"""What happens besides answers and tool calls that a person without the screen should read."""

_CONTROL = re.compile("[\x00-\x08\x0b-\x1f\x7f-\x9f]")


class TerminalText:
    """Model text for a terminal: everything it would obey, and what a person could not see, becomes a visible mark."""

    def __init__(self) -> None:
        self._sanitiser = Sanitiser(tab=8)

    def feed(self, text: str) -> str:
        return self._sanitiser.feed(text)

    def finish(self) -> str:
        return self._sanitiser.finish()


class FileText:
    """Model text for a pipe or a file: tabs and all of Unicode stay, control characters go."""

    def feed(self, text: str) -> str:
        return _CONTROL.sub("", text)

    def finish(self) -> str:
        return ""


@dataclass(slots=True)
class Printed:
    """What to write now."""

    out: list[str] = field(default_factory=list[str])
    err: list[str] = field(default_factory=list[str])


class PlainPrinter:
    """Feed it every event in order, and say with `gap` where deltas were dropped on the way.

    A retry whose text begins like the discarded attempt's prints only what is new, because what went to a pipe cannot
    be taken back.
    """

    def __init__(self, *, terminal: bool) -> None:
        self._new_text = TerminalText if terminal else FileText
        self._text = self._new_text()
        self._shown: list[str] = []
        self._attempt: list[str] = []
        self._catching_up = False
        self._gap = False
        self._line_open = False
        self._calls: dict[str, tuple[str, Mapping[str, object] | str]] = {}

    def gap(self) -> None:
        """Deltas are missing: the rest of this response waits for the fact that holds it whole."""
        self._gap = True

    def feed(self, event: Event) -> Printed:
        printed = Printed()
        match event:
            case TextDelta(text=text):
                self._delta(printed, text)
            case AttemptDiscarded():
                self._attempt, self._gap = [], False
                self._catching_up = bool(self._shown)
            case ModelResponded(text=text):
                self._advance(printed, text)
                self._close_line(printed)
                self._shown, self._attempt = [], []
                self._catching_up = self._gap = False
            case ToolProposed(call_id=call_id, tool=tool, arguments=arguments):
                self._calls[call_id] = (tool, arguments)
            case ApprovalResolved(call_id=call_id, decision="edit", arguments=arguments):
                self._calls[call_id] = (self._calls[call_id][0], arguments)
            case ToolFinished():
                printed.err.append(self._tool_line(event))
            case RunFinished():
                self._close_line(printed)
                receipt = (*receipt_words(event.receipt), *receipt_rest(event.receipt))
                printed.err.extend(_line(text) for text in receipt)
                printed.err.append(summary(event))
            case Paused(by="limit"):
                pass  # The limit that was reached said so.
            case _ if isinstance(event, _SAID):
                said = notice(event)
                printed.err.extend(_line(text) for text in (said.text, *said.details))
            case _:
                pass
        return printed

    def _delta(self, printed: Printed, text: str) -> None:
        if self._gap:
            return
        self._attempt.append(text)
        if self._catching_up:
            self._advance(printed, "".join(self._attempt))
        else:
            self._show(printed, text)

    def _advance(self, printed: Printed, whole: str) -> None:
        """Print what of a response is not on the output yet; one that begins otherwise starts on a new line."""
        shown = "".join(self._shown)
        if shown.startswith(whole):
            return
        self._catching_up = False
        if whole.startswith(shown):
            self._show(printed, whole[len(shown) :])
            return
        self._close_line(printed)
        self._shown = []
        self._show(printed, whole)

    def _show(self, printed: Printed, text: str) -> None:
        self._shown.append(text)
        self._print(printed, self._text.feed(text))

    def _print(self, printed: Printed, text: str) -> None:
        if text:
            printed.out.append(text)
            self._line_open = not text.endswith("\n")

    def _close_line(self, printed: Printed) -> None:
        self._print(printed, self._text.finish())
        self._text = self._new_text()
        if self._line_open:
            self._print(printed, "\n")

    def _tool_line(self, event: ToolFinished) -> str:
        tool, arguments = self._calls.pop(event.call_id, (event.tool, ""))
        what = clean(words.arguments(arguments)).replace("\n", " ")
        head = words.cut(f"{clean(tool)} {what}".rstrip(), LONGEST_LINE)
        note = ""
        if event.status != "ok":
            note = ": " + words.cut(words.one_line(clean(event.output)), LONGEST_LINE)
        return f"[{event.status}] {head} ({words.duration(event.seconds)}){note}"


def _line(text: str) -> str:
    return "quarterdeck: " + words.one_line(clean(text))


def summary(event: RunFinished) -> str:
    """The one line at the end: how it ended, what it took and what it cost."""
    usage = event.usage
    cost = "cost unknown" if event.cost_usd is None else words.money(event.cost_usd)
    parts = [
        words.count(event.turns, "turn"),
        f"{words.tokens(usage.input)} tokens in, {words.tokens(usage.output)} out",
        cost,
        words.duration(event.seconds),
        f"session {event.session_id}",
    ]
    ended = event.status if event.reason == "complete" else f"{event.status} ({event.reason})"
    return f"quarterdeck: {ended}: {', '.join(parts)}"

"""What the search index takes from each fact: texts, the tools and files of a session, how calls and approvals went."""

from __future__ import annotations

import json
import re
from collections.abc import Callable, Iterator
from dataclasses import dataclass, field
from typing import Final, Literal, TypeAlias, cast

from runner.events import (
    ApprovalRequested,
    ApprovalResolved,
    ErrorOccurred,
    Event,
    FilesChanged,
    MessageDelivered,
    ModelResponded,
    PersonCommandFinished,
    RunStarted,
    ToolFinished,
    ToolProposed,
)
from runner.messages import UserMessage
from runner.store.units import clean, micros

Part = Literal["said", "answer", "reasoning", "call", "output", "command", "error"]
"""What a hit is in: a person's message, a model's answer or reasoning, a call's arguments or output, a command that
the person ran, an error."""

KINDS: Final = (
    "run_started",
    "message_delivered",
    "model_responded",
    "tool_proposed",
    "tool_finished",
    "files_changed",
    "approval_requested",
    "approval_resolved",
    "person_command_finished",
    "error",
)

LONGEST_PATH: Final = 1000
_PATH_NAMES: Final = frozenset({"path", "file", "file_path", "filename", "notebook_path"})
_PATCHED: Final = re.compile(r"^\*\*\* (?:Add|Update|Delete) File: (\S.*)$", re.MULTILINE)
"""A patch in the form that some models write names its files itself."""

TextRow: TypeAlias = tuple[int, int, Part, str, str]
"""seq, microseconds, what it is, the tool, the text."""


@dataclass(slots=True, kw_only=True)
class Taken:
    """What the facts of one run gave. tool_of: the tool of a call whose proposal was taken in before.

    calls: (seq, tool, microseconds, status, seconds). approvals: (seq, tool, microseconds, decision, by, seconds).
    """

    tool_of: Callable[[str], str]
    texts: list[TextRow] = field(default_factory=list[TextRow])
    tools: set[str] = field(default_factory=set[str])
    files: set[str] = field(default_factory=set[str])
    calls: list[tuple[int, str, int, str, float]] = field(default_factory=list[tuple[int, str, int, str, float]])
    approvals: list[tuple[int, str, int, str, str, float]] = field(
        default_factory=list[tuple[int, str, int, str, str, float]]
    )
    _tools: dict[str, str] = field(default_factory=dict[str, str])
    _questions: set[str] = field(default_factory=set[str])
    """Requests that are no approvals."""

    def take(self, event: Event) -> None:
        moment = micros(event.time)
        for part, tool, text in self._texts(event):
            if text.strip():
                self.texts.append((event.seq, moment, part, tool, clean(text)))
        match event:
            case ToolFinished():
                tool = clean(self._tool(event.call_id, event.tool))
                self.calls.append((event.seq, tool, moment, event.status, max(0.0, event.seconds)))
            case ApprovalRequested(asks="question"):
                self._questions.add(event.request_id)
            case ApprovalResolved() if event.decision != "answer" and event.request_id not in self._questions:
                tool = clean(self._tool(event.call_id, event.tool))
                row = (event.seq, tool, moment, event.decision, event.by, max(0.0, event.seconds))
                self.approvals.append(row)
            case FilesChanged():
                self._touch(change.path for change in event.files)
            case _:
                return

    def _texts(self, event: Event) -> Iterator[tuple[Part, str, str]]:
        """Triples of what it is, the tool, and the text."""
        match event:
            case RunStarted(input=messages):
                yield "said", "", "\n".join(message.text for message in messages if isinstance(message, UserMessage))
            case MessageDelivered(text=text, by="user"):
                yield "said", "", text
            case ModelResponded(text=text, reasoning=reasoning):
                yield "reasoning", "", reasoning
                yield "answer", "", text
            case ToolProposed():
                tool = self._proposed(event)
                arguments = event.arguments
                given = arguments if isinstance(arguments, str) else _values(arguments)
                yield "call", tool, f"{tool}\n{given}"
            case ToolFinished():
                yield "output", clean(self._tool(event.call_id, event.tool)), event.output
            case PersonCommandFinished(command=command, output=output):
                yield "command", "", f"{command}\n{output}"
            case ErrorOccurred(error=error):
                yield "error", "", error.message
            case _:
                return

    def _proposed(self, event: ToolProposed) -> str:
        tool = clean(event.tool)
        self._tools[event.call_id] = tool
        if tool:
            self.tools.add(tool)
        if isinstance(event.arguments, str):
            return tool
        texts = {name: value for name, value in event.arguments.items() if isinstance(value, str)}
        self._touch(value for name, value in texts.items() if name in _PATH_NAMES and "\n" not in value)
        for value in texts.values():
            if value.startswith("*** Begin Patch"):
                self._touch(found.strip() for found in _PATCHED.findall(value))
        return tool

    def _touch(self, paths: Iterator[str]) -> None:
        self.files.update(clean(path)[:LONGEST_PATH] for path in paths if path.strip())

    def _tool(self, call_id: str, said: str) -> str:
        """Old facts do not say the tool of a call themselves."""
        if said:
            return said
        if call_id not in self._tools:
            self._tools[call_id] = self.tool_of(call_id)
        return self._tools[call_id]


def _values(arguments: object) -> str:
    """Names and values as text, without the signs of JSON between them."""
    if isinstance(arguments, dict):
        named = cast("dict[str, object]", arguments)
        return "\n".join(f"{name} {_values(value)}" for name, value in named.items())
    if isinstance(arguments, list):
        return "\n".join(_values(value) for value in cast("list[object]", arguments))
    return arguments if isinstance(arguments, str) else json.dumps(arguments, default=str)

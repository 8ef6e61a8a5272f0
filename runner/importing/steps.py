"""What another program's log says, in the few words that all of them have in common."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Final, Literal, TypeAlias

from runner.messages import JsonObject, ToolCall
from runner.usage import Usage

Source = Literal["claude-code", "codex"]
NAMES: Final[dict[str, str]] = {"claude-code": "Claude Code", "codex": "Codex", "quarterdeck": "Quarterdeck"}
"""What the programs are called; runs imported from others have it as their agent."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Prompt:
    """A person's message; a run of ours begins with it."""

    time: datetime
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Response:
    """One answer of a model. usage: None where the log has none. finish_reason: as in model_responded."""

    time: datetime
    model: str
    text: str = ""
    reasoning: str = ""
    calls: tuple[ToolCall, ...] = ()
    usage: Usage | None = None
    finish_reason: str = "stop"


@dataclass(frozen=True, slots=True, kw_only=True)
class Result:
    """What became of a call. seconds: its run time, None where the log does not tell it. display: what it changed."""

    time: datetime
    call_id: str
    output: str
    failed: bool = False
    seconds: float | None = None
    display: JsonObject | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Remark:
    """Something else that a person was shown: an error, a compaction."""

    time: datetime
    text: str
    level: Literal["info", "warning", "error"] = "info"


@dataclass(frozen=True, slots=True, kw_only=True)
class Ended:
    """The answer to a prompt is over; a log that ends without saying so was interrupted."""

    time: datetime
    how: Literal["completed", "aborted", "failed"]


Step: TypeAlias = Prompt | Response | Result | Remark | Ended


@dataclass(frozen=True, slots=True, kw_only=True)
class Damage:
    """A line that could not be read. line: from 1."""

    line: int
    why: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Log:
    """One session of another program.

    session_id: the one it has there. version: of the program that wrote it. unknown: kinds of lines that mean nothing
    to us, and how many of each. damaged: lines that are not what they should be.
    """

    source: Source
    session_id: str
    workspace: str
    version: str
    title: str
    steps: tuple[Step, ...]
    lines: int
    unknown: Mapping[str, int] = field(default_factory=dict[str, int])
    damaged: tuple[Damage, ...] = ()

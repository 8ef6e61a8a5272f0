"""Events about commands that the person runs themselves, beside the model: no tool call, no policy, no request."""

from __future__ import annotations

from dataclasses import dataclass
from typing import ClassVar, Literal

from runner.events.base import Event

PersonCommandStatus = Literal["ended", "stopped", "not_started", "interrupted"]
"""By itself; because somebody asked for it; it never began; the program died while it ran."""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonCommandStarted(Event):
    """A person's own command begins; exactly one person_command_finished follows, before the end of the run. A second
    one tells the process. It runs with the person's environment and outside of any sandbox.

    share: the model gets command and output, by a message_delivered with by="command". marker: what the environment of
    all its processes carries. process_started: its start, in seconds since the epoch.
    """

    kind: Literal["person_command_started"] = "person_command_started"
    command_id: str = ""
    command: str = ""
    cwd: str = ""
    share: bool = False
    name: str = ""
    marker: str = ""
    pid: int | None = None
    pgid: int | None = None
    process_started: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonOutputDelta(Event):
    """Live output; superseded by person_command_finished. stream: stdout, stderr."""

    is_delta: ClassVar[bool] = True
    kind: Literal["person_output_delta"] = "person_output_delta"
    command_id: str = ""
    stream: str = "stdout"
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class PersonCommandFinished(Event):
    """The one end of a person's command. exit_code None: it was not started, or `signal` ended it.

    output: what it printed, cut as a tool's output is; artifact: the id of the whole of it where truncated. left_over:
    what it had left running, which was ended with it. error: why it did not start.
    """

    kind: Literal["person_command_finished"] = "person_command_finished"
    command_id: str = ""
    command: str = ""
    share: bool = False
    status: PersonCommandStatus = "ended"
    exit_code: int | None = None
    signal: str | None = None
    output: str = ""
    seconds: float = 0.0
    truncated: bool = False
    artifact: str | None = None
    left_over: tuple[str, ...] = ()
    error: str = ""

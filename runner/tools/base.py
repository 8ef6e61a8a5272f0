"""What a tool is, what it is given, and what it gives back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Literal, Protocol, TypeAlias

from runner.messages import JsonObject, SideEffects, ToolStatus
from runner.models.base import ToolSpec

ToolKind = Literal["read", "edit", "shell", "net", "other"]
"""What a tool does to the world; approval modes and colours go by it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Activity:
    """Yielded by a tool while it works. progress: 0..1."""

    message: str = ""
    progress: float | None = None
    data: JsonObject | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolOutput:
    """A result with separate sides: text for the model, view for the person ({"type": "diff"|"command"|"text"|...,
    ...}).
    """

    text: str
    display: JsonObject | None = None
    status: ToolStatus = "ok"
    side_effects: SideEffects | None = None
    metadata: JsonObject = field(default_factory=dict[str, Any])


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolOutcome:
    """The one result of a call as the loop records it. full_output is what an artifact should keep where truncated."""

    status: ToolStatus
    output: str
    display: JsonObject | None = None
    truncated: bool = False
    full_output: str | None = None
    side_effects: SideEffects = "none"


HowEnded = Literal["exited", "terminated", "killed", "survived", "gone"]
"""By itself; after SIGTERM; after SIGKILL; not at all; or before anybody looked."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ProcessEnd:
    """How a process that a tool started came to its end, for the receipt after an abort.

    name: its command line in a few words. more: processes of the call that were ended besides those that are listed.
    """

    pid: int
    pgid: int
    name: str
    how: HowEnded
    call_id: str = ""
    more: int = 0


class ToolReporter(Protocol):
    """Where a running tool reports to; each method returns at once and may be called from any thread.

    process_started: a command runs. started: seconds since the epoch. name: what it runs, in a few words. marker: what
    the environment of all its processes carries. process_ended: once for each process that ended with the command, the
    command itself first.
    """

    def activity(self, activity: Activity) -> None: ...

    def output(self, text: str, stream: str = "stdout") -> None: ...

    def process_started(
        self, pid: int, pgid: int, started: float | None, *, name: str = "", marker: str = ""
    ) -> None: ...

    def process_ended(self, end: ProcessEnd) -> None: ...


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolContext:
    """What a call is given.

    workspace: the folder that file tools stay inside. allow_outside: a person allowed this very call to leave it.
    scratch: a dict that lives as long as the run (what was read, and its hash). context: the run's own object, for
    user tools.
    abort_grace: seconds between SIGTERM and SIGKILL.
    """

    run_id: str
    call_id: str
    agent: str
    workspace: Path
    reporter: ToolReporter
    scratch: dict[str, Any]
    context: Any = None
    allow_outside: bool = False
    abort_grace: float = 2.0
    env: Mapping[str, str] | None = None


ToolStep: TypeAlias = Activity | ToolOutput
"""What a tool's run yields: activities, then exactly one ToolOutput."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Tool:
    """A tool. Made by `@tool` from a function, or by hand.

    validate: the arguments, checked and completed with defaults; raises ToolInputError with words for the model.
    run: given validated arguments. requires_approval: True, False, or decided from the arguments; None = by kind
    (read-only
    tools do not ask). concern: why this call must be asked about even where its kind would not (a path outside
    the workspace), or None. preview: what will happen, shown to a person before it does.
    touches: the files that this call may change, None where that is not known; asked only when the call was cut.
    serial: a barrier in a batch. timeout: seconds. idempotent: running it twice does what running it once does.
    """

    name: str
    description: str
    parameters: JsonObject
    run: Callable[[ToolContext, JsonObject], AsyncIterator[ToolStep]]
    validate: Callable[[JsonObject], JsonObject]
    kind: ToolKind = "other"
    read_only: bool = False
    idempotent: bool = False
    serial: bool = False
    timeout: float | None = None
    requires_approval: bool | Callable[[JsonObject], bool] | None = None
    concern: Callable[[ToolContext, JsonObject], str | None] | None = None
    preview: Callable[[ToolContext, JsonObject], JsonObject] | None = None
    touches: Callable[[ToolContext, JsonObject], list[Path] | None] | None = None

    @property
    def spec(self) -> ToolSpec:
        return ToolSpec(name=self.name, description=self.description, parameters=self.parameters)

"""What a tool is, what it is given, and what it gives back."""

from __future__ import annotations

from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass, field
from pathlib import Path
from typing import TYPE_CHECKING, Any, Literal, Protocol, TypeAlias

from runner.messages import JsonObject, SideEffects, ToolStatus
from runner.models.base import ToolSpec

if TYPE_CHECKING:
    from runner.events import FilesChanged

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


QuestionKind = Literal["question", "form"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Question:
    """Something that a running call wants to know from a person.

    who: who asks, where that is not the agent (a server's name). kind: "question" has a text and choices, "form" a
    JSON schema of an object with flat fields. choices: offered answers. free: another answer may be written.
    several: more than one choice may be taken.
    """

    text: str
    who: str = ""
    kind: QuestionKind = "question"
    choices: tuple[str, ...] = ()
    free: bool = True
    several: bool = False
    schema: JsonObject | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """answer: {"answers": [text, ...]} to a question, the form's object to a form; None where the person would not
    answer, or nobody could be asked (reason says which).
    """

    answer: JsonObject | None
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampling:
    """A request to the run's model by somebody else than its agent; it is paid from the run's budget.

    who: on whose behalf. messages: (role, text) with role "user" or "assistant".
    """

    who: str
    messages: tuple[tuple[str, str], ...]
    system: str = ""
    max_tokens: int = 1024
    temperature: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class Sampled:
    text: str
    model: str
    finish_reason: str


class CallHost(Protocol):
    """What a running call may ask of the run it belongs to; from the run's event loop only.

    ask: never raises for want of an answer; a call's time limit does not count while it waits. sample: raises ToolError
    where the run's limits or its configuration forbid it, or where the request fails.
    """

    async def ask(self, question: Question) -> Reply: ...

    async def sample(self, request: Sampling) -> Sampled: ...


class FileKeeper(Protocol):
    """Keeps what files were before a call changed them, so that it can be undone. From any thread; raises nothing.

    before: just before a file tool replaces a file by new content (None: there is no file). after: what is there now,
    once it is. before_command, after_command: around a call that may change any file; they block, for less than a
    second as a rule. take: at once, the fact to record of a call that is over, None where it changed nothing.
    stored: that fact is safe now; until then it could be found again after a crash.
    """

    def before(
        self, ctx: ToolContext, path: str, content: bytes | None, mode: int | None, new: bytes | None
    ) -> None: ...

    def after(self, ctx: ToolContext, path: str, content: bytes | None) -> None: ...

    def before_command(self, ctx: ToolContext) -> None: ...

    def after_command(self, ctx: ToolContext) -> None: ...

    def take(self, ctx: ToolContext) -> FilesChanged | None: ...

    def stored(self, run_id: str, call_ids: Sequence[str]) -> None: ...


SandboxMode = Literal["require", "auto", "off"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Sandbox:
    """What a command may touch. mode: "require" runs nothing without one, "auto" uses one where there is one.

    network: commands may use it. write: folders besides the workspace that may be written. show: of what is hidden
    from commands otherwise (runner.tools.sandbox.places), what they may read. hide: what they may not, besides.
    """

    mode: SandboxMode = "off"
    network: bool = False
    write: tuple[Path, ...] = ()
    show: tuple[Path, ...] = ()
    hide: tuple[Path, ...] = ()


NO_SANDBOX = Sandbox()


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolContext:
    """What a call is given.

    workspace: the folder that file tools stay inside. allow_outside: a person allowed this very call to leave it.
    scratch: a dict that lives as long as the run (what was read, and its hash). context: the run's own object, for
    user tools.
    abort_grace: seconds between SIGTERM and SIGKILL. turn: the run's turn. host: the run, for what a call asks of it.
    keeper: for undo. background: runner.tools.background.Background, the processes that outlive a call. None, for
    these: there is no such thing here. sandbox: for commands. env: what children's environment is made from, None: this
    process's own; hidden_env, pass_env: see RunConfig.
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
    session_id: str = ""
    turn: int = 0
    host: CallHost | None = None
    keeper: FileKeeper | None = None
    sandbox: Sandbox = NO_SANDBOX
    background: Any = None
    hidden_env: tuple[str, ...] = ()
    pass_env: tuple[str, ...] = ()


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
    identity: of a tool whose meaning others may change: a hash of its description and schema; grants are bound to it.
    risks: what is at stake in a call besides its kind, in a few words each. approved: told when a person allowed a call
    of it. unlimited: the run's own tool_timeout does not apply (it waits for a person). amounts_to: the calls of other
    tools, by name and arguments, that a call does the work of: what denies or asks about one of those does so here.
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
    identity: str = ""
    risks: Callable[[ToolContext, JsonObject], tuple[str, ...]] | None = None
    approved: Callable[[], None] | None = None
    unlimited: bool = False
    amounts_to: Callable[[JsonObject], Sequence[tuple[str, JsonObject]]] | None = None

    @property
    def spec(self) -> ToolSpec:
        return ToolSpec(name=self.name, description=self.description, parameters=self.parameters)


class Toolset(Protocol):
    """Tools that come and go while a run goes on, such as those of a server. Agent.toolsets takes any number.

    tools: what there is now; read before each request, and a call is looked up in what that request offered. prepare:
    awaited before a run's first request, for as long as it is worth waiting; must not raise.
    """

    def tools(self) -> Sequence[Tool]: ...

    async def prepare(self) -> None: ...

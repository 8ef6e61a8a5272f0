"""Events about tool calls and approvals."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Literal

from runner.events.base import Event
from runner.events.grant import UNBOUNDED, Bound, Suggested, ToolPattern
from runner.messages import JsonObject, SideEffects, ToolStatus

Decision = Literal["allow", "deny", "edit", "answer", "end_run"]
"""answer: to a question, whose answer is among the arguments."""
Scope = Literal["call", "run", "session", "project", "user"]
GrantMatch = Literal["tool", "exact", "pattern"]
"""What a decision with a scope covers: every call of the tool, calls with these very arguments, or a pattern."""
Risk = Literal["low", "medium", "high"]
Asks = Literal["call", "question"]
"""Whether a call may run, or something that a running call wants to know from a person."""
ChangedBy = Literal["tool", "shell"]
DecidedBy = Literal["user", "rule", "grant", "timeout", "stop", "disconnect"]


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolProposed(Event):
    """The model asked for a call. Exactly one tool_finished follows. valid: the arguments fit the tool's schema.

    arguments: the parsed object, or the raw text where it is not a JSON object.
    """

    kind: Literal["tool_proposed"] = "tool_proposed"
    call_id: str = ""
    tool: str = ""
    arguments: JsonObject | str = ""
    valid: bool = True


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalRequested(Event):
    """The run asks a person. Exactly one approval_resolved follows.

    preview: what will happen, made before asking: {"type": "command"|"diff"|"url"|"text"|"arguments", ...}
    (runner.tools.preview).
    why: the rule or mode that made it ask. options: the decisions that may be given. risk, risks: how much is at
    stake, and why, in a few words each. suggestions: what a grant could cover, from narrow to wide. asks: "question"
    for what a running call asks (preview type "question" or "form"); its answer is a decision "answer".
    """

    kind: Literal["approval_requested"] = "approval_requested"
    request_id: str = ""
    call_id: str = ""
    tool: str = ""
    arguments: JsonObject = field(default_factory=dict[str, object])
    preview: JsonObject = field(default_factory=dict[str, object])
    why: str = ""
    options: tuple[str, ...] = ()
    expires_at: datetime | None = None
    asks: Asks = "call"
    risk: Risk = "medium"
    risks: tuple[str, ...] = ()
    suggestions: tuple[Suggested, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalResolved(Event):
    """arguments: those that were allowed (edited ones after an edit). reason: read by the model after a denial.

    tool, proposed: what the model asked for. patterns: of a match by pattern; with a match of the tool, what must be
    granted besides. bound: how far the grant goes that this decision made. identity: of the tool, see policy.Grant.
    grants: the keys (runner.policy.uses.grant_key) of the grants that decided, where they did.
    """

    kind: Literal["approval_resolved"] = "approval_resolved"
    request_id: str = ""
    call_id: str = ""
    decision: Decision = "deny"
    by: DecidedBy = "user"
    rule: str = ""
    arguments: JsonObject = field(default_factory=dict[str, object])
    scope: Scope = "call"
    match: GrantMatch = "tool"
    reason: str = ""
    seconds: float = 0.0
    tool: str = ""
    proposed: JsonObject | None = None
    patterns: tuple[ToolPattern, ...] = ()
    bound: Bound = UNBOUNDED
    identity: str = ""
    grants: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True, kw_only=True)
class GrantRevoked(Event):
    """A person took back what an earlier decision granted. key: runner.policy.uses.grant_key; "" means every grant.

    It counts in the run from the command on. A grant for a project or for every project has a fact of its own once it
    is out of the file that keeps it.
    """

    kind: Literal["grant_revoked"] = "grant_revoked"
    key: str = ""
    by: str = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class FileChange:
    """One file before and after. path: absolute, links followed. before, after: the SHA-256 of the content, None where
    there was or is no file; the kept content is found under `before`. mode, mode_after: the permissions, None where
    they are not known; those of a symbolic link have its type with them, and its content is where it leads.
    """

    path: str
    before: str | None = None
    after: str | None = None
    mode: int | None = None
    mode_after: int | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class FilesChanged(Event):
    """What a call changed, for undo; precedes its tool_finished. by: a file tool, or a shell command (found by
    comparing the work tree). uncovered: in a few words, what could not be kept; "" where all of it was.
    """

    kind: Literal["files_changed"] = "files_changed"
    call_id: str = ""
    by: ChangedBy = "tool"
    files: tuple[FileChange, ...] = ()
    uncovered: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolStarted(Event):
    """Stored before the tool's code runs. A tool that starts a process says so in a second tool_started with pid and
    pgid.

    name: what the process runs, short. process_started: its start, in seconds since the epoch. marker: what the
    environment of the process and of everything it starts carries.
    """

    kind: Literal["tool_started"] = "tool_started"
    call_id: str = ""
    tool: str = ""
    name: str = ""
    marker: str = ""
    pid: int | None = None
    pgid: int | None = None
    process_started: float | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolActivity(Event):
    """progress: 0..1."""

    kind: Literal["tool_activity"] = "tool_activity"
    call_id: str = ""
    message: str = ""
    progress: float | None = None
    data: JsonObject | None = None


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolOutputDelta(Event):
    """Live output; superseded by tool_finished. stream: stdout, stderr, or a tool's own name."""

    is_delta: ClassVar[bool] = True
    kind: Literal["tool_output_delta"] = "tool_output_delta"
    call_id: str = ""
    stream: str = "stdout"
    text: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolFinished(Event):
    """The one end of a call. output: what the model reads. display: what a person sees, where it differs.

    artifact: the id of the stored full output where truncated. seconds: run time of the tool, without the wait for
    approval.
    """

    kind: Literal["tool_finished"] = "tool_finished"
    call_id: str = ""
    tool: str = ""
    status: ToolStatus = "ok"
    output: str = ""
    display: JsonObject | None = None
    seconds: float = 0.0
    truncated: bool = False
    artifact: str | None = None
    side_effects: SideEffects = "none"


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffRequested(Event):
    kind: Literal["handoff_requested"] = "handoff_requested"
    old: str = ""
    new: str = ""
    call_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffCompleted(Event):
    kind: Literal["handoff_completed"] = "handoff_completed"
    old: str = ""
    new: str = ""
    call_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HandoffIgnored(Event):
    kind: Literal["handoff_ignored"] = "handoff_ignored"
    old: str = ""
    new: str = ""
    call_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class GuardrailResult(Event):
    kind: Literal["guardrail_result"] = "guardrail_result"
    guardrail: str = ""
    stage: str = ""
    passed: bool = True
    tripped: bool = False
    message: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class HookResult(Event):
    kind: Literal["hook_result"] = "hook_result"
    hook: str = ""
    outcome: str = ""
    seconds: float = 0.0


@dataclass(frozen=True, slots=True, kw_only=True)
class UnknownEvent(Event):
    """An event of a kind this version does not know, kept whole so that nothing is lost by reading it."""

    data: JsonObject = field(default_factory=dict[str, object])

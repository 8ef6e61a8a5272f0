"""Events about tool calls and approvals."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import datetime
from typing import ClassVar, Literal

from runner.events.base import Event
from runner.messages import JsonObject, SideEffects, ToolStatus

Decision = Literal["allow", "deny", "edit", "end_run"]
Scope = Literal["call", "run", "session", "project", "user"]
GrantMatch = Literal["tool", "exact"]
"""What a decision with a scope covers: every call of the tool, or calls with these very arguments."""
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
    why: the rule or mode that made it ask. options: the decisions that may be given.
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


@dataclass(frozen=True, slots=True, kw_only=True)
class ApprovalResolved(Event):
    """arguments: those that were allowed (edited ones after an edit). reason: read by the model after a denial."""

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

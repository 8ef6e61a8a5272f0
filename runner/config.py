"""How a run is limited, approved and stored: SEMANTICS section 3, checked when it is made."""

from __future__ import annotations

from collections.abc import Awaitable, Callable, Sequence
from dataclasses import dataclass, field, fields
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, TypeAlias, cast

from runner.control.commands import Decide
from runner.errors import ConfigError
from runner.events import ApprovalRequested, Decision
from runner.messages import JsonObject
from runner.models.base import Model, ModelSettings
from runner.policy.base import ApprovalMode, Grant, Rule
from runner.tools.base import NO_SANDBOX, Sandbox

StopPolicy = Literal["step", "turn"]
Approver: TypeAlias = Callable[[ApprovalRequested], Decision | Decide | Awaitable[Decision | Decide]]
"""Answers an approval in a program: a decision, or a Decide with scope, reason or arguments; an exception denies."""
OnLimit = Literal["end", "ask"]
OnError = Literal["return", "raise"]

_AT_LEAST_ZERO = (
    "max_turns",
    "max_model_requests",
    "max_tool_calls",
    "max_input_tokens",
    "max_output_tokens",
    "max_total_tokens",
    "max_retries",
    "switch_after",
)
_POSITIVE = (
    "max_time",
    "max_wall_time",
    "timeout_per_turn",
    "first_token_timeout",
    "stream_idle_timeout",
    "tool_timeout",
    "approval_timeout",
    "backoff_initial",
    "backoff_factor",
    "backoff_max",
)
_COUNTS = ("tool_concurrency", "max_tool_output", "max_consecutive_errors")


@dataclass(frozen=True, slots=True, kw_only=True)
class Compaction:
    """When the older history is summarised. at: the used part of the context window, 0..1; keep_turns: the last turns
    that stay as they are.
    """

    at: float = 0.8
    keep_turns: int = 4

    def __post_init__(self) -> None:
        if not 0 < self.at <= 1:
            raise ConfigError(f"is {self.at:g}", where="Compaction.at", expected="more than 0, at most 1")
        if self.keep_turns < 1:
            raise ConfigError(f"is {self.keep_turns}", where="Compaction.keep_turns", expected="1 or more")


@dataclass(frozen=True, slots=True, kw_only=True)
class RunConfig:
    """Times are in seconds, money in US dollars, max_tool_output in bytes; None switches a limit off.

    model, model_settings, fallback_models: win over the agent's where set.
    max_turns: exactly that many accepted responses; 0 makes no request at all.
    max_time, timeout_per_turn: active time; waiting for a person and pauses do not count.
    max_model_requests: None means 3 x max_turns + 10.
    compaction: None never summarises by itself.
    on_limit: "ask" pauses at a limit until somebody raises it, switches, wraps up or stops; "end" ends the run there.
    approver: True where somebody answers through the handle, False where nobody does (what would ask is denied), or a
    function that answers; None means True for `start`, which gives a handle, and False for the others.
    context: any object of yours, handed to tools and instructions.
    hidden_env: environment variables that tools' processes do not get, besides what looks like a secret by its name, or
    by its value (runner.tools.secret_names). pass_env: those that they get all the same. Both are names or globs.
    sandbox: for the commands of the shell tool. sampling: names of those besides the agent who may use the model.
    """

    model: str | Model | None = None
    model_settings: ModelSettings = field(default_factory=ModelSettings)
    fallback_models: Sequence[str | Model] | None = None
    switch_after: int = 1
    max_turns: int | None = 10
    max_time: float | None = 300.0
    max_wall_time: float | None = None
    timeout_per_turn: float | None = 60.0
    first_token_timeout: float | None = 30.0
    stream_idle_timeout: float | None = 30.0
    max_model_requests: int | None = None
    max_tool_calls: int | None = None
    max_input_tokens: int | None = None
    max_output_tokens: int | None = None
    max_total_tokens: int | None = None
    max_cost_usd: Decimal | None = None
    max_retries: int = 3
    backoff_initial: float = 0.5
    backoff_factor: float = 2.0
    backoff_max: float = 30.0
    retry_after_max: float = 120.0
    stop_on_tool_error: bool = False
    max_consecutive_errors: int = 3
    tool_timeout: float | None = None
    tool_concurrency: int = 8
    max_tool_output: int = 16 * 1024
    stop_policy: StopPolicy = "step"
    on_limit: OnLimit = "end"
    compaction: Compaction | None = field(default_factory=lambda: Compaction())
    abort_grace: float = 2.0
    approver: bool | Approver | None = None
    approval_mode: ApprovalMode = "default"
    approval_policy: Sequence[Rule] = ()
    grants: Sequence[Grant] = ()
    approval_timeout: float | None = None
    session_id: str | None = None
    include_context: bool = True
    run_id: str | None = None
    workspace: Path | None = None
    metadata: JsonObject = field(default_factory=dict[str, Any])
    context: Any = None
    hidden_env: Sequence[str] = ()
    pass_env: Sequence[str] = ()
    sandbox: Sandbox = NO_SANDBOX
    sampling: Sequence[str] = ()
    on_error: OnError = "return"

    def __post_init__(self) -> None:
        for name in _AT_LEAST_ZERO:
            self._check(name, minimum=0)
        for name in _POSITIVE:
            self._check(name, minimum=0, exclusive=True)
        for name in _COUNTS:
            self._check(name, minimum=1)
        if self.abort_grace < 0:
            raise ConfigError("is negative", where="RunConfig.abort_grace", expected="0 or more seconds")
        money = self.max_cost_usd
        if money is not None and (not isinstance(cast("object", money), Decimal) or money < 0):
            raise ConfigError(f"is {money!r}", where="RunConfig.max_cost_usd", expected="a Decimal, 0 or more")
        check_settings(self.model_settings, "RunConfig.model_settings")

    def _check(self, name: str, *, minimum: float, exclusive: bool = False) -> None:
        value = getattr(self, name)
        if value is None:
            return
        if isinstance(value, bool) or not isinstance(value, (int, float)):
            raise ConfigError(f"is {value!r}", where=f"RunConfig.{name}", expected="a number")
        if value < minimum or (exclusive and value == minimum):
            wanted = f"more than {minimum}" if exclusive else f"{minimum} or more"
            raise ConfigError(f"is {value}", where=f"RunConfig.{name}", expected=wanted)

    @property
    def request_limit(self) -> int | None:
        if self.max_model_requests is not None:
            return self.max_model_requests
        return None if self.max_turns is None else 3 * self.max_turns + 10

    def as_json(self) -> JsonObject:
        """What run_started records: the plain values, no objects of the program's own."""
        found: JsonObject = {}
        for item in fields(self):
            value = getattr(self, item.name)
            if isinstance(value, (str, int, float, bool)) or value is None:
                found[item.name] = value
            elif isinstance(value, (Decimal, Path)):
                found[item.name] = str(value)
        found.pop("context", None)
        found["max_model_requests"] = self.request_limit
        if self.compaction is not None:
            found["compaction"] = {"at": self.compaction.at, "keep_turns": self.compaction.keep_turns}
        if self.sandbox.mode != "off":
            found["sandbox"] = {"mode": self.sandbox.mode, "network": self.sandbox.network}
        found["metadata"] = self.metadata
        return found


def check_settings(settings: ModelSettings, where: str) -> None:
    """Raises ConfigError where a model setting is out of its range."""
    limits = (("temperature", 0.0, 2.0), ("top_p", 0.0, 1.0))
    for name, low, high in limits:
        value = getattr(settings, name)
        if value is not None and not low <= value <= high:
            raise ConfigError(f"{name} is {value}", where=where, expected=f"{low:g} to {high:g}")
    if settings.max_tokens is not None and settings.max_tokens < 1:
        raise ConfigError(f"max_tokens is {settings.max_tokens}", where=where, expected="1 or more")

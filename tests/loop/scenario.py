"""A run as data: what its models answer, what its tools do, and which commands come at which points of it.

A scenario can be carried to another process, and says nothing about the way the run is driven. At a point the script
waits until the commands for that point have been taken in: whoever drives the run sends them, then a command that is
refused with the point's name, and the refusal lets the script go on.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, Literal, TypeAlias

from pydantic import TypeAdapter

from runner.agent import Agent
from runner.config import Compaction, RunConfig
from runner.control.handle import RunHandle
from runner.errors import (
    BillingError,
    ContextOverflowError,
    ModelError,
    RateLimitError,
    ServerError,
    StreamBrokenError,
)
from runner.events import ErrorOccurred
from runner.loop.summary import SUMMARY_INSTRUCTIONS
from runner.models.base import ModelRequest
from runner.models.registry import ModelRegistry
from runner.testing import ScriptedModel, calls, finish, reasoning, reply, text, usage
from runner.testing.scripted import Response, Step
from runner.tools import Activity, tool
from runner.tools.base import Question, Tool, ToolContext
from runner.usage import Price

Line: TypeAlias = dict[str, Any]
"""A command as `--control` takes it; "#0" as a message_id is the first message sent, "@" the call or request meant."""

LONG_WAIT = 100.0
"""Seconds; a retry that waits so long is meant to be skipped."""

FIRST, SECOND = "test/first", "test/second"


@dataclass(frozen=True, slots=True)
class Call:
    """tool: quick, fail, sync, change (asks), wonder (asks a question), held (waits at a point: at), unknown. text: its
    argument."""

    tool: str
    text: str = ""
    valid: bool = True
    at: tuple[Line, ...] = ()


@dataclass(frozen=True, slots=True)
class Answer:
    """One response. at: commands while it streams, None for a stream that does not wait."""

    words: str = ""
    thought: str = ""
    at: tuple[Line, ...] | None = None
    calls: tuple[Call, ...] = ()
    ending: Literal["whole", "cut", "length", "no_usage"] = "whole"


@dataclass(frozen=True, slots=True)
class Fault:
    error: Literal["rate_limit", "server", "broken", "billing", "overflow", "bug"]
    wait: float = 0.001


@dataclass(frozen=True, slots=True)
class Limits:
    max_turns: int | None = 10
    max_tool_calls: int | None = None
    max_total_tokens: int | None = None
    max_cost_usd: Decimal | None = None
    max_retries: int = 3
    on_limit: Literal["end", "ask"] = "end"
    stop_policy: Literal["step", "turn"] = "step"
    context_window: int = 100_000


@dataclass(frozen=True, slots=True)
class Scenario:
    """approvals, questions, pauses, asked, waits: the commands at the n-th approval, question of a call, pause, limit
    that asks, long wait."""

    first: tuple[Answer | Fault, ...]
    second: tuple[Answer | Fault, ...] = ()
    approvals: tuple[tuple[Line, ...], ...] = ()
    questions: tuple[tuple[Line, ...], ...] = ()
    pauses: tuple[tuple[Line, ...], ...] = ()
    asked: tuple[tuple[Line, ...], ...] = ()
    waits: tuple[tuple[Line, ...], ...] = ()
    fallback: bool = False
    limits: Limits = field(default_factory=Limits)

    def at_points(self) -> dict[str, tuple[Line, ...]]:
        """The commands for each point, by its name."""
        found: dict[str, tuple[Line, ...]] = {}
        for which, script in (("first", self.first), ("second", self.second)):
            for index, answer in enumerate(script):
                if not isinstance(answer, Answer):
                    continue
                if answer.at is not None:
                    found[point(which, index)] = answer.at
                for number, call in enumerate(answer.calls):
                    if call.tool == "held":
                        found[point(which, index, number)] = call.at
        return found


_SCENARIOS = TypeAdapter(Scenario)


def dump(scenario: Scenario) -> bytes:
    return _SCENARIOS.dump_json(scenario)


def load(data: bytes) -> Scenario:
    return _SCENARIOS.validate_json(data)


def point(*where: str | int) -> str:
    return "-".join(map(str, where))


def refusal(name: str) -> Line:
    """A command that is always refused, with the point's name in the refusal."""
    return {"command": "cancel_tool", "call_id": f"the point {name}"}


class Stage:
    """A scenario's models, agent and configuration in one process; tell it the handle as soon as there is one."""

    def __init__(self, scenario: Scenario, workspace: Path) -> None:
        self._scenario = scenario
        self._workspace = workspace
        self.handle: RunHandle | None = None
        self._models = {
            name: ScriptedModel(
                [*(self._response(which, index, item) for index, item in enumerate(script)), "the end"],
                name=name,
                price=Price(input=Decimal(1), output=Decimal(2)),
                context_window=scenario.limits.context_window,
                loop_last=True,
            )
            for name, which, script in ((FIRST, "first", scenario.first), (SECOND, "second", scenario.second))
        }

    def registry(self) -> ModelRegistry:
        return ModelRegistry(extra=self._models, environ={})

    def agent(self) -> Agent:
        return Agent(
            name="deck",
            model=FIRST,
            tools=self._tools(),
            fallback_models=(SECOND,) if self._scenario.fallback else (),
        )

    def config(self, **changes: Any) -> RunConfig:
        limits = self._scenario.limits
        values: dict[str, Any] = {
            "max_turns": limits.max_turns,
            "max_tool_calls": limits.max_tool_calls,
            "max_total_tokens": limits.max_total_tokens,
            "max_cost_usd": limits.max_cost_usd,
            "max_retries": limits.max_retries,
            "on_limit": limits.on_limit,
            "stop_policy": limits.stop_policy,
            "switch_after": 2,
            "backoff_initial": 0.001,
            "compaction": Compaction(keep_turns=1),
            "workspace": self._workspace,
            "approver": True,
        }
        return RunConfig(**{**values, **changes})

    async def pass_point(self, name: str) -> None:
        """Wait until the commands for this point have been taken in."""
        assert self.handle is not None, "the stage was not told the handle"
        async with aclosing(self.handle.events()) as events:
            async for event in events:
                if isinstance(event, ErrorOccurred) and refusal(name)["call_id"] in event.error.message:
                    return

    def _response(self, which: str, index: int, item: Answer | Fault) -> Response:
        def respond(request: ModelRequest) -> list[Step]:
            if request.instructions == SUMMARY_INSTRUCTIONS:
                return reply(text("a summary of what was said"), usage(9, 4))
            return [_error(item)] if isinstance(item, Fault) else self._steps(point(which, index), item)

        return respond

    def _steps(self, name: str, answer: Answer) -> list[Step]:
        steps: list[Step] = [*reasoning(answer.thought)] if answer.thought else []
        steps += text(answer.words) if answer.words else []
        if answer.at is not None:
            steps += [*text(f"[{name}] "), _Point(self, name), *text("and on.")]
        if answer.calls:
            wanted = [_arguments(name, number, call) for number, call in enumerate(answer.calls)]
            steps += calls(*wanted)
        match answer.ending:
            case "cut":
                return steps
            case "length":
                return [*steps, finish("length")]
            case "no_usage":
                return [*steps, finish("tool_calls" if answer.calls else "stop")]
            case "whole":
                return reply(*steps, usage(7, 3))

    def _tools(self) -> tuple[Tool, ...]:
        # Which of several calls at once meets the limit first is nobody's choice, so with a limit they go in order.
        in_order = self._scenario.limits.max_tool_calls is not None

        @tool(read_only=True, serial=in_order)
        async def quick(text: str = "") -> str:
            """Answer at once. text: anything."""
            return f"quick {text}"

        @tool(read_only=True, serial=in_order)
        def sync(text: str = "") -> str:
            """Answer from a thread. text: anything."""
            return f"sync {text}"

        @tool(read_only=True, serial=in_order)
        def fail(text: str = "") -> str:
            """Raise. text: anything."""
            raise RuntimeError(text)

        @tool(serial=True)
        def change(text: str = "") -> str:
            """Ask, then answer. text: anything."""
            return f"changed {text}"

        @tool(requires_approval=False, serial=True)
        async def wonder(ctx: ToolContext, text: str = "") -> str:
            """Ask the person, then answer. text: anything."""
            assert ctx.host is not None
            reply = await ctx.host.ask(Question(text=text or "what?", choices=("yes", "no")))
            return f"heard {reply.answer} {reply.reason}"

        @tool(requires_approval=False, serial=True)
        async def held(text: str = ""):
            """Wait at a point. text: its name."""
            yield Activity(message=f"at {text}")
            await self.pass_point(text)
            yield f"held at {text}"

        return (quick, sync, fail, change, wonder, held)


class _Point(asyncio.Event):
    """A step of a script that is passed when its point is."""

    def __init__(self, stage: Stage, name: str) -> None:
        super().__init__()
        self._stage, self._name = stage, name

    async def wait(self) -> Literal[True]:
        await self._stage.pass_point(self._name)
        return True


def _arguments(name: str, number: int, call: Call) -> tuple[str, dict[str, Any] | str]:
    if call.tool == "held":
        return call.tool, {"text": point(name, number)}
    return call.tool, {"text": call.text} if call.valid else '{"text": "cu'


_ERRORS: dict[str, Callable[[float], BaseException]] = {
    "rate_limit": lambda wait: RateLimitError("busy", status_code=429, retry_after=wait),
    "server": lambda wait: ServerError("broken", status_code=500, retry_after=wait),
    "broken": lambda _: StreamBrokenError("cut"),
    "billing": lambda _: BillingError("no credit"),
    "overflow": lambda _: ContextOverflowError("too long"),
    "bug": lambda _: ValueError("a bug"),
}


def _error(fault: Fault) -> BaseException:
    made = _ERRORS[fault.error](fault.wait)
    assert isinstance(made, ModelError | ValueError)
    return made

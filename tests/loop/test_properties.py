"""The invariants of SEMANTICS section 5 over random scripts with random commands at random points."""

from __future__ import annotations

import asyncio
import contextlib
from collections.abc import Callable
from dataclasses import dataclass
from decimal import Decimal
from typing import Any, cast

from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner import CommandError, RunConfig, Runner
from runner.config import Compaction
from runner.control.commands import LimitName
from runner.control.handle import RunHandle
from runner.errors import BillingError, ContextOverflowError, RateLimitError, ServerError, StreamBrokenError
from runner.events import ApprovalRequested, Event, LimitReached, Paused
from runner.ids import SequentialIds
from runner.result import RunResult
from runner.state import UserItem, fold
from runner.testing import Recorder, ScriptedModel, calls, check_history, finish, pause, reasoning, reply, text, usage
from runner.tools import tool
from runner.tools.base import Tool
from runner.usage import Price
from tests.conftest import soak_factor
from tests.loop.harness import BOUND, Models, agent_for

TOOLS = ["quick", "change", "wait", "fail", "crowd", "nowhere"]
COMMANDS = [
    *("stop", "abort", "pause", "resume", "send", "send_now", "edit", "delete", "move", "deliver_now"),
    *("switch", "switch_now", "effort", "effort_now"),
    *("retry_now", "next_model", "wrap_up", "compact", "cancel", "limit", "gone"),
]
WAYS_ON = ["raise", "wrap_up", "stop", "switch"]
DECISIONS = ["allow", "deny", "edit", "end_run", "allow_run", "nothing"]


def make_tools() -> list[Tool]:
    @tool(read_only=True)
    def quick(text: str = "") -> str:
        """Answer at once. text: anything."""
        return f"quick {text}"

    @tool
    def change(text: str = "") -> str:
        """Ask, then answer. text: anything."""
        return f"changed {text}"

    @tool(requires_approval=False)
    async def wait(text: str = "") -> str:
        """Take a moment. text: anything."""
        await asyncio.sleep(0.003)
        return "waited"

    @tool(read_only=True)
    def fail(text: str = "") -> str:
        """Raise. text: anything."""
        raise RuntimeError(text)

    @tool(read_only=True, serial=True)
    async def crowd(text: str = "") -> str:
        """Run alone. text: anything."""
        await asyncio.sleep(0)
        return "alone"

    return [quick, change, wait, fail, crowd]


NO_ARGUMENTS: dict[str, Any] = {}
arguments: st.SearchStrategy[dict[str, Any] | str] = st.one_of(
    st.fixed_dictionaries({"text": st.text(max_size=8)}),
    st.just(NO_ARGUMENTS),
    st.just('{"text": "cu'),
    st.just("[]"),
    st.just({"text": 5}),
)
some_calls = st.lists(st.tuples(st.sampled_from(TOOLS), arguments), min_size=1, max_size=4)


def _answer(parts: tuple[str, str, list[tuple[str, Any]] | None, bool, str]) -> list[Any]:
    thought, words, wanted, slow, ending = parts
    steps: list[Any] = [reasoning(thought)] if thought else []
    if words:
        steps.append(text(words))
    if slow:
        steps.append(pause(0.003))
    if wanted:
        steps.append(calls(*wanted))
    match ending:
        case "cut":
            return steps
        case "length":
            return [*steps, finish("length")]
        case "no_usage":
            return [*steps, finish("tool_calls" if wanted else "stop")]
        case _:
            return reply(*steps, usage(7, 3))


answers = st.tuples(
    st.text(max_size=12),
    st.text(max_size=20),
    st.none() | some_calls,
    st.booleans(),
    st.sampled_from(["whole", "whole", "whole", "cut", "length", "no_usage"]),
).map(_answer)
errors = st.sampled_from(
    [
        RateLimitError("busy", retry_after=0.002),
        ServerError("500"),
        StreamBrokenError("cut"),
        BillingError("no credit"),
        ContextOverflowError("too long"),
        ValueError("a bug"),
    ]
)
scripts = st.lists(st.one_of(answers, answers, answers, errors), min_size=1, max_size=6)


@dataclass(frozen=True, slots=True)
class Scenario:
    first: list[Any]
    second: list[Any]
    commands: list[tuple[int, str]]
    decisions: list[str]
    config: RunConfig
    fallback: bool
    ways_on: list[str]
    window: int


configs = st.builds(
    RunConfig,
    max_turns=st.sampled_from([0, 1, 4, 10, None]),
    max_tool_calls=st.sampled_from([None, 2]),
    max_total_tokens=st.sampled_from([None, 25]),
    max_cost_usd=st.sampled_from([None, Decimal("0.00002")]),
    tool_concurrency=st.sampled_from([1, 8]),
    approval_timeout=st.sampled_from([None, 0.01]),
    max_retries=st.sampled_from([0, 2]),
    backoff_initial=st.sampled_from([0.001, 0.02]),
    on_limit=st.sampled_from(["end", "ask"]),
    compaction=st.sampled_from([None, Compaction(at=0.5, keep_turns=1), Compaction()]),
    tool_timeout=st.sampled_from([None, 0.001]),
    abort_grace=st.just(0.0),
    stop_policy=st.sampled_from(["step", "turn"]),
    approval_mode=st.sampled_from(["default", "accept_edits", "plan", "bypass", "deny_unlisted"]),
)
scenarios = st.builds(
    Scenario,
    first=scripts,
    second=scripts,
    commands=st.lists(st.tuples(st.integers(0, 30), st.sampled_from(COMMANDS)), max_size=6),
    decisions=st.lists(st.sampled_from(DECISIONS), max_size=6),
    config=configs,
    fallback=st.booleans(),
    ways_on=st.lists(st.sampled_from(WAYS_ON), max_size=6),
    window=st.sampled_from([60, 400, 100_000]),
)


def carry_out(handle: RunHandle, command: str, seen: list[Event]) -> None:
    started = [event for event in seen if event.kind == "tool_started"]
    simple: dict[str, Callable[[], object]] = {
        "stop": handle.stop,
        "abort": handle.abort,
        "pause": handle.pause,
        "resume": handle.resume,
        "send": lambda: handle.send("and this"),
        "send_now": lambda: handle.send("and this", now=True),
        "switch": lambda: handle.set_model("test/second"),
        "switch_now": lambda: handle.set_model("test/second", now=True),
        "effort": lambda: handle.set_model(effort="high", temperature=0.5),
        "effort_now": lambda: handle.set_model(effort="default", now=True),
        "retry_now": handle.retry_now,
        "next_model": handle.next_model,
        "wrap_up": handle.wrap_up,
        "compact": handle.compact,
        "cancel": lambda: handle.cancel_tool(getattr(started[-1], "call_id", "") if started else "none"),
        "limit": lambda: handle.set_limit("max_turns", 2),
        "gone": handle.approver_gone,
    }
    simple.get(command, lambda: change_queue(handle, command))()


def change_queue(handle: RunHandle, command: str) -> None:
    waiting = handle.state.queued
    last = waiting[-1].item_id if waiting else "none"
    match command:
        case "edit":
            handle.edit_message(last, "rather this")
        case "delete":
            handle.delete_message(last)
        case "move":
            handle.move_message(last, 0)
        case _:
            handle.deliver_now()


def answer_limit(handle: RunHandle, limit: str, way: str) -> None:
    """What a person does about a run that asks at a limit."""
    with contextlib.suppress(CommandError):
        match way:
            case "raise":
                handle.set_limit(cast("LimitName", limit), None)
            case "wrap_up":
                handle.wrap_up()
            case "switch":
                handle.set_model("test/second")
                handle.set_limit(cast("LimitName", limit), 10**9)
            case _:
                handle.stop()


def decide(handle: RunHandle, request: ApprovalRequested, decision: str) -> None:
    match decision:
        case "allow_run":
            handle.decide(request.request_id, "allow", scope="run")
        case "edit":
            handle.decide(request.request_id, "edit", arguments={"text": "edited"})
        case "allow" | "end_run":
            handle.decide(request.request_id, decision)
        case "nothing":
            handle.approver_gone()
        case _:
            handle.decide(request.request_id, "deny", reason="no")


async def play(scenario: Scenario) -> tuple[RunResult, Recorder, RunHandle]:
    price = Price(input=Decimal(1), output=Decimal(2))
    first = ScriptedModel(
        [*scenario.first, "the end"],
        name="test/first",
        price=price,
        context_window=scenario.window,
        loop_last=True,
    )
    second = ScriptedModel([*scenario.second, "the end"], name="test/second", price=price, loop_last=True)
    agent = agent_for(first, make_tools(), fallback_models=(second,) if scenario.fallback else ())
    runner = Runner(models=Models([first, second]), ids=SequentialIds(), jitter=lambda: 0.5)
    handle = runner.start(agent, "go", scenario.config)
    recorder = Recorder()
    decisions, ways = list(scenario.decisions), list(scenario.ways_on)
    waiting = sorted(scenario.commands)
    async for event in handle.events():
        recorder.put(event)
        seen = recorder.events
        while waiting and waiting[0][0] <= len(seen):
            with contextlib.suppress(CommandError):
                carry_out(handle, waiting.pop(0)[1], seen)
        if isinstance(event, ApprovalRequested):
            with contextlib.suppress(CommandError):
                decide(handle, event, decisions.pop(0) if decisions else "deny")
        if isinstance(event, LimitReached) and event.asks:
            answer_limit(handle, event.limit, ways.pop(0) if ways else "stop")
        if isinstance(event, Paused) and not event.limit:
            asyncio.get_running_loop().call_later(0.005, lambda: _resume(handle))
    result = await handle.result()
    assert first.open_streams == second.open_streams == 0
    return result, recorder, handle


def _resume(handle: RunHandle) -> None:
    with contextlib.suppress(CommandError):
        handle.resume()


@settings(max_examples=120 * soak_factor(), deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(scenarios)
def test_invariants_hold_for_random_runs(scenario: Scenario) -> None:
    async def bounded() -> tuple[RunResult, Recorder, RunHandle]:
        async with asyncio.timeout(BOUND):
            return await play(scenario)

    result, recorder, handle = asyncio.run(bounded())
    recorder.assert_valid()
    folded = fold(recorder.facts)
    assert folded == handle.state
    assert (folded.status, folded.reason) == (result.status, result.reason)
    assert folded.usage == result.usage
    assert folded.cost.total == result.cost_usd
    assert not check_history(result.history)
    assert all(isinstance(item, UserItem) and item.queued for item in folded.live), "only unsent messages stay open"
    limit = scenario.config.max_turns
    commands = {command for _, command in scenario.commands}
    if limit is not None and scenario.config.on_limit == "end" and "limit" not in commands:
        assert result.turn_count <= limit

"""A run's events as lines that a table can hold: the kinds that matter, each with its telling fields."""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from pathlib import Path

from runner import Agent, RunConfig, Runner
from runner.clock import SystemClock
from runner.config import Compaction
from runner.control.handle import RunHandle
from runner.events import (
    AttemptDiscarded,
    CompactionFinished,
    ErrorOccurred,
    Event,
    ModelRequested,
    ModelResponded,
    ModelSwitched,
    RetryScheduled,
    RunFinished,
    ToolFinished,
    ToolProposed,
)
from runner.ids import SequentialIds
from runner.models.base import ModelResolver
from runner.testing import Recorder
from runner.tools import tool
from runner.tools.base import Tool

LONGEST = 24
"""Characters of an answer that are shown."""


class HastyClock(SystemClock):
    """Real time, but nobody sleeps: a wait before a retry is told by its event, not by waiting."""

    async def sleep(self, seconds: float) -> None:
        await asyncio.sleep(0)


def story(events: Iterable[Event]) -> list[str]:
    return [line for event in events if (line := _line(event)) is not None]


def _line(event: Event) -> str | None:
    match event:
        case ModelRequested():
            return f"ask {event.attempt}"
        case AttemptDiscarded():
            paid = event.usage_source if event.usage.total else "nothing"
            return f"discard {event.reason}, {paid} paid"
        case RetryScheduled(error=error):
            asked = "" if event.retry_after is None else f", asked for {_about(event.retry_after)}"
            return f"{event.action} {error.type} {error.status_code or '-'} in {_about(event.delay)}{asked}"
        case ModelSwitched():
            return f"model {event.cause}: {event.new}"
        case ModelResponded():
            return f"answer {event.finish_reason}, {event.usage_source}: {_shown(event.text)}"
        case ToolProposed():
            return f"call {event.tool}{'' if event.valid else ' (invalid)'}"
        case ToolFinished():
            return f"result {event.tool} {event.status}"
        case CompactionFinished():
            return f"compacted {event.how}"
        case ErrorOccurred(error=error):
            return f"error {error.type} {error.status_code or '-'} {error.action}"
        case RunFinished():
            return f"end {event.status} {event.reason}"
        case _:
            return None


def _about(seconds: float) -> str:
    """A wait of many seconds may come from a date, which is never exact."""
    return f"{seconds:g}" if seconds < 10 else f"{round(seconds, -1):g}"


def _shown(text: str) -> str:
    return repr(text) if len(text) <= LONGEST else f"{text[:4]!r} and so on, {len(text)} characters"


@tool(read_only=True)
def weather(city: str) -> str:
    """The weather in a city.

    Args:
        city: its name
    """
    return f"{len(city)} degrees"


def start(
    models: ModelResolver, names: Iterable[str], config: RunConfig, tools: Iterable[Tool] = (weather,)
) -> RunHandle:
    """A run over real HTTP; the first name is the model, the others its fallbacks."""
    first, *others = names
    agent = Agent(name="deck", model=first, fallback_models=tuple(others), tools=tuple(tools))
    runner = Runner(models=models, clock=HastyClock(), ids=SequentialIds(), jitter=lambda: 0.5)
    return runner.start(agent, "How is the weather?", config)


def config_of(workspace: Path, **changes: object) -> RunConfig:
    """Small waits, one tool at a time so that the order is certain."""
    usual: dict[str, object] = {
        "backoff_initial": 0.002,
        "tool_concurrency": 1,
        "first_token_timeout": 10.0,
        "stream_idle_timeout": 10.0,
        "compaction": Compaction(),
        "workspace": workspace,
    }
    return RunConfig(**(usual | changes))  # pyright: ignore[reportArgumentType]


async def told(handle: RunHandle, *, bound: float = 60.0) -> Recorder:
    """All events to the end of the run, checked for the invariants."""
    async with asyncio.timeout(bound):
        recorder = await Recorder().follow(handle.events())
        await handle.result()
    recorder.assert_valid()
    return recorder

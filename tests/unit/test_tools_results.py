"""What a tool's function gives back: values, generators, activities."""

from __future__ import annotations

import asyncio
import json
import threading
from collections.abc import AsyncIterator, Callable, Generator, Iterator
from dataclasses import dataclass
from enum import Enum
from pathlib import Path
from typing import Any

import pytest
from pydantic import BaseModel

from runner.tools import Activity, ToolOutput, tool
from tests.processes.support import context, recorder_of, run


class Colour(Enum):
    RED = "red"


class Item(BaseModel):
    name: str
    count: int = 1


@dataclass
class Point:
    x: int
    y: int


@pytest.mark.parametrize(
    ("value", "text"),
    [
        ("as it is", "as it is"),
        ("", ""),
        (0, "0"),
        (False, "false"),
        ([], "[]"),
        ({"ä": (1, 2)}, '{"ä": [1, 2]}'),
        (Item(name="a"), '{"name":"a","count":1}'),
        ([Point(1, 2), Colour.RED], '[{"x":1,"y":2},"red"]'),
        (None, "(the tool returned nothing)"),
        (ToolOutput(text="t", status="denied"), "t"),
    ],
)
async def test_results_become_text(value: object, text: str, tmp_path: Path) -> None:
    @tool
    def give() -> object:
        return value

    outcome = await run(give, context(tmp_path))
    assert outcome.output == text
    assert outcome.status == ("denied" if isinstance(value, ToolOutput) else "ok")


async def test_a_result_that_is_not_json_is_an_error_after_the_effect(tmp_path: Path) -> None:
    @tool
    def give() -> object:
        return threading.Lock()

    outcome = await run(give, context(tmp_path))
    assert (outcome.status, outcome.side_effects) == ("error", "done")
    assert "its result (lock) cannot be written as JSON" in outcome.output


def _returns() -> Generator[Activity | str, None, str]:
    yield Activity(message="half", progress=0.5)
    yield "ignored"
    return "returned"


def _one() -> Iterator[object]:
    yield Activity(message="half", progress=0.5)
    yield {"only": 1}


def _several() -> Iterator[object]:
    yield 1
    yield Activity(message="half", progress=0.5)
    yield 2


async def _async_several() -> AsyncIterator[object]:
    yield 1
    yield Activity(message="half", progress=0.5)
    await asyncio.sleep(0)
    yield 2


async def _async_falsy() -> AsyncIterator[object]:
    yield Activity(message="half", progress=0.5)
    yield 0


def _only_activity() -> Iterator[object]:
    yield Activity(message="half", progress=0.5)


@pytest.mark.parametrize(
    ("function", "text"),
    [
        (_returns, "returned"),
        (_one, '{"only": 1}'),
        (_several, "[1, 2]"),
        (_async_several, "[1, 2]"),
        (_async_falsy, "0"),
        (_only_activity, "(the tool returned nothing)"),
    ],
)
async def test_generators(function: Callable[..., Any], text: str, tmp_path: Path) -> None:
    ctx = context(tmp_path)
    outcome = await run(tool(name="generate")(function), ctx)
    assert outcome.output == text
    assert recorder_of(ctx).activities == [Activity(message="half", progress=0.5)]


async def test_a_generator_far_ahead_of_its_reader_is_bounded_and_complete(tmp_path: Path) -> None:
    @tool
    def count() -> Iterator[int]:
        yield from range(5000)

    outcome = await run(count, context(tmp_path), max_output=100_000)
    assert json.loads(outcome.output) == list(range(5000))

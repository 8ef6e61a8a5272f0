"""What an answer with an error in it becomes, and the watch that ends a read which takes too long."""

from __future__ import annotations

import asyncio
import itertools
import json
import ssl
from collections.abc import AsyncIterator, Callable
from datetime import UTC, datetime
from typing import Any

import pytest

from runner.errors import (
    AuthenticationError,
    BillingError,
    ContextOverflowError,
    InvalidRequestError,
    ModelError,
    NetworkError,
    RateLimitError,
    ServerError,
    StreamBrokenError,
)
from runner.models.provider_errors import Where, answer_error
from runner.models.transport_errors import map_error
from runner.models.watchdog import TooSlow, Watch

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
WHERE = Where(
    model="lab/x",
    provider="openai",
    endpoint="http://127.0.0.1:1/v1",
    key_fix="check the key in LAB_KEY",
    secrets=("hunter2",),
    now=NOW,
)


@pytest.mark.parametrize(
    ("status", "body", "kind", "message"),
    [
        (500, "", ServerError, "openai answered with status 500"),
        (500, "<html><title>502 Bad</title></html>", ServerError, "502 Bad"),
        (400, '{"error": {"message": "bad hunter2"}}', InvalidRequestError, "bad ***"),
        (400, '{"code": "invalid-argument", "error": "no such field"}', InvalidRequestError, "no such field"),
        (400, '{"error": {"code": "context_length_exceeded", "message": "long"}}', ContextOverflowError, "long"),
        (400, '{"detail": "prompt is too long"}', ContextOverflowError, "prompt is too long"),
        (401, '{"message": "who are you"}', AuthenticationError, "who are you"),
        (402, "{", BillingError, "{"),
        (429, "[]", RateLimitError, "[]"),
    ],
)
def test_a_refusal_is_told_in_the_providers_words(status: int, body: str, kind: type[ModelError], message: str) -> None:
    found = answer_error(status, {}, body, WHERE)
    assert (type(found), found.message, found.status_code, found.model) == (kind, message, status, "lab/x")
    assert bool(found.fix) == (kind in (AuthenticationError, BillingError))


@pytest.mark.parametrize(
    ("headers", "seconds"),
    [
        ({"retry-after": "7"}, 7.0),
        ({"retry-after-ms": "1500", "retry-after": "7"}, 1.5),
        ({"retry-after": "Fri, 02 Jan 2026 03:04:25 GMT"}, 20.0),
        ({"retry-after": "Fri, 02 Jan 2026 03:00:00 GMT"}, 0.0),
        ({"retry-after": "inf"}, None),
        ({}, None),
    ],
)
def test_how_long_to_wait(headers: dict[str, str], seconds: float | None) -> None:
    assert answer_error(429, headers, "", WHERE).retry_after == seconds


def test_a_redirect_names_where_it_leads_and_is_no_answer() -> None:
    found = answer_error(308, {"location": "https://elsewhere.example/?api_key=hunter2"}, "", WHERE)
    assert type(found) is InvalidRequestError
    assert "elsewhere.example" in found.message
    assert "hunter2" not in found.message
    assert "address" in found.fix


def chained(*errors: BaseException) -> BaseException:
    for outer, inner in itertools.pairwise(errors):
        outer.__cause__ = inner
    return errors[0]


def test_a_host_of_several_addresses_that_all_refuse() -> None:
    both = ExceptionGroup("attempts", [ConnectionRefusedError(111, "v6"), ConnectionRefusedError(111, "v4")])
    found = map_error(chained(RuntimeError("outer"), OSError("all failed"), both), WHERE)
    assert type(found) is NetworkError
    assert "refuses the connection" in found.message


def test_what_the_connection_pool_hides_is_still_the_cause() -> None:
    class Hidden(Exception):
        """Shaped like httpcore's, raised once more "from None"."""

    Hidden.__module__ = "httpcore._exceptions"
    hidden = Hidden("all attempts failed")
    hidden.__context__ = ConnectionRefusedError(111, "no")
    hidden.__suppress_context__ = True
    assert "refuses the connection" in map_error(chained(RuntimeError("outer"), hidden), WHERE).message


def test_a_broken_tls_is_no_connection_before_the_answer_and_a_cut_within_it() -> None:
    failed = ssl.SSLError(1, "UNEXPECTED_EOF")
    assert type(map_error(failed, WHERE)) is NetworkError
    assert type(map_error(failed, WHERE, streaming=True)) is StreamBrokenError


@pytest.mark.parametrize("error", [AttributeError("x"), OverflowError("x"), KeyError("x"), RecursionError("x")])
def test_what_cannot_be_read_breaks_the_stream(error: Exception) -> None:
    assert type(map_error(error, WHERE, streaming=True)) is StreamBrokenError


def test_numbers_that_are_none_break_nothing() -> None:
    raw: Any = json.loads('{"error": {"message": "x", "code": true}}')
    assert answer_error(500, {}, json.dumps(raw), WHERE).message == "x"


async def items(*waits: Callable[[], Any]) -> AsyncIterator[int]:
    for number, wait in enumerate(waits):
        await wait()
        yield number


async def ready() -> None:
    return None


async def for_ever() -> None:
    await asyncio.Event().wait()


async def test_one_watch_serves_many_reads_and_ends_the_one_that_stalls() -> None:
    loop, watch = asyncio.get_running_loop(), Watch()
    source = items(*[ready] * 50, for_ever)
    for number in range(50):
        assert await watch.read(source, loop.time() + 30) == number
    with pytest.raises(TooSlow):
        await watch.read(source, loop.time() + 0.01)
    with pytest.raises(StopAsyncIteration):
        await watch.read(source, loop.time() + 30)
    watch.close()


async def test_a_deadline_that_moves_away_is_kept() -> None:
    loop, watch = asyncio.get_running_loop(), Watch()
    gate = asyncio.Event()
    source = items(ready, gate.wait)
    assert await watch.read(source, loop.time() + 0.01) == 0
    reading = asyncio.create_task(watch.read(source, loop.time() + 30))
    # The timer of the first read fires in the middle of the second one, which has time left.
    fired = asyncio.Event()
    loop.call_at(loop.time() + 0.02, fired.set)
    await fired.wait()
    assert not reading.done()
    gate.set()
    assert await reading == 1
    watch.close()


async def test_a_read_without_a_deadline_and_one_that_is_over_at_once() -> None:
    watch = Watch()
    assert await watch.read(items(ready), None) == 0
    with pytest.raises(TooSlow):
        await watch.read(items(for_ever), asyncio.get_running_loop().time() - 1)
    watch.close()


async def test_a_cancellation_from_outside_passes_the_watch() -> None:
    watch, loop = Watch(), asyncio.get_running_loop()
    reading = asyncio.create_task(watch.read(items(for_ever), loop.time() + 30))
    await asyncio.sleep(0)
    reading.cancel()
    with pytest.raises(asyncio.CancelledError):
        await reading
    watch.close()


async def test_a_cancellation_in_the_moment_of_the_deadline_is_not_lost() -> None:
    watch, loop = Watch(), asyncio.get_running_loop()
    reading = asyncio.create_task(watch.read(items(for_ever), loop.time()))
    await asyncio.sleep(0)
    # Both fall into the next turn of the loop: this cancellation, and the timer that is due already.
    loop.call_soon(reading.cancel)
    with pytest.raises(asyncio.CancelledError):
        await reading
    watch.close()


async def test_an_error_while_the_deadline_passes_leaves_the_task_alive() -> None:
    async def fails() -> None:
        try:
            await asyncio.Event().wait()
        except asyncio.CancelledError:
            raise OSError("closed") from None

    watch, loop = Watch(), asyncio.get_running_loop()
    with pytest.raises(OSError, match="closed"):
        await watch.read(items(fails), loop.time() + 0.01)
    task = asyncio.current_task()
    assert task is not None
    assert task.cancelling() == 0
    watch.close()

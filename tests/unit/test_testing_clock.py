"""The fake clock: nothing moves by itself, sleepers wake in order, and it may be used across threads."""

from __future__ import annotations

import asyncio
import threading
from datetime import UTC, datetime, timedelta

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.clock import Clock
from runner.testing import FakeClock
from runner.testing.clock import settle


async def test_time_stands_still_until_it_is_advanced() -> None:
    clock: Clock = FakeClock(datetime(2030, 5, 1, tzinfo=UTC))
    await settle()
    assert (clock.now(), clock.mono()) == (datetime(2030, 5, 1, tzinfo=UTC), 0.0)
    assert isinstance(clock, FakeClock)
    clock.advance(90.5)
    assert clock.now() == datetime(2030, 5, 1, tzinfo=UTC) + timedelta(seconds=90.5)
    assert clock.mono() == 90.5


async def sleeper(clock: FakeClock, seconds: float, woken: list[tuple[float, float]]) -> None:
    await clock.sleep(seconds)
    woken.append((seconds, clock.mono()))


@given(st.lists(st.floats(min_value=0.01, max_value=100), min_size=1, max_size=8))
async def test_sleepers_wake_in_order_each_at_its_own_moment(naps: list[float]) -> None:
    clock = FakeClock()
    woken: list[tuple[float, float]] = []
    async with asyncio.TaskGroup() as group:
        for nap in naps:
            group.create_task(sleeper(clock, nap, woken))
        await clock.until_sleeping(len(naps))
        await clock.run(100)
    assert [nap for nap, _ in woken] == sorted(naps)
    assert all(nap == mono for nap, mono in woken)
    assert clock.mono() == 100


async def test_one_who_sleeps_again_wakes_again_within_one_run() -> None:
    clock = FakeClock()
    moments: list[float] = []

    async def ticker() -> None:
        while True:
            await clock.sleep(1.0)
            moments.append(clock.mono())

    task = asyncio.create_task(ticker())
    await clock.run(3.5)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert moments == [1.0, 2.0, 3.0]
    assert clock.mono() == 3.5


async def test_advancing_too_little_wakes_nobody() -> None:
    clock = FakeClock()
    woken: list[tuple[float, float]] = []
    task = asyncio.create_task(sleeper(clock, 2.0, woken))
    await clock.until_sleeping()
    clock.advance(1.9)
    await settle()
    assert not woken
    clock.advance(0.2)
    await task
    assert woken == [(2.0, 2.1)]


async def test_a_cancelled_sleeper_is_forgotten() -> None:
    clock = FakeClock()
    task = asyncio.create_task(clock.sleep(5))
    await clock.until_sleeping()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert clock.sleeping == 0
    clock.advance(10)
    assert clock.mono() == 10
    with pytest.raises(TimeoutError):
        await clock.until_sleeping(passes=3)


async def test_with_auto_the_nearest_sleeper_always_goes_first() -> None:
    clock = FakeClock(auto=True)
    woken: list[tuple[float, float]] = []

    async def worker() -> None:
        for _ in range(3):
            await sleeper(clock, 1.0, woken)

    await asyncio.gather(sleeper(clock, 30.0, woken), worker())
    assert woken == [(1.0, 1.0), (1.0, 2.0), (1.0, 3.0), (30.0, 30.0)]
    assert clock.slept == [30.0, 1.0, 1.0, 1.0]


async def test_a_sleep_of_nothing_only_yields() -> None:
    clock = FakeClock()
    await clock.sleep(0)
    await clock.sleep(-1)
    assert clock.mono() == 0


async def test_another_thread_may_advance_it() -> None:
    clock = FakeClock()
    task = asyncio.create_task(clock.sleep(60))
    await clock.until_sleeping()
    thread = threading.Thread(target=clock.advance, args=(60,))
    thread.start()
    await asyncio.wait_for(task, 10)
    thread.join()
    assert clock.mono() == 60

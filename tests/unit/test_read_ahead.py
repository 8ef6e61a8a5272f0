"""Bytes read ahead of whoever wants them: all of them, in order, the error last, and no further than there is room."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator

import pytest

from runner.models.read_ahead import MOST_WAITING, ReadAhead


async def test_what_came_at_once_is_given_at_once_and_the_error_after_it() -> None:
    gate = asyncio.Event()

    async def source() -> AsyncGenerator[bytes, None]:
        for number in range(100):
            yield b"%d," % number
        await gate.wait()
        yield b"last"
        raise OSError("gone")

    ahead = ReadAhead(source())
    assert await anext(ahead) == b"".join(b"%d," % number for number in range(100))
    gate.set()
    assert await anext(ahead) == b"last"
    with pytest.raises(OSError, match="gone"):
        await anext(ahead)
    await ahead.close()


async def test_it_reads_no_further_than_there_is_room_and_goes_on_when_there_is() -> None:
    given = 0
    piece = b"x" * 1000

    async def source() -> AsyncGenerator[bytes, None]:
        nonlocal given
        for _ in range(1000):
            given += 1
            yield piece

    ahead = ReadAhead(source())
    size = len(await anext(ahead))
    for _ in range(20):
        await asyncio.sleep(0)
    assert given * 1000 - size <= MOST_WAITING + 2000
    async for data in ahead:
        size += len(data)
    assert size == 1_000_000


async def test_closing_cancels_the_read_and_a_cancelled_reader_leaves_nothing_behind() -> None:
    closed = asyncio.Event()

    async def source() -> AsyncGenerator[bytes, None]:
        try:
            yield b"first"
            await asyncio.Event().wait()
        finally:
            closed.set()

    ahead = ReadAhead(source())
    assert await anext(ahead) == b"first"
    waiting = asyncio.ensure_future(anext(ahead))
    await asyncio.sleep(0)
    waiting.cancel()
    with pytest.raises(asyncio.CancelledError):
        await waiting
    await ahead.close()
    assert closed.is_set()
    assert [task for task in asyncio.all_tasks() if task.get_name() == "read-ahead"] == []

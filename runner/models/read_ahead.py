"""A stream read in a task of its own, so that all that came since the last look is taken at once.

Between the socket and a reader of an HTTP stream lie half a dozen generators, and a provider sends each token as a
piece of its own. Here only the taking in of a piece goes through them one by one; whoever wants the pieces gets all
that are there in one step, which for a stream at full rate halves what a token costs.
"""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

from runner.models.deadlines import CLOSING
from runner.models.watchdog import Breath

MOST_WAITING = 256 * 1024
"""Bytes that may wait for a reader who does something else; then the network waits too."""

_LOOK_EVERY = 16
"""Pieces between two looks at the clock."""


class ReadAhead:
    """An iterator over the bytes of `source`, joined as far as they are here. Reads from the first anext to close().

    An error of the source is raised where it stands: after all that came before it.
    """

    __slots__ = ("_over", "_pieces", "_size", "_source", "_taken", "_task", "_waiter")

    def __init__(self, source: AsyncIterator[bytes]) -> None:
        self._source = source
        self._task: asyncio.Task[None] | None = None
        self._pieces: list[bytes] = []
        self._size = 0
        self._waiter: asyncio.Future[None] | None = None
        self._taken: asyncio.Future[None] | None = None
        self._over = False

    def __aiter__(self) -> ReadAhead:
        return self

    async def __anext__(self) -> bytes:
        if self._task is None:
            self._task = asyncio.create_task(self._read(), name="read-ahead")
        while not self._pieces:
            if self._over:
                self._raise()
            self._waiter = asyncio.get_running_loop().create_future()
            await self._waiter
        data = self._pieces[0] if len(self._pieces) == 1 else b"".join(self._pieces)
        self._pieces.clear()
        self._size = 0
        _tell(self._taken)
        return data

    async def close(self) -> None:
        """Stop reading; a read that waits is cancelled, which closes its connection."""
        if self._task is not None and not self._task.done():
            self._task.cancel()
            await asyncio.wait({self._task}, timeout=CLOSING)
        if self._task is not None and self._task.done() and not self._task.cancelled():
            # An error that nobody came to fetch is no news for asyncio's log.
            self._task.exception()

    def _raise(self) -> None:
        """The end, or what ended it: the task is done with the step that said so."""
        if self._task is not None and self._task.done() and not self._task.cancelled():
            error = self._task.exception()
            if error is not None:
                raise error
        raise StopAsyncIteration

    async def _read(self) -> None:
        breath = Breath()
        try:
            async for piece in self._source:
                self._pieces.append(piece)
                self._size += len(piece)
                _tell(self._waiter)
                if self._size > MOST_WAITING:
                    self._taken = asyncio.get_running_loop().create_future()
                    await self._taken
                elif len(self._pieces) % _LOOK_EVERY == 0:
                    await breath.take()
        finally:
            self._over = True
            _tell(self._waiter)


def _tell(waiter: asyncio.Future[None] | None) -> None:
    if waiter is not None and not waiter.done():
        waiter.set_result(None)

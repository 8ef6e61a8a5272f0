"""Blocking code of tools, in threads that nobody has to wait for.

A thread cannot be stopped. These are daemons of their own rather than workers of a pool, so that one which is given up
delays neither the end of the event loop nor the end of the program.
"""

from __future__ import annotations

import asyncio
import contextvars
import threading
from collections.abc import AsyncGenerator, Callable, Generator
from dataclasses import dataclass
from typing import Any, Generic, TypeVar

from runner.tools.caught import Caught, portable

T = TypeVar("T")

_AHEAD = 64
"""Items a generator may be ahead of its reader."""


@dataclass(frozen=True, slots=True)
class _Yielded:
    value: Any


@dataclass(frozen=True, slots=True)
class Returned:
    """The last item of `iterate`: the generator's return value."""

    value: Any


@dataclass(frozen=True, slots=True)
class _Raised:
    error: Exception


async def in_thread(call: Callable[[], T], *, name: str = "tool") -> T:
    """The result of call(), run in a new thread with the context copied. A cancellation leaves the thread behind."""
    loop = asyncio.get_running_loop()
    done: asyncio.Future[T] = loop.create_future()
    context = contextvars.copy_context()

    def settle(value: T | _Raised) -> None:
        if done.done():
            return
        if isinstance(value, _Raised):
            done.set_exception(value.error)
        else:
            done.set_result(value)

    def work() -> None:
        outcome: T | _Raised | None = None
        with Caught(BaseException) as caught:
            outcome = context.run(call)
        result = outcome if caught.error is None else _Raised(portable(caught.error))
        _post(loop, lambda: settle(result))  # pyright: ignore[reportArgumentType]

    threading.Thread(target=work, name=name, daemon=True).start()
    return await done


async def iterate(make: Callable[[], Generator[Any, Any, Any]], *, name: str = "tool") -> AsyncGenerator[Any, None]:
    """The yielded values of a generator that runs in a thread, then Returned. Closing it ends it at its next yield."""
    feed = _Feed[Any](asyncio.get_running_loop())
    context = contextvars.copy_context()

    def run_through() -> None:
        generator = make()
        while True:
            try:
                item = next(generator)
            except StopIteration as stop:
                feed.put(Returned(stop.value))
                return
            if not feed.put(_Yielded(item)):
                generator.close()
                return

    def work() -> None:
        with Caught(BaseException) as caught:
            run_through()
        if caught.error is not None:
            feed.put(_Raised(portable(caught.error)))

    threading.Thread(target=lambda: context.run(work), name=name, daemon=True).start()
    try:
        while True:
            match await feed.get():
                case _Yielded(value):
                    yield value
                case _Raised(error):
                    raise error
                case returned:
                    yield returned
                    return
    finally:
        feed.give_up()


class _Feed(Generic[T]):
    """A bounded way from a thread into the event loop."""

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self._loop = loop
        self._queue: asyncio.Queue[T] = asyncio.Queue()
        self._room = threading.Semaphore(_AHEAD)
        self._given_up = threading.Event()

    def put(self, item: T) -> bool:
        """From the thread; waits for room. False when nobody reads any more."""
        self._room.acquire()
        if self._given_up.is_set():
            self._room.release()
            return False
        return _post(self._loop, lambda: self._queue.put_nowait(item))

    async def get(self) -> T:
        item = await self._queue.get()
        self._room.release()
        return item

    def give_up(self) -> None:
        self._given_up.set()
        self._room.release()


def _post(loop: asyncio.AbstractEventLoop, call: Callable[[], object]) -> bool:
    try:
        loop.call_soon_threadsafe(call)
    except RuntimeError:
        return False  # The loop is closed, so nobody waits for this thread any more.
    return True

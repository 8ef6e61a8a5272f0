"""A server that is a child process: guarded like a tool's command, with its standard input and output in our hands."""

from __future__ import annotations

import asyncio
import contextlib
import os
import shutil
import threading
from collections.abc import AsyncIterator, Callable, Mapping, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import IO

from runner.mcp.config import McpError
from runner.mcp.log import ServerLog
from runner.tools.caught import Caught
from runner.tools.child import KILL_WAIT, Child, Ending, Limits
from runner.tools.marker import new_marker
from runner.tools.spawn import Spawned, spawn

LONGEST_MESSAGE = 32 * 1024 * 1024
"""Bytes of one message; a longer one is read past."""

_MARGIN = 2.0
_CHUNK = 256 * 1024
_EDGE = 4096


@dataclass(frozen=True, slots=True)
class Oversized:
    """A message that was too long: its size, and its ends."""

    size: int
    head: bytes
    tail: bytes


class ServerProcess:
    """Started by `start`, ended by `end`; both on the event loop, which also reads and writes the pipes."""

    def __init__(self, child: Child, stdin: IO[bytes], stdout: IO[bytes], grace: float) -> None:
        loop = asyncio.get_running_loop()
        self.pid: int | None = None
        self.ended: asyncio.Future[Ending | None] = loop.create_future()
        self._child = child
        self._grace = grace
        self._stdin = stdin
        self._stdout = stdout
        self._reader = asyncio.StreamReader(limit=_CHUNK)
        self._read_transport: asyncio.ReadTransport | None = None
        self._writer: asyncio.StreamWriter | None = None
        self._watch(loop)

    @classmethod
    async def start(
        cls, argv: Sequence[str], *, name: str, cwd: Path, env: Mapping[str, str], log: ServerLog, grace: float
    ) -> ServerProcess:
        """argv[0]: looked for in the PATH of env. Raises McpError when the program cannot be started."""
        pipes = _Pipes()

        def make() -> Child:
            program = _program(argv[0], cwd, env)
            log.open()
            return Child(
                [program, *argv[1:]],
                name=name,
                cwd=cwd,
                env=env,
                marker=new_marker("mcp", name),
                limits=Limits(timeout=None, grace=grace),
                emit=lambda _, text: log.add(text),
                start=pipes.start,
            )

        starting = asyncio.ensure_future(asyncio.to_thread(make))
        try:
            child = await asyncio.shield(starting)
        except asyncio.CancelledError:
            starting.add_done_callback(_end_at_once(pipes))
            raise
        except (OSError, ValueError) as error:
            raise McpError(f"its command {argv[0]!r} could not be started: {error}") from error
        process = cls(child, *pipes.both(), grace)
        try:
            await process._connect()
        except BaseException:
            process.abandon()
            raise
        return process

    async def _connect(self) -> None:
        loop = asyncio.get_running_loop()
        self._read_transport, _ = await loop.connect_read_pipe(
            lambda: asyncio.StreamReaderProtocol(self._reader), self._stdout
        )
        nothing = asyncio.StreamReader()
        transport, protocol = await loop.connect_write_pipe(lambda: asyncio.StreamReaderProtocol(nothing), self._stdin)
        self._writer = asyncio.StreamWriter(transport, protocol, None, loop)

    def _watch(self, loop: asyncio.AbstractEventLoop) -> None:
        """Until it is dead with all that comes from it."""

        def started(pid: int, _: float | None) -> None:
            _post(loop, lambda: setattr(self, "pid", pid))

        def settle(ending: Ending | None) -> None:
            if not self.ended.done():
                self.ended.set_result(ending)

        def watch() -> None:
            ending: Ending | None = None
            with Caught(Exception):
                ending = self._child.watch(started)
            _post(loop, lambda: settle(ending))

        threading.Thread(target=watch, name=f"watch {self._child.name}", daemon=True).start()

    async def lines(self) -> AsyncIterator[bytes | Oversized]:
        """What it writes to its standard output, line by line, until that ends."""
        line = _Line()
        while data := await self._reader.read(_CHUNK):
            *ends, rest = data.split(b"\n")
            for end in ends:
                line.add(end)
                yield line.take()
            line.add(rest)

    async def send(self, data: bytes) -> None:
        """Raises OSError when nobody reads it any more."""
        if self._writer is None or self._writer.is_closing():
            raise BrokenPipeError
        self._writer.write(data)
        await self._writer.drain()

    async def end(self, goodbye: float) -> Ending | None:
        """Close its input, wait for it so many seconds, then end all of it; bounded in time."""
        try:
            if self._writer is not None:
                self._writer.close()
            await asyncio.wait({self.ended}, timeout=goodbye)
        finally:
            self.abandon()
        # The child's own limits bound this; the margin is for a machine that is busy.
        await asyncio.wait({self.ended}, timeout=self._grace + KILL_WAIT + _MARGIN)
        return self.ended.result() if self.ended.done() else None

    def abandon(self) -> None:
        """End all of it, without waiting for that."""
        self._child.stop()
        if self._writer is not None:
            transport = self._writer.transport
            # Closed and flushed it is gone, and cannot be told so again.
            if not transport.is_closing() or transport.get_write_buffer_size():
                transport.abort()
        else:
            self._stdin.close()
        if self._read_transport is not None:
            self._read_transport.close()
        else:
            self._stdout.close()


def _program(command: str, cwd: Path, env: Mapping[str, str]) -> str:
    """The absolute path of a command. Raises McpError."""
    if not cwd.is_dir():
        raise McpError(f"its folder {str(cwd)!r} does not exist")
    if os.sep in command:
        return os.path.abspath(cwd / command)
    found = shutil.which(command, path=env.get("PATH", os.defpath))
    if found is None:
        raise McpError(f"its command {command!r} was not found")
    return os.path.abspath(found)


class _Line:
    """One line as it comes in pieces; of one that is too long only the ends are kept."""

    def __init__(self) -> None:
        self._pieces: list[bytes] = []
        self._kept = 0
        self._size = 0

    def add(self, piece: bytes) -> None:
        self._size += len(piece)
        self._kept += len(piece)
        self._pieces.append(piece)
        if self._kept > LONGEST_MESSAGE:
            whole = b"".join(self._pieces)
            self._pieces = [whole[:_EDGE], whole[-_EDGE:]]
            self._kept = 2 * _EDGE

    def take(self) -> bytes | Oversized:
        whole, size = b"".join(self._pieces), self._size
        self._pieces, self._kept, self._size = [], 0, 0
        return whole if len(whole) == size else Oversized(size, whole[:_EDGE], whole[-_EDGE:])


class _Pipes:
    """Starts the child with pipes that stay ours: the thread that watches it must not read or close them."""

    def __init__(self) -> None:
        self._stdin: IO[bytes] | None = None
        self._stdout: IO[bytes] | None = None

    def start(self, argv: Sequence[str], *, cwd: Path, env: Mapping[str, str], marker: str) -> Spawned:
        spawned = spawn(argv, cwd=cwd, env=env, marker=marker, talks=True)
        process = spawned.process
        self._stdin, process.stdin = process.stdin, None
        self._stdout, process.stdout = process.stdout, None
        return spawned

    def both(self) -> tuple[IO[bytes], IO[bytes]]:
        assert self._stdin is not None
        assert self._stdout is not None
        return self._stdin, self._stdout

    def close(self) -> None:
        for pipe in (self._stdin, self._stdout):
            if pipe is not None:
                with contextlib.suppress(OSError):
                    pipe.close()


def _end_at_once(pipes: _Pipes) -> Callable[[asyncio.Future[Child]], None]:
    """For a child that nobody wants any more by the time it is there."""

    def ended(starting: asyncio.Future[Child]) -> None:
        pipes.close()
        if starting.cancelled() or starting.exception() is not None:
            return
        child = starting.result()
        child.stop()
        threading.Thread(target=lambda: child.watch(_unheard), name=f"end {child.name}", daemon=True).start()

    return ended


def _unheard(pid: int, started: float | None) -> None:
    """Nobody wants to know."""


def _post(loop: asyncio.AbstractEventLoop, call: Callable[[], None]) -> None:
    with contextlib.suppress(RuntimeError):  # The loop is closed: nobody waits any more.
        loop.call_soon_threadsafe(call)

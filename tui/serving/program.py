"""The program behind one open page: its packets both ways, and its end."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import signal
import sys
from collections.abc import Awaitable, Callable, Mapping, Sequence
from typing import Final

from tui.terminal import SERVED

GRACE: Final = 20.0
"""Seconds after SIGTERM, in which runs are aborted and saved, until the whole process group is killed."""

LARGEST: Final = 32 * 1024 * 1024
READY: Final = b"__GANGLION__\n"
"""What Textual's driver for browsers says first."""

# Of the terminal that the server runs in; the browser is another one.
_FOREIGN: Final = ("TMUX", "TMUX_PANE", "STY", "TERM_PROGRAM", "TERM_PROGRAM_VERSION", "VTE_VERSION", "COLORFGBG")


def environment(environ: Mapping[str, str], width: int, height: int) -> dict[str, str]:
    kept = {name: value for name, value in environ.items() if name not in _FOREIGN}
    return kept | {
        SERVED: "1",
        "TERM": "xterm-256color",
        "COLORTERM": "truecolor",
        "TEXTUAL_COLOR_SYSTEM": "truecolor",
        "COLUMNS": str(width),
        "ROWS": str(height),
        "LINES": str(height),
    }


class Program:
    """draw: takes what the program draws, in order; awaited, so that a slow browser slows the program down."""

    def __init__(self, process: asyncio.subprocess.Process, draw: Callable[[bytes], Awaitable[None]]) -> None:
        self._process = process
        self._draw = draw
        self._ending: asyncio.Task[None] | None = None

    @classmethod
    async def start(
        cls, arguments: Sequence[str], environ: Mapping[str, str], draw: Callable[[bytes], Awaitable[None]]
    ) -> Program:
        # -P: a folder named like a part of this program, in the workspace, is not run in its place.
        process = await asyncio.create_subprocess_exec(
            sys.executable,
            *("-P", "-m", "tui", *arguments),
            stdin=asyncio.subprocess.PIPE,
            stdout=asyncio.subprocess.PIPE,
            env=dict(environ),
            start_new_session=True,
        )
        return cls(process, draw)

    async def follow(self) -> None:
        """Until the program ends, or says that it does."""
        reader = self._process.stdout
        assert reader is not None
        with contextlib.suppress(asyncio.IncompleteReadError, ConnectionError):
            await reader.readuntil(READY)
            while True:
                kind = await reader.readexactly(1)
                size = int.from_bytes(await reader.readexactly(4), "big")
                if size > LARGEST:
                    return
                payload = await reader.readexactly(size)
                if kind == b"D":
                    await self._draw(payload)
                elif kind == b"M" and _is_exit(payload):
                    return

    async def keys(self, text: str) -> None:
        await self._send(b"D", text.encode("utf-8", "replace"))

    async def tell(self, **meta: str | int) -> None:
        await self._send(b"M", json.dumps(meta).encode())

    async def _send(self, kind: bytes, payload: bytes) -> None:
        writer = self._process.stdin
        assert writer is not None
        with contextlib.suppress(ConnectionError, RuntimeError):
            writer.write(kind + len(payload).to_bytes(4, "big") + payload)
            await writer.drain()

    async def end(self) -> None:
        """In order if it can be; in any case it is gone afterwards, with its process group. Several may wait for it."""
        if self._ending is None:
            self._ending = asyncio.create_task(self._end())
        await asyncio.shield(self._ending)

    async def _end(self) -> None:
        process = self._process
        if process.stdin is not None:
            process.stdin.close()
        if process.returncode is None:
            with contextlib.suppress(ProcessLookupError):
                process.send_signal(signal.SIGTERM)
            # What it still draws is read and dropped, or a full pipe would hold it.
            drained = asyncio.ensure_future(_drop(process.stdout))
            with contextlib.suppress(asyncio.TimeoutError, TimeoutError):
                await asyncio.wait_for(process.wait(), GRACE)
            drained.cancel()
        with contextlib.suppress(ProcessLookupError, PermissionError):
            os.killpg(process.pid, signal.SIGKILL)
        await process.wait()


async def _drop(reader: asyncio.StreamReader | None) -> None:
    while reader is not None and await reader.read(1 << 16):
        pass


def _is_exit(payload: bytes) -> bool:
    try:
        meta: object = json.loads(payload)
    except ValueError:
        return False
    match meta:
        case {"type": "exit"}:
            return True
        case _:
            return False

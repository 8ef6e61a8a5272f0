"""A provider that pours: `fill N` is answered with N bytes of short lines at once, anything else with an endless answer
at a steady rate. Run it as a process of its own; it prints its base URL.
"""

from __future__ import annotations

import asyncio
import contextlib
import json
import sys
from collections.abc import Generator
from subprocess import PIPE, Popen
from typing import Final

RATE: Final = 5_000
"""Tokens a second of the endless answer, each an event of its own."""

TICK: Final = 0.01
LINE: Final = "a line of text as they are, some forty-nine signs\n"
FILLED: Final = "the-vessel-is-full"
POURED: Final = "pouring-begins"


def _event(text: str, finish: str | None = None) -> bytes:
    choice = {"index": 0, "delta": {"role": "assistant", "content": text}, "finish_reason": finish}
    body = {"id": "chatcmpl-pour", "object": "chat.completion.chunk", "model": "pour", "choices": [choice]}
    data = b"data: " + json.dumps(body).encode() + b"\n\n"
    return f"{len(data):x}\r\n".encode() + data + b"\r\n"


_USAGE = b'data: {"choices":[],"usage":{"prompt_tokens":10,"completion_tokens":10}}\n\ndata: [DONE]\n\n'


async def _fill(writer: asyncio.StreamWriter, size: int) -> None:
    piece = LINE * 20
    for _ in range(max(1, size // len(piece))):
        writer.write(_event(piece))
        await writer.drain()
    writer.write(_event("\n" + FILLED, None) + _event("", "stop"))
    writer.write(f"{len(_USAGE):x}\r\n".encode() + _USAGE + b"\r\n0\r\n\r\n")
    await writer.drain()


async def _pour(writer: asyncio.StreamWriter) -> None:
    writer.write(_event(POURED + "\n"))
    loop = asyncio.get_running_loop()
    began, sent = loop.time(), 0
    while True:
        due = int((loop.time() - began) * RATE)
        writer.write(b"".join(_event("word.\n" if number % 12 == 0 else "word ") for number in range(sent, due)))
        sent = due
        await writer.drain()
        await asyncio.sleep(TICK)


async def _answer(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
    with contextlib.suppress(ConnectionError, asyncio.IncompleteReadError):
        while True:
            head = (await reader.readuntil(b"\r\n\r\n")).decode().lower()
            length = int(head.split("content-length:", 1)[1].split("\r\n", 1)[0]) if "content-length:" in head else 0
            body = json.loads(await reader.readexactly(length))
            asked = [each["content"] for each in body["messages"] if each["role"] == "user"][-1]
            words = (asked if isinstance(asked, str) else asked[0]["text"]).split()
            writer.write(b"HTTP/1.1 200 OK\r\ncontent-type: text/event-stream\r\ntransfer-encoding: chunked\r\n\r\n")
            if words[0] == "fill":
                await _fill(writer, int(words[1]))
            else:
                await _pour(writer)
    writer.close()


async def _serve() -> None:
    server = await asyncio.start_server(_answer, "127.0.0.1", 0, limit=2**26)
    print(f"http://127.0.0.1:{server.sockets[0].getsockname()[1]}/v1", flush=True)
    await server.serve_forever()


@contextlib.contextmanager
def pouring() -> Generator[str]:
    """The provider in a process of its own; yields its base URL."""
    with Popen([sys.executable, "-m", "tests.bench.pouring"], stdout=PIPE, text=True) as process:
        assert process.stdout is not None
        try:
            yield process.stdout.readline().strip()
        finally:
            process.terminate()


if __name__ == "__main__":
    asyncio.run(_serve())

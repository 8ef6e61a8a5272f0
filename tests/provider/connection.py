"""HTTP/1.1 as the fake provider speaks it: one connection's reading side, and what is written to it."""

from __future__ import annotations

import asyncio
import contextlib
import json
import socket
import struct
import time
from collections.abc import Mapping
from http import HTTPStatus
from typing import Any

from tests.provider.replies import Json


class Connection:
    """The reading side of one connection, which also notices when the client closes in the middle of an answer."""

    def __init__(self, reader: asyncio.StreamReader) -> None:
        self._reader = reader
        self._ahead = b""

    async def request(self) -> tuple[str, str, dict[str, str], bytes] | None:
        try:
            head = self._ahead + await self._reader.readuntil(b"\r\n\r\n")
        except (asyncio.IncompleteReadError, ConnectionError):
            return None
        self._ahead = b""
        lines = head.decode("latin-1").split("\r\n")
        method, path, _ = lines[0].split(" ", 2)
        pairs = (line.split(":", 1) for line in lines[1:] if ":" in line)
        headers = {name.strip().lower(): value.strip() for name, value in pairs}
        body = await self._reader.readexactly(int(headers.get("content-length", "0")))
        return method, path, headers, body

    async def wait_closed(self) -> float:
        """Return when the client has closed its side; a byte of a next request is kept for it."""
        try:
            while data := await self._reader.read(1):
                self._ahead += data
        except ConnectionError:
            return time.monotonic()
        return time.monotonic()


def write_head(writer: asyncio.StreamWriter, status: int, headers: Mapping[str, str]) -> None:
    try:
        phrase = HTTPStatus(status).phrase
    except ValueError:
        phrase = "Scripted"
    lines = [f"HTTP/1.1 {status} {phrase}", *(f"{name}: {value}" for name, value in headers.items())]
    writer.write(("\r\n".join(lines) + "\r\n\r\n").encode("latin-1"))


def write_json(writer: asyncio.StreamWriter, status: int, body: Json | str, headers: Mapping[str, str]) -> None:
    text = body if isinstance(body, str) else json.dumps(body)
    kind = "text/html" if isinstance(body, str) else "application/json"
    data = text.encode()
    write_head(writer, status, {"content-type": kind, "content-length": str(len(data)), **headers})
    writer.write(data)


def write_chunk(writer: asyncio.StreamWriter, data: str | bytes) -> None:
    data = data.encode() if isinstance(data, str) else data
    writer.write(b"%x\r\n%s\r\n" % (len(data), data))


def cut(writer: asyncio.StreamWriter) -> None:
    """Reset the connection, as a crashed provider does, instead of closing it in order."""
    raw: Any = writer.get_extra_info("socket")
    if raw is not None:
        with contextlib.suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()

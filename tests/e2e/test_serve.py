"""The screen in a browser: who gets in, what is served, what a page shows, and how its program ends."""

from __future__ import annotations

import asyncio
import contextlib
import re
import sys
from collections.abc import Mapping
from pathlib import Path

import aiohttp
import psutil
import pyte

from tests.contract.sources import ROOT
from tests.e2e.records import Records
from tests.e2e.terminal import PATIENCE
from tui.serving.gate import Gate, is_loopback
from tui.serving.page import FILES
from tui.serving.program import environment

ELSEWHERE = re.compile(r"https?://|wss://|ws://(?!127\.0\.0\.1:)|(?:src|href|url|import)\s*[=(]\s*['\"]?//")
"""An address at another host, also one without a scheme."""


def test_a_gate_knows_its_own_names_only() -> None:
    gate = Gate(host="127.0.0.1", port=8730)
    assert all(gate.is_host(f"{name}:8730") for name in ("127.0.0.1", "localhost", "LOCALHOST", "[::1]"))
    for other in ("", "127.0.0.1", "127.0.0.1:80", "evil.example:8730", "localhost.evil.example:8730", "10.0.0.1:8730"):
        assert not gate.is_host(other), other
    assert gate.is_origin("http://localhost:8730", "localhost:8730")
    assert not gate.is_origin("http://localhost:8731", "localhost:8730")
    assert not gate.is_origin("", "localhost:8730")
    assert not gate.is_origin("null", "localhost:8730")
    everywhere = Gate(host="0.0.0.0", port=8730)
    assert everywhere.is_host("10.0.0.1:8730")
    assert not everywhere.is_host("evil.example:8730")
    assert gate.token != gate.pass_ != Gate(host="127.0.0.1").pass_
    assert not gate.is_token("")
    assert not gate.has_pass({gate.cookie: gate.token})
    assert is_loopback("127.0.0.1")
    assert not is_loopback("0.0.0.0")
    assert "TMUX" not in environment({"TMUX": "x", "PATH": "/bin"}, 80, 24)


class Page:
    """The screen that a browser would show."""

    def __init__(self, socket: aiohttp.ClientWebSocketResponse) -> None:
        self.socket = socket
        self._screen = pyte.Screen(100, 30)
        self._stream = pyte.ByteStream(self._screen)

    async def until(self, words: str) -> None:
        async with asyncio.timeout(PATIENCE):
            while words not in "\n".join(self._screen.display):
                message = await self.socket.receive()
                assert message.type is aiohttp.WSMsgType.BINARY, "\n".join(self._screen.display)
                self._stream.feed(message.data)

    async def type(self, text: str) -> None:
        await self.socket.send_json(["stdin", text])


async def _below_with(program: psutil.Process, name: str) -> list[psutil.Process]:
    """All processes below the program, once one has this name."""
    async with asyncio.timeout(PATIENCE):
        while True:
            below = program.children(recursive=True)
            with contextlib.suppress(psutil.NoSuchProcess):
                if any(process.name() == name for process in below):
                    return below
            await asyncio.sleep(0.05)


async def _status(session: aiohttp.ClientSession, url: str, **headers: str) -> int:
    async with session.get(url, headers=headers, allow_redirects=False) as answer:
        assert "quarterdeck-" not in answer.headers.get("Set-Cookie", "") or answer.status == 303
        return answer.status


async def _refused(session: aiohttp.ClientSession, url: str, origin: str | None) -> bool:
    try:
        async with session.ws_connect(url, origin=origin):
            return False
    except aiohttp.WSServerHandshakeError as error:
        return error.status == 403


async def test_a_browser_gets_in_with_the_token_and_its_program_ends_with_it(
    folder: Path, environ: Mapping[str, str], records: Records
) -> None:
    # A folder named like this program is not run in its place.
    (folder / "tui").mkdir()
    (folder / "tui" / "__main__.py").write_text("raise SystemExit('not this one')")
    server = await asyncio.create_subprocess_exec(
        *(sys.executable, "-P", "-m", "tui", "serve", "--port", "0"),
        cwd=folder,
        env={**environ, "PYTHONPATH": str(ROOT)},
        stdout=asyncio.subprocess.PIPE,
    )
    assert server.stdout is not None
    try:
        found = re.search(rb"http://127\.0\.0\.1:\d+/\?token=\S+", await server.stdout.readline())
        assert found is not None
        url = found[0].decode()
        base = url.partition("?")[0]
        async with aiohttp.ClientSession(cookie_jar=aiohttp.CookieJar(unsafe=True)) as session:
            assert await _status(session, base) == 403
            assert await _status(session, f"{base}?token=wrong") == 403
            assert await _status(session, f"{base}textual.js") == 403
            assert await _status(session, url, Host="evil.example") == 403
            assert await _refused(session, f"{base}ws", base.rstrip("/"))
            assert await _status(session, url) == 303
            for name in ("", "page.css", *FILES):
                async with session.get(base + name) as answer:
                    assert answer.status == 200
                    assert "default-src 'none'" in answer.headers["Content-Security-Policy"]
                    body = await answer.read()
                if not name.endswith(".ttf"):
                    # A licence in a comment loads nothing.
                    assert ELSEWHERE.search(re.sub(r"/\*.*?\*/", "", body.decode(), flags=re.DOTALL)) is None, name
            assert await _status(session, f"{base}../pyproject.toml") == 404
            assert await _refused(session, f"{base}ws", "http://evil.example")
            assert await _refused(session, f"{base}ws", None)
            async with session.ws_connect(f"{base}ws?width=100&height=30", origin=base.rstrip("/")) as socket:
                page = Page(socket)
                await page.until("Quarterdeck")
                await page.until("ready")
                for odd in ("no json", "[]", '["resize",{"width":"x"}]', '["stdin",5]', "[" * 5000):
                    await socket.send_str(odd)
                await page.type("\x1b[200~abc\x1b[31my\x1b[201~")
                await page.until("abc[31my")
                await page.type("\x15run the command: sleep 60\r")
                await page.until("armed")
                await page.type("y")
                await page.until("running shell")
                below = await _below_with(psutil.Process(server.pid), "sleep")
            _, alive = await asyncio.to_thread(psutil.wait_procs, below, PATIENCE)
            assert alive == []
            (run,) = records.runs()
            assert run.reason == "aborted"
    finally:
        server.terminate()
        assert await server.wait() == 0

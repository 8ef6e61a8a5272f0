"""The server. Each request passes the gate before anything else looks at it."""

from __future__ import annotations

import asyncio
import json
import os
import signal
from collections.abc import Awaitable, Callable, Sequence
from typing import Final, cast

from aiohttp import WSMsgType, web

from tui.serving.gate import Gate, headers
from tui.serving.page import FILES, STYLE, file, page
from tui.serving.program import Program, environment

MOST_PROGRAMS: Final = 8
LARGEST_MESSAGE: Final = 4 * 1024 * 1024
BEAT: Final = 15.0
"""Seconds between two signs of life that are asked of a browser; one that does not answer has left."""

Handler = Callable[[web.Request], Awaitable[web.StreamResponse]]


class Site:
    """arguments: of the program that each page gets."""

    def __init__(self, gate: Gate, arguments: Sequence[str]) -> None:
        self.gate = gate
        self._arguments = tuple(arguments)
        self._open = 0
        self._programs: set[Program] = set()

    def application(self) -> web.Application:
        @web.middleware
        async def guard(request: web.Request, handler: Handler) -> web.StreamResponse:
            return await self._guard(request, handler)

        app = web.Application(middlewares=[guard], client_max_size=1024)
        app.router.add_get("/", self._page)
        app.router.add_get("/page.css", self._style)
        app.router.add_get("/ws", self._socket)
        app.router.add_get(f"/{{name:{'|'.join(name.replace('.', '[.]') for name in FILES)}}}", self._file)
        return app

    async def _guard(self, request: web.Request, handler: Handler) -> web.StreamResponse:
        host = request.headers.get("Host", "")
        if not self.gate.is_host(host):
            return _refused("This address is not the one that the program listens at.")
        given = request.query.get("token")
        if request.path == "/" and given is not None and self.gate.is_token(given):
            return self._admit(host)
        if not self.gate.has_pass(request.cookies):
            return _refused("The address needs the token that the program printed when it started.")
        if request.path == "/ws" and not self.gate.is_origin(request.headers.get("Origin", ""), host):
            return _refused("Another page cannot open this.")
        try:
            answer = await handler(request)
        except web.HTTPException as error:
            answer = web.Response(status=error.status, text=error.reason)
        if not answer.prepared:
            answer.headers.update(headers(host))
        return answer

    def _admit(self, host: str) -> web.Response:
        """The token leaves the address, and a cookie takes its place."""
        answer = web.Response(status=303, headers={"Location": "/", **headers(host)})
        answer.set_cookie(self.gate.cookie, self.gate.pass_, httponly=True, samesite="Strict", path="/")
        return answer

    async def _page(self, request: web.Request) -> web.Response:
        text = page(request.headers["Host"], request.query.get("fontsize", ""))
        return web.Response(text=text, content_type="text/html")

    async def _style(self, _: web.Request) -> web.Response:
        return web.Response(text=STYLE, content_type="text/css")

    async def _file(self, request: web.Request) -> web.Response:
        name = request.match_info["name"]
        return web.Response(body=await asyncio.to_thread(file, name), content_type=FILES[name][1])

    async def _socket(self, request: web.Request) -> web.StreamResponse:
        if self._open >= MOST_PROGRAMS:
            return web.Response(status=503, text=f"{MOST_PROGRAMS} pages are open; close one first.")
        self._open += 1
        try:
            return await self._converse(request)
        finally:
            self._open -= 1

    async def _converse(self, request: web.Request) -> web.WebSocketResponse:
        socket = web.WebSocketResponse(heartbeat=BEAT, max_msg_size=LARGEST_MESSAGE)
        await socket.prepare(request)
        width, height = _size(request.query.get("width"), 80), _size(request.query.get("height"), 24)
        environ = environment(os.environ, width, height)
        program = await Program.start(self._arguments, environ, socket.send_bytes)
        self._programs.add(program)
        following = asyncio.create_task(program.follow())
        hearing = asyncio.create_task(_hear(socket, program))
        try:
            await asyncio.wait({following, hearing}, return_when=asyncio.FIRST_COMPLETED)
        finally:
            for task in (following, hearing):
                task.cancel()
            # The browser may be gone, and the server may be ending: the program is ended all the same.
            await program.end()
            self._programs.discard(program)
            await socket.close()
        return socket

    async def end(self) -> None:
        """End every program."""
        await asyncio.gather(*(program.end() for program in self._programs))


async def _hear(socket: web.WebSocketResponse, program: Program) -> None:
    """What the browser says, until it leaves. What is not understood is left out."""
    async for message in socket:
        if message.type is not WSMsgType.TEXT:
            continue
        try:
            said: object = json.loads(message.data)
        except (ValueError, RecursionError):
            continue
        match said:
            case ["stdin", str(text)]:
                await program.keys(text)
            case ["resize", {"width": int(width), "height": int(height)}]:
                await program.tell(type="resize", width=_size(width, 80), height=_size(height, 24))
            case ["focus"]:
                await program.tell(type="focus")
            case ["blur"]:
                await program.tell(type="blur")
            case ["ping", str(when)]:
                await socket.send_json(["pong", when])
            case _:
                continue


def _size(given: str | int | None, default: int) -> int:
    """A number of columns or lines that a screen can have."""
    number = int(given) if isinstance(given, int) or (given is not None and given.isdecimal()) else default
    return min(max(number, 1), 999)


def _refused(why: str) -> web.Response:
    return web.Response(status=403, text=f"403: {why}\n", headers={"Cache-Control": "no-store"})


async def serve(site: Site, ready: Callable[[str], None]) -> None:
    """Until a signal says otherwise; then every program is ended. ready: gets the address, with the token.

    Raises OSError where it cannot listen.
    """
    runner = web.AppRunner(site.application(), access_log=None, shutdown_timeout=1, handler_cancellation=True)
    await runner.setup()
    try:
        listener = web.TCPSite(runner, site.gate.host, site.gate.port)
        await listener.start()
        address = cast("list[tuple[str, int]]", runner.addresses)[0]
        site.gate.port = address[1]
        over = asyncio.Event()
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            asyncio.get_running_loop().add_signal_handler(number, over.set)
        ready(f"{site.gate.address}?token={site.gate.token}")
        await over.wait()
    finally:
        await site.end()
        await runner.cleanup()

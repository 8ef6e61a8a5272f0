"""Servers behind an address: the real one on loopback, and one that answers with whatever goes wrong."""

from __future__ import annotations

import asyncio
import contextlib
import json
import os
import secrets
import signal
import socket
from collections.abc import AsyncGenerator, AsyncIterator, Callable
from contextlib import asynccontextmanager
from pathlib import Path
from typing import Any

import psutil
import pytest
import pytest_asyncio

from runner.mcp import McpHub, McpServer
from tests.conftest import need
from tests.mcp.support import Host, environment, everything, running, state, tool
from tests.processes.support import context, recorder_of, run, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

NODE = need("node")
EVERYTHING = everything()

# The server listens on all interfaces; here it must not, and says which port it got.
ON_LOOPBACK = """
const net = require("node:net");
const listen = net.Server.prototype.listen;
net.Server.prototype.listen = function (port, ...rest) {
  this.once("listening", () => process.stdout.write(`port ${this.address().port}\\n`));
  const called = rest.filter((one) => typeof one === "function");
  return listen.call(this, { port: Number(port), host: "127.0.0.1" }, ...called);
};
"""


@asynccontextmanager
async def served(folder: Path, port: int = 0) -> AsyncGenerator[tuple[asyncio.subprocess.Process, int]]:
    """server-everything over HTTP on loopback: its process and its port."""
    shim = folder / "loopback.cjs"
    shim.write_text(ON_LOOPBACK)
    process = await asyncio.create_subprocess_exec(
        NODE, "--require", str(shim), EVERYTHING, "streamableHttp",
        env=environment(folder, PORT=str(port)), stdout=asyncio.subprocess.PIPE, stderr=asyncio.subprocess.DEVNULL,
    )  # fmt: skip
    assert process.stdout is not None
    reader = process.stdout
    try:
        while not (line := await reader.readline()).startswith(b"port "):
            assert line, "the server ended"
        rest = asyncio.create_task(reader.read())
        yield process, int(line.split()[1])
        rest.cancel()
    finally:
        with contextlib.suppress(ProcessLookupError):
            process.kill()
        await process.wait()


def connections(pid: int) -> int:
    """Open connections of a server."""
    return sum(one.status == psutil.CONN_ESTABLISHED for one in psutil.Process(pid).net_connections("tcp"))


def at(port: int, **more: Any) -> McpServer:
    return McpServer(name="web", url=f"http://127.0.0.1:{port}/mcp", **more)


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def web(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[tuple[McpHub, asyncio.subprocess.Process]]:
    folder = tmp_path_factory.mktemp("web")
    async with served(folder) as (process, port), running(at(port, sampling=True), workspace=folder) as hub:
        yield hub, process


Web = tuple[McpHub, asyncio.subprocess.Process]


async def test_it_lists_calls_and_reports(web: Web, tmp_path: Path) -> None:
    hub, _ = web
    assert (state(hub, "web").phase, state(hub, "web").transport) == ("ready", "http")
    assert state(hub, "web").pid is None
    ctx = context(tmp_path)
    assert (await run(tool(hub, "get-sum", "web"), ctx, a=2, b=40)).output == "The sum of 2 and 40 is 42."
    done = await run(tool(hub, "trigger-long-running-operation", "web"), ctx, duration=0.4, steps=2)
    assert done.status == "ok"
    assert [one.progress for one in recorder_of(ctx).activities] == [0.5, 1]
    assert await hub.prompt_text("web", "args-prompt", {"city": "Paris"}) == "What's weather in Paris?"
    assert "Resource 1" in await hub.read_resource("web", "demo://resource/dynamic/text/1")


async def test_a_cancelled_call_leaves_it_usable(web: Web, tmp_path: Path) -> None:
    hub, _ = web
    ctx = context(tmp_path)
    task = asyncio.create_task(run(tool(hub, "trigger-long-running-operation", "web"), ctx, duration=100, steps=1000))
    await until(lambda: recorder_of(ctx).activities)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await run(tool(hub, "echo", "web"), ctx, message="hi")).output == "Echo: hi"


async def test_it_asks_a_person_and_the_model_through_the_call(web: Web, tmp_path: Path) -> None:
    hub, _ = web
    host = Host(lambda question: {"name": "Ada"}, lambda request: "forty-two")
    ctx = context(tmp_path, host=host)
    done = await run(tool(hub, "trigger-elicitation-request", "web"), ctx, timeout=20)
    assert "Ada" in done.output
    done = await run(tool(hub, "trigger-sampling-request", "web"), ctx, prompt="x", timeout=20)
    assert "forty-two" in done.output


async def test_closing_leaves_no_connection_open(tmp_path: Path) -> None:
    async with served(tmp_path) as (process, port):
        async with running(at(port), workspace=tmp_path) as hub:
            assert state(hub, "web").phase == "ready"
            assert connections(process.pid) > 0
        await until(lambda: connections(process.pid) == 0)


def lasting_port() -> int:
    """A free port below those that the system hands out, so that nobody gets it while its server is away."""
    while True:
        port = 20_000 + secrets.randbelow(12_000)
        with socket.socket() as trial:
            if trial.connect_ex(("127.0.0.1", port)) != 0:
                return port


async def test_one_that_is_killed_and_started_again_is_found_again(tmp_path: Path) -> None:
    async with contextlib.AsyncExitStack() as stack:
        process, port = await stack.enter_async_context(served(tmp_path, lasting_port()))
        hub = await stack.enter_async_context(running(at(port), workspace=tmp_path))
        echo = tool(hub, "echo", "web")
        assert (await run(echo, context(tmp_path), message="a")).status == "ok"
        os.kill(process.pid, signal.SIGKILL)
        await process.wait()
        await stack.enter_async_context(served(tmp_path, port))
        # It knows nothing of the session; the first call may find that out, the next ones work.
        await run(echo, context(tmp_path), message="b", timeout=20)
        await until(lambda: state(hub, "web").phase != "restarting" and state(hub, "web").restarts > 0)
        assert (state(hub, "web").phase, state(hub, "web").problem) == ("ready", "")
        assert (await run(echo, context(tmp_path), message="c", timeout=20)).output == "Echo: c"


Respond = Callable[[dict[str, str], bytes], bytes]


class Raw:
    """An HTTP server that answers each request with given bytes, and remembers what it was sent."""

    def __init__(self, respond: Respond) -> None:
        self.requests: list[dict[str, str]] = []
        self.open = 0
        self._respond = respond

    async def handle(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.open += 1
        try:
            while head := await reader.readuntil(b"\r\n\r\n"):
                first, *lines = head.decode().strip().split("\r\n")
                headers = {name.lower(): value for name, _, value in (line.partition(": ") for line in lines)}
                body = await reader.readexactly(int(headers.get("content-length", "0")))
                self.requests.append({":": first, **headers})
                writer.write(self._respond({":": first, **headers}, body))
                await writer.drain()
        except (asyncio.IncompleteReadError, ConnectionError):
            return
        finally:
            self.open -= 1
            writer.close()


@asynccontextmanager
async def raw(respond: Respond) -> AsyncGenerator[tuple[Raw, int]]:
    server = Raw(respond)
    listening = await asyncio.start_server(server.handle, "127.0.0.1", 0)
    async with listening:
        yield server, listening.sockets[0].getsockname()[1]


def always(answer: bytes) -> Respond:
    def respond(headers: dict[str, str], body: bytes) -> bytes:
        return answer

    return respond


def response(status: str, body: bytes = b"", **headers: str) -> bytes:
    lines = [f"HTTP/1.1 {status}", f"content-length: {len(body)}"]
    lines += [f"{name.replace('_', '-')}: {value}" for name, value in headers.items()]
    return "\r\n".join(lines).encode() + b"\r\n\r\n" + body


def mcp(body: bytes, result: object) -> bytes:
    answer = {"jsonrpc": "2.0", "id": json.loads(body).get("id"), "result": result}
    return response("200 OK", json.dumps(answer).encode(), content_type="application/json")


HELLO: dict[str, Any] = {
    "protocolVersion": "2025-06-18",
    "capabilities": {"tools": {}},
    "serverInfo": {"name": "raw", "version": "1"},
}
TOOLS = {"tools": [{"name": "big", "inputSchema": {"type": "object"}}]}


def speaks(call: Respond) -> Respond:
    """A minimal server; call: what it answers to a call."""

    def respond(headers: dict[str, str], body: bytes) -> bytes:
        if not headers[":"].startswith("POST"):
            return response("405 Method Not Allowed")
        match json.loads(body)["method"]:
            case "initialize":
                return mcp(body, HELLO)
            case "tools/list":
                return mcp(body, TOOLS)
            case "tools/call":
                return call(headers, body)
            case _:
                return response("202 Accepted")

    return respond


@pytest.mark.parametrize(
    ("answer", "problem"),
    [
        (response("401 Unauthorized"), "it refuses access (HTTP 401): its headers need a valid key"),
        (response("403 Forbidden", b"{}", content_type="application/json"), "it refuses access (HTTP 403)"),
        (response("404 Not Found"), "there is no such server at its address (HTTP 404)"),
        (response("500 Internal Server Error"), "it answered with HTTP status 500"),
        (response("302 Found", location="http://127.0.0.1:9/"), "it answered with an error: Redirect to"),
        (response("200 OK", b"<html>", content_type="text/html"), "Unexpected content type: text/html"),
        (response("200 OK", b"{", content_type="application/json"), "it answered with an error"),
        (response("200 OK", b"x", content_encoding="gzip"), "compressed answers"),
        (b"", "it was not ready within 1 s"),
        (b"nonsense\r\n\r\n", "it cannot be reached"),
    ],
    ids=["401", "403", "404", "500", "redirect", "html", "broken", "compressed", "mute", "nonsense"],
)
async def test_what_goes_wrong_with_an_address_is_said(answer: bytes, problem: str, tmp_path: Path) -> None:
    async with raw(always(answer)) as (server, port):
        async with running(at(port, connect_timeout=1), workspace=tmp_path) as hub:
            assert state(hub, "web").phase == "failed"
            assert problem in state(hub, "web").problem
        await until(lambda: server.open == 0)


async def test_nobody_listening_is_said(tmp_path: Path) -> None:
    async with raw(always(b"")) as (_, port):
        pass
    async with running(at(port), workspace=tmp_path) as hub:
        assert state(hub, "web").problem.startswith("it cannot be reached")


async def test_headers_are_sent_and_may_name_a_variable(tmp_path: Path) -> None:
    environ = environment(tmp_path, SOME_TOKEN="t-1")
    async with raw(speaks(lambda _, body: mcp(body, {"content": []}))) as (server, port):
        config = at(port, headers={"Authorization": "Bearer ${SOME_TOKEN}"})
        async with running(config, workspace=tmp_path, environ=environ) as hub:
            assert state(hub, "web").phase == "ready"
            done = await run(tool(hub, "big", "web"), context(tmp_path))
            assert done.output == "(the tool returned nothing)"
        assert {one["authorization"] for one in server.requests} == {"Bearer t-1"}
        assert server.open == 0
    config = at(port, headers={"Authorization": "Bearer ${NOT_SET}"})
    async with running(config, workspace=tmp_path) as hub:
        assert "NOT_SET, which is not set" in state(hub, "web").problem


async def test_a_variable_cannot_add_a_header(tmp_path: Path) -> None:
    environ = environment(tmp_path, EVIL="a\r\nx-evil: 1")
    async with raw(speaks(always(b""))) as (server, port):
        config = at(port, headers={"Authorization": "${EVIL}"})
        async with running(config, workspace=tmp_path, environ=environ) as hub:
            assert state(hub, "web").phase == "failed"
            assert "x-evil" not in state(hub, "web").problem
        assert server.requests == []


async def test_an_answer_without_end_is_not_read_to_its_end(tmp_path: Path) -> None:
    def endless(_: dict[str, str], body: bytes) -> bytes:
        return mcp(body, {"content": [{"type": "text", "text": "x" * 40_000_000}]})

    async with raw(speaks(endless)) as (_, port), running(at(port), workspace=tmp_path) as hub:
        done = await run(tool(hub, "big", "web"), context(tmp_path), timeout=30)
        assert done.status == "error"
        assert "more than 33,554,432 bytes" in done.output


async def test_a_key_that_is_refused_later_is_said_to_the_model(tmp_path: Path) -> None:
    refuse = speaks(always(response("401 Unauthorized")))
    async with raw(refuse) as (_, port), running(at(port), workspace=tmp_path) as hub:
        done = await run(tool(hub, "big", "web"), context(tmp_path), timeout=20)
        assert done.status == "error"
        assert "it refuses access (HTTP 401)" in done.output


FORM = {"type": "object", "properties": {"name": {"type": "string"}}}
NEWER = "2026-07-28"


class Newer:
    """A server that only knows the newer protocol: no handshake, and questions inside of the answer to a call."""

    def __init__(self) -> None:
        self.answered: list[Any] = []

    def respond(self, headers: dict[str, str], body: bytes) -> bytes:
        if not headers[":"].startswith("POST"):
            return response("405 Method Not Allowed")
        message = json.loads(body)
        params: dict[str, Any] = message.get("params") or {}
        cached = {"resultType": "complete", "ttlMs": 0, "cacheScope": "private"}
        match message["method"]:
            case "initialize":
                error = {"code": -32022, "message": "too old", "data": {"supported": [NEWER], "requested": "x"}}
                answer = {"jsonrpc": "2.0", "id": message["id"], "error": error}
                return response("400 Bad Request", json.dumps(answer).encode(), content_type="application/json")
            case "server/discover":
                return mcp(body, {**cached, "supportedVersions": [NEWER], "capabilities": {"tools": {}}})
            case "tools/list":
                return mcp(body, {**cached, **TOOLS})
            case _ if "inputResponses" in params:
                self.answered.append((params["inputResponses"], params["requestState"]))
                return mcp(body, {"resultType": "complete", "content": [{"type": "text", "text": "thank you"}]})
            case _:
                asked = {"mode": "form", "message": "Who?", "requestedSchema": FORM}
                question = {"method": "elicitation/create", "params": asked}
                required = {"resultType": "input_required", "inputRequests": {"q": question}, "requestState": "s"}
                return mcp(body, required)


async def test_a_server_of_the_newer_protocol_is_spoken_to_in_its_way(tmp_path: Path) -> None:
    newer = Newer()
    host = Host(lambda question: {"name": "Ada"})
    async with raw(newer.respond) as (_, port), running(at(port), workspace=tmp_path) as hub:
        assert (state(hub, "web").phase, state(hub, "web").problem) == ("ready", "")
        # Two at once: each question still knows the call that it belongs to.
        calls = [run(tool(hub, "big", "web"), context(tmp_path, host=host), timeout=20) for _ in range(2)]
        assert [one.output for one in await asyncio.gather(*calls)] == ["thank you", "thank you"]
        assert len(host.questions) == 2
        assert newer.answered[0] == ({"q": {"action": "accept", "content": {"name": "Ada"}}}, "s")

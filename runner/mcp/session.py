"""One connection to a server: what it offers, and what can be asked of it. Heavy to import, like runner.mcp.wire."""

from __future__ import annotations

import asyncio
import importlib.metadata
import logging
from collections.abc import AsyncGenerator, Awaitable, Callable, Mapping
from contextlib import asynccontextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, Protocol, TypeVar, cast

import mcp_types as types
from mcp.client.session import ClientRequestContext, ClientSession, IncomingMessage
from mcp.shared.exceptions import MCPError
from mcp.shared.message import SessionMessage
from mcp_types import methods
from mcp_types.version import LATEST_HANDSHAKE_VERSION
from pydantic import TypeAdapter, ValidationError

from runner.mcp.config import McpError, McpServer, Timing, expanded
from runner.mcp.log import ServerLog
from runner.mcp.process import ServerProcess
from runner.mcp.text import one_line
from runner.mcp.wire import Sifted, Watch, over_http, over_pipes
from runner.messages import JsonObject
from runner.tools.environment import child_environment

# A handler of last resort would print what these say on the terminal.
for _name in ("mcp", "client", "httpx2", "httpcore2"):
    logging.getLogger(_name).addHandler(logging.NullHandler())

MOST_PAGES = 50
MOST_ENTRIES = 1_000
"""Tools of one server, and as many prompts and resources."""

_MOST_ROUNDS = 10
_SAID = 300
_LISTS = {
    "tools": "tools/list",
    "prompts": "prompts/list",
    "resources": "resources/list",
    "resourceTemplates": "resources/templates/list",
}
_CALL: TypeAdapter[types.CallToolResult | types.InputRequiredResult] = TypeAdapter(
    types.CallToolResult | types.InputRequiredResult
)
_NOT_OFFERED = ("outputSchema", "icons")

Listed = TypeVar("Listed")


class Progress(Protocol):
    async def __call__(self, progress: float, total: float | None, message: str | None) -> None: ...


class Asked(Protocol):
    """Who answers what a server asks. call: the running call that it is about, None where that is not said."""

    async def elicit(self, params: types.ElicitRequestParams, call: int | None) -> types.ElicitResult: ...

    async def sample(
        self, params: types.CreateMessageRequestParams, call: int | None
    ) -> types.CreateMessageResult | types.ErrorData: ...


@dataclass(slots=True)
class Catalogue:
    """What a server has, as it says it. broken: entries that are not what the protocol asks for, in words."""

    tools: list[types.Tool] = field(default_factory=list[types.Tool])
    prompts: list[types.Prompt] = field(default_factory=list[types.Prompt])
    resources: list[types.Resource] = field(default_factory=list[types.Resource])
    templates: list[types.ResourceTemplate] = field(default_factory=list[types.ResourceTemplate])
    broken: list[str] = field(default_factory=list[str])


@dataclass(slots=True, kw_only=True)
class Connection:
    """Alive from `connected`, which makes it, until that is left."""

    session: ClientSession
    watch: Watch
    timing: Timing
    broken: dict[str, list[str]]
    asked: Asked

    @property
    def version(self) -> str:
        info = self.session.server_info
        return "" if info is None else one_line(f"{info.name} {info.version}", 80)

    async def catalogue(self) -> Catalogue:
        """Raises McpError, or what a lost connection raises."""
        can = self.session.server_capabilities
        found = Catalogue()
        self.broken.clear()
        if can is None:
            return found
        if can.tools is not None:
            found.tools = await self._pages(self.session.list_tools, lambda page: (page.tools, page.next_cursor))
        if can.prompts is not None:
            listed = self._pages(self.session.list_prompts, lambda page: (page.prompts, page.next_cursor))
            found.prompts = await self._or_nothing(listed, "prompts")
        if can.resources is not None:
            listed = self._pages(self.session.list_resources, lambda page: (page.resources, page.next_cursor))
            found.resources = await self._or_nothing(listed, "resources")
            more = self._pages(
                self.session.list_resource_templates, lambda page: (page.resource_templates, page.next_cursor)
            )
            found.templates = await self._or_nothing(more, "resourceTemplates")
        found.broken = [words for entries in self.broken.values() for words in entries]
        return found

    async def _pages(self, ask: Any, read: Callable[[Any], tuple[list[Listed], str | None]]) -> list[Listed]:
        entries: list[Listed] = []
        cursor: str | None = None
        async with asyncio.timeout(self.timing.request):
            for _ in range(MOST_PAGES):
                page = await ask(params=types.PaginatedRequestParams(cursor=cursor) if cursor is not None else None)
                more, cursor = read(page)
                entries += more
                if cursor is None or len(entries) >= MOST_ENTRIES:
                    break
        return entries[:MOST_ENTRIES]

    async def _or_nothing(self, listing: Awaitable[list[Listed]], what: str) -> list[Listed]:
        """A server that says it has something and then refuses to list it has its tools all the same."""
        try:
            return await listing
        except (MCPError, ValidationError, TimeoutError) as error:
            self.broken.setdefault(what, []).append(f"its {what} cannot be listed: {one_line(str(error), _SAID)}")
            return []

    async def call(self, tool: str, arguments: JsonObject, call: int, progress: Progress) -> types.CallToolResult:
        """Ask for one call. Cancelled, it tells the server so."""
        params = types.CallToolRequestParams(name=tool, arguments=arguments)
        for _ in range(_MOST_ROUNDS):
            result = await self._request(types.CallToolRequest(params=params), progress)
            if isinstance(result, types.CallToolResult):
                return result
            params = types.CallToolRequestParams(
                name=tool,
                arguments=arguments,
                input_responses=await self._answers(result, call),
                request_state=result.request_state,
            )
        raise McpError("it asked for more and more without coming to a result")

    async def _request(
        self, request: types.CallToolRequest, progress: Progress
    ) -> types.CallToolResult | types.InputRequiredResult:
        try:
            return await self.session.send_request(request, _CALL, progress_callback=progress)
        except MCPError:
            # A server that was started anew knows nothing of the session, and not all say so with HTTP status 404.
            if self.watch.status == 400 and not await self._answers_at_all():
                self.watch.lost.set()
            raise

    async def _answers_at_all(self) -> bool:
        try:
            async with asyncio.timeout(self.timing.request):
                await self.session.send_ping()
        except (MCPError, TimeoutError):
            return False
        return True

    async def _answers(self, required: types.InputRequiredResult, call: int) -> types.InputResponses:
        """To what a server of the newer protocol asks in the middle of a call."""
        answers: types.InputResponses = {}
        for key, request in (required.input_requests or {}).items():
            match request:
                case types.ElicitRequest(params=asked):
                    answers[key] = await self.asked.elicit(asked, call)
                case types.CreateMessageRequest(params=wanted):
                    sampled = await self.asked.sample(wanted, call)
                    if isinstance(sampled, types.ErrorData):
                        raise MCPError.from_error_data(sampled)
                    answers[key] = sampled
                case _:
                    raise McpError("it asked for something that is not given in the middle of a call")
        return answers

    async def prompt(self, name: str, arguments: Mapping[str, str]) -> types.GetPromptResult:
        async with asyncio.timeout(self.timing.request):
            return await self.session.get_prompt(name, dict(arguments) or None)

    async def resource(self, uri: str) -> types.ReadResourceResult:
        async with asyncio.timeout(self.timing.request):
            return await self.session.read_resource(uri)


@asynccontextmanager
async def connected(
    config: McpServer,
    *,
    workspace: Path,
    environ: Mapping[str, str],
    log: ServerLog,
    timing: Timing,
    asked: Asked,
    changed: Callable[[], None],
    watch: Watch,
) -> AsyncGenerator[Connection]:
    """Connect and shake hands. changed: called when the server says that one of its lists is not what it was."""
    if config.transport == "http":
        streams = over_http(config.url, _headers(config, environ), watch)
    else:
        env = child_environment(environ) | expanded(config.env, environ, "its environment")
        process = watch.process = await ServerProcess.start(
            [config.command, *config.args],
            name=config.name,
            cwd=workspace if config.cwd is None else workspace / config.cwd,
            env=env,
            log=log,
            grace=timing.grace,
        )
        streams = over_pipes(process, log=log, goodbye=timing.goodbye)
    broken: dict[str, list[str]] = {}
    answers = _Answers(config, workspace, log, asked, changed)
    async with streams as (read, write):
        session = answers.session(Sifted(read, lambda message: sift(message, broken), watch.lost), write)
        async with session:
            await _shake_hands(session)
            yield Connection(session=session, watch=watch, timing=timing, broken=broken, asked=asked)


def _headers(config: McpServer, environ: Mapping[str, str]) -> dict[str, str]:
    """Raises McpError, without the value, for one that cannot be sent."""
    headers = expanded(config.headers, environ, "a header")
    for name, value in headers.items():
        if not value.isascii() or not value.isprintable():
            raise McpError(f"the value of its header {name!r} has characters that a header cannot have")
    return headers


async def _shake_hands(session: ClientSession) -> None:
    """In the way that all servers know; one that only knows the newer way says so."""
    try:
        await session.initialize()
    except MCPError as error:
        if error.code not in (types.UNSUPPORTED_PROTOCOL_VERSION, types.METHOD_NOT_FOUND):
            raise
        try:
            await session.discover()
        except MCPError:
            raise error from None


def sift(message: SessionMessage, broken: dict[str, list[str]]) -> None:
    """Take the entries out of a list that the protocol does not allow: one of them must not cost all the others."""
    answer = message.message
    if not isinstance(answer, types.JSONRPCResponse):
        return
    for what, method in _LISTS.items():
        entries: object = answer.result.get(what)
        if isinstance(entries, list):
            found = [_reason(what, method, entry) for entry in cast("list[object]", entries)]
            reasons = [reason for reason in found if reason]
            if reasons:
                broken.setdefault(what, []).extend(reasons[:MOST_PAGES])
            answer.result[what] = [
                entry for entry, reason in zip(cast("list[object]", entries), found, strict=True) if not reason
            ]


def _reason(what: str, method: str, entry: object) -> str:
    """Why an entry is not what the protocol asks for; "" where it is."""
    name: object = None
    if isinstance(entry, dict):
        fields = cast("JsonObject", entry)
        name = fields.get("name", fields.get("uri"))
        for field_name in _NOT_OFFERED:
            fields.pop(field_name, None)
    try:
        methods.validate_server_result(method, LATEST_HANDSHAKE_VERSION, {what: [entry]})
    except ValidationError as error:
        first = error.errors(include_url=False, include_input=False)[0]
        where = ".".join(str(part) for part in first["loc"][2:])
        shown = one_line(name, 60) if isinstance(name, str) else "one without a name"
        return f"{shown}: {where or 'it'}: {one_line(first['msg'], 100)}"
    return ""


class _Answers:
    """What a session hears from its server besides answers."""

    def __init__(
        self, config: McpServer, workspace: Path, log: ServerLog, asked: Asked, changed: Callable[[], None]
    ) -> None:
        self._config = config
        self._workspace = workspace
        self._log = log
        self._asked = asked
        self._changed = changed

    def session(self, read: Any, write: Any) -> ClientSession:
        return ClientSession(
            read,
            write,
            sampling_callback=self._sample if self._config.sampling else None,
            elicitation_callback=self._elicit,
            list_roots_callback=self._roots,
            logging_callback=self._logged,
            message_handler=self._heard,
            client_info=types.Implementation(name="quarterdeck", version=_version()),
        )

    async def _elicit(self, context: ClientRequestContext, params: types.ElicitRequestParams) -> types.ElicitResult:
        return await self._asked.elicit(params, None)

    async def _sample(
        self, context: ClientRequestContext, params: types.CreateMessageRequestParams
    ) -> types.CreateMessageResult | types.ErrorData:
        return await self._asked.sample(params, None)

    async def _roots(self, context: ClientRequestContext) -> types.ListRootsResult:
        uri: Any = self._workspace.absolute().as_uri()
        return types.ListRootsResult(roots=[types.Root(uri=uri, name=self._workspace.name or None)])

    async def _logged(self, params: types.LoggingMessageNotificationParams) -> None:
        self._log.note(f"[{params.level}] {one_line(str(params.data), _SAID)}")

    async def _heard(self, message: IncomingMessage) -> None:
        match message:
            case (
                types.ToolListChangedNotification()
                | types.PromptListChangedNotification()
                | types.ResourceListChangedNotification()
            ):
                self._changed()
            case Exception():
                self._log.note(f"[protocol] {one_line(str(message), _SAID)}")
            case _:
                return


def _version() -> str:
    try:
        return importlib.metadata.version("quarterdeck")
    except importlib.metadata.PackageNotFoundError:
        return "0"

"""What a server asks in the middle of a call: its answer comes from the run of that call. Heavy to import."""

from __future__ import annotations

from typing import Any, cast
from urllib.parse import urlsplit

import mcp_types as types

from runner.errors import ToolError
from runner.mcp.calls import RunningCall, RunningCalls
from runner.mcp.config import McpServer
from runner.mcp.content import texts_of
from runner.mcp.log import ServerLog
from runner.mcp.schema import SchemaProblem, offered
from runner.mcp.text import one_line, plain
from runner.messages import JsonObject
from runner.tools.base import Activity, Question, Reply, Sampling

_QUESTION = 2_000
_LARGEST_REQUEST = 256 * 1024
_MOST_FIELDS = 30
_Scalar = str | int | float | bool


class Asking:
    """Where nobody can be asked, the answer is no."""

    def __init__(self, config: McpServer, calls: RunningCalls, log: ServerLog) -> None:
        self._config = config
        self._calls = calls
        self._log = log

    async def elicit(self, params: types.ElicitRequestParams, call: int | None) -> types.ElicitResult:
        running = self._calls.find(call)
        if isinstance(params, types.ElicitRequestURLParams):
            where = one_line(urlsplit(params.url).hostname or "an address", 100)
            return self._decline(running, f"asked to open a page on {where}, which is never done for a server")
        if running is None or running.ctx.host is None:
            return self._decline(running, "asked a question while no single call of it ran that could be asked")
        try:
            schema = offered(params.requested_schema)
        except SchemaProblem as problem:
            return self._decline(running, f"asked with a form that cannot be shown: {problem}")
        fields: JsonObject = schema["properties"]
        if len(fields) > _MOST_FIELDS:
            return self._decline(running, f"asked with a form of {len(fields)} fields")
        question = Question(
            text=plain(params.message, _QUESTION) or "It asks for some details.",
            who=self._config.name,
            kind="form",
            schema=schema,
        )
        reply: Reply | None = await running.ask(running.ctx.host.ask(question))
        if reply is None or reply.answer is None:
            return types.ElicitResult(action="decline")
        return types.ElicitResult(action="accept", content=_content(reply.answer, fields))

    def _decline(self, running: RunningCall | None, what: str) -> types.ElicitResult:
        self._log.note(f"[declined] it {what}")
        if running is not None:
            running.say(Activity(message=f"The server {what}; it was declined."))
        return types.ElicitResult(action="decline")

    async def sample(
        self, params: types.CreateMessageRequestParams, call: int | None
    ) -> types.CreateMessageResult | types.ErrorData:
        running = self._calls.find(call)
        if running is None or running.ctx.host is None:
            return _refused("no single call of this server is running that the request could belong to")
        messages: list[tuple[str, str]] = []
        for message in params.messages:
            texts = texts_of(message.content)
            if texts is None:
                return _refused("only text can be sent to the model")
            messages.append((message.role, "\n".join(texts)))
        system = params.system_prompt or ""
        if params.tools or sum(len(text) for _, text in messages) + len(system) > _LARGEST_REQUEST:
            return _refused("the request has tools, or is too large")
        request = Sampling(
            who=self._config.name,
            messages=tuple(messages),
            system=system,
            max_tokens=params.max_tokens,
            temperature=params.temperature,
        )
        try:
            sampled = await running.ask(running.ctx.host.sample(request))
        except ToolError as error:
            self._log.note(f"[refused] it asked the model: {one_line(str(error), _QUESTION)}")
            return _refused(str(error))
        if sampled is None:
            return _refused("the call that it was for has ended")
        return types.CreateMessageResult(
            role="assistant",
            content=types.TextContent(type="text", text=sampled.text),
            model=sampled.model,
            stop_reason="maxTokens" if sampled.finish_reason == "length" else "endTurn",
        )


def _refused(words: str) -> types.ErrorData:
    return types.ErrorData(code=types.INVALID_REQUEST, message=f"Sampling was refused: {words}")


def _content(answer: JsonObject, fields: JsonObject) -> dict[str, Any]:
    """What was asked for and nothing else, in the types that the protocol takes."""
    content: dict[str, Any] = {}
    for name, value in answer.items():
        if name in fields and (isinstance(value, _Scalar) or _is_choice(value)):
            content[name] = value
    return content


def _is_choice(value: object) -> bool:
    return isinstance(value, list) and all(isinstance(one, str) for one in cast("list[object]", value))

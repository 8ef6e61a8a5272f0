"""What the fake provider is told to answer, and the server-sent events of each dialect made from it."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from typing import Any, Final, TypeAlias

from runner.models.providers import Dialect

Json: TypeAlias = dict[str, Any]
CREATED = 1_750_000_000


@dataclass(frozen=True, slots=True, kw_only=True)
class Call:
    """A tool call; pieces are what its arguments arrive in. id None: the provider sends none. signature: Gemini's."""

    name: str
    pieces: Sequence[str] = ("{}",)
    id: str | None = "call_0"
    index: int | None = None
    signature: str = ""

    @property
    def arguments(self) -> str:
        return "".join(self.pieces)


@dataclass(frozen=True, slots=True, kw_only=True)
class Tokens:
    """Usage as SEMANTICS counts it: input includes cached and written, output includes reasoning."""

    input: int = 12
    cached: int = 0
    written: int = 0
    output: int = 5
    reasoning: int = 0


@dataclass(frozen=True, slots=True, kw_only=True)
class Reply:
    """The answer to one request. Content goes out in the order reasoning, text, refusal, calls.

    finish None: none is sent. "": by content ("tool_calls" where there are calls, else "stop").
    reasoning_field: what an OpenAI server calls it (OpenRouter: "reasoning").
    usage None: none is sent. interleave: the calls' pieces take turns. events: sent as they are instead of content.
    headers_delay, delay: seconds before the headers and before each event.
    no_answer: the connection is closed before any header.
    Faults count events from 0: stall_at (silent until the client closes), cut_at (connection reset), end_at (a clean
    end of the body), malformed_at (a line that is not JSON is slipped in), misframed_at (what is no HTTP chunk).
    """

    text: Sequence[str] = ()
    reasoning: Sequence[str] = ()
    reasoning_field: str = "reasoning_content"
    signature: str = "sig-1"
    refusal: Sequence[str] = ()
    calls: Sequence[Call] = ()
    interleave: bool = False
    finish: str | None = ""
    usage: Tokens | None = field(default_factory=Tokens)
    events: Sequence[str | bytes] | None = None
    status: int = 200
    headers: Mapping[str, str] = field(default_factory=dict[str, str])
    error: Json | str | None = None
    headers_delay: float = 0.0
    delay: float = 0.0
    stall_headers: bool = False
    no_answer: bool = False
    stall_at: int | None = None
    cut_at: int | None = None
    end_at: int | None = None
    malformed_at: int | None = None
    misframed_at: int | None = None
    comment_every: float | None = None


def reply_from_json(data: Mapping[str, Any]) -> Reply:
    """A Reply from a script file; a text may be given as one string instead of pieces."""
    known = {item.name for item in fields(Reply)}
    unknown = sorted(set(data) - known)
    if unknown:
        raise ValueError(f"a reply has no field {unknown[0]!r}")
    values = dict(data)
    for name in ("text", "reasoning", "refusal"):
        if isinstance(values.get(name), str):
            values[name] = (values[name],)
    if "calls" in values:
        values["calls"] = tuple(Call(**call) for call in values["calls"])
    if values.get("usage") is not None:
        values["usage"] = Tokens(**values["usage"])
    return Reply(**values)


def sse_events(reply: Reply, dialect: Dialect, model: str) -> Iterator[str | bytes]:
    """The events, each with its blank line at the end."""
    if reply.events is not None:
        yield from reply.events
        return
    match dialect:
        case "openai":
            yield from _openai(reply, model)
        case "anthropic":
            yield from _anthropic(reply, model)
        case "gemini":
            yield from _gemini(reply, model)
        case "mistral":
            yield from _mistral(reply, model)


def error_body(reply: Reply, dialect: Dialect) -> Json | str:
    if reply.error is not None:
        return reply.error
    message = f"scripted failure {reply.status}"
    if dialect == "anthropic":
        return {"type": "error", "error": {"type": "scripted_error", "message": message}}
    if dialect == "gemini":
        return {"error": {"code": reply.status, "message": message, "status": "SCRIPTED_ERROR"}}
    return {"error": {"message": message, "type": "scripted_error", "code": None, "param": None}}


def _call_pieces(reply: Reply) -> Iterator[tuple[int, Call, int, str]]:
    """(position, call, number of the piece, piece) in the order in which they are sent."""
    if not reply.interleave:
        for position, call in enumerate(reply.calls):
            for number, piece in enumerate(call.pieces):
                yield position, call, number, piece
        return
    longest = max((len(call.pieces) for call in reply.calls), default=0)
    for number in range(longest):
        for position, call in enumerate(reply.calls):
            if number < len(call.pieces):
                yield position, call, number, call.pieces[number]


def openai_chunk(model: str, delta: Json | None, *, finish: str | None = None, usage: Json | None = None) -> str:
    choices = [] if delta is None else [{"index": 0, "delta": delta, "finish_reason": finish}]
    body: Json = {
        "id": "chatcmpl-1",
        "object": "chat.completion.chunk",
        "created": CREATED,
        "model": model,
        "choices": choices,
    }
    if usage is not None:
        body["usage"] = usage
    return f"data: {json.dumps(body)}\n\n"


def openai_usage(usage: Tokens) -> Json:
    return {
        "prompt_tokens": usage.input,
        "completion_tokens": usage.output,
        "total_tokens": usage.input + usage.output,
        "prompt_tokens_details": {"cached_tokens": usage.cached},
        "completion_tokens_details": {"reasoning_tokens": usage.reasoning},
    }


def _openai(reply: Reply, model: str) -> Iterator[str]:
    yield openai_chunk(model, {"role": "assistant", "content": ""})
    for piece in reply.reasoning:
        yield openai_chunk(model, {reply.reasoning_field: piece})
    for piece in reply.text:
        yield openai_chunk(model, {"content": piece})
    for piece in reply.refusal:
        yield openai_chunk(model, {"refusal": piece})
    for position, call, number, piece in _call_pieces(reply):
        function: Json = {"arguments": piece}
        entry: Json = {"index": position if call.index is None else call.index, "function": function}
        if number == 0:
            function["name"] = call.name
            entry["type"] = "function"
            if call.id is not None:
                entry["id"] = call.id
        yield openai_chunk(model, {"tool_calls": [entry]})
    if reply.finish is not None:
        yield openai_chunk(model, {}, finish=reply.finish or ("tool_calls" if reply.calls else "stop"))
    if reply.usage is not None:
        yield openai_chunk(model, None, usage=openai_usage(reply.usage))
    yield "data: [DONE]\n\n"


def _event(kind: str, **body: Any) -> str:
    return f"event: {kind}\ndata: {json.dumps({'type': kind, **body})}\n\n"


_ANTHROPIC_FINISH = {"stop": "end_turn", "tool_calls": "tool_use", "length": "max_tokens"}


def _anthropic_block(index: int, start: Json, deltas: Sequence[Json]) -> Iterator[str]:
    yield _event("content_block_start", index=index, content_block=start)
    for delta in deltas:
        yield _event("content_block_delta", index=index, delta=delta)
    yield _event("content_block_stop", index=index)


def _anthropic(reply: Reply, model: str) -> Iterator[str]:
    usage = reply.usage or Tokens(input=0, output=0)
    start: Json = {
        "input_tokens": usage.input - usage.cached - usage.written,
        "cache_read_input_tokens": usage.cached,
        "cache_creation_input_tokens": usage.written,
        "output_tokens": 1 if reply.usage else 0,
    }
    message: Json = {"id": "msg_1", "type": "message", "role": "assistant", "model": model, "content": []}
    message |= {"stop_reason": None, "stop_sequence": None, "usage": start}
    yield _event("message_start", message=message)
    index = 0
    if reply.reasoning:
        deltas: list[Json] = [{"type": "thinking_delta", "thinking": piece} for piece in reply.reasoning]
        deltas.append({"type": "signature_delta", "signature": reply.signature})
        yield from _anthropic_block(index, {"type": "thinking", "thinking": "", "signature": ""}, deltas)
        index += 1
    if reply.text:
        deltas = [{"type": "text_delta", "text": piece} for piece in reply.text]
        yield from _anthropic_block(index, {"type": "text", "text": ""}, deltas)
        index += 1
    for number, call in enumerate(reply.calls):
        block: Json = {"type": "tool_use", "id": call.id or f"toolu_{number}", "name": call.name, "input": {}}
        deltas = [{"type": "input_json_delta", "partial_json": piece} for piece in call.pieces]
        yield from _anthropic_block(index + number, block, deltas)
    if reply.finish is not None:
        finish = reply.finish or ("tool_calls" if reply.calls else "stop")
        yield _event(
            "message_delta",
            delta={"stop_reason": _ANTHROPIC_FINISH.get(finish, finish), "stop_sequence": None},
            usage={"output_tokens": usage.output},
        )
        yield _event("message_stop")


def _mistral(reply: Reply, model: str) -> Iterator[str]:
    """Thoughts are parts of the content, and calls come whole, with the finish reason and the usage."""
    yield openai_chunk(model, {"role": "assistant", "content": ""})
    for piece in reply.reasoning:
        thought = {"type": "thinking", "thinking": [{"type": "text", "text": piece}]}
        yield openai_chunk(model, {"content": [thought]})
    for piece in reply.text:
        yield openai_chunk(model, {"content": piece})
    delta: Json = {"content": ""}
    if reply.calls:
        delta["tool_calls"] = [
            {"id": call.id, "index": number, "function": {"name": call.name, "arguments": call.arguments}}
            for number, call in enumerate(reply.calls)
        ]
    if reply.finish is None:
        yield openai_chunk(model, delta)
    else:
        finish = reply.finish or ("tool_calls" if reply.calls else "stop")
        usage = None if reply.usage is None else openai_usage(reply.usage)
        yield openai_chunk(model, delta, finish=finish, usage=usage)
    yield "data: [DONE]\n\n"


_GEMINI_FINISH: Final = {"stop": "STOP", "tool_calls": "STOP", "length": "MAX_TOKENS", "content_filter": "SAFETY"}


def _gemini(reply: Reply, model: str) -> Iterator[str]:
    """A call is one part, whole, with the signature beside it; what was used so far stands in every chunk."""
    parts: list[Json] = [{"text": piece, "thought": True} for piece in reply.reasoning]
    parts += [{"text": piece} for piece in reply.text]
    for call in reply.calls:
        function: Json = {"name": call.name, "args": json.loads(call.arguments)}
        if call.id is not None:
            function["id"] = call.id
        parts.append({"functionCall": function, **({"thoughtSignature": call.signature} if call.signature else {})})
    so_far = None if reply.usage is None else replace(reply.usage, output=1, reasoning=0)
    for part in parts:
        yield _gemini_chunk(model, {"content": {"role": "model", "parts": [part]}, "index": 0}, so_far)
    if reply.finish is not None:
        finish = _GEMINI_FINISH.get(reply.finish or "stop", reply.finish)
        last: Json = {"content": {"role": "model", "parts": [{"text": ""}]}, "finishReason": finish, "index": 0}
        yield _gemini_chunk(model, last, reply.usage)


def _gemini_chunk(model: str, candidate: Json, usage: Tokens | None) -> str:
    body: Json = {"candidates": [candidate], "modelVersion": model, "responseId": "response-1"}
    if usage is not None:
        body["usageMetadata"] = {
            "promptTokenCount": usage.input,
            "cachedContentTokenCount": usage.cached,
            "candidatesTokenCount": usage.output - usage.reasoning,
            "thoughtsTokenCount": usage.reasoning,
            "totalTokenCount": usage.input + usage.output,
        }
    return f"data: {json.dumps(body)}\r\n\r\n"

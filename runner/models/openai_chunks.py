"""What a provider's stream carries, read by our own rules: litellm's builders merge, drop and invent.

A raw item is an OpenAI chunk (an object or a dict with `choices`) or litellm's generic chunk (a dict with `text`); all
are read by name, so it does not matter which client they come from.
"""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping
from dataclasses import dataclass, field
from typing import Any, Final, cast

from runner.errors import ServerError, StreamBrokenError
from runner.models.base import (
    Chunk,
    FinishChunk,
    FinishReason,
    ProviderDataChunk,
    ReasoningChunk,
    RefusalChunk,
    TextChunk,
    ToolCallChunk,
    UsageChunk,
)
from runner.models.call_keys import CallKeys
from runner.usage import Usage

_FINISH: Final[Mapping[str, FinishReason]] = {
    "stop": "stop",
    "end_turn": "stop",
    "stop_sequence": "stop",
    "pause_turn": "stop",
    "eos": "stop",
    "eos_token": "stop",
    "tool_calls": "tool_calls",
    "tool_use": "tool_calls",
    "function_call": "tool_calls",
    "length": "length",
    "max_tokens": "length",
    "model_length": "length",
    "model_context_window_exceeded": "length",
    "content_filter": "content_filter",
    "refusal": "content_filter",
    "safety": "content_filter",
    "recitation": "content_filter",
    "blocklist": "content_filter",
    "prohibited_content": "content_filter",
    "spii": "content_filter",
}
_BROKEN: Final = frozenset({"malformed_function_call", "unexpected_tool_call"})
_PLAIN: Final = frozenset({"content", "role"})
_LONE: Final = "\ufffd"
_FAILED: Final = frozenset({"error", "network_error", "insufficient_system_resource"})


def get(source: object, name: str) -> Any:
    """A field of an object or of a dict; None where it has none."""
    if isinstance(source, dict):
        return cast("dict[str, Any]", source).get(name)
    return getattr(source, name, None)


def _is_whole(text: str) -> bool:
    """Whether a text has no halves of characters in it."""
    try:
        text.encode()
    except UnicodeEncodeError:
        return False
    return True


def finish_reason(raw: str, *, has_calls: bool) -> FinishReason:
    """Ours for a provider's. An unknown one ends the response normally, because the provider did say that it ended.

    Raises StreamBrokenError or ServerError where the reason itself says that the response is not usable.
    """
    lowered = raw.lower()
    if lowered in _BROKEN:
        raise StreamBrokenError(f"the model wrote a tool call that the provider could not read ({raw})")
    if lowered in _FAILED:
        raise ServerError(f"the provider broke off its answer ({raw})")
    known = _FINISH.get(lowered, "stop")
    return "tool_calls" if known == "stop" and has_calls else known


@dataclass(slots=True)
class StreamReader:
    """The state of one response: what is still open, and what has been said of its end.

    Usage counts of a stream only grow, so the largest of each kind is the last one, also where a provider sends a part
    of them at the start and the rest at the end.
    """

    provider: str
    finish: str | None = None
    has_calls: bool = False
    usage: Usage | None = None
    _items: int = 0
    _usage_at: int = 0
    _finish_at: int = 0
    _openai: bool = False
    _halves: dict[str, str] = field(default_factory=dict[str, str])
    _keys: CallKeys = field(default_factory=CallKeys)
    _thinking: list[dict[str, Any]] = field(default_factory=list[dict[str, Any]])
    _open_thinking: dict[str, Any] | None = None
    _details: list[Any] = field(default_factory=list[Any])

    def plain_text(self, raw: dict[str, Any]) -> str:
        """The text of a chunk that carries nothing else, as nearly all of them do; "" where `feed` has to read it.

        It says the same as `feed` for a fifth of the time, which is what a token costs.
        """
        choices = raw.get("choices")
        if type(choices) is not list or raw.get("usage") is not None or len(cast("list[Any]", choices)) != 1:
            return ""
        choice = cast("list[Any]", choices)[0]
        if type(choice) is not dict or cast("dict[str, Any]", choice).get("finish_reason"):
            return ""
        delta = cast("dict[str, Any]", choice).get("delta")
        if type(delta) is not dict:
            return ""
        text = cast("dict[str, Any]", delta).get("content")
        if type(text) is not str or not text:
            return ""
        for name, value in cast("dict[str, Any]", delta).items():
            if value and name not in _PLAIN:
                return ""
        if self._halves or not (text.isascii() or _is_whole(text)):
            return ""
        self._items += 1
        self._openai = True
        return text

    def feed(self, raw: object) -> Iterator[Chunk]:
        """The chunks in one raw item."""
        self._items += 1
        choices = get(raw, "choices")
        if choices is None:
            if get(raw, "text") is not None:
                yield from self._generic(raw)
            return
        self._openai = True
        self._take_usage(get(raw, "usage"))
        if choices:
            choice = choices[0]
            delta = get(choice, "delta")
            text = get(choice, "text") if delta is None else None
            yield from self._text(text)
            yield from self._delta(delta)
            reason = get(choice, "finish_reason")
            if reason:
                self._finish(reason)

    @property
    def complete(self) -> bool:
        """Whether the finish reason and the usage of the whole response are here: usage before it is of a part only."""
        return self.finish is not None and self._usage_at >= self._finish_at

    def _finish(self, reason: object) -> None:
        self._finish_at = self._finish_at or self._items
        self.finish = str(reason)

    def _generic(self, raw: object) -> Iterator[Chunk]:
        self._take_usage(get(raw, "usage"))
        yield from self._text(get(raw, "text"))
        use = get(raw, "tool_use")
        if use is not None:
            yield from self._calls([use])
        reason = get(raw, "finish_reason")
        # In an OpenAI stream such an item is litellm's word for the line "[DONE]", which says nothing of the model:
        # taken as a reason, it would make a response that was cut look complete.
        if reason and not self._openai:
            self._finish(reason)

    def _delta(self, delta: object) -> Iterator[Chunk]:
        if delta is None:
            return
        reasoning = get(delta, "reasoning_content") or get(delta, "reasoning")
        yield from self._reasoning(reasoning)
        yield from self._provider_data(delta)
        content = get(delta, "content")
        if isinstance(content, list):
            yield from self._parts(cast("list[object]", content))
        else:
            yield from self._text(content)
        refusal = self._whole("refusal", get(delta, "refusal"))
        if refusal:
            yield RefusalChunk(refusal)
        calls = get(delta, "tool_calls")
        if calls:
            yield from self._calls(calls)

    def _parts(self, parts: list[object]) -> Iterator[Chunk]:
        """Mistral's reasoning models send content as a list of text and thinking parts."""
        for part in parts:
            yield from self._text(get(part, "text"))
            thinking: object = get(part, "thinking")
            if isinstance(thinking, str):
                thinking = [{"text": thinking}]
            for piece in cast("list[object]", thinking) if isinstance(thinking, list) else ():
                yield from self._reasoning(get(piece, "text"))

    def _text(self, piece: object) -> Iterator[Chunk]:
        if text := self._whole("text", piece):
            yield TextChunk(text)

    def _reasoning(self, piece: object) -> Iterator[Chunk]:
        if text := self._whole("reasoning", piece):
            yield ReasoningChunk(text)

    def _whole(self, kind: str, piece: object) -> str:
        """The text of a piece in whole characters; "" where there is none.

        JSON writes a character beyond the first 65,536 as two halves, and some servers send them one by one. The first
        waits here for the second; a half that stays alone cannot be stored or sent, and becomes U+FFFD.
        """
        if not isinstance(piece, str) or not piece:
            return ""
        text = self._halves.pop(kind, "") + piece if self._halves else piece
        if text.isascii() or _is_whole(text):
            return text
        if "\ud800" <= text[-1] <= "\udbff":
            self._halves[kind] = text[-1]
            text = text[:-1]
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")

    def end(self, model: str = "") -> Iterator[Chunk]:
        """The last chunks, when the stream is over. Raises StreamBrokenError where it was cut."""
        if self.finish is None:
            text = "the stream ended without saying that the answer is complete"
            raise StreamBrokenError(text, model=model, provider=self.provider)
        yield from self._rest()
        if self.usage is not None:
            yield UsageChunk(self.usage)
        yield FinishChunk(finish_reason(self.finish, has_calls=self.has_calls))

    def _rest(self) -> Iterator[Chunk]:
        """A mark for each half that never became a character."""
        for kind in self._halves:
            match kind:
                case "text":
                    yield TextChunk(_LONE)
                case "reasoning":
                    yield ReasoningChunk(_LONE)
                case "refusal":
                    yield RefusalChunk(_LONE)
                case _:
                    yield ToolCallChunk(key=kind, arguments=_LONE)
        self._halves = {}

    def _calls(self, entries: list[Any]) -> Iterator[Chunk]:
        for entry in entries:
            function = get(entry, "function")
            name = get(function, "name") or ""
            arguments = get(function, "arguments")
            if arguments is None:
                arguments = ""
            elif not isinstance(arguments, str):
                arguments = json.dumps(arguments)
            given = get(entry, "id") or ""
            key = self._keys.key(get(entry, "index"), str(given), str(name), arguments)
            if not self.has_calls:
                self.has_calls = True
                # Whose ids these are decides later whether they may be sent again as they are.
                yield ProviderDataChunk({"provider": self.provider})
            yield ToolCallChunk(key=key, id=str(given), name=str(name), arguments=self._whole(key, arguments))

    def _provider_data(self, delta: object) -> Iterator[Chunk]:
        """Signed thinking blocks (Anthropic) and reasoning details (OpenRouter), each time one of them is complete."""
        changed = False
        for block in get(delta, "thinking_blocks") or ():
            changed = self._thinking_block(block) or changed
        if changed:
            yield ProviderDataChunk({"provider": self.provider, "thinking_blocks": list(self._thinking)})
        specific = get(delta, "provider_specific_fields")
        details = get(delta, "reasoning_details") or get(specific, "reasoning_details")
        if isinstance(details, list) and details:
            self._details.extend(cast("list[Any]", details))
            yield ProviderDataChunk({"provider": self.provider, "reasoning_details": list(self._details)})

    def _thinking_block(self, block: object) -> bool:
        """Take a piece of a block in; True when that completes it."""
        if get(block, "type") == "redacted_thinking":
            self._thinking.append({"type": "redacted_thinking", "data": get(block, "data")})
            return True
        if self._open_thinking is None:
            self._open_thinking = {"type": "thinking", "thinking": ""}
        self._open_thinking["thinking"] += get(block, "thinking") or ""
        signature = get(block, "signature")
        if not signature:
            return False
        self._thinking.append({**self._open_thinking, "signature": signature})
        self._open_thinking = None
        return True

    def _take_usage(self, raw: object) -> None:
        found = None if raw is None else read_usage(raw)
        if found is None:
            return
        self._usage_at = self._items
        old = self.usage or Usage()
        self.usage = Usage(
            input=max(old.input, found.input),
            cached_input=max(old.cached_input, found.cached_input),
            cache_write=max(old.cache_write, found.cache_write),
            output=max(old.output, found.output),
            reasoning=max(old.reasoning, found.reasoning),
        )


def _count(source: object, *names: str) -> int:
    """The first of these counts that is a positive number."""
    for name in names:
        value = get(source, name)
        if isinstance(value, int | float) and not isinstance(value, bool) and value > 0:
            return int(value)
    return 0


def read_usage(raw: object) -> Usage | None:
    """Usage in our terms; None where nothing was counted."""
    read, written = _count(raw, "prompt_tokens"), _count(raw, "completion_tokens")
    if not read and not written:
        return None
    input_details, output_details = get(raw, "prompt_tokens_details"), get(raw, "completion_tokens_details")
    reasoning = _count(output_details, "reasoning_tokens")
    total = _count(raw, "total_tokens")
    if reasoning and total == read + written + reasoning:
        # Some (xAI) leave the reasoning out of completion_tokens, but bill it as output.
        written += reasoning
    cached = _count(input_details, "cached_tokens") or _count(raw, "cache_read_input_tokens", "prompt_cache_hit_tokens")
    stored = _count(input_details, "cache_write_tokens", "cache_creation_tokens")
    return Usage(
        input=read,
        cached_input=cached,
        cache_write=stored or _count(raw, "cache_creation_input_tokens"),
        output=written,
        reasoning=reasoning,
    )

"""A history as one provider wants it: made new for each request, from the one typed history that is stored.

The result is in OpenAI's form, which litellm translates for the others.
"""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping, Sequence
from dataclasses import dataclass, field
from typing import Any, Final

from runner.messages import AssistantMessage, Message, ToolCall, ToolResult, UserMessage
from runner.models.dialects import check_request, make_id, no_constant, tool_name, valid_id
from runner.models.providers import Dialect, dialect_of, prefix_of

__all__ = ["check_request", "project"]

NOT_EXECUTED: Final = "This call was not executed."
NO_OUTPUT: Final = "(no output)"
NO_TEXT: Final = "(empty message)"
BRIDGE: Final = "I have read the results."
GO_ON: Final = "Go on."
OPENING: Final = "(The start of this conversation is not shown.)"

_WANTS_REASONING_BACK: Final = frozenset({"deepseek", "moonshot"})
"""These think across tool calls, and refuse or forget when the reasoning of the turn they are in is missing."""

ProviderOf = Callable[[str], str]
Wire = dict[str, Any]


def project(
    messages: Sequence[Message],
    target: str,
    model_name: str,
    *,
    instructions: str = "",
    provider_of: ProviderOf = prefix_of,
    bare: bool = False,
) -> list[Wire]:
    """The messages of one request to a model.

    target: the provider the request goes to; it may be a dialect's name. model_name: the model there.
    provider_of: the provider of a model name found in the history (named models only a registry knows).
    bare: nothing private or optional, and every id made anew: for a history that the provider refused once.
    """
    work = _Projection(target=target, dialect=dialect_of(target, model_name), provider_of=provider_of, bare=bare)
    if instructions.strip():
        work.out.append({"role": "system", "content": sendable(instructions)})
    last_user = max((n for n, message in enumerate(messages) if isinstance(message, UserMessage)), default=-1)
    for number, message in enumerate(messages):
        match message:
            case UserMessage(text=text):
                work.user(sendable(text))
            case AssistantMessage():
                work.assistant(message, _results_after(messages, number), current=number > last_user)
            case ToolResult():
                # Written with the call it belongs to; one without a call would be refused by every provider.
                continue
    return work.finished()


def _results_after(messages: Sequence[Message], number: int) -> dict[str, ToolResult]:
    """The results up to the next response; the first one of a call counts."""
    found: dict[str, ToolResult] = {}
    for later in range(number + 1, len(messages)):
        message = messages[later]
        if isinstance(message, AssistantMessage):
            break
        if isinstance(message, ToolResult):
            found.setdefault(message.call_id, message)
    return found


@dataclass(slots=True)
class _Projection:
    target: str
    dialect: Dialect
    provider_of: ProviderOf
    bare: bool = False
    out: list[Wire] = field(default_factory=list[Wire])
    taken: set[str] = field(default_factory=set[str])

    def user(self, text: str) -> None:
        content = text if text.strip() else NO_TEXT
        last = self.out[-1] if self.out else None
        if last is not None and last["role"] == "tool" and self.dialect == "mistral":
            # Mistral's servers answer a user message right after a result with a 400.
            self.out.append({"role": "assistant", "content": BRIDGE})
        elif last is not None and last["role"] == "user" and self.dialect != "openai":
            last["content"] += "\n\n" + content
            return
        self.out.append({"role": "user", "content": content})

    def assistant(self, message: AssistantMessage, results: Mapping[str, ToolResult], *, current: bool) -> None:
        same = self._same_provider(message)
        calls = [_Call(call, self._id(call, same=same), [_result(call, results)]) for call in message.tool_calls]
        if self.dialect == "gemini":
            calls = _joined_twins(calls)
        wire: Wire = {"role": "assistant", "content": sendable(message.text) if message.text.strip() else None}
        if calls:
            wire["tool_calls"] = [call.wire for call in calls]
        if wire["content"] is None and not calls:
            return
        if same:
            self._add_private(wire, message, current=current)
        self._open_with_user()
        self._append_assistant(wire)
        self.out.extend(call.result for call in calls)

    def _same_provider(self, message: AssistantMessage) -> bool:
        if self.bare:
            return False
        known = (message.provider_data or {}).get("provider")
        wrote = known if isinstance(known, str) and known else self.provider_of(message.model)
        return bool(wrote) and wrote == self.target

    def _add_private(self, wire: Wire, message: AssistantMessage, *, current: bool) -> None:
        """What only the provider that wrote it may see again: signed blocks, and its own reasoning while it works."""
        data = message.provider_data or {}
        blocks = data.get("thinking_blocks")
        if blocks and self.dialect == "anthropic":
            wire["thinking_blocks"] = blocks
        details = data.get("reasoning_details")
        if details and self.target == "openrouter":
            wire["reasoning_details"] = details
        if current and self.target in _WANTS_REASONING_BACK and message.reasoning and message.tool_calls:
            wire["reasoning_content"] = sendable(message.reasoning)

    def _open_with_user(self) -> None:
        if self.dialect != "openai" and not any(message["role"] == "user" for message in self.out):
            self.out.append({"role": "user", "content": OPENING})

    def _append_assistant(self, wire: Wire) -> None:
        """Two responses in a row (one cut short, then its continuation) become one where the dialect wants turns.

        litellm would join Anthropic's too, but leave the thoughts of the second one behind the text of the first.
        """
        last = self.out[-1] if self.out else None
        if last is None or last["role"] != "assistant" or self.dialect == "openai":
            self.out.append(wire)
        else:
            joined = "\n\n".join(text for text in (last["content"], wire["content"]) if text)
            for name in ("thinking_blocks", "reasoning_details"):
                if name in last and name in wire:
                    wire[name] = [*last[name], *wire[name]]
            self.out[-1] = {**last, **wire, "content": joined or None}
        if self.bare and self.dialect == "mistral" and self.out[-1].get("tool_calls"):
            # Some servers of its models take a text or calls in one message, but not both.
            self.out[-1]["content"] = None

    def _id(self, call: ToolCall, *, same: bool) -> str:
        wanted = call.provider_id
        if not (same and wanted and wanted not in self.taken and valid_id(wanted, self.dialect)):
            wanted = make_id(call.call_id or wanted or "call", self.dialect, lambda made: made in self.taken)
        self.taken.add(wanted)
        return wanted

    def finished(self) -> list[Wire]:
        if self.out and self.out[-1]["role"] == "assistant" and self.dialect != "openai":
            # An answer is asked for by a user's words only; newer models of Anthropic refuse to go on with their own.
            self.out.append({"role": "user", "content": GO_ON})
        return self.out


@dataclass(slots=True)
class _Call:
    """A call as it is sent, with the texts of its result."""

    call: ToolCall
    sent_id: str
    outputs: list[str]

    @property
    def wire(self) -> Wire:
        function = {"name": tool_name(self.call.tool), "arguments": _arguments(self.call)}
        return {"id": self.sent_id, "type": "function", "function": function}

    @property
    def result(self) -> Wire:
        return {
            "role": "tool",
            "tool_call_id": self.sent_id,
            "name": tool_name(self.call.tool),
            "content": "\n\n".join(self.outputs),
        }


def _result(call: ToolCall, results: Mapping[str, ToolResult]) -> str:
    result = results.get(call.call_id)
    text = NOT_EXECUTED if result is None else sendable(result.output)
    return text if text.strip() else NO_OUTPUT


def _joined_twins(calls: Sequence[_Call]) -> list[_Call]:
    """Calls of one response that ask for the same become one with all their results.

    litellm leaves the second of two equal calls out of a request to Gemini but keeps its result, and Gemini refuses
    more results than calls.
    """
    kept: dict[tuple[str, str], _Call] = {}
    for call in calls:
        key = tool_name(call.call.tool), json.dumps(json.loads(_arguments(call.call)), sort_keys=True)
        if key in kept:
            kept[key].outputs += call.outputs
        else:
            kept[key] = call
    return list(kept.values())


def _arguments(call: ToolCall) -> str:
    """The text the model wrote where it is a JSON object, else "{}": what was cut is not sent to a parser again."""
    text = sendable(call.arguments_json)
    if text.strip():
        try:
            value: object = json.loads(text, parse_constant=no_constant)
        except (ValueError, RecursionError):
            return "{}"
        return text if isinstance(value, dict) else "{}"
    try:
        return json.dumps(call.arguments or {}, allow_nan=False)
    except (ValueError, TypeError):
        return "{}"


def sendable(text: str) -> str:
    """The text as UTF-8 can carry it: halves of a character that came in two pieces joined, lone ones replaced."""
    if text.isascii():
        return text
    try:
        text.encode()
    except UnicodeEncodeError:
        return text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    return text

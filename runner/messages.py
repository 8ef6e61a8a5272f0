"""The typed history of a conversation: stored once, projected for each provider per request.

These are data: JSON-able, frozen, without behaviour. A history is valid when each ToolCall of an
AssistantMessage has exactly one ToolResult with its call_id before the next AssistantMessage.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, Literal, TypeAlias

JsonObject: TypeAlias = dict[str, Any]

ToolStatus = Literal["ok", "error", "denied", "timeout", "cancelled", "interrupted", "skipped", "invalid"]
SideEffects = Literal["none", "done", "unknown"]


@dataclass(frozen=True, slots=True, kw_only=True)
class UserMessage:
    text: str
    message_id: str = ""
    role: Literal["user"] = "user"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolCall:
    """One call as the model made it.

    call_id is ours: unique in the session. provider_id is the provider's id, byte for byte (Gemini hides a
    signature in it); arguments_json is the text the model wrote, arguments the parsed object (None when it is not one).
    """

    call_id: str
    tool: str
    arguments: JsonObject | None = None
    arguments_json: str = ""
    provider_id: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class AssistantMessage:
    """One accepted response. provider_data holds what only the same provider may be sent again (signed thinking
    blocks).

    interrupted: the text is what had arrived when the request was closed.
    """

    text: str = ""
    reasoning: str = ""
    tool_calls: tuple[ToolCall, ...] = ()
    model: str = ""
    finish_reason: str = ""
    interrupted: bool = False
    provider_data: JsonObject | None = None
    role: Literal["assistant"] = "assistant"


@dataclass(frozen=True, slots=True, kw_only=True)
class ToolResult:
    """What the model reads of a call, whatever became of it."""

    call_id: str
    tool: str
    output: str
    status: ToolStatus = "ok"
    role: Literal["tool"] = "tool"


Message: TypeAlias = UserMessage | AssistantMessage | ToolResult

"""A run's messages made valid for every provider (SEMANTICS section 5, invariant 6)."""

from __future__ import annotations

from collections.abc import Iterable

from runner.messages import AssistantMessage, Message, ToolCall, ToolResult

NO_RESULT = "No result of this call was recorded: it was not executed, or it was interrupted and may have had effects."


def valid_history(messages: Iterable[Message]) -> list[Message]:
    """The same messages, where each call has exactly one result before the next message that is none.

    A complete history comes back as it is. Of a damaged or open one, a late result moves up, a missing one is made,
    and one without a call or for the second time is left out.
    """
    listed = list(messages)
    results = _first_results(listed)
    valid: list[Message] = []
    open_calls: dict[str, ToolCall] = {}
    for message in listed:
        match message:
            case ToolResult():
                if open_calls.pop(message.call_id, None) is not None:
                    valid.append(message)
            case _:
                valid.extend(_close(open_calls, results))
                open_calls = {}
                valid.append(message)
                if isinstance(message, AssistantMessage):
                    open_calls = {call.call_id: call for call in message.tool_calls}
    valid.extend(_close(open_calls, results))
    return valid


def _first_results(messages: list[Message]) -> dict[str, ToolResult]:
    found: dict[str, ToolResult] = {}
    for message in messages:
        if isinstance(message, ToolResult):
            found.setdefault(message.call_id, message)
    return found


def _close(open_calls: dict[str, ToolCall], results: dict[str, ToolResult]) -> list[Message]:
    return [
        results.get(call_id) or ToolResult(call_id=call_id, tool=call.tool, output=NO_RESULT, status="interrupted")
        for call_id, call in open_calls.items()
    ]

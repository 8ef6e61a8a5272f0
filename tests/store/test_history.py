"""A history that every provider takes, whatever happened to its rows."""

from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from runner.messages import AssistantMessage, Message, ToolCall, ToolResult, UserMessage
from runner.store.history import NO_RESULT, valid_history
from runner.testing.invariants import check_history


def asks(*calls: str) -> AssistantMessage:
    return AssistantMessage(text="t", tool_calls=tuple(ToolCall(call_id=call, tool="t") for call in calls))


def result(call: str, output: str = "o") -> ToolResult:
    return ToolResult(call_id=call, tool="t", output=output)


USER = UserMessage(text="u")


def test_a_valid_history_comes_back_as_it_is() -> None:
    messages: list[Message] = [USER, asks("a", "b"), result("b"), result("a"), asks("c"), result("c"), asks(), USER]
    assert valid_history(messages) == messages
    assert valid_history([]) == []


def test_what_is_missing_is_made_and_what_is_late_moves_up() -> None:
    messages: list[Message] = [USER, asks("a", "b", "c"), result("b"), USER, result("a"), asks()]
    made = ToolResult(call_id="c", tool="t", output=NO_RESULT, status="interrupted")
    assert valid_history(messages) == [USER, asks("a", "b", "c"), result("b"), result("a"), made, USER, asks()]


def test_orphans_and_second_results_are_left_out() -> None:
    messages: list[Message] = [result("x"), USER, asks("a"), result("a", "first"), result("a", "second"), result("y")]
    assert valid_history(messages) == [USER, asks("a"), result("a", "first")]


@given(data=st.data())
def test_any_damage_is_mended(data: st.DataObject) -> None:
    whole: list[Message] = [USER, asks("a", "b"), result("a"), result("b"), asks("c"), USER, result("c"), asks("d")]
    kept = [message for message in whole if data.draw(st.booleans())]
    damaged = data.draw(st.permutations(kept)) if data.draw(st.booleans()) else kept
    mended = valid_history(damaged)
    assert check_history(mended) == []
    assert [message for message in mended if not isinstance(message, ToolResult)] == [
        message for message in damaged if not isinstance(message, ToolResult)
    ]

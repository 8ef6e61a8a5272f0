"""`quarterdeck run --json --control`: the queue of messages, limits that ask, waits that are skipped, wrapping up."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path
from typing import Any, get_args

import pytest

from runner.control.commands import LimitName
from tests.headless.process import Process, Start
from tests.provider.replies import Reply
from tests.provider.server import FakeProvider, run_in_thread

CONTROL = ("run", "--json", "--control")
CREATE = "create new.txt with some words"


def waiting_at_an_approval(start: Start) -> tuple[Process, dict[str, Any]]:
    """A run that waits, and the command that lets it go on."""
    process = start(*CONTROL, CREATE)
    asked = process.wait_for("approval_requested")
    return process, {"command": "decide", "request_id": asked["request_id"], "decision": "allow"}


def send(process: Process, text: str) -> str:
    """Send a message; returns its id."""
    process.send({"command": "send", "text": text})
    return process.wait_for("message_queued", text=text)["message_id"]


def test_waiting_messages_are_edited_moved_and_deleted(start: Start) -> None:
    process, go_on = waiting_at_an_approval(start)
    first, second, third = (send(process, text) for text in ("one", "two", "three"))
    assert len({first, second, third}) == 3
    process.send({"command": "edit_message", "message_id": third, "text": "what is here?"})
    process.send({"command": "move_message", "message_id": third, "position": 0})
    process.send({"command": "delete_message", "message_id": second})
    changed = process.wait_for("queue_changed", count=3)
    assert changed["messages"] == [
        {"message_id": third, "text": "what is here?"},
        {"message_id": first, "text": "one"},
    ]
    process.send(go_on)
    process.wait_for("message_delivered", message_id=first)
    process.send({"command": "edit_message", "message_id": first, "text": "too late"})
    assert first in process.wait_for("error")["error"]["message"]
    assert process.end() == 0
    delivered = [event for event in process.events if event["kind"] == "message_delivered"]
    assert [(event["message_id"], event["text"]) for event in delivered] == [(third, "what is here?"), (first, "one")]


def test_a_message_now_closes_the_answer_and_is_delivered_at_once(start: Start) -> None:
    process = start(*CONTROL, "--model", "demo/slow", "write about the sea")
    process.wait_for("text_delta", count=3)
    process.send({"command": "send", "text": "what is here?", "now": True})
    process.wait_for("message_delivered", text="what is here?")
    cut = process.wait_for("model_responded")
    assert cut["finish_reason"] == "interrupted"
    assert cut["text"]
    process.wait_for("model_requested", count=2)
    process.send({"command": "abort"})
    assert process.end() == 130


def test_waiting_messages_can_be_delivered_now_while_a_tool_runs(start: Start) -> None:
    process = start(*CONTROL, "--approve", "bypass", "run sleep 600")
    process.wait_for("tool_started", count=2)
    message = send(process, "what is here?")
    process.send({"command": "deliver_now"})
    assert process.wait_for("tool_finished")["status"] == "interrupted"
    assert process.wait_for("message_delivered")["message_id"] == message
    assert process.end() == 0


def test_a_denied_approval_makes_room_for_a_message_now(start: Start, folder: Path) -> None:
    process, _ = waiting_at_an_approval(start)
    process.send({"command": "send", "text": "what is here?", "now": True})
    resolved = process.wait_for("approval_resolved")
    assert (resolved["decision"], resolved["reason"]) == ("deny", "the user sent a message instead")
    assert process.end() == 0
    assert not (folder / "new.txt").exists()


# Limits.


def at_a_limit(start: Start) -> Process:
    process = start(*CONTROL, "--on-limit", "ask", "--max-turns", "1", "what is here?")
    reached = process.wait_for("limit_reached")
    assert (reached["limit"], reached["asks"]) == ("max_turns", True)
    paused = process.wait_for("paused")
    assert (paused["by"], paused["limit"]) == ("limit", "max_turns")
    return process


@pytest.mark.parametrize("value", [None, 20])
def test_a_limit_that_asks_is_raised_or_taken_away(start: Start, value: int | None) -> None:
    process = at_a_limit(start)
    process.send({"command": "set_limit", "limit": "max_turns", "value": value})
    changed = process.wait_for("limit_changed")
    assert (changed["limit"], changed["old"], changed["by"]) == ("max_turns", "1", "program")
    assert changed["value"] == (None if value is None else "20")
    process.wait_for("resumed")
    assert process.end() == 0


def test_at_a_limit_the_run_wraps_up_without_tools(start: Start) -> None:
    process = at_a_limit(start)
    process.send({"command": "wrap_up"})
    assert process.end() == 3
    assert process.events[-1]["reason"] == "max_turns_exceeded"
    kinds = process.kinds()
    assert kinds.count("model_requested") == 2
    asked = kinds.index("message_delivered")
    assert process.wait_for("message_delivered")["by"] == "runner"
    assert "tool_started" not in kinds[asked:]


def test_at_a_limit_the_run_stops(start: Start) -> None:
    process = at_a_limit(start)
    process.send({"command": "stop"})
    assert process.end() == 130


def test_where_the_one_who_was_asked_goes_the_limit_ends_the_run(start: Start) -> None:
    process = at_a_limit(start)
    process.close_stdin()
    assert process.end() == 3
    assert process.events[-1]["reason"] == "max_turns_exceeded"


def test_every_limit_can_be_changed_while_a_run_goes_on(start: Start) -> None:
    process, go_on = waiting_at_an_approval(start)
    for limit in get_args(LimitName):
        process.send({"command": "set_limit", "limit": limit, "value": 70})
        assert process.wait_for("limit_changed", limit=limit)["value"] == "70"
        process.send({"command": "set_limit", "limit": limit, "value": None})
        assert process.wait_for("limit_changed", count=2, limit=limit)["value"] is None
    process.send(go_on)
    assert process.end() == 0
    assert "error" not in process.kinds()


# Waits, models, the end.


@pytest.fixture
def busy() -> Iterator[FakeProvider]:
    """A provider that asks for a long wait, and then answers."""
    with run_in_thread(Reply(status=429, headers={"retry-after": "100"}), Reply(text=["Here it is."])) as provider:
        yield provider


def at_a_wait(start: Start, provider: FakeProvider, folder: Path) -> Process:
    file = folder.parent / "config.toml"
    file.write_text(
        f'[models."lab/x"]\nmodel = "openai/x"\napi_base = "{provider.openai_url}"\napi_key_env = "LAB_KEY"\n'
        "context_window = 32000\ninput_cost_per_million = 1\noutput_cost_per_million = 1\n"
        '[agents.deck]\nfallback_models = ["demo/pilot"]\n[limits]\nswitch_after = 3\n'
    )
    process = start(*CONTROL, "--model", "lab/x", "hello", QUARTERDECK_CONFIG=str(file), LAB_KEY="loopback")
    scheduled = process.wait_for("retry_scheduled")
    assert scheduled["delay"] == 100
    return process


def test_the_wait_for_a_retry_is_skipped(start: Start, busy: FakeProvider, folder: Path) -> None:
    process = at_a_wait(start, busy, folder)
    process.send({"command": "retry_now"})
    skipped = process.wait_for("retry_skipped")
    assert (skipped["to"], skipped["by"]) == ("retry", "program")
    assert process.end() == 0
    assert process.wait_for("model_responded")["text"] == "Here it is."


def test_the_next_model_is_used_instead_of_waiting(start: Start, busy: FakeProvider, folder: Path) -> None:
    process = at_a_wait(start, busy, folder)
    process.send({"command": "next_model"})
    assert process.wait_for("retry_skipped")["to"] == "next_model"
    assert process.wait_for("model_switched")["new"] == "demo/pilot"
    assert process.end() == 0
    assert process.wait_for("model_responded")["model"] == "demo/pilot"


def test_a_message_now_ends_the_wait(start: Start, busy: FakeProvider, folder: Path) -> None:
    process = at_a_wait(start, busy, folder)
    process.send({"command": "send", "text": "be quick", "now": True})
    assert process.wait_for("retry_skipped")["to"] == "message"
    assert process.end() == 0
    assert [message["content"] for message in busy.requests[1].body["messages"] if message["role"] == "user"] == [
        "hello",
        "be quick",
    ]


def test_wrapping_up_gives_one_last_answer_without_tools(start: Start, folder: Path) -> None:
    process, _ = waiting_at_an_approval(start)
    process.send({"command": "wrap_up"})
    assert process.end() == 0
    assert process.events[-1]["reason"] == "complete"
    assert process.wait_for("message_delivered")["by"] == "runner"
    assert process.wait_for("tool_finished")["status"] == "denied"
    assert not (folder / "new.txt").exists()


def test_the_history_is_compacted_on_request(start: Start, folder: Path) -> None:
    file = folder.parent / "config.toml"
    file.write_text("compaction.keep_turns = 1")
    wish = "what is here? and then read notes.txt and then create new.txt with words"
    process = start(*CONTROL, wish, QUARTERDECK_CONFIG=str(file))
    asked = process.wait_for("approval_requested")
    process.send({"command": "compact"})
    process.send({"command": "decide", "request_id": asked["request_id"], "decision": "allow"})
    assert process.end() == 0
    assert process.wait_for("compaction_started")["cause"] == "user"
    finished = process.wait_for("compaction_finished")
    assert finished["how"] in ("model", "outline")
    assert finished["dropped"] > 0
    assert finished["summary"]


def test_nothing_is_compacted_where_there_is_nothing_older(start: Start) -> None:
    process, go_on = waiting_at_an_approval(start)
    process.send({"command": "compact"})
    process.send(go_on)
    assert "nothing to summarise" in process.wait_for("notification")["text"]
    assert process.end() == 0
    assert "compaction_started" not in process.kinds()

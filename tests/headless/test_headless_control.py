"""`quarterdeck run --json --control`, driven by a script from outside: decide, stop, abort, switch, bad lines."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest

from tests.headless.process import Start

CONTROL = ("run", "--json", "--control")
CREATE = "create new.txt with some words"


def decide(request: dict[str, Any], decision: str, **more: object) -> dict[str, Any]:
    return {"command": "decide", "request_id": request["request_id"], "decision": decision, **more}


def test_an_allowed_call_runs(start: Start, folder: Path) -> None:
    process = start(*CONTROL, CREATE)
    asked = process.wait_for("approval_requested")
    assert asked["tool"] == "write_file"
    assert asked["preview"]["type"] == "diff"
    assert not (folder / "new.txt").exists()
    process.send(decide(asked, "allow"))
    assert process.wait_for("approval_resolved")["by"] == "user"
    assert process.end() == 0
    assert "some words" in (folder / "new.txt").read_text()
    assert process.wait_for("tool_finished")["status"] == "ok"
    assert process.events[-1]["kind"] == "run_finished"
    assert process.events[-1]["status"] == "completed"


def test_a_denied_call_does_not_run_and_the_model_reads_why(start: Start, folder: Path) -> None:
    process = start(*CONTROL, CREATE)
    process.send(decide(process.wait_for("approval_requested"), "deny", reason="use another name"))
    finished = process.wait_for("tool_finished")
    assert finished["status"] == "denied"
    assert "use another name" in finished["output"]
    assert process.end() == 0
    assert not (folder / "new.txt").exists()


def test_an_edited_call_runs_with_the_edited_arguments(start: Start, folder: Path) -> None:
    process = start(*CONTROL, CREATE)
    asked = process.wait_for("approval_requested")
    edited = {**asked["arguments"], "path": "other.txt", "content": "edited\n"}
    process.send(decide(asked, "edit", arguments=edited))
    resolved = process.wait_for("approval_resolved")
    assert (resolved["decision"], resolved["arguments"]["path"]) == ("edit", "other.txt")
    assert process.end() == 0
    assert (folder / "other.txt").read_text() == "edited\n"
    assert not (folder / "new.txt").exists()


def test_an_edit_that_does_not_fit_is_refused_and_the_request_stays_open(start: Start, folder: Path) -> None:
    process = start(*CONTROL, CREATE)
    asked = process.wait_for("approval_requested")
    process.send(decide(asked, "edit", arguments={"path": 7}))
    assert process.wait_for("error")["fatal"] is False
    process.send(decide(asked, "deny"))
    assert process.end() == 0
    assert process.kinds().count("approval_resolved") == 1
    assert not (folder / "new.txt").exists()


def test_a_decision_can_end_the_run(start: Start, folder: Path) -> None:
    process = start(*CONTROL, CREATE)
    process.send(decide(process.wait_for("approval_requested"), "end_run"))
    assert process.end() == 1
    assert process.events[-1]["reason"] == "approval_terminated"
    assert not (folder / "new.txt").exists()


def test_a_grant_for_the_run_is_asked_for_once(start: Start, folder: Path) -> None:
    process = start(*CONTROL, "create one.txt with a and then create two.txt with b")
    process.send(decide(process.wait_for("approval_requested"), "allow", scope="run"))
    assert process.end() == 0
    assert (folder / "one.txt").exists()
    assert (folder / "two.txt").exists()
    assert process.kinds().count("approval_requested") == 1


def test_stop_lets_the_response_finish_and_starts_nothing(start: Start) -> None:
    process = start(*CONTROL, "what is here?")
    process.wait_for("text_delta")
    process.send({"command": "stop"})
    assert process.end() == 130
    assert process.wait_for("stop_requested")["by"] == "program"
    assert process.wait_for("model_responded")["finish_reason"] == "tool_calls"
    assert process.wait_for("tool_finished")["status"] == "skipped"
    assert process.events[-1]["reason"] == "stopped"


def test_a_stop_can_become_an_abort(start: Start) -> None:
    process = start(*CONTROL, "--model", "demo/slow", "write about the sea")
    process.wait_for("text_delta")
    process.send({"command": "stop"})
    process.wait_for("stop_requested")
    process.send({"command": "abort"})
    assert process.end() == 130
    assert process.events[-1]["reason"] == "aborted"


def test_stop_before_a_tool_leaves_it_undone(start: Start, folder: Path) -> None:
    process = start(*CONTROL, CREATE)
    process.wait_for("approval_requested")
    process.send({"command": "stop"})
    assert process.end() == 130
    assert process.wait_for("approval_resolved")["by"] == "stop"
    assert process.events[-1]["reason"] == "stopped"
    assert not (folder / "new.txt").exists()


def test_abort_keeps_what_had_arrived(start: Start) -> None:
    process = start(*CONTROL, "--model", "demo/slow", "write about the sea")
    process.wait_for("text_delta", count=3)
    process.send({"command": "abort"})
    assert process.end() == 130
    end = process.events[-1]
    assert (end["kind"], end["reason"]) == ("run_finished", "aborted")
    assert end["receipt"] is not None
    responded = process.wait_for("model_responded")
    assert responded["finish_reason"] == "interrupted"
    assert responded["text"]


def test_abort_ends_a_running_command_and_its_children(start: Start, folder: Path) -> None:
    process = start(*CONTROL, "--approve", "bypass", "run sleep 600 & echo $! > pid; wait")
    process.wait_for("tool_started")
    process.wait_for("tool_started", count=2)
    process.send({"command": "abort"})
    assert process.end() == 130
    assert process.wait_for("tool_finished")["status"] in ("interrupted", "cancelled")


def test_one_tool_can_be_cancelled_and_the_run_goes_on(start: Start) -> None:
    process = start(*CONTROL, "--approve", "bypass", "run sleep 600")
    call = process.wait_for("tool_started", count=2)["call_id"]
    process.send({"command": "cancel_tool", "call_id": call})
    assert process.wait_for("tool_finished", call_id=call)["status"] == "cancelled"
    assert process.end() == 0


def test_the_model_can_be_switched_in_the_middle(start: Start) -> None:
    process = start(*CONTROL, "--model", "demo/slow", "what is here?")
    process.wait_for("model_requested")
    process.send({"command": "set_model", "model": "demo/pilot", "now": True, "temperature": 0.5})
    switched = process.wait_for("model_switched")
    assert process.wait_for("settings_changed")["temperature"] == 0.5
    assert process.wait_for("settings_left_out")["left_out"][0]["setting"] == "temperature"
    assert (switched["old"], switched["new"], switched["cause"]) == ("demo/slow", "demo/pilot", "user")
    assert process.wait_for("attempt_discarded")
    assert process.end() == 0
    assert process.wait_for("model_responded")["model"] == "demo/pilot"


def test_a_message_is_delivered_at_the_next_turn(start: Start) -> None:
    process = start(*CONTROL, CREATE)
    asked = process.wait_for("approval_requested")
    process.send({"command": "send", "text": "what is here?"})
    queued = process.wait_for("message_queued", text="what is here?")
    process.send(decide(asked, "allow"))
    assert process.wait_for("message_delivered")["message_id"] == queued["message_id"]
    assert process.end() == 0


def test_pause_and_resume(start: Start) -> None:
    process = start(*CONTROL, CREATE)
    asked = process.wait_for("approval_requested")
    process.send({"command": "pause"})
    process.send(decide(asked, "allow"))
    process.wait_for("paused")
    process.send({"command": "resume"})
    process.wait_for("resumed")
    assert process.end() == 0


def test_a_limit_can_be_lowered(start: Start) -> None:
    process = start(*CONTROL, CREATE)
    asked = process.wait_for("approval_requested")
    process.send({"command": "set_limit", "limit": "max_turns", "value": 1})
    process.send(decide(asked, "allow"))
    assert process.wait_for("limit_reached")["limit"] == "max_turns"
    assert process.end() == 3
    assert process.events[-1]["reason"] == "max_turns_exceeded"


BAD = [
    ("{", "not JSON"),
    ("[]", "JSON object"),
    ('{"command":"stopp"}', "did you mean 'stop'"),
    ('{"request_id":"x"}', "no command"),
    ('{"command":"stop","now":true}', "takes no 'now'"),
    ('{"command":"send","text":""}', "needs a text"),
    ('{"command":"decide","request_id":"nope","decision":"allow"}', "does not exist"),
    ('{"command":"decide","request_id":"nope","decision":"yes"}', "allow, deny, edit, answer, end_run"),
    ('{"command":"set_limit","limit":"max_turns","value":-1}', "0 or more"),
    ('{"command":"set_limit","limit":"max_fun","value":1}', "max_turns"),
    ('{"command":"set_model","model":"nothing/like-it"}', "nothing/like-it"),
    ('{"command":"cancel_tool","call_id":"nope"}', "nope"),
    ('{"command":"send","text":"x","now":1}', "'now' is true or false"),
    ('{"command":"edit_message","message_id":"nope","text":"x"}', "nope"),
    ('{"command":"delete_message","message_id":"nope"}', "nope"),
    ('{"command":"move_message","message_id":"nope","position":0}', "nope"),
    ('{"command":"move_message","message_id":"nope"}', "'position'"),
    ('{"command":"retry_now"}', ""),
    ('{"command":"next_model"}', ""),
    ('{"command":"deliver_now"}', ""),
    ('{"command":"set_limit","limit":"tool_timeout","value":0}', "more than 0 seconds"),
]


def test_bad_lines_get_an_error_event_each_and_change_nothing(start: Start, folder: Path) -> None:
    process = start(*CONTROL, CREATE)
    asked = process.wait_for("approval_requested")
    for number, (line, message) in enumerate(BAD, start=1):
        process.send(line)
        error = process.wait_for("error", count=number)
        assert message in error["error"]["message"], line
        assert error["fatal"] is False
    process.send("")
    process.send(decide(asked, "allow"))
    assert process.end() == 0
    assert process.kinds().count("error") == len(BAD)
    assert process.kinds().count("approval_resolved") == 1
    assert (folder / "new.txt").exists()
    facts = [event["seq"] for event in process.events if not event["kind"].endswith("_delta")]
    assert facts == list(range(1, len(facts) + 1))


def test_a_line_without_end_is_refused_once_and_the_next_one_counts(start: Start) -> None:
    process = start(*CONTROL, CREATE)
    process.wait_for("approval_requested")
    process.send("x" * (9 << 20))
    assert "longer than" in process.wait_for("error")["error"]["message"]
    process.send({"command": "stop"})
    assert process.end() == 130
    assert process.kinds().count("error") == 1


def test_when_the_approver_goes_what_waits_is_denied_and_the_run_goes_on(start: Start, folder: Path) -> None:
    process = start(*CONTROL, CREATE)
    process.wait_for("approval_requested")
    process.close_stdin()
    resolved = process.wait_for("approval_resolved")
    assert (resolved["decision"], resolved["by"]) == ("deny", "disconnect")
    assert process.end() == 0
    assert not (folder / "new.txt").exists()


def test_commands_that_wait_in_the_pipe_before_the_run_count(start: Start) -> None:
    process = start(*CONTROL, "--model", "demo/slow", "write about the sea")
    process.send({"command": "abort"})
    process.close_stdin()
    assert process.end() == 130
    assert process.events[0]["kind"] == "run_started"
    assert process.events[-1]["kind"] == "run_finished"


@pytest.mark.parametrize("decision", ["allow", "deny"])
def test_the_session_can_be_continued(start: Start, folder: Path, decision: str) -> None:
    first = start(*CONTROL, CREATE)
    asked = first.wait_for("approval_requested")
    first.send(decide(asked, decision))
    assert first.end() == 0
    second = start("run", "--json", "--session", asked["session_id"], "what is here?")
    assert second.end() == 0
    assert {event["session_id"] for event in second.events} == {asked["session_id"]}
    requested = second.wait_for("model_requested")
    assert requested["messages"] > first.wait_for("model_requested")["messages"]

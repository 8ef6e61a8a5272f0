"""Logs of Claude Code and Codex become runs of ours, whatever is wrong with some of their lines."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterable, Sequence
from pathlib import Path
from typing import Any, cast

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.errors import ConfigError
from runner.events import Event, ModelResponded, Notification, RunFinished, RunStarted, ToolFinished, ToolProposed
from runner.importing.build import runs_of
from runner.importing.claude_code import read_claude_code
from runner.importing.codex import read_codex
from runner.importing.steps import Log
from runner.state import RunState, reduce
from runner.state.run import Finished
from runner.testing.invariants import check_events
from runner.usage import Usage

SAMPLES = Path(__file__).parent / "samples"
Read = Callable[[Iterable[str]], Log]
READERS: dict[str, Read] = {"claude-code": read_claude_code, "codex": read_codex}
COMMAND = "echo hello-from-logprobe > logprobe.txt && cat logprobe.txt"


def sample(name: str) -> list[str]:
    return (SAMPLES / f"{name}.jsonl").read_text().splitlines(keepends=True)


def fold(events: Iterable[Event]) -> RunState:
    state = RunState()
    for event in events:
        state = reduce(state, event)
    return state


def of(kind: type[Any], events: Sequence[Event]) -> list[Any]:
    return [event for event in events if isinstance(event, kind)]


@pytest.mark.parametrize("name", READERS)
def test_a_log_becomes_runs_that_keep_every_rule_of_ours(name: str) -> None:
    log = READERS[name](sample(name))
    first, second = runs_of(log)
    assert check_events(first) == check_events(second) == []
    assert log.workspace == "/home/user/code/logproj"
    assert (log.lines, dict(log.unknown), log.damaged) == (len(sample(name)), {}, ())
    (started,) = of(RunStarted, first)
    assert started.input[0].text.startswith("please run the probe")
    assert [event.turn for event in of(ModelResponded, first)] == [1, 2, 3]
    assert [event.reasoning != "" for event in of(ModelResponded, first)] == [True, True, True]
    for call in of(ToolProposed, first):
        assert COMMAND in call.arguments.values()
    assert ["hello-from-logprobe" in event.output for event in of(ToolFinished, first)] == [True, True]
    (end,) = of(RunFinished, first)
    assert (end.status, end.cost_usd) == ("completed", None)
    assert end.output.startswith("ZQSTARTL1QZ")
    state = fold(first)
    assert isinstance(state.lifecycle, Finished)
    assert len({each.run_id for each in first + second}) == 2
    assert len({each.session_id for each in first + second}) == 1


def test_tokens_are_counted_as_each_program_means_them() -> None:
    (first, _) = runs_of(read_claude_code(sample("claude-code")))
    assert of(RunFinished, first)[0].usage == Usage(input=9465, output=81)
    (first, second) = runs_of(read_codex(sample("codex")))
    assert of(RunFinished, first)[0].usage == Usage(input=15060, output=81)
    assert of(RunFinished, second)[0].usage == Usage(input=5278, output=34)


@pytest.mark.parametrize("name", READERS)
def test_the_same_log_gives_the_same_runs_and_a_longer_one_begins_with_them(name: str) -> None:
    once, again = list(runs_of(READERS[name](sample(name)))), list(runs_of(READERS[name](sample(name))))
    assert once == again
    begun = list(runs_of(READERS[name](sample(name)[:20])))
    assert begun[0][0].run_id == once[0][0].run_id


def claude(kind: str, **fields: object) -> str:
    head = {"type": kind, "sessionId": "s", "timestamp": "2026-11-20T18:40:14.237Z", "cwd": "/w"}
    return json.dumps(head | fields)


def answered(message_id: str, *blocks: object, **more: object) -> str:
    return claude("assistant", message={"id": message_id, "model": "m", "content": list(blocks), **more})


def result(call_id: str, **more: object) -> str:
    return claude("user", message={"content": [{"type": "tool_result", "tool_use_id": call_id, **more}]})


def tool_use(call_id: str) -> dict[str, object]:
    return {"type": "tool_use", "id": call_id, "name": "Bash", "input": {"command": call_id}}


def said(words: object, **more: object) -> str:
    return claude("user", message={"content": words}, **more)


def test_parallel_calls_whose_lines_lie_between_each_other_are_one_response() -> None:
    lines = [
        said("go"),
        answered("r1", tool_use("a")),
        result("a", content="one"),
        answered("r1", tool_use("b")),
        result("b", content=[{"type": "text", "text": "two"}, {"type": "image"}], is_error=True),
    ]
    (events,) = runs_of(read_claude_code(lines))
    assert check_events(events) == []
    (response,) = of(ModelResponded, events)
    assert [call.call_id for call in response.tool_calls] == ["a", "b"]
    ends = {event.call_id: (event.status, event.output) for event in of(ToolFinished, events)}
    assert ends == {"a": ("ok", "one"), "b": ("error", "two\n[image]")}


def test_what_was_interrupted_says_so() -> None:
    lines = [
        said("go"),
        answered("r1", {"type": "text", "text": "I will"}, tool_use("a")),
        said([{"type": "text", "text": "[Request interrupted by user for tool use]"}]),
    ]
    (events,) = runs_of(read_claude_code(lines))
    assert check_events(events) == []
    assert [event.status for event in of(ToolFinished, events)] == ["interrupted"]
    assert (of(RunFinished, events)[0].status, of(RunFinished, events)[0].reason) == ("cancelled", "aborted")


def test_a_log_that_ends_in_the_middle_was_interrupted() -> None:
    (events,) = runs_of(read_claude_code([said("go"), answered("r1", tool_use("a"))]))
    assert check_events(events) == []
    assert (of(RunFinished, events)[0].status, of(RunFinished, events)[0].reason) == ("failed", "interrupted")


def test_what_nobody_said_is_no_message() -> None:
    lines = [
        said("a caveat", isMeta=True),
        said("what was said before, in short", isCompactSummary=True),
        said("a helper's own prompt", isSidechain=True),
        said("hello"),
        claude("assistant", isApiErrorMessage=True, message={"content": [{"type": "text", "text": "overloaded"}]}),
        claude("a-new-kind"),
        "{broken",
        "[1]",
    ]
    log = read_claude_code(lines)
    (events,) = runs_of(log)
    assert [message.text for message in of(RunStarted, events)[0].input] == ["hello"]
    assert "overloaded" in [event.text for event in of(Notification, events)]
    assert dict(log.unknown) == {"a sub-agent's message": 1, "a-new-kind": 1}
    assert [(damage.line, damage.why) for damage in log.damaged] == [(7, "not JSON"), (8, "not an object")]


def test_older_versions_of_codex() -> None:
    def item(**fields: object) -> str:
        return json.dumps({"timestamp": "2025-09-01T10:00:00Z", "type": "response_item", "payload": fields})

    def event(**fields: object) -> str:
        return json.dumps({"timestamp": "2025-09-01T10:00:01Z", "type": "event_msg", "payload": fields})

    lines = [
        json.dumps({"type": "session_meta", "payload": {"id": "old", "cwd": "/w"}}),
        item(type="message", role="user", content=[{"type": "input_text", "text": "<user_instructions>x"}]),
        item(type="message", role="user", content=[{"type": "input_text", "text": "hello"}]),
        item(type="function_call", name="shell", arguments='{"command":["ls"]}', call_id="c1"),
        item(type="function_call_output", call_id="c1", output='{"output":"no","metadata":{"exit_code":2}}'),
        event(type="token_count", info={"last_token_usage": {"input_tokens": 10, "output_tokens": 3}}),
        item(type="custom_tool_call", name="apply_patch", input="*** Begin Patch", call_id="c2"),
        item(type="custom_tool_call_output", call_id="c2", output="Exit code: 0\nOutput:\ndone"),
        event(type="turn_aborted", reason="interrupted"),
    ]
    log = read_codex(lines)
    (events,) = runs_of(log)
    assert check_events(events) == []
    assert dict(log.unknown) == {}
    assert [(end.status, end.output) for end in of(ToolFinished, events)] == [
        ("error", "no"),
        ("ok", "Exit code: 0\nOutput:\ndone"),
    ]
    assert of(RunFinished, events)[0].usage == Usage(input=10, output=3)
    assert of(RunFinished, events)[0].reason == "aborted"


def test_a_file_that_is_no_log_is_refused_in_words() -> None:
    for read in READERS.values():
        with pytest.raises(ConfigError, match="no session log"):
            list(runs_of(read(['{"hello": 1}', "what"])))


JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats(allow_nan=False) | st.text(max_size=8),
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(st.text(max_size=6), inner, max_size=3),
    max_leaves=6,
)


def _places(value: object, path: tuple[Any, ...] = ()) -> list[tuple[Any, ...]]:
    found = [path] if path else []
    items: Iterable[tuple[object, object]] = ()
    if isinstance(value, dict):
        items = cast("dict[object, object]", value).items()
    elif isinstance(value, list):
        items = enumerate(cast("list[object]", value))
    for key, inner in items:
        found += _places(inner, (*path, key))
    return found


@pytest.mark.parametrize("name", READERS)
@settings(max_examples=60, deadline=None, suppress_health_check=[HealthCheck.too_slow])
@given(data=st.data())
def test_no_damage_of_a_line_breaks_the_rest(name: str, data: st.DataObject) -> None:
    """Values of the real logs are replaced, lines left out, doubled and moved: every run that comes out keeps every
    rule, and an undamaged line is never counted as damaged."""
    lines: list[Any] = [json.loads(line) for line in sample(name)]
    for _ in range(data.draw(st.integers(1, 4))):
        index = data.draw(st.integers(0, len(lines) - 1))
        match data.draw(st.sampled_from(["value", "gone", "double", "move"])):
            case "value":
                path: tuple[Any, ...] = data.draw(st.sampled_from(_places(lines[index]) or [()]))
                if path:
                    lines[index] = json.loads(json.dumps(lines[index]))
                    place = lines[index]
                    for key in path[:-1]:
                        place = place[key]
                    place[path[-1]] = data.draw(JSON)
            case "gone":
                del lines[index]
            case "double":
                lines.insert(index, lines[index])
            case _:
                lines.insert(data.draw(st.integers(0, len(lines) - 1)), lines.pop(index))
    log = READERS[name]([json.dumps(line) for line in lines])
    assert not [damage for damage in log.damaged if "JSON" in damage.why]
    if log.session_id:
        for events in runs_of(log):
            assert check_events(events) == []
            assert isinstance(fold(events).lifecycle, Finished)

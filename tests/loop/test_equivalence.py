"""Six drivers, one run: the same random scenario gives the same events, whoever drives it."""

from __future__ import annotations

import json
import tempfile
import time
from collections.abc import Container, Iterable
from decimal import Decimal
from pathlib import Path
from typing import Any

from hypothesis import HealthCheck, Phase, example, given, settings
from hypothesis import strategies as st

from runner.events.codec import load_json
from runner.state import fold
from runner.state.compacted import effective_history
from runner.testing import Recorder
from tests.conftest import soak_factor
from tests.loop.conducting import Json
from tests.loop.driving import DRIVERS, Driven
from tests.loop.scenario import LONG_WAIT, SECOND, Answer, Call, Fault, Limits, Line, Scenario
from tui.headless import LIMIT_REASONS

TIMES = ("time", "mono", "seconds", "active_seconds", "first_token_seconds", "reasoning_seconds", "delay", "expires_at")
IDS = ("run_id", "session_id", "call_id", "request_id", "message_id", "artifact")


def normalised(events: Iterable[Json]) -> list[Json]:
    """The events without what differs between any two runs: times, ids, the pieces in which a text arrived, the order
    in which calls side by side went on, and the refusals by which a script learns that its point is passed."""
    names: dict[str, str] = {}
    _name_ids(list(events), names)
    plain: list[Json] = []
    for event in events:
        if "the point " in json.dumps(event.get("error")):
            continue
        found = _without_times(event)
        if plain and (merged := _merged(plain[-1], found)) is not None:
            plain[-1] = merged
        else:
            plain.append(found)
    text = json.dumps(_calls_in_order([event for event in plain if not (_is_delta(event) and event["text"] == "")]))
    for real, name in sorted(names.items(), key=lambda pair: -len(pair[0])):
        text = text.replace(real, name)
    return json.loads(text)


def _name_ids(value: Any, names: dict[str, str]) -> None:
    """A name for each id, in the order in which they come."""
    match value:
        case dict():
            for key, item in value.items():  # pyright: ignore[reportUnknownVariableType]
                if key in IDS and isinstance(item, str) and item:
                    names.setdefault(item, f"{key}-{len(names)}")
                _name_ids(item, names)
        case list():
            for item in value:  # pyright: ignore[reportUnknownVariableType]
                _name_ids(item, names)
        case _:
            pass


def _without_times(event: Json) -> Json:
    """An event without its times, and without its number, which the refusals between them shift. The key of a grant has
    the id of the decision in it that made it."""
    plain = {key: value for key, value in event.items() if key not in TIMES and key != "seq"}
    return {**plain, "grants": len(plain["grants"])} if "grants" in plain else plain


def _merged(last: Json, event: Json) -> Json | None:
    """Two deltas of one stream as one; None where they are not."""
    if not _is_delta(event):
        return None
    if {**last, "text": ""} != {**event, "text": ""}:
        return None
    return {**event, "text": last["text"] + event["text"]}


def _is_delta(event: Json) -> bool:
    return event["kind"].endswith("_delta")


def _calls_in_order(events: list[Json]) -> list[Json]:
    """The events of each call together, where nothing but calls went on."""
    ordered: list[Json] = []
    group: list[Json] = []
    for event in [*events, {"kind": "the end"}]:
        if event["kind"] in ("tool_started", "tool_finished", "approval_resolved") and event.get("call_id"):
            group.append(event)
            continue
        if group:
            proposed = [each["call_id"] for each in ordered if each["kind"] == "tool_proposed"]
            ordered += sorted(group, key=lambda each: proposed.index(each["call_id"]))
            group = []
        ordered.append(event)
    return ordered[:-1]


# Scenarios.

SEND: Line = {"command": "send", "text": "and this"}
WRAP_UP: Line = {"command": "wrap_up"}
ENDING: list[Line] = [{"command": "stop"}, {"command": "abort"}]
MESSAGE_NOW: list[Line] = [{"command": "send", "text": "this first", "now": True}, {"command": "deliver_now"}]
QUIET: list[Line] = [
    SEND,
    SEND,
    {"command": "edit_message", "message_id": "#0", "text": "changed"},
    {"command": "move_message", "message_id": "#1", "position": 0},
    {"command": "delete_message", "message_id": "#0"},
    {"command": "pause"},
    {"command": "set_model", "model": SECOND},
    {"command": "set_model", "model": "test/none"},
    {"command": "set_limit", "limit": "max_turns", "value": 2},
    {"command": "set_limit", "limit": "max_total_tokens", "value": 30},
    {"command": "set_limit", "limit": "tool_timeout", "value": 500},
    {"command": "set_limit", "limit": "max_cost_usd", "value": None},
    WRAP_UP,
    {"command": "compact"},
    {"command": "retry_now"},
    {"command": "revoke"},
]
"""Commands that change nothing before the next boundary, or nothing at all."""


def with_last(*last: Line, loud: Container[str] = ("wrap_up",)) -> st.SearchStrategy[tuple[Line, ...]]:
    """A few quiet commands, then one that makes the run go on. loud: commands that would do that here, too."""
    quiet = [line for line in QUIET if line["command"] not in loud]
    return st.builds(_then, st.lists(st.sampled_from(quiet), max_size=3), st.sampled_from(last))


def _then(before: list[Line], last: Line) -> tuple[Line, ...]:
    return (*before, last)


def at_point(*last: Line) -> st.SearchStrategy[tuple[Line, ...]]:
    quiet = st.lists(st.sampled_from(QUIET), max_size=3).map(tuple)
    return st.one_of(quiet, quiet, with_last(*last))


decisions = with_last(
    *[{"command": "decide", "request_id": "@", "decision": "allow"}] * 3,
    {"command": "decide", "request_id": "@", "decision": "allow", "scope": "run"},
    {"command": "decide", "request_id": "@", "decision": "allow", "scope": "session", "calls": 2},
    {
        "command": "decide",
        "request_id": "@",
        "decision": "allow",
        "scope": "run",
        "until_failure": True,
        "match": "exact",
    },
    {"command": "decide", "request_id": "@", "decision": "deny", "reason": "not that"},
    {"command": "decide", "request_id": "@", "decision": "edit", "arguments": {"text": "edited"}},
    {"command": "decide", "request_id": "@", "decision": "end_run"},
    MESSAGE_NOW[0],
    WRAP_UP,
    *ENDING,
)
at_question = with_last(
    *[{"command": "decide", "request_id": "@", "decision": "answer", "arguments": {"answers": ["yes"]}}] * 3,
    {"command": "decide", "request_id": "@", "decision": "deny", "reason": "not telling"},
    {"command": "decide", "request_id": "@", "decision": "end_run"},
    MESSAGE_NOW[0],
    WRAP_UP,
    *ENDING,
)
at_pause = with_last(*[{"command": "resume"}] * 4, *ENDING)
at_limit = st.sampled_from(
    [
        {"command": "set_limit", "limit": "@", "value": None},
        {"command": "set_limit", "limit": "@", "value": 1000},
        WRAP_UP,
        *ENDING,
    ]
).map(lambda line: (line,))
at_wait = with_last(
    *[{"command": "retry_now"}, {"command": "next_model"}] * 2,
    MESSAGE_NOW[0],
    {"command": "set_model", "model": SECOND},
    *ENDING,
    loud=("retry_now", "set_model"),
)
words = st.sampled_from(["", "some words of an answer ", "¿qué? 🦊 "])
side_by_side = st.lists(
    st.builds(
        Call,
        tool=st.sampled_from(["quick", "quick", "sync", "fail", "unknown"]),
        text=st.text("abc é", max_size=4),
        valid=st.sampled_from([True, True, True, False]),
    ),
    max_size=3,
).map(tuple)
alone = st.one_of(
    st.builds(Call, tool=st.just("change"), text=st.text("xyz", max_size=3)),
    st.builds(Call, tool=st.just("wonder"), text=st.text("xyz", max_size=3)),
    st.builds(
        Call, tool=st.just("held"), at=at_point(*ENDING, *MESSAGE_NOW, {"command": "cancel_tool", "call_id": "@"})
    ),
).map(lambda call: (call,))
in_stream = at_point(*ENDING, *MESSAGE_NOW, {"command": "set_model", "model": SECOND, "now": True})
answers = st.builds(
    Answer,
    words=words,
    thought=words,
    at=st.none() | in_stream,
    calls=st.one_of(side_by_side, alone, alone),
    ending=st.sampled_from([*["whole"] * 7, "cut", "length", "no_usage"]),
)
faults = st.builds(
    Fault,
    error=st.sampled_from([*["rate_limit", "server", "broken"] * 3, "billing", "overflow", "bug"]),
    wait=st.sampled_from([0.001, LONG_WAIT]),
)
scripts = st.lists(st.one_of(answers, answers, answers, answers, faults), min_size=2, max_size=6).map(tuple)
limits = st.builds(
    Limits,
    max_turns=st.sampled_from([None, None, 10, 3]),
    max_tool_calls=st.sampled_from([None, None, None, 1]),
    max_total_tokens=st.sampled_from([None, None, None, 25]),
    max_cost_usd=st.sampled_from([None, None, None, Decimal("0.0004")]),
    max_retries=st.sampled_from([3, 3, 0]),
    on_limit=st.sampled_from(["ask", "ask", "end"]),
    stop_policy=st.sampled_from(["step", "turn"]),
    context_window=st.sampled_from([100_000, 100_000, 300]),
)


def few(lines: st.SearchStrategy[tuple[Line, ...]]) -> st.SearchStrategy[tuple[tuple[Line, ...], ...]]:
    return st.lists(lines, max_size=3).map(tuple)


scenarios = st.builds(
    Scenario,
    first=scripts,
    second=scripts,
    approvals=few(decisions),
    questions=few(at_question),
    pauses=few(at_pause),
    asked=few(at_limit),
    waits=few(at_wait),
    fallback=st.booleans(),
    limits=limits,
)

A_BIT_OF_EVERYTHING = Scenario(
    first=(
        Fault("rate_limit"),
        Answer(thought="hm", words="I look. ", calls=(Call("quick", "a"), Call("fail"), Call("sync", "b"))),
        Answer(at=(SEND, SEND, *QUIET[2:4], {"command": "pause"}), calls=(Call("change", "c"),)),
        Answer(calls=(Call("held", at=({"command": "cancel_tool", "call_id": "@"},)),)),
        Answer(calls=(Call("wonder", "why?"), Call("change", "e"))),
        Fault("server", LONG_WAIT),
    ),
    second=(
        Answer(words="Half an ", ending="length"),
        Answer(at=({"command": "set_limit", "limit": "max_turns", "value": 7},), calls=(Call("change", "f"),)),
        Answer(at=({"command": "revoke"},), calls=(Call("change", "g"),)),
        Answer(at=({"command": "set_limit", "limit": "max_turns", "value": 8},), calls=(Call("unknown"),)),
        Answer(words="Nearly. ", at=({"command": "send", "text": "no, this", "now": True},)),
    ),
    approvals=(
        ({"command": "decide", "request_id": "@", "decision": "edit", "arguments": {"text": "d"}},),
        ({"command": "decide", "request_id": "@", "decision": "allow", "scope": "run", "calls": 3},),
    ),
    questions=(({"command": "decide", "request_id": "@", "decision": "answer", "arguments": {"answers": ["no"]}},),),
    waits=(({"command": "next_model"},),),
    fallback=True,
    limits=Limits(on_limit="ask"),
)
CUT_IN_THE_MIDDLE = Scenario(first=(Answer(words="Half ", at=({"command": "stop"}, {"command": "abort"})),))


# An example takes a process of its own, so a failing one is shown as it was found instead of being made smaller.
@settings(
    max_examples=4 * soak_factor(),
    deadline=None,
    suppress_health_check=[HealthCheck.too_slow],
    phases=[Phase.explicit, Phase.reuse, Phase.generate],
)
@example(A_BIT_OF_EVERYTHING)
@example(CUT_IN_THE_MIDDLE)
@given(scenarios)
def test_every_driver_gives_the_same_events(scenario: Scenario) -> None:
    with tempfile.TemporaryDirectory() as folder:
        workspace = _workspace(folder)
        driven = {name: drive(scenario, workspace) for name, drive in DRIVERS.items()}
    (first, one), *rest = driven.items()
    wanted = normalised(one.events)
    for name, other in rest:
        found = normalised(other.events)
        for index, (left, right) in enumerate(zip(wanted, found, strict=False)):
            assert left == right, f"event {index} by {first} and by {name}"
        assert len(wanted) == len(found), f"{first} and {name} end differently"
    for name, each in driven.items():
        _agrees_with_itself(name, each)


def _workspace(folder: str) -> Path:
    workspace = Path(folder) / "workspace"
    workspace.mkdir()
    # One that was made in the same tick of the clock would count as changed by the first call that is cut.
    while time.time() < workspace.stat().st_ctime + 0.1:
        time.sleep(0.02)
    return workspace


def _agrees_with_itself(name: str, driven: Driven) -> None:
    """The invariants hold, and what the driver returned is what its events say."""
    recorder = Recorder(load_json(json.dumps(event)) for event in driven.events)
    recorder.assert_valid()
    state = fold(recorder.facts)
    if driven.result is not None:
        result = driven.result
        assert (result.status, result.reason, result.final_output) == (state.status, state.reason, state.final_output)
        assert (result.usage, result.cost_usd) == (state.usage, state.cost.total), name
        assert list(result.history) == effective_history((), state), name
    if driven.code is not None:
        limited = 3 if state.reason in LIMIT_REASONS else 1
        assert driven.code == {"completed": 0, "cancelled": 130}.get(state.status, limited)

"""The lines of --control: every command, and every way to get one wrong."""

from __future__ import annotations

import contextlib
import json
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.control.commands import (
    Abort,
    CancelTool,
    Command,
    Decide,
    Pause,
    Resume,
    Send,
    SetLimit,
    SetModel,
    Stop,
)
from runner.errors import CommandError
from tui.control_lines import LONGEST_LINE, parse

GOOD: list[tuple[str, Command]] = [
    ('{"command":"stop"}', Stop(by="program")),
    (' {"command":"abort"}\r', Abort(by="program")),
    ('{"command":"pause"}', Pause(by="program")),
    ('{"command":"resume"}', Resume(by="program")),
    ('{"command":"send","text":"hi\\nthere"}', Send(text="hi\nthere")),
    ('{"command":"set_model","model":"demo/slow"}', SetModel(model="demo/slow")),
    ('{"command":"set_model","model":"demo/slow","now":true}', SetModel(model="demo/slow", now=True)),
    ('{"command":"decide","request_id":"r","decision":"allow"}', Decide(request_id="r", decision="allow")),
    (
        '{"command":"decide","request_id":"r","decision":"deny","scope":"run","reason":"no","match":"exact"}',
        Decide(request_id="r", decision="deny", scope="run", reason="no", match="exact"),
    ),
    (
        '{"command":"decide","request_id":"r","decision":"edit","arguments":{"n":1.5,"list":[{"x":2.5}]}}',
        Decide(request_id="r", decision="edit", arguments={"n": 1.5, "list": [{"x": 2.5}]}),
    ),
    ('{"command":"decide","request_id":"r","decision":"end_run"}', Decide(request_id="r", decision="end_run")),
    ('{"command":"cancel_tool","call_id":"c"}', CancelTool(call_id="c")),
    (
        '{"command":"set_limit","limit":"max_cost_usd","value":0.1}',
        SetLimit(limit="max_cost_usd", value=Decimal("0.1")),
    ),
    ('{"command":"set_limit","limit":"max_turns","value":"20"}', SetLimit(limit="max_turns", value=Decimal(20))),
    ('{"command":"set_limit","limit":"max_turns","value":null}', SetLimit(limit="max_turns", value=None)),
]


@pytest.mark.parametrize(("line", "command"), GOOD, ids=[case[0] for case in GOOD])
def test_a_command(line: str, command: Command) -> None:
    assert parse(line.encode()) == command


BAD = [
    ("", "not JSON"),
    ("stop", "not JSON"),
    ("[1]", "a JSON object"),
    ('"stop"', "a JSON object"),
    ("{}", "no command; it is one of stop, abort"),
    ('{"command":7}', "no command 7"),
    ('{"command":"Stop"}', "did you mean 'stop'"),
    ('{"command":"stop","by":"me"}', "takes no 'by'; it takes nothing"),
    ('{"command":"send"}', "needs a text in 'text'"),
    ('{"command":"send","text":7}', "needs a text"),
    ('{"command":"send","text":"  "}', "needs a text"),
    ('{"command":"set_model","model":"m","now":1}', "true or false"),
    ('{"command":"decide","decision":"allow"}', "'request_id'"),
    ('{"command":"decide","request_id":"r"}', "allow, deny, edit, end_run"),
    ('{"command":"decide","request_id":"r","decision":"allow","scope":"all"}', "call, run, session, project, user"),
    ('{"command":"decide","request_id":"r","decision":"edit","arguments":[]}', "is an object"),
    ('{"command":"decide","request_id":"r","decision":"allow","reason":7}', "'reason'"),
    ('{"command":"decide","request_id":"r","decision":"allow","match":"all"}', "tool, exact"),
    ('{"command":"cancel_tool"}', "'call_id'"),
    ('{"command":"set_limit","limit":"max_turns"}', "needs a 'value'"),
    ('{"command":"set_limit","limit":"max_turns","value":true}', "is a number"),
    ('{"command":"set_limit","limit":"max_turns","value":"x"}', "no number"),
    ('{"command":"set_limit","limit":"max_turns","value":"NaN"}', "0 or more"),
    ('{"command":"set_limit","limit":"max_turns","value":NaN}', "not a JSON number"),
    ('{"command":"set_limit","limit":"max_turns","value":-0.5}', "0 or more"),
    ('{"command":"set_limit","limit":"approve","value":1}', "max_turns"),
    ("[" * 100_000, "not JSON"),
    ("x" * (LONGEST_LINE + 1), "longer than"),
]


@pytest.mark.parametrize(("line", "message"), BAD, ids=[case[0][:60] for case in BAD])
def test_a_line_that_is_no_command(line: str, message: str) -> None:
    with pytest.raises(CommandError) as caught:
        parse(line.encode())
    assert message in str(caught.value)


json_values = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | st.text(),
    lambda children: st.lists(children) | st.dictionaries(st.text(), children),
    max_leaves=8,
)
names = st.sampled_from(["command", "text", "model", "now", "request_id", "decision", "scope", "limit", "value"])


@given(st.dictionaries(names, json_values | st.sampled_from(["stop", "send", "decide", "allow", "max_turns"])))
def test_any_object_is_a_command_or_a_clear_refusal(fields: dict[str, object]) -> None:
    with contextlib.suppress(CommandError):
        parse(json.dumps(fields).encode())


@given(st.binary(max_size=64))
def test_any_bytes_are_refused_without_another_error(line: bytes) -> None:
    with pytest.raises(CommandError):
        parse(line)

"""The lines of --control: every command, and every way to get one wrong."""

from __future__ import annotations

import contextlib
import json
from decimal import Decimal
from typing import get_args

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.control.commands import (
    Abort,
    CancelTool,
    Command,
    Compact,
    Decide,
    DeleteMessage,
    DeliverNow,
    EditMessage,
    EndPersonCommand,
    LimitName,
    MoveMessage,
    NextModel,
    Pause,
    PersonCommand,
    Resume,
    RetryNow,
    Revoke,
    Send,
    SetLimit,
    SetModel,
    Stop,
    WrapUp,
)
from runner.errors import CommandError
from runner.events import Pattern, ToolPattern
from tui.control_lines import LONGEST_LINE, parse

GOOD: list[tuple[str, Command]] = [
    ('{"command":"stop"}', Stop(by="program")),
    (' {"command":"abort"}\r', Abort(by="program")),
    ('{"command":"pause"}', Pause(by="program")),
    ('{"command":"resume"}', Resume(by="program")),
    ('{"command":"send","text":"hi\\nthere"}', Send(text="hi\nthere")),
    ('{"command":"send","text":"hi","now":true}', Send(text="hi", now=True)),
    ('{"command":"edit_message","message_id":"m","text":"new"}', EditMessage(message_id="m", text="new")),
    ('{"command":"delete_message","message_id":"m"}', DeleteMessage(message_id="m")),
    ('{"command":"move_message","message_id":"m","position":0}', MoveMessage(message_id="m", position=0)),
    ('{"command":"deliver_now"}', DeliverNow(by="program")),
    ('{"command":"retry_now"}', RetryNow(by="program")),
    ('{"command":"next_model"}', NextModel(by="program")),
    ('{"command":"wrap_up"}', WrapUp(by="program")),
    ('{"command":"compact"}', Compact(by="program")),
    ('{"command":"set_model","model":"demo/slow"}', SetModel(model="demo/slow")),
    ('{"command":"set_model","model":"demo/slow","now":true}', SetModel(model="demo/slow", now=True)),
    ('{"command":"set_model","effort":"high"}', SetModel(effort="high")),
    ('{"command":"set_model","model":"m","temperature":0}', SetModel(model="m", temperature=0.0)),
    (
        '{"command":"set_model","effort":"default","temperature":"default","now":true}',
        SetModel(effort="default", temperature="default", now=True),
    ),
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
    (
        '{"command":"decide","request_id":"r","decision":"allow","scope":"session","match":"pattern","patterns":['
        '{"tool":"shell","prefix":["git","log"]},{"tool":"write_file","below":"src"},{"tool":"web_fetch","host":"a.io"},'
        '{"tool":"write","arguments":{"n":1.5}},{"tool":"note"}],"calls":3,"minutes":7.5,"until_failure":true}',
        Decide(
            request_id="r",
            decision="allow",
            scope="session",
            match="pattern",
            patterns=(
                ToolPattern(tool="shell", pattern=Pattern(prefix=("git", "log"))),
                ToolPattern(tool="write_file", pattern=Pattern(below="src")),
                ToolPattern(tool="web_fetch", pattern=Pattern(host="a.io")),
                ToolPattern(tool="write", pattern=Pattern(arguments={"n": 1.5})),
                ToolPattern(tool="note", pattern=Pattern()),
            ),
            calls=3,
            minutes=7.5,
            until_failure=True,
        ),
    ),
    (
        '{"command":"decide","request_id":"r","decision":"allow","scope":"run","spend_usd":0.25}',
        Decide(request_id="r", decision="allow", scope="run", spend_usd=Decimal("0.25")),
    ),
    (
        '{"command":"decide","request_id":"r","decision":"answer","arguments":{"answers":["yes"]}}',
        Decide(request_id="r", decision="answer", arguments={"answers": ["yes"]}),
    ),
    ('{"command":"revoke"}', Revoke(by="program")),
    ('{"command":"revoke","key":"0123456789abcdef"}', Revoke(key="0123456789abcdef", by="program")),
    ('{"command":"cancel_tool","call_id":"c"}', CancelTool(call_id="c")),
    (
        '{"command":"set_limit","limit":"max_cost_usd","value":0.1}',
        SetLimit(limit="max_cost_usd", value=Decimal("0.1"), by="program"),
    ),
    (
        '{"command":"set_limit","limit":"max_turns","value":"20"}',
        SetLimit(limit="max_turns", value=Decimal(20), by="program"),
    ),
    (
        '{"command":"set_limit","limit":"max_turns","value":0}',
        SetLimit(limit="max_turns", value=Decimal(0), by="program"),
    ),
    (
        '{"command":"set_limit","limit":"tool_timeout","value":0.5}',
        SetLimit(limit="tool_timeout", value=Decimal("0.5"), by="program"),
    ),
]


@pytest.mark.parametrize(("line", "command"), GOOD, ids=[case[0] for case in GOOD])
def test_a_command(line: str, command: Command) -> None:
    assert parse(line.encode()) == command


@pytest.mark.parametrize("limit", get_args(LimitName))
def test_every_limit_can_be_set_and_taken_away(limit: LimitName) -> None:
    set_limit = {"command": "set_limit", "limit": limit}
    assert parse(json.dumps({**set_limit, "value": 7}).encode()) == SetLimit(
        limit=limit, value=Decimal(7), by="program"
    )
    assert parse(json.dumps({**set_limit, "value": None}).encode()) == SetLimit(limit=limit, value=None, by="program")
    with pytest.raises(CommandError, match=r"0 or more|more than 0"):
        parse(json.dumps({**set_limit, "value": -1}).encode())


def test_every_command_of_a_run_has_a_line() -> None:
    # A program that steers a run can run its commands itself; those of a person belong to where a person types.
    own = {PersonCommand, EndPersonCommand}
    assert {type(command) for _, command in GOOD} == set(get_args(Command)) - own


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
    ('{"command":"send","text":"x","now":"yes"}', "'now' is true or false"),
    ('{"command":"edit_message","text":"x"}', "'message_id'"),
    ('{"command":"edit_message","message_id":"m","text":" "}', "'text'"),
    ('{"command":"delete_message"}', "'message_id'"),
    ('{"command":"move_message","message_id":"m"}', "'position'"),
    ('{"command":"move_message","message_id":"m","position":-1}', "'position'"),
    ('{"command":"move_message","message_id":"m","position":true}', "'position'"),
    ('{"command":"move_message","message_id":"m","position":1.5}', "'position'"),
    ('{"command":"retry_now","model":"m"}', "takes no 'model'; it takes nothing"),
    ('{"command":"set_model","model":"m","now":1}', "true or false"),
    ('{"command":"set_model"}', "set_model needs a text in 'model'"),
    ('{"command":"set_model","effort":3}', "'effort' is a text"),
    ('{"command":"set_model","temperature":"warm"}', "'temperature' is a number"),
    ('{"command":"set_model","temperature":true}', "'temperature' is a number"),
    ('{"command":"set_model","temperature":null}', "'temperature' is a number"),
    ('{"command":"decide","decision":"allow"}', "'request_id'"),
    ('{"command":"decide","request_id":"r"}', "allow, deny, edit, answer, end_run"),
    ('{"command":"decide","request_id":"r","decision":"allow","scope":"all"}', "call, run, session, project, user"),
    ('{"command":"decide","request_id":"r","decision":"edit","arguments":[]}', "is an object"),
    ('{"command":"decide","request_id":"r","decision":"allow","reason":7}', "'reason'"),
    ('{"command":"decide","request_id":"r","decision":"allow","match":"all"}', "tool, exact, pattern"),
    *[
        (f'{{"command":"decide","request_id":"r","decision":"allow","scope":"run",{rest}}}', message)
        for rest, message in [
            ('"calls":0', "'calls' is a whole number, 1 or more"),
            ('"calls":1.5', "'calls'"),
            ('"calls":true', "'calls'"),
            ('"minutes":0', "'minutes' is a number, more than 0"),
            ('"minutes":"5"', "'minutes'"),
            ('"spend_usd":-1', "'spend_usd'"),
            ('"spend_usd":1e999999', "'spend_usd'"),
            ('"until_failure":1', "'until_failure' is true or false"),
            ('"patterns":{}', "'patterns' is a list"),
            ('"patterns":[]', "'patterns' is a list"),
            ('"patterns":[7]', "with a 'tool'"),
            ('"patterns":[{"prefix":["ls"]}]', "with a 'tool'"),
            ('"patterns":[{"tool":"shell","prefix":"ls"}]', "'prefix' of a pattern of shell is a list of words"),
            ('"patterns":[{"tool":"shell","prefix":["ls",1]}]', "a list of words"),
            ('"patterns":[{"tool":"shell","below":7}]', "'below' of a pattern of shell is a text"),
            ('"patterns":[{"tool":"shell","glob":"*"}]', "takes one of prefix, below, host, arguments"),
            ('"patterns":[{"tool":"shell","below":"a","host":"b"}]', "takes one of"),
            ('"patterns":[{"tool":"shell","arguments":[]}]', "is an object"),
        ]
    ],
    ('{"command":"revoke","key":7}', "'key'"),
    ('{"command":"cancel_tool"}', "'call_id'"),
    ('{"command":"set_limit","limit":"max_turns"}', "needs a 'value'"),
    ('{"command":"set_limit","limit":"max_turns","value":true}', "is a number"),
    ('{"command":"set_limit","limit":"max_turns","value":"x"}', "no number"),
    ('{"command":"set_limit","limit":"max_turns","value":"NaN"}', "0 or more"),
    ('{"command":"set_limit","limit":"max_turns","value":NaN}', "not a JSON number"),
    ('{"command":"set_limit","limit":"max_turns","value":-0.5}', "0 or more"),
    ('{"command":"set_limit","limit":"max_turns","value":2.5}', "a whole number"),
    ('{"command":"set_limit","limit":"max_time","value":0}', "more than 0 seconds"),
    ('{"command":"set_limit","limit":"max_total_tokens","value":1e999999}', "at most"),
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
names = st.sampled_from(
    [
        *("command", "text", "model", "now", "request_id", "decision", "scope", "limit", "value"),
        *("patterns", "calls", "minutes", "until_failure", "spend_usd", "key"),
    ]
)


@given(st.dictionaries(names, json_values | st.sampled_from(["stop", "send", "decide", "allow", "max_turns"])))
def test_any_object_is_a_command_or_a_clear_refusal(fields: dict[str, object]) -> None:
    with contextlib.suppress(CommandError):
        parse(json.dumps(fields).encode())


@given(st.binary(max_size=64))
def test_any_bytes_are_refused_without_another_error(line: bytes) -> None:
    with pytest.raises(CommandError):
        parse(line)

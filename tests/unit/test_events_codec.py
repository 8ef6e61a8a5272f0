"""Events to JSON and back: every kind, whole and exact; what is unknown is kept, what is wrong is a ValueError."""

from __future__ import annotations

import json
from dataclasses import fields, is_dataclass
from datetime import UTC, datetime, timedelta, timezone
from decimal import Decimal
from types import UnionType
from typing import Any, Literal, Union, cast, get_args, get_origin, get_type_hints

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.events import (
    SCHEMA_VERSION,
    ErrorOccurred,
    Event,
    ModelResponded,
    RunFinished,
    RunStarted,
    TextDelta,
    ToolFinished,
    ToolProposed,
    UnknownEvent,
    UsageUpdated,
)
from runner.events.codec import dump_json, event_types, load_json
from runner.messages import AssistantMessage, ToolCall, ToolResult, UserMessage

TEXT = st.text(st.characters(exclude_categories=("Cs",)), max_size=20)
JSON: st.SearchStrategy[Any] = st.recursive(
    st.none() | st.booleans() | st.integers(-(2**53), 2**53) | st.floats(allow_nan=False, allow_infinity=False) | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=6,
)
OBJECTS = st.dictionaries(TEXT, JSON, max_size=4)
MOMENTS = st.integers(0, 4_000_000_000).map(lambda seconds: datetime.fromtimestamp(seconds, UTC))
PLAIN: dict[Any, st.SearchStrategy[Any]] = {
    str: TEXT,
    int: st.integers(0, 2**53),
    bool: st.booleans(),
    float: st.floats(allow_nan=False, allow_infinity=False),
    Decimal: st.decimals(allow_nan=False, allow_infinity=False, places=9),
    datetime: MOMENTS,
    type(None): st.none(),
}


def values_of(hint: Any) -> st.SearchStrategy[Any]:
    """Values that an annotation of an event allows, as far as JSON can hold them."""
    origin, arguments = get_origin(hint), get_args(hint)
    if hint in PLAIN:
        return PLAIN[hint]
    if origin is Literal:
        return st.sampled_from(arguments)
    if origin is dict:
        return OBJECTS
    if origin is tuple:
        return st.lists(values_of(arguments[0]), max_size=3).map(tuple)
    if origin in (Union, UnionType):
        return st.one_of([values_of(argument) for argument in arguments])
    assert is_dataclass(hint), f"no values are known for {hint}"
    return built(cast("type[Any]", hint))


def built(cls: type[Any]) -> st.SearchStrategy[Any]:
    hints = get_type_hints(cls)
    return st.builds(cls, **{field.name: values_of(hints[field.name]) for field in fields(cls)})


KINDS = sorted(event_types())


@pytest.mark.parametrize("kind", KINDS)
def test_every_kind_survives_a_round_trip(kind: str) -> None:
    @settings(max_examples=25)
    @given(built(event_types()[kind]))
    def check(event: Event) -> None:
        line = dump_json(event)
        assert b"\n" not in line
        assert load_json(line) == event
        assert load_json(line.decode()) == event

    check()


@pytest.mark.parametrize("kind", KINDS)
def test_a_line_has_the_envelope_and_the_kind(kind: str) -> None:
    @settings(max_examples=25)
    @given(built(event_types()[kind]))
    def check(event: Event) -> None:
        found = json.loads(dump_json(event))
        assert found["kind"] == kind
        assert {field.name for field in fields(Event)} <= set(found)
        assert datetime.fromisoformat(found["time"]) == event.time

    check()


def test_every_class_has_a_kind_of_its_own() -> None:
    types = event_types()
    assert len(set(types.values())) == len(types)
    assert all(cls().kind == kind for kind, cls in types.items() if not _required(cls))
    assert Event not in types.values()
    assert UnknownEvent not in types.values()
    deltas = {kind for kind, cls in types.items() if cls.is_delta}
    of_the_model = {"text_delta", "reasoning_delta", "refusal_delta", "tool_arguments_delta"}
    assert deltas == of_the_model | {"tool_output_delta", "person_output_delta"}


def _required(cls: type[Event]) -> bool:
    return cls.__name__ in {"ErrorOccurred", "RetryScheduled"}


@given(st.decimals(allow_nan=False, allow_infinity=False))
def test_money_is_exact(amount: Decimal) -> None:
    event = load_json(dump_json(UsageUpdated(cost_usd=amount)))
    assert isinstance(event, UsageUpdated)
    assert event.cost_usd is not None
    assert event.cost_usd.as_tuple() == amount.as_tuple()
    assert isinstance(json.loads(dump_json(UsageUpdated(cost_usd=amount)))["cost_usd"], str)


def test_unknown_money_stays_unknown() -> None:
    event = load_json(dump_json(RunFinished(cost_usd=None)))
    assert isinstance(event, RunFinished)
    assert event.cost_usd is None


def test_messages_in_an_event_keep_their_types() -> None:
    history = (
        UserMessage(text="a", message_id="m"),
        AssistantMessage(text="b", tool_calls=(ToolCall(call_id="c", tool="t", arguments=None, arguments_json="{x"),)),
        ToolResult(call_id="c", tool="t", output="o", status="invalid"),
    )
    event = load_json(dump_json(RunStarted(input=history)))
    assert isinstance(event, RunStarted)
    assert event.input == history


def test_arguments_are_an_object_or_the_raw_text() -> None:
    for arguments in ({"a": {"b": [1, None, "x"]}}, '{"cut'):
        event = load_json(dump_json(ToolProposed(arguments=arguments, valid=False)))
        assert isinstance(event, ToolProposed)
        assert event.arguments == arguments


def test_a_time_of_another_zone_is_the_same_moment() -> None:
    moment = datetime(2026, 1, 1, 12, tzinfo=timezone(timedelta(hours=2)))
    assert load_json(dump_json(TextDelta(time=moment))).time == moment


@given(
    st.dictionaries(TEXT.filter(lambda key: key not in {field.name for field in fields(Event)}), JSON, max_size=5),
    TEXT.filter(lambda kind: kind not in event_types()),
    st.integers(0, 10**6),
)
def test_an_unknown_kind_is_kept_whole(extra: dict[str, Any], kind: str, seq: int) -> None:
    raw = {"v": SCHEMA_VERSION + 1, "kind": kind, "run_id": "r", "seq": seq, **extra}
    event = load_json(json.dumps(raw))
    assert isinstance(event, UnknownEvent)
    assert (event.kind, event.run_id, event.seq, event.data) == (kind, "r", seq, raw)
    assert not event.is_delta
    assert json.loads(dump_json(event)) == raw
    assert load_json(dump_json(event)) == event


def test_unknown_fields_and_missing_ones_are_no_error() -> None:
    event = load_json('{"kind": "text_delta", "text": "x", "colour": "red"}')
    assert event == TextDelta(text="x")
    assert load_json('{"kind": "tool_finished"}') == ToolFinished()


@pytest.mark.parametrize(
    "line",
    [
        "",
        "nonsense",
        "[]",
        "7",
        "null",
        '{"kind": "text_delta", "text": 5}',
        '{"kind": "text_delta", "seq": "many"}',
        '{"kind": "tool_finished", "status": "splendid"}',
        '{"kind": "error"}',
        '{"kind": "hologram", "seq": "many"}',
        '{"kind": "text_delta", "time": "yesterday"}',
    ],
)
def test_what_is_no_event_is_a_value_error(line: str) -> None:
    with pytest.raises(ValueError, match=r"\S"):
        load_json(line)


LONE = "\ud83d"
"""Half of a surrogate pair: a provider's JSON may cut an emoji in two, and a model may write such an escape."""


@pytest.mark.parametrize(
    "event",
    [
        TextDelta(text=f"a{LONE}"),
        ModelResponded(text=LONE, tool_calls=(ToolCall(call_id="c", tool="t", arguments={"x": LONE}),)),
        ToolProposed(arguments={LONE: [LONE]}),
        ToolFinished(output=LONE, display={"text": LONE}),
        UnknownEvent(kind="new", data={"kind": "new", "text": LONE}),
    ],
    ids=lambda event: event.kind,
)
def test_half_a_surrogate_pair_can_be_stored(event: Event) -> None:
    line = dump_json(event)
    assert line.decode("utf-8").isprintable()
    assert load_json(line).kind == event.kind


def test_the_example_of_the_contract_is_read() -> None:
    line = (
        '{"v":1,"kind":"error","run_id":"r","session_id":"s","parent_run_id":null,"seq":9,'
        '"time":"2026-01-01T00:00:00Z","mono":1.5,"agent":"deck","turn":2,"attempt":1,'
        '"error":{"type":"rate_limit","message":"slow","status_code":429},"fatal":false}'
    )
    event = load_json(line)
    assert isinstance(event, ErrorOccurred)
    assert (event.seq, event.turn, event.error.status_code) == (9, 2, 429)
    assert event.time == datetime(2026, 1, 1, tzinfo=UTC)

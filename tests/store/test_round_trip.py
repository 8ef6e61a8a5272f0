"""What is stored comes back as it was: every kind, and every run that can be thought of."""

from __future__ import annotations

import random
import types
import typing
from dataclasses import fields, is_dataclass, replace
from datetime import datetime
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.events import ErrorInfo, Event, QueuedText, StateUpdated, TextDelta, UnknownEvent
from runner.events.codec import event_types
from runner.messages import ToolCall, ToolResult, UserMessage
from runner.state import fold
from runner.state.compacted import effective_history
from runner.store import Store
from runner.testing.invariants import check_events
from runner.usage import Price, Usage
from tests.conftest import soak_factor
from tests.store.making import START, Collector, Maker, write
from tests.store.random_runs import random_run

TEXT = 'née \u2603 \x1b[31m\n\t"quoted" \\ \U0001f600 \x00 end'

PLAIN: dict[object, object] = {
    str: TEXT,
    int: 7,
    float: 0.1,
    bool: True,
    Decimal: Decimal("0.000000000001230"),
    datetime: START,
    Usage: Usage(input=5, cached_input=1, cache_write=1, output=3, reasoning=2),
    Price: Price(input=Decimal("3.000"), output=Decimal("15"), cached_input=Decimal("0.30")),
    QueuedText: QueuedText(message_id="m", text=TEXT),
    ErrorInfo: ErrorInfo(type="rate_limit", message=TEXT, action="retry", retryable=True, status_code=429, fix="wait"),
}
MESSAGES = (UserMessage(text=TEXT, message_id="m"), ToolResult(call_id="c", tool="t", output=TEXT, status="denied"))
CALL = ToolCall(call_id="c", tool="t", arguments={"a": [1, None, {"b": TEXT}]}, arguments_json="{", provider_id="p")


def value_for(hint: object) -> object:
    """A value of the type that is not its default."""
    if hint in PLAIN:
        return PLAIN[hint]
    origin, arguments = typing.get_origin(hint), typing.get_args(hint)
    if origin is typing.Literal:
        return arguments[-1]
    if origin in (types.UnionType, typing.Union):
        return value_for(next(argument for argument in arguments if argument is not type(None)))
    if origin is dict:
        return {"nested": [1, 2.5, None, True, {"text": TEXT}]}
    if origin is tuple:
        if arguments[0] is ToolCall:
            return (CALL,)
        if arguments[0] is str:
            return (TEXT, "b")
        return (value_for(arguments[0]),) if isinstance(arguments[0], type) else MESSAGES
    if isinstance(hint, type) and is_dataclass(hint):
        hints = typing.get_type_hints(hint)
        return hint(**{item.name: value_for(hints[item.name]) for item in fields(hint)})
    raise AssertionError(f"no sample value for {hint!r}")


def sample(cls: type[Event]) -> Event:
    hints = typing.get_type_hints(cls)
    own: dict[str, typing.Any] = {
        item.name: value_for(hints[item.name]) for item in fields(cls) if item.name not in ("v", "kind")
    }
    return replace(cls(**own), run_id="run-1", session_id="session-1", parent_run_id=None, seq=1)


@pytest.mark.parametrize("kind", sorted(event_types()))
def test_every_kind_comes_back_as_it_was(kind: str, store: Store) -> None:
    event = sample(event_types()[kind])
    assert event.kind == kind
    write(store, [event])
    assert list(store.events("session-1")) == [event] if not event.is_delta else True
    if event.is_delta:
        # A delta alone makes no run; it comes back behind the fact that it follows.
        maker = Maker(run_id="run-2", session_id="session-2")
        maker.begin()
        follows = replace(event, run_id="run-2", session_id="session-2", seq=maker.seq)
        write(store, [*maker.events, follows])
        assert list(store.events("session-2")) == [*maker.events, follows]


@settings(deadline=None, max_examples=40 * soak_factor())
@given(rng=st.randoms(use_true_random=False))
def test_stored_fold_is_the_live_fold(rng: random.Random, tmp_path_factory: pytest.TempPathFactory) -> None:
    made = random_run(rng)
    assert check_events(made.events) == []
    with Store.open(tmp_path_factory.mktemp("store") / "q.db") as store:
        reader = write(store, made.events)
        assert reader.events == made.events
        assert list(store.events("session-1")) == made.facts
        assert store.runs("session-1") == [made.state] == [fold(made.facts)]
        assert store.history("session-1") == tuple(effective_history((), made.state))


@settings(deadline=None, max_examples=40 * soak_factor())
@given(rng=st.randoms(use_true_random=False), data=st.data())
def test_an_open_run_folds_to_the_live_state_at_any_prefix(
    rng: random.Random, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    made = random_run(rng)
    cut = data.draw(st.integers(min_value=1, max_value=len(made.events)))
    pauses = data.draw(st.lists(st.integers(min_value=0, max_value=cut - 1), max_size=3).map(sorted))
    with Store.open(tmp_path_factory.mktemp("store") / "q.db") as store:
        start = 0
        for stop in [*pauses, cut]:
            # A barrier in the middle writes the deltas, so that later pieces of a stream become rows of their own.
            write(store, made.events[start:stop])
            start = stop
        (state,) = store.runs("session-1")
        assert joined(state) == joined(fold(made.events[:cut]))


def joined(state: object) -> str:
    """A state as text in which it does not matter how a text was cut into pieces and when each came, nor that a delta
    is empty."""
    from runner.log import AppendLog

    def plain(value: object) -> object:
        match value:
            case AppendLog():
                items = list(typing.cast("AppendLog[object]", value))
                texts = [item for item in items if isinstance(item, str)]
                return "".join(texts) if len(texts) == len(items) else [plain(item) for item in items]
            case datetime():
                return value.isoformat()
            case tuple():
                return [plain(item) for item in typing.cast("tuple[object, ...]", value)]
            case _ if hasattr(value, "__dataclass_fields__"):
                own = fields(typing.cast("typing.Any", value))
                shown = [item.name for item in own if item.name not in ("last_mono", "first_mono", "heard_mono")]
                return type(value).__name__, [(name, plain(getattr(value, name))) for name in shown]
            case _:
                return repr(value)

    return repr(plain(state))


def test_what_json_cannot_hold_is_replaced_and_hides_nothing(store: Store) -> None:
    maker = Maker()
    maker.begin("half a pair \ud83d here")
    maker.add(StateUpdated(data={"thing": object(), "set": {1}, "nan": float("nan"), "half": "\ud83d"}))
    maker.add(TextDelta(text="half \ud83d"))
    maker.request()
    reader = write(store, maker.events)
    assert reader.events == maker.events
    first, *_, updated, delta, last = store.events("session-1")
    assert first.kind == "run_started"
    assert isinstance(updated, StateUpdated)
    assert updated.data["set"] == [1]
    assert updated.data["nan"] is None
    assert updated.data["half"] == "?"
    assert isinstance(delta, TextDelta)
    assert last.kind == "model_requested"
    assert store.problems == ()
    assert store.session("session-1").title == "half a pair ? here"


def test_an_unknown_kind_is_kept_whole(store: Store) -> None:
    maker = Maker()
    maker.begin()
    extra = {"v": 3, "kind": "teleported", "run_id": "run-1", "session_id": "session-1", "seq": 3, "where": ["x", 1]}
    unknown = UnknownEvent(kind="teleported", run_id="run-1", session_id="session-1", seq=3, v=3, data=extra)
    maker.seq += 1
    rest = [maker.add(TextDelta(text="x"))]
    write(store, [*maker.events[:2], unknown, *rest])
    events = list(store.events("session-1"))
    assert [event.kind for event in events] == ["run_started", "agent_started", "teleported", "text_delta"]
    assert isinstance(events[2], UnknownEvent)
    assert events[2].data == extra
    assert store.problems == ()


def test_reading_from_a_number_on(store: Store) -> None:
    maker = random_run(random.Random(5))
    write(store, maker.events)
    assert list(store.events("session-1", from_seq=4)) == [fact for fact in maker.facts if fact.seq >= 4]
    assert list(store.events("session-1", run_id="run-1", from_seq=maker.seq + 1)) == []


def test_many_rows_come_in_order(store: Store, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr("runner.store.read.ROWS_AT_ONCE", 7)
    maker = Maker()
    maker.begin()
    for number in range(40):
        maker.add(StateUpdated(data={"number": number}))
    maker.request()
    write(store, maker.events)
    write(store, [maker.add(TextDelta(text="tail"))])
    assert list(store.events("session-1")) == maker.events


def test_a_path_may_be_a_folder(tmp_path: Path) -> None:
    with Store.open(tmp_path) as store:
        assert store.path == tmp_path / "quarterdeck.db"
        write(store, Maker().events, Collector())
        assert store.sessions() == []

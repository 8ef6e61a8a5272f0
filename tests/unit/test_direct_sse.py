"""The direct client's reading of bytes: events however they are cut, text that is damaged, and the short way."""

from __future__ import annotations

import itertools
import json
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import ModelError, RateLimitError, ServerError, StreamBrokenError
from runner.models.base import TextChunk
from runner.models.direct_model import read_event
from runner.models.openai_chunks import StreamReader
from runner.models.provider_errors import Where
from runner.models.sse import EventData

WHERE = Where(model="lab/x", provider="openai")


def events_of(*pieces: bytes) -> list[bytes]:
    events = EventData()
    return [data for piece in pieces for data in events.feed(piece)] + events.end()


@pytest.mark.parametrize(
    ("stream", "events"),
    [
        (b"data: a\n\ndata: b\n\n", [b"a", b"b"]),
        (b"data: a\r\n\r\ndata: b\r\n\r\n", [b"a", b"b"]),
        (b"data: a\r\rdata: b\r\r", [b"a", b"b"]),
        (b"data: a\r\n\ndata: b\n\r\n", [b"a", b"b"]),
        (b"data:a\n\ndata:  b\n\n", [b"a", b" b"]),
        (b": ping\n\n: ping\n\ndata: a\n: ping\n\n", [b"a"]),
        (b"event: x\nid: 7\nretry: 10\ndata: a\n\n", [b"a"]),
        (b"data: a\ndata: b\n\n", [b"a\nb"]),
        (b"data: a\n\n\n\n\ndata: b\n\n", [b"a", b"b"]),
        (b"data: a\n\ndata: b", [b"a", b"b"]),
        (b"data: a\n\ndata: b\n", [b"a", b"b"]),
        (b"\xef\xbb\xbfdata: a\n\n", [b"a"]),
        (b"data: \xc3\xa9\x0b\x0c\xe2\x80\xa8 x\n\n", [b"\xc3\xa9\x0b\x0c\xe2\x80\xa8 x"]),
        (b"data:\n\ndata: \n\n", []),
        (b"", []),
        (b"<html>\n<body>\n", []),
    ],
)
def test_events_at_any_cut(stream: bytes, events: list[bytes]) -> None:
    assert events_of(stream) == events
    for at in range(len(stream) + 1):
        assert events_of(stream[:at], stream[at:]) == events
    assert events_of(*(stream[at : at + 1] for at in range(len(stream)))) == events


@st.composite
def streams(draw: st.DrawFn) -> tuple[list[bytes], list[bytes]]:
    """(pieces, events): a stream in any of its forms, cut anywhere, also inside of characters and line ends."""
    line_end = draw(st.sampled_from([b"\n", b"\r\n", b"\r"]))
    events: list[bytes] = []
    stream = b""
    for text in draw(st.lists(st.text(max_size=12), max_size=6)):
        data = json.dumps({"t": text}, ensure_ascii=draw(st.booleans())).encode("utf-8", "replace")
        events.append(data)
        stream += draw(st.sampled_from([b"", b": ping" + line_end, b"event: e" + line_end]))
        stream += draw(st.sampled_from([b"data:", b"data: "])) + data + line_end + line_end
    places = sorted(draw(st.lists(st.integers(0, len(stream)), max_size=8)))
    edges = [0, *places, len(stream)]
    return [stream[start:end] for start, end in itertools.pairwise(edges)], events


@given(streams())
def test_any_cut_of_the_bytes_gives_the_same_events(case: tuple[list[bytes], list[bytes]]) -> None:
    pieces, events = case
    assert events_of(*pieces) == events


def test_each_event_comes_as_soon_as_its_end_is_here() -> None:
    events = EventData()
    assert events.feed(b"data: a\n") == []
    assert events.feed(b"\ndata: b\r") == [b"a"]
    assert events.feed(b"\n") == []
    assert events.feed(b"\r") == [b"b"]


def test_a_long_line_in_small_pieces_is_copied_once() -> None:
    line = b"data: " + b"x" * 5_000_000
    pieces = [line[at : at + 65_536] for at in range(0, len(line), 65_536)]
    events = EventData()
    assert [events.feed(piece) for piece in pieces] == [[]] * len(pieces)
    assert events.feed(b"\n\n") == [line[6:]]


def test_the_end_marker_with_and_without_blanks() -> None:
    assert read_event(b"[DONE]", WHERE, whole=False) is None
    assert read_event(b" [DONE] ", WHERE, whole=False) is None


@pytest.mark.parametrize(
    "data",
    [
        b'{"choices": [',
        b"[]",
        b"null",
        b"7",
        b"",
        b"hello",
        b"[" * 100_000,
        b'{"a": \xff}',
        b'{"choices": [{"delta": {"content": "a\xffb"}}]}',
    ],
)
def test_what_is_no_object_breaks_the_stream_unless_the_answer_is_whole(data: bytes) -> None:
    with pytest.raises(StreamBrokenError):
        read_event(data, WHERE, whole=False)
    assert read_event(data, WHERE, whole=True) is None


@pytest.mark.parametrize(
    ("body", "kind", "words"),
    [
        ({"error": {"message": "boom", "code": 502}}, ServerError, "boom"),
        ({"error": {"message": "slow", "code": 429}}, RateLimitError, "slow"),
        ({"error": {"message": "slow", "code": "rate_limit_exceeded"}}, RateLimitError, "slow"),
        ({"error": "boom"}, ServerError, "boom"),
        ({"object": "error", "message": "boom", "type": "BadRequestError", "code": 500}, ServerError, "boom"),
        ({"error": {"code": 502}, "choices": [{"delta": {"content": ""}}]}, ServerError, "status 502"),
    ],
)
def test_an_error_in_the_stream_is_told_by_its_code(body: Any, kind: type[ModelError], words: str) -> None:
    with pytest.raises(ModelError, match=words) as caught:
        read_event(json.dumps(body).encode(), WHERE, whole=False)
    assert type(caught.value) is kind
    assert read_event(json.dumps(body).encode(), WHERE, whole=True) is None


# With halves of characters, as JSON can write them.
pieces = st.text(alphabet="aé\ud83d\ude00🙂", max_size=3)
json_values = st.recursive(
    st.none() | st.booleans() | st.integers(-3, 300) | st.text(max_size=4),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.text(max_size=3), inner, max_size=2),
    max_leaves=4,
)
deltas = st.fixed_dictionaries(
    {},
    optional={
        "content": st.none() | st.text(max_size=5) | pieces | json_values,
        "role": st.just("assistant"),
        "refusal": st.none() | st.text(max_size=3),
        "reasoning": st.none() | st.text(max_size=3),
        "reasoning_content": st.none() | st.text(max_size=3),
        "tool_calls": st.none() | st.just([]) | st.just([{"index": 0, "id": "c", "function": {"name": "f"}}]),
        "reasoning_details": st.none() | st.just([{"type": "x"}]),
        "function_call": st.none(),
        "audio": json_values,
    },
)
choices = st.fixed_dictionaries(
    {"delta": deltas | json_values},
    optional={
        "index": st.just(0),
        "finish_reason": st.none() | st.sampled_from(["", "stop"]),
        "text": st.text(max_size=2),
    },
)
items = st.fixed_dictionaries(
    {},
    optional={
        "choices": st.lists(choices, max_size=2) | json_values,
        "usage": st.none() | st.just({"prompt_tokens": 3, "completion_tokens": 2}) | json_values,
        "id": st.just("chatcmpl"),
    },
)


@given(st.lists(items, max_size=3), items)
def test_the_short_way_says_the_same_as_the_long_one(before: list[dict[str, Any]], item: dict[str, Any]) -> None:
    short, long = StreamReader(provider="x"), StreamReader(provider="x")
    for earlier in before:
        try:
            for reader in (short, long):
                list(reader.feed(earlier))
        except (TypeError, LookupError, AttributeError):
            return
    try:
        text = short.plain_text(item)
    except TypeError:
        with pytest.raises((TypeError, LookupError, AttributeError)):
            list(long.feed(item))
        return
    if text:
        assert list(long.feed(item)) == [TextChunk(text)]
        assert short == long
    else:
        assert short == long

"""Reading raw chunks, telling calls apart, cleaning errors, and the watchdog, each by itself."""

from __future__ import annotations

import asyncio
import itertools
import json
from collections.abc import AsyncIterator
from datetime import UTC, datetime
from types import SimpleNamespace
from typing import Any

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.errors import DependencyError, InternalError, ModelError, ServerError, StreamBrokenError
from runner.models.base import ProviderDataChunk, ReasoningChunk, RefusalChunk, TextChunk, ToolCallChunk
from runner.models.call_keys import CallKeys
from runner.models.error_text import LONGEST, clean
from runner.models.openai_chunks import StreamReader, finish_reason, read_usage
from runner.models.provider_errors import Where
from runner.models.rate_limits import read_rate_limits, seconds_until
from runner.models.transport_errors import map_error
from runner.models.watchdog import TooSlow, in_time, read
from runner.usage import Usage

NOW = datetime(2026, 1, 2, 3, 4, 5, tzinfo=UTC)
WHERE = Where(model="openai/x", provider="openai", endpoint="http://127.0.0.1:1", now=NOW)


@st.composite
def streamed_calls(draw: st.DrawFn) -> tuple[list[tuple[int, str, str, str]], list[str]]:
    """Calls cut into pieces that take turns, with or without ids, and what their arguments were."""
    wanted = [json.dumps({"n": number, "text": draw(st.text(max_size=8))}) for number in range(draw(st.integers(1, 4)))]
    with_ids = draw(st.booleans())
    queues: list[list[tuple[int, str, str, str]]] = []
    for number, text in enumerate(wanted):
        cut = sorted(draw(st.lists(st.integers(0, len(text)), max_size=4)))
        edges = [0, *cut, len(text)]
        pieces = [text[start:end] for start, end in itertools.pairwise(edges)]
        first = (number, f"id{number}" if with_ids else "", "tool", pieces[0])
        queues.append([first, *((number, "", "", piece) for piece in pieces[1:])])
    sent: list[tuple[int, str, str, str]] = []
    while any(queues):
        queue = draw(st.sampled_from([queue for queue in queues if queue]))
        sent.append(queue.pop(0))
    return sent, wanted


@given(streamed_calls())
def test_pieces_of_calls_find_together(case: tuple[list[tuple[int, str, str, str]], list[str]]) -> None:
    sent, wanted = case
    keys, joined = CallKeys(), dict[str, str]()
    for index, call_id, name, piece in sent:
        key = keys.key(index, call_id, name, piece)
        joined[key] = joined.get(key, "") + piece
    assert sorted(joined.values()) == sorted(wanted)


def test_calls_without_an_index_follow_one_another() -> None:
    keys = CallKeys()
    got = [keys.key(None, *piece) for piece in (("a", "f", "{"), ("", "", "}"), ("b", "g", "{"), ("", "", "}"))]
    assert got == ["c0", "c0", "c1", "c1"]


def feed(reader: StreamReader, *items: Any) -> list[Any]:
    return [chunk for item in items for chunk in reader.feed(item)]


def test_generic_chunks_are_read_and_their_reason_counts() -> None:
    reader = StreamReader(provider="x")
    use = {"id": "t", "function": {"name": "f", "arguments": {"a": 1}}, "index": 0}
    got = feed(
        reader,
        {"text": "hi", "is_finished": False, "finish_reason": "", "usage": None, "tool_use": None},
        {"text": "", "is_finished": False, "finish_reason": "", "usage": None, "tool_use": use},
        {"text": "", "is_finished": True, "finish_reason": "stop", "usage": None, "tool_use": None},
    )
    assert got[0] == TextChunk("hi")
    assert got[1] == ProviderDataChunk({"provider": "x"})
    assert got[2] == ToolCallChunk(key="c0", id="t", name="f", arguments='{"a": 1}')
    assert reader.finish == "stop"


def test_an_end_marker_in_an_openai_stream_is_no_finish_reason() -> None:
    reader = StreamReader(provider="x")
    openai = SimpleNamespace(choices=[SimpleNamespace(delta=SimpleNamespace(content="a"), finish_reason=None)])
    feed(reader, openai, {"text": "", "is_finished": True, "finish_reason": "stop", "usage": None})
    assert reader.finish is None


def test_mistrals_thinking_parts() -> None:
    content = [{"type": "thinking", "thinking": [{"type": "text", "text": "hm"}]}, {"type": "text", "text": "so"}]
    chunk = SimpleNamespace(choices=[SimpleNamespace(delta=SimpleNamespace(content=content), finish_reason=None)])
    assert feed(StreamReader(provider="mistral"), chunk) == [ReasoningChunk("hm"), TextChunk("so")]


def delta_of(**fields: Any) -> dict[str, Any]:
    return {"choices": [{"index": 0, "delta": fields, "finish_reason": None}]}


STOPPED: dict[str, Any] = {"choices": [{"index": 0, "delta": {}, "finish_reason": "stop"}]}


@given(st.text(alphabet="ab\u00e9\u4e16\U0001f642\ud83d\ude00", max_size=8), st.data())
def test_characters_in_two_halves_become_whole_and_lone_halves_a_mark(text: str, data: st.DataObject) -> None:
    cuts = sorted(data.draw(st.lists(st.integers(0, len(text)), max_size=4)))
    pieces = [text[start:end] for start, end in itertools.pairwise([0, *cuts, len(text)])]
    whole = text.encode("utf-16", "surrogatepass").decode("utf-16", "replace")
    for name, kind in (("content", TextChunk), ("reasoning_content", ReasoningChunk), ("refusal", RefusalChunk)):
        reader = StreamReader(provider="x")
        got = feed(reader, *(delta_of(**{name: piece}) for piece in pieces), STOPPED)
        got += reader.end()
        assert "".join(chunk.text for chunk in got[:-1]) == whole
        assert {type(chunk) for chunk in got[:-1]} <= {kind}
    reader = StreamReader(provider="x")
    calls = [{"index": 0, "id": "c", "function": {"name": "f", "arguments": piece}} for piece in pieces]
    got = feed(reader, *(delta_of(tool_calls=[call]) for call in calls), STOPPED)
    got += reader.end()
    assert "".join(chunk.arguments for chunk in got if isinstance(chunk, ToolCallChunk)) == whole


def test_halves_of_text_and_of_reasoning_do_not_meet() -> None:
    reader = StreamReader(provider="x")
    got = feed(reader, delta_of(content="a\ud83d"), delta_of(reasoning_content="\ude00"))
    assert reader.plain_text(delta_of(content="b")) == ""
    got += feed(reader, delta_of(content="\ude00"))
    assert got == [TextChunk("a"), ReasoningChunk("\ufffd"), TextChunk("\U0001f600")]
    assert reader.plain_text(delta_of(content="b")) == "b"


def test_a_stream_that_was_cut_has_no_end() -> None:
    reader = StreamReader(provider="x")
    feed(reader, delta_of(content="a"))
    with pytest.raises(StreamBrokenError, match="without saying"):
        list(reader.end("lab/x"))


def test_unsigned_thinking_is_never_kept_for_sending_back() -> None:
    reader = StreamReader(provider="anthropic")
    blocks = [{"type": "thinking", "thinking": "half"}]
    delta = SimpleNamespace(content="", reasoning_content="half", thinking_blocks=blocks)
    chunk = SimpleNamespace(choices=[SimpleNamespace(delta=delta, finish_reason=None)])
    assert feed(reader, chunk) == [ReasoningChunk("half")]
    redacted = SimpleNamespace(content="", thinking_blocks=[{"type": "redacted_thinking", "data": "zz"}])
    chunk = SimpleNamespace(choices=[SimpleNamespace(delta=redacted, finish_reason=None)])
    (kept,) = feed(reader, chunk)
    assert kept.data["thinking_blocks"] == [{"type": "redacted_thinking", "data": "zz"}]


@pytest.mark.parametrize(
    ("raw", "usage"),
    [
        ({"prompt_tokens": 0, "completion_tokens": 0}, None),
        (
            {"prompt_tokens": 5, "completion_tokens": 2, "prompt_cache_hit_tokens": 3},
            Usage(input=5, cached_input=3, output=2),
        ),
        (
            {
                "prompt_tokens": 5,
                "completion_tokens": 2,
                "total_tokens": 17,
                "completion_tokens_details": {"reasoning_tokens": 10},
            },
            Usage(input=5, output=12, reasoning=10),
        ),
        (
            {
                "prompt_tokens": 5,
                "completion_tokens": 12,
                "total_tokens": 17,
                "completion_tokens_details": {"reasoning_tokens": 10},
            },
            Usage(input=5, output=12, reasoning=10),
        ),
        (
            {"prompt_tokens": 9, "cache_creation_input_tokens": 4, "prompt_tokens_details": None},
            Usage(input=9, cache_write=4),
        ),
    ],
)
def test_usage_in_its_several_forms(raw: dict[str, Any], usage: Usage | None) -> None:
    assert read_usage(raw) == usage


def test_finish_reasons() -> None:
    assert finish_reason("STOP", has_calls=True) == "tool_calls"
    assert finish_reason("SAFETY", has_calls=False) == "content_filter"
    assert finish_reason("max_tokens", has_calls=True) == "length"
    with pytest.raises(StreamBrokenError):
        finish_reason("MALFORMED_FUNCTION_CALL", has_calls=False)
    with pytest.raises(ServerError):
        finish_reason("error", has_calls=False)


@pytest.mark.parametrize(
    ("raw", "text"),
    [
        ("litellm.RateLimitError: AnthropicException - b'{\"a\": 1}'", '{"a": 1}'),
        ("litellm.APIError: APIError: OpenAIException - slow\nTraceback (most recent call last):\n  File x", "slow"),
        ("key sk-abcdef1234567890 and Bearer abcdef.123456", "key *** and ***"),
        ("https://x/?key=AIzaSyA1234567890123&alt=sse", "https://x/?key=***&alt=sse"),
        ("Cannot connect to host h:1 ssl:<ssl.SSLContext object at 0x7f15be> [no]", "Cannot connect to host h:1 [no]"),
        ("<html><head><title>504 &amp; gone</title></head>", "504 & gone"),
        ("a\x1b[31mb\x00\n\nc", "a [31mb c"),
        ("b''", ""),
    ],
)
def test_messages_are_cleaned(raw: str, text: str) -> None:
    assert clean(raw) == text


@given(st.text(max_size=800))
def test_cleaning_never_fails_and_leaves_one_printable_line(text: str) -> None:
    done = clean(text, ["hunter2"])
    assert len(done) <= LONGEST
    assert done.isprintable()
    assert "hunter2" not in clean(f"{text}hunter2", ["hunter2"])


@pytest.mark.parametrize("text", ["x" * 3_000_000, " " * 3_000_000 + "x", "b'" * 500_000, "<html>" + "y " * 500_000])
def test_a_page_for_an_error_takes_no_longer_than_a_line(text: str) -> None:
    assert 0 < len(clean(text)) <= LONGEST


def test_an_import_error_behind_a_connection_error_is_a_dependency_error() -> None:
    outer = ConnectionError("litellm.APIConnectionError: No module named 'mcp'")
    outer.__cause__ = ModuleNotFoundError("No module named 'mcp'", name="mcp")
    found = map_error(outer, WHERE)
    assert type(found) is DependencyError
    assert "mcp" in found.message


def test_a_bug_is_never_retried_before_the_answer_and_is_a_broken_stream_within_it() -> None:
    assert type(map_error(KeyError("choices"), WHERE)) is InternalError
    assert type(map_error(KeyError("choices"), WHERE, streaming=True)) is StreamBrokenError


def test_our_own_errors_pass_as_they_are() -> None:
    mine = ServerError("x")
    assert map_error(mine, WHERE) is mine


def test_a_chain_that_bites_its_tail_ends() -> None:
    one, two = ValueError("one"), ValueError("two")
    one.__cause__, two.__cause__ = two, one
    assert isinstance(map_error(one, WHERE), ModelError)


def test_googles_daily_quota_and_delay() -> None:
    def google(quota: str) -> Exception:
        details = [
            {"@type": "QuotaFailure", "violations": [{"quotaId": quota}]},
            {"@type": "RetryInfo", "retryDelay": "37s"},
        ]
        error = RuntimeError(json.dumps({"error": {"code": 429, "message": "quota", "details": details}}))
        error.status_code = 429  # pyright: ignore[reportAttributeAccessIssue]
        return error

    assert map_error(google("GenerateRequestsPerDayPerProject"), WHERE).type_name == "billing"
    minute = map_error(google("GenerateRequestsPerMinute"), WHERE)
    assert (minute.type_name, minute.retry_after) == ("rate_limit", 37.0)


@pytest.mark.parametrize(
    ("text", "seconds"),
    [
        ("6m0s", 360.0),
        ("120ms", 0.12),
        ("1h2m3.5s", 3723.5),
        ("7", 7.0),
        ("2026-01-02T03:05:05Z", 60.0),
        ("2020-01-01T00:00:00Z", 0.0),
        ("soon", None),
        ("", None),
    ],
)
def test_times_until_a_limit_is_reset(text: str, seconds: float | None) -> None:
    assert seconds_until(text, NOW) == seconds


def test_the_tightest_limit_is_told() -> None:
    headers = {
        "llm_provider-anthropic-ratelimit-requests-limit": "50",
        "llm_provider-anthropic-ratelimit-requests-remaining": "49",
        "llm_provider-anthropic-ratelimit-tokens-limit": "1000",
        "llm_provider-anthropic-ratelimit-tokens-remaining": "0",
        "llm_provider-anthropic-ratelimit-tokens-reset": "2026-01-02T03:04:35Z",
    }
    told = read_rate_limits(headers, NOW)
    assert told is not None
    assert (told.utilization, told.reset_at, told.allowed) == (1.0, 30.0, False)
    assert read_rate_limits({"x-ratelimit-limit-requests": "many"}) is None


async def test_only_our_own_deadline_is_too_slow() -> None:
    async def times_out() -> None:
        raise TimeoutError("from inside")

    with pytest.raises(TimeoutError, match="from inside"):
        await in_time(times_out(), 5)
    with pytest.raises(TooSlow):
        await in_time(asyncio.Event().wait(), 0.01)
    assert await in_time(asyncio.sleep(0, "done"), None) == "done"


async def test_a_cancellation_from_outside_passes_the_watchdog() -> None:
    cleaned: list[str] = []

    async def stuck() -> AsyncIterator[int]:
        try:
            await asyncio.Event().wait()
            yield 1
        finally:
            cleaned.append("yes")

    task = asyncio.create_task(read(stuck(), 10))
    await asyncio.sleep(0)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert cleaned == ["yes"]

"""What goes wrong, and the one error of ours it becomes."""

from __future__ import annotations

import re
import socket
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any

import pytest

from runner.errors import (
    AuthenticationError,
    BillingError,
    ContentFilterError,
    ContextOverflowError,
    InvalidRequestError,
    ModelError,
    ModelNotFoundError,
    NetworkError,
    OverloadedError,
    PermissionDeniedError,
    RateLimitError,
    ServerError,
    StreamBrokenError,
)
from runner.models.base import RateLimitChunk
from tests.provider.helpers import (
    ANTHROPIC,
    BOTH,
    DIRECT,
    EVERYONE,
    OPENAI,
    OPENROUTER,
    ROUTERS,
    ask,
    collect,
    collect_text,
    environ_at,
    environ_of,
    model_at,
    registry_of,
)
from tests.provider.replies import Call, Json, Reply, openai_chunk
from tests.provider.server import FakeProvider


def error(message: str, **more: Any) -> dict[str, Any]:
    return {"error": {"message": message, **more}}


async def failure(provider: FakeProvider, name: str, reply: Reply) -> ModelError:
    """The error a scripted reply ends in, checked for what no error may contain."""
    provider.script(reply)
    with pytest.raises(ModelError) as caught:
        await collect(model_at(provider, name), ask())
    message = caught.value.message
    assert not re.search(r"b'|b\"|Traceback|litellm|sk-test|sk-ant|sk-or|0x[0-9a-f]{6}|<html", message), message
    assert message
    assert "\n" not in message
    return caught.value


@pytest.mark.parametrize("name", EVERYONE)
@pytest.mark.parametrize(
    ("status", "kind"),
    [
        (400, InvalidRequestError),
        (401, AuthenticationError),
        (402, BillingError),
        (403, PermissionDeniedError),
        (404, ModelNotFoundError),
        (413, ContextOverflowError),
        (422, InvalidRequestError),
        (429, RateLimitError),
        (500, ServerError),
        (502, ServerError),
        (503, OverloadedError),
        (529, OverloadedError),
    ],
)
async def test_a_status_becomes_an_error_after_one_request(
    name: str, status: int, kind: type[ModelError], provider: FakeProvider
) -> None:
    found = await failure(provider, name, Reply(status=status))
    assert type(found) is kind
    assert found.status_code == status
    assert found.message == f"scripted failure {status}"
    assert len(provider.requests) == 1


BODIES = [
    (429, error("You exceeded your current quota", code="insufficient_quota"), BillingError, "You exceeded"),
    (429, error("slow down", code="rate_limit_exceeded", type="requests"), RateLimitError, "slow down"),
    (400, error("too long", code="context_length_exceeded"), ContextOverflowError, "too long"),
    (
        400,
        error("This endpoint's maximum context length is 8192 tokens. However, you requested 9000.", code=400),
        ContextOverflowError,
        "This endpoint's maximum context length",
    ),
    (400, error("prompt is too long: 210000 tokens > 200000 maximum"), ContextOverflowError, "prompt is too long"),
    (400, error("flagged", code="content_filter"), ContentFilterError, "flagged"),
    (400, error("Your credit balance is too low to access the API."), BillingError, "Your credit balance"),
    (404, error("no such thing", code="model_not_found"), ModelNotFoundError, "no such thing"),
    (400, error("vendor/x is not a valid model ID", code=400), ModelNotFoundError, "vendor/x is not"),
    (502, "<html><head><title>502 Bad Gateway</title></head><body>nginx</body></html>", ServerError, "502 Bad Gateway"),
    (500, "", ServerError, ""),
    (
        400,
        error(
            "Provider returned error",
            code=400,
            metadata={"raw": '{"error":{"message":"inner words","code":"context_length_exceeded"}}'},
        ),
        ContextOverflowError,
        "inner words",
    ),
]


@pytest.mark.parametrize("name", EVERYONE)
@pytest.mark.parametrize(("status", "body", "kind", "words"), BODIES)
async def test_the_body_decides_where_a_status_is_ambiguous(
    name: str, status: int, body: Any, kind: type[ModelError], words: str, provider: FakeProvider
) -> None:
    found = await failure(provider, name, Reply(status=status, error=body))
    assert type(found) is kind
    assert found.message.startswith(words)


@pytest.mark.parametrize("name", EVERYONE)
@pytest.mark.parametrize("form", ["seconds", "fraction", "date", "milliseconds"])
async def test_retry_after_in_each_form(name: str, form: str, provider: FakeProvider) -> None:
    date = format_datetime(datetime.now(UTC) + timedelta(seconds=7), usegmt=True)
    headers = {
        "seconds": {"retry-after": "7"},
        "fraction": {"retry-after": "6.5"},
        "date": {"retry-after": date},
        "milliseconds": {"retry-after-ms": "6500"},
    }[form]
    found = await failure(provider, name, Reply(status=429, headers=headers))
    assert type(found) is RateLimitError
    assert found.retry_after is not None
    assert 5 <= found.retry_after <= 7


async def test_a_senseless_retry_after_is_ignored(provider: FakeProvider) -> None:
    assert (await failure(provider, OPENAI, Reply(status=429, headers={"retry-after": "soon"}))).retry_after is None


async def test_limits_in_headers_are_told(provider: FakeProvider) -> None:
    headers = {
        "x-ratelimit-limit-requests": "100",
        "x-ratelimit-remaining-requests": "25",
        "x-ratelimit-reset-requests": "1m30s",
    }
    provider.script(Reply(text=["x"], headers=headers))
    told = [chunk for chunk in (await collect(model_at(provider), ask())).chunks if isinstance(chunk, RateLimitChunk)]
    assert told == [RateLimitChunk(utilization=0.75, reset_at=90.0, allowed=True)]


@pytest.mark.parametrize(
    ("name", "variable"),
    [
        (OPENAI, "OPENAI_API_KEY"),
        (DIRECT, "OPENAI_API_KEY"),
        (ANTHROPIC, "ANTHROPIC_API_KEY"),
        (OPENROUTER, "OPENROUTER_API_KEY"),
    ],
)
async def test_a_missing_key_is_told_before_anything_is_sent(name: str, variable: str, provider: FakeProvider) -> None:
    environ = environ_of(provider)
    environ[variable] = ""
    with pytest.raises(AuthenticationError) as caught:
        await collect(registry_of(environ, provider.base_url).resolve(name), ask())
    assert variable in caught.value.fix
    assert provider.requests == []


@pytest.mark.parametrize("name", EVERYONE)
async def test_a_refused_key_names_its_variable(name: str, provider: FakeProvider) -> None:
    key = environ_of(provider)["OPENAI_API_KEY"]
    found = await failure(provider, name, Reply(status=401, error=error(f"Incorrect API key provided: {key}")))
    assert found.fix.endswith("_API_KEY")
    assert "***" in found.message


@pytest.mark.parametrize("name", EVERYONE)
async def test_a_refused_connection(name: str) -> None:
    with socket.socket() as closed:
        closed.bind(("127.0.0.1", 0))
        base = f"http://127.0.0.1:{closed.getsockname()[1]}"
        with pytest.raises(NetworkError, match="refuses the connection") as caught:
            await collect(registry_of(environ_at(base), base).resolve(name), ask())
    assert base in caught.value.message
    assert caught.value.status_code is None


@pytest.mark.parametrize("name", EVERYONE)
async def test_a_host_that_does_not_exist(name: str, monkeypatch: pytest.MonkeyPatch) -> None:
    # A resolver that does not answer should not hold the test up.
    monkeypatch.setenv("RES_OPTIONS", "attempts:1 timeout:1")
    base = "http://no-such-host.invalid"
    with pytest.raises(NetworkError, match="is not found"):
        await collect(registry_of(environ_at(base), base).resolve(name), ask())


@pytest.mark.parametrize("name", EVERYONE)
@pytest.mark.parametrize("at", [0, 1, 3])
async def test_a_connection_cut_in_the_middle(name: str, at: int, provider: FakeProvider) -> None:
    found = await failure(provider, name, Reply(text=["a", "b", "c", "d"], cut_at=at))
    assert type(found) is StreamBrokenError


@pytest.mark.parametrize("name", EVERYONE)
@pytest.mark.parametrize("at", [0, 3])
async def test_a_clean_end_without_a_finish_reason_is_no_answer(name: str, at: int, provider: FakeProvider) -> None:
    found = await failure(provider, name, Reply(text=["a", "b", "c", "d"], end_at=at))
    assert type(found) is StreamBrokenError


@pytest.mark.parametrize("name", EVERYONE)
async def test_an_end_marker_without_a_finish_reason_is_no_answer(name: str, provider: FakeProvider) -> None:
    found = await failure(provider, name, Reply(text=["a", "b"], finish=None))
    assert type(found) is StreamBrokenError


@pytest.mark.parametrize("name", EVERYONE)
async def test_half_a_call_is_never_a_whole_one(name: str, provider: FakeProvider) -> None:
    call = Call(name="f", id="c", pieces=['{"pa', 'th": "/"}'])
    found = await failure(provider, name, Reply(calls=[call], cut_at=3 if name == ANTHROPIC else 2))
    assert type(found) is StreamBrokenError


@pytest.mark.parametrize("name", BOTH)
async def test_a_line_that_is_not_json(name: str, provider: FakeProvider) -> None:
    found = await failure(provider, name, Reply(text=["a", "b", "c"], malformed_at=2))
    assert type(found) is StreamBrokenError


async def test_an_error_event_in_the_stream(provider: FakeProvider) -> None:
    hello = openai_chunk("m", {"content": "a"})
    broken = 'data: {"error": {"message": "boom", "code": 502}}\n\n'
    for name in (OPENAI, DIRECT, *ROUTERS):
        found = await failure(provider, name, Reply(events=[hello, broken]))
        assert type(found) is ServerError
        assert "boom" in found.message
    event = 'event: error\ndata: {"type": "error", "error": {"type": "overloaded_error", "message": "Overloaded"}}\n\n'
    found = await failure(provider, ANTHROPIC, Reply(events=[event]))
    assert found.action == "retry"
    assert "Overloaded" in found.message


async def test_what_came_before_a_cut_was_delivered(provider: FakeProvider) -> None:
    provider.script(Reply(text=["a", "b", "c"], cut_at=3, delay=0.01))
    got: list[str] = []
    with pytest.raises(StreamBrokenError):
        await collect_text(model_at(provider), ask(), got)
    assert got == ["a", "b"]


def calls_events(*entries: Json) -> Reply:
    chunks = [openai_chunk("m", {"tool_calls": [entry]}) for entry in entries]
    return Reply(events=[*chunks, openai_chunk("m", {}, finish="tool_calls"), "data: [DONE]\n\n"])


def function(name: str | None = None, arguments: str | None = None) -> dict[str, Any]:
    pairs = {"name": name, "arguments": arguments}
    return {key: value for key, value in pairs.items() if value is not None}


CALLS: list[tuple[str, list[Json], list[Any]]] = [
    (
        "two under one index",
        [
            {"index": 0, "id": "a", "function": function("f", '{"x": 1}')},
            {"index": 0, "id": "b", "function": function("g", '{"y": ')},
            {"index": 0, "function": function(None, "2}")},
        ],
        [("a", "f", {"x": 1}), ("b", "g", {"y": 2})],
    ),
    (
        "no ids",
        [
            {"index": 0, "function": function("f", '{"x": 1}')},
            {"index": 1, "function": function("g", '{"y": 2}')},
        ],
        [("", "f", {"x": 1}), ("", "g", {"y": 2})],
    ),
    (
        "no ids under one index",
        [
            {"index": 0, "function": function("f", '{"x": 1}')},
            {"index": 0, "function": function("f", '{"x": 2}')},
        ],
        [("", "f", {"x": 1}), ("", "f", {"x": 2})],
    ),
    (
        "one id for two",
        [
            {"index": 0, "id": "same", "function": function("f", '{"x": 1}')},
            {"index": 1, "id": "same", "function": function("f", '{"x": 2}')},
        ],
        [("same", "f", {"x": 1}), ("same", "f", {"x": 2})],
    ),
    (
        "taking turns",
        [
            {"index": 0, "id": "a", "function": function("f", '{"x"')},
            {"index": 1, "id": "b", "function": function("g", "{")},
            {"index": 0, "function": function(None, ": 1}")},
            {"index": 1, "function": function(None, "}")},
        ],
        [("a", "f", {"x": 1}), ("b", "g", {})],
    ),
    (
        "id and name on each piece",
        [
            {"index": 0, "id": "a", "function": function("f", '{"x"')},
            {"index": 0, "id": "a", "function": function("f", ": 1}")},
            {"index": 0, "id": "a", "function": function("f", "")},
        ],
        [("a", "f", {"x": 1})],
    ),
]


@pytest.mark.parametrize("name", [OPENAI, DIRECT, *ROUTERS])
@pytest.mark.parametrize(("entries", "expected"), [case[1:] for case in CALLS], ids=[case[0] for case in CALLS])
async def test_calls_are_told_apart_whatever_the_index_says(
    name: str, entries: list[Json], expected: list[Any], provider: FakeProvider
) -> None:
    provider.script(calls_events(*entries))
    assert (await collect(model_at(provider, name), ask())).calls == expected

"""Every fault of a provider, with what it is told to do and the events it must come to: one table for all clients."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import format_datetime
from typing import Any, Final, Literal

from runner.models.providers import Dialect
from tests.provider.helpers import LOCAL
from tests.provider.replies import Call, Json, Reply, openai_chunk

Address = Literal["server", "refused", "nowhere"]

EVERY: Final[frozenset[Dialect]] = frozenset({"openai", "anthropic", "gemini", "mistral"})
IN_PIECES: Final[frozenset[Dialect]] = frozenset({"openai", "anthropic"})
"""These stream the arguments of a call; the others send a call whole."""
OPENAI_ONLY: Final[frozenset[Dialect]] = frozenset({"openai"})

MEGABYTE: Final = 1_000_000
FINE: Final = Reply(text=["Fi", "ne."])
DONE: Final = ("answer stop, reported: 'Fine.'", "end completed complete")


@dataclass(frozen=True, slots=True, kw_only=True)
class Fault:
    """replies: in order; what comes after them is FINE. events: after the first request, as `story` writes them; a star
    stands for what depends on how the network cut the answer.

    dialects: those in which it can be said. fallback: there is a second model. skipped: the dialects in which a damaged
    piece is left out without a word, because litellm does so.
    """

    name: str
    replies: tuple[Reply, ...] = ()
    events: tuple[str, ...]
    dialects: frozenset[Dialect] = EVERY
    skipped: frozenset[Dialect] = frozenset()
    address: Address = "server"
    fallback: bool = False
    config: Mapping[str, Any] = field(default_factory=dict[str, Any])


def _refused(name: str, status: int, kind: str, **more: Any) -> Fault:
    """A status that is tried again once."""
    events = (f"discard {kind}, nothing paid", f"retry {kind} {status} in 0.001", "ask 2", *DONE)
    return Fault(name=name, replies=(Reply(status=status, **more),), events=events)


def _final(name: str, status: int, kind: str, reason: str = "error") -> Fault:
    """A status that ends the run at once."""
    events = (f"discard {kind}, nothing paid", f"error {kind} {status} abort", f"end failed {reason}")
    return Fault(name=name, replies=(Reply(status=status),), events=events)


def _switched(name: str, status: int, kind: str) -> Fault:
    """A status that another model is the answer to."""
    events = (f"discard {kind}, nothing paid", f"switch {kind} {status} in 0", f"model fallback: {LOCAL}", "ask 2")
    return Fault(name=name, replies=(Reply(status=status),), events=(*events, *DONE), fallback=True)


def _asked_to_wait(name: str, value: str, seconds: int) -> Fault:
    wait = f"retry rate_limit 429 in {seconds}, asked for {seconds}"
    reply = Reply(status=429, headers={"retry-after": value})
    return Fault(name=name, replies=(reply,), events=("discard rate_limit, nothing paid", wait, "ask 2", *DONE))


def _broken(name: str, reply: Reply, *, paid: str = "nothing", kind: str = "stream_broken", **more: Any) -> Fault:
    """An answer that cannot be used, and the next one that can."""
    status = "*" if kind == "*" else "-"
    events = (f"discard {kind}, {paid} paid", f"retry {kind} {status} in 0.001", "ask 2", *DONE)
    return Fault(name=name, replies=(reply,), events=events, **more)


def _unreachable(name: str, address: Address) -> Fault:
    once = ("discard network, nothing paid", "retry network - in 0.001", "ask 2", "discard network, nothing paid")
    events = (*once, "error network - abort", "end failed error")
    return Fault(name=name, events=events, address=address, config={"max_retries": 1})


def _called(name: str, reply: Reply, *lines: str, dialects: frozenset[Dialect] = OPENAI_ONLY) -> Fault:
    """Calls that are understood or refused one by one, and the answer after them."""
    first = f"answer {reply.finish or 'tool_calls'}, reported: ''"
    return Fault(name=name, replies=(reply,), events=(first, *lines, "ask 1", *DONE), dialects=dialects)


def _pieces(*entries: Json) -> Reply:
    """Tool calls exactly as they are given."""
    chunks = [openai_chunk("m", {"tool_calls": [entry]}) for entry in entries]
    end = openai_chunk("m", {}, finish="tool_calls"), openai_chunk("m", None, usage=_USAGE)
    return Reply(events=[*chunks, *end, "data: [DONE]\n\n"])


def _piece(index: int, arguments: str, *, name: str = "weather", call_id: str | None = None) -> Json:
    function = {"name": name, "arguments": arguments} if name else {"arguments": arguments}
    return {"index": index, "type": "function", "function": function, **({"id": call_id} if call_id else {})}


_USAGE: Final[Json] = {"prompt_tokens": 12, "completion_tokens": 5, "total_tokens": 17}
_GOOD: Final = ("call weather", "result weather ok")
_BAD: Final = ("call weather (invalid)", "result weather invalid")
_TWO: Final = ("call weather", "call weather", "result weather ok", "result weather ok")
_LONG: Final = "x" * MEGABYTE
_IN_AN_HOUR: Final = format_datetime(datetime.now(UTC) + timedelta(hours=1), usegmt=True)


def in_a_minute() -> str:
    return format_datetime(datetime.now(UTC) + timedelta(seconds=60), usegmt=True)


def _raw(*texts: bytes) -> Reply:
    """Pieces of an answer whose bytes are given as they are."""
    pieces = [b'data: {"choices": [{"index": 0, "delta": {"content": "%s"}}]}\n\n' % text for text in texts]
    end = openai_chunk("m", {}, finish="stop"), openai_chunk("m", None, usage=_USAGE), "data: [DONE]\n\n"
    return Reply(events=[*pieces, *end])


STATUSES: Final = (
    _refused("rate-limit", 429, "rate_limit"),
    _asked_to_wait("rate-limit-for-seconds", "60", 60),
    Fault(
        name="rate-limit-for-too-long",
        replies=(Reply(status=429, headers={"retry-after": _IN_AN_HOUR}),),
        events=("discard rate_limit, nothing paid", "error rate_limit 429 abort", "end failed error"),
    ),
    _refused("status-500", 500, "server_error"),
    _refused("status-502", 502, "server_error", error="<html><title>502 Bad Gateway</title></html>"),
    _refused("status-503", 503, "overloaded"),
    _refused("status-529", 529, "overloaded"),
    _final("status-401", 401, "authentication"),
    _final("status-402", 402, "billing"),
    _final("status-404", 404, "model_not_found"),
    _final("status-413", 413, "context_overflow", "context_overflow"),
    _switched("status-402-with-a-fallback", 402, "billing"),
    _switched("status-404-with-a-fallback", 404, "model_not_found"),
    _switched("status-413-with-a-fallback", 413, "context_overflow"),
    Fault(
        name="status-400-is-repaired-once",
        replies=(Reply(status=400), Reply(status=400)),
        events=(
            "discard invalid_request, nothing paid",
            "repair invalid_request 400 in 0",
            "ask 2",
            "discard invalid_request, nothing paid",
            "error invalid_request 400 abort",
            "end failed error",
        ),
    ),
    Fault(
        name="status-500-for-ever",
        replies=(Reply(status=500),) * 9,
        events=(
            *(
                line
                for number, wait in enumerate(("0.001", "0.002", "0.004"), 2)
                for line in (
                    "discard server_error, nothing paid",
                    f"retry server_error 500 in {wait}",
                    f"ask {number}",
                )
            ),
            "discard server_error, nothing paid",
            "error server_error 500 abort",
            "end failed error",
        ),
    ),
)

CONNECTIONS: Final = (
    _unreachable("refused", "refused"),
    _unreachable("no-such-host", "nowhere"),
    _broken("closed-without-an-answer", Reply(no_answer=True), kind="network"),
    _broken("stalled-headers", Reply(stall_headers=True), kind="timeout", config={"first_token_timeout": 0.3}),
    _broken(
        "stalled-stream",
        Reply(text=["some ", "words"], stall_at=3, comment_every=0.05),
        kind="stream_idle",
        paid="estimated",
        config={"stream_idle_timeout": 0.3},
    ),
    _broken("cut-stream", Reply(text=["some ", "words"], cut_at=3), paid="*"),
    _broken("cut-before-the-first-word", Reply(text=["some ", "words"], cut_at=1)),
    _broken("clean-end-without-a-finish", Reply(text=["some ", "words"], end_at=3), paid="estimated"),
    _broken(
        "malformed-line",
        Reply(text=["some ", "words"], malformed_at=3),
        paid="estimated",
        skipped=frozenset({"mistral"}),
    ),
    _broken("malformed-chunk", Reply(text=["some ", "words"], misframed_at=3), kind="*", paid="*"),
)

ANSWERS: Final = (
    Fault(
        name="unknown-finish-reason",
        replies=(Reply(text=["some"], finish="never_heard_of"),),
        events=("answer stop, reported: 'some'", "end completed complete"),
    ),
    Fault(
        name="no-usage",
        replies=(Reply(text=["some"], usage=None),),
        events=("answer stop, estimated: 'some'", "end completed complete"),
    ),
    Fault(
        name="five-megabytes-of-one-line",
        replies=(Reply(text=["x" * 5 * MEGABYTE]),),
        events=(f"answer stop, reported: 'xxxx' and so on, {5 * MEGABYTE} characters", "end completed complete"),
    ),
    Fault(
        name="ten-thousand-identical-chunks",
        dialects=IN_PIECES,
        replies=(Reply(text=["-----"] * 10_000),),
        events=("answer stop, reported: '----' and so on, 50000 characters", "end completed complete"),
    ),
    _broken("invalid-utf-8", _raw(b"some ", b"w\xff\xferds"), paid="estimated", dialects=OPENAI_ONLY),
    Fault(
        name="a-character-in-two-halves",
        replies=(_raw(rb"\ud83d", rb"\ude00"),),
        events=("answer stop, reported: '\U0001f600'", "end completed complete"),
        dialects=OPENAI_ONLY,
    ),
)

CALLS: Final = (
    _called(
        "a-good-call", Reply(calls=[Call(name="weather", pieces=['{"city":', ' "Oslo"}'])]), *_GOOD, dialects=EVERY
    ),
    _called(
        "duplicate-ids",
        _pieces(_piece(0, '{"city": "Oslo"}', call_id="same"), _piece(1, '{"city": "Rome"}', call_id="same")),
        *_TWO,
    ),
    _called("calls-without-ids", _pieces(_piece(0, '{"city": "Oslo"}'), _piece(1, '{"city": "Rome"}')), *_TWO),
    _called(
        "two-calls-under-one-index",
        _pieces(
            _piece(0, '{"city": "Oslo"}', call_id="a"),
            _piece(0, '{"city":', call_id="b"),
            _piece(0, ' "Rome"}', name=""),
        ),
        *_TWO,
    ),
    _called(
        "arguments-cut-by-length",
        Reply(calls=[Call(name="weather", pieces=['{"city": "Os'])], finish="length"),
        *_BAD,
        dialects=IN_PIECES,
    ),
    _called("arguments-that-are-no-json", _pieces(_piece(0, '{"city": "Os', call_id="a")), *_BAD),
    _called(
        "one-megabyte-of-arguments",
        Reply(calls=[Call(name="weather", pieces=['{"city": "', *([_LONG[:20_000]] * 50), '"}'])]),
        *_GOOD,
        dialects=EVERY,
    ),
    _called(
        "an-unknown-tool",
        _pieces(_piece(0, "{}", name="wether", call_id="a")),
        "call wether (invalid)",
        "result wether invalid",
    ),
    _broken(
        "a-call-cut-in-the-middle",
        Reply(calls=[Call(name="weather", pieces=['{"ci', 'ty": "Oslo"}'])], cut_at=3),
        paid="*",
        dialects=IN_PIECES,
    ),
)

FAULTS: Final = (*STATUSES, *CONNECTIONS, *ANSWERS, *CALLS)

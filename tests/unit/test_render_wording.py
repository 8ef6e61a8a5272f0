"""Each event that the transcript shows, in words."""

from __future__ import annotations

from decimal import Decimal

import pytest

from runner.events import (
    AbortRequested,
    AttemptDiscarded,
    ErrorInfo,
    ErrorOccurred,
    Event,
    HandoffCompleted,
    HandoffIgnored,
    LimitReached,
    LimitWarning,
    ModelSwitched,
    Notification,
    Paused,
    Resumed,
    RetryScheduled,
    RunFinished,
    StateUpdated,
    StopRequested,
    UnknownEvent,
)
from runner.state.run import Reason
from runner.usage import Usage
from tests.tui.transcript_runs import BEGINNING
from themes.vocabulary import BASE, TOKENS
from tui.render.receipt import receipt_words
from tui.render.wording import REASONS, notice

RATE = ErrorInfo(type="rate_limit", message="Too many\nrequests", status_code=429)
USED = Usage(input=1000, output=234)


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (
            RetryScheduled(error=RATE, delay=2.0),
            "Trying again in 2.0 s: the provider's rate limit is reached (429): Too many requests",
        ),
        (
            RetryScheduled(error=ErrorInfo(type="overloaded", message="busy"), delay=20.0, retry_after=20.0),
            "Trying again in 20 s, as the provider asked: the provider is overloaded: busy",
        ),
        (
            RetryScheduled(error=ErrorInfo(type="network", message=""), action="switch"),
            "Trying the next model: the provider cannot be reached",
        ),
        (
            RetryScheduled(error=ErrorInfo(type="context_overflow", message=""), action="compact"),
            "Shortening the history: the conversation is too long for the model",
        ),
        (
            RetryScheduled(error=ErrorInfo(type="odd_thing", message="x"), action="repair"),
            "Repairing the history: odd thing: x",
        ),
        (
            AttemptDiscarded(reason="stream_broken", usage=USED, cost_usd=Decimal("0.01")),
            "An attempt is discarded: the answer broke off · still paid: 1.2k tokens, $0.0100",
        ),
        (
            AttemptDiscarded(reason="model_switch", usage=USED),
            "An attempt is discarded: model switch · still paid: 1.2k tokens, cost unknown",
        ),
        (AttemptDiscarded(), "An attempt is discarded: not usable"),
        (ModelSwitched(old="a", new="b"), "Model: a → b"),
        (ModelSwitched(old="a", new="b", cause="fallback"), "Model: a → b, the one before failed"),
        (LimitWarning(limit="max_turns", used=Decimal(8), value=Decimal(10)), "Limit near: 8 of 10 turns"),
        (
            LimitReached(limit="max_cost_usd", used=Decimal("1.2"), value=Decimal(1)),
            "Limit reached: cost $1.20 of $1.00",
        ),
        (
            LimitWarning(limit="max_time", used=Decimal(240), value=Decimal(300)),
            "Limit near: active time 4 min 00 s of 5 min 00 s",
        ),
        (
            LimitWarning(limit="max_total_tokens", used=Decimal(80000), value=Decimal(100000)),
            "Limit near: 80,000 of 100,000 tokens",
        ),
        (StopRequested(), "Stop requested by you: the current step is finished first"),
        (AbortRequested(by="signal"), "Abort requested by a signal: everything is closed now"),
        (Paused(), "Paused by you"),
        (Resumed(by="program"), "Resumed by a program"),
        (
            ErrorOccurred(error=ErrorInfo(type="authentication", message="no key", status_code=401)),
            "The provider does not accept the key (401): no key",
        ),
        (
            RunFinished(
                status="completed", reason="complete", turns=1, seconds=3.25, usage=USED, cost_usd=Decimal("0.5")
            ),
            "Done · 1 turn · 3.2 s · 1.2k tokens · $0.5000",
        ),
        (
            RunFinished(status="cancelled", reason="aborted", turns=2, seconds=61, usage=USED),
            "Aborted · 2 turns · 1 min 01 s · 1.2k tokens · cost unknown",
        ),
        (
            RunFinished(status="completed", reason="complete", usage=USED, cost_usd=Decimal(0)),
            "Done · 0.0 s · 1.2k tokens · $0",
        ),
        (
            RunFinished(status="failed", reason="max_turns_exceeded", turns=10, seconds=5),
            "Ended: all allowed turns are used · 10 turns · 5.0 s",
        ),
        (Notification(text="Something to know\nand more", level="warning"), "Something to know"),
        (HandoffCompleted(old="a", new="b"), "Handed over: a → b"),
        (HandoffIgnored(old="a", new="b"), "Handover to b ignored: another one came first"),
        (UnknownEvent(kind="teleported", data={}), "An event of a newer version: teleported"),
        (StateUpdated(), "state updated"),
        (Notification(text="evil \x1b]0;x\x07\u202e"), "evil ␛⟦U+202E⟧"),
    ],
)
def test_words(event: Event, text: str) -> None:
    shown = notice(event)
    assert shown.text == text
    assert len(shown.glyph) == 1
    assert shown.colour in {*TOKENS, *BASE}


def test_an_error_says_what_to_do() -> None:
    error = ErrorInfo(type="authentication", message="no key", fix="set OPENAI_API_KEY")
    assert notice(ErrorOccurred(error=error, time=BEGINNING)).details == ("What to do: set OPENAI_API_KEY",)


def test_every_reason_has_words() -> None:
    reasons: tuple[str, ...] = Reason.__args__
    assert set(reasons) == set(REASONS)


def test_the_outcome_is_told_without_colour() -> None:
    glyphs = {
        notice(RunFinished(status=status, reason="error")).glyph for status in ("completed", "failed", "cancelled")
    }
    assert len(glyphs) == 3


def test_a_receipt_says_what_was_closed_and_what_may_have_had_effects() -> None:
    request = {"model": "m", "closed": True, "usage": {"input": 1200, "output": 30}, "usage_source": "estimated"}
    receipt: dict[str, object] = {
        "requests": [{**request, "cost_usd": "0.01"}, {"model": "n", "usage_source": "reported", "cost_usd": None}],
        "processes": [{"pid": 7, "name": "bash", "how": "killed"}, {"pid": 8, "name": "sleep", "how": "survived"}],
        "tools": [{"tool": "shell", "side_effects": "unknown"}, {"tool": "search", "side_effects": "none"}],
        "cost_usd": "0.01",
    }
    assert receipt_words(receipt) == [
        "Request to m closed · ≈ 1.2k tokens in · ≈ 30 tokens out · ≈ $0.0100 · estimated",
        "Request to n closed · cost unknown",
        "Process bash (pid 7) killed with SIGKILL",
        "Process sleep (pid 8) is STILL ALIVE, end it yourself",
        "shell was cut and may have had effects: check before relying on it",
        "search was cut and changed nothing",
    ]
    assert receipt_words({"requests": [], "processes": "damaged", "tools": [3]}) == ["Nothing was open"]
    assert receipt_words(None) == []

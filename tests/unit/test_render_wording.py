"""Each event that the transcript shows, in words."""

from __future__ import annotations

from decimal import Decimal

import pytest

from runner.control.commands import LimitName
from runner.events import (
    AbortRequested,
    AttemptDiscarded,
    CompactionFinished,
    CompactionStarted,
    ErrorInfo,
    ErrorOccurred,
    Event,
    HandoffCompleted,
    HandoffIgnored,
    LimitChanged,
    LimitReached,
    LimitWarning,
    ModelSwitched,
    Notification,
    Paused,
    Resumed,
    RetryScheduled,
    RetrySkipped,
    RunFinished,
    SamplingFinished,
    StateUpdated,
    StopRequested,
    UnknownEvent,
)
from runner.state.run import Reason
from runner.usage import Usage
from tests.tui.transcript_runs import BEGINNING
from themes.vocabulary import BASE, TOKENS
from tui.render.limits import LIMITS, limit_name, quantity
from tui.render.wording import REASONS, notice

RATE = ErrorInfo(type="rate_limit", message="Too many\nrequests", status_code=429)
USED = Usage(input=1000, output=234)


@pytest.mark.parametrize(
    ("event", "text"),
    [
        (
            RetryScheduled(error=RATE, delay=2.0, attempt=2),
            "Attempt 2: rate limit (429). Trying again in 2.0 s · Too many requests",
        ),
        (
            RetryScheduled(error=ErrorInfo(type="overloaded", message="busy"), delay=20.0, retry_after=20.0),
            "An attempt: provider overloaded. Trying again in 20 s, as the provider asked · busy",
        ),
        (
            RetryScheduled(error=ErrorInfo(type="network", message=""), action="switch"),
            "An attempt: provider not reached. Trying the next model",
        ),
        (
            RetryScheduled(error=ErrorInfo(type="context_overflow", message=""), action="compact"),
            "An attempt: history too long. Summarising the history first",
        ),
        (
            RetryScheduled(error=ErrorInfo(type="odd_thing", message="x"), action="repair"),
            "An attempt: odd thing. Repairing the history · x",
        ),
        (RetrySkipped(), "Trying again at once, by you"),
        (RetrySkipped(by="program", to="next_model"), "Trying the next model at once, by a program"),
        (RetrySkipped(to="message"), "Not waiting any longer, a message goes first, by you"),
        (
            AttemptDiscarded(reason="stream_broken", usage=USED, usage_source="reported", cost_usd=Decimal("0.01")),
            "An attempt: answer broke off. It is discarded · still paid: 1.2k tokens, $0.0100",
        ),
        (
            AttemptDiscarded(reason="model_switched", usage=USED, usage_source="estimated", cost_usd=Decimal("0.0123")),
            "An attempt: another model was chosen. It is given up · still paid: ~1.2k tokens, ~$0.01",
        ),
        (
            AttemptDiscarded(reason="odd", usage=USED),
            "An attempt: odd. It is discarded · still paid: ~1.2k tokens, cost unknown",
        ),
        (AttemptDiscarded(), "An attempt: not usable. It is discarded"),
        (ModelSwitched(old="a", new="b"), "Model: a → b"),
        (ModelSwitched(old="a", new="b", cause="fallback"), "Model: a → b, the one before failed"),
        (LimitWarning(limit="max_turns", used=Decimal(8), value=Decimal(10)), "The turn limit is near: 8 of 10 turns"),
        (
            LimitReached(limit="max_cost_usd", used=Decimal("1.2"), value=Decimal(1)),
            "The cost limit is reached: $1.20 of $1.00",
        ),
        (
            LimitReached(limit="max_turns", used=Decimal(3), value=Decimal(3), asks=True),
            "The turn limit is reached: 3 of 3 turns · paused until you decide",
        ),
        (
            LimitReached(
                limit="max_cost_usd",
                used=Decimal("2.45"),
                value=Decimal("2.5"),
                why="next_request",
                needed=Decimal("0.131"),
            ),
            "The next request could pass the cost limit (its input: ~$0.13): $2.45 of $2.50 used",
        ),
        (
            LimitReached(
                limit="max_input_tokens",
                used=Decimal(90_000),
                value=Decimal(100_000),
                why="next_request",
                needed=Decimal(41_600),
            ),
            "The next request could pass the input token limit (its input: ~42k): 90,000 of 100,000 input tokens used",
        ),
        (
            LimitReached(limit="max_cost_usd", value=Decimal(1), why="unknown_price", model="lab/x"),
            "The cost limit of $1.00 cannot be kept: the price of lab/x is not known",
        ),
        (
            LimitWarning(limit="max_time", used=Decimal(240), value=Decimal(300)),
            "The time limit is near: 4 min 00 s of 5 min 00 s",
        ),
        (
            LimitWarning(limit="max_total_tokens", used=Decimal(80000), value=Decimal(100000)),
            "The token limit is near: 80,000 of 100,000 tokens",
        ),
        (
            LimitChanged(limit="max_cost_usd", old=Decimal("2.5"), value=Decimal(5)),
            "Cost limit changed by you: $2.50 → $5.00",
        ),
        (
            LimitChanged(limit="max_turns", old=Decimal(3), value=Decimal(5), by="program"),
            "Turn limit changed by a program: 3 → 5 turns",
        ),
        (LimitChanged(limit="max_time", old=Decimal(300)), "Time limit changed by you: 5 min 00 s → off"),
        (
            LimitChanged(limit="tool_timeout", value=Decimal(90)),
            "Timeout for a tool call changed by you: off → 1 min 30 s",
        ),
        (
            CompactionStarted(tokens_before=162_000, cause="threshold"),
            "Summarising the history: ~162k tokens, because the context window is nearly full",
        ),
        (
            CompactionStarted(tokens_before=162_000, cause="overflow"),
            "Summarising the history: ~162k tokens, because it is too long for the model",
        ),
        (CompactionStarted(tokens_before=9000, cause="user"), "Summarising the history: ~9.0k tokens, as you asked"),
        (
            CompactionFinished(tokens_before=162_000, tokens_after=14_200, usage=USED, cost_usd=Decimal("0.0213")),
            "History summarised: ~162k → ~14k tokens, $0.0213",
        ),
        (
            CompactionFinished(
                tokens_before=162_000,
                tokens_after=14_200,
                usage=USED,
                cost_usd=Decimal("0.0213"),
                usage_source="estimated",
            ),
            "History summarised: ~162k → ~14k tokens, ~$0.02",
        ),
        (
            CompactionFinished(tokens_before=9000, tokens_after=800, usage=USED),
            "History summarised: ~9.0k → ~800 tokens, cost unknown",
        ),
        (
            CompactionFinished(
                tokens_before=9000, tokens_after=800, how="outline", error="rate limit", cost_usd=Decimal(0)
            ),
            "History cut down to an outline: ~9.0k → ~800 tokens · no model summarised it: rate limit",
        ),
        (
            CompactionFinished(tokens_before=9000, how="none", error="aborted", cost_usd=Decimal(0)),
            "History left as it is: ~9.0k tokens · the summary was not made: aborted",
        ),
        (
            SamplingFinished(who="git\x1b[2J", text="x", usage=USED, cost_usd=Decimal("0.0213")),
            "git␛ asked the model: 1.2k tokens, $0.0213",
        ),
        (
            SamplingFinished(who="git", how="failed", error="rate limit", cost_usd=Decimal(0)),
            "git asked the model in vain · rate limit",
        ),
        (
            SamplingFinished(who="git", how="none", usage=USED, usage_source="estimated"),
            "git asked the model, and the request was closed: ~1.2k tokens, cost unknown",
        ),
        (StopRequested(), "Stop requested by you: the current step is finished first"),
        (AbortRequested(by="signal"), "Abort requested by a signal: everything is closed now"),
        (Paused(), "Paused by you"),
        (Paused(by="limit", limit="max_time"), "Paused: the time limit is reached"),
        (Resumed(by="program"), "Resumed by a program"),
        (Resumed(by="limit"), "Resumed"),
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


def test_every_limit_has_words_and_a_unit() -> None:
    names: tuple[str, ...] = LimitName.__args__
    assert set(LIMITS) == set(names)
    for name in names:
        assert "_" not in limit_name(name)
        assert quantity(name, Decimal("90"))
    assert quantity("first_token_timeout", Decimal(30)) == "30 s"
    assert quantity("max_total_tokens", Decimal("8E+4")) == "80,000"


def test_an_estimated_total_is_marked() -> None:
    receipt: dict[str, object] = {"requests": [], "estimated": True}
    event = RunFinished(status="cancelled", reason="aborted", usage=USED, cost_usd=Decimal("0.0512"), receipt=receipt)
    assert notice(event).text == "Aborted · 0.0 s · ~1.2k tokens · ~$0.0512"

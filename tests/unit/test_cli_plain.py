"""The plain printer: what of a run goes to stdout and what to stderr, whatever happens to its deltas."""

from __future__ import annotations

import itertools
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.events import (
    ApprovalResolved,
    AttemptDiscarded,
    CompactionFinished,
    CompactionStarted,
    ErrorInfo,
    ErrorOccurred,
    Event,
    LimitChanged,
    LimitReached,
    ModelResponded,
    ModelSwitched,
    Paused,
    ReasoningDelta,
    Resumed,
    RetryScheduled,
    RetrySkipped,
    RunFinished,
    TextDelta,
    ToolFinished,
    ToolProposed,
)
from runner.usage import Usage
from tui.plain import PlainPrinter


def play(*events: Event | str, terminal: bool = False) -> tuple[str, list[str]]:
    """Everything printed; a text stands for a delta of the answer."""
    printer = PlainPrinter(terminal=terminal)
    out = ""
    err: list[str] = []
    for event in events:
        printed = printer.feed(TextDelta(text=event) if isinstance(event, str) else event)
        out += "".join(printed.out)
        err += printed.err
    return out, err


def test_the_answer_is_its_deltas_and_a_newline() -> None:
    assert play("Hel", "lo", ModelResponded(text="Hello"))[0] == "Hello\n"
    assert play("Hello\n", ModelResponded(text="Hello\n"))[0] == "Hello\n"
    assert play("One", ModelResponded(text="One"), "Two", ModelResponded(text="Two"))[0] == "One\nTwo\n"


def test_reasoning_is_no_answer() -> None:
    assert play(ReasoningDelta(text="hm"), ModelResponded(text="", reasoning="hm")) == ("", [])


def test_a_response_without_deltas_is_printed_whole() -> None:
    assert play(ModelResponded(text="Hello"))[0] == "Hello\n"


@pytest.mark.parametrize(
    ("first", "second", "printed"),
    [
        ("The sea", "The sea is deep.", "The sea is deep.\n"),
        ("The sea is deep.", "The sea", "The sea is deep.\n"),
        ("The sea", "A lake.", "The sea\nA lake.\n"),
        ("", "A lake.", "A lake.\n"),
        ("The sea", "", "The sea\n"),
    ],
)
@pytest.mark.parametrize("whole", [True, False], ids=["in one piece", "letter by letter"])
def test_a_retry_prints_only_what_is_new(first: str, second: str, printed: str, whole: bool) -> None:
    pieces = [second] if whole else list(second)
    assert play(first, AttemptDiscarded(), *pieces, ModelResponded(text=second))[0] == printed


def test_two_discarded_attempts() -> None:
    out, _ = play("The", AttemptDiscarded(), "The se", AttemptDiscarded(), "The sea.", ModelResponded(text="The sea."))
    assert out == "The sea.\n"


@given(st.text("ab \n", max_size=12), st.lists(st.integers(0, 12), max_size=3), st.integers(0, 12))
def test_dropped_deltas_lose_no_text(text: str, cuts: list[int], gap_from: int) -> None:
    printer = PlainPrinter(terminal=False)
    out = ""
    edges = sorted({0, len(text), *(min(cut, len(text)) for cut in cuts)})
    for start, end in itertools.pairwise(edges):
        if start >= gap_from:
            printer.gap()
            continue
        out += "".join(printer.feed(TextDelta(text=text[start:end])).out)
    out += "".join(printer.feed(ModelResponded(text=text)).out)
    assert out == (text if not text or text.endswith("\n") else text + "\n")


@given(st.lists(st.text(max_size=6), max_size=8), st.booleans())
def test_nothing_that_a_terminal_obeys_is_printed(pieces: list[str], terminal: bool) -> None:
    out, _ = play(*pieces, ModelResponded(text="".join(pieces)), terminal=terminal)
    assert not [char for char in out if (ord(char) < 32 and char not in "\n\t") or 127 <= ord(char) < 160]


def test_a_pipe_keeps_tabs_and_every_letter_and_a_terminal_sees_marks() -> None:
    text = "all:\n\tcc \x1b[31mred\x1b[0m ne\u200cw"
    piped, _ = play(text, ModelResponded(text=text))
    assert piped == "all:\n\tcc [31mred[0m ne\u200cw\n"
    shown, _ = play(text, ModelResponded(text=text), terminal=True)
    assert "\x1b" not in shown
    assert "red" in shown
    assert "\u200c" not in shown


def call(status: str = "ok", output: str = "", **arguments: object) -> tuple[Event, Event]:
    proposed = ToolProposed(call_id="c", tool="shell", arguments=dict(arguments))
    finished = ToolFinished(call_id="c", tool="shell", status=status, output=output, seconds=1.25)  # pyright: ignore[reportArgumentType]
    return proposed, finished


def test_a_tool_call_is_one_line() -> None:
    assert play(*call(command="make test\nmake clean"))[1] == ["[ok] shell make test make clean (1.2 s)"]


def test_a_call_that_failed_says_why_in_the_same_line() -> None:
    assert play(*call("denied", "Not executed:\nnobody is here.", command="rm x"))[1] == [
        "[denied] shell rm x (1.2 s): Not executed: nobody is here."
    ]


def test_an_edited_call_shows_what_ran() -> None:
    proposed, finished = call(command="rm x")
    edited = ApprovalResolved(call_id="c", decision="edit", arguments={"command": "ls"})
    assert play(proposed, edited, finished)[1] == ["[ok] shell ls (1.2 s)"]


def test_a_line_on_stderr_is_short_and_obeys_nobody() -> None:
    [line] = play(*call("error", "\x1b]0;x\x07" + "y" * 5000, command="\x1b[2J" + "x" * 5000))[1]
    assert len(line) < 500
    assert line.isprintable()


def test_what_happens_to_the_run_is_told_on_stderr() -> None:
    error = ErrorInfo(type="rate_limit", message="slow\ndown", fix="Wait.", status_code=429)
    _, lines = play(
        RetryScheduled(error=error, delay=2.0, action="retry"),
        RetrySkipped(by="program", to="next_model"),
        ModelSwitched(old="a", new="b", cause="fallback"),
        LimitReached(limit="max_turns", used=Decimal(3), value=Decimal(3), asks=True),
        Paused(by="limit", limit="max_turns"),
        Paused(by="program"),
        LimitChanged(limit="max_turns", old=Decimal(3), value=Decimal(5), by="program"),
        Resumed(by="program"),
        CompactionStarted(tokens_before=9000, model="a"),
        CompactionFinished(tokens_before=9000, tokens_after=800, summary="A\nlong\nsummary", dropped=4, model="a"),
        ErrorOccurred(error=error, fatal=True),
    )
    assert all(line.startswith("quarterdeck: ") and line.isprintable() for line in lines)
    wanted = [
        ("2.0 s", "rate limit", "(429)", "slow down"),
        ("What to do: Wait.",),
        ("next model",),
        ("a → b",),
        ("3 of 3 turns",),
        ("Paused by a program",),
        ("5", "turns"),
        ("Resumed",),
        ("9.0k",),
        ("9.0k", "800"),
        ("rate limit", "(429)", "slow down"),
        ("What to do: Wait.",),
    ]
    assert len(lines) == len(wanted), lines
    for line, parts in zip(lines, wanted, strict=True):
        assert all(part in line for part in parts), (line, parts)


def test_what_a_receipt_says_is_told_before_the_summary() -> None:
    receipt: dict[str, object] = {
        "requests": [{"model": "m/x", "usage": {"input": 10, "output": 2}, "usage_source": "estimated"}],
        "processes": [{"name": "sleep \x1b[31m600", "pid": 77, "pgid": 77, "how": "killed", "call_id": "c"}],
        "tools": [{"call_id": "c", "tool": "shell", "side_effects": "unknown"}],
    }
    _, lines = play(RunFinished(status="cancelled", reason="aborted", receipt=receipt, session_id="s"))
    *told, last = lines
    assert last.startswith("quarterdeck: cancelled (aborted): ")
    assert [next(part for part in ("m/x", "pid 77", "shell") if part in line) for line in told] == [
        "m/x",
        "pid 77",
        "shell",
    ]
    assert all(line.isprintable() for line in told)


@pytest.mark.parametrize(
    ("status", "reason", "cost", "begins", "tells"),
    [
        ("completed", "complete", Decimal("0.0123"), "quarterdeck: completed: ", "$0.0123"),
        ("failed", "budget_exceeded", None, "quarterdeck: failed (budget_exceeded): ", "cost unknown"),
    ],
)
def test_the_end_is_one_line(status: str, reason: str, cost: Decimal | None, begins: str, tells: str) -> None:
    end = RunFinished(
        status=status, reason=reason, cost_usd=cost, usage=Usage(input=1500, output=20), turns=1, session_id="s"
    )
    out, [line] = play("Half", end)
    assert out == "Half\n"
    assert line.startswith(begins)
    assert tells in line
    assert "1 turn, 1.5k tokens in, 20 out" in line
    assert line.endswith("session s")

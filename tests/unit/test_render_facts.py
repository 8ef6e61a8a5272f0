"""Facts in the transcript: those told in one line, what is unfolded, and the receipt of an abort."""

from __future__ import annotations

import unicodedata
from dataclasses import replace
from decimal import Decimal

import pytest
from hypothesis import given
from hypothesis import strategies as st

from runner.events import (
    AttemptDiscarded,
    CompactionFinished,
    ErrorInfo,
    ErrorOccurred,
    Event,
    LimitChanged,
    LimitReached,
    MessageDelivered,
    MessageQueued,
    ModelResponded,
    ModelSwitched,
    Paused,
    QueueChanged,
    QueuedText,
    Resumed,
    RetryScheduled,
    RetrySkipped,
    RunFinished,
    TurnFinished,
)
from runner.usage import Usage
from tests.tui.transcript_runs import Feed
from tui.render.document import Document, Place
from tui.render.model import TranscriptModel
from tui.render.receipt import receipt_advice, receipt_rest, receipt_words

RATE = ErrorInfo(type="rate_limit", message="Too many requests", status_code=429)
CUT = AttemptDiscarded(model="a", reason="stream_broken", usage=Usage(input=1000, output=200), cost_usd=Decimal("0.01"))
RETRY = RetryScheduled(error=RATE, delay=2.0)
SWITCH = RetryScheduled(error=RATE, action="switch")
FALLBACK = ModelSwitched(old="a", new="b", cause="fallback")
REACHED = LimitReached(limit="max_turns", used=Decimal(3), value=Decimal(3), asks=True)
FATAL = ErrorOccurred(error=ErrorInfo(type="authentication", message="no key", fix="set X_KEY"), fatal=True)


def shown(*events: Event, width: int = 100) -> list[str]:
    """The transcript below the first message."""
    feed = Feed()
    feed.begin()
    feed(*events)
    return rows(feed, width)[2:]


def rows(feed: Feed, width: int = 100) -> list[str]:
    return lines(model_of(feed, width))


def model_of(feed: Feed, width: int = 100) -> TranscriptModel:
    model = TranscriptModel(Document(width))
    model.show([feed.state])
    return model


def lines(model: TranscriptModel) -> list[str]:
    return [line.text for _, line in model.document.window(Place(0, 0, 0), 1000)]


@pytest.mark.parametrize(
    ("events", "line"),
    [
        (
            (AttemptDiscarded(model="a", reason="rate_limit"), RETRY),
            "↻ Attempt 1: rate limit (429). Trying again in 2.0 s · Too many requests ▸",
        ),
        (
            (CUT, RETRY),
            "↻ Attempt 1: rate limit (429). Trying again in 2.0 s · still paid: ~1.2k tokens, ~$0.01 · Too man… ▸",
        ),
        (
            (CUT, RETRY, RetrySkipped()),
            "↻ Attempt 1: rate limit (429). Trying again at once, by you · still paid: ~1.2k tokens, ~$0.01 · … ▸",
        ),
        (
            (AttemptDiscarded(reason="rate_limit"), SWITCH, FALLBACK),
            "↻ Attempt 1: rate limit (429). Going on with b · Too many requests ▸",
        ),
        (
            (AttemptDiscarded(reason="rate_limit"), RETRY, RetrySkipped(to="next_model"), FALLBACK),
            "↻ Attempt 1: rate limit (429). Going on with b, by you · Too many requests ▸",
        ),
        (
            (replace(CUT, reason="model_switched"), ModelSwitched(old="a", new="b")),
            "↻ Model: a → b · the open request is given up · still paid: ~1.2k tokens, ~$0.01 ▸",
        ),
        (
            (REACHED, Paused(by="limit", limit="max_turns")),
            "! The turn limit is reached: 3 of 3 turns · paused until you decide",
        ),
        (
            (LimitChanged(limit="max_turns", old=Decimal(3), value=Decimal(9)), Resumed()),
            "! Turn limit changed by you: 3 → 9 turns · goes on",
        ),
        ((ModelSwitched(old="a", new="b"), Resumed()), "→ Model: a → b · goes on"),
    ],
)
def test_facts_that_come_together_are_one_line(events: tuple[Event, ...], line: str) -> None:
    assert shown(*events) == [line]


def test_a_discarded_attempt_before_a_failure_is_told_with_it() -> None:
    assert shown(CUT, FATAL) == [
        "✗ The provider does not accept the key: no key · still paid: ~1.2k tokens, ~$0.01 ▸",
        "  What to do: set X_KEY",
    ]


def test_other_facts_keep_their_own_lines() -> None:
    found = shown(REACHED, Paused(), ModelSwitched(old="a", new="b"), ModelSwitched(old="b", new="c"), RETRY, RETRY)
    assert [row[:9] for row in found] == [
        "! The tur",
        "‖ Paused ",
        "→ Model: ",
        "→ Model: ",
        "↻ Attempt",
        "↻ Attempt",
    ]


def test_the_line_of_a_retry_grows_in_place_and_stays_one_line_when_narrow() -> None:
    feed = Feed()
    feed.begin()
    feed(replace(CUT, usage=Usage()))
    model = model_of(feed, 44)
    assert model.fold(1, True) is False
    sections = len(model.document.sections)
    for event in (RETRY, RetrySkipped(to="next_model"), FALLBACK):
        feed(event)
        model.show([feed.state])
        assert len(model.document.sections) == sections
        assert len(lines(model)) == 3
    assert lines(model)[-1] == "↻ Attempt 1: rate limit (429). Going on w… ▸"
    feed(TurnFinished())
    model.show([feed.state])
    assert lines(model)[-1] == "↻ Attempt 1: rate limit (429). Going on w… ▸"


def test_what_was_cut_is_there_when_the_line_is_unfolded() -> None:
    feed = Feed()
    feed.begin()
    feed(CUT, replace(RETRY, error=replace(RATE, message="Too many requests, " * 8)))
    model = model_of(feed, 60)
    index = len(model.document.sections) - 1
    assert len(lines(model)) == 3
    assert model.fold(index, True)
    unfolded = "".join(row.strip() + " " for row in lines(model)[3:])
    assert unfolded.count("Too many requests,") == 8
    assert unfolded.endswith("~1.2k tokens, ~$0.01 What had been written by a is discarded and not kept. ")
    assert lines(model)[2].endswith(" ▾")
    assert model.view(index).copy().count("Too many requests,") == 16
    assert model.fold(index, False)
    assert len(lines(model)) == 3


def test_what_a_discarded_attempt_had_written_can_be_read_and_is_marked() -> None:
    feed = Feed()
    feed.begin()
    feed(replace(CUT, model="a/b", text="Half an ans", reasoning="hm"), RETRY)
    model = model_of(feed, 90)
    index = len(model.document.sections) - 1
    assert not any("Half" in row for row in lines(model))
    assert model.fold(index, True)
    below = [row.strip() for row in lines(model)[3:]]
    assert below[below.index("Reasoning by a/b, discarded, no part of the conversation:") + 1] == "hm"
    assert below[below.index("Answer by a/b, discarded, no part of the conversation:") + 1] == "Half an ans"
    assert "still paid" in " ".join(below)


def test_a_group_that_goes_on_after_its_turn_is_the_same_as_in_a_stored_run() -> None:
    feed = Feed()
    feed.begin()
    model = model_of(feed)
    for event in (
        REACHED,
        TurnFinished(),
        Paused(by="limit", limit="max_turns"),
        Resumed(),
        RunFinished(status="failed"),
    ):
        feed(event)
        model.show([feed.state])
    assert lines(model) == rows(feed)
    assert sum("limit" in row for row in lines(model)) == 1


def test_a_compaction_is_one_line_that_unfolds_to_its_summary() -> None:
    done = CompactionFinished(
        tokens_before=162_000,
        tokens_after=14_200,
        summary="# Goal\n\nFix the tests.\n\n- one\n- two",
        model="m",
        usage=Usage(input=160_000, output=900),
        cost_usd=Decimal("0.0213"),
    )
    feed = Feed()
    feed.begin()
    feed(done)
    model = model_of(feed, 80)
    assert lines(model)[2:] == ["≡ History summarised: ~162k → ~14k tokens, $0.0213 ▸"]
    assert model.fold(1, True)
    assert lines(model)[2:] == [
        "≡ History summarised: ~162k → ~14k tokens, $0.0213 ▾",
        "    Goal",
        "",
        "    Fix the tests.",
        "",
        "    • one",
        "    • two",
    ]
    nothing = replace(done, how="none", summary="", error="aborted", usage=Usage(), cost_usd=Decimal(0))
    assert shown(nothing) == ["≡ History left as it is: ~162k tokens · the summary was not made: aborted"]


def test_a_message_of_the_runner_is_quiet_and_unfolds() -> None:
    text = "Your answer was cut at the output limit. Continue exactly where it stopped, without repeating anything."
    feed = Feed()
    feed.begin()
    feed(MessageDelivered(message_id="x", text=text, by="runner"))
    model = model_of(feed, 120)
    assert lines(model)[-1] == "▸ Quarterdeck asks the model: Your answer was cut at the outp…"
    assert model.fold(1, True)
    assert lines(model)[-1] == "    " + text
    assert model.view(1).copy() == text
    feed(MessageDelivered(message_id="y", text="mine"))
    model.show([feed.state])
    assert lines(model)[-1] == "┃ mine"


def test_waiting_messages_are_not_in_the_transcript_but_what_came_too_late_is() -> None:
    feed = Feed()
    feed.begin()
    feed(MessageQueued(message_id="m1", text="first"), MessageQueued(message_id="m2", text="second"))
    feed(
        QueueChanged(
            messages=(QueuedText(message_id="m2", text="second, edited"), QueuedText(message_id="m1", text="first"))
        )
    )
    model = model_of(feed)
    assert lines(model) == ["┃ hello"]
    feed(MessageDelivered(message_id="m2", text="second, edited"))
    model.show([feed.state])
    assert lines(model)[-1] == "┃ second, edited"
    feed(TurnFinished(), RunFinished(status="cancelled", reason="stopped"))
    model.show([feed.state])
    assert lines(model)[-1] == "┊ not delivered first"
    assert lines(model) == rows(feed)


def test_an_interrupted_answer_says_so_with_what_came_of_it() -> None:
    feed = Feed()
    feed.begin()
    feed.stream("half")
    feed(ModelResponded(model="m", text="half", reasoning="why", finish_reason="interrupted", reasoning_seconds=2.0))
    assert rows(feed)[2:] == ["▸ thought for 2.0 s · 1 word · interrupted", "", "half", "■ interrupted here"]


REQUEST: dict[str, object] = {
    "model": "m",
    "usage": {"input": 1200, "output": 30},
    "usage_source": "estimated",
    "cost_usd": "0.0131",
}


def test_a_receipt_says_what_was_closed_and_what_may_have_been_touched() -> None:
    files = [f"src/{number}.py" for number in range(10)]
    receipt: dict[str, object] = {
        "requests": [REQUEST, {"model": "n", "usage_source": "reported", "cost_usd": None}],
        "processes": [
            {"pid": 7, "pgid": 7, "name": "pytest -q", "how": "killed"},
            {"pid": 8, "pgid": 7, "name": "sleep", "how": "survived"},
        ],
        "tools": [
            {"tool": "shell", "side_effects": "unknown", "files": files, "files_complete": False},
            {"tool": "edit_file", "side_effects": "done", "files": ["a.py"], "files_complete": True},
            {"tool": "build", "side_effects": "unknown", "files": [], "files_complete": True},
            {"tool": "other", "side_effects": "unknown"},
            {"tool": "search", "side_effects": "none"},
        ],
    }
    assert receipt_words(receipt) == [
        "Request to m closed · ~1.2k tokens in, ~30 out · ~$0.01, estimated",
        "Request to n closed · cost unknown",
        "Process sleep (pid 8 of group 7) is STILL ALIVE, end it yourself",
        "Process pytest -q (pid 7) killed with SIGKILL",
        "shell was cut and may have had effects; files: src/0.py, src/1.py, src/2.py, src/3.py, src/4.py, src/5.py, "
        "src/6.py, src/7.py and 2 more, perhaps others",
        "edit_file was cut after it had its effects; files: a.py",
        "build was cut and may have had effects; no file in the folder changed",
        "other was cut and may have had effects: check before relying on it",
        "search was cut and changed nothing",
    ]
    assert receipt_advice(receipt) == (
        'End what is still alive (kill -9 8), check these files; then write "continue" to go on'
    )
    assert receipt_rest(receipt) == ["Files that shell may have touched:", *(f"  {file}" for file in files)]


@pytest.mark.parametrize(
    ("tools", "advice"),
    [
        ([], 'Write "continue" to go on'),
        ([{"tool": "search", "side_effects": "none"}], 'Write "continue" to go on'),
        ([{"tool": "shell", "side_effects": "unknown"}], 'Check what shell did; then write "continue" to go on'),
        (
            [{"tool": "shell", "side_effects": "unknown", "files": ["a"]}],
            'Check these files; then write "continue" to go on',
        ),
    ],
)
def test_the_receipt_ends_with_what_to_do(tools: list[object], advice: str) -> None:
    assert receipt_advice({"tools": tools}) == advice


def test_a_receipt_is_short_when_little_happened() -> None:
    ended = RunFinished(status="cancelled", reason="aborted", receipt={"requests": [], "processes": [], "tools": []})
    assert shown(ended) == ["■ Aborted · 0.0 s", "  Nothing was open", '→ Write "continue" to go on']


def test_many_processes_and_files_unfold() -> None:
    processes = [{"pid": pid, "pgid": 1, "name": f"worker {pid}", "how": "terminated"} for pid in range(20)]
    processes[-1]["more"] = 5
    receipt: dict[str, object] = {"requests": [], "processes": processes, "tools": []}
    feed = Feed()
    feed(RunFinished(status="cancelled", reason="aborted", receipt=receipt))
    model = model_of(feed, 80)
    folded = lines(model)[2:]
    assert folded[0] == "■ Aborted · 0.0 s ▸"
    assert "  · 19 more processes ended" in folded
    assert len(folded) == 9
    assert model.fold(1, True)
    assert len(lines(model)) == len(folded) + 2 + 14
    assert lines(model)[-1] == '→ Write "continue" to go on'


@pytest.mark.parametrize("width", [30, 44, 76, 110])
def test_the_receipt_fits_every_width(width: int) -> None:
    receipt: dict[str, object] = {
        "requests": [REQUEST],
        "processes": [{"pid": 7, "pgid": 7, "name": "python -m pytest -q tests/unit", "how": "terminated"}],
        "tools": [{"tool": "shell", "side_effects": "unknown", "files": ["src/a.py", "src/b.py"]}],
        "estimated": True,
    }
    found = shown(RunFinished(status="cancelled", reason="aborted", receipt=receipt), width=width)
    assert all(len(row) <= width for row in found)
    assert [row[:2] for row in found][:2] == ["■ ", "  "]
    assert sum(row.startswith("→ ") for row in found) == 1


# Characters that this Python's Unicode tables do not know count as not printable.
TEXT = st.text(st.characters(exclude_categories=["Cn", "Co"]), max_size=8)
JSON = st.recursive(
    st.none() | st.booleans() | st.integers() | st.floats() | TEXT,
    lambda inner: st.lists(inner, max_size=3) | st.dictionaries(TEXT, inner, max_size=3),
    max_leaves=12,
)
NAMES = ("name", "pid", "pgid", "how", "more", "tool", "files", "side_effects", "usage", "cost_usd", "files_complete")
ENTRIES = st.lists(st.dictionaries(st.sampled_from(NAMES), JSON, max_size=6) | JSON, max_size=4)


@given(st.dictionaries(st.sampled_from(["requests", "processes", "tools"]), ENTRIES | JSON))
def test_a_damaged_receipt_is_read_as_far_as_it_can_be(receipt: dict[str, object]) -> None:
    found = shown(RunFinished(status="cancelled", reason="aborted", receipt=receipt), width=60)
    assert found[0].startswith("■ Aborted")
    # Spaces of other widths are not printable to Python, but are what they look like.
    assert all(letter.isprintable() or unicodedata.category(letter) == "Zs" for row in found for letter in row)

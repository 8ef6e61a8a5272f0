"""The status line: every state says what it waits for, and what the next key does."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from rich.cells import cell_len

from runner.events import (
    AbortRequested,
    ApprovalRequested,
    CompactionStarted,
    ErrorInfo,
    Event,
    LimitReached,
    ModelRequested,
    ModelResponded,
    ModelSwitched,
    Paused,
    ReasoningDelta,
    Resumed,
    RetryScheduled,
    RunFinished,
    RunQueued,
    RunStarted,
    StatusChanged,
    StopRequested,
    TextDelta,
    ToolArgumentsDelta,
    ToolProposed,
    ToolStarted,
    TurnFinished,
)
from runner.messages import JsonObject, UserMessage
from runner.state import RunState, UserItem, fold
from tui.keymap import keymap
from tui.lines import status_line
from tui.status import Sentence, sentence
from tui.view import View

CONFIG: JsonObject = {"max_retries": 3, "abort_grace": 2.0, "stop_policy": "step"}
KEYS = {"stop": "ctrl+c", "pause": "f5", "retry_now": "f10", "next_model": "f12", "approval.focus": "ctrl+g"} | {
    "limit.raise": "r",
    "limit.wrap_up": "w",
    "limit.stop": "x",
    "sessions": "ctrl+r",
}
REQUEST = ModelRequested(model="m", seq=2, mono=100.0)
CALL = ToolProposed(call_id="c", tool="shell", arguments={"command": "pytest -q"}, seq=3, mono=100.0)
RUNS = ToolStarted(call_id="c", mono=100.0, seq=4)
OTHER = (
    ToolProposed(call_id="d", tool="search", arguments={"pattern": "TODO"}, mono=105.0),
    ToolStarted(call_id="d", mono=105.0),
)
RATE = ErrorInfo(type="rate_limit", message="slow down", status_code=429)
STOP = StopRequested(seq=5, mono=101.0)
ABORT = AbortRequested(seq=6, mono=111.0)


def process(call_id: str, name: str, pid: int) -> ToolStarted:
    return ToolStarted(call_id=call_id, name=name, pid=pid, pgid=pid, mono=106.0)


def retry(delay: float = 20.0, mono: float = 100.0) -> RetryScheduled:
    return RetryScheduled(error=RATE, delay=delay, mono=mono, next_model="m2")


def run_of(*events: Event, config: JsonObject = CONFIG) -> RunState:
    started = RunStarted(run_id="r", session_id="s", seq=1, mono=100.0, input=(UserMessage(text="hi"),), config=config)
    return fold([started, *events])


def view_of(*events: Event, now: float = 112.0, config: JsonObject = CONFIG) -> View:
    return View(
        agent="deck", model="m", runs=(run_of(*events, config=config),), store_open=True, session_id="s", now=now
    )


def key(action_id: str) -> str:
    return KEYS.get(action_id, "")


def said(view: View) -> str:
    found = sentence(view, key)
    return f"{found.state} — {found.hint}"


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ((REQUEST,), "requesting: first token awaited 12 s — ctrl+c stops"),
        ((REQUEST, TextDelta(text="a", mono=101.0)), "streaming 12 s — ctrl+c stops"),
        ((REQUEST, ReasoningDelta(text="a", mono=101.0)), "thinking 12 s — ctrl+c stops"),
        (
            (REQUEST, ToolArgumentsDelta(call_id="c", tool="shell", text="{", mono=101.0)),
            "writing a call of shell 12 s — ctrl+c stops",
        ),
        ((CALL, RUNS), "running shell: pytest -q, 12 s — ctrl+c stops"),
        ((CALL, RUNS, *OTHER), "running shell: pytest -q, 12 s, +1 — ctrl+c stops"),
        ((CALL, RUNS, process("c", "pytest", 7)), "running shell: pytest, 12 s — ctrl+c stops"),
        ((TurnFinished(seq=2, mono=101.0),), "working — ctrl+c stops"),
        (
            (CompactionStarted(tokens_before=162_000, model="m", seq=2, mono=107.0),),
            "summarising the history: ~162k tokens, 5 s — ctrl+c stops",
        ),
        ((retry(),), "rate limit; again in 8 s (1 of 3) — f10 retry now · f12 next model · ctrl+c stop"),
        ((retry(1.0), retry(20.0)), "rate limit; again in 8 s (2 of 3) — f10 retry now · f12 next model · ctrl+c stop"),
        ((retry(1.0),), "rate limit; trying again (1 of 3) — f10 retry now · f12 next model · ctrl+c stop"),
        (
            (retry(1.0), ModelSwitched(old="a", new="b", mono=101.0), retry(20.0)),
            "rate limit; again in 8 s (1 of 3) — f10 retry now · f12 next model · ctrl+c stop",
        ),
        (
            (replace(retry(), action="switch", error=ErrorInfo(type="overloaded", message="")),),
            "provider overloaded; trying the next model — ctrl+c stops",
        ),
        (
            (replace(retry(), action="compact", error=ErrorInfo(type="context_overflow", message="")),),
            "history too long; summarising the history — ctrl+c stops",
        ),
        ((Paused(seq=2, mono=100.0),), "paused by you — f5 continues · ctrl+c stops"),
        ((Paused(by="program", seq=2, mono=100.0),), "paused by a program — f5 continues · ctrl+c stops"),
        ((Paused(seq=2, mono=100.0), Resumed(seq=3, mono=101.0)), "working — ctrl+c stops"),
        (
            (
                LimitReached(limit="max_cost_usd", used=Decimal(1), value=Decimal(1), asks=True, mono=100.0),
                Paused(by="limit", limit="max_cost_usd", mono=100.0),
            ),
            "paused at the cost limit — ctrl+g to answer · ctrl+c stops",
        ),
        (
            (
                LimitReached(limit="max_cost_usd", why="next_request", asks=True, mono=100.0),
                Paused(by="limit", limit="max_cost_usd", mono=100.0),
            ),
            "paused before the cost limit — ctrl+g to answer · ctrl+c stops",
        ),
        (
            (
                LimitReached(limit="max_cost_usd", why="unknown_price", asks=True, mono=100.0),
                Paused(by="limit", limit="max_cost_usd", mono=100.0),
            ),
            "paused: price unknown, cost limit at risk — ctrl+g to answer · ctrl+c stops",
        ),
        (
            (
                CALL,
                ApprovalRequested(request_id="q", call_id="c", tool="shell", seq=4, mono=100.0),
                StatusChanged(new="waiting_approval", seq=5, mono=100.0),
            ),
            "waiting for you: 1 approval — ctrl+g to answer",
        ),
        (
            (
                *OTHER,
                CALL,
                ApprovalRequested(request_id="q", call_id="c", tool="shell", seq=4, mono=106.0),
                StatusChanged(new="waiting_approval", seq=5, mono=106.0),
            ),
            "waiting for you: 1 approval, meanwhile search: TODO, 7 s — ctrl+g to answer",
        ),
        (
            (RunFinished(status="completed", reason="complete", seconds=65.0, seq=2, mono=165.0),),
            "done in 1 min 05 s — enter sends the next message",
        ),
        (
            (RunFinished(status="failed", reason="interrupted", seq=2, mono=165.0),),
            "interrupted: the program died in this run — a message continues this session",
        ),
    ],
)
def test_every_state_says_what_it_waits_for(events: tuple[Event, ...], expected: str) -> None:
    assert said(view_of(*events)) == expected


@pytest.mark.parametrize(
    ("events", "expected"),
    [
        ((CALL, RUNS, STOP), "stopping: waiting for shell: pytest -q, 12 s — ctrl+c again aborts"),
        ((CALL, RUNS, *OTHER, STOP), "stopping: waiting for shell: pytest -q, 12 s, +1 — ctrl+c again aborts"),
        ((*OTHER, CALL, RUNS, STOP), "stopping: waiting for shell: pytest -q, 12 s, +1 — ctrl+c again aborts"),
        ((replace(REQUEST, mono=109.0), STOP), "stopping: the answer is being finished, 3 s — ctrl+c again aborts"),
        (
            (CompactionStarted(tokens_before=9, mono=110.0), STOP),
            "stopping: the summary is being finished, 2 s — ctrl+c again aborts",
        ),
        ((retry(), STOP), "stopping: saving — ctrl+c again aborts"),
        ((STOP,), "stopping: saving — ctrl+c again aborts"),
        (
            (CALL, RUNS, process("c", "pytest -q", 7), ABORT),
            "aborting: ending 1 process: pytest -q, 1 s — killed after 2 s",
        ),
        (
            (CALL, RUNS, *OTHER, process("c", "pytest", 7), process("d", "rg", 8), STOP, ABORT),
            "aborting: ending 2 processes, 1 s — killed after 2 s",
        ),
        ((CALL, RUNS, ABORT), "aborting: waiting for shell: pytest -q, 12 s — a moment"),
        ((REQUEST, ABORT), "aborting: closing the request, 1 s — a moment"),
        ((Paused(mono=100.0), ABORT), "aborting: saving — a moment"),
    ],
)
def test_stopping_and_aborting_are_states_with_what_they_wait_for(events: tuple[Event, ...], expected: str) -> None:
    assert said(view_of(*events)) == expected


def test_a_stop_that_was_pressed_here_is_answered_before_the_run_hears_of_it() -> None:
    view = view_of(CALL, RUNS)
    assert said(replace(view, stop_asked="stop")).startswith("stopping: waiting for shell: pytest -q, 12 s")
    assert said(replace(view, stop_asked="abort")).startswith("aborting: waiting for shell: pytest -q, 12 s")
    stopping = view_of(CALL, RUNS, STOP)
    assert said(replace(stopping, stop_asked="abort")).startswith("aborting: ")
    starting = View(agent="deck", model="m", starting=True, store_open=True)
    assert said(starting) == "starting — ctrl+c stops it"
    assert said(replace(starting, stop_asked="stop")).startswith("stopping before it begins")


def test_waiting_messages_are_counted() -> None:
    message = UserItem(item_id="a", text="and then", time=datetime(2026, 1, 1, tzinfo=UTC), queued=True)
    view = replace(view_of(CALL, RUNS), messages=(message, message))
    assert said(view) == "running shell: pytest -q, 12 s — ctrl+c stops · 2 messages queued"
    rewriting = replace(view, answering="rewrite")
    assert sentence(rewriting, key).hint == "enter saves the waiting message · esc leaves it as it was"


def test_the_stop_policy_turn_says_that_tools_follow() -> None:
    view = view_of(REQUEST, STOP, config={"stop_policy": "turn"})
    assert said(view).startswith("stopping: the answer is being finished, then its tools, 12 s")


def test_a_queued_run_waits_for_its_turn() -> None:
    run = fold([RunQueued(run_id="r", session_id="s", seq=1, mono=100.0)])
    assert said(View(runs=(run,), session_id="s", now=101.0)) == "queued, waiting for its turn — ctrl+c stops it"


@pytest.mark.parametrize(
    ("answering", "hint"),
    [
        ("", "ctrl+g to answer · ctrl+c stops"),
        ("limit", "r raises it · w a last answer · x stops"),
        ("limit_value", "enter sets it · esc goes back"),
    ],
)
def test_at_a_limit_the_hint_follows_the_focus(answering: str, hint: str) -> None:
    reached = LimitReached(limit="max_turns", used=Decimal(3), value=Decimal(3), asks=True, mono=100.0)
    view = view_of(reached, Paused(by="limit", limit="max_turns", mono=100.0))
    assert sentence(replace(view, answering=answering), key).hint == hint


def test_actions_without_a_key_are_left_out_of_the_hint() -> None:
    assert sentence(view_of(retry()), lambda action: "ctrl+c" if action == "stop" else "").hint == "ctrl+c stop"
    assert sentence(view_of(retry()), lambda _: "").hint == ""


def test_the_keys_in_the_hints_are_those_of_the_keymap() -> None:
    keys = keymap()
    found = sentence(view_of(retry()), keys.show)
    assert f"{keys.show('retry_now')} retry now" in found.hint
    assert f"{keys.show('next_model')} next model" in found.hint


def test_a_limit_that_is_near_is_told_while_the_run_works() -> None:
    config = CONFIG | {"max_turns": 1000, "max_wall_time": 40}
    events = [ModelResponded(model="m", text="x", turn=turn, mono=101.0) for turn in range(9)]
    assert sentence(view_of(*events, CALL, RUNS, now=112.0, config=config), key).note == "total time limit in 28 s"
    few = CONFIG | {"max_turns": 10}
    assert sentence(view_of(*events, CALL, RUNS, now=112.0, config=few), key).note == "turn limit in ~10 s"
    assert sentence(view_of(*events, CALL, RUNS, now=1000.0, config=few), key).note == "90 % of the turn limit"
    assert sentence(view_of(*events[:2], CALL, RUNS, now=1000.0, config=few), key).note == ""
    assert sentence(view_of(*events, CALL, RUNS, STOP, now=112.0, config=few), key).note == ""


@pytest.mark.parametrize(
    ("width", "line"),
    [
        (60, "m · ● running shell: pytest -q --durat…, 12 s"),
        (80, "m · ● running shell: pytest -q --durations=10…, 12 s · total time limit in 28 s"),
        (98, "m · ● running shell: pytest -q --durations=10 tes…, 12 s · total time limit in 28 s — ctrl+c stops"),
        (
            130,
            "deck · m · ● running shell: pytest -q --durations=10 tests/unit, 12 s · total time limit in 28 s — ctrl+c",
        ),
    ],
)
def test_the_name_of_a_command_gives_way_before_its_seconds(width: int, line: str) -> None:
    command = ToolProposed(call_id="c", tool="shell", arguments={"command": "pytest -q --durations=10 tests/unit"})
    view = view_of(command, RUNS, config=CONFIG | {"max_wall_time": 40})
    assert status_line(view, keymap(), width).plain.startswith(line)


LINES: list[Callable[[], View]] = [
    lambda: view_of(retry()),
    lambda: view_of(CALL, RUNS, *OTHER, STOP),
    lambda: view_of(CompactionStarted(tokens_before=162_000, mono=107.0)),
    lambda: view_of(Paused(mono=101.0)),
]


@pytest.mark.parametrize("make", LINES)
@pytest.mark.parametrize("width", range(40, 130, 6))
def test_a_hint_loses_its_last_parts_where_there_is_no_room(make: Callable[[], View], width: int) -> None:
    view = replace(make(), model="demo/flaky", model_is_demo=True)
    found: Sentence = sentence(view, keymap().show)
    line = status_line(view, keymap(), width).plain
    assert cell_len(line) <= width
    _, dash, hint = line.partition(" — ")
    assert not dash or found.hint.startswith(hint)


def test_at_80_columns_a_retry_still_says_how_to_skip_it() -> None:
    view = replace(view_of(retry()), model="demo/flaky", model_is_demo=True)
    line = status_line(view, keymap(), 78).plain
    assert "rate limit; again in 8 s (1 of 3)" in line
    assert "retry now" in line

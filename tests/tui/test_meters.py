"""The meters: sums over the ledger, estimates marked, the pace and the limit that comes first."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal

import pytest
from rich.cells import cell_len

from runner.events import (
    AttemptDiscarded,
    CompactionFinished,
    Event,
    ModelRequested,
    ModelResponded,
    Paused,
    RunFinished,
    RunStarted,
    TextDelta,
    ToolFinished,
    ToolProposed,
    TurnStarted,
    UsageUpdated,
)
from runner.messages import JsonObject
from runner.state import RunState, fold
from runner.usage import Cost, Price, Usage
from tui.meters import meters, meters_line, pace_words
from tui.pacing import near_words
from tui.view import Totals, View, totals

PRICE = Price(input=Decimal(3), output=Decimal(15))
FREE = Price(input=Decimal(0), output=Decimal(0))
USAGE = Usage(input=40_000, output=1_000)


def answer(mono: float, *, source: str = "reported", cost: str | None = "0.135") -> ModelResponded:
    return ModelResponded(
        model="m",
        text="x",
        mono=mono,
        seconds=5.0,
        usage=USAGE,
        cost_usd=None if cost is None else Decimal(cost),
        price=PRICE,
        usage_source="estimated" if source == "estimated" else "reported",
    )


def run_of(*events: Event, run_id: str = "r", limits: JsonObject | None = None) -> RunState:
    time = datetime(2026, 1, 1, tzinfo=UTC)
    return fold([RunStarted(run_id=run_id, session_id="s", mono=100.0, time=time, config=limits or {}), *events])


def view_of(*runs: RunState, now: float = 160.0) -> View:
    return View(runs=runs, session_id="s", now=now)


def rows(view: View, width: int = 42) -> dict[str, str]:
    found = [line.plain for line in meters(totals(view), width).split()]
    named = (("out" if line[8:11] == "out" else "parts") if line[:8].isspace() else line[:8].strip() for line in found)
    return {name: " ".join(line[8:].split()) for name, line in zip(named, found, strict=True)}


def test_every_row_of_a_run_that_works() -> None:
    usage = UsageUpdated(context_used=41_000, context_window=200_000)
    run = run_of(answer(120.0), answer(150.0), usage, limits={"max_cost_usd": "1.35", "max_turns": 50})
    assert rows(view_of(run)) == {
        "tokens": "new 80.0k cached 0 0%",
        "out": "out 2.0k reasoning 0",
        "cost": "run $0.2700 · turn $0.2700",
        "session": "$0.2700 · today unknown",
        "pace": "~$0.27/min · ~82k tokens/min",
        "limit": "cost limit in ~4 min · 20 %",
        "context": "━━────────── 20% of 200k",
        "parts": "cached 0, new 40.0k, out 1.0k",
        "speed": "200 tokens/s",
        "first": "unknown · 0 retries",
        "time": "1 min 00 s",
    }


def test_an_open_request_counts_as_an_estimate_everywhere() -> None:
    opened = ModelRequested(model="m", mono=155.0, input_tokens_estimate=42_000, price=PRICE, context_window=200_000)
    run = run_of(answer(120.0), answer(150.0), opened, TextDelta(text="x" * 4000, mono=156.0))
    found = rows(view_of(run))
    assert found["tokens"].startswith("new ~122k")
    assert found["out"].startswith("out ~3.0k")
    assert found["cost"] == "run ~$0.4110 · turn ~$0.4110"
    assert found["session"].startswith("~$0.4110 ")
    assert found["first"] == "token after 1.0 s · 0 retries"
    assert found["parts"] == "last cached 0, new 40.0k, out 1.0k"
    assert found["context"].endswith("~22% of 200k")
    after = run_of(answer(120.0), answer(150.0), answer(158.0))
    assert rows(view_of(after))["cost"] == "run $0.4050 · turn $0.4050"


@pytest.mark.parametrize(
    ("price", "run"),
    [(None, "$0.1350 + unknown"), (FREE, "$0.1350")],
)
def test_an_open_request_of_unknown_price_is_unknown_and_a_free_one_is_free(price: Price | None, run: str) -> None:
    opened = ModelRequested(model="x", mono=155.0, input_tokens_estimate=42_000, price=price)
    assert rows(view_of(run_of(answer(120.0), opened)))["cost"].startswith(f"run {run}")


def test_estimates_and_unknown_costs_say_so() -> None:
    cut = rows(view_of(run_of(answer(120.0), answer(150.0, source="estimated"))))
    assert (cut["cost"], cut["tokens"][:9]) == ("run ~$0.2700 · turn ~$0.2700", "new ~80k ")
    unknown = rows(view_of(run_of(answer(120.0, cost=None), answer(150.0, cost=None))))
    assert (unknown["cost"], unknown["pace"]) == ("run unknown · turn unknown", "cost unknown · ~82k tokens/min")


def test_the_sums_are_those_of_the_ledger_summaries_included() -> None:
    summary = CompactionFinished(model="m", usage=USAGE, cost_usd=Decimal("0.135"), tokens_after=900, mono=140.0)
    run = run_of(answer(120.0), summary)
    found = totals(view_of(run_of(answer(110.0), RunFinished(status="completed"), run_id="q"), run))
    assert found.usage == USAGE + USAGE == sum((entry.usage for entry in run.ledger), Usage())
    assert found.run_cost == Cost(known=Decimal("0.270"))
    assert found.session_cost == Cost(known=Decimal("0.405"))
    assert found.context_used == 900


def test_the_time_tells_what_was_waited_for() -> None:
    held = run_of(answer(120.0), Paused(mono=130.0))
    assert rows(view_of(held))["time"] == "1 min 00 s, active 30 s"


def test_an_ended_run_and_none_at_all_have_no_pace() -> None:
    ended = run_of(answer(120.0), answer(150.0), RunFinished(status="completed", seconds=60.0), limits={"max_turns": 9})
    for view in (view_of(ended), view_of()):
        found = rows(view)
        assert (found["pace"], found["limit"]) == ("—", "—")
        assert meters_line(totals(view), 70).plain.startswith("run ")


def test_the_limit_is_coloured_when_it_is_near() -> None:
    def token(run: RunState, now: float) -> str:
        limit = meters(totals(view_of(run, now=now)), 42).split()[5]
        return str(limit.spans[-1].style)

    calm = run_of(answer(120.0), limits={"max_wall_time": 4000})
    assert token(calm, 160.0) == "$foreground"
    assert token(calm, 3900.0) == "$meter-warn"
    assert token(calm, 4200.0) == "$meter-over"
    assert rows(view_of(calm, now=4200.0))["limit"] == "total time limit reached"


@pytest.mark.parametrize(
    ("limit", "said"),
    [
        ("max_cost_usd", "this run uses ~$0.27 a minute"),
        ("max_total_tokens", "this run uses ~82k tokens a minute"),
        ("max_turns", "this run uses ~2 turns a minute"),
        ("max_model_requests", "this run uses ~2 requests a minute"),
        ("max_tool_calls", ""),
        ("max_time", ""),
        ("max_input_tokens", ""),
    ],
)
def test_the_pace_of_one_limit_in_a_sentence(limit: str, said: str) -> None:
    limits: JsonObject = {"max_cost_usd": "9", "max_total_tokens": 10**6, "max_turns": 9, "max_model_requests": 9}
    run = run_of(answer(120.0), answer(150.0), limits=limits | {"max_tool_calls": 9, "max_time": 900})
    assert pace_words(view_of(run), limit) == said


@pytest.mark.parametrize(
    ("limits", "now", "said"),
    [
        ({"max_cost_usd": "1.35"}, 160.0, "cost limit in ~4 min"),
        ({"max_cost_usd": "13.5"}, 160.0, ""),
        ({"max_cost_usd": "0.30"}, 100_000.0, "90 % of the cost limit"),
        ({"max_cost_usd": "0.27"}, 160.0, "cost limit reached"),
        ({"max_cost_usd": "0.2701"}, 160.0, "cost limit in ~10 s"),
        ({"max_cost_usd": "0.2701"}, 100_000.0, "99 % of the cost limit"),
        ({"max_wall_time": 100}, 160.0, "total time limit in 40 s"),
        ({"max_wall_time": 1000}, 160.0, ""),
        ({"max_cost_usd": "1.35", "max_time": 70}, 160.0, "time limit in 10 s"),
        ({}, 160.0, ""),
    ],
)
def test_the_status_line_tells_of_a_limit_that_is_near(limits: JsonObject, now: float, said: str) -> None:
    assert near_words(run_of(answer(120.0), answer(150.0), limits=limits), now) == said


@pytest.mark.parametrize("width", range(20, 120, 7))
def test_the_rows_and_the_line_fit(width: int) -> None:
    opened = ModelRequested(model="m", mono=155.0, input_tokens_estimate=42_000, price=PRICE, context_window=200_000)
    first = run_of(answer(110.0), RunFinished(status="completed"), run_id="q")
    view = view_of(first, run_of(answer(120.0), answer(150.0, cost=None), opened, limits={"max_turns": 4}))
    assert all(cell_len(line.plain) <= width for line in meters(totals(view), width).split())
    assert cell_len(meters_line(totals(view), width).plain) <= width


def test_one_line_tells_of_a_limit_that_is_near() -> None:
    near = view_of(run_of(answer(120.0), answer(150.0), limits={"max_cost_usd": "1.35"}))
    assert " · cost limit in ~4 min · ~$0.27/min" in meters_line(totals(near), 120).plain
    assert meters_line(totals(near), 78).plain.endswith(" · cost limit in ~4 min")


def test_one_line_says_the_session_only_where_it_differs() -> None:
    alone = view_of(run_of(answer(120.0), answer(150.0)))
    assert "session" not in meters_line(totals(alone), 200).plain
    assert "~$0.27/min" in meters_line(totals(alone), 200).plain
    second = view_of(run_of(answer(110.0), RunFinished(status="completed"), run_id="q"), *alone.runs)
    assert "session $0.4050" in meters_line(totals(second), 200).plain
    assert "/min" not in meters_line(Totals(), 200).plain


def listed(*items: tuple[str, str], status: str = "ok", call_id: str = "c") -> tuple[Event, ...]:
    display: JsonObject = {"type": "todo", "items": [{"text": text, "status": state} for text, state in items]}
    return (
        ToolProposed(call_id=call_id, tool="todo", arguments={}, valid=True),
        ToolFinished(
            call_id=call_id,
            tool="todo",
            status="ok" if status == "ok" else "cancelled",
            output="",
            display=display,
            seconds=0.0,
        ),
    )


def test_where_the_list_stands_is_a_line_as_long_as_something_is_left() -> None:
    assert "todo" not in rows(view_of(run_of()))
    run = run_of(*listed(("Read", "done"), ("Wri\x1b[31mte", "active"), ("Check", "pending")))
    found = rows(view_of(run))
    assert found["todo"] == "1/3 Wri\u241bte"
    assert len(found) == len(rows(view_of(run_of()))) + 1
    assert run.todo is not None
    later = run_of(*listed(("Other", "done")), run_id="r2")
    assert "todo" not in rows(view_of(run, later)), "a list that is done is over"
    assert rows(view_of(run, run_of(run_id="r2")))["todo"] == found["todo"]
    cut = run_of(*listed(("Read", "active")), *listed(("Never", "active"), status="cut", call_id="d"))
    assert rows(view_of(cut))["todo"] == "0/1 Read"


def test_a_low_pane_keeps_the_lines_that_matter_most() -> None:
    used = UsageUpdated(context_used=41_000, context_window=200_000)
    view = view_of(run_of(answer(120.0), answer(150.0), used, *listed(("Read", "active")), limits={"max_turns": 9}))
    names = [line.plain[:8].strip() for line in meters(totals(view), 42, 6).split()]
    assert names == ["tokens", "", "cost", "session", "limit", "context"]
    every = [line.plain for line in meters(totals(view), 42, 12).split()]
    assert every[-1].startswith("todo")
    assert len(every) == 12


def test_kinds_of_tokens_the_share_read_from_the_cache_and_what_the_context_is_made_of() -> None:
    usage = Usage(input=9_000, cached_input=6_000, output=1_000, reasoning=400)
    kept = ModelResponded(model="m", mono=120.0, usage=usage, cost_usd=Decimal("0.01"), first_token_seconds=0.8)
    run = run_of(kept, UsageUpdated(context_used=10_000, context_window=20_000))
    found = rows(view_of(run))
    assert found["tokens"] == "new 3.0k cached 6.0k 67%"
    assert found["out"] == "out 1.0k reasoning 400"
    assert found["parts"] == "cached 6.0k, new 3.0k, out 1.0k"
    assert found["context"] == "════━╸────── 50% of 20k"
    assert found["first"] == "token after 0.8 s · 0 retries"
    summarised = run_of(kept, UsageUpdated(context_used=700, context_window=20_000))
    found = rows(view_of(summarised))
    assert "parts" not in found
    assert found["context"].endswith(" ~4% of 20k")


def test_what_is_waited_for_and_what_was_tried_again_is_said() -> None:
    failed = AttemptDiscarded(model="m", mono=121.0, turn=1, attempt=1, reason="server_error", usage_source="reported")
    opened = ModelRequested(model="m", mono=152.0, turn=1, attempt=2, input_tokens_estimate=10)
    run = run_of(failed, opened)
    assert rows(view_of(run))["first"] == "no token yet, 8 s · 0 retries"
    again = run_of(failed, replace(answer(150.0), turn=1, attempt=2))
    assert rows(view_of(again))["first"] == "unknown · 1 retry"
    assert meters_line(totals(view_of(again)), 200).plain.endswith("1 retry")


def test_the_cost_of_the_last_turn_holds_its_retries_and_no_other_turn() -> None:
    first = replace(answer(110.0), turn=1, attempt=1)
    failed = AttemptDiscarded(model="m", mono=121.0, turn=2, attempt=1, cost_usd=Decimal("0.05"), usage=USAGE)
    second = replace(answer(130.0), turn=2, attempt=2)
    found = totals(view_of(run_of(first, failed, second)))
    assert found.turn_cost == Cost(known=Decimal("0.185"))
    assert found.turn_estimated
    assert found.run_cost == Cost(known=Decimal("0.320"))
    after = totals(view_of(run_of(first, failed, second, TurnStarted(turn=3, mono=131.0))))
    assert after.turn_cost == Cost()


def test_today_counts_the_open_request_too_and_says_when_nobody_knows() -> None:
    opened = ModelRequested(model="m", mono=155.0, input_tokens_estimate=10_000, price=PRICE)
    view = replace(view_of(run_of(answer(120.0), opened)), today=Cost(known=Decimal(2)))
    assert rows(view)["session"] == "~$0.1650 · today ~$2.03"
    assert rows(replace(view, today=None))["session"].endswith("today unknown")

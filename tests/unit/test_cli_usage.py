"""`quarterdeck usage`: sums over the ledger as a table and as JSON, with what is unknown and estimated said."""

from __future__ import annotations

import json
import random
import time
from collections.abc import Callable, Iterator
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from typing import Any, TypeAlias

import pytest

from runner.clock import SystemClock
from runner.events import AttemptDiscarded
from runner.store import Store
from runner.usage import Cost, Usage
from tests.store.making import Maker, kill_owner, short_run, write
from tests.store.random_runs import PRICE, random_run
from tui import cli

Run: TypeAlias = Callable[..., tuple[int, str, str]]
NOW = datetime(2026, 3, 10, 3, tzinfo=UTC)
"""12 o'clock in Tokyo."""

TOKENS = Usage(input=1200, cached_input=1000, output=40)


@pytest.fixture
def run(capsys: pytest.CaptureFixture[str]) -> Run:
    """`quarterdeck usage` with these arguments: the exit code, stdout, stderr."""

    def usage(*arguments: str) -> tuple[int, str, str]:
        code = cli.main_with(["usage", *arguments])
        printed = capsys.readouterr()
        return code, printed.out, printed.err

    return usage


@pytest.fixture(autouse=True)
def at_noon(monkeypatch: pytest.MonkeyPatch) -> Iterator[None]:
    """The day does not end while a test runs."""
    monkeypatch.setenv("TZ", "Asia/Tokyo")
    monkeypatch.setattr(SystemClock, "now", staticmethod(lambda: NOW))
    time.tzset()
    yield
    monkeypatch.undo()
    time.tzset()


def a_run(number: int, model: str, cost: Decimal | None, *, tokens: Usage = TOKENS, days_ago: int = 0) -> Maker:
    maker = Maker(
        run_id=f"run-{number}", session_id=f"session-{number}", start=NOW - timedelta(days=days_ago, hours=11)
    )
    maker.begin(f"Task {number}", model)
    maker.begin_turn()
    maker.request(model)
    maker.answer(cost=cost, model=model, usage=tokens)
    maker.end()
    return maker


def stored(*makers: Maker) -> None:
    with Store.open() as store:
        for maker in makers:
            write(store, maker.events)


def total_of(out: str) -> dict[str, Any]:
    """The JSON's total."""
    found: dict[str, Any] = json.loads(out)["total"]
    return found


def test_a_table_adds_up(run: Run) -> None:
    stored(
        a_run(1, "anthropic/large", Decimal("1.25")),
        a_run(2, "openai/small", Decimal("0.0042")),
        a_run(3, "anthropic/large", Decimal("0.75")),
    )
    code, out, err = run()
    assert (code, err) == (0, "")
    assert out.splitlines() == [
        "model            requests  input  cached  output     cost",
        "anthropic/large         2   2.4k    2.0k      80    $2.00",
        "openai/small            1   1.2k    1.0k      40  $0.0042",
        "total                   3   3.6k    3.0k     120    $2.00",
        "",
        "today $2.00 · last 7 days $2.00 · last 30 days $2.00",
    ]


def test_what_is_unknown_or_estimated_or_thrown_away_is_said_and_never_counted_as_nothing(run: Run) -> None:
    maker = Maker(start=NOW)
    maker.begin()
    maker.begin_turn()
    maker.request("anthropic/large")
    maker.add(
        AttemptDiscarded(
            model="anthropic/large", reason="stream_broken", usage=Usage(input=10, output=5), cost_usd=Decimal("0.5")
        )
    )
    maker.request("anthropic/large")
    maker.answer(cost=Decimal("1.5"), model="anthropic/large")
    maker.request("local/free-or-not")
    maker.answer(cost=None, model="local/free-or-not")
    maker.request("anthropic/large")
    maker.answer(cost=None, model="anthropic/large")
    maker.end()
    stored(maker)
    _, out, _ = run()
    lines = out.splitlines()
    assert lines[0].split()[-2:] == ["cost", "discarded"]
    assert "~$2.00 + unknown" in lines[1]
    assert lines[1].endswith("$0.5000")
    assert lines[2].startswith("local/free-or-not")
    assert lines[2].split()[-2:] == ["unknown", "$0"]
    assert lines[3].startswith("total")
    assert lines[5:8] == [
        "discarded: 1 request whose answer was not used (an error, a retry, a switch), $0.5000 of the cost",
        "~ estimated: 1 request that the provider did not report or that were cut off, $0.5000 of the cost",
        "unknown: 2 requests whose price nobody knew, to anthropic/large, local/free-or-not; not in any sum of money",
    ]
    assert lines[8].startswith("today ~$2.00 + unknown")
    _, out, _ = run("--json")
    total = total_of(out)
    assert (total["cost_usd"], total["known_cost_usd"], total["cost_unknown_requests"]) == (None, "2", 2)
    assert (total["estimated_cost_usd"], total["discarded_cost_usd"]) == ("0.5", "0.5")
    assert (total["requests"], total["retries"], total["discarded_requests"]) == (4, 3, 1)


def test_json_is_exact_and_equals_the_facts(run: Run) -> None:
    """The same sums as the runs themselves, whatever they are grouped by."""
    makers = [random_run(random.Random(seed), f"run-{seed}", f"session-{seed % 3}") for seed in range(12)]
    stored(*makers)
    tokens = sum((maker.state.usage for maker in makers), Usage())
    cost = sum((maker.state.cost for maker in makers), Cost())
    for by in ("model", "provider", "agent", "project", "day", "session", "run"):
        code, out, _ = run("--by", by, "--json")
        assert code == 0
        report = json.loads(out)
        assert (report["by"], report["since"], report["session_id"]) == (by, None, None)
        for part in ([report["total"]], report["rows"]):
            assert sum(row["requests"] for row in part) == sum(len(maker.state.ledger) for maker in makers)
            assert sum(row["input_tokens"] for row in part) == tokens.input
            assert sum(row["cached_input_tokens"] for row in part) == tokens.cached_input
            assert sum(row["cache_write_tokens"] for row in part) == tokens.cache_write
            assert sum(row["output_tokens"] for row in part) == tokens.output
            assert sum(row["reasoning_tokens"] for row in part) == tokens.reasoning
            assert sum(Decimal(row["known_cost_usd"]) for row in part) == cost.known
            assert sum(row["cost_unknown_requests"] for row in part) == cost.unknown
        assert len({row[by] for row in report["rows"]}) == len(report["rows"])
    for maker in makers:
        _, out, _ = run("--by", "run", "--session", maker.session_id, "--json")
        for row in json.loads(out)["rows"]:
            (state,) = (maker.state for maker in makers if maker.run_id == row["run"])
            total = state.cost.total
            assert row["cost_usd"] == (None if total is None else f"{total.normalize():f}")


@pytest.mark.parametrize(
    ("since", "count"),
    [
        ("today", 1),
        ("1d", 1),
        ("2d", 2),
        ("8d", 3),
        ("2026-03-09", 2),
        ("2026-03-09T02:00", 1),
        ("2026-03-09T00:00Z", 1),
        (None, 4),
    ],
)
def test_since_is_a_day_a_number_of_days_or_a_moment(run: Run, since: str | None, count: int) -> None:
    stored(*(a_run(days, "a/model", Decimal(1), days_ago=days) for days in (0, 1, 7, 400)))
    arguments = [] if since is None else ["--since", since]
    _, out, _ = run(*arguments, "--json")
    assert total_of(out)["requests"] == count
    _, out, _ = run(*arguments)
    assert out.splitlines()[2].split()[:2] == ["total", str(count)]
    assert ("last 30 days" in out) == (since is None)
    if since is None:
        assert out.splitlines()[-1] == "today $1.00 · last 7 days $2.00 · last 30 days $3.00"


def test_days_come_in_order_and_the_dearest_of_all_else_first(run: Run) -> None:
    prices = {0: Decimal(5), 1: Decimal(9), 2: Decimal(1)}
    stored(*(a_run(days, "a/model", cost, days_ago=days) for days, cost in prices.items()))

    def keys(by: str, *arguments: str) -> list[str]:
        return [line.split("  ")[0].rstrip() for line in run("--by", by, *arguments)[1].splitlines()[1:-2]]

    days = ["2026-03-08", "2026-03-09", "2026-03-10"]
    assert keys("day") == [*days, "total"]
    assert keys("day", "--limit", "1") == ["(2 earlier)", days[-1], "total"]
    assert keys("session") == ["session-1", "session-0", "session-2", "total"]
    assert keys("session", "--limit", "2") == ["session-1", "session-0", "(1 more)", "total"]
    _, out, _ = run("--by", "session", "--limit", "1")
    assert out.splitlines()[1].startswith("session-1  Task 1 ")
    assert out.splitlines()[2].split()[:3] == ["(2", "more)", "2"]
    assert len(json.loads(run("--by", "session", "--limit", "1", "--json")[1])["rows"]) == 3


def test_deleted_sessions_stay_counted(run: Run) -> None:
    stored(a_run(1, "a/model", Decimal(1)), a_run(2, "a/model", Decimal(2)))
    with Store.open() as store:
        store.delete_session("session-1")
    out = run("--by", "session")[1].splitlines()
    assert out[1].startswith("session-2  Task 2")
    assert out[2].startswith("(deleted sessions)")
    assert total_of(run("--json")[1])["cost_usd"] == "3"
    assert run("--session", "session-1") == (2, "", "quarterdeck: no session has the id 'session-1'\n")


def test_a_request_that_was_open_when_its_program_died_is_counted(run: Run) -> None:
    maker = Maker(start=NOW)
    maker.begin()
    maker.begin_turn()
    maker.request("anthropic/large", estimate=1_000_000, price=PRICE)
    with Store.open() as store:
        write(store, maker.events)
        kill_owner(store.path)
    out = run()[1].splitlines()
    assert out[1].split()[-1] == "~$3.00"
    assert out[4].startswith("~ estimated: 1 request ")


def test_nothing_to_sum_is_said_on_stderr(run: Run) -> None:
    assert run() == (0, "", "no requests\n")
    assert json.loads(run("--json")[1])["total"] is None
    stored(a_run(1, "a/model", Decimal(1)))
    assert run("--since", "9999-01-01") == (0, "", "no requests since then\n")


@pytest.mark.parametrize(
    ("arguments", "said"),
    [
        (("--by", "colour"), "argument --by: invalid choice: 'colour'"),
        (("--since", "last week"), "--since 'last week' is no day"),
        (("--since", "0d"), "--since '0d' is no day"),
        (("--since", "999999d"), "--since '999999d' is no day"),
        (("--since", "2026-02-30"), "--since '2026-02-30' is no day"),
        (("--since", "2026\x1b[31m"), "is no day"),
        (("--session", "ffff"), "no session has the id 'ffff'"),
        (("--limit", "0"), "argument --limit: expected 1 or more"),
        (("--b", "day"), "unrecognized arguments: --b day"),
    ],
)
def test_a_wrong_argument_is_one_line_and_exit_code_2(run: Run, arguments: tuple[str, ...], said: str) -> None:
    stored(short_run())
    code, out, err = run(*arguments)
    assert (code, out, len(err.splitlines())) == (2, "", 1)
    assert said in err
    assert err.rstrip("\n").isprintable()


def test_names_from_a_provider_obey_nobody(run: Run) -> None:
    stored(a_run(1, "a/\x1b[31mred\n\u202eevil", Decimal(1)))
    out = run()[1]
    assert all(line.isprintable() for line in out.splitlines())
    assert "red" in out

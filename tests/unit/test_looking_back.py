"""Looking back over all sessions: sums as a plain recount gives them, plots and tables that fit, days none left out."""

from __future__ import annotations

import json
from collections import Counter, defaultdict
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import UTC, date, datetime, timedelta
from decimal import Decimal
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from rich.cells import cell_len

from runner.events import ApprovalResolved, ToolFinished
from runner.state import LedgerEntry, RunState
from runner.store import Store
from runner.store.base import ApprovalSum, UsageSum
from runner.usage import Cost, Usage
from tests.store.making import Maker
from tests.store.spending import spend
from tui.cli import main_with
from tui.looking_back import lines, views
from tui.looking_back.days import buckets, first_day
from tui.looking_back.plot import Bucket, dollars, growing, nice_step, rising, thousands
from tui.looking_back.report import By, Report, read, together
from tui.looking_back.spans import SPANS, spans
from tui.looking_back.views import VIEWS, ViewName

NOW = datetime(2026, 3, 10, 12, tzinfo=UTC)


@pytest.fixture(scope="module")
def spent(tmp_path_factory: pytest.TempPathFactory) -> Iterator[tuple[Store, list[Maker]]]:
    with Store.open(tmp_path_factory.mktemp("spent")) as store:
        yield store, spend(store, NOW, days=40)


KEYS: dict[By, Callable[[RunState, LedgerEntry], str]] = {
    "model": lambda _, entry: entry.model,
    "agent": lambda run, _: run.agent,
    "project": lambda run, _: run.workspace,
    "day": lambda _, entry: f"{entry.time.astimezone():%Y-%m-%d}",
}


def test_sums_of_requests_are_those_of_a_recount(spent: tuple[Store, list[Maker]]) -> None:
    store, makers = spent
    found = [(state, entry) for state in (maker.state for maker in makers) for entry in state.ledger]
    for since in (None, NOW - timedelta(days=9)):
        counted = [(run, entry) for run, entry in found if since is None or entry.time >= since]
        for by, key in KEYS.items():
            wanted: dict[str, list[LedgerEntry]] = defaultdict(list)
            for run, entry in counted:
                wanted[key(run, entry)].append(entry)
            report = read(store, by, since)
            assert {row.key for row in report.sums} == set(wanted)
            for row in report.sums:
                paid = wanted[row.key]
                guessed = [entry for entry in paid if entry.source == "estimated"]
                assert row.requests == len(paid)
                assert row.usage == sum((entry.usage for entry in paid), Usage())
                assert row.cost == sum((Cost().add(entry.cost_usd) for entry in paid), Cost())
                assert (row.estimated, row.estimated_tokens) == (
                    len(guessed),
                    sum(entry.usage.total for entry in guessed),
                )
            assert together(report.sums).requests == len(counted)


def test_sums_of_calls_and_decisions_are_those_of_a_recount(spent: tuple[Store, list[Maker]]) -> None:
    store, makers = spent
    since = NOW - timedelta(days=20)
    events = [event for maker in makers for event in maker.events if event.time >= since]
    ended = [event for event in events if isinstance(event, ToolFinished)]
    for row in read(store, "tool", since).tools:
        mine = [event for event in ended if event.tool == row.tool]
        count = Counter(event.status for event in mine)
        assert (row.calls, row.failed, row.timeouts, row.denied) == (
            len(mine),
            count["error"],
            count["timeout"],
            count["denied"],
        )
        times = sorted(event.seconds for event in mine if event.status != "denied")
        assert row.seconds == pytest.approx(sum(times))
        assert row.slowest == max(times)
        assert row.p50 in times
        assert sum(each <= row.p95 for each in times) >= 0.95 * len(times)
    decided = [event for event in events if isinstance(event, ApprovalResolved)]
    approvals = read(store, "approval", since).approvals
    assert {(row.tool, row.decision, row.by): row.count for row in approvals} == Counter(
        (event.tool, event.decision, event.by) for event in decided
    )
    table = views.table("approval", False, Report(by="approval", approvals=approvals))
    assert sum(int(line.cells[0]) for line in table.lines) == len(decided)
    assert len(table.lines) == len({(event.decision, event.by) for event in decided})


def test_the_command_prints_the_same(
    capsys: pytest.CaptureFixture[str], monkeypatch: pytest.MonkeyPatch, spent: tuple[Store, list[Maker]]
) -> None:
    store, _ = spent
    monkeypatch.setenv("QUARTERDECK_DATA", str(store.path.parent))

    def usage(*arguments: str) -> Any:
        assert main_with(["usage", *arguments]) == 0
        return capsys.readouterr().out

    sums = json.loads(usage("--by", "project", "--json"))
    report = read(store, "project")
    total = together(report.sums)
    assert [row["project"] for row in sums["rows"]] == [row.key for row in report.sums]
    assert sums["total"]["cache_share"] == round(total.usage.cached_input / total.usage.input, 4)
    assert sums["total"]["estimated_tokens"] == total.estimated_tokens
    tools = json.loads(usage("--by", "tool", "--json"))
    found = read(store, "tool").tools
    assert [(row["tool"], row["calls"], row["p95_seconds"]) for row in tools["rows"]] == [
        (row.tool, row.calls, round(row.p95, 3)) for row in found
    ]
    assert tools["total"]["failed"] == sum(row.failed for row in found)
    approvals = json.loads(usage("--by", "approval", "--json"))
    assert approvals["total"]["count"] == sum(row.count for row in read(store, "approval").approvals)
    text = usage("--by", "tool").splitlines()
    assert text[0].split()[:3] == ["tool", "calls", "failed"]
    assert [line.split()[0] for line in text[1:]] == [row.tool for row in found]
    assert usage("--by", "approval", "--limit", "1").splitlines()[-1].endswith("more)")
    assert main_with(["usage", "--by", "tool", "--session", "x"]) == 2
    assert "over all sessions" in capsys.readouterr().err


def bucket(value: float, part: float, unknown: bool) -> Bucket:
    return Bucket("01-02", value, value * part, unknown)


BUCKETS = st.lists(
    st.builds(
        bucket,
        st.just(0.0) | st.floats(1e-9, 1e9),
        st.just(0.0) | st.floats(0, 1),
        st.booleans(),
    ),
    min_size=1,
    max_size=100,
)


@settings(max_examples=60, deadline=None)
@given(BUCKETS, st.integers(20, 170), st.integers(5, 24))
def test_a_plot_fits_and_shows_all_that_is_not_nothing(found: list[Bucket], width: int, height: int) -> None:
    drawn = rising(found, width, height, dollars).plain.split("\n")
    assert 3 <= len(drawn) <= height
    assert max(map(cell_len, drawn)) <= width
    left = drawn[-2].index("└")
    bars, floor = [line[left + 1 :] for line in drawn[:-2]], drawn[-2][left + 1 :]
    slot = len(floor) // min(len(found), max(1, len(floor)))
    shown = found[-(len(floor) // slot) :] if slot else []
    for place, bucket in enumerate(shown):
        column = "".join(line[place * slot] for line in reversed(bars))
        assert (column[0] != " ") == (bucket.value > 0)
        # No gap in a bar.
        assert " " not in column.rstrip()
        assert ("?" in floor[place * slot : (place + 1) * slot]) == bucket.unknown


def test_a_plot_is_as_high_as_its_values() -> None:
    found = [Bucket("a", 4.0), Bucket("b", 2.0), Bucket("c", 0.0), Bucket("d", 1.5, 1.5), Bucket("e", 3.0, 1.0, True)]
    assert [line.rstrip() for line in rising(found, 40, 10, dollars).plain.split("\n")] == [
        "$4 ┤██████",
        "   │██████",
        "$3 ┤██████                      ▒▒▒▒▒▒",
        "   │██████                      ▒▒▒▒▒▒",
        "$2 ┤██████ ██████               ██████",
        "   │██████ ██████        ▒▒▒▒▒▒ ██████",
        "$1 ┤██████ ██████        ▒▒▒▒▒▒ ██████",
        "   │██████ ██████        ▒▒▒▒▒▒ ██████",
        "$0 └──────────────────────────────?────",
        "    a      b      c      d      e",
    ]
    assert [nice_step(most, 4) for most in (0.0, 1.0, 7.9, 8.1, 0.003)] == [1.0, 0.5, 2.0, 5.0, 0.001]
    assert [dollars(3.0, 1.0), dollars(0.5, 0.1), dollars(0.001, 0.0005), thousands(1500.0, 1.0)] == [
        "$3",
        "$0.50",
        "$0.0010",
        "1.5k",
    ]


@given(st.floats(0, 1e6), st.floats(0, 1), st.integers(1, 60))
def test_a_bar_is_exactly_so_wide_and_never_nothing_for_something(part: float, guess: float, width: int) -> None:
    bar = growing(part, part * guess, 1e6, width).plain
    assert cell_len(bar) == width
    assert bool(bar.strip()) == (part > 0)
    assert growing(1e6, 0.0, 1e6, width).plain == "█" * width


def sum_of(key: str, cost: Decimal | None, tokens: int = 10) -> UsageSum:
    return UsageSum(
        key=key,
        title="",
        requests=1,
        retries=0,
        first=NOW,
        last=NOW,
        usage=Usage(input=tokens),
        cost=Cost().add(cost),
        estimated=0,
        estimated_cost=Cost(),
        estimated_tokens=0,
        discarded=0,
        discarded_cost=Cost(),
    )


@settings(max_examples=80, deadline=None)
@given(st.sets(st.integers(0, 900), max_size=30), st.integers(0, 900), st.integers(4, 160))
def test_every_day_is_in_one_bar(days: set[int], length: int, room: int) -> None:
    last = date(2026, 3, 10)
    first = last - timedelta(days=length)
    rows = [sum_of(f"{last - timedelta(days=ago)}", Decimal(1)) for ago in days]
    bars, each = buckets(rows, first, last, room, lambda row: views.measured(row, False))
    assert sum(bar.value for bar in bars) == sum(ago <= length for ago in days)
    assert len(bars) <= room or each == "month"
    if each == "day":
        assert [bar.label for bar in bars] == [f"{first + timedelta(days=n):%m-%d}" for n in range(length + 1)]
    else:
        assert len(bars) < length + 1
    assert first_day(rows, None) == min((last - timedelta(days=ago) for ago in days), default=None)


@pytest.mark.parametrize("width", [40, 60, 80, 120, 160])
def test_a_table_fits_and_keeps_its_first_column(width: int, spent: tuple[Store, list[Maker]]) -> None:
    store, _ = spent
    for view in VIEWS:
        for second in (False, True):
            report = read(store, views.asked(view, second))
            table = views.table(view, second, report)
            bars = view != "day"
            fitted = lines.columns(table, width, bars=bars)
            assert fitted.cells
            drawn = [
                lines.heading(table, width, bars=bars),
                *(lines.row(each, table, fitted, width) for each in table.lines),
            ]
            assert {cell_len(each.plain) for each in drawn} == {width}
            for each, line in zip(drawn[1:], table.lines, strict=True):
                assert line.cells[0] in each.plain
            assert max(line.bar for line in table.lines) <= table.full
            said = views.summary(view, report, width)
            assert cell_len(said) <= width or " · " not in said


def test_what_is_unknown_or_damaged_is_said() -> None:
    report = Report(by="model", sums=(sum_of("a\x1b[31m/b", None), sum_of("", Decimal(2))))
    table = views.table("model", False, report)
    assert [(line.name, line.cells[0]) for line in table.lines] == [("a␛/b", "unknown"), ("(unknown)", "$2.00")]
    assert "+ 1 request of unknown price" in views.summary("model", report, 100)
    assert views.remarks("model", report) == ["? price unknown: 1 request, in no sum"]
    folders = views.table("project", False, replace(report, by="project"))
    assert folders.lines[1].name == "(no folder known)"
    odd = ApprovalSum(tool="x", decision="allow", by="timeout", count=1, seconds=0.0, slowest=0.02)
    (line,) = views.table("approval", True, Report(by="approval", approvals=(odd,))).lines
    assert (line.name, line.cells) == ("allowed, no answer in time", ("—", "20 ms", "1", "100%"))


def test_how_far_back_is_a_choice_or_what_was_written() -> None:
    assert spans("", NOW) == (SPANS, 1)
    assert spans("90d", NOW) == (SPANS, 2)
    assert spans("all", NOW)[0][spans("all", NOW)[1]].since(NOW) is None
    found, chosen = spans("2026-02-03", NOW)
    assert (found[chosen].name, len(found)) == ("since 2026-02-03", 5)
    with pytest.raises(ValueError, match="is no day"):
        spans("yesterday-ish", NOW)


def test_every_view_says_why_it_is_empty() -> None:
    names: tuple[ViewName, ...] = VIEWS
    for view in names:
        report = Report(by=views.asked(view, False))
        assert report.empty
        assert views.NOTHING[view]
        assert not views.table(view, False, report).lines

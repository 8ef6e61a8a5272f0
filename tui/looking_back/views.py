"""What the usage screen shows of each kind: which sums, in which columns, with how long a bar. Pure."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from decimal import Decimal
from typing import Final, Literal

from runner.store.base import ApprovalSum, ToolSum, UsageSum
from runner.usage import Cost
from tui import words
from tui.looking_back.report import By, Report, cache_share, outcomes, together
from tui.render.clean import clean, visible

ViewName = Literal["day", "model", "agent", "project", "tool", "approval", "cache"]
VIEWS: Final[tuple[ViewName, ...]] = ("day", "model", "agent", "project", "tool", "approval", "cache")
TITLES: Final[dict[ViewName, str]] = {
    "day": "days",
    "model": "models",
    "agent": "agents",
    "project": "projects",
    "tool": "tools",
    "approval": "approvals",
    "cache": "cache",
}
MEASURES: Final[dict[ViewName, tuple[str, str]]] = {
    **dict.fromkeys(("day", "model", "agent", "project"), ("cost", "tokens")),
    "tool": ("slowest", "most failing"),
    "approval": ("by outcome", "by time taken"),
    "cache": ("by model", "by day"),
}
"""What the bars tell: the first one, and the other."""

NOTHING: Final[dict[ViewName, str]] = {
    **dict.fromkeys(VIEWS, "no request to a model was made"),
    "tool": "no tool was called",
    "approval": "nothing was decided",
}
_NO_NAME: Final = {"project": "(no folder known)"}
OUTCOMES: Final = {
    "allow": "allowed",
    "deny": "denied",
    "edit": "edited, then allowed",
    "answer": "answered",
    "end_run": "run ended",
}
_WHO: Final = {
    "user": " by you",
    "rule": " by a rule",
    "grant": " by a grant",
    "timeout": ", no answer in time",
    "stop": " by a stop",
    "disconnect": ", nobody was there",
}


@dataclass(frozen=True, slots=True)
class Line:
    """A row of the table. bar: how long, guess: how much of that is estimated; cells: one for each column."""

    name: str
    bar: float
    guess: float
    cells: tuple[str, ...]
    source: UsageSum | ToolSum | ApprovalSum


@dataclass(frozen=True, slots=True)
class Table:
    """head: the columns after the name; the first ones stay where there is little room. full: the value whose bar
    fills its column."""

    name: str
    head: tuple[str, ...]
    lines: tuple[Line, ...]
    full: float


def asked(view: ViewName, second: bool) -> By:
    """The sums that a view needs."""
    if view == "cache":
        return "day" if second else "model"
    return view


def measured(row: UsageSum, tokens: bool) -> tuple[float, float, bool]:
    """How long its bar is, how much of that is an estimate, and whether something is missing in it."""
    if tokens:
        return float(row.usage.total), float(row.estimated_tokens), False
    return float(row.cost.known), float(row.estimated_cost.known), row.cost.unknown > 0


def table(view: ViewName, second: bool, report: Report) -> Table:
    match view:
        case "tool":
            return _tools(report.tools, second)
        case "approval":
            return _approvals(report.approvals, second)
        case "cache":
            return _cache(report, second)
        case _:
            return _requests(view, report, second)


_Column = tuple[str, Callable[[UsageSum], str], Callable[[UsageSum], object]]


def _money(row: UsageSum) -> str:
    if row.cost.unknown and not row.cost.known:
        return "unknown"
    return words.cost(row.cost, estimated=row.estimated_cost.known > 0).replace(" + unknown", " + ?")


def _tokens(row: UsageSum) -> str:
    return ("~" if row.estimated_tokens else "") + words.tokens(row.usage.total)


def share_words(share: float | None) -> str:
    return "—" if share is None else f"{share:.0%}"


# A column is left out where its last function gives nothing for every row.
_COLUMNS: Final[tuple[_Column, ...]] = (
    ("requests", lambda row: str(row.requests), lambda row: 1),
    ("input", lambda row: words.tokens(row.usage.input), lambda row: 1),
    ("output", lambda row: words.tokens(row.usage.output), lambda row: 1),
    ("cached", lambda row: words.tokens(row.usage.cached_input), lambda row: row.usage.cached_input),
    ("thinking", lambda row: words.tokens(row.usage.reasoning), lambda row: row.usage.reasoning),
    ("discarded", lambda row: words.cost(row.discarded_cost), lambda row: row.discarded),
)


def name_of(by: str, key: str) -> str:
    shown = visible(words.one_line(key)) if by == "project" else clean(words.one_line(key))
    return shown or _NO_NAME.get(by, "(unknown)")


def _requests(view: ViewName, report: Report, tokens: bool) -> Table:
    first: tuple[_Column, _Column] = (("cost", _money, lambda row: 1), ("tokens", _tokens, lambda row: 1))
    columns = [*(reversed(first) if tokens else first), *_COLUMNS]
    columns = [column for column in columns if any(column[2](row) for row in report.sums)]
    rows = list(report.sums)
    if view == "day":
        rows.reverse()
    elif tokens:
        rows.sort(key=lambda row: (-row.usage.total, row.key))
    lines: list[Line] = []
    for row in rows:
        value, guess, _ = measured(row, tokens)
        lines.append(Line(name_of(view, row.key), value, guess, tuple(column[1](row) for column in columns), row))
    return Table(
        view, tuple(column[0] for column in columns), tuple(lines), max((line.bar for line in lines), default=0)
    )


def _cache(report: Report, by_day: bool) -> Table:
    head = ("cached", "of input", "written", "requests")
    rows = list(reversed(report.sums)) if by_day else sorted(report.sums, key=lambda row: -row.usage.input)
    lines = [
        Line(
            name_of(report.by, row.key),
            cache_share(row.usage) or 0.0,
            0.0,
            (
                share_words(cache_share(row.usage)),
                words.tokens(row.usage.input),
                words.tokens(row.usage.cache_write),
                str(row.requests),
            ),
            row,
        )
        for row in rows
    ]
    return Table(report.by, head, tuple(lines), 1.0)


def took(seconds: float) -> str:
    """Seconds, thousandths of one where it was quick; nothing for what took no time at all."""
    if not seconds:
        return "—"
    return f"{max(1, round(seconds * 1000))} ms" if seconds < 0.0995 else words.duration(seconds)


def _tools(rows: Sequence[ToolSum], failing: bool) -> Table:
    if failing:
        head = ("failed", "of calls", "calls", "timeouts", "denied", "slowest")
        ranked = sorted(rows, key=lambda row: (-(row.failed + row.timeouts), -row.calls, row.tool))
    else:
        head = ("95 of 100", "slowest", "half", "calls", "failed", "together")
        ranked = sorted(rows, key=lambda row: (-row.p95, -row.slowest, row.tool))
    lines: list[Line] = []
    for row in ranked:
        bad = row.failed + row.timeouts
        if failing:
            rate = f"{bad / row.calls:.0%}" if row.calls else "—"
            cells = (str(bad), rate, str(row.calls), str(row.timeouts), str(row.denied), took(row.slowest))
        else:
            times = [took(each) for each in (row.p95, row.slowest, row.p50, row.seconds)]
            cells = (times[0], times[1], times[2], str(row.calls), str(bad), times[3])
        lines.append(Line(name_of("tool", row.tool), float(bad) if failing else row.p95, 0.0, cells, row))
    return Table("tool", head, tuple(lines), _longest(lines))


def _approvals(rows: Sequence[ApprovalSum], by_time: bool) -> Table:
    found = outcomes(rows)
    total = sum(row.count for row in found)
    if by_time:
        found.sort(key=lambda row: -_mean(row))
    head = ("mean", "slowest", "count", "of all") if by_time else ("count", "of all", "mean", "slowest")
    lines: list[Line] = []
    for row in found:
        times = (took(_mean(row)), took(row.slowest))
        many = (str(row.count), f"{row.count / total:.0%}")
        name = f"{OUTCOMES.get(row.decision, clean(row.decision))}{_WHO.get(row.by, f' by {clean(row.by)}')}"
        cells = (*times, *many) if by_time else (*many, *times)
        lines.append(Line(name, _mean(row) if by_time else float(row.count), 0.0, cells, row))
    return Table("outcome", head, tuple(lines), _longest(lines))


def _longest(lines: Sequence[Line]) -> float:
    return max((line.bar for line in lines), default=0.0)


def _mean(row: ApprovalSum) -> float:
    return row.seconds / row.count if row.count else 0.0


def summary(view: ViewName, report: Report, width: int) -> str:
    """One line about all of it; the last facts go where there is no room."""
    facts = _summary(view, report)
    while len(facts) > 1 and words.cell_len(" · ".join(facts)) > width:
        facts.pop()
    return " · ".join(facts)


def _summary(view: ViewName, report: Report) -> list[str]:
    if view == "tool":
        calls = sum(row.calls for row in report.tools)
        bad = sum(row.failed + row.timeouts for row in report.tools)
        denied = sum(row.denied for row in report.tools)
        together_words = words.duration(sum(row.seconds for row in report.tools))
        return [words.count(calls, "call"), f"{bad} failed", f"{denied} denied", f"{together_words} together"]
    if view == "approval":
        many = sum(row.count for row in report.approvals)
        yours = sum(row.count for row in report.approvals if row.by == "user")
        yours_words = words.duration(sum(row.seconds for row in report.approvals if row.by == "user"))
        return [words.count(many, "decision"), f"{yours} by you, who took {yours_words} for them"]
    total = together(report.sums)
    parts = [
        words.cost(total.cost, estimated=total.estimated_cost.known > 0).removesuffix(" + unknown"),
        f"+ {words.count(total.cost.unknown, 'request')} of unknown price" if total.cost.unknown else "",
    ]
    tokens = f"{_tokens(total)} tokens"
    cached = cache_share(total.usage)
    facts = [
        " ".join(filter(None, parts)),
        tokens,
        words.count(total.requests, "request"),
        f"{share_words(cached)} of the input cached" if cached or view == "cache" else "",
    ]
    if view == "cache":
        facts = [facts[3], facts[1], facts[2], facts[0]]
    return list(filter(None, facts))


def remarks(view: ViewName, report: Report) -> list[str]:
    """What the marks on the screen mean, where they occur on it; before that, what is still missing."""
    if report.behind:
        return [f"still counting: {words.count(report.behind, 'run')} to go"]
    if view == "tool":
        return ["half, 95 of 100: so many of the calls took no longer than this"]
    if view == "approval":
        return ["mean, slowest: from the question to the answer"]
    if view == "cache":
        return ["cached: how much of the input was read from the provider's cache"]
    found: list[str] = []
    total = together(report.sums)
    if total.estimated:
        found.append(f"~ ▒ our estimate: {words.count(total.estimated, 'request')}")
    if total.cost.unknown:
        found.append(f"? price unknown: {words.count(total.cost.unknown, 'request')}, in no sum")
    return found


def facts(source: UsageSum | ToolSum | ApprovalSum) -> list[tuple[str, str]]:
    """All that is known of one row."""
    match source:
        case ToolSum():
            return [
                ("calls", str(source.calls)),
                ("failed", str(source.failed)),
                ("timeouts", str(source.timeouts)),
                ("denied", str(source.denied)),
                ("half took", f"{took(source.p50)} or less"),
                ("95 of 100", f"{took(source.p95)} or less"),
                ("slowest", took(source.slowest)),
                ("together", took(source.seconds)),
            ]
        case ApprovalSum():
            return [
                ("decisions", str(source.count)),
                ("mean", took(_mean(source))),
                ("slowest", took(source.slowest)),
                ("together", took(source.seconds)),
            ]
        case UsageSum():
            return _usage_facts(source)


def _usage_facts(row: UsageSum) -> list[tuple[str, str]]:
    used = row.usage
    retries = f", {words.count(row.retries, 'retry', 'retries')} among them" if row.retries else ""
    thinking = f", {used.reasoning:,} of them thinking" if used.reasoning else ""
    found = [
        ("requests", f"{row.requests}{retries}"),
        ("input", f"{used.input:,} tokens"),
        ("cached", f"{used.cached_input:,} of them, {share_words(cache_share(used))}" if used.cached_input else ""),
        ("written", f"{used.cache_write:,} of them to the cache" if used.cache_write else ""),
        ("output", f"{used.output:,} tokens{thinking}"),
        ("cost", _whole(row.cost.known, row.cost.unknown)),
        ("estimated", _guessed(row) if row.estimated else ""),
        ("discarded", _some(row.discarded, row.discarded_cost) if row.discarded else ""),
        ("first", f"{row.first.astimezone():%Y-%m-%d %H:%M}"),
        ("last", f"{row.last.astimezone():%Y-%m-%d %H:%M}"),
    ]
    return [(name, text) for name, text in found if text]


def _guessed(row: UsageSum) -> str:
    return f"{_some(row.estimated, row.estimated_cost)}, {row.estimated_tokens:,} of the tokens"


def _some(requests: int, cost: Cost) -> str:
    return f"{words.count(requests, 'request')}, {words.cost(cost)} of the cost"


def _whole(known: Decimal, unknown: int) -> str:
    more = f" + {words.count(unknown, 'request')} of unknown price" if unknown else ""
    return f"${known.normalize():f}{more}"

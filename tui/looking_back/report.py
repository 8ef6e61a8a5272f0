"""What is asked of all that is stored, and the answer as JSON: the same numbers for the command and the screen."""

from __future__ import annotations

from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from datetime import datetime
from typing import TYPE_CHECKING, Final, Literal, cast, get_args

from runner.store.base import ApprovalSum, ToolSum, UsageBy, UsageSum
from runner.usage import Cost, Usage

if TYPE_CHECKING:
    from runner.store import Store

By = Literal["model", "provider", "agent", "project", "day", "session", "run", "tool", "approval"]
"""What sums are made by. tool: of calls; approval: of decisions; all others: of requests to models."""

KINDS: Final[tuple[By, ...]] = get_args(By)


@dataclass(frozen=True, slots=True, kw_only=True)
class Report:
    """One of these is filled, as `by` says: sums of requests, of calls by tool, of decisions.

    behind: runs whose calls and decisions are not counted yet.
    """

    by: By
    since: datetime | None = None
    session_id: str | None = None
    sums: tuple[UsageSum, ...] = ()
    tools: tuple[ToolSum, ...] = ()
    approvals: tuple[ApprovalSum, ...] = ()
    behind: int = 0

    @property
    def empty(self) -> bool:
        return not (self.sums or self.tools or self.approvals)


def read(store: Store, by: By, since: datetime | None = None, session_id: str | None = None) -> Report:
    """Ask the store, which blocks. Requests: the dearest first, days as they came; calls and decisions: most first."""
    if by == "tool":
        tools = sorted(store.tool_sums(since=since), key=lambda row: (-row.calls, row.tool))
        return Report(by=by, since=since, tools=tuple(tools), behind=store.search.behind())
    if by == "approval":
        found = sorted(store.approval_sums(since=since), key=lambda row: (-row.count, row.tool, row.decision, row.by))
        return Report(by=by, since=since, approvals=tuple(found), behind=store.search.behind())
    sums = store.usage(cast("UsageBy", by), since=since, session_id=session_id)
    return Report(by=by, since=since, session_id=session_id, sums=tuple(ordered(by, sums)))


def ordered(by: str, rows: Sequence[UsageSum]) -> list[UsageSum]:
    """The dearest first; days as they came."""
    if by == "day":
        return sorted(rows, key=lambda row: row.key)
    return sorted(rows, key=lambda row: (-row.cost.known, -row.usage.total, row.key))


def together(rows: Sequence[UsageSum]) -> UsageSum:
    """All of them as one; there must be one."""
    return UsageSum(
        key="",
        title="",
        requests=sum(row.requests for row in rows),
        retries=sum(row.retries for row in rows),
        first=min(row.first for row in rows),
        last=max(row.last for row in rows),
        usage=sum((row.usage for row in rows), Usage()),
        cost=sum((row.cost for row in rows), Cost()),
        estimated=sum(row.estimated for row in rows),
        estimated_cost=sum((row.estimated_cost for row in rows), Cost()),
        estimated_tokens=sum(row.estimated_tokens for row in rows),
        discarded=sum(row.discarded for row in rows),
        discarded_cost=sum((row.discarded_cost for row in rows), Cost()),
    )


def cache_share(usage: Usage) -> float | None:
    """How much of the input was read from a cache, 0 to 1; None where there was no input."""
    return usage.cached_input / usage.input if usage.input else None


def outcomes(rows: Iterable[ApprovalSum]) -> list[ApprovalSum]:
    """Decisions of all tools together: one sum for each outcome and who decided, the most first."""
    found: dict[tuple[str, str], list[ApprovalSum]] = {}
    for row in rows:
        found.setdefault((row.decision, row.by), []).append(row)
    sums = [
        ApprovalSum(
            tool="",
            decision=decision,
            by=by,
            count=sum(row.count for row in same),
            seconds=sum(row.seconds for row in same),
            slowest=max(row.slowest for row in same),
        )
        for (decision, by), same in found.items()
    ]
    return sorted(sums, key=lambda row: (-row.count, row.decision, row.by))


def as_json(report: Report) -> dict[str, object]:
    """The keys are part of the command's contract: `rows` and `total` with exact numbers, null where not known."""
    rows, total = _rows(report)
    return {
        "by": report.by,
        "since": None if report.since is None else report.since.isoformat(),
        "session_id": report.session_id,
        "rows": rows,
        "total": total,
    }


def _rows(report: Report) -> tuple[Sequence[Mapping[str, object]], Mapping[str, object] | None]:
    match report.by:
        case "tool":
            tools = report.tools
            counts = ("calls", "failed", "timeouts", "denied", "seconds")
            total = {name: sum(cast("float", getattr(row, name)) for row in tools) for name in counts}
            return [_tool(row) for row in tools], {**total, "seconds": round(total["seconds"], 3)} if tools else None
        case "approval":
            found = report.approvals
            seconds = round(sum(row.seconds for row in found), 3)
            both = {"count": sum(row.count for row in found), "seconds": seconds}
            return [_approval(row) for row in found], both if found else None
        case by:
            named = [{by: row.key, **({"title": row.title} if row.title else {}), **_sums(row)} for row in report.sums]
            return named, _sums(together(report.sums)) if report.sums else None


def _tool(row: ToolSum) -> dict[str, object]:
    return {
        "tool": row.tool,
        "calls": row.calls,
        "failed": row.failed,
        "timeouts": row.timeouts,
        "denied": row.denied,
        "seconds": round(row.seconds, 3),
        "slowest_seconds": round(row.slowest, 3),
        "p50_seconds": round(row.p50, 3),
        "p95_seconds": round(row.p95, 3),
    }


def _approval(row: ApprovalSum) -> dict[str, object]:
    return {
        "tool": row.tool,
        "decision": row.decision,
        "by": row.by,
        "count": row.count,
        "seconds": round(row.seconds, 3),
        "slowest_seconds": round(row.slowest, 3),
    }


def _sums(row: UsageSum) -> dict[str, object]:
    """Money as an exact text; null where a part of it is unknown."""
    share = cache_share(row.usage)
    return {
        "requests": row.requests,
        "retries": row.retries,
        "input_tokens": row.usage.input,
        "cached_input_tokens": row.usage.cached_input,
        "cache_write_tokens": row.usage.cache_write,
        "cache_share": None if share is None else round(share, 4),
        "output_tokens": row.usage.output,
        "reasoning_tokens": row.usage.reasoning,
        "cost_usd": exact(row.cost),
        "known_cost_usd": f"{row.cost.known.normalize():f}",
        "cost_unknown_requests": row.cost.unknown,
        "estimated_requests": row.estimated,
        "estimated_cost_usd": exact(row.estimated_cost),
        "estimated_tokens": row.estimated_tokens,
        "discarded_requests": row.discarded,
        "discarded_cost_usd": exact(row.discarded_cost),
        "first": row.first.isoformat(),
        "last": row.last.isoformat(),
    }


def exact(cost: Cost) -> str | None:
    """Dollars as an exact text; None where a part is unknown."""
    return None if cost.total is None else f"{cost.total.normalize():f}"

"""How calls and approvals went, over everything that the search index knows."""

from __future__ import annotations

import sqlite3

from runner.store.base import ApprovalSum, ToolSum

_RAN = "status NOT IN ('denied', 'skipped', 'invalid')"
"""A condition on calls: those whose tool was at work, so that their seconds say something of it."""


def tool_sums(connection: sqlite3.Connection, since: int) -> list[ToolSum]:
    """since: in microseconds. The most called first."""
    rows = connection.execute(
        "SELECT tool, count(*), sum(status = 'error'), sum(status = 'timeout'), sum(status = 'denied'), sum(seconds),"
        f" max(seconds), sum({_RAN}) FROM calls WHERE time >= ? GROUP BY tool ORDER BY count(*) DESC, tool",
        (since,),
    ).fetchall()
    return [
        ToolSum(
            tool=tool,
            calls=calls,
            failed=failed,
            timeouts=timeouts,
            denied=denied,
            seconds=seconds,
            slowest=slowest,
            p50=_percentile(connection, tool, since, ran, 50),
            p95=_percentile(connection, tool, since, ran, 95),
        )
        for tool, calls, failed, timeouts, denied, seconds, slowest, ran in rows
    ]


def _percentile(connection: sqlite3.Connection, tool: str, since: int, count: int, percent: int) -> float:
    """The least number of seconds in which so many of every hundred calls were done."""
    if not count:
        return 0.0
    row = connection.execute(
        f"SELECT seconds FROM calls WHERE tool = ? AND time >= ? AND {_RAN} ORDER BY seconds LIMIT 1 OFFSET ?",
        (tool, since, max(0, -(-count * percent // 100) - 1)),
    ).fetchone()
    return row[0]


def approval_sums(connection: sqlite3.Connection, since: int) -> list[ApprovalSum]:
    """since: in microseconds. The most frequent first."""
    rows = connection.execute(
        "SELECT tool, decision, decided_by, count(*), sum(seconds), max(seconds) FROM approvals WHERE time >= ?"
        " GROUP BY tool, decision, decided_by ORDER BY count(*) DESC, tool, decision, decided_by",
        (since,),
    ).fetchall()
    return [
        ApprovalSum(tool=tool, decision=decision, by=by, count=count, seconds=seconds, slowest=slowest)
        for tool, decision, by, count, seconds, slowest in rows
    ]

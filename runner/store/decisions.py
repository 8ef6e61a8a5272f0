"""The decision ledger: a row for each decision about a call and for each question, written with the facts themselves.

The rows hold what is searched; what is shown is read from the facts, so that nothing long is kept twice.
"""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, replace
from datetime import datetime
from typing import TYPE_CHECKING, Any, TypeAlias, cast

from runner.events import (
    UNBOUNDED,
    ApprovalRequested,
    ApprovalResolved,
    Asks,
    Bound,
    Event,
    Risk,
    Suggested,
    ToolPattern,
    ToolProposed,
)
from runner.messages import JsonObject
from runner.store.rows import RawRow, decode
from runner.store.units import clean, from_micros, micros

if TYPE_CHECKING:
    from runner.policy.history import PastRequest

Change: TypeAlias = tuple[str, tuple[Any, ...]]
"""A statement and its values."""

Decode: TypeAlias = Callable[[str, RawRow], Event | None]

SEARCHED = 4000
"""Characters of a decision that a search by text looks at."""

LONGEST_QUERY = 200
_KINDS = ("tool_proposed", "approval_requested", "approval_resolved")
_ROWS_AT_ONCE = 500

_INSERT = """
    INSERT INTO decisions(
        run_id, session_id, call_id, request_id, asked, resolved, time, tool, decision, decided_by, grants, search
    ) VALUES (?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?, ?)
"""
_RESOLVE = """
    UPDATE decisions SET resolved = ?, time = ?, decision = ?, decided_by = ?, grants = ?,
        search = substr(search || ?, 1, ?)
    WHERE run_id = ? AND request_id = ? AND resolved IS NULL
"""


@dataclass(frozen=True, slots=True, kw_only=True)
class DecisionRow:
    """A decision as it was taken.

    place: its number, for the page after it. proposed, arguments: what the model asked for, and what was allowed, or
    the answer to a question. rule: the rule, grant or mode that decided, or that made it ask. why: why it was asked.
    seconds: how long the person took. grants: the keys of the grants that decided.
    """

    place: int
    time: datetime
    session_id: str
    run_id: str
    call_id: str
    agent: str
    tool: str
    proposed: JsonObject | None
    arguments: JsonObject
    decision: str
    by: str
    rule: str
    scope: str
    match: str
    reason: str
    why: str
    seconds: float
    request_id: str = ""
    patterns: tuple[ToolPattern, ...] = ()
    bound: Bound = UNBOUNDED
    identity: str = ""
    grants: tuple[str, ...] = ()
    asks: Asks = "call"
    question: str = ""
    risk: Risk | None = None
    risks: tuple[str, ...] = ()
    suggestions: tuple[Suggested, ...] = ()
    title: str = ""
    workspace: str = ""


def change_of(event: Event) -> Change | None:
    """What the fact changes in the ledger; None where it says nothing of a decision."""
    match event:
        case ApprovalRequested():
            text = _searchable(event.tool, event.agent, event.why, event.arguments, event.preview)
            return _INSERT, _row(event, event.request_id, event.seq, None, event.tool, "", "", (), text)
        case ApprovalResolved(request_id=""):
            text = _searchable(event.tool, event.agent, event.rule, event.reason, event.arguments)
            row = _row(event, "", None, event.seq, event.tool, event.decision, event.by, event.grants, text)
            return _INSERT, row
        case ApprovalResolved():
            edited = event.arguments if event.decision in ("edit", "answer") else None
            text = _searchable(event.rule, event.reason, edited)
            keys = " ".join(event.grants)
            moment = micros(event.time)
            values = (event.seq, moment, event.decision, event.by, keys, text, SEARCHED)
            return _RESOLVE, (*values, event.run_id, clean(event.request_id))
        case _:
            return None


def _row(
    event: ApprovalRequested | ApprovalResolved,
    request_id: str,
    asked: int | None,
    resolved: int | None,
    tool: str,
    decision: str,
    by: str,
    grants: Sequence[str],
    text: str,
) -> tuple[Any, ...]:
    where = (event.run_id, event.session_id, clean(event.call_id), clean(request_id))
    return (*where, asked, resolved, micros(event.time), clean(tool), decision, by, " ".join(grants), text)


def _searchable(*parts: object) -> str:
    texts = [part if isinstance(part, str) else _flat(part) for part in parts if part]
    return clean("\n".join(text[:SEARCHED] for text in texts)[:SEARCHED]).casefold() + "\n"


def _flat(value: object) -> str:
    """The texts in a value, one after the other: a search finds what a person reads, not how JSON writes it."""
    found: list[str] = []
    size = 0
    left: list[object] = [value]
    while left and size < SEARCHED:
        part = left.pop()
        if isinstance(part, dict | list | tuple):
            left.extend(reversed(_items(cast("object", part))))
        elif part is not None and not isinstance(part, bool):
            found.append(str(part)[:SEARCHED])
            size += len(found[-1])
    return " ".join(found)


def _items(value: object) -> list[object]:
    return list(cast("JsonObject", value).values() if isinstance(value, dict) else cast("Sequence[object]", value))


def fill(connection: sqlite3.Connection) -> None:
    """Make the rows of what was decided before there was a ledger; a damaged fact is passed over."""
    marks = ", ".join("?" * len(_KINDS))
    found = connection.execute(
        "SELECT r.run_id, r.session_id, e.seq, CAST(e.json AS BLOB) FROM runs r JOIN events e ON e.run_id = r.run_id"
        f" WHERE e.kind IN ({marks}) ORDER BY r.n, e.seq",
        _KINDS,
    )
    tools: dict[tuple[str, str], str] = {}
    while rows := found.fetchmany(_ROWS_AT_ONCE):
        for run_id, session_id, seq, data in rows:
            try:
                event = decode(RawRow(run_id=run_id, seq=seq, data=data, is_delta=False))
            except (ValueError, TypeError):
                continue
            change = _old_change(event, tools)
            if change is not None:
                sql, values = change
                named = (run_id, session_id, *values[2:]) if sql == _INSERT else values
                connection.execute(sql, named)


def _old_change(event: Event, tools: dict[tuple[str, str], str]) -> Change | None:
    """tools: of the calls so far; a decision without a request did not say its own."""
    if isinstance(event, ToolProposed):
        tools[event.run_id, event.call_id] = event.tool
    elif isinstance(event, ApprovalResolved) and not event.tool:
        return change_of(replace(event, tool=tools.get((event.run_id, event.call_id), "")))
    return change_of(event)


@dataclass(frozen=True, slots=True, kw_only=True)
class Wanted:
    """Which decisions. text: words that all occur. grant: the key of one that took part. before: the place of the last
    one shown."""

    session_id: str | None = None
    text: str = ""
    tool: str = ""
    decision: str = ""
    by: str = ""
    grant: str = ""
    since: datetime | None = None
    before: int | None = None
    limit: int = 200

    def where(self) -> tuple[str, list[Any]]:
        conditions: list[str] = ["d.resolved IS NOT NULL"]
        values: list[Any] = []
        plain = {"session_id": self.session_id, "tool": self.tool, "decision": self.decision, "decided_by": self.by}
        for name, value in plain.items():
            if value:
                conditions.append(f"d.{name} = ?")
                values.append(value)
        if self.grant:
            conditions.append("instr(' ' || d.grants || ' ', ?) > 0")
            values.append(f" {clean(self.grant)} ")
        if self.since is not None:
            conditions.append("d.time >= ?")
            values.append(micros(self.since))
        if self.before is not None:
            conditions.append("d.n < ?")
            values.append(self.before)
        for word in clean(self.text[:LONGEST_QUERY]).casefold().split():
            conditions.append("instr(d.search, ?) > 0")
            values.append(word)
        return " AND ".join(conditions), values


def decisions(connection: sqlite3.Connection, wanted: Wanted, read: Decode) -> list[DecisionRow]:
    """The newest first. read: makes an event of a stored row, None where it is damaged."""
    where, values = wanted.where()
    rows = connection.execute(
        "WITH page AS (SELECT d.n, d.session_id, d.run_id, d.asked, d.resolved, d.tool FROM decisions d"
        f" WHERE {where} ORDER BY d.n DESC LIMIT ?)"
        " SELECT p.n, p.session_id, p.run_id, p.resolved, CAST(e.json AS BLOB), p.asked, CAST(a.json AS BLOB),"
        " CASE WHEN s.name = '' THEN s.title ELSE s.name END, s.workspace, p.tool FROM page p"
        " LEFT JOIN events e ON e.run_id = p.run_id AND e.seq = p.resolved"
        " LEFT JOIN events a ON a.run_id = p.run_id AND a.seq = p.asked"
        " LEFT JOIN sessions s ON s.session_id = p.session_id ORDER BY p.n DESC",
        (*values, wanted.limit),
    ).fetchall()
    return [row for row in (_decision(each, read) for each in rows) if row is not None]


def _decision(row: Sequence[Any], read: Decode) -> DecisionRow | None:
    place, session_id, run_id, seq, data, asked_seq, asked_data, title, workspace, tool = row
    event = _read(session_id, run_id, seq, data, read)
    asked = _read(session_id, run_id, asked_seq, asked_data, read)
    if not isinstance(event, ApprovalResolved):
        return None
    request = asked if isinstance(asked, ApprovalRequested) else None
    return DecisionRow(
        place=place,
        time=event.time,
        session_id=session_id,
        run_id=run_id,
        call_id=event.call_id,
        agent=event.agent,
        tool=event.tool or tool,
        proposed=_proposed(event, request),
        arguments=event.arguments,
        decision=event.decision,
        by=event.by,
        rule=event.rule,
        scope=event.scope,
        match=event.match,
        reason=event.reason,
        why="" if request is None else request.why,
        seconds=event.seconds,
        request_id=event.request_id,
        patterns=event.patterns,
        bound=event.bound,
        identity=event.identity,
        grants=event.grants,
        asks="call" if request is None else request.asks,
        question=str(request.preview.get("text", "")) if request is not None and request.asks == "question" else "",
        risk=None if request is None else request.risk,
        risks=() if request is None else request.risks,
        suggestions=() if request is None else request.suggestions,
        title=title or "",
        workspace=workspace or "",
    )


def _proposed(event: ApprovalResolved, request: ApprovalRequested | None) -> JsonObject | None:
    """What the model asked for; None for a question. What nobody was asked about is decided as it was proposed."""
    if request is None:
        return event.arguments if event.proposed is None else event.proposed
    return request.arguments if request.asks == "call" else None


def _read(session_id: str, run_id: str, seq: object, data: object, read: Decode) -> Event | None:
    if not isinstance(seq, int) or not isinstance(data, bytes):
        return None
    return read(session_id, RawRow(run_id=run_id, seq=seq, data=data, is_delta=False))


def past_requests(connection: sqlite3.Connection, limit: int, workspace: str | None, read: Decode) -> list[PastRequest]:
    """The calls that a person was asked about, the newest first. workspace: only those of sessions in this folder."""
    from runner.policy.history import PastRequest

    condition, values = ("", ()) if workspace is None else (" AND s.workspace = ?", (workspace,))
    rows = connection.execute(
        "SELECT d.session_id, d.run_id, d.asked, CAST(a.json AS BLOB), d.decision, d.decided_by, d.resolved,"
        " CAST(e.json AS BLOB), s.workspace FROM decisions d LEFT JOIN sessions s ON s.session_id = d.session_id"
        " JOIN events a ON a.run_id = d.run_id AND a.seq = d.asked"
        " LEFT JOIN events e ON e.run_id = d.run_id AND e.seq = d.resolved"
        f" WHERE d.asked IS NOT NULL AND d.resolved IS NOT NULL{condition} ORDER BY d.n DESC LIMIT ?",
        (*values, limit),
    ).fetchall()
    found: list[PastRequest] = []
    for session_id, run_id, asked_seq, asked_data, decision, by, seq, data, folder in rows:
        asked = _read(session_id, run_id, asked_seq, asked_data, read)
        answer = _read(session_id, run_id, seq, data, read)
        if not isinstance(asked, ApprovalRequested) or asked.asks != "call":
            continue
        found.append(
            PastRequest(
                session_id=session_id,
                request_id=asked.request_id,
                time=asked.time,
                tool=asked.tool,
                arguments=asked.arguments,
                decision=decision if by == "user" else "",
                reason=answer.reason if isinstance(answer, ApprovalResolved) and by == "user" else "",
                workspace=folder or "",
            )
        )
    return found


@dataclass(frozen=True, slots=True)
class GrantUse:
    """calls: that a grant allowed. last: when it last did."""

    calls: int
    last: datetime


def grant_uses(connection: sqlite3.Connection, keys: Iterable[str]) -> dict[str, GrantUse]:
    """What grants have allowed, in all sessions, by their keys; one that allowed nothing is not among them."""
    wanted = frozenset(keys)
    found: dict[str, GrantUse] = {}
    rows = connection.execute(
        "SELECT grants, count(*), max(time) FROM decisions WHERE grants <> '' AND decision = 'allow' GROUP BY grants"
    )
    for names, count, last in rows:
        for key in wanted.intersection(names.split()):
            old = found.get(key)
            moment = from_micros(last)
            found[key] = GrantUse(
                count + (0 if old is None else old.calls), moment if old is None else max(moment, old.last)
            )
    return found

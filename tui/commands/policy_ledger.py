"""`quarterdeck policy ledger`: every decision, searched; `grants` and `revoke`: what counts beyond one call."""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from typing import Final

from runner.policy import GrantFile
from runner.store import Store
from runner.store.decisions import DecisionRow
from runner.store.paths import data_dir
from tui.cli import UsageError
from tui.decision_words import DECIDED, by_words, call_words, granted_words
from tui.ledger_query import LedgerQuery, rows_of
from tui.render.clean import clean, visible
from tui.settings import Settings
from tui.since import since as since_of
from tui.standing import Entry, Where, gather
from tui.words import duration, one_line

MOST_SESSIONS: Final = 50
"""Sessions of this folder whose grants are listed, the newest ones."""


def ledger(args: argparse.Namespace) -> int:
    now = datetime.now(UTC)
    try:
        moment = None if args.since is None else since_of(args.since, now)
    except ValueError as error:
        raise UsageError(f"quarterdeck policy ledger: --since {error}") from error
    query = LedgerQuery(
        text=args.text or "", tool=args.tool or "", by=args.by or "", decision=args.decision or "", since=moment
    )
    with closing(Store.open()) as store:
        rows = rows_of(store, query, limit=args.limit)
    if args.json:
        print(json.dumps({"decisions": [_row_json(row) for row in rows]}, indent=1, default=str))
        return 0
    for row in reversed(rows):
        print(_line(row))
    if not rows:
        print("no decision" + ("" if query == LedgerQuery() else " that fits"), file=sys.stderr)
    elif len(rows) == args.limit:
        print(f"the newest {args.limit}; --limit shows more", file=sys.stderr)
    return 0


def _line(row: DecisionRow) -> str:
    when = f"{row.time.astimezone():%Y-%m-%d %H:%M:%S}"
    said = DECIDED.get(row.decision, row.decision)
    extra = [row.rule, granted_words(row), row.reason and f"reason: {row.reason}", f"after {duration(row.seconds)}"]
    more = "; ".join(filter(None, extra))
    call = f"{clean(one_line(row.tool))}  {visible(call_words(row))}"
    return f"{when}  {said:<8}  {by_words(row):<11}  {call}  ({clean(one_line(more))})"


def _row_json(row: DecisionRow) -> dict[str, object]:
    return {
        "time": row.time.isoformat(),
        "session_id": row.session_id,
        "run_id": row.run_id,
        "call_id": row.call_id,
        "agent": row.agent,
        "tool": row.tool,
        "proposed": row.proposed,
        "arguments": row.arguments,
        "decision": row.decision,
        "by": row.by,
        "rule": row.rule,
        "scope": row.scope,
        "granted": granted_words(row),
        "grants": row.grants,
        "reason": row.reason,
        "why": row.why,
        "seconds": row.seconds,
    }


def grants(args: argparse.Namespace, settings: Settings) -> int:
    with closing(Store.open()) as store:
        found = _standing(store, settings)
    if args.json:
        print(json.dumps({"grants": [_entry_json(entry) for entry in found]}, indent=1, default=str))
        return 0
    for entry in found:
        print(_entry_line(entry))
    if not found:
        print("nothing is granted beyond single calls", file=sys.stderr)
    return 0


def revoke(args: argparse.Namespace, settings: Settings) -> int:
    if (args.key is None) != args.all:
        raise UsageError("quarterdeck policy revoke: expected a KEY (see quarterdeck policy grants), or --all")
    with closing(Store.open()) as store:
        found = _standing(store, settings)
        chosen = found if args.all else _chosen(args.key, found)
        for entry in chosen:
            if entry.place == "file":
                _file(settings).revoke(entry.key, settings.cwd)
            else:
                store.revoke_grants(entry.session_id, entry.key)
            print(f"taken back: {_entry_line(entry)}", flush=True)
    if not chosen:
        print("nothing is granted beyond single calls", file=sys.stderr)
    return 0


def _chosen(key: str, found: Sequence[Entry]) -> Sequence[Entry]:
    """By the key or its beginning. A run-wide key may stand in several sessions; each of them is meant then."""
    matching = [entry for entry in found if entry.key == key] or [e for e in found if e.key.startswith(key)]
    if not matching or len({entry.key for entry in matching}) > 1:
        problem = "is the beginning of several keys" if matching else "is the key of no grant here"
        raise UsageError(f"quarterdeck policy revoke: {key!r} {problem}; see quarterdeck policy grants")
    return matching


def _file(settings: Settings) -> GrantFile:
    return GrantFile(data_dir(settings.environ) / "grants.json")


def _standing(store: Store, settings: Settings) -> list[Entry]:
    """The lasting grants that count in this folder, and those of its sessions."""
    here = str(settings.cwd)
    sessions = [each.session_id for each in store.sessions(limit=1000) if each.workspace == here][:MOST_SESSIONS]
    where = Where(cwd=settings.cwd, environ=settings.environ, sessions=sessions)
    standing = gather(store, _file(settings), where, datetime.now(UTC))
    if standing.problem:
        raise UsageError(f"quarterdeck policy grants: {standing.problem}")
    return [entry for entry in standing.entries if entry.key]


def _scope(entry: Entry) -> str:
    return f"session {entry.session_id}" if entry.session_id else entry.group


def _entry_line(entry: Entry) -> str:
    used = "" if entry.used is None else f"{entry.used} so far"
    last = f"last {entry.last.astimezone():%Y-%m-%d %H:%M}" if entry.last is not None else ""
    parts = [entry.words, entry.left, used, last]
    shown = "; ".join(visible(one_line(part)) for part in parts if part)
    return f"{entry.key}  {entry.effect:<5}  {shown}  [{_scope(entry)}]"


def _entry_json(entry: Entry) -> dict[str, object]:
    return {
        "key": entry.key,
        "effect": entry.effect,
        "tool": entry.tool,
        "which": entry.which,
        "left": entry.left,
        "scope": entry.scope,
        "session_id": entry.session_id or None,
        "calls_allowed": entry.used,
        "last_used": None if entry.last is None else entry.last.isoformat(),
        "made": None if entry.made is None else entry.made.isoformat(),
        "where": entry.source or None,
    }

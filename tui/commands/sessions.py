"""`quarterdeck sessions`: what is stored, as lists, text and files."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Iterable
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from runner.clock import SystemClock
from runner.errors import QuarterdeckError
from runner.state import RunState
from runner.state.items import CallItem, CommandItem, EventItem, Item, TextItem, UserItem
from runner.store import Store
from runner.store.base import SessionKey, SessionSummary
from runner.store.query import SessionFilter
from tui import words
from tui.cli import tell
from tui.commands import sessions_keep
from tui.commands.common import ask, enter_folder, write_out
from tui.commands.sessions_search import catch_up, read_filter
from tui.problem_words import problem_line
from tui.render.clean import clean, visible
from tui.render.command_words import end_words
from tui.words import imported_from

ID_SHOWN = 13
"""Characters of an id in a list: a version 7 id differs in its first part, which is the time."""


def run(args: argparse.Namespace) -> int:
    enter_folder(args)
    if args.action == "rescue":
        from tui.commands.sessions_rescue import run as rescue_sessions

        return rescue_sessions()
    with closing(Store.open()) as store:
        # A run whose program died is open until somebody looks; what it left is closed before it is shown.
        store.recover(SystemClock())
        code = _act(store, args)
        for problem in store.problems:
            tell(problem_line(problem))
        return code


def _act(store: Store, args: argparse.Namespace) -> int:
    match args.action:
        case None | "list":
            return _list(store, args)
        case "show":
            return _show(store, args.id)
        case "export":
            return _export(store, args)
        case "rename":
            store.rename_session(store.session(args.id).session_id, args.name)
            return 0
        case "search":
            from tui.commands.sessions_search import run as search_sessions

            return search_sessions(store, args)
        case "cases":
            from tui.commands.sessions_cases import run as write_cases

            return write_cases(store, args)
        case "tag" | "untag" | "note" | "pin" | "unpin" | "trash" | "restore":
            return sessions_keep.run(store, args)
        case "import":
            from tui.commands.sessions_import import run as import_sessions

            return import_sessions(store, args)
        case _:
            return _delete(store, args)


def _list(store: Store, args: argparse.Namespace) -> int:
    # Without an action argparse has not made the options of `list`.
    query: str = getattr(args, "query", None) or ""
    limit: int = getattr(args, "limit", 20)
    wanted = read_filter(query)
    if getattr(args, "deleted", False):
        wanted = replace(wanted, deleted=True)
    if wanted.reads_index:
        catch_up(store)
    keys = _keys(store, wanted, limit, Path.cwd() if getattr(args, "here", False) else None)
    depths = {key.session_id: key.depth for key in keys}
    found = store.summaries(list(depths))
    if getattr(args, "json", False):
        for summary in found:
            print(json.dumps(_as_json(summary)))
        return 0
    if not found:
        print("no sessions" + (f" with {clean(query)!r}" if query else ""), file=sys.stderr)
        return 0
    now = datetime.now(UTC)
    for summary in found:
        print(_row(summary, now, depths[summary.session_id]))
    return 0


def _keys(store: Store, wanted: SessionFilter, limit: int, folder: Path | None) -> list[SessionKey]:
    if folder is None:
        return store.keys(wanted, limit=limit)
    return [key for key in store.keys(wanted) if Path(key.workspace) == folder][:limit]


def _row(summary: SessionSummary, now: datetime, depth: int = 0) -> str:
    cost = "unknown" if summary.cost_usd is None else words.money(summary.cost_usd)
    state = "running" if summary.live else summary.status
    ended = "" if summary.reason in ("", "complete") else f" ({summary.reason})"
    title = f"{'  ' * (depth - 1)}└ " if depth else ""
    title += words.cut(words.one_line(clean(summary.title)), 60)
    origin = f"{imported_from(summary.imported)}; " if summary.imported else ""
    if summary.forked_from:
        place = f"after turn {summary.forked_turn}" if summary.forked_turn else "from its beginning"
        origin += f"fork of {summary.forked_from[:ID_SHOWN]} {place}; "
    facts = f"{words.count(summary.turns, 'turn')}, {words.count(summary.tool_calls, 'call')}, {cost}"
    folder = words.cut_middle(visible(summary.workspace), 40)
    pinned = "pinned; " if summary.pinned else ""
    gone = "" if summary.deleted is None else f"thrown away {words.ago(summary.deleted, now)}; "
    marks = sessions_keep.marks(summary)
    return (
        f"{summary.session_id[:ID_SHOWN]}  {words.ago(summary.updated, now):<12} {state + ended:<24} {title}\n"
        f"{'':{ID_SHOWN}}  {gone}{pinned}{origin}{facts}; {clean(', '.join(summary.models))}; {folder}"
    ) + (f"\n{'':{ID_SHOWN}}  {marks}" if marks else "")


def _as_json(summary: SessionSummary) -> dict[str, object]:
    return {
        "session_id": summary.session_id,
        "title": summary.title,
        "name": summary.name,
        "workspace": summary.workspace,
        "agent": summary.agent,
        "models": list(summary.models),
        "created": summary.created.isoformat(),
        "updated": summary.updated.isoformat(),
        "runs": summary.runs,
        "turns": summary.turns,
        "tool_calls": summary.tool_calls,
        "input_tokens": summary.usage.input,
        "output_tokens": summary.usage.output,
        "cost_usd": None if summary.cost_usd is None else str(summary.cost_usd),
        "status": summary.status,
        "reason": summary.reason,
        "live": summary.live,
        "imported": summary.imported,
        **sessions_keep.as_json(summary),
    }


def _show(store: Store, session: str) -> int:
    summary = store.session(session)
    print(_row(summary, datetime.now(UTC)))
    for line in sessions_keep.annotated(store, summary.session_id):
        print(f"{'':{ID_SHOWN}}  {line}")
    for state in store.runs(summary.session_id):
        for line in _conversation(state):
            print(line)
    return 0


def _conversation(state: RunState) -> Iterable[str]:
    for item in (*state.settled, *state.live):
        yield from _item(item)
    if state.reason not in (None, "complete"):
        yield f"[{state.status}: {state.reason}]"


def _item(item: Item) -> Iterable[str]:
    match item:
        case UserItem(text=text):
            yield f"\n> {clean(text).replace(chr(10), chr(10) + '> ')}\n"
        case TextItem(what="reasoning"):
            return
        case TextItem(interrupted=interrupted, live=live):
            yield clean(item.text) + (" [interrupted]" if interrupted or live else "")
        case CallItem():
            head = words.cut(f"{clean(item.tool)} {clean(words.arguments(item.arguments))}", 160)
            yield f"[{item.status or 'open'}] {words.one_line(head)}"
        case CommandItem():
            yield f"[{end_words(item)}] $ {words.cut(words.one_line(clean(item.command)), 160)}"
        case EventItem():
            return


def _export(store: Store, args: argparse.Namespace) -> int:
    summary = store.session(args.id)
    if args.preview:
        from runner.store.masking import preview
        from tui.handing.masking_words import lines

        for line in lines(preview(store, summary.session_id, os.environ)):
            print(clean(line))
        return 0
    write_out(store.export(summary.session_id, args.format, redact=not args.no_redact), args.output)
    return 0


def _delete(store: Store, args: argparse.Namespace) -> int:
    summary = store.session(args.id)
    if summary.live:
        raise QuarterdeckError(f"session {summary.session_id} is running in another program; stop it there first")
    title = words.cut(words.one_line(clean(summary.title)), 60)
    if sys.stdin.isatty() and not args.yes and not ask(f"Delete {summary.session_id} ({title}) for good?"):
        return 1
    store.delete_session(summary.session_id)
    print(f"deleted {summary.session_id}", file=sys.stderr)
    return 0

"""`quarterdeck undo`: putting files back without the screen."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections.abc import Sequence
from contextlib import closing
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

from runner.clock import SystemClock
from runner.store import Store
from runner.store.paths import data_dir
from runner.undo.blobs import Blobs
from runner.undo.history import KINDS, History, TurnChanges, load
from runner.undo.plan import SETTLED, FileDiff, FilePlan, Plan, Selection, file_diff, undo_plan
from runner.undo.restore import Outcome, restore
from tui.cli import UsageError, tell
from tui.commands.common import ask, enter_folder
from tui.render.clean import clean, visible
from tui.undo_words import STATES, file_state_words, outcome_words, remarks, shown_path, what_happens
from tui.words import ago, count, cut, one_line

LOOKED_THROUGH = 500
"""The newest sessions among which the one of this folder is looked for."""


def run(args: argparse.Namespace) -> int:
    enter_folder(args)
    if args.json and not (args.yes or args.dry_run or args.list):
        raise UsageError("quarterdeck undo: --json does not ask; add --yes, or --dry-run to see what would happen")
    with closing(Store.open()) as store:
        store.recover(SystemClock())
        session_id = store.session(args.session).session_id if args.session else _newest_here(store)
        history = load(store.facts(session_id, KINDS), data_dir(), session_id)
    if args.list:
        return _list(history, as_json=args.json)
    plan = undo_plan(history, Blobs(data_dir()), _selection(args, history))
    return _put_back(args, history, plan)


def _newest_here(store: Store) -> str:
    here = os.path.realpath(Path.cwd())
    for summary in store.sessions(limit=LOOKED_THROUGH):
        if summary.workspace and os.path.realpath(summary.workspace) == here:
            return summary.session_id
    raise UsageError("quarterdeck undo: there is no session of this folder; name one (see: quarterdeck sessions)")


def _list(history: History, *, as_json: bool) -> int:
    if as_json:
        print(json.dumps({"session": history.session_id, "turns": [_turn_json(turn) for turn in history.turns]}))
        return 0
    now = datetime.now(UTC)
    for turn in history.turns:
        when = ago(datetime.fromtimestamp(turn.time, UTC), now)
        paths = ", ".join(shown_path(path, turn.workspace) for path in turn.paths) or "nothing kept"
        print(f"{turn.number:>3}  {when:>10}  {cut(clean(one_line(turn.prompt)), 40):<40}  {cut(clean(paths), 60)}")
    if not history.turns:
        tell("this session has changed no files")
    return 0


def _selection(args: argparse.Namespace, history: History) -> Selection:
    paths = frozenset(_real(path) for path in args.file) or None
    if args.redo:
        last = history.redoable
        if last is None:
            raise UsageError("quarterdeck undo: nothing was put back in this session that could be taken back")
        return Selection(restore=last.id, paths=paths)
    number = args.turn or args.since
    if number is None:
        turn = _last_open(history, paths)
        return Selection(turns=frozenset({turn.key} if turn is not None else ()), paths=paths)
    found = [turn for turn in history.turns if turn.number == number]
    if not found:
        raise UsageError(f"quarterdeck undo: there is no turn {number} that changed files; see quarterdeck undo --list")
    turns = history.since(found[0].key) if args.since else frozenset({found[0].key})
    return Selection(turns=turns, paths=paths)


def _real(path: str) -> str:
    """The folder's links are followed, the file itself may be one."""
    folder, name = os.path.split(os.path.abspath(path))
    return os.path.join(os.path.realpath(folder), name)


def _last_open(history: History, paths: frozenset[str] | None) -> TurnChanges | None:
    """The last turn of which something is not as it was."""
    blobs = Blobs(data_dir())
    for turn in reversed(history.turns):
        plan = undo_plan(history, blobs, Selection(turns=frozenset({turn.key}), paths=paths))
        if any(file.state not in SETTLED for file in plan.files):
            return turn
    return None


def _put_back(args: argparse.Namespace, history: History, plan: Plan) -> int:
    folder = os.getcwd()
    blobs = Blobs(data_dir())
    diffs = [(file, file_diff(file, blobs)) for file in plan.files if file.state not in SETTLED]
    if not args.json:
        _show(plan, diffs, folder)
    forced = {file.path for file in plan.conflicts} if args.force else set[str]()
    chosen = len(plan.ready) + len(forced)
    if args.dry_run or not chosen:
        outcome = None
    elif history.running:
        raise UsageError(
            f"quarterdeck undo: {', '.join(history.running)} runs in this session now; wait until it has ended"
        )
    elif not args.yes and not _agreed(chosen):
        tell("nothing was changed")
        return 1
    else:
        outcome = restore(plan, data_dir(), force=forced)
    if args.json:
        print(json.dumps(_as_json(plan, diffs, outcome)))
    elif outcome is not None:
        print(clean(outcome_words(outcome, folder, redo=args.redo)))
    if outcome is not None:
        return 1 if outcome.left else 0
    return 0 if args.dry_run or not diffs else 1


def _agreed(files: int) -> bool:
    if not sys.stdin.isatty():
        raise UsageError("quarterdeck undo: there is nobody to ask; after reading the diff (--dry-run), use --yes")
    return ask(f"Put back {count(files, 'file')}?")


def _show(plan: Plan, diffs: Sequence[tuple[FilePlan, FileDiff]], folder: str) -> None:
    for turn in plan.turns:
        print(f"turn {turn.number}: {cut(visible(one_line(turn.prompt)), 100)}")
    for file, diff in diffs:
        sign, does = what_happens(file)
        print(f"{sign} {does} {visible(shown_path(file.path, folder))}  +{diff.added} -{diff.removed}")
        if file.state != "ready":
            print(f"  {STATES[file.state][0]} {visible(file_state_words(file))}")
        for line in diff.text.splitlines()[2:]:
            print(f"  {visible(line)}")
    if not diffs:
        print("nothing to put back: everything is as it was")
    for remark in remarks(plan.turns):
        tell(remark)


def _turn_json(turn: TurnChanges) -> dict[str, Any]:
    return {
        "number": turn.number,
        "run_id": turn.key[0],
        "turn": turn.key[1],
        "time": datetime.fromtimestamp(turn.time, UTC).isoformat(),
        "prompt": turn.prompt,
        "tools": list(turn.tools),
        "files": list(turn.paths),
        "not_covered": list(turn.uncovered),
    }


def _as_json(plan: Plan, diffs: Sequence[tuple[FilePlan, FileDiff]], outcome: Outcome | None) -> dict[str, Any]:
    files = [
        {
            "path": file.path,
            "state": file.state,
            "does": what_happens(file)[1],
            "why": file_state_words(file),
            "added": diff.added,
            "removed": diff.removed,
            "diff": diff.text,
        }
        for file, diff in diffs
    ]
    return {
        "session": plan.session_id,
        "turns": [_turn_json(turn) for turn in plan.turns],
        "files": files,
        "done": None if outcome is None else [change.path for change in outcome.done],
        "left": None if outcome is None else [each.path for each in outcome.left],
    }

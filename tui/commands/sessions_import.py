"""`quarterdeck sessions import`: sessions of other programs, and our own exports, taken in where a person asks."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from runner.errors import ConfigError, QuarterdeckError, SessionBusyError
from runner.importing.build import runs_of
from runner.importing.files import home_of, logs_in, read_log
from runner.importing.own import OwnLog, OwnSession
from runner.importing.steps import NAMES, Log, Source
from runner.store import Store
from runner.store.imports import Imported
from runner.store.own import SOURCE, take_in
from tui.cli import UsageError, tell
from tui.render.clean import visible
from tui.words import count

DAMAGE_SHOWN = 3


@dataclass(slots=True)
class _Totals:
    files: int = 0
    failed: int = 0
    empty: int = 0
    unknown: Counter[str] = field(default_factory=Counter[str])
    kept: Counter[str] = field(default_factory=Counter[str])
    damaged: int = 0


def run(store: Store, args: argparse.Namespace) -> int:
    """One line for each session; what could not be read is said, and never stops the rest."""
    totals = _Totals()
    for path, source in _files(args):
        totals.files += 1
        try:
            _take(store, path, source, args, totals)
        except QuarterdeckError as error:
            totals.failed += 1
            tell(str(error))
    _say_totals(totals)
    return 1 if totals.failed else 0


def _files(args: argparse.Namespace) -> Iterator[tuple[Path, Source | None]]:
    source = cast("Source | None", args.source)
    if not args.path and source is None:
        raise UsageError("say what to import: files or folders, or --from claude-code, or --from codex")
    for path in [Path(each) for each in args.path] or [home_of(cast("Source", source), os.environ)]:
        if path.is_dir():
            found = logs_in(path, source)
            if not found:
                raise UsageError(f"there is no session log in {path}")
            for log in found:
                yield log, source
        elif path.exists():
            yield path, source
        else:
            raise UsageError(f"there is no {path}")


def _take(store: Store, path: Path, source: Source | None, args: argparse.Namespace, totals: _Totals) -> None:
    log = read_log(path, source)
    (totals.kept if isinstance(log, OwnLog) else totals.unknown).update(log.unknown)
    totals.damaged += len(log.damaged)
    for damage in log.damaged[:DAMAGE_SHOWN]:
        tell(f"{path}, line {damage.line}: {damage.why}")
    if isinstance(log, OwnLog):
        totals.empty += not log.sessions
        for session in log.sessions:
            done = None if args.dry_run else _busy_said(path, lambda session=session: take_in(store, session))
            _say_own(store, path, log, session, done, as_json=args.json)
        return
    try:
        runs = list(runs_of(log))
    except ConfigError as error:
        raise ConfigError(str(error), where=str(path)) from error
    if not runs:
        totals.empty += 1
        return
    done = None if args.dry_run else _busy_said(path, lambda: store.bring_in(log.source, runs))
    _say(path, log, len(runs), done, as_json=args.json)


def _busy_said(path: Path, take: Callable[[], Imported]) -> Imported:
    """What was taken in; an error says of which file it is."""
    try:
        return take()
    except SessionBusyError as error:
        raise QuarterdeckError(f"{path}: {error}") from error
    except ConfigError as error:
        raise ConfigError(str(error), where=str(path)) from error


def _say_own(
    store: Store, path: Path, log: OwnLog, session: OwnSession, done: Imported | None, *, as_json: bool
) -> None:
    runs = len(session.runs)
    if as_json:
        print(json.dumps(_row(path, SOURCE, session.session_id, runs, log, done)))
        return
    outcome = _outcome(done, runs)
    if done is not None and done.kept_back and not store.session(done.session_id).imported:
        outcome = "nothing to do: this very session is here already, as your own"
    where = f"{NAMES[SOURCE]} {visible(session.session_id)}, {visible(session.workspace)}"
    print(f"{'would take' if done is None else done.session_id[:13]}  {outcome}  ({where})")


def _say(path: Path, log: Log, runs: int, done: Imported | None, *, as_json: bool) -> None:
    if as_json:
        print(json.dumps(_row(path, log.source, log.session_id, runs, log, done)))
        return
    where = f"{NAMES[log.source]} {visible(log.session_id)}, {visible(log.workspace)}"
    print(f"{'would take' if done is None else done.session_id[:13]}  {_outcome(done, runs)}  ({where})")


def _row(
    path: Path, source: str, session_id: str, runs: int, log: Log | OwnLog, done: Imported | None
) -> dict[str, object]:
    row: dict[str, object] = {
        "file": str(path),
        "from": source,
        "session": session_id,
        "runs": runs,
        "lines": log.lines,
        "damaged": [{"line": damage.line, "why": damage.why} for damage in log.damaged],
        "unknown": dict(log.unknown),
    }
    if done is not None:
        row |= {"session_id": done.session_id, "added": done.added, "changed": done.changed}
        row |= {"same": done.same, "kept_back": done.kept_back}
    return row


def _outcome(done: Imported | None, runs: int) -> str:
    if done is None:
        return count(runs, "run")
    parts = [
        count(done.added, "new run") if done.added else "",
        f"{count(done.changed, 'run')} longer than before" if done.changed else "",
        f"{count(done.kept_back, 'run')} not taken: the session was continued here" if done.kept_back else "",
    ]
    return ", ".join(filter(None, parts)) or "nothing new"


def _say_totals(totals: _Totals) -> None:
    if totals.empty:
        tell(f"{count(totals.empty, 'log')} in which nothing was said")
    if totals.damaged:
        tell(f"{count(totals.damaged, 'damaged line')} passed over")
    if totals.unknown:
        tell(f"lines of kinds that are not known here, passed over: {_kinds(totals.unknown.most_common())}")
    if totals.kept:
        tell(f"events of kinds that are not known here, kept as they are: {_kinds(totals.kept.most_common())}")
    if not totals.files:
        print("nothing to import", file=sys.stderr)


def _kinds(found: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{visible(kind)} ({number})" for kind, number in found)

"""`quarterdeck sessions import`: sessions of other programs, taken in where a person asks for it."""

from __future__ import annotations

import argparse
import json
import os
import sys
from collections import Counter
from collections.abc import Iterable, Iterator
from dataclasses import dataclass, field
from pathlib import Path
from typing import cast

from runner.errors import ConfigError, QuarterdeckError, SessionBusyError
from runner.importing.build import runs_of
from runner.importing.files import home_of, logs_in, read_log
from runner.importing.steps import NAMES, Log, Source
from runner.store import Store
from runner.store.imports import Imported
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
    totals.unknown.update(log.unknown)
    totals.damaged += len(log.damaged)
    for damage in log.damaged[:DAMAGE_SHOWN]:
        tell(f"{path}, line {damage.line}: {damage.why}")
    try:
        runs = list(runs_of(log))
    except ConfigError as error:
        raise ConfigError(str(error), where=str(path)) from error
    if not runs:
        totals.empty += 1
        return
    done: Imported | None = None
    if not args.dry_run:
        try:
            done = store.bring_in(log.source, runs)
        except SessionBusyError as error:
            raise QuarterdeckError(f"{path}: {error}") from error
    _say(path, log, len(runs), done, as_json=args.json)


def _say(path: Path, log: Log, runs: int, done: Imported | None, *, as_json: bool) -> None:
    if as_json:
        row: dict[str, object] = {
            "file": str(path),
            "from": log.source,
            "session": log.session_id,
            "runs": runs,
            "lines": log.lines,
            "damaged": [{"line": damage.line, "why": damage.why} for damage in log.damaged],
            "unknown": dict(log.unknown),
        }
        if done is not None:
            row |= {"session_id": done.session_id, "added": done.added, "changed": done.changed}
            row |= {"same": done.same, "kept_back": done.kept_back}
        print(json.dumps(row))
        return
    where = f"{NAMES[log.source]} {visible(log.session_id)}, {visible(log.workspace)}"
    print(f"{'would take' if done is None else done.session_id[:13]}  {_outcome(done, runs)}  ({where})")


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
    if not totals.files:
        print("nothing to import", file=sys.stderr)


def _kinds(found: Iterable[tuple[str, int]]) -> str:
    return ", ".join(f"{visible(kind)} ({number})" for kind, number in found)

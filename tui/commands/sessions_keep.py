"""`quarterdeck sessions tag | untag | note | pin | unpin | trash | restore`."""

from __future__ import annotations

import argparse
import sys
from collections.abc import Callable, Iterable
from typing import Final

from runner.store import Store
from runner.store.base import SessionSummary
from tui import words
from tui.cli import UsageError
from tui.render.clean import clean

SEVERAL: Final[dict[str, tuple[Callable[[Store, str], None], str]]] = {
    "pin": (lambda store, session: store.pin(session), "pinned"),
    "unpin": (lambda store, session: store.pin(session, False), "not pinned"),
    "trash": (lambda store, session: store.trash(session), "in the trash"),
    "restore": (lambda store, session: store.restore(session), "taken out of the trash"),
}


def run(store: Store, args: argparse.Namespace) -> int:
    if args.action in SEVERAL:
        act, done = SEVERAL[args.action]
        # All are looked up before one is changed, so that a wrong id changes nothing.
        for session in [store.session(given).session_id for given in args.ids]:
            act(store, session)
            print(f"{session}: {done}", file=sys.stderr)
        return 0
    session = store.session(args.id).session_id
    turn: int = args.turn or 0
    run_id = _run_of(store, session, args.run, turn)
    match args.action:
        case "tag":
            store.tag(session, *args.tags, run_id=run_id, turn=turn)
        case "untag":
            store.untag(session, *args.tags, run_id=run_id, turn=turn)
        case _:
            store.set_note(session, args.text, run_id=run_id, turn=turn)
    return 0


def _run_of(store: Store, session: str, wanted: str | None, turn: int) -> str:
    """The run that is meant; "" for the session as a whole."""
    if wanted is None and not turn:
        return ""
    runs = [state for state in store.runs(session) if state.run_id.startswith(wanted or "")]
    if len(runs) != 1:
        of_them = f"{len(runs)} runs" if wanted is None else f"{len(runs)} runs whose id begins with {wanted}"
        names = ", ".join(state.run_id for state in runs) or "the beginning of one of its ids"
        raise UsageError(f"session {session} has {of_them}; say which one with --run: {names}")
    if turn > runs[0].turn:
        raise UsageError(f"run {runs[0].run_id} has {words.count(runs[0].turn, 'turn')}, no turn {turn}")
    return runs[0].run_id


def marks(summary: SessionSummary) -> str:
    """Its tags and its note in one line, "" where it has none."""
    tags = " ".join(f"#{tag}" for tag in summary.tags)
    note = words.cut(words.one_line(summary.note), 100)
    return clean("  ".join(part for part in (tags, note) if part))


def annotated(store: Store, session: str) -> Iterable[str]:
    """A line for each tag and note of a run or a turn."""
    for one in store.annotations(session):
        if one.run_id:
            where = f"turn {one.turn} of run {one.run_id}" if one.turn else f"run {one.run_id}"
            yield clean(f"{where}: {'#' if one.kind == 'tag' else ''}{words.one_line(one.text)}")


def as_json(summary: SessionSummary) -> dict[str, object]:
    return {
        "tags": list(summary.tags),
        "note": summary.note,
        "pinned": summary.pinned,
        "deleted": None if summary.deleted is None else summary.deleted.isoformat(),
        "root_id": summary.root_id,
        "forked_from": summary.forked_from,
        "forked_turn": summary.forked_turn,
    }

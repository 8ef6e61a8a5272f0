"""`quarterdeck fork`: a new session that begins with a copy of another one."""

from __future__ import annotations

import argparse
import json
from collections.abc import Sequence
from contextlib import closing

from runner.clock import SystemClock
from runner.review.turns import KINDS, Turn, prompt_of, turns
from runner.store import Store
from tui.cli import UsageError, tell
from tui.commands.common import enter_folder
from tui.problem_words import problem_line
from tui.render.clean import clean
from tui.words import count, cut, one_line


def run(args: argparse.Namespace) -> int:
    enter_folder(args)
    with closing(Store.open()) as store:
        store.recover(SystemClock())
        source = store.session(args.id)
        listed = turns(store.facts(source.session_id, KINDS))
        if args.list:
            return _list(listed)
        run_id, turn, after, prompt = _place(args, listed)
        made = store.fork(source.session_id, run_id=run_id, turn=turn, name=args.name or "")
        for problem in store.problems:
            tell(problem_line(problem))
    if args.json:
        told = {"session_id": made, "forked_from": source.session_id, "turns": after, "prompt": prompt}
        print(json.dumps(told))
        return 0
    print(made)
    tell(f"it holds {count(after, 'turn')} of {len(listed)}; quarterdeck --session {made[:13]} goes on there")
    return 0


def _list(listed: Sequence[Turn]) -> int:
    for turn in listed:
        mark = "" if turn.finished else "  (not finished)"
        said = f"> {turn.prompt}" if turn.prompt else f"  {turn.answer}"
        print(f"{turn.number:>4}  {cut(clean(one_line(said)), 100)}{mark}")
    return 0


def _place(args: argparse.Namespace, listed: list[Turn]) -> tuple[str, int, int, str]:
    """Run, turn, turns that the fork holds, and the prompt that comes next, where there is one to be asked anew."""
    number: int | None = args.before or args.turn
    if number is None:
        last = next((turn for turn in reversed(listed) if turn.finished), None)
        return ("", 0, 0, "") if last is None else (last.run_id, last.turn, last.number, "")
    if not 0 < number <= len(listed):
        raise UsageError(f"quarterdeck fork: there is no turn {number}; the session has {count(len(listed), 'turn')}")
    chosen = listed[number - 1]
    if args.before is None:
        if not chosen.finished:
            raise UsageError(f"quarterdeck fork: turn {number} has not finished; a fork begins after a finished turn")
        return chosen.run_id, chosen.turn, chosen.number, ""
    start = prompt_of(listed, number - 1) or listed[0]
    return start.run_id, start.turn - 1, start.number - 1, start.prompt

"""`quarterdeck sessions cases`: tagged turns as test cases, one line of JSON each."""

from __future__ import annotations

import argparse
import sys

from runner.review.cases import cases, to_jsonl
from runner.store import Store
from tui import words
from tui.commands.common import write_out
from tui.render.clean import clean


def run(store: Store, args: argparse.Namespace) -> int:
    # All of them first: nothing is written where something goes wrong on the way.
    lines = list(to_jsonl(cases(store, args.tag, redact=not args.no_redact)))
    if not lines:
        print(_nothing(store, args.tag), file=sys.stderr)
        return 1
    write_out((f"{line}\n" for line in lines), args.output)
    print(words.count(len(lines), "case"), file=sys.stderr)
    return 0


def _nothing(store: Store, tag: str) -> str:
    found = store.annotations(tag=tag)
    if any(note.turn for note in found):
        return f"no case: what is tagged {clean(tag)} goes on still, or cannot be read"
    if found:
        whole = words.count(len(found), "session or run", "sessions and runs")
        return f"no turn is tagged {clean(tag)}, only {whole} as a whole; /tag in the transcript tags a turn"
    return f"nothing is tagged {clean(tag)}; /tag in the transcript tags a turn"

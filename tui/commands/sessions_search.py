"""`quarterdeck sessions search`: where something was said or done, in all sessions."""

from __future__ import annotations

import argparse
import json
import re
import sys
from dataclasses import replace
from datetime import UTC, datetime

from runner.errors import NotFoundError
from runner.store import Store
from runner.store.query import SessionFilter, parse
from runner.store.search import Hit, Pieces, match_of
from tui import words
from tui.cli import UsageError, tell
from tui.render.clean import clean

ID_SHOWN = 13
SLICE = 1.0
"""Seconds of taking in what is new, between two words about it."""

_BLANKS = re.compile(r"\s+")
_BOLD, _PLAIN = "\x1b[1m", "\x1b[22m"
_WHERE = {
    "said": "you said",
    "answer": "answer",
    "reasoning": "reasoning",
    "call": "call",
    "output": "output",
    "command": "your command",
    "error": "error",
}


def read_filter(query: str) -> SessionFilter:
    """Raises UsageError where something in it cannot be understood."""
    wanted = parse(query, datetime.now(UTC))
    if wanted.problems:
        raise UsageError(clean("; ".join(wanted.problems)))
    return wanted


def catch_up(store: Store) -> None:
    """Take in what was stored since the last search, with a word about it where that takes long."""
    left = store.search.catch_up(SLICE)
    while left:
        tell(f"reading what is stored: {words.count(left, 'run')} to go")
        left = store.search.catch_up(SLICE)


def run(store: Store, args: argparse.Namespace) -> int:
    wanted = read_filter(args.query)
    if not match_of(wanted.words):
        raise UsageError("there is no word to search for; `sessions list` takes filters alone")
    session_id = store.session(args.session).session_id if args.session else ""
    catch_up(store)
    rest = replace(wanted, words="")
    within = None if rest.everything else [key.session_id for key in store.keys(rest)]
    hits = store.search.find(wanted.words, session_id=session_id, within=within, limit=args.limit)
    if args.json:
        for hit in hits:
            print(json.dumps(_as_json(hit)))
        return 0
    if not hits:
        print(f"nothing with {clean(args.query)!r}", file=sys.stderr)
        return 0
    titles: dict[str, str] = {}
    now = datetime.now(UTC)
    bold = sys.stdout.isatty()
    for hit in hits:
        if hit.session_id not in titles:
            titles[hit.session_id] = _title(store, hit.session_id)
        where = f"{_WHERE[hit.part]}{f' of {clean(hit.tool)}' if hit.tool else ''}"
        title = words.cut(titles[hit.session_id], 60)
        print(f"{hit.session_id[:ID_SHOWN]}  {words.ago(hit.time, now):<12} {where:<24} {title}")
        around = store.search.around(hit, wanted.words, lines=args.context) if args.context else None
        if around is None:
            print(f"{'':{ID_SHOWN}}  {_marked(hit.snippet, bold=bold)}")
            continue
        print(f"{'':{ID_SHOWN}}  run {clean(hit.run_id)}, event {hit.seq}")
        for line in (*around.before, around.line, *around.after):
            print(f"{'':{ID_SHOWN}}  {_marked(line, bold=bold)}".rstrip())
    return 0


def _title(store: Store, session_id: str) -> str:
    try:
        return words.one_line(clean(store.session(session_id).title)) or "untitled"
    except NotFoundError:
        return "deleted a moment ago"


def _marked(pieces: Pieces, *, bold: bool) -> str:
    cleaned = ((_BLANKS.sub(" ", clean(text)), found) for text, found in pieces)
    return "".join(f"{_BOLD}{text}{_PLAIN}" if found and bold else text for text, found in cleaned)


def _as_json(hit: Hit) -> dict[str, object]:
    return {
        "session_id": hit.session_id,
        "run_id": hit.run_id,
        "seq": hit.seq,
        "part": hit.part,
        "tool": hit.tool,
        "time": hit.time.isoformat(),
        "snippet": "".join(text for text, _ in hit.snippet),
        "found": [text for text, found in hit.snippet if found],
    }

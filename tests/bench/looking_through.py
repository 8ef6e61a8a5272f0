"""Stores full of sessions, looked through in a process of its own: `python -m tests.bench.looking_through DATABASE ...`

Each thing is done with one store after the other, in turns, so that a machine that slows down slows all of them.
Prints a line of JSON for each store: the least seconds of each thing, and the memory that it took, in bytes.
"""

from __future__ import annotations

import gc
import json
import resource
import sys
import time
import tracemalloc
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import Final

from runner.store import Store
from runner.store.query import parse
from tests.bench.making_sessions import COMMON, RARE

ROUNDS: Final = 7
PAGE: Final = 50
LONGEST_ID: Final = "session-000000"

FILTERS: Final = (
    "model:opus cost>1 turns>20",
    "since:2026-09-25 -ended:error",
    "tag:bug",
    "tool:shell file:module_7",
    f"{COMMON} model:opus",
)


def _first_page(store: Store) -> None:
    store.summaries([key.session_id for key in store.keys(limit=PAGE)])


def _middle_page(store: Store) -> Callable[[], object]:
    keys = store.keys()
    middle = [key.session_id for key in keys[len(keys) // 2 :][:PAGE]]
    return lambda: store.summaries(middle)


def _jump(store: Store) -> None:
    """To the one place of a word in the longest session."""
    (hit,) = store.search.find(f"{RARE} ", session_id=LONGEST_ID)
    assert store.search.around(hit, f"{RARE} ") is not None
    assert next(store.events(LONGEST_ID, hit.run_id, hit.seq)).seq == hit.seq


def _things(store: Store) -> dict[str, Callable[[], object]]:
    now, search = datetime.now(UTC), store.search
    filters = [parse(text, now) for text in FILTERS]
    assert not any(each.problems for each in filters)
    return {
        "list: the first page": lambda: _first_page(store),
        "list: the order of all of them": store.keys,
        "list: a page in the middle": _middle_page(store),
        **{f"filter: {each.text}": lambda each=each: store.keys(each) for each in filters},
        "search: nothing new to take in": search.catch_up,
        "search: a common word, first page": lambda: search.find(f"{COMMON} "),
        "search: the beginning of one": lambda: search.find(COMMON[:4]),
        "search: a rare word": lambda: search.find(f"{RARE} "),
        "search: two common words": lambda: search.find(f"{COMMON} ba "),
        "search: all sessions with a common word": lambda: search.sessions(f"{COMMON} "),
        "sums over all calls": search.tool_sums,
        "open the longest (fold)": lambda: store.runs(LONGEST_ID),
        "jump to a hit in it": lambda: _jump(store),
    }


def _held(work: Callable[[], object]) -> int:
    gc.collect()
    tracemalloc.start()
    kept = work()
    gc.collect()
    size, _ = tracemalloc.get_traced_memory()
    tracemalloc.stop()
    del kept
    return size


def main(paths: Sequence[Path]) -> None:
    stores = [Store.open(path) for path in paths]
    indexing: list[float] = []
    for store in stores:
        start = time.perf_counter()
        assert store.search.catch_up() == 0
        indexing.append(time.perf_counter() - start)
    most = resource.getrusage(resource.RUSAGE_SELF).ru_maxrss * 1024
    things = [_things(store) for store in stores]
    seconds: list[dict[str, float]] = [{} for _ in stores]
    for name in things[0]:
        for _ in range(ROUNDS):
            for work, taken in zip(things, seconds, strict=True):
                gc.collect()
                start = time.perf_counter()
                work[name]()
                taken[name] = min(taken.get(name, 1e9), time.perf_counter() - start)
    for store, path, taken, filling in zip(stores, paths, seconds, indexing, strict=True):
        memory = {"list": _held(store.keys), "longest": _held(lambda store=store: store.runs(LONGEST_ID)), "most": most}
        store.close()
        sizes = {"database": path.stat().st_size, "search": path.with_name("search.db").stat().st_size}
        print(json.dumps({"seconds": taken, "memory": memory, "indexing": filling, **sizes}), flush=True)


if __name__ == "__main__":
    main([Path(each) for each in sys.argv[1:]])

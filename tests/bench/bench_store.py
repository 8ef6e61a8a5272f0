"""The session store: facts a second, how long one lone fact takes, and listing sessions as their number grows."""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from datetime import UTC, datetime
from pathlib import Path

from runner.events import Event, RunFinished, RunStarted, TurnFinished
from runner.ids import Uuid7Ids
from runner.messages import UserMessage
from runner.store import Store
from tests.bench.figures import show

FACTS = 20_000
SESSIONS = (100, 1_000, 5_000)
ROUNDS = 5


def _ignore(_: list[Event]) -> None:
    """Nobody reads along."""


def _run(store: Store, ids: Uuid7Ids, facts: int) -> None:
    run_id, session_id, now = ids.run_id(), ids.session_id(), datetime.now(UTC)
    start = RunStarted(run_id=run_id, session_id=session_id, seq=1, time=now, input=(UserMessage(text="go"),))
    store.journal.submit(start, _ignore)
    for seq in range(2, facts):
        event = TurnFinished(run_id=run_id, session_id=session_id, seq=seq, time=now, turn=seq)
        store.journal.submit(event, _ignore)
    end = RunFinished(run_id=run_id, session_id=session_id, seq=facts, time=now, status="completed", reason="complete")
    store.journal.submit(end, _ignore)


def _timed(work: Callable[[], object]) -> float:
    start = time.perf_counter()
    work()
    return time.perf_counter() - start


def _facts_per_second(store: Store, ids: Uuid7Ids) -> float:
    def work() -> None:
        _run(store, ids, FACTS)
        store.journal.barrier().result()

    return FACTS / _timed(work)


def _lone_facts(store: Store, ids: Uuid7Ids) -> list[float]:
    """Seconds until each of 200 facts is stored, one after the other."""
    found: list[float] = []
    run_id, session_id, now = ids.run_id(), ids.session_id(), datetime.now(UTC)
    for seq in range(1, 201):
        event: Event = TurnFinished(run_id=run_id, session_id=session_id, seq=seq, time=now)
        if seq == 1:
            event = RunStarted(run_id=run_id, session_id=session_id, seq=1, time=now)
        start = time.perf_counter()
        store.journal.submit(event, _ignore)
        store.journal.barrier().result()
        found.append(time.perf_counter() - start)
    return sorted(found)


def main() -> None:
    ids = Uuid7Ids()
    with tempfile.TemporaryDirectory() as folder:
        store = Store.open(Path(folder, "facts.sqlite3"))
        _facts_per_second(store, ids)
        show("facts through the journal, a second", [_facts_per_second(store, ids) for _ in range(ROUNDS)], "/s")
        lone = _lone_facts(store, ids)
        show("a lone fact stored, median and range", lone[1:-2], "ms", scale=1000)
        store.close()
        smallest: list[float] = []
        for count in SESSIONS:
            store = Store.open(Path(folder, f"list-{count}.sqlite3"))
            for _ in range(count):
                _run(store, ids, 4)
            store.journal.barrier().result()
            store.sessions(limit=100)
            times = [_timed(lambda store=store: store.sessions(limit=100)) for _ in range(ROUNDS)]
            smallest = smallest or times
            show(f"the newest 100 of {count} sessions", times, "ms", scale=1000, against=smallest)
            store.close()

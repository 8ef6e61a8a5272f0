"""The session store: facts a second, how long one lone fact takes, listing sessions and summing what they cost as
their number grows.
"""

from __future__ import annotations

import tempfile
import time
from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path

from runner.events import Event, ModelResponded, RunFinished, RunStarted, TurnFinished
from runner.ids import Uuid7Ids
from runner.messages import UserMessage
from runner.store import Store
from runner.usage import Usage
from tests.bench.figures import show

FACTS = 20_000
SESSIONS = (100, 1_000, 5_000)
REQUESTS = 20
"""Of each session that is listed."""

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


def _session(store: Store, ids: Uuid7Ids) -> None:
    """One run of REQUESTS requests."""
    run_id, session_id, now = ids.run_id(), ids.session_id(), datetime.now(UTC)
    usage = Usage(input=12_345, cached_input=10_000, output=678, reasoning=90)
    facts: list[Event] = [RunStarted(input=(UserMessage(text="go"),), model="a/model")]
    facts += [
        ModelResponded(turn=turn, attempt=1, model="a/model", text="done", usage=usage, cost_usd=Decimal("0.012345"))
        for turn in range(1, REQUESTS + 1)
    ]
    facts.append(RunFinished(status="completed", reason="complete"))
    for seq, fact in enumerate(facts, start=1):
        store.journal.submit(replace(fact, run_id=run_id, session_id=session_id, seq=seq, time=now), _ignore)


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
                _session(store, ids)
            store.journal.barrier().result()
            store.sessions(limit=100)
            times = [_timed(lambda store=store: store.sessions(limit=100)) for _ in range(ROUNDS)]
            smallest = smallest or times
            show(f"the newest 100 of {count} sessions", times, "ms", scale=1000, against=smallest)
            summed = [_timed(lambda store=store: store.usage("model")) for _ in range(ROUNDS)]
            show(f"the sum over {count * REQUESTS} requests", summed, "ms", scale=1000)
            store.close()

"""The journal's promises: stored before seen, in order, never silent when it cannot store."""

from __future__ import annotations

import random
import sqlite3
import subprocess
import sys
import threading
import time
from concurrent.futures import ThreadPoolExecutor
from contextlib import closing
from pathlib import Path

import pytest

from runner.errors import StoreError
from runner.events import Event, Notification, TextDelta, ToolFinished, ToolOutputDelta, ToolProposed
from runner.hub import Hub
from runner.state import fold
from runner.store import Store
from runner.store.paths import prepare
from runner.store.process import this_process
from runner.store.schema import open_database
from runner.store.write import HEARTBEAT_SECONDS, EventWriter
from runner.store.writer import CHECKPOINT_BYTES
from tests.contract.sources import ROOT
from tests.store.making import Collector, Maker, short_run, until, write
from tests.store.random_runs import random_run


def rows(database: Path, table: str) -> int:
    with closing(sqlite3.connect(database)) as connection:
        return int(connection.execute(f"SELECT count(*) FROM {table}").fetchone()[0])


def test_a_fact_that_is_seen_is_already_in_the_database(store: Store) -> None:
    missing: list[Event] = []

    def check(events: list[Event]) -> None:
        with closing(sqlite3.connect(store.path)) as connection:
            for event in events:
                row = connection.execute(
                    "SELECT kind FROM events WHERE run_id = ? AND seq = ?", (event.run_id, event.seq)
                ).fetchone()
                if not event.is_delta and row != (event.kind,):
                    missing.append(event)

    readers = [Collector(check) for _ in range(4)]
    makers = [random_run(random.Random(seed), f"run-{seed}", f"session-{seed}") for seed in range(4)]

    def submit(number: int) -> None:
        for event in makers[number].events:
            store.journal.submit(event, readers[number])
            if event.seq % 5 == number:
                time.sleep(0.001)

    with ThreadPoolExecutor() as pool:
        list(pool.map(submit, range(4)))
    store.journal.barrier().result(timeout=30)
    assert missing == []
    assert [reader.events for reader in readers] == [maker.events for maker in makers]


def test_a_hub_over_the_journal_gives_its_subscribers_everything(store: Store) -> None:
    hub = Hub(store.journal)
    subscription = hub.subscribe()
    made = random_run(random.Random(3))
    for event in made.events:
        hub.emit(event)
    assert hub.finished.wait(timeout=20)
    assert [event for event in subscription.drain() if not event.is_delta] == made.facts


def test_a_delta_is_seen_at_once_but_never_before_the_fact_in_front_of_it(store: Store) -> None:
    maker = Maker()
    maker.begin()
    reader = write(store, maker.events)
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        first = maker.add(TextDelta(text="seen while nothing can be written"))
        store.journal.submit(first, reader)
        until(lambda: reader.events[-1] == first, "the delta")
        fact, second = maker.add(Notification(text="fact")), maker.add(TextDelta(text="behind it"))
        store.journal.submit(fact, reader)
        store.journal.submit(second, reader)
        time.sleep(0.1)
        assert reader.events[-1] == first
        other.execute("COMMIT")
    until(lambda: reader.events[-2:] == [fact, second], "what waited for the lock")


def test_deltas_become_few_rows_and_go_when_a_fact_supersedes_them(store: Store) -> None:
    maker = Maker()
    maker.begin()
    maker.begin_turn()
    maker.request()
    for _ in range(500):
        maker.add(TextDelta(text="word "))
    for stream in ("stdout", "stderr", "stdout"):
        maker.add(ToolOutputDelta(call_id="c", stream=stream, text="line\n"))
    write(store, maker.events)
    assert rows(store.path, "deltas") == 4
    maker.answer("word " * 500)
    write(store, maker.events[-1:])
    assert rows(store.path, "deltas") == 3
    maker.add(ToolProposed(call_id="c", tool="t"))
    maker.add(ToolFinished(call_id="c", tool="t"))
    write(store, maker.events[-2:])
    assert rows(store.path, "deltas") == 0


def test_what_is_superseded_before_it_is_due_is_never_written(store: Store) -> None:
    maker = Maker()
    maker.begin()
    maker.request()
    maker.add(TextDelta(text="never on disk"))
    maker.answer("on disk")
    write(store, maker.events)
    assert rows(store.path, "deltas") == 0
    assert [event.kind for event in store.events("session-1")][-1] == "model_responded"


def test_deltas_are_stored_without_any_fact_to_push_them(store: Store) -> None:
    maker = Maker()
    maker.begin()
    write(store, maker.events)
    store.journal.submit(maker.add(TextDelta(text="alone")), Collector())
    until(lambda: rows(store.path, "deltas") == 1, "the row of the delta")


def test_the_end_of_a_run_leaves_no_delta_behind(store: Store) -> None:
    maker = Maker()
    maker.begin()
    maker.add(ToolOutputDelta(call_id="unknown", text="of a call that nobody knows"))
    write(store, maker.events)
    maker.end()
    write(store, maker.events[-3:])
    assert rows(store.path, "deltas") == 0
    # A tool's thread that was given up may still print.
    write(store, [maker.add(ToolOutputDelta(call_id="unknown", text="late"))])
    assert rows(store.path, "deltas") == 0


def test_a_reader_that_fails_takes_nothing_from_the_others(store: Store) -> None:
    def broken(events: list[Event]) -> None:
        raise RuntimeError("a bug in a reader")

    maker, good = short_run(), Collector()
    for event in maker.events:
        store.journal.submit(event, broken)
        store.journal.submit(short_run("run-2", "session-2").events[event.seq - 1], good)
    store.journal.barrier().result(timeout=20)
    assert len(good.events) == len(maker.events)
    assert list(store.events("session-1")) == maker.events


def set_limit(store: Store, pages: int) -> None:
    """What a full disk is to SQLite: the file may not grow over this many pages."""
    store.journal.call(lambda connection: connection.execute(f"PRAGMA max_page_count = {pages}").fetchall())


def test_a_full_disk_is_told_and_nothing_is_lost_once_there_is_room_again(store: Store) -> None:
    maker = Maker()
    maker.begin()
    reader = write(store, maker.events)
    set_limit(store, 1)
    seen = len(maker.events)
    for _ in range(50):
        maker.add(Notification(text="x" * 10_000))
    for event in maker.events[seen:]:
        store.journal.submit(event, reader)
    with pytest.raises(StoreError, match="full"):
        store.journal.barrier().result(timeout=20)
    assert store.journal.failed is not None
    assert reader.events == maker.events
    maker.add(Notification(text="y" * 10_000))
    store.journal.submit(maker.events[-1], reader)
    with pytest.raises(StoreError, match="full"):
        store.journal.barrier().result(timeout=20)
    set_limit(store, 1_000_000)
    store.journal.barrier().result(timeout=20)
    assert store.journal.failed is None
    assert list(store.events("session-1")) == maker.events


def test_the_journal_tries_again_by_itself(store: Store) -> None:
    write(store, short_run().events)
    set_limit(store, 1)
    maker = Maker(run_id="run-2")
    maker.begin("z" * 300_000)
    reader = Collector()
    for event in maker.events:
        store.journal.submit(event, reader)
    until(lambda: store.journal.failed is not None, "the failure")
    set_limit(store, 1_000_000)
    until(lambda: store.journal.failed is None, "the recovery")
    assert list(store.events("session-1", run_id="run-2")) == maker.events


def test_a_database_locked_for_too_long_fails_the_barrier_and_recovers(store: Store) -> None:
    maker = Maker()
    maker.begin()
    reader = write(store, maker.events)
    store.journal.call(lambda connection: connection.execute("PRAGMA busy_timeout = 50").fetchall())
    with closing(sqlite3.connect(store.path, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        maker.add(Notification(text="while it is locked"))
        store.journal.submit(maker.events[-1], reader)
        with pytest.raises(StoreError, match="locked"):
            store.journal.barrier().result(timeout=20)
        assert reader.events == maker.events
        other.execute("ROLLBACK")
    store.journal.barrier().result(timeout=20)
    assert list(store.events("session-1")) == maker.events


def test_a_run_whose_id_is_taken_is_refused_and_harms_no_other(store: Store) -> None:
    first = short_run()
    write(store, first.events)
    second = short_run(session_id="session-2", text="the same run id")
    reader = Collector()
    for event in second.events[:3]:
        store.journal.submit(event, reader)
    other = short_run("run-3", "session-3")
    for event in other.events:
        store.journal.submit(event, reader)
    with pytest.raises(StoreError, match="run-1"):
        store.journal.barrier().result(timeout=20)
    with pytest.raises(StoreError, match="run-1"):
        store.journal.barrier().result(timeout=20)
    for event in second.events[3:]:
        store.journal.submit(event, reader)
    with pytest.raises(StoreError, match="run-1"):
        store.journal.barrier().result(timeout=20)
    assert reader.events == [*second.events[:3], *other.events, *second.events[3:]]
    assert list(store.events("session-1")) == first.events
    assert list(store.events("session-3")) == other.events
    assert [summary.session_id for summary in store.sessions()] == ["session-3", "session-1"]
    write(store, short_run("run-4", "session-4").events)


def test_nothing_comes_after_the_end_of_a_run(store: Store) -> None:
    maker = short_run()
    write(store, maker.events)
    with pytest.raises(StoreError, match="after its end"):
        write(store, [maker.add(Notification(text="too late"))])
    write(store, short_run("run-2").events)
    assert list(store.events("session-1", run_id="run-1")) == maker.events[:-1]


def test_closing_stores_and_publishes_all_that_waits(database: Path) -> None:
    store = Store.open(database)
    made, reader = random_run(random.Random(11)), Collector()
    for event in made.events:
        store.journal.submit(event, reader)
    store.close()
    assert reader.events == made.events
    late = Notification(run_id="run-1", session_id="session-1", seq=made.seq + 1)
    store.journal.submit(late, reader)
    assert reader.events[-1] == late
    with pytest.raises(StoreError, match="closed"):
        store.journal.barrier().result(timeout=20)
    with pytest.raises(StoreError, match="closed"):
        store.sessions()
    store.close()
    with Store.open(database) as again:
        assert again.runs("session-1") == [fold(made.facts)]
    assert sorted(path.name for path in database.parent.iterdir()) == ["quarterdeck.db"]


def test_closing_says_when_facts_are_lost(database: Path) -> None:
    store = Store.open(database)
    write(store, short_run().events)
    set_limit(store, 1)
    maker = Maker(run_id="run-2")
    maker.begin("z" * 300_000)
    for event in maker.events:
        store.journal.submit(event, Collector())
    with pytest.raises(StoreError, match="full"):
        store.close()


def test_many_threads_may_submit_while_it_closes(database: Path) -> None:
    store = Store.open(database)
    makers = [Maker(run_id=f"run-{number}", session_id=f"session-{number}") for number in range(3)]
    readers = [Collector() for _ in makers]
    going = threading.Event()

    def submit(number: int) -> None:
        maker = makers[number]
        maker.begin()
        for event in maker.events:
            store.journal.submit(event, readers[number])
        going.set()
        for _ in range(2000):
            store.journal.submit(maker.add(Notification(text="n")), readers[number])

    threads = [threading.Thread(target=submit, args=(number,)) for number in range(3)]
    for thread in threads:
        thread.start()
    going.wait(timeout=20)
    store.close()
    for thread in threads:
        thread.join()
    assert [reader.events for reader in readers] == [maker.events for maker in makers]
    with Store.open(database) as again:
        for maker in makers:
            kept = list(again.events(maker.session_id))
            assert kept == maker.events[: len(kept)]
            assert len(kept) >= 2


def test_the_log_is_moved_into_the_database_when_nothing_else_is_to_do(store: Store) -> None:
    maker = Maker()
    maker.begin()
    for _ in range(30):
        maker.add(Notification(text="x" * 100_000))
    write(store, maker.events)
    until(lambda: store.path.stat().st_size > CHECKPOINT_BYTES, "the database that has grown")


def test_a_program_that_owns_a_run_says_from_time_to_time_that_it_lives(database: Path) -> None:
    prepare(database)
    wall = [1000.0]
    connection = open_database(database)
    writer = EventWriter(connection, this_process("me"), wall=lambda: wall[0])

    def seen() -> list[tuple[str, float]]:
        return connection.execute("SELECT owner_id, seen FROM owners").fetchall()

    assert writer.heartbeat_wait() is None
    assert not writer.write(deltas=True)
    for event in short_run().events[:2]:
        writer.take(event, 0.0)
    assert writer.write(deltas=True)
    assert seen() == [("me", 1000.0)]
    wall[0] += HEARTBEAT_SECONDS / 2
    assert writer.heartbeat_wait() == HEARTBEAT_SECONDS / 2
    assert not writer.write(deltas=True)
    wall[0] += HEARTBEAT_SECONDS / 2
    assert writer.write(deltas=True)
    assert seen() == [("me", 1000.0 + HEARTBEAT_SECONDS)]
    writer.call(writer.unregister)
    assert seen() == []
    connection.close()


FORGETFUL = """
import sys
from pathlib import Path
from runner.store import Store
from tests.store.making import short_run
store = Store.open(Path(sys.argv[1]))
for event in short_run().events:
    store.journal.submit(event, lambda events: None)
"""


def test_a_program_that_forgets_to_close_loses_nothing(database: Path) -> None:
    subprocess.run([sys.executable, "-c", FORGETFUL, str(database)], cwd=ROOT, check=True, timeout=60)
    with Store.open(database) as store:
        assert list(store.events("session-1")) == short_run().events
        assert not store.session("session-1").live


IMPORT = "import sys, runner.store; from runner.store import Store; print(sorted(sys.modules))"


def test_importing_the_store_loads_neither_sqlite_nor_pydantic() -> None:
    done = subprocess.run(
        [sys.executable, "-c", IMPORT], cwd=ROOT, check=True, timeout=60, capture_output=True, text=True
    )
    names = {name.partition(".")[0].strip(" '[]") for name in done.stdout.split(",")}
    assert "runner" in names
    assert not names & {"sqlite3", "_sqlite3", "pydantic", "psutil", "platformdirs"}

"""Whether every run of a test is, read back from where it was stored, the run that was seen live.

Each run that is started in this process is recorded, deltas and all, as it is emitted. At the end of the test the
state folded from that is compared with the state folded from what came back: from the store where there is one, else
from the text that a store would hold.
"""

from __future__ import annotations

import contextlib
from collections.abc import Generator
from dataclasses import dataclass, field, fields
from pathlib import Path
from typing import Any
from weakref import WeakKeyDictionary

from runner.errors import StoreError
from runner.events import Event
from runner.events.codec import load_json
from runner.hub import Hub
from runner.loop.emit import Emitter
from runner.state import RunState, fold
from runner.store import Store
from runner.store.encode import encode
from runner.store.read import Reader
from runner.store.rows import decode
from runner.store.writer import SqliteJournal

MOST_EVENTS = 20_000
"""Of a longer run only the facts are compared: some tests stream for as long as they can."""


@dataclass
class Watched:
    """One run. events: what it emitted, in order."""

    hub: Hub
    run_id: str
    session_id: str
    events: list[Event] = field(default_factory=list[Event])

    @property
    def journal(self) -> object:
        return vars(self.hub)["_journal"]

    @property
    def finished(self) -> bool:
        return self.hub.finished.is_set()

    def live(self) -> RunState:
        events = self.events
        if len(events) > MOST_EVENTS:
            events = [event for event in events if not event.is_delta]
        return fold(tuple(events), RunState(run_id=self.run_id, session_id=self.session_id))


class _Recording:
    """Stands before the hub of a run, for its emitter alone."""

    def __init__(self, watched: Watched) -> None:
        self._watched = watched
        self.barrier = watched.hub.barrier

    def emit(self, event: Event) -> None:
        self._watched.events.append(event)
        self._watched.hub.emit(event)


_watched: list[Watched] = []
_stores: WeakKeyDictionary[SqliteJournal, Path] = WeakKeyDictionary()


def install() -> None:
    """Watch all runs of this process from now on."""
    begin_run, begin_store = Emitter.__init__, Store.__init__

    def emitter_made(self: Emitter, *, hub: Hub, **named: Any) -> None:
        begin_run(self, hub=hub, **named)
        one = Watched(hub=hub, run_id=named["run_id"], session_id=named["session_id"])
        vars(self)["_hub"] = _Recording(one)
        _watched.append(one)

    def store_made(self: Store, **named: Any) -> None:
        begin_store(self, **named)
        _stores[self.journal] = self.path

    Emitter.__init__ = emitter_made
    Store.__init__ = store_made


@contextlib.contextmanager
def watching() -> Generator[list[Watched]]:
    """The runs that begin meanwhile; whoever asks for them answers for them too."""
    first = len(_watched)
    mine: list[Watched] = []
    try:
        yield mine
    finally:
        mine.extend(_watched[first:])
        del _watched[first:]


def differences() -> list[str]:
    """What is not as it was, of all runs that ended since the last time."""
    runs, _watched[:] = list(_watched), []
    return [line for run in runs if run.finished for line in difference(run)]


def difference(run: Watched) -> list[str]:
    live = run.live()
    stored = _stored(run)
    if stored is None:
        stored = [load_json(encode(event)) for event in run.events if not event.is_delta]
    replayed = fold(tuple(stored), RunState(run_id=run.run_id, session_id=run.session_id))
    if live == replayed:
        return []
    return [
        f"run {run.run_id}: {item.name} was {getattr(live, item.name)!r}, replayed {getattr(replayed, item.name)!r}"
        for item in fields(RunState)
        if getattr(live, item.name) != getattr(replayed, item.name)
    ]


def _stored(run: Watched) -> list[Event] | None:
    """What the store has of it; None where it has none, or no more (the test has deleted it)."""
    journal = run.journal
    path = _stores.get(journal) if isinstance(journal, SqliteJournal) else None
    if path is None or not isinstance(journal, SqliteJournal) or journal.failed is not None or not path.exists():
        return None
    if not journal.closed:
        with contextlib.suppress(StoreError):
            journal.barrier().result(timeout=10)
    reader = Reader(path)
    try:
        if not reader.all("SELECT 1 FROM runs WHERE run_id = ?", (run.run_id,)):
            return None
        return [decode(row) for row in reader.rows(run.run_id, 0, lambda seq, text: None)]
    finally:
        reader.close()

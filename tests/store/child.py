"""A program that writes to a store until it is killed, and says what it has published as soon as it has."""

from __future__ import annotations

import os
import random
import resource
import signal
import sys
import time
from collections.abc import Callable
from pathlib import Path

from runner.errors import SessionBusyError, StoreError
from runner.events import (
    Event,
    Notification,
    TextDelta,
    ToolFinished,
    ToolOutputDelta,
    ToolStarted,
    TurnFinished,
)
from runner.store import Store
from tests.store.making import Maker, a_call

PIECE_SECONDS = 0.002


def say(text: str) -> None:
    """Unbuffered, so that a kill takes nothing back that was said."""
    os.write(1, f"{text}\n".encode())


def published(events: list[Event]) -> None:
    for event in events:
        text = event.text if isinstance(event, TextDelta | ToolOutputDelta) else ""
        say(f"{'delta' if event.is_delta else 'fact'} {event.seq} {event.kind} {time.monotonic():.6f} {len(text)}")


def word(number: int) -> str:
    return f"w{number} "


def busy_run(store: Store, run_id: str, session_id: str, seed: int) -> None:
    """Turns without end: an answer streams, a tool prints, every piece a moment after the last."""
    rng = random.Random(seed)
    maker = Maker(run_id=run_id, session_id=session_id)
    sent = 0

    def flush() -> None:
        nonlocal sent
        for event in maker.events[sent:]:
            store.journal.submit(event, published)
        sent = len(maker.events)

    maker.begin("a busy run")
    for turn in range(10_000):
        maker.begin_turn()
        maker.request()
        text = _stream(rng.randint(300, 900), lambda piece: (maker.add(TextDelta(text=piece)), flush()))
        call = a_call(turn, run_id=run_id)
        maker.answer(text, (call,))
        maker.propose(call)
        maker.add(ToolStarted(call_id=call.call_id, tool=call.tool))
        output = _stream(
            rng.randint(0, 200),
            lambda piece, call_id=call.call_id: (maker.add(ToolOutputDelta(call_id=call_id, text=piece)), flush()),
        )
        maker.add(ToolFinished(call_id=call.call_id, tool=call.tool, output=output))
        maker.add(TurnFinished(tool_calls=1))
        flush()


def _stream(count: int, send: Callable[[str], object]) -> str:
    for number in range(count):
        send(word(number))
        time.sleep(PIECE_SECONDS)
    return "".join(map(word, range(count)))


def hold(store: Store, session_id: str) -> None:
    try:
        lease = store.lease(session_id)
    except SessionBusyError as error:
        say(f"busy {error}")
        return
    say("held")
    sys.stdin.readline()
    lease.release()
    store.close()
    say("released")


def write_many(store: Store, session_id: str, count: int) -> None:
    maker = Maker(run_id=f"run-of-{session_id}", session_id=session_id)
    maker.begin(f"from process {os.getpid()}")
    for number in range(count):
        maker.add(Notification(text=f"{number}"))
        if number % 100 == 0:
            maker.add(TextDelta(text="d"))
    maker.end()
    say("ready")
    sys.stdin.readline()
    for event in maker.events:
        store.journal.submit(event, lambda events: None)
    store.journal.barrier().result(timeout=60)
    store.close()
    say(f"wrote {maker.seq}")


def small_disk(store: Store, limit: int) -> None:
    """Files may not grow over a limit: writing to the database fails as it does on a full disk."""
    signal.signal(signal.SIGXFSZ, signal.SIG_IGN)
    maker = Maker()
    maker.begin("on a small disk")
    seen: list[Event] = []
    for event in maker.events:
        store.journal.submit(event, seen.extend)
    store.journal.barrier().result(timeout=60)
    resource.setrlimit(resource.RLIMIT_FSIZE, (limit, resource.RLIM_INFINITY))
    for _ in range(200):
        store.journal.submit(maker.add(Notification(text="x" * 5000)), seen.extend)
    try:
        store.journal.barrier().result(timeout=60)
    except StoreError as error:
        say(f"failed {len(seen) == len(maker.events)} {error}")
    resource.setrlimit(resource.RLIMIT_FSIZE, (resource.RLIM_INFINITY, resource.RLIM_INFINITY))
    store.journal.barrier().result(timeout=60)
    store.close()
    say(f"stored {maker.seq}")


def main() -> None:
    mode, database, *rest = sys.argv[1:]
    store = Store.open(Path(database))
    match mode:
        case "run":
            busy_run(store, rest[0], rest[1], int(rest[2]))
        case "hold":
            hold(store, rest[0])
        case "write":
            write_many(store, rest[0], int(rest[1]))
        case "small-disk":
            small_disk(store, int(rest[0]))
        case _:
            raise SystemExit(f"unknown mode {mode}")


if __name__ == "__main__":
    main()

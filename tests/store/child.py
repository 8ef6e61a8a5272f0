"""A program that writes to a store until it is killed, and says what it has published as soon as it has."""

from __future__ import annotations

import asyncio
import os
import random
import resource
import signal
import subprocess
import sys
import time
from collections.abc import Callable
from decimal import Decimal
from pathlib import Path

import psutil

from runner import Agent, RunConfig, Runner
from runner.clock import SystemClock
from runner.errors import SessionBusyError, StoreError
from runner.events import (
    AttemptDiscarded,
    CompactionFinished,
    CompactionStarted,
    Event,
    Notification,
    TextDelta,
    ToolFinished,
    ToolOutputDelta,
    ToolStarted,
    TurnFinished,
)
from runner.store import Store, schema
from runner.testing.gate import Gate
from runner.testing.scripted import Response, ScriptedModel, reply, text
from runner.usage import Price, Usage
from tests.store.making import Maker, a_call

PIECE_SECONDS = 0.002
CUT = "This is as far as"
PRICE = Price(input=Decimal(1), output=Decimal(2))


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
        _thrown_away(maker, rng)
        maker.request(price=PRICE)
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


def _thrown_away(maker: Maker, rng: random.Random) -> None:
    """Requests that are paid for without an answer."""
    if rng.random() < 0.5:
        maker.add(CompactionStarted(tokens_before=100, model="demo/pilot"))
        usage, cost = Usage(input=rng.randint(1, 99)), rng.choice([None, Decimal("0.25")])
        maker.add(CompactionFinished(how="none", model="demo/pilot", usage=usage, cost_usd=cost))
    for _ in range(rng.randint(0, 2)):
        maker.request(price=PRICE)
        usage, cost = Usage(input=rng.randint(1, 99)), rng.choice([None, Decimal("0.125")])
        maker.add(AttemptDiscarded(model="demo/pilot", reason="network", usage=usage, cost_usd=cost))


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


STUBBORN = """
import signal, sys, time
def told(*_):
    open(sys.argv[1], "w").close()
signal.signal(signal.SIGTERM, told)
print("ready", flush=True)
while True:
    time.sleep(60)
"""


def work(store: Store, session_id: str, kind: str, told: str) -> None:
    """Begin a call whose process outlives this program, and wait. told: the file that SIGTERM makes."""
    argv = [sys.executable, "-c", STUBBORN, told] if kind == "stubborn" else ["sleep", "600"]
    process = subprocess.Popen(argv, start_new_session=True, stdout=subprocess.PIPE, stdin=subprocess.DEVNULL)
    if kind == "stubborn" and process.stdout is not None:
        process.stdout.readline()
    maker, call = Maker(run_id=f"run-of-{session_id}", session_id=session_id), a_call()
    maker.begin("Work")
    maker.begin_turn()
    maker.request()
    maker.answer(calls=(call,))
    maker.propose(call)
    maker.add(ToolStarted(call_id=call.call_id, tool=call.tool))
    started = psutil.Process(process.pid).create_time()
    maker.add(
        ToolStarted(
            call_id=call.call_id,
            tool=call.tool,
            name="the work",
            pid=process.pid,
            pgid=process.pid,
            process_started=started,
        )
    )
    if kind == "finished":
        maker.finish_call(call)
    for event in maker.events:
        store.journal.submit(event, lambda events: None)
    store.journal.barrier().result(timeout=60)
    say(f"working {process.pid}")
    sys.stdin.readline()


def run_session(store: Store, session_id: str, *words: str) -> None:
    """Run the session with the real loop. words: the answer; without any the model is in the middle of one for ever."""
    answer: Response = reply(text(" ".join(words))) if words else [*text(CUT), Gate()]
    runner = Runner(store=store)
    agent = Agent(name="deck", model=ScriptedModel([answer], name="demo/scripted", price=PRICE))

    async def drive() -> None:
        try:
            handle = runner.start(agent, f"question of {os.getpid()}", RunConfig(session_id=session_id))
        except SessionBusyError as error:
            say(f"busy {error}")
            return
        said = ""
        async for event in handle.events():
            said += event.text if isinstance(event, TextDelta) else ""
            if isinstance(event, TextDelta) and said == CUT:
                await asyncio.wrap_future(store.journal.barrier())
                say("streaming")
        result = await handle.result()
        say(f"{result.status} {len(result.history)} {result.final_output}")

    say("ready")
    sys.stdin.readline()
    asyncio.run(drive())
    store.close()
    say("over")


def recover(store: Store, grace: float) -> None:
    say("ready")
    sys.stdin.readline()
    for run in store.recover(SystemClock(), grace):
        say(" ".join([run.run_id, *(f"{end.name}:{end.pid}:{end.how}" for end in run.processes)]))
    store.close()
    say("recovered")


def migrate_to(database: Path, stop_at: int) -> None:
    """Bring the schema up to date, but stand still before that statement."""
    connection, count = schema.connect(database), 0

    def trace(_: str) -> None:
        nonlocal count
        count += 1
        if count == stop_at:
            say(f"at {count} in {os.getpid()}")
            signal.pause()

    connection.set_trace_callback(trace)
    schema.migrate(connection, database)
    say("done")


def migrate_again(database: Path) -> None:
    """Migrate in a process of its own for each number that is asked for, forked because loading all takes longest."""
    say("ready")
    while asked := sys.stdin.readline():
        process = os.fork()
        if process == 0:
            migrate_to(database, int(asked))
            os._exit(1)
        _, status = os.waitpid(process, 0)
        say(f"ended {os.waitstatus_to_exitcode(status)}")


def open_at_once(database: Path) -> None:
    say("ready")
    sys.stdin.readline()
    with Store.open(database) as store:
        say(f"opened {sum(row.requests for row in store.usage('run'))}")


def main() -> None:
    mode, database, *rest = sys.argv[1:]
    match mode:
        case "migrate":
            migrate_again(Path(database))
        case "open":
            open_at_once(Path(database))
        case _:
            with_store(mode, Store.open(Path(database)), rest)


def with_store(mode: str, store: Store, rest: list[str]) -> None:
    match mode:
        case "run":
            busy_run(store, rest[0], rest[1], int(rest[2]))
        case "hold":
            hold(store, rest[0])
        case "write":
            write_many(store, rest[0], int(rest[1]))
        case "small-disk":
            small_disk(store, int(rest[0]))
        case "work":
            work(store, *rest)
        case "session":
            run_session(store, *rest)
        case "recover":
            recover(store, float(rest[0]))
        case _:
            raise SystemExit(f"unknown mode {mode}")


if __name__ == "__main__":
    main()

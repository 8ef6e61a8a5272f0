"""A run without a screen: events to stdout, commands from stdin, signals; the same loop and the same events as the TUI.

Writing has a thread of its own, so that a reader who does not read never holds the run back.
"""

from __future__ import annotations

import asyncio
import contextlib
import os
import select
import signal
import sys
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass
from typing import TYPE_CHECKING, Final, Protocol

from runner.agent import Agent
from runner.api import Runner
from runner.config import RunConfig
from runner.control.commands import Send
from runner.control.handle import RunHandle
from runner.errors import CommandError, QuarterdeckError
from runner.events import Event, RunFinished
from runner.events.codec import dump_json
from runner.hub import Subscription
from runner.result import RunResult
from tui.control_lines import LONGEST_LINE, parse
from tui.plain import PlainPrinter

if TYPE_CHECKING:
    from tui.engine_parts.services import Services

STDIN, STDOUT, STDERR = 0, 1, 2
READ_SIZE: Final = 1 << 16

EXIT_OK: Final = 0
EXIT_FAILED: Final = 1
EXIT_LIMIT: Final = 3
EXIT_INTERRUPTED: Final = 130

LIMIT_REASONS: Final = frozenset(
    {
        "max_turns_exceeded",
        "budget_exceeded",
        "token_limit_exceeded",
        "time_exceeded",
        "request_limit_exceeded",
        "tool_call_limit_exceeded",
    }
)


@dataclass(frozen=True, slots=True, kw_only=True)
class Headless:
    """One headless run. json: events instead of text on stdout. control: commands come on stdin. services: opened
    before the run, and closed after it.
    """

    runner: Runner
    agent: Agent
    prompt: str
    config: RunConfig
    json: bool = False
    control: bool = False
    services: Services | None = None


def exit_code(result: RunResult) -> int:
    if result.status == "completed":
        return EXIT_OK
    if result.status == "cancelled":
        return EXIT_INTERRUPTED
    return EXIT_LIMIT if result.reason in LIMIT_REASONS else EXIT_FAILED


async def drive(job: Headless) -> int:
    """Run to the end and return the exit code. Raises ConfigError, InputError or SessionBusyError before it starts."""
    if job.services is None:
        return await _drive(job)
    await job.services.open()
    try:
        return await _drive(job)
    finally:
        await job.services.close()


async def _drive(job: Headless) -> int:
    handle = job.runner.start(job.agent, job.prompt, job.config)
    loop = asyncio.get_running_loop()
    output = Output(handle, JsonSink() if job.json else PlainSink())
    signals = Signals(handle)
    signals.install(loop)
    with ThreadPoolExecutor(1, "output") as thread:
        written = asyncio.wrap_future(thread.submit(output.run))
        try:
            if job.control:
                Control(handle).start()
            result = await handle.result()
        finally:
            output.finish()
            await written
            signals.remove(loop)
    return exit_code(result)


class Signals:
    """SIGINT stops, a second one aborts, a third ends the program at once; SIGTERM and SIGHUP abort."""

    def __init__(self, handle: RunHandle) -> None:
        self._handle = handle
        self._interrupts = 0

    def install(self, loop: asyncio.AbstractEventLoop) -> None:
        loop.add_signal_handler(signal.SIGINT, self._interrupt)
        for number in (signal.SIGTERM, signal.SIGHUP):
            loop.add_signal_handler(number, self._handle.abort, "signal")

    def remove(self, loop: asyncio.AbstractEventLoop) -> None:
        for number in (signal.SIGINT, signal.SIGTERM, signal.SIGHUP):
            loop.remove_signal_handler(number)

    def _interrupt(self) -> None:
        self._interrupts += 1
        if self._handle.done or self._interrupts > 2:
            # Every fact so far is stored; what is left is a reader who does not read, or a tool that does not end.
            os._exit(EXIT_INTERRUPTED)
        elif self._interrupts == 2:
            self._handle.abort(by="signal")
        else:
            self._handle.stop(by="signal")


class Sink(Protocol):
    def write(self, events: list[Event], *, gap: bool) -> None:
        """Write the events; blocks while nobody reads. gap: deltas were dropped just before or among them."""
        ...


class JsonSink:
    """One event a line, written as soon as it is there."""

    def write(self, events: list[Event], *, gap: bool) -> None:
        del gap  # A reader of JSON sees the facts, which hold all that the dropped deltas said.
        write_all(STDOUT, b"".join(dump_json(event) + b"\n" for event in events))


class PlainSink:
    def __init__(self) -> None:
        self._printer = PlainPrinter(terminal=os.isatty(STDOUT))

    def write(self, events: list[Event], *, gap: bool) -> None:
        if gap:
            self._printer.gap()
        for event in events:
            printed = self._printer.feed(event)
            write_all(STDOUT, _encode("".join(printed.out)))
            write_all(STDERR, _encode("".join(f"{line}\n" for line in printed.err)))


def _encode(text: str) -> bytes:
    # A half of a surrogate pair is no character; a model that writes one must not end the run.
    return text.encode("utf-8", errors="replace")


def write_all(descriptor: int, data: bytes) -> None:
    """Write everything, also to a descriptor that somebody made non-blocking. Raises OSError."""
    view = memoryview(data)
    while view:
        try:
            view = view[os.write(descriptor, view) :]
        except BlockingIOError:
            select.select([], [descriptor], [])


class Output:
    """Writes a run's events until its end. When nobody can read them any more, the run is aborted."""

    def __init__(self, handle: RunHandle, sink: Sink) -> None:
        self._handle = handle
        self._sink = sink
        self._ready = threading.Event()
        self._subscription: Subscription = handle.subscribe(notify=self._ready.set)
        self._dropped = 0
        self._finishing = False

    def run(self) -> None:
        """Write until the end; called in a thread of its own. Raises BrokenPipeError or QuarterdeckError."""
        try:
            while not self._step():
                self._ready.wait()
                self._ready.clear()
        except BrokenPipeError:
            raise
        except OSError as error:
            raise QuarterdeckError(f"the output cannot be written: {error.strerror}") from error
        finally:
            # After the last event this changes nothing.
            with contextlib.suppress(CommandError):
                self._handle.abort(by="program")

    def finish(self) -> None:
        """The run is over and all of it is in the queue: end when that is written."""
        self._finishing = True
        self._ready.set()

    def _step(self) -> bool:
        """Write what waits; whether that was the last of it."""
        finishing = self._finishing
        events = self._subscription.drain()
        gap = self._subscription.dropped_characters != self._dropped
        self._dropped = self._subscription.dropped_characters
        if events:
            self._sink.write(events, gap=gap)
        return finishing or any(isinstance(event, RunFinished) for event in events)


class Control(threading.Thread):
    """Reads commands from stdin until its end, which means that nobody answers approvals any more."""

    def __init__(self, handle: RunHandle) -> None:
        super().__init__(name="control", daemon=True)
        self._handle = handle

    def run(self) -> None:
        # The plain descriptor, because a daemon thread inside sys.stdin would block the interpreter's exit.
        waiting = b""
        skipping = False
        while data := self._read():
            *lines, waiting = (waiting + data).split(b"\n")
            for line in lines:
                if not skipping:
                    self._take(line)
                skipping = False
            if len(waiting) > LONGEST_LINE:
                if not skipping:
                    self._take(waiting)
                waiting, skipping = b"", True
        if waiting.strip() and not skipping:
            self._take(waiting)
        self._send(self._handle.approver_gone)

    def _read(self) -> bytes:
        try:
            return os.read(STDIN, READ_SIZE)
        except BlockingIOError:
            select.select([STDIN], [], [])
            return self._read()
        except OSError:
            return b""

    def _take(self, line: bytes) -> None:
        if not line.strip():
            return
        try:
            command = parse(line)
        except CommandError as error:
            reason = str(error)
            self._send(lambda: self._handle.report("control", reason))
            return
        if isinstance(command, Send):
            text, now = command.text, command.now
            # The handle gives the message its id, by which it can be edited until it is delivered.
            self._send(lambda: self._handle.send(text, now=now))
        else:
            self._send(lambda: self._handle.command(command))

    def _send(self, act: Callable[[], object]) -> None:
        try:
            act()
        except CommandError as error:
            # Only after the end of the run, when there are no events any more to say it in.
            print(f"quarterdeck: {error}", file=sys.stderr)

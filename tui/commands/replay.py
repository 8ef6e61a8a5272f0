"""`quarterdeck replay`: a stored session once more, at its own speed or faster."""

from __future__ import annotations

import argparse
import math
import sys
import time
from collections.abc import Iterable
from contextlib import closing

from runner.clock import SystemClock
from runner.events import Event, MessageDelivered, PersonCommandFinished, PersonCommandStarted, RunStarted
from runner.events.codec import dump_json
from runner.messages import UserMessage
from runner.review.playing import Pace, play
from runner.store import Store
from tui import words
from tui.cli import UsageError, tell
from tui.commands.common import enter_folder
from tui.plain import FileText, PlainPrinter, TerminalText
from tui.problem_words import problem_line

SLOWEST, FASTEST = 0.1, 1000.0


def run(args: argparse.Namespace) -> int:
    pace = Pace(speed=read_speed(args.speed), longest=_longest(args.max_wait))
    enter_folder(args)
    with closing(Store.open()) as store:
        store.recover(SystemClock())
        summary = store.session(args.id)
        if not args.json and math.isfinite(pace.speed) and math.isfinite(pace.longest):
            tell(f"pauses longer than {words.duration(pace.longest)} are cut to that (--max-wait changes it)")
        events = play(store.events(summary.session_id), pace)
        if args.json:
            _as_json(events)
        else:
            _as_text(events)
        for problem in store.problems:
            tell(problem_line(problem))
    return 0


def read_speed(text: str) -> float:
    """Raises UsageError."""
    if text == "max":
        return math.inf
    try:
        speed = float(text.removesuffix("x"))
    except ValueError:
        speed = math.nan
    if not SLOWEST <= speed <= FASTEST:
        raise UsageError(f"--speed: {text!r} is not a speed; expected a number from 0.1 to 1000, or max")
    return speed


def _longest(text: str) -> float:
    if text == "off":
        return math.inf
    try:
        seconds = float(text)
    except ValueError:
        seconds = math.nan
    if not 0 <= seconds < math.inf:
        raise UsageError(f"--max-wait: {text!r} is not a time; expected seconds, or off")
    return seconds


def _as_json(events: Iterable[tuple[float, Event]]) -> None:
    """The stored events as they are; what is written bit by bit for the eye is left out."""
    left = 0.0
    for wait, event in events:
        left += wait
        if event.is_delta:
            continue
        time.sleep(left)
        left = 0.0
        sys.stdout.buffer.write(dump_json(event) + b"\n")
        sys.stdout.buffer.flush()


def _as_text(events: Iterable[tuple[float, Event]]) -> None:
    terminal = sys.stdout.isatty()
    printer = PlainPrinter(terminal=terminal)
    for wait, event in events:
        time.sleep(wait)
        printed = printer.feed(event)
        sys.stdout.write(_said(event, terminal=terminal) + "".join(printed.out))
        sys.stdout.flush()
        for line in printed.err:
            print(line, file=sys.stderr, flush=True)


def _said(event: Event, *, terminal: bool) -> str:
    """What the person said or ran, which a printer of live runs has no need to repeat."""
    text = ""
    match event:
        case RunStarted(input=messages):
            text = "\n".join(message.text for message in messages if isinstance(message, UserMessage))
        case MessageDelivered(text=said, by="user"):
            text = said
        case PersonCommandStarted(command=command, pid=None):
            text = f"!{command}"
        case PersonCommandFinished(output=output):
            return _cleaned(output, terminal=terminal).rstrip("\n") + "\n" if output else ""
        case _:
            return ""
    return f"\n> {_cleaned(text, terminal=terminal).replace(chr(10), chr(10) + '> ')}\n\n" if text else ""


def _cleaned(text: str, *, terminal: bool) -> str:
    sink = TerminalText() if terminal else FileText()
    return sink.feed(text) + sink.finish()

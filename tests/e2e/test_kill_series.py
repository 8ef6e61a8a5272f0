"""SIGKILL of the real program at random moments of a busy run, and what the next start finds: every fact that was seen,
all but a moment of the text, no process left, a whole database, and a session that goes on."""

from __future__ import annotations

import json
import random
import re
import signal
import sqlite3
import time
import uuid
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import closing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, overload

import pytest

from runner.events import Event, ModelResponded, ToolFinished
from runner.events.codec import dump_json
from runner.state import fold
from runner.store import Store
from runner.testing.invariants import check_events, check_history
from tests.conftest import soak_factor
from tests.e2e.terminal import PATIENCE, OpenTerminal, alive_with
from tests.headless.process import Process
from tests.provider.replies import Call, Reply
from tests.provider.server import FakeProvider, Received, run_in_thread

KILLS = range(1 if soak_factor() == 1 else 10)
"""Kills of each moment; with every moment they are more than fifty in a soak."""

LOST = 0.25
"""Seconds of streamed text that SIGKILL may lose."""

LATE = 0.75
"""Seconds that a loaded machine may hold back the thread that writes."""

CONFIG = """\
[models."lab/x"]
model = "openai/x"
api_base = "{url}"
api_key_env = "LAB_KEY"
context_window = 1000000
input_cost_per_million = 1
output_cost_per_million = 1

[limits]
max_turns = "off"
max_time = "off"
timeout_per_turn = "off"
"""
KEY = {"LAB_KEY": "loopback"}
PIECE_SECONDS = 0.004

LINE_SECONDS = 0.02
PRINT = f"while :; do date +%s.%N; sleep {LINE_SECONDS}; done"
CHILDREN = f"sleep {{0}} & (sleep {{0}} & sleep {{0}} | cat) & {PRINT}", 3
OWN_SESSIONS = f"setsid sleep {{0}} & setsid sh -c 'sleep {{0}} & sleep {{0}}' & setsid -f sleep {{0}}; {PRINT}", 4
"""Commands that leave so many processes in the background and print the time; {0} is the marker."""


class Timed(Sequence[str]):
    """Pieces of a text that remember when each was on its way, by the monotonic clock."""

    def __init__(self, pieces: Sequence[str]) -> None:
        self._pieces = pieces
        self.sent: list[float] = []

    def __iter__(self) -> Iterator[str]:
        for piece in self._pieces:
            yield piece
            # The next piece is asked for when this one has been written.
            self.sent.append(time.monotonic())

    def __len__(self) -> int:
        return len(self._pieces)

    @overload
    def __getitem__(self, index: int) -> str: ...
    @overload
    def __getitem__(self, index: slice) -> Sequence[str]: ...
    def __getitem__(self, index: int | slice) -> str | Sequence[str]:
        return self._pieces[index]

    def until(self, moment: float) -> str:
        """The text that was on its way by then."""
        return "".join(piece for piece, sent in zip(self._pieces, self.sent, strict=False) if sent <= moment)

    def missing_seconds(self, kept: str, killed: float) -> float:
        """How long before the kill the first piece was sent that is not there any more."""
        size = 0
        for piece, sent in zip(self._pieces, self.sent, strict=False):
            size += len(piece)
            if size > len(kept):
                return max(0.0, killed - sent)
        return 0.0


@dataclass
class Busy:
    """A busy run of the real program, the provider it talks to, and how it is to be killed."""

    folder: Path
    environ: Mapping[str, str]
    provider: FakeProvider
    rng: random.Random
    marker: str = field(default_factory=lambda: f"87{uuid.uuid4().int % 10**9:09d}")
    text: Timed = field(default_factory=lambda: Timed([f"word-{number} " for number in range(3000)]))
    clock_offset: float = field(default_factory=lambda: time.time() - time.monotonic())

    def start(self, *arguments: str) -> Process:
        command = ("run", "--model", "lab/x", "--json", "--control", *arguments)
        return Process(command, self.folder, {**self.environ, **KEY})

    def shell(self, command: str) -> Call:
        arguments = json.dumps({"command": command.format(self.marker)})
        return Call(name="shell", pieces=[arguments], id=f"shell-{self.marker}")

    def writes(self, count: int) -> list[Call]:
        return [Call(name="write_file", pieces=[_new_file()], id=f"write-{number}") for number in range(count)]

    def script(self, *last: Reply) -> None:
        """Two turns that go by, then the one to be killed in."""
        self.provider.script(
            Reply(text=["I begin. "], calls=self.writes(2)), Reply(text=["And on. "], calls=self.writes(1)), *last
        )

    def pause(self) -> None:
        """A moment between two events rather than at one."""
        time.sleep(self.rng.uniform(0, 0.02))

    def wait(self, holds: Callable[[], object], what: str) -> None:
        end = time.monotonic() + PATIENCE
        while not holds():
            assert time.monotonic() < end, f"{what} did not come"
            time.sleep(0.005)

    def sleepers(self) -> list[str]:
        return [found for found in alive_with(self.marker) if found.endswith(f": sleep {self.marker}")]


def _new_file() -> str:
    return json.dumps({"path": f"{uuid.uuid4().hex}.txt", "content": "x\n" * 50})


@pytest.fixture
def busy(folder: Path, environ: Mapping[str, str], config: Path, request: pytest.FixtureRequest) -> Iterator[Busy]:
    with run_in_thread() as provider:
        config.write_text(CONFIG.format(url=provider.openai_url))
        # A new seed each time; pytest shows the name of what fails, and the seed is printed.
        seed = random.SystemRandom().randrange(10**6)
        print(f"seed {seed}")
        yield Busy(folder, environ, provider, random.Random(seed))


def streaming(busy: Busy) -> Process:
    busy.script(Reply(text=busy.text, delay=PIECE_SECONDS))
    process = busy.start("--approve", "accept_edits", "begin")
    wanted = busy.rng.randint(1, 400)
    busy.wait(lambda: len(busy.text.sent) >= wanted, "the text")
    return process


def tool_with_children(busy: Busy) -> Process:
    return _tool(busy, *CHILDREN)


def tool_with_sessions(busy: Busy) -> Process:
    return _tool(busy, *OWN_SESSIONS)


def _tool(busy: Busy, command: str, count: int) -> Process:
    busy.script(Reply(calls=[busy.shell(command)]))
    process = busy.start("--approve", "bypass", "begin")
    process.wait_for("tool_output_delta", count=busy.rng.randint(1, 15))
    busy.wait(lambda: len(busy.sleepers()) >= count, "the command's processes")
    return process


def approval(busy: Busy) -> Process:
    busy.script(Reply(calls=[busy.shell(CHILDREN[0])]))
    process = busy.start("--approve", "accept_edits", "begin")
    asked = process.wait_for("approval_requested")
    if busy.rng.random() < 0.5:
        process.send({"command": "decide", "request_id": asked["request_id"], "decision": "allow"})
    return process


def writing(busy: Busy) -> Process:
    def more(_: Received) -> Reply:
        return Reply(text=["On. "], calls=busy.writes(3))

    busy.provider.handler = more
    process = busy.start("--approve", "accept_edits", "begin")
    wanted = busy.rng.randint(20, 250)
    process.wait_until(lambda: len(process.events) >= wanted, f"{wanted} events")
    return process


MOMENTS = [streaming, tool_with_children, tool_with_sessions, approval, writing]


@pytest.mark.parametrize("number", KILLS)
@pytest.mark.parametrize("moment", MOMENTS, ids=lambda moment: moment.__name__)
def test_a_kill_loses_nothing_that_was_seen(moment: Callable[[Busy], Process], number: int, busy: Busy) -> None:
    process = moment(busy)
    busy.pause()
    killed = time.monotonic()
    process.signal(signal.SIGKILL)
    assert process.end() == -signal.SIGKILL
    busy.wait(lambda: alive_with(busy.marker) == [], "the end of the command's processes")
    _check_database(busy)
    seen = process.events
    assert seen, "something was seen before the kill"
    session = str(seen[0]["session_id"])
    again(busy, session)
    assert alive_with(busy.marker) == []
    with _store(busy) as store:
        stored = list(store.events(session))
        first = [event for event in stored if event.run_id == seen[0]["run_id"]]
        _check_runs(store, stored, first)
    _holds_what_was_seen(first, seen)
    _keeps_the_text(busy, first, killed)
    _keeps_the_output(busy, first, seen, killed)


def again(busy: Busy, session: str) -> None:
    """The next start: it recovers, and the session goes on with a request that is valid."""
    busy.provider.replies.clear()
    busy.provider.handler = None
    busy.provider.script(Reply(text=["Fine."]))
    process = busy.start("--session", session, "go on")
    assert process.end() == 0, process.stderr
    assert process.events[-1]["output"] == "Fine."


def _store(busy: Busy) -> Store:
    return Store.open(_database(busy))


def _database(busy: Busy) -> Path:
    return Path(busy.environ["QUARTERDECK_DATA"]) / "quarterdeck.db"


def _check_database(busy: Busy) -> None:
    """As the kill left it, before any start of ours has touched it."""
    with closing(sqlite3.connect(_database(busy))) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]


def _check_runs(store: Store, stored: list[Event], first: list[Event]) -> None:
    assert store.problems == ()
    second = [event for event in stored if event.run_id != first[0].run_id]
    for run, reason in ((first, "interrupted"), (second, "complete")):
        assert check_events(run) == []
        facts = [event for event in run if not event.is_delta]
        assert [event.seq for event in facts] == list(range(1, len(facts) + 1))
        state = fold(run)
        assert state.reason == reason
        assert check_history(list(state.history)) == []
    assert check_history(list(store.history(first[0].session_id))) == []


def _holds_what_was_seen(stored: list[Event], seen: list[dict[str, Any]]) -> None:
    facts = {event.seq: json.loads(dump_json(event)) for event in stored if not event.is_delta}
    for event in seen:
        if not event["kind"].endswith("_delta"):
            assert facts.get(event["seq"]) == event


def _keeps_the_text(busy: Busy, stored: list[Event], killed: float) -> None:
    if not busy.text.sent:
        return
    kept = [event for event in stored if isinstance(event, ModelResponded)][-1].text
    assert "".join(busy.text).startswith(kept)
    missing = busy.text.missing_seconds(kept, killed)
    print(f"missing text: {missing * 1000:.0f} ms")
    assert missing <= LOST + LATE, f"{missing:.3f} s of text are missing"


def _keeps_the_output(busy: Busy, stored: list[Event], seen: list[dict[str, Any]], killed: float) -> None:
    """The command printed the time, so each line says when it was on its way."""
    printed = [event["text"] for event in seen if event["kind"] == "tool_output_delta"]
    if not printed:
        return
    kept = [event.output for event in stored if isinstance(event, ToolFinished) and event.tool == "shell"]
    last = max([*_times(kept), min(_times(printed))])
    # The first line that can be missing came so much later.
    missing = max(0.0, killed + busy.clock_offset - last - LINE_SECONDS)
    print(f"missing output: {missing * 1000:.0f} ms")
    assert missing <= LOST + LATE, f"{missing:.3f} s of the command's output are missing"


def _times(texts: Sequence[str]) -> list[float]:
    return [float(found) for text in texts for found in re.findall(r"^\d+\.\d{9}$", text, re.MULTILINE)]


SHOWN = [CHILDREN, OWN_SESSIONS, None]


@pytest.mark.parametrize("number", KILLS)
def test_a_kill_of_the_screen_loses_nothing_the_provider_saw(
    number: int, busy: Busy, terminal: OpenTerminal, environ: Mapping[str, str]
) -> None:
    what = busy.rng.choice(SHOWN)
    last = Reply(text=busy.text, delay=PIECE_SECONDS) if what is None else Reply(calls=[busy.shell(what[0])])
    busy.script(last)
    deck = terminal(**KEY)
    deck.start("--model", "lab/x", "--approve", "bypass")
    deck.wait_for("ready")
    deck.send("begin")
    if what is None:
        wanted = busy.rng.randint(1, 400)
        busy.wait(lambda: len(busy.text.sent) >= wanted, "the text")
    else:
        busy.wait(lambda: len(busy.sleepers()) >= what[1], "the command's processes")
    busy.pause()
    program, killed = deck.running(), time.monotonic()
    program.send_signal(signal.SIGKILL)
    program.wait(PATIENCE)
    busy.wait(lambda: alive_with(busy.marker) == [], "the end of the command's processes")
    _check_database(busy)
    with _store(busy) as store:
        session = store.sessions()[0].session_id
    again(busy, session)
    with _store(busy) as store:
        stored = list(store.events(session))
        first = [event for event in stored if event.run_id == stored[0].run_id]
        _check_runs(store, stored, first)
    for request in busy.provider.requests[:-1]:
        _holds_what_the_provider_saw(first, request)
    _keeps_the_text(busy, first, killed)


def _holds_what_the_provider_saw(stored: list[Event], request: Received) -> None:
    """Answers and results that were sent back to the provider were facts by then."""
    said = {event.text for event in stored if isinstance(event, ModelResponded)}
    came = {event.output for event in stored if isinstance(event, ToolFinished)}
    for message in request.body["messages"]:
        match message:
            case {"role": "assistant", "content": str(text)}:
                assert text in said
            case {"role": "tool", "content": str(output)}:
                assert output in came
            case _:
                pass

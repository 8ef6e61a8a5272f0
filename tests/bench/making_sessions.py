"""Thousands of sessions as people make them: written at once with the store's own encoder, ledger and summaries.

Per run: a prompt, turns of reasoning and calls (listing, reading, editing, commands that fail now and then), approvals,
an answer. Words come with the frequencies of a language. Most sessions are short, some are long, and one is very long.
The same seed makes the same sessions.
"""

from __future__ import annotations

import random
import sqlite3
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Final

from runner.events import (
    ApprovalRequested,
    ApprovalResolved,
    Event,
    FileChange,
    FilesChanged,
    ModelRequested,
    ModelResponded,
    RunFinished,
    RunStarted,
    ToolFinished,
    ToolProposed,
    ToolStarted,
    TurnFinished,
    TurnStarted,
    UsageUpdated,
)
from runner.messages import UserMessage
from runner.store import Store
from runner.store.decisions import change_of
from runner.store.encode import encode
from runner.store.ledger import INSERT_SQL, request_row
from runner.store.tally import RUN_SQL, SESSION_SQL, Tally
from runner.usage import Usage

FACTS: Final = 200
"""Of a session, on average."""

LONGEST: Final = 10_000
"""Facts of the longest one, the same in a store of every size."""

RARE: Final = "albatross"
"""In one answer of every thousandth session, and in the middle of the longest one."""

COMMON: Final = "harbor"
"""In about every tenth text."""

MODELS: Final = ("anthropic/claude-opus-4", "openai/gpt-5", "openai/gpt-5-mini", "gemini/gemini-3-pro", "demo/pilot")
AGENTS: Final = ("deck", "reviewer", "writer", "researcher")
TOOLS: Final = (*("read_file",) * 3, "search", *("shell",) * 2, "edit_file", "list_files", "write_file")
FOLDERS: Final = tuple(f"/home/sam/projects/{name}" for name in ("site", "engine", "notes", "billing", "maps", "attic"))
_END: Final = datetime(2026, 10, 1, 12, tzinfo=UTC)
_SYLLABLES: Final = tuple(f"{first}{second}" for first in "bklmnrstvw" for second in "aeiou")


class _Texts:
    """Pieces of text, made once and put together anew each time."""

    def __init__(self, chance: random.Random) -> None:
        self._chance = chance
        words = ["".join(chance.choices(_SYLLABLES, k=chance.choice((1, 2, 2, 3, 3, 4)))) for _ in range(20_000)]
        weights = [1 / rank for rank in range(1, len(words) + 1)]
        self._pieces = [" ".join(chance.choices(words, weights, k=25)) for _ in range(4000)]
        for index in range(0, len(self._pieces), 40):
            self._pieces[index] += f" {COMMON}"

    def some(self, pieces: int) -> str:
        return "\n".join(self._chance.choices(self._pieces, k=pieces))


class _Session:
    """The facts of one session, run after run."""

    def __init__(self, number: int, facts: int, chance: random.Random, texts: _Texts, newest: datetime) -> None:
        self.session_id = f"session-{number:06}"
        self.workspace = chance.choice(FOLDERS)
        self._left = facts
        self._number = number
        self._chance = chance
        self._texts = texts
        self._time = newest - timedelta(seconds=2 * facts)
        self._agent = chance.choice(AGENTS)
        self._model = chance.choice(MODELS)
        self._seq = 0
        self._turn = 0
        self._run_id = ""
        self._rare_at = facts // 2 if number % 1000 == 0 else -1

    def runs(self) -> Iterator[list[Event]]:
        count = 0
        while self._left > 0:
            count += 1
            self._run_id, self._seq, self._turn = f"run-{self._number:06}-{count:03}", 0, 0
            yield self._run(min(self._left, self._chance.choice((60, 120, 400, 4000))))

    def _at(self, event: Event) -> Event:
        self._seq += 1
        self._left -= 1
        self._time += timedelta(seconds=self._chance.uniform(0.2, 3.0))
        return replace(
            event,
            run_id=self._run_id,
            session_id=self.session_id,
            seq=self._seq,
            time=self._time,
            turn=self._turn,
            attempt=1 if self._turn else 0,
            agent=self._agent,
        )

    def _run(self, most: int) -> list[Event]:
        prompt = (UserMessage(text=self._texts.some(1)),)
        facts = [self._at(RunStarted(input=prompt, model=self._model, workspace=self.workspace))]
        while True:
            self._turn += 1
            last = self._seq + 12 >= most
            facts += self._turn_facts(last)
            if last:
                break
        reason = "complete" if self._chance.random() < 0.9 else "error"
        status = "completed" if reason == "complete" else "failed"
        facts.append(self._at(RunFinished(status=status, reason=reason, turns=self._turn)))
        return facts

    def _turn_facts(self, last: bool) -> Iterator[Event]:
        usage = Usage(input=self._chance.randrange(3000, 60000), output=self._chance.randrange(50, 900))
        yield self._at(TurnStarted(model=self._model))
        yield self._at(ModelRequested(model=self._model, provider=self._model.partition("/")[0], messages=self._turn))
        text = self._texts.some(4 if last else 1)
        if self._rare_at >= 0 and self._left <= self._rare_at:
            text, self._rare_at = f"{text} {RARE}", -1
        cost = None if self._model.startswith("demo") else Decimal(usage.total) / 400_000
        answer = ModelResponded(
            model=self._model, text=text, reasoning=self._texts.some(1), usage=usage, cost_usd=cost, seconds=2.0
        )
        yield self._at(answer)
        yield self._at(UsageUpdated(usage=usage, context_used=usage.input))
        if not last:
            yield from self._call()
        yield self._at(TurnFinished(tool_calls=0 if last else 1, usage=usage, seconds=4.0))

    def _call(self) -> Iterator[Event]:
        tool, call = self._chance.choice(TOOLS), f"call-{self._run_id}-{self._seq}"
        path = f"src/part_{self._chance.randrange(40)}/module_{self._chance.randrange(200)}.py"
        arguments: dict[str, object] = {"command": f"make {path}"} if tool == "shell" else {"path": path}
        yield self._at(ToolProposed(call_id=call, tool=tool, arguments=arguments))
        if self._chance.random() < 0.15:
            request = f"request-{call}"
            yield self._at(ApprovalRequested(request_id=request, call_id=call, tool=tool, arguments=arguments))
            decided = ApprovalResolved(
                request_id=request,
                call_id=call,
                tool=tool,
                decision="allow" if self._chance.random() < 0.9 else "deny",
                seconds=self._chance.expovariate(0.2),
            )
            yield self._at(decided)
        else:
            yield self._at(ApprovalResolved(call_id=call, tool=tool, decision="allow", by="rule", rule="mode"))
        yield self._at(ToolStarted(call_id=call, tool=tool))
        if tool in ("edit_file", "write_file"):
            change = FileChange(path=f"{self.workspace}/{path}", before="0" * 64, after="1" * 64)
            yield self._at(FilesChanged(call_id=call, files=(change,)))
        status = "error" if self._chance.random() < 0.06 else "ok"
        output, seconds = self._texts.some(self._chance.randrange(2, 9)), self._chance.expovariate(1.5)
        yield self._at(ToolFinished(call_id=call, tool=tool, status=status, output=output, seconds=seconds))


def make_sessions(path: Path, sessions: int, *, seed: int = 6) -> None:
    """A new store with so many sessions. About 25,000 facts a second."""
    Store.open(path).close()
    chance = random.Random(seed)
    texts = _Texts(chance)
    connection = sqlite3.connect(path, isolation_level=None)
    connection.execute("PRAGMA synchronous = OFF")
    for number in range(sessions):
        if number % 200 == 0:
            connection.execute("COMMIT" if connection.in_transaction else "SELECT 1")
            connection.execute("BEGIN")
        length = LONGEST if number == 0 else max(12, min(4000, int(chance.lognormvariate(4.72, 1.1))))
        newest = _END - timedelta(minutes=30 * (sessions - number))
        session = _Session(number, length, chance, texts, newest)
        for run in session.runs():
            _store(connection, run)
        _mark(connection, session.session_id, number, chance)
    connection.execute("COMMIT")
    connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
    connection.close()


def count_facts(path: Path) -> int:
    with closing(sqlite3.connect(path)) as connection:
        return connection.execute("SELECT count(*) FROM events").fetchone()[0]


def _store(connection: sqlite3.Connection, run: list[Event]) -> None:
    tally = Tally.of(run[0])
    for event in run:
        tally.take(event)
    connection.executemany(
        "INSERT INTO events(run_id, seq, kind, json) VALUES (?, ?, ?, ?)",
        [(event.run_id, event.seq, event.kind, encode(event)) for event in run],
    )
    connection.executemany(INSERT_SQL, [row for event in run if (row := request_row(event)) is not None])
    for event in run:
        change = change_of(event)
        if change is not None:
            connection.execute(*change)
    connection.execute(RUN_SQL, tally.run_row(""))
    connection.executemany(SESSION_SQL, tally.session_rows())


def _mark(connection: sqlite3.Connection, session_id: str, number: int, chance: random.Random) -> None:
    """Every tenth one is a fork of one of the hundred before it; a few are tagged, pinned, or in the trash."""
    if number % 10 == 5:
        origin = f"session-{number - chance.randrange(1, min(number, 100) + 1):06}"
        connection.execute(
            "UPDATE sessions SET forked_from = ?1, root_id = coalesce((SELECT CASE WHEN root_id = '' THEN session_id"
            " ELSE root_id END FROM sessions WHERE session_id = ?1), '') WHERE session_id = ?2",
            (origin, session_id),
        )
    if number % 25 == 1:
        connection.execute(
            "INSERT INTO annotations(session_id, kind, text, time) VALUES (?, 'tag', ?, 0)",
            (session_id, chance.choice(("release", "idea", "bug"))),
        )
    if number % 2000 == 7:
        connection.execute("UPDATE sessions SET pinned = 1 WHERE session_id = ?", (session_id,))
    if number % 200 == 9:
        connection.execute("UPDATE sessions SET deleted = 1 WHERE session_id = ?", (session_id,))

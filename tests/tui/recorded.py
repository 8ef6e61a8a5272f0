"""A store with sessions of some weeks: of two programs, with forks, tags, notes, a pinned one and one in the trash."""

from __future__ import annotations

from dataclasses import dataclass, replace
from datetime import datetime, timedelta
from decimal import Decimal

from runner.events import ErrorInfo, ErrorOccurred, FileChange, FilesChanged, ToolFinished, ToolProposed, TurnFinished
from runner.messages import ToolCall
from runner.store import Store
from runner.store.units import micros
from runner.usage import Usage
from tests.store.making import Maker, write

LEVELS = "harbours/oslo.toml:2: mean_level = 0.4\nharbours/brest.toml:2: mean_level = 4.1\n"

SLOW = 400
"""A maker's clock hurries."""


@dataclass(frozen=True, kw_only=True)
class Talk:
    """One session. hours: how long ago it began."""

    name: str
    hours: float
    said: str
    answer: str
    model: str = "anthropic/claude-sonnet-4-5"
    cost: Decimal | None = Decimal("0.0421")
    turns: int = 1
    reason: str = "complete"
    folder: str = "tidewater"
    changed: tuple[str, ...] = ()
    agent: str = "deck"


TALKS = (
    Talk(
        name="almanac",
        hours=0.6,
        said="where does it say mean_level, and is it the same everywhere?",
        answer="Two files say mean_level:\n\n1. harbours/oslo.toml, 0.4\n2. harbours/brest.toml, 4.1",
        turns=3,
    ),
    Talk(
        name="spring",
        hours=2.2,
        said="the spring tide is too low: use 1.7 in tides.py",
        answer="height() in tides.py uses 1.7 now, and the tests of the spring tide pass.",
        turns=6,
        cost=Decimal("0.3127"),
        changed=("tides.py", "tests/test_tides.py"),
    ),
    Talk(
        name="gauge", hours=5, said="why is the gauge at Brest silent?", answer="It is not.", reason="error", cost=None
    ),
    Talk(
        name="compare",
        hours=27,
        said="compare the harbours of Oslo and Brest",
        answer="Brest has the higher mean_level by 3.7 metres.",
        model="openai/gpt-5.1",
        cost=Decimal("1.8400"),
        turns=14,
    ),
    Talk(name="page", hours=30, said="write a page about neap tides", answer="Done.", reason="stopped", folder="site"),
    Talk(
        name="moon",
        hours=75,
        said="what has the moon to do with it? 月と潮 🌊",
        answer="It pulls.",
        model="gemini/gemini-2.5-flash",
        cost=Decimal("0.0009"),
    ),
    Talk(
        name="charts", hours=76, said="open charts.db", answer="", reason="interrupted", folder="site", agent="reviewer"
    ),
    Talk(name="old", hours=24 * 40, said="read tides.py and say what it does", answer="It predicts the tides."),
    Talk(name="older", hours=24 * 400, said="begin a project about tides", answer="Here is a first file."),
)


def record(store: Store, now: datetime, home: str = "/home/ada") -> None:
    for talk in TALKS:
        maker = _run(talk, now, home)
        write(store, [replace(event, time=maker.start + SLOW * (event.time - maker.start)) for event in maker.events])
    for minutes, turn, name in ((20, 2, "with 1.6 instead"), (9, 4, "")):
        fork = store.fork("spring", run_id="run-spring", turn=turn, name=name)
        _set(store, "created = ?1, updated = ?1", now - timedelta(minutes=minutes), fork)
    store.tag("spring", "release", "reviewed")
    store.tag("moon", "later")
    store.set_note("spring", "the numbers are checked against the almanac of 2025")
    store.pin("moon")
    store.trash("old")
    _set(store, "deleted = ?1", now - timedelta(minutes=5), "old")


def _set(store: Store, what: str, moment: datetime, session_id: str) -> None:
    """What the store takes from the clock on the wall."""
    sql = f"UPDATE sessions SET {what} WHERE session_id = ?2"
    store.journal.call(lambda connection: connection.execute(sql, (micros(moment), session_id)))


def _run(talk: Talk, now: datetime, home: str) -> Maker:
    maker = Maker(
        run_id=f"run-{talk.name}", session_id=talk.name, start=now - timedelta(hours=talk.hours), agent=talk.agent
    )
    maker.begin(talk.said, model=talk.model, workspace=f"{home}/{talk.folder}")
    for turn in range(1, talk.turns + 1):
        last = turn == talk.turns
        maker.begin_turn()
        maker.request(model=talk.model)
        call_id = f"{talk.name}-{turn}"
        calls = () if last else (ToolCall(call_id=call_id, tool="search", arguments={"pattern": "mean_level"}),)
        cost = None if talk.cost is None else talk.cost / talk.turns
        usage = Usage(input=4200 * turn, output=180)
        maker.answer(talk.answer if last else "I look for it.", calls, cost, usage, talk.model)
        if last and talk.changed:
            paths = (f"{home}/{talk.folder}/{name}" for name in talk.changed)
            files = tuple(FileChange(path=path, before="a", after="b") for path in paths)
            maker.add(FilesChanged(call_id=call_id, files=files))
        if not last:
            maker.add(ToolProposed(call_id=call_id, tool="search", arguments={"pattern": "mean_level"}))
            maker.add(ToolFinished(call_id=call_id, tool="search", output=LEVELS))
        maker.add(TurnFinished(usage=usage, tool_calls=len(calls)))
    if talk.reason == "error":
        maker.add(ErrorOccurred(error=ErrorInfo(type="ProviderError", message="the provider answered 529: overloaded")))
    maker.end(reason=talk.reason)
    return maker

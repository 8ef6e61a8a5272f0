"""Real runs with the real tools, store and keeper: every change of a call is a fact before the call's end."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from pathlib import Path
from types import SimpleNamespace
from typing import Any, cast

import pytest

from runner.agent import Agent
from runner.api import Runner
from runner.config import RunConfig
from runner.events import Event, FilesChanged, ToolFinished
from runner.loop.core import RunCore
from runner.loop.keeping import kept_files
from runner.store import Store
from runner.testing import ScriptedModel, calls, reply
from runner.testing.scripted import Response
from runner.tools import tool
from runner.tools.base import Tool
from runner.tools.builtin import SHELL, builtin_tools
from runner.tools.kept import keep_after, keep_before
from runner.undo.blobs import Blobs
from runner.undo.history import KINDS, History, load
from runner.undo.keeper import Keeper
from runner.undo.plan import Selection, undo_plan
from runner.undo.restore import restore
from tests.loop.harness import BOUND, Models
from tests.processes.support import context, until
from tests.undo.support import repository


class Bench:
    def __init__(self, root: Path, data: Path) -> None:
        self.root, self.data = root, data
        data.mkdir()
        self.store = Store.open(data)
        self.keeper = Keeper(data)

    async def run(self, *responses: Response, session_id: str | None = None, stop_at: str = "", **config: Any) -> str:
        """Run a script; stop_at: abort when this file is there. Returns the session's id."""
        model = ScriptedModel([*responses, "Done."], name="m")
        runner = Runner(store=self.store, models=Models([model]), keeper=self.keeper)
        agent = Agent(name="deck", model=model, tools=(*builtin_tools(), *self.tools()))
        handle = runner.start(
            agent,
            "go",
            RunConfig(workspace=self.root, approval_mode="bypass", session_id=session_id, **config),
        )
        if stop_at:
            await until((self.root / stop_at).exists)
            handle.abort()
        async with asyncio.timeout(BOUND):
            result = await handle.result()
        assert result.error is None
        return handle.session_id

    def tools(self) -> list[Tool]:
        @tool
        def scribble(name: str) -> str:
            """A tool of the program's own that writes files without saying so. name: which."""
            (self.root / name).write_text("scribbled\n")
            return "done"

        return [scribble]

    def history(self, session_id: str) -> History:
        return load(self.store.facts(session_id, KINDS), self.data, session_id)

    def undo(self, session_id: str, *turns: int) -> None:
        history = self.history(session_id)
        chosen = frozenset(turn.key for turn in history.turns if not turns or turn.number in turns)
        assert restore(undo_plan(history, Blobs(self.data), Selection(turns=chosen)), self.data).left == ()

    def events(self, session_id: str) -> list[Event]:
        return list(self.store.events(session_id))


@pytest.fixture
def bench(tmp_path: Path) -> Generator[Bench]:
    bench = Bench(repository(tmp_path / "repo", {"a.txt": "one\n", "b.txt": "two\n"}), tmp_path / "data")
    yield bench
    bench.store.close()


def changed(events: list[Event]) -> dict[str, list[str]]:
    """By call, the names of what it changed."""
    return {
        event.call_id: sorted(Path(change.path).name for change in event.files)
        for event in events
        if isinstance(event, FilesChanged)
    }


async def test_each_way_to_change_a_file_is_a_fact_before_the_end_of_its_call(bench: Bench) -> None:
    wanted = [
        ("write_file", {"path": "new.txt", "content": "new\n"}),
        ("edit_file", {"path": "a.txt", "old": "one", "new": "eins"}),
        ("shell", {"command": "echo x >> b.txt; rm new.txt"}),
        ("scribble", {"name": "own.txt"}),
        ("read_file", {"path": "a.txt"}),
        ("shell", {"command": "cat a.txt"}),
    ]
    session = await bench.run(*(reply(calls(call)) for call in wanted))
    events = bench.events(session)
    assert list(changed(events).values()) == [["new.txt"], ["a.txt"], ["b.txt", "new.txt"], ["own.txt"]]
    for event in events:
        if isinstance(event, FilesChanged):
            ends = [e.seq for e in events if isinstance(e, ToolFinished) and e.call_id == event.call_id]
            assert event.seq < ends[0]
    assert [turn.number for turn in bench.history(session).turns] == [1, 2, 3, 4]
    bench.undo(session)
    assert (bench.root / "a.txt").read_text() == "one\n"
    assert (bench.root / "b.txt").read_text() == "two\n"
    assert sorted(path.name for path in bench.root.iterdir()) == [".git", "a.txt", "b.txt"]
    assert list((bench.data / "kept" / "pending").iterdir()) == []


@pytest.mark.parametrize("how", ["abort", "timeout"])
async def test_a_call_that_was_cut_is_undone_too(bench: Bench, how: str) -> None:
    command = "echo x >> a.txt; rm b.txt; touch started; sleep 60"
    wanted = reply(calls(("shell", {"command": command, "timeout": 0.5 if how == "timeout" else 30})))
    session = await bench.run(wanted, stop_at="started" if how == "abort" else "", abort_grace=0.1)
    assert list(changed(bench.events(session)).values()) == [["a.txt", "b.txt", "started"]]
    bench.undo(session)
    assert (bench.root / "b.txt").read_text() == "two\n"
    assert not (bench.root / "started").exists()


async def test_calls_side_by_side(bench: Bench) -> None:
    batch = reply(
        calls(
            ("shell", {"command": "sleep 0.2; echo x >> a.txt"}),
            ("shell", {"command": "sleep 0.1; echo y > fresh.txt"}),
            ("write_file", {"path": "b.txt", "content": "by the tool\n"}),
        )
    )
    session = await bench.run(batch)
    found = [name for names in changed(bench.events(session)).values() for name in names]
    assert sorted(found) == ["a.txt", "b.txt", "fresh.txt"]
    assert any("at the same time" in turn.uncovered[0] for turn in bench.history(session).turns)
    bench.undo(session)
    assert (bench.root / "a.txt").read_text() == "one\n"
    assert (bench.root / "b.txt").read_text() == "two\n"
    assert not (bench.root / "fresh.txt").exists()


async def test_the_next_run_of_a_session_is_undone_with_the_one_before(bench: Bench) -> None:
    session = await bench.run(reply(calls(("write_file", {"path": "n.txt", "content": "1"}))))
    await bench.run(reply(calls(("shell", {"command": "echo 2 > n.txt"}))), session_id=session)
    history = bench.history(session)
    assert [len(history.since(turn.key)) for turn in history.turns] == [2, 1]
    bench.undo(session, 2)
    assert (bench.root / "n.txt").read_text() == "1"
    bench.undo(session, 1)
    assert not (bench.root / "n.txt").exists()


async def test_a_task_that_is_cancelled_from_outside_loses_nothing(bench: Bench) -> None:
    """There is no time to compare the tree then; it is compared when somebody wants to undo."""
    model = ScriptedModel([reply(calls(("shell", {"command": "rm a.txt; touch started; sleep 60"})))], name="m")
    runner = Runner(store=bench.store, models=Models([model]), keeper=bench.keeper)
    agent = Agent(name="deck", model=model, tools=tuple(builtin_tools()))
    task = asyncio.ensure_future(
        runner.run(agent, "go", RunConfig(workspace=bench.root, approval_mode="bypass", abort_grace=0.1))
    )
    await until((bench.root / "started").exists)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    [session] = bench.store.sessions()
    bench.undo(session.session_id)
    assert (bench.root / "a.txt").read_text() == "one\n"
    assert not (bench.root / "started").exists()
    # The cut command is over for the keeper too: nothing ran at the same time as this one.
    later = await bench.run(reply(calls(("shell", {"command": "echo later > later.txt"}))))
    assert [turn.uncovered for turn in bench.history(later).turns] == [()]


async def test_a_call_that_is_cut_with_its_event_loop(bench: Bench) -> None:
    """What a file tool did is told at once; a command's window is closed, so that it troubles no other one."""
    facts: list[Event] = []
    emitter = SimpleNamespace(fact=facts.append)
    core = cast("RunCore", SimpleNamespace(keeper=bench.keeper, emitter=emitter))
    ctx = context(bench.root, keeper=bench.keeper)

    async def cut_call() -> None:
        async with kept_files(core, SHELL, ctx):
            keep_before(ctx, str(bench.root / "a.txt"), b"one\n", b"two\n")
            keep_after(ctx, str(bench.root / "a.txt"), b"two\n")
            raise asyncio.CancelledError

    with pytest.raises(asyncio.CancelledError):
        await cut_call()
    assert list(changed(facts).values()) == [["a.txt"]]
    later = await bench.run(reply(calls(("shell", {"command": "echo later > later.txt"}))))
    assert [turn.uncovered for turn in bench.history(later).turns] == [()]

"""The check that every test's runs come back as they were would see it if they did not."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from pathlib import Path

import pytest

from runner import Agent, Runner
from runner.events import Event, ModelResponded, UsageUpdated
from runner.events.codec import load_json
from runner.state import RunState, reduce
from runner.store import Store
from runner.testing import ScriptedModel, reply, text
from tests import replayed
from tests.replayed import Watched


async def a_run(store: Store | None = None) -> Watched:
    """A run that ended, taken from the check of all tests."""
    with replayed.watching() as runs:
        model = ScriptedModel([reply(text("Hel"), text("lo."))])
        await Runner(store=store).run(Agent(name="deck", model=model), "Say hello")
    [run] = runs
    assert run.finished
    assert any(event.is_delta for event in run.events)
    return run


def changed(database: Path, sql: str) -> None:
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute(sql).rowcount > 0
        connection.commit()


async def test_what_the_store_loses_is_seen(tmp_path: Path) -> None:
    with Store.open(tmp_path / "q.db") as store:
        run = await a_run(store)
        assert replayed.difference(run) == []
        changed(store.path, "UPDATE events SET json = replace(json, 'Hello.', 'Hullo.') WHERE kind = 'model_responded'")
        assert [line.split()[2] for line in replayed.difference(run)] == ["settled", "history"]
        changed(store.path, "DELETE FROM events WHERE kind = 'model_responded'")
        assert any("ledger was" in line for line in replayed.difference(run))
    assert replayed.difference(run)


def shorter(data: str) -> Event:
    event = load_json(data)
    return replace(event, text=event.text[:-1]) if isinstance(event, ModelResponded) else event


def free_of_charge(data: str) -> Event:
    event = load_json(data)
    return replace(event, context_used=0) if isinstance(event, UsageUpdated) else event


@pytest.mark.parametrize("codec", [shorter, free_of_charge])
async def test_what_the_codec_loses_is_seen(codec: Callable[[str], Event], monkeypatch: pytest.MonkeyPatch) -> None:
    run = await a_run()
    assert replayed.difference(run) == []
    monkeypatch.setattr(replayed, "load_json", codec)
    assert replayed.difference(run) != []


async def test_what_the_reducer_keeps_of_a_delta_is_seen(monkeypatch: pytest.MonkeyPatch) -> None:
    """A state that depends on text which no fact repeats could not come back."""

    def leaking(events: tuple[Event, ...], state: RunState) -> RunState:
        for event in events:
            state = reduce(state, event)
            state = replace(state, tool_calls=state.tool_calls + event.is_delta)
        return state

    run = await a_run()
    monkeypatch.setattr(replayed, "fold", leaking)
    assert [line.split()[2] for line in replayed.difference(run)] == ["tool_calls"]


async def test_a_run_that_differs_fails_its_test(monkeypatch: pytest.MonkeyPatch) -> None:
    model = ScriptedModel([reply(text("Hello."))])
    with monkeypatch.context() as patch:
        patch.setattr(replayed, "load_json", shorter)
        await Runner().run(Agent(name="deck", model=model), "Say hello")
        assert len(replayed.differences()) == 2
    assert replayed.differences() == []

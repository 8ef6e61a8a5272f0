"""Forks: what they hold, that nothing else changes, and that they are stored whole or not at all."""

from __future__ import annotations

import itertools
import json
import random
import sqlite3
import subprocess
import sys
from collections.abc import Sequence
from contextlib import closing
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner import Agent, RunConfig, Runner
from runner.errors import NotFoundError
from runner.events import ApprovalRequested, ApprovalResolved, Event, MessageDelivered, ToolFinished, TurnFinished
from runner.ids import SequentialIds, Uuid7Ids
from runner.messages import Message, UserMessage
from runner.review.turns import KINDS, turns
from runner.state import fold
from runner.state.compacted import effective_history
from runner.state.person import INTRODUCTION
from runner.store import Store
from runner.store.history import valid_history
from runner.testing import ScriptedModel, calls, reply
from runner.testing.invariants import check_events
from runner.tools.builtin import LIST_FILES
from tests.conftest import soak_factor
from tests.contract.sources import ROOT
from tests.store.making import Maker, a_call, short_run, write
from tests.store.random_runs import random_run

OF_SESSION = ("sessions", "runs", "requests", "decisions", "revocations", "annotations", "imported_runs")
UNIQUE = Uuid7Ids()
NUMBERS = itertools.count()
OF_RUN = ("events", "deltas", "artifacts")


def rows_of(database: Path, session_id: str) -> dict[str, list[Any]]:
    """Everything that is stored of a session, as it is stored."""
    with closing(sqlite3.connect(database)) as connection:
        runs = [row[0] for row in connection.execute("SELECT run_id FROM runs WHERE session_id = ?", (session_id,))]
        found = {
            name: connection.execute(f"SELECT * FROM {name} WHERE session_id = ?", (session_id,)).fetchall()
            for name in OF_SESSION
        }
        marks = ", ".join("?" * len(runs))
        found |= {
            name: connection.execute(f"SELECT * FROM {name} WHERE run_id IN ({marks})", runs).fetchall()
            for name in OF_RUN
        }
        return found


def prefix(runs: Sequence[Sequence[Event]], cut: int, turn: int) -> list[Message]:
    """What the messages were when the turn had ended, from the live events; the rest of its run is left out."""
    messages: list[Message] = []
    for index, events in enumerate(runs[: cut + 1]):
        listed = list(events)
        if index == cut:
            end = next(i for i, event in enumerate(listed) if isinstance(event, TurnFinished) and event.turn == turn)
            listed = listed[: end + 1]
        messages = valid_history(effective_history(messages, fold(listed)))
    return messages


@pytest.fixture(scope="module")
def shared(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return tmp_path_factory.mktemp("forks") / "quarterdeck.db"


@settings(max_examples=12 * soak_factor(), deadline=None)
@given(seed=st.integers(0, 2**32), origin_first=st.booleans())
def test_a_fork_is_the_session_up_to_the_turn(shared: Path, seed: int, origin_first: bool) -> None:
    rng = random.Random(seed)
    session = f"s{next(NUMBERS)}"
    with Store.open(shared) as store:
        made = [random_run(rng, f"{session}.{number}", session) for number in range(rng.randint(1, 3))]
        for maker in made:
            write(store, maker.events)
        listed = turns(store.facts(session, KINDS))
        if not listed:
            return store.delete_session(session)
        chosen = rng.choice(listed)
        before, paid = rows_of(shared, session), store.usage("all")
        fork = store.fork(session, run_id=chosen.run_id, turn=chosen.turn, name=" a  branch ")
        assert rows_of(shared, session) == before
        assert store.usage("all") == paid
        summary = store.session(fork)
        assert (summary.name, summary.forked_from, summary.root_id) == ("a branch", session, session)
        assert (summary.forked_turn, summary.turns, summary.tool_calls, summary.cost_usd) == (chosen.number, 0, 0, 0)
        _is_valid(store, fork)
        assert turns(store.facts(fork, KINDS))[-1].number == chosen.number
        cut = next(index for index, maker in enumerate(made) if maker.run_id == chosen.run_id)
        said, expected = list(store.history(fork)), prefix([maker.facts for maker in made], cut, chosen.turn)
        assert said[: len(expected)] == expected
        # What was to be told of commands of the person's is told at the end, as at every end of a run.
        assert all(isinstance(more, UserMessage) and INTRODUCTION in more.text for more in said[len(expected) :])
        again = store.fork(fork, run_id=store.runs(fork)[-1].run_id, turn=store.runs(fork)[-1].turn)
        assert list(store.history(again)) == said
        assert store.session(again).root_id == session
        first, other = (session, fork) if origin_first else (fork, session)
        kept, titles = rows_of(shared, other), {each.session_id: each.title for each in store.sessions()}
        store.delete_session(first)
        # A fork whose root is gone is the root of its own family; nothing else of it changes.
        assert {**rows_of(shared, other), "sessions": []} == {**kept, "sessions": []}
        assert store.session(other).title == titles[other]
        assert not store.problems


def _is_valid(store: Store, fork: str) -> None:
    for state in store.runs(fork):
        assert check_events(store.events(fork, state.run_id)) == []
        assert state.inherited
        assert state.finished
        assert not state.live_calls
        assert not state.live_commands
        assert state.session_id == fork


def two_runs(store: Store) -> tuple[Maker, Maker]:
    """Three turns in two runs; a message came between the last two. The first call left an artifact."""
    call = a_call()
    first = Maker()
    first.begin("What is here?")
    first.begin_turn()
    first.request()
    first.answer("Looking.", (call,))
    first.propose(call)
    artifact = store.put_artifact("run-1", call.call_id, "all of it")
    first.add(ApprovalRequested(request_id="r", call_id=call.call_id, tool="shell"))
    first.add(ApprovalResolved(request_id="r", call_id=call.call_id, tool="shell", decision="allow", scope="session"))
    first.add(ToolFinished(call_id=call.call_id, tool="shell", output="cut", artifact=artifact, truncated=True))
    first.add(TurnFinished())
    first.end()
    second = Maker(run_id="run-2")
    second.begin("And now?")
    for text in ("One.", "Two."):
        second.begin_turn()
        second.request()
        second.answer(text)
        second.add(TurnFinished())
        second.add(MessageDelivered(message_id="m", text="go on")) if text == "One." else None
    second.end("error")
    write(store, [*first.events, *second.events])
    return first, second


def test_turns_are_counted_through_the_session_and_know_their_prompts(store: Store) -> None:
    two_runs(store)
    found = turns(store.facts("session-1", KINDS))
    assert [(turn.number, turn.run_id, turn.turn, turn.prompt, turn.calls) for turn in found] == [
        (1, "run-1", 1, "What is here?", 1),
        (2, "run-2", 1, "And now?", 0),
        (3, "run-2", 2, "go on", 0),
    ]
    assert all(turn.finished and str(turn.cost.total) == "0.001" for turn in found)


def test_before_a_prompt_and_before_everything(store: Store) -> None:
    two_runs(store)
    before_second = store.fork("session-1", run_id="run-2", turn=0)
    assert store.history(before_second) == store.history("session-1")[:3]
    between = store.fork("session-1", run_id="run-2", turn=1)
    assert store.history(between) == store.history("session-1")[:5]
    whole = store.fork("session-1", run_id="run-2", turn=2)
    assert store.history(whole) == store.history("session-1")
    assert store.runs(whole)[-1].reason == "error"
    assert store.runs(between)[-1].reason == "complete"
    for nothing in (store.fork("session-1", run_id="", turn=0), store.fork("session-1", run_id="run-1", turn=0)):
        assert store.history(nothing) == ()
        assert store.session(nothing).forked_turn == 0
    for run_id, turn in (("run-1", 2), ("run-9", 1), ("run-2", 7)):
        with pytest.raises(NotFoundError):
            store.fork("session-1", run_id=run_id, turn=turn)
    with pytest.raises(NotFoundError):
        store.fork("nowhere", run_id="", turn=0)


def test_artifacts_are_copied_and_what_was_allowed_is_not(store: Store) -> None:
    two_runs(store)
    assert store.grants("session-1")
    fork = store.fork("session-1", run_id="run-1", turn=1)
    assert store.grants(fork) == []
    (item,) = [event for event in store.events(fork) if isinstance(event, ToolFinished)]
    store.delete_session("session-1")
    assert item.artifact is not None
    assert store.artifact(item.artifact) == "all of it"


def test_sub_agents_of_copied_calls_come_along(store: Store) -> None:
    two_runs(store)
    early = short_run("child-1", parent_run_id="run-2")
    late = short_run("child-2", parent_run_id="run-2", start=early.start.replace(year=2027))
    write(store, [*early.events, *late.events])
    fork = store.fork("session-1", run_id="run-2", turn=1)
    runs = {run.run_id: run for run in store.runs(fork)}
    (child,) = [run for run in runs.values() if run.parent_run_id is not None]
    assert child.parent_run_id in runs
    assert child.started_at == early.start
    assert len([run for run in store.runs(store.fork("session-1", run_id="run-2", turn=2)) if run.parent_run_id]) == 2


def test_a_run_that_goes_on_can_be_forked_after_its_finished_turns(store: Store) -> None:
    maker = Maker()
    maker.begin()
    maker.begin_turn()
    maker.request()
    maker.answer("First.")
    maker.add(TurnFinished())
    maker.begin_turn()
    maker.request()
    write(store, maker.events)
    fork = store.fork("session-1", run_id="run-1", turn=1)
    _is_valid(store, fork)
    assert store.runs(fork)[-1].final_output == "First."
    with pytest.raises(NotFoundError, match="has not finished"):
        store.fork("session-1", run_id="run-1", turn=2)
    assert not store.session("session-1").reason


def test_damage_and_the_unknown_are_copied_as_they_are(store: Store, database: Path) -> None:
    two_runs(store)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("UPDATE events SET json = '{\"v\": 1' WHERE run_id = 'run-1' AND kind = 'agent_started'")
        connection.execute(
            "UPDATE events SET kind = 'from_the_future',"
            " json = json_set(json, '$.kind', 'from_the_future', '$.more', 7)"
            " WHERE run_id = 'run-2' AND kind = 'message_delivered'"
        )
        connection.commit()
    fork = store.fork("session-1", run_id="run-2", turn=2)
    assert [(problem.run_id, problem.seq) for problem in store.problems] == [("run-1", 2)]
    assert store.history(fork) == store.history("session-1")
    assert [event.kind for event in store.events(fork)].count("from_the_future") == 1
    assert {problem.session_id for problem in store.problems} == {"session-1", fork}
    assert '"more":7' in "".join(store.export(fork, "jsonl"))


def test_a_kill_in_the_middle_leaves_all_of_it_or_nothing(store: Store, database: Path) -> None:
    two_runs(store)
    store.close()
    done = subprocess.run(
        [sys.executable, "-m", "tests.store.fork_child", str(database)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    seen = [json.loads(line) for line in done.stdout.splitlines()]
    # It died before several statements of the transaction, and nothing was left; then after it, and all was there.
    assert len(seen) == 5
    assert all(each["after"]["whole"] for each in seen)
    assert all(each["after"] == each["before"] for each in seen[:-1])
    last = seen[-1]
    assert {name: last["after"][name] - last["before"][name] for name in ("sessions", "runs", "artifacts")} == {
        "sessions": 1,
        "runs": 2,
        "artifacts": 1,
    }
    with Store.open(database) as again:
        fork = next(each.session_id for each in again.sessions() if each.forked_from)
        assert len(again.history(fork)) == 5


class _Ids(SequentialIds):
    """The same ids of calls in each session; runs need one of their own."""

    def run_id(self) -> str:
        return UNIQUE.run_id()


async def _asked(store: Store, model: ScriptedModel, session_id: str, *prompts: str) -> None:
    work = store.path.parent / "work"
    work.mkdir(exist_ok=True)
    runner = Runner(store=store, ids=_Ids())
    agent = Agent(name="deck", model=model, tools=(LIST_FILES,))
    for prompt in prompts:
        await runner.run(agent, prompt, RunConfig(session_id=session_id, workspace=work))


async def test_a_fork_that_goes_on_sends_what_a_session_would_that_only_said_that(store: Store) -> None:
    """Against a session in which nothing else was ever said: the requests are the same, message for message."""

    def script() -> ScriptedModel:
        return ScriptedModel([reply(calls(("list_files", {}))), "It is empty.", *["Answer."] * 3], name="test/scripted")

    branched, straight = script(), script()
    await _asked(store, branched, "branched", "What is here?", "And what else?", "More?")
    await _asked(store, straight, "straight", "What is here?", "Now this.")
    listed = turns(store.facts("branched", KINDS))
    fork = store.fork("branched", run_id=listed[1].run_id, turn=listed[1].turn)
    await _asked(store, branched, fork, "Now this.")
    sent, wanted = ([_told(each) for each in model.requests[-1].messages] for model in (branched, straight))
    assert sent == wanted
    assert len(sent) == 5
    summary = store.session(fork)
    assert (summary.runs, summary.turns, summary.forked_turn) == (1, 1, 2)
    assert [run.inherited for run in store.runs(fork)] == [True, False]
    # Each request is paid for once, wherever it is shown.
    assert sum(each.requests for each in store.usage("session")) == 8


def _told(message: Message) -> Message:
    return replace(message, message_id="") if isinstance(message, UserMessage) else message


def test_a_session_of_another_program_can_be_forked_and_goes_on_as_ours(store: Store) -> None:
    maker = short_run("theirs", "their-session")
    store.bring_in("codex", [maker.events])
    fork = store.fork("their-session", run_id="theirs", turn=1)
    assert store.history(fork) == store.history("their-session")
    assert store.session("their-session").imported == "codex"
    assert store.session(fork).imported == ""
    assert not store.usage("all")

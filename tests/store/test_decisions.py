"""The decision ledger: every decision once, found by what it says, read from the facts; whole after every accident."""

from __future__ import annotations

import random
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.clock import SystemClock
from runner.events import ApprovalRequested, ApprovalResolved, Bound, Pattern, ToolFinished, ToolPattern, ToolProposed
from runner.store import Store
from runner.store.decisions import fill
from tests.conftest import soak_factor
from tests.store.making import START, Maker, kill_owner, short_run, write


def asked(maker: Maker, number: int, tool: str = "shell", **resolved: Any) -> None:
    """A call that somebody was asked about, and what came of it."""
    call_id, request_id = f"c{number}", f"r{number}"
    arguments = {"command": f"make target-{number}", "deep": [{"text": "Straße\nof gold"}]}
    maker.add(ToolProposed(call_id=call_id, tool=tool, arguments=arguments))
    maker.add(
        ApprovalRequested(
            request_id=request_id, call_id=call_id, tool=tool, arguments=arguments, why="nothing allows it", risk="high"
        )
    )
    if resolved:
        maker.add(ApprovalResolved(request_id=request_id, call_id=call_id, tool=tool, proposed=arguments, **resolved))
        maker.add(ToolFinished(call_id=call_id, tool=tool, output="done"))


def by_itself(maker: Maker, number: int, **fields: Any) -> None:
    """What a rule or a grant decided without a question."""
    call_id = f"c{number}"
    maker.add(ToolProposed(call_id=call_id, tool="write", arguments={"text": "x"}))
    maker.add(ApprovalResolved(call_id=call_id, tool="write", arguments={"text": "x"}, **fields))
    maker.add(ToolFinished(call_id=call_id, tool="write", output="done"))


def some_decisions(run_id: str = "run-1", session_id: str = "session-1") -> Maker:
    maker = Maker(run_id=run_id, session_id=session_id)
    maker.begin(workspace="/home/me/project")
    asked(maker, 1, decision="allow", by="user", arguments={"command": "make target-1"}, seconds=1.5, scope="session")
    asked(maker, 2, decision="deny", by="user", reason="Not on a Friday", arguments={})
    asked(maker, 3, decision="edit", by="user", arguments={"command": "make -n target-3"}, rule="mode default")
    by_itself(maker, 4, decision="allow", by="grant", rule="allow write", grants=("k1", "k2"))
    by_itself(maker, 5, decision="deny", by="rule", rule="deny write (rules.toml:3)", reason="too dear")
    asked(maker, 6, decision="deny", by="timeout", arguments={})
    return maker


def numbers(store: Store, **wanted: Any) -> list[str]:
    return [row.call_id for row in store.decisions(**wanted)]


def test_every_decision_with_what_it_was_about(store: Store) -> None:
    maker = some_decisions()
    asked(maker, 7)
    write(store, maker.events)
    assert numbers(store) == ["c6", "c5", "c4", "c3", "c2", "c1"], "an open question is no decision yet"
    rows = {row.call_id: row for row in store.decisions()}
    edited = rows["c3"]
    assert (edited.proposed or {})["command"] == "make target-3"
    assert edited.arguments == {"command": "make -n target-3"}
    assert (edited.tool, edited.agent, edited.why, edited.risk) == ("shell", "deck", "nothing allows it", "high")
    assert (edited.rule, edited.workspace, edited.title) == ("mode default", "/home/me/project", "Hello")
    assert (rows["c1"].seconds, rows["c1"].scope) == (1.5, "session")
    assert (rows["c4"].by, rows["c4"].grants, rows["c4"].proposed) == ("grant", ("k1", "k2"), {"text": "x"})
    assert START < rows["c1"].time < rows["c6"].time


def test_patterns_and_bounds_come_back(store: Store) -> None:
    maker = Maker()
    maker.begin()
    pattern = ToolPattern(tool="shell", pattern=Pattern(prefix=("make",)))
    bound = Bound(calls=3, until=START + timedelta(hours=1))
    asked(maker, 1, decision="allow", by="user", arguments={}, match="pattern", patterns=(pattern,), bound=bound)
    write(store, maker.events)
    [row] = store.decisions()
    assert (row.match, row.patterns, row.bound) == ("pattern", (pattern,), bound)


def test_a_question_and_its_answer(store: Store) -> None:
    maker = Maker()
    maker.begin()
    maker.add(
        ApprovalRequested(
            request_id="r",
            call_id="c",
            tool="ask_user",
            asks="question",
            preview={"type": "question", "text": "Which?"},
        )
    )
    answer = {"answers": ["the blue one"]}
    maker.add(ApprovalResolved(request_id="r", call_id="c", tool="ask_user", decision="answer", arguments=answer))
    write(store, maker.events)
    [row] = store.decisions(text="which blue")
    assert (row.asks, row.question, row.arguments, row.proposed) == ("question", "Which?", answer, None)
    assert store.past_requests() == [], "a question is no call that a rule could have allowed"


SEARCHES: list[tuple[dict[str, Any], str]] = [
    ({"text": "friday"}, "2"),
    ({"text": "STRASSE gold"}, "6321"),
    ({"text": "target-3 -n"}, "3"),
    ({"text": "rules.toml dear"}, "5"),
    ({"text": "%"}, ""),
    ({"text": "command"}, ""),
    ({"tool": "write"}, "54"),
    ({"decision": "deny"}, "652"),
    ({"decision": "deny", "by": "user"}, "2"),
    ({"by": "timeout"}, "6"),
    ({"session_id": "session-1", "limit": 2}, "65"),
    ({"session_id": "none"}, ""),
    ({"since": START + timedelta(days=1)}, ""),
    ({"since": START}, "654321"),
]


@pytest.mark.parametrize(("wanted", "found"), SEARCHES)
def test_a_search(store: Store, wanted: dict[str, Any], found: str) -> None:
    write(store, some_decisions().events)
    assert numbers(store, **wanted) == [f"c{number}" for number in found]


def test_page_after_page(store: Store) -> None:
    for number in range(3):
        write(store, some_decisions(f"run-{number}", f"session-{number}").events)
    pages: list[str] = []
    before: int | None = None
    while rows := store.decisions(limit=4, before=before):
        assert len(rows) <= 4
        pages += [f"{row.run_id} {row.call_id}" for row in rows]
        before = rows[-1].place
    assert pages == [f"run-{number} c{call}" for number in (2, 1, 0) for call in range(6, 0, -1)]


def test_requests_of_the_past(store: Store) -> None:
    write(store, some_decisions().events)
    write(store, short_run("run-2", "session-2").events)
    found = store.past_requests()
    assert [(one.arguments["command"], one.decision, one.reason) for one in found] == [
        ("make target-6", "", ""),
        ("make target-3", "edit", ""),
        ("make target-2", "deny", "Not on a Friday"),
        ("make target-1", "allow", ""),
    ]
    assert store.past_requests(workspace="/home/me/project") == found
    assert store.past_requests(workspace=Path("/elsewhere")) == []
    assert store.past_requests(limit=1) == found[:1]


def test_what_grants_have_allowed(store: Store) -> None:
    for number in range(3):
        write(store, some_decisions(f"run-{number}", f"session-{number}").events)
    uses = store.grant_uses(["k1", "k9", "k"])
    assert {key: use.calls for key, use in uses.items()} == {"k1": 3}
    assert uses["k1"].last == max(row.time for row in store.decisions(by="grant"))


def test_a_deleted_session_leaves_nothing(store: Store, database: Path) -> None:
    write(store, some_decisions().events)
    write(store, some_decisions("run-2", "session-2").events)
    kill_owner(database)
    store.revoke_grants("session-1")
    store.delete_session("session-1")
    assert {row.session_id for row in store.decisions()} == {"session-2"}
    with closing(sqlite3.connect(database)) as connection:
        for table in ("decisions", "revocations"):
            left = connection.execute(f"SELECT count(*) FROM {table} WHERE session_id = 'session-1'").fetchone()
            assert left == (0,), table


def test_damage_in_one_fact_hides_no_other_decision(store: Store, database: Path) -> None:
    write(store, some_decisions().events)
    with closing(sqlite3.connect(database)) as connection:
        [[seq]] = connection.execute("SELECT resolved FROM decisions WHERE call_id = 'c2'").fetchall()
        connection.execute("UPDATE events SET json = '{' WHERE seq = ?", (seq,))
        connection.execute("DELETE FROM events WHERE seq = (SELECT resolved FROM decisions WHERE call_id = 'c5')")
        [[seq]] = connection.execute("SELECT asked FROM decisions WHERE call_id = 'c3'").fetchall()
        connection.execute("UPDATE events SET json = x'ff' WHERE seq = ?", (seq,))
        connection.commit()
    assert numbers(store) == ["c6", "c4", "c3", "c1"]
    [row] = store.decisions(text="-n target-3")
    assert (row.tool, row.why, row.arguments) == ("shell", "", {"command": "make -n target-3"})
    assert len(store.problems) == 2


def test_recovery_closes_what_was_asked(database: Path) -> None:
    with Store.open(database) as store:
        maker = some_decisions()
        asked(maker, 7)
        maker.add(ToolProposed(call_id="c8", tool="ask_user", arguments={}))
        maker.add(ApprovalRequested(request_id="r8", call_id="c8", tool="ask_user", asks="question"))
        write(store, maker.events)
    kill_owner(database)
    with Store.open(database) as store:
        store.recover(SystemClock())
        assert [(row.call_id, row.decision, row.by) for row in store.decisions(by="disconnect")] == [
            ("c8", "deny", "disconnect"),
            ("c7", "deny", "disconnect"),
        ]


def rows_of(database: Path) -> list[Any]:
    with closing(sqlite3.connect(database)) as connection:
        # Half a pair of surrogates is one sign on its way into a row, and another on its way into a fact.
        return connection.execute(
            "SELECT run_id, session_id, call_id, request_id, asked, resolved, time, tool, decision, decided_by, grants,"
            " replace(search, char(65533), '?') FROM decisions ORDER BY run_id, call_id, asked, resolved"
        ).fetchall()


@settings(deadline=None, max_examples=15 * soak_factor())
@given(rng=st.randoms(use_true_random=False))
def test_the_rows_are_those_that_the_facts_make(rng: random.Random, tmp_path_factory: pytest.TempPathFactory) -> None:
    """Written one by one or filled in at once, in pieces or together: the ledger is a function of the facts."""
    folder = tmp_path_factory.mktemp("store")
    database = folder / "q.db"
    runs = [_random_run(rng, number) for number in range(rng.randint(1, 3))]
    with Store.open(database) as store:
        left = [list(run.events) for run in runs]
        while any(left):
            events = rng.choice([events for events in left if events])
            some = [events.pop(0) for _ in range(min(len(events), rng.randint(1, 4)))]
            write(store, some)
    before = rows_of(database)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("DELETE FROM decisions")
        fill(connection)
        connection.commit()
    after = rows_of(database)
    assert after == before
    assert len(before) == sum(isinstance(event, ApprovalRequested) for run in runs for event in run.events) + sum(
        isinstance(event, ApprovalResolved) and not event.request_id for run in runs for event in run.events
    )


def _random_run(rng: random.Random, number: int) -> Maker:
    maker = Maker(run_id=f"run-{number}", session_id=f"session-{number % 2}")
    maker.begin()
    for call in range(rng.randint(0, 6)):
        match rng.randint(0, 3):
            case 0:
                asked(maker, call)
            case 1:
                by_itself(maker, call, decision="allow", by="grant", grants=("k",))
            case _:
                decision = rng.choice(["allow", "deny", "edit", "end_run"])
                reason = rng.choice(["", "née ☃ \x00 \ud800", "x" * 10_000])
                asked(maker, call, decision=decision, by="user", arguments={"a": reason}, reason=reason)
    return maker

"""Listing, finding, naming and deleting sessions; damage; who may read the files."""

from __future__ import annotations

import os
import random
import sqlite3
import stat
from contextlib import closing
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.clock import SystemClock
from runner.errors import NotFoundError, SessionBusyError, StoreError
from runner.events import (
    ApprovalRequested,
    ApprovalResolved,
    MessageDelivered,
    ModelSwitched,
    TextDelta,
    ToolProposed,
    UnknownEvent,
)
from runner.ids import Uuid7Ids
from runner.policy.base import Grant
from runner.state import fold
from runner.store import Problem, Store
from runner.store.paths import data_dir
from runner.store.schema import VERSION
from runner.usage import Cost, Usage
from tests.conftest import soak_factor
from tests.store.making import START, Maker, short_run, write
from tests.store.random_runs import random_run


def change(database: Path, sql: str, *values: object) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(sql, values)
        connection.commit()


@settings(deadline=None, max_examples=30 * soak_factor())
@given(rng=st.randoms(use_true_random=False), count=st.integers(min_value=1, max_value=3))
def test_the_summary_is_what_folding_gives(
    rng: random.Random, count: int, tmp_path_factory: pytest.TempPathFactory
) -> None:
    makers = [random_run(rng, f"run-{number}") for number in range(count)]
    with Store.open(tmp_path_factory.mktemp("store") / "q.db") as store:
        for maker in makers:
            for event in maker.events:
                store.journal.submit(event, lambda events: None)
                if rng.random() < 0.2:
                    store.journal.barrier().result(timeout=20)
        store.journal.barrier().result(timeout=20)
        states = [fold(maker.events) for maker in makers]
        summary = store.session("session-1")
        assert summary.usage == sum((state.usage for state in states), Usage())
        assert summary.cost_usd == sum((state.cost for state in states), Cost()).total
        assert summary.turns == sum(state.turns_accepted for state in states)
        assert summary.tool_calls == sum(state.tool_calls for state in states)
        assert (summary.runs, summary.status, summary.reason) == (count, states[-1].status, states[-1].reason)
        assert summary.created == min(maker.events[0].time for maker in makers)
        assert summary.updated == max(maker.events[-1].time for maker in makers)
        assert summary.agent == states[-1].agent


@settings(deadline=None, max_examples=30 * soak_factor())
@given(rng=st.randoms(use_true_random=False), data=st.data())
def test_the_status_of_a_live_run_is_the_folded_one(
    rng: random.Random, data: st.DataObject, tmp_path_factory: pytest.TempPathFactory
) -> None:
    made = random_run(rng)
    cut = data.draw(st.integers(min_value=1, max_value=len(made.events) - 1))
    with Store.open(tmp_path_factory.mktemp("store") / "q.db") as store:
        write(store, made.events[:cut])
        summary = store.session("session-1")
        assert (summary.status, summary.live) == (fold(made.events[:cut]).status, True)


def test_the_newest_come_first_in_pages(store: Store) -> None:
    for number in range(5):
        maker = short_run(
            f"run-{number}", f"session-{number}", text=f"Task {number}\nmore", start=START + timedelta(days=number)
        )
        write(store, maker.events)
    assert [summary.title for summary in store.sessions(limit=2)] == ["Task 4", "Task 3"]
    assert [summary.title for summary in store.sessions(limit=2, offset=3)] == ["Task 1", "Task 0"]
    write(store, short_run("run-again", "session-1", text="again", start=START + timedelta(days=9)).events)
    first = store.sessions()[0]
    assert (first.session_id, first.title, first.runs) == ("session-1", "Task 1", 2)
    assert (first.workspace, first.models, first.turns, first.usage.input) == ("/somewhere", ("demo/pilot",), 2, 200)
    assert first.cost_usd == Decimal("0.002")
    assert str(first.cost_usd) == "0.002"


def test_search_looks_at_names_and_first_messages(store: Store) -> None:
    write(store, short_run("run-1", "session-1", text="Fix the LOGIN page, 100% sure").events)
    write(store, short_run("run-2", "session-2", text="\n\n  Größe   der Tabelle ändern").events)
    late = short_run("run-3", "session-3", text="something else")
    late.events.insert(3, MessageDelivered(message_id="m", text="and then the login again"))
    late.events.insert(4, MessageDelivered(message_id="n", text="please wrap up", by="runner"))
    renumbered = Maker(run_id="run-3", session_id="session-3")
    for event in late.events:
        renumbered.add(event)
    write(store, renumbered.events)

    def found(query: str) -> set[str]:
        return {summary.session_id for summary in store.sessions(query=query)}

    assert found("login") == {"session-1", "session-3"}
    assert found("login fix") == {"session-1"}
    assert found("GRÖSSE ÄNDERN") == {"session-2"}
    assert found("100%") == {"session-1"}
    assert found("%") == {"session-1"}
    assert found("_") == set()
    assert found("wrap") == set()
    assert found("") == {"session-1", "session-2", "session-3"}
    assert store.session("session-2").title == "Größe der Tabelle ändern"
    store.rename_session("session-2", "  Straße\nnew ")
    assert found("strasse") == {"session-2"}
    assert store.session("session-2").title == store.session("session-2").name == "Straße new"
    store.rename_session("session-2", "")
    assert store.session("session-2").title == "Größe der Tabelle ändern"
    with pytest.raises(NotFoundError):
        store.rename_session("session-9", "x")


def test_a_session_is_found_by_the_start_of_its_id(store: Store) -> None:
    ids = Uuid7Ids()
    names = [ids.session_id() for _ in range(3)]
    for number, name in enumerate(names):
        write(store, short_run(f"run-{number}", name).events)
    assert store.session(names[0]).session_id == names[0]
    assert store.session(names[1][:20]).session_id == names[1] if names[1][:20] != names[0][:20] else True
    write(store, short_run("run-x", "abc%def").events)
    assert store.session("abc").session_id == "abc%def"
    for wrong in ("abc_", "", "nothing", "%"):
        with pytest.raises(NotFoundError, match="no session"):
            store.session(wrong)
    with pytest.raises(NotFoundError, match="more than one"):
        store.session(names[0][:4])
    with pytest.raises(NotFoundError):
        store.events("abc")
    with pytest.raises(NotFoundError, match="no run"):
        store.events("abc%def", run_id="run-0")


def test_models_are_listed_once_each(store: Store) -> None:
    maker = Maker()
    maker.begin(model="demo/pilot")
    write(store, maker.events)
    for new in ("a/b", "a", "demo/pilot", "a/b"):
        write(store, [maker.add(ModelSwitched(old="", new=new))])
    assert store.session("session-1").models == ("demo/pilot", "a/b", "a")


def test_a_sub_agents_run_counts_but_is_no_run_of_the_conversation(store: Store) -> None:
    parent = short_run()
    child = short_run("run-child", parent_run_id="run-1", text="inner")
    write(store, parent.events[:3])
    write(store, child.events)
    summary = store.session("session-1")
    assert (summary.title, summary.runs, summary.status) == ("Hello", 1, "running")
    write(store, parent.events[3:])
    summary = store.session("session-1")
    assert (summary.runs, summary.turns, summary.usage.input) == (1, 2, 200)
    assert [message.role for message in store.history("session-1")] == ["user", "assistant"]
    assert len(store.runs("session-1")) == 2


def test_history_leaves_out_the_run_that_is_going_on(store: Store) -> None:
    write(store, short_run().events)
    now = Maker(run_id="run-2")
    now.begin("A new question")
    write(store, now.events)
    assert [message.role for message in store.history("session-1")] == ["user", "assistant"]
    assert store.history("never seen") == ()


def test_deleting_really_removes(store: Store) -> None:
    secret = "a very particular sentence"
    maker = Maker()
    maker.begin(secret)
    maker.add(TextDelta(text=secret))
    write(store, maker.events)
    artifact = store.put_artifact("run-1", "call", secret * 1000)
    assert store.artifact(artifact) == secret * 1000
    with pytest.raises(SessionBusyError, match="in this program"):
        store.delete_session("session-1")
    maker.end()
    write(store, maker.events[-3:])
    write(store, short_run("run-2", "session-2").events)
    store.delete_session("session-1")
    assert [summary.session_id for summary in store.sessions()] == ["session-2"]
    for gone in (
        lambda: store.session("session-1"),
        lambda: store.artifact(artifact),
        lambda: store.events("session-1"),
    ):
        with pytest.raises(NotFoundError):
            gone()
    with pytest.raises(NotFoundError):
        store.delete_session("session-1")
    for path in store.path.parent.iterdir():
        assert secret.encode() not in path.read_bytes(), path
    assert list(store.events("session-2")) == short_run("run-2", "session-2").events


def test_an_artifact_keeps_every_character(store: Store) -> None:
    text = "\udcff binary \x00 \U0001f600"
    assert store.artifact(store.put_artifact("run-1", "call", text)) == text
    with pytest.raises(NotFoundError):
        store.artifact("artifact_0")


def test_a_damaged_row_hides_nothing_but_itself(store: Store) -> None:
    maker = Maker()
    maker.begin()
    for number in range(9):
        maker.add(ToolProposed(call_id=f"c{number}", tool="t"))
    write(store, maker.events)
    damage: list[tuple[int, object]] = [
        (3, "{not json"),
        (4, b"\xff\xfe\x00"),
        (5, '{"kind": "tool_proposed", "run_id": "run-1", "seq": "many"}'),
        (6, '["a list"]'),
        (7, b""),
        (8, '{"kind": "tool_proposed", "run_id": "somebody else", "seq": 8}'),
    ]
    for seq, json in damage:
        change(store.path, "UPDATE events SET json = ? WHERE seq = ?", json, seq)
    change(store.path, "UPDATE events SET kind = ? WHERE seq = 9", b"\xff")
    change(store.path, "INSERT INTO events(run_id, seq, kind, json) VALUES ('run-1', 'last', 'x', 'y')")
    told: list[Problem] = []
    events = list(store.events("session-1", on_problem=told.append))
    assert [event.seq for event in events] == [1, 2, 9, 10, 11]
    assert [problem.seq for problem in told][:6] == [3, 4, 5, 6, 7, 8]
    assert len(told) == 7
    assert all(problem.message and "\n" not in problem.message for problem in told)
    assert set(store.problems) == set(told)
    assert len(store.runs("session-1")) == 1
    assert store.grants("session-1") == []
    assert len("".join(store.export("session-1", "jsonl")).splitlines()) == 5
    assert "Hello" in "".join(store.export("session-1", "markdown"))


def test_an_event_of_a_future_version_is_read_as_far_as_it_is_known(store: Store) -> None:
    maker = Maker()
    maker.begin()
    write(store, maker.events)
    known = '{"v":9,"kind":"tool_proposed","run_id":"run-1","seq":3,"call_id":"c","new_field":{"x":1}}'
    unknown = '{"v":9,"kind":"dreamt","run_id":"run-1","seq":4,"of":"sheep"}'
    for seq, json in ((3, known), (4, unknown)):
        change(store.path, "INSERT INTO events(run_id, seq, kind, json) VALUES ('run-1', ?, '?', ?)", seq, json)
    third, fourth = list(store.events("session-1"))[2:]
    assert isinstance(third, ToolProposed)
    assert (third.v, third.call_id) == (9, "c")
    assert isinstance(fourth, UnknownEvent)
    assert fourth.data["of"] == "sheep"
    assert store.problems == ()


def test_a_damaged_summary_hides_nothing(store: Store) -> None:
    write(store, short_run("run-1", "session-1").events)
    write(store, short_run("run-2", "session-2").events)
    change(store.path, "UPDATE sessions SET created = 'yesterday' WHERE session_id = 'session-1'")
    assert [summary.session_id for summary in store.sessions()] == ["session-2", "session-1"]
    assert (store.session("session-1").title, store.session("session-1").turns) == ("Hello", 1)
    assert [(one.session_id, one.message) for one in store.problems] == [
        ("session-1", "its summary is damaged: created cannot be read")
    ]
    assert len(list(store.events("session-1"))) == len(short_run().events)


def test_a_database_of_a_future_version_is_refused_and_untouched(database: Path) -> None:
    with Store.open(database) as store:
        write(store, short_run().events)
    change(database, f"PRAGMA user_version = {VERSION + 1}")
    before = database.read_bytes()
    with pytest.raises(StoreError, match="newer version"):
        Store.open(database)
    assert database.read_bytes() == before


def test_what_is_no_database_of_ours_is_refused_and_untouched(tmp_path: Path) -> None:
    text = tmp_path / "notes.txt"
    text.write_text("not a database " * 100, encoding="utf-8")
    with pytest.raises(StoreError, match="cannot open"):
        Store.open(text)
    foreign = tmp_path / "browser.db"
    change(foreign, "CREATE TABLE cookies(name)")
    before = foreign.read_bytes()
    with pytest.raises(StoreError, match="another program"):
        Store.open(foreign)
    assert foreign.read_bytes() == before
    blocked = tmp_path / "file"
    blocked.write_text("x", encoding="utf-8")
    with pytest.raises(StoreError, match="cannot use"):
        Store.open(blocked / "sub" / "q.db")


@pytest.mark.parametrize("umask", [0o000, 0o022, 0o777])
def test_only_the_owner_can_read(tmp_path: Path, umask: int) -> None:
    old = os.umask(umask)
    try:
        database = tmp_path / "a" / "b" / "quarterdeck.db"
        store = Store.open(database)
        write(store, short_run().events)
    finally:
        os.umask(old)
    files = sorted(path.name for path in database.parent.iterdir())
    assert files == ["quarterdeck.db", "quarterdeck.db-shm", "quarterdeck.db-wal"]
    for path in database.parent.iterdir():
        assert stat.S_IMODE(path.stat().st_mode) == 0o600, path
    for folder in (database.parent, database.parent.parent):
        assert stat.S_IMODE(folder.stat().st_mode) == 0o700, folder
    store.close()


def test_a_file_that_others_could_read_is_closed_to_them(database: Path) -> None:
    Store.open(database).close()
    database.chmod(0o644)
    Store.open(database).close()
    assert stat.S_IMODE(database.stat().st_mode) == 0o600


def test_where_the_data_is(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> None:
    assert data_dir({"QUARTERDECK_DATA": "/else/where"}) == Path("/else/where")
    monkeypatch.delenv("QUARTERDECK_DATA")
    monkeypatch.setenv("XDG_DATA_HOME", str(tmp_path))
    assert data_dir({}).name == "quarterdeck"
    monkeypatch.setenv("QUARTERDECK_DATA", str(tmp_path / "mine"))
    with Store.open() as store:
        assert store.path == tmp_path / "mine" / "quarterdeck.db"


def test_grants_of_a_session_outlive_its_run(store: Store) -> None:
    maker = Maker()
    maker.begin()

    def decide(number: int, **fields: object) -> None:
        maker.add(ApprovalRequested(request_id=f"r{number}", call_id=f"c{number}", tool=f"tool-{number}"))
        resolved = ApprovalResolved(request_id=f"r{number}", call_id=f"c{number}", arguments={"path": "x"})
        for name, value in fields.items():
            object.__setattr__(resolved, name, value)
        maker.add(resolved)

    decide(1, decision="allow", scope="session", match="tool")
    decide(2, decision="allow", scope="session", match="exact")
    decide(3, decision="deny", scope="session", match="tool")
    decide(4, decision="allow", scope="call")
    decide(5, decision="allow", scope="run")
    decide(6, decision="allow", scope="session", by="rule")
    decide(7, decision="end_run", scope="session")
    write(store, maker.events)
    assert store.grants("session-1") == [
        Grant(effect="allow", tool="tool-1", match="tool", scope="session"),
        Grant(effect="allow", tool="tool-2", match="exact", scope="session", arguments={"path": "x"}),
        Grant(effect="deny", tool="tool-3", match="tool", scope="session"),
    ]
    assert store.grants("never seen") == []


def test_recovering_an_empty_store_does_nothing(store: Store) -> None:
    assert store.recover(SystemClock()) == []
    assert store.sessions() == []

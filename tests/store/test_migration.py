"""Databases of older versions: read as they are, brought up to date once, and left whole where that is cut short."""

from __future__ import annotations

import os
import shutil
import signal
import sqlite3
from contextlib import closing
from decimal import Decimal
from pathlib import Path

import pytest

from runner.clock import SystemClock
from runner.errors import NotFoundError, StoreError
from runner.events import ModelResponded, UnknownEvent
from runner.messages import AssistantMessage
from runner.state import fold
from runner.store import Store
from runner.store.process import this_process
from runner.store.schema import MIGRATIONS, VERSION, open_database
from runner.testing.invariants import check_events, check_history
from runner.usage import Cost, Usage
from tests.conftest import soak_factor
from tests.store.children import finish, go, kill, line, say, start
from tests.store.making import short_run, write

VERSION_1 = Path(__file__).with_name("version1.sql")
"""A database that the first version of the program wrote: three runs that ended, and one whose program was killed."""

VERSION_2 = Path(__file__).with_name("version2.sql")
"""What the second one wrote: two runs of a session with decisions for it, and one killed while it asked."""

VERSION_3 = Path(__file__).with_name("version3.sql")
"""What the third one made of it, with a grant of the first session taken back."""

VERSION_4 = Path(__file__).with_name("version4.sql")
"""What the fourth one made of that, with a name, an artifact, and a session of another program brought in."""


def written(database: Path, sample: Path) -> Path:
    database.parent.mkdir()
    with closing(sqlite3.connect(database)) as connection:
        connection.executescript(sample.read_text(encoding="utf-8"))
        connection.execute("PRAGMA journal_mode = WAL")
    return database


@pytest.fixture
def old(database: Path) -> Path:
    return written(database, VERSION_1)


@pytest.fixture
def second(database: Path) -> Path:
    return written(database, VERSION_2)


@pytest.fixture(params=[VERSION_1, VERSION_2, VERSION_3, VERSION_4], ids=lambda path: path.stem)
def any_old(request: pytest.FixtureRequest, database: Path) -> Path:
    return written(database, request.param)


def change(database: Path, sql: str, *values: object) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(sql, values)
        connection.commit()


def contents(database: Path) -> dict[str, object]:
    """Everything that is in it, tables and rows."""
    with closing(sqlite3.connect(database)) as connection:
        version = connection.execute("PRAGMA user_version").fetchone()
        return {"version": version, "dump": list(connection.iterdump())}


def schema_of(database: Path) -> set[tuple[str, str]]:
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute("PRAGMA integrity_check").fetchall() == [("ok",)]
        rows = connection.execute("SELECT name, sql FROM sqlite_master WHERE sql IS NOT NULL").fetchall()
        return {(name, " ".join(sql.split())) for name, sql in rows}


def old_sums(database: Path) -> dict[str, tuple[Usage, Cost]]:
    """What the version 1 had counted beside its facts, for each run."""
    with closing(sqlite3.connect(database)) as connection:
        rows = connection.execute(
            "SELECT run_id, input, cached_input, cache_write, output, reasoning, cost, cost_unknown FROM runs"
        ).fetchall()
    return {
        run_id: (
            Usage(input=row[0], cached_input=row[1], cache_write=row[2], output=row[3], reasoning=row[4]),
            Cost(known=Decimal(row[5]) / 10**12, unknown=row[6]),
        )
        for run_id, *row in rows
    }


def test_a_ledger_is_made_of_the_facts_of_an_old_database(old: Path) -> None:
    before = old_sums(old)
    assert set(before) == {"run-1", "run-2", "run-3", "run-4"}
    with Store.open(old) as store:
        assert {row.key: (row.usage, row.cost) for row in store.usage("run")} == before
        for session in ("session-one", "session-two", "session-three"):
            for state in store.runs(session):
                assert (state.usage, state.cost) == before[state.run_id]
        assert {row.key: row.requests for row in store.usage("provider")} == {"anthropic": 5, "local": 1}
        assert store.session("session-one").usage == before["run-1"][0] + before["run-2"][0]
        assert store.session("session-one").cost_usd is None
        assert store.session("session-two").cost_usd == before["run-3"][1].known
        assert [summary.turns for summary in store.sessions()] == [1, 0, 3]
        (row,) = store.usage("run", session_id="session-two")
        assert (row.estimated, row.estimated_cost) == (1, before["run-3"][1])
        assert sum(row.discarded for row in store.usage("run")) == 1
        assert store.problems == ()


def test_an_old_database_becomes_what_a_new_one_is(any_old: Path, tmp_path: Path) -> None:
    Store.open(any_old).close()
    Store.open(tmp_path / "new.db").close()
    assert schema_of(any_old) == schema_of(tmp_path / "new.db")
    assert contents(any_old)["version"] == (VERSION,) == (len(MIGRATIONS),)
    again = contents(any_old)
    Store.open(any_old).close()
    assert contents(any_old) == again


def test_the_decisions_of_an_old_database_are_found(second: Path) -> None:
    """By what they say, with why they were asked; and what was granted counts, can be revoked, and stays so."""
    with Store.open(second) as store:
        rows = store.decisions()
        assert [(row.tool, row.decision, row.by, row.scope) for row in reversed(rows)] == [
            ("write", "allow", "user", "session"),
            ("remove", "edit", "user", "session"),
            ("remove", "deny", "user", "session"),
            ("write", "allow", "grant", "call"),
            ("write", "allow", "grant", "call"),
        ]
        edited = rows[3]
        assert (edited.proposed, edited.arguments) == ({"text": "two"}, {"text": "better"})
        assert edited.why == "remove is not read-only, and default mode asks about it."
        assert [row.run_id for row in store.decisions(text="WRITE five")] == ["run-2"]
        assert [row.reason for row in store.decisions(text="leave alone")] == ["leave that alone"]
        assert [asked.decision for asked in store.past_requests()] == ["deny", "edit", "allow"]
        assert {asked.workspace for asked in store.past_requests()} == {"/home/me/project"}
        live = store.live_grants("session-one", SystemClock().now())
        assert [one.grant for one in live] == store.grants("session-one") != []
        assert [one.calls_allowed for one in live] == [1, 1, 0]
        with pytest.raises(NotFoundError):
            store.revoke_grants("session-none")
        store.revoke_grants("session-one", live[0].key)
        assert store.grants("session-one") == [one.grant for one in live[1:]]
        [recovered] = store.recover(SystemClock())
        assert recovered.run_id == "run-3"
        assert [(row.decision, row.by) for row in store.decisions(session_id="session-two")] == [("deny", "disconnect")]
        store.revoke_grants("session-one")
    with Store.open(second) as store:
        assert store.grants("session-one") == []


def test_what_was_taken_back_in_an_old_database_stays_so(database: Path) -> None:
    with Store.open(written(database, VERSION_3)) as store:
        assert len(store.live_grants("session-one", SystemClock().now())) == 2
        assert len(store.decisions()) == 5
        assert {summary.imported for summary in store.sessions()} == {""}


def test_sessions_of_an_old_database_can_be_tagged_and_thrown_away(database: Path) -> None:
    """They are no forks, nothing of them was thrown away, and all that is new works with them."""
    with Store.open(written(database, VERSION_4)) as store:
        before = store.sessions()
        assert {summary.session_id: (summary.title, summary.imported, summary.root_id) for summary in before} == {
            "session-one": ("A name of its own", "", "session-one"),
            "session-two": ("And now", "", "session-two"),
            "session-three": ("Elsewhere", "claude-code", "session-three"),
        }
        for summary in before:
            assert (summary.tags, summary.note, summary.pinned, summary.deleted) == ((), "", False, None)
        assert store.artifact("artifact_ead1b4a336a743d795c6c23c5e5634a5") == "the whole output, äöü"
        store.tag("session-one", "Old Times", "#kept")
        store.set_note("session-one", "from before")
        store.pin("session-one")
        store.trash("session-three")
    with Store.open(database) as store:
        one, two = store.summaries(["session-one", "session-two"])
        assert (one.tags, one.note, one.pinned) == (("kept", "old-times"), "from before", True)
        assert [summary.session_id for summary in store.sessions()] == ["session-two", "session-one"]
        store.restore("session-three")
        assert [store.session(summary.session_id) for summary in before] == [two, one, store.session("session-three")]


def test_the_work_goes_on_in_an_old_database(old: Path) -> None:
    """A run that the old program left open is closed, its session continued; old events are read as before."""
    with Store.open(old) as store:
        assert store.session("session-three").reason == "interrupted"
        (recovered,) = store.recover(SystemClock())
        assert (recovered.run_id, recovered.partial_characters) == ("run-4", len("Half an ans"))
        for session in ("session-one", "session-two", "session-three"):
            for state in store.runs(session):
                events = list(store.events(session, state.run_id))
                assert check_events(events) == []
                assert fold(events) == state
        closed = [event for event in store.events("session-three") if isinstance(event, ModelResponded)][-1]
        # The old program did not record the price, so nobody knows what the cut request cost.
        assert (closed.text, closed.cost_usd, closed.price) == ("Half an ans", None, None)
        with store.lease("session-three"):
            write(store, short_run("run-5", "session-three", text="Go on").events)
        history = store.history("session-three")
        assert check_history(history) == []
        assert isinstance(history[-1], AssistantMessage)
        assert {row.key: row.requests for row in store.usage("run", session_id="session-three")} == {
            "run-4": 2,
            "run-5": 1,
        }


def test_damaged_and_unknown_facts_of_an_old_database_harm_nothing(old: Path) -> None:
    change(old, "UPDATE events SET json = '{\"kind\":' WHERE run_id = 'run-1' AND seq = 8")
    change(old, "UPDATE events SET json = x'ff' WHERE run_id = 'run-3' AND kind = 'model_responded'")
    unknown = '{"v":1,"kind":"dreamt","run_id":"run-2","seq":11,"of":"sheep"}'
    change(old, "INSERT INTO events(run_id, seq, kind, json) VALUES ('run-2', 11, 'dreamt', ?)", unknown)
    with Store.open(old) as store:
        assert {row.key: row.requests for row in store.usage("run")} == {"run-1": 2, "run-2": 1, "run-4": 1}
        for session in ("session-one", "session-two"):
            for state in store.runs(session):
                rows = {row.key: (row.usage, row.cost) for row in store.usage("run")}
                assert rows.get(state.run_id, (Usage(), Cost())) == (state.usage, state.cost)
        *_, last = store.events("session-one", "run-2")
        assert isinstance(last, UnknownEvent)
        assert last.data["of"] == "sheep"


@pytest.mark.parametrize(
    "sample", [VERSION_4, *([VERSION_2, VERSION_3] if soak_factor() > 1 else [])], ids=lambda path: path.stem
)
def test_a_program_killed_at_any_statement_leaves_the_old_database_whole(
    database: Path, tmp_path: Path, sample: Path
) -> None:
    """Up to the very last one, after which it is the new database, whole."""
    old = written(database, sample)
    shutil.copy(old, tmp_path / "copy.db")
    Store.open(tmp_path / "copy.db").close()
    before, after, number = contents(old), contents(tmp_path / "copy.db"), 1
    child = start("migrate", old)
    assert line(child) == "ready"
    while contents(old) == before:
        say(child, str(number))
        at, _, process = line(child).rpartition(" in ")
        assert at == f"at {number}"
        os.kill(int(process), signal.SIGKILL)
        assert line(child) == f"ended {-signal.SIGKILL}"
        number += 1
    kill(child)
    assert contents(old) == after
    assert schema_of(old) == schema_of(tmp_path / "copy.db")
    # BEGIN, the looks at what is there, every statement of the step, the rows, COMMIT.
    assert number > len(MIGRATIONS[-1]) + 5
    with Store.open(old) as store:
        assert sum(row.requests for row in store.usage("run")) == 7
        assert len(store.decisions()) == 5


def test_two_programs_that_open_an_old_database_at_once_change_it_once(old: Path) -> None:
    children = [start("open", old) for _ in range(3)]
    assert [line(child) for child in children] == ["ready"] * 3
    for child in children:
        go(child)
    assert [finish(child) for child in children] == ["opened 6"] * 3


def test_an_old_program_that_is_at_work_is_not_cut_off(old: Path) -> None:
    """It could store no further fact in the new tables."""
    me = this_process("me")
    change(old, "UPDATE owners SET pid = ?, started = ?, place = ?", me.pid, me.started, me.place)
    before = contents(old)
    with pytest.raises(StoreError, match=f"in use by an older version .process {me.pid}.; end it first"):
        Store.open(old)
    assert contents(old) == before
    change(old, "UPDATE owners SET started = 'never'")
    Store.open(old).close()


def test_opening_what_is_up_to_date_waits_for_no_writer(database: Path) -> None:
    """Only a change of the schema needs the lock."""
    Store.open(database).close()
    with closing(sqlite3.connect(database, isolation_level=None)) as other:
        other.execute("BEGIN IMMEDIATE")
        open_database(database).close()
        other.execute("ROLLBACK")

"""Tags, notes and pins; the trash; what becomes of forks whose root is gone; and the commands for all of it."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from datetime import timedelta
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.clock import SystemClock
from runner.errors import ConfigError, NotFoundError, SessionBusyError, StoreError
from runner.store import Store
from runner.store.annotations import tag_of
from tests.store.making import Maker, short_run, write
from tui.cli import main_with


def change(database: Path, sql: str, *values: object) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute(sql, values)
        connection.commit()


def forks(store: Store, parents: dict[str, str]) -> None:
    """A session for each name, forked from the parent said for it ("" for none)."""
    for number, (name, parent) in enumerate(parents.items()):
        write(store, short_run(f"run-{number}", name).events)
        root = name
        while parents[root]:
            root = parents[root]
        change(
            store.path,
            "UPDATE sessions SET root_id = ?, forked_from = ?, forked_turn = ? WHERE session_id = ?",
            root if parent else "",
            parent,
            number if parent else 0,
            name,
        )


def family(store: Store) -> dict[str, tuple[str, str]]:
    return {one.session_id: (one.root_id, one.forked_from) for one in store.sessions()}


def test_tags_notes_and_pins_stay_with_their_session(store: Store) -> None:
    for number in (1, 2):
        write(store, short_run(f"run-{number}", f"session-{number}").events)
    store.tag("session-1", "#Slow  path", "bug", "bug")
    store.tag("session-1", "golden", run_id="run-1", turn=1)
    store.tag("session-2", "BUG")
    store.set_note("session-1", "first")
    store.set_note("session-1", "  looked at\nby two  ")
    store.set_note("session-1", "of the turn", run_id="run-1", turn=1)
    store.pin("session-2")
    one, two = store.summaries(["session-1", "session-2"])
    assert (one.tags, one.note, one.pinned) == (("bug", "slow-path"), "looked at\nby two", False)
    assert (two.tags, two.note, two.pinned) == (("bug",), "", True)
    assert [(a.run_id, a.turn, a.kind, a.text) for a in store.annotations("session-1")] == [
        ("", 0, "note", "looked at\nby two"),
        ("", 0, "tag", "slow-path"),
        ("", 0, "tag", "bug"),
        ("run-1", 1, "note", "of the turn"),
        ("run-1", 1, "tag", "golden"),
    ]
    assert [a.session_id for a in store.annotations(tag="#Bug")] == ["session-1", "session-2"]
    store.untag("session-1", "bug", "slow path")
    store.set_note("session-1", " ")
    store.pin("session-2", False)
    assert (store.session("session-1").tags, store.session("session-1").note) == ((), "")
    assert not store.session("session-2").pinned
    assert [a.text for a in store.annotations("session-1")] == ["of the turn", "golden"]


def test_a_mark_needs_something_to_stand_on(store: Store) -> None:
    write(store, short_run().events)
    for tag in ("", " # ", "a,b", "x" * 51):
        with pytest.raises(ConfigError, match="is no tag"):
            store.tag("session-1", "good", tag)
    assert store.annotations() == []
    with pytest.raises(NotFoundError, match="no tag 'bug'"):
        store.untag("session-1", "bug")
    with pytest.raises(ConfigError, match="turn 2"):
        store.tag("session-1", "bug", turn=2)
    for act in (
        lambda: store.tag("session-9", "bug"),
        lambda: store.tag("session-1", "bug", run_id="run-9"),
        lambda: store.set_note("session-9", "x"),
        lambda: store.pin("session-9"),
        lambda: store.trash("session-9"),
        lambda: store.restore("session-1"),
    ):
        with pytest.raises(NotFoundError):
            act()


@given(st.text(max_size=60))
def test_a_tag_is_one_word_and_stays_what_it_is(text: str) -> None:
    try:
        tag = tag_of(text)
    except ConfigError:
        return
    assert tag.isprintable()
    assert not any(sign.isspace() or sign == "," for sign in tag)
    assert tag_of(f" #{tag} ") == tag


def test_what_lies_in_the_trash_is_nowhere_until_it_is_taken_out(store: Store) -> None:
    for number in (1, 2):
        write(store, short_run(f"run-{number}", f"session-{number}", text=f"Find me {number}").events)
    store.tag("session-1", "bug")
    paid = store.usage("all")
    whole = store.session("session-1")
    store.search.catch_up()
    store.trash("session-1")
    store.trash("session-1")
    assert [one.session_id for one in store.sessions()] == ["session-2"]
    assert [one.session_id for one in store.sessions(query="find me")] == ["session-2"]
    [thrown] = store.sessions(deleted=True)
    assert (thrown.session_id, thrown.deleted is None) == ("session-1", False)
    store.search.catch_up()
    assert set(store.search.sessions("find me")) == {"session-2"}
    assert store.annotations(tag="bug") == []
    with pytest.raises(StoreError, match="is in the trash; restore it first"):
        store.lease("session-1")
    assert store.usage("all") == paid
    assert store.recover(SystemClock()) == []
    store.restore("session-1")
    assert store.session("session-1") == whole
    store.search.catch_up()
    assert set(store.search.sessions("find me")) == {"session-1", "session-2"}
    with store.lease("session-1"), pytest.raises(SessionBusyError):
        store.trash("session-1")


def test_the_trash_is_emptied_after_a_week_by_whoever_opens_the_store(store: Store) -> None:
    for number in (1, 2, 3):
        write(store, short_run(f"run-{number}", f"session-{number}").events)
    artifact = store.put_artifact("run-1", "call", "all of it")
    paid = [(row.requests, row.cost) for row in store.usage("all")]
    store.tag("session-1", "bug")
    for number in (1, 2):
        store.trash(f"session-{number}")
    week = int(timedelta(days=7).total_seconds() * 1_000_000)
    change(store.path, "UPDATE sessions SET deleted = deleted - ? WHERE session_id = 'session-1'", week)
    change(store.path, "UPDATE sessions SET deleted = deleted - ? WHERE session_id = 'session-2'", week - 10**9)
    store.recover(SystemClock())
    assert [one.session_id for one in store.sessions(deleted=True)] == ["session-2"]
    with pytest.raises(NotFoundError):
        store.session("session-1")
    with pytest.raises(NotFoundError):
        store.artifact(artifact)
    with closing(sqlite3.connect(store.path)) as connection:
        assert connection.execute("SELECT count(*) FROM annotations").fetchone() == (0,)
    assert [(row.requests, row.cost) for row in store.usage("all")] == paid
    assert store.empty_trash(timedelta(0)) == ["session-2"]
    assert [one.session_id for one in store.sessions()] == ["session-3"]


def test_forks_stay_when_what_they_were_made_of_is_deleted(store: Store) -> None:
    forks(store, {"root": "", "a": "root", "b": "a", "c": "b", "d": "root"})
    store.delete_session("b")
    assert family(store) == {"root": ("root", ""), "a": ("root", "root"), "c": ("root", "a"), "d": ("root", "root")}
    assert store.session("c").forked_turn == 2
    store.delete_session("root")
    assert family(store) == {"a": ("a", ""), "c": ("a", "a"), "d": ("d", "")}
    assert store.session("a").forked_turn == 0
    assert all(len(store.runs(name)) == 1 for name in family(store))


@settings(deadline=None, max_examples=15)
@given(data=st.data())
def test_families_stay_trees_whatever_is_deleted(data: st.DataObject, tmp_path_factory: pytest.TempPathFactory) -> None:
    names = [f"s{number}" for number in range(data.draw(st.integers(2, 6)))]
    parents = {name: data.draw(st.sampled_from(["", *names[:at]])) for at, name in enumerate(names)}
    with Store.open(tmp_path_factory.mktemp("store") / "q.db") as store:
        forks(store, parents)
        for name in data.draw(st.permutations(names)):
            store.delete_session(name)
            left = family(store)
            for one, (root, parent) in left.items():
                top = one
                while left[top][1]:
                    top = left[top][1]
                assert top == root
                assert (parent == "") == (root == one)


def test_the_commands_of_a_person(capsys: pytest.CaptureFixture[str]) -> None:
    with Store.open() as store:
        for number in (1, 2):
            write(store, short_run(f"run-{number}", f"session-{number}", text=f"Task {number}").events)

    def say(*arguments: str) -> tuple[int, str, str]:
        code = main_with(["sessions", *arguments])
        out, err = capsys.readouterr()
        return code, out, err

    def listed(*arguments: str) -> dict[str, dict[str, object]]:
        _, out, _ = say("list", "--json", *arguments)
        return {row["session_id"]: row for row in map(json.loads, out.splitlines())}

    assert say("tag", "session-1", "Bug", "slow")[0] == 0
    assert say("tag", "session-1", "golden", "--turn", "1")[0] == 0
    assert say("note", "session-1", "two\nlines \x1b[31m")[0] == 0
    assert say("pin", "session-1", "session-2")[0] == 0
    assert say("unpin", "session-2")[0] == 0
    code, out, err = say("list")
    assert (code, err) == (0, "")
    assert "\x1b" not in out
    assert "pinned; 1 turn" in out
    assert "#bug #slow  two lines" in out
    assert out.count("pinned") == 1
    assert "turn 1 of run run-1: #golden" in say("show", "session-1")[1]
    row = listed()["session-1"]
    assert (row["tags"], row["note"], row["pinned"]) == (["bug", "slow"], "two\nlines \x1b[31m", True)
    assert say("untag", "session-1", "slow")[0] == 0
    assert say("trash", "session-1")[0] == 0
    assert set(listed()) == {"session-2"}
    assert set(listed("--deleted")) == {"session-1"}
    assert listed("--deleted")["session-1"]["deleted"]
    assert "thrown away" in say("list", "--deleted")[1]
    assert say("restore", "session-1")[0] == 0
    assert listed()["session-1"]["tags"] == ["bug"]
    for wrong, told in (
        (("tag", "session-1"), "TAG"),
        (("tag", "session-1", "a,b"), "is no tag"),
        (("untag", "session-1", "never"), "no tag 'never'"),
        (("tag", "session-1", "x", "--turn", "9"), "has 1 turn, no turn 9"),
        (("tag", "session-1", "x", "--run", "run-9"), "0 runs whose id begins with run-9"),
        (("note", "session-9", "x"), "no session has the id 'session-9'"),
        (("pin", "session"), "the start of more than one"),
        (("restore", "session-1"), "no session in the trash"),
        (("trash",), "ID"),
    ):
        code, out, err = say(*wrong)
        assert (code, out) == (2, ""), wrong
        assert told in err, err


def test_turns_of_several_runs_need_their_run(capsys: pytest.CaptureFixture[str]) -> None:
    with Store.open() as store:
        for number in (1, 2):
            write(store, Maker(run_id=f"run-{number}").events + short_run(f"run-{number}").events)
    assert main_with(["sessions", "tag", "session-1", "x", "--turn", "1"]) == 2
    assert "2 runs; say which one with --run: run-1, run-2" in capsys.readouterr().err
    assert main_with(["sessions", "tag", "session-1", "x", "--turn", "1", "--run", "run-2"]) == 0
    with Store.open() as store:
        assert [(one.run_id, one.turn) for one in store.annotations()] == [("run-2", 1)]

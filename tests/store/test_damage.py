"""A damaged store: all that is whole stays readable, and the person is told what is not."""

from __future__ import annotations

import json
import sqlite3
from contextlib import closing
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.clock import SystemClock
from runner.errors import StoreError
from runner.events import Event, RunFinished, ToolFinished, ToolProposed, UnknownEvent
from runner.state import fold
from runner.store import Store
from runner.store.process import Owner
from runner.store.rescue import is_whole, rescue
from runner.store.schema import VERSION
from runner.testing.invariants import check_events
from tests.conftest import soak_factor
from tests.store.making import Maker, a_call, short_run, write
from tui.cli import main_with
from tui.problem_words import missing_line

SESSIONS = 6


def change(database: Path, sql: str, *values: object) -> None:
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute(sql, values).rowcount != 0
        connection.commit()


def with_output(store: Store, run_id: str, session_id: str, output: str) -> Maker:
    """A run with a call whose whole output is kept."""
    maker, call = Maker(run_id=run_id, session_id=session_id), a_call(run_id=run_id)
    maker.begin(f"Please do {run_id}")
    maker.begin_turn()
    maker.request()
    maker.answer("I call.", (call,))
    maker.propose(call)
    artifact = store.put_artifact(run_id, call.call_id, output)
    maker.add(
        ToolFinished(call_id=call.call_id, tool=call.tool, output=output[:100], truncated=True, artifact=artifact)
    )
    maker.begin_turn()
    maker.request()
    maker.answer(f"This is what {run_id} said. " + "word " * 300)
    maker.end()
    return maker


def filled(store: Store) -> dict[str, Maker]:
    made: dict[str, Maker] = {}
    for number in range(SESSIONS):
        run_id, session_id = f"run-{number}", f"session-{number}"
        made[session_id] = with_output(store, run_id, session_id, f"line of {number}\n" * 400)
        write(store, made[session_id].events)
        store.tag(session_id, f"tag-{number}")
    store.rename_session("session-1", "A name")
    store.pin("session-2")
    store.trash("session-3")
    return made


def told_by(capsys: pytest.CaptureFixture[str], *arguments: str) -> tuple[int, str, str]:
    capsys.readouterr()
    code = main_with(["sessions", *arguments])
    out, err = capsys.readouterr()
    return code, out, err


@dataclass(frozen=True)
class Damage:
    """What is done to session-1, and what the person is then told. gone: facts of it that cannot be had any more."""

    do: str
    told: str
    cockpit: str
    gone: int = 0


UNKNOWN = '{"v":9,"kind":"dreamt","run_id":"run-1","seq":%d,"of":"sheep","deep":{"er":[1]}}'
LATER = (
    '{"v":9,"kind":"tool_proposed","run_id":"run-1","seq":%d,"call_id":"c","tool":"t","arguments":{},"mood":{"x":1}}'
)

DAMAGES = {
    "flipped": Damage(
        "UPDATE events SET json = CAST(substr(json, 1, 40) || char(1) || substr(json, 42) AS BLOB)"
        " WHERE run_id = 'run-1' AND kind = 'tool_proposed'",
        "run run-1, event 6 cannot be read",
        "event 6 cannot be read",
        gone=1,
    ),
    "one fact": Damage(
        "DELETE FROM events WHERE run_id = 'run-1' AND kind = 'turn_started' AND seq < 5", "event 3 is gone", "3 is", 1
    ),
    "several facts": Damage(
        "DELETE FROM events WHERE run_id = 'run-1' AND seq BETWEEN 4 AND 6", "events 4 to 6 are gone", "4 to 6", 3
    ),
    "the end": Damage("DELETE FROM events WHERE run_id = 'run-1' AND seq > 9", "its end is gone", "its end is gone", 4),
    "an artifact": Damage(
        "DELETE FROM artifacts WHERE run_id = 'run-1'",
        "run run-1: the kept whole output of this call is gone",
        "the kept whole output of this call is gone",
    ),
    "a summary": Damage(
        "UPDATE sessions SET turns = x'ff', title = x'ff00', updated = 'noon' WHERE session_id = 'session-1'",
        "session session-1: its summary is damaged: title, updated, turns cannot be read",
        "its summary is damaged",
    ),
    "a lost summary": Damage(
        "DELETE FROM sessions WHERE session_id = 'session-1'",
        "session session-1: its entry in the list was lost and was made anew from its events",
        "its entry in the list was lost",
    ),
}


@pytest.mark.parametrize("name", DAMAGES)
def test_what_is_damaged_is_told_and_hides_nothing_else(name: str, capsys: pytest.CaptureFixture[str]) -> None:
    damage = DAMAGES[name]
    with Store.open() as store:
        made = filled(store)
        before = {one.session_id: one for one in store.sessions()}
        path = store.path
    change(path, damage.do)
    with Store.open() as store:
        store.recover(SystemClock())
        after = {one.session_id: one for one in store.sessions()}
        assert set(after) == set(before)
        assert {key: one for key, one in after.items() if key != "session-1"} == {
            key: one for key, one in before.items() if key != "session-1"
        }
        for session_id, maker in made.items():
            states = store.runs(session_id)
            if session_id != "session-1":
                assert states == [fold(tuple(maker.facts))]
                assert store.problems_of(session_id) == []
        assert len(list(store.events("session-1"))) == len(made["session-1"].facts) - damage.gone
        assert damage.cockpit in missing_line(store.problems_of("session-1"))
        # What has ended is over for whoever opens it, even where the facts that say so are gone.
        assert [(state.finished, state.live) for state in store.runs("session-1")] == [(True, ())]
        store.search.catch_up()
        assert set(store.search.sessions("please")) == set(after)
    for format in ("jsonl", "markdown", "html"):
        code, out, err = told_by(capsys, "export", "session-1", "--format", format)
        assert code == 0
        assert "Please do run-1" in out
        # What the list lost was made anew and told of when the store was opened before.
        assert name == "a lost summary" or damage.told in err
    assert told_by(capsys, "list")[0] == 0
    code, out, err = told_by(capsys, "show", "session-4")
    assert (code, err) == (0, "")
    assert "This is what run-4 said" in out


def test_a_run_that_nothing_leads_to_any_more_is_told_of_and_comes_back(capsys: pytest.CaptureFixture[str]) -> None:
    with Store.open() as store:
        made, path = filled(store), store.path
    change(path, "DELETE FROM runs WHERE run_id = 'run-1'")
    code, out, err = told_by(capsys, "show", "session-1")
    assert (code, "A name" in out) == (0, True)
    assert "run run-1: it is gone from the list of runs" in err
    assert told_by(capsys, "rescue")[0] == 0
    with Store.open() as store:
        assert store.runs("session-1") == [fold(tuple(made["session-1"].facts))]
        assert store.problems == ()


def test_events_of_a_later_version_are_no_damage(capsys: pytest.CaptureFixture[str]) -> None:
    """An unknown kind is kept whole, a known one is read as far as it is known; both leave again as they came."""
    with Store.open() as store:
        maker = Maker(run_id="run-1")
        maker.begin("Hello")
        write(store, maker.events)
        for seq, text in ((3, LATER), (4, UNKNOWN)):
            change(store.path, "INSERT INTO events VALUES ('run-1', ?, 'x', ?)", seq, text % seq)
        third, fourth = list(store.events("session-1"))[2:]
        assert isinstance(third, ToolProposed)
        assert isinstance(fourth, UnknownEvent)
        [state] = store.runs("session-1")
        assert state.tool_calls == 1
        exported = "".join(store.export("session-1", "jsonl"))
        assert json.loads(exported.splitlines()[-1])["deep"] == {"er": [1]}
        assert store.problems == ()
    code, out, err = told_by(capsys, "show", "session-1")
    assert (code, err) == (0, "")
    assert "> Hello" in out


def test_a_damaged_index_is_made_anew_and_keeps_nobody_from_deleting(capsys: pytest.CaptureFixture[str]) -> None:
    with Store.open() as store:
        filled(store)
        store.search.catch_up()
        index = store.path.with_name("search.db")
    for damage in (b"no database at all " * 300, index.read_bytes()[: index.stat().st_size // 2]):
        index.write_bytes(damage)
        # The first search may have to say that the index was of no use; the second one has a new one.
        said = [told_by(capsys, "search", "please", "--json", "--limit", "50") for _ in range(2)]
        assert said[-1][0] == 0
        assert "session-1" in said[-1][1]
        assert all(one[0] == 0 or "search index" in one[2] for one in said)
    index.write_bytes(damage)
    with Store.open() as store:
        store.delete_session("session-0")
        assert "session-0" not in {one.session_id for one in store.sessions()}


def rescued_sessions(path: Path) -> dict[str, int]:
    """How many facts can be read of each session; reading is what it is for, so every run of them folds."""
    with Store.open(path) as store:
        store.recover(SystemClock())
        found: dict[str, int] = {}
        for one in [*store.sessions(limit=None), *store.sessions(limit=None, deleted=True)]:
            events = list(store.events(one.session_id))
            found[one.session_id] = len(events)
            assert len(store.runs(one.session_id)) == one.runs
            "".join(store.export(one.session_id, "markdown"))
        store.search.catch_up()
        return found


def test_a_whole_store_is_rescued_whole(tmp_path: Path) -> None:
    """Nothing is lost on the way: the same sessions, sums, runs, tags, names and outputs."""
    path = tmp_path / "q.db"
    with Store.open(path) as store:
        made = filled(store)
        write(store, short_run("run-9", "session-9").events)
        store.delete_session("session-9")
        unfinished = Maker(run_id="run-8", session_id="session-8")
        unfinished.begin("Cut off")
        unfinished.begin_turn()
        unfinished.request()
        write(store, unfinished.events)
    with Store.open(path) as store:
        before = store.sessions(limit=None), store.sessions(deleted=True), store.usage("model"), store.annotations()
    assert is_whole(path)
    done = rescue(path)
    assert (done.sessions, done.runs, done.artifacts, done.missing, done.unreadable) == (7, 7, SESSIONS, {}, 0)
    assert is_whole(path)
    with Store.open(path) as store:
        assert (store.sessions(limit=None), store.sessions(deleted=True)) == before[:2]
        assert [(row.key, row.requests, row.cost, row.usage) for row in store.usage("model")] == [
            (row.key, row.requests, row.cost, row.usage) for row in before[2]
        ]
        assert store.annotations() == before[3]
        for session_id, maker in made.items():
            assert store.runs(session_id) == [fold(tuple(maker.facts))]
            [finished] = [event for event in store.events(session_id) if isinstance(event, ToolFinished)]
            assert finished.artifact is not None
            assert store.artifact(finished.artifact) == f"line of {session_id[-1]}\n" * 400
        [recovered] = store.recover(SystemClock())
        assert recovered.run_id == "run-8"
        assert check_events(list(store.events("session-8"))) == []
        assert store.problems == ()
    # The old one is whole too, and private as the new one.
    assert rescued_sessions(done.kept) == rescued_sessions(path)
    assert path.stat().st_mode & 0o777 == 0o600


def the_copy_of_a_store_at_work(store: Store, path: Path) -> None:
    """Its files as a cut of the power would leave them: most of what is new stands in the log alone."""
    for suffix in ("", "-wal"):
        Path(f"{path}{suffix}").write_bytes(Path(f"{store.path}{suffix}").read_bytes())


def test_what_stands_in_the_log_alone_is_rescued_too(
    store: Store, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def nobody(owner: Owner, now: float) -> bool:
        return False

    monkeypatch.setattr("runner.store.rescue.is_alive", nobody)
    made, copy = filled(store), tmp_path / "copy.db"
    the_copy_of_a_store_at_work(store, copy)
    assert Path(f"{copy}-wal").stat().st_size > 100_000
    copy.write_bytes(copy.read_bytes()[:2000])
    assert rescue(copy).missing == {}
    assert rescued_sessions(copy) == {session: len(maker.facts) for session, maker in made.items()}


@pytest.mark.parametrize("part", [0.5, 0.7, 0.9])
def test_a_file_that_was_cut_off_says_what_to_do_and_gives_what_is_left(
    part: float, capsys: pytest.CaptureFixture[str]
) -> None:
    with Store.open() as store:
        made, path = filled(store), store.path
        whole = {session: [event.seq for event in store.events(session)] for session in made}
    data = path.read_bytes()
    cut = data[: int(len(data) * part) // 512 * 512 + 100]
    path.write_bytes(cut)
    code, out, err = told_by(capsys, "list")
    assert (code, out) == (1, "")
    [line] = err.splitlines()
    assert "malformed" in line
    assert "quarterdeck sessions rescue" in line
    assert path.read_bytes() == cut

    code, out, err = told_by(capsys, "rescue")
    found = rescued_sessions(path)
    assert (code, bool(found)) == (1, True)
    assert f"Saved {len(found)} session" in out
    [kept] = [file for file in path.parent.glob("quarterdeck.damaged-*.db")]
    assert kept.read_bytes() == cut
    assert str(kept) in out
    with Store.open() as store:
        for session, seqs in whole.items():
            events = list(store.events(session)) if session in found else []
            if not events:
                assert f"session {session} (" in err or "may have been more" in err
            elif [event.seq for event in events] != seqs or not isinstance(events[-1], RunFinished):
                assert "damaged" in store.session(session).tags
                assert "Saved from a damaged store" in store.session(session).note
                assert f"session {session}: " in err or "the end of a run" in store.session(session).note
    if part == 0.9:
        assert sum(found.values()) > sum(map(len, whole.values())) / 2
    code, out, _ = told_by(capsys, "rescue")
    assert (code, "not damaged" in out) == (0, True)


def test_what_cannot_be_rescued_is_left_alone(tmp_path: Path) -> None:
    path = tmp_path / "q.db"
    for data in (b"", b"not a database " * 1000, bytes(8192)):
        path.write_bytes(data)
        with pytest.raises(StoreError, match=r"nothing in .* can be read; it was left as it is"):
            rescue(path)
        assert [file.name for file in tmp_path.iterdir()] == ["q.db"]
        assert path.read_bytes() == data
    path.unlink()
    with Store.open(path) as store:
        write(store, short_run().events[:3])
        with pytest.raises(StoreError, match=r"is in use .process"):
            rescue(path)
        write(store, short_run().events[3:])
    change(path, f"PRAGMA user_version = {VERSION + 1}")
    with pytest.raises(StoreError, match="newer version"):
        rescue(path)


@pytest.fixture(scope="module")
def original(tmp_path_factory: pytest.TempPathFactory) -> tuple[bytes, dict[tuple[str, int], Event]]:
    path = tmp_path_factory.mktemp("original") / "q.db"
    with Store.open(path) as store:
        made = filled(store)
    return path.read_bytes(), {(event.run_id, event.seq): event for maker in made.values() for event in maker.facts}


@settings(deadline=None, max_examples=12 * soak_factor())
@given(data=st.data())
def test_nothing_is_invented_whatever_is_damaged(
    data: st.DataObject,
    original: tuple[bytes, dict[tuple[str, int], Event]],
    tmp_path_factory: pytest.TempPathFactory,
) -> None:
    """Noise over any part of the file and a cut at any place: each fact that comes back is one that was there."""
    whole, facts = original
    damaged = bytearray(whole)
    for _ in range(data.draw(st.integers(0, 4))):
        start = data.draw(st.integers(0, len(whole) - 1))
        noise = data.draw(st.binary(min_size=1, max_size=3000))
        damaged[start : start + len(noise)] = noise
    del damaged[data.draw(st.integers(len(whole) // 10, len(whole))) :]
    path = tmp_path_factory.mktemp("damaged") / "q.db"
    path.write_bytes(damaged)
    refused = ""
    try:
        kept = rescue(path).kept
    except StoreError as error:
        kept, refused = path, str(error)
    assert kept.read_bytes() == damaged
    if refused:
        assert "can be read" in refused or "newer version" in refused
        return
    with Store.open(path) as store:
        for one in [*store.sessions(), *store.sessions(deleted=True)]:
            for event in store.events(one.session_id):
                assert event == facts[event.run_id, event.seq]

"""Everything that was said and done is found again, in the right place, and what is deleted is found no more."""

from __future__ import annotations

import sqlite3
import threading
from collections.abc import Iterator
from contextlib import closing
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.errors import StoreError
from runner.events import (
    ApprovalRequested,
    ApprovalResolved,
    Event,
    FileChange,
    FilesChanged,
    MessageDelivered,
    ToolFinished,
)
from runner.importing.build import runs_of
from runner.importing.claude_code import read_claude_code
from runner.importing.codex import read_codex
from runner.messages import ToolStatus
from runner.store import Store
from runner.store.base import ApprovalSum, ToolSum
from runner.store.search import match_of
from tests.importing.test_reading import answered, result, said, sample, tool_use
from tests.store.making import Maker, a_call, short_run, write


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "sessions.db") as opened:
        yield opened


def talk(text: str, session: str = "s") -> list[list[Event]]:
    lines = [
        said(text, sessionId=session),
        answered("r", {"type": "text", "text": "the kraken sleeps"}, tool_use("grep -r Ärger src")),
        result("grep -r Ärger src", content="src/main.py: raise Ärger('late_fee')"),
    ]
    return list(runs_of(read_claude_code(line.replace('"s"', f'"{session}"') for line in lines)))


def found(store: Store, query: str) -> list[tuple[str, str]]:
    assert store.search.catch_up() == 0
    return [(hit.part, hit.tool) for hit in store.search.find(query)]


def test_each_kind_of_place_is_found(store: Store) -> None:
    done = store.bring_in("claude-code", talk("please look for the albatross"))
    store.bring_in("codex", list(runs_of(read_codex(sample("codex")))))
    assert found(store, "albatross") == [("said", "")]
    assert found(store, "kraken") == [("answer", "")]
    assert found(store, "arger src") == [("output", "Bash"), ("call", "Bash")]
    assert found(store, "late_fee") == [("output", "Bash")]
    assert ("reasoning", "") in found(store, "jungle meadow")
    (hit,) = store.search.find("ALBATROSS please")
    assert hit.session_id == done.session_id
    assert [text for text, is_hit in hit.snippet if is_hit] == ["please", "albatross"]
    assert "".join(text for text, _ in hit.snippet) == "please look for the albatross"
    (event,) = [event for event in store.events(hit.session_id, hit.run_id) if event.seq == hit.seq]
    assert event.kind == "run_started"
    assert store.search.sessions("albatross") == {done.session_id: 1}
    assert store.search.find("kraken", session_id="other") == []


@pytest.mark.parametrize(
    ("query", "expected"),
    [
        ("", False),
        ('"', False),
        ("?!", False),
        ("albatr", True),
        ("albatr ", False),
        ("batross", False),
        ('"the albatross"', True),
        ('"albatross the"', False),
        ("look albatross", True),
        ("look kraken", False),
        ("albatross OR kraken", False),
        ("NOT albatross", False),
        ("albatross)", True),
        ("text:albatross", False),
        ("alba*", True),
        ("'albatross'", True),
        ("x" * 5000, False),
    ],
)
def test_a_query_is_words_and_nothing_else(store: Store, query: str, expected: bool) -> None:
    store.bring_in("claude-code", talk("please look for the albatross"))
    assert (("said", "") in found(store, query)) is expected


@settings(deadline=None, max_examples=60, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(query=st.text(max_size=30))
def test_no_query_is_an_error(store: Store, query: str) -> None:
    store.search.find(query)
    assert match_of(query).count('"') % 2 == 0


def test_it_follows_what_is_stored_and_deleted(store: Store, tmp_path: Path) -> None:
    first = store.bring_in("claude-code", talk("albatross one", "a"))
    assert len(found(store, "albatross")) == 1
    second = store.bring_in("claude-code", talk("albatross two", "b"))
    assert store.search.behind() == 1
    assert len(store.search.find("albatross")) == 1
    assert len(found(store, "albatross")) == 2
    assert store.search.behind() == 0
    store.delete_session(first.session_id)
    assert {hit.session_id for hit in store.search.find("albatross")} == {second.session_id}
    with Store.open(tmp_path / "sessions.db") as other:
        other.delete_session(second.session_id)
    assert found(store, "albatross") == []
    whole = b"".join(path.read_bytes() for path in tmp_path.glob("search.db*"))
    assert b"albatross" not in whole


def test_a_run_that_goes_on_is_followed_fact_by_fact(store: Store) -> None:
    events = short_run("run-1", "session-1", text="Look for the pelican").events
    write(store, events[:4])
    assert found(store, "pelican") == [("said", "")]
    assert store.search.behind() == 0
    write(store, events[4:])
    assert store.search.behind() == 1
    assert store.search.catch_up() == 0
    assert found(store, "pelican") == [("said", "")]
    assert store.search.behind() == 0


def test_what_was_brought_in_again_is_found_as_it_is_now(store: Store) -> None:
    lines = sample("claude-code")
    store.bring_in("claude-code", list(runs_of(read_claude_code(lines[:12]))))
    before = len(found(store, "harbor"))
    store.bring_in("claude-code", list(runs_of(read_claude_code(lines))))
    assert len(found(store, "harbor")) > before
    assert len(found(store, '"run the probe" please')) == 1


def test_a_damaged_or_missing_index_is_made_again(store: Store, tmp_path: Path) -> None:
    store.bring_in("claude-code", talk("albatross"))
    index = tmp_path / "search.db"
    index.write_bytes(b"this is no database at all, however long it is " * 100)
    with pytest.raises(StoreError, match="the search index"):
        store.search.catch_up()
    assert len(found(store, "albatross")) == 1
    assert index.stat().st_mode & 0o777 == 0o600
    store.search.close()
    index.unlink()
    assert len(found(store, "albatross")) == 1


def test_a_damaged_fact_hides_nothing_else(store: Store, tmp_path: Path) -> None:
    store.bring_in("claude-code", talk("albatross"))
    with closing(sqlite3.connect(tmp_path / "sessions.db")) as connection:
        connection.execute("UPDATE events SET json = x'ff00' WHERE kind = 'model_responded'")
        connection.commit()
    assert found(store, "albatross") == [("said", "")]
    assert found(store, "kraken") == []


def test_catching_up_can_be_cut_short_and_goes_on_where_it_was(store: Store) -> None:
    for number in range(45):
        store.bring_in("claude-code", talk(f"albatross {number}", f"s{number}"))
    left = store.search.catch_up(seconds=0)
    assert left == 45
    assert store.search.catch_up() == 0
    assert len(store.search.find("albatross", limit=100)) == 45
    assert len(store.search.find("albatross", limit=10, offset=40)) == 5


def delivered(run: str, session: str, texts: list[str], start: datetime | None = None, step: float = 0.01) -> Maker:
    """A run to which somebody said each of these texts, one a step of seconds."""
    maker = Maker(run_id=run, session_id=session)
    maker.begin("")
    first = start or maker.start
    for number, text in enumerate(texts):
        maker.add(MessageDelivered(text=text))
        maker.events[-1] = replace(maker.events[-1], time=first + timedelta(seconds=step * number))
    maker.end()
    return maker


def test_one_long_run_is_taken_in_slice_by_slice(store: Store) -> None:
    """All of it in the same moment too: more texts than a second has numbers for."""
    write(store, delivered("run-1", "s", [f"pelican {number}" for number in range(4000)], step=0.0).events)
    write(store, delivered("run-2", "other", ["pelican here"]).events)
    slices = 1
    while store.search.catch_up(1e-6):
        slices += 1
        assert slices < 20
    assert slices >= 3
    (first, second) = store.search.find("pelican", session_id="s", limit=2)
    assert [text for text, _ in (*first.snippet, *second.snippet)] == ["pelican", " 3999", "pelican", " 3998"]
    assert store.search.sessions("pelican") == {"s": 4000, "other": 1}
    assert len(store.search.find("pelican", limit=5000)) == 4001
    write(store, delivered("run-3", "s", ["pelican again"], step=0.0).events)
    assert store.search.catch_up() == 0
    assert store.search.sessions("pelican")["s"] == 4001


WORDS = st.lists(st.sampled_from(["sea", "seal", "season", "wind", "über", "a_b", "sea-bird"]), min_size=1, max_size=5)


@settings(deadline=None, max_examples=10, suppress_health_check=[HealthCheck.function_scoped_fixture])
@given(
    texts=st.lists(st.tuples(st.integers(0, 3), st.integers(0, 5), WORDS.map(" ".join)), max_size=12),
    query=st.sampled_from(["sea ", "sea", "wind", '"sea wind"', "uber", "a_b ", "wind sea ", "bird sea "]),
)
def test_it_finds_what_reading_everything_finds(
    tmp_path_factory: pytest.TempPathFactory, texts: list[tuple[int, int, str]], query: str
) -> None:
    start = datetime(2026, 5, 1, tzinfo=UTC)
    with Store.open(tmp_path_factory.mktemp("whole") / "sessions.db") as store:
        for number, (session, second, text) in enumerate(texts):
            maker = delivered(f"run-{number}", f"s{session}", [text], start + timedelta(seconds=second))
            write(store, maker.events)
            if number % 3 == 0:
                store.search.catch_up()
        assert store.search.catch_up() == 0
        hits = store.search.find(query, limit=100)
        expected = {f"run-{number}" for number, (_, _, text) in enumerate(texts) if says(text, query)}
        assert {hit.run_id for hit in hits} == expected
        assert len(hits) == len(expected)
        assert [hit.time for hit in hits] == sorted((hit.time for hit in hits), reverse=True)
        counts = store.search.sessions(query)
        assert counts.keys() == {hit.session_id for hit in hits} == store.search.sessions_saying(query)
        assert sum(counts.values()) == len(hits)
        assert store.search.find(query, limit=2, offset=1) == hits[1:3]
        assert store.search.find(query, within=["s1", "none"]) == [hit for hit in hits if hit.session_id == "s1"]


def says(text: str, query: str) -> bool:
    words = text.replace("ü", "u").replace("-", " ").split()
    if query.startswith('"'):
        return query.strip('"') in " ".join(words)
    *whole, last = query.split()
    begun = not query.endswith(" ")
    return all(word in words for word in whole) and any(
        word.startswith(last) if begun else word == last for word in words
    )


def test_a_hit_is_shown_with_what_stands_around_it(store: Store) -> None:
    lines = [f"line {number}" for number in range(9)]
    lines[4] = 'the "pelican\nflies" over'
    write(store, delivered("run-1", "s", ["\n".join(lines), "no bird"]).events)
    assert store.search.catch_up() == 0
    (hit,) = store.search.find("pelican flies")
    around = store.search.around(hit, '"pelican flies"', lines=2)
    assert around is not None
    shown = ["".join(text for text, _ in line) for line in (*around.before, around.line, *around.after)]
    assert shown == ["line 2", "line 3", 'the "pelican', 'flies" over', "line 5"]
    assert ("pelican", True) in around.line
    assert around.after[0][0] == ("flies", True)
    assert store.search.around(hit, "albatross") is None
    store.delete_session("s")
    assert store.search.around(hit, "pelican") is None


def test_what_lies_in_the_trash_is_found_by_nobody_until_it_is_restored(store: Store) -> None:
    maker = delivered("run-1", "s", ["pelican"])
    call = a_call(1)
    maker.events.pop()
    maker.propose(call)
    maker.finish_call(call)
    maker.end()
    write(store, maker.events)
    index = store.search
    assert index.catch_up() == 0
    store.trash("s")
    assert index.catch_up() == 0
    assert (index.find("pelican"), index.sessions("pelican"), index.sessions_using("shell")) == ([], {}, set())
    assert len(index.find("pelican", session_id="s")) == len(index.find("pelican", within=["s"])) == 1
    store.restore("s")
    assert (len(index.find("pelican")), index.sessions("pelican")) == (1, {"s": 1})
    assert index.sessions_using("SHELL") == index.sessions_saying("pelican") == {"s"}


def test_tools_and_files_of_sessions(store: Store) -> None:
    maker = Maker()
    maker.begin()
    patch = "*** Begin Patch\n*** Update File: docs/read me.md\n@@\n-a\n+b\n*** End Patch"
    for number, arguments in enumerate(
        ({"file_path": "/src/a_1.py"}, {"input": patch}, {"path": 7}, {"path": "no\nfile"})
    ):
        call = replace(a_call(number, "mcp__files__edit"), arguments=dict(arguments))
        maker.propose(call)
        maker.add(FilesChanged(call_id=call.call_id, files=(FileChange(path=f"/made/by-{number}"),)))
        maker.finish_call(call)
    write(store, maker.events)
    assert store.search.catch_up() == 0
    for part in ("a_1.py", "/SRC/", "read me.md", "/made/by-3"):
        assert store.search.sessions_touching(part) == {"session-1"}, part
    for part in ("a%1", "ax1", "no\nfile", "7"):
        assert store.search.sessions_touching(part) == set(), part
    assert store.search.sessions_using("files__ed") == {"session-1"}
    assert store.search.sessions_using("_files_edit") == set()


def test_sums_over_calls_and_approvals(store: Store) -> None:
    maker = Maker()
    maker.begin()
    ends: list[tuple[ToolStatus, float]] = [("error", 50.0), ("timeout", 60.0), ("denied", 0.0)]
    ends.extend(("ok", float(second)) for second in range(1, 21))
    for number, (status, seconds) in enumerate(ends):
        call = a_call(number)
        maker.propose(call)
        asked = ApprovalRequested(request_id=f"r{number}", call_id=call.call_id, tool="shell")
        answer = ApprovalResolved(
            call_id=call.call_id,
            request_id=f"r{number}" if number % 2 else "",
            tool="shell" if number % 2 else "",
            decision="deny" if status == "denied" else "allow",
            by="user" if number % 2 else "rule",
            seconds=float(number) if number % 2 else 0.0,
        )
        if number % 2:
            maker.add(asked)
        maker.add(answer)
        # Old facts do not say the tool of a call.
        maker.add(ToolFinished(call_id=call.call_id, status=status, seconds=seconds, output="x"))
    maker.add(ApprovalRequested(request_id="q", call_id="c", tool="ask", asks="question"))
    maker.add(ApprovalResolved(request_id="q", call_id="c", tool="ask", decision="answer", seconds=99.0))
    maker.end()
    write(store, maker.events)
    store.bring_in("claude-code", talk("albatross"))
    expected = ToolSum(
        tool="shell", calls=23, failed=1, timeouts=1, denied=1, seconds=320.0, slowest=60.0, p50=11.0, p95=50.0
    )
    assert store.tool_sums() == [expected]
    assert store.approval_sums() == [
        ApprovalSum(tool="shell", decision="allow", by="rule", count=11, seconds=0.0, slowest=0.0),
        ApprovalSum(tool="shell", decision="allow", by="user", count=11, seconds=121.0, slowest=21.0),
        ApprovalSum(tool="shell", decision="deny", by="rule", count=1, seconds=0.0, slowest=0.0),
    ]
    last = maker.events[-1].time
    assert store.tool_sums(last) == store.approval_sums(last) == []
    half = store.tool_sums(next(event.time for event in maker.events if event.seq == maker.seq // 2))
    assert 0 < half[0].calls < 23
    assert half[0].p50 > 11.0


def test_an_index_of_an_older_version_or_with_damage_in_the_middle_is_made_anew(store: Store, tmp_path: Path) -> None:
    index = tmp_path / "search.db"
    with closing(sqlite3.connect(index)) as connection:
        connection.execute("CREATE TABLE texts(n INTEGER PRIMARY KEY, session_id TEXT)")
        connection.execute("PRAGMA user_version = 1")
        connection.commit()
    write(store, delivered("run-1", "s", [f"pelican {'wing ' * 50}{number}" for number in range(200)]).events)
    assert store.search.catch_up() == 0
    assert len(store.search.find("pelican", limit=500)) == 200
    store.search.close()
    whole = bytearray(index.read_bytes())
    for at in range(4096 * 2, len(whole), 4096):
        whole[at : at + 16] = b"\xff" * 16
    index.write_bytes(bytes(whole))
    with pytest.raises(StoreError, match="the search index"):
        store.search.find("pelican", limit=500)
    assert store.search.catch_up() == 0
    assert len(store.search.find("pelican", limit=500)) == 200


def test_two_programs_that_take_in_the_same_at_once_take_it_once(store: Store, tmp_path: Path) -> None:
    for number in range(60):
        write(store, delivered(f"run-{number}", f"s{number % 7}", ["pelican"] * 40).events)
    with Store.open(tmp_path / "sessions.db") as other:
        catching = [threading.Thread(target=each.search.catch_up) for each in (store, other)]
        for each in catching:
            each.start()
        for each in catching:
            each.join()
        assert sum(other.search.sessions("pelican").values()) == 60 * 40
        assert store.search.behind() == other.search.behind() == 0

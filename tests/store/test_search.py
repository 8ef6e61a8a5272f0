"""Everything that was said and done is found again, in the right place, and what is deleted is found no more."""

from __future__ import annotations

from collections.abc import Iterator
from contextlib import closing
from pathlib import Path

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.errors import StoreError
from runner.events import Event
from runner.importing.build import runs_of
from runner.importing.claude_code import read_claude_code
from runner.importing.codex import read_codex
from runner.store import Store
from runner.store.search import match_of
from tests.importing.test_reading import answered, result, said, sample, tool_use
from tests.store.making import short_run, write


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
    write(store, events[:3])
    assert found(store, "pelican") == [("said", "")]
    write(store, events[3:])
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
    import sqlite3

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

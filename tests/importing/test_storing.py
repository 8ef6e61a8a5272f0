"""Brought-in sessions in the store: marked, found, continued, and never counted twice or as our spending."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from pathlib import Path

import pytest

from runner.errors import ConfigError, NotFoundError, SessionBusyError
from runner.events import Event
from runner.importing.build import runs_of
from runner.importing.claude_code import read_claude_code
from runner.importing.codex import read_codex
from runner.messages import AssistantMessage, ToolResult, UserMessage
from runner.state import fold
from runner.store import Store
from runner.testing.invariants import check_history
from runner.usage import Usage
from tests.importing.test_reading import sample
from tests.store.making import short_run, write


@pytest.fixture
def store(tmp_path: Path) -> Iterator[Store]:
    with Store.open(tmp_path / "sessions.db") as opened:
        yield opened


def claude(lines: int | None = None) -> list[list[Event]]:
    return list(runs_of(read_claude_code(sample("claude-code")[:lines])))


def test_it_is_read_back_as_it_came_and_is_marked(store: Store) -> None:
    runs = claude()
    done = store.bring_in("claude-code", runs)
    assert (done.added, done.changed, done.same, done.kept_back) == (2, 0, 0, 0)
    (summary,) = store.sessions(query="run the probe")
    assert (summary.session_id, summary.imported, summary.agent) == (done.session_id, "claude-code", "Claude Code")
    assert (summary.runs, summary.turns, summary.tool_calls) == (2, 5, 3)
    assert summary.models == ("claude-opus-4-8",)
    assert (summary.status, summary.reason) == ("completed", "complete")
    assert (summary.usage, summary.cost_usd) == (Usage(input=15930, output=121), None)
    assert list(store.events(done.session_id)) == [event for run in runs for event in run]
    assert store.runs(done.session_id) == [fold(run) for run in runs]
    history = store.history(done.session_id)
    assert check_history(history) == []
    kinds = [UserMessage, AssistantMessage, ToolResult, AssistantMessage, ToolResult, AssistantMessage]
    assert [type(message) for message in history[:6]] == kinds


def test_what_others_paid_is_not_our_spending(store: Store) -> None:
    done = store.bring_in("codex", list(runs_of(read_codex(sample("codex")))))
    write(store, short_run("run-own", "session-own").events)
    assert [row.key for row in store.usage("session")] == ["session-own"]
    (row,) = store.usage("session", session_id=done.session_id)
    assert (row.requests, row.usage, row.cost.unknown) == (4, Usage(input=20338, output=115), 4)


def test_taken_in_twice_it_is_there_once_and_what_grew_is_taken(store: Store) -> None:
    first = store.bring_in("claude-code", claude(12))
    assert (first.added, store.session(first.session_id).reason) == (1, "interrupted")
    again = store.bring_in("claude-code", claude())
    assert (again.session_id, again.added, again.changed, again.same) == (first.session_id, 1, 1, 0)
    last = store.bring_in("claude-code", claude())
    assert (last.added, last.changed, last.same) == (0, 0, 2)
    (summary,) = store.sessions()
    assert (summary.runs, summary.turns, summary.tool_calls, summary.reason) == (2, 5, 3, "complete")
    assert summary.usage == Usage(input=15930, output=121)
    assert store.runs(summary.session_id) == [fold(run) for run in claude()]
    assert store.problems == ()


def test_one_that_was_continued_here_keeps_what_it_goes_on_from(store: Store) -> None:
    done = store.bring_in("claude-code", claude(16))
    with store.lease(done.session_id):
        write(store, short_run("run-own", done.session_id, text="Go on").events)
    before: Sequence[object] = store.history(done.session_id)
    again = store.bring_in("claude-code", claude())
    assert (again.added, again.changed, again.same, again.kept_back) == (0, 0, 1, 1)
    assert store.history(done.session_id) == before
    assert store.session(done.session_id).turns == 4
    assert [row.key for row in store.usage("run")] == ["run-own"]


def test_while_it_runs_here_nothing_comes_in(store: Store) -> None:
    done = store.bring_in("claude-code", claude(12))
    with store.lease(done.session_id), pytest.raises(SessionBusyError):
        store.bring_in("claude-code", claude())
    assert store.session(done.session_id).runs == 1


def test_deleted_it_leaves_nothing_behind(store: Store) -> None:
    done = store.bring_in("claude-code", claude())
    store.delete_session(done.session_id)
    with pytest.raises(NotFoundError):
        store.session(done.session_id)
    assert store.usage("all") == []
    assert store.usage("session", session_id="") == []
    assert store.bring_in("claude-code", claude()).added == 2


def test_an_empty_log_is_refused(store: Store) -> None:
    with pytest.raises(ConfigError, match="nothing was said"):
        store.bring_in("codex", [])

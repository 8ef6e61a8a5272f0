"""What is said at the start about runs that the death of the program left open."""

from __future__ import annotations

from runner.store.base import RecoveredRun
from runner.tools.base import ProcessEnd
from tui.recovered import recovered_words


def recovered(title: str, *, calls: int = 0, processes: tuple[ProcessEnd, ...] = ()) -> RecoveredRun:
    return RecoveredRun(
        session_id="s", run_id="r", title=title, open_calls=calls, partial_characters=0, processes=processes
    )


def test_a_run_without_open_calls_is_named() -> None:
    assert recovered_words([recovered("fix it")]) == '1 run was interrupted when the program died: "fix it"'


def test_closed_calls_and_ended_processes_are_counted_and_named() -> None:
    ended = ProcessEnd(pid=1, pgid=1, name="pytest -q", how="terminated", more=2)
    gone = ProcessEnd(pid=2, pgid=2, name="make", how="gone")
    words = recovered_words([recovered("one", calls=1, processes=(ended, gone)), recovered("two", calls=1)])
    assert words == (
        "2 runs were interrupted when the program died (2 open calls closed, 3 processes ended: pytest -q):"
        ' "one", "two"'
    )


def test_a_process_that_is_still_alive_is_said_with_its_id() -> None:
    alive = ProcessEnd(pid=4711, pgid=4711, name="deaf", how="survived")
    assert "STILL ALIVE, end it yourself: 4711" in recovered_words([recovered("one", processes=(alive,))])


def test_many_titles_are_cut() -> None:
    words = recovered_words([recovered(str(number)) for number in range(5)])
    assert words.endswith('"0", "1", "2" and 2 more')

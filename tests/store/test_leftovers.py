"""What a dead program's tools left running is ended before its runs are closed, and told. Real processes."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable, Iterator
from contextlib import closing, suppress
from dataclasses import dataclass, field
from pathlib import Path

import psutil
import pytest

from runner.clock import SystemClock
from runner.errors import SessionBusyError
from runner.events import RunFinished, ToolFinished
from runner.store import Store
from runner.testing.invariants import check_events
from tests.store.children import Child, finish, go, kill, line, start
from tests.store.making import until


@dataclass
class Work:
    """A program that was killed while its tool ran. told: exists once the process has had SIGTERM."""

    process: psutil.Process
    told: Path

    @property
    def alive(self) -> bool:
        with suppress(psutil.NoSuchProcess):
            return self.process.status() != psutil.STATUS_ZOMBIE
        return False


@dataclass
class Killed:
    """Makes such programs, and ends what a test has left of them."""

    database: Path
    folder: Path
    works: list[Work] = field(default_factory=list[Work])

    def __call__(self, session: str = "session-1", kind: str = "plain") -> Work:
        told = self.folder / f"told-{len(self.works)}"
        child = start("work", self.database, session, kind, str(told))
        word, pid = line(child).split()
        assert word == "working"
        self.works.append(Work(psutil.Process(int(pid)), told))
        kill(child)
        assert self.works[-1].alive
        return self.works[-1]


@pytest.fixture
def killed(database: Path, tmp_path: Path) -> Iterator[Killed]:
    made = Killed(database, tmp_path)
    yield made
    for work in made.works:
        with suppress(psutil.NoSuchProcess):
            work.process.kill()


def recovering(database: Path, grace: float = 5.0) -> Child:
    """A program of its own: whoever looks spares its own children."""
    child = start("recover", database, str(grace))
    assert line(child) == "ready"
    go(child)
    return child


def recovered(database: Path, grace: float = 5.0) -> list[str]:
    """The runs that another program closed, with what it told of their processes."""
    child = recovering(database, grace)
    lines: list[str] = []
    while (said := line(child)) != "recovered":
        lines.append(said)
    child.communicate(timeout=60)
    assert child.returncode == 0
    return lines


def end_of_call(database: Path, session: str = "session-1") -> ToolFinished:
    with Store.open(database) as store:
        events = list(store.events(session))
    assert check_events(events) == []
    return next(event for event in events if isinstance(event, ToolFinished))


@pytest.mark.parametrize(("kind", "how"), [("plain", "terminated"), ("stubborn", "killed")])
def test_it_is_ended_and_told(database: Path, killed: Killed, kind: str, how: str) -> None:
    work = killed(kind=kind)
    pid = work.process.pid
    assert recovered(database, 0.2) == [f"run-of-session-1 the work:{pid}:{how}"]
    until(lambda: not work.alive, "the end of the process")
    end = end_of_call(database)
    assert (end.status, end.side_effects) == ("interrupted", "unknown")
    assert f"Its process `the work` ({pid}) was still running and was ended." in end.output
    with Store.open(database) as store:
        *_, last = store.events("session-1")
    assert isinstance(last, RunFinished)
    assert last.receipt is not None
    (process,) = last.receipt["processes"]
    assert (process["pid"], process["name"], process["how"], process["call_id"]) == (pid, "the work", how, end.call_id)
    assert last.receipt["tools"] == [{"call_id": end.call_id, "tool": "shell", "side_effects": "unknown"}]


def test_what_ended_by_itself_is_not_told(database: Path, killed: Killed) -> None:
    work = killed()
    work.process.kill()
    until(lambda: not work.alive, "the end of the process")
    assert recovered(database) == ["run-of-session-1"]
    assert "process" not in end_of_call(database).output


def test_only_open_calls_are_looked_after(database: Path, killed: Killed) -> None:
    work = killed(kind="finished")
    assert recovered(database) == ["run-of-session-1"]
    assert work.alive


def change_start(database: Path) -> None:
    """As if the number had been given to a process that started a second later."""
    sql = (
        "UPDATE events SET json = json_set(json, '$.process_started', json_extract(json, '$.process_started') - 1)"
        " WHERE kind = 'tool_started' AND json_extract(json, '$.pid') IS NOT NULL"
    )
    with closing(sqlite3.connect(database)) as connection:
        assert connection.execute(sql).rowcount == 1
        connection.commit()


def change_boot(database: Path) -> None:
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("UPDATE owners SET place = 'another-boot pid:[1]'")
        connection.commit()


@pytest.mark.parametrize("change", [change_start, change_boot])
def test_a_number_that_belongs_to_somebody_else_is_left_alone(
    database: Path, killed: Killed, change: Callable[[Path], None]
) -> None:
    work = killed()
    change(database)
    assert recovered(database) == ["run-of-session-1"]
    assert work.alive
    assert "process" not in end_of_call(database).output


def test_programs_that_start_at_once_end_it_once_and_tell_it_once(database: Path, killed: Killed) -> None:
    pids = [killed(f"session-{number}", "stubborn").process.pid for number in range(3)]
    children = [start("recover", database, "0.1") for _ in range(3)]
    assert [line(child) for child in children] == ["ready"] * 3
    for child in children:
        go(child)
    told: list[str] = []
    for child in children:
        assert child.stdout is not None
        told += [said.strip() for said in child.stdout if said.strip() != "recovered"]
        assert child.wait(timeout=60) == 0
    assert sorted(told) == [f"run-of-session-{number} the work:{pid}:killed" for number, pid in enumerate(pids)]
    for number in range(3):
        assert "was still running and was ended" in end_of_call(database, f"session-{number}").output


def test_a_session_stays_closed_to_others_while_its_processes_are_ended(database: Path, killed: Killed) -> None:
    """And a program that is killed in the middle of that leaves it to the next one."""
    work = killed(kind="stubborn")
    child = recovering(database, 600.0)
    until(work.told.exists, "the SIGTERM")
    with Store.open(database) as store:
        with pytest.raises(SessionBusyError, match=f"process {child.pid}"):
            store.lease("session-1")
        assert store.recover(SystemClock()) == []
        assert store.session("session-1").live
        kill(child)
        assert work.alive
        assert not store.session("session-1").live
    assert recovered(database, 0.1) == [f"run-of-session-1 the work:{work.process.pid}:killed"]
    until(lambda: not work.alive, "the end of the process")


def test_who_takes_the_lease_of_a_dead_program_closes_its_runs_first(database: Path, killed: Killed) -> None:
    """A program that was already running when the other one died has made its recovery long ago."""
    work, other = killed("session-1", "stubborn"), killed("session-2")
    child = start("hold", database, "session-1")
    assert line(child) == "held"
    assert not work.alive
    assert "was still running and was ended" in end_of_call(database, "session-1").output
    go(child)
    assert finish(child) == "released"
    assert other.alive
    assert [said.split()[0] for said in recovered(database)] == ["run-of-session-2"]

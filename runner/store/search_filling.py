"""How the search index takes in what was stored since, in slices, and lets go of what was deleted."""

from __future__ import annotations

import json
import sqlite3
import time
from collections.abc import Iterable
from dataclasses import dataclass
from typing import Final

from runner.errors import StoreError
from runner.events import ToolProposed
from runner.store.read import Reader
from runner.store.rows import RawRow, decode
from runner.store.search_facts import KINDS, Taken
from runner.store.search_file import CLOSE, MOST_SESSIONS, OPEN, first_number, last_number, next_number, transaction

SMALL_SLICE: Final = 1500
LARGE_SLICE: Final = 10_000
"""Facts of one transaction: small where somebody waits for the next word about it, large where nobody does."""

MERGING: Final = 0.1
"""Seconds of dropping deleted words that somebody who searches waits for."""

_MERGED_PAGES: Final = 400
_MARKS: Final = ", ".join("?" * len(KINDS))


@dataclass(frozen=True, slots=True)
class Missing:
    """A run that the index does not know, or not to its end."""

    run_id: str
    session_id: str
    finished: bool
    inherited: bool
    imported: bool


@dataclass(frozen=True, slots=True)
class _Text:
    """run: its number in the index."""

    session: int
    run: int
    seq: int
    moment: int
    part: str
    tool: str
    text: str


def missing(connection: sqlite3.Connection, reader: Reader) -> list[Missing]:
    """The newest first."""
    # Up to a mark that is known, only runs without an end can have something new.
    open_only = "WHERE r.finished = 0 " if _note(connection, "mark") == _mark(connection, reader) else ""
    # +: sorted at the end, so that the few open ones are found by their own index and not by walking through all.
    rows = reader.all(f"{_RUNS} {open_only}ORDER BY +r.n DESC")
    known = _known(connection, [row[0] for row in rows])
    return [
        Missing(run_id, session_id, bool(finished), bool(inherited), imported is not None)
        for run_id, session_id, finished, inherited, imported in rows
        if known.get(run_id, 0) >= 0 and (finished or _newest(reader, run_id) > known.get(run_id, 0))
    ]


def _newest(reader: Reader, run_id: str) -> int:
    """The number of the run's last fact."""
    last = reader.all("SELECT max(seq) FROM events WHERE run_id = ?", (run_id,))[0][0]
    return last if isinstance(last, int) else 0


_RUNS: Final = (
    "SELECT r.run_id, r.session_id, r.finished, r.inherited, i.run_id FROM runs r"
    " LEFT JOIN imported_runs i ON i.run_id = r.run_id"
)


def _known(connection: sqlite3.Connection, run_ids: list[str]) -> dict[str, int]:
    if len(run_ids) > 100:
        return dict(connection.execute("SELECT run_id, seq FROM indexed").fetchall())
    sql = "SELECT run_id, seq FROM indexed WHERE run_id IN (SELECT value FROM json_each(?))"
    return dict(connection.execute(sql, (json.dumps(run_ids),)).fetchall())


def catch_up(connection: sqlite3.Connection, reader: Reader, seconds: float | None) -> int:
    """How many runs are missing afterwards. One slice is taken in at least, unless there is no time at all."""
    until = None if seconds is None else time.monotonic() + seconds
    size = LARGE_SLICE if seconds is None else SMALL_SLICE
    mark = _mark(connection, reader)
    if _note(connection, "mark") != mark:
        _drop_gone(connection, reader)
    left = missing(connection, reader)
    more = seconds is None or seconds > 0
    while left and more:
        with transaction(connection):
            left = _take_slice(connection, reader, left, size)
        more = until is None or time.monotonic() < until
    if not left:
        if _note(connection, "mark") != mark:
            with transaction(connection):
                _set_note(connection, "mark", mark)
        # Somebody waits where there is an end to the time, and the words are found by nobody any more.
        _merge(connection, None if until is None else min(until, time.monotonic() + MERGING))
    return len(left)


def forget(connection: sqlite3.Connection, session_id: str, seconds: float) -> None:
    """The session is deleted, or was brought in anew. Its words leave the file too: here, as far as that is done within
    so many seconds, or with the next catch_up."""
    numbers = connection.execute("SELECT no FROM known WHERE session_id = ?", (session_id,)).fetchall()
    with transaction(connection):
        # Whoever takes something in at this moment must not believe that he has all of it.
        _set_note(connection, "forgotten", str(int(_note(connection, "forgotten") or 0) + 1))
        for row in numbers:
            runs = [run for (run,) in connection.execute("SELECT run FROM indexed WHERE no = ?", row)]
            _delete_runs(connection, runs)
            for table in ("tools", "files", "known"):
                connection.execute(f"DELETE FROM {table} WHERE no = ?", row)
    _merge(connection, time.monotonic() + seconds)


def _mark(connection: sqlite3.Connection, reader: Reader) -> str:
    """Changes when runs come, end or are forgotten. What is known up to a mark need not be looked for again."""
    rows = reader.all(
        "SELECT (SELECT max(n) FROM runs), (SELECT run_id FROM runs ORDER BY n DESC LIMIT 1),"
        " (SELECT count(*) FROM runs WHERE finished = 0)"
    )
    return " ".join(str(value) for value in (*rows[0], _note(connection, "forgotten")))


def _note(connection: sqlite3.Connection, name: str) -> str:
    row = connection.execute("SELECT value FROM notes WHERE name = ?", (name,)).fetchone()
    return "" if row is None else row[0]


def _set_note(connection: sqlite3.Connection, name: str, value: str) -> None:
    connection.execute("INSERT OR REPLACE INTO notes(name, value) VALUES (?, ?)", (name, value))


def _take_slice(connection: sqlite3.Connection, reader: Reader, runs: list[Missing], size: int) -> list[Missing]:
    """Take in about so many facts of the runs in front; those that are not at their end yet stay."""
    texts: list[_Text] = []
    left = size
    done = 0
    for run in runs:
        read, at_end = _take(connection, reader, run, left, texts)
        left -= read
        if not at_end:
            break
        done += 1
        if left <= 0:
            break
    _insert(connection, texts)
    return runs[done:]


def _take(
    connection: sqlite3.Connection, reader: Reader, run: Missing, most: int, texts: list[_Text]
) -> tuple[int, bool]:
    """How many facts were read, and whether that was all there is."""
    number, no, seen = _number(connection, run)
    if seen < 0:
        # Another program was quicker.
        return 0, True
    newest = _newest(reader, run.run_id)
    rows = reader.all(
        "SELECT seq, CAST(json AS BLOB) FROM events WHERE run_id = ? AND seq > ?"
        f" AND kind IN ({_MARKS}) ORDER BY seq LIMIT ?",
        (run.run_id, seen, *KINDS, most),
    )
    taken = Taken(tool_of=lambda call_id: _tool_of(reader, run.run_id, call_id))
    last = seen
    for seq, data in rows:
        if isinstance(seq, int):
            last = max(last, seq)
        try:
            taken.take(decode(RawRow(run_id=run.run_id, seq=seq, data=data, is_delta=False)))
        except (ValueError, TypeError):
            continue
    at_end = len(rows) < most or last == seen
    if at_end:
        last = max(last, newest)
    texts.extend(_Text(no, number, *text) for text in taken.texts)
    _keep(connection, run, number, no, taken)
    connection.execute(
        "UPDATE indexed SET seq = ? WHERE run = ?", (-1 - last if at_end and run.finished else last, number)
    )
    return len(rows), at_end


def _number(connection: sqlite3.Connection, run: Missing) -> tuple[int, int, int]:
    """Of the run and of its session in the index, and the last fact that was taken in."""
    sql = "SELECT run, no, seq FROM indexed WHERE run_id = ?"
    row = connection.execute(sql, (run.run_id,)).fetchone()
    if row is not None:
        return row
    whose = (run.session_id, int(run.inherited))
    session = connection.execute("SELECT no FROM known WHERE session_id = ? AND inherited = ?", whose).fetchone()
    if session is None:
        session = (_free_number(connection),)
        connection.execute("INSERT INTO known(no, session_id, inherited) VALUES (?, ?, ?)", (*session, *whose))
    connection.execute("INSERT INTO indexed(run_id, no, seq) VALUES (?, ?, 0)", (run.run_id, *session))
    return connection.execute(sql, (run.run_id,)).fetchone()


def _free_number(connection: sqlite3.Connection) -> int:
    last = connection.execute("SELECT coalesce(max(no), 0) FROM known").fetchone()[0]
    if last < MOST_SESSIONS:
        return last + 1
    row = connection.execute(
        "SELECT no + 1 FROM known k WHERE NOT EXISTS (SELECT 1 FROM known o WHERE o.no = k.no + 1) ORDER BY no LIMIT 1"
    ).fetchone()
    if row[0] > MOST_SESSIONS:
        raise StoreError(f"the search index holds {MOST_SESSIONS} sessions at most; delete old ones")
    return row[0]


def _keep(connection: sqlite3.Connection, run: Missing, number: int, no: int, taken: Taken) -> None:
    connection.executemany("INSERT OR IGNORE INTO tools(no, tool) VALUES (?, ?)", [(no, name) for name in taken.tools])
    connection.executemany("INSERT OR IGNORE INTO files(no, path) VALUES (?, ?)", [(no, path) for path in taken.files])
    if run.inherited or run.imported:
        # What another program did, or what is counted where it was first done, is in no statistics.
        return
    connection.executemany(
        "INSERT OR REPLACE INTO calls(run, seq, tool, time, status, seconds) VALUES (?, ?, ?, ?, ?, ?)",
        [(number, *call) for call in taken.calls],
    )
    connection.executemany(
        "INSERT OR REPLACE INTO approvals(run, seq, tool, time, decision, decided_by, seconds)"
        " VALUES (?, ?, ?, ?, ?, ?, ?)",
        [(number, *approval) for approval in taken.approvals],
    )


def _tool_of(reader: Reader, run_id: str, call_id: str) -> str:
    """From the proposal, where that was taken in another time."""
    rows = reader.all(
        "SELECT seq, CAST(json AS BLOB) FROM events WHERE run_id = ? AND kind = 'tool_proposed' AND instr(json, ?) > 0",
        (run_id, json.dumps(call_id)),
    )
    for seq, data in rows:
        try:
            event = decode(RawRow(run_id=run_id, seq=seq, data=data, is_delta=False))
        except (ValueError, TypeError):
            continue
        if isinstance(event, ToolProposed) and event.call_id == call_id:
            return event.tool
    return ""


def _insert(connection: sqlite3.Connection, texts: list[_Text]) -> None:
    # FTS5 writes a part of its own whenever the numbers do not rise.
    texts.sort(key=lambda text: (first_number(text.session, text.moment), text.run, text.seq))
    last: dict[tuple[int, int], int] = {}
    rows: list[tuple[int, _Text]] = []
    taken: set[int] = set()
    for text in texts:
        first = first_number(text.session, text.moment)
        key = (text.session, first)
        number = next_number(last[key]) if key in last else _first_free(connection, text)
        while number in taken:
            number = next_number(number)
        taken.add(number)
        last[key] = number
        rows.append((number, text))
    rows.sort(key=lambda row: row[0])
    connection.executemany(
        "INSERT INTO texts(n, run, seq, part, tool, time) VALUES (?, ?, ?, ?, ?, ?)",
        [(n, text.run, text.seq, text.part, text.tool, text.moment) for n, text in rows],
    )
    connection.executemany(
        "INSERT INTO words(rowid, text) VALUES (?, ?)",
        [(n, text.text.replace(OPEN, "").replace(CLOSE, "")) for n, text in rows],
    )


def _first_free(connection: sqlite3.Connection, text: _Text) -> int:
    """After those of the same second that were taken in before."""
    first, last = first_number(text.session, text.moment), last_number(text.session, text.moment)
    found = connection.execute("SELECT max(n) FROM texts WHERE n BETWEEN ? AND ?", (first, last)).fetchone()[0]
    number = first if found is None else next_number(found)
    while connection.execute("SELECT 1 FROM texts WHERE n = ?", (number,)).fetchone() is not None:
        number = next_number(number)
    return number


def _drop_gone(connection: sqlite3.Connection, reader: Reader) -> None:
    """What another program deleted, or brought in once more, is not what is here."""
    known = dict(connection.execute("SELECT run_id, run FROM indexed").fetchall())
    gone = known.keys() - {row[0] for row in reader.all("SELECT run_id FROM runs")}
    if gone:
        with transaction(connection):
            _delete_runs(connection, [known[run_id] for run_id in gone])
            for table in ("tools", "files", "known"):
                connection.execute(f"DELETE FROM {table} WHERE no NOT IN (SELECT no FROM indexed)")


def _delete_runs(connection: sqlite3.Connection, runs: Iterable[int]) -> None:
    for run in runs:
        connection.execute("DELETE FROM words WHERE rowid IN (SELECT n FROM texts WHERE run = ?)", (run,))
        for table in ("texts", "calls", "approvals", "indexed"):
            connection.execute(f"DELETE FROM {table} WHERE run = ?", (run,))
    _set_note(connection, "unmerged", "1")


def _merge(connection: sqlite3.Connection, until: float | None) -> None:
    """The index keeps deleted words in its parts until these are merged into one; so that is done after deleting, a
    little at a time."""
    if _note(connection, "unmerged") not in ("1", "2"):
        return
    # A negative number merges all parts together; they are chosen once, then each step goes on with them.
    pages = -_MERGED_PAGES if _note(connection, "unmerged") == "1" else _MERGED_PAGES
    while True:
        before = connection.total_changes
        with transaction(connection):
            connection.execute("INSERT INTO words(words, rank) VALUES ('merge', ?)", (pages,))
            finished = connection.total_changes - before < 2
            _set_note(connection, "unmerged", "" if finished else "2")
        if finished:
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
            return
        pages = _MERGED_PAGES
        if until is not None and time.monotonic() >= until:
            return

"""Saving what can be read of a damaged database into a new one. The damaged file is kept beside it, as it is.

The facts are what counts, and each of them says itself where it belongs: runs, lists, sums and decisions are made anew
from them. Names, tags, notes and artifacts are taken over where their rows are whole. What a person had allowed for
whole sessions counts no more: nobody can tell whether all that was taken back could be read.
"""

from __future__ import annotations

import re
import sqlite3
import time
from collections import Counter
from collections.abc import Iterable, Iterator
from contextlib import closing
from dataclasses import dataclass, field, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, Final

from runner.errors import StoreError
from runner.events import Event, RunFinished
from runner.store.annotations import add_tags, set_note
from runner.store.decisions import change_of
from runner.store.ledger import INSERT_SQL, request_row
from runner.store.pages import Pages, Record, Value
from runner.store.paths import prepare
from runner.store.process import Owner, is_alive
from runner.store.rows import RawRow, decode
from runner.store.schema import APPLICATION_ID, VERSION, connect, open_database
from runner.store.search_file import remove_index
from runner.store.tally import RUN_SQL, SESSION_SQL, Tally

DAMAGED: Final = "damaged"
"""The tag of a session that lost something."""

_KIND: Final = re.compile(r"[a-z][a-z_]{1,60}")
_SESSION_COLUMNS, _OLD_SESSION_COLUMNS = 20, (14, 21)
_REQUEST_COLUMNS: Final = 21


@dataclass(frozen=True, slots=True, kw_only=True)
class Rescued:
    """missing: how many facts at least are gone, for each session that lost some. lost: the sessions of which nothing
    is left, as their ids and titles. unreadable: rows of which only a part was left. kept: the damaged file."""

    sessions: int
    runs: int
    events: int
    artifacts: int
    missing: dict[str, int]
    lost: dict[str, str]
    unreadable: int
    kept: Path


@dataclass(slots=True)
class _Found:
    """What was read beside the facts. sessions: their rows, by id. runs: their session, and whether they had ended."""

    runs: dict[str, tuple[str, bool]] = field(default_factory=dict[str, tuple[str, bool]])
    sessions: dict[str, tuple[Value, ...]] = field(default_factory=dict[str, tuple[Value, ...]])
    artifacts: int = 0
    annotations: list[tuple[Value, ...]] = field(default_factory=list[tuple[Value, ...]])
    imported: list[tuple[Value, ...]] = field(default_factory=list[tuple[Value, ...]])
    requests: dict[int, tuple[Value, ...]] = field(default_factory=dict[int, tuple[Value, ...]])
    owners: list[Owner] = field(default_factory=list[Owner])


def is_whole(path: Path) -> bool:
    """Whether SQLite finds nothing wrong with it, and every fact belongs to a run and every run to a session."""
    if not path.exists():
        return True
    try:
        with closing(connect(path, read_only=True)) as connection:
            if connection.execute("PRAGMA quick_check(1)").fetchone()[0] != "ok":
                return False
            lost = (
                "SELECT 1 FROM events WHERE run_id NOT IN (SELECT run_id FROM runs) LIMIT 1",
                "SELECT 1 FROM runs WHERE session_id NOT IN (SELECT session_id FROM sessions) LIMIT 1",
            )
            return all(connection.execute(sql).fetchone() is None for sql in lost)
    except sqlite3.Error:
        return False


def rescue(path: Path, now: float | None = None) -> Rescued:
    """Make a new database of what can be read, and put it in the place of the damaged one, which keeps its contents
    under another name. Raises StoreError where nothing can be read, or where a program still uses it."""
    now = time.time() if now is None else now
    fresh = path.with_name(f"{path.name}.rescued")
    _remove(fresh)
    try:
        prepare(fresh)
        with closing(open_database(fresh)) as connection:
            found, unreadable = _read_all(path, connection)
            for owner in found.owners:
                if is_alive(owner, now):
                    raise StoreError(f"{path} is in use (process {owner.pid}); end it first")
            counts = _rebuild(connection, found, unreadable)
            if counts.runs == 0:
                raise StoreError(f"nothing in {path} can be read; it was left as it is")
            connection.execute("PRAGMA wal_checkpoint(TRUNCATE)").fetchall()
        return _swap(path, fresh, counts, now)
    except sqlite3.Error as error:
        raise StoreError(f"cannot write {fresh}: {error}") from error
    except OSError as error:
        raise StoreError(f"cannot rescue {path}: {error.strerror or error}") from error
    finally:
        _remove(fresh)


def _swap(path: Path, fresh: Path, counts: Rescued, now: float) -> Rescued:
    moment = datetime.fromtimestamp(now, UTC).strftime("%Y%m%d-%H%M%S")
    kept = path.with_name(f"{path.stem}.damaged-{moment}{path.suffix}")
    for suffix in ("-wal", "-shm", ""):
        source = Path(f"{path}{suffix}")
        if source.exists():
            source.rename(f"{kept}{suffix}")
    fresh.rename(path)
    remove_index(path.with_name("search.db"))
    return replace(counts, kept=kept)


def _remove(path: Path) -> None:
    for suffix in ("", "-wal", "-shm"):
        Path(f"{path}{suffix}").unlink(missing_ok=True)


def _read_all(path: Path, connection: sqlite3.Connection) -> tuple[_Found, int]:
    """The facts go into the new database as they come; the rest is small. Also gives how many rows were cut off."""
    found = _Found()
    pages = Pages(path)
    connection.execute("BEGIN IMMEDIATE")
    try:
        if pages.version > VERSION or pages.program not in (0, APPLICATION_ID):
            raise StoreError(f"{path} was written by a newer version or by another program; it was left as it is")
        for record in pages.records():
            _take(record, found, connection)
    finally:
        pages.close()
        connection.execute("COMMIT")
    return found, pages.lost


def _take(record: Record, found: _Found, connection: sqlite3.Connection) -> None:
    match record.values:
        case (str(run_id), int(seq), str(kind), (str() | bytes()) as json) if seq > 0 and _KIND.fullmatch(kind):
            _take_fact(connection, run_id, seq, kind, json)
        case (str(artifact_id), str(), str(), int(), bytes()) if artifact_id.startswith("artifact_"):
            put = (
                "INSERT OR IGNORE INTO artifacts(artifact_id, run_id, call_id, created, content) VALUES (?, ?, ?, ?, ?)"
            )
            found.artifacts += connection.execute(put, record.values).rowcount
        case (str(run_id), str(), str(), str(digest)) if re.fullmatch("[0-9a-f]{64}", digest):
            found.imported.append(record.values)
        case (str(owner_id), int(pid), str(started), str(place), (float() | int()) as seen):
            found.owners.append(Owner(owner_id=owner_id, pid=pid, started=started, place=place, seen=seen))
        case (None, str(run_id), str(session_id), None | str(), str(), str(), str(), int(ended), str(), str(), *_):
            found.runs[run_id] = session_id, bool(ended)
        case (None, str(), str(), int(), "tag" | "note", str(), int()):
            found.annotations.append(record.values[1:])
        case (None, str(), str(), int(), int(), *_) as row if len(row) == _REQUEST_COLUMNS:
            found.requests[record.rowid] = row[1:]
        case (str(session_id), str(), str(), str(), str(), *_) as row if len(row) in (
            _SESSION_COLUMNS,
            *_OLD_SESSION_COLUMNS,
        ):
            found.sessions[session_id] = row
        case _:
            return


def _take_fact(connection: sqlite3.Connection, run_id: str, seq: int, kind: str, json: str | bytes) -> None:
    """A damaged fact is kept too, so that it is told of as before; of two with one number the whole one."""
    row = (run_id, seq, kind, json)
    known = connection.execute("INSERT OR IGNORE INTO events(run_id, seq, kind, json) VALUES (?, ?, ?, ?)", row)
    if known.rowcount == 0:
        data = json.encode("utf-8", "surrogatepass") if isinstance(json, str) else json
        if _decoded(run_id, seq, data) is not None:
            connection.execute("INSERT OR REPLACE INTO events(run_id, seq, kind, json) VALUES (?, ?, ?, ?)", row)


def _decoded(run_id: str, seq: int, data: bytes) -> Event | None:
    try:
        return decode(RawRow(run_id=run_id, seq=seq, data=data, is_delta=False))
    except (ValueError, TypeError):
        return None


def _rebuild(connection: sqlite3.Connection, found: _Found, unreadable: int) -> Rescued:
    """Runs, sessions, sums and decisions, from the facts."""
    missing: Counter[str] = Counter()
    cut: set[str] = set()
    seen: set[str] = set()
    events = 0
    connection.execute("BEGIN IMMEDIATE")
    try:
        for run_id in _in_order(connection):
            run = list(_events(connection, run_id))
            session_id = _store_run(connection, run)
            seen.add(run_id)
            events += len(run)
            last = connection.execute("SELECT max(seq) FROM events WHERE run_id = ?", (run_id,)).fetchone()[0]
            missing[session_id] += last - len(run)
            had_ended = found.runs.get(run_id, ("", None))[1]
            if had_ended is not False and not any(isinstance(event, RunFinished) for event in run):
                cut.add(session_id)
                missing[session_id] += had_ended is True
        for row in found.sessions.values():
            _describe(connection, row)
        known = {row[0] for row in connection.execute("SELECT session_id FROM sessions")}
        missing.update(
            session for run_id, (session, _) in found.runs.items() if run_id not in seen and session in known
        )
        _restore(connection, found, known)
        _mark(connection, +missing, cut)
        connection.execute("COMMIT")
    except BaseException:
        connection.execute("ROLLBACK")
        raise
    return Rescued(
        sessions=len(known),
        runs=len(seen),
        events=events,
        artifacts=found.artifacts,
        missing=dict(+missing),
        lost={session: str(row[1] or row[3]) for session, row in found.sessions.items() if session not in known},
        unreadable=unreadable,
        kept=Path(),
    )


def _mark(connection: sqlite3.Connection, missing: Counter[str], cut: set[str]) -> None:
    """Whoever comes back to a session that lost something finds that written on it."""
    moment = time.time_ns() // 1000
    for session_id in sorted({*missing, *cut}):
        add_tags(connection, session_id, [DAMAGED], "", 0, moment)
        said = [f"{missing[session_id]} or more of its events are gone"] if missing[session_id] else []
        said += ["the end of a run is gone or never came"] if session_id in cut else []
        note = f"Saved from a damaged store: {'; '.join(said)}."
        old = "SELECT text FROM annotations WHERE session_id = ? AND kind = 'note' AND run_id = '' AND turn = 0"
        row = connection.execute(old, (session_id,)).fetchone()
        set_note(connection, session_id, note if row is None else f"{row[0]}\n{note}", "", 0, moment)


def _in_order(connection: sqlite3.Connection) -> list[str]:
    """The runs of which at least one fact can be read, in the order in which they began."""
    firsts: list[tuple[datetime, str]] = []
    for (run_id,) in connection.execute("SELECT DISTINCT run_id FROM events").fetchall():
        first = next(_events(connection, run_id), None)
        if first is not None:
            firsts.append((first.time, run_id))
    return [run_id for _, run_id in sorted(firsts)]


def _events(connection: sqlite3.Connection, run_id: str) -> Iterator[Event]:
    rows = connection.execute("SELECT seq, CAST(json AS BLOB) FROM events WHERE run_id = ? ORDER BY seq", (run_id,))
    for seq, data in rows:
        event = _decoded(run_id, seq, data)
        if event is not None:
            yield event


def _store_run(connection: sqlite3.Connection, events: list[Event]) -> str:
    tally = Tally.of(events[0])
    for event in events:
        tally.take(event)
    connection.execute(RUN_SQL, tally.run_row(""))
    connection.executemany(SESSION_SQL, tally.session_rows())
    if tally.inherited:
        # As where it was forked: what was copied counts for the session that it was copied from.
        connection.execute(
            "UPDATE sessions SET runs = 0, turns = 0, tool_calls = 0 WHERE session_id = ?", (tally.session_id,)
        )
    else:
        requests = (request_row(event) for event in events)
        connection.executemany(INSERT_SQL, [row for row in requests if row is not None])
        for change in map(change_of, events):
            if change is not None:
                connection.execute(*change)
    return tally.session_id


def _describe(connection: sqlite3.Connection, row: tuple[Value, ...]) -> None:
    """What people said of a session, and where it was forked from."""
    connection.execute("UPDATE sessions SET name = ?, name_key = ? WHERE session_id = ?", (row[1], row[2], row[0]))
    for column, value in zip(("title", "workspace", "agent", "models"), row[3:7], strict=True):
        # Of a run whose first fact is gone only this row knows what it was about.
        if isinstance(value, str):
            sql = f"UPDATE sessions SET {column} = ? WHERE session_id = ? AND {column} = ''"
            connection.execute(sql, (value, row[0]))
    if len(row) != _SESSION_COLUMNS:
        return
    created, updated = row[7:9]
    if isinstance(created, int) and isinstance(updated, int):
        connection.execute(
            "UPDATE sessions SET created = ?, updated = max(updated, ?) WHERE session_id = ?",
            (created, updated, row[0]),
        )
    pinned, deleted, root_id, forked_from, forked_run, forked_turn = row[13:19]
    if isinstance(root_id, str) and isinstance(forked_from, str) and isinstance(forked_run, str):
        connection.execute(
            "UPDATE sessions SET pinned = ?, deleted = ?, root_id = ?, forked_from = ?, forked_run = ?,"
            " forked_turn = ? WHERE session_id = ?",
            (int(bool(pinned)), _number(deleted), root_id, forked_from, forked_run, _number(forked_turn) or 0, row[0]),
        )


def _number(value: Value) -> int | None:
    return value if isinstance(value, int) else None


def _restore(connection: sqlite3.Connection, found: _Found, known: set[str]) -> None:
    """All that belongs to what could be read, and what deleted sessions had cost."""
    connection.executemany(
        "INSERT OR IGNORE INTO annotations(session_id, run_id, turn, kind, text, time) VALUES (?, ?, ?, ?, ?, ?)",
        _of_known(found.annotations, 0, known),
    )
    connection.executemany(
        "INSERT OR REPLACE INTO imported_runs(run_id, session_id, source, digest) VALUES (?, ?, ?, ?)",
        _of_known(found.imported, 1, known),
    )
    connection.executemany(INSERT_SQL, _paid(connection, found))
    connection.execute("DELETE FROM artifacts WHERE run_id NOT IN (SELECT run_id FROM runs)")
    orphans = "forked_from <> '' AND forked_from NOT IN (SELECT session_id FROM sessions)"
    connection.execute(f"UPDATE sessions SET root_id = '', forked_from = '', forked_run = '' WHERE {orphans}")
    moment = time.time_ns() // 1000
    connection.execute(
        "INSERT INTO revocations(session_id, after_run, key, time)"
        " SELECT session_id, max(n), '', ? FROM runs GROUP BY session_id",
        (moment,),
    )


def _paid(connection: sqlite3.Connection, found: _Found) -> list[tuple[Value, ...]]:
    """The requests whose facts are gone: of sessions that were deleted, or that nothing else could be read of."""
    counted = set(connection.execute("SELECT run_id, seq FROM requests").fetchall())
    runs = {row[0] for row in connection.execute("SELECT run_id FROM runs")}
    imported = {row[0] for row in found.imported}
    return [
        row if row[0] in runs else ("", "", *row[2:])
        for row in found.requests.values()
        if (row[0], row[2]) not in counted and (row[0] in runs or row[0] not in imported)
    ]


def _of_known(rows: Iterable[tuple[Value, ...]], column: int, known: set[str]) -> list[tuple[Any, ...]]:
    return [row for row in rows if row[column] in known]

"""Tags and notes of sessions, of their runs and turns. What changes something runs inside of a transaction."""

from __future__ import annotations

import sqlite3
from collections.abc import Sequence
from typing import Any

from runner.errors import ConfigError, NotFoundError
from runner.store.base import Annotation
from runner.store.units import clean, from_micros

LONGEST_TAG = 50
LONGEST_NOTE = 10_000


def tag_of(text: str) -> str:
    """A tag as it is kept: one word in small letters, without the sign before it. Raises ConfigError."""
    tag = "-".join(text.strip().lstrip("#").split()).casefold()
    if not tag or len(tag) > LONGEST_TAG or "," in tag or not tag.isprintable():
        raise ConfigError(f"{text!r} is no tag", expected=f"1 to {LONGEST_TAG} printable characters without a comma")
    return tag


def add_tags(
    connection: sqlite3.Connection, session_id: str, tags: Sequence[str], run_id: str, turn: int, now: int
) -> None:
    _require(connection, session_id, run_id, turn)
    connection.executemany(
        "INSERT OR IGNORE INTO annotations(session_id, run_id, turn, kind, text, time) VALUES (?, ?, ?, 'tag', ?, ?)",
        [(session_id, run_id, turn, tag, now) for tag in tags],
    )


def remove_tags(connection: sqlite3.Connection, session_id: str, tags: Sequence[str], run_id: str, turn: int) -> None:
    """Raises NotFoundError where it has one of them not."""
    _require(connection, session_id, run_id, turn)
    for tag in tags:
        gone = connection.execute(
            "DELETE FROM annotations WHERE session_id = ? AND run_id = ? AND turn = ? AND kind = 'tag' AND text = ?",
            (session_id, run_id, turn, tag),
        )
        if gone.rowcount == 0:
            raise NotFoundError(f"session {session_id} has no tag {tag!r} there")


def set_note(connection: sqlite3.Connection, session_id: str, text: str, run_id: str, turn: int, now: int) -> None:
    """In the place of the one before; an empty one takes it away."""
    _require(connection, session_id, run_id, turn)
    text = clean(text.strip()[:LONGEST_NOTE])
    connection.execute(
        "DELETE FROM annotations WHERE session_id = ? AND run_id = ? AND turn = ? AND kind = 'note'",
        (session_id, run_id, turn),
    )
    if text:
        connection.execute(
            "INSERT INTO annotations(session_id, run_id, turn, kind, text, time) VALUES (?, ?, ?, 'note', ?, ?)",
            (session_id, run_id, turn, text, now),
        )


def listed(connection: sqlite3.Connection, session_id: str, tag: str) -> list[Annotation]:
    """Session after session, run after run, in the order of the turns. Those of sessions in the trash only where one is
    asked for."""
    wheres: list[str] = ["s.deleted IS NULL"]
    values: list[Any] = []
    if session_id:
        wheres = ["a.session_id = ?"]
        values.append(session_id)
    if tag:
        wheres.append("a.kind = 'tag' AND a.text = ?")
        values.append(tag)
    rows = connection.execute(
        "SELECT a.session_id, a.run_id, a.turn, a.kind, a.text, a.time FROM annotations a"
        " JOIN sessions s ON s.session_id = a.session_id LEFT JOIN runs r ON r.run_id = a.run_id"
        f" WHERE {' AND '.join(wheres)} ORDER BY s.rowid, r.n, a.turn, a.kind, a.n",
        values,
    ).fetchall()
    return [
        Annotation(
            session_id=row[0],
            run_id=row[1],
            turn=row[2],
            kind="note" if row[3] == "note" else "tag",
            text=row[4],
            time=from_micros(row[5]),
        )
        for row in rows
    ]


def _require(connection: sqlite3.Connection, session_id: str, run_id: str, turn: int) -> None:
    if turn < 0 or (turn > 0 and not run_id):
        raise ConfigError(f"turn {turn} is no turn of a run", expected="a run, and a number from 1 on")
    if connection.execute("SELECT 1 FROM sessions WHERE session_id = ?", (session_id,)).fetchone() is None:
        raise NotFoundError(f"no session has the id {session_id!r}")
    of_it = "SELECT 1 FROM runs WHERE run_id = ? AND session_id = ?"
    if run_id and connection.execute(of_it, (run_id, session_id)).fetchone() is None:
        raise NotFoundError(f"session {session_id} has no run {run_id!r}")

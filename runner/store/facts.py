"""The facts of a session that are of certain kinds, without reading all the others."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from typing import TypeAlias

from runner.events import Event
from runner.store.read import OnProblem, Reader
from runner.store.rows import RawRow

Decode: TypeAlias = Callable[[str, RawRow, OnProblem | None], Event | None]


def facts(reader: Reader, session_id: str, kinds: Sequence[str], decode: Decode) -> list[Event]:
    """Run after run, in order. Nothing where there is no such session."""
    rows = reader.all(
        "SELECT e.run_id, e.seq, CAST(e.json AS BLOB) FROM runs r JOIN events e ON e.run_id = r.run_id"
        f" WHERE r.session_id = ? AND e.kind IN ({', '.join('?' * len(kinds))}) ORDER BY r.n, e.seq",
        (session_id, *kinds),
    )
    raw = (RawRow(run_id=run_id, seq=seq, data=data, is_delta=False) for run_id, seq, data in rows)
    return [event for row in raw if (event := decode(session_id, row, None)) is not None]

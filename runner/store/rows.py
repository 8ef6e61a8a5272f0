"""One stored row, and the event in it."""

from __future__ import annotations

from dataclasses import dataclass

from runner.events import Event
from runner.events.codec import load_json


@dataclass(frozen=True, slots=True, kw_only=True)
class RawRow:
    """A row as it is stored, text undecoded, so that damage in one row stays in that row."""

    run_id: str
    seq: int
    data: bytes
    is_delta: bool


def decode(row: RawRow) -> Event:
    """Raises ValueError where the row is damaged."""
    event = load_json(row.data)
    if event.run_id != row.run_id or event.seq != row.seq:
        raise ValueError(f"the row says run {event.run_id}, seq {event.seq}")
    return event


def problem_text(error: ValueError) -> str:
    """The first line is enough: pydantic repeats the whole input in the others."""
    return (str(error).splitlines() or ["damaged"])[0]

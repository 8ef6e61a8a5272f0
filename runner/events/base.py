"""The envelope that every event carries (SEMANTICS section 5)."""

from __future__ import annotations

from dataclasses import dataclass, field
from datetime import UTC, datetime
from typing import ClassVar

SCHEMA_VERSION = 1
EPOCH = datetime.fromtimestamp(0, UTC)


@dataclass(frozen=True, slots=True, kw_only=True)
class Event:
    """A fact about a run, or a delta.

    v: schema version. seq: gapless per run over facts, from 1; a delta carries the seq of the last fact.
    time: UTC. mono: seconds of a monotonic clock, comparable within one process only.
    turn: from 1, 0 before the first. attempt: from 1 within a turn, 0 where no request belongs to it.
    The loop fills the envelope in when it emits; code that makes an event gives only the fields of its kind.
    """

    is_delta: ClassVar[bool] = False

    v: int = SCHEMA_VERSION
    kind: str = ""
    run_id: str = ""
    session_id: str = ""
    parent_run_id: str | None = None
    seq: int = 0
    time: datetime = field(default=EPOCH)
    mono: float = 0.0
    agent: str = ""
    turn: int = 0
    attempt: int = 0

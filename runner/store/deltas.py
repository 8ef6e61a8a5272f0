"""Streaming text on its way to the disk: joined per stream, written a few times a second, dropped when superseded."""

from __future__ import annotations

from dataclasses import dataclass, field

from runner.events import (
    AttemptDiscarded,
    Event,
    ModelResponded,
    PersonCommandFinished,
    PersonOutputDelta,
    RunFinished,
    ToolFinished,
    ToolOutputDelta,
)
from runner.hub import delta_text, same_stream, with_text

FLUSH_SECONDS = 0.2
"""The longest that a piece of text waits for the disk."""

DeltaRow = tuple[str, str, int, str]
"""run_id, owner, seq, json: the columns of the table."""

MODEL = ""
"""The owner of what the model writes; a tool's output is owned by its call_id, a person's command's by its id."""


def owner_of(delta: Event) -> str:
    match delta:
        case ToolOutputDelta(call_id=owner) | PersonOutputDelta(command_id=owner):
            return owner
        case _:
            return MODEL


@dataclass(frozen=True, slots=True, kw_only=True)
class Superseded:
    """Rows that a fact makes void. owner None: all of the run."""

    run_id: str
    owner: str | None
    before: int


def superseded_by(fact: Event) -> Superseded | None:
    match fact:
        case ModelResponded() | AttemptDiscarded():
            owner = MODEL
        case ToolFinished(call_id=call_id):
            owner = call_id
        case PersonCommandFinished(command_id=command_id):
            owner = command_id
        case RunFinished():
            owner = None
        case _:
            return None
    return Superseded(run_id=fact.run_id, owner=owner, before=fact.seq)


@dataclass(slots=True)
class _Segment:
    first: Event
    pieces: list[str]


@dataclass(slots=True)
class DeltaBuffer:
    """What waits, in order per run and owner. oldest: when the first of it came, seconds, None where nothing waits."""

    oldest: float | None = None
    _waiting: dict[tuple[str, str], list[_Segment]] = field(default_factory=dict[tuple[str, str], list[_Segment]])
    _on_disk: set[tuple[str, str]] = field(default_factory=set[tuple[str, str]])

    def add(self, delta: Event, now: float) -> None:
        segments = self._waiting.setdefault((delta.run_id, owner_of(delta)), [])
        if segments and same_stream(segments[-1].first, delta):
            segments[-1].pieces.append(delta_text(delta))
        else:
            segments.append(_Segment(delta, [delta_text(delta)]))
        if self.oldest is None:
            self.oldest = now

    def supersede(self, gone: Superseded) -> list[Superseded]:
        """Forget what a fact makes void; returns what must be deleted from the database because of it."""
        if gone.owner is not None:
            keys = [(gone.run_id, gone.owner)]
        else:
            keys = [key for key in self._waiting.keys() | self._on_disk if key[0] == gone.run_id]
        on_disk = False
        for key in keys:
            self._waiting.pop(key, None)
            on_disk = on_disk or key in self._on_disk
            self._on_disk.discard(key)
        if not self._waiting:
            self.oldest = None
        return [gone] if on_disk else []

    def rows(self) -> list[tuple[str, Event]]:
        """What waits, joined: the owner and the delta of each row to be written."""
        return [
            (owner, with_text(segment.first, "".join(segment.pieces)))
            for (_, owner), segments in self._waiting.items()
            for segment in segments
        ]

    def written(self) -> None:
        """All that waits is in the database."""
        self._on_disk.update(self._waiting)
        self._waiting.clear()
        self.oldest = None

    def due(self, now: float) -> bool:
        return self.oldest is not None and now - self.oldest >= FLUSH_SECONDS

    def wait(self, now: float) -> float | None:
        """Seconds until what waits is due; None where nothing waits."""
        return None if self.oldest is None else max(0.0, self.oldest + FLUSH_SECONDS - now)

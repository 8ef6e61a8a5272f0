"""Sessions that Quarterdeck itself wrote as JSON lines, on this machine or another: the same events again."""

from __future__ import annotations

import json
import re
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from typing import Final

from runner.events import Event, UnknownEvent
from runner.events.codec import load_json
from runner.importing.lines import Reading, tables, text
from runner.importing.steps import Damage
from runner.messages import JsonObject

DESCRIBED: Final = "session_described"
"""The kind of the line that has what a person wrote about the session."""

_ID = re.compile(r"[A-Za-z0-9_.~:-]{1,200}")
_MOST_SEQ: Final = 2**53


@dataclass(frozen=True, slots=True, kw_only=True)
class Mark:
    """A tag or a note. run_id "": of the whole session; turn 0: of all the run."""

    run_id: str
    turn: int
    kind: str
    text: str


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnSession:
    """runs: the facts of each, in order, oldest first; one that was going on or is damaged may have no end."""

    session_id: str
    runs: tuple[tuple[Event, ...], ...]
    name: str = ""
    marks: tuple[Mark, ...] = ()

    @property
    def workspace(self) -> str:
        return next((text(getattr(event, "workspace", "")) for run in self.runs for event in run[:2]), "")


@dataclass(frozen=True, slots=True, kw_only=True)
class OwnLog:
    """A file of ours. unknown: kinds of events that are not known here; they are kept all the same."""

    sessions: tuple[OwnSession, ...]
    lines: int
    unknown: Mapping[str, int] = field(default_factory=dict[str, int])
    damaged: tuple[Damage, ...] = ()


def is_own(line: Mapping[str, object]) -> bool:
    """Whether a line is one that we write."""
    return "kind" in line and "session_id" in line and ("seq" in line or line.get("kind") == DESCRIBED)


def read_own(lines: Iterable[str]) -> OwnLog:
    """Whatever can be read of it; a line that cannot be is told, and never stops the rest."""
    reader = _Reader(lines)
    for line in reader.reading.objects():
        reader.take(line)
    return reader.log()


class _Reader:
    def __init__(self, lines: Iterable[str]) -> None:
        self.reading = Reading(lines)
        self._runs: dict[str, dict[str, dict[int, Event]]] = {}
        self._owners: dict[str, str] = {}
        self._names: dict[str, str] = {}
        self._marks: dict[str, list[Mark]] = {}

    def take(self, line: JsonObject) -> None:
        if line.get("kind") == DESCRIBED:
            self._describe(line)
            return
        try:
            event = load_json(json.dumps(line))
        except (ValueError, TypeError, RecursionError) as error:
            self.reading.damage(f"not an event: {_first_line(str(error))}")
            return
        problem = self._problem(event)
        if problem:
            self.reading.damage(problem)
            return
        if event.is_delta:
            self.reading.strange(event.kind)
            return
        if isinstance(event, UnknownEvent):
            self.reading.strange(event.kind)
        self._owners[event.run_id] = event.session_id
        self._runs.setdefault(event.session_id, {}).setdefault(event.run_id, {})[event.seq] = event

    def log(self) -> OwnLog:
        return OwnLog(
            sessions=tuple(self._session(session_id, runs) for session_id, runs in self._runs.items()),
            lines=self.reading.count,
            unknown=self.reading.unknown,
            damaged=tuple(self.reading.damaged),
        )

    def _problem(self, event: Event) -> str:
        if not _ID.fullmatch(event.session_id) or not _ID.fullmatch(event.run_id):
            return "it has no usable id of a session and a run"
        if not event.kind or not 0 < event.seq <= _MOST_SEQ:
            return "it has no kind or no place in its run"
        if self._owners.get(event.run_id, event.session_id) != event.session_id:
            return "its run belongs to another session"
        if event.seq in self._runs.get(event.session_id, {}).get(event.run_id, {}):
            return "its place in the run is taken"
        return ""

    def _describe(self, line: JsonObject) -> None:
        session_id = text(line.get("session_id"))
        self._names[session_id] = text(line.get("name"))
        for mark in tables(line.get("marks")):
            turn: object = mark.get("turn")
            place = turn if isinstance(turn, int) and not isinstance(turn, bool) and turn > 0 else 0
            self._marks.setdefault(session_id, []).append(
                Mark(
                    run_id=text(mark.get("run_id")),
                    turn=place,
                    kind=text(mark.get("kind")),
                    text=text(mark.get("text")),
                )
            )

    def _session(self, session_id: str, runs: Mapping[str, Mapping[int, Event]]) -> OwnSession:
        return OwnSession(
            session_id=session_id,
            runs=tuple(tuple(run[seq] for seq in sorted(run)) for run in runs.values()),
            name=self._names.get(session_id, ""),
            marks=tuple(self._marks.get(session_id, ())),
        )


def _first_line(words: str) -> str:
    """pydantic's own words, without the value that it names."""
    lines = [line.strip() for line in words.splitlines() if line.strip()]
    wanted = lines[1:3] if len(lines) > 2 else lines[:1]
    return ": ".join(line.partition(" [type=")[0] for line in wanted)[:160]

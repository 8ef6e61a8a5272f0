"""Our own sessions written as JSON lines, and taken in again."""

from __future__ import annotations

import contextlib
import json
from collections.abc import Iterator, Sequence
from typing import TYPE_CHECKING, Final

from runner.errors import ConfigError
from runner.events import Event, RunFinished
from runner.importing.own import DESCRIBED, OwnSession
from runner.store.base import Annotation, SessionSummary
from runner.store.closing import close_run

if TYPE_CHECKING:
    from runner.store import Store
    from runner.store.imports import Imported

SOURCE: Final = "quarterdeck"


def take_in(store: Store, session: OwnSession) -> Imported:
    """All of it or nothing; what is here already stays as it is. Raises as Store.bring_in does."""
    done = store.bring_in(SOURCE, [whole(run) for run in session.runs])
    if done.added == len(session.runs):
        _describe(store, session)
    return done


def whole(events: Sequence[Event]) -> Sequence[Event]:
    """A run that has no end is closed as one whose program died; the same events are closed in the same way."""
    if any(isinstance(event, RunFinished) for event in events):
        return events
    last = events[-1]
    closing = close_run(
        events,
        run_id=last.run_id,
        session_id=last.session_id,
        next_seq=last.seq + 1,
        now=max(event.time for event in events),
    )
    return (*events, *closing.events)


def _describe(store: Store, session: OwnSession) -> None:
    """Its name, tags and notes; one that could not be written here is left out."""
    if session.name:
        with contextlib.suppress(ConfigError):
            store.rename_session(session.session_id, session.name)
    runs = {run[0].run_id for run in session.runs}
    for mark in session.marks:
        if not mark.text or (mark.run_id and mark.run_id not in runs) or (mark.turn and not mark.run_id):
            continue
        with contextlib.suppress(ConfigError):
            if mark.kind == "note":
                store.set_note(session.session_id, mark.text, run_id=mark.run_id, turn=mark.turn)
            elif mark.kind == "tag":
                store.tag(session.session_id, mark.text, run_id=mark.run_id, turn=mark.turn)


def described(summary: SessionSummary, annotations: Sequence[Annotation]) -> Iterator[bytes]:
    """The line with what a person wrote about the session; none where nobody did."""
    marks = [{"run_id": each.run_id, "turn": each.turn, "kind": each.kind, "text": each.text} for each in annotations]
    if summary.name or marks:
        line = {"v": 1, "kind": DESCRIBED, "session_id": summary.session_id, "name": summary.name, "marks": marks}
        yield json.dumps(line, ensure_ascii=False).encode("utf-8", "replace")

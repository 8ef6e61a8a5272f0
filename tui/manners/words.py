"""What the title and the notices say of a view. Pure; nothing of a model, a tool or a server is in them."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass, field
from pathlib import PurePath
from typing import TYPE_CHECKING, Final

from tui.manners.sequences import ProgressKind
from tui.words import count, duration

if TYPE_CHECKING:
    from runner.state import RunState
    from tui.view import View

_STATES: Final = {"queued": "queued", "paused": "paused", "stopping": "stopping"}
_ENDS: Final = {"completed": "done", "cancelled": "stopped"}


@dataclass(frozen=True, slots=True)
class Told:
    """The state outside of the screen. waits: what needs the person, "" where nothing does. ended: the words of the
    run that ended last, by its id. failed: it failed."""

    words: str = "starting"
    waits: str = ""
    ended: tuple[str, str] = ("", "")
    progress: ProgressKind = ""
    asked: frozenset[str] = field(default_factory=frozenset[str])
    """Ids of what waits, so that one more of it is news."""


def told(view: View) -> Told:
    asked = _asked(view)
    waiting = len(asked) + view.waiting_elsewhere
    if waiting:
        return Told(
            f"waiting for you ({waiting})",
            f"waiting for you: {_what_waits(view)}",
            _ended(view.run),
            "waiting",
            asked | frozenset(f"elsewhere {number}" for number in range(view.waiting_elsewhere)),
        )
    if view.live is not None or view.starting:
        status = "" if view.live is None else view.live.status
        words = "retrying" if view.retrying else _STATES.get(status, "working")
        return Told(words, "", ("", ""), "waiting" if words == "paused" else "busy")
    if view.run is None:
        return Told("ready")
    run_id, words = _ended(view.run)
    return Told(words.partition(" ")[0], "", (run_id, words), "failed" if view.run.status == "failed" else "")


def _asked(view: View) -> frozenset[str]:
    found = {call.asked.request_id for call in view.waiting if call.asked is not None}
    limit = view.limit_asked
    return frozenset(found if limit is None else {*found, f"limit {limit.seq}"})


def _what_waits(view: View) -> str:
    questions = sum(call.asked is not None and call.asked.asks == "question" for call in view.waiting)
    approvals = len(view.waiting) - questions
    parts = [
        count(approvals, "approval") if approvals else "",
        count(questions, "question") if questions else "",
        "a limit is reached" if view.limit_asked is not None else "",
        f"{count(view.waiting_elsewhere, 'approval')} in another session" if view.waiting_elsewhere else "",
    ]
    return ", ".join(filter(None, parts))


def _ended(run: RunState | None) -> tuple[str, str]:
    if run is None or not run.finished:
        return "", ""
    return run.run_id, f"{_ENDS.get(run.status, 'failed')} after {duration(run.seconds)}"


def folder_name(folder: str) -> str:
    return PurePath(folder).name or folder


def title_text(found: Told, folder: str) -> str:
    return f"Quarterdeck: {found.words} - {folder_name(folder)}"


def news(before: Told, now: Told, seen: Sequence[str]) -> str:
    """What is worth a notice: something new that waits, or a run that ended. seen: runs that were told of."""
    if now.asked - before.asked:
        return now.waits
    run_id, words = now.ended
    return words if run_id and run_id not in seen else ""

"""Whether what runs produces output, or for how long it has been quiet. Pure."""

from __future__ import annotations

from typing import Final, NamedTuple

from runner.state import CallItem, Requesting, RunState
from tui.words import seconds as whole_seconds

QUIET: Final = 5.0
"""Seconds without output after which something counts as quiet."""


class Badge(NamedTuple):
    """The sign says without its colour (a theme variable) what the words say."""

    sign: str
    words: str
    token: str

    @property
    def text(self) -> str:
        return f"{self.sign} {self.words}"


def badge(run: RunState | None, now: float) -> Badge | None:
    """Of a run: its open request, else the call that was heard last; None where neither is going on."""
    if run is None or run.finished:
        return None
    if isinstance(run.phase, Requesting):
        return _badge(run.phase.last_mono, run.phase.since_mono, now, "no token yet")
    running = [found for call in run.live_calls if (found := call_badge(call, now)) is not None]
    producing = [found for found in running if found.token == "state-running"]
    return (producing or running or [None])[-1]


def call_badge(call: CallItem, now: float) -> Badge | None:
    """Of a call that runs."""
    if call.phase != "running" or call.started_mono is None:
        return None
    return _badge(call.heard_mono, call.started_mono, now, "no output yet")


def _badge(heard: float | None, began: float, now: float, nothing: str) -> Badge:
    silent = max(0.0, now - (began if heard is None else heard))
    if heard is None:
        return Badge("◌", f"{nothing}, {whole_seconds(silent)}", "muted" if silent < QUIET else "state-waiting")
    if silent < QUIET:
        return Badge("●", "producing output", "state-running")
    return Badge("◌", f"quiet for {whole_seconds(silent)}", "state-waiting")

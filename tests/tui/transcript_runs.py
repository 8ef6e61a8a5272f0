"""Runs for the transcript's tests: states made by folding events, as everywhere else."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime, timedelta

from runner.events import (
    Event,
    ModelRequested,
    ModelResponded,
    RunStarted,
    TextDelta,
    ToolFinished,
    ToolProposed,
    ToolStarted,
    TurnFinished,
    TurnStarted,
)
from runner.messages import UserMessage
from runner.state import RunState, reduce

BEGINNING = datetime(2025, 1, 1, tzinfo=UTC)


class Feed:
    """Fills the envelope of events in and folds them; half a second passes with each."""

    def __init__(self, run_id: str = "run-1", text: str = "hello") -> None:
        self.state = RunState()
        self.run_id = run_id
        self.seq = 0
        self.mono = 0.0
        self.turn = 0
        self(RunStarted(input=(UserMessage(text=text),), model="demo/pilot", workspace="."))

    def __call__(self, *events: Event) -> None:
        for event in events:
            self.mono += 0.5
            if not event.is_delta:
                self.seq += 1
            envelope = replace(
                event,
                run_id=self.run_id,
                session_id="session-1",
                seq=self.seq,
                mono=self.mono,
                turn=self.turn,
                attempt=1,
                agent="deck",
                time=BEGINNING + timedelta(seconds=self.mono),
            )
            self.state = reduce(self.state, envelope)

    def begin(self) -> None:
        """A turn starts and its request is open."""
        self.turn += 1
        self(TurnStarted(model="demo/pilot"), ModelRequested(model="demo/pilot"))

    def stream(self, text: str) -> None:
        self(TextDelta(text=text))

    def answer(self, text: str) -> None:
        """A whole turn with a text only."""
        self.begin()
        self(ModelResponded(model="demo/pilot", text=text, finish_reason="stop", seconds=1.0), TurnFinished())

    def call(
        self, call_id: str, tool: str, arguments: dict[str, object], output: str = "", *, ended: bool = True
    ) -> None:
        self(ToolProposed(call_id=call_id, tool=tool, arguments=arguments), ToolStarted(call_id=call_id, tool=tool))
        if ended:
            self(ToolFinished(call_id=call_id, tool=tool, output=output, seconds=0.25))

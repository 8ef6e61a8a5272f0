"""The turns of a session as a person counts them: what was asked, what was answered, what it did and cost. Pure."""

from __future__ import annotations

from collections.abc import Iterable
from dataclasses import dataclass, field
from datetime import datetime

from runner.events import (
    AttemptDiscarded,
    CompactionFinished,
    Event,
    FilesChanged,
    MessageDelivered,
    ModelResponded,
    RunStarted,
    SamplingFinished,
    ToolProposed,
    TurnFinished,
    TurnStarted,
)
from runner.messages import UserMessage
from runner.state.spans import is_paid
from runner.usage import Cost

KINDS = (
    "run_started",
    "message_delivered",
    "turn_started",
    "model_responded",
    "attempt_discarded",
    "compaction_finished",
    "sampling_finished",
    "tool_proposed",
    "files_changed",
    "turn_finished",
)
"""The kinds of events that turns are made of."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Turn:
    """number: in the whole session, from 1. turn: in its run, from 1.

    prompt: the person's words that came right before it, "" where it goes on with an earlier prompt. calls: how many it
    made. files: the paths that it changed. seconds: how long it took. finished: nothing of it is open any more.
    inherited: it was copied from the session that this one was forked from.
    """

    number: int
    run_id: str
    turn: int
    time: datetime
    prompt: str = ""
    answer: str = ""
    model: str = ""
    agent: str = ""
    calls: int = 0
    files: tuple[str, ...] = ()
    cost: Cost = field(default_factory=Cost)
    seconds: float = 0.0
    finished: bool = False
    inherited: bool = False


def turns(events: Iterable[Event]) -> list[Turn]:
    """Oldest first. events: of KINDS, run after run; those of sub-agents are passed over."""
    maker = _Maker()
    for event in events:
        if event.parent_run_id is None:
            maker.take(event)
    return [open_turn.made(number) for number, open_turn in enumerate(maker.turns, 1)]


def prompt_of(listed: list[Turn], index: int) -> Turn | None:
    """The turn that began with the prompt which this one belongs to; None where nobody asked anything before it."""
    return next((turn for turn in reversed(listed[: index + 1]) if turn.prompt), None)


@dataclass(slots=True)
class _Open:
    run_id: str
    turn: int
    time: datetime
    prompt: str
    inherited: bool
    answer: str = ""
    model: str = ""
    agent: str = ""
    calls: int = 0
    files: list[str] = field(default_factory=list[str])
    cost: Cost = field(default_factory=Cost)
    seconds: float = 0.0
    finished: bool = False

    def made(self, number: int) -> Turn:
        return Turn(
            number=number,
            run_id=self.run_id,
            turn=self.turn,
            time=self.time,
            prompt=self.prompt,
            answer=self.answer,
            model=self.model,
            agent=self.agent,
            calls=self.calls,
            files=tuple(dict.fromkeys(self.files)),
            cost=self.cost,
            seconds=self.seconds,
            finished=self.finished,
            inherited=self.inherited,
        )


class _Maker:
    def __init__(self) -> None:
        self.turns: list[_Open] = []
        self._run_id = ""
        self._inherited = False
        self._said: list[str] = []

    def take(self, event: Event) -> None:
        match event:
            case RunStarted():
                self._run_id, self._inherited = event.run_id, isinstance(event.config.get("inherited"), dict)
                # What stands before the last message is history or a note that the program added.
                self._said = [message.text for message in event.input if isinstance(message, UserMessage)][-1:]
            case MessageDelivered(by="user", text=text):
                self._said.append(text)
            case TurnStarted():
                prompt, self._said = "\n\n".join(self._said), []
                begun = _Open(event.run_id, event.turn, event.time, prompt, self._inherited and self._is_here(event))
                begun.model, begun.agent = event.model, event.agent
                self.turns.append(begun)
            case _ if self.turns and self.turns[-1].run_id == event.run_id:
                self._add(self.turns[-1], event)
            case _:
                pass

    def _is_here(self, event: Event) -> bool:
        return event.run_id == self._run_id

    @staticmethod
    def _add(turn: _Open, event: Event) -> None:
        match event:
            case ModelResponded():
                turn.answer, turn.model = event.text or turn.answer, event.model or turn.model
                turn.cost = turn.cost.add(event.cost_usd)
            case AttemptDiscarded():
                turn.cost = turn.cost.add(event.cost_usd)
            case CompactionFinished() | SamplingFinished() if is_paid(event):
                turn.cost = turn.cost.add(event.cost_usd)
            case ToolProposed():
                turn.calls += 1
            case FilesChanged():
                turn.files += [change.path for change in event.files]
            case TurnFinished():
                turn.finished, turn.seconds = True, event.seconds
            case _:
                pass

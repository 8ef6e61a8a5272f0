"""Two sessions side by side: where they part, which calls only one of them made, what each answered and cost. Pure."""

from __future__ import annotations

import json
from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from dataclasses import dataclass, field
from typing import Literal

from runner.messages import AssistantMessage, ToolResult, ToolStatus, UserMessage
from runner.review.aligning import common
from runner.state import RunState
from runner.usage import Cost, Usage

StepKind = Literal["prompt", "call", "answer"]


@dataclass(frozen=True, slots=True, kw_only=True)
class Step:
    """One thing that was said or done. turn: of the session, from 1; 0 for a message before the first.

    text: of a message or an answer; of a call its arguments, always written the same way. tool, status, output: of a
    call; status None where it has no result. run_id, call_id: where it is in the session.
    ends: an answer after which the model called nothing.
    """

    kind: StepKind
    turn: int
    text: str
    tool: str = ""
    status: ToolStatus | None = None
    output: str = ""
    run_id: str = ""
    call_id: str = ""
    ends: bool = False

    @property
    def meaning(self) -> tuple[str, str, str]:
        """What makes two steps the same: what was said or asked for, not what came of it."""
        return self.kind, self.tool, self.text


@dataclass(frozen=True, slots=True, kw_only=True)
class Row:
    """What stands side by side; one of both may be missing. same: they say or ask for the same."""

    a: Step | None
    b: Step | None

    @property
    def same(self) -> bool:
        return self.a is not None and self.b is not None and self.a.meaning == self.b.meaning

    @property
    def same_outcome(self) -> bool:
        """The same call with the same result."""
        return self.same and _result(self.a) == _result(self.b)


@dataclass(frozen=True, slots=True, kw_only=True)
class Totals:
    """seconds: of the runs, without what waited for a person. inherited: turns that were copied from the session that
    this one was forked from; their tokens, cost and time stay there."""

    runs: int = 0
    turns: int = 0
    calls: int = 0
    inherited: int = 0
    seconds: float = 0.0
    usage: Usage = field(default_factory=Usage)
    cost: Cost = field(default_factory=Cost)


@dataclass(frozen=True, slots=True, kw_only=True)
class Comparison:
    """rows: in the order of both. parted: the first row that differs, None where none does."""

    rows: tuple[Row, ...]
    a: Totals
    b: Totals

    @property
    def parted(self) -> int | None:
        return next((number for number, row in enumerate(self.rows) if not row.same), None)

    def only(self, side: Literal["a", "b"]) -> list[Step]:
        """The calls that only this one made."""
        pairs = ((row.a, row.b) if side == "a" else (row.b, row.a) for row in self.rows if not row.same)
        return [mine for mine, _ in pairs if mine is not None and mine.kind == "call"]


def compare(a: Sequence[RunState], b: Sequence[RunState]) -> Comparison:
    """The runs of two sessions, oldest first."""
    return Comparison(rows=tuple(_align(steps_of(a), steps_of(b))), a=totals_of(a), b=totals_of(b))


def steps_of(runs: Iterable[RunState]) -> list[Step]:
    """What was said and done in the runs, in order."""
    steps: list[Step] = []
    turn = 0
    for run in runs:
        results = {message.call_id: message for message in run.history if isinstance(message, ToolResult)}
        for message in run.history:
            match message:
                case UserMessage(text=text):
                    steps.append(Step(kind="prompt", turn=turn, text=text, run_id=run.run_id))
                case AssistantMessage():
                    turn += 1
                    steps.extend(_said(message, turn, results, run.run_id))
                case ToolResult():
                    continue
    return steps


def totals_of(runs: Iterable[RunState]) -> Totals:
    total = Totals()
    for run in runs:
        paid = run if not run.inherited else RunState()
        total = Totals(
            runs=total.runs + 1,
            turns=total.turns + run.turns_accepted,
            calls=total.calls + run.tool_calls,
            inherited=total.inherited + (run.turns_accepted if run.inherited else 0),
            seconds=total.seconds + paid.active_seconds,
            usage=total.usage + paid.usage,
            cost=total.cost + paid.cost,
        )
    return total


def _said(message: AssistantMessage, turn: int, results: dict[str, ToolResult], run_id: str) -> Iterator[Step]:
    if message.text.strip():
        yield Step(kind="answer", turn=turn, text=message.text, run_id=run_id, ends=not message.tool_calls)
    for call in message.tool_calls:
        result = results.get(call.call_id)
        yield Step(
            kind="call",
            turn=turn,
            text=call.arguments_json if call.arguments is None else _canonical(call.arguments),
            tool=call.tool,
            status=None if result is None else result.status,
            output="" if result is None else result.output,
            run_id=run_id,
            call_id=call.call_id,
        )


def _canonical(arguments: object) -> str:
    return json.dumps(arguments, sort_keys=True, ensure_ascii=False, default=str)


def _result(step: Step | None) -> tuple[object, ...]:
    return () if step is None else (step.status, step.output)


def _align(a: Sequence[Step], b: Sequence[Step]) -> Iterator[Row]:
    """Equal steps beside each other; between them, steps of one kind and tool, which then differ in what they say."""
    return _rows(a, b, lambda step: step.meaning, _beside)


def _beside(a: Sequence[Step], b: Sequence[Step]) -> Iterator[Row]:
    return _rows(a, b, lambda step: (step.kind, step.tool, step.ends), _alone)


def _alone(a: Sequence[Step], b: Sequence[Step]) -> Iterator[Row]:
    yield from (Row(a=step, b=None) for step in a)
    yield from (Row(a=None, b=step) for step in b)


def _rows(
    a: Sequence[Step],
    b: Sequence[Step],
    key: Callable[[Step], Hashable],
    rest: Callable[[Sequence[Step], Sequence[Step]], Iterator[Row]],
) -> Iterator[Row]:
    """What both have by this key is a row each; rest makes those of what lies between."""
    left = right = 0
    for here, there in common([key(step) for step in a], [key(step) for step in b]):
        yield from rest(a[left:here], b[right:there])
        yield Row(a=a[here], b=b[there])
        left, right = here + 1, there + 1
    yield from rest(a[left:], b[right:])

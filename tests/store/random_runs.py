"""Complete runs as a loop could have made them: every kind of fact, at random."""

from __future__ import annotations

import random
from decimal import Decimal

from runner.events import (
    ApprovalRequested,
    ApprovalResolved,
    AttemptDiscarded,
    CompactionFinished,
    CompactionStarted,
    ErrorInfo,
    Event,
    LimitChanged,
    LimitReached,
    MessageDelivered,
    MessageQueued,
    ModelSwitched,
    Paused,
    PersonCommandFinished,
    PersonCommandStarted,
    PersonOutputDelta,
    QueueChanged,
    QueuedText,
    ReasoningDelta,
    Resumed,
    RetryScheduled,
    RetrySkipped,
    SamplingFinished,
    SamplingStarted,
    StatusChanged,
    TextDelta,
    ToolActivity,
    ToolArgumentsDelta,
    ToolFinished,
    ToolOutputDelta,
    ToolStarted,
    TurnFinished,
    UsageUpdated,
)
from runner.messages import ToolCall
from runner.state.person import owed_messages
from runner.usage import Price, Usage, UsageSource
from tests.store.making import Maker, a_call

MODELS = ("demo/pilot", "anthropic/first", "local/unpriced", "without-a-provider")
PRICE = Price(input=Decimal("3"), output=Decimal("15"), cached_input=Decimal("0.3"))
COSTS = (None, Decimal("0.0000123"), Decimal(0), Decimal("12.000000000001"))
SOURCES: tuple[UsageSource, ...] = ("reported", "estimated")
REASONS = ("complete", "error", "max_turns_exceeded")


def random_run(rng: random.Random, run_id: str = "run-1", session_id: str = "session-1") -> Maker:
    """Turns, retries, switches, compactions, parallel tools, approvals, pauses, limits, messages, deltas, commands."""
    maker = Maker(run_id=run_id, session_id=session_id, agent=rng.choice(["deck", "scout"]))
    model = rng.choice(MODELS)
    maker.begin(_words(rng), model)
    for number in range(rng.randint(0, 3)):
        if rng.random() < 0.3:
            _pause(maker, rng)
        _tell(maker)
        maker.begin_turn()
        _commands(maker, rng)
        if rng.random() < 0.3:
            _compaction(maker, rng, model)
        while rng.random() < 0.3:
            _failed_attempt(maker, rng, model)
            model = rng.choice(MODELS)
            maker.add(ModelSwitched(new=model, cause="fallback"))
        calls = tuple(
            a_call(10 * number + index, rng.choice(["shell", "read_file", "mine"]), run_id)
            for index in range(rng.choice([0, 0, 1, 2, 3]))
        )
        maker.request(model, rng.choice([0, 100]), rng.choice([None, PRICE]))
        _stream(maker, rng, calls)
        _commands(maker, rng)
        _send(maker, rng, number)
        maker.answer(_words(rng), calls, rng.choice(COSTS), _usage(rng), model, rng.choice(SOURCES))
        maker.add(UsageUpdated(usage=maker.state.usage, cost_usd=maker.state.cost.total, context_used=7))
        _tools(maker, rng, calls)
        _commands(maker, rng)
        maker.add(TurnFinished(tool_calls=len(calls), usage=Usage(input=100, output=20), seconds=1.0))
        for item in maker.state.queued if rng.random() < 0.7 else ():
            maker.add(MessageDelivered(message_id=item.item_id, text=item.text))
    _commands(maker, rng, over=True)
    _tell(maker)
    maker.end(rng.choice(REASONS))
    return maker


def _words(rng: random.Random) -> str:
    return "".join(rng.choice("ab é\n\t☃\U0001f600\x1b\x00\"'\\`%_") for _ in range(rng.randint(0, 12)))


def _usage(rng: random.Random) -> Usage:
    cached, reasoning = rng.randint(0, 50), rng.randint(0, 50)
    return Usage(
        input=cached + rng.randint(0, 100),
        cached_input=cached,
        cache_write=rng.choice([0, 3]),
        output=reasoning + rng.randint(0, 10**9),
        reasoning=reasoning,
    )


def _send(maker: Maker, rng: random.Random, number: int) -> None:
    for index in range(rng.choice([0, 0, 1, 2])):
        maker.add(MessageQueued(message_id=f"{maker.run_id}-m{number}.{index}", text=_words(rng)))
    waiting = list(maker.state.queued)
    if waiting and rng.random() < 0.5:
        rng.shuffle(waiting)
        left = waiting[: rng.randint(0, len(waiting))]
        maker.add(QueueChanged(messages=tuple(QueuedText(message_id=m.item_id, text=_words(rng)) for m in left)))


def _commands(maker: Maker, rng: random.Random, *, over: bool = False) -> None:
    """Commands of the person's: some begin, those that run print, some end; all of them when the run is over."""
    if not over and rng.random() < 0.3:
        command_id = f"{maker.run_id}-c{maker.state.seq}"
        maker.add(PersonCommandStarted(command_id=command_id, command=_words(rng), share=rng.random() < 0.5))
    for item in maker.state.live_commands:
        for _ in range(rng.randint(0, 2)):
            maker.add(PersonOutputDelta(command_id=item.command_id, stream="stderr", text=_words(rng)))
        if over or rng.random() < 0.4:
            maker.add(
                PersonCommandFinished(
                    command_id=item.command_id,
                    command=item.command,
                    share=item.share,
                    status=rng.choice(["ended", "stopped", "not_started"]),
                    exit_code=rng.choice([0, 1, None]),
                    output=_words(rng),
                )
            )


def _tell(maker: Maker) -> None:
    for told in owed_messages(maker.state):
        maker.add(told)


def _pause(maker: Maker, rng: random.Random) -> None:
    limit = rng.choice(["", "max_cost_usd"])
    if limit:
        maker.add(LimitReached(limit=limit, used=Decimal(1), value=Decimal(1), asks=True))
    maker.add(StatusChanged(old="running", new="paused"))
    maker.add(Paused(by="limit" if limit else "user", limit=limit))
    if limit:
        maker.add(LimitChanged(limit=limit, old=Decimal(1), value=Decimal(2)))
    maker.add(StatusChanged(old="paused", new="running"))
    maker.add(Resumed())


def _compaction(maker: Maker, rng: random.Random, model: str) -> None:
    """A turn is not in the history yet, so everything that is there may go."""
    before = len(maker.state.history)
    how = rng.choice(["model", "outline", "none"])
    maker.add(CompactionStarted(tokens_before=1000, cause="threshold", model=model))
    asked = rng.random() < 0.8
    maker.add(
        CompactionFinished(
            tokens_before=1000,
            tokens_after=100,
            summary="" if how == "none" else f"In short: {_words(rng)}",
            how=how,  # pyright: ignore[reportArgumentType]
            dropped=0 if how == "none" else before,
            model=model,
            provider=rng.choice(["", "somebody"]),
            price=rng.choice([None, PRICE]),
            usage=_usage(rng) if asked else Usage(),
            cost_usd=rng.choice(COSTS) if asked else Decimal(0),
            usage_source=rng.choice(SOURCES),
        )
    )


def _failed_attempt(maker: Maker, rng: random.Random, model: str) -> None:
    maker.request(model, price=rng.choice([None, PRICE]))
    _stream(maker, rng, ())
    paid = rng.random() < 0.5
    maker.add(
        AttemptDiscarded(
            model=model,
            reason=rng.choice(["rate_limit", "model_switched"]),
            usage=_usage(rng) if paid else Usage(),
            cost_usd=rng.choice(COSTS) if paid else Decimal(0),
            usage_source=rng.choice(SOURCES),
        )
    )
    maker.add(RetryScheduled(error=ErrorInfo(type="rate_limit", message="slow down"), delay=0.5))
    if rng.random() < 0.3:
        maker.add(RetrySkipped(to="next_model"))


def _stream(maker: Maker, rng: random.Random, calls: tuple[ToolCall, ...]) -> None:
    for _ in range(rng.randint(0, 4)):
        maker.add(rng.choice([TextDelta, ReasoningDelta])(text=_words(rng)))
    for call in calls:
        for piece in ('{"command"', ': "ls"}'):
            maker.add(ToolArgumentsDelta(call_id=call.call_id, tool=call.tool, text=piece))


def _tools(maker: Maker, rng: random.Random, calls: tuple[ToolCall, ...]) -> None:
    """Side by side: each step belongs to a call chosen at random."""
    for call in calls:
        maker.propose(call)
    steps = {call.call_id: _steps(call, rng) for call in calls}
    while steps:
        call_id = rng.choice(list(steps))
        for event in steps[call_id].pop(0):
            maker.add(event)
        if not steps[call_id]:
            del steps[call_id]


def _steps(call: ToolCall, rng: random.Random) -> list[tuple[Event, ...]]:
    """What stands together in a tuple has nothing of another call in between."""
    steps: list[Event] = []
    together: list[tuple[Event, ...]] = []
    allowed = True
    if rng.random() < 0.5:
        allowed = rng.random() < 0.7
        request_id = f"ask-{call.call_id}"
        steps.append(ApprovalRequested(request_id=request_id, call_id=call.call_id, tool=call.tool))
        steps.append(StatusChanged(old="running", new="waiting_approval"))
        decision = "allow" if allowed else "deny"
        steps.append(ApprovalResolved(request_id=request_id, call_id=call.call_id, decision=decision))
        steps.append(StatusChanged(old="waiting_approval", new="running"))
    if allowed:
        steps.append(ToolStarted(call_id=call.call_id, tool=call.tool))
        for _ in range(rng.randint(0, 3)):
            steps.append(
                ToolOutputDelta(call_id=call.call_id, stream=rng.choice(["stdout", "stderr"]), text=_words(rng))
            )
        steps.append(ToolActivity(call_id=call.call_id, message="half", progress=0.5))
        if rng.random() < 0.3:
            together.append(_sampling(call, rng))
    status = "ok" if allowed else "denied"
    ended = ToolFinished(call_id=call.call_id, tool=call.tool, status=status, output=_words(rng))
    return [*((step,) for step in steps), *together, (ended,)]


def _sampling(call: ToolCall, rng: random.Random) -> tuple[Event, ...]:
    model = rng.choice(["openai/small", "anthropic/first"])
    how = rng.choice(["model", "failed", "none"])
    asked = how != "failed" or rng.random() < 0.5
    return (
        SamplingStarted(call_id=call.call_id, who="git", prompt=_words(rng), model=model, input_tokens_estimate=9),
        SamplingFinished(
            call_id=call.call_id,
            who="git",
            text=_words(rng),
            how=how,  # pyright: ignore[reportArgumentType]
            model=model,
            provider=rng.choice(["", "somebody"]),
            price=rng.choice([None, PRICE]),
            usage=_usage(rng) if asked else Usage(),
            cost_usd=rng.choice(COSTS) if asked else Decimal(0),
            usage_source=rng.choice(SOURCES),
        ),
    )

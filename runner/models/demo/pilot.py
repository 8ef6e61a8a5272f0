"""From the messages of a request to the next response. Nothing is remembered between requests: the script of the
message is played again from its start, fed with the results that are in the history."""

from __future__ import annotations

import re
from collections.abc import Iterator, Sequence
from dataclasses import dataclass, replace

from runner.messages import AssistantMessage, JsonObject, Message, ToolResult, UserMessage
from runner.models.demo import about
from runner.models.demo.intents import AllOfThem, Change, Intent, Resume
from runner.models.demo.outcome import Outcome
from runner.models.demo.perform import name, perform
from runner.models.demo.request import parse
from runner.models.demo.stage import Script, Stage, Turn

_MORE = re.compile(
    r"^\s*(?:(?:and|also|plus|then|additionally|afterwards|after that|when (?:you are|you're) done)\b[\s,:]*)",
    re.IGNORECASE,
)
_NOT_DONE = frozenset({"skipped", "cancelled", "interrupted"})


@dataclass(frozen=True, slots=True)
class Task:
    """Wishes, and the rounds of calls that were made for them so far.

    groups: the wishes of each message that is to be answered; a failure ends only its own group.
    answered: the last word on them was said. left: groups of an earlier message that were given up.
    """

    groups: tuple[tuple[Intent, ...], ...]
    rounds: tuple[tuple[Outcome, ...], ...] = ()
    answered: bool = False
    left: tuple[tuple[Intent, ...], ...] = ()

    @property
    def wishes(self) -> tuple[Intent, ...]:
        return tuple(wish for group in self.groups for wish in group)


def next_turn(messages: Sequence[Message], tools: frozenset[str]) -> Turn:
    """The response to a history, given the names of the tools that are offered."""
    task = read_task(messages, tools)
    stage = Stage(tools)
    if not any(isinstance(message, AssistantMessage) and about.NOTICE in message.text for message in messages):
        stage.say(about.NOTICE)
    if task.left and not task.rounds:
        rest = "; ".join(name(wish) for group in task.left for wish in group)
        stage.say(f"I leave what was not finished of your earlier message ({rest}); say “continue” to go on with it.")
    turn, _ = _play(task, stage)
    return turn


def _play(task: Task, stage: Stage) -> tuple[Turn, bool]:
    """The turn after all that has happened, and whether it is the last one."""
    script = _script(task, stage)
    rounds = iter(task.rounds)
    try:
        turn = next(script)
        while (outcomes := _matching(rounds, turn)) is not None:
            turn = script.send(outcomes)
    except StopIteration:
        reasoning = "All that was asked for has its result; I report what came of it." if task.rounds else ""
        return Turn(reasoning, stage.speak()), True
    return turn, False


def _script(task: Task, stage: Stage) -> Script:
    good = True
    for group in task.groups:
        good = yield from perform(group, stage)
    return good


def _matching(rounds: Iterator[tuple[Outcome, ...]], turn: Turn) -> tuple[Outcome, ...] | None:
    """The next round of these very calls; rounds that another model asked for are passed over."""
    wanted = [(call.tool, call.arguments) for call in turn.calls]
    for outcomes in rounds:
        if [(outcome.tool, outcome.arguments) for outcome in outcomes] == wanted:
            return outcomes
    return None


def read_task(messages: Sequence[Message], tools: frozenset[str]) -> Task:
    """What is to be done now. A message sent in the middle replaces what was going on, unless it says "also"; after
    a stop, "continue" takes it up again."""
    task = Task(())
    last_path: str | None = None
    for index, message in enumerate(messages):
        if isinstance(message, AssistantMessage):
            outcomes = _round(message, messages[index + 1 :])
            if not message.tool_calls and not message.interrupted:
                task = replace(task, answered=True)
            if outcomes:
                task = replace(task, rounds=(*task.rounds, outcomes))
                last_path = _path_in(message) or last_path
        elif isinstance(message, UserMessage):
            task = _next_task(task, message.text, last_path, tools)
    return task


def _next_task(task: Task, text: str, last_path: str | None, tools: frozenset[str]) -> Task:
    wishes = parse(text, last_path)
    pending = bool(task.groups) and not task.answered
    finished = pending and _is_finished(task, tools)
    match wishes:
        case (AllOfThem(),) if task.wishes and isinstance(task.wishes[-1], Change):
            return Task(((replace(task.wishes[-1], every=True),),))
        case (Resume(),) if pending:
            rounds = (outcomes for outcomes in task.rounds if not any(one.status in _NOT_DONE for one in outcomes))
            return Task(task.groups, tuple(rounds))
        case (Resume(),) if task.left:
            return Task(task.left)
        case _ if pending and (_MORE.match(text) or (finished and task.rounds)):
            # What the results came to is still to be said, also where nothing of it is left to be done.
            return Task((*task.groups, wishes), task.rounds)
        case _:
            return Task((wishes,), left=task.groups if pending and not finished else ())


def _is_finished(task: Task, tools: frozenset[str]) -> bool:
    return _play(task, Stage(tools))[1]


def _round(message: AssistantMessage, later: Sequence[Message]) -> tuple[Outcome, ...]:
    """The outcomes of one response's calls; empty where it made none, or where one has no result."""
    results: dict[str, ToolResult] = {}
    for following in later:
        if not isinstance(following, ToolResult):
            break
        results[following.call_id] = following
    outcomes: list[Outcome] = []
    for call in message.tool_calls:
        result = results.get(call.call_id)
        if result is None:
            return ()
        arguments: JsonObject = call.arguments or {}
        outcomes.append(Outcome(call.tool, arguments, result.status, result.output))
    return tuple(outcomes)


def _path_in(message: AssistantMessage) -> str | None:
    paths = [str(call.arguments["path"]) for call in message.tool_calls if call.arguments and "path" in call.arguments]
    return next((path for path in reversed(paths) if path != "."), None)

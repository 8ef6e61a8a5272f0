"""Tagged turns as test cases for an agent: what was said up to a prompt, and what came of it.

A case is a whole exchange: it begins with the prompt that the tagged turn answers, and expects all that the agent did
until the next prompt or the end of the run. Several tagged turns of one exchange are one case.
"""

from __future__ import annotations

import json
import os
from collections.abc import Callable, Iterable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass, field
from decimal import Decimal
from functools import cache
from typing import TYPE_CHECKING, Final, TypeAlias, cast

from runner.errors import InputError
from runner.events import Event, MessageDelivered, ModelResponded, RunStarted
from runner.messages import AssistantMessage, JsonObject, Message, ToolResult, ToolStatus, UserMessage
from runner.state import RunState, reduce
from runner.state.compacted import effective_history
from runner.store.history import valid_history
from runner.usage import Cost, Usage

if TYPE_CHECKING:
    from pydantic import TypeAdapter

    from runner.store import Store
    from runner.store.base import Annotation

FORMAT: Final = 1
"""The number that each line of JSON carries; another one is refused."""


@dataclass(frozen=True, slots=True, kw_only=True)
class ExpectedCall:
    """A call as the model made it, and what it was told of it. arguments None: they were no JSON object."""

    tool: str
    arguments: JsonObject | None
    status: ToolStatus
    output: str


@dataclass(frozen=True, slots=True, kw_only=True)
class Expected:
    """answer: the last text of the exchange. reason: why the run ended, where the exchange was its last one."""

    answer: str
    calls: tuple[ExpectedCall, ...] = ()
    reason: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class CaseMetadata:
    """What the exchange was, and what it cost. cost_usd None: a part is unknown. seconds: without what waited for a
    person. workspace: the folder that its tools worked in."""

    tags: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    turns: int = 0
    usage: Usage = field(default_factory=Usage)
    cost_usd: Decimal | None = None
    seconds: float = 0.0
    workspace: str = ""


@dataclass(frozen=True, slots=True, kw_only=True)
class Case:
    """input: the conversation up to the prompt and the prompt, in the form that a Runner takes. turn: the first one
    that was tagged. agent, model: those of the first answer."""

    id: str
    session_id: str
    run_id: str
    turn: int
    agent: str
    model: str
    input: tuple[JsonObject, ...]
    expected: Expected
    metadata: CaseMetadata


def cases(store: Store, tag: str, *, redact: bool = True) -> Iterator[Case]:
    """The exchanges with a turn of this tag, session after session; without those that go on or had no prompt.

    redact masks secrets, as in exports. Raises ConfigError for what cannot be a tag.
    """
    mask = _masker() if redact else None
    wanted: dict[str, dict[str, set[int]]] = {}
    for note in store.annotations(tag=tag):
        if note.turn:
            wanted.setdefault(note.session_id, {}).setdefault(note.run_id, set()).add(note.turn)
    for session_id, turns in wanted.items():
        notes = store.annotations(session_id)
        for exchange in _exchanges(store, session_id, frozenset(turns)):
            tagged = exchange.turns & turns[exchange.state.run_id]
            if tagged and exchange.prompted:
                case = _case(exchange, min(tagged), notes)
                yield case if mask is None else mask(case)


def to_jsonl(found: Iterable[Case]) -> Iterator[str]:
    """One line of JSON for each, without its end; money as an exact text."""
    for case in found:
        yield json.dumps({"format": FORMAT, **asdict(case)}, separators=(",", ":"), default=str)


def from_jsonl(lines: Iterable[str]) -> Iterator[Case]:
    """The cases in lines of JSON; empty lines are passed over. Raises InputError with the line's number."""
    for number, line in enumerate(lines, 1):
        if not line.strip():
            continue
        try:
            value: object = json.loads(line)
            if not isinstance(value, dict):
                raise InputError(f"line {number}: a case is a JSON object")
            fields = cast("dict[str, object]", value)
            if fields.get("format") != FORMAT:
                raise InputError(f"line {number}: its format is {fields.get('format')!r}; this program reads {FORMAT}")
            case = _adapter().validate_python(fields)
        except ValueError as error:
            raise InputError(f"line {number}: {_first_line(error)}") from error
        yield case


def _first_line(error: ValueError) -> str:
    from pydantic import ValidationError

    if not isinstance(error, ValidationError):
        return str(error)
    first = error.errors(include_url=False, include_context=False, include_input=False)[0]
    return f"{'.'.join(map(str, first['loc']))}: {first['msg']}"


@cache
def _adapter() -> TypeAdapter[Case]:
    from pydantic import TypeAdapter

    return TypeAdapter(Case)


def _masker() -> Callable[[Case], Case]:
    from runner.store.redact import Redactor

    redactor = Redactor(os.environ)
    return lambda case: _adapter().validate_python(redactor.value(json.loads(json.dumps(asdict(case), default=str))))


@dataclass(slots=True)
class _Exchange:
    """From one prompt to the next. given: the conversation up to and with the prompt. begin: how many messages of the
    run were there then; since: its clock and what it had waited by then."""

    given: tuple[Message, ...]
    begin: int
    since: tuple[float, float]
    state: RunState
    turns: set[int] = field(default_factory=set[int])
    agent: str = ""
    model: str = ""
    last: bool = False

    @property
    def prompted(self) -> bool:
        """Whether there is something to answer: a run of a person's command has no prompt."""
        last = self.given[-1] if self.given else None
        return isinstance(last, UserMessage) and bool(last.text.strip())

    @property
    def messages(self) -> Sequence[Message]:
        return self.state.history[self.begin :]


def _exchanges(store: Store, session_id: str, run_ids: frozenset[str]) -> Iterator[_Exchange]:
    """Those of these runs that are over, in order."""
    prior: list[Message] = []
    left = set(run_ids)
    for events in _runs(store.events(session_id)):
        state, found = _fold(events, prior)
        if state.run_id in left:
            left.discard(state.run_id)
            yield from found
        if not left:
            return
        if state.parent_run_id is None:
            prior = valid_history(effective_history(prior, state))


_Run: TypeAlias = "list[Event]"


def _runs(events: Iterable[Event]) -> Iterator[_Run]:
    run: _Run = []
    for event in events:
        if run and event.run_id != run[-1].run_id:
            yield run
            run = []
        run.append(event)
    if run:
        yield run


def _fold(events: _Run, prior: Sequence[Message]) -> tuple[RunState, list[_Exchange]]:
    state = RunState(run_id=events[0].run_id, session_id=events[0].session_id)
    done: list[_Exchange] = []
    current: _Exchange | None = None
    for event in events:
        before, state = state, reduce(state, event)
        if _is_prompt(event) and len(state.history) > len(before.history):
            if current is not None:
                # What it came to is known from the state before the next prompt.
                current.state = before
                done.append(current)
            recalled = prior if state.parent_run_id is None and state.config.get("include_context", True) else ()
            given = valid_history(effective_history(recalled, state))
            current = _Exchange(
                given=tuple(given), begin=len(state.history), since=(state.last_mono, state.waited), state=state
            )
        elif isinstance(event, ModelResponded) and current is not None:
            current.turns.add(event.turn)
            current.agent, current.model = current.agent or event.agent, current.model or event.model
    if current is not None and state.finished:
        current.state, current.last = state, True
        done.append(current)
    return state, done


def _is_prompt(event: Event) -> bool:
    return isinstance(event, RunStarted) or (isinstance(event, MessageDelivered) and event.by == "user")


def _case(exchange: _Exchange, turn: int, annotations: Sequence[Annotation]) -> Case:
    state = exchange.state
    mine = [note for note in annotations if note.run_id == state.run_id and note.turn in exchange.turns]
    paid = [entry for entry in state.ledger if entry.turn in exchange.turns]
    cost = sum((Cost().add(entry.cost_usd) for entry in paid), Cost())
    mono, waited = exchange.since
    return Case(
        id=f"{state.run_id}:{turn}",
        session_id=state.session_id,
        run_id=state.run_id,
        turn=turn,
        agent=exchange.agent,
        model=exchange.model,
        input=tuple(_message(message) for message in exchange.given),
        expected=_expected(exchange),
        metadata=CaseMetadata(
            tags=tuple(dict.fromkeys(note.text for note in mine if note.kind == "tag")),
            notes=tuple(note.text for note in mine if note.kind == "note"),
            turns=len(exchange.turns),
            usage=sum((entry.usage for entry in paid), Usage()),
            cost_usd=cost.total,
            seconds=round(max(0.0, state.last_mono - mono - (state.waited - waited)), 3),
            workspace=state.workspace,
        ),
    )


def _expected(exchange: _Exchange) -> Expected:
    results = {message.call_id: message for message in exchange.messages if isinstance(message, ToolResult)}
    said = [message for message in exchange.messages if isinstance(message, AssistantMessage)]
    return Expected(
        answer=said[-1].text if said else "",
        calls=tuple(
            _call(call.tool, call.arguments, results.get(call.call_id))
            for message in said
            for call in message.tool_calls
        ),
        reason=(exchange.state.reason or "") if exchange.last else "",
    )


def _call(tool: str, arguments: JsonObject | None, result: ToolResult | None) -> ExpectedCall:
    status: ToolStatus = "skipped" if result is None else result.status
    return ExpectedCall(tool=tool, arguments=arguments, status=status, output="" if result is None else result.output)


def _message(message: Message) -> JsonObject:
    """A message as a Runner takes it: reasoning and what only one provider understands are left out."""
    match message:
        case UserMessage():
            return {"role": "user", "content": message.text}
        case ToolResult():
            called: Mapping[str, str] = {"call_id": message.call_id, "tool": message.tool, "status": message.status}
            return {"role": "tool", "content": message.output, **called}
        case AssistantMessage():
            calls = [
                {"call_id": call.call_id, "tool": call.tool, "arguments": call.arguments or {}}
                for call in message.tool_calls
            ]
            return {"role": "assistant", "content": message.text, **({"tool_calls": calls} if calls else {})}

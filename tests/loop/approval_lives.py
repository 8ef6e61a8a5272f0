"""Runs of one session, each in a program of its own that may die, and the person who answers them."""

from __future__ import annotations

import asyncio
import contextlib
import json
from collections.abc import Callable, Sequence
from concurrent.futures import Future
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path
from typing import Any, TypeAlias

from runner import Agent, CommandError, RunConfig, Runner
from runner.control.handle import RunHandle
from runner.errors import StoreError
from runner.events import ApprovalRequested, ApprovalResolved, Event, Pattern, Paused, ToolPattern
from runner.ids import SequentialIds
from runner.policy import GrantFile
from runner.policy.made import grants_made
from runner.policy.uses import grant_key
from runner.store import Store
from runner.testing import FakeClock, ScriptedModel
from runner.tools import tool
from runner.tools.base import Question, Tool, ToolContext
from runner.usage import Price
from tests.loop.harness import Models

Arguments: TypeAlias = dict[str, Any]

SESSION = "session-1"
PRICE = Price(input=Decimal(10_000), output=Decimal(0))


@dataclass
class World:
    """What the tools did, and what the person said that was taken: by the ids of runs, calls and requests. killed: the
    runs whose program died."""

    done: list[tuple[str, str, str, str]] = field(default_factory=list[tuple[str, str, str, str]])
    said: dict[tuple[str, str], tuple[str, Arguments | None]] = field(
        default_factory=dict[tuple[str, str], tuple[str, Arguments | None]]
    )
    killed: set[str] = field(default_factory=set[str])

    def tools(self) -> list[Tool]:
        async def do(ctx: ToolContext, name: str, **arguments: str) -> str:
            self.done.append((ctx.run_id, ctx.call_id, name, json.dumps(arguments)))
            # Long enough for others to wait for the only slot.
            await asyncio.sleep(0.05 if "slow" in arguments.values() else 0.001)
            if "fail" in arguments.values():
                raise ValueError("no")
            return "ok"

        @tool
        async def write(ctx: ToolContext, text: str) -> str:
            """Change something; text "fail" fails. text: what."""
            return await do(ctx, "write", text=text)

        @tool
        async def put(ctx: ToolContext, path: str) -> str:
            """Change a file. path: which."""
            return await do(ctx, "put", path=path)

        @tool(read_only=True)
        async def look(ctx: ToolContext, text: str) -> str:
            """Change nothing. text: anything."""
            return await do(ctx, "look", text=text)

        @tool(requires_approval=False)
        async def wonder(ctx: ToolContext, text: str) -> str:
            """Ask. text: what."""
            assert ctx.host is not None
            return str((await ctx.host.ask(Question(text=text, choices=("yes", "no")))).answer)

        return [write, put, look, wonder]


READS_OR_ASKS = ("look", "wonder")
"""Tools that the mode allows."""


class Mortal:
    """The journal of a program that may be killed: from then on nothing is stored, and nothing is told."""

    def __init__(self, store: Store) -> None:
        self._journal = store.journal
        self.dead = False

    def submit(self, event: Event, publish: Callable[[list[Event]], None]) -> None:
        if not self.dead:
            self._journal.submit(event, publish)

    def barrier(self) -> Future[None]:
        if not self.dead:
            return self._journal.barrier()
        lost: Future[None] = Future()
        lost.set_exception(StoreError("the program is dead"))
        return lost


class Program:
    """A store as a runner uses it, with a journal that can die."""

    def __init__(self, folder: Path) -> None:
        self.store = Store.open(folder / "q.db")
        self.journal = Mortal(self.store)

    def __getattr__(self, name: str) -> Any:
        return getattr(self.store, name)


@dataclass(frozen=True, slots=True)
class Act:
    """What a person does about a request. answer: None lets it wait. then: what follows."""

    answer: Arguments | None
    then: tuple[str, ...] = ()


@dataclass(frozen=True, slots=True)
class Life:
    """One run: its script, and what happens at its requests, one after the other."""

    script: Sequence[Any]
    acts: Sequence[Act]
    questions: Sequence[str]
    parallel: int


@dataclass
class Person:
    handle: RunHandle
    world: World
    clock: FakeClock
    journal: Mortal
    folder: Path
    life: Life
    acts: list[Act] = field(default_factory=list[Act])
    questions: list[str] = field(default_factory=list[str])
    waiting: list[ApprovalRequested] = field(default_factory=list[ApprovalRequested])
    answered: list[ApprovalRequested] = field(default_factory=list[ApprovalRequested])
    keys: list[str] = field(default_factory=list[str])

    def __post_init__(self) -> None:
        self.acts, self.questions = list(self.life.acts), list(self.life.questions)

    def sees(self, event: Event) -> None:
        match event:
            case ApprovalRequested(asks="question"):
                how = self.questions.pop(0) if self.questions else "deny"
                arguments = {"answers": ["yes"]} if how == "answer" else None
                self.decide(event, {"decision": how, "arguments": arguments})
            case ApprovalRequested():
                self.waiting.append(event)
                self.act(self.acts.pop(0) if self.acts else Act({"decision": "deny"}))
            case ApprovalResolved():
                self.keys += [grant_key(grant) for grant in grants_made(event)] + list(event.grants)
            case Paused():
                asyncio.get_running_loop().call_soon(lambda: self.do("resume"))
            case _:
                pass

    def act(self, act: Act) -> None:
        if act.answer is None and self.acts:
            # Whoever waits is answered after the next one, or in a moment where none comes.
            asyncio.get_running_loop().call_later(0.004, self.catch_up)
            return
        for request in reversed(self.waiting):
            self.decide(request, act.answer or {"decision": "deny"})
        self.answered += self.waiting
        self.waiting.clear()
        for name in act.then:
            self.do(name)

    def catch_up(self) -> None:
        if self.waiting:
            self.act(self.acts.pop(0) if self.acts and self.acts[0].answer else Act({"decision": "deny"}))

    def decide(self, request: ApprovalRequested, answer: Arguments) -> None:
        """A refused answer leaves the request open, so a denial follows."""
        given = dict(answer)
        if "patterns" in given:
            given["patterns"] = [pattern(request.tool, kind, request.arguments) for kind in given["patterns"]]
        if given["decision"] == "edit":
            name = "path" if request.tool == "put" else "text"
            given["arguments"] = {name: given["arguments"]}
        try:
            self.handle.decide(request.request_id, **given)
        except CommandError:
            with contextlib.suppress(CommandError):
                self.handle.decide(request.request_id, "deny")
                given = {"decision": "deny"}
                self.world.said[request.run_id, request.request_id] = ("deny", None)
            return
        self.world.said[request.run_id, request.request_id] = (given["decision"], given.get("arguments"))

    def do(self, name: str) -> None:
        with contextlib.suppress(CommandError):
            match name:
                case "again":
                    self.handle.decide(self.answered[-1].request_id, "allow")
                case "late":
                    self.handle.decide(self.answered[0].request_id, "allow", scope="run")
                case "revoke":
                    self.handle.revoke()
                case "revoke_one" if self.keys:
                    self.handle.revoke(self.keys[len(self.keys) // 2])
                case "time":
                    self.clock.advance(400)
                case "kill":
                    self.journal.dead = True
                    self.world.killed.add(self.handle.run_id)
                    self.handle.abort()
                case "gone":
                    self.handle.approver_gone()
                case "message":
                    self.handle.send("rather this", now=True)
                case "stop" | "abort" | "pause" | "wrap_up" | "resume":
                    getattr(self.handle, name)()
                case _:
                    pass


def pattern(name: str, kind: str, arguments: Arguments) -> ToolPattern:
    match kind:
        case "below":
            return ToolPattern(tool=name, pattern=Pattern(below="src"))
        case "exact":
            return ToolPattern(tool=name, pattern=Pattern(arguments=arguments))
        case _:
            return ToolPattern(tool=name, pattern=Pattern())


async def live_through(life: Life, number: int, folder: Path, world: World, clock: FakeClock) -> None:
    """A program of its own for each run: what the one before it left open, and its lease, is found by this one."""
    program = Program(folder)
    model = ScriptedModel([*life.script, "the end"], price=PRICE, loop_last=True)
    file = GrantFile(folder / "grants.json")
    ids = SequentialIds()
    runner = Runner(store=program, models=Models([model]), ids=ids, clock=clock, grants=file, jitter=lambda: 0.0)  # pyright: ignore[reportArgumentType]
    config = RunConfig(
        session_id=SESSION,
        run_id=f"run-{number}",
        workspace=folder / "work",
        max_time=None,
        # The scripted models give calls the same ids in each run: harder here, and no history for one provider.
        include_context=False,
        tool_concurrency=life.parallel,
        backoff_initial=0.001,
    )
    try:
        handle = runner.start(Agent(name="deck", model=model, tools=world.tools()), "go", config)
        person = Person(handle, world, clock, program.journal, folder, life)
        reading = asyncio.ensure_future(_read(handle, person))
        await handle.result()
        if not program.journal.dead:
            await reading
        reading.cancel()
    finally:
        program.store.close()


async def _read(handle: RunHandle, person: Person) -> None:
    async for event in handle.events():
        person.sees(event)

"""Sampling: somebody besides the agent asks the run's model; only where it may, and paid like every request."""

from __future__ import annotations

import asyncio
from dataclasses import dataclass, field
from decimal import Decimal
from pathlib import Path

import pytest

from runner import RunConfig
from runner.errors import ServerError, ToolError
from runner.events import (
    Event,
    ModelRequested,
    RunFinished,
    SamplingFinished,
    SamplingStarted,
    ToolFinished,
    UsageUpdated,
)
from runner.messages import AssistantMessage, UserMessage
from runner.models.base import Model
from runner.store import Store
from runner.testing import ScriptedModel, calls, hold, reply, text, usage
from runner.testing.scripted import Step
from runner.tools import tool
from runner.tools.base import Sampled, Sampling, Tool, ToolContext
from runner.usage import Price, Usage
from tests.loop.harness import live

PRICE = Price(input=Decimal(1), output=Decimal(2))
ALLOWED = RunConfig(sampling=("git",))


@dataclass(slots=True)
class Server:
    """A tool that asks the model while it runs, as a server's tool does. aside: it asks from a task of its own."""

    who: str = "git"
    asked: Sampling | None = None
    aside: bool = False
    got: list[Sampled] = field(default_factory=list[Sampled])
    refused: list[str] = field(default_factory=list[str])
    tasks: list[asyncio.Task[None]] = field(default_factory=list["asyncio.Task[None]"])

    def request(self, prompt: str) -> Sampling:
        return self.asked or Sampling(who=self.who, messages=(("user", prompt),), system="Be brief.", max_tokens=50)

    async def ask(self, ctx: ToolContext, prompt: str) -> None:
        assert ctx.host is not None
        try:
            self.got.append(await ctx.host.sample(self.request(prompt)))
        except ToolError as error:
            self.refused.append(str(error))

    def tools(self) -> list[Tool]:
        @tool(read_only=True)
        async def describe(ctx: ToolContext, prompt: str = "what is it?") -> str:
            """Ask the model. prompt: what."""
            if self.aside:
                self.tasks.append(asyncio.ensure_future(self.ask(ctx, prompt)))
                await asyncio.Event().wait()
            await self.ask(ctx, prompt)
            return self.got[-1].text if self.got else self.refused[-1]

        return [describe]


def asks(*prompts: str) -> list[Step]:
    return reply(calls(*(("describe", {"prompt": prompt}) for prompt in prompts or ("what is it?",))), usage(10, 5))


async def test_the_runs_model_answers_and_the_request_is_paid_and_in_the_ledger() -> None:
    server = Server()
    model = ScriptedModel([asks(), reply(text("A parser."), usage(300, 20)), reply(text("end"))], price=PRICE)
    async with live(model, server.tools(), config=ALLOWED) as running:
        result = await running.result()
    assert [(sampled.text, sampled.model, sampled.finish_reason) for sampled in server.got] == [
        ("A parser.", "test/scripted", "stop")
    ]
    sent = model.requests[1]
    assert (sent.instructions, list(sent.messages), list(sent.tools)) == (
        "Be brief.",
        [UserMessage(text="what is it?")],
        [],
    )
    assert sent.settings.max_tokens == 50
    started, finished = running.recorder.only(SamplingStarted), running.recorder.only(SamplingFinished)
    assert (started.who, started.model, "what is it?" in started.prompt) == ("git", "test/scripted", True)
    assert (finished.how, finished.text, finished.usage) == ("model", "A parser.", Usage(input=300, output=20))
    entry = next(entry for entry in result.ledger if entry.purpose == "sampling")
    assert (entry.cost_usd, entry.discarded) == (Decimal("0.00034"), False)
    assert result.usage.input == 10 + 300 + 10
    assert result.cost_usd == sum((entry.cost_usd or Decimal(0) for entry in result.ledger), Decimal(0))
    assert result.turn_count == 2
    assert "A parser." not in [m.text for m in result.history if isinstance(m, AssistantMessage)]


async def test_who_is_not_named_in_the_configuration_is_refused_and_nothing_is_sent() -> None:
    server = Server(who="other")
    model = ScriptedModel([asks(), "end"])
    async with live(model, server.tools(), config=ALLOWED) as running:
        result = await running.result()
    assert result.reason == "complete"
    assert "other may not use the model" in server.refused[0]
    assert len(model.requests) == 2
    assert not running.recorder.of(SamplingStarted)


@pytest.mark.parametrize(
    "messages", [(), (("user", " "),), (("user", "a"), ("assistant", "b"))], ids=["none", "blank", "an answer"]
)
async def test_a_request_that_no_provider_would_take_is_refused(messages: tuple[tuple[str, str], ...]) -> None:
    server = Server(asked=Sampling(who="git", messages=messages))
    model = ScriptedModel([asks(), "end"])
    async with live(model, server.tools(), config=ALLOWED) as running:
        await running.result()
    assert "no message of the user's" in server.refused[0]
    assert len(model.requests) == 2


LIMITS = [
    ({"max_model_requests": 1}, "max_model_requests", "request_limit_exceeded"),
    ({"max_total_tokens": 150}, "max_total_tokens", "token_limit_exceeded"),
    ({"max_cost_usd": Decimal("0.0002")}, "max_cost_usd", "budget_exceeded"),
    ({"max_turns": 1}, "max_turns", "max_turns_exceeded"),
]


@pytest.mark.parametrize(("limits", "name", "reason"), LIMITS, ids=[case[1] for case in LIMITS])
async def test_no_request_starts_once_a_limit_is_reached(limits: dict[str, object], name: str, reason: str) -> None:
    server = Server()
    model = ScriptedModel([reply(calls(("describe", {})), usage(100, 50)), "never"], price=PRICE)
    config = RunConfig(sampling=("git",), **limits)  # pyright: ignore[reportArgumentType]
    async with live(model, server.tools(), config=config) as running:
        result = await running.result()
    assert name in server.refused[0]
    assert len(model.requests) == 1
    assert result.reason == reason


async def test_a_prompt_that_could_pass_the_cost_limit_by_itself_is_refused_and_the_run_goes_on() -> None:
    server = Server()
    model = ScriptedModel([asks("x" * 4000), "end"], price=PRICE)
    config = RunConfig(sampling=("git",), max_cost_usd=Decimal("0.001"))
    async with live(model, server.tools(), config=config) as running:
        result = await running.result()
    assert "max_cost_usd" in server.refused[0]
    assert (result.reason, result.final_output) == ("complete", "end")


async def test_each_request_counts_against_the_limit_of_requests() -> None:
    server = Server()
    model = ScriptedModel([asks("a", "b", "c"), "one", "two", "never"])
    config = RunConfig(sampling=("git",), max_model_requests=3)
    async with live(model, server.tools(), config=config) as running:
        result = await running.result()
    assert (len(server.got), len(server.refused)) == (2, 1)
    assert len(model.requests) == 3
    assert result.reason == "request_limit_exceeded"


async def test_calls_that_ask_side_by_side_are_answered_one_after_another() -> None:
    server, gate = Server(), hold()
    model = ScriptedModel([asks("a", "b"), [gate, *reply(text("first"))], "second", "end"])
    async with live(model, server.tools(), config=ALLOWED) as running:
        await gate.reached()
        assert len(model.requests) == 2
        gate.release()
        result = await running.result()
    assert [sampled.text for sampled in server.got] == ["first", "second"]
    assert result.final_output == "end"


async def test_a_failed_request_is_told_to_who_asked_and_nothing_is_retried() -> None:
    server = Server()
    model = ScriptedModel([asks(), ServerError("500"), "end"], price=PRICE)
    async with live(model, server.tools(), config=ALLOWED) as running:
        result = await running.result()
    assert "500" in server.refused[0]
    finished = running.recorder.only(SamplingFinished)
    assert (finished.how, finished.cost_usd) == ("failed", Decimal(0))
    assert (result.final_output, len(model.requests)) == ("end", 3)
    assert [entry.purpose for entry in result.ledger] == ["turn", "turn"]


async def test_an_abort_closes_the_request_and_keeps_what_it_cost() -> None:
    server, gate = Server(), hold()
    model = ScriptedModel([asks(), [*text("half an"), gate]], price=PRICE)
    async with live(model, server.tools(), config=ALLOWED) as running:
        await gate.reached()
        running.handle.abort()
        result = await running.result()
    assert result.reason == "aborted"
    assert model.open_streams == 0
    finished = running.recorder.only(SamplingFinished)
    assert (finished.how, finished.text, finished.usage_source) == ("none", "half an", "estimated")
    assert next(entry for entry in result.ledger if entry.purpose == "sampling").discarded
    receipt = running.recorder.only(RunFinished).receipt
    assert receipt is not None
    assert len(receipt["requests"]) == 1


@pytest.mark.parametrize("how", ["stop", "abort", "cancel_tool", "send", "timeout"])
async def test_a_request_never_outlives_its_call_even_from_a_task_that_does(how: str) -> None:
    server, gate = Server(aside=True), hold()
    model = ScriptedModel([asks(), [*text("half"), gate], "end", "end"], price=PRICE)
    config = RunConfig(sampling=("git",), tool_timeout=0.3 if how == "timeout" else None)
    async with live(model, server.tools(), config=config) as running:
        await gate.reached()
        call_id = running.recorder.only(SamplingStarted).call_id
        match how:
            case "stop":
                running.handle.stop()
                running.handle.abort()
            case "abort":
                running.handle.abort()
            case "cancel_tool":
                running.handle.cancel_tool(call_id)
            case "send":
                running.handle.send("something else", now=True)
            case _:
                pass
        await running.result()
        await asyncio.wait(server.tasks)
    kinds: list[Event] = [
        event for event in running.recorder.facts if isinstance(event, SamplingFinished | ToolFinished)
    ]
    assert [type(event) for event in kinds] == [SamplingFinished, ToolFinished]
    assert server.got == []
    assert model.open_streams == 0


async def test_a_request_after_the_call_is_refused() -> None:
    kept: list[ToolContext] = []

    @tool(read_only=True)
    async def keep(ctx: ToolContext) -> str:
        """Keep the context."""
        kept.append(ctx)
        return "kept"

    gate = hold()
    model = ScriptedModel([reply(calls(("keep", {}))), [gate, *reply(text("end"))]])
    async with live(model, [keep], config=ALLOWED) as running:
        await gate.reached()
        assert kept[0].host is not None
        with pytest.raises(ToolError, match="not asked"):
            await kept[0].host.sample(Server().request("late"))
        gate.release()
        await running.result()
    assert len(model.requests) == 2


async def test_a_stopping_run_makes_no_further_request() -> None:
    server, gate = Server(), hold()

    @tool(read_only=True)
    async def slow(ctx: ToolContext) -> str:
        """Wait, then ask."""
        await gate.pass_through()
        await server.ask(ctx, "too late?")
        return "done"

    model = ScriptedModel([reply(calls(("slow", {}))), "never"])
    async with live(model, [slow], config=ALLOWED) as running:
        await gate.reached()
        running.handle.stop()
        gate.release()
        result = await running.result()
    assert result.reason == "stopped"
    assert "ending" in server.refused[0]
    assert len(model.requests) == 1


async def test_it_waits_through_a_pause() -> None:
    server, gate = Server(), hold()

    @tool(read_only=True)
    async def slow(ctx: ToolContext) -> str:
        """Wait, then ask."""
        await gate.pass_through()
        await server.ask(ctx, "now?")
        return "done"

    model = ScriptedModel([reply(calls(("slow", {}))), "sampled", "end"])
    async with live(model, [slow], config=ALLOWED) as running:
        await gate.reached()
        running.handle.pause()
        gate.release()
        from runner.events import Paused

        await running.until(Paused)
        assert len(model.requests) == 1
        running.handle.resume()
        result = await running.result()
    assert ([sampled.text for sampled in server.got], result.final_output) == (["sampled"], "end")


async def test_the_model_of_the_moment_is_asked() -> None:
    server = Server()
    first = ScriptedModel([ServerError("down")], name="test/first")
    second: Model = ScriptedModel([asks(), "sampled", "end"], name="test/second")
    config = RunConfig(sampling=("git",), max_retries=0)
    async with live(first, server.tools(), fallback_models=(second,), config=config) as running:
        await running.result()
    assert [sampled.model for sampled in server.got] == ["test/second"]


async def test_the_context_of_the_agent_is_not_what_was_sampled() -> None:
    server = Server()
    model = ScriptedModel([asks(), reply(text("A parser."), usage(3000, 20)), reply(text("end"), usage(40, 5))])
    async with live(model, server.tools(), config=ALLOWED) as running:
        await running.result()
    after = [event.context_used for event in running.recorder.of(UsageUpdated)]
    assert after == [15, 15, 45]
    assert running.recorder.of(ModelRequested)[1].input_tokens_estimate < 1000


async def test_the_store_has_it_in_the_ledger_and_the_stored_run_is_the_live_one(tmp_path: Path) -> None:
    from runner.api import Runner
    from tests.loop.harness import Models, agent_for

    server = Server()
    model = ScriptedModel([asks(), reply(text("A parser."), usage(300, 20)), reply(text("end"))], price=PRICE)
    with Store.open(tmp_path) as store:
        runner = Runner(store=store, models=Models([model]))
        handle = runner.start(agent_for(model, server.tools()), "go", ALLOWED)
        result = await handle.result()
        [stored] = list(store.runs(handle.session_id))
        rows = store.usage("run")
        assert stored == handle.state
    assert [(row.usage, row.cost.total) for row in rows] == [(result.usage, result.cost_usd)]

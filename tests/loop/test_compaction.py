"""Compaction: announced, paid for, bounded, and the history valid after it."""

from __future__ import annotations

from decimal import Decimal

import pytest

from runner import RunConfig
from runner.config import Compaction
from runner.errors import ContextOverflowError, ServerError
from runner.events import (
    CompactionFinished,
    CompactionStarted,
    MessageDelivered,
    ModelRequested,
    ModelSwitched,
    Notification,
    RetryScheduled,
)
from runner.loop.plan import Allowance
from runner.messages import AssistantMessage, ToolResult, UserMessage
from runner.state.compacted import effective_history
from runner.testing import ScriptedModel, calls, check_history, hold, reply, text, usage
from runner.testing.scripted import Response, Step
from runner.usage import Price
from tests.loop.harness import Workshop, live

PRICE = Price(input=Decimal(1), output=Decimal(2))
FAST = RunConfig(backoff_initial=0.001, compaction=Compaction(at=0.8, keep_turns=1))
EARLIER = [
    UserMessage(text="please write the parser"),
    AssistantMessage(text="the parser is in parse.py", finish_reason="stop"),
    UserMessage(text="and tests"),
    AssistantMessage(text="tests are in test_parse.py", finish_reason="stop"),
    UserMessage(text="now the docs"),
]


def note(number: int, *, tokens: int = 10) -> list[Step]:
    return list(reply(calls(("note", {"text": f"n{number}"})), usage(tokens, 5)))


async def test_a_nearly_full_window_is_summarised_before_the_next_request() -> None:
    model = ScriptedModel(
        [note(1), note(2), note(3, tokens=900), reply(text("summary: n1 n2"), usage(300, 20)), reply(text("end"))],
        context_window=1000,
        price=PRICE,
    )
    async with live(model, Workshop().tools(), config=FAST) as running:
        result = await running.result()
    assert (result.reason, result.final_output) == ("complete", "end")
    started, finished = running.recorder.only(CompactionStarted), running.recorder.only(CompactionFinished)
    assert (started.cause, finished.how, finished.summary) == ("threshold", "model", "summary: n1 n2")
    assert finished.tokens_after < finished.tokens_before
    sent = model.requests[-1].messages
    assert isinstance(sent[0], UserMessage)
    assert "summary: n1 n2" in sent[0].text
    assert not check_history(sent)
    results = [message for message in sent if isinstance(message, ToolResult)]
    assert [result.output for result in results] == ["noted n3"], "the last turn stays as it is"
    asked = model.requests[3]
    assert not asked.tools
    assert "noted n1" in str(asked.messages), "the model is given what it has to summarise"
    assert len(list(running.handle.state.history)) == 8, "nothing that was said is thrown away"
    assert list(result.history) == effective_history((), running.handle.state)


async def test_a_summary_is_paid_for_and_in_the_ledger() -> None:
    model = ScriptedModel(
        [note(1), note(2, tokens=900), reply(text("sum"), usage(300, 20)), reply(text("end"), usage(50, 5))],
        context_window=1000,
        price=PRICE,
    )
    async with live(model, Workshop().tools(), config=FAST) as running:
        result = await running.result()
    entry = next(entry for entry in result.ledger if entry.purpose == "compaction")
    assert entry.cost_usd == Decimal("0.00034")
    assert result.usage.input == 10 + 900 + 300 + 50
    assert result.cost_usd == sum((entry.cost_usd or Decimal(0) for entry in result.ledger), Decimal(0))
    assert result.turn_count == 3


async def test_an_overflow_is_compacted_once_and_tried_again() -> None:
    model = ScriptedModel(
        [ContextOverflowError("too long"), reply(text("the gist")), reply(text("fits"))], context_window=100_000
    )
    async with live(model, input=EARLIER, config=FAST) as running:
        result = await running.result()
    assert result.final_output == "fits"
    assert running.recorder.only(RetryScheduled).action == "compact"
    assert running.recorder.only(CompactionStarted).cause == "overflow"
    assert "the gist" in str(model.requests[-1].messages[0])


async def test_an_overflow_after_the_compaction_goes_to_a_larger_model_only() -> None:
    small = ScriptedModel(
        [ContextOverflowError("too long"), reply(text("gist")), ContextOverflowError("still")],
        name="test/small",
        context_window=1000,
    )
    tiny = ScriptedModel(["never"], name="test/tiny", context_window=500)
    large = ScriptedModel(["fits"], name="test/large", context_window=90_000)
    async with live(small, input=EARLIER, fallback_models=(tiny, large), config=FAST) as running:
        result = await running.result()
    assert result.final_output == "fits"
    assert running.recorder.only(ModelSwitched).new == "test/large"
    assert tiny.requests == []


async def test_an_overflow_that_nothing_helps_against_ends_as_one() -> None:
    model = ScriptedModel([ContextOverflowError("too long"), reply(text("gist")), ContextOverflowError("still")])
    async with live(model, input=EARLIER, config=FAST) as running:
        result = await running.result()
    assert (result.status, result.reason) == ("failed", "context_overflow")
    assert len(model.requests) == 3


async def test_where_no_model_can_summarise_an_outline_takes_its_place_and_says_so() -> None:
    model = ScriptedModel([ContextOverflowError("too long"), ServerError("500"), reply(text("fits"))])
    async with live(model, input=EARLIER, config=FAST) as running:
        result = await running.result()
    assert result.final_output == "fits"
    finished = running.recorder.only(CompactionFinished)
    assert finished.how == "outline"
    assert "500" in finished.error
    assert "please write the parser" in finished.summary
    assert "parse.py" in finished.summary


async def test_compaction_off_means_off() -> None:
    model = ScriptedModel([note(1), note(2, tokens=900), reply(text("end"))], context_window=1000)
    config = RunConfig(compaction=None)
    async with live(model, Workshop().tools(), config=config) as running:
        await running.result()
    assert not running.recorder.of(CompactionStarted)
    model = ScriptedModel([ContextOverflowError("too long")])
    async with live(model, input=EARLIER, config=config) as running:
        result = await running.result()
    assert result.reason == "context_overflow"


async def test_a_person_can_ask_for_it_at_any_time() -> None:
    gate = hold()
    model = ScriptedModel([[gate, *note(1)], reply(text("by hand")), reply(text("end"))])
    async with live(model, Workshop().tools(), input=EARLIER, config=FAST) as running:
        await gate.reached()
        running.handle.compact()
        gate.release()
        await running.result()
    assert running.recorder.only(CompactionStarted).cause == "user"
    assert running.recorder.only(CompactionFinished).summary == "by hand"


async def test_asking_for_it_with_nothing_to_summarise_is_answered() -> None:
    model = ScriptedModel([reply(text("end"))])
    async with live(model) as running:
        running.handle.compact()
        await running.result()
    assert "nothing to summarise" in running.recorder.only(Notification).text


async def test_it_can_be_done_twice_and_the_second_summary_holds_the_first() -> None:
    answers: list[Response] = [
        note(1),
        note(2),
        reply(text("first gist")),
        note(3),
        note(4),
        reply(text("second gist")),
        "end",
    ]
    model = ScriptedModel(answers, context_window=100_000)
    seen: list[int] = []
    async with live(model, Workshop().tools(), config=FAST) as running:
        async for event in running.handle.events():
            if isinstance(event, ModelRequested) and len(seen) < 6:
                seen.append(event.seq)
                if len(seen) in (2, 4):
                    running.handle.compact()
        result = await running.result()
    first, second = running.recorder.of(CompactionFinished)
    assert (first.summary, second.summary) == ("first gist", "second gist")
    assert second.dropped > first.dropped
    assert "first gist" in str(model.requests[5].messages), "the first summary is summarised with the rest"
    assert "first gist" not in str(result.history)
    assert not check_history(result.history)


@pytest.mark.parametrize("how", ["stop", "abort", "send", "switch"])
async def test_a_command_ends_the_request_for_a_summary(how: str) -> None:
    gate = hold()
    model = ScriptedModel([ContextOverflowError("too long"), [*text("half a"), gate], reply(text("gist")), "end"])
    other = ScriptedModel(["other"], name="test/other")
    async with live(model, input=EARLIER, others=(other,), config=FAST) as running:
        await gate.reached()
        match how:
            case "send":
                running.handle.send("wait", now=True)
            case "switch":
                running.handle.set_model("test/other", now=True)
            case "abort":
                running.handle.abort()
            case _:
                running.handle.stop()
                gate.release()
        result = await running.result()
    finished = running.recorder.of(CompactionFinished)[0]
    match how:
        case "abort":
            assert (result.reason, finished.how) == ("aborted", "none")
            assert finished.usage_source == "estimated"
        case "stop":
            assert result.reason == "stopped"
            assert len(model.requests) == 2
        case "switch":
            assert (result.final_output, finished.how) == ("other", "none")
        case _:
            assert finished.how == "none"
            assert [event.text for event in running.recorder.of(MessageDelivered)] == ["wait"]


def test_a_compaction_counts_as_one_of_the_retries() -> None:
    assert Allowance(models=0, retries=1).measure > Allowance(models=0, retries=0, compact=False).measure

"""What a running call asks of a person: one answer, closed in every doubt, and no time that counts meanwhile."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncGenerator, Callable
from dataclasses import replace
from typing import Any

import pytest

from runner import CommandError, Decide, RunConfig
from runner.events import (
    ApprovalRequested,
    ApprovalResolved,
    Pattern,
    StatusChanged,
    ToolFinished,
    ToolPattern,
)
from runner.state import CallItem
from runner.testing import Recorder, ScriptedModel, calls, reply
from runner.tools import tool
from runner.tools.base import Question, Reply, ToolContext
from tests.loop.harness import BOUND, Live, live
from tests.loop.inquiring import CHOICE, SCRIPT, Asker

FREE = Question(text="What name?", choices=("a", "b"), several=True)
FORM = Question(
    text="Who are you?",
    who="a server",
    kind="form",
    schema={
        "type": "object",
        "properties": {
            "name": {"type": "string", "minLength": 2, "pattern": "(a+)+$"},
            "age": {"type": "integer", "minimum": 0},
            "kind": {"type": "string", "enum": ["cat", "dog"]},
        },
        "required": ["name"],
        "additionalProperties": False,
    },
)


async def ask(question: Question, answer: dict[str, Any] | None, **config: Any) -> tuple[Reply, Recorder]:
    asker = Asker((question,))
    async with live(ScriptedModel(SCRIPT), [asker.tool()], config=RunConfig(**config)) as running:
        if answer is not None:
            asked = await running.until(ApprovalRequested)
            running.handle.decide(asked.request_id, **answer)
        await running.result()
    return asker.replies[0], running.recorder


async def test_a_question_is_an_approval_of_its_own_kind() -> None:
    found, recorder = await ask(CHOICE, {"decision": "answer", "arguments": {"answers": ["left"]}})
    assert found == Reply(answer={"answers": ["left"]})
    asked, resolved = recorder.only(ApprovalRequested), recorder.only(ApprovalResolved)
    assert (asked.asks, asked.options, asked.tool) == ("question", ("answer", "deny", "end_run"), "inquire")
    assert asked.preview == {
        "type": "question",
        "text": "Which?",
        "who": "",
        "choices": ["left", "right"],
        "free": False,
        "several": False,
        "schema": None,
    }
    assert (resolved.decision, resolved.by, resolved.arguments) == ("answer", "user", {"answers": ["left"]})
    assert [event.new for event in recorder.of(StatusChanged)] == ["waiting_approval", "running", "completed"]
    [call] = [item for item in recorder.state().settled if isinstance(item, CallItem)]
    assert call.question is not None
    assert (call.question.decision, call.question.given, call.approval) == ("answer", {"answers": ["left"]}, None)


async def test_while_it_asks_the_state_says_so() -> None:
    asker = Asker((CHOICE,))
    async with live(ScriptedModel(SCRIPT), [asker.tool()]) as running:
        asked = await running.until(ApprovalRequested)
        state = running.handle.state
        assert state.status == "waiting_approval"
        assert state.idle
        [call] = state.live_calls
        assert call.asked is not None
        assert call.asked.request_id == asked.request_id
        running.handle.decide(asked.request_id, "answer", arguments={"answers": ["right"]})
        assert running.handle.state.live_calls[0].asked is None
        await running.result()


GOOD: list[tuple[Question, dict[str, Any]]] = [
    (CHOICE, {"answers": ["right"]}),
    (FREE, {"answers": ["a", "something else"]}),
    (FORM, {"name": "Anna"}),
    (FORM, {"name": "Anna", "age": 0, "kind": "dog"}),
    # Nothing of a stranger's regular expressions is tried on an answer.
    (FORM, {"name": "a" * 5000 + "!"}),
]


@pytest.mark.parametrize(("question", "answer"), GOOD)
async def test_an_answer_that_fits(question: Question, answer: dict[str, Any]) -> None:
    found, _ = await ask(question, {"decision": "answer", "arguments": answer})
    assert found == Reply(answer=answer)


BAD: list[tuple[Question, dict[str, Any], str]] = [
    (CHOICE, {"decision": "answer"}, "needs the answer in arguments"),
    (CHOICE, {"decision": "answer", "arguments": {}}, r'is \{"answers": \[text'),
    (CHOICE, {"decision": "answer", "arguments": {"answers": "left"}}, r'is \{"answers"'),
    (CHOICE, {"decision": "answer", "arguments": {"answers": [], "more": 1}}, r'is \{"answers"'),
    (CHOICE, {"decision": "answer", "arguments": {"answers": []}}, "not empty"),
    (CHOICE, {"decision": "answer", "arguments": {"answers": ["left", 7]}}, "not empty"),
    (CHOICE, {"decision": "answer", "arguments": {"answers": ["left", "right"]}}, "takes one answer"),
    (CHOICE, {"decision": "answer", "arguments": {"answers": ["up"]}}, "'up' is none of the choices: left, right"),
    (FREE, {"decision": "answer", "arguments": {"answers": ["a", " "]}}, "not empty"),
    (FORM, {"decision": "answer", "arguments": {}}, "'name' is a required property"),
    (FORM, {"decision": "answer", "arguments": {"name": "A"}}, "does not fit the form: name: 'A' is too short"),
    (FORM, {"decision": "answer", "arguments": {"name": "Anna", "age": "7"}}, "age: '7' is not of type 'integer'"),
    (FORM, {"decision": "answer", "arguments": {"name": "Anna", "age": 1.5}}, "age"),
    (FORM, {"decision": "answer", "arguments": {"name": "Anna", "kind": "cow"}}, "kind: 'cow' is not one of"),
    (FORM, {"decision": "answer", "arguments": {"name": "Anna", "extra": 1}}, "'extra' was unexpected"),
    (CHOICE, {"decision": "allow"}, "is none of answer, deny, end_run: this request is a question"),
    (CHOICE, {"decision": "edit", "arguments": {"answers": ["left"]}}, "is none of answer"),
    (CHOICE, {"decision": "deny", "scope": "run"}, "for this question only"),
    (CHOICE, {"decision": "deny", "arguments": {"a": 1}}, 'belong to "answer"'),
    (CHOICE, {"decision": "answer", "arguments": {"answers": ["left"]}, "calls": 2}, "for this question only"),
    (
        CHOICE,
        {"decision": "deny", "patterns": (ToolPattern(tool="inquire", pattern=Pattern()),)},
        "for this question only",
    ),
]


@pytest.mark.parametrize(("question", "answer", "words"), BAD)
async def test_what_is_no_answer_is_refused_and_the_question_stays_open(
    question: Question, answer: dict[str, Any], words: str
) -> None:
    asker = Asker((question,))
    async with live(ScriptedModel(SCRIPT), [asker.tool()]) as running:
        asked = await running.until(ApprovalRequested)
        with pytest.raises(CommandError, match=words):
            running.handle.decide(asked.request_id, **answer)
        running.handle.decide(asked.request_id, "deny", reason="not telling")
        await running.result()
    assert asker.replies == [Reply(answer=None, reason="not telling")]


NO_FORMS: list[tuple[Any, str]] = [
    (None, "needs the JSON schema of an object"),
    ({"type": "string"}, "needs the JSON schema of an object"),
    ({"type": "object", "properties": []}, "needs the JSON schema of an object"),
    ({"type": "object", "properties": {"a": {"type": 5}}}, "schema is not valid"),
    ({"type": "object", "properties": dict.fromkeys(map(str, range(201)), True)}, "at most 200 fields"),
]


@pytest.mark.parametrize(("schema", "words"), NO_FORMS)
async def test_a_form_that_nobody_can_fill_in_is_not_shown(schema: Any, words: str) -> None:
    found, recorder = await ask(replace(FORM, schema=schema), None)
    assert found.answer is None
    assert words in found.reason
    assert recorder.of(ApprovalRequested) == []


async def test_a_reference_in_a_schema_is_not_fetched() -> None:
    schema = {"type": "object", "properties": {"a": {"$ref": "http://127.0.0.1:1/schema.json"}}}
    asker = Asker((replace(FORM, schema=schema),))
    async with live(ScriptedModel(SCRIPT), [asker.tool()]) as running:
        asked = await running.until(ApprovalRequested)
        with pytest.raises(CommandError, match="cannot be checked"):
            running.handle.decide(asked.request_id, "answer", arguments={"a": 1})
        running.handle.decide(asked.request_id, "deny")
        await running.result()
    assert asker.replies[0].reason == "the user would not answer"


async def test_questions_of_one_call_come_one_after_the_other() -> None:
    asker = Asker(tuple(replace(CHOICE, text=str(number)) for number in range(3)))
    async with live(ScriptedModel(SCRIPT), [asker.tool()]) as running:
        seen: list[str] = []
        for number in range(3):
            asked = await running.until(ApprovalRequested, lambda event: event.request_id not in seen)
            assert asked.preview["text"] == str(number)
            assert len(running.recorder.of(ApprovalRequested)) == number + 1
            seen.append(asked.request_id)
            running.handle.decide(asked.request_id, "answer", arguments={"answers": [CHOICE.choices[number % 2]]})
        await running.result()
    assert [(found.answer or {})["answers"] for found in asker.replies] == [["left"], ["right"], ["left"]]


async def closed(how: Callable[[Live, ApprovalRequested], None], **config: Any) -> tuple[Asker, Live]:
    asker = Asker((CHOICE, FREE))
    async with live(ScriptedModel(SCRIPT), [asker.tool()], config=RunConfig(**config)) as running:
        asked = await running.until(ApprovalRequested)
        how(running, asked)
        await running.result()
        assert asker.late is not None
        after = await asker.late()
        assert after == Reply(answer=None, reason="the call has ended")
    return asker, running


@pytest.mark.parametrize(
    ("how", "by", "reason"),
    [
        ("stop", "stop", "the run is stopping"),
        ("approver_gone", "disconnect", "the person who approves is gone"),
        ("wrap_up", "user", "the run is wrapping up"),
    ],
)
async def test_a_question_that_nobody_will_answer_gets_none(how: str, by: str, reason: str) -> None:
    """The question behind it does not even reach a person."""
    asker, running = await closed(lambda running, _: getattr(running.handle, how)())
    assert [found.answer for found in asker.replies] == [None, None]
    assert asker.replies[0].reason == reason
    assert {event.by for event in running.recorder.of(ApprovalResolved)} == {by}
    assert {event.status for event in running.recorder.of(ToolFinished)} == {"ok"}


@pytest.mark.parametrize("how", ["abort", "cancel", "message"])
async def test_a_call_that_is_cut_while_it_asks(how: str) -> None:
    def cut(running: Live, asked: ApprovalRequested) -> None:
        match how:
            case "abort":
                running.handle.abort()
            case "cancel":
                running.handle.cancel_tool(asked.call_id)
            case _:
                running.handle.send("this instead", now=True)

    asker, running = await closed(cut)
    assert asker.replies == []
    assert running.recorder.only(ToolFinished).status in ("interrupted", "cancelled")
    assert running.recorder.only(ApprovalResolved).decision == "deny"


async def test_without_anybody_a_question_gets_no_answer() -> None:
    found, recorder = await ask(CHOICE, None, approver=False)
    assert found == Reply(answer=None, reason="nobody is there to approve it")
    assert recorder.only(ApprovalResolved).by == "disconnect"


async def test_nobody_answers_in_time() -> None:
    found, _ = await ask(CHOICE, None, approval_timeout=0.05)
    assert found == Reply(answer=None, reason="nobody answered in time")


async def test_a_program_answers() -> None:
    def approve(request: ApprovalRequested) -> Decide:
        return Decide(request_id="", decision="answer", arguments={"answers": [request.preview["choices"][0]]})

    found, _ = await ask(CHOICE, None, approver=approve)
    assert found == Reply(answer={"answers": ["left"]})


async def test_a_question_may_end_the_run() -> None:
    asker = Asker((CHOICE, FREE))
    async with live(ScriptedModel(SCRIPT), [asker.tool()]) as running:
        asked = await running.until(ApprovalRequested)
        running.handle.decide(asked.request_id, "end_run")
        result = await running.result()
    assert result.reason == "approval_terminated"
    assert [found.reason for found in asker.replies] == ["the user ended the run", "the user ended the run"]
    assert [event.decision for event in running.recorder.of(ApprovalResolved)] == ["end_run", "deny"]


async def test_a_question_from_a_task_that_outlives_its_call() -> None:
    """As a server's connection does: what it asks for a call that is over is not asked."""
    found: list[Reply] = []
    go, asked_late = asyncio.Event(), asyncio.Event()
    tasks: list[asyncio.Task[None]] = []

    @tool(requires_approval=False)
    async def leave(ctx: ToolContext) -> AsyncGenerator[str, None]:
        """Leave a question behind."""
        host = ctx.host
        assert host is not None

        async def behind() -> None:
            found.append(await host.ask(CHOICE))
            asked_late.set()

        tasks.append(asyncio.ensure_future(behind()))
        await go.wait()
        yield "left"

    async with live(ScriptedModel([reply(calls(("leave", {}))), "done"]), [leave]) as running:
        await running.until(ApprovalRequested)
        go.set()
        await running.result()
        await asyncio.wait_for(asked_late.wait(), BOUND)
    assert found == [Reply(answer=None, reason="the call has ended")]

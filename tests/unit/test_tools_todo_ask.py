"""The list of what is to be done, and questions to the person."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from runner.errors import ToolInputError
from runner.tools.base import Question, Reply, Sampled, Sampling
from runner.tools.builtin import ASK_USER, TODO
from tests.processes.support import context, recorder_of, run

ITEMS = [{"text": "Read", "status": "done"}, {"text": " Write\n it ", "status": "active"}, {"text": "Check"}]


async def test_the_whole_list_is_kept_and_shown(tmp_path: Path) -> None:
    outcome = await run(TODO, context(tmp_path), items=ITEMS)
    assert outcome.output == "The list has 3 entries: 1 done, 1 active, 1 pending."
    assert outcome.display == {
        "type": "todo",
        "items": [
            {"text": "Read", "status": "done"},
            {"text": "Write it", "status": "active"},
            {"text": "Check", "status": "pending"},
        ],
    }
    assert outcome.side_effects == "none"
    assert (await run(TODO, context(tmp_path), items=[])).output == "The list is empty now."
    several = await run(TODO, context(tmp_path), items=[{"text": text, "status": "active"} for text in "ab"])
    assert several.output.endswith("Only what is being worked on now should be active.")


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({}, "items: is missing"),
        ({"items": [{"text": "a", "status": "later"}]}, "items[0].status: expected one of pending, active, done"),
        ({"items": [{"text": "  "}]}, "items[0].text: is empty"),
        ({"items": [{"text": "a" * 501}]}, "items[0].text: is longer than 500 characters"),
        ({"items": [{"text": "a"}] * 101}, "at most 100 entries"),
        ({"items": [{"status": "done"}]}, "items[0].text: is missing"),
        ({"items": ["a"]}, 'items[0]: expected an object, got "a"'),
    ],
)
def test_lists_that_do_not_fit(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ToolInputError) as raised:
        TODO.validate(arguments)
    assert words in str(raised.value)


class Host:
    """Answers as it is told; a host that is given no reply never answers."""

    def __init__(self, reply: Reply | None) -> None:
        self.reply = reply
        self.asked: list[Question] = []
        self.waiting = asyncio.Event()

    async def ask(self, question: Question) -> Reply:
        self.asked.append(question)
        if self.reply is None:
            self.waiting.set()
            await asyncio.Event().wait()
        assert self.reply is not None
        return self.reply

    async def sample(self, request: Sampling) -> Sampled:
        raise NotImplementedError


@pytest.mark.parametrize(
    ("choices", "reply", "words"),
    [
        ([], Reply(answer={"answers": ["blue"]}), "The user's answer: blue"),
        (["red", "blue"], Reply(answer={"answers": ["blue"]}), "The user's answer: blue"),
        (
            ["red", "blue"],
            Reply(answer={"answers": ["green"]}),
            "The user's answer (in the user's own words, not one of the choices): green",
        ),
        (["red", "blue"], Reply(answer={"answers": ["red", "blue"]}), "The user's answers:\n- red\n- blue"),
        (["red", "blue"], Reply(answer={"answers": []}), "The user's answer is empty: none of the choices."),
        ([], Reply(answer={"answers": [" "]}), "The user's answer is empty."),
        (
            [],
            Reply(answer=None, reason="they declined."),
            "The user did not answer (they declined). Go on with what you know, or say what you cannot do without it.",
        ),
        ([], Reply(answer=None), "The user did not answer. Go on with what you know, or say"),
    ],
)
async def test_questions_and_answers(tmp_path: Path, choices: list[str], reply: Reply, words: str) -> None:
    host = Host(reply)
    ctx = context(tmp_path, host=host)
    outcome = await run(ASK_USER, ctx, question=" Which colour? ", choices=choices, several=True)
    assert outcome.status == "ok"
    assert outcome.output.startswith(words)
    assert host.asked == [Question(text="Which colour?", choices=tuple(choices), several=len(choices) > 1)]
    assert outcome.display == {
        "type": "answers",
        "question": "Which colour?",
        "answers": (reply.answer or {}).get("answers", []),
        "reason": reply.reason,
    }
    assert [activity.message for activity in recorder_of(ctx).activities] == ["waits for an answer"]


async def test_nobody_is_there(tmp_path: Path) -> None:
    outcome = await run(ASK_USER, context(tmp_path), question="Well?")
    assert outcome.output.startswith("The user did not answer (nobody is there who could be asked).")


async def test_a_question_can_be_cancelled(tmp_path: Path) -> None:
    host = Host(None)
    task = asyncio.create_task(run(ASK_USER, context(tmp_path, host=host), question="Well?"))
    await host.waiting.wait()
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task


def test_asking_needs_no_approval_and_has_no_time_limit() -> None:
    assert ASK_USER.read_only
    assert ASK_USER.unlimited
    assert not ASK_USER.idempotent


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        ({"question": " "}, "question: is empty"),
        ({"question": "x" * 4001}, "question: is longer than 4,000 characters"),
        ({"question": "x", "choices": [1]}, "choices[0]: expected a string, got 1"),
        ({"question": "x", "choices": [str(number) for number in range(21)]}, "at most 20 entries"),
        ({"question": "x", "choices": ["y" * 401]}, "choices[0]: is longer than 400 characters"),
    ],
)
def test_questions_that_do_not_fit(arguments: dict[str, Any], words: str) -> None:
    with pytest.raises(ToolInputError) as raised:
        ASK_USER.validate(arguments)
    assert words in str(raised.value)


def test_choices_are_offered_once_each() -> None:
    found = ASK_USER.validate({"question": "x", "choices": ["a", " a ", "", "b"], "several": "true"})
    assert found == {"question": "x", "choices": ["a", "b"], "several": True}
    assert ASK_USER.validate({"question": "x", "choices": None, "several": True})["several"] is False

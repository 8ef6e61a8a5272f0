"""ask_user: a question to the person, with or without answers to choose from. It waits for as long as they take."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from typing import cast

from runner.errors import ToolError, ToolInputError
from runner.messages import JsonObject
from runner.tools.base import Activity, Question, Reply, Tool, ToolContext, ToolOutput, ToolStep
from runner.tools.builtin.params import ListParam, Param, checker, schema_of

MOST_CHOICES = 20
LONGEST = 4000
"""Characters of a question; a choice may have a tenth of that."""

_PARAMS = (
    Param(name="question", type="string", description="The question, as the user is to read it.", required=True),
    ListParam(
        name="choices",
        description="Answers to choose from. The user may also write another one.",
        most=MOST_CHOICES,
    ),
    Param(name="several", type="boolean", description="More than one of the choices may be taken.", default=False),
)
_check = checker(_PARAMS)


def _validate(arguments: JsonObject) -> JsonObject:
    found = _check(arguments)
    question = found["question"].strip()
    if not question or len(question) > LONGEST:
        what = "is empty" if not question else f"is longer than {LONGEST:,} characters"
        raise ToolInputError(f"The arguments do not fit. question: {what}")
    choices = list(dict.fromkeys(choice.strip() for choice in found["choices"] if choice.strip()))
    too_long = next((index for index, choice in enumerate(choices) if len(choice) > LONGEST // 10), None)
    if too_long is not None:
        raise ToolInputError(
            f"The arguments do not fit. choices[{too_long}]: is longer than {LONGEST // 10} characters"
        )
    return {"question": question, "choices": choices, "several": found["several"] and len(choices) > 1}


async def _run(ctx: ToolContext, arguments: JsonObject) -> AsyncGenerator[ToolStep, None]:
    if ctx.host is None:
        reply = Reply(answer=None, reason="nobody is there who could be asked")
    else:
        yield Activity(message="waits for an answer")
        reply = await ctx.host.ask(
            Question(
                text=arguments["question"],
                choices=tuple(arguments["choices"]),
                several=arguments["several"],
            )
        )
    answers = _answers(reply)
    display: JsonObject = {
        "type": "answers",
        "question": arguments["question"],
        "answers": answers,
        "reason": reply.reason,
    }
    yield ToolOutput(text=_in_words(reply, answers, arguments["choices"]), display=display)


def _answers(reply: Reply) -> list[str]:
    if reply.answer is None:
        return []
    given: object = reply.answer.get("answers")
    if not isinstance(given, list):
        raise ToolError("The answer came in a form that this tool does not know.")
    return [str(answer) for answer in cast("list[object]", given)]


def _in_words(reply: Reply, answers: list[str], choices: list[str]) -> str:
    if reply.answer is None:
        why = f" ({reply.reason.rstrip('.')})" if reply.reason else ""
        return f"The user did not answer{why}. Go on with what you know, or say what you cannot do without it."
    if not any(answer.strip() for answer in answers):
        return "The user's answer is empty: none of the choices." if choices else "The user's answer is empty."
    if len(answers) == 1:
        own = " (in the user's own words, not one of the choices)" if choices and answers[0] not in choices else ""
        return f"The user's answer{own}: {answers[0]}"
    return "The user's answers:\n" + "\n".join(f"- {answer}" for answer in answers)


ASK_USER = Tool(
    name="ask_user",
    description=(
        "Ask the user a question and wait for the answer: where what is wanted is unclear, or a decision is theirs. "
        "Give choices where there are clear ones. Not for permission to use a tool: that is asked for by itself."
    ),
    parameters=schema_of(_PARAMS),
    run=_run,
    validate=_validate,
    kind="other",
    read_only=True,
    unlimited=True,
)

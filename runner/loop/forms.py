"""The answers to questions: checked before the call that asked gets them, in words for the person who answered."""

from __future__ import annotations

from typing import TYPE_CHECKING, Any, Final, cast

from runner.errors import CommandError
from runner.messages import JsonObject
from runner.tools.base import Question

if TYPE_CHECKING:
    from jsonschema.protocols import Validator

MOST_FIELDS: Final = 200
"""Of a form; more than a person could fill in."""

_PATTERNS: Final = ("pattern", "patternProperties")


def schema_problem(question: Question) -> str | None:
    """Why a question cannot be asked, in words for the tool; None where it can."""
    if question.kind == "question":
        if not question.free and not question.choices:
            return "a question without choices must take a free answer"
        return None
    schema = question.schema
    properties: Any = None if schema is None else schema.get("properties", {})
    if schema is None or schema.get("type") != "object" or not isinstance(properties, dict):
        return "a form needs the JSON schema of an object"
    if len(cast("JsonObject", properties)) > MOST_FIELDS:
        return f"a form has at most {MOST_FIELDS} fields"
    try:
        _validator(schema).check_schema(_plain(schema))
    except _errors() as error:
        return f"the form's schema is not valid: {_first_line(error)}"
    return None


def check_answer(question: Question, arguments: JsonObject | None) -> JsonObject:
    """The answer as the call gets it. Raises CommandError with what is wrong with it."""
    if arguments is None:
        raise CommandError('"answer" needs the answer in arguments')
    if question.kind == "question":
        return _check_choices(question, arguments)
    try:
        problem = next(iter(_validator(question.schema or {}).iter_errors(arguments)), None)
    except _errors() as error:
        raise CommandError(f"the answer cannot be checked: {_first_line(error)}") from error
    if problem is not None:
        where = ".".join(str(part) for part in problem.absolute_path)
        raise CommandError(f"the answer does not fit the form: {f'{where}: ' if where else ''}{_first_line(problem)}")
    return arguments


def _check_choices(question: Question, arguments: JsonObject) -> JsonObject:
    found: object = arguments.get("answers")
    if set(arguments) != {"answers"} or not isinstance(found, list):
        raise CommandError('the answer to a question is {"answers": [text, ...]}')
    answers = cast("list[object]", found)
    texts = [answer for answer in answers if isinstance(answer, str) and answer.strip()]
    if not texts or len(texts) < len(answers):
        raise CommandError("an answer is a text that is not empty")
    if len(texts) > 1 and not question.several:
        raise CommandError("this question takes one answer")
    other = next((text for text in texts if text not in question.choices), None)
    if other is not None and not question.free:
        raise CommandError(f"{other!r} is none of the choices: {', '.join(question.choices)}")
    return {"answers": texts}


def _validator(schema: JsonObject) -> Validator:
    from jsonschema import Draft202012Validator
    from referencing import Registry

    # A registry of its own: without one a reference in the schema of a stranger would be fetched from where it points.
    return Draft202012Validator(_plain(schema), registry=Registry())


def _errors() -> tuple[type[Exception], ...]:
    from jsonschema.exceptions import SchemaError, UnknownType
    from referencing.exceptions import Unresolvable

    return SchemaError, UnknownType, Unresolvable, ValueError, TypeError, LookupError, AttributeError, RecursionError


def _plain(schema: object) -> Any:
    """Without regular expressions: one from a stranger could keep the run busy for ever."""
    match schema:
        case dict():
            given = cast("JsonObject", schema)
            return {name: _plain(value) for name, value in given.items() if name not in _PATTERNS}
        case list():
            return [_plain(item) for item in cast("list[object]", schema)]
        case _:
            return schema


def _first_line(error: Exception) -> str:
    text = str(getattr(error, "message", None) or error)
    return (text.splitlines() or [type(error).__name__])[0][:300]

"""The fields of a form: from a call's arguments or a JSON schema to lines a person edits, and back. Pure.

What nobody could see in a field is written as JSON writes it (\\u202e), so that what is edited is what is there.
"""

from __future__ import annotations

import json
import math
import re
import unicodedata
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from functools import lru_cache
from typing import TYPE_CHECKING, Any, Literal, cast

from tui.render.clean import COMBINING_KEPT, visible

if TYPE_CHECKING:
    from runner.messages import JsonObject

FieldKind = Literal["text", "integer", "number", "boolean", "choice", "json"]

MOST_FIELDS = 12
"""Fields of a form; more arguments are edited as JSON."""

MOST_CHARACTERS = 100_000
"""Characters that are edited on the card; more belong into a real editor."""

_UNUSUAL = re.compile(r"[^\n -~]")
_TRUE, _FALSE = "yes", "no"


@dataclass(frozen=True, slots=True, kw_only=True)
class Field:
    """value: as it is written. optional: may be left empty, which leaves it out. choices: of a choice or a boolean.

    remark: what the asker says about it; not clean.
    """

    name: str
    kind: FieldKind
    value: str = ""
    remark: str = ""
    optional: bool = False
    choices: tuple[str, ...] = ()
    least: float | None = None
    most: float | None = None


class FieldError(ValueError):
    """What is wrong with what was written, in words for the person who wrote it."""


def fields_of(arguments: Mapping[str, object]) -> tuple[Field, ...] | None:
    """A field for each argument, by the type of its value; None where they are better edited as JSON."""
    if not arguments or len(arguments) > MOST_FIELDS:
        return None
    return tuple(_of_value(name, value) for name, value in arguments.items())


def _of_value(name: str, value: object) -> Field:
    match value:
        case bool():
            return Field(name=name, kind="boolean", value=_TRUE if value else _FALSE, choices=(_TRUE, _FALSE))
        case int():
            return Field(name=name, kind="integer", value=str(value))
        case float():
            return Field(name=name, kind="number", value=repr(value))
        case str() if not has_unseen(value):
            return Field(name=name, kind="text", value=value)
        case _:
            return Field(name=name, kind="json", value=as_json(value, indent=None))


def fields_of_schema(schema: Mapping[str, Any]) -> tuple[Field, ...]:
    """The fields of a form that somebody asks for: a schema of an object with flat fields, whatever else it holds."""
    properties: object = schema.get("properties")
    needed = _texts(schema.get("required"))
    if not isinstance(properties, Mapping):
        return ()
    found = cast("Mapping[str, object]", properties)
    return tuple(
        _of_schema(str(name), cast("Mapping[str, Any]", each) if isinstance(each, Mapping) else {}, str(name) in needed)
        for name, each in found.items()
    )


def _of_schema(name: str, schema: Mapping[str, Any], needed: bool) -> Field:
    title = schema.get("title")
    parts = [part for part in (title, schema.get("description")) if isinstance(part, str) and part and part != name]
    remark, default = ": ".join(parts), schema.get("default")
    choices = _choices(schema)
    if choices:
        value = str(default) if isinstance(default, str) and default in choices else ""
        return Field(name=name, kind="choice", value=value, remark=remark, optional=not needed, choices=choices)
    match schema.get("type"):
        case "boolean":
            value = (_TRUE if default else _FALSE) if isinstance(default, bool) else ""
            return Field(
                name=name, kind="boolean", value=value, remark=remark, optional=not needed, choices=(_TRUE, _FALSE)
            )
        case "integer" | "number" as kind:
            value = str(default) if isinstance(default, int | float) and not isinstance(default, bool) else ""
            least, most = _number(schema.get("minimum")), _number(schema.get("maximum"))
            return Field(name=name, kind=kind, value=value, remark=remark, optional=not needed, least=least, most=most)
        case "string":
            value = default if isinstance(default, str) and not has_unseen(default) else ""
            return Field(name=name, kind="text", value=value, remark=remark, optional=not needed)
        case _:
            value = "" if default is None else as_json(default, indent=None)
            return Field(name=name, kind="json", value=value, remark=remark, optional=not needed)


def filled(fields: Sequence[Field], values: Mapping[str, object]) -> tuple[Field, ...]:
    """The fields with these values in the place of their first ones; a value that does not fit is as good as none."""
    return tuple(
        replace(field, value=_as_written(field, values[field.name])) if field.name in values else field
        for field in fields
    )


def _as_written(field: Field, value: object) -> str:
    if field.kind == "json":
        return as_json(value, indent=None)
    if isinstance(value, bool):
        return _TRUE if value else _FALSE
    text = value if isinstance(value, str) else str(value)
    return "" if has_unseen(text) else text


def _choices(schema: Mapping[str, Any]) -> tuple[str, ...]:
    listed = _texts(schema.get("enum"))
    if listed:
        return listed
    # The same with a title for each: {"oneOf": [{"const": "a", "title": "A"}, ...]}.
    options: object = schema.get("oneOf")
    if not isinstance(options, list):
        return ()
    return _texts(
        [
            cast("JsonObject", each).get("const") if isinstance(each, dict) else None
            for each in cast("list[object]", options)
        ]
    )


def _texts(found: object) -> tuple[str, ...]:
    """The texts of a list that holds nothing else, or nothing."""
    listed = cast("list[object]", found) if isinstance(found, list) else []
    texts = tuple(each for each in listed if isinstance(each, str))
    return texts if len(texts) == len(listed) else ()


def _number(found: object) -> float | None:
    return float(found) if isinstance(found, int | float) and not isinstance(found, bool) else None


def read_fields(fields: Sequence[Field], written: Sequence[str]) -> JsonObject:
    """The object that was written into a form. Raises FieldError with the name of the field."""
    found: JsonObject = {}
    for field, text in zip(fields, written, strict=True):
        if field.optional and not text.strip():
            continue
        try:
            found[field.name] = read_field(field, text)
        except FieldError as error:
            raise FieldError(f"{field.name} {error}") from error
    return found


def read_field(field: Field, text: str) -> object:
    """The value that a text stands for. Raises FieldError."""
    match field.kind:
        case "text":
            return text
        case "boolean":
            if text not in (_TRUE, _FALSE):
                raise FieldError("is yes or no: choose one")
            return text == _TRUE
        case "choice":
            if text not in field.choices:
                raise FieldError("needs one of the choices")
            return text
        case "integer" | "number":
            return _in_range(_read_number(text.strip(), field.kind), field)
        case "json":
            return _loads(text)


def _read_number(text: str, kind: str) -> int | float:
    if kind == "integer":
        if not re.fullmatch(r"[+-]?\d{1,30}", text, re.ASCII):
            raise FieldError("is a whole number")
        return int(text)
    try:
        value = float(text)
    except ValueError as error:
        raise FieldError("is a number, such as 2.5") from error
    if not math.isfinite(value):
        raise FieldError("is a number, such as 2.5")
    return int(text) if re.fullmatch(r"[+-]?\d{1,30}", text, re.ASCII) else value


def _in_range(value: float, field: Field) -> float:
    if field.least is not None and value < field.least:
        raise FieldError(f"is at least {field.least:g}")
    if field.most is not None and value > field.most:
        raise FieldError(f"is at most {field.most:g}")
    return value


def read_json(text: str) -> JsonObject:
    """The arguments that were written as JSON. Raises FieldError."""
    found = _loads(text)
    if not isinstance(found, dict):
        raise FieldError("the arguments are a JSON object, in braces")
    return cast("JsonObject", found)


def _loads(text: str) -> object:
    def refuse(name: str) -> object:
        raise FieldError(f"is not JSON: {name} is no JSON number")

    try:
        return json.loads(text, parse_constant=refuse)
    except FieldError:
        raise
    except RecursionError as error:
        raise FieldError("is not JSON: nested too deep") from error
    except ValueError as error:
        raise FieldError(f"is not JSON: {error}") from error


def as_json(value: object, *, indent: int | None = 2) -> str:
    """JSON in which every character can be seen: what could not be is escaped, which means the same."""
    text = json.dumps(value, indent=indent, ensure_ascii=False, default=str)
    if text.isascii() and "\x7f" not in text:
        return text
    text = _MARKS_IN_A_ROW.sub(lambda found: _escaped_marks(found[0]), text)
    return _UNUSUAL.sub(lambda found: _escaped(found[0]), text)


_MARKS_IN_A_ROW = re.compile(rf"[^\w\s\x00-\u02ff\u2500-\u259f]{{{COMBINING_KEPT + 1},}}")


def _escaped_marks(text: str) -> str:
    """A long run of combining marks would be drawn over its neighbours."""
    if not all(unicodedata.category(character)[0] == "M" for character in text):
        return text
    return json.dumps(text)[1:-1]


@lru_cache(maxsize=4096)
def _escaped(character: str) -> str:
    return character if visible(character) == character else json.dumps(character)[1:-1]


def has_unseen(text: str) -> bool:
    """Whether a text holds what a person would not see, or not as it is, in a field."""
    plain = text.replace("\t", " ")
    return visible(plain) != plain

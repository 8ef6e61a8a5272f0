"""A tool's input schema, which a server wrote: whether it can be offered, and checking arguments against it safely.

A schema must not make this program open an address, take minutes, or send a provider what it refuses.
"""

from __future__ import annotations

import json
import threading
from collections.abc import Callable, Iterator, Sequence
from functools import cache
from importlib import import_module
from itertools import islice
from typing import Any, cast

from runner.errors import ToolInputError
from runner.mcp.text import plain
from runner.messages import JsonObject
from runner.tools.schema import path_of, shown

LARGEST = 64 * 1024
"""Bytes of a schema as JSON; each request pays for it."""

_DEEPEST = 32
_MOST_STEPS = 5_000
_WORDS = 2_000
_ERRORS_SHOWN = 6
_SAID = 200

# Providers refuse these at the top; the server checks them itself.
_NOT_AT_TOP = frozenset({"$schema", "$id", "oneOf", "anyOf", "allOf", "not", "if", "then", "else"})
_NAMED = ("properties", "$defs", "definitions", "patternProperties", "dependentSchemas")
_VALUES = frozenset({"default", "const", "enum", "examples", "required"})
_TEXTS = frozenset({"title", "description", "$comment"})
_STEPPED = (
    "$ref",
    "$dynamicRef",
    "allOf",
    "anyOf",
    "oneOf",
    "not",
    "if",
    "items",
    "properties",
    "additionalProperties",
)
_MATCHING = frozenset({"pattern", "patternProperties", "propertyNames", "format"})


class SchemaProblem(Exception):
    """Why a schema cannot be used, in a few words."""


class _TooManySteps(Exception):
    pass


def offered(schema: object) -> JsonObject:
    """The schema as a model gets it. Raises SchemaProblem."""
    if not isinstance(schema, dict):
        raise SchemaProblem("its input schema is not an object")
    found = cast("JsonObject", schema)
    if found.get("type", "object") != "object":
        raise SchemaProblem(f"its arguments are {shown(found.get('type'))} instead of an object")
    _check_size(found)
    properties: object = found.get("properties", {})
    if not isinstance(properties, dict):
        raise SchemaProblem("its properties are not an object")
    for name in cast("JsonObject", properties):
        # No provider takes all names; one that it refuses would make every request of the run fail.
        if not 0 < len(name) <= 64 or not all(one.isascii() and (one.isalnum() or one in "_.-") for one in name):
            raise SchemaProblem(f"its argument {shown(plain(name, 40))} has a name that models cannot use")
    top = {key: value for key, value in found.items() if key not in _NOT_AT_TOP}
    return {**cast("JsonObject", _cleaned(top)), "type": "object", "properties": _cleaned_parts(properties)}


def _check_size(schema: JsonObject) -> None:
    try:
        size = len(json.dumps(schema, ensure_ascii=False).encode("utf-8", "replace"))
    except (ValueError, RecursionError, TypeError) as error:
        raise SchemaProblem("its input schema is no JSON") from error
    if size > LARGEST:
        raise SchemaProblem(f"its input schema has {size:,} bytes, more than {LARGEST:,}")
    if _depth(schema) > _DEEPEST:
        raise SchemaProblem(f"its input schema is nested more than {_DEEPEST} deep")


def _depth(value: object) -> int:
    level, depth = [value], 0
    while level and depth <= _DEEPEST:
        depth += 1
        level = [inner for outer in level for inner in _inside(outer)]
    return depth


def _inside(value: object) -> list[object]:
    if isinstance(value, dict):
        return list(cast("dict[str, object]", value).values())
    return cast("list[object]", value) if isinstance(value, list) else []


def _cleaned(schema: Any) -> Any:
    """Texts without what nobody can see; names and values as they are, because the server compares them."""
    if isinstance(schema, list):
        return [_cleaned(part) for part in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    cleaned: JsonObject = {}
    for key, value in cast("JsonObject", schema).items():
        if key in _TEXTS and isinstance(value, str):
            cleaned[key] = plain(value, _WORDS)
        elif key in _NAMED:
            cleaned[key] = _cleaned_parts(value)
        else:
            cleaned[key] = value if key in _VALUES else _cleaned(value)
    return cleaned


def _cleaned_parts(parts: Any) -> Any:
    if not isinstance(parts, dict):
        return parts
    return {name: _cleaned(part) for name, part in cast("JsonObject", parts).items()}


def checker(schema: JsonObject) -> Callable[[JsonObject], JsonObject]:
    """A function that returns arguments which fit, and raises ToolInputError in words for a model where they do not.

    Heavy: it loads jsonschema. Raises SchemaProblem where the schema is none. Regular expressions are left to the
    server, because one can take for ever; addresses in `$ref` lead nowhere; and an effort without end is given up.
    """
    jsonschema: Any = import_module("jsonschema")
    referencing: Any = import_module("referencing")
    unresolvable: type[Exception] = import_module("referencing.exceptions").Unresolvable
    old = "draft-0" in str(schema.get("$schema", ""))
    base = jsonschema.Draft7Validator if old else jsonschema.Draft202012Validator
    local = cast("JsonObject", _without_matching(schema))
    try:
        base.check_schema(local)
    except (jsonschema.SchemaError, RecursionError) as error:
        said: str = getattr(error, "message", "it is nested too deeply")
        raise SchemaProblem(f"its input schema is invalid: {plain(said, _SAID)}") from error
    validator = _stepped(base)(local, registry=referencing.Registry())

    def check(arguments: JsonObject) -> JsonObject:
        _steps.left = _MOST_STEPS
        try:
            errors: list[Any] = list(islice(validator.iter_errors(arguments), _ERRORS_SHOWN + 1))
        except (unresolvable, RecursionError, _TooManySteps):
            return arguments  # The server has the last word on its own schema.
        if errors:
            raise ToolInputError(_in_words(errors, schema))
        return arguments

    return check


class _Steps(threading.local):
    left = 0


_steps = _Steps()


@cache
def _stepped(base: Any) -> Any:
    """The validator with a budget for what can multiply: references and combinations."""
    extend = import_module("jsonschema.validators").extend

    def counted(check: Any) -> Any:
        def step(validator: Any, value: Any, instance: Any, schema: Any) -> Iterator[Any]:
            _steps.left -= 1
            if _steps.left < 0:
                raise _TooManySteps
            yield from check(validator, value, instance, schema) or ()

        return step

    return extend(base, {name: counted(base.VALIDATORS[name]) for name in _STEPPED if name in base.VALIDATORS})


def _without_matching(schema: Any) -> Any:
    """The schema without regular expressions, and without what only means something together with one."""
    if isinstance(schema, list):
        return [_without_matching(part) for part in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    found = cast("JsonObject", schema)
    dropped = set(_MATCHING) | ({"additionalProperties", "unevaluatedProperties"} & _needless(found))
    kept: JsonObject = {}
    for key, value in found.items():
        if key in dropped:
            continue
        if key in _NAMED and isinstance(value, dict):
            kept[key] = {name: _without_matching(part) for name, part in cast("JsonObject", value).items()}
        else:
            kept[key] = value if key in _VALUES else _without_matching(value)
    return kept


def _needless(schema: JsonObject) -> set[str]:
    return set(schema) if "patternProperties" in schema else set()


def _in_words(errors: Sequence[Any], schema: JsonObject) -> str:
    lines = dict.fromkeys(_line(error, schema) for error in errors[:_ERRORS_SHOWN])
    more = "; and more problems" if len(errors) > _ERRORS_SHOWN else ""
    return f"The arguments do not fit. {'; '.join(lines)}{more}"


def _line(error: Any, schema: JsonObject) -> str:
    path = path_of(tuple(error.absolute_path))
    match error.validator:
        case "required":
            missing = [name for name in error.validator_value if name not in error.instance]
            inside = "" if path == "the arguments" else f" in {path}"
            return f"{', '.join(str(name) for name in missing)}{inside}: is missing"
        case "additionalProperties" if not error.absolute_path:
            known = ", ".join(schema.get("properties", {}))
            return f"there are parameters that it does not have. The parameters are: {known or 'none'}"
        case "type":
            wanted: Any = error.validator_value
            kinds = " or ".join(map(str, cast("list[Any]", wanted))) if isinstance(wanted, list) else str(wanted)
            return f"{path}: should be of type {kinds}, got {shown(error.instance)}"
        case "enum":
            return f"{path}: should be one of {shown(error.validator_value)}, got {shown(error.instance)}"
        case _:
            return f"{path}: {plain(str(error.message), _SAID)}"

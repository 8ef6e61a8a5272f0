"""The parameters of the built-in tools: schema and checks without pydantic, so that starting stays quick."""

from __future__ import annotations

import json
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal, cast

from runner.errors import ToolInputError
from runner.messages import JsonObject
from runner.tools.schema import shown

ParamType = Literal["string", "integer", "number", "boolean"]
_WORDS: dict[ParamType, str] = {
    "string": "a string",
    "integer": "a whole number",
    "number": "a number",
    "boolean": "true or false",
}


@dataclass(frozen=True, slots=True, kw_only=True)
class Param:
    """required: there is no default. A default of None makes null acceptable. minimum: the least number allowed.

    choices: the values that a string may have.
    """

    name: str
    type: ParamType
    description: str
    required: bool = False
    default: str | int | float | bool | None = None
    minimum: float | None = None
    choices: tuple[str, ...] = ()

    @property
    def schema(self) -> JsonObject:
        nullable = not self.required and self.default is None
        found: JsonObject = {"type": [self.type, "null"] if nullable else self.type, "description": self.description}
        if self.minimum is not None:
            found["minimum"] = self.minimum
        if self.choices:
            found["enum"] = list(self.choices)
        if not self.required:
            found["default"] = self.default
        return found

    def check(self, value: object) -> object:
        """The value in its one form (models write "5" for 5 now and then). Raises ToolInputError."""
        if value is None and not self.required:
            return self.default
        found = self._converted(value)
        if found is None:
            raise ToolInputError(f"{self.name}: expected {_WORDS[self.type]}, got {shown(value)}")
        if self.minimum is not None and isinstance(found, (int, float)) and found < self.minimum:
            raise ToolInputError(f"{self.name}: must be {self.minimum:g} or more, got {shown(value)}")
        if self.choices and found not in self.choices:
            raise ToolInputError(f"{self.name}: expected one of {', '.join(self.choices)}, got {shown(value)}")
        return found

    def _converted(self, value: object) -> object | None:
        if self.type == "string":
            return value if isinstance(value, str) else None
        if self.type == "boolean":
            return value if isinstance(value, bool) else {"true": True, "false": False}.get(str(value).lower())
        if isinstance(value, bool) or not isinstance(value, (int, float, str)):
            return None
        try:
            number = float(value)
        except ValueError:
            return None
        if number != number or number in (float("inf"), float("-inf")):
            return None
        if self.type == "number":
            return value if isinstance(value, (int, float)) else number
        return int(number) if number.is_integer() else None


@dataclass(frozen=True, slots=True, kw_only=True)
class ListParam:
    """A list of objects with these fields, or of strings where there are none. It is always a list, empty or not.

    least, most: entries.
    """

    name: str
    description: str
    fields: tuple[Param, ...] = ()
    required: bool = False
    least: int = 0
    most: int | None = None

    @property
    def schema(self) -> JsonObject:
        items: JsonObject = schema_of(self.fields) if self.fields else {"type": "string"}
        found: JsonObject = {"type": "array", "items": items, "description": self.description}
        if self.least:
            found["minItems"] = self.least
        if self.most is not None:
            found["maxItems"] = self.most
        if not self.required:
            found["default"] = []
        return found

    def check(self, value: object) -> object:
        """The list, each entry completed. Some models write a list as the text of its JSON. Raises ToolInputError."""
        if value is None and not self.required:
            return []
        entries = _parsed(value)
        if not isinstance(entries, list):
            raise ToolInputError(f"{self.name}: expected a list, got {shown(value)}")
        found = cast("list[object]", entries)
        if len(found) < self.least or (self.most is not None and len(found) > self.most):
            wanted = f"{self.least} or more" if len(found) < self.least else f"at most {self.most}"
            raise ToolInputError(f"{self.name}: expected {wanted} entries, got {len(found)}")
        return [self._entry(index, entry) for index, entry in enumerate(found)]

    def _entry(self, index: int, entry: object) -> object:
        where = f"{self.name}[{index}]"
        if not self.fields:
            if not isinstance(entry, str):
                raise ToolInputError(f"{where}: expected a string, got {shown(entry)}")
            return entry
        if not isinstance(entry, dict):
            raise ToolInputError(f"{where}: expected an object, got {shown(entry)}")
        problems, found = _checked(self.fields, cast("JsonObject", entry))
        if problems:
            raise ToolInputError("; ".join(f"{where}.{problem}" for problem in problems))
        return found


AnyParam = Param | ListParam


def _parsed(value: object) -> object:
    if not isinstance(value, str):
        return value
    try:
        return json.loads(value)
    except (ValueError, RecursionError):
        return value


def schema_of(params: Sequence[AnyParam]) -> JsonObject:
    return {
        "type": "object",
        "properties": {param.name: param.schema for param in params},
        "required": [param.name for param in params if param.required],
        "additionalProperties": False,
    }


def checker(params: Sequence[AnyParam]) -> Callable[[JsonObject], JsonObject]:
    """Tool.validate for these parameters: every problem is told at once."""

    def check(arguments: JsonObject) -> JsonObject:
        problems, found = _checked(params, arguments)
        if problems:
            raise ToolInputError("The arguments do not fit. " + "; ".join(problems))
        return found

    return check


def _checked(params: Sequence[AnyParam], arguments: JsonObject) -> tuple[list[str], JsonObject]:
    known = {param.name: param for param in params}
    problems = [f"{name}: there is no such parameter" for name in arguments if name not in known]
    if problems:
        problems[-1] += f". The parameters are: {', '.join(known)}"
    found: JsonObject = {}
    for name, param in known.items():
        if param.required and name not in arguments:
            problems.append(f"{name}: is missing")
            continue
        try:
            found[name] = param.check(arguments.get(name))
        except ToolInputError as error:
            problems.append(str(error))
    return problems, found

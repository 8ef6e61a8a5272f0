"""The parameters of the built-in tools: schema and checks without pydantic, so that starting stays quick."""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Literal

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
    """required: there is no default. A default of None makes null acceptable. minimum: the least number allowed."""

    name: str
    type: ParamType
    description: str
    required: bool = False
    default: str | int | float | bool | None = None
    minimum: float | None = None

    @property
    def schema(self) -> JsonObject:
        nullable = not self.required and self.default is None
        found: JsonObject = {"type": [self.type, "null"] if nullable else self.type, "description": self.description}
        if self.minimum is not None:
            found["minimum"] = self.minimum
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


def schema_of(params: Sequence[Param]) -> JsonObject:
    return {
        "type": "object",
        "properties": {param.name: param.schema for param in params},
        "required": [param.name for param in params if param.required],
        "additionalProperties": False,
    }


def checker(params: Sequence[Param]) -> Callable[[JsonObject], JsonObject]:
    """Tool.validate for these parameters: every problem is told at once."""
    known = {param.name: param for param in params}

    def check(arguments: JsonObject) -> JsonObject:
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
        if problems:
            raise ToolInputError("The arguments do not fit. " + "; ".join(problems))
        return found

    return check

"""From a function's signature to the JSON schema of its arguments, and from arguments back to Python values."""

from __future__ import annotations

import inspect
import json
import types
import typing
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, cast

from runner.errors import ConfigError, ToolInputError
from runner.messages import JsonObject
from runner.tools.base import ToolContext

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError

_SHOWN = 60
_ERRORS_SHOWN = 8


@dataclass(frozen=True, slots=True)
class Arguments:
    """The arguments of one function. defaults: the JSON forms of those that have one."""

    schema: JsonObject
    names: tuple[str, ...]
    positional: tuple[str, ...]
    context_parameter: str | None
    defaults: JsonObject
    _model: type[BaseModel]

    def check(self, arguments: JsonObject) -> JsonObject:
        """The arguments in their plain form, defaults filled in. Raises ToolInputError in words for a model.

        What the schema accepts in several ways ("5" for 5) comes out in one, so that rules compare what will run.
        """
        instance = self._validated(arguments)
        plain = self._plain(instance)
        given = dict(arguments) if plain is None else {name: plain[name] for name in self.names if name in arguments}
        return {**self.defaults, **given}

    def bind(self, arguments: JsonObject, ctx: ToolContext) -> tuple[list[Any], dict[str, Any]]:
        """The call's positional and keyword arguments as Python values."""
        given = {name: value for name, value in arguments.items() if not self._is_default(name, value)}
        instance = self._validated(given)
        values = {name: getattr(instance, _field(index)) for index, name in enumerate(self.names) if name in given}
        if self.context_parameter is not None:
            values[self.context_parameter] = ctx
        positional: list[Any] = []
        for name in self.positional:
            if name not in values:
                break
            positional.append(values.pop(name))
        return positional, values

    def _is_default(self, name: str, value: object) -> bool:
        """Left to the function itself, whose default need not even be of the annotated type."""
        if name not in self.defaults:
            return False
        default: object = self.defaults[name]
        return type(default) is type(value) and default == value and name not in self.positional

    def _validated(self, arguments: JsonObject) -> BaseModel:
        from pydantic import ValidationError

        try:
            return self._model.model_validate(arguments)
        except ValidationError as error:
            raise ToolInputError(_in_words(error, self.names)) from None

    def _plain(self, instance: BaseModel) -> JsonObject | None:
        """The JSON form, or None where it does not lead back to the same values (a secret prints as stars)."""
        from pydantic import ValidationError
        from pydantic_core import PydanticSerializationError

        try:
            plain = instance.model_dump(mode="json", by_alias=True, warnings="none")
            return plain if self._model.model_validate(plain) == instance else None
        except (ValidationError, PydanticSerializationError):
            return None


def _field(index: int) -> str:
    return f"value_{index}"


def arguments_of(
    function: Callable[..., Any], where: str, descriptions: Mapping[str, str], namespace: Mapping[str, Any]
) -> Arguments:
    """Read the signature. Raises ConfigError for what a model cannot call.

    namespace: names that annotations may use besides the function's globals (those of the place that defines it).
    """
    from pydantic import ConfigDict, Field, create_model
    from pydantic.errors import PydanticUserError

    hints = _hints(function, where, namespace)
    context_parameter: str | None = None
    names: list[str] = []
    positional: list[str] = []
    fields: dict[str, Any] = {}
    defaults: JsonObject = {}
    for parameter in inspect.signature(function).parameters.values():
        _refuse_what_cannot_be_called(parameter, where)
        annotation = hints.get(parameter.name, Any)
        if _is_context(annotation):
            context_parameter = parameter.name
            continue
        if parameter.kind is inspect.Parameter.POSITIONAL_ONLY:
            positional.append(parameter.name)
        required = parameter.default is inspect.Parameter.empty
        if parameter.default is None and not _accepts_none(annotation):
            annotation = annotation | None
        details: dict[str, Any] = {"alias": parameter.name}
        if text := descriptions.get(parameter.name):
            details["description"] = text
        default: Any = ... if required else parameter.default
        fields[_field(len(names))] = (annotation, Field(default, **details))
        names.append(parameter.name)
        if not required:
            _keep_default(defaults, parameter)
    unknown = sorted(set(descriptions) - set(names) - {context_parameter})
    if unknown:
        raise ConfigError(f"the docstring describes {unknown[0]!r}, which is not a parameter", where=where)
    settings = ConfigDict(extra="forbid", arbitrary_types_allowed=False)
    try:
        model = create_model("Arguments", __config__=settings, **fields)
        schema = _schema_of(model)
    except (PydanticUserError, TypeError) as error:
        reason = str(error).split("\n", 1)[0]
        raise ConfigError(f"a parameter's type cannot be written as JSON: {reason}", where=where) from error
    return Arguments(schema, tuple(names), tuple(positional), context_parameter, defaults, model)


def _refuse_what_cannot_be_called(parameter: inspect.Parameter, where: str) -> None:
    match parameter.kind:
        case inspect.Parameter.VAR_POSITIONAL:
            wanted = "a list parameter instead, such as `items: list[str]`"
            raise ConfigError(f"*{parameter.name} has no names for a model to use", where=where, expected=wanted)
        case inspect.Parameter.VAR_KEYWORD:
            wanted = "named parameters, or one dict parameter"
            raise ConfigError(f"**{parameter.name} has no names for a model to use", where=where, expected=wanted)
        case _:
            if parameter.name in ("self", "cls") and parameter.annotation is inspect.Parameter.empty:
                raise ConfigError(
                    "is a method without its object", where=where, expected="the bound method: tool(object.method)"
                )


def _hints(function: Callable[..., Any], where: str, namespace: Mapping[str, Any]) -> dict[str, Any]:
    target = inspect.unwrap(function)
    if not inspect.isroutine(target):
        # A callable object (or a partial) has its annotations on what it calls.
        target = getattr(target, "func", type(target).__call__)
    try:
        return typing.get_type_hints(target, localns=dict(namespace), include_extras=True)
    except NameError as error:
        raise ConfigError(f"a type is not defined where the tool is made: {error}", where=where) from error
    except TypeError as error:
        raise ConfigError(f"an annotation is not a type: {error}", where=where) from error


def _is_context(annotation: Any) -> bool:
    if typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    return annotation is ToolContext or ToolContext in typing.get_args(annotation)


def _accepts_none(annotation: Any) -> bool:
    if typing.get_origin(annotation) is typing.Annotated:
        annotation = typing.get_args(annotation)[0]
    if annotation is Any or annotation is None or annotation is object:
        return True
    union = typing.get_origin(annotation) in (typing.Union, types.UnionType)
    return union and any(_accepts_none(part) or part is type(None) for part in typing.get_args(annotation))


def _keep_default(defaults: JsonObject, parameter: inspect.Parameter) -> None:
    """A default that has no JSON form is left to the function and does not appear among the arguments."""
    from pydantic_core import PydanticSerializationError, to_jsonable_python

    try:
        defaults[parameter.name] = to_jsonable_python(parameter.default)
    except (PydanticSerializationError, UnicodeDecodeError):
        return


def _schema_of(model: type[BaseModel]) -> JsonObject:
    from pydantic.json_schema import GenerateJsonSchema

    class Quiet(GenerateJsonSchema):
        """A default without a JSON form is simply not in the schema; that is no reason to warn."""

        def emit_warning(self, kind: Any, detail: str) -> None: ...

    schema = cast("JsonObject", _without_titles(model.model_json_schema(by_alias=True, schema_generator=Quiet)))
    schema.setdefault("properties", {})
    return schema


_NAMED = frozenset({"properties", "$defs", "patternProperties", "dependentSchemas"})


def _without_titles(schema: Any) -> Any:
    """Titles only repeat the names, and each request pays for them. A property called `title` stays."""
    if isinstance(schema, list):
        return [_without_titles(item) for item in cast("list[Any]", schema)]
    if not isinstance(schema, dict):
        return schema
    cleaned: JsonObject = {}
    for key, value in cast("JsonObject", schema).items():
        if key == "title" and isinstance(value, str):
            continue
        if key in _NAMED and isinstance(value, dict):
            cleaned[key] = {name: _without_titles(part) for name, part in cast("JsonObject", value).items()}
        elif key in ("default", "const", "enum", "examples"):
            cleaned[key] = value
        else:
            cleaned[key] = _without_titles(value)
    return cleaned


def _in_words(error: ValidationError, names: tuple[str, ...]) -> str:
    details = error.errors(include_url=False, include_context=False)
    lines: list[str] = []
    for detail in details[:_ERRORS_SHOWN]:
        path = path_of(detail["loc"])
        match detail["type"]:
            case "missing":
                lines.append(f"{path}: is missing")
            case "extra_forbidden":
                known = f" The parameters are: {', '.join(names)}." if len(detail["loc"]) == 1 else ""
                lines.append(f"{path}: there is no such parameter.{known}")
            case _:
                said = detail["msg"].removeprefix("Value error, ").replace("Input should", "should", 1)
                lines.append(f"{path}: {said}, got {shown(detail['input'])}")
    if len(details) > _ERRORS_SHOWN:
        lines.append(f"and {len(details) - _ERRORS_SHOWN} more problems")
    return "The arguments do not fit. " + "; ".join(lines)


def path_of(location: tuple[int | str, ...]) -> str:
    """("items", 2, "name") as `items[2].name`."""
    text = ""
    for part in location:
        text += f"[{part}]" if isinstance(part, int) else f".{part}" if text else part
    return text or "the arguments"


def shown(value: object) -> str:
    """A value as JSON, short, for an error message."""
    try:
        text = json.dumps(value, ensure_ascii=False)
    except (TypeError, ValueError):
        text = repr(value)
    return text if len(text) <= _SHOWN else text[: _SHOWN - 1] + "…"

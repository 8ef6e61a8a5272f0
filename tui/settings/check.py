"""Checks one layer and flattens it: a key's path and its value. What is wrong names file, line, key and remedy."""

from __future__ import annotations

import difflib
from collections.abc import Collection, Iterator, Mapping
from typing import TYPE_CHECKING, Any, TypeAlias, cast, get_args

from runner.errors import ConfigError
from tui.settings.layers import COMPACTION, SANDBOX, TOP_LEVEL, Layer, dotted, printable
from tui.settings.values import ExampleSettings, McpSettings, NamedModelSettings, PresetName, RuleSettings

if TYPE_CHECKING:
    from pydantic import BaseModel, ValidationError
    from pydantic.fields import FieldInfo

Key: TypeAlias = tuple[str, ...]
Entries: TypeAlias = dict[Key, Any]

MODES = ("default", "accept_edits", "plan", "bypass", "deny_unlisted")

# A value under one of these is never repeated in an error, because people paste keys into them by mistake.
_SECRET = ("key", "token", "secret", "password")
_FLAT = ("limits", COMPACTION, SANDBOX, "environment", "web", "terminal")
"""Tables without names of a person's own in between."""

_ONE_OF: Mapping[str, Collection[str]] = {"approve": MODES, "keymap": get_args(PresetName)}
"""Settings at the top that take one of a few words."""

_OWN_FILE_ONLY = ("trusted", "sampling")
"""What of a server nobody but the person decides: no project's file, trusted or not."""


def entries(layer: Layer) -> Entries:
    """The layer's values by path: ("limits", "max_turns"), ("agents", NAME, field), ("models", NAME), ("rules",).

    ("compaction",) is whether it is on at all, beside the fields of its table. ("mcp", NAME) is a whole server, and
    ("sandbox", ...), ("environment", ...), ("web", ...) and
    ("terminal", ...) are fields.

    Raises ConfigError for the first problem in it.
    """
    if _is_simple(layer.raw):
        return {(name,): value for name, value in layer.raw.items()}
    from pydantic import ValidationError

    from tui.settings.schema import ConfigTable

    try:
        table = ConfigTable.model_validate(layer.raw)
    except ValidationError as error:
        raise _explain(layer, error) from error
    return dict(_flat(layer, table.model_dump(exclude_unset=True, by_alias=True)))


def _is_simple(raw: Mapping[str, object]) -> bool:
    """Whether nothing but names is set: the common case, which then starts without pydantic."""
    return all(
        name in TOP_LEVEL and isinstance(value, str) and value and value in _ONE_OF.get(name, (value,))
        for name, value in raw.items()
    )


def _flat(layer: Layer, tables: dict[str, Any]) -> Iterator[tuple[Key, Any]]:
    for name in TOP_LEVEL:
        if name in tables:
            yield (name,), tables[name]
    for name, value in tables.get("limits", {}).items():
        yield ("limits", name), value
    if COMPACTION in tables:
        table: dict[str, Any] | None = tables[COMPACTION]
        yield (COMPACTION,), table is not None
        for name, value in (table or {}).items():
            yield (COMPACTION, name), value
    for action, keys in tables.get("keys", {}).items():
        yield ("keys", action), ",".join(cast("list[str]", keys)) if isinstance(keys, list) else keys
    for name, fields in tables.get("agents", {}).items():
        yield ("agents", name), {key: _frozen(value) for key, value in fields.items()}
    for name, fields in tables.get("models", {}).items():
        yield ("models", name), NamedModelSettings(**fields)
    yield from _flat_tools(layer, tables)
    rules = [
        _rule(fields, layer, layer.where(("rules", index))) for index, fields in enumerate(tables.get("rules", ()))
    ]
    if rules:
        yield ("rules",), tuple(rules)


def _flat_tools(layer: Layer, tables: dict[str, Any]) -> Iterator[tuple[Key, Any]]:
    for name, fields in tables.get("mcp", {}).items():
        yield ("mcp", name), _server(layer, name, fields)
    for name in (SANDBOX, "environment", "web", "terminal"):
        for key, value in tables.get(name, {}).items():
            yield (name, key), _frozen(value)


def _frozen(value: Any) -> Any:
    return tuple(cast("list[str]", value)) if isinstance(value, list) else value


def _server(layer: Layer, name: str, fields: dict[str, Any]) -> McpSettings:
    for key in _OWN_FILE_ONLY:
        if fields.get(key) and layer.kind != "user":
            raise ConfigError(
                f"{dotted(('mcp', name, key))} is not for a project to decide",
                where=layer.where(("mcp", name, key)),
                expected="it in your own file (quarterdeck config path)",
            )
    return McpSettings(**{key: _frozen(value) for key, value in fields.items()})


def _rule(fields: dict[str, Any], layer: Layer, source: str) -> RuleSettings:
    examples = tuple(
        ExampleSettings(
            arguments=example.get("arguments") or {"command": example.get("command")},
            expect=example.get("expect") or fields["effect"],
            tool=example.get("tool"),
        )
        for example in fields.get("examples", ())
    )
    rest: dict[str, Any] = {name: value for name, value in fields.items() if name != "examples"}
    return RuleSettings(**rest, examples=examples, level=layer.kind, source=source)


def _explain(layer: Layer, error: ValidationError) -> ConfigError:
    problems = error.errors(include_url=False)
    paths = {index: _path(problem["loc"]) for index, problem in enumerate(problems)}
    first = min(paths, key=lambda index: layer.line(paths[index]))
    path, kind, value = paths[first], problems[first]["type"], problems[first]["input"]
    others = len(set(paths.values())) - 1
    more = f" (and {others} more)" if others else ""
    where = layer.where(path)
    if kind == "extra_forbidden":
        message, wanted = _unknown(path)
    elif kind == "missing":
        message, wanted = f"{dotted(path[:-1])} has no {path[-1]}", expected(path)
    elif kind == "value_error":
        said = str(problems[first].get("ctx", {}).get("error", problems[first]["msg"]))
        message, wanted = f"{dotted(path)} {printable(said)}", expected(path)
    else:
        # A variable or an option is named by its place alone.
        name = f"{dotted(path)} is" if layer.file is not None else "is"
        message, wanted = f"{name} {_shown(path, value)}", expected(path)
    return ConfigError(message, where=where, expected=wanted + more)


def _path(loc: tuple[int | str, ...]) -> tuple[int | str, ...]:
    """The key's path; pydantic appends the names of union arms and of list positions, which are no keys of ours."""
    own = {"keys": 2, "agents": 3, "models": 3, "rules": 3, "mcp": 3}
    depth = 2 if loc[0] in _FLAT else own.get(str(loc[0]), 1)
    return tuple(part for part in loc[:depth] if part != "[key]")


def _shown(path: tuple[int | str, ...], value: object) -> str:
    if any(word in str(path[-1]) for word in _SECRET) and path[0] != "keys":
        return "not what belongs there"
    if path[0] == "mcp" and str(path[-1]) in ("env", "headers"):
        return "not what belongs there"
    if isinstance(value, bool):
        return str(value).lower()
    text = f'"{printable(value)}"' if isinstance(value, str) else printable(str(value))
    return text if len(text) <= 60 else f"{text[:57]}..."


def _unknown(path: tuple[int | str, ...]) -> tuple[str, str]:
    table = _table(path)
    names = list(_fields(table))
    near = difflib.get_close_matches(str(path[-1]), names, n=1)
    if path[0] == "models" and str(path[-1]) in {"api_key", "key", "token"}:
        return f"{dotted(path)} does not belong in a file", "the name of an environment variable in api_key_env"
    choice = f"{near[0]} (did you mean that?)" if near else f"one of {', '.join(names)}"
    return f"{dotted(path)} is not a setting", choice


def _table(path: tuple[int | str, ...]) -> type[BaseModel]:
    from tui.settings import schema

    nested: dict[str, type[BaseModel]] = {
        "limits": schema.Limits,
        COMPACTION: schema.CompactionTable,
        SANDBOX: schema.SandboxTable,
        "environment": schema.EnvironmentTable,
        "web": schema.WebTable,
        "terminal": schema.TerminalTable,
        "mcp": schema.McpTable,
        "agents": schema.AgentTable,
        "models": schema.ModelTable,
        "rules": schema.RuleTable,
    }
    deep = len(path) > (1 if path[0] in _FLAT else 2)
    return nested.get(str(path[0]), schema.ConfigTable) if deep else schema.ConfigTable


def _fields(table: type[BaseModel]) -> dict[str, FieldInfo]:
    """By the names that stand in a file."""
    return {field.alias or name: field for name, field in table.model_fields.items()}


def expected(path: tuple[int | str, ...]) -> str:
    """What a key's value has to be, in words."""
    found = _fields(_table(path))
    # The name of an action, such as theme, may be that of a setting too.
    own = str(path[-1]) in found and path[0] != "keys"
    field = found[str(path[-1] if own else path[0])]
    return field.description or _description(field.annotation)


def _description(annotation: object) -> str:
    """The description inside a union such as `Text | None`, where pydantic leaves it on the arm."""
    for part in (*getattr(annotation, "__metadata__", ()), *get_args(annotation)):
        found = getattr(part, "description", None) or _description(part)
        if isinstance(found, str) and found:
            return found
    return ""

"""A rule as TOML text. Pure."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from datetime import datetime
from decimal import Decimal
from typing import TYPE_CHECKING, Final, cast

from runner.errors import ConfigError

if TYPE_CHECKING:
    from tui.settings.values import ExampleSettings, RuleSettings

_ESCAPES: Final = {"\\": "\\\\", '"': '\\"', "\n": "\\n", "\r": "\\r", "\t": "\\t"}
_BARE: Final = frozenset("abcdefghijklmnopqrstuvwxyzABCDEFGHIJKLMNOPQRSTUVWXYZ0123456789_-")


def rule_lines(rule: RuleSettings) -> list[str]:
    """The lines of a table [[rules]]. Raises ConfigError for a value that TOML cannot hold."""
    lines = ["[[rules]]", f"effect = {toml(rule.effect)}", f"tool = {toml(rule.tool)}"]
    if rule.arguments is not None:
        lines.append(f"arguments = {toml(given(rule.arguments))}")
    for name, value in (("prefix", rule.prefix), ("below", rule.below), ("host", rule.host)):
        if value is not None:
            lines.append(f"{name} = {toml(value)}")
    if rule.note:
        lines.append(f"note = {toml(rule.note)}")
    if rule.expires is not None:
        lines.append(f"expires = {toml(rule.expires)}")
    if rule.examples:
        lines.append(f"examples = {toml([_example(example, rule) for example in rule.examples])}")
    return lines


def _example(example: ExampleSettings, rule: RuleSettings) -> dict[str, object]:
    found: dict[str, object] = {} if example.tool is None else {"tool": example.tool}
    arguments = given(example.arguments)
    if set(arguments) == {"command"} and arguments["command"]:
        found["command"] = arguments["command"]
    else:
        found["arguments"] = arguments
    if example.expect != rule.effect:
        found["expect"] = example.expect
    return found


def given(arguments: Mapping[str, object]) -> dict[str, object]:
    """A rule is written by hand, so what is null counts as not given."""
    return {name: value for name, value in arguments.items() if value is not None}


def toml(value: object) -> str:
    """A value on one line. Raises ConfigError where TOML has no such value."""
    match value:
        case bool():
            return "true" if value else "false"
        case str():
            return _text(value)
        case int() | Decimal():
            return str(value)
        case float():
            return repr(value)
        case datetime():
            return value.isoformat()
        case Mapping():
            table = cast("Mapping[str, object]", value)
            return (
                f"{{ {', '.join(f'{_key(name)} = {toml(item)}' for name, item in table.items())} }}" if table else "{}"
            )
        case Sequence():
            return f"[{', '.join(toml(item) for item in cast('Sequence[object]', value))}]"
        case _:
            raise ConfigError(
                f"a rule cannot hold {'null' if value is None else type(value).__name__}",
                where="rules",
                expected="texts, numbers, truth values, lists and tables",
            )


def _key(name: str) -> str:
    return name if name and set(name) <= _BARE else _text(name)


def _text(text: str) -> str:
    return f'"{"".join(_character(char) for char in text)}"'


def _character(char: str) -> str:
    """As it is where a person can see it; else by its number, so that nobody is misled by what the file shows."""
    if char in _ESCAPES:
        return _ESCAPES[char]
    if char.isprintable():
        return char
    code = ord(char)
    if 0xD800 <= code <= 0xDFFF:
        raise ConfigError("a rule cannot hold half a character", where="rules", expected="whole characters")
    return f"\\u{code:04X}" if code < 0x10000 else f"\\U{code:08X}"

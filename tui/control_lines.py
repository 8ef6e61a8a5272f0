"""The commands of `quarterdeck run --control`: one JSON object a line on stdin, checked before anything acts on it."""

from __future__ import annotations

import json
from collections.abc import Callable, Mapping
from decimal import Decimal, InvalidOperation
from difflib import get_close_matches
from typing import Any, Final, NoReturn, cast, get_args

from runner.control.commands import (
    Abort,
    CancelTool,
    Command,
    Compact,
    Decide,
    DeleteMessage,
    DeliverNow,
    EditMessage,
    GrantMatch,
    LimitName,
    MoveMessage,
    NextModel,
    Pause,
    Resume,
    RetryNow,
    Revoke,
    Send,
    SetLimit,
    SetModel,
    Stop,
    WrapUp,
)
from runner.errors import CommandError
from runner.events import Decision, Pattern, Scope, ToolPattern

LONGEST_LINE: Final = 8 << 20
"""Bytes of one line; edited arguments may hold a whole file."""

BY: Final = "program"

LARGEST: Final = 10**15
"""The highest value of a limit; beyond it a number says nothing that null does not say better."""

_WHOLE: Final = frozenset(
    name for name in get_args(LimitName) if name.startswith("max_") and name != "max_cost_usd"
) - {
    "max_time",
    "max_wall_time",
}
_ZERO_IS_A_LIMIT: Final = _WHOLE | {"max_cost_usd"}

Fields = Mapping[str, Any]


def parse(line: bytes) -> Command:
    """The command in one line. Raises CommandError, which says what is wrong with it."""
    if len(line) > LONGEST_LINE:
        raise CommandError(f"the line is longer than {LONGEST_LINE} bytes")
    try:
        data: object = json.loads(line, parse_float=Decimal, parse_constant=_no_constant)
    except (ValueError, RecursionError) as error:
        raise CommandError(f"the line is not JSON: {error}") from error
    if not isinstance(data, dict):
        raise CommandError('a command is a JSON object such as {"command":"stop"}')
    fields = cast("dict[str, Any]", data)
    name = fields.get("command")
    if not isinstance(name, str) or name not in _COMMANDS:
        near = get_close_matches(str(name), _COMMANDS, n=1)
        hint = f"did you mean {near[0]!r}?" if near else f"it is one of {', '.join(_COMMANDS)}"
        raise CommandError(f"there is no command {name!r}; {hint}" if "command" in fields else f"no command; {hint}")
    known, make = _COMMANDS[name]
    unknown = sorted(set(fields) - {"command", *known})
    if unknown:
        raise CommandError(f"{name} takes no {unknown[0]!r}; it takes {', '.join(known) or 'nothing'}")
    return make(fields)


def _no_constant(text: str) -> NoReturn:
    raise ValueError(f"{text} is not a JSON number")


def _text(fields: Fields, name: str, *, default: str | None = None) -> str:
    value = fields.get(name, default)
    if not isinstance(value, str) or (default is None and not value.strip()):
        raise CommandError(f"{fields['command']} needs a text in {name!r}")
    return value


def _choice(fields: Fields, name: str, choices: tuple[str, ...], default: str | None = None) -> str:
    value = fields.get(name, default)
    if not isinstance(value, str) or value not in choices:
        raise CommandError(f"{name!r} is {value!r}; it is one of {', '.join(choices)}")
    return value


def _flag(fields: Fields, name: str) -> bool:
    value = fields.get(name, False)
    if not isinstance(value, bool):
        raise CommandError(f"{name!r} is true or false")
    return value


def _position(fields: Fields) -> int:
    value = fields.get("position")
    if isinstance(value, bool) or not isinstance(value, int) or value < 0:
        raise CommandError("move_message needs a whole number in 'position'; 0 is the first place")
    return value


def _decide(fields: Fields) -> Command:
    arguments = _plain(fields.get("arguments"))
    if arguments is not None and not isinstance(arguments, dict):
        raise CommandError("'arguments' is an object")
    match = None if fields.get("match") is None else _choice(fields, "match", get_args(GrantMatch))
    minutes = _amount(fields, "minutes")
    return Decide(
        request_id=_text(fields, "request_id"),
        decision=cast("Decision", _choice(fields, "decision", get_args(Decision))),
        scope=cast("Scope", _choice(fields, "scope", get_args(Scope), "call")),
        reason=_text(fields, "reason", default=""),
        arguments=cast("dict[str, Any] | None", arguments),
        match=cast("GrantMatch | None", match),
        patterns=_patterns(fields),
        calls=_calls(fields),
        minutes=None if minutes is None else float(minutes),
        until_failure=_flag(fields, "until_failure"),
        spend_usd=_amount(fields, "spend_usd"),
    )


def _calls(fields: Fields) -> int | None:
    value: object = fields.get("calls")
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int) or not 1 <= value <= LARGEST:
        raise CommandError("'calls' is a whole number, 1 or more")
    return value


def _amount(fields: Fields, name: str) -> Decimal | None:
    value: object = fields.get(name)
    if value is None:
        return None
    if isinstance(value, bool) or not isinstance(value, int | Decimal) or not 0 < value <= LARGEST:
        raise CommandError(f"{name!r} is a number, more than 0")
    return Decimal(value)


def _patterns(fields: Fields) -> tuple[ToolPattern, ...]:
    given: object = fields.get("patterns")
    if given is None:
        return ()
    if not isinstance(given, list) or not given:
        raise CommandError('\'patterns\' is a list of objects such as {"tool": "shell", "prefix": ["git", "status"]}')
    return tuple(_pattern(item) for item in cast("list[object]", given))


def _pattern(item: object) -> ToolPattern:
    found = cast("dict[str, Any]", item if isinstance(item, dict) else {})
    tool = found.get("tool")
    if not isinstance(tool, str) or not tool:
        raise CommandError("a pattern is an object with a 'tool' and one of prefix, below, host, arguments")
    kinds = sorted(set(found) - {"tool"})
    if len(kinds) > 1 or not set(kinds) <= {"prefix", "below", "host", "arguments"}:
        raise CommandError(f"a pattern of {tool} takes one of prefix, below, host, arguments; none means every call")
    if not kinds:
        return ToolPattern(tool=tool, pattern=Pattern())
    pattern = _pattern_of(kinds[0], found[kinds[0]])
    if pattern is None:
        wanted = {"prefix": "a list of words", "arguments": "an object"}.get(kinds[0], "a text")
        raise CommandError(f"{kinds[0]!r} of a pattern of {tool} is {wanted}")
    return ToolPattern(tool=tool, pattern=pattern)


def _pattern_of(kind: str, value: object) -> Pattern | None:
    if kind == "arguments":
        return Pattern(arguments=cast("dict[str, Any]", _plain(value))) if isinstance(value, dict) else None
    if kind == "prefix":
        words = cast("list[object]", value) if isinstance(value, list) else []
        texts = tuple(word for word in words if isinstance(word, str))
        return Pattern(prefix=texts) if texts and len(texts) == len(words) else None
    if not isinstance(value, str):
        return None
    return Pattern(below=value) if kind == "below" else Pattern(host=value)


def _set_model(fields: Fields) -> Command:
    """A model, or an effort, or a temperature, or any of them together."""
    asked = fields.keys() & {"effort", "temperature"}
    effort, temperature = fields.get("effort"), fields.get("temperature")
    if "effort" in asked and not isinstance(effort, str):
        raise CommandError('\'effort\' is a text such as "high", or "default"')
    value = float(temperature) if isinstance(temperature, int | Decimal) and temperature is not True else None
    if "temperature" in asked and (isinstance(temperature, bool) or (value is None and temperature != "default")):
        raise CommandError("'temperature' is a number from 0 to 2, or \"default\"")
    return SetModel(
        model=_text(fields, "model", default="" if asked else None),
        now=_flag(fields, "now"),
        effort=effort,
        temperature="default" if "temperature" in asked and value is None else value,
    )


def _plain(value: Any) -> Any:
    """JSON values as a tool expects them: exact decimals become floats again."""
    match value:
        case Decimal():
            return float(value)
        case dict():
            return {key: _plain(item) for key, item in cast("dict[str, Any]", value).items()}
        case list():
            return [_plain(item) for item in cast("list[Any]", value)]
        case _:
            return value


def _set_limit(fields: Fields) -> Command:
    limit = cast("LimitName", _choice(fields, "limit", get_args(LimitName)))
    if "value" not in fields:
        raise CommandError("set_limit needs a 'value': a number, or null for no limit")
    value: object = fields["value"]
    if value is None:
        return SetLimit(limit=limit, value=None, by=BY)
    if isinstance(value, bool) or not isinstance(value, int | Decimal | str):
        raise CommandError("'value' is a number, or null for no limit")
    try:
        number = Decimal(value)
    except InvalidOperation as error:
        raise CommandError(f"'value' is {value!r}, which is no number") from error
    return SetLimit(limit=limit, value=_in_range(limit, number), by=BY)


def _in_range(limit: LimitName, number: Decimal) -> Decimal:
    if not number.is_finite() or number < 0 or (number == 0 and limit not in _ZERO_IS_A_LIMIT):
        least = "0 or more" if limit in _ZERO_IS_A_LIMIT else "more than 0 seconds"
        raise CommandError(f"'value' of {limit} is {least}, or null for no limit")
    if number > LARGEST:
        raise CommandError(f"'value' of {limit} is at most {LARGEST}, or null for no limit")
    if limit in _WHOLE and number != int(number):
        raise CommandError(f"'value' of {limit} is a whole number, or null for no limit")
    return number


_COMMANDS: Final[dict[str, tuple[tuple[str, ...], Callable[[Fields], Command]]]] = {
    "stop": ((), lambda _: Stop(by=BY)),
    "abort": ((), lambda _: Abort(by=BY)),
    "pause": ((), lambda _: Pause(by=BY)),
    "resume": ((), lambda _: Resume(by=BY)),
    "send": (("text", "now"), lambda fields: Send(text=_text(fields, "text"), now=_flag(fields, "now"))),
    "edit_message": (
        ("message_id", "text"),
        lambda fields: EditMessage(message_id=_text(fields, "message_id"), text=_text(fields, "text")),
    ),
    "delete_message": (("message_id",), lambda fields: DeleteMessage(message_id=_text(fields, "message_id"))),
    "move_message": (
        ("message_id", "position"),
        lambda fields: MoveMessage(message_id=_text(fields, "message_id"), position=_position(fields)),
    ),
    "deliver_now": ((), lambda _: DeliverNow(by=BY)),
    "retry_now": ((), lambda _: RetryNow(by=BY)),
    "next_model": ((), lambda _: NextModel(by=BY)),
    "wrap_up": ((), lambda _: WrapUp(by=BY)),
    "compact": ((), lambda _: Compact(by=BY)),
    "set_model": (
        ("model", "now", "effort", "temperature"),
        _set_model,
    ),
    "decide": (
        (
            *("request_id", "decision", "scope", "reason", "arguments", "match"),
            *("patterns", "calls", "minutes", "until_failure", "spend_usd"),
        ),
        _decide,
    ),
    "revoke": (("key",), lambda fields: Revoke(key=_text(fields, "key", default=""), by=BY)),
    "cancel_tool": (("call_id",), lambda fields: CancelTool(call_id=_text(fields, "call_id"))),
    "set_limit": (("limit", "value"), _set_limit),
}

"""One key of a TOML text set or taken out; every other byte stays. Pure."""

from __future__ import annotations

import re
import tomllib
from collections.abc import Callable, MutableMapping
from copy import deepcopy
from decimal import Decimal
from typing import TYPE_CHECKING, Any, Final, TypeAlias, cast

from runner.errors import ConfigError
from tui.settings.layers import dotted
from tui.settings.locate import key_lines
from tui.settings.rule_text import toml

if TYPE_CHECKING:
    from tomlkit import TOMLDocument

KeyPath: TypeAlias = tuple[str, ...]
Table: TypeAlias = MutableMapping[str, Any]

_BARE: Final = re.compile(r"[A-Za-z0-9_-]+")
_FREE: Final = re.compile(r"[ \t]*(#.*)?\r?\n?")
"""A line without a key: blank, or nothing but a comment."""

_BOM: Final = b"\xef\xbb\xbf"


def edited(old: bytes, path: KeyPath, literal: str | None) -> bytes:
    """The content of a file with the key set to a TOML value, or without it (None). old: valid TOML.

    Raises ConfigError where that cannot be done so that all else means, and is written, what it was.
    """
    bom = _BOM if old.startswith(_BOM) else b""
    text = old[len(bom) :].decode("utf-8")
    before = _raw(text)
    wanted = _changed(before, path, literal)
    if wanted == before:
        return old
    ways: tuple[Callable[[str, KeyPath, str | None], str | None], ...] = (_inserted, _rewritten)
    for way in ways:
        new = way(text, path, literal)
        if new is not None and _means(new, wanted) and _rest_stays(text, new, path):
            return bom + new.encode("utf-8")
    raise ConfigError(
        f"{dotted(path)} cannot be changed here without changing more of the file", expected="a change by hand"
    )


def _raw(text: str) -> dict[str, Any]:
    return tomllib.loads(text.replace("\r\n", "\n"), parse_float=Decimal)


def _means(text: str, wanted: dict[str, Any]) -> bool:
    try:
        return _same(_raw(text), wanted)
    except tomllib.TOMLDecodeError:
        return False


def _same(one: object, other: object) -> bool:
    """Equal in type too: 1, 1.0 and true are different values in a file."""
    return _typed(one) == _typed(other)


def _typed(value: object) -> object:
    if isinstance(value, dict):
        return {key: _typed(item) for key, item in cast("dict[str, object]", value).items()}
    if isinstance(value, list):
        return [_typed(item) for item in cast("list[object]", value)]
    return type(value), value


def _changed(before: dict[str, Any], path: KeyPath, literal: str | None) -> dict[str, Any]:
    """What the file is to mean."""
    wanted = deepcopy(before)
    table: dict[str, Any] = wanted
    for depth, part in enumerate(path[:-1], 1):
        if literal is None and part not in table:
            return wanted
        inner: object = table.setdefault(part, {})
        if not isinstance(inner, dict):
            name = dotted(path[:depth])
            raise ConfigError(f"{name} is one value in this file", expected=f"a table [{name}], written by hand")
        table = cast("dict[str, Any]", inner)
    if isinstance(table.get(path[-1]), dict) and (literal is None or literal[:1] != "{") and path[0] != "mcp":
        name = dotted(path)
        raise ConfigError(f"{name} is a table in this file", expected=f"a file without [{name}]; change it by hand")
    if literal is None:
        table.pop(path[-1], None)
        return wanted
    table[path[-1]] = tomllib.loads(f"value = {literal}", parse_float=Decimal)["value"]
    return wanted


def _inserted(text: str, path: KeyPath, literal: str | None) -> str | None:
    """With a line for a key that is not there yet; None where it is, or where its table is written in another way."""
    before = _raw(text)
    if literal is None or _find(before, path) is not None:
        return None
    end = "\r\n" if "\r\n" in text else "\n"
    line = f"{_name(path[-1])} = {literal}{end}"
    lines = text.splitlines(keepends=True)
    if any(char in text for char in "\x0b\x0c\x1c\x1d\x1e\x85\u2028\u2029"):
        # What Python also takes for the end of a line; TOML does not.
        return None
    if len(path) == 1:
        at = _place_at_top(lines)
        before_table = at < len(lines) and lines[at].lstrip().startswith("[")
        return _joined(lines, at, line + end if before_table else line, end)
    header = _header(lines, path[:-1])
    if header is not None:
        return _joined(lines, _end_of(lines, header), line, end)
    if _find(before, path[:-1]) is not None:
        return None
    gap = "" if not text else end if text.endswith("\n") else end + end
    return f"{text}{gap}[{'.'.join(map(_name, path[:-1]))}]{end}{line}"


def _name(part: str) -> str:
    return part if _BARE.fullmatch(part) else toml(part)


def _find(raw: dict[str, Any], path: KeyPath) -> object | None:
    value: object = raw
    for part in path:
        if not isinstance(value, dict):
            return None
        value = cast("dict[str, object]", value).get(part)
    return value


def _joined(lines: list[str], at: int, line: str, end: str) -> str:
    head, tail = lines[:at], lines[at:]
    if head and not head[-1].endswith("\n"):
        head = [*head[:-1], head[-1] + end]
    return "".join((*head, line, *tail))


def _header(lines: list[str], table: KeyPath) -> int | None:
    """The line of [table]; None where there is none."""
    for number, line in enumerate(lines):
        if line.lstrip().startswith("[") and not line.lstrip().startswith("[["):
            try:
                found = _raw(line)
            except tomllib.TOMLDecodeError:
                continue
            if _only(found) == table:
                return number
    return None


def _only(found: dict[str, Any]) -> KeyPath:
    path: list[str] = []
    while found:
        name, found = next(iter(found.items()))
        path.append(name)
    return tuple(path)


def _end_of(lines: list[str], header: int) -> int:
    """After the last line of the table that has a key; comments after it belong to what follows."""
    places = sorted(set(key_lines("".join(lines).replace("\r\n", "\n")).values()))
    tables = [place - 1 for place in places if place - 1 > header and lines[place - 1].lstrip().startswith("[")]
    at = tables[0] if tables else len(lines)
    while at > header + 1 and _FREE.fullmatch(lines[at - 1]):
        at -= 1
    return at


def _place_at_top(lines: list[str]) -> int:
    """After the last key that stands before all tables; else after the comment that opens the file."""
    places = sorted(set(key_lines("".join(lines).replace("\r\n", "\n")).values()))
    if places and not lines[places[0] - 1].lstrip().startswith("["):
        return _end_of(lines, -1)
    at = 0
    while at < len(lines) and lines[at].startswith("#"):
        at += 1
    opens = at < len(lines) and not lines[at].strip()
    return at + 1 if opens else at if at == len(lines) else 0


def _rewritten(text: str, path: KeyPath, literal: str | None) -> str | None:
    """By a library that keeps the form of the rest."""
    import tomlkit
    from tomlkit.exceptions import TOMLKitError

    try:
        document = tomlkit.parse(text)
        if tomlkit.dumps(document) != text:
            return None
        _set(document, path, literal)
        return tomlkit.dumps(document)
    except (TOMLKitError, TypeError, KeyError, ValueError):
        return None


def _set(document: TOMLDocument, path: KeyPath, literal: str | None) -> None:
    import tomlkit

    table = cast("Table", document)
    for part in path[:-1]:
        if part not in table:
            table[part] = tomlkit.table()
        table = cast("Table", table[part])
    if literal is None:
        del table[path[-1]]
    else:
        table[path[-1]] = tomlkit.value(literal)


def _rest_stays(old: str, new: str, path: KeyPath) -> bool:
    """Whether old and new differ in one place only, and there within the lines of the key."""
    most = min(len(old), len(new))
    start = next((index for index in range(most) if old[index] != new[index]), most)
    back = most - start
    tail = next((index for index in range(back) if old[-1 - index] != new[-1 - index]), back)
    gone, came = old[start : len(old) - tail], new[start : len(new) - tail]
    if not gone:
        return True
    first = key_lines(old.replace("\r\n", "\n")).get(path)
    if first is None:
        # Inside an inline table, or a table that went with its only key.
        return gone.count("\n") <= 1 and came.count("\n") <= 1
    line = old.count("\n", 0, start) + 1
    last = max(line, line + gone.rstrip("\r\n").count("\n"))
    others = [place for key, place in key_lines(old.replace("\r\n", "\n")).items() if key != path and place > first]
    return line >= first and last < min(others, default=old.count("\n") + 2)

"""One layer of settings each: a file, the environment, the options; as raw tables that know where each key stands."""

from __future__ import annotations

import difflib
import os
import re
import stat
import tomllib
from collections.abc import Mapping
from dataclasses import dataclass, field
from decimal import Decimal, InvalidOperation
from pathlib import Path
from typing import Any, Final

from runner.errors import ConfigError
from tui.settings.locate import key_lines, line_of
from tui.settings.values import Source, SourceKind

MAX_FILE: Final = 1 << 20
"""Bytes; a larger file is refused, because nobody wrote it as configuration."""

PREFIX: Final = "QUARTERDECK_"
TOP_LEVEL: Final = ("model", "theme", "agent", "approve", "keymap")
COMPACTION: Final = "compaction"
SANDBOX: Final = "sandbox"
LIMITS: Final = (
    "switch_after",
    "max_turns",
    "max_time",
    "max_wall_time",
    "timeout_per_turn",
    "first_token_timeout",
    "stream_idle_timeout",
    "max_model_requests",
    "max_tool_calls",
    "max_input_tokens",
    "max_output_tokens",
    "max_total_tokens",
    "max_cost_usd",
    "max_retries",
    "backoff_initial",
    "backoff_factor",
    "backoff_max",
    "retry_after_max",
    "stop_on_tool_error",
    "max_consecutive_errors",
    "tool_timeout",
    "tool_concurrency",
    "max_tool_output",
    "abort_grace",
    "approval_timeout",
    "on_limit",
)
ATTENDED_LIMITS: Final[dict[str, int | float | str]] = {
    "max_turns": 50,
    "max_time": 3600.0,
    "timeout_per_turn": 600.0,
    "on_limit": "ask",
}
"""Defaults of the screen, where a person watches and can stop a run; RunConfig's own are for programs."""

OPTION_NAMES: Final = {"limits.max_cost_usd": "--max-cost", COMPACTION: "--no-compaction", "sandbox.mode": "--sandbox"}


@dataclass(frozen=True, slots=True, kw_only=True)
class Layer:
    """raw: nested tables as tomllib gives them. lines: for a file; names: a dotted key's own name elsewhere."""

    kind: SourceKind
    raw: Mapping[str, Any]
    file: Path | None = None
    lines: Mapping[tuple[str | int, ...], int] = field(default_factory=dict[tuple[str | int, ...], int])
    names: Mapping[str, str] = field(default_factory=dict[str, str])
    sha256: str = ""

    def line(self, path: tuple[str | int, ...]) -> int:
        """The line of a key in its file, 0 where there is none."""
        return line_of(self.lines, path) or 0

    def where(self, path: tuple[str | int, ...]) -> str:
        """The place of a key for people: file and line, variable or option."""
        if self.file is None:
            return self.names.get(dotted(path), dotted(path))
        line = self.line(path)
        return f"{self.file}:{line}" if line else str(self.file)

    def source(self, path: tuple[str | int, ...]) -> Source:
        return Source(kind=self.kind, where=self.where(path))


def dotted(path: tuple[str | int, ...]) -> str:
    """A key's path as TOML writes it: limits.max_turns, models."lab/qwen".model, rules[1].tool."""
    text = ""
    for part in path:
        if isinstance(part, int):
            text += f"[{part + 1}]"
        else:
            bare = re.fullmatch(r"[A-Za-z0-9_-]+", part)
            text += ("." if text else "") + (part if bare else f'"{printable(part)}"')
    return text


def printable(text: str) -> str:
    """A text from a file for one line of a terminal: what is not printable (escapes, bidi marks) becomes \\u...."""
    return "".join(char if char.isprintable() else f"\\u{ord(char):04x}" for char in text)


def file_layer(kind: SourceKind, path: Path) -> Layer | None:
    """The layer in a TOML file, None where there is no file. Raises ConfigError for one that cannot be read."""
    data = file_bytes(path)
    return None if data is None else layer_of(kind, path, data)


def layer_of(kind: SourceKind, path: Path, data: bytes) -> Layer:
    """The layer in the content of a TOML file. Raises ConfigError."""
    try:
        text = data.decode("utf-8-sig").replace("\r\n", "\n")
    except UnicodeDecodeError as error:
        line = error.object.count(b"\n", 0, error.start) + 1
        raise ConfigError("is not UTF-8 text", where=f"{path}:{line}") from error
    try:
        raw = tomllib.loads(text, parse_float=Decimal)
    except tomllib.TOMLDecodeError as error:
        raise _syntax_error(path, text, error) from error
    except RecursionError as error:
        raise ConfigError("is nested too deeply", where=str(path)) from error
    # Most folders have no file, and this loads a large library.
    import hashlib

    return Layer(kind=kind, raw=raw, file=path, lines=key_lines(text), sha256=hashlib.sha256(data).hexdigest())


def file_bytes(path: Path) -> bytes | None:
    """The content of a configuration file, None where there is no file. Raises ConfigError for one nobody can read."""
    try:
        return _read(path)
    except (FileNotFoundError, NotADirectoryError):
        return None
    except OSError as error:
        raise ConfigError(f"cannot be read: {error.strerror or error}", where=str(path)) from error


def _read(path: Path) -> bytes:
    # A named pipe would block for ever, so it is opened without waiting and only a plain file is read.
    descriptor = os.open(path, os.O_RDONLY | os.O_NONBLOCK | os.O_CLOEXEC)
    with open(descriptor, "rb") as file:
        if not stat.S_ISREG(os.fstat(descriptor).st_mode):
            raise ConfigError("is not a plain file", where=str(path))
        data = file.read(MAX_FILE + 1)
    if len(data) > MAX_FILE:
        raise ConfigError("is too large", where=str(path), expected=f"at most {MAX_FILE} bytes")
    return data


def _syntax_error(path: Path, text: str, error: tomllib.TOMLDecodeError) -> ConfigError:
    message = str(error)
    found = re.search(r" \(at line (\d+), column \d+\)$", message)
    line = int(found[1]) if found else text.count("\n") + 1
    detail = re.sub(r" \(at [^)]*\)$", "", message)
    return ConfigError(f"is not valid TOML: {printable(detail)}", where=f"{path}:{line}")


def environment_layer(environ: Mapping[str, str]) -> Layer:
    """The QUARTERDECK_* variables that are settings; an empty one counts as not set.

    Raises ConfigError for a variable that is nearly one of them, because a misspelled budget protects nobody.
    """
    variables = {PREFIX + name.upper(): name for name in (*TOP_LEVEL, COMPACTION, SANDBOX, *LIMITS)}
    raw: dict[str, Any] = {}
    names: dict[str, str] = {}
    for variable, value in environ.items():
        if not variable.startswith(PREFIX) or not value.strip():
            continue
        name = variables.get(variable)
        if name is None:
            _refuse_near_miss(variable, variables)
            continue
        key = f"limits.{name}" if name in LIMITS else "sandbox.mode" if name == SANDBOX else name
        names[key] = variable
        _put(raw, key, value)
    return Layer(kind="environment", raw=raw, names=names)


def _refuse_near_miss(variable: str, variables: Mapping[str, str]) -> None:
    bare = variable.removeprefix(PREFIX)
    near = difflib.get_close_matches(bare, [name.removeprefix(PREFIX) for name in variables], n=1, cutoff=0.8)
    longer = [name.removeprefix(PREFIX) for name in variables if name.startswith(f"{variable}_")]
    for name in (*longer, *near):
        raise ConfigError("is not a variable of Quarterdeck's", where=variable, expected=f"{PREFIX}{name}")


def flag_layer(overrides: Mapping[str, object]) -> Layer:
    """Options as dotted keys ("limits.max_turns"); None means the option was not given."""
    raw: dict[str, Any] = {}
    names: dict[str, str] = {}
    for key, value in overrides.items():
        if value is None:
            continue
        names[key] = OPTION_NAMES.get(key, "--" + key.rpartition(".")[2].replace("_", "-"))
        _put(raw, key, value)
    return Layer(kind="flag", raw=raw, names=names)


def _put(raw: dict[str, Any], key: str, value: object) -> None:
    table, _, name = key.rpartition(".")
    if table:
        raw.setdefault(table, {})[name] = _scalar(value) if isinstance(value, str) else value
    else:
        raw[name] = value


def _scalar(text: str) -> object:
    """A number or truth value written as text; other text stays, for the check to name it."""
    text = text.strip()
    if text in {"true", "false"}:
        return text == "true"
    try:
        return int(text)
    except ValueError:
        pass
    try:
        return Decimal(text)
    except InvalidOperation:
        return text

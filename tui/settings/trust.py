"""What a project's file may not do by itself, and the record of the folders that a person trusts.

The record binds a folder's path to the hash of its file: a changed file asks again.
"""

from __future__ import annotations

import json
import os
import shlex
import tempfile
from collections.abc import Callable, Iterator, Mapping
from dataclasses import dataclass, fields
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any, Final, cast

from runner.errors import ConfigError
from tui.settings.check import Entries, Key
from tui.settings.layers import Layer, dotted, printable
from tui.settings.values import AgentSettings, LimitValue, McpSettings, NamedModelSettings, RuleSettings, Withheld

# A lower value of these only ends, denies or cuts sooner; any other limit has no safe direction.
_LOWER_IS_TIGHTER: Final = frozenset(
    {
        "max_turns",
        "max_time",
        "max_wall_time",
        "max_model_requests",
        "max_tool_calls",
        "max_input_tokens",
        "max_output_tokens",
        "max_total_tokens",
        "max_cost_usd",
        "max_retries",
        "max_consecutive_errors",
        "tool_timeout",
        "tool_concurrency",
        "approval_timeout",
    }
)
_TIGHTEST: Final[dict[str, LimitValue]] = {"stop_on_tool_error": True, "on_limit": "end"}
_TIGHTER_MODES: Final[dict[str, frozenset[str]]] = {
    "bypass": frozenset({"accept_edits", "default", "plan", "deny_unlisted"}),
    "accept_edits": frozenset({"default", "plan", "deny_unlisted"}),
    "default": frozenset({"plan", "deny_unlisted"}),
}
_MODE_MEANS: Final = {
    "default": "read-only tools run, others ask",
    "accept_edits": "file edits run without asking",
    "plan": "only read-only tools run",
    "bypass": "every tool runs without asking",
    "deny_unlisted": "only listed tools run",
}
_SANDBOX_MODES: Final = ("require", "auto", "off")
"""Each lets commands do what the one before does, and more."""

_SHOWN: Final = 300


@dataclass(frozen=True, slots=True, kw_only=True)
class TrustFile:
    """The record on disk, readable by its owner only. A damaged one means that nothing is trusted."""

    path: Path

    def is_trusted(self, folder: Path, sha256: str) -> bool:
        entry = self._read().get(str(folder))
        return isinstance(entry, dict) and cast("dict[str, object]", entry).get("sha256") == sha256

    def trust(self, folder: Path, sha256: str, now: datetime) -> None:
        """Trust the folder's file as it is now. Raises ConfigError where the record cannot be written."""
        record = self._read()
        record[str(folder)] = {"sha256": sha256, "time": now.astimezone(UTC).isoformat()}
        self._write(record)

    def revoke(self, folder: Path) -> bool:
        """Forget the folder; whether it was trusted in any version."""
        record = self._read()
        known = record.pop(str(folder), None) is not None
        if known:
            self._write(record)
        return known

    def _read(self) -> dict[str, object]:
        try:
            data: object = json.loads(self.path.read_bytes())
        except (OSError, ValueError):
            return {}
        if not isinstance(data, dict):
            return {}
        folders = cast("dict[str, object]", data).get("folders")
        return cast("dict[str, object]", folders) if isinstance(folders, dict) else {}

    def _write(self, record: Mapping[str, object]) -> None:
        text = json.dumps({"version": 1, "folders": record}, indent=1)
        try:
            self.path.parent.mkdir(mode=0o700, parents=True, exist_ok=True)
            # mkstemp makes the file 0600, and the rename keeps a reader from seeing half of it.
            descriptor, name = tempfile.mkstemp(dir=self.path.parent, prefix=".trust-")
            with open(descriptor, "w", encoding="utf-8") as file:
                file.write(text)
            os.replace(name, self.path)
        except OSError as error:
            raise ConfigError(f"cannot be written: {error.strerror or error}", where=str(self.path)) from error


def split(
    layer: Layer, found: Entries, base: Entries, default_limit: Callable[[str], LimitValue]
) -> tuple[Entries, list[Withheld]]:
    """What of an untrusted project's file applies at once, and what is withheld.

    base: the settings without the project. Only what can do no harm applies: a theme, a tighter mode, lower limits,
    rules that deny, a demo model. Keys are withheld as well, since a file that swaps approve and deny approves.
    """
    kept: Entries = {}
    withheld: list[Withheld] = []
    for key, value in found.items():
        if key == ("rules",):
            rules: tuple[RuleSettings, ...] = value
            if denials := tuple(rule for rule in rules if rule.effect == "deny"):
                kept[key] = denials
            withheld.extend(
                Withheld(key="rules", text=f"adds the rule: {_rule(rule)}", where=rule.source)
                for rule in rules
                if rule.effect != "deny"
            )
        elif _is_harmless(key, value, base, default_limit):
            kept[key] = value
        else:
            withheld.extend(
                Withheld(key=dotted(key), text=text, where=layer.where(key))
                for text in _describe(key, value, base, default_limit)
            )
    return kept, withheld


def _is_harmless(key: Key, value: Any, base: Entries, default_limit: Callable[[str], LimitValue]) -> bool:
    if base.get(key) == value and key in base:
        return True
    match key:
        case ("theme",) | ("terminal", _):
            return True
        case ("model",):
            return str(value).startswith("demo/")
        case ("approve",):
            current = base.get(key, "default")
            return value == current or value in _TIGHTER_MODES.get(current, ())
        case ("compaction",):
            return value == base.get(key, True)
        case ("sandbox" | "environment" | "web", _):
            return _is_narrower(key, value, base)
        case ("limits", name):
            return _is_tighter(name, value, base[key] if key in base else default_limit(name))
        case _:
            return False


def _is_narrower(key: Key, value: Any, base: Entries) -> bool:
    """Whether tools reach no more with it than without."""
    match key:
        case ("sandbox", "mode"):
            return _SANDBOX_MODES.index(value) <= _SANDBOX_MODES.index(base.get(key, "auto"))
        case ("sandbox", "network"):
            return value <= base.get(key, False)
        case ("environment", "hide"):
            return True
        case ("sandbox", "hide"):
            return set(base.get(key, ())) <= set(value)
        case _:
            return set(value) <= set(base.get(key, ()))


def _is_tighter(name: str, value: LimitValue, current: LimitValue) -> bool:
    if value == current:
        return True
    if name in _TIGHTEST:
        return value == _TIGHTEST[name]
    if name not in _LOWER_IS_TIGHTER or value is None:
        return False
    return current is None or Decimal(str(value)) < Decimal(str(current))


def _describe(key: Key, value: Any, base: Entries, default_limit: Callable[[str], LimitValue]) -> Iterator[str]:
    match key:
        case ("model",):
            now = base.get(key)
            yield f"uses the model {_text(value)} ({f'now {_text(now)}' if now else 'now chosen by your keys'})"
        case ("agent",):
            yield f"makes {_text(value)} the agent that starts"
        case ("approve",):
            yield f"sets the approval mode to {value}: {_MODE_MEANS[value]} (now {base.get(key, 'default')})"
        case ("limits", name):
            current = base[key] if key in base else default_limit(name)
            yield f"sets {name} to {_limit(value)} (now {_limit(current)})"
        case ("compaction",):
            yield f"switches compaction {'on' if value else 'off'}"
        case ("compaction", name):
            yield f"sets compaction's {name} to {value}"
        case ("keymap",):
            yield f"takes the keys of {_text(value)}"
        case ("keys", action):
            yield f"binds {_text(action)} to the key {_text(value)}"
        case ("agents", name):
            own = base.get(key, {})
            for part in fields(AgentSettings):
                if part.name in value and own.get(part.name) != value[part.name]:
                    yield f"agent {_text(name)}: {part.name} = {_text(value[part.name])}"
        case _:
            yield _rest(key, value, base)


def _model(name: str, value: NamedModelSettings, *, replaces: bool) -> str:
    parts = [f"{'replaces your' if replaces else 'adds the'} model {_text(name)}: {_text(value.model)}"]
    if value.api_base:
        parts.append(f"at {_text(value.api_base)}")
    if value.api_key_env:
        parts.append(f"sending the key in {_text(value.api_key_env)}")
    return ", ".join(parts)


def _server(name: str, value: McpSettings, *, replaces: bool) -> str:
    begin = f"{'replaces your' if replaces else 'adds the'} server {_text(name)}"
    if value.url:
        headers = f", with the headers {_text(tuple(value.headers.values()))}" if value.headers else ""
        return f"{begin}: connects to {_text(value.url)}{headers}"
    where = f", in {_text(value.cwd)}" if value.cwd else ""
    env = tuple(f"{variable}={text}" for variable, text in value.env.items())
    return (
        f"{begin}: runs {_text(shlex.join((value.command, *value.args)))}{where}{f', with {_text(env)}' if env else ''}"
    )


def _rest(key: Key, value: Any, base: Entries) -> str:
    match key:
        case ("models", name):
            return _model(name, value, replaces=key in base)
        case ("mcp", name):
            return _server(name, value, replaces=key in base)
        case ("sandbox", "mode"):
            return f"sets the sandbox to {value} (now {base.get(key, 'auto')})"
        case ("sandbox", "network"):
            return "lets commands in the sandbox use the network"
        case ("sandbox", "write"):
            return f"lets commands in the sandbox write {_text(value)}"
        case ("sandbox", "show"):
            return f"lets commands in the sandbox read {_text(value)}"
        case ("sandbox", "hide"):
            return f"hides only {_text(value)} from commands in the sandbox"
        case ("environment", "pass"):
            return f"passes to tools the variables {_text(value)}"
        case ("web", "private_hosts"):
            return f"lets web_fetch reach the private hosts {_text(value)}"
        case _:
            return f"sets {dotted(key)}"


def _rule(rule: RuleSettings) -> str:
    which = "" if rule.arguments is None else f" with {_text(dict(rule.arguments))}"
    for name, value in (("prefix", rule.prefix), ("below", rule.below), ("host", rule.host)):
        if value is not None:
            which = f" {name} {_text(' '.join(value) if isinstance(value, tuple) else value)}"
    return f"{rule.effect} {_text(rule.tool)}{which}"


def _limit(value: LimitValue) -> str:
    return "off" if value is None else str(value)


def _text(value: object) -> str:
    if isinstance(value, tuple):
        return ", ".join(_text(part) for part in cast("tuple[object, ...]", value)) or "none"
    text = printable(value) if isinstance(value, str) else printable(repr(value))
    return f'"{text}"' if len(text) <= _SHOWN else f'"{text[:_SHOWN]}..." ({len(text)} characters in all)'

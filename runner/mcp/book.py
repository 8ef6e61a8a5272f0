"""Which tools of servers a person approved, as they were then: a tool that changes afterwards is a new one."""

from __future__ import annotations

import hashlib
import json
import threading
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any, cast

from runner.errors import ConfigError
from runner.mcp.state import Approval
from runner.messages import JsonObject
from runner.owned_file import locked, read_owned, replace_owned

_VERSION = 1
_KEPT_DESCRIPTION = 8_000
_MOST_TOOLS = 5_000
_SHOWN = 160


@dataclass(frozen=True, slots=True, kw_only=True)
class Known:
    """What makes a tool what it is. source: how its server is started or reached. description: as a model gets it."""

    source: str
    title: str
    description: str
    schema: JsonObject
    annotations: JsonObject
    identity: str = field(init=False)

    def __post_init__(self) -> None:
        whole = [self.source, self.title, self.description, self.schema, self.annotations]
        object.__setattr__(self, "identity", _digest(whole))

    def as_json(self) -> JsonObject:
        return {
            "identity": self.identity,
            "source": _digest(self.source),
            "schema": _digest(self.schema),
            "annotations": self.annotations,
            "title": self.title,
            "description": self.description[:_KEPT_DESCRIPTION],
            "description_hash": _digest(self.description),
        }


class Book:
    """Approvals by server and tool, in memory and, where there is a path, in a JSON file of its owner's alone.

    `load` and `approve` block and belong in a thread; any number of programs may use one file.
    """

    def __init__(self, path: Path | None) -> None:
        self.path = path
        self.problem = ""
        self._entries: dict[str, JsonObject] = {}
        self._writing: list[threading.Thread] = []

    def load(self) -> None:
        """Raises ConfigError where the file cannot be trusted; then nothing is approved."""
        self._entries = self._read()

    def approval(self, server: str, tool: str, known: Known) -> Approval:
        entry = self._entries.get(_key(server, tool))
        if entry is None:
            return "new"
        return "approved" if entry.get("identity") == known.identity else "changed"

    def changed(self, server: str, tool: str, known: Known) -> str:
        """What differs from the tool that was approved, in a few words; "" where nothing does."""
        entry = self._entries.get(_key(server, tool))
        if entry is None or entry.get("identity") == known.identity:
            return ""
        now = known.as_json()
        parts: list[str] = []
        if entry.get("source") != now["source"]:
            parts.append("how its server is started or reached")
        if entry.get("title") != now["title"]:
            parts.append(f"its title ({_difference(str(entry.get('title', '')), known.title)})")
        if entry.get("description_hash") != now["description_hash"]:
            parts.append(f"its description ({_difference(str(entry.get('description', '')), known.description)})")
        if entry.get("schema") != now["schema"]:
            parts.append("its arguments")
        if entry.get("annotations") != now["annotations"]:
            parts.append("what it says about its effects")
        return ", ".join(parts) or "what it is"

    def old_description(self, server: str, tool: str) -> str:
        """As it was when it was approved; "" where it was not."""
        return str(self._entries.get(_key(server, tool), {}).get("description", ""))

    def note(self, server: str, tool: str, known: Known) -> None:
        """In memory, at once."""
        self._entries[_key(server, tool)] = known.as_json()

    def approve(self, server: str, tool: str, known: Known) -> None:
        """In memory and in the file. `problem` says where the file cannot be written; the memory holds all the same."""
        self.note(server, tool, known)
        try:
            self._keep(server, tool, known)
        except (ConfigError, OSError) as error:
            self.problem = f"the approval of a tool could not be kept: {error}"

    def _keep(self, server: str, tool: str, known: Known) -> None:
        if self.path is None:
            return
        with locked(self.path):
            entries = self._read()
            entries.pop(_key(server, tool), None)
            entries[_key(server, tool)] = known.as_json()
            # The oldest go first: nobody has so many tools, but a server can make up names without end.
            for key in list(entries)[: max(len(entries) - _MOST_TOOLS, 0)]:
                del entries[key]
            self._write(entries)

    def approve_soon(self, server: str, tool: str, known: Known) -> None:
        """In memory at once, in the file by a thread, which `flush` waits for."""
        self.note(server, tool, known)
        thread = threading.Thread(target=self.approve, args=(server, tool, known), name="mcp book")
        self._writing = [one for one in self._writing if one.is_alive()] + [thread]
        thread.start()

    def flush(self) -> None:
        """Blocks until everything is written."""
        for thread in self._writing:
            thread.join()

    def _read(self) -> dict[str, JsonObject]:
        if self.path is None:
            return self._entries
        text = read_owned(self.path)
        if text is None:
            return {}
        try:
            loaded: Any = json.loads(text)
        except ValueError as error:
            raise ConfigError(f"is not JSON: {error}", where=str(self.path)) from error
        tools: object = cast("JsonObject", loaded).get("tools") if isinstance(loaded, dict) else None
        if not isinstance(tools, dict):
            raise ConfigError("has no table of tools", where=str(self.path), expected='{"version": 1, "tools": {}}')
        pairs = cast("dict[str, object]", tools).items()
        return {key: cast("JsonObject", entry) for key, entry in pairs if isinstance(entry, dict)}

    def _write(self, entries: dict[str, JsonObject]) -> None:
        assert self.path is not None
        text = json.dumps({"version": _VERSION, "tools": entries}, indent=1, ensure_ascii=True) + "\n"
        replace_owned(self.path, text)


def _key(server: str, tool: str) -> str:
    return json.dumps([server, tool], ensure_ascii=True)


def _digest(value: object) -> str:
    return hashlib.sha256(json.dumps(value, sort_keys=True, ensure_ascii=True).encode()).hexdigest()


def _difference(old: str, new: str) -> str:
    """From the first to the last difference, short."""
    start = 0
    while start < min(len(old), len(new)) and old[start] == new[start]:
        start += 1
    end = 0
    while end < min(len(old), len(new)) - start and old[-1 - end] == new[-1 - end]:
        end += 1
    was, now = old[start : len(old) - end], new[start : len(new) - end]
    return f"was {_quoted(was)}, now {_quoted(now)}"


def _quoted(text: str) -> str:
    flat = " ".join(text.split())
    return f'"{flat if len(flat) <= _SHOWN else flat[: _SHOWN - 1] + "…"}"'

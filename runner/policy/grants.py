"""Decisions that outlive one call, and the file of those that outlive a session."""

from __future__ import annotations

import json
import os
from collections.abc import Callable
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from pathlib import Path
from typing import Any, cast

from runner.control.commands import Decide
from runner.errors import ConfigError
from runner.events import ApprovalResolved, GrantMatch, Scope, ToolPattern
from runner.messages import JsonObject
from runner.owned_file import locked, read_owned, replace_owned
from runner.policy.base import UNBOUNDED, Bound, CallFacts, Grant, Pattern
from runner.policy.canonical import canonical
from runner.policy.hosts import host_problem
from runner.policy.live import LiveGrant
from runner.policy.made import grants_made
from runner.policy.paths import resolved
from runner.policy.uses import NO_USES, grant_key, is_live

_VERSION = 1
_FIELDS = frozenset(
    {"effect", "tool", "match", "scope", "arguments", "pattern", "until", "workspace", "identity", "made"}
)


LASTING: tuple[Scope, ...] = ("project", "user")
"""The scopes that outlive a session."""


def grants_of(command: Decide, facts: CallFacts, bound: Bound = UNBOUNDED) -> tuple[Grant, ...]:
    """The grants that a decision makes; none for a single call or the end of the run. facts: of the call decided.

    Without a match: the tool for run and session, the exact arguments for project and user. A call that raised a
    concern is granted by its arguments as well, because a grant of the tool does not answer a concern.
    """
    arguments = facts.arguments if command.arguments is None else command.arguments
    match: GrantMatch = command.match or ("exact" if command.scope in LASTING else "tool")
    patterns = command.patterns
    if match == "tool" and command.decision != "deny" and facts.concern is not None:
        patterns = (ToolPattern(tool=facts.tool, pattern=Pattern(arguments=arguments)),)
    return grants_made(
        ApprovalResolved(
            request_id=command.request_id,
            decision=command.decision,
            tool=facts.tool,
            arguments=arguments,
            scope=command.scope,
            match="pattern" if command.patterns else match,
            patterns=patterns,
            bound=bound,
            identity=facts.identity,
        )
    )


@dataclass(frozen=True, slots=True)
class _Entry:
    grant: Grant
    workspace: str | None
    made: datetime | None = None


class GrantFile:
    """Grants for a project or for the user, in a JSON file that only its owner may write. Its methods block.

    Any number of programs may use one file: it is changed under a lock and replaced in one step.
    """

    def __init__(self, path: Path) -> None:
        self.path = path

    def load(self, workspace: Path) -> list[Grant]:
        """Those for the user and those for this project. Raises ConfigError where the file cannot be trusted."""
        here = _key(workspace)
        return [placed(entry.grant, workspace) for entry in self._entries() if entry.workspace in (None, here)]

    def entries(self, workspace: Path) -> list[LiveGrant]:
        """The same with their keys, but for those that are over. What they have allowed is in the store's decisions."""
        here, now = _key(workspace), datetime.now(UTC)
        found = [(placed(one.grant, workspace), one.made) for one in self._entries() if one.workspace in (None, here)]
        return [
            LiveGrant(grant=grant, key=grant_key(grant), made=made, source=str(self.path))
            for grant, made in found
            if is_live(grant, NO_USES, now)
        ]

    def add(self, grant: Grant, workspace: Path) -> None:
        """Keep a grant; one about the same calls is replaced, so that the latest decision counts."""
        if grant.scope not in ("project", "user"):
            raise ConfigError(
                f"a grant for the {grant.scope} does not last", where="GrantFile", expected="project, user"
            )
        if grant.bound.counted or grant.bound.until_cost is not None:
            raise ConfigError(
                "its uses are counted in one session", where="GrantFile", expected="a bound in time, or none"
            )
        new = _Entry(grant, _key(workspace) if grant.scope == "project" else None, datetime.now(UTC))
        with locked(self.path):
            kept = [entry for entry in self._raw() if _same_calls(entry, _as_json(new)) is False]
            self._write([*kept, _as_json(new)])

    def revoke(self, key: str, workspace: Path) -> bool:
        """Take back the grant that has this key in this project (`entries`); whether there was one."""
        return self._drop(workspace, lambda grant: grant_key(grant) == key)

    def revoke_all(self, workspace: Path) -> bool:
        """Take back all that counts in this project: what was decided for it, and what was decided for the user."""
        return self._drop(workspace, lambda grant: True)

    def _drop(self, workspace: Path, gone: Callable[[Grant], bool]) -> bool:
        here = _key(workspace)
        if read_owned(self.path) is None:
            return False
        with locked(self.path):
            raw = self._raw()
            kept = [one for one in raw if not self._is_gone(one, here, workspace, gone)]
            if len(kept) < len(raw):
                self._write(kept)
            return len(kept) < len(raw)

    def _is_gone(self, raw: object, here: str, workspace: Path, gone: Callable[[Grant], bool]) -> bool:
        entry = self._read(raw)
        return entry is not None and entry.workspace in (None, here) and gone(placed(entry.grant, workspace))

    def _entries(self) -> list[_Entry]:
        return [entry for raw in self._raw() if (entry := self._read(raw)) is not None]

    def _raw(self) -> list[object]:
        text = read_owned(self.path)
        if text is None:
            return []
        try:
            found: object = json.loads(text)
        except ValueError as error:
            raise ConfigError(f"is not JSON: {error}", where=str(self.path)) from error
        grants: object = cast("JsonObject", found).get("grants") if isinstance(found, dict) else None
        if not isinstance(grants, list):
            raise ConfigError("has no list of grants", where=str(self.path), expected='{"version": 1, "grants": []}')
        return cast("list[object]", grants)

    def _read(self, raw: object) -> _Entry | None:
        """An entry, closed in doubt: an allowance with anything unknown about it is none, a denial keeps denying."""
        if not isinstance(raw, dict):
            raise ConfigError(f"{raw!r} is not a grant", where=str(self.path))
        found = cast("JsonObject", raw)
        tool, workspace = found.get("tool"), found.get("workspace")
        scope: Any = found.get("scope")
        arguments: Any = found.get("arguments")
        exact = found.get("match") == "exact" and isinstance(arguments, dict)
        pattern = pattern_from_json(found.get("pattern")) if found.get("match") == "pattern" else None
        identity: Any = found.get("identity", "")
        known = not set(found) - _FIELDS and scope == ("user" if workspace is None else "project")
        known = known and isinstance(identity, str)
        until, is_time = _moment(found.get("until"))
        if found.get("effect") == "allow":
            whole = found.get("match") == "tool" and arguments is None and found.get("pattern") is None
            if not known or not is_time or not isinstance(tool, str) or not (exact or whole or pattern):
                return None
        elif not isinstance(tool, str) or found.get("effect") != "deny":
            raise ConfigError(f"{raw!r} is not a grant", where=str(self.path))
        return _Entry(
            Grant(
                effect="allow" if found["effect"] == "allow" else "deny",
                tool=tool,
                match="exact" if exact else "pattern" if pattern else "tool",
                scope="user" if workspace is None else "project",
                arguments=cast("JsonObject", arguments) if exact else None,
                pattern=pattern,
                bound=Bound(until=until),
                identity=identity if isinstance(identity, str) else "",
            ),
            workspace if isinstance(workspace, str) else None,
            _moment(found.get("made"))[0],
        )

    def _write(self, entries: list[object]) -> None:
        text = json.dumps({"version": _VERSION, "grants": entries}, indent=2, ensure_ascii=True) + "\n"
        replace_owned(self.path, text)


def _key(workspace: Path) -> str:
    """The folder's real place: a link to a project is that project."""
    return os.path.realpath(workspace)


def _as_json(entry: _Entry) -> JsonObject:
    grant = entry.grant
    return {
        "effect": grant.effect,
        "tool": grant.tool,
        "match": grant.match,
        "scope": grant.scope,
        "arguments": grant.arguments,
        "workspace": entry.workspace,
        # Written only where they say something, so that a program without them still reads the others.
        **({"pattern": pattern_to_json(grant.pattern)} if grant.pattern is not None else {}),
        **({"until": grant.bound.until.astimezone(UTC).isoformat()} if grant.bound.until is not None else {}),
        **({"identity": grant.identity} if grant.identity else {}),
        **({"made": entry.made.isoformat()} if entry.made is not None else {}),
    }


def pattern_to_json(pattern: Pattern) -> JsonObject:
    found: JsonObject = {
        "prefix": None if pattern.prefix is None else list(pattern.prefix),
        "below": pattern.below,
        "host": pattern.host,
    }
    return {name: value for name, value in found.items() if value is not None}


def pattern_from_json(value: object) -> Pattern | None:
    """Exactly one of prefix, below and host, well-formed; None for anything else."""
    if not isinstance(value, dict) or len(found := cast("JsonObject", value)) != 1:
        return None
    match found:
        case {"prefix": [*words]} if words and all(isinstance(word, str) for word in words):
            return Pattern(prefix=tuple(words))
        case {"below": str(folder)} if folder:
            return Pattern(below=folder)
        case {"host": str(host)} if host_problem(host) is None:
            return Pattern(host=host)
        case _:
            return None


def _moment(value: object) -> tuple[datetime | None, bool]:
    """A moment, and whether the value is one or none."""
    if value is None:
        return None, True
    try:
        found = datetime.fromisoformat(value) if isinstance(value, str) else None
    except ValueError:
        found = None
    return (found, True) if found is not None and found.tzinfo is not None else (None, False)


def placed(grant: Grant, workspace: Path) -> Grant:
    """With the folder of its pattern where it is now."""
    pattern = grant.pattern
    return grant if pattern is None else replace(grant, pattern=placed_pattern(pattern, workspace))


def placed_pattern(pattern: Pattern, workspace: Path) -> Pattern:
    return pattern if pattern.below is None else Pattern(below=resolved(pattern.below, workspace))


def _same_calls(one: object, other: JsonObject) -> bool:
    """Whether two entries are about the same calls in the same place, whatever they say of them."""
    if not isinstance(one, dict):
        return False
    found = cast("JsonObject", one)
    return all(
        canonical(found.get(name)) == canonical(other.get(name))
        for name in ("tool", "match", "arguments", "pattern", "workspace")
    )

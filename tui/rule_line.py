"""A rule as one line that a person can edit: `allow shell prefix git status`. Pure.

The words are those of the configuration file; several patterns are separated by " ; ".
"""

from __future__ import annotations

import json
import re
import shlex
from collections.abc import Mapping, Sequence
from dataclasses import dataclass
from typing import TYPE_CHECKING, Any, Final, Literal, cast, get_args

if TYPE_CHECKING:
    from runner.events import Pattern, ToolPattern
    from tui.settings import RuleSettings

Effect = Literal["allow", "deny", "ask"]

EXPECTED: Final = "allow shell prefix git status · allow write_file below src · deny web_fetch host example.com"
_EXACT: Final = re.compile(r"\s*(\w+)\s+(\S+)\s+arguments\s+(\{.*\})\s*\Z", re.DOTALL)
_TOOL: Final = re.compile(r"[\w*?\[\]!.-]+\Z")
_END: Final = ";"


class RuleLineError(ValueError):
    """What is wrong with the line, in words for the person who writes it."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Draft:
    """A rule that somebody may want: one effect, one or more patterns.

    tool, arguments: the call that it came from, "" and None where there is none; it becomes the rule's example.
    """

    effect: Effect
    patterns: tuple[ToolPattern, ...]
    tool: str = ""
    arguments: Mapping[str, Any] | None = None


def write(effect: Effect, patterns: Sequence[ToolPattern]) -> str:
    """The line of a rule. Raises RuleLineError for a pattern that cannot be written on one."""
    clauses = [_clause(one) for one in patterns]
    if len(clauses) > 1 and any(one.pattern.arguments is not None for one in patterns):
        raise RuleLineError("exact arguments make a rule of their own")
    line = f"{effect} {f' {_END} '.join(clauses)}"
    if not line.isprintable():
        raise RuleLineError("has a character in it that cannot be seen, so no rule is made of it")
    return line


def _clause(one: ToolPattern) -> str:
    pattern = one.pattern
    if not _TOOL.match(one.tool):
        raise RuleLineError("the tool's name has a character in it that no rule can have")
    if pattern.prefix is not None:
        return f"{one.tool} prefix {shlex.join(pattern.prefix)}"
    if pattern.below is not None:
        return f"{one.tool} below {shlex.quote(pattern.below)}"
    if pattern.host is not None:
        return f"{one.tool} host {shlex.quote(pattern.host)}"
    if pattern.arguments is not None:
        return f"{one.tool} arguments {json.dumps(pattern.arguments, ensure_ascii=True, default=str)}"
    return one.tool


def read(line: str) -> tuple[Effect, tuple[ToolPattern, ...]]:
    """What a line says. Raises RuleLineError where it says nothing, and where the configuration would refuse it."""
    from runner.events import Pattern, ToolPattern

    exact = _EXACT.match(line)
    if exact is not None:
        return _effect(exact[1]), (ToolPattern(tool=_tool(exact[2]), pattern=Pattern(arguments=_object(exact[3]))),)
    words = _words(line)
    if not words:
        raise RuleLineError("write a rule")
    effect = _effect(words[0])
    clauses: list[list[str]] = [[]]
    for word in words[1:]:
        if word == _END:
            clauses.append([])
        else:
            clauses[-1].append(word)
    return effect, tuple(ToolPattern(tool=_tool_of(clause), pattern=_pattern(effect, clause)) for clause in clauses)


def _words(line: str) -> list[str]:
    try:
        return shlex.split(line)
    except ValueError as error:
        raise RuleLineError("a quote is not closed") from error


def _effect(word: str) -> Effect:
    if word not in get_args(Effect):
        raise RuleLineError("begins with allow, deny or ask")
    return cast("Effect", word)


def _tool_of(clause: Sequence[str]) -> str:
    if not clause:
        raise RuleLineError("name a tool, such as shell")
    return _tool(clause[0])


def _tool(word: str) -> str:
    if not _TOOL.match(word):
        raise RuleLineError("that is not the name of a tool, nor a glob such as write_*")
    return word


def _object(text: str) -> dict[str, Any]:
    try:
        found: object = json.loads(text)
    except ValueError as error:
        raise RuleLineError("the arguments are not JSON") from error
    # The expression lets only an object through.
    return cast("dict[str, Any]", found)


def _pattern(effect: Effect, clause: Sequence[str]) -> Pattern:
    from runner.events import Pattern
    from runner.policy.hosts import host_problem
    from runner.policy.prefix import PrefixError, words_of

    match list(clause[1:]):
        case []:
            return Pattern()
        case ["prefix", *words]:
            try:
                return Pattern(prefix=words_of(words, effect))
            except PrefixError as error:
                raise RuleLineError(f"the prefix {error}") from error
        case ["below", folder] if folder:
            return Pattern(below=folder)
        case ["host", host]:
            problem = host_problem(host)
            if problem is not None:
                raise RuleLineError(f"the host {problem}")
            return Pattern(host=host)
        case ["below" | "host", *_]:
            raise RuleLineError(f"{clause[1]} takes one word; put quotes around it")
        case _:
            raise RuleLineError("after the tool comes prefix, below, host or arguments, or nothing")


def as_rules(draft: Draft, *, note: str = "") -> tuple[RuleSettings, ...]:
    """The rules of a draft as a configuration has them; the example stands beside the first that is about its tool."""
    from fnmatch import fnmatchcase

    from tui.settings import ExampleSettings, RuleSettings

    beside = next((place for place, one in enumerate(draft.patterns) if fnmatchcase(draft.tool, one.tool)), None)
    rules: list[RuleSettings] = []
    for place, one in enumerate(draft.patterns):
        example = ()
        if place == beside and draft.arguments is not None:
            tool = None if one.tool == draft.tool else draft.tool
            example = (ExampleSettings(arguments=draft.arguments, expect=draft.effect, tool=tool),)
        pattern = one.pattern
        rules.append(
            RuleSettings(
                effect=draft.effect,
                tool=one.tool,
                arguments=pattern.arguments,
                prefix=pattern.prefix,
                below=pattern.below,
                host=pattern.host,
                note=note,
                examples=example,
            )
        )
    return tuple(rules)

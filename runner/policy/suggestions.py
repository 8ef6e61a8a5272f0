"""What a person may want to allow beyond one call: patterns from narrow to wide, each of which would allow it."""

from __future__ import annotations

import posixpath
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from typing import Final

from runner.events import Scope, Suggested, ToolPattern
from runner.policy.base import UNBOUNDED, Bound, CallFacts, Grant, Pattern, Verdict
from runner.policy.check import pattern_problem
from runner.policy.hosts import host_of
from runner.policy.made import match_of
from runner.policy.prefix import allowance_problem
from runner.policy.shell.model import Line, Simple
from runner.policy.words import pattern_words

_WITH_SUBCOMMANDS: Final = frozenset(
    {"git", "npm", "pnpm", "yarn", "cargo", "docker", "podman", "kubectl", "pip", "uv", "go", "apt", "apt-get", "brew"}
    | {
        "systemctl",
        "gh",
        "poetry",
        "dotnet",
        "terraform",
        "aws",
        "gcloud",
        "az",
        "helm",
        "make",
        "bundle",
        "rake",
        "nix",
    }
)


_VALUED: Final = {"git": ("-C", "-c", "--git-dir", "--work-tree", "--namespace")}
"""Options before the subcommand that take the next word."""


@dataclass(frozen=True, slots=True, kw_only=True)
class Suggestion:
    """patterns: tool and pattern; all of them together allow the call."""

    patterns: tuple[tuple[str, Pattern], ...]

    @property
    def words(self) -> str:
        """What they cover."""
        return "; ".join(
            f"{tool}, {pattern_words(pattern)}" if not pattern.whole else f"every call of {tool}"
            for tool, pattern in self.patterns
        )


def suggest(facts: CallFacts) -> tuple[Suggestion, ...]:
    """From these very arguments to every call of the tool. What is not safe to widen is not widened."""
    found: list[Suggestion] = [_one(facts.tool, Pattern(arguments=facts.arguments))]
    if facts.line is not None:
        found.extend(_of_line(facts, facts.line))
    elif facts.kind != "shell":
        found.extend(_one(facts.tool, pattern) for pattern in _of_paths(facts))
        found.extend(_one(facts.tool, pattern) for pattern in _of_hosts(facts))
    if facts.concern is None:
        found.append(_one(facts.tool, Pattern()))
    return tuple({suggestion.words: suggestion for suggestion in found}.values())


def grants_for(
    suggestion: Suggestion, scope: Scope, bound: Bound = UNBOUNDED, facts: CallFacts | None = None
) -> tuple[Grant, ...]:
    """The grants that a suggestion comes to. facts: of the call, whose tool's identity they are bound to."""
    return tuple(
        Grant(
            effect="allow",
            tool=tool,
            match=match_of(pattern),
            scope=scope,
            arguments=pattern.arguments,
            pattern=pattern if match_of(pattern) == "pattern" else None,
            bound=bound,
            identity=facts.identity if facts is not None and tool == facts.tool else "",
        )
        for tool, pattern in suggestion.patterns
    )


def proven(facts: CallFacts, decide: Callable[[tuple[Grant, ...]], Verdict]) -> tuple[Suggested, ...]:
    """What covers this call for certain, from narrow to wide; its exact arguments, which always do, are not repeated.

    decide: what the policy says to the call with these grants.
    """
    found: list[Suggested] = []
    for suggestion in suggest(facts):
        patterns = [pattern for _, pattern in suggestion.patterns]
        if any(pattern.arguments is not None or pattern_problem(pattern, "allow") for pattern in patterns):
            continue
        if decide(grants_for(suggestion, "run", facts=facts)).effect == "allow":
            named = tuple(ToolPattern(tool=tool, pattern=pattern) for tool, pattern in suggestion.patterns)
            found.append(Suggested(words=suggestion.words, patterns=named))
    return tuple(found)


def _one(tool: str, pattern: Pattern) -> Suggestion:
    return Suggestion(patterns=((tool, pattern),))


def _of_paths(facts: CallFacts) -> Iterator[Pattern]:
    if not facts.paths or not facts.workspace or not all(path.real.isprintable() for path in facts.paths):
        return
    inside = all(path.inside for path in facts.paths)
    if facts.concern is not None and any(path.inside for path in facts.paths):
        return
    reals = {path.real for path in facts.paths}
    # What several paths have in common is a folder already.
    folder = common = posixpath.commonpath(reals)
    if len(reals) == 1:
        yield Pattern(below=_shown(common, facts.workspace))
        folder = posixpath.dirname(common)
    if folder not in ("/", "") and (not inside or f"{folder}/".startswith(facts.workspace + "/")):
        yield Pattern(below=_shown(folder, facts.workspace))
    if inside:
        yield Pattern(below=".")


def _shown(path: str, workspace: str) -> str:
    return posixpath.relpath(path, workspace) if path == workspace or path.startswith(workspace + "/") else path


def _of_hosts(facts: CallFacts) -> Iterator[Pattern]:
    hosts = {host_of(url) for url in facts.urls}
    host = next(iter(hosts), None)
    if len(hosts) == 1 and host is not None and facts.concern is None:
        yield Pattern(host=host)


def _of_line(facts: CallFacts, line: Line) -> Iterator[Suggestion]:
    if line.problems or facts.concern is not None or any(file.concern is not None for file in facts.files):
        return
    if not all(path.real.isprintable() for file in facts.files for path in file.paths):
        return
    files = [
        ("write_file", Pattern(below=_shown(posixpath.dirname(file.paths[0].real), facts.workspace)))
        for file in facts.files
        if file.kind == "edit"
    ]
    own = [place for place, command in enumerate(line.commands) if command.outer is None and not command.harmless]
    if any(command.outer is not None and command.offset is None for command in line.commands):
        return
    for width in (_all_words, _with_subcommand, _least):
        patterns: list[tuple[str, Pattern]] = []
        for place in own:
            words = tuple(word for word in line.commands[place].argv if word is not None)
            needed = _needed(line, place)
            count = min(len(words), max(needed, width(line.commands[place])))
            prefix = words[:count]
            if count < needed or line.commands[place].argv[:count] != prefix or allowance_problem(prefix):
                return
            patterns.append((facts.tool, Pattern(prefix=prefix)))
        if patterns:
            yield Suggestion(patterns=_distinct([*patterns, *files]))


def _distinct(patterns: list[tuple[str, Pattern]]) -> tuple[tuple[str, Pattern], ...]:
    return tuple({(tool, pattern.prefix, pattern.below): (tool, pattern) for tool, pattern in patterns}.values())


def _needed(line: Line, place: int) -> int:
    """How many words an allowance must name to cover the command and all that it runs."""
    needed = max([1, *(risk.index + 1 for risk in line.commands[place].risks)])
    for inner, command in enumerate(line.commands):
        if command.outer == place and command.offset is not None:
            needed = max(needed, command.offset + _needed(line, inner))
    return needed


def _all_words(command: Simple) -> int:
    return len(command.words)


def _with_subcommand(command: Simple) -> int:
    at = 1
    while at < len(command.words) and (command.words[at].text or "-").startswith("-"):
        at += 2 if command.words[at].text in _VALUED.get(command.name or "", ()) else 1
    return at + 1 if at < len(command.words) else 1


def _least(command: Simple) -> int:
    return _with_subcommand(command) if command.name in _WITH_SUBCOMMANDS else 1

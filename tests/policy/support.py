"""What the tests of the policy share: a workspace, the facts of a call, rules from prefixes."""

from __future__ import annotations

from collections.abc import Iterable
from pathlib import Path

from runner.messages import JsonObject
from runner.policy import CallFacts, Effect, Rule, call_facts
from runner.policy.prefix import words_of
from runner.tools.builtin import builtin_tools
from tests.processes.support import context

TOOLS = {tool.name: tool for tool in builtin_tools()}


def make_workspace(folder: Path) -> Path:
    """A workspace with a file, folders, links that leave it, and a .git."""
    inside, outside = folder / "work", folder / "outside"
    for path in (inside / "src", inside / "sub", inside / ".git" / "hooks", outside):
        path.mkdir(parents=True)
    (inside / "src" / "a.py").write_text("a = 1\n")
    (outside / "secret.txt").write_text("secret\n")
    (inside / "out").symlink_to(outside)
    (inside / "link.txt").symlink_to(outside / "secret.txt")
    return inside


def facts_of(workspace: Path, tool: str, arguments: JsonObject) -> CallFacts:
    return call_facts(TOOLS[tool], context(workspace), arguments)


def shell(workspace: Path, command: str) -> CallFacts:
    return facts_of(workspace, "shell", {"command": command, "timeout": None})


def rules(effect: Effect, prefixes: Iterable[str]) -> tuple[Rule, ...]:
    return tuple(Rule(effect=effect, tool="shell", prefix=words_of(prefix, effect)) for prefix in prefixes)

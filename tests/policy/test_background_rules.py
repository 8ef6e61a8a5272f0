"""What rules and grants about commands mean for commands that are started and left running."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

from runner.policy import decide
from runner.policy.base import Grant, Pattern, Rule
from runner.policy.facts import facts_without_run
from runner.tools.base import Tool
from runner.tools.builtin import READ_PROCESS, SHELL, START_PROCESS, STOP_PROCESS
from tests.contract.sources import ROOT


def verdict(tool: Tool, arguments: dict[str, Any], *, rules: Sequence[Rule] = (), grants: Sequence[Grant] = ()) -> str:
    facts = facts_without_run(tool, tool.validate(arguments), ROOT)
    return decide(facts, mode="default", rules=rules, grants=grants).effect


def test_a_start_is_decided_as_a_command_but_by_its_own_name() -> None:
    call = {"command": "npm run dev"}
    prefix = ("npm", "run")
    assert verdict(START_PROCESS, call) == "ask"
    assert verdict(READ_PROCESS, {"id": "p1"}) == "allow"
    assert verdict(STOP_PROCESS, {"id": "p1"}) == "allow"
    assert verdict(SHELL, call, rules=[Rule(effect="allow", tool="shell", prefix=prefix)]) == "allow"
    # What may run for a moment may not therefore go on.
    assert verdict(START_PROCESS, call, rules=[Rule(effect="allow", tool="shell", prefix=prefix)]) == "ask"
    assert verdict(START_PROCESS, call, rules=[Rule(effect="allow", tool="start_process", prefix=prefix)]) == "allow"
    hidden = {"command": "npm run dev; rm -rf x"}
    assert verdict(START_PROCESS, hidden, rules=[Rule(effect="allow", tool="start_process", prefix=prefix)]) == "ask"


def test_a_denial_of_a_command_is_one_of_starting_it() -> None:
    call = {"command": "sudo rm x"}
    assert verdict(START_PROCESS, call, rules=[Rule(effect="deny", tool="shell", prefix=("rm",))]) == "deny"
    denied = Grant(effect="deny", tool="shell", match="pattern", scope="run", pattern=Pattern(prefix=("rm",)))
    assert verdict(START_PROCESS, call, grants=[denied]) == "deny"
    whole = Grant(effect="deny", tool="shell", match="tool", scope="run")
    assert verdict(START_PROCESS, {"command": "ls"}, grants=[whole]) == "deny"
    assert verdict(READ_PROCESS, {"id": "p1"}, grants=[whole]) == "allow"

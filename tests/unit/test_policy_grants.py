"""Grants: what a decision makes, and the file of those that last."""

from __future__ import annotations

import json
import multiprocessing
import os
import stat
from dataclasses import replace
from pathlib import Path
from typing import Any, Literal

import pytest

from runner.control.commands import Decide
from runner.errors import ConfigError, ToolInputError
from runner.events import Decision, GrantMatch, Scope
from runner.policy import CallFacts, Grant, GrantFile, call_facts, decide, grants_of
from runner.tools import tool
from tests.processes.support import context

FACTS = CallFacts(tool="shell", kind="shell", read_only=False, arguments={"command": "ls"})


@pytest.mark.parametrize(
    ("scope", "match", "made"),
    [
        ("call", None, []),
        ("call", "tool", []),
        ("run", None, ["tool"]),
        ("session", None, ["tool"]),
        ("project", None, ["exact"]),
        ("user", None, ["exact"]),
        ("run", "exact", ["exact"]),
        ("user", "tool", ["tool"]),
    ],
)
@pytest.mark.parametrize("decision", ["allow", "deny", "edit"])
def test_what_a_decision_covers(scope: Scope, match: GrantMatch | None, made: list[str], decision: Decision) -> None:
    arguments = {"command": "ls -l"} if decision == "edit" else None
    command = Decide(request_id="r", decision=decision, scope=scope, match=match, arguments=arguments)
    grants = grants_of(command, FACTS)
    assert [grant.match for grant in grants] == made
    for grant in grants:
        assert (grant.effect, grant.tool, grant.scope) == ("deny" if decision == "deny" else "allow", "shell", scope)
        expected = arguments or FACTS.arguments
        assert grant.arguments == (expected if grant.match == "exact" else None)


def test_the_end_of_the_run_grants_nothing() -> None:
    assert grants_of(Decide(request_id="r", decision="end_run", scope="user"), FACTS) == ()


def test_allowing_a_call_with_a_concern_is_not_asked_about_twice_and_covers_no_other_place() -> None:
    facts = replace(FACTS, concern="outside")
    grants = grants_of(Decide(request_id="r", decision="allow", scope="run"), facts)
    assert decide(facts, mode="default", rules=(), grants=grants).effect == "allow"
    other = replace(facts, arguments={"command": "other"})
    assert decide(other, mode="default", rules=(), grants=grants).effect == "ask"
    assert decide(replace(other, concern=None), mode="default", rules=(), grants=grants).effect == "allow"


def grant(
    number: int = 0, scope: Scope = "project", effect: Literal["allow", "deny"] = "allow", match: GrantMatch = "exact"
) -> Grant:
    arguments = {"number": number} if match == "exact" else None
    return Grant(effect=effect, tool="shell", match=match, scope=scope, arguments=arguments)


def test_grants_last_for_their_project_or_for_the_user(tmp_path: Path) -> None:
    file = GrantFile(tmp_path / "deep" / "grants.json")
    here, there, link = tmp_path / "here", tmp_path / "there", tmp_path / "link"
    here.mkdir()
    link.symlink_to(here)
    assert file.load(here) == []
    file.add(grant(1), here)
    file.add(grant(2, "user"), here)
    file.add(grant(3, effect="deny", match="tool"), there)
    again = GrantFile(file.path)
    assert again.load(here) == [grant(1), grant(2, "user")]
    assert again.load(link) == again.load(here)
    assert again.load(there) == [grant(2, "user"), grant(3, effect="deny", match="tool")]
    assert stat.S_IMODE(file.path.stat().st_mode) == 0o600
    assert stat.S_IMODE(file.path.parent.stat().st_mode) == 0o700


def test_the_latest_decision_about_the_same_calls_counts(tmp_path: Path) -> None:
    file = GrantFile(tmp_path / "grants.json")
    file.add(grant(1), tmp_path)
    file.add(grant(1, effect="deny"), tmp_path)
    file.add(grant(1, "user"), tmp_path)
    assert file.load(tmp_path) == [grant(1, effect="deny"), grant(1, "user")]


@pytest.mark.parametrize("scope", ["call", "run", "session"])
def test_what_does_not_last_is_not_kept(scope: Scope, tmp_path: Path) -> None:
    with pytest.raises(ConfigError, match="does not last"):
        GrantFile(tmp_path / "grants.json").add(grant(scope=scope), tmp_path)


GOOD = {"effect": "allow", "tool": "shell", "match": "tool", "scope": "user", "arguments": None, "workspace": None}


@pytest.mark.parametrize(
    "change",
    [
        {"count": 3},
        {"match": "prefix"},
        {"match": "exact"},
        {"arguments": {}},
        {"scope": "project"},
        {"workspace": "/x"},
        {"tool": None},
    ],
)
def test_an_allowance_with_anything_odd_about_it_is_none(change: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "grants.json"
    path.write_text(json.dumps({"version": 1, "grants": [{**GOOD, **change}]}))
    path.chmod(0o600)
    assert GrantFile(path).load(Path("/x")) == []


@pytest.mark.parametrize("change", [{"until": 1}, {"match": "prefix"}, {"match": "exact"}, {"scope": None}])
def test_a_denial_with_something_odd_about_it_still_denies(change: dict[str, Any], tmp_path: Path) -> None:
    path = tmp_path / "grants.json"
    path.write_text(json.dumps({"version": 1, "grants": [{**GOOD, "effect": "deny", **change}]}))
    path.chmod(0o600)
    [found] = GrantFile(path).load(tmp_path)
    assert decide(FACTS, mode="bypass", rules=(), grants=(found,)).effect == "deny"


@pytest.mark.parametrize(
    "text",
    ["", "{", "[]", '{"grants": 5}', '{"grants": [5]}', '{"grants": [{"effect": "deny"}]}', '{"grants": [{}]}', "\xff"],
)
def test_a_damaged_file_is_an_error_that_names_it(text: str, tmp_path: Path) -> None:
    path = tmp_path / "grants.json"
    path.write_bytes(text.encode("latin-1"))
    path.chmod(0o600)
    with pytest.raises(ConfigError, match=r"grants\.json"):
        GrantFile(path).load(tmp_path)


@pytest.mark.parametrize("mode", [0o620, 0o602, 0o666])
def test_a_file_that_others_can_write_is_not_trusted(mode: int, tmp_path: Path) -> None:
    path = tmp_path / "grants.json"
    GrantFile(path).add(grant(), tmp_path)
    path.chmod(mode)
    with pytest.raises(ConfigError, match="others can write it"):
        GrantFile(path).load(tmp_path)


def _add(path: str, first: int) -> None:
    for number in range(first, first + 10):
        GrantFile(Path(path)).add(grant(number), Path(path).parent)


def test_programs_that_add_at_once_lose_nothing(tmp_path: Path) -> None:
    path = tmp_path / "grants.json"
    start = multiprocessing.get_context("spawn")
    programs = [start.Process(target=_add, args=(str(path), first)) for first in (0, 100, 200)]
    for program in programs:
        program.start()
    for program in programs:
        program.join(60)
        assert program.exitcode == 0
    found = [made.arguments["number"] for made in GrantFile(path).load(tmp_path) if made.arguments]
    assert sorted(found) == [first + number for first in (0, 100, 200) for number in range(10)]
    assert sorted(os.listdir(tmp_path)) == ["grants.json", "grants.json.lock"]


def test_facts_of_a_call(tmp_path: Path) -> None:
    @tool(requires_approval=lambda arguments: arguments["a"] > 1, concern=lambda ctx, arguments: None)
    def function(a: int) -> int:
        return a

    ctx = context(tmp_path)
    assert call_facts(function, ctx, {"a": 2}) == CallFacts(
        tool="function",
        kind="other",
        read_only=False,
        arguments={"a": 2},
        requires_approval=True,
        workspace=os.path.realpath(tmp_path),
    )
    assert call_facts(function, ctx, {"a": 1}).requires_approval is False


@pytest.mark.parametrize("error", [ToolInputError("x"), KeyError("a"), OSError(5, "x")])
def test_a_check_that_fails_asks_a_person(error: Exception, tmp_path: Path) -> None:
    def broken(ctx: object, arguments: object) -> str | None:
        raise error

    @tool(read_only=True, concern=broken)
    def function() -> None: ...

    facts = call_facts(function, context(tmp_path), {})
    assert decide(facts, mode="default", rules=(), grants=()).effect == "ask"
    assert "check of this call failed" in (facts.concern or "")

"""Grants that are bounded: by calls, by time, until the first failure; and what suggests and keeps them."""

from __future__ import annotations

import json
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner import RunConfig
from runner.errors import ConfigError
from runner.events import ApprovalResolved, ToolFinished
from runner.policy import Bound, CallFacts, Grant, GrantFile, Pattern, Rule, Uses, decide, grants_for, suggest, uses_of
from runner.policy.made import grants_made
from runner.policy.uses import NO_USES, grant_key
from runner.testing import calls, reply
from runner.tools import tool
from tests.loop.harness import Workshop, run_script
from tests.policy.lines import ALLOW, ASK, DENY, HIDDEN
from tests.policy.support import facts_of, make_workspace, shell

NOW = datetime(2030, 1, 1, tzinfo=UTC)
FACTS = CallFacts(tool="shell", kind="shell", read_only=False, arguments={"command": "ls"})


def grant(bound: Bound, effect: str = "allow", **fields: Any) -> Grant:
    values: dict[str, Any] = {"tool": "shell", "match": "tool", "scope": "run", **fields}
    return Grant(effect="deny" if effect == "deny" else "allow", bound=bound, **values)


def effect(given: Grant, uses: Uses | None = NO_USES, now: datetime | None = NOW) -> str:
    return decide(FACTS, mode="default", rules=(), grants=(given,), uses=uses, now=now).effect


def used(given: Grant, *call_ids: str) -> Uses:
    uses = NO_USES
    for call_id in call_ids:
        keys = decide(FACTS, mode="default", rules=(), grants=(given,), uses=uses, now=NOW).used
        uses = uses.used(call_id, keys)
    return uses


def test_a_number_of_calls() -> None:
    twice = grant(Bound(calls=2))
    assert [effect(twice, used(twice, *"abcd"[:count])) for count in range(4)] == ["allow", "allow", "ask", "ask"]
    other = grant(Bound(calls=3))
    assert effect(other, used(twice, "a", "b")) == "allow"


def test_a_moment() -> None:
    hour = grant(Bound(until=NOW + timedelta(hours=1)))
    assert effect(hour) == "allow"
    assert effect(hour, now=NOW + timedelta(hours=1)) == "ask"
    assert effect(hour, now=None) == "ask"
    denied = replace(hour, effect="deny")
    assert effect(denied) == "deny"
    assert effect(denied, now=NOW + timedelta(hours=1)) == "ask"
    assert effect(denied, now=None) == "deny"


def test_until_the_first_failure_one_call_at_a_time() -> None:
    careful = grant(Bound(until_failure=True))
    running = used(careful, "a")
    assert effect(careful, running) == "ask"
    assert effect(careful, running.ended("a", failed=False)) == "allow"
    assert effect(careful, running.ended("a", failed=True)) == "ask"
    assert effect(careful, running.ended("other", failed=False)) == "ask"


def test_a_bound_that_nobody_counts_is_no_grant() -> None:
    assert effect(grant(Bound(calls=1)), uses=None) == "ask"
    assert effect(grant(Bound(until_failure=True)), uses=None) == "ask"
    assert effect(grant(Bound(calls=0))) == "ask"
    assert effect(grant(Bound(calls=1), "deny"), uses=None) == "deny"


def test_rules_end() -> None:
    def by(rule: Rule, now: datetime | None) -> str:
        return decide(FACTS, mode="default", rules=(rule,), grants=(), now=now).effect

    allow = Rule(effect="allow", tool="shell", expires=NOW)
    deny = replace(allow, effect="deny")
    before = NOW - timedelta(seconds=1)
    assert [by(allow, before), by(allow, NOW), by(allow, None)] == ["allow", "ask", "ask"]
    assert [by(deny, before), by(deny, NOW), by(deny, None)] == ["deny", "ask", "deny"]


def test_the_ledger_is_a_fold_of_the_stored_events() -> None:
    twice = grant(Bound(calls=2, until_failure=True))
    keys = decide(FACTS, mode="default", rules=(), grants=(twice,), uses=NO_USES, now=NOW).used
    first = ApprovalResolved(call_id="a", decision="allow", by="grant", grants=keys)
    done = ToolFinished(call_id="a", tool="shell", status="ok", display={"type": "command_result", "exit_code": 0})
    failed = replace(done, display={"type": "command_result", "exit_code": 1})
    assert effect(twice, uses_of([first, done])) == "allow"
    assert effect(twice, uses_of([first])) == "ask"
    assert effect(twice, uses_of([first, failed])) == "ask"
    assert effect(twice, uses_of([first, replace(done, status="error")])) == "ask"
    again = replace(first, call_id="b")
    assert effect(twice, uses_of([first, done, again, replace(done, call_id="b")])) == "ask"
    assert uses_of([replace(first, by="user"), replace(first, by="rule")]) == NO_USES


async def test_the_loop_counts() -> None:
    workshop = Workshop()
    script: list[object] = [*(reply(calls(("write", {"text": str(n)}))) for n in range(4)), "done"]
    bounded = Grant(effect="allow", tool="write", match="tool", scope="run", bound=Bound(calls=2))
    result, recorder, _ = await run_script(script, workshop.tools(), RunConfig(grants=(bounded,), approver=False))
    assert workshop.done == ["write 0", "write 1"]
    assert [event.by for event in recorder.of(ApprovalResolved)] == ["grant", "grant", "disconnect", "disconnect"]
    assert result.reason == "complete"
    assert sum(uses_of(recorder.events).calls.values()) == 2


async def test_the_loop_counts_calls_of_one_batch() -> None:
    workshop = Workshop()
    batch = [("write", {"text": str(number)}) for number in range(5)]
    bounded = Grant(effect="allow", tool="write", match="tool", scope="run", bound=Bound(calls=2))
    await run_script([reply(calls(*batch)), "done"], workshop.tools(), RunConfig(grants=(bounded,), approver=False))
    assert len(workshop.done) == 2


async def test_the_loop_stops_at_the_first_failure() -> None:
    done: list[int] = []

    @tool
    def attempt(number: int) -> int:
        """Fails at 1."""
        done.append(number)
        if number == 1:
            raise ValueError("no")
        return number

    script: list[object] = [*(reply(calls(("attempt", {"number": n}))) for n in range(4)), "done"]
    bounded = Grant(effect="allow", tool="attempt", match="tool", scope="run", bound=Bound(until_failure=True))
    await run_script(script, [attempt], RunConfig(grants=(bounded,), approver=False))
    assert done == [0, 1]


async def test_the_loop_knows_the_time_for_rules() -> None:
    for expires, expected in ((datetime(2000, 1, 1, tzinfo=UTC), []), (datetime(9000, 1, 1, tzinfo=UTC), ["write x"])):
        workshop = Workshop()
        config = RunConfig(approval_policy=(Rule(effect="allow", tool="write", expires=expires),), approver=False)
        await run_script([reply(calls(("write", {"text": "x"}))), "done"], workshop.tools(), config)
        assert workshop.done == expected


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_workspace(tmp_path_factory.mktemp("policy"))


def test_every_suggestion_allows_its_call_and_none_allows_another_line(workspace: Path) -> None:
    others = [shell(workspace, line) for line in ("zz x", "git status; zz", "$Y", "sudo ls")]
    for line in (*ALLOW, *ASK, *DENY, *HIDDEN):
        facts = shell(workspace, line)
        found = suggest(facts)
        assert found[0].patterns == (("shell", Pattern(arguments=facts.arguments)),)
        for suggestion in found:
            grants = grants_for(suggestion, "run")
            assert decide(facts, mode="default", rules=(), grants=grants).effect == "allow", (line, suggestion.words)
            if not any(pattern.whole for _, pattern in suggestion.patterns):
                assert {decide(other, mode="default", rules=(), grants=grants).effect for other in others} == {"ask"}


@pytest.mark.parametrize(
    ("line", "expected"),
    [
        ("git status -s", ["git status -s", "git status"]),
        ("pytest -q tests", ["pytest -q tests", "pytest"]),
        ("timeout 60 pytest -q", ["timeout 60 pytest -q", "timeout 60 pytest"]),
        ("sudo apt-get update", ["sudo apt-get update", "sudo apt-get"]),
        ("python -m pytest -q", ["python -m pytest -q", "python -m pytest"]),
        ("git -C sub log -n 3", ["git -C sub log -n 3", "git -C sub log"]),
        ("bash -c 'ls'", []),
        ("ls $X", []),
        ("rm -rf x; $X", []),
    ],
)
def test_patterns_go_from_narrow_to_wide(workspace: Path, line: str, expected: list[str]) -> None:
    found = [
        " ".join(pattern.prefix)
        for suggestion in suggest(shell(workspace, line))
        for _, pattern in suggestion.patterns
        if pattern.prefix is not None
    ]
    assert found == expected


def test_suggestions_for_files_and_lines_that_write(workspace: Path) -> None:
    words = [one.words for one in suggest(facts_of(workspace, "write_file", {"path": "src/b.py", "content": ""}))]
    assert words[1:] == [
        "write_file, below src/b.py",
        "write_file, below src",
        "write_file, below .",
        "every call of write_file",
    ]
    outside = suggest(facts_of(workspace, "read_file", {"path": "out/secret.txt"}))
    assert [one.patterns[0][1].below for one in outside[1:]] == [
        str(workspace.parent.resolve() / "outside" / "secret.txt"),
        str(workspace.parent.resolve() / "outside"),
    ]
    protected = suggest(facts_of(workspace, "write_file", {"path": ".git/config", "content": ""}))
    assert len(protected) == 1
    [_, narrow, *_] = suggest(shell(workspace, "ls > src/x"))
    assert narrow.words == "shell, commands that begin with: ls; write_file, below src"


def test_patterns_and_times_are_kept_and_older_grants_still_load(tmp_path: Path) -> None:
    path = tmp_path / "grants.json"
    old = {"effect": "allow", "tool": "shell", "match": "tool", "scope": "user", "arguments": None, "workspace": None}
    path.write_text(json.dumps({"version": 1, "grants": [old]}))
    path.chmod(0o600)
    file = GrantFile(path)
    prefix = grant(Bound(until=NOW), match="pattern", scope="user", pattern=Pattern(prefix=("git", "status")))
    below = Grant(effect="deny", tool="write_file", match="pattern", scope="project", pattern=Pattern(below="src"))
    host = grant(Bound(), match="pattern", scope="user", pattern=Pattern(host="example.com"))
    for one in (prefix, below, host):
        file.add(one, tmp_path)
    placed = replace(below, pattern=Pattern(below=str(tmp_path.resolve() / "src")))
    assert file.load(tmp_path) == [
        Grant(effect="allow", tool="shell", match="tool", scope="user"),
        prefix,
        placed,
        host,
    ]
    stored = json.loads(path.read_text())["grants"]
    assert stored[0] == old
    assert stored[1]["pattern"] == {"prefix": ["git", "status"]}
    with pytest.raises(ConfigError, match="counted in one session"):
        file.add(grant(Bound(calls=3), scope="user"), tmp_path)


ODD: list[object] = [
    *(None, {}, [], {"prefix": []}, {"prefix": "ls"}, {"prefix": [1]}, {"prefix": ["ls"], "below": "x"}),
    *({"host": "*"}, {"below": ""}, {"glob": "x"}),
]


@pytest.mark.parametrize("pattern", ODD)
def test_an_odd_pattern_allows_nothing_and_denies_all(pattern: object, tmp_path: Path) -> None:
    entry = {"tool": "shell", "match": "pattern", "scope": "user", "arguments": None, "workspace": None}
    for effect_, found in (("allow", []), ("deny", [Grant(effect="deny", tool="shell", match="tool", scope="user")])):
        path = tmp_path / f"{effect_}.json"
        path.write_text(json.dumps({"version": 1, "grants": [{**entry, "effect": effect_, "pattern": pattern}]}))
        path.chmod(0o600)
        assert GrantFile(path).load(tmp_path) == found


STEPS = st.lists(st.tuples(st.sampled_from("abcdef"), st.sampled_from(["call", "ok", "failed"])), max_size=12)


@settings(deadline=None)
@given(STEPS, st.none() | st.integers(0, 4), st.booleans())
def test_no_sequence_gets_more_out_of_a_grant_than_its_bound(
    steps: list[tuple[str, str]], most: int | None, until_failure: bool
) -> None:
    given_ = grant(Bound(calls=most, until_failure=until_failure))
    uses, allowed, failed = NO_USES, 0, False
    for call_id, what in steps:
        if what != "call":
            failed = failed or (what == "failed" and call_id in uses.open)
            uses = uses.ended(call_id, failed=what == "failed")
            continue
        verdict = decide(FACTS, mode="default", rules=(), grants=(given_,), uses=uses, now=NOW)
        if verdict.effect == "allow":
            assert not (until_failure and failed)
            allowed += 1
            uses = uses.used(call_id, verdict.used)
    assert most is None or allowed <= most


def test_what_a_file_holds_can_be_listed_and_taken_back(tmp_path: Path) -> None:
    """By its key, which is the one that it has in a run of this project; once it is gone that changes nothing."""
    file = GrantFile(tmp_path / "grants.json")
    here, there = tmp_path / "here", tmp_path / "there"
    here.mkdir()
    there.mkdir()
    assert file.entries(here) == []
    assert not file.revoke("0" * 16, here)
    below = Grant(effect="allow", tool="write", match="pattern", scope="project", pattern=Pattern(below="src"))
    mine = Grant(effect="deny", tool="shell", match="tool", scope="user")
    theirs = Grant(effect="allow", tool="shell", match="tool", scope="project")
    over = Grant(effect="allow", tool="note", match="tool", scope="user", bound=Bound(until=NOW.replace(year=2000)))
    bound_to_it = Grant(effect="allow", tool="mcp__a__b", match="tool", scope="user", identity="abc")
    for one, place in ((below, here), (mine, here), (theirs, there), (over, here), (bound_to_it, here)):
        file.add(one, place)
    entries = file.entries(here)
    assert [one.grant for one in entries] == [
        replace(below, pattern=Pattern(below=str(here.resolve() / "src"))),
        mine,
        bound_to_it,
    ]
    assert [one.key for one in entries] == [grant_key(each) for each in file.load(here) if each.tool != "note"]
    assert all(one.made is not None and one.source == str(file.path) for one in entries)
    assert not file.revoke(grant_key(below), here), "as it is written it is in no place"
    assert file.revoke(entries[0].key, here)
    assert not file.revoke(entries[0].key, here)
    assert [one.grant for one in file.entries(here)] == [mine, bound_to_it]
    assert file.revoke_all(here)
    assert file.entries(here) == []
    assert [one.grant for one in file.entries(there)] == [theirs]


def test_what_cannot_be_counted_over_programs_is_not_kept(tmp_path: Path) -> None:
    file = GrantFile(tmp_path / "grants.json")
    for bound in (Bound(calls=3), Bound(until_failure=True), Bound(until_cost=Decimal(1))):
        with pytest.raises(ConfigError, match="counted in one session"):
            file.add(grant(bound, scope="user"), tmp_path)


def test_so_much_money() -> None:
    cheap = grant(Bound(until_cost=Decimal("0.50")))

    def effect_at(cost: Decimal | None) -> str:
        return decide(FACTS, mode="default", rules=(), grants=(cheap,), uses=NO_USES, now=NOW, cost=cost).effect

    assert [effect_at(cost) for cost in (Decimal(0), Decimal("0.49"), Decimal("0.50"), Decimal(2), None)] == [
        *("allow", "allow", "ask", "ask", "ask")
    ]


def test_the_same_grant_given_again_is_counted_anew() -> None:
    one = ApprovalResolved(
        run_id="r", call_id="a", request_id="1", tool="shell", decision="allow", scope="session", bound=Bound(calls=2)
    )
    other = replace(one, call_id="b", request_id="2")
    uses = uses_of([one, replace(one, by="grant", scope="call", call_id="c", grants=_keys(one)), other])
    assert [uses.calls[key] for event in (one, other) for key in _keys(event)] == [2, 1]


def _keys(event: ApprovalResolved) -> tuple[str, ...]:
    return tuple(grant_key(each) for each in grants_made(event))

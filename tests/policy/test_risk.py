"""What is said to be at stake in a call, and what a person is offered to allow beyond it."""

from __future__ import annotations

from dataclasses import replace
from pathlib import Path

import pytest

from runner.events import Pattern, Suggested
from runner.policy import CallFacts, Grant, Rule, decide, grants_for, suggest
from runner.policy.check import pattern_problem
from runner.policy.risk import risk_of
from runner.policy.suggestions import proven
from tests.policy.lines import ALLOW, ASK, DENY, HIDDEN
from tests.policy.support import facts_of, make_workspace, shell

DENY_PUSH = (Rule(effect="deny", tool="shell", prefix=("git", "push")),)


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_workspace(tmp_path_factory.mktemp("risk"))


LINES: list[tuple[str, str, str]] = [
    ("ls -l", "medium", ""),
    ("rm -rf build", "high", "rm: may destroy what is there"),
    ("git push --force", "high", "git: is forced"),
    ("git reset --hard", "high", "git: may destroy what is there"),
    ("git push", "medium", "git: uses the network"),
    ("curl https://example.com", "medium", "curl: uses the network"),
    ("sudo apt-get update", "high", "sudo: runs as another user"),
    ("python x.py", "medium", "python: runs code"),
    ("bash -c 'rm x'", "high", "rm: may destroy what is there"),
    ("$CMD x", "high", "which program runs is not known before it does"),
    ("eval $X", "high", ""),
    ("ls > notes.txt", "medium", "writes notes.txt"),
    ("ls > /etc/passwd", "high", "outside the workspace"),
    ("timeout 5 find . -delete", "high", "find: may destroy what is there"),
    ("kubectl delete pod x", "high", "kubectl: may destroy what is there"),
]


@pytest.mark.parametrize(("line", "risk", "words"), LINES)
def test_the_risk_of_a_line(workspace: Path, line: str, risk: str, words: str) -> None:
    found, said = risk_of(shell(workspace, line))
    assert found == risk, said
    assert any(words in text for text in said) or not words, said
    assert all(len(text) <= 80 for text in said)


def test_the_risk_of_other_calls(workspace: Path) -> None:
    inside = facts_of(workspace, "write_file", {"path": "src/b.py", "content": ""})
    assert risk_of(inside) == ("medium", ("changes files",))
    outside = facts_of(workspace, "write_file", {"path": "/etc/hosts", "content": ""})
    assert risk_of(outside) == ("high", ("changes files outside the workspace",))
    reading = facts_of(workspace, "read_file", {"path": "/etc/hosts"})
    assert risk_of(reading) == ("medium", ("reads outside the workspace",))
    assert risk_of(facts_of(workspace, "read_file", {"path": "src/a.py"})) == ("low", ())
    net = CallFacts(tool="web", kind="net", read_only=True, arguments={}, urls=("https://a.io/x",))
    assert risk_of(net, ("sends what it knows",)) == ("medium", ("uses the network: a.io", "sends what it knows"))
    assert risk_of(CallFacts(tool="sh", kind="shell", read_only=False, arguments={}))[0] == "high"


def test_what_is_offered_allows_the_call_under_the_rules_as_they_are(workspace: Path) -> None:
    """And may be given as it is offered; not even the odd lines offer anything else."""
    count = 0
    for line in (*ALLOW, *ASK, *DENY, *HIDDEN):
        for rules in ((), DENY_PUSH):
            for one in offered(shell(workspace, line), rules):
                assert not any(each.pattern.arguments is not None for each in one.patterns)
                assert all(pattern_problem(each.pattern, "allow") is None for each in one.patterns), one.words
                count += 1
    assert count > 200


def offered(facts: CallFacts, rules: tuple[Rule, ...]) -> tuple[Suggested, ...]:
    return proven(facts, lambda grants: decide(facts, mode="default", rules=rules, grants=grants))


def test_nothing_is_offered_where_nothing_would_help(workspace: Path) -> None:
    """A rule may mean this line, so only its very words can be allowed."""
    facts = shell(workspace, "git $X")
    assert offered(facts, DENY_PUSH) == ()


def test_what_is_offered_is_bound_to_the_tool_as_it_is() -> None:
    facts = CallFacts(tool="mcp__a__b", kind="other", read_only=False, arguments={"x": 1}, identity="one")
    [_, whole] = suggest(facts)
    [grant] = grants_for(whole, "run", facts=facts)
    assert decide(facts, mode="default", rules=(), grants=(grant,)).effect == "allow"
    other = replace(facts, identity="two")
    assert decide(other, mode="default", rules=(), grants=(grant,)).effect == "ask"
    denial = Grant(effect="deny", tool="mcp__a__b", match="tool", scope="run", identity="one")
    assert decide(other, mode="bypass", rules=(), grants=(denial,)).effect == "deny"


@pytest.mark.parametrize(
    ("pattern", "problem"),
    [
        (Pattern(), None),
        (Pattern(arguments={}), None),
        (Pattern(prefix=("git", "status")), None),
        (Pattern(below="src"), None),
        (Pattern(host="*.example.com:8080"), None),
        (Pattern(prefix=()), "prefix names no command"),
        (Pattern(prefix=("A=b", "ls")), "prefix begins with a variable; it must begin with a command"),
        (Pattern(prefix=("ls\x1b",)), "prefix has a shell operator or a control character in it"),
        (Pattern(below="a\u202eb"), "below is not the name of a folder"),
        (Pattern(below="a", host="b.io"), "has both below and host; it takes one of them"),
        (Pattern(host="a b"), "host 'a b' is not the name of a host"),
    ],
)
def test_what_is_wrong_with_a_pattern(pattern: Pattern, problem: str | None) -> None:
    assert pattern_problem(pattern, "allow") == problem

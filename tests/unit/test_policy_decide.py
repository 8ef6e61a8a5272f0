"""decide: the table of SEMANTICS section 9, and properties over any rules, grants and calls."""

from __future__ import annotations

from dataclasses import replace
from typing import Any, get_args

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.messages import JsonObject
from runner.policy import ApprovalMode, CallFacts, Effect, Grant, Rule, Verdict, decide, fingerprint
from runner.policy.canonical import canonical

MODES: tuple[ApprovalMode, ...] = get_args(ApprovalMode)
WIDTH: dict[Effect, int] = {"deny": 0, "ask": 1, "allow": 2}

READ = CallFacts(tool="read_file", kind="read", read_only=True, arguments={"path": "a"})
EDIT = CallFacts(tool="edit_file", kind="edit", read_only=False, arguments={"path": "a"})
SHELL = CallFacts(tool="shell", kind="shell", read_only=False, arguments={"command": "ls", "timeout": None})
NET = CallFacts(tool="fetch", kind="net", read_only=True, arguments={"url": "u"}, requires_approval=True)
FREE = CallFacts(tool="note", kind="other", read_only=False, arguments={}, requires_approval=False)
OUTSIDE = "/etc/passwd is outside the workspace."


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        # In the order of MODES: default, accept_edits, plan, bypass, deny_unlisted.
        (READ, "allow allow allow allow deny"),
        (EDIT, "ask allow deny allow deny"),
        (SHELL, "ask ask deny allow deny"),
        (NET, "ask ask ask allow deny"),
        (FREE, "allow allow deny allow deny"),
        (replace(READ, concern=OUTSIDE), "ask ask ask allow deny"),
        (replace(EDIT, concern=OUTSIDE), "ask ask deny allow deny"),
        (replace(FREE, concern=OUTSIDE), "ask ask deny allow deny"),
        (replace(EDIT, requires_approval=True), "ask ask deny allow deny"),
    ],
)
def test_modes_without_rules(facts: CallFacts, expected: str) -> None:
    verdicts = [decide(facts, mode=mode, rules=(), grants=()) for mode in MODES]
    assert [verdict.effect for verdict in verdicts] == expected.split()
    assert all(verdict.why.endswith(".") and verdict.rule for verdict in verdicts)


@pytest.mark.parametrize(
    ("facts", "expected"),
    [
        (EDIT, "allow allow deny allow allow"),
        (READ, "allow allow allow allow allow"),
        (NET, "allow allow allow allow allow"),
        # A concern is about this call, and a rule about the whole tool does not know it.
        (replace(EDIT, concern=OUTSIDE), "ask ask deny allow ask"),
        (replace(READ, concern=OUTSIDE), "ask ask ask allow ask"),
    ],
)
@pytest.mark.parametrize("how", ["rule", "grant"])
def test_an_allowed_tool(facts: CallFacts, expected: str, how: str) -> None:
    rules = (Rule(effect="allow", tool=facts.tool),) if how == "rule" else ()
    grants = (Grant(effect="allow", tool=facts.tool, match="tool", scope="run"),) if how == "grant" else ()
    assert [decide(facts, mode=mode, rules=rules, grants=grants).effect for mode in MODES] == expected.split()


@pytest.mark.parametrize("how", ["rule", "grant"])
def test_exact_arguments_answer_a_concern(how: str) -> None:
    facts = replace(READ, concern=OUTSIDE)
    rules = (Rule(effect="allow", tool="read_file", arguments={"path": "a"}),) if how == "rule" else ()
    grant = Grant(effect="allow", tool="read_file", match="exact", scope="run", arguments={"path": "a"})
    grants = (grant,) if how == "grant" else ()
    verdict = decide(facts, mode="default", rules=rules, grants=grants)
    assert (verdict.effect, verdict.by) == ("allow", how)
    other = replace(facts, arguments={"path": "b"})
    assert decide(other, mode="default", rules=rules, grants=grants).effect == "ask"


def test_an_ask_rule_beats_an_allow_rule_and_yields_to_a_person_and_to_bypass() -> None:
    rules = (Rule(effect="allow", tool="*"), Rule(effect="ask", tool="shell", note="it costs", source="config.toml"))
    verdict = decide(SHELL, mode="default", rules=rules, grants=())
    assert verdict == Verdict(
        effect="ask", by="rule", rule="ask shell (config.toml)", why="A rule asks about shell: it costs."
    )
    granted = Grant(effect="allow", tool="shell", match="tool", scope="session")
    assert decide(SHELL, mode="default", rules=rules, grants=(granted,)).effect == "allow"
    assert decide(SHELL, mode="bypass", rules=rules, grants=()).effect == "allow"
    assert decide(SHELL, mode="deny_unlisted", rules=rules[1:], grants=()).effect == "ask"


@pytest.mark.parametrize(
    ("pattern", "covered"), [("shell", True), ("sh*", True), ("*", True), ("Shell", False), ("she", False)]
)
def test_rules_name_tools_by_globs(pattern: str, covered: bool) -> None:
    verdict = decide(SHELL, mode="bypass", rules=(Rule(effect="deny", tool=pattern),), grants=())
    assert (verdict.effect == "deny") is covered


def test_a_grant_names_one_tool_and_not_a_glob() -> None:
    grant = Grant(effect="allow", tool="*", match="tool", scope="run")
    assert decide(SHELL, mode="default", rules=(), grants=(grant,)).effect == "ask"


@pytest.mark.parametrize(
    ("written", "called", "covered"),
    [
        ({"command": "ls"}, {"command": "ls", "timeout": None}, True),
        ({"command": "ls", "timeout": None}, {"command": "ls"}, True),
        ({"command": "ls"}, {"command": "ls", "timeout": 5}, False),
        ({"command": "ls"}, {"command": "ls "}, False),
        ({"n": 1}, {"n": True}, False),
        ({"n": {"a": 1, "b": [1, 2]}}, {"n": {"b": [1, 2], "a": 1}}, True),
        ({"n": [1, 2]}, {"n": [2, 1]}, False),
        ({}, {"timeout": None}, True),
    ],
)
def test_arguments_of_a_rule(written: JsonObject, called: JsonObject, covered: bool) -> None:
    rule = Rule(effect="deny", tool="shell", arguments=written)
    verdict = decide(replace(SHELL, arguments=called), mode="bypass", rules=(rule,), grants=())
    assert (verdict.effect == "deny") is covered


def test_a_denial_that_lost_its_arguments_denies_the_tool() -> None:
    broken = Grant(effect="deny", tool="shell", match="exact", scope="user")
    assert decide(SHELL, mode="bypass", rules=(), grants=(broken,)).effect == "deny"
    allowed = Grant(effect="allow", tool="shell", match="exact", scope="user")
    assert decide(SHELL, mode="default", rules=(), grants=(allowed,)).effect == "ask"


def test_verdicts_say_what_decided() -> None:
    rule = Rule(effect="deny", tool="sh*", note="not on this machine", source=".quarterdeck/config.toml")
    assert decide(SHELL, mode="bypass", rules=(rule,), grants=()) == Verdict(
        effect="deny",
        by="rule",
        rule="deny sh* (.quarterdeck/config.toml)",
        why="A rule denies shell: not on this machine.",
    )
    grant = Grant(effect="deny", tool="shell", match="tool", scope="project")
    assert decide(SHELL, mode="bypass", rules=(), grants=(grant,)).why == "You denied shell for this project."
    assert decide(SHELL, mode="plan", rules=(), grants=()).rule == "mode plan"
    assert decide(replace(READ, concern=OUTSIDE), mode="default", rules=(), grants=()).why == OUTSIDE


NAMES = st.sampled_from(["shell", "read_file", "edit_file"])
VALUES = st.recursive(
    st.none() | st.booleans() | st.integers(-1, 2) | st.floats(allow_nan=True) | st.sampled_from(["", "a", "\ud800"]),
    lambda inner: st.lists(inner, max_size=2) | st.dictionaries(st.sampled_from("ab"), inner, max_size=2),
    max_leaves=4,
)
ARGUMENTS: st.SearchStrategy[dict[str, Any]] = st.dictionaries(st.sampled_from(["path", "n"]), VALUES, max_size=2)
EFFECTS = st.sampled_from(["allow", "deny", "ask"])
RULES = st.builds(
    Rule, effect=EFFECTS, tool=NAMES | st.sampled_from(["*", "*_file", "[", ""]), arguments=st.none() | ARGUMENTS
)
GRANTS = st.builds(
    Grant,
    effect=st.sampled_from(["allow", "deny"]),
    tool=NAMES,
    match=st.sampled_from(["tool", "exact"]),
    scope=st.sampled_from(["run", "session", "project", "user"]),
    arguments=st.none() | ARGUMENTS,
)
FACTS = st.builds(
    CallFacts,
    tool=NAMES,
    kind=st.sampled_from(["read", "edit", "shell", "net", "other"]),
    read_only=st.booleans(),
    arguments=ARGUMENTS,
    requires_approval=st.none() | st.booleans(),
    concern=st.none() | st.just(OUTSIDE),
)
MODE = st.sampled_from(MODES)
SOME_RULES, SOME_GRANTS = st.lists(RULES, max_size=4), st.lists(GRANTS, max_size=4)


def width(facts: CallFacts, mode: ApprovalMode, rules: list[Rule], grants: list[Grant]) -> int:
    return WIDTH[decide(facts, mode=mode, rules=rules, grants=grants).effect]


@settings(deadline=None)
@given(FACTS, MODE, SOME_RULES, SOME_GRANTS)
def test_every_call_gets_one_verdict_and_always_the_same(
    facts: CallFacts, mode: ApprovalMode, rules: list[Rule], grants: list[Grant]
) -> None:
    verdict = decide(facts, mode=mode, rules=rules, grants=grants)
    assert verdict.effect in WIDTH
    assert verdict.why.endswith(".")
    assert verdict.rule
    assert decide(facts, mode=mode, rules=list(rules), grants=list(grants)) == verdict


@settings(deadline=None)
@given(FACTS, MODE, SOME_RULES, SOME_GRANTS, st.data())
def test_deny_beats_allow_wherever_it_stands(
    facts: CallFacts, mode: ApprovalMode, rules: list[Rule], grants: list[Grant], data: st.DataObject
) -> None:
    arguments = data.draw(st.sampled_from([None, facts.arguments]))
    if data.draw(st.booleans()):
        rules.insert(data.draw(st.integers(0, len(rules))), Rule(effect="deny", tool=facts.tool, arguments=arguments))
    else:
        match = "tool" if arguments is None else "exact"
        denial = Grant(effect="deny", tool=facts.tool, match=match, scope="run", arguments=arguments)
        grants.insert(data.draw(st.integers(0, len(grants))), denial)
    assert decide(facts, mode=mode, rules=rules, grants=grants).effect == "deny"


@settings(deadline=None)
@given(FACTS, MODE, SOME_RULES, SOME_GRANTS, RULES, GRANTS)
def test_an_allowance_never_narrows_and_a_denial_never_widens(
    facts: CallFacts, mode: ApprovalMode, rules: list[Rule], grants: list[Grant], rule: Rule, grant: Grant
) -> None:
    before = width(facts, mode, rules, grants)
    with_rule = width(facts, mode, [*rules, rule], grants)
    with_grant = width(facts, mode, rules, [*grants, grant])
    match rule.effect:
        case "allow":
            assert with_rule >= before
        case "deny":
            assert with_rule <= before
        case "ask" if mode == "deny_unlisted":
            assert with_rule <= max(before, WIDTH["ask"])
        case "ask":
            assert with_rule <= before
    assert with_grant >= before if grant.effect == "allow" else with_grant <= before


@settings(deadline=None)
@given(FACTS, MODE, SOME_RULES, SOME_GRANTS, ARGUMENTS, NAMES)
def test_narrower_is_never_wider(
    facts: CallFacts, mode: ApprovalMode, rules: list[Rule], grants: list[Grant], arguments: JsonObject, tool: str
) -> None:
    """For calls without a concern: exact arguments cover no more than the tool, and one tool no more than all."""
    facts = replace(facts, concern=None)
    narrow = width(facts, mode, [*rules, Rule(effect="allow", tool=tool, arguments=arguments)], grants)
    middle = width(facts, mode, [*rules, Rule(effect="allow", tool=tool)], grants)
    wide = width(facts, mode, [*rules, Rule(effect="allow", tool="*")], grants)
    assert narrow <= middle <= wide
    exact = Grant(effect="allow", tool=tool, match="exact", scope="run", arguments=arguments)
    whole = Grant(effect="allow", tool=tool, match="tool", scope="run")
    assert width(facts, mode, rules, [*grants, exact]) <= width(facts, mode, rules, [*grants, whole])


@settings(deadline=None)
@given(FACTS, SOME_RULES, SOME_GRANTS)
def test_modes_are_ordered(facts: CallFacts, rules: list[Rule], grants: list[Grant]) -> None:
    order: list[ApprovalMode] = ["plan", "default", "accept_edits", "bypass"]
    widths = [width(facts, mode, rules, grants) for mode in order]
    assert widths == sorted(widths)
    assert width(facts, "deny_unlisted", rules, grants) <= width(facts, "default", rules, grants)


@settings(deadline=None)
@given(FACTS, MODE, ARGUMENTS)
def test_an_exact_grant_covers_no_other_arguments(facts: CallFacts, mode: ApprovalMode, arguments: JsonObject) -> None:
    grant = Grant(effect="allow", tool=facts.tool, match="exact", scope="user", arguments=arguments)
    verdict = decide(facts, mode=mode, rules=(), grants=(grant,))
    if canonical(arguments) == canonical(facts.arguments):
        assert verdict.by == "grant" or verdict.effect == "deny"
    else:
        assert verdict == decide(facts, mode=mode, rules=(), grants=())


@settings(deadline=None)
@given(st.lists(st.tuples(st.text(max_size=3), st.text(max_size=3), NAMES, ARGUMENTS), min_size=2, max_size=2))
def test_a_fingerprint_binds_a_decision_to_all_of_a_call(calls: list[tuple[str, str, str, JsonObject]]) -> None:
    one, other = calls
    same = canonical(list(one)) == canonical(list(other))
    assert (fingerprint(*one) == fingerprint(*other)) is same

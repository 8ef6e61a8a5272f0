"""Shell lines with their expected decisions, the published evasions among them."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.policy import ApprovalMode, Grant, Pattern, Rule, Verdict, decide
from tests.policy.lines import ALLOW, ALLOWED, ASK, DENIED, DENY, HIDDEN
from tests.policy.support import make_workspace, rules, shell

STANDARD = (*rules("allow", ALLOWED), *rules("deny", DENIED))
ONLY_DENIED = rules("deny", DENIED)
EVERYTHING = Rule(effect="allow", tool="shell")
GRANTED = Grant(effect="allow", tool="shell", match="tool", scope="run")


@pytest.fixture(scope="module")
def workspace(tmp_path_factory: pytest.TempPathFactory) -> Path:
    return make_workspace(tmp_path_factory.mktemp("policy"))


def verdict(
    workspace: Path,
    line: str,
    rules: tuple[Rule, ...] = STANDARD,
    mode: ApprovalMode = "default",
    grants: tuple[Grant, ...] = (),
) -> Verdict:
    return decide(shell(workspace, line), mode=mode, rules=rules, grants=grants)


TABLES = [
    pytest.param(ALLOW, "allow", id="allow"),
    pytest.param(ASK, "ask", id="ask"),
    pytest.param(DENY, "deny", id="deny"),
    pytest.param(HIDDEN, "ask", id="hidden"),
]


@pytest.mark.parametrize(("table", "expected"), TABLES)
def test_each_line_is_decided_as_the_table_says(workspace: Path, table: tuple[str, ...], expected: str) -> None:
    wrong = [
        f"{line!r}: {found.effect}, {found.why}"
        for line in table
        if (found := verdict(workspace, line)).effect != expected
    ]
    assert wrong == []


def test_the_tables_are_long_and_say_each_line_once() -> None:
    lines = [line for table in (ALLOW, ASK, DENY, HIDDEN) for line in table]
    assert len(lines) > 800
    assert len(lines) - len(set(lines)) == 0


@pytest.mark.parametrize("how", ["rule", "grant", "bypass", "accept_edits"])
@pytest.mark.parametrize(("table", "expected"), TABLES[2:])
def test_no_allowance_of_the_tool_beats_a_denial_of_a_part(
    workspace: Path, table: tuple[str, ...], expected: str, how: str
) -> None:
    mode: ApprovalMode = "bypass" if how == "bypass" else "accept_edits" if how == "accept_edits" else "default"
    allowed = (EVERYTHING,) if how == "rule" else ()
    grants = (GRANTED,) if how == "grant" else ()
    found = {line: verdict(workspace, line, (*allowed, *ONLY_DENIED), mode, grants).effect for line in table}
    assert [line for line, effect in found.items() if effect != expected] == []


def test_without_denials_the_whole_tool_may_be_allowed(workspace: Path) -> None:
    inside = [line for line in (*HIDDEN, *DENY) if shell(workspace, line).concern is None]
    assert len(inside) > 200
    assert {verdict(workspace, line, (EVERYTHING,)).effect for line in inside} == {"allow"}
    assert {verdict(workspace, line, (), "bypass").effect for line in HIDDEN} == {"allow"}


def test_exact_arguments_allow_what_no_prefix_can(workspace: Path) -> None:
    for line in (*ASK, *HIDDEN):
        exact = Rule(effect="allow", tool="shell", arguments={"command": line})
        assert verdict(workspace, line, (*STANDARD, exact)).effect == "allow"
        assert verdict(workspace, f"{line} x", (*ONLY_DENIED, exact)).effect != "allow"


def test_a_denied_line_stays_denied_in_every_mode(workspace: Path) -> None:
    modes: list[ApprovalMode] = ["default", "accept_edits", "plan", "bypass", "deny_unlisted"]
    for line in DENY[:60]:
        assert {verdict(workspace, line, mode=mode).effect for mode in modes} == {"deny"}


def test_ask_rules_see_through_what_deny_rules_see_through(workspace: Path) -> None:
    asking = tuple(Rule(effect="ask", tool="shell", prefix=rule.prefix) for rule in ONLY_DENIED)
    for line in DENY:
        assert verdict(workspace, line, (EVERYTHING, *asking)).effect == "ask"


@pytest.mark.parametrize(
    ("line", "mode", "expected"),
    [
        ("ls > x", "default", "ask"),
        ("ls > x", "accept_edits", "allow"),
        ("ls > ../x", "accept_edits", "ask"),
        ("ls > .git/config", "accept_edits", "ask"),
        ("ls > out/x", "accept_edits", "ask"),
        ("cd sub && ls > x", "accept_edits", "ask"),
        ("ls > x; ninja", "accept_edits", "ask"),
        ("ls > src/a.py", "deny_unlisted", "deny"),
        ("ls", "deny_unlisted", "allow"),
        ("ninja", "deny_unlisted", "deny"),
        ("ls; ninja", "deny_unlisted", "deny"),
        ("ls", "plan", "deny"),
    ],
)
def test_a_redirection_is_a_decision_of_its_own(workspace: Path, line: str, mode: ApprovalMode, expected: str) -> None:
    assert verdict(workspace, line, mode=mode).effect == expected


def test_a_rule_for_files_answers_and_denies_redirections(workspace: Path) -> None:
    source = Rule(effect="allow", tool="write_file", below=str(workspace / "src"))
    assert verdict(workspace, "ls > src/new.txt", (*STANDARD, source)).effect == "allow"
    assert verdict(workspace, "ls > src/../x", (*STANDARD, source)).effect == "ask"
    assert verdict(workspace, "ls > sub/x", (*STANDARD, source)).effect == "ask"
    closed = Rule(effect="deny", tool="*_file", below=str(workspace / "src"), note="generated")
    for line in ("ls > src/x", "ls >> ./sub/../src/x", "cat < src/a.py", "ls 2> SRC/x", f"ls > {workspace}/src/x"):
        found = verdict(workspace, line, (*STANDARD, source, closed, EVERYTHING), "bypass")
        assert (found.effect, "generated" in found.why) == ("deny", True), line


def test_a_folder_that_is_denied_to_the_shell(workspace: Path) -> None:
    closed = Rule(effect="deny", tool="shell", below=str(workspace / "src"))
    for line in (
        "cat src/a.py",
        "cat ./src",
        "cd src",
        "cat 'src/a.py'",
        "cat --file=src/a.py",
        "ls; cat sub/../src/a.py",
    ):
        assert verdict(workspace, line, (EVERYTHING, closed)).effect == "deny", line
    for line in ('cat "$X"', "cat s*", "cat ~/x"):
        assert verdict(workspace, line, (EVERYTHING, closed)).effect == "ask", line
    assert verdict(workspace, "cat sub/a.py", (EVERYTHING, closed)).effect == "allow"


def test_a_verdict_explains_each_part(workspace: Path) -> None:
    allowed = Rule(effect="allow", tool="shell", prefix=("git", "status"), source="/etc/x.toml:3")
    denied = Rule(effect="deny", tool="shell", prefix=("rm",), source="/etc/x.toml:7", note="ask me first")
    found = verdict(workspace, "git status && timeout 5 rm -rf src > x", (allowed, denied))
    assert (found.effect, found.by, found.where) == ("deny", "rule", "/etc/x.toml:7")
    assert found.why == "A rule denies rm: ask me first."
    assert found.rule == "deny shell, commands that begin with: rm (/etc/x.toml:7)"
    assert [(part.text, part.effect, part.where) for part in found.parts] == [
        ("git status", "allow", "/etc/x.toml:3"),
        ("timeout 5 rm -rf src", "ask", ""),
        ("rm -rf src", "deny", "/etc/x.toml:7"),
        ("writes x", "ask", ""),
    ]
    left = verdict(workspace, "git status; ninja", (allowed, denied))
    assert left.why == "Nothing allows this part: ninja (no rule names it)."
    whole = verdict(workspace, "git status -s", (allowed, denied))
    assert (whole.effect, whole.where, whole.why) == ("allow", "/etc/x.toml:3", "Rules allowed this command.")


def test_grants_answer_ask_rules_and_rules_and_grants_cover_a_line_together(workspace: Path) -> None:
    grant = Grant(
        effect="allow", tool="shell", match="pattern", scope="run", pattern=Pattern(prefix=("git", "push", "origin"))
    )
    asking = Rule(effect="ask", tool="shell", prefix=("git", "push"))
    status = Rule(effect="allow", tool="shell", prefix=("git", "status"))
    assert verdict(workspace, "git push origin x", (asking,), grants=(grant,)).effect == "allow"
    assert verdict(workspace, "git push other x", (asking,), grants=(grant,)).effect == "ask"
    assert verdict(workspace, "git push origin x; git -C . push", (asking,), grants=(grant,)).effect == "ask"
    assert verdict(workspace, "git status && git push origin x", (asking, status), grants=(grant,)).effect == "allow"
    assert verdict(workspace, "git status && git push origin x", (status,), grants=(grant,)).by == "grant"
    denied = Rule(effect="deny", tool="shell", prefix=("git", "push"))
    assert verdict(workspace, "git push origin x", (denied,), grants=(grant,)).effect == "deny"
    refused = Grant(effect="deny", tool="shell", match="pattern", scope="run", pattern=Pattern(prefix=("git", "push")))
    assert verdict(workspace, "git push origin x", (), grants=(grant, refused)).effect == "deny"

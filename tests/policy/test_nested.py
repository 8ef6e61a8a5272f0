"""Paths and addresses inside lists and objects: rules and grants see each of them, wherever a call hides it."""

from __future__ import annotations

from pathlib import Path
from typing import Any

import pytest
from hypothesis import HealthCheck, given, settings
from hypothesis import strategies as st

from runner.errors import ToolInputError
from runner.policy import CallFacts, Pattern, Rule, decide, suggest
from runner.policy.facts import call_facts
from runner.policy.named import paths_among, urls_among
from runner.policy.paths import resolved
from runner.tools.base import Tool
from runner.tools.builtin import web_fetch
from tests.policy.support import TOOLS, facts_of, make_workspace
from tests.processes.support import context


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    inside = make_workspace(tmp_path)
    (inside / "secrets").mkdir()
    (inside / "alias").symlink_to("secrets")
    return inside


def edits(workspace: Path, *paths: str, old: str = "a") -> CallFacts:
    wanted = [{"path": path, "old": old, "new": "b", "all": False} for path in paths]
    return facts_of(workspace, "edit_files", {"edits": wanted})


def effect(facts: CallFacts, *rules: Rule, mode: Any = "default") -> str:
    return decide(facts, mode=mode, rules=rules, grants=()).effect


@pytest.mark.parametrize(
    "arguments",
    [
        {"path": "X"},
        {"paths": ["a", "X"]},
        {"edits": [{"path": "a"}, {"path": "X"}]},
        {"edits": [[{"deeper": {"file_path": "X"}}]]},
        {"options": {"outputFile": "X"}},
        {"options": {"OUTPUT_DIR": "X"}},
        {"old-path": "X"},
        {"moves": [{"source": "a", "destination": "X"}]},
        {"files": {"X": "its text"}},
        {"files": [{"filename": "X", "content": "c"}]},
        {"a": {"path": {"path": ["X"]}}},
    ],
)
def test_where_paths_are_found(arguments: dict[str, Any]) -> None:
    assert "X" in list(paths_among(arguments))


def test_what_is_no_path() -> None:
    arguments = {"content": "X", "profile": "X", "pathology": "X", "edits": [{"old": "X", "new": "X"}], "text": ["X"]}
    assert list(paths_among(arguments)) == []
    assert list(paths_among({"file": {"path": "a", "content": "X"}})) == ["a"]
    assert list(urls_among({"requests": [{"url": "a"}, {"imageUrl": "b"}], "hurl": "c"})) == ["a", "b"]


def test_depth_is_no_hiding_place_and_no_trap() -> None:
    arguments: Any = {"path": "X"}
    for _ in range(20_000):
        arguments = {"a": [arguments]}
    assert list(paths_among(arguments)) == ["X"]


_SHELLS = st.sampled_from(["list", "object", "edits", "options"])


@settings(max_examples=40, suppress_health_check=[HealthCheck.function_scoped_fixture], deadline=None)
@given(shells=st.lists(_SHELLS, max_size=6), name=st.sampled_from(["path", "file", "target_file", "dir", "fileName"]))
def test_a_denied_folder_is_denied_at_any_depth(workspace: Path, shells: list[str], name: str) -> None:
    arguments: Any = {name: "alias/key.pem"}
    for shell in shells:
        arguments = [{"text": "x"}, arguments] if shell == "list" else {shell: arguments}
    other = Tool(name="other", description="", parameters={}, run=TOOLS["shell"].run, validate=dict)
    facts = call_facts(other, context(workspace), {"given": arguments})
    deny = Rule(effect="deny", tool="*", below=resolved("secrets", workspace))
    assert effect(facts, deny, mode="bypass") == "deny"
    allow = Rule(effect="allow", tool="other", below=resolved("src", workspace))
    assert effect(facts, allow) == "ask"


def test_an_allowance_below_a_folder_takes_every_path_of_the_call(workspace: Path) -> None:
    allow = Rule(effect="allow", tool="edit_files", below=resolved("src", workspace))
    assert effect(edits(workspace, "src/a.py", "src/../src/b.py"), allow) == "allow"
    assert effect(edits(workspace, "src/a.py", "sub/b.py"), allow) == "ask"
    assert effect(edits(workspace, "src/a.py", "src/../sub/b.py"), allow) == "ask"
    assert effect(edits(workspace, "src/a.py", "out/b.py"), allow) == "ask"


@pytest.mark.parametrize("tool", ["edit_files", "edit_file", "*", "edit_*"])
@pytest.mark.parametrize("path", ["secrets/k", "alias/k", "./sub/../secrets/k", "SECRETS/k", "secrets /k"])
def test_what_denies_edit_file_denies_edit_files(workspace: Path, tool: str, path: str) -> None:
    deny = Rule(effect="deny", tool=tool, below=resolved("secrets", workspace), note="keys")
    facts = edits(workspace, "src/a.py", path, "sub/b")
    for mode in ("default", "accept_edits", "bypass"):
        found = decide(facts, mode=mode, rules=(deny,), grants=())
        assert found.effect == "deny"
        assert "keys" in found.why
    assert effect(edits(workspace, "src/a.py"), deny, mode="bypass") == "allow"


def test_a_denial_of_writing_new_files_holds_for_new_files_of_edit_files(workspace: Path) -> None:
    deny = Rule(effect="deny", tool="write_file", below=resolved("sub", workspace))
    assert effect(edits(workspace, "sub/new", old=""), deny, mode="bypass") == "deny"
    assert effect(edits(workspace, "sub/new", old="a"), deny, mode="bypass") == "allow"
    found = decide(edits(workspace, "sub/new", old=""), mode="bypass", rules=(deny,), grants=())
    assert found.why.startswith("This call does to sub/new what write_file does. A rule denies")


def test_a_rule_that_asks_about_edit_file_asks_about_edit_files(workspace: Path) -> None:
    ask = Rule(effect="ask", tool="edit_file", below=resolved("sub", workspace))
    assert effect(edits(workspace, "src/a.py", "sub/b"), ask, mode="accept_edits") == "ask"
    assert effect(edits(workspace, "src/a.py"), ask, mode="accept_edits") == "allow"
    allow = Rule(effect="allow", tool="edit_files")
    assert effect(edits(workspace, "src/a.py", "sub/b"), allow, ask) == "ask"


def test_edits_are_accepted_only_where_all_of_them_are_inside_and_unprotected(workspace: Path) -> None:
    assert effect(edits(workspace, "src/a.py", "sub/b"), mode="accept_edits") == "allow"
    for path in ("../outside/secret.txt", "link.txt", ".git/hooks/pre-commit", ".quarterdeck/config.toml"):
        assert effect(edits(workspace, "src/a.py", path), mode="accept_edits") == "ask"
    assert effect(edits(workspace, "src/a.py"), mode="plan") == "deny"


def test_what_is_suggested_for_several_files(workspace: Path) -> None:
    def folders(*paths: str) -> list[str | None]:
        found = [pattern for each in suggest(edits(workspace, *paths)) for _, pattern in each.patterns]
        return [pattern.below for pattern in found if pattern.below is not None]

    assert folders("src/a.py", "src/b.py") == ["src", "."]
    assert folders("src/a.py", "sub/b.py") == ["."]
    assert folders("src/a.py") == ["src/a.py", "src", "."]
    assert folders("src/a.py", "out/b.py") == []


def test_fetching_is_asked_about_per_host(workspace: Path) -> None:
    facts = facts_of(workspace, "web_fetch", {"url": "https://docs.example.com/a?b", "start": 0, "raw": False})
    assert effect(facts) == "ask"
    assert effect(facts, mode="accept_edits") == "ask"
    assert effect(facts, mode="plan") == "deny"
    patterns = [pattern for each in suggest(facts) for _, pattern in each.patterns]
    assert Pattern(host="docs.example.com") in patterns
    assert effect(facts, Rule(effect="allow", tool="web_fetch", host="docs.example.com")) == "allow"
    assert effect(facts, Rule(effect="allow", tool="web_fetch", host="example.com")) == "ask"
    everything = Rule(effect="allow", tool="*")
    assert effect(facts, everything, Rule(effect="deny", tool="*", host="*.example.com")) == "deny"


@pytest.mark.parametrize(
    "url", ["HTTPS://Docs.Example.COM./x", "https://docs.example.com:443/x#y", "https://\uff44ocs.example.com/x"]
)
def test_a_grant_for_a_host_knows_its_spellings_because_the_tool_writes_them_in_one(workspace: Path, url: str) -> None:
    tool = web_fetch()
    facts = call_facts(tool, context(workspace), tool.validate({"url": url}))
    assert effect(facts, Rule(effect="allow", tool="web_fetch", host="docs.example.com")) == "allow"


@pytest.mark.parametrize("url", ["http://localhost/", "http://[::ffff:10.0.0.1]/", "http://169.254.169.254/latest"])
def test_nobody_is_asked_about_a_private_address(url: str) -> None:
    with pytest.raises(ToolInputError, match="private_hosts"):
        web_fetch().validate({"url": url})


@pytest.mark.parametrize("tool", ["todo", "ask_user"])
def test_a_list_and_a_question_need_no_approval_in_any_mode(workspace: Path, tool: str) -> None:
    facts = facts_of(workspace, tool, {"items": []} if tool == "todo" else {"question": "x"})
    for mode in ("default", "accept_edits", "plan", "bypass"):
        assert effect(facts, mode=mode) == "allow"

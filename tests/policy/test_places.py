"""Paths below a folder and hosts: allowances are exact, denials are not."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.policy import CallFacts, Rule, decide
from runner.policy.hosts import goes_to, host_of, host_problem, may_go_to
from runner.policy.paths import resolved
from tests.policy.support import facts_of, make_workspace


@pytest.fixture
def workspace(tmp_path: Path) -> Path:
    inside = make_workspace(tmp_path)
    (inside / "srcs").mkdir()
    (inside / "src" / "up").symlink_to("..")
    (inside / "alias").symlink_to("src")
    (inside / "src" / "folder").mkdir()
    return inside


def write(workspace: Path, path: str) -> CallFacts:
    return facts_of(workspace, "write_file", {"path": path, "content": "x"})


def effect(workspace: Path, path: str, kind: str, folder: str = "src") -> str:
    below = resolved(folder, workspace)
    if kind == "allow":
        rules = (Rule(effect="allow", tool="write_file", below=below),)
        return decide(write(workspace, path), mode="default", rules=rules, grants=()).effect
    rules = (Rule(effect="deny", tool="*", below=below),)
    return decide(write(workspace, path), mode="bypass", rules=rules, grants=()).effect


@pytest.mark.parametrize(
    ("path", "allowed", "denied"),
    [
        ("src/b.py", True, True),
        ("./src//b.py", True, True),
        ("src", True, True),
        ("sub/../src/b.py", True, True),
        ("alias/b.py", True, True),
        ("src/caf\u00e9", True, True),
        ("srcs/b.py", False, False),
        ("src.py", False, False),
        ("src/../b.py", False, False),
        ("src/up/b.py", False, True),
        ("../work/src/b.py", True, True),
        ("out/src/b.py", False, False),
        ("link.txt", False, False),
        ("/src/b.py", False, False),
        # What only looks like the folder is not allowed, and still denied.
        ("SRC/b.py", False, True),
        ("src\n/b.py", False, True),
        ("src /b.py", False, True),
        ("src\u200b/b.py", False, True),
        ("\uff53\uff52\uff43/b.py", False, True),
        ("src./b.py", False, True),
        # Inside, but not a name that an allowance covers.
        ("src/b.py\n", False, True),
        ("src/a\u202e.py", False, True),
        ("src/\x1b[31m", False, True),
        # No path at all.
        ("src/a\0", False, True),
        ("", False, False),
    ],
)
def test_below_a_folder(workspace: Path, path: str, allowed: bool, denied: bool) -> None:
    assert (effect(workspace, path, "allow") == "allow") is allowed
    assert (effect(workspace, path, "deny") == "deny") is denied


def test_unicode_forms_of_one_name_are_one_for_a_denial_and_two_for_an_allowance(workspace: Path) -> None:
    assert effect(workspace, "src/cafe\u0301", "deny", "src/caf\u00e9") == "deny"
    assert effect(workspace, "src/cafe\u0301", "allow", "src/caf\u00e9") == "ask"


def test_a_folder_that_becomes_a_link_after_the_rule_was_read_is_not_allowed(workspace: Path) -> None:
    below = resolved("later", workspace)
    (workspace / "later").symlink_to(workspace.parent / "outside")
    rules = (Rule(effect="allow", tool="write_file", below=below),)
    assert decide(write(workspace, "later/x"), mode="default", rules=rules, grants=()).effect == "ask"


def test_an_allowance_of_the_workspace_does_not_open_what_is_protected(workspace: Path) -> None:
    for folder in (".", "..", "/"):
        assert effect(workspace, ".git/hooks/x", "allow", folder) == "ask"
        assert effect(workspace, ".quarterdeck/config.toml", "allow", folder) == "ask"
    assert effect(workspace, "sub/x", "allow", ".") == "allow"
    assert effect(workspace, "out/x", "allow", ".") == "ask"


def test_a_folder_outside_answers_the_question_about_leaving_the_workspace(workspace: Path) -> None:
    outside = str(workspace.parent / "outside")
    assert effect(workspace, "out/x", "allow", outside) == "allow"
    assert effect(workspace, f"{outside}/x", "allow", outside) == "allow"
    assert effect(workspace, "/etc/x", "allow", outside) == "ask"
    assert effect(workspace, "x", "allow", outside) == "ask"


def test_rules_without_a_place_decide_closed() -> None:
    facts = CallFacts(tool="write_file", kind="edit", read_only=False, arguments={"path": "src/a"})
    assert (
        decide(facts, mode="default", rules=(Rule(effect="allow", tool="*", below="src"),), grants=()).effect == "ask"
    )


HOST = "api.example.com"


@pytest.mark.parametrize(
    ("url", "allowed", "denied"),
    [
        ("https://api.example.com", True, True),
        ("https://api.example.com/", True, True),
        ("http://api.example.com/a?b=c#d", True, True),
        ("https://API.Example.COM/x", True, True),
        ("https://api.example.com:443/x", True, True),
        ("https://api.example.com:8443/x", False, True),
        ("https://api.example.com./x", False, True),
        ("https://user@api.example.com/", False, True),
        ("https://user:password@api.example.com/", False, True),
        ("https://evil.com@api.example.com/", False, True),
        ("https://api.example.com@evil.com/", False, True),
        ("https://api.example.com:x@evil.com/", False, True),
        ("https://evil.com\\@api.example.com/", False, True),
        ("https://api.example.com\\.evil.com/", False, True),
        ("https://api.example.com.evil.com/", False, False),
        ("https://evilapi.example.com/", False, False),
        ("https://sub.api.example.com/", False, False),
        ("https://example.com/", False, False),
        ("https://api.example.com%2eevil.com/", False, False),
        ("https://ap\u0131.example.com/", False, False),
        ("https://api\uff0eexample\uff0ecom/", False, True),
        ("https://api\u3002example\u3002com/", False, True),
        ("https://\uff41pi.example.com/", False, True),
        ("https://api.example.com\n.evil.com/", False, True),
        ("ht\ntps://api.example.com/", False, True),
        (" https://api.example.com/", False, True),
        ("ftp://api.example.com/", False, True),
        ("file:///api.example.com", False, True),
        ("//api.example.com/x", False, True),
        ("https:/api.example.com/x", False, True),
        ("https://evil.com/?x=https://api.example.com/", False, True),
        ("https://evil.com/a", False, False),
    ],
)
def test_hosts(url: str, allowed: bool, denied: bool) -> None:
    facts = CallFacts(tool="web_fetch", kind="net", read_only=False, arguments={"url": url}, urls=(url,))
    allow = (Rule(effect="allow", tool="web_fetch", host=HOST),)
    deny = (Rule(effect="deny", tool="web_fetch", host=HOST),)
    assert (decide(facts, mode="default", rules=allow, grants=()).effect == "allow") is allowed
    assert (decide(facts, mode="bypass", rules=deny, grants=()).effect == "deny") is denied


@pytest.mark.parametrize(
    ("url", "host", "certain", "possible"),
    [
        ("https://a.example.com/", "*.example.com", True, True),
        ("https://a.b.example.com/", "*.example.com", True, True),
        ("https://example.com/", "*.example.com", False, False),
        ("https://badexample.com/", "*.example.com", False, False),
        ("http://127.0.0.1/", "127.0.0.1", True, True),
        ("http://127.0.0.1:8080/", "127.0.0.1:8080", True, True),
        ("http://127.0.0.1:8080/", "127.0.0.1", False, True),
        ("http://127.1/", "127.0.0.1", False, True),
        ("http://2130706433/", "127.0.0.1", False, True),
        ("http://0x7f.0.0.1/", "127.0.0.1", False, True),
        ("http://0177.0.0.1/", "127.0.0.1", False, True),
        ("http://[::ffff:127.0.0.1]/", "127.0.0.1", False, True),
        ("http://[::1]/", "[::1]", True, True),
        ("http://[0:0:0:0:0:0:0:1]/", "[::1]", True, True),
        ("http://[::2]/", "[::1]", False, False),
        ("https://b\u00fccher.example/", "xn--bcher-kva.example", False, True),
        ("https://xn--bcher-kva.example/", "xn--bcher-kva.example", True, True),
        ("http://[::1/", "[::1]", False, None),
        ("mailto:x", "example.com", False, None),
    ],
)
def test_spellings_of_hosts(url: str, host: str, certain: bool, possible: bool | None) -> None:
    assert host_problem(host) is None
    assert goes_to(url, host) is certain
    assert may_go_to(url, host) is possible


@pytest.mark.parametrize(
    "host",
    ["", "https://example.com", "example.com/x", "*", "*.", "*.com", "a b", "user@x.com", "-x.com", "1.2.3", "x\n"],
)
def test_what_is_no_host(host: str) -> None:
    assert host_problem(host) is not None


def test_every_url_of_a_call_must_be_covered() -> None:
    urls = ("https://api.example.com/", "https://evil.com/")
    facts = CallFacts(tool="fetch", kind="net", read_only=False, arguments={}, urls=urls)
    rules = (Rule(effect="allow", tool="fetch", host=HOST),)
    assert decide(facts, mode="default", rules=rules, grants=()).effect == "ask"
    assert host_of("https://API.example.com:8443/x") == "api.example.com:8443"
    assert host_of("https://x@api.example.com/") is None

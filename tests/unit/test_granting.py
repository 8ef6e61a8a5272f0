"""From what a person chooses in "allow for…" to a decision: checked, and said in words."""

from __future__ import annotations

from datetime import UTC, datetime
from decimal import Decimal
from typing import Any

import pytest

from runner.control.commands import Decide
from runner.events import Pattern, Suggested, ToolPattern
from runner.state import ApprovalView
from tui.granting import GrantError, Terms, decision, edited, leaves_out, offers, sentence

PREFIX = ToolPattern(tool="shell", pattern=Pattern(prefix=("git", "status")))
BELOW = ToolPattern(tool="write_file", pattern=Pattern(below="src/deep"))
HOST = ToolPattern(tool="web_fetch", pattern=Pattern(host="docs.example.com"))
WHOLE = ToolPattern(tool="shell", pattern=Pattern())
EXACT = ToolPattern(tool="shell", pattern=Pattern(arguments={"command": "git status"}))


def view(**changes: Any) -> ApprovalView:
    known: dict[str, Any] = {
        "request_id": "r",
        "call_id": "c",
        "tool": "shell",
        "agent": "deck",
        "arguments": {"command": "git status"},
        "preview": {},
        "why": "",
        "options": (),
        "time": datetime(2026, 1, 1, tzinfo=UTC),
        "mono": 0.0,
    }
    return ApprovalView(**{**known, **changes})


def test_the_very_arguments_come_first_once() -> None:
    suggested = (Suggested(words="x", patterns=(EXACT,)), Suggested(words="y", patterns=(PREFIX,)))
    assert [offer.patterns for offer in offers(view(suggestions=suggested))] == [(EXACT,), (PREFIX,)]
    assert [offer.patterns for offer in offers(view())] == [(EXACT,)]


@pytest.mark.parametrize(
    ("pattern", "text", "wanted"),
    [
        (PREFIX, "git  status", Pattern(prefix=("git", "status"))),
        (PREFIX, "git log '--format=%h %s'", Pattern(prefix=("git", "log", "--format=%h %s"))),
        (BELOW, " src ", Pattern(below="src")),
        (HOST, "*.Example.com", Pattern(host="*.example.com")),
        (HOST, "docs.example.com:8080", Pattern(host="docs.example.com:8080")),
        (WHOLE, "anything", Pattern()),
    ],
)
def test_a_pattern_as_it_was_edited(pattern: ToolPattern, text: str, wanted: Pattern) -> None:
    assert edited(pattern, text).pattern == wanted


@pytest.mark.parametrize(
    ("pattern", "text", "words"),
    [
        (PREFIX, "", "names no command"),
        (PREFIX, "git status; rm -rf .", "write a list of words"),
        (PREFIX, "A=1 git", "begins with a variable"),
        (PREFIX, "bash -c", "names too little"),
        (PREFIX, "git 'status", "'"),
        (BELOW, "", "the folder is missing"),
        (BELOW, "src/*", "without"),
        (BELOW, "a\u202eb", "cannot be seen"),
        (HOST, "", "is not the name of a host"),
        (HOST, "*.com", "stands for too many hosts"),
        (HOST, "a b", "is not the name of a host"),
    ],
)
def test_what_is_wrong_with_a_pattern_is_said(pattern: ToolPattern, text: str, words: str) -> None:
    with pytest.raises(GrantError, match=words):
        edited(pattern, text)


@pytest.mark.parametrize(
    ("patterns", "terms", "wanted", "words"),
    [
        ((EXACT,), Terms(), {"match": "exact"}, "shell with exactly these arguments in this run"),
        ((WHOLE,), Terms(scope="user"), {"match": "tool"}, "every call of shell, whatever its arguments in every"),
        (
            (PREFIX,),
            Terms(scope="session", bound="calls", amount="5"),
            {"match": "pattern", "patterns": (PREFIX,), "calls": 5},
            "every `git status …` in this session, its later runs too, 5 calls at most, this one counted",
        ),
        (
            (PREFIX, BELOW),
            Terms(scope="project", bound="minutes", amount="90"),
            {"match": "pattern", "patterns": (PREFIX, BELOW), "minutes": 90.0},
            "every `git status …` and every write_file in src/deep and below in this project, from now on, for the",
        ),
        (
            (HOST,),
            Terms(bound="failure"),
            {"match": "pattern", "patterns": (HOST,), "until_failure": True},
            "every web_fetch on docs.example.com in this run, until one of them fails",
        ),
        (
            (BELOW,),
            Terms(bound="cost", amount="$2"),
            {"match": "pattern", "patterns": (BELOW,), "spend_usd": Decimal(2)},
            "until the run has cost $2.00 more",
        ),
    ],
)
def test_a_decision_and_its_sentence(
    patterns: tuple[ToolPattern, ...], terms: Terms, wanted: dict[str, Any], words: str
) -> None:
    expected: dict[str, Any] = {"scope": terms.scope, **wanted}
    assert decision(view(), patterns, terms) == Decide(request_id="r", decision="allow", **expected)
    assert words in sentence(patterns, terms)


@pytest.mark.parametrize(
    ("terms", "words"),
    [
        (Terms(scope="project", bound="calls", amount="5"), "counted in one session"),
        (Terms(scope="user", bound="failure"), "counted in one session"),
        (Terms(scope="session", bound="cost", amount="1"), "counted in one run"),
        (Terms(bound="calls", amount="0"), "above 0"),
        (Terms(bound="calls", amount="1.5"), "whole number"),
        (Terms(bound="minutes", amount="NaN"), "above 0"),
        (Terms(bound="minutes", amount="soon"), "soon is not a number"),
        (Terms(bound="cost", amount=""), "an empty text is not a number"),
    ],
)
def test_terms_that_nobody_can_keep(terms: Terms, words: str) -> None:
    with pytest.raises(GrantError, match=words):
        decision(view(), (PREFIX,), terms)


@pytest.mark.parametrize(
    ("old", "new", "out"),
    [
        (PREFIX.pattern, Pattern(prefix=("git",)), False),
        (PREFIX.pattern, Pattern(prefix=("git", "push")), True),
        (BELOW.pattern, Pattern(below="src"), False),
        (BELOW.pattern, Pattern(below="."), False),
        (BELOW.pattern, Pattern(below="tests"), True),
        (HOST.pattern, Pattern(host="*.example.com"), False),
        (HOST.pattern, Pattern(host="evil.example"), True),
    ],
)
def test_whether_an_edited_pattern_leaves_the_call_out(old: Pattern, new: Pattern, out: bool) -> None:
    offer = Suggested(words="", patterns=(ToolPattern(tool="t", pattern=old),))
    assert leaves_out(offer, (ToolPattern(tool="t", pattern=new),)) is out

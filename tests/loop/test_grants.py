"""Grants with patterns and bounds: made by a decision, counted in the loop, kept over runs and restarts."""

from __future__ import annotations

from collections.abc import Iterator
from dataclasses import replace
from datetime import UTC, datetime
from decimal import Decimal
from pathlib import Path
from typing import Any

import pytest

from runner import CommandError, Decide, Grant, Rule, RunConfig
from runner.events import ApprovalRequested, ApprovalResolved, Pattern, ToolPattern
from runner.policy import Bound
from runner.policy.words import grant_words
from runner.testing import ScriptedModel, calls, reply
from runner.tools.builtin import SHELL, WRITE_FILE
from tests.loop.harness import Workshop, live
from tests.loop.house import House, allow


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.store.close()


@pytest.mark.parametrize(
    ("answer", "texts", "asked"),
    [
        (allow("call"), "abc", "abc"),
        (allow("run"), "abc", "a"),
        (allow("run", calls=1), "abc", "abc"),
        (allow("run", calls=3), "abcde", "ade"),
        (allow("session", calls=2), "abc", "ac"),
        (allow("run", match="exact"), "aaba", "ab"),
        (allow("run", match="exact", calls=2), "aaa", "aa"),
        ({"decision": "deny", "scope": "run"}, "abc", "a"),
        ({"decision": "deny", "scope": "run", "match": "exact"}, "aab", "ab"),
    ],
)
async def test_how_far_a_decision_goes_in_a_run(house: House, answer: Any, texts: str, asked: str) -> None:
    """The call that was asked about is the first use of what it made."""
    assert "".join(await house.asked(*texts, answer=answer)) == asked


async def test_until_the_first_failure_that_of_the_call_itself_too(house: House) -> None:
    until = allow("run", until_failure=True)
    assert await house.asked("a", "b", "fail", "c", answer=until) == ["a", "c"]
    assert await house.asked("fail", "b", answer=until) == ["fail", "b"]
    assert house.done == ["a", "b", "fail", "fail"]


async def test_until_a_moment(house: House) -> None:
    """Three minutes pass before each call is looked at."""

    def late(arguments: dict[str, Any]) -> bool:
        house.clock.advance(180)
        return True

    slow = replace(house.tool(), requires_approval=late)
    house.tool = lambda: slow
    assert await house.asked(*"abcd", answer=allow("run", minutes=7), max_time=None) == ["a", "d"]


async def test_until_so_much_is_spent(house: House) -> None:
    """A turn costs 10 cents; the bound counts from the decision on."""
    assert await house.asked(*"abcde", answer=allow("run", spend_usd=Decimal("0.25"))) == ["a", "d", "e"]
    async with house.run("a", "b") as running:
        request = await running.until(ApprovalRequested)
        running.handle.decide(request.request_id, "allow", scope="run", match="exact", spend_usd=1)
        other = await running.until(ApprovalRequested, lambda event: event.request_id != request.request_id)
        [one] = house.live()
        assert (one.grant.bound.until_cost, one.spent) == (Decimal("1.1"), Decimal("0.2"))
        assert one.run_id == running.handle.run_id
        running.handle.decide(other.request_id, "deny")
        await running.result()
    assert house.live() == []
    async with house.run("a", price=None) as running:
        request = await running.until(ApprovalRequested)
        with pytest.raises(CommandError, match="what the run costs is not known"):
            running.handle.decide(request.request_id, "allow", scope="run", spend_usd=1)


async def test_a_count_goes_on_over_the_runs_of_a_session_and_a_restart(house: House) -> None:
    assert await house.asked("a", "b", answer=allow("session", calls=4)) == ["a"]
    assert [(one.calls_allowed, one.grant.bound.calls) for one in house.live()] == [(2, 4)]
    house = house.reopened()
    assert await house.asked("c") == []
    assert await house.asked("d", "e") == ["e"]
    assert house.live() == []
    # The same decision again is a new one: its calls count from the start.
    assert await house.asked("f", "g", "h", answer=allow("session", calls=2)) == ["f", "h"]
    house.store.close()
    assert house.done == list("abcdfg")


async def test_a_failure_counts_over_a_restart(house: House) -> None:
    assert await house.asked("a", answer=allow("session", until_failure=True)) == ["a"]
    house = house.reopened()
    assert await house.asked("b", "fail") == []
    house = house.reopened()
    assert await house.asked("c") == ["c"]
    house.store.close()


async def test_another_session_starts_without_grants(house: House) -> None:
    assert await house.asked("a", answer=allow("session")) == ["a"]
    assert await house.asked("b") == []
    assert await house.asked("b", session_id="another") == ["b"]


async def test_patterns_cover_what_they_say(house: House) -> None:
    line = ToolPattern(tool="shell", pattern=Pattern(prefix=("git", "status")))
    (house.folder / "src").mkdir()
    script = [
        reply(calls(("shell", {"command": "git status -s"}))),
        reply(calls(("shell", {"command": "git status > src/x; git status"}))),
        reply(calls(("shell", {"command": "git status | cat"}))),
        "done",
    ]
    asked: list[ApprovalRequested] = []

    def approve(request: ApprovalRequested) -> Decide:
        asked.append(request)
        if len(asked) == 1:
            return Decide(request_id="", decision="allow", scope="session", patterns=(line,))
        if len(asked) == 2:
            below = ToolPattern(tool="write_file", pattern=Pattern(below="src"))
            return Decide(request_id="", decision="allow", scope="session", patterns=(line, below), calls=5)
        return Decide(request_id="", decision="deny")

    async with house.run(script=script, tools=(SHELL, WRITE_FILE), approver=approve) as running:
        await running.result()
    assert [request.arguments["command"] for request in asked] == [
        "git status -s",
        "git status > src/x; git status",
        "git status | cat",
    ]
    [first, *_] = asked
    assert [one.words for one in first.suggestions][:2] == [
        "shell, commands that begin with: git status -s",
        "shell, commands that begin with: git status",
    ]
    # Where a pattern was given again its bound is the newer one; a folder is fixed to the place that was meant.
    assert [(one.grant.pattern, one.grant.bound.calls) for one in house.live()] == [
        (line.pattern, 5),
        (Pattern(below=str(house.folder.resolve() / "src")), 5),
    ]


REFUSED: list[tuple[dict[str, Any], str]] = [
    ({"decision": "allow", "calls": 3}, "give it a scope"),
    ({"decision": "allow", "patterns": (ToolPattern(tool="shell", pattern=Pattern()),)}, "give it a scope"),
    ({"decision": "end_run", "scope": "run", "minutes": 1}, "give it a scope"),
    (allow("run", match="pattern"), "needs patterns"),
    (allow("run", match="exact", patterns=(ToolPattern(tool="shell", pattern=Pattern()),)), "belong to a match by"),
    (allow("run", calls=0), "from 1 to"),
    (allow("run", calls=10**9), "from 1 to"),
    (allow("run", minutes=0), "minutes is more than 0"),
    (allow("run", minutes=-5), "minutes is more than 0"),
    (allow("run", minutes=float("nan")), "minutes is more than 0"),
    (allow("run", minutes=float("inf")), "minutes is more than 0"),
    (allow("run", minutes=1e12), "minutes is more than 0"),
    (allow("run", spend_usd=Decimal(0)), "more than 0 US dollars"),
    (allow("run", spend_usd=Decimal("NaN")), "more than 0 US dollars"),
    (allow("session", spend_usd=Decimal(1)), "is for this run"),
    (allow("project", calls=3), "for a project bound it by minutes"),
    (allow("user", until_failure=True), "for every project bound it by minutes"),
    ({"decision": "deny", "scope": "run", "calls": 2}, "bounded by minutes only"),
    ({"decision": "answer", "arguments": {"answers": ["x"]}}, "none of allow, deny, edit, end_run"),
    ({"decision": "edit", "scope": "run"}, "needs them"),
    ({"decision": "edit", "arguments": {"command": 7}}, "do not fit"),
]
PATTERNS: list[tuple[Pattern, str, str]] = [
    (Pattern(prefix=("git", "status")), "write_file", "is not about this call of shell"),
    (Pattern(prefix=("git", "push")), "shell", "does not mean this call"),
    (Pattern(prefix=("git", "&&", "ls")), "shell", "operator"),
    (Pattern(prefix=("sudo",)), "shell", "names too little"),
    (Pattern(prefix=("python",)), "shell", "names too little|runs code|cannot be"),
    (Pattern(prefix=("git",), below="."), "shell", "has both prefix and below"),
    (Pattern(host="*.com"), "shell", "stands for too many hosts"),
    (Pattern(below=" "), "shell", "is not the name of a folder"),
    (Pattern(below="."), "shell", "does not mean this call"),
    (Pattern(host="example.com"), "shell", "does not mean this call"),
    (Pattern(arguments={"command": "git"}), "shell", "does not mean this call"),
]


async def test_what_cannot_be_granted_is_refused_in_words_and_the_request_stays_open(house: House) -> None:
    script = [reply(calls(("shell", {"command": "git status && python x.py"}))), "done"]
    async with house.run(script=script, tools=(SHELL,)) as running:
        request = await running.until(ApprovalRequested)

        def refuse(fields: dict[str, Any], words: str) -> None:
            with pytest.raises(CommandError, match=words):
                running.handle.command(Decide(request_id=request.request_id, **fields))

        for fields, words in REFUSED:
            refuse(fields, words)
        for pattern, name, words in PATTERNS:
            refuse(allow("run", patterns=(ToolPattern(tool=name, pattern=pattern),)), words)
        status = ToolPattern(tool="shell", pattern=Pattern(prefix=("git", "status")))
        refuse(
            allow("run", patterns=(status,)), "does not cover this call: shell, commands that begin with: git status"
        )
        refuse(allow("run", patterns=(status,) * 51), "at most 50")
        refuse(
            {"decision": "deny", "scope": "run", "patterns": (replace(status, pattern=Pattern(below="/etc")),)}, "mean"
        )
        with pytest.raises(CommandError, match="is not the key of a grant"):
            running.handle.revoke("everything")
        assert running.handle.state.status == "waiting_approval"
        both = (status, ToolPattern(tool="shell", pattern=Pattern(prefix=("python", "x.py"))))
        running.handle.decide(request.request_id, "deny", scope="run", patterns=both, minutes=5)
        await running.result()
    assert running.recorder.only(ApprovalResolved).patterns == both


async def test_patterns_must_cover_the_call_as_it_was_edited(house: House) -> None:
    script = [reply(calls(("shell", {"command": "git status"}))), "done"]
    async with house.run(script=script, tools=(SHELL,)) as running:
        request = await running.until(ApprovalRequested)
        line = ToolPattern(tool="shell", pattern=Pattern(prefix=("git", "status")))
        with pytest.raises(CommandError, match="does not mean this call"):
            running.handle.decide(
                request.request_id, "edit", arguments={"command": "true x"}, scope="run", patterns=(line,)
            )
        running.handle.decide(
            request.request_id, "edit", arguments={"command": "git status -s"}, scope="run", patterns=(line,)
        )
        await running.result()
    resolved = running.recorder.only(ApprovalResolved)
    assert (resolved.proposed or {})["command"] == "git status"
    assert resolved.arguments["command"] == "git status -s"


async def test_a_later_denial_goes_before_an_allow(house: House) -> None:
    """Two calls wait; the first is denied for the run, so the second cannot be allowed any more."""
    script = [reply(calls(("write", {"text": "a"}), ("write", {"text": "b"}))), "done"]
    async with house.run(script=script) as running:
        one = await running.until(ApprovalRequested, lambda event: event.arguments == {"text": "a"})
        two = await running.until(ApprovalRequested, lambda event: event.arguments == {"text": "b"})
        running.handle.decide(one.request_id, "deny", scope="run")
        with pytest.raises(CommandError, match="the call is denied: You denied write for this run"):
            running.handle.decide(two.request_id, "allow")
        running.handle.revoke()
        running.handle.decide(two.request_id, "allow")
        await running.result()
    assert house.done == ["b"]


async def test_every_decision_about_a_call_that_changes_something_is_recorded() -> None:
    workshop = Workshop()
    config = RunConfig(approval_mode="bypass", approval_policy=[Rule(effect="deny", tool="effect")])
    script = [reply(calls(("note", {"text": "n"}), ("write", {"text": "w"}), ("effect", {}))), "done"]
    async with live(ScriptedModel(script), workshop.tools(), config=config) as running:
        await running.result()
    found = {(event.tool, event.decision, event.rule) for event in running.recorder.of(ApprovalResolved)}
    assert found == {("write", "allow", "mode bypass"), ("effect", "deny", "deny effect")}


def test_the_bound_of_a_grant_is_in_its_words() -> None:
    bound = Bound(calls=2, until=datetime(2030, 1, 1, tzinfo=UTC), until_failure=True, until_cost=Decimal("1.50"))
    words = grant_words(Grant(effect="allow", tool="write", match="tool", scope="run", bound=bound))
    assert words == (
        "allow write, every call, for this run, for 2 calls and until 2030-01-01T00:00+00:00 and until the first"
        " failure and until the run has cost $1.50"
    )

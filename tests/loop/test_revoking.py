"""Grants taken back: at once, in every later run, and from the file that keeps them; and tools that are not what they
were."""

from __future__ import annotations

import threading
from collections.abc import Callable, Iterator
from dataclasses import replace
from datetime import datetime
from pathlib import Path
from typing import Any, cast

import pytest

from runner import Grant
from runner.errors import ConfigError, SessionBusyError
from runner.events import ApprovalRequested, ApprovalResolved, ErrorOccurred, GrantRevoked, ToolFinished, ToolStarted
from runner.policy import GrantFile
from runner.policy.uses import grant_key
from runner.testing import ScriptedModel, calls, reply
from runner.tools.base import Tool
from tests.loop.harness import BOUND, Live, Workshop, live
from tests.loop.house import SESSION, House, allow, until_asked, writes


@pytest.fixture
def house(tmp_path: Path) -> Iterator[House]:
    made = House(tmp_path)
    yield made
    made.store.close()


def key_of(running: Live) -> str:
    """Of the grant that decided last."""
    return [event for event in running.recorder.of(ApprovalResolved) if event.by == "grant"][-1].grants[0]


@pytest.mark.parametrize("scope", ["run", "session", "project", "user"])
@pytest.mark.parametrize("every", [True, False])
async def test_a_revoked_grant_counts_no_more_in_this_run_or_any_other(house: House, scope: Any, every: bool) -> None:
    workshop = Workshop()
    script = [
        reply(calls(("write", {"text": "a"}))),
        reply(calls(("write", {"text": "a"}))),
        reply(calls(("slow", {}))),
        *writes("a"),
    ]
    async with house.run(script=script, tools=workshop.tools()[2:3]) as running:
        asked = await until_asked(running, "a")
        running.handle.decide(asked.request_id, "allow", scope=scope, match="exact")
        await running.until(ToolStarted, lambda event: event.tool == "slow")
        key = "" if every else key_of(running)
        running.handle.revoke(key)
        running.handle.revoke(key)
        workshop.release.set()
        again = await running.until(ApprovalRequested, lambda event: event.request_id != asked.request_id)
        assert house.live() == []
        running.handle.decide(again.request_id, "deny")
        await running.result()
    facts = running.recorder.of(GrantRevoked)
    assert facts[0].key == key
    assert len(facts) == (2 if every and scope in ("project", "user") else 1)
    assert house.done == ["a", "a"]
    assert house.file.load(house.folder) == []
    house = house.reopened()
    assert await house.asked("a") == ["a"]
    house.store.close()


async def test_what_was_granted_by_the_program_can_be_taken_back_too(house: House) -> None:
    given = Grant(effect="allow", tool="write", match="tool", scope="run")
    async with house.run("a", grants=(given,)) as running:
        running.handle.revoke(grant_key(given))
        asked = await until_asked(running, "a")
        running.handle.decide(asked.request_id, "deny")
        await running.result()
    assert house.done == []


async def test_a_revocation_before_the_grants_are_read_counts(house: House) -> None:
    """The first moment of a run: what its session and the file hold is read in a thread."""
    assert await house.asked("a", answer=allow("session")) == ["a"]
    house.file.add(Grant(effect="allow", tool="write", match="tool", scope="user"), house.folder)
    async with house.run("b") as running:
        running.handle.revoke()
        asked = await until_asked(running, "b")
        running.handle.decide(asked.request_id, "deny")
        await running.result()
    # What the run had not read yet it did not take out of the file; whoever shows the file does that.
    assert house.file.revoke_all(house.folder)
    assert not house.file.revoke_all(house.folder)
    assert await house.asked("b") == ["b"]


async def test_a_call_that_waits_for_its_start_asks_again_when_its_grant_is_taken_back(house: House) -> None:
    workshop = Workshop()
    script = [reply(calls(("write", {"text": "a"}))), reply(calls(("slow", {}), ("write", {"text": "b"}))), "done"]
    config: dict[str, Any] = {"tool_concurrency": 1, "tools": workshop.tools()[2:3]}
    started = threading.Event()

    def after_slow(arguments: dict[str, Any]) -> bool:
        return arguments["text"] == "a" or started.wait(BOUND)

    write = replace(house.tool(), requires_approval=after_slow)
    house.tool = lambda: write
    async with house.run(script=script, **config) as running:
        asked = await until_asked(running, "a")
        running.handle.decide(asked.request_id, "allow", scope="run")
        await running.until(ToolStarted, lambda event: event.tool == "slow")
        started.set()
        await running.until(ApprovalResolved, lambda event: event.by == "grant")
        running.handle.revoke()
        workshop.release.set()
        again = await until_asked(running, "b")
        running.handle.decide(again.request_id, "deny", reason="no more")
        await running.result()
    assert house.done == ["a"]
    assert [event.status for event in running.recorder.of(ToolFinished)] == ["ok", "ok", "denied"]


async def test_a_grant_and_its_revocation_in_one_breath_leave_nothing(house: House) -> None:
    """The facts have the order of the commands, whenever the waiting call wakes up."""
    async with house.run("a", "b") as running:
        asked = await until_asked(running, "a")
        running.handle.decide(asked.request_id, "allow", scope="project", match="tool")
        running.handle.revoke()
        again = await until_asked(running, "b")
        running.handle.decide(again.request_id, "deny")
        await running.result()
    kinds = [event.kind for event in running.recorder.facts if event.kind in ("approval_resolved", "grant_revoked")]
    assert kinds[:2] == ["approval_resolved", "grant_revoked"]
    assert sorted(kinds[2:]) == ["approval_resolved", "grant_revoked"]
    assert house.file.load(house.folder) == []


async def test_grants_of_a_session_that_nobody_runs(house: House) -> None:
    assert await house.asked("a", answer=allow("session", minutes=60)) == ["a"]
    assert await house.asked("b") == []
    with house.store.lease(SESSION), pytest.raises(SessionBusyError):
        house.store.revoke_grants(SESSION)
    [one] = house.live()
    assert (one.calls_allowed, one.run_id, one.source) == (2, "", "")
    assert one.last_used is not None
    assert one.last_used >= cast("datetime", one.made)
    house.store.revoke_grants(SESSION, one.key)
    house.store.revoke_grants(SESSION, one.key)
    assert house.store.grants(SESSION) == []
    assert await house.asked("c", answer=allow("session", minutes=60)) == ["c"]
    # What was granted after the revocation counts, also where it says the same.
    assert await house.asked("d") == []
    house.store.revoke_grants(SESSION)
    house = house.reopened()
    assert await house.asked("e") == ["e"]
    house.store.delete_session(SESSION)
    house.store.close()


class Unwritable(GrantFile):
    def add(self, grant: Grant, workspace: Path) -> None:
        raise ConfigError("the disk is full", where=str(self.path))


async def test_a_file_that_cannot_be_written_is_said_and_the_call_runs(house: House) -> None:
    house.file = Unwritable(house.file.path)
    async with house.run("a", "a") as running:
        asked = await until_asked(running, "a")
        running.handle.decide(asked.request_id, "allow", scope="user")
        result = await running.result()
    assert result.reason == "complete"
    assert house.done == ["a", "a"], "in this run it counts"
    assert "the disk is full" in running.recorder.only(ErrorOccurred).error.message


# A tool that is not what it was.


async def test_an_allowance_covers_the_tool_as_it_was_and_a_denial_whatever_it_becomes(house: House) -> None:
    told: list[str] = []

    def tool_of(identity: str) -> Callable[[], Tool]:
        made = replace(house_tool(), identity=identity, approved=lambda: told.append(identity))
        return lambda: made

    house_tool = house.tool
    house.tool = tool_of("one")
    for scope in ("session", "user"):
        text = scope
        assert await house.asked(text, text, answer=allow(scope, match="exact")) == [text]
    assert told == ["one", "one"]
    house.tool = tool_of("two")
    assert await house.asked("session", "user") == ["session", "user"]
    assert told == ["one", "one"], "nobody allowed it as it is now"
    house.tool = tool_of("one")
    assert await house.asked("session", "user", answer={"decision": "deny", "scope": "session"}) == []
    assert await house.asked("x", answer={"decision": "deny", "scope": "session"}) == ["x"]
    house.tool = tool_of("three")
    assert await house.asked("session", "user", "y") == []


async def test_what_a_tool_does_when_it_is_told_keeps_nothing_from_running() -> None:
    def breaks() -> None:
        raise OSError("no disk")

    workshop = Workshop()
    made = replace(workshop.tools()[1], approved=breaks)
    async with live(ScriptedModel(writes("a")), [made]) as running:
        asked = await running.until(ApprovalRequested)
        running.handle.decide(asked.request_id, "allow")
        await running.result()
    assert workshop.done == ["write a"]
    assert "no disk" in running.recorder.only(ErrorOccurred).error.message

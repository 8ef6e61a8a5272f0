"""Who may run what, through the loop: it fails closed, and each call is decided alone."""

from __future__ import annotations

import asyncio
from pathlib import Path
from typing import Any

import pytest

from runner import CommandError, Decide, Grant, Rule, RunConfig
from runner.events import ApprovalRequested, ApprovalResolved, ToolFinished, ToolProposed, ToolStarted
from runner.testing import ScriptedModel, calls, reply
from tests.loop.harness import Workshop, live, run_script


def script(*wanted: tuple[str, dict[str, Any]]) -> list[object]:
    return [reply(calls(*wanted)), "done"]


WRITE = script(("write", {"text": "x"}))


async def test_read_only_runs_and_the_rest_asks() -> None:
    workshop = Workshop()
    model = ScriptedModel(script(("note", {"text": "a"}), ("write", {"text": "b"})))  # pyright: ignore[reportArgumentType]
    async with live(model, workshop.tools()) as running:
        asked = await running.until(ApprovalRequested)
        await running.until(ToolFinished, lambda event: event.tool == "note")
        assert workshop.done == ["note a"]
        assert (asked.tool, asked.arguments) == ("write", {"text": "b"})
        assert asked.why
        running.handle.decide(asked.request_id, "allow")
        await running.result()
    assert workshop.done == ["note a", "write b"]
    resolved = running.recorder.only(ApprovalResolved)
    assert (resolved.decision, resolved.by, resolved.scope) == ("allow", "user", "call")


async def test_without_an_approver_what_would_ask_is_denied() -> None:
    workshop = Workshop()
    result, recorder, _ = await run_script(WRITE, workshop.tools(), RunConfig(approver=False))
    assert workshop.done == []
    assert recorder.only(ApprovalResolved).by == "disconnect"
    assert recorder.only(ToolFinished).status == "denied"
    assert result.reason == "complete"


async def test_the_model_reads_the_reason_of_a_denial() -> None:
    workshop = Workshop()
    model = ScriptedModel(WRITE)  # pyright: ignore[reportArgumentType]
    async with live(model, workshop.tools()) as running:
        asked = await running.until(ApprovalRequested)
        running.handle.decide(asked.request_id, "deny", reason="use the other folder")
        await running.result()
    told = model.requests[1].messages[-1]
    assert told.role == "tool"
    assert "use the other folder" in told.output
    assert workshop.done == []


async def test_edited_arguments_run_and_both_versions_are_recorded() -> None:
    workshop = Workshop()
    model = ScriptedModel(WRITE)  # pyright: ignore[reportArgumentType]
    async with live(model, workshop.tools()) as running:
        asked = await running.until(ApprovalRequested)
        with pytest.raises(CommandError, match="do not fit"):
            running.handle.decide(asked.request_id, "edit", arguments={"text": 7})
        with pytest.raises(CommandError, match="needs them"):
            running.handle.decide(asked.request_id, "edit")
        running.handle.decide(asked.request_id, "edit", arguments={"text": "better"})
        with pytest.raises(CommandError, match="answered already"):
            running.handle.decide(asked.request_id, "allow")
        await running.result()
    assert workshop.done == ["write better"]
    assert running.recorder.only(ToolProposed).arguments == {"text": "x"}
    assert running.recorder.only(ApprovalResolved).arguments == {"text": "better"}


async def test_an_edit_cannot_get_around_a_deny_rule() -> None:
    workshop = Workshop()
    rule = Rule(effect="deny", tool="write", arguments={"text": "forbidden"}, note="no")
    model = ScriptedModel(WRITE)  # pyright: ignore[reportArgumentType]
    async with live(model, workshop.tools(), config=RunConfig(approval_policy=[rule])) as running:
        asked = await running.until(ApprovalRequested)
        with pytest.raises(CommandError, match="denied"):
            running.handle.decide(asked.request_id, "edit", arguments={"text": "forbidden"})
        running.handle.decide(asked.request_id, "deny")
        await running.result()
    assert workshop.done == []


async def test_end_run_ends_it_and_the_siblings_do_not_start() -> None:
    workshop = Workshop()
    model = ScriptedModel(script(("write", {"text": "a"}), ("write", {"text": "b"})))  # pyright: ignore[reportArgumentType]
    async with live(model, workshop.tools()) as running:
        first = await running.until(ApprovalRequested)
        second = await running.until(ApprovalRequested, lambda event: event.request_id != first.request_id)
        running.handle.decide(first.request_id, "end_run")
        result = await running.result()
    assert (result.status, result.reason) == ("failed", "approval_terminated")
    assert workshop.done == []
    assert {event.request_id for event in running.recorder.of(ApprovalResolved)} == {
        first.request_id,
        second.request_id,
    }


async def test_allow_for_the_run_covers_the_tool_until_its_end_and_no_longer() -> None:
    workshop = Workshop()
    responses = [
        reply(calls(("write", {"text": "1"}))),
        reply(calls(("write", {"text": "2"}))),
        reply(calls(("effect", {"text": "3"}))),
        "done",
    ]
    workshop.release.set()
    model = ScriptedModel(responses)
    async with live(model, workshop.tools()) as running:
        asked = await running.until(ApprovalRequested)
        running.handle.decide(asked.request_id, "allow", scope="run")
        await running.result()
    assert workshop.done == ["write 1", "write 2", "effect 3"]
    assert len(running.recorder.of(ApprovalRequested)) == 1
    by_grant = [event for event in running.recorder.of(ApprovalResolved) if event.by == "grant"]
    assert [event.arguments for event in by_grant] == [{"text": "2"}]
    again, recorder, _ = await run_script(WRITE, Workshop().tools(), RunConfig(approver=False))
    assert again.reason == "complete"
    assert len(recorder.of(ApprovalRequested)) == 1, "another run asks again"


async def test_an_exact_grant_covers_only_these_arguments() -> None:
    workshop = Workshop()
    responses = [
        reply(calls(("write", {"text": "same"}))),
        *script(("write", {"text": "same"}), ("write", {"text": "other"})),
    ]
    model = ScriptedModel(responses)  # pyright: ignore[reportArgumentType]
    async with live(model, workshop.tools()) as running:
        asked = await running.until(ApprovalRequested)
        running.handle.decide(asked.request_id, "allow", scope="run", match="exact")
        other = await running.until(ApprovalRequested, lambda event: event.request_id != asked.request_id)
        assert other.arguments == {"text": "other"}
        granted = await running.until(ApprovalResolved, lambda event: event.by == "grant")
        await running.until(ToolStarted, lambda event: event.call_id == granted.call_id)
        running.handle.decide(other.request_id, "deny", scope="run")
        await running.result()
    assert workshop.done == ["write same", "write same"]


async def test_deny_beats_allow() -> None:
    workshop = Workshop()
    config = RunConfig(
        approval_policy=[Rule(effect="allow", tool="*"), Rule(effect="deny", tool="wr*", note="read only today")],
        grants=[Grant(effect="allow", tool="write", match="tool", scope="user")],
        approval_mode="bypass",
    )
    _, recorder, model = await run_script(WRITE, workshop.tools(), config)
    assert workshop.done == []
    assert recorder.only(ApprovalResolved).by == "rule"
    told = model.requests[1].messages[-1]
    assert told.role == "tool"
    assert told.status == "denied"


@pytest.mark.parametrize(
    ("mode", "runs"),
    [("default", ["note n"]), ("plan", ["note n"]), ("bypass", ["note n", "write w"]), ("deny_unlisted", [])],
)
async def test_modes_without_an_approver(mode: Any, runs: list[str]) -> None:
    workshop = Workshop()
    wanted = script(("note", {"text": "n"}), ("write", {"text": "w"}))
    await run_script(wanted, workshop.tools(), RunConfig(approval_mode=mode, approver=False))
    assert sorted(workshop.done) == runs


async def test_a_request_nobody_answers_in_time_is_denied() -> None:
    workshop = Workshop()
    _, recorder, _ = await run_script(WRITE, workshop.tools(), RunConfig(approval_timeout=0.05))
    assert recorder.only(ApprovalResolved).by == "timeout"
    assert recorder.only(ApprovalRequested).expires_at is not None
    assert workshop.done == []


async def test_when_the_approver_goes_what_waits_is_denied_and_the_run_goes_on() -> None:
    workshop = Workshop()
    model = ScriptedModel([reply(calls(("write", {"text": "1"}))), reply(calls(("write", {"text": "2"}))), "done"])
    async with live(model, workshop.tools()) as running:
        await running.until(ApprovalRequested)
        running.handle.approver_gone()
        result = await running.result()
    assert {event.by for event in running.recorder.of(ApprovalResolved)} == {"disconnect"}
    assert workshop.done == []
    assert result.reason == "complete"


async def test_a_program_can_be_the_approver_and_its_error_is_a_denial() -> None:
    workshop = Workshop()

    async def approve(request: ApprovalRequested) -> Decide:
        await asyncio.sleep(0)
        return Decide(request_id=request.request_id, decision="edit", arguments={"text": "checked"})

    await run_script(WRITE, workshop.tools(), RunConfig(approver=approve))
    assert workshop.done == ["write checked"]

    def fails(request: ApprovalRequested) -> Any:
        raise RuntimeError(f"cannot decide {request.tool}")

    def mumbles(_: ApprovalRequested) -> Any:
        return "perhaps"

    def shrugs(_: ApprovalRequested) -> Any:
        return None

    for approver in (fails, mumbles, shrugs):
        workshop = Workshop()
        config = RunConfig(approver=approver)
        _, recorder, _ = await run_script(WRITE, workshop.tools(), config)
        assert workshop.done == []
        assert recorder.only(ToolFinished).status == "denied"


async def test_the_allowed_calls_of_a_batch_start_at_once() -> None:
    workshop = Workshop()
    workshop.release.set()
    model = ScriptedModel(script(("write", {"text": "a"}), ("write", {"text": "b"})))  # pyright: ignore[reportArgumentType]
    async with live(model, workshop.tools()) as running:
        first = await running.until(ApprovalRequested, lambda event: event.arguments == {"text": "a"})
        second = await running.until(ApprovalRequested, lambda event: event.arguments == {"text": "b"})
        running.handle.decide(second.request_id, "allow")
        await running.until(ToolFinished, lambda event: event.call_id == second.call_id)
        assert workshop.done == ["write b"]
        running.handle.decide(first.request_id, "allow")
        await running.result()
    assert workshop.done == ["write b", "write a"]
    assert len(running.recorder.of(ToolStarted)) == 2


async def test_lasting_grants_are_handed_to_their_keeper(tmp_path: Path) -> None:
    from runner import Runner
    from runner.ids import SequentialIds
    from runner.policy import GrantFile
    from tests.loop.harness import Models, agent_for

    keeper = GrantFile(tmp_path / "grants.json")
    for round_number in (1, 2):
        workshop = Workshop()
        model = ScriptedModel(WRITE)  # pyright: ignore[reportArgumentType]
        runner = Runner(models=Models([model]), ids=SequentialIds(), grants=keeper)
        asked = 0

        def approve(request: ApprovalRequested) -> Decide:
            nonlocal asked
            asked += 1
            return Decide(request_id=request.request_id, decision="allow", scope="project")

        config = RunConfig(workspace=tmp_path, approver=approve)
        await runner.run(agent_for(model, workshop.tools()), "go", config)
        assert workshop.done == ["write x"]
        assert asked == (1 if round_number == 1 else 0)

"""The new tools in whole runs: asked per host, one approval for several files, a question that waits for its answer."""

from __future__ import annotations

import asyncio
import time
from pathlib import Path

from runner import RunConfig
from runner.events import ApprovalRequested, ApprovalResolved, ToolFinished
from runner.events.grant import Pattern, ToolPattern
from runner.testing import ScriptedModel, calls, reply, text
from runner.tools.builtin import ASK_USER, EDIT_FILES, TODO
from tests.loop.harness import live
from tests.web.server import HOST, Site, page, reach, unending


async def test_one_grant_for_a_host_and_a_question_for_the_next(tmp_path: Path) -> None:
    async with Site({"/*": page(b"a page", "text/plain")}) as site:
        model = ScriptedModel(
            [
                reply(calls(("web_fetch", {"url": site.url("/1")}))),
                reply(calls(("web_fetch", {"url": site.url("/2")}))),
                reply(calls(("web_fetch", {"url": "http://other.test/"}))),
                reply(calls(("web_fetch", {"url": "http://127.0.0.1/"}))),
                reply(text("done")),
            ]
        )
        async with live(model, [reach()], config=RunConfig(workspace=tmp_path)) as running:
            first = await running.until(ApprovalRequested)
            assert first.preview == {"type": "url", "url": site.url("/1"), "host": HOST}
            pattern = Pattern(host=f"{HOST}:{site.port}")
            assert pattern in [each.pattern for found in first.suggestions for each in found.patterns]
            assert site.connections == 0
            running.handle.decide(
                first.request_id, "allow", scope="run", patterns=[ToolPattern(tool="web_fetch", pattern=pattern)]
            )
            second = await running.until(ApprovalRequested, lambda event: event.request_id != first.request_id)
            assert second.arguments["url"] == "http://other.test/"
            running.handle.decide(second.request_id, "deny", reason="not that one")
            result = await running.result()
        ends = running.recorder.of(ToolFinished)
    assert result.reason == "complete"
    assert [end.status for end in ends] == ["ok", "ok", "denied", "invalid"]
    assert "a loopback address" in ends[3].output
    assert [visit.path for visit in site.visits] == ["/1", "/2"]


async def test_an_abort_closes_the_connection_at_once(tmp_path: Path) -> None:
    sent = asyncio.Event()

    async def pause() -> None:
        sent.set()
        await asyncio.sleep(0.01)

    async with Site({"/": unending(b"", b"x" * 100, pause)}) as site:
        model = ScriptedModel([reply(calls(("web_fetch", {"url": site.url("/")}))), reply(text("done"))])
        config = RunConfig(workspace=tmp_path, approval_mode="bypass")
        async with live(model, [reach()], config=config) as running:
            await asyncio.wait_for(sent.wait(), 10)
            aborted = time.monotonic()
            running.handle.abort()
            result = await running.result()
            await asyncio.wait_for(site.gone.wait(), 10)
        end = running.recorder.of(ToolFinished)[0]
    assert result.reason == "aborted"
    assert (end.status, end.side_effects) == ("interrupted", "unknown")
    assert site.visits[0].closed - aborted < 0.5


async def test_several_files_are_one_approval_and_a_denial_of_one_is_of_all(tmp_path: Path) -> None:
    (tmp_path / "a").write_text("one\n")
    edits = [{"path": "a", "old": "one", "new": "1"}, {"path": "b", "old": "", "new": "two\n"}]
    model = ScriptedModel(
        [
            reply(calls(("edit_files", {"edits": edits}))),
            reply(calls(("edit_files", {"edits": edits}))),
            reply(text("ok")),
        ]
    )
    async with live(model, [EDIT_FILES], config=RunConfig(workspace=tmp_path)) as running:
        first = await running.until(ApprovalRequested)
        assert [file["path"] for file in first.preview["files"]] == ["a", "b"]
        running.handle.decide(first.request_id, "deny")
        second = await running.until(ApprovalRequested, lambda event: event.request_id != first.request_id)
        assert (tmp_path / "a").read_text() == "one\n"
        running.handle.decide(second.request_id, "allow")
        await running.result()
    assert len(running.recorder.of(ApprovalRequested)) == 2
    assert (tmp_path / "a").read_text() == "1\n"
    assert (tmp_path / "b").read_text() == "two\n"


async def test_a_list_and_a_question_in_plan_mode(tmp_path: Path) -> None:
    model = ScriptedModel(
        [
            reply(calls(("todo", {"items": [{"text": "ask"}]}))),
            reply(calls(("ask_user", {"question": "Which?", "choices": ["this", "that"]}))),
            reply(text("ok")),
        ]
    )
    config = RunConfig(workspace=tmp_path, approval_mode="plan")
    async with live(model, [TODO, ASK_USER], config=config) as running:
        asked = await running.until(ApprovalRequested)
        assert asked.asks == "question"
        running.handle.decide(asked.request_id, "answer", arguments={"answers": ["that"]})
        await running.result()
    ends = running.recorder.of(ToolFinished)
    assert [end.output for end in ends] == [
        "The list has 1 entry: 0 done, 0 active, 1 pending.",
        "The user's answer: that",
    ]
    assert [event.decision for event in running.recorder.of(ApprovalResolved)] == ["answer"]

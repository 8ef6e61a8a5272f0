"""Servers from the registries, over pipes: listing, calling, progress, cancelling, prompts, resources, asking."""

from __future__ import annotations

import asyncio
import os
import signal
from collections.abc import AsyncIterator
from pathlib import Path

import pytest
import pytest_asyncio

from runner.errors import ToolInputError
from runner.mcp import McpError, McpHub, McpServer
from tests.conftest import need
from tests.mcp.support import Host, environment, everything, filesystem, git_server, running, state, tool
from tests.processes.support import context, recorder_of, run, until

pytestmark = pytest.mark.asyncio(loop_scope="module")

NODE = need("node")
GIT = need("git")
EVERYTHING, FILESYSTEM, GIT_SERVER = everything(), filesystem(), git_server()


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def folder(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("work")
    (folder / "notes.txt").write_text("one line\n" * 3)
    (folder / "large.txt").write_text("x" * 3_000_000)
    identity = ("-c", "user.name=T", "-c", "user.email=t@example.com")
    for words in (("init", "-q"), ("add", "notes.txt"), (*identity, "commit", "-q", "-m", "first")):
        done = await asyncio.create_subprocess_exec(GIT, *words, cwd=folder, env=environment(folder))
        assert await done.wait() == 0
    return folder


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(folder: Path) -> AsyncIterator[McpHub]:
    servers = (
        McpServer(name="everything", command=NODE, args=(EVERYTHING, "stdio"), sampling=True),
        McpServer(name="strict", command=NODE, args=(EVERYTHING, "stdio")),
        McpServer(name="files", command=NODE, args=(FILESYSTEM, str(folder)), trusted=True),
        McpServer(name="git", command=GIT_SERVER, args=("--repository", str(folder))),
    )
    async with running(*servers, workspace=folder, log_dir=folder.parent / "logs") as hub:
        yield hub


async def test_all_are_ready_with_what_they_have(hub: McpHub) -> None:
    assert {(one.name, one.phase, one.problem) for one in hub.servers()} == {
        (name, "ready", "") for name in ("everything", "strict", "files", "git")
    }
    found = state(hub, "everything")
    assert found.version.startswith("mcp-servers/everything")
    assert {"echo", "get-sum", "trigger-sampling-request"} <= {info.original for info in found.tools}
    assert len(state(hub, "files").tools) >= 14
    assert len(state(hub, "git").tools) >= 12
    assert all(not one.left_out for one in hub.servers())
    names = {one.name for one in hub.toolset().tools()}
    assert {"mcp__everything__get-sum", "mcp__files__read_text_file", "mcp__git__git_status"} <= names


async def test_hints_count_only_for_the_server_that_is_trusted(hub: McpHub) -> None:
    assert tool(hub, "read_text_file", "files").read_only
    assert not tool(hub, "write_file", "files").read_only
    listed = {info.original: info for info in state(hub, "git").tools}
    assert listed["git_status"].read_only is True
    assert not tool(hub, "git_status", "git").read_only


async def test_calls_reach_the_world(hub: McpHub, folder: Path) -> None:
    ctx = context(folder)
    done = await run(tool(hub, "get-sum", "everything"), ctx, a=2, b=40)
    assert (done.status, done.output) == ("ok", "The sum of 2 and 40 is 42.")
    done = await run(tool(hub, "write_file", "files"), ctx, path=str(folder / "new.txt"), content="hello")
    assert (done.status, done.side_effects) == ("ok", "done")
    assert (folder / "new.txt").read_text() == "hello"
    done = await run(tool(hub, "git_status", "git"), ctx, repo_path=str(folder))
    assert "new.txt" in done.output
    done = await run(tool(hub, "read_text_file", "files"), ctx, path="/etc/passwd")
    assert (done.status, done.side_effects) == ("error", "none")
    assert "Access denied" in done.output


async def test_arguments_are_checked_before_anything_is_sent(hub: McpHub) -> None:
    with pytest.raises(ToolInputError, match="b: is missing"):
        tool(hub, "get-sum", "everything").validate({"a": 1})
    with pytest.raises(ToolInputError, match="a: should be of type number"):
        tool(hub, "get-sum", "everything").validate({"a": "1", "b": 2})


async def test_images_links_and_structures_are_told_as_text(hub: McpHub, folder: Path) -> None:
    ctx = context(folder)
    image = await run(tool(hub, "get-tiny-image", "everything"), ctx)
    assert "[image: image/png, " in image.output
    assert len(image.output) < 500
    links = await run(tool(hub, "get-resource-links", "everything"), ctx, count=2)
    assert links.output.count("[resource demo://resource/") == 2
    weather = await run(tool(hub, "get-structured-content", "everything"), ctx, location="Chicago")
    assert weather.output.count("temperature") == 1


async def test_a_huge_file_is_cut(hub: McpHub, folder: Path) -> None:
    done = await run(tool(hub, "read_text_file", "files"), context(folder), path=str(folder / "large.txt"))
    assert done.truncated
    assert len(done.output.encode()) <= 16 * 1024
    assert done.full_output is not None
    assert done.full_output.startswith("x" * 3_000_000)


async def test_progress_becomes_activity(hub: McpHub, folder: Path) -> None:
    ctx = context(folder)
    done = await run(tool(hub, "trigger-long-running-operation", "everything"), ctx, duration=0.6, steps=3)
    assert done.status == "ok"
    found = recorder_of(ctx).activities
    assert [one.progress for one in found] == pytest.approx([1 / 3, 2 / 3, 1])
    assert [one.message for one in found] == ["1 of 3", "2 of 3", "3 of 3"]


async def test_a_cancelled_call_leaves_the_session_usable(hub: McpHub, folder: Path) -> None:
    ctx = context(folder)
    long = tool(hub, "trigger-long-running-operation", "everything")
    task = asyncio.create_task(run(long, ctx, duration=100, steps=1000))
    await until(lambda: recorder_of(ctx).activities)
    task.cancel()
    with pytest.raises(asyncio.CancelledError):
        await task
    assert (await run(tool(hub, "echo", "everything"), ctx, message="hi")).output == "Echo: hi"
    done = await run(long, ctx, timeout=0.2, duration=100, steps=1000)
    assert done.status == "timeout"
    assert state(hub, "everything").restarts == 0


async def test_calls_run_side_by_side(hub: McpHub, folder: Path) -> None:
    long = tool(hub, "trigger-long-running-operation", "everything")
    work = [run(long, context(folder), duration=0.4, steps=1) for _ in range(8)]
    began = asyncio.get_running_loop().time()
    done = await asyncio.gather(*work)
    assert {one.status for one in done} == {"ok"}
    assert asyncio.get_running_loop().time() - began < 3


async def test_prompts_with_arguments(hub: McpHub) -> None:
    found = {prompt.name: prompt for prompt in hub.prompts() if prompt.server == "everything"}
    assert [(one.name, one.required) for one in found["args-prompt"].arguments] == [("city", True), ("state", False)]
    text = await hub.prompt_text("everything", "args-prompt", {"city": "Paris"})
    assert text == "What's weather in Paris?"
    with pytest.raises(McpError, match="everything"):
        await hub.prompt_text("everything", "args-prompt", {})
    with pytest.raises(McpError, match="there is no MCP server"):
        await hub.prompt_text("nobody", "args-prompt", {})


async def test_resources_and_their_templates(hub: McpHub) -> None:
    found = [resource for resource in hub.resources() if resource.server == "everything"]
    assert [one.uri for one in found if one.template] != []
    text = await hub.read_resource("everything", "demo://resource/dynamic/text/1")
    assert "Resource 1" in text
    blob = await hub.read_resource("everything", "demo://resource/dynamic/blob/1")
    assert blob.startswith("[resource demo://resource/dynamic/blob/1: text/plain, ")
    with pytest.raises(McpError, match="everything"):
        await hub.read_resource("everything", "demo://nothing")


async def test_a_form_is_asked_through_the_call(hub: McpHub, folder: Path) -> None:
    host = Host(lambda question: {"name": "Ada", "check": True, "integer": 7})
    ctx = context(folder, host=host)
    done = await run(tool(hub, "trigger-elicitation-request", "everything"), ctx, timeout=20)
    assert "User provided the requested information" in done.output
    assert "Ada" in done.output
    assert host.questions[0].who == "everything"
    assert host.questions[0].kind == "form"
    declined = await run(
        tool(hub, "trigger-elicitation-request", "everything"), context(folder, host=Host()), timeout=20
    )
    assert "declined" in declined.output


async def test_an_address_is_never_opened_for_a_server(hub: McpHub, folder: Path) -> None:
    host = Host(lambda question: {})
    ctx = context(folder, host=host)
    done = await run(tool(hub, "trigger-url-elicitation", "everything"), ctx, url="https://evil.example/x", timeout=20)
    assert "decline" in done.output
    assert host.questions == []
    assert any("evil.example" in one.message for one in recorder_of(ctx).activities)


async def test_sampling_only_where_it_is_allowed(hub: McpHub, folder: Path) -> None:
    assert "trigger-sampling-request" not in {info.original for info in state(hub, "strict").tools}
    sampling = tool(hub, "trigger-sampling-request", "everything")
    host = Host(model=lambda request: f"answer to {request.messages[0][1]}")
    done = await run(sampling, context(folder, host=host), prompt="six times seven", timeout=20)
    assert "answer to Resource trigger-sampling-request context: six times seven" in done.output
    (request,) = host.requests
    assert (request.who, request.max_tokens, request.system) == ("everything", 100, "You are a helpful test server.")
    refused = await run(sampling, context(folder, host=Host()), prompt="x", timeout=20)
    assert refused.status == "error"
    assert "nobody may use the model here" in refused.output


async def test_the_workspace_is_the_only_root(hub: McpHub, folder: Path) -> None:
    done = await run(tool(hub, "get-roots-list", "everything"), context(folder))
    assert folder.as_uri() in done.output
    assert done.output.count("file://") == 1
    allowed = await run(tool(hub, "list_allowed_directories", "files"), context(folder))
    assert str(folder) in allowed.output


async def test_a_killed_server_comes_back(hub: McpHub, folder: Path) -> None:
    """The last of the module: the count of restarts stays."""
    pid = state(hub, "strict").pid
    assert pid is not None
    ctx = context(folder)
    long = asyncio.create_task(run(tool(hub, "trigger-long-running-operation", "strict"), ctx, duration=100, steps=500))
    echo = tool(hub, "echo", "strict")
    await until(lambda: recorder_of(ctx).activities)
    os.kill(pid, signal.SIGKILL)
    assert (await long).status == "interrupted"
    assert (await run(echo, context(folder), message="again")).output == "Echo: again"
    assert state(hub, "strict").restarts == 1

"""A server that means ill: its names, texts, schemas, floods, silences and lies."""

from __future__ import annotations

import asyncio
import json
from collections.abc import AsyncIterator
from dataclasses import asdict
from pathlib import Path
from typing import cast

import pytest
import pytest_asyncio

from runner.errors import ToolInputError
from runner.mcp import McpHub
from runner.tools.builtin import builtin_tools
from tests.mcp.hostile import ESCAPE
from tests.mcp.support import Host, environment, hostile, running, state, tool
from tests.processes.support import context, recorder_of, run, until

pytestmark = pytest.mark.asyncio(loop_scope="module")


@pytest_asyncio.fixture(scope="module", loop_scope="module")
async def hub(tmp_path_factory: pytest.TempPathFactory) -> AsyncIterator[McpHub]:
    folder = tmp_path_factory.mktemp("hostile")
    servers = [
        hostile(mode, name=mode) for mode in ("names", "descriptions", "schemas", "working", "deaf", "endless", "exit")
    ]
    servers.append(hostile("mute", name="mute", connect_timeout=1.5))
    servers.append(hostile("flood", name="flooding"))
    servers.append(hostile("working", name="some", tools=("echo", "nothing")))
    environ = environment(folder, OPENAI_API_KEY="sk-secret", LEFT="as it is")
    async with running(*servers, workspace=folder, log_dir=folder / "logs", environ=environ) as hub:
        yield hub


def texts_in(value: object) -> list[str]:
    """All texts in a value, names of fields too."""
    if isinstance(value, str):
        return [value]
    if isinstance(value, dict):
        pairs = cast("dict[str, object]", value).items()
        return [text for key, inner in pairs for text in (key, *texts_in(inner))]
    if isinstance(value, list | tuple):
        return [text for inner in cast("list[object]", value) for text in texts_in(inner)]
    return []


async def test_nothing_that_is_seen_of_any_server_has_a_control_or_an_invisible_character(hub: McpHub) -> None:
    tools = [[one.name, one.description, one.parameters] for one in hub.toolset().tools()]
    seen = texts_in(tools) + texts_in([asdict(one) for one in hub.servers()])
    assert len(seen) > 1000
    assert [text for text in seen if not text.replace("\n", "").isprintable()] == []


async def test_names_neither_escape_nor_take_a_built_in_tools_place(hub: McpHub) -> None:
    names = [one.name for one in hub.toolset().tools()]
    assert len(set(names)) == len(names)
    assert not {one.name for one in builtin_tools()} & set(names)
    offered = {info.original: info.name for info in state(hub, "names").tools}
    assert offered["shell"] == "mcp__names__shell"
    assert offered["read_file"] == "mcp__names__read_file"
    assert offered["twice"] == "mcp__names__twice"
    assert offered["../../etc/passwd"].startswith("mcp__names__")
    left_out = "\n".join(state(hub, "names").left_out)
    assert "two tools of this name" in left_out
    assert "empty or too long" in left_out
    assert "characters that cannot be seen" in left_out
    assert not {"\x1b[2Jescape", "tail\n"} & set(offered)


async def test_the_call_reaches_the_tool_that_the_server_knows_by_its_own_name(hub: McpHub, tmp_path: Path) -> None:
    done = await run(tool(hub, "../../etc/passwd", "names"), context(tmp_path))
    assert done.output == "../../etc/passwd {}"


async def test_descriptions_say_whose_they_are_and_are_bounded(hub: McpHub) -> None:
    found = {info.original: info for info in state(hub, "descriptions").tools}
    assert found["escape"].description == "clickred"
    assert found["invisible"].description == "safe"
    assert len(found["long"].description) <= 2000
    assert "cut here" in found["long"].description
    long = tool(hub, "long", "descriptions")
    assert long.description.startswith("[A tool of the MCP server 'descriptions']")
    assert len(long.description) < 2100


async def test_one_bad_schema_costs_its_own_tool_and_no_other(hub: McpHub) -> None:
    offered = {info.original for info in state(hub, "schemas").tools}
    assert offered == {"fine", "bad_output", "remote_ref", "slow_pattern", "doubling", "one_of"}
    left_out = "\n".join(state(hub, "schemas").left_out)
    for name in ("no_schema", "string_schema", "bad_type", "properties_list", "deep", "large", "odd_property"):
        assert name in left_out
    assert "bad_hints" in left_out
    with pytest.raises(ToolInputError, match="n: is missing"):
        tool(hub, "fine", "schemas").validate({})


async def test_a_list_without_end_is_cut(hub: McpHub) -> None:
    assert len(state(hub, "endless").tools) == 1000


async def test_only_the_tools_that_are_wanted_are_offered(hub: McpHub) -> None:
    found = state(hub, "some")
    assert [info.original for info in found.tools] == ["echo"]
    assert found.left_out[0] == "nothing: the server has no such tool"


async def test_a_mute_server_and_one_that_ends_fail_alone_and_say_why(hub: McpHub) -> None:
    mute, ended = state(hub, "mute"), state(hub, "exit")
    assert (mute.phase, mute.problem) == ("failed", "it was not ready within 1.5 s")
    assert ended.phase == "failed"
    assert ended.problem == "it ended with exit code 3; its last words: cannot startclickred"
    assert state(hub, "working").phase == "ready"


async def test_stderr_is_kept_in_bounds_and_off_the_terminal(
    hub: McpHub, tmp_path: Path, capfd: pytest.CaptureFixture[str]
) -> None:
    done = await run(tool(hub, "flood", "working"), context(tmp_path), timeout=20)
    assert done.output == "after the flood"
    await until(lambda: "eeee" in state(hub, "working").stderr)
    assert len(state(hub, "working").stderr) <= 16 * 1024
    assert "\x1b" not in state(hub, "working").stderr
    assert state(hub, "flooding").phase == "ready"
    shown = capfd.readouterr()
    assert shown.out == shown.err == ""


async def test_junk_on_its_output_is_noted_and_harms_nothing(hub: McpHub, tmp_path: Path) -> None:
    done = await run(tool(hub, "junk", "working"), context(tmp_path), timeout=20)
    assert done.output == "after the junk"
    assert "[stdout] not json" in state(hub, "working").stderr
    assert (await run(tool(hub, "echo", "working"), context(tmp_path), text="x")).output == 'echo {"text": "x"}'


async def test_an_answer_that_is_broken_or_too_long_ends_the_call_and_not_the_server(
    hub: McpHub, tmp_path: Path
) -> None:
    broken = await run(tool(hub, "broken_answer", "working"), context(tmp_path), timeout=20)
    assert broken.status == "error"
    assert "sent an answer that is not valid" in broken.output
    long = await run(tool(hub, "huge", "working"), context(tmp_path), timeout=60, bytes=40_000_000)
    assert long.status == "error"
    assert "more than the 33,554,432 that are read" in long.output
    assert state(hub, "working").restarts == 0
    assert state(hub, "working").phase == "ready"


async def test_a_huge_result_is_cut_like_any_other(hub: McpHub, tmp_path: Path) -> None:
    done = await run(tool(hub, "huge", "working"), context(tmp_path), timeout=60)
    assert done.status == "ok"
    assert done.truncated
    assert len(done.output.encode()) <= 16 * 1024
    assert done.output.startswith("head x")
    assert done.output.endswith("x tail")
    assert done.full_output is not None
    assert len(done.full_output) == 10_000_010


async def test_what_is_no_text_is_named_with_type_and_size(hub: McpHub, tmp_path: Path) -> None:
    done = await run(tool(hub, "contents", "working"), context(tmp_path))
    assert done.output.splitlines() == [
        "some text",
        "[image: image/png, 3,000 bytes]",
        "[audio: audio/wavclickred, 2,998 bytes]",
        "[resource x://link (text/plain, 5 bytes)]",
        "[resource x://text]",
        "inside",
        "[resource x://blob: binary data, 3,000 bytes]",
        "Structured content:",
        '{"answer": 42}',
    ]


async def test_an_error_of_the_tool_is_an_error(hub: McpHub, tmp_path: Path) -> None:
    done = await run(tool(hub, "refuse", "working"), context(tmp_path))
    assert (done.status, done.output, done.side_effects) == ("error", "it went wrong", "unknown")


async def test_a_thousand_reports_become_a_few(hub: McpHub, tmp_path: Path) -> None:
    ctx = context(tmp_path)
    done = await run(tool(hub, "progress", "working"), ctx, timeout=30)
    found = recorder_of(ctx).activities
    assert done.output == "done"
    assert 1 <= len(found) <= 50
    assert all("\x1b" not in one.message and one.progress is not None for one in found)


async def test_a_cancelled_call_is_told_to_the_server_and_leaves_it_usable(hub: McpHub, tmp_path: Path) -> None:
    for name in ("working", "deaf"):
        before = json.loads((await run(tool(hub, "heard", name), context(tmp_path))).output)
        task = asyncio.create_task(run(tool(hub, "hang", name), context(tmp_path)))
        echo = await run(tool(hub, "echo", name), context(tmp_path), text="meanwhile")
        assert echo.status == "ok"
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        heard = json.loads((await run(tool(hub, "heard", name), context(tmp_path))).output)[len(before) :]
        assert [one["method"] for one in heard] == ["notifications/cancelled"]
        assert (await run(tool(hub, "echo", name), context(tmp_path), text="x")).status == "ok"


async def test_a_call_that_takes_too_long_is_ended_and_told_to_the_server(hub: McpHub, tmp_path: Path) -> None:
    before = json.loads((await run(tool(hub, "heard", "working"), context(tmp_path))).output)
    done = await run(tool(hub, "hang", "working"), context(tmp_path), timeout=0.2)
    assert (done.status, done.side_effects) == ("timeout", "unknown")
    heard = json.loads((await run(tool(hub, "heard", "working"), context(tmp_path))).output)[len(before) :]
    assert [one["method"] for one in heard] == ["notifications/cancelled"]


async def test_secrets_are_not_in_its_environment(hub: McpHub, tmp_path: Path) -> None:
    done = await run(tool(hub, "environment", "working"), context(tmp_path))
    found = json.loads(done.output)
    assert "OPENAI_API_KEY" not in found
    assert found["LEFT"] == "as it is"
    assert "sk-secret" not in done.output


async def test_a_question_reaches_the_run_of_the_one_call_that_runs(hub: McpHub, tmp_path: Path) -> None:
    host = Host(lambda question: {"name": "Ada", "age": 36, "more": "not asked for"})
    done = await run(tool(hub, "ask", "working"), context(tmp_path, host=host), timeout=20)
    assert json.loads(done.output) == {"action": "accept", "content": {"name": "Ada", "age": 36}}
    (question,) = host.questions
    assert (question.who, question.kind, question.text) == ("working", "form", "Who are you?clickred")
    assert question.schema is not None
    assert set(question.schema["properties"]) == {"name", "age"}
    assert ESCAPE not in question.text


async def test_a_question_that_nobody_answers_or_that_belongs_to_no_call_is_declined(
    hub: McpHub, tmp_path: Path
) -> None:
    done = await run(tool(hub, "ask", "working"), context(tmp_path, host=Host()), timeout=20)
    assert json.loads(done.output) == {"action": "decline"}
    done = await run(tool(hub, "ask", "working"), context(tmp_path), timeout=20)
    assert json.loads(done.output) == {"action": "decline"}
    host = Host(lambda question: {"name": "Ada"})
    first = asyncio.create_task(run(tool(hub, "hang", "working"), context(tmp_path, host=host)))
    ctx = context(tmp_path, host=host)
    done = await run(tool(hub, "ask", "working"), ctx, timeout=20)
    first.cancel()
    await asyncio.wait({first})
    assert json.loads(done.output) == {"action": "decline"}
    assert host.questions == []
    assert "[declined]" in state(hub, "working").stderr


async def test_a_question_dies_with_the_call_that_it_came_through(hub: McpHub, tmp_path: Path) -> None:
    never: asyncio.Future[None] = asyncio.get_running_loop().create_future()
    host = Host(lambda question: never)
    asking = asyncio.create_task(run(tool(hub, "ask", "working"), context(tmp_path, host=host)))
    await until(lambda: host.questions)
    asking.cancel()
    with pytest.raises(asyncio.CancelledError):
        await asking
    await until(never.cancelled)
    assert (await run(tool(hub, "echo", "working"), context(tmp_path), text="x")).status == "ok"


async def test_prompts_and_resources_are_bounded_and_only_those_that_can_be_named(hub: McpHub) -> None:
    found = state(hub, "working")
    assert [prompt.name for prompt in found.prompts] == ["fine"]
    assert [resource.uri for resource in found.resources] == ["x://fine"]
    text = await hub.read_resource("working", "x://fine")
    assert len(text.encode()) <= 256 * 1024
    assert "left out here" in text
    assert any("resourceTemplates cannot be listed" in words for words in found.left_out)

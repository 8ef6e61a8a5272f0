"""Whole conversations of demo/pilot with the real built-in tools: every answer comes from what really happened."""

from __future__ import annotations

import json
from collections.abc import Callable
from contextlib import aclosing
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any

import pytest

from runner.messages import AssistantMessage, JsonObject, Message, ToolCall, ToolResult, UserMessage
from runner.models.assemble import Assembly, parse_arguments
from runner.models.base import ModelRequest
from runner.models.demo import demo_model
from runner.models.demo.about import CONNECT, CONTROL, NOTICE
from runner.models.demo.tour import COMMAND
from runner.testing import check_history
from runner.tools.base import Activity, ProcessEnd, Tool, ToolContext
from runner.tools.builtin import builtin_tools
from runner.tools.execute import execute

Decide = Callable[[ToolCall], ToolResult | None]
"""A result in place of running the call, or None to run it."""


class Silent:
    """A reporter that nobody listens to."""

    def activity(self, activity: Activity) -> None: ...

    def output(self, text: str, stream: str = "stdout") -> None: ...

    def process_started(
        self, pid: int, pgid: int, started: float | None, *, name: str = "", marker: str = ""
    ) -> None: ...

    def process_ended(self, end: ProcessEnd) -> None: ...


@dataclass
class Talk:
    """A conversation: a small loop around the model, with real tools in a real folder."""

    folder: Path
    tools: tuple[Tool, ...] = field(default_factory=builtin_tools)
    messages: list[Message] = field(default_factory=list[Message])
    calls: list[ToolCall] = field(default_factory=list[ToolCall])
    decide: Decide = lambda call: None
    scratch: dict[str, Any] = field(default_factory=dict[str, Any])

    async def say(self, text: str) -> str:
        """One run: the text of all its responses."""
        self.messages.append(UserMessage(text=text))
        answers: list[str] = []
        while True:
            message = await self.respond()
            answers.append(message.text)
            if not message.tool_calls:
                assert check_history(self.messages) == []
                return "\n\n".join(answer for answer in answers if answer)
            assert len(answers) < 12, "the model does not come to an end"
            await self.run_calls(message)

    async def respond(self) -> AssistantMessage:
        specs = [tool.spec for tool in self.tools]
        request = ModelRequest(model="demo/pilot", messages=tuple(self.messages), tools=specs)
        assembly = Assembly()
        async with aclosing(demo_model("demo/pilot", pace=0).stream(request)) as chunks:
            async for chunk in chunks:
                assembly.add(chunk, f"call-{len(self.messages)}-{len(assembly.calls)}")
        calls = tuple(
            ToolCall(call_id=call.call_id, tool=call.name, arguments=parse_arguments(call.arguments_json))
            for call in assembly.calls.values()
        )
        assert assembly.finish == ("tool_calls" if calls else "stop")
        message = AssistantMessage(
            text="".join(assembly.text), reasoning="".join(assembly.reasoning), tool_calls=calls, model="demo/pilot"
        )
        self.messages.append(message)
        return message

    async def run_calls(self, message: AssistantMessage) -> None:
        for call in message.tool_calls:
            self.calls.append(call)
            self.messages.append(self.decide(call) or await self.run(call, call.arguments or {}))

    async def run(self, call: ToolCall, arguments: JsonObject) -> ToolResult:
        tool = next(tool for tool in self.tools if tool.name == call.tool)
        context = ToolContext(
            run_id="run",
            call_id=call.call_id,
            agent="deck",
            workspace=self.folder,
            reporter=Silent(),
            scratch=self.scratch,
        )
        outcome = await execute(tool, context, tool.validate(arguments), timeout=20, max_output=16 * 1024)
        return ToolResult(call_id=call.call_id, tool=call.tool, output=outcome.output, status=outcome.status)

    def made(self) -> list[tuple[str, JsonObject | None]]:
        return [(call.tool, call.arguments) for call in self.calls]


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    folder = tmp_path / "work"
    (folder / "src").mkdir(parents=True)
    (folder / "README.md").write_text("# Title\n\nhello world\nTODO: more\n")
    (folder / "src" / "a.py").write_text("x = 1\ny = 1\n# TODO\n")
    return Talk(folder.resolve())


def denied(reason: str) -> Decide:
    def decide(call: ToolCall) -> ToolResult | None:
        text = f"This call was denied and was not executed. Reason: {reason}"
        return ToolResult(call_id=call.call_id, tool=call.tool, output=text, status="denied")

    return decide


async def test_only_the_first_answer_of_a_session_says_that_this_is_a_demo(talk: Talk) -> None:
    assert (await talk.say("what is here?")).startswith(NOTICE)
    assert NOTICE not in await talk.say("hi")


async def test_listing_counts_what_is_really_there(talk: Talk) -> None:
    answer = await talk.say("what is here?")
    assert talk.made() == [("list_files", {"path": "."})]
    assert "1 folder and 1 file" in answer
    assert "src/" in answer
    assert "README.md" in answer
    (talk.folder / "empty").mkdir()
    assert "empty/ is empty." in await talk.say("what is in empty?")


async def test_reading_shows_the_file_without_line_numbers(talk: Talk) -> None:
    answer = await talk.say("read README.md")
    assert "`README.md`: 4 lines came back" in answer
    assert "```markdown\n# Title\n\nhello world\nTODO: more\n```" in answer
    answer = await talk.say("read README.md lines 3-4")
    assert talk.made()[-1] == ("read_file", {"path": "README.md", "start": 3, "end": 4})
    assert "2 lines of 4 came back" in answer
    (talk.folder / "e.txt").write_text("")
    assert "e.txt is empty." in await talk.say("read e.txt")


async def test_a_file_with_fences_cannot_close_the_answers_fence(talk: Talk) -> None:
    (talk.folder / "f.md").write_text("```\ncode\n```\n")
    assert "````markdown\n```\ncode\n```\n````" in await talk.say("read f.md")


async def test_a_missing_file_is_said_in_the_tools_words(talk: Talk) -> None:
    answer = await talk.say("read nothing.txt")
    result = talk.messages[2]
    assert isinstance(result, ToolResult)
    assert result.status == "error"
    assert "it failed" in answer
    assert result.output.splitlines()[0] in answer


async def test_searching_counts_lines_and_files(talk: Talk) -> None:
    answer = await talk.say("search for TODO")
    assert talk.made() == [("search", {"pattern": "TODO", "path": "."})]
    assert "`TODO`: 2 matching lines in 2 files.\n" in answer
    assert "src/a.py:3" in answer
    assert "No matches." in await talk.say('search for "a(b" in src')
    assert talk.made()[-1] == ("search", {"pattern": r"a\(b", "path": "src"})


async def test_two_looks_are_asked_for_at_once(talk: Talk) -> None:
    answer = await talk.say("read README.md and src/a.py")
    first = talk.messages[1]
    assert isinstance(first, AssistantMessage)
    assert [call.tool for call in first.tool_calls] == ["read_file", "read_file"]
    assert "hello world" in answer
    assert "y = 1" in answer


async def test_create_then_run_goes_over_turns(talk: Talk) -> None:
    answer = await talk.say("create hello.txt with hello world and then run cat hello.txt")
    assert talk.made() == [
        ("write_file", {"path": "hello.txt", "content": "hello world\n"}),
        ("shell", {"command": "cat hello.txt"}),
    ]
    assert (talk.folder / "hello.txt").read_text() == "hello world\n"
    assert "Created hello.txt: 1 line added, 0 lines removed." in answer
    assert "ended with exit code 0" in answer
    assert "```\nhello world\n```" in answer


async def test_a_change_reads_first_and_then_edits(talk: Talk) -> None:
    answer = await talk.say('change "hello" to "goodbye" in README.md')
    assert [name for name, _ in talk.made()] == ["read_file", "edit_file"]
    assert talk.made()[1][1] == {"path": "README.md", "old": "hello", "new": "goodbye"}
    assert "goodbye world" in (talk.folder / "README.md").read_text()
    assert "Changed README.md: 1 line added, 1 line removed." in answer


async def test_a_change_of_what_is_not_there_changes_nothing(talk: Talk) -> None:
    answer = await talk.say("change HELLO to goodbye in README.md")
    assert [name for name, _ in talk.made()] == ["read_file"]
    assert "`HELLO` is not in it, so I changed nothing" in answer
    assert "line 3" in answer


async def test_several_occurrences_are_asked_about(talk: Talk) -> None:
    answer = await talk.say("change 1 to 2 in src/a.py")
    assert [name for name, _ in talk.made()] == ["read_file"]
    assert "2 times, on lines 1, 2" in answer
    await talk.say("all of them")
    assert talk.made()[-1] == ("edit_file", {"path": "src/a.py", "old": "1", "new": "2", "all": True})
    assert (talk.folder / "src" / "a.py").read_text() == "x = 2\ny = 2\n# TODO\n"


async def test_it_means_the_file_of_the_message_before(talk: Talk) -> None:
    await talk.say("read src/a.py")
    await talk.say("replace TODO with DONE in it")
    assert "# DONE" in (talk.folder / "src" / "a.py").read_text()


async def test_an_exit_code_is_reported_as_it_was(talk: Talk) -> None:
    answer = await talk.say("run: echo oops; exit 3")
    assert "`echo oops; exit 3` ended with exit code 3." in answer
    assert "```\noops\n```" in answer
    assert "It printed nothing." in await talk.say("run true")
    assert "was ended by SIGTERM" in await talk.say("run `kill $$`")


async def test_output_that_looks_like_a_remark_is_output(talk: Talk) -> None:
    assert "```\n[1, 2]\n```" in await talk.say("run `echo '[1, 2]'`")


async def test_a_denial_is_said_with_its_reason_and_ends_the_sequence(talk: Talk) -> None:
    talk.decide = denied("not on a Friday")
    answer = await talk.say("create x.txt with hi and then run cat x.txt")
    assert [name for name, _ in talk.made()] == ["write_file"]
    assert "“not on a Friday”" in answer
    assert "this is not done: run `cat x.txt`" in answer
    assert not (talk.folder / "x.txt").exists()


async def test_edited_arguments_are_reported_as_what_really_ran(talk: Talk) -> None:
    def edit(call: ToolCall) -> ToolResult:
        note = f"The user changed the arguments before allowing this call: {json.dumps({'command': 'ls src'})}"
        return ToolResult(call_id=call.call_id, tool=call.tool, output=f"{note}\na.py\n[exit code 0]")

    talk.decide = edit
    answer = await talk.say("run ls")
    assert "You changed the command before it ran: `ls src`" in answer
    assert "```\na.py\n```" in answer


async def test_a_tool_that_is_not_offered_is_not_called(talk: Talk) -> None:
    talk.tools = tuple(tool for tool in talk.tools if tool.name in ("list_files", "read_file"))
    answer = await talk.say("run ls")
    assert talk.made() == []
    assert "does not offer me `shell`" in answer
    assert "`edit_file`" in await talk.say("change a to b in README.md")
    assert "src/" in await talk.say("list files")


async def test_what_is_not_understood_gets_an_honest_answer(talk: Talk) -> None:
    answer = await talk.say("write me a poem about the sea")
    assert "I do not understand “write me a poem about the sea”" in answer
    assert "without any intelligence" in answer
    assert CONNECT in answer


async def test_a_summary_is_only_what_can_be_counted(talk: Talk) -> None:
    answer = await talk.say("summarise README.md")
    assert "no understanding" in answer
    assert "4 lines" in answer
    assert "Headings: Title." in answer


async def test_the_tour_really_looks_and_asks_once(talk: Talk) -> None:
    answer = await talk.say("tour")
    assert talk.made() == [
        ("list_files", {"path": "."}),
        ("read_file", {"path": "README.md", "start": 1, "end": 8}),
        ("shell", {"command": COMMAND}),
    ]
    assert "Hello from Quarterdeck" in answer
    assert "# Title" in answer
    assert CONTROL in answer
    talk.decide = denied("no thanks")
    assert "no thanks" in await talk.say("tour")


async def test_the_tour_works_in_an_empty_folder_and_without_tools(talk: Talk) -> None:
    (talk.folder / "empty").mkdir()
    talk.folder = talk.folder / "empty"
    await talk.say("tour")
    assert [name for name, _ in talk.made()] == ["list_files", "shell"]
    talk.tools = ()
    assert CONTROL in await talk.say("tour")


async def step(talk: Talk, text: str) -> AssistantMessage:
    talk.messages.append(UserMessage(text=text))
    return await talk.respond()


async def test_a_message_in_the_middle_replaces_what_was_left(talk: Talk) -> None:
    first = await step(talk, "change hello to bye in README.md")
    await talk.run_calls(first)
    answer = await talk.say("list files")
    assert [name for name, _ in talk.made()] == ["read_file", "list_files"]
    assert "say “continue”" in answer
    assert "hello world" in (talk.folder / "README.md").read_text()
    await talk.say("continue")
    assert "bye world" in (talk.folder / "README.md").read_text()


async def test_also_in_the_middle_is_done_afterwards(talk: Talk) -> None:
    first = await step(talk, "change hello to bye in README.md")
    await talk.run_calls(first)
    await talk.say("also list files")
    assert [name for name, _ in talk.made()] == ["read_file", "edit_file", "list_files"]


async def test_a_result_that_was_not_reported_yet_is_reported_with_the_next_message(talk: Talk) -> None:
    first = await step(talk, "run echo one")
    await talk.run_calls(first)
    answer = await talk.say("run echo two")
    assert [arguments for _, arguments in talk.made()] == [{"command": "echo one"}, {"command": "echo two"}]
    assert "```\none\n```" in answer
    assert "```\ntwo\n```" in answer


async def test_what_was_aborted_does_not_stand_in_the_way_of_the_next_message(talk: Talk) -> None:
    def aborted(call: ToolCall) -> ToolResult:
        text = "This call was interrupted by an abort while it was running. It may have had effects."
        return ToolResult(call_id=call.call_id, tool=call.tool, output=text, status="interrupted")

    talk.decide = aborted
    first = await step(talk, "run sleep 100 and then run echo two")
    await talk.run_calls(first)
    talk.decide = lambda call: None
    answer = await talk.say("list files")
    assert [name for name, _ in talk.made()] == ["shell", "list_files"]
    assert "It may have had effects" in answer
    assert "1 folder and 1 file" in answer


async def test_continue_takes_up_a_run_that_was_stopped(talk: Talk) -> None:
    def skipped(call: ToolCall) -> ToolResult:
        text = "This call was not executed: the run was stopped before it started."
        return ToolResult(call_id=call.call_id, tool=call.tool, output=text, status="skipped")

    talk.decide = skipped
    first = await step(talk, "run echo one")
    await talk.run_calls(first)
    talk.decide = lambda call: None
    answer = await talk.say("continue")
    assert "```\none\n```" in answer
    assert "nothing left" in await talk.say("continue")


async def test_calls_of_another_model_in_the_history_are_passed_over(talk: Talk) -> None:
    call = ToolCall(call_id="other", tool="read_file", arguments={"path": "other.txt"})
    talk.messages += [
        UserMessage(text="list files"),
        AssistantMessage(tool_calls=(call,), model="some/model"),
        ToolResult(call_id="other", tool="read_file", output="1\tsecret", status="ok"),
    ]
    message = await talk.respond()
    assert [(call.tool, call.arguments) for call in message.tool_calls] == [("list_files", {"path": "."})]
    assert message.text.startswith(NOTICE)


async def test_the_commands_that_are_named_exist_in_the_interface() -> None:
    from tui.actions import ACTIONS

    slashes = {f"/{action.slash}" for action in ACTIONS if action.slash}
    named = {word.strip("`,.") for word in (CONTROL + CONNECT).split() if word.startswith("`/")}
    assert named
    assert named <= slashes

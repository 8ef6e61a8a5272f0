"""What the demo model shows of lists, questions, edits in several files, and pages."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.messages import ToolCall, ToolResult
from runner.models.demo.about import ABILITIES
from runner.models.demo.intents import (
    AskPerson,
    Change,
    ChangeMany,
    Fetch,
    Intent,
    ListFiles,
    Plan,
    ReadFile,
    RunCommand,
    Unknown,
    WriteFile,
)
from runner.models.demo.request import parse
from runner.models.demo.wishing import DEFAULT_CHOICES, DEFAULT_QUESTION
from tests.unit.test_demo_flows import Talk, denied

PHRASES: dict[str, tuple[Intent, ...]] = {
    'change "red" to "blue" in a.txt and b.txt': (ChangeMany(("a.txt", "b.txt"), "red", "blue"),),
    "Please replace foo with bar in x.py, y.py and in src/z.py.": (
        ChangeMany(("x.py", "y.py", "src/z.py"), "foo", "bar"),
    ),
    "change foo to bar everywhere in x.py and y.py": (ChangeMany(("x.py", "y.py"), "foo", "bar"),),
    "change foo to bar in x.py and run ls": (Change("x.py", "foo", "bar"), RunCommand("ls")),
    "change foo to bar in x.py": (Change("x.py", "foo", "bar"),),
    "ask me a question": (AskPerson(DEFAULT_QUESTION, DEFAULT_CHOICES),),
    "ask me something": (AskPerson(DEFAULT_QUESTION, DEFAULT_CHOICES),),
    "ask me which colour: red, green or blue": (AskPerson("Which colour?", ("red", "green", "blue")),),
    "ask me what my name is": (AskPerson("What my name is?"),),
    'ask me "Tabs, or spaces?"': (AskPerson("Tabs, or spaces?"),),
    "fetch https://example.com/a,b.": (Fetch("https://example.com/a,b"),),
    "open http://example.com/?q=1": (Fetch("http://example.com/?q=1"),),
    "make a plan: read a.py, then run ls": (Plan((ReadFile("a.py"), RunCommand("ls"))),),
    "plan: list files, read a.py and create b.txt with hi": (
        Plan((ListFiles(), ReadFile("a.py"), WriteFile("b.txt", "hi\n"))),
    ),
    "please make a todo list to read a.py and then run ls": (Plan((ReadFile("a.py"), RunCommand("ls"))),),
    "show me a checklist": (Plan((ListFiles(), RunCommand("date"))),),
    "make a plan.": (Plan((ListFiles(), RunCommand("date"))),),
    "read plan.md": (ReadFile("plan.md"),),
    "plan to conquer the world": (Unknown("plan to conquer the world"),),
}


@pytest.mark.parametrize("text", PHRASES)
def test_phrases(text: str) -> None:
    assert parse(text) == PHRASES[text]


def test_every_example_that_it_gives_is_understood() -> None:
    examples = [
        part.split(" (")[0]
        for line in ABILITIES.splitlines()
        if line.startswith("- ")
        for part in line[2:].split(" · ")
    ]
    assert len(examples) > 10
    examples.remove("tour: a short tour of Quarterdeck")
    for example in examples:
        assert not any(isinstance(intent, Unknown) for intent in parse(example)), example


@pytest.fixture
def talk(tmp_path: Path) -> Talk:
    (tmp_path / "a.txt").write_text("red\nred\n")
    (tmp_path / "b.txt").write_text("a red one\n")
    return Talk(tmp_path.resolve())


async def test_several_files_are_changed_in_one_call(talk: Talk) -> None:
    answer = await talk.say('change "red" to "blue" in a.txt and b.txt')
    assert [call.tool for call in talk.calls] == ["read_file", "read_file", "edit_files"]
    edits = (talk.calls[2].arguments or {})["edits"]
    assert [(edit["path"], edit["all"]) for edit in edits] == [("a.txt", True), ("b.txt", False)]
    assert (talk.folder / "a.txt").read_text() == "blue\nblue\n"
    assert (talk.folder / "b.txt").read_text() == "a blue one\n"
    assert "Changed b.txt: 1 line added, 1 line removed." in answer


async def test_a_file_without_the_text_stops_the_change_of_all(talk: Talk) -> None:
    (talk.folder / "c.txt").write_text("green\n")
    answer = await talk.say('change "red" to "blue" in a.txt and c.txt')
    assert "`red` is not in `c.txt`, so I changed nothing in any of the files." in answer
    assert [call.tool for call in talk.calls] == ["read_file", "read_file"]


async def test_a_denied_change_is_said(talk: Talk) -> None:
    talk.decide = lambda call: denied("not today")(call) if call.tool == "edit_files" else None
    answer = await talk.say('change "red" to "blue" in a.txt and b.txt')
    assert "I was not allowed to change 2 files" in answer
    assert "not today" in answer
    assert (talk.folder / "a.txt").read_text() == "red\nred\n"


async def test_a_question_and_its_answer(talk: Talk) -> None:
    def answer(call: ToolCall) -> ToolResult:
        return ToolResult(call_id=call.call_id, tool=call.tool, output="The user's answer: green", status="ok")

    talk.decide = answer
    said = await talk.say("ask me which colour: red, green or blue")
    assert talk.made() == [("ask_user", {"question": "Which colour?", "choices": ["red", "green", "blue"]})]
    assert "The user's answer: green" in said


async def test_a_question_that_nobody_answers(talk: Talk) -> None:
    said = await talk.say("ask me something")
    assert "You gave no answer" in said
    assert "nobody is there who could be asked" in said


async def test_a_plan_is_written_down_and_worked_off(talk: Talk) -> None:
    said = await talk.say("make a plan: read a.txt, then run cat b.txt")
    assert [call.tool for call in talk.calls] == ["todo", "read_file", "todo", "shell", "todo"]
    lists = [[item["status"] for item in (call.arguments or {})["items"]] for call in talk.calls if call.tool == "todo"]
    assert lists == [["active", "pending"], ["done", "active"], ["done", "done"]]
    assert "a red one" in said
    assert said.endswith("Every entry of the list is done.")


async def test_a_plan_stops_where_a_step_fails(talk: Talk) -> None:
    said = await talk.say("make a plan: read nothing.txt, then run ls")
    assert [call.tool for call in talk.calls] == ["todo", "read_file"]
    assert "I stopped at that step" in said


async def test_a_page_that_may_not_be_opened(talk: Talk) -> None:
    talk.decide = denied("stay here")
    said = await talk.say("fetch https://example.com")
    assert talk.made() == [("web_fetch", {"url": "https://example.com"})]
    assert "I was not allowed to fetch `https://example.com`" in said


async def test_tools_that_are_not_offered_are_named(talk: Talk) -> None:
    talk.tools = tuple(tool for tool in talk.tools if tool.name not in ("todo", "ask_user", "edit_files", "web_fetch"))
    for wish, tool in {
        "make a plan": "todo",
        "ask me something": "ask_user",
        "change red to blue in a.txt and b.txt": "edit_files",
        "fetch https://example.com": "web_fetch",
    }.items():
        assert f"does not offer me `{tool}`" in await talk.say(wish)
    assert talk.calls == []

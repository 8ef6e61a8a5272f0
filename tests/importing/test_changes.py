"""What a brought-in call ran and changed can be copied like that of our own."""

from __future__ import annotations

import json

import pytest

from runner.events import ToolFinished
from runner.importing.build import runs_of
from runner.importing.changes import change_of
from runner.importing.claude_code import read_claude_code
from runner.importing.codex import read_codex
from runner.messages import JsonObject
from runner.state import CallItem, fold
from tests.importing.test_reading import answered, claude, said, sample
from tui import copying

EDITED: JsonObject = {
    "filePath": "/home/ada/tides.py",
    "oldString": "2.1",
    "newString": "1.7",
    "structuredPatch": [
        {
            "oldStart": 1,
            "oldLines": 2,
            "newStart": 1,
            "newLines": 9,
            "lines": [" def height():", "-    2.1", "+    1.7"],
        }
    ],
}


def calls(lines: list[str]) -> list[CallItem]:
    found = [item for run in runs_of(read_claude_code(lines)) for item in fold(run).settled]
    return [item for item in found if isinstance(item, CallItem)]


def test_an_edit_has_its_diff_and_becomes_a_patch() -> None:
    edit = {"type": "tool_use", "id": "a", "name": "Edit", "input": {"file_path": "/home/ada/tides.py"}}
    answer = {"content": [{"type": "tool_result", "tool_use_id": "a", "content": "done"}]}
    lines = [said("go"), answered("r1", edit), claude("user", message=answer, toolUseResult=EDITED)]
    (call,) = calls(lines)
    assert call.display is not None
    assert (call.display["path"], call.display["added"], call.display["removed"]) == ("/home/ada/tides.py", 1, 1)
    assert "@@ -1,2 +1,2 @@\n def height():\n-    2.1\n+    1.7\n" in call.display["diff"]
    assert copying.changed(call)
    patch = copying.shown_patch(call)
    assert patch is not None
    assert "-    2.1\n+    1.7\n" in patch.text


def test_a_new_file_and_commands_of_both_programs() -> None:
    made = calls(sample("claude-code"))
    assert [copying.command_of(call) is not None for call in made] == [True, True, False]
    assert made[2].display is not None
    assert made[2].display["diff"] == "--- /dev/null\n+++ b/second.txt\n@@ -0,0 +1,1 @@\n+hello-from-second\n"
    ran = [item for run in runs_of(read_codex(sample("codex"))) for item in fold(run).settled]
    commands = [copying.command_of(item) for item in ran if isinstance(item, CallItem)]
    assert commands
    assert None not in commands


@pytest.mark.parametrize(
    "result",
    [
        {},
        {"filePath": 5, "structuredPatch": []},
        {"filePath": "x", "structuredPatch": "no list"},
        {"filePath": "x", "structuredPatch": [5, {}, {"lines": 3}, {"lines": [5, "no sign", " same"]}]},
        {"filePath": "x", "type": "create", "content": None},
        {"filePath": "x", "type": "create", "content": ""},
        {"filePath": "x", "type": "create", "content": "y\n" * 400_000},
    ],
    ids=range(7),
)
def test_what_is_no_change_is_none(result: JsonObject) -> None:
    assert change_of(result) is None


def test_an_event_with_a_change_is_read_back() -> None:
    change = change_of(EDITED)
    assert json.loads(json.dumps(change)) == change
    assert ToolFinished(display=change).display == change

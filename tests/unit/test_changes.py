"""What a session changed where only its calls tell it, and what is exact where contents are kept."""

from __future__ import annotations

from dataclasses import replace
from datetime import UTC, datetime
from pathlib import Path

from runner.events import Event, FileChange, RunStarted, ToolFinished, ToolProposed
from runner.messages import JsonObject, UserMessage
from runner.undo.blobs import Blobs
from runner.undo.history import History, Step, TurnChanges
from tui.changes import BY_ARGUMENTS, NO_TEXT, changes_of, diff_of, patch_of

CODEX = "*** Begin Patch\n*** Update File: a.py\n@@ def f\n one\n-two\n+2\n*** Add File: b.py\n+new\n*** End Patch\n"


def told(folder: str, *calls: tuple[str, JsonObject]) -> list[Event]:
    events: list[Event] = [
        RunStarted(input=(UserMessage(text="do it"),), workspace=folder, config={"imported": {"from": "codex"}})
    ]
    for number, (tool, arguments) in enumerate(calls):
        events += [
            ToolProposed(call_id=f"c{number}", tool=tool, arguments=arguments),
            ToolFinished(call_id=f"c{number}", tool=tool, status="ok", output="done"),
        ]
    return [replace(event, run_id="r", turn=1, time=datetime(2026, 1, 1, tzinfo=UTC)) for event in events]


def test_other_programs_calls_tell_what_they_were_to_change(tmp_path: Path) -> None:
    folder = str(tmp_path.resolve())
    edits: JsonObject = {"file_path": "c.py", "edits": [{"old_string": "a", "new_string": "b"}, 3, {"old_string": "x"}]}
    found = changes_of(
        told(folder, ("apply_patch", {"input": CODEX}), ("MultiEdit", edits), ("Read", {"file_path": "c.py"})),
        History(),
    )
    assert [file.path for file in found.files] == [f"{folder}/{name}" for name in ("a.py", "b.py", "c.py")]
    (turn,) = found.turns
    assert (turn.turn.number, turn.turn.prompt, turn.turn.tools) == (1, "do it", ("apply_patch", "MultiEdit"))
    texts = [diff_of(file, Blobs(tmp_path)) for file in found.files]
    assert [(text.added, text.removed) for text in texts] == [(1, 1), (1, 0), (1, 1)]
    assert texts[0].text == "@@ -1,2 +1,2 @@\n one\n-two\n+2\n"
    assert {text.note for text in texts} == {BY_ARGUMENTS}
    assert patch_of(found.files, Blobs(tmp_path)).text == ""


def test_several_changes_of_a_file_are_one_in_the_end(tmp_path: Path) -> None:
    blobs, path = Blobs(tmp_path / "data"), tmp_path / "a.txt"
    one, two, three = (blobs.put(text.encode()) for text in ("1\n", "2\n", "3\n"))
    keys = (("r", 1), ("r", 2), ("r", 3))
    contents = ((one, two), (two, three), (three, one))
    steps = tuple(
        Step(change=FileChange(path=str(path), before=before, after=after), time=number, turn=keys[number])
        for number, (before, after) in enumerate(contents)
    )
    turns = tuple(
        TurnChanges(key=key, number=number, time=number, prompt="p", workspace=str(tmp_path), paths=(str(path),))
        for number, key in enumerate(keys, 1)
    )
    whole = changes_of([], History(steps=steps, turns=turns))
    assert [diff_of(each.files[0], blobs).text for each in whole.turns] == [
        f"@@ -1 +1 @@\n-{old}\n+{new}\n" for old, new in ((1, 2), (2, 3), (3, 1))
    ]
    (file,) = whole.files
    assert file.unchanged
    assert diff_of(file, blobs).counts == "+0 -0"
    assert patch_of(whole.files, blobs).files == 0
    part = changes_of([], History(steps=steps[:2], turns=turns[:2]))
    assert diff_of(part.files[0], blobs).text == "@@ -1 +1 @@\n-1\n+3\n"
    gone = replace(part.files[0], change=FileChange(path=str(path), before="0" * 64, after=three))
    assert diff_of(gone, blobs).note == NO_TEXT
    assert patch_of([gone], blobs).left_out == (str(path),)

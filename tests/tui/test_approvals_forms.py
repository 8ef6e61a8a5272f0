"""What is written on the card: edited arguments as fields, as JSON and in an editor, and a reason."""

from __future__ import annotations

import json
import os
import shlex
import sys
from contextlib import nullcontext
from pathlib import Path

import pytest
from textual import events

from runner.messages import ToolResult
from runner.testing import calls, reply
from tests.e2e.hostile import HOSTILE
from tests.tui.cockpit import Deck, cockpit
from tui.view import calls_of
from tui.widgets.argument_form import FieldRow
from tui.widgets.card_fields import CardText

WRITE = calls(("write_file", {"path": "new.txt", "content": "hello\n"}))
EDIT = calls(("edit_file", {"path": "a.txt", "old": "two", "new": "three"}))


def names(folder: Path, ending: str) -> list[str]:
    return [each for each in os.listdir(folder) if each.endswith(ending)]


def raw(deck: Deck) -> CardText:
    return deck.app.query_one("#card-edit", CardText)


def field(deck: Deck, name: str) -> FieldRow:
    return next(row for row in deck.app.query(FieldRow) if row.field.name == name)


def write(deck: Deck, name: str, text: str) -> None:
    editor = field(deck, name).editor
    assert isinstance(editor, CardText)
    editor.load_text(text)


async def as_json(deck: Deck, text: str) -> None:
    await deck.pilot.press("ctrl+d")
    await deck.until(lambda: raw(deck).display and raw(deck).has_focus)
    raw(deck).load_text(text)
    await deck.settle()


async def test_the_arguments_are_edited_as_fields(tmp_path: Path) -> None:
    async with cockpit(tmp_path, [reply(WRITE), "Done."]) as deck:
        await deck.send("do it")
        await deck.open_form("e", "edit")
        assert "nothing is changed yet" in deck.screen_text()
        write(deck, "path", "other.txt")
        write(deck, "content", "mine\nand more\n")
        await deck.until(lambda: "changed: path, content" in deck.screen_text())
        await deck.save_form()
        await deck.ended()
        assert (tmp_path / "other.txt").read_text() == "mine\nand more\n"
        assert not (tmp_path / "new.txt").exists()
        assert "edited by you" in deck.screen_text()


async def test_a_yes_or_no_is_a_switch_and_a_number_is_checked(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("two\n")
    steps = [reply(calls(("read_file", {"path": "a.txt"}))), reply(EDIT), "Done."]
    async with cockpit(tmp_path, steps) as deck:
        await deck.send("do it")
        await deck.waiting()
        await deck.open_form("e", "edit")
        await deck.pilot.press("shift+tab")
        await deck.until(lambda: field(deck, "all").editor.has_focus)
        await deck.pilot.press("left")
        await deck.until(lambda: "changed: all" in deck.screen_text())
        await deck.save_form("enter")
        await deck.ended()
        call = calls_of(deck.view.runs)[-1]
        assert call.approval is not None
        assert (call.approval.arguments["all"], call.approval.given) == (
            False,
            {**call.approval.arguments, "all": True},
        )


async def test_the_same_is_edited_as_json_and_a_bad_text_is_kept_and_said(tmp_path: Path) -> None:
    async with cockpit(tmp_path, [reply(WRITE), "Done."]) as deck:
        await deck.send("do it")
        await deck.open_form("e", "edit")
        await as_json(deck, "{ not json")
        await deck.until(lambda: "is not JSON" in deck.screen_text())
        await deck.save_form()
        await deck.pilot.press("ctrl+d")
        await deck.settle()
        assert raw(deck).text == "{ not json"
        assert deck.view.waiting
        await as_json_again(deck, '{"path": "other.txt", "content": "mine"}')
        await deck.save_form()
        await deck.ended()
        assert (tmp_path / "other.txt").read_text() == "mine"


async def as_json_again(deck: Deck, text: str) -> None:
    raw(deck).load_text(text)
    await deck.settle()


async def test_json_turns_into_fields_again_with_what_was_written(tmp_path: Path) -> None:
    async with cockpit(tmp_path, [reply(WRITE), "Done."]) as deck:
        await deck.send("do it")
        await deck.open_form("e", "edit")
        await as_json(deck, '{"path": "third.txt", "content": "x"}')
        await deck.pilot.press("ctrl+d")
        await deck.until(lambda: not raw(deck).display and bool(deck.app.query(FieldRow)))
        await deck.until(lambda: field(deck, "path").written == "third.txt")
        await deck.save_form()
        await deck.ended()
        assert (tmp_path / "third.txt").read_text() == "x"


async def test_an_edit_that_the_runner_refuses_comes_back_with_its_text(tmp_path: Path) -> None:
    async with cockpit(tmp_path, [reply(WRITE), "Done."]) as deck:
        await deck.send("do it")
        await deck.open_form("e", "edit")
        await as_json(deck, '{"path": 7, "content": "kept"}')
        await deck.save_form()
        await deck.until(lambda: deck.screen_text().count("that answer was refused") >= 2)
        assert deck.view.waiting
        assert deck.card.answering == "edit"
        assert json.loads(raw(deck).text) == {"path": 7, "content": "kept"}
        await as_json_again(deck, '{"path": "good.txt", "content": "kept"}')
        await deck.save_form()
        await deck.ended()
        assert (tmp_path / "good.txt").read_text() == "kept"


async def test_what_was_written_is_there_again_after_going_back(tmp_path: Path) -> None:
    async with cockpit(tmp_path, [reply(WRITE), "Done."]) as deck:
        await deck.send("do it")
        await deck.open_form("e", "edit")
        write(deck, "path", "draft.txt")
        await deck.settle()
        await deck.pilot.press("escape")
        await deck.until(lambda: deck.card.answering == "choose")
        assert len(deck.view.waiting) == 1
        await deck.open_form("e", "edit")
        assert field(deck, "path").written == "draft.txt"


async def test_a_key_that_comes_with_other_input_saves_nothing(tmp_path: Path) -> None:
    async with cockpit(tmp_path, [reply(WRITE), "Done."]) as deck:
        await deck.send("do it")
        await deck.open_form("e", "edit")
        for key, character in (("a", "a"), ("b", "b"), ("ctrl+s", None), ("c", "c")):
            deck.app.post_message(events.Key(key, character))
        await deck.until(lambda: field(deck, "path").written == "abcnew.txt")
        await deck.undecided()
        assert deck.view.waiting
        assert not names(tmp_path, ".txt")


async def test_a_paste_into_a_field_is_text_without_what_nobody_sees(tmp_path: Path) -> None:
    async with cockpit(tmp_path, [reply(WRITE), "Done."]) as deck:
        await deck.send("do it")
        await deck.open_form("e", "edit")
        deck.app.post_message(events.Paste("x\u202e\x1b[31m\u200by\x13\r"))
        await deck.until(lambda: "x" in field(deck, "path").written)
        await deck.undecided()
        assert "\u202e" not in field(deck, "path").written
        assert "\x1b" not in field(deck, "path").written
        assert deck.view.waiting


async def test_hostile_arguments_are_edited_as_json_that_shows_everything(tmp_path: Path) -> None:
    arguments = {"path": "new.txt", "content": HOSTILE}
    async with cockpit(tmp_path, [reply(calls(("write_file", arguments))), "Done."]) as deck:
        await deck.send("do it")
        await deck.open_form("e", "edit")
        assert field(deck, "path").field.kind == "text"
        assert field(deck, "content").field.kind == "json"
        shown = field(deck, "content").written
        assert shown.isprintable()
        assert "\\u202e" in shown
        assert json.loads(shown) == HOSTILE
        write(deck, "path", "other.txt")
        await deck.until(lambda: "changed: path" in deck.screen_text())
        await deck.save_form()
        await deck.ended()
        assert (tmp_path / "other.txt").read_bytes() == HOSTILE.encode()


async def test_denying_with_a_reason_gives_the_model_the_reason(tmp_path: Path) -> None:
    async with cockpit(tmp_path, [reply(WRITE), "As you wish."]) as deck:
        await deck.send("do it")
        await deck.open_form("d", "reason")
        await deck.pilot.press(*"yes but later")
        await deck.settle()
        assert "enter denies" in deck.screen_text()
        await deck.save_form("enter")
        await deck.ended()
        told = [each for each in deck.model.requests[1].messages if isinstance(each, ToolResult)][-1]
        assert "yes but later" in told.output
        assert not (tmp_path / "new.txt").exists()


def fake_editor(folder: Path, body: str) -> str:
    """An editor that is a script; it notes the mode of the file that it was given."""
    script = folder / "editor.py"
    script.write_text(
        "import json, os, pathlib, sys\n"
        "path = pathlib.Path(sys.argv[-1])\n"
        f"pathlib.Path({str(folder / 'mode')!r}).write_text(oct(path.stat().st_mode & 0o777) + ' ' + str(path))\n"
        f"{body}\n"
    )
    return shlex.join([sys.executable, str(script)])


async def edit_outside(deck: Deck, monkeypatch: pytest.MonkeyPatch, editor: str, key: str = "E") -> None:
    monkeypatch.setitem(os.environ, "VISUAL", editor)
    monkeypatch.setattr(deck.app, "suspend", nullcontext)
    await deck.armed()
    await deck.pilot.press(key)


async def test_the_arguments_are_edited_in_the_persons_editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editor = fake_editor(
        tmp_path,
        "a = json.loads(path.read_text()); a['path'] = 'outside.txt'; path.write_text(json.dumps(a))",
    )
    async with cockpit(tmp_path, [reply(WRITE), "Done."]) as deck:
        await deck.send("do it")
        await edit_outside(deck, monkeypatch, editor)
        await deck.until(lambda: deck.card.answering == "edit" and "changed: path" in deck.screen_text())
        mode, _, name = (tmp_path / "mode").read_text().partition(" ")
        assert mode == "0o600"
        assert not names(Path(name).parent, Path(name).name)
        assert deck.view.waiting
        await deck.save_form()
        await deck.ended()
        assert (tmp_path / "outside.txt").read_text() == "hello\n"


async def test_what_the_editor_broke_is_said_and_kept(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editor = fake_editor(tmp_path, "path.write_text('{broken')")
    async with cockpit(tmp_path, [reply(WRITE), "Done."]) as deck:
        await deck.send("do it")
        await edit_outside(deck, monkeypatch, editor)
        await deck.until(lambda: "is not JSON" in deck.screen_text())
        assert raw(deck).text == "{broken"
        assert deck.view.waiting


async def test_why_no_editor_came_is_said(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.delenv("EDITOR", raising=False)
    async with cockpit(tmp_path, [reply(WRITE), "Done."]) as deck:
        await deck.send("do it")
        await edit_outside(deck, monkeypatch, "")
        await deck.until(lambda: "no editor is set" in deck.screen_text())
        assert deck.view.waiting


async def test_a_field_is_edited_in_the_editor_as_plain_text(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editor = fake_editor(tmp_path, "path.write_text(path.read_text() + 'more\\n')")
    async with cockpit(tmp_path, [reply(WRITE), "Done."]) as deck:
        await deck.send("do it")
        monkeypatch.setitem(os.environ, "VISUAL", editor)
        monkeypatch.setattr(deck.app, "suspend", nullcontext)
        await deck.open_form("e", "edit")
        await deck.pilot.press("tab")
        await deck.until(lambda: field(deck, "content").editor.has_focus)
        await deck.pilot.press("ctrl+e")
        await deck.until(lambda: field(deck, "content").written == "hello\nmore\n")
        await deck.save_form()
        await deck.ended()
        assert (tmp_path / "new.txt").read_text() == "hello\nmore\n"

"""The screen that shows what was changed and puts it back."""

from __future__ import annotations

from pathlib import Path

import pytest

from runner.testing import calls, reply
from tests.tui.cockpit import Deck, cockpit
from tests.undo.support import repository
from tui.screens.undo import UndoScreen

WRITE = reply(calls(("write_file", {"path": "a.txt", "content": "by the agent\n"})))
COMMAND = reply(calls(("shell", {"command": "rm b.txt; echo fresh > new.txt"})))
BYPASS = {"approve": "bypass"}


async def turns(deck: Deck) -> None:
    """Two messages: a file tool, then a command."""
    for text in ("write it", "then run it"):
        await deck.send(text)
        await deck.ended()


async def opened(deck: Deck, *keys: str) -> UndoScreen:
    await deck.pilot.press(*(keys or ("alt+u",)))
    await deck.until(lambda: isinstance(deck.app.screen, UndoScreen), "the screen")
    await deck.until(lambda: "enter put back" in deck.screen_text(), "its keys")
    screen = deck.app.screen
    assert isinstance(screen, UndoScreen)
    return screen


async def shows(deck: Deck, text: str) -> None:
    await deck.until(lambda: text in " ".join(deck.screen_text().split()), text)


@pytest.mark.parametrize("size", [(80, 24), (120, 40), (160, 48)])
async def test_turns_files_and_the_diff_are_shown_and_enter_puts_back(tmp_path: Path, size: tuple[int, int]) -> None:
    root = repository(tmp_path / "repo")
    async with cockpit(root, [WRITE, "Done.", COMMAND, "Done."], size=size, options=BYPASS) as deck:
        await turns(deck)
        await opened(deck)
        shown = deck.screen_text()
        assert "then run it" in shown
        assert "2 files" in shown
        assert "brings back b.txt" in shown
        assert "two" in shown
        await shows(deck, "enter puts back 2 files: this turn")
        await deck.pilot.press("enter")
        await shows(deck, "2 files put back")
        assert (root / "b.txt").read_text() == "two\n"
        assert not (root / "new.txt").exists()
        assert (root / "a.txt").read_text() == "by the agent\n"
        await deck.pilot.press("r")
        await shows(deck, "2 files changed again")
        assert not (root / "b.txt").exists()
        await deck.pilot.press("escape")
        await deck.until(lambda: deck.app.screen is deck.app.cockpit)


async def test_one_file_and_all_later_turns(tmp_path: Path) -> None:
    root = repository(tmp_path / "repo")
    async with cockpit(root, [WRITE, "Done.", COMMAND, "Done."], size=(100, 30), options=BYPASS) as deck:
        await turns(deck)
        await opened(deck)
        await deck.pilot.press("down", "down")
        await shows(deck, "enter puts back 1 file: this file")
        await deck.pilot.press("u")
        await shows(deck, "1 file put back")
        assert not (root / "b.txt").exists()
        assert not (root / "new.txt").exists()
        await deck.pilot.press("end", "up", "a")
        await shows(deck, "this turn and every later one")
        await deck.pilot.press("enter")
        await shows(deck, "put back")
        await deck.until(lambda: (root / "a.txt").read_text() == "one\n" and (root / "b.txt").exists())
        assert not (root / "new.txt").exists()


async def test_a_later_change_by_others_is_shown_and_needs_a_key_of_its_own_twice(tmp_path: Path) -> None:
    root = repository(tmp_path / "repo")
    async with cockpit(root, [WRITE, "Done."], size=(80, 24), options=BYPASS) as deck:
        await deck.send("write it")
        await deck.ended()
        (root / "a.txt").write_text("my own words\n")
        await opened(deck)
        await shows(deck, "changed by somebody else since")
        await shows(deck, "my own words")
        await deck.pilot.press("enter")
        await shows(deck, "f puts it back all the same")
        await deck.pilot.press("f")
        await shows(deck, "f again overwrites what others wrote to a.txt")
        assert (root / "a.txt").read_text() == "my own words\n"
        await deck.pilot.press("f")
        await shows(deck, "1 file put back")
        assert (root / "a.txt").read_text() == "one\n"
        await deck.pilot.press("r")
        await shows(deck, "1 file changed again")
        assert (root / "a.txt").read_text() == "my own words\n"


async def test_the_model_is_told_with_the_next_message(tmp_path: Path) -> None:
    root = repository(tmp_path / "repo")
    async with cockpit(root, [WRITE, "Done.", "I see.", "Yes."], options=BYPASS) as deck:
        await deck.send("write it")
        await deck.ended()
        await opened(deck)
        await deck.pilot.press("enter")
        await shows(deck, "1 file put back")
        await deck.pilot.press("escape")
        await deck.send("go on")
        await deck.ended()
        await deck.send("and on")
        await deck.ended()
        said = [getattr(message, "text", "") for message in deck.model.requests[-1].messages]
        told = (
            "[Meanwhile the user put files back to what they were before you changed them: a.txt. "
            "Read them again before you change them.]"
        )
        assert said[-4:] == [told, "go on", "I see.", "and on"]


async def test_nothing_is_put_back_while_a_tool_runs(tmp_path: Path) -> None:
    root = repository(tmp_path / "repo")
    slow = reply(calls(("shell", {"command": "touch started; while [ ! -e stop ]; do sleep 0.02; done"})))
    async with cockpit(root, [WRITE, slow, "Done."], options=BYPASS) as deck:
        await deck.send("write it")
        await deck.until(lambda: (root / "started").exists(), "the command")
        await opened(deck)
        await deck.pilot.press("enter")
        await shows(deck, "shell runs now; put files back when it has ended")
        assert (root / "a.txt").read_text() == "by the agent\n"
        (root / "stop").touch()
        await deck.until(lambda: deck.view.run is not None and deck.view.run.finished)
        await deck.pilot.press("enter")
        await shows(deck, "1 file put back")
        assert (root / "a.txt").read_text() == "one\n"


async def test_what_is_not_covered_is_said(tmp_path: Path) -> None:
    (tmp_path / "plain").mkdir()
    async with cockpit(tmp_path / "plain", [COMMAND, "Done."], size=(80, 24), options=BYPASS) as deck:
        (tmp_path / "plain" / "b.txt").write_text("two\n")
        await deck.send("run it")
        await deck.ended()
        await deck.pilot.press("alt+u")
        await shows(deck, "the folder is no git work tree")
        await shows(deck, "nothing of it was kept")
        await deck.pilot.press("enter", "f", "r", "a")
        assert not (tmp_path / "plain" / "b.txt").exists()


async def test_the_command_and_a_file_to_begin_with(tmp_path: Path) -> None:
    root = repository(tmp_path / "repo")
    async with cockpit(root, [WRITE, "Done."], options=BYPASS) as deck:
        await deck.send("/undo")
        await shows(deck, "this session has not changed anything yet")
        await deck.send("write it")
        await deck.ended()
        await deck.send("/undo a.txt")
        await deck.until(lambda: isinstance(deck.app.screen, UndoScreen))
        await shows(deck, "enter puts back 1 file: this file")


async def test_hostile_names_and_contents_reach_the_terminal_only_as_text(tmp_path: Path) -> None:
    root = repository(tmp_path / "repo")
    name = "a\x1b]0;owned\x07\u202e[@click=app.quit]b.txt"
    evil = reply(calls(("write_file", {"path": name, "content": "\x1b[2J\x9b31m[red]x[/nope]\u202e\n"})))
    async with cockpit(root, [evil, "Done."], size=(80, 24), options=BYPASS) as deck:
        await deck.send("\x1b[31mdo it [/nope]")
        await deck.ended()
        await opened(deck)
        await shows(deck, "[red]x[/nope]")
        for shown in (deck.screen_text(), deck.app.export_screenshot()):
            assert not {"\x1b", "\x07", "\x9b", "\u202e"} & set(shown)
        await deck.pilot.press("enter")
        await shows(deck, "1 file put back")
        assert not (root / name).exists()


async def test_quick_keys_do_each_thing_once(tmp_path: Path) -> None:
    root = repository(tmp_path / "repo")
    async with cockpit(root, [WRITE, "Done.", COMMAND, "Done."], options=BYPASS) as deck:
        await turns(deck)
        await opened(deck)
        await deck.pilot.press("enter", "enter", "down", "up", "enter", "r", "enter")
        # The one that watches the themes' folder goes on for ever.
        workers = deck.app.workers
        await deck.until(lambda: all(each.is_finished or each.group == "themes" for each in workers))
        await deck.pilot.press("escape")
        await deck.until(lambda: deck.app.screen is deck.app.cockpit)
        both = (root / "b.txt").exists(), (root / "new.txt").exists()
        # Whichever keys came while it worked: all of the turn, or nothing of it.
        assert both in ((True, False), (False, True))

"""Writing: sending, new lines, earlier messages, completion, pastes, drafts."""

from __future__ import annotations

from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st
from textual import events

from runner.messages import UserMessage
from tests.tui.cockpit import cockpit
from tui import history
from tui.files import gather
from tui.fuzzy import best
from tui.history import History
from tui.slash import read_slash
from tui.widgets.composer import pasted, word_at


async def test_enter_sends_and_the_other_keys_add_a_line(tmp_path: Path) -> None:
    async with cockpit(tmp_path, ["Got it."]) as deck:
        await deck.pilot.press("o", "n", "e", "ctrl+j", "t", "w", "o")
        assert deck.composer.text == "one\ntwo"
        height = deck.composer.size.height
        await deck.pilot.press("alt+enter", "ctrl+j", "x")
        await deck.settle()
        assert deck.composer.size.height > height
        await deck.pilot.press("enter")
        await deck.ended()
        sent = deck.model.requests[0].messages[-1]
        assert isinstance(sent, UserMessage)
        assert sent.text == "one\ntwo\n\nx"


async def test_blank_messages_are_not_sent(tmp_path: Path) -> None:
    async with cockpit(tmp_path) as deck:
        await deck.pilot.press("space", "enter")
        await deck.settle()
        assert deck.view.run is None
        assert not deck.view.starting


async def test_earlier_messages_come_back_also_in_the_next_program(tmp_path: Path) -> None:
    async with cockpit(tmp_path, ["One.", "Two."]) as deck:
        await deck.send("first message")
        await deck.ended()
        await deck.send("second message")
        await deck.ended()
        await deck.pilot.press("d", "r", "up")
        assert deck.composer.text == "second message"
        await deck.pilot.press("up")
        assert deck.composer.text == "first message"
        await deck.pilot.press("down", "down")
        assert deck.composer.text == "dr"
    async with cockpit(tmp_path) as deck:
        await deck.until(lambda: deck.composer.history_of_messages.entries == ["first message", "second message"])


async def test_at_completes_files_and_leaves_out_what_git_ignores(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("build/\n")
    (tmp_path / "build").mkdir()
    (tmp_path / "build" / "report.md").touch()
    (tmp_path / "docs").mkdir()
    (tmp_path / "docs" / "report.md").touch()
    (tmp_path / "main.py").touch()
    async with cockpit(tmp_path) as deck:
        await deck.pilot.press(*"see @rep")
        await deck.until(lambda: deck.app.cockpit.popup.display)
        await deck.settle()
        assert "docs/report.md" in deck.screen_text()
        assert "build/report.md" not in deck.screen_text()
        await deck.pilot.press("tab")
        assert deck.composer.text == "see docs/report.md "
        assert not deck.app.cockpit.popup.display


async def test_slash_completes_commands_and_escape_closes_the_list(tmp_path: Path) -> None:
    async with cockpit(tmp_path) as deck:
        await deck.pilot.press("/", "t", "h")
        await deck.until(lambda: deck.app.cockpit.popup.display)
        await deck.pilot.press("escape")
        await deck.settle()
        assert not deck.app.cockpit.popup.display
        assert deck.composer.text == "/th"
        await deck.pilot.press("e")
        await deck.until(lambda: deck.app.cockpit.popup.display)
        before = deck.app.theme
        await deck.pilot.press("enter", "enter")
        await deck.until(lambda: deck.app.theme != before)
        assert deck.composer.text == ""


async def test_an_unknown_command_is_not_sent_to_the_model(tmp_path: Path) -> None:
    async with cockpit(tmp_path) as deck:
        await deck.send("/frobnicate")
        await deck.until(lambda: "there is no command /frobnicate" in deck.screen_text())
        assert deck.composer.text == "/frobnicate"
        assert deck.view.run is None


async def test_a_large_paste_with_escapes_becomes_plain_text(tmp_path: Path) -> None:
    async with cockpit(tmp_path) as deck:
        text = "line one\r\n\x1b[31mred\x1b[0m\x00\n" * 2000
        deck.app.post_message(events.Paste(text))
        await deck.until(lambda: len(deck.composer.message) > 1000)
        assert deck.composer.message == "line one\n[31mred[0m\n" * 2000
        assert deck.composer.text == "[pasted 4,000 lines, 40.0 kB]"
        assert not deck.app.cockpit.popup.display


@given(st.text())
def test_pasted_text_holds_no_control_characters(text: str) -> None:
    kept, left_out = pasted(text)
    assert not any(ord(letter) < 32 and letter not in "\n\t" for letter in kept)
    assert "\x9b" not in kept
    assert 0 <= left_out <= len(text) - len(kept)


@pytest.mark.parametrize(
    ("text", "kept"),
    [
        ("pay\u200bload \u202etxt.exe\u202c", "payload txt.exe"),
        ("hidden\U000e0041\U000e0042", "hidden"),
        ("\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645", "\u0645\u06cc\u200c\u062e\u0648\u0627\u0647\u0645"),
        ("क्\u200dष", "क्\u200dष"),
        ("👩\u200d💻 ❤\ufe0f", "👩\u200d💻 ❤\ufe0f"),
        ("a\u200db \u200d", "ab "),
    ],
)
def test_what_nobody_can_see_is_left_out_of_a_paste(text: str, kept: str) -> None:
    assert pasted(text) == (kept, len(text) - len(kept))


async def test_a_paste_with_unseen_characters_is_told(tmp_path: Path) -> None:
    async with cockpit(tmp_path) as deck:
        deck.app.post_message(events.Paste("pay\u200b\u200bload"))
        await deck.until(lambda: "2 invisible characters of the paste left out" in deck.screen_text())
        assert deck.composer.text == "payload"


def test_the_word_to_complete() -> None:
    assert word_at("see @src/ma", 11, first_line=True) is not None
    assert word_at("mail me@example.org", 19, first_line=True) is None
    assert word_at("/mod", 4, first_line=True) is not None
    assert word_at("/mod", 4, first_line=False) is None
    assert word_at("a /mod", 6, first_line=True) is None
    word = word_at("(@a", 3, first_line=True)
    assert word is not None
    assert (word.kind, word.query, word.start) == ("file", "a", 1)


def test_only_whole_messages_are_commands() -> None:
    found = read_slash("/model demo/slow")
    assert found is not None
    assert (found.action_id, found.argument) == ("model", "demo/slow")
    assert read_slash("/etc/hosts says what?") is None
    assert read_slash("/stop that please") is None
    assert read_slash("/zen now") is None
    assert read_slash(" /theme") is None


def test_history_keeps_the_draft_and_repeats_once() -> None:
    walk = History(["a", "b"])
    assert walk.older("draft") == "b"
    assert walk.older("b") == "a"
    assert walk.older("a") is None
    assert walk.newer() == "b"
    assert walk.newer() == "draft"
    assert walk.newer() is None
    assert walk.add("c") is True
    assert walk.add("c") is False


def test_the_history_file_is_private_and_survives_damage(tmp_path: Path) -> None:
    file = history.history_file(tmp_path, Path("/somewhere/else"))
    history.append(file, "one\ntwo")
    with file.open("a") as stream:
        stream.write("not json\n")
    history.append(file, "three")
    assert history.load(file) == ["one\ntwo", "three"]
    assert file.stat().st_mode & 0o777 == 0o600
    assert "else" not in file.name


def test_files_are_gathered_from_the_top_without_ignored_ones(tmp_path: Path) -> None:
    (tmp_path / ".gitignore").write_text("*.log\n/out\n")
    (tmp_path / "sub").mkdir()
    (tmp_path / "sub" / ".gitignore").write_text("secret.txt\n")
    for name in ("a.py", "b.log", "out", "sub/secret.txt", "sub/c.py", "sub/d.log"):
        (tmp_path / name).touch()
    (tmp_path / ".git").mkdir()
    (tmp_path / ".git" / "config").touch()
    assert gather(tmp_path) == [".gitignore", "a.py", "sub/.gitignore", "sub/c.py"]
    assert gather(tmp_path, limit=2) == [".gitignore", "a.py"]


def test_fuzzy_search_puts_the_close_match_first() -> None:
    names = ["src/deep/cockpit.py", "cock.txt", "tests/test_cockpit.py", "c/o/c/k/p/i/t"]
    assert best("cockpit", names, str, 3)[0].endswith("cockpit.py")
    assert best("xyz", names, str, 3) == []
    assert best("", names, str, 2) == names[:2]
    assert best("test cock", names, str, 3) == ["tests/test_cockpit.py"]

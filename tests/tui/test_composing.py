"""Large pastes, drafts, the search for earlier messages, the editor, names of pictures, and a person's own commands."""

from __future__ import annotations

import os
import struct
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st
from textual import events

from runner.messages import UserMessage
from runner.state import CommandItem, UserItem
from tests.tui.cockpit import cockpit
from tui.argument_words import completed
from tui.drafts import Draft, DraftFiles, new_key, session_key
from tui.history import append, history_file, load_all
from tui.naming import name_paste
from tui.pastes import Pastes, is_large
from tui.person_shell import read_shell
from tui.widgets.completion import Remark
from tui.widgets.composer import word_at

LONG = "\n".join(f"line {number}" for number in range(400))


@settings(deadline=None, max_examples=60)
@given(st.lists(st.text(alphabet="ab\n[]", max_size=12), max_size=6), st.text(alphabet="ab \n[]", max_size=20))
def test_what_is_folded_is_sent_whole_and_folds_again(texts: list[str], written: str) -> None:
    texts = [text + "\n" * 13 for text in texts]
    pastes = Pastes()
    tokens = [pastes.fold(text) for text in texts]
    message = written.join(["", *tokens, ""])
    assert pastes.unfold(message) == written.join(["", *texts, ""])
    assert len(set(tokens)) == len(set(texts))
    assert pastes.folded_in(message) == texts
    assert pastes.unfold(pastes.refold(pastes.unfold(message))) == pastes.unfold(message)


def test_the_token_says_what_it_stands_for() -> None:
    pastes = Pastes()
    assert pastes.fold(LONG) == "[pasted 400 lines, 3.5 kB]"
    assert pastes.fold(LONG.replace("9", "8")) == "[pasted 400 lines, 3.5 kB, 2]"
    assert pastes.fold(LONG) == "[pasted 400 lines, 3.5 kB]"
    assert pastes.fold("é" * 2001) == "[pasted 1 line, 4.0 kB]"
    assert [is_large("x\n" * 11 + "x"), is_large("x\n" * 12), is_large("x" * 2000), is_large("x" * 2001)] == [
        *(False, True, False, True)
    ]
    around = pastes.around(f"see {LONG} there", 40)
    assert around == (4, 4 + len(LONG), "[pasted 400 lines, 3.5 kB]")
    assert pastes.around(f"see {LONG} there", 2) is None


def test_drafts_are_private_files_that_go_when_they_are_sent(tmp_path: Path) -> None:
    files = DraftFiles(tmp_path)
    files.write("session-1", Draft("half", ("half",)))
    assert files.read("session-1") == Draft("half", ("half",))
    assert files.flush()
    [file] = (tmp_path / "ui" / "drafts").iterdir()
    assert file.stat().st_mode & 0o777 == 0o600
    assert DraftFiles(tmp_path).read("session-1") == Draft("half", ("half",))
    file.write_text('{"text": "x", "folded": [3, "y"]}')
    assert files.read("session-1") == Draft("x", ())
    for damage in ("", "[", '{"text": 3}', "[" * 100_000):
        file.write_text(damage)
        assert files.read("session-1") == Draft()
    files.write("session-1", Draft(" \n"))
    assert files.flush()
    assert list((tmp_path / "ui" / "drafts").iterdir()) == []


KILLED = """
import os, signal, sys
from pathlib import Path
from tui.drafts import Draft, DraftFiles, new_key
files = DraftFiles(Path(sys.argv[1]))
files.write(new_key("/folder"), Draft("half a thought"))
files.flush()
os.kill(os.getpid(), signal.SIGKILL)
"""


def test_the_draft_of_a_killed_program_comes_back_once_and_that_of_a_living_one_stays_its_own(tmp_path: Path) -> None:
    assert subprocess.run([sys.executable, "-c", KILLED, str(tmp_path)], check=False).returncode == -9
    files = DraftFiles(tmp_path)
    files.write(new_key("/folder", os.getppid()), Draft("of another program that runs"))
    files.flush()
    assert files.orphan("/other") == Draft()
    assert files.orphan("/folder") == Draft("half a thought")
    assert files.orphan("/folder") == Draft()
    assert files.read(new_key("/folder", os.getppid())) == Draft("of another program that runs")


def png(path: Path) -> Path:
    path.write_bytes(b"\x89PNG\r\n\x1a\n" + b"\0\0\0\rIHDR" + struct.pack(">II", 640, 480) + b"\0" * 34_000)
    return path


def test_a_pasted_path_of_a_picture_names_it(tmp_path: Path) -> None:
    picture = png(tmp_path / "a picture.png")
    (tmp_path / "text.png").write_text("no picture at all")
    named = "a picture.png (a PNG picture, 640x480 pixels, 34 kB) "
    for pasted in (
        str(picture),
        f"'{picture}'",
        str(picture).replace(" ", "\\ "),
        f"file://{str(picture).replace(' ', '%20')}\n",
        "a picture.png",
    ):
        assert name_paste(pasted, tmp_path) == named
    for other in ("", "text.png", "none.png", f"{picture}\n{picture}", "'", "look at a picture.png", "\0.png", "/"):
        assert name_paste(other, tmp_path) == ""


def test_what_follows_a_command_is_completed_with_what_is_written_out_first() -> None:
    words = {"gpt-5-mini": "", "gpt-5": "", "other/gpt-5": ""}
    assert [each.value for each in completed("gpt-5", words)] == ["gpt-5", "gpt-5-mini", "other/gpt-5"]
    assert [each.value for each in completed("", words)] == list(words)
    word = word_at("/theme pa", 9, first_line=True)
    assert word is not None
    assert (word.kind, word.of, word.query, word.start) == ("argument", "theme", "pa", 7)
    assert word_at("/theme pa", 9, first_line=False) is None
    assert word_at("/limit turns", 12, first_line=True) != word


def test_only_a_sign_at_the_beginning_makes_a_shell_command() -> None:
    assert [read_shell(text) for text in ("", "!", "!!  ", " !ls", "what!")] == [None] * 5
    for text, command, share in (("!ls -la", "ls -la", False), ("!!git log\n", "git log", True)):
        found = read_shell(text)
        assert found is not None
        assert (found.command, found.share) == (command, share)
        assert read_shell(found.text) == found


def test_messages_of_all_folders_end_with_those_of_the_last_one(tmp_path: Path) -> None:
    for moment, folder in enumerate(("one", "two")):
        file = history_file(tmp_path, Path(folder))
        append(file, f"said in {folder}")
        os.utime(file, (moment, moment))
    assert load_all(tmp_path / "history") == ["said in one", "said in two"]
    assert load_all(tmp_path / "missing") == []


async def test_a_large_paste_is_one_token_until_it_is_looked_at(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("VISUAL", "sed -i s/please/now/")
    token = "[pasted 400 lines, 3.5 kB]"
    async with cockpit(tmp_path, ["Read."]) as deck:
        composer = deck.composer
        await deck.pilot.press(*"see ")
        deck.app.post_message(events.Paste(LONG))
        await deck.until(lambda: composer.text == f"see {token}")
        await deck.pilot.press("left", "left", *" x", "backspace", "backspace")
        assert composer.text == f"see {token}", "what is written into a token follows it"
        await deck.pilot.press("backspace")
        assert composer.text == "see ", "a token goes as a whole"
        await deck.pilot.press("ctrl+underscore")
        assert composer.message.startswith(f"see {LONG}"), "and comes back as one"
        composer.replace_all(f"see {LONG}")
        await deck.pilot.press("alt+v")
        assert composer.text == f"see {LONG}"
        await deck.pilot.press("alt+v")
        assert composer.text == f"see {token}"
        await deck.pilot.press("end", *" please", "alt+e")
        await deck.until(lambda: "cannot be lent" in deck.screen_text())
        assert composer.text == f"see {token} please", "an editor that cannot be had changes nothing"
        await deck.pilot.press("enter")
        await deck.ended()
        sent = deck.model.requests[0].messages[-1]
        assert isinstance(sent, UserMessage)
        assert sent.text == f"see {LONG} please"
        await deck.pilot.press("up")
        assert composer.text == f"see {token} please", "what comes back is as it was"


async def test_drafts_stay_with_their_sessions_and_earlier_messages_are_searched(tmp_path: Path) -> None:
    async with cockpit(tmp_path, ["One.", "Two."]) as deck:
        composer = deck.composer
        await deck.send("the first question")
        await deck.ended()
        await deck.send("another one")
        await deck.ended()
        first = deck.view.session_id
        assert first is not None
        await deck.pilot.press(*"draft")
        await deck.pilot.press("alt+h", *"fst")
        popup = deck.app.cockpit.popup
        await deck.until(lambda: popup.candidate is not None and popup.candidate.value == "the first question")
        await deck.pilot.press("escape")
        assert composer.text == "draft"
        await deck.pilot.press("alt+h", *"qstn")
        await deck.until(lambda: popup.candidate is not None and popup.candidate.value == "the first question")
        await deck.pilot.press("enter")
        assert composer.text == "the first question"
        await deck.pilot.press("escape")
        assert composer.text == "draft"
        await deck.pilot.press("alt+h", *"zzz", "alt+h")
        await deck.until(lambda: popup.display and isinstance(popup.row, Remark))
        await deck.pilot.press("enter")
        assert deck.view.run is not None
        assert composer.text == "zzz", "a search that finds nothing sends nothing"
        await deck.pilot.press("ctrl+n")
        await deck.until(lambda: composer.text == "")
        await deck.pilot.press(*"new")
        await deck.conductor.browsing.open_session(first)
        await deck.until(lambda: composer.text == "draft")
        await deck.pilot.press("ctrl+n")
        await deck.until(lambda: composer.text == "new")
        await deck.until(lambda: "your unsent message is back" in deck.screen_text())
    async with cockpit(tmp_path, ["Three."], session=first) as deck:
        await deck.until(lambda: deck.composer.text == "draft")
        await deck.pilot.press("enter")
        await deck.ended()
        files = DraftFiles(Path(os.environ["QUARTERDECK_DATA"]))
        await deck.until(lambda: not files.read(session_key(first)))


async def test_a_command_of_the_persons_own(tmp_path: Path) -> None:
    png(tmp_path / "shot.png")
    async with cockpit(tmp_path, ["You listed files."]) as deck:
        composer, popup = deck.composer, deck.app.cockpit.popup
        await deck.pilot.press(*"!!ls; exit 3")
        await deck.until(lambda: "shell command, run by you, not by the model" in deck.screen_text())
        assert "the model gets it and its output" in deck.screen_text()
        await deck.pilot.press("enter")
        await deck.ended()
        [run] = deck.view.runs
        [item] = run.settled
        assert isinstance(item, CommandItem)
        assert (item.exit_code, item.output.strip(), run.turns_accepted) == (3, "shot.png", 0)
        screen = deck.screen_text()
        assert "$ ls; exit 3" in screen
        assert "exit 3" in screen
        assert not deck.model.requests
        await deck.pilot.press(*"@sho")
        await deck.until(lambda: popup.candidate is not None)
        await deck.pilot.press("tab")
        assert composer.text == "shot.png (a PNG picture, 640x480 pixels, 34 kB) "
        await deck.pilot.press("enter")
        await deck.until(lambda: len(deck.view.runs) == 2)
        await deck.ended()
        told, asked = (message.text for message in deck.model.requests[0].messages if isinstance(message, UserMessage))
        assert "$ ls; exit 3\nshot.png\n[exit code 3]" in told
        assert asked.startswith("shot.png (a PNG picture")
        assert [item.text for item in deck.view.runs[1].settled if isinstance(item, UserItem)] == [asked]
        await deck.pilot.press(*"!sleep 300", "enter")
        await deck.until(lambda: "running your command sleep 300" in deck.screen_text())
        await deck.pilot.press("ctrl+c")
        await deck.ended()
        assert "stopped" in deck.screen_text()
        await deck.pilot.press(*"!", "enter")
        await deck.until(lambda: "no command behind the !" in deck.screen_text())

"""Line mode on a terminal: a conversation, every way to answer, stopping, leaving, and what never answers."""

from __future__ import annotations

import json
import signal
import termios
from pathlib import Path

from tests.line_mode.conftest import OpenTerminal
from tests.line_mode.terminal import Terminal

ALLOW = "allow write_file?"
SHELL = "allow shell?"


def _left(deck: Terminal) -> None:
    deck.say("/quit")
    assert deck.ended() == 0
    assert b"Traceback" not in deck.written


def test_a_conversation_with_an_approval_a_denial_and_the_costs(terminal: OpenTerminal, folder: Path) -> None:
    deck = terminal()
    deck.say("what is here")
    deck.until("[ok] list_files")
    deck.say('create a.txt with "hi"')
    deck.answer(ALLOW, "")
    deck.answer(ALLOW, "perhaps")
    deck.until("that is no answer")
    assert not (folder / "a.txt").exists()
    deck.answer(ALLOW, "allow")
    deck.until("completed", times=2)
    assert (folder / "a.txt").read_text().strip() == "hi"
    deck.say('create b.txt with "no"')
    deck.answer(ALLOW, "deny because it is a secret plan")
    deck.until("completed", times=3)
    deck.until("[denied] write_file")
    assert "a secret plan" in deck.text.split("[denied]")[1]
    assert not (folder / "b.txt").exists()
    deck.say("/cost")
    deck.until("tokens in (")
    deck.say("/nonsense")
    deck.until("there is no command /nonsense")
    deck.say("/theme")
    deck.until("/theme needs the screen")
    deck.say("ask me which colour: red, green or blue")
    deck.until("2. green")
    deck.answer("your answer to ask_user:", "7")
    deck.until("from 1 to 3")
    deck.answer("your answer to ask_user:", "2")
    deck.until("completed", times=4)
    assert "green" in deck.text.split("[ok] ask_user")[1]
    deck.asks(">")
    deck.type("\x03")
    deck.until("Ctrl+C again leaves")
    deck.type("\x03")
    assert deck.ended() == 0
    assert deck.written.rfind(b"\x1b[?2004l") > deck.written.rfind(b"\x1b[?2004h")


def test_an_edit_is_looked_at_before_it_counts(terminal: OpenTerminal, folder: Path, tmp_path: Path) -> None:
    editor = tmp_path / "editor.py"
    editor.write_text(
        "#!/usr/bin/env python3\nimport json, sys\nfrom pathlib import Path\n"
        "file = Path(sys.argv[1]); found = json.loads(file.read_text())\n"
        "assert sys.stdin.isatty()\nfound['content'] = 'edited'\nfile.write_text(json.dumps(found))\n"
    )
    editor.chmod(0o755)
    deck = terminal(EDITOR=str(editor))
    deck.say('create a.txt with "hi"')
    deck.answer(ALLOW, "edit")
    deck.answer("allow that, yes or back?", "back")
    deck.answer(ALLOW, "edit")
    deck.answer("allow that, yes or back?", "yes")
    deck.until("completed")
    assert (folder / "a.txt").read_text().strip() == "edited"
    deck.say('create b.txt with "hi"')
    deck.answer(ALLOW, "edit {not json}")
    deck.until("not taken")
    deck.answer("edit it again, or back?", "back")
    deck.answer(ALLOW, f"edit {json.dumps({'path': 'b.txt', 'content': 'typed'})}")
    deck.answer("allow that, yes or back?", "yes")
    deck.until("completed", times=2)
    assert (folder / "b.txt").read_text().strip() == "typed"
    _left(deck)


def test_allow_for_covers_what_it_says(terminal: OpenTerminal, folder: Path) -> None:
    deck = terminal()
    deck.say("run `touch one`")
    deck.answer(SHELL, "for")
    deck.until("what to allow")
    deck.enter("1")
    deck.answer("how long, or back:", "session 5 calls")
    deck.until("this allows shell with exactly these arguments in this session")
    deck.answer("allow that, yes or back?", "yes")
    deck.until("completed")
    (folder / "one").unlink()
    deck.say("run `touch one`")
    deck.until("completed", times=2)
    assert (folder / "one").exists()
    assert deck.text.count("waiting for you") == 1
    _left(deck)


def test_stop_then_abort_and_a_switch_of_the_model(terminal: OpenTerminal) -> None:
    deck = terminal("--plain", "--model", "demo/slow", QUARTERDECK_DEMO_SPEED="0.2")
    deck.say("tour")
    deck.child.send(b"")
    deck.until("quarterdeck, line mode")
    deck.until("> tour")
    deck.type("/model demo/pilot")
    deck.asks("> /model demo/pilot")
    deck.enter("")
    deck.until("demo/pilot from the next request on")
    deck.until("built-in demo")
    deck.child.kill(signal.SIGINT)
    deck.until("Stop requested by you")
    deck.child.kill(signal.SIGINT)
    deck.until("Abort requested by you")
    deck.until("cancelled (aborted)")
    deck.say("/model nowhere/at-all")
    deck.until("nowhere/at-all", times=2)
    _left(deck)


def test_a_line_in_one_piece_with_the_one_before_is_a_message(terminal: OpenTerminal, folder: Path) -> None:
    deck = terminal()
    deck.asks(">")
    deck.type('create a.txt with "hi"\rallow\r')
    deck.until("queued for the next turn")
    deck.until("completed")
    assert "[ok] write_file" not in deck.text
    assert not (folder / "a.txt").exists()
    _left(deck)


LONG_QUIET = (
    "import sys, tui.line_mode.prompt_console as console; console.QUIET = 1.5; "
    "from tui.cli import main_with; sys.exit(main_with(['--plain']))"
)


def test_what_is_typed_just_when_a_question_comes_is_kept_for_the_message(terminal: OpenTerminal, folder: Path) -> None:
    deck = terminal("-c", LONG_QUIET)
    deck.say('create a.txt with "hi"')
    deck.until("answer with: allow")
    deck.type("allow\r")
    deck.until("kept for your message: allow")
    assert not (folder / "a.txt").exists()
    deck.answer(ALLOW, "n")
    deck.until("completed")
    deck.asks("> allow")
    assert not (folder / "a.txt").exists()
    deck.type("\x03")
    _left(deck)


def test_a_paste_is_no_answer_and_a_stop_takes_the_question_away(terminal: OpenTerminal, folder: Path) -> None:
    deck = terminal()
    deck.say("run `touch made`")
    deck.asks(SHELL)
    deck.type("\x1b[200~allow\u202e\r\x1b[201~")
    deck.until(f"{SHELL} allow")
    assert not (folder / "made").exists()
    deck.type("\x03")
    deck.until("that question is over")
    deck.until("cancelled (stopped)")
    assert not (folder / "made").exists()
    _left(deck)


def test_sessions_are_listed_opened_and_continued(terminal: OpenTerminal) -> None:
    deck = terminal()
    deck.say("what is here")
    deck.until("completed")
    deck.say("/new")
    deck.say("thanks")
    deck.until("completed", times=2)
    deck.say("/sessions")
    deck.until("2. what is here")
    deck.say("/sessions 2")
    deck.until("[ok] list_files", times=2)
    deck.until("the next message continues it")
    for typed, whole in (
        ("/sess", "/sessions"),
        ("read @not", "read @notes.txt"),
        ("/model demo/fla", "/model demo/flaky"),
    ):
        deck.asks(">")
        deck.type(f"{typed}\t")
        deck.asks(f"> {whole}")
        deck.type("\x03")
    _left(deck)
    again = terminal("--plain", "--continue")
    again.until("the next message continues it")
    again.asks(">")
    again.type("\x1b[A")
    again.asks("> /quit")
    again.type("\x03\x04")
    assert again.ended() == 0


def test_a_dumb_terminal_gets_lines_and_nothing_else(terminal: OpenTerminal, folder: Path) -> None:
    deck = terminal("--model", "demo/pilot", TERM="dumb")
    deck.until("quarterdeck: TERM is dumb")
    deck.until("this is line mode")
    deck.say('create a.txt with "hi"')
    deck.asks(ALLOW)
    deck.enter("y")
    deck.until("completed")
    assert (folder / "a.txt").exists()
    assert b"\x1b" not in deck.written
    flags = termios.tcgetattr(deck.child.child_fd)[3]
    assert flags & termios.ECHO
    assert flags & termios.ICANON
    _left(deck)

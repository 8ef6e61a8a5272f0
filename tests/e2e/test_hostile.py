"""Whatever a model, a tool, a file or a provider says: the terminal gets nothing that the program did not mean."""

from __future__ import annotations

import shlex
import sys
from pathlib import Path

import pytest

from tests.e2e.hostile import HOSTILE, IN_A_NAME, MARKUP, SEQUENCES, UNSEEN, call
from tests.e2e.terminal import ARMED, OpenTerminal, Terminal
from tests.e2e.written import unmeant
from tests.provider.replies import Call, Reply
from tests.provider.server import FakeProvider, run_in_thread

SERVER = Path(__file__).with_name("hostile_server.py")


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    """A workspace whose own name, and whose files' names and contents, are hostile."""
    workspace = tmp_path / f"work {IN_A_NAME}"
    workspace.mkdir()
    (workspace / f"file {IN_A_NAME}").write_text(HOSTILE)
    (workspace / "evil.txt").write_text(HOSTILE + "\n")
    (workspace / "print.py").write_text(f"import sys\nsys.stdout.write({HOSTILE!r} + '\\n')\n")
    (workspace / "long.py").write_text("import sys\nsys.stdout.write('\\x1b[31mx\\u202e' * 2_500_000)\n")
    return workspace


def _configure(config: Path, provider: FakeProvider) -> None:
    lines = [
        'model = "lab/x"',
        '[models."lab/x"]',
        'model = "openai/x"',
        f'api_base = "{provider.openai_url}"',
        "context_window = 2000000",
        "[compaction]",
        "at = 1.0",
    ]
    config.write_text("\n".join(lines))


def _clean(deck: Terminal) -> None:
    written = deck.written
    assert unmeant(written) == []
    # What the program itself writes cannot be told from an imitation, but can be counted.
    assert written.count(b"\x1b[?1049h") == written.count(b"\x1b[?1049l") <= 1


def _leave(deck: Terminal) -> None:
    deck.press("C-q")
    assert deck.left() == 0
    assert deck.left_on() == set()
    _clean(deck)


def _allow(deck: Terminal, what: str) -> None:
    deck.wait_for(what, ARMED)
    deck.press("y")


@pytest.mark.parametrize("text", [*SEQUENCES, *UNSEEN, *MARKUP], ids=ascii)
def test_the_reader_of_the_bytes_sees_what_is_hostile(text: str) -> None:
    found = unmeant(f"plain {text} plain".encode())
    assert bool(found) == (text not in MARKUP and "\u0301" not in text)


def test_a_conversation(terminal: OpenTerminal, config: Path) -> None:
    """Prompt, answer, reasoning, cards for a command and a diff, results, an unknown tool, an error, long lines."""
    python = shlex.quote(sys.executable)
    replies = [
        call("shell", 1, command=f"{python} print.py # {HOSTILE}"),
        call("write_file", 2, path=f"made {IN_A_NAME}", content=f"{HOSTILE}\n"),
        call("read_file", 3, path="evil.txt"),
        call(f"no {HOSTILE} tool", 4, text=HOSTILE),
        Reply(text=[HOSTILE], calls=[Call(name="shell", pieces=('{"command": "' + HOSTILE,), id="call_5")]),
        call("shell", 6, command=f"{python} long.py"),
        Reply(status=400, error={"error": {"message": HOSTILE, "code": HOSTILE}}),
        Reply(status=401, error={"error": {"message": HOSTILE, "code": HOSTILE}}),
    ]
    with run_in_thread(*replies) as provider:
        _configure(config, provider)
        deck = terminal()
        deck.start()
        deck.wait_for("ready", "lab/x")
        deck.paste(f"pasted {HOSTILE}".encode())
        deck.type("go on")
        deck.wait_for("go on")
        deck.press("Enter")
        _allow(deck, "print.py")
        _allow(deck, "made n")
        _allow(deck, "long.py")
        deck.wait_for("● failed")
    for key in ("PageUp", "PageUp", "PageUp", "PageDown"):
        deck.press(key)
    deck.type("see @")
    deck.wait_for("evil.txt", lambda screen: "file n" not in screen)
    deck.press("Escape", "C-u")
    deck.press("C-r")
    deck.wait_for("pasted ]0", "6 turns", "test_a_conversation")
    deck.press("Escape")
    deck.wait_for(lambda screen: "type to filter" not in screen)
    deck.press("C-o")
    deck.wait_for("type to filter", "Demo, built in")
    deck.press("Escape")
    deck.wait_for(lambda screen: "type to filter" not in screen)
    _leave(deck)


def _closed(screen: str) -> bool:
    return "Write a message" in screen


def test_questions_servers_and_every_list(terminal: OpenTerminal, config: Path) -> None:
    """A question, a server's words and results, a list of steps, a process left running, and the screens about them."""
    python = shlex.quote(sys.executable)
    edits = [{"path": "evil.txt", "old": "not a style", "new": HOSTILE}, {"path": "new.txt", "old": "", "new": HOSTILE}]
    replies = [
        call("ask_user", 1, question=f"what now {HOSTILE}", choices=[*SEQUENCES, *UNSEEN[:4]], several=True),
        call("todo", 2, items=[{"text": text, "status": "active"} for text in (*SEQUENCES, *UNSEEN, *MARKUP)]),
        call("mcp__evil__answer", 3, text=HOSTILE),
        call("read_file", 4, path="evil.txt"),
        call("edit_files", 5, edits=edits),
        call("start_process", 6, command=f"{python} print.py; sleep 600 # {HOSTILE}", name=HOSTILE),
        Reply(text=["All said."]),
    ]
    deck = terminal(120, 40)
    with run_in_thread(*replies) as provider:
        _configure(config, provider)
        with config.open("a") as file:
            file.write(f'\n[mcp.evil]\ncommand = "{sys.executable}"\nargs = ["{SERVER}"]\n')
        deck.start()
        deck.wait_for("ready", "lab/x")
        deck.send("go on")
        deck.wait_for("what now", ARMED)
        deck.press("1")
        deck.wait_for("1 ☒")
        deck.press("s")
        for what in ("of the server evil wants to run", "wants to change", "print.py"):
            _allow(deck, what)
        deck.wait_for("All said.", "● done")
    for key, shown in (
        ("M-g", "Grants"),
        ("M-d", "Decisions"),
        ("M-s", "MCP servers"),
        ("M-p", "ackground processes"),
        ("M-u", "Undo"),
    ):
        deck.press(key)
        deck.wait_for(shown, lambda screen: not _closed(screen))
        deck.press("Enter")
        deck.press("Down")
        deck.until(lambda: _escaped(deck), f"{shown} to close")
    deck.press("C-q")
    deck.wait_for("1 background process will end")
    _leave(deck)
    for words in (
        ["policy", "ledger"],
        ["policy", "grants"],
        ["undo", "--list"],
        ["undo", "--dry-run"],
        ["mcp", "show", "evil"],
    ):
        deck.start(*words)
        assert deck.left() == 0
    _clean(deck)


def _escaped(deck: Terminal) -> bool:
    """Press escape until the conversation is in front again: some keys opened a second screen."""
    if not _closed(deck.screen()):
        deck.press("Escape")
    return _closed(deck.screen())


def test_commands_without_the_screen(terminal: OpenTerminal, config: Path) -> None:
    """The answer and the tool calls of a headless run, and the lists, on a terminal."""
    python = shlex.quote(sys.executable)
    replies = [
        call("shell", 1, command=f"{python} print.py # {HOSTILE}"),
        call(f"no {HOSTILE} tool", 2, text=HOSTILE),
        Reply(text=[HOSTILE[:40], HOSTILE[40:]]),
        Reply(status=401, error={"error": {"message": HOSTILE, "code": HOSTILE}}),
    ]
    deck = terminal()
    with run_in_thread(*replies) as provider:
        _configure(config, provider)
        for wanted in (0, 1):
            deck.start("run", "--approve", "bypass", "go on")
            assert deck.left() == wanted
    (deck.folder / "rules.toml").write_text('[[rules]]\neffect = "allow"\ntool = "shell"\n')
    for words in (["sessions", "list"], ["usage"], ["policy", "try", "rules.toml"]):
        deck.start(*words)
        assert deck.left() == 0
    _clean(deck)

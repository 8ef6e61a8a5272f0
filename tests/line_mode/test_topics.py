"""The commands of line mode about what the screen has lists for: each asked and carried out by its words."""

from __future__ import annotations

import re
from pathlib import Path

import pytest

from runner.testing import calls, reply
from tests.e2e.hostile import HOSTILE
from tests.line_mode.talk import Talk, talk
from tests.processes.support import no_trace_of, running, sleeper
from tui.line_mode.arguments import Known, words_after
from tui.line_mode.putting_back import Wish, read_wish

_CONTROL = re.compile(r"[\x00-\x08\x0b-\x1f\x7f-\x9f\u200b-\u200f\u202a-\u202e]")

HOSTILE_OUTPUT = r"\033]0;evil\007 \033[31mred\n"


async def _answered(deck: Talk, prompt: str, *answers: str) -> None:
    for answer in answers:
        await deck.asks(prompt)
        deck.console.type(answer)


async def test_undo_shows_the_diff_and_puts_back_after_a_yes(tmp_path: Path) -> None:
    folder = tmp_path / "work"
    made = folder / "made.txt"
    script = [reply(calls(("write_file", {"path": "made.txt", "content": f"one\n{HOSTILE}\n"}))), "It is made."]
    async with talk(folder, script) as deck:
        await deck.say("/undo", "has not changed anything yet")
        deck.console.type("make it")
        await _answered(deck, "allow write_file?", "allow")
        await deck.until(lambda: "completed" in deck.console.text)
        before = made.read_text()
        assert "1. just now: make it; made.txt" in await deck.say("/undo", "/undo NUMBER shows")
        await deck.say("/undo 7", "there is no turn 7")
        for answer in ("", "perhaps", "force"):
            shown = await deck.say("/undo 1", "answer with: yes (1 file), no")
            assert "| - removes made.txt" in shown
            assert "| -one" in shown
            start = len(deck.console.text)
            await _answered(deck, "put that back?", answer)
            await deck.until(lambda start=start: "nothing was put back" in deck.console.text[start:])
            assert made.read_text() == before
        await deck.say("/undo made.txt", "answer with: yes")
        await _answered(deck, "put that back?", "yes")
        await deck.until(lambda: "1 file put back" in deck.console.text)
        assert not made.exists()
        await deck.say("/undo 1", "everything of it is as it was")
        await deck.say("/undo redo yes", "1 file changed again")
        assert made.read_text() == before
        made.write_text("somebody else's\n")
        await deck.say("/undo 1", "answer with: force (also 1 file with a conflict")
        await _answered(deck, "put that back?", "yes")
        await deck.until(lambda: "nothing was put back" in deck.console.text[-60:])
        assert made.read_text() == "somebody else's\n"
        await deck.say("/undo 1 force", "1 file put back")
        assert not made.exists()
        assert _CONTROL.search(deck.console.text) is None


async def test_grants_decisions_places_and_requests(tmp_path: Path) -> None:
    command = {"command": f"printf Needle # {HOSTILE}"}
    script = [reply(calls(("shell", command))), "It printed a needle.", reply(calls(("shell", command))), "Again."]
    async with talk(tmp_path / "work", script) as deck:
        await deck.say("/grants", "nothing is granted, and there are no rules")
        deck.console.type("go")
        await _answered(deck, "allow shell?", "for")
        await deck.until(lambda: deck.console.asking.startswith("what to allow"))
        deck.console.type("1")
        await _answered(deck, "how long, or back:", "session 5 calls")
        await _answered(deck, "allow that, yes or back?", "yes")
        await deck.until(lambda: "completed" in deck.console.text)
        shown = await deck.say("/grants", "/grants revoke NUMBER")
        assert "for this session:\n1. allow shell, exactly: printf Needle" in shown
        assert "of 5 calls left" in shown
        await deck.say("/grants nothing-has-this", "no grant and no rule has that")
        await deck.say("/grants revoke 2", "which one?")
        await deck.say("/grants shell", "1. allow shell")
        await deck.say("/grants revoke 1", "taken back: allow shell")
        await deck.say("/grants", "nothing is granted")
        deck.console.type("again")
        await _answered(deck, "allow shell?", "deny because I took it back")
        await deck.until(lambda: deck.console.text.count("completed") == 2)

        shown = await deck.say("/decisions tool:shell by:you", "I took it back")
        lines = [line for line in shown.splitlines() if " by you: shell" in line]
        assert len(lines) == 2
        assert "allowed by you: shell printf Needle" in lines[0]
        assert "for this session" in lines[0]
        await deck.say("/decisions decision:deny", "denied by you")
        await deck.say("/decisions tool:read_file", "no decision fits")
        await deck.say("/decisions since:someday", "is no day")
        await deck.say("/decisions more", "nothing was listed yet")

        shown = await deck.say("/find Needle", "Needle:")
        assert "answer:" not in shown, "a capital counts where one is written"
        assert "shell (/show 2): " in shown
        shown = await deck.say("/find needle", "places with needle:")
        assert "run 1, answer: It printed a needle." in shown
        assert "run 1, you: " not in shown
        await deck.say("/find nowhere at all", "nothing of this session has: nowhere at all")
        await deck.say("/find", "find what?")
        shown = await deck.say("/ledger", "/ledger and a number")
        assert "1. run 1 turn 1, test/scripted, new " in shown
        assert "together: 4 requests" in shown
        await deck.say("/ledger 4", "model: test/scripted")
        await deck.say("/ledger 5", "there is no such request")
        assert _CONTROL.search(deck.console.text) is None


def _read(file: str | Path) -> str:
    return Path(file).read_text()


async def test_settings_are_told_and_changed_as_config_set_does(tmp_path: Path) -> None:
    async with talk(tmp_path / "work") as deck:
        await deck.say("/settings", "nothing is set: everything is as the program has it")
        shown = await deck.say("/settings limits.max_turns", "a change counts from the next run on")
        assert "limits.max_turns is " in shown
        await deck.say("/settings limits.max_turns many", "limits.max_turns")
        await deck.say("/settings limits.max_trns 7", "did you mean that?")
        shown = await deck.say("/settings limits.max_turns 7", "it counts from the next run on")
        file = re.findall(r"limits.max_turns is set in (\S+?):\d+", shown)[0]
        assert "max_turns = 7" in _read(file)
        await deck.say("/settings", "limits.max_turns is 7")
        await deck.say("/settings turns run", "limits.max_turns is 7")
        await deck.say("/settings unset limits.max_turns", "limits.max_turns is not set in")
        assert "max_turns" not in _read(file)
        await deck.say("/settings project approve plan", "approve is set in")
        assert 'approve = "plan"' in _read(tmp_path / "work" / ".quarterdeck" / "config.toml")


async def test_what_runs_in_the_background_is_listed_shown_and_ended(tmp_path: Path) -> None:
    one, two = sleeper(), sleeper()
    started = [
        reply(calls(("start_process", {"command": f"printf '{HOSTILE_OUTPUT}'; echo served; {one}", "name": "web"}))),
        reply(calls(("start_process", {"command": two, "name": "watch"}))),
        "Both run.",
    ]
    with no_trace_of(one, two):
        async with talk(tmp_path / "work", started, limits={"approval_mode": "bypass", "abort_grace": 0.3}) as deck:
            await deck.say("/processes", "nothing runs in the background")
            await deck.say("start both", "completed")
            shown = await deck.say("/processes", "/processes stop NUMBER")
            assert re.search(r"^1\. web: running for .*; pid \d+; command: printf .*; last line: served$", shown, re.M)
            assert "served" in await deck.say("/processes web", "| served")
            await deck.say("/processes 3", "there is no such process")
            await deck.say("/processes stop", "which one?")
            await deck.say("/processes stop 1", "ending web")
            processes, session = deck.engine.processes, deck.mode.deck.session_id
            assert processes is not None
            assert session is not None
            await deck.until(lambda: processes.listed(session)[0].ended, "the end of the first")
            assert not running(one)
            await deck.say("/processes stop all", "ending 1 process")
            await deck.until(lambda: processes.listed(session)[1].ended, "the end of the second")
            assert not running(two)
            assert "ended by you" in await deck.say("/processes 2", "ended by you")
            assert _CONTROL.search(deck.console.text) is None


async def test_a_message_is_written_in_an_editor(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    editor = tmp_path / "editor"
    editor.write_text('#!/bin/sh\nprintf "from out\\342\\200\\213side" >> "$1"\n')
    editor.chmod(0o755)
    monkeypatch.setenv("EDITOR", str(editor))
    async with talk(tmp_path / "work") as deck:
        await deck.say("/editor first, ", "(1 invisible character of it left out)")
        assert deck.console.draft == "first,from outside"
        monkeypatch.setenv("EDITOR", "false")
        await deck.say("/editor", "false")
        assert deck.console.draft == "first,from outside", "what was written stays"


async def test_a_program_is_not_asked_and_help_lists_all(tmp_path: Path) -> None:
    script = [reply(calls(("write_file", {"path": "made.txt", "content": "one\n"}))), "It is made."]
    async with talk(tmp_path / "work", script, limits={"approval_mode": "accept_edits"}, scripted=True) as deck:
        deck.console.type("make it")
        # A line of a program waits for the answer to the one before.
        await deck.say("/undo 1", "write the same command with yes (1 file) at its end")
        assert (tmp_path / "work" / "made.txt").exists()
        await deck.say("/undo 1 yes", "1 file put back")
        assert not (tmp_path / "work" / "made.txt").exists()
        await deck.say("/editor", "there is no terminal")
        assert deck.console.prompts == []
        shown = await deck.say("/help", "/SERVER:PROMPT name=value")
        assert "!command" not in shown
        for name in ("grants", "decisions", "undo", "mcp", "processes", "settings", "ledger", "find", "cost"):
            assert f"\n  /{name} " in shown


def test_what_follows_a_command_completes() -> None:
    known = Known(
        servers=lambda: ["tides"],
        processes=lambda: ["1", "2"],
        settings=lambda: {"approve": ("default", "plan"), "limits.max_turns": ()},
        efforts=lambda: ["low", "default"],
    )
    for line, expected in {
        "/grants ": ["revoke"],
        "/grants revoke ": ["all"],
        "/undo ": ["since", "redo"],
        "/undo since 3 ": ["yes", "force"],
        "/mcp ": ["tides"],
        "/mcp tides ": ["restart", "on", "off", "stderr"],
        "/processes stop ": ["1", "2", "all"],
        "/settings project unset ": ["approve", "limits.max_turns"],
        "/settings project approve ": ["default", "plan"],
        "/effort ": ["low", "default"],
        "/find ": [],
    }.items():
        command, *words = line[1:].split()
        assert list(words_after(command, words, known)) == expected, line
    assert "tool:shell" in words_after("decisions", ["by:you"], known)


def test_what_is_meant_by_undo() -> None:
    assert read_wish("3") == Wish(number=3)
    assert read_wish("since 3 yes") == Wish(number=3, since=True, sure="yes")
    assert read_wish("3 a b.txt force") == Wish(number=3, path="a b.txt", sure="force")
    assert read_wish("redo yes") == Wish(redo=True, sure="yes")
    assert read_wish("redoubt.txt") == Wish(path="redoubt.txt")
    assert read_wish("3rd.txt") == Wish(path="3rd.txt")
    assert read_wish("yes") == Wish(path="yes")

"""Taking up a run that was cut off: what the model is told, on the screen and without it; and another agent for it."""

from __future__ import annotations

import json
import os
from pathlib import Path
from typing import get_args

import pytest

from runner.events import ToolFinished, ToolStarted, TurnFinished
from runner.messages import UserMessage
from runner.review.resume import cut_off, resume_message
from runner.state import RunState
from runner.state.run import Reason
from runner.store import Store
from tests.store.making import Maker, a_call, short_run, write
from tests.tui.cockpit import MODEL, cockpit
from tui.branching import resume_hint
from tui.cli import main_with
from tui.settings.load import user_file

UNKNOWN = '- shell {"command": "ls"}: it was interrupted while it ran; whether it had effects is not known'


def cut(session_id: str = "session-1") -> Maker:
    """A run whose program died: of three calls one has ended, one runs, one was not begun."""
    maker = Maker(session_id=session_id)
    asked = [a_call(number) for number in range(3)]
    maker.begin("Tidy up", MODEL)
    maker.begin_turn()
    maker.request(MODEL)
    maker.answer("At once.", tuple(asked), model=MODEL)
    for call in asked:
        maker.propose(call)
    maker.add(ToolStarted(call_id=asked[0].call_id, tool="shell"))
    maker.add(ToolFinished(call_id=asked[0].call_id, tool="shell", output="done", side_effects="done"))
    maker.add(ToolStarted(call_id=asked[1].call_id, tool="shell"))
    return maker


def left_behind() -> None:
    """In the store of this test, by a program that is gone."""
    with Store.open() as store:
        write(store, cut().events)


def test_the_model_is_told_what_was_cut_off_and_what_is_not_known() -> None:
    left_behind()
    with Store.open() as store:
        from runner.clock import SystemClock

        store.recover(SystemClock())
        text = resume_message(store.runs("session-1"))
    assert text.startswith("Your work was cut off: the program that ran you ended in the middle of it.")
    assert UNKNOWN in text
    assert '- shell {"command": "ls"}: it was not executed' in text
    assert text.count("- shell") == 2
    assert text.endswith("Go on with the task from there.")


@pytest.mark.parametrize("reason", get_args(Reason))
def test_every_end_but_the_usual_one_can_be_taken_up(reason: str) -> None:
    maker = short_run()
    maker.events = maker.events[:-3]
    maker.seq -= 3
    maker.end(reason)
    ended = [maker.state]
    assert bool(resume_message(ended)) == (reason != "complete")
    assert (cut_off(ended) is None) == (reason == "complete")
    assert bool(resume_hint(ended, "alt+shift+g")) == (reason != "complete")
    # Commands of the person's alone change nothing of that; a run that goes on is not to be taken up.
    commands = Maker(run_id="run-2")
    commands.begin()
    commands.end()
    assert resume_message([*ended, commands.state]) == resume_message(ended)
    assert resume_message([RunState(run_id="r")]) == ""


async def test_what_a_crash_left_is_offered_opened_and_taken_up(tmp_path: Path) -> None:
    left_behind()
    file = user_file(os.environ)
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_text('[agents.reader]\ninstructions = "Only read."\n')
    async with cockpit(tmp_path, ["Done.", "Read."], size=(100, 30)) as deck:
        await deck.until(lambda: "/resume there goes on" in " ".join(deck.screen_text().split()), "the offer")
        await deck.pilot.press("alt+shift+g")
        await deck.until(lambda: deck.view.session_id == "session-1", "the session")
        await deck.until(lambda: "interrupted: alt+shift+g goes on" in deck.screen_text(), "the hint")
        await deck.pilot.press("alt+shift+g")
        await deck.until(lambda: len(deck.view.runs) == 2, "a run")
        await deck.ended()
        told = deck.model.requests[-1].messages[-1]
        assert isinstance(told, UserMessage)
        assert UNKNOWN in told.text
        await deck.pilot.press("alt+shift+g")
        await deck.until(lambda: "the last run came to its end" in deck.screen_text(), "why not")
        await deck.send("/agent nobody")
        await deck.until(lambda: "there is no agent 'nobody'; there are: deck, reader" in deck.screen_text(), "no")
        await deck.send("/agent reader")
        await deck.send("look")
        await deck.until(lambda: len(deck.view.runs) == 3, "a run")
        await deck.ended()
        assert deck.view.runs[-1].agent == "reader"
        assert deck.view.session_id == "session-1"


def test_without_the_screen(
    capsys: pytest.CaptureFixture[str], tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.chdir(tmp_path)
    left_behind()
    options = ["--model", "demo/pilot", "--session", "session-1"]
    assert main_with(["run", *options, "--resume", "and a prompt"]) == 2
    assert main_with(["run", "--model", "demo/pilot", "--resume"]) == 2
    assert main_with(["run", *options, "--resume"]) == 0
    assert main_with(["run", *options, "--resume"]) == 2
    assert "came to its end" in capsys.readouterr().err
    with Store.open() as store:
        told = store.runs("session-1")[-1].history[0]
    assert isinstance(told, UserMessage)
    assert UNKNOWN in told.text


def test_the_command_forks_after_a_turn_or_before_a_prompt(capsys: pytest.CaptureFixture[str]) -> None:
    with Store.open() as store:
        maker = Maker(session_id="session-1")
        maker.begin("First")
        for text in ("One.", "Two."):
            maker.begin_turn()
            maker.request()
            maker.answer(text)
            maker.add(TurnFinished())
        maker.end()
        write(store, [*maker.events, *short_run("run-2", text="Second").events])
    assert main_with(["fork", "session-1", "--list"]) == 0
    assert [line.split() for line in capsys.readouterr().out.splitlines()] == [
        ["1", ">", "First"],
        ["2", "Two."],
        ["3", ">", "Second"],
    ]
    assert main_with(["fork", "session-1", "--turn", "2", "--name", "a try"]) == 0
    made = capsys.readouterr().out.strip()
    assert main_with(["fork", made, "--before", "2", "--json"]) == 0
    again = json.loads(capsys.readouterr().out)
    assert (again["forked_from"], again["turns"], again["prompt"]) == (made, 0, "First")
    assert main_with(["fork", "session-1", "--turn", "4"]) == 2
    assert main_with(["fork", "nowhere"]) == 2
    assert main_with(["sessions", "list"]) == 0
    listed = capsys.readouterr().out
    assert "fork of session-1 after turn 2" in listed
    assert "from its beginning" in listed
    with Store.open() as store:
        assert [run.turn for run in store.runs(made)] == [2]

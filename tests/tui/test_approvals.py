"""The approval card: it shows exactly what will run, decides each way, and never takes a key meant for writing."""

from __future__ import annotations

import time
from collections.abc import Sequence
from pathlib import Path

from textual import events
from textual.events import Key

from runner.messages import ToolResult
from runner.models.base import Chunk
from runner.testing import calls, reply
from tests.tui.cockpit import Deck, cockpit
from tui.arming import QUIET
from tui.widgets.choices import Choices


def write_call(name: str = "new.txt", content: str = "hello\n") -> Sequence[Chunk]:
    return calls(("write_file", {"path": name, "content": content}))


def shell_call(command: str) -> Sequence[Chunk]:
    return calls(("shell", {"command": command}))


def result_of(deck: Deck, request: int = 1) -> ToolResult:
    """The last tool result that the model was told in a request."""
    return [message for message in deck.model.requests[request].messages if isinstance(message, ToolResult)][-1]


async def ask(deck: Deck, text: str = "do it") -> None:
    await deck.send(text)
    await deck.waiting()


async def test_the_card_shows_the_diff_and_allows_once(tmp_path: Path) -> None:
    (tmp_path / "a.txt").write_text("one\ntwo\n")
    steps = [
        reply(calls(("read_file", {"path": "a.txt"}))),
        reply(calls(("edit_file", {"path": "a.txt", "old": "two", "new": "three"}))),
        "Changed.",
    ]
    async with cockpit(tmp_path, steps) as deck:
        await ask(deck)
        shown = deck.screen_text()
        assert "edit_file wants to change a.txt" in shown
        assert "-two" in shown
        assert "+three" in shown
        await deck.armed()
        assert "armed" in deck.screen_text()
        await deck.pilot.press("y")
        await deck.ended()
        assert (tmp_path / "a.txt").read_text() == "one\nthree\n"
        assert not deck.card.display
        assert deck.composer.has_focus


async def test_the_card_shows_a_command_with_its_folder_and_marks_what_is_invisible(tmp_path: Path) -> None:
    async with cockpit(tmp_path, [reply(shell_call("echo safe\u202e\x1b[31m; true")), "ok"]) as deck:
        await ask(deck)
        shown = deck.screen_text()
        assert "$ echo safe⟦U+202E⟧␛[31m; true" in shown
        assert "\u202e" not in shown
        assert str(tmp_path)[-20:] in shown


async def test_denying_tells_the_model(tmp_path: Path) -> None:
    async with cockpit(tmp_path, [reply(write_call()), "As you wish."]) as deck:
        await ask(deck)
        await deck.armed()
        await deck.pilot.press("n")
        await deck.ended()
        assert not (tmp_path / "new.txt").exists()
        assert result_of(deck).status == "denied"


async def test_denying_with_a_reason_gives_the_model_the_reason(tmp_path: Path) -> None:
    async with cockpit(tmp_path, [reply(write_call()), "As you wish."]) as deck:
        await ask(deck)
        await deck.armed()
        await deck.pilot.press("d")
        await deck.until(lambda: deck.card.answering == "reason")
        await deck.pilot.press(*"yes but later")
        await deck.settle()
        assert "enter denies" in deck.screen_text()
        await deck.pilot.press("enter")
        await deck.ended()
        assert "yes but later" in result_of(deck).output
        assert not (tmp_path / "new.txt").exists()


async def test_allowing_for_the_run_asks_no_second_time(tmp_path: Path) -> None:
    steps = [reply(write_call("one.txt")), reply(write_call("two.txt")), "Both."]
    async with cockpit(tmp_path, steps) as deck:
        await ask(deck)
        await deck.armed()
        await deck.pilot.press("r")
        await deck.ended()
        assert (tmp_path / "one.txt").exists()
        assert (tmp_path / "two.txt").exists()


async def test_ending_the_run_from_the_card(tmp_path: Path) -> None:
    async with cockpit(tmp_path, [reply(write_call())]) as deck:
        await ask(deck)
        await deck.armed()
        await deck.pilot.press("x")
        await deck.ended()
        assert deck.view.run is not None
        assert deck.view.run.reason == "approval_terminated"
        assert not (tmp_path / "new.txt").exists()


async def test_several_are_counted_and_decided_one_by_one(tmp_path: Path) -> None:
    both = calls(
        ("write_file", {"path": "one.txt", "content": "1"}), ("write_file", {"path": "two.txt", "content": "2"})
    )
    async with cockpit(tmp_path, [reply(both), "Done."]) as deck:
        await deck.send("do it")
        await deck.until(lambda: len(deck.view.waiting) == 2)
        await deck.settle()
        assert "1 of 2" in deck.screen_text()
        assert "2 approvals" in deck.screen_text()
        await deck.armed()
        first = deck.card.request_id
        await deck.pilot.press("y")
        await deck.until(lambda: deck.card.request_id not in ("", first))
        assert not deck.card.arming.armed
        # A key that comes too early decides nothing, and that is said; at once, before any time passes.
        deck.card.rearm()
        deck.card.on_key(Key("y", "y"))
        assert "too early, not taken" in str(deck.card.choices.content)
        await deck.armed()
        await deck.pilot.press("n")
        await deck.ended()
        assert (tmp_path / "one.txt").exists()
        assert not (tmp_path / "two.txt").exists()


async def test_letters_in_the_composer_never_decide(tmp_path: Path) -> None:
    async with cockpit(tmp_path, [reply(write_call()), "Done."]) as deck:
        deck.composer.replace_all("my draft ")
        deck.conductor.submit("do it")
        await deck.waiting()
        assert deck.composer.has_focus
        await deck.pilot.press(*"yarndxe")
        await deck.settle()
        assert deck.composer.text == "my draft yarndxe"
        assert len(deck.view.waiting) == 1
        assert "letters go to your message" in deck.screen_text()
        await deck.pilot.press("ctrl+g")
        await deck.armed()
        await deck.pilot.press("y")
        await deck.ended()
        assert deck.composer.text == "my draft yarndxe"
        assert (tmp_path / "new.txt").exists()


async def test_the_card_takes_no_focus_from_somebody_who_is_writing(tmp_path: Path) -> None:
    async with cockpit(tmp_path, [reply(write_call()), "Done."]) as deck:
        await deck.send("do it")
        # An empty composer, but a key was pressed just now: the next letters may be a message.
        while not deck.view.waiting:
            await deck.pilot.press("a", "backspace")
        await deck.settle()
        assert deck.composer.has_focus or time.monotonic() - deck.app.last_input > QUIET


async def test_keys_before_the_quiet_moment_do_nothing(tmp_path: Path) -> None:
    async with cockpit(tmp_path, [reply(write_call()), "Done."]) as deck:
        deck.composer.replace_all("x")
        deck.conductor.submit("do it")
        await deck.waiting()
        await deck.pilot.press("ctrl+g", "y")
        await deck.settle()
        assert deck.card.has_focus
        assert len(deck.view.waiting) == 1
        assert not (tmp_path / "new.txt").exists()


async def test_a_burst_of_letters_is_typing_and_goes_to_the_message(tmp_path: Path) -> None:
    async with cockpit(tmp_path, [reply(write_call()), "Done."]) as deck:
        await ask(deck)
        await deck.armed()
        for letter in "yes please":
            key = "space" if letter == " " else letter
            deck.app.post_message(events.Key(key, letter))
        await deck.until(lambda: deck.composer.text == "yes please")
        await deck.settle()
        assert len(deck.view.waiting) == 1
        assert not (tmp_path / "new.txt").exists()


async def test_a_paste_never_decides(tmp_path: Path) -> None:
    async with cockpit(tmp_path, [reply(write_call()), "Done."]) as deck:
        await ask(deck)
        await deck.armed()
        deck.app.post_message(events.Paste("y"))
        await deck.until(lambda: deck.composer.text == "y")
        assert len(deck.view.waiting) == 1


async def test_a_click_decides_only_on_an_armed_choice(tmp_path: Path) -> None:
    async with cockpit(tmp_path, [reply(write_call()), "Done."]) as deck:
        deck.composer.replace_all("draft")
        deck.conductor.submit("do it")
        await deck.waiting()
        await deck.pilot.click(Choices, offset=(3, 1))
        await deck.settle()
        assert len(deck.view.waiting) == 1
        await deck.armed()
        await deck.pilot.click(Choices, offset=(3, 1))
        await deck.ended()
        assert (tmp_path / "new.txt").exists()


async def test_enter_on_the_card_denies_unless_another_choice_is_marked(tmp_path: Path) -> None:
    async with cockpit(tmp_path, [reply(write_call()), "Done."]) as deck:
        await ask(deck)
        await deck.armed()
        await deck.pilot.press("enter")
        await deck.ended()
        assert not (tmp_path / "new.txt").exists()


async def test_stop_while_asking_resolves_the_question(tmp_path: Path) -> None:
    async with cockpit(tmp_path, [reply(write_call())]) as deck:
        await ask(deck)
        await deck.armed()
        await deck.pilot.press("ctrl+c")
        await deck.ended()
        assert deck.view.run is not None
        assert deck.view.run.reason == "stopped"
        assert not deck.card.display
        assert not (tmp_path / "new.txt").exists()


async def test_the_whole_call_is_seen_on_its_own_screen_where_nothing_can_be_approved(tmp_path: Path) -> None:
    content = "".join(f"line {number}\n" for number in range(200))
    async with cockpit(tmp_path, [reply(write_call(content=content)), "Done."], size=(80, 24)) as deck:
        await ask(deck)
        await deck.until(lambda: "more lines" in deck.screen_text())
        await deck.armed()
        await deck.pilot.press("v")
        await deck.until(lambda: len(deck.app.screen_stack) == 2)
        await deck.pilot.press("end")
        await deck.until(lambda: "line 199" in deck.screen_text())
        await deck.pilot.press("y", "a", "escape")
        await deck.until(lambda: len(deck.app.screen_stack) == 1)
        assert len(deck.view.waiting) == 1
        assert not (tmp_path / "new.txt").exists()


async def test_the_output_of_a_running_command_is_seen_live(tmp_path: Path) -> None:
    command = "echo begun; while [ ! -e go ]; do sleep 0.02; done; echo over"
    async with cockpit(tmp_path, [reply(shell_call(command)), "Ran."]) as deck:
        await ask(deck)
        await deck.armed()
        await deck.pilot.press("y")
        await deck.until(lambda: "shell prints" in deck.screen_text() and "begun" in deck.screen_text())
        assert "running shell" in deck.screen_text()
        (tmp_path / "go").touch()
        await deck.ended()
        assert "✓ ok" in deck.screen_text()

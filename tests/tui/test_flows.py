"""What a person does on the screen, end to end: real runner, real tools, a scripted model."""

from __future__ import annotations

from decimal import Decimal
from pathlib import Path

from runner.testing import ScriptedModel, calls, hold, reply, text
from runner.usage import Price
from tests.tui.cockpit import cockpit


async def test_a_message_is_answered_and_metered(tmp_path: Path) -> None:
    price = Price(input=Decimal(3), output=Decimal(15))
    async with cockpit(tmp_path, [reply(text("Ahoy from the **deck**."))], price=price) as deck:
        await deck.send("hello there")
        await deck.ended()
        shown = deck.screen_text()
        assert "hello there" in shown
        assert "Ahoy from the deck." in shown
        assert "done in" in shown
        assert "$0.0001" in shown
        assert deck.composer.text == ""


async def test_an_unknown_price_is_said_and_never_shown_as_nothing(tmp_path: Path) -> None:
    async with cockpit(tmp_path, ["Fine."]) as deck:
        await deck.send("hello")
        await deck.ended()
        shown = deck.screen_text()
        assert "cost    run unknown" in shown
        assert "session unknown" in shown


async def test_streaming_is_seen_before_the_answer_is_complete(tmp_path: Path) -> None:
    gate = hold()
    async with cockpit(tmp_path, [reply(text("The first part,"), gate, text(" and the rest."))]) as deck:
        await deck.send("go on")
        await deck.until(lambda: "The first part," in deck.screen_text())
        assert "streaming" in deck.screen_text()
        assert "and the rest" not in deck.screen_text()
        gate.release()
        await deck.ended()
        assert "The first part, and the rest." in deck.screen_text()


async def test_stop_lets_the_answer_finish_and_says_what_the_next_press_does(tmp_path: Path) -> None:
    gate = hold()
    async with cockpit(tmp_path, [reply(text("half "), gate, text("and half"))]) as deck:
        await deck.send("write")
        await deck.until(lambda: "half" in deck.screen_text())
        await deck.pilot.press("ctrl+c")
        await deck.until(lambda: deck.view.stopping)
        await deck.settle()
        assert "stopping: the answer is being finished" in deck.screen_text()
        assert "ctrl+c again aborts" in deck.screen_text()
        gate.release()
        await deck.ended()
        assert deck.view.run is not None
        assert deck.view.run.reason == "stopped"
        assert "half and half" in deck.screen_text()


async def test_stop_pressed_while_stopping_aborts(tmp_path: Path) -> None:
    gate = hold()
    async with cockpit(tmp_path, [reply(text("half "), gate, text("never"))]) as deck:
        await deck.send("write")
        await deck.until(lambda: "half" in deck.screen_text())
        await deck.pilot.press("escape")
        await deck.until(lambda: deck.view.stopping)
        await deck.pilot.press("escape")
        await deck.ended()
        assert deck.view.run is not None
        assert deck.view.run.reason == "aborted"
        assert deck.model.streams[0].ending in ("cancelled", "closed")
        assert "half" in deck.screen_text()


async def test_abort_works_at_once_while_the_message_has_the_focus(tmp_path: Path) -> None:
    gate = hold()
    async with cockpit(tmp_path, [reply(text("half "), gate, text("never"))]) as deck:
        await deck.send("write")
        await deck.until(lambda: "half" in deck.screen_text())
        deck.composer.replace_all("a draft")
        await deck.pilot.press("f9")
        await deck.ended()
        assert deck.view.run is not None
        assert deck.view.run.reason == "aborted"
        assert deck.composer.text == "a draft"


async def test_a_message_during_a_run_is_queued_seen_and_delivered(tmp_path: Path) -> None:
    gate = hold()
    first = reply(text("reading "), gate, calls(("list_files", {})))
    async with cockpit(tmp_path, [first, "Both done."]) as deck:
        await deck.send("first")
        await deck.until(lambda: "reading" in deck.screen_text())
        await deck.send("second thing")
        await deck.until(lambda: deck.view.queued == 1)
        await deck.settle()
        assert "1 message queued" in deck.screen_text()
        gate.release()
        await deck.ended()
        asked = [message.text for message in deck.model.requests[1].messages if message.role == "user"]
        assert asked == ["first", "second thing"]


async def test_a_queued_message_that_was_never_delivered_comes_back(tmp_path: Path) -> None:
    gate = hold()
    async with cockpit(tmp_path, [reply(text("half "), gate, text("never"))]) as deck:
        await deck.send("first")
        await deck.until(lambda: "half" in deck.screen_text())
        await deck.send("please also this")
        await deck.until(lambda: deck.view.queued == 1)
        deck.composer.replace_all("a draft")
        await deck.pilot.press("f9")
        await deck.ended()
        assert deck.composer.text == "please also this\na draft"


async def test_the_model_is_switched_in_the_middle_of_a_run(tmp_path: Path) -> None:
    gate = hold()
    other = ScriptedModel(["Second model here."], name="test/other")
    first = reply(text("looking "), gate, calls(("list_files", {})))
    async with cockpit(tmp_path, [first], others={"test/other": other}) as deck:
        await deck.send("look")
        await deck.until(lambda: "looking" in deck.screen_text())
        await deck.send("/model test/other")
        await deck.until(lambda: deck.view.model == "test/other")
        gate.release()
        await deck.ended()
        assert len(other.requests) == 1
        assert "Second model here." in deck.screen_text()


async def test_a_model_picked_from_the_list_answers_the_next_message(tmp_path: Path) -> None:
    async with cockpit(tmp_path, ["unused"]) as deck:
        await deck.pilot.press("ctrl+o")
        await deck.until(lambda: "Demo, built in" in deck.screen_text())
        await deck.pilot.press(*"demo/pilot")
        await deck.pilot.press("enter")
        await deck.until(lambda: deck.view.model == "demo/pilot")
        await deck.settle()
        assert "demo model, not a real one" in deck.screen_text()


async def test_a_model_can_be_switched_now_giving_up_the_open_request(tmp_path: Path) -> None:
    gate = hold()
    other = ScriptedModel(["From the other one."], name="test/other")
    async with cockpit(tmp_path, [reply(text("slow "), gate)], others={"test/other": other}) as deck:
        await deck.send("go")
        await deck.until(lambda: "slow" in deck.screen_text())
        await deck.pilot.press("ctrl+o")
        await deck.until(lambda: "ctrl+n now" in deck.screen_text() and "Demo, built in" in deck.screen_text())
        await deck.pilot.press(*"test/other")
        await deck.until(lambda: "Demo, built in" not in deck.screen_text() and "test/other" in deck.screen_text())
        await deck.pilot.press("ctrl+n")
        await deck.ended()
        assert deck.model.streams[0].ending in ("cancelled", "closed")
        assert "From the other one." in deck.screen_text()


async def test_retrying_is_counted_down_in_words(tmp_path: Path) -> None:
    from runner.errors import RateLimitError

    async with cockpit(tmp_path, [RateLimitError("slow down", retry_after=1.0), "Back again."]) as deck:
        await deck.send("try")
        await deck.until(lambda: "rate limit; again in" in deck.screen_text())
        await deck.ended()
        assert "Back again." in deck.screen_text()


async def test_a_session_is_found_again_and_continued(tmp_path: Path) -> None:
    async with cockpit(tmp_path, ["The sky is blue."]) as deck:
        await deck.send("which colour has the sky?")
        await deck.ended()
        session_id = deck.view.session_id
    async with cockpit(tmp_path, ["As I said: blue."]) as deck:
        await deck.pilot.press("ctrl+r")
        await deck.until(lambda: "which colour has the sky?" in deck.screen_text())
        assert "done" in deck.screen_text()
        await deck.pilot.press("enter")
        await deck.until(lambda: deck.view.session_id == session_id)
        await deck.settle()
        assert "The sky is blue." in deck.screen_text()
        await deck.send("again?")
        await deck.ended()
        history = [message.text for message in deck.model.requests[0].messages if message.role != "tool"]
        assert history == ["which colour has the sky?", "The sky is blue.", "again?"]
        assert "As I said: blue." in deck.screen_text()


async def test_the_last_session_of_the_folder_is_continued(tmp_path: Path) -> None:
    async with cockpit(tmp_path, ["One."]) as deck:
        await deck.send("first words")
        await deck.ended()
    async with cockpit(tmp_path, [], resume=True) as deck:
        await deck.until(lambda: "first words" in deck.screen_text())


async def test_the_theme_changes_live(tmp_path: Path) -> None:
    async with cockpit(tmp_path, ["Text."]) as deck:
        await deck.send("hello")
        await deck.ended()
        before = deck.app.theme
        await deck.pilot.press("ctrl+t")
        await deck.until(lambda: deck.app.theme != before)
        await deck.settle()
        assert "theme " in deck.screen_text()
        assert "Text." in deck.screen_text()


async def test_quitting_asks_while_a_run_goes_on_and_saves_it(tmp_path: Path) -> None:
    gate = hold()
    async with cockpit(tmp_path, [reply(text("half "), gate, text("never"))]) as deck:
        await deck.send("write")
        await deck.until(lambda: "half" in deck.screen_text())
        await deck.pilot.press("ctrl+q")
        await deck.settle()
        assert "aborts it, saves and quits" in deck.screen_text()
        await deck.pilot.press("escape")
        await deck.settle()
        assert "aborts it, saves and quits" not in deck.screen_text()
        assert not deck.view.stopping
        await deck.pilot.press("ctrl+q", "ctrl+q")
        await deck.until(lambda: deck.app.return_code is not None)
    assert deck.app.return_code == 0
    async with cockpit(tmp_path, [], resume=True) as again:
        await again.until(lambda: "half" in again.screen_text())
        assert again.view.run is not None
        assert again.view.run.reason == "aborted"


async def test_a_run_that_cannot_start_gives_the_message_back(tmp_path: Path) -> None:
    async with cockpit(tmp_path, []) as deck:
        await deck.send("/model no-such-provider/nothing")
        await deck.send("my long message")
        await deck.until(lambda: "not started" in deck.screen_text())
        assert deck.composer.text == "my long message"


async def test_the_prompt_of_the_command_line_is_sent(tmp_path: Path) -> None:
    async with cockpit(tmp_path, ["Answered."], prompt="from the shell") as deck:
        await deck.ended()
        assert "from the shell" in deck.screen_text()
        assert "Answered." in deck.screen_text()


async def test_pausing_and_continuing(tmp_path: Path) -> None:
    gate = hold()
    first = reply(text("looking "), gate, calls(("list_files", {})))
    async with cockpit(tmp_path, [first, "Done now."]) as deck:
        await deck.send("look")
        await deck.until(lambda: "looking" in deck.screen_text())
        await deck.pilot.press("f5")
        gate.release()
        await deck.until(lambda: deck.view.live is not None and deck.view.live.status == "paused")
        await deck.until(lambda: "f5 continues" in deck.screen_text())
        await deck.pilot.press("f5")
        await deck.ended()
        assert "Done now." in deck.screen_text()

"""Messages that wait for a run: seen above the message, read, edited, moved, deleted, and delivered at once."""

from __future__ import annotations

from collections.abc import AsyncGenerator
from contextlib import asynccontextmanager
from pathlib import Path

from runner.testing import calls, hold, reply, text
from runner.testing.gate import Gate
from tests.tui.cockpit import Deck, cockpit
from tui.widgets.queue_list import QueueList


@asynccontextmanager
async def waiting(folder: Path, *messages: str, size: tuple[int, int] = (120, 40)) -> AsyncGenerator[tuple[Deck, Gate]]:
    """A run in the middle of an answer, with messages that wait for its next turn."""
    gate = hold()
    first = reply(text("reading "), gate, calls(("list_files", {})))
    async with cockpit(folder, [first, "All done.", "After that."], size=size) as deck:
        await deck.send("first")
        await deck.until(lambda: "reading" in deck.screen_text())
        for message in messages:
            await deck.send(message)
        await deck.until(lambda: [item.text for item in deck.view.messages] == [*messages])
        await deck.settle()
        yield deck, gate


def queue(deck: Deck) -> QueueList:
    return deck.app.cockpit.query_one(QueueList)


def texts(deck: Deck) -> list[str]:
    return [item.text for item in deck.view.messages]


def in_the_run(deck: Deck) -> list[str]:
    """The waiting messages as the run itself has them."""
    run = deck.view.live
    return [item.text for item in run.queued] if run is not None else []


def asked(deck: Deck, request: int = 1) -> list[str]:
    """The messages of the person in a request."""
    return [message.text for message in deck.model.requests[request].messages if message.role == "user"]


async def to_the_list(deck: Deck) -> None:
    await deck.pilot.press("up")
    await deck.until(lambda: queue(deck).in_focus, "the list in focus")
    await deck.settle()


async def test_what_waits_is_seen_above_the_message_with_its_keys(tmp_path: Path) -> None:
    async with waiting(tmp_path, "second thing", "third thing") as (deck, gate):
        shown = deck.screen_text()
        assert "2 messages wait for the next turn — up edits · ctrl+s sends now" in shown
        assert shown.index("second thing") < shown.index("third thing")
        await to_the_list(deck)
        assert "enter edits · K/J moves · d deletes · n sends all now · esc back" in deck.screen_text()
        await deck.pilot.press("escape")
        await deck.until(lambda: deck.composer.has_focus)
        gate.release()
        await deck.ended()
        assert asked(deck) == ["first", "second thing", "third thing"]
        assert not queue(deck).display


async def test_a_waiting_message_is_edited_in_the_message_and_the_draft_comes_back(tmp_path: Path) -> None:
    async with waiting(tmp_path, "second thing", "third thing") as (deck, gate):
        await to_the_list(deck)
        await deck.pilot.press("up", "enter")
        await deck.until(lambda: deck.composer.text == "second thing")
        await deck.settle()
        assert "enter saves the change · esc leaves it as it was" in deck.screen_text()
        await deck.pilot.press(*", changed", "enter")
        await deck.until(lambda: in_the_run(deck) == ["second thing, changed", "third thing"])
        assert deck.composer.text == ""
        gate.release()
        await deck.ended()
        assert asked(deck) == ["first", "second thing, changed", "third thing"]


async def test_escape_leaves_the_message_as_it_was_and_loses_nothing(tmp_path: Path) -> None:
    async with waiting(tmp_path, "second thing") as (deck, _):
        await to_the_list(deck)
        await deck.pilot.press("escape", *"my draft", "alt+q")
        await deck.until(lambda: queue(deck).in_focus)
        await deck.pilot.press("enter")
        await deck.until(lambda: deck.composer.text == "second thing")
        await deck.pilot.press(*" or not", "escape")
        await deck.until(lambda: deck.composer.text == "my draft")
        assert in_the_run(deck) == ["second thing"]
        assert not deck.view.stopping
        await deck.pilot.press("ctrl+a", "up")
        await deck.until(
            lambda: deck.composer.text == "second thing or not", "what was written, among the earlier ones"
        )


async def test_a_message_is_moved_deleted_and_brought_back(tmp_path: Path) -> None:
    async with waiting(tmp_path, "one", "two", "three") as (deck, gate):
        await to_the_list(deck)
        await deck.pilot.press("shift+up", "shift+up")
        await deck.until(lambda: in_the_run(deck) == ["three", "one", "two"])
        await deck.pilot.press("shift+down")
        await deck.until(lambda: in_the_run(deck) == ["one", "three", "two"])
        await deck.pilot.press("delete")
        await deck.until(lambda: in_the_run(deck) == ["one", "two"])
        await deck.settle()
        assert "deleted: three, u brings it back" in deck.screen_text()
        await deck.pilot.press("u")
        await deck.until(lambda: in_the_run(deck) == ["one", "three", "two"])
        gate.release()
        await deck.ended()
        assert asked(deck) == ["first", "one", "three", "two"]


async def test_keys_mean_what_is_seen_also_before_the_run_has_answered(tmp_path: Path) -> None:
    async with waiting(tmp_path, "one", "two", "three") as (deck, _):
        await to_the_list(deck)
        deck.conductor.do("queue.earlier")
        deck.conductor.do("queue.earlier")
        assert texts(deck) == ["three", "one", "two"]
        deck.conductor.do("queue.delete")
        deck.conductor.do("queue.delete")
        assert texts(deck) == ["two"]
        await deck.until(lambda: in_the_run(deck) == ["two"])


async def test_letters_decide_only_alone_and_typing_goes_to_the_message(tmp_path: Path) -> None:
    async with waiting(tmp_path, "one", "two") as (deck, _):
        await to_the_list(deck)
        await deck.pilot.press(*"delete nothing")
        await deck.until(lambda: deck.composer.text == "delete nothing")
        await deck.settle()
        assert in_the_run(deck) == ["one", "two"]


async def test_a_letter_alone_is_a_key_of_the_list(tmp_path: Path) -> None:
    async with waiting(tmp_path, "one", "two") as (deck, _):
        await to_the_list(deck)
        await deck.pilot.press("K")
        await deck.until(lambda: in_the_run(deck) == ["two", "one"])
        await deck.pilot.press("d")
        await deck.until(lambda: in_the_run(deck) == ["one"])
        assert queue(deck).in_focus


async def test_what_waits_is_delivered_now_by_interrupting(tmp_path: Path) -> None:
    async with waiting(tmp_path, "second thing") as (deck, _):
        await to_the_list(deck)
        await deck.pilot.press("n")
        await deck.ended()
        assert deck.model.streams[0].ending in ("cancelled", "closed")
        assert asked(deck) == ["first", "second thing"]
        assert deck.composer.has_focus
        assert "All done." in deck.screen_text()


async def test_a_message_is_sent_now_by_interrupting(tmp_path: Path) -> None:
    async with waiting(tmp_path, "second thing") as (deck, _):
        deck.composer.replace_all("and this at once")
        await deck.pilot.press("ctrl+s")
        await deck.ended()
        assert asked(deck) == ["first", "second thing", "and this at once"]
        assert deck.composer.text == ""


async def test_sending_now_with_an_empty_message_delivers_what_waits(tmp_path: Path) -> None:
    async with waiting(tmp_path, "second thing") as (deck, _):
        await deck.pilot.press("ctrl+s")
        await deck.ended()
        assert asked(deck) == ["first", "second thing"]


async def test_nothing_to_deliver_is_said(tmp_path: Path) -> None:
    async with waiting(tmp_path) as (deck, _):
        await deck.pilot.press("ctrl+s")
        await deck.settle()
        assert "no message waits for delivery" in deck.screen_text()
        await deck.pilot.press("alt+q")
        await deck.settle()
        assert "no message waits for delivery" in deck.screen_text()
        assert deck.composer.has_focus


async def test_a_message_delivered_while_it_is_edited_becomes_a_new_one(tmp_path: Path) -> None:
    async with waiting(tmp_path, "second thing") as (deck, gate):
        deck.composer.replace_all("draft")
        await deck.pilot.press("alt+q")
        await deck.until(lambda: queue(deck).in_focus)
        await deck.pilot.press("enter")
        await deck.until(lambda: deck.composer.text == "second thing")
        await deck.pilot.press(*", better")
        gate.release()
        await deck.until(lambda: not deck.view.messages)
        await deck.ended()
        assert deck.composer.text == "second thing, better"
        assert "it was delivered meanwhile; what you write here is a new message" in deck.screen_text()
        await deck.pilot.press("enter")
        await deck.until(lambda: len(deck.model.requests) == 3)
        assert asked(deck, 2)[-1] == "second thing, better"
        assert deck.composer.text == "draft"


async def test_an_untouched_edit_ends_when_its_message_is_delivered(tmp_path: Path) -> None:
    async with waiting(tmp_path, "second thing") as (deck, gate):
        deck.composer.replace_all("draft")
        await deck.pilot.press("alt+q")
        await deck.until(lambda: queue(deck).in_focus)
        await deck.pilot.press("enter")
        await deck.until(lambda: deck.composer.text == "second thing")
        gate.release()
        await deck.ended()
        assert deck.composer.text == "draft"


async def test_the_edited_text_stays_when_the_run_ends_before_its_delivery(tmp_path: Path) -> None:
    async with waiting(tmp_path, "one", "two") as (deck, _):
        await to_the_list(deck)
        await deck.pilot.press("enter")
        await deck.until(lambda: deck.composer.text == "two")
        await deck.pilot.press(*" changed", "f9")
        await deck.ended()
        assert deck.composer.text == "one\ntwo changed"
        assert "before your queued message was delivered" in deck.screen_text()


async def test_up_from_the_first_one_goes_on_to_earlier_messages(tmp_path: Path) -> None:
    async with waiting(tmp_path, "one", "two") as (deck, _):
        await to_the_list(deck)
        await deck.pilot.press("up", "up")
        await deck.until(lambda: deck.composer.text == "two")
        assert deck.composer.has_focus
        await deck.pilot.press("up", "up")
        await deck.until(lambda: deck.composer.text == "first")
        assert in_the_run(deck) == ["one", "two"]


async def test_the_last_one_that_is_deleted_is_found_among_the_earlier_messages(tmp_path: Path) -> None:
    async with waiting(tmp_path, "one") as (deck, _):
        await to_the_list(deck)
        await deck.pilot.press("delete")
        await deck.until(lambda: not in_the_run(deck) and deck.composer.has_focus)
        await deck.settle()
        assert "deleted: one, up brings it back" in deck.screen_text()
        await deck.pilot.press("up")
        await deck.until(lambda: deck.composer.text == "one")


async def test_another_session_leaves_the_edit_where_it_was(tmp_path: Path) -> None:
    async with waiting(tmp_path, "one") as (deck, _):
        await to_the_list(deck)
        await deck.pilot.press("enter")
        await deck.until(lambda: deck.composer.text == "one")
        await deck.pilot.press(*" changed", "ctrl+n")
        await deck.until(lambda: deck.composer.text == "")
        assert not queue(deck).display
        (run,) = deck.conductor.deck._live.values()  # pyright: ignore[reportPrivateUsage]
        assert [item.text for item in run.queued] == ["one"]


async def test_a_small_screen_has_the_list_too(tmp_path: Path) -> None:
    async with waiting(tmp_path, "one thing", "two things", size=(40, 10)) as (deck, _):
        assert "2 waiting" in deck.screen_text()
        await to_the_list(deck)
        assert "two things" in deck.screen_text()
        await deck.pilot.press("shift+up")
        await deck.until(lambda: in_the_run(deck) == ["two things", "one thing"])

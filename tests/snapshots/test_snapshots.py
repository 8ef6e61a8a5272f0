"""What every screen looks like, in both sizes and both themes; `make snapshots` takes changes over, to be looked at."""

from __future__ import annotations

from contextlib import AbstractAsyncContextManager
from decimal import Decimal
from pathlib import Path
from typing import Protocol

import pytest

from runner.events import (
    ErrorInfo,
    ErrorOccurred,
    Event,
    LimitReached,
    MessageQueued,
    Paused,
    RetryScheduled,
    RunFinished,
    StatusChanged,
    StopRequested,
    TextDelta,
    ToolFinished,
    ToolOutputDelta,
    ToolStarted,
    TurnFinished,
)
from tests.snapshots.kept import SERVERS, SESSION, Processes, fill_the_store
from tests.snapshots.played import (
    BOTH,
    EDIT,
    FETCH,
    GREP,
    TIDES,
    asking,
    asks,
    call,
    proposed,
    question,
    request,
    respond,
    talk,
)
from tests.snapshots.stage import SEEN, Stage, stage
from tests.tui.transcript_runs import Feed
from tui.engine import Engine
from tui.widgets.limit_card import LimitCard

LISTS = (
    ("alt+g", "grants", "grep -rn mean_level"),
    ("alt+d", "decisions", "rm -rf harbours"),
    ("alt+s", "servers", "harbour-master"),
    ("alt+p", "processes", "gauge"),
    ("alt+u", "undo", "Undo"),
    ("alt+t", "trial", "rule"),
    ("alt+c", "settings", "theme"),
)
"""Keys of lists, the names of their pictures, and what is there when they are."""


class Open(Protocol):
    def __call__(self, **options: object) -> AbstractAsyncContextManager[Stage]: ...


@pytest.fixture
def opened(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Open:
    return lambda **options: stage(tmp_path, monkeypatch, options=options)


def finished(feed: Feed, reason: str = "complete", status: str = "completed") -> RunFinished:
    state = feed.state
    return RunFinished(
        status=status, reason=reason, usage=state.usage, cost_usd=state.cost.total, turns=2, seconds=9, active_seconds=9
    )


async def test_before_anything_is_said(opened: Open) -> None:
    async with opened() as screen:
        # The first start is greeted once the store is open.
        await screen.deck.until(lambda: "Tour" in screen.deck.screen_text(), "the greeting")
        await screen.snap("welcome")
        screen.deck.composer.focus()
        await screen.press("slash", "t")
        await screen.snap("completion")
        await screen.press("escape", "ctrl+u")
        await screen.open("f1")
        await screen.snap("help")
        await screen.close()
        await screen.open("ctrl+p")
        await screen.snap("palette")
        await screen.close()
        await screen.open("ctrl+o")
        await screen.press(*"demo")
        await screen.deck.until(lambda: "flaky" in screen.deck.screen_text(), "the models")
        await screen.snap("models")


async def test_a_run_from_its_first_word_to_its_end(opened: Open) -> None:
    async with opened() as screen:
        feed = talk()
        await screen.play(feed)
        feed(finished(feed))
        await screen.play(feed)
        await screen.snap("answer")
        second = Feed("run-2", "now measure again, and wait for me")
        second.mono = feed.mono
        request(second)
        await screen.play(second, TextDelta(text="I begin with *Oslo*, because it is the "), ahead=3.0)
        await screen.snap("streaming")
        sleep = call(21, "shell", {"command": "python measure.py --all"})
        respond(second, "I begin with *Oslo*, because it is the nearest.", sleep)
        await screen.play(
            second,
            *proposed(sleep),
            ToolStarted(call_id=sleep.call_id, tool="shell"),
            ToolStarted(call_id=sleep.call_id, tool="shell", name="python", pid=4242, pgid=4242),
            ToolOutputDelta(call_id=sleep.call_id, text="Oslo 0.41\nBrest 4.09\n"),
            ahead=4.0,
        )
        await screen.snap("tool_running")
        await screen.play(
            second,
            MessageQueued(message_id="m1", text="and look at Lisbon too"),
            MessageQueued(message_id="m2", text="then write it all down"),
        )
        await screen.press("alt+q")
        await screen.snap("queue")
        await screen.press("escape")
        await screen.play(second, StopRequested(), StatusChanged(old="running", new="stopping"), ahead=2.0)
        await screen.snap("stopping")
        await screen.play(
            second,
            ToolFinished(
                call_id=sleep.call_id,
                tool="shell",
                status="interrupted",
                output="Oslo 0.41\nBrest 4.09\n",
                side_effects="unknown",
            ),
            StatusChanged(old="stopping", new="cancelled"),
            finished(second, "aborted", "cancelled"),
        )
        await screen.snap("aborted")


async def test_what_is_asked_of_a_person(opened: Open) -> None:
    async with opened() as screen:
        await screen.play(asking(*asks(EDIT)), ahead=8.0)
        await screen.deck.armed()
        await screen.snap("approval_diff")
        await screen.deck.open_form("f", "allow_for")
        await screen.snap("approval_allow_for")
        await screen.press("escape")
        await screen.deck.open_form("e", "edit")
        await screen.snap("approval_edit")
        await screen.press("escape")
        await screen.deck.armed()
        await screen.open("v")
        await screen.snap("viewer")


@pytest.mark.parametrize(
    ("name", "made"),
    [
        ("approval_command", asks(GREP)),
        ("approval_url", asks(FETCH)),
        ("approval_files", asks(BOTH)),
        ("question", question()),
    ],
)
async def test_each_kind_of_question(opened: Open, name: str, made: tuple[Event, ...]) -> None:
    async with opened() as screen:
        await screen.play(asking(*made), ahead=8.0)
        await screen.deck.armed()
        await screen.snap(name)


async def test_when_something_goes_wrong(opened: Open) -> None:
    async with opened() as screen:
        feed = Feed("run-1", "what is here?")
        request(feed)
        limit = ErrorInfo(type="rate_limit", message="slow down, please", status_code=429, retryable=True)
        await screen.play(feed, RetryScheduled(error=limit, delay=20.0, next_model="demo/pilot"), ahead=8.0)
        await screen.snap("retry")
        await screen.play(
            feed,
            ErrorOccurred(
                error=ErrorInfo(type="authentication", message="no key; set TEST_API_KEY", action="abort"), fatal=True
            ),
            StatusChanged(old="running", new="failed"),
            finished(feed, "error", "failed"),
        )
        await screen.snap("failed")


async def test_at_a_limit(opened: Open) -> None:
    async with opened() as screen:
        feed = talk()
        await screen.play(
            feed,
            LimitReached(limit="max_turns", used=Decimal(2), value=Decimal(2), asks=True),
            Paused(by="limit", limit="max_turns"),
            ahead=5.0,
        )
        card = screen.app.cockpit.query_one(LimitCard)
        await screen.deck.until(lambda: card.has_focus and card.arming.armed)
        await screen.snap("limit")


async def test_reading_it_again(opened: Open) -> None:
    async with opened() as screen:
        feed = talk()
        request(feed)
        respond(feed, "I change it.", EDIT)
        done = ToolFinished(
            call_id=EDIT.call_id,
            tool="edit_file",
            output="edited tides.py",
            display={"type": "diff", "path": "tides.py", "diff": TIDES, "added": 1, "removed": 1},
            seconds=0.1,
        )
        feed(*proposed(EDIT), ToolStarted(call_id=EDIT.call_id, tool="edit_file"), done, TurnFinished(tool_calls=1))
        await screen.play(feed)
        await screen.play(feed, finished(feed))
        await screen.press("alt+up", "k", "enter")
        await screen.snap("unfolded")
        await screen.press("escape", "f11", *"level", "enter")
        await screen.snap("search")
        await screen.press("escape", "escape", "alt+a")
        await screen.snap("axis")
        await screen.press("escape")
        await screen.open("alt+l")
        await screen.deck.until(lambda: "total: 3 requests" in screen.deck.screen_text(), "the ledger")
        await screen.snap("ledger")
        await screen.close()
        await screen.press("alt+z")
        await screen.deck.until(lambda: not screen.app.cockpit.query_one("#axis").display, "zen")
        await screen.snap("zen")


async def test_the_lists(opened: Open, monkeypatch: pytest.MonkeyPatch) -> None:
    fill_the_store()
    async with opened() as screen:
        screen.deck.conductor.servers.heard(SERVERS)
        await screen.open("ctrl+r")
        await screen.deck.until(lambda: "compare the harbours" in screen.deck.screen_text())
        await screen.snap("sessions")
        await screen.press("enter")
        await screen.deck.until(
            lambda: screen.deck.view.session_id == SESSION and screen.app.screen is screen.app.cockpit
        )
        monkeypatch.setattr(Engine, "processes", Processes())
        for key, name, known in LISTS:
            await screen.open(key)
            await screen.deck.until(lambda known=known: known in screen.deck.screen_text(), name)
            await screen.snap(name)
            await screen.close()


def test_every_picture_is_of_a_story() -> None:
    """Nothing is kept that nobody compares."""
    source = "".join(file.read_text(encoding="utf-8") for file in Path(__file__).parent.glob("test_*.py"))
    assert [file.stem for file in SEEN.glob("*.txt") if f'"{file.stem}"' not in source] == []

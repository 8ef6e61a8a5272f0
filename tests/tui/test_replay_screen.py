"""A stored session on the screen again: at its end it says what the screen said when it was live."""

from __future__ import annotations

import sqlite3
from collections.abc import Callable
from contextlib import closing
from dataclasses import replace
from decimal import Decimal
from pathlib import Path

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from runner.errors import RateLimitError
from runner.review import reel as reels
from runner.review.player import Player
from runner.store import Store
from runner.testing import ScriptedModel, calls, hold, reasoning, reply, text
from runner.usage import Price
from tests.review.test_player import RUNS, recorded, reel_of
from tests.store.making import write
from tests.tui.cockpit import Deck, cockpit
from tui.meters import meters
from tui.render.document import Document
from tui.render.model import TranscriptModel
from tui.replaying.frames import Frames
from tui.replaying.loading import LeftError, load
from tui.replaying.words import Target, clock, damage_words, read_target, waiting_words
from tui.screens.replay import ReplayScreen
from tui.speed import recorded_line
from tui.view import View, totals
from tui.widgets.timeline import Timeline
from tui.widgets.transcript import Transcript
from tui.words import fit

PRICE = Price(input=Decimal(3), output=Decimal(15))
OTHER = "test/other"


def said(transcript: Transcript) -> str:
    """The whole transcript, as it is copied."""
    return "\n\n".join(section.view.copy() for section in transcript.document.sections)


def rows(timeline: Timeline) -> list[str]:
    """The calls as lines of 80 cells."""
    return [fit(timeline.draw(call, 80, False).plain, 80) for call in timeline._calls]  # pyright: ignore[reportPrivateUsage]


def measured(view: View) -> str:
    """The meters, but for what all sessions cost today, which was another day then."""
    return meters(replace(totals(view), today=None, today_estimated=False), 60).plain


def replay(deck: Deck) -> ReplayScreen:
    screen = deck.app.screen
    assert isinstance(screen, ReplayScreen)
    return screen


async def opened(deck: Deck) -> ReplayScreen:
    """By its key, with the recording loaded."""
    await deck.pilot.press("alt+shift+r")
    await deck.until(lambda: isinstance(deck.app.screen, ReplayScreen) and replay(deck).steering is not None)
    return replay(deck)


async def decide(deck: Deck, key: str) -> None:
    await deck.waiting()
    await deck.armed()
    waited = deck.view.waiting
    await deck.pilot.press(key)
    await deck.until(lambda: not deck.card.deciding and deck.view.waiting != waited)


async def _live(deck: Deck) -> None:
    """Allowed and denied, an error with another attempt, another model, a message that waits, an abort."""
    await deck.send("begin")
    await decide(deck, "y")
    await decide(deck, "n")
    await deck.ended()
    await deck.send("once more")
    await deck.until(lambda: deck.view.retrying)
    await deck.pilot.press("f10")
    await deck.ended()
    deck.conductor.browsing.use_model(OTHER)
    await deck.send("and to the end")
    await deck.until(lambda: "never" in said(deck.app.cockpit.query_one(Transcript)))
    await deck.pilot.press("ctrl+c", "ctrl+c")
    await deck.ended()


async def test_at_its_end_it_says_what_the_live_screen_said(tmp_path: Path) -> None:
    script = [
        reply(*reasoning("I look first."), *text("Now two commands."), *calls(("shell", {"command": "echo 1"}))),
        reply(*calls(("shell", {"command": "rm -rf x"}))),
        "Both are **decided**.",
        [*text("Half of"), RateLimitError("slow down", retry_after=100.0)],
        reply(*calls(("list_files", {}), ("nothing_such", {})), *text("A list.")),
        "Done at last.",
    ]
    others = {OTHER: ScriptedModel([[*text("I never"), hold()]], name=OTHER)}
    async with cockpit(tmp_path, script, others=others, price=PRICE, size=(120, 40)) as deck:
        await _live(deck)
        live = deck.app.cockpit.query_one(Transcript), deck.app.cockpit.query_one(Timeline)
        await deck.settle()
        wanted = said(live[0]), rows(live[1]), measured(deck.view)
        screen = await opened(deck)
        await deck.pilot.press("end")
        await deck.until(lambda: "■ the end" in deck.screen_text())
        painter = screen.painter
        assert (said(painter.transcript), rows(painter.timeline), measured(screen.view)) == wanted
        assert screen.view.runs == deck.view.runs
        # Back and forth, it is the same again; nothing ticks while nothing plays.
        await deck.pilot.press("home", "right", "n", "n", "p", "m", "M", "end")
        await deck.until(lambda: said(painter.transcript) == wanted[0] and "■ the end" in deck.screen_text())
        await _looked_at(deck, screen)
        await deck.pilot.press("escape")
        await deck.until(lambda: deck.app.screen is deck.app.cockpit)


async def _looked_at(deck: Deck, screen: ReplayScreen) -> None:
    """An approval as it stood: to be read, not to be answered, whatever is pressed."""
    assert screen.steering is not None
    player = screen.steering.player
    await deck.pilot.press("home", "m", "m")
    await deck.until(lambda: "nothing can be answered here" in deck.screen_text())
    shown = deck.screen_text()
    assert "waiting for you: 1 approval" in shown
    assert "$ echo 1" in shown
    position = player.position
    await deck.pilot.press("y", "enter", "tab", "1")
    await deck.settle()
    assert player.position == position
    assert screen.view.waiting
    await deck.pilot.press("g", "5", "0", "%", "enter")
    await deck.until(lambda: player.moment == pytest.approx(player.course.length / 2))
    await deck.pilot.press("plus", "plus", "w")
    await deck.until(lambda: " 5x " in deck.screen_text() and "as long as they were" in deck.screen_text())
    await deck.pilot.click("#replay-strip", offset=(2, 2))
    await deck.until(lambda: player.moment == 0.0)
    await deck.pilot.press("space")
    await deck.until(lambda: "■ the end" in deck.screen_text() and player.at_end)


async def test_a_run_that_goes_on_meanwhile_is_told_of_and_a_session_is_found_by_its_id(tmp_path: Path) -> None:
    script = ["First.", reply(*calls(("shell", {"command": "echo 1"}))), "Second."]
    async with cockpit(tmp_path, script, size=(80, 24)) as deck:
        deck.conductor.submit("/replay nothing-such")
        await deck.until(lambda: "no session has the id 'nothing-such'" in deck.screen_text())
        await deck.pilot.press("escape")
        await deck.send("one")
        await deck.ended()
        first = deck.view.session_id
        assert first is not None
        await deck.pilot.press("ctrl+n")
        await deck.send("two")
        await deck.waiting()
        deck.conductor.submit(f"/replay {first}")
        await deck.until(lambda: isinstance(deck.app.screen, ReplayScreen) and replay(deck).steering is not None)
        await deck.until(lambda: "1 approval in a run waits for you now: esc goes back" in deck.screen_text())
        await deck.pilot.press("end")
        await deck.until(lambda: "First." in deck.screen_text())
        await deck.pilot.press("y", "escape")
        await deck.until(lambda: deck.app.screen is deck.app.cockpit)
        assert len(deck.view.waiting) == 1
        await deck.pilot.press("ctrl+g")
        await decide(deck, "y")
        await deck.ended()


@settings(deadline=None, max_examples=30)
@given(places=st.lists(st.integers(0, 40) | st.floats(0, 1), min_size=2, max_size=8))
def test_the_transcript_goes_anywhere_and_is_what_a_new_one_would_be(places: list[int | float]) -> None:
    player, model = Player(reel_of(RUNS)), TranscriptModel(Document(60))
    for place in places:
        if isinstance(place, int):
            player.seek(place)
        else:
            player.go(place * player.course.length)
        model.show(player.runs, player.now)
        new = TranscriptModel(Document(60))
        new.show(player.runs, player.now)
        assert _sections(model) == _sections(new)
        assert model.settled == new.settled
        for known in (model, new):
            # Heights are estimates until they are looked at.
            known.document.settle_up(known.document.end(), 10_000)
        assert model.document.total == new.document.total


def _sections(model: TranscriptModel) -> list[tuple[str, str, int, str, str]]:
    """What stands there, each item with what is said of its time and cost."""
    found = enumerate(model.document.sections)
    return [(each.view.key, each.view.kind, each.gap, each.view.copy(), model.stamp(at)) for at, each in found]


class Clock:
    """Time that passes where it is told to, and what was asked for at what time."""

    def __init__(self) -> None:
        self.now, self.due, self.passed = 0.0, list[tuple[float, Callable[[], None]]](), list[float]()
        self.more = True

    def later(self, seconds: float, do: Callable[[], None]) -> None:
        self.due.append((self.now + seconds, do))

    def frame(self, passed: float) -> bool:
        self.passed.append(passed)
        return self.more

    def run(self, until: float) -> None:
        while self.due and self.due[0][0] <= until:
            moment, do = self.due.pop(0)
            self.now = max(self.now, moment)
            do()
        self.now = until


def test_frames_come_one_at_a_time_and_only_while_something_moves() -> None:
    clock = Clock()
    frames = Frames(clock.later, clock.frame, a_second=10, terminal=None, now=lambda: clock.now, spent=lambda: 0.0)
    for _ in range(1000):
        frames.ask()
    assert len(clock.due) == 1
    clock.run(1.05)
    assert sum(clock.passed) == pytest.approx(1.0, abs=0.05)
    assert 10 <= len(clock.passed) <= 11
    # A halt of the machine is no jump of the recording.
    clock.now = 60.0
    clock.run(60.0)
    assert clock.passed[-1] == 0.5
    clock.more = False
    clock.run(61.0)
    assert not clock.due
    count = len(clock.passed)
    clock.run(1000.0)
    assert len(clock.passed) == count
    frames.ask()
    clock.run(1001.0)
    assert clock.passed[count:] == [0.0]


@pytest.mark.parametrize(
    ("typed", "target"),
    [
        ("90", Target(moment=90.0)),
        ("1:30", Target(moment=90.0)),
        (" 1:02:03 ", Target(moment=3723.0)),
        ("12.5 s", Target(moment=12.5)),
        ("40%", Target(moment=80.0)),
        ("#120", Target(event=120)),
        ("#1.5", None),
        ("#5%", None),
        ("soon", None),
        ("", None),
        ("-3", None),
    ],
)
def test_what_can_be_gone_to(typed: str, target: Target | None) -> None:
    assert read_target(typed, 200.0) == target


def test_words() -> None:
    assert [clock(seconds) for seconds in (0, 59.9, 61, 3723)] == ["0:00", "0:59", "1:01", "1:02:03"]
    assert waiting_words(0, limit=False, key="esc") == ""
    assert waiting_words(2, limit=False, key="") == "2 approvals in a run wait for you now"
    assert waiting_words(0, limit=True, key="q") == "a run, paused at a limit, waits for you now: q goes back"


def test_what_cannot_be_read_is_counted_and_loading_ends_where_nobody_waits(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    database = tmp_path / "sessions.db"
    with Store.open(database) as store:
        for maker in recorded():
            write(store, maker.events)
    with closing(sqlite3.connect(database)) as connection:
        connection.execute("UPDATE events SET json = '{broken' WHERE run_id = 'run-1' AND seq IN (3, 9)")
        connection.commit()
    with Store.open(database) as store:
        found = load(store, "session", lambda _: None)
        found.player.go(found.player.course.length)
        assert list(found.player.runs) == store.runs("session-1")
        assert damage_words(found.problems) == "2 parts of it are missing"

        def left(_: int) -> None:
            raise LeftError

        monkeypatch.setattr(reels, "TOLD_EVERY", 10)
        with pytest.raises(LeftError):
            load(store, "session-1", left)


def test_the_last_minute_of_the_recording_is_the_same_whoever_looked_at_it() -> None:
    player, other = Player(reel_of(RUNS), longest=5.0), Player(reel_of(RUNS), longest=5.0)
    shown: set[str] = set()
    while not player.at_end:
        player.play(0.7)
        other.go(other.course.length)
        other.go(player.moment)
        line = recorded_line(player.runs[-1], player.now, 15)
        assert line == recorded_line(other.runs[-1], other.now, 15)
        assert len(line) in (0, 15)
        shown.add(line)
    assert len(shown) > 5

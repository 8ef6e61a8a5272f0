"""The list of sessions over a real store: found, previewed, opened at the place, named, thrown away, brought back."""

from __future__ import annotations

import asyncio
import sqlite3
from collections.abc import Callable, Sequence
from datetime import UTC, datetime
from pathlib import Path
from typing import TypeVar

import pytest
from textual.widgets import Input

from runner.store import Store
from runner.store.base import SessionSummary
from runner.store.units import micros
from tests.store.making import Maker, write
from tests.tui.cockpit import Deck, cockpit
from tests.tui.recorded import record
from tui.screens.sessions import SessionsScreen
from tui.sessions.choice import Beyond
from tui.sessions.lines import HitLine, MoreLine, SessionLine

T = TypeVar("T")


@pytest.fixture
def recorded(isolated_environment: Path) -> None:
    with Store.open() as store:
        record(store, datetime.now(UTC))


async def opened(deck: Deck) -> SessionsScreen:
    await deck.pilot.press("ctrl+r")
    await deck.until(lambda: isinstance(deck.app.screen, SessionsScreen), "the list")
    screen = deck.app.screen
    assert isinstance(screen, SessionsScreen)
    await deck.until(lambda: screen.rows.summary is not None or "no session yet" in deck.screen_text(), "its lines")
    return screen


def filter_of(screen: SessionsScreen) -> Input:
    return screen.query_one("#sessions-filter", Input)


def is_editing(screen: SessionsScreen) -> bool:
    return screen.query_one("#sessions-edit").display


async def shows(deck: Deck, *texts: str) -> None:
    await deck.until(lambda: all(text in deck.screen_text() for text in texts), f"{texts}")


async def ask(deck: Deck, question: Callable[[Store], T]) -> T:
    return await asyncio.wrap_future(deck.app.engine.ask(question))


async def test_a_word_is_found_shown_in_its_place_and_opened_there(recorded: None, tmp_path: Path) -> None:
    async with cockpit(tmp_path, size=(110, 28)) as deck:
        screen = await opened(deck)
        await shows(deck, "Pinned", "Today", "2 forks", "interrupted", "10 sessions")
        assert "read tides.py" not in deck.screen_text()
        filter_of(screen).value = "tag:release mean_leve"
        await deck.pilot.press("end", "l", "f3")
        # The places stand under their session, and the first one is selected: enter is for that.
        await shows(deck, "output search", "call search", "Found here")
        assert isinstance(screen.rows.row, HitLine)
        assert screen.rows.session_id == "spring"
        before = len(screen.rows.hits["spring"])
        # A line with more places shows them where it is chosen, and stays where it is.
        while not isinstance(screen.rows.row, MoreLine):
            await deck.pilot.press("down")
        await deck.pilot.press("enter")
        await deck.until(lambda: len(screen.rows.hits.get("spring", ())) > before, "more places")
        assert screen.rows.row == HitLine("spring", 3)
        # The preview is scrolled with the keys of lists once it has the focus, and takes no click to get it.
        preview = screen.query_one("#sessions-preview")
        selected = screen.rows.selected
        await deck.pilot.press("tab", "tab", "end")
        await shows(deck, "2 files changed", "changed tests/test_tides.py")
        assert preview.has_focus
        assert screen.rows.selected == selected
        await deck.pilot.press("tab", "f3")
        # What is wrong with a filter is said, and the rest of it counts.
        filter_of(screen).value = "almanac model:sonnet cost>much"
        await shows(deck, "cost needs a number, not 'much'")
        filter_of(screen).value = "higher mean_level"
        await shows(deck, "Brest has the higher mean_level by 3.7")
        await deck.pilot.press("enter")
        await deck.until(lambda: deck.view.session_id == "compare" and deck.app.screen is deck.app.cockpit, "it")
        await shows(deck, "Brest has the higher mean_level by 3.7", "find higher mean_level", "1 of 1")


async def test_enter_counts_before_it_is_found_and_keys_lead_on(
    recorded: None, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Keys that come at once, and an index that knows nothing yet."""
    async with cockpit(tmp_path) as deck:
        await opened(deck)
        await deck.pilot.press(*"moon", "enter")
        await deck.until(lambda: deck.view.session_id == "moon" and deck.app.screen is deck.app.cockpit, "the session")
        # By its project; that is remembered, and escape changes nothing.
        screen = await opened(deck)
        await deck.pilot.press("f6")
        await shows(deck, "/home/ada/tidewater  7", "/home/ada/site  2")
        await deck.pilot.press("escape")
        await deck.until(lambda: deck.app.screen is deck.app.cockpit, "the cockpit")
        assert deck.view.session_id == "moon"
        again = await opened(deck)
        assert again is not screen
        assert again.rows.grouping == "project"
        assert "shown now · pinned" in deck.screen_text()
        # Two are marked and compared; other keys lead on too.
        led: list[tuple[str, str]] = []
        await deck.pilot.press("tab", "c")
        await shows(deck, "insert marks two sessions to compare")
        first = again.rows.session_id
        await deck.pilot.press("space", "down")
        second = again.rows.session_id
        left: list[object] = []
        with monkeypatch.context() as patched:
            patched.setattr(again, "leave", left.append)
            await deck.pilot.press("w", "e", "b")
        assert left == [Beyond("replay", second), Beyond("hand_on", second), Beyond("turns", second)]

        def lead(name: str, desk: object, argument: str) -> None:
            led.append((name, argument))

        monkeypatch.setattr("tui.browsing.open_panel", lead)
        await deck.pilot.press("c")
        await deck.until(lambda: deck.app.screen is deck.app.cockpit, "the cockpit")
        assert led == [("compare", f"{first} {second}")]


async def test_a_session_is_named_tagged_pinned_and_thrown_away(recorded: None, tmp_path: Path) -> None:
    async with cockpit(tmp_path, size=(120, 36)) as deck:
        screen = await opened(deck)
        filter_of(screen).value = "id:gauge"
        await deck.until(lambda: screen.rows.session_id == "gauge" and screen.rows.summary is not None, "the session")

        async def written(key: str, text: str) -> SessionSummary:
            before = screen.rows.summary
            await deck.pilot.press(key)
            await deck.until(lambda: is_editing(screen), "the field")
            await deck.pilot.press(*text, "enter")
            await deck.until(
                lambda: not is_editing(screen) and screen.rows.summary not in (None, before), "what was kept"
            )
            return await ask(deck, lambda store: store.session("gauge"))

        assert (await written("f2", "silence")).name == "silence"
        # The focus is in the lines now, where letters are keys.
        assert (await written("t", "broken Sea")).tags == ("broken", "sea")
        assert (await written("n", "wait")).note == "wait"
        await deck.pilot.press("r", *"never", "escape")
        assert not is_editing(screen)
        await deck.pilot.press("p")
        await shows(deck, "pinned: it stands above all others now", "Pinned")
        await deck.pilot.press("delete")
        await shows(deck, "“silence” is deleted; alt+u brings it back for 7 days", "Nothing matches this filter")
        await deck.pilot.press("u")
        await shows(deck, "it is back, as it was", "Pinned")
        after = await ask(deck, lambda store: store.session("gauge"))
        assert (after.name, after.pinned, after.tags, after.deleted) == ("silence", True, ("broken", "sea"), None)
        # The trash, out of which one goes for good only when it is asked for twice.
        filter_of(screen).value = ""
        await deck.pilot.press("f8")
        await shows(deck, "1 session in the trash", "read tides.py and say what it does")
        await deck.until(lambda: screen.rows.summary is not None, "the line")
        await deck.pilot.press("ctrl+d")
        await shows(deck, "for good? ctrl+d again does it")
        await deck.pilot.press("ctrl+d")
        await shows(deck, "is gone for good", "The trash is empty")
        await deck.pilot.press("f8")
        await shows(deck, "10 sessions")


async def test_what_runs_is_marked_and_is_not_deleted(tmp_path: Path) -> None:
    async with cockpit(tmp_path) as deck:
        await opened(deck)
        await shows(deck, "quarterdeck sessions import --from claude-code", "--from codex")
        await deck.pilot.press("escape")
        await deck.until(lambda: deck.app.screen is deck.app.cockpit, "the cockpit")
        with Store.open() as other:
            maker = Maker(run_id="run-live", session_id="live", start=datetime.now(UTC))
            maker.begin("count the waves")
            lease = other.lease("live")
            write(other, maker.events)
            await opened(deck)
            await shows(deck, "count the waves", "● ", "running")
            await deck.pilot.press("ctrl+d")
            await shows(deck, "it is running; stop it before deleting it")
            lease.release()


def many(sessions: int) -> None:
    """Rows of sessions, without any run."""
    with Store.open() as store:
        path = store.path
    now = micros(datetime.now(UTC))
    rows = [(f"s{number:05}", f"talk {number}", now - number * 60_000_000) for number in range(sessions)]
    with sqlite3.connect(path) as connection:
        connection.executemany(
            "INSERT INTO sessions(session_id, title, created, updated) VALUES (?1, ?2, ?3, ?3)",
            rows,
        )
    connection.close()


async def test_of_ten_thousand_sessions_only_those_are_read_that_are_seen(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    many(10_000)
    read: list[str] = []
    summaries = Store.summaries

    def counted(store: Store, ids: Sequence[str]) -> list[SessionSummary]:
        read.extend(ids)
        return summaries(store, ids)

    monkeypatch.setattr(Store, "summaries", counted)
    async with cockpit(tmp_path) as deck:
        screen = await opened(deck)
        await shows(deck, "10,000 sessions", "talk 0", "talk 20")
        height = screen.rows.size.height
        assert 0 < len(read) <= 3 * height + 100
        before = len(read)
        await deck.pilot.press("ctrl+end")
        await shows(deck, "talk 9999")
        assert isinstance(screen.rows.row, SessionLine)
        await deck.pilot.press(*("pageup",) * 6)
        await deck.until(lambda: screen.rows.summary is not None, "a page further up")
        # What is passed over while something is read is not read at all, and nothing is read twice.
        assert len(read) - before <= 7 * (height + 40)
        assert len(set(read)) == len(read)

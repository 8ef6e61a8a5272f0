"""The real screen in states that are the same each time: runs are played from events, and no model is asked."""

from __future__ import annotations

import asyncio
import difflib
import os
import pkgutil
import sys
import time
from collections.abc import AsyncGenerator, Callable, Generator, Mapping
from contextlib import asynccontextmanager, contextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta, tzinfo
from importlib import import_module
from pathlib import Path
from typing import Any, cast

import pytest
from textual.widgets import Input, TextArea

import themes
import tui
from runner.events import Event
from runner.testing import ScriptedModel
from runner.tools.sandbox import SandboxStatus
from tests.snapshots.notation import Names, Picture, picture_of, written
from tests.tui.cockpit import MODEL, Deck, ScriptedSettings
from tests.tui.transcript_runs import BEGINNING, Feed
from tui.app import QuarterdeckApp
from tui.engine import SandboxKnown
from tui.ports import Handle
from tui.render.code import LEXERS
from tui.settings.load import load_settings
from tui.view import View

SIZES = ((80, 24), (160, 48))
THEMES = ("quarterdeck-dark", "quarterdeck-light")
SEEN = Path(__file__).with_name("seen")
"""What the screens are known to look like."""

HOME = Path("/home/ada")
FOLDER = HOME / "tidewater"
"""Where the program seems to work; it is not there."""

# Read once, because the tests' own isolation takes every QUARTERDECK_ variable away.
WRITE = os.environ.get("QUARTERDECK_SNAPSHOTS", "") == "write"
MOST_DIFFERENCES = 120
ROUNDS = 50


class FixedTime(datetime):
    """The clock on the wall: an hour after the runs began."""

    @classmethod
    def now(cls, tz: tzinfo | None = None) -> FixedTime:
        moment = BEGINNING + timedelta(hours=1)
        return cast("FixedTime", moment.astimezone(tz or UTC))


def stop_the_clocks(monkeypatch: pytest.MonkeyPatch) -> None:
    """Every part of the interface that looks at the wall's clock sees the same time."""
    for module in pkgutil.walk_packages(tui.__path__, "tui."):
        if module.name.startswith(("tui.screens.", "tui.widgets.", "tui.render.", "tui.today", "tui.lists")):
            import_module(module.name)
    for name, module in list(sys.modules.items()):
        if name.startswith("tui.") and vars(module).get("datetime") is datetime:
            monkeypatch.setattr(module, "datetime", FixedTime)


@contextmanager
def in_utc() -> Generator[None]:
    """Times of day are shown as they are where the sun is over Greenwich."""
    before = os.environ.get("TZ")
    try:
        os.environ["TZ"] = "UTC"
        time.tzset()
        yield
    finally:
        os.environ.pop("TZ")
        if before is not None:
            os.environ["TZ"] = before
        time.tzset()


class SilentHandle:
    """A run that takes every command and does nothing."""

    def __init__(self, feed: Feed) -> None:
        self.run_id, self.session_id = feed.run_id, "session-1"

    def __getattr__(self, name: str) -> Callable[..., str]:
        return lambda *_, **__: ""


@dataclass(frozen=True)
class StillSettings(ScriptedSettings):
    """Settings of a folder that does not exist."""

    place: Path = FOLDER

    @property
    def cwd(self) -> Path:
        return self.place

    def chosen_model(self, agent: str | None = None) -> tuple[str, str]:
        return MODEL, "your settings name it"


@dataclass
class Stage:
    """A screen, what is played on it, and what differed from what it was known to look like."""

    deck: Deck
    feed: Feed = field(default_factory=Feed)
    ahead: float = 0.0
    """Seconds since the last event."""
    differences: list[str] = field(default_factory=list[str])

    @property
    def app(self) -> QuarterdeckApp:
        return self.deck.app

    def now(self) -> float:
        return self.feed.mono + self.ahead

    async def play(self, feed: Feed, *events: Event, ahead: float = 0.0) -> None:
        """Show a run as it is after these events, so many seconds after the last one."""
        feed(*events)
        deck = self.deck.conductor.deck
        self.feed, self.ahead = feed, ahead
        if not deck.is_live(feed.run_id) and not feed.state.finished:
            deck.began(cast("Handle", SilentHandle(feed)))
        deck.changed({feed.run_id: feed.state})
        await self.deck.settle()

    async def press(self, *keys: str) -> None:
        await self.deck.pilot.press(*keys)
        await self.deck.settle()

    async def open(self, *keys: str) -> None:
        """Keys that open another screen."""
        await self.press(*keys)
        await self.deck.until(lambda: self.app.screen is not self.app.cockpit, f"a screen by {keys}")

    async def close(self) -> None:
        await self.press("escape")
        await self.deck.until(lambda: self.app.screen is self.app.cockpit, "the cockpit")

    async def snap(self, name: str) -> None:
        """Compare the screen in both sizes and both themes with what is known of it."""
        pictures: dict[tuple[int, int], dict[str, Picture]] = {size: {} for size in SIZES}
        # A theme costs most, so the one that is on the screen comes first; the sizes go up, and down again.
        shown, other = self.app.theme, next(name for name in THEMES if name != self.app.theme)
        for theme, sizes in ((shown, SIZES), (other, SIZES[::-1])):
            if self.app.theme != theme:
                self.deck.conductor.looks.show(theme)
            for size in sizes:
                if self.app.size != size:
                    await self.deck.pilot.resize_terminal(*size)
                pictures[size][theme] = await self._still()
        names = Names(*(themes.load(name) for name in THEMES))
        pairs = {f"{wide}x{high}": tuple(each[name] for name in THEMES) for (wide, high), each in pictures.items()}
        text = written(cast("dict[str, tuple[Picture, Picture]]", pairs), names)
        self._compare(name, text)

    async def _still(self) -> Picture:
        """The screen, when nothing on it changes any more."""
        before: Picture | None = None
        for _ in range(ROUNDS):
            for area in self.app.screen.query("TextArea, Input"):
                assert isinstance(area, TextArea | Input)
                area.cursor_blink = False
            self.deck.conductor._painter._clock_at = float("-inf")  # pyright: ignore[reportPrivateUsage]
            self.deck.conductor.repaint()
            await self.deck.pilot.pause(0)
            picture = picture_of(cast("Any", self.app))
            if picture == before:
                return picture
            before = picture
        raise AssertionError(f"the screen does not come to rest:\n{self.deck.screen_text()}")

    def _compare(self, name: str, text: str) -> None:
        file = SEEN / f"{name}.txt"
        if WRITE:
            file.parent.mkdir(exist_ok=True)
            file.write_text(text, encoding="utf-8")
        known = file.read_text(encoding="utf-8") if file.exists() else ""
        if known != text:
            self.differences.append(difference(name, known, text))


def difference(name: str, known: str, text: str) -> str:
    """What differs, in lines that a person can read."""
    lines = list(difflib.unified_diff(known.splitlines(), text.splitlines(), "known", "seen", lineterm="", n=2))
    left_out = len(lines) - MOST_DIFFERENCES
    more = [f"… {left_out} lines more"] if left_out > 0 else []
    return "\n".join((f"{name} (make snapshots takes it over):", *lines[:MOST_DIFFERENCES], *more))


@asynccontextmanager
async def stage(
    folder: Path, monkeypatch: pytest.MonkeyPatch, *, options: Mapping[str, object] | None = None
) -> AsyncGenerator[Stage]:
    """An open screen; when it is left, whatever differed fails the test, all of it at once."""
    real = load_settings(folder, os.environ, dict(options or {}))
    stop_the_clocks(monkeypatch)
    # Code is plain until the lexer of its language is there, which a thread loads.
    await asyncio.to_thread(LEXERS.load, "python", "diff", "sh")
    model = ScriptedModel([], name=MODEL)
    app = QuarterdeckApp(StillSettings(real, model))
    try:
        async with app.run_test(size=SIZES[0]) as pilot:
            deck = Deck(app, pilot, model, folder)
            await deck.until(lambda: app.conductor is not None and app.conductor.deck.view().store_open, "the store")
            playing = Stage(deck)
            deck.conductor.deck._mono = playing.now  # pyright: ignore[reportPrivateUsage]
            # What the store knows of today comes once, before the runs that are played and that it never sees.
            await deck.until(lambda: deck.conductor.today.known, "what today cost")
            monkeypatch.setattr(deck.conductor.today, "refresh", lambda: None)
            await deck.until(lambda: deck.conductor.beside.add_to(View()).sandbox is not None, "the sandbox")
            # What this machine has is not what is shown.
            deck.conductor.hearing.heard(SandboxKnown(SandboxStatus(on=True, how="bwrap", wanted=True)))
            await deck.settle()
            yield playing
            assert not playing.differences, "\n\n".join(playing.differences)
    finally:
        await asyncio.wrap_future(app.engine.shutdown())

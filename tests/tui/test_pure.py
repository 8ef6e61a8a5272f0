"""The parts of the screen that are pure: words, meters, frames, arming."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from decimal import Decimal

import pytest
from rich.cells import cell_len

from runner.events import (
    Event,
    ModelRequested,
    ModelResponded,
    RunFinished,
    RunStarted,
    TextDelta,
    ToolProposed,
    ToolStarted,
)
from runner.hub import Hub
from runner.messages import UserMessage
from runner.state import RunState, fold
from runner.usage import Cost, Usage
from tui import words
from tui.arming import QUIET, Arming
from tui.bridge import Bridge
from tui.keymap import keymap
from tui.lines import key_line, status_line
from tui.meters import meters, meters_line
from tui.view import View, totals

KEYS = keymap()


def run_of(*events: Event) -> RunState:
    return fold([RunStarted(run_id="r", session_id="s", seq=1, mono=100.0, input=(UserMessage(text="hi"),)), *events])


def view_of(*events: Event, now: float = 112.0, model: str = "m") -> View:
    return View(agent="deck", model=model, runs=(run_of(*events),), store_open=True, session_id="s", now=now)


REQUEST = ModelRequested(model="m", seq=2, mono=100.0)
CALL = ToolProposed(call_id="c", tool="shell", arguments={"command": "pytest -q"}, seq=3, mono=100.0)


@pytest.mark.parametrize("width", range(20, 200, 7))
def test_the_lines_fit_whatever_the_width(width: int) -> None:
    views = [
        view_of(CALL, ToolStarted(call_id="c", mono=100.0, seq=4), model="demo/pilot"),
        view_of(REQUEST, model="some-provider/with/a/very-long-model-name-2026-11-20"),
        View(agent="deck", model=""),
    ]
    for plain in views:
        view = replace(plain, model_is_demo=plain.model.startswith("demo/"))
        for content in (status_line(view, KEYS, width), key_line(view, KEYS, width)):
            assert cell_len(content.plain) <= width
        assert cell_len(meters_line(totals(view), width).plain) <= width
        assert all(cell_len(line.plain) <= width for line in meters(totals(view), width).split())


def test_a_demo_model_is_called_one_at_every_width() -> None:
    for width in range(40, 200, 5):
        view = View(agent="deck", model="demo/pilot", model_is_demo=True, store_open=True)
        assert "demo" in status_line(view, KEYS, width).plain


def test_cost_is_said_in_words() -> None:
    assert words.cost(Cost(known=Decimal("0.01234"), unknown=0)) == "$0.0123"
    assert words.cost(Cost(known=Decimal(0), unknown=2)) == "unknown"
    assert words.cost(Cost(known=Decimal("1.5"), unknown=1)) == "$1.50 + unknown"
    assert words.cost(Cost(known=Decimal("0.5"), unknown=0), estimated=True) == "~$0.5000"
    assert words.cost(Cost(known=Decimal(0), unknown=0), estimated=True) == "$0"
    assert words.cost(Cost(known=Decimal("0.5"), unknown=1), estimated=True) == "~$0.5000 + unknown"
    assert words.money(Decimal("0.00001")) == "under $0.0001"
    assert words.money(Decimal(0)) == "$0"


def test_numbers_in_words() -> None:
    assert [words.duration(seconds) for seconds in (0.44, 12.3, 65, 3899, -1)] == [
        "0.4 s",
        "12 s",
        "1 min 05 s",
        "1 h 04 min",
        "0.0 s",
    ]
    assert [words.tokens(count) for count in (812, 12_345, 1_234_567)] == ["812", "12.3k", "1.23M"]
    assert [words.window(count) for count in (None, 128_000, 1_048_576)] == ["?", "128k", "1.05M"]
    assert [words.about(count) for count in (0, 812, 9000, 9950, 41_600, 999_499, 999_500, 1_240_000)] == [
        "~0",
        "~812",
        "~9.0k",
        "~10k",
        "~42k",
        "~999k",
        "~1.0M",
        "~1.2M",
    ]
    assert [words.about_money(Decimal(dollars)) for dollars in ("0", "0.00001", "0.00421", "0.131", "12.3")] == [
        "~$0",
        "~$0.0001",
        "~$0.0042",
        "~$0.13",
        "~$12.30",
    ]
    assert [words.seconds(amount) for amount in (-1, 2.99, 59.9, 65)] == ["0 s", "2 s", "59 s", "1 min 05 s"]
    assert [words.span(amount) for amount in (-1, 40, 240, 7200, 90_000)] == [
        "0 s",
        "40 s",
        "4 min",
        "2 h",
        "over a day",
    ]
    assert words.price(Decimal("3.00")) == "$3"
    assert words.price(Decimal("0.0375")) == "$0.038"
    assert words.price(Decimal("0.0001")) == "$0.0001"
    now = datetime(2026, 5, 1, tzinfo=UTC)
    ages = [timedelta(seconds=5), timedelta(minutes=5), timedelta(hours=3), timedelta(days=2), timedelta(days=40)]
    assert [words.ago(now - age, now) for age in ages] == ["just now", "5 min ago", "3 h ago", "2 d ago", "2026-03-22"]


def test_texts_are_cut_by_cells() -> None:
    assert words.cut("日本語テキスト", 7) == "日本語…"
    assert words.fit("ab", 4) == "ab  "
    assert words.cut_middle("src/very/long/path/to/file.py", 15) == "src/…to/file.py"
    assert cell_len(words.cut_middle("日本語" * 20, 15)) <= 15
    assert words.cut("abc", 0) == ""


def test_meters_tell_reported_from_estimated_speed() -> None:
    answered = ModelResponded(
        model="m", usage=Usage(input=10, output=100), seconds=3.0, first_token_seconds=1.0, seq=3, mono=103.0
    )
    assert totals(view_of(REQUEST, answered)).speed == 50
    streaming = view_of(REQUEST, TextDelta(text="a" * 40, mono=101.0), TextDelta(text="a" * 360, mono=103.0))
    assert totals(streaming).speed == 50
    assert totals(streaming).speed_estimated


def test_arming_needs_a_quiet_moment_after_the_card_and_after_any_key() -> None:
    arming = Arming()
    arming.reset(10.0)
    assert arming.wait(10.1, last_input=0.0) == pytest.approx(QUIET - 0.1)
    assert not arming.armed
    assert arming.wait(10.4, last_input=10.3) == pytest.approx(0.3)
    assert arming.wait(10.71, last_input=10.3) == 0
    assert arming.armed
    arming.reset(20.0)
    assert not arming.armed


class FakeScheduler:
    """Frames by hand."""

    def __init__(self) -> None:
        self.time = 0.0
        self.soon: list[Callable[[], None]] = []
        self.later: list[tuple[float, Callable[[], None]]] = []

    def now(self) -> float:
        return self.time

    def call_soon(self, function: Callable[[], None]) -> None:
        self.soon.append(function)

    def call_later(self, seconds: float, function: Callable[[], None]) -> None:
        self.later.append((self.time + seconds, function))

    def run(self, until: float) -> None:
        """Let time pass, and everything that is due happen."""
        while self.soon or any(due <= until for due, _ in self.later):
            for function in self.soon[:]:
                self.soon.remove(function)
                function()
            for entry in sorted(self.later, key=lambda entry: entry[0]):
                if entry[0] <= until:
                    self.later.remove(entry)
                    self.time = max(self.time, entry[0])
                    entry[1]()
        self.time = until


class FakeSource:
    def __init__(self, hub: Hub, run_id: str) -> None:
        self.hub = hub
        self.run_id = run_id

    def unsubscribe(self, subscription: object) -> None:
        self.hub.unsubscribe(subscription)  # pyright: ignore[reportArgumentType]


def bridge_with_run() -> tuple[Bridge, FakeScheduler, Hub, list[dict[str, RunState]]]:
    scheduler, hub, frames = FakeScheduler(), Hub(), list[dict[str, RunState]]()
    bridge = Bridge(scheduler, lambda: frames.append(bridge.collect()), frames_per_second=20)
    bridge.watch(FakeSource(hub, "r"), hub.subscribe(0, bridge.wake))
    return bridge, scheduler, hub, frames


def test_many_events_come_as_few_frames() -> None:
    _, scheduler, hub, frames = bridge_with_run()
    hub.emit(RunStarted(run_id="r", seq=1))
    hub.emit(ModelRequested(run_id="r", seq=2))
    for step in range(1000):
        hub.emit(TextDelta(run_id="r", seq=2, text="x"))
        scheduler.run(step / 1000)
    scheduler.run(2.0)
    assert len(frames) <= 22
    last = next(frame["r"] for frame in reversed(frames) if frame)
    assert "".join(getattr(item, "text", "") for item in last.live) == "x" * 1000


def test_nothing_is_scheduled_while_nothing_happens() -> None:
    _, scheduler, hub, _ = bridge_with_run()
    hub.emit(RunStarted(run_id="r", seq=1))
    scheduler.run(1.0)
    assert scheduler.soon == []
    assert scheduler.later == []


def test_dear_frames_and_floods_of_text_make_fewer_frames_and_facts_do_not_wait_for_text() -> None:
    scheduler, hub, frames, spent = FakeScheduler(), Hub(), list[dict[str, RunState]](), [0.0]
    bridge = Bridge(scheduler, lambda: frames.append(bridge.collect()), frames_per_second=20, spent=lambda: spent[0])
    bridge.watch(FakeSource(hub, "r"), hub.subscribe(0, bridge.wake))
    hub.emit(RunStarted(run_id="r", seq=1))
    scheduler.run(0.5)
    cost = 0.015

    def stream(characters: int, until: float) -> int:
        """Frames in the next second, each of which costs 15 ms, with so many characters every 10 ms."""
        before = len(frames)
        while scheduler.time < until:
            hub.emit(TextDelta(run_id="r", seq=1, text="x" * characters))
            seen = len(frames)
            scheduler.run(scheduler.time + 0.01)
            spent[0] += cost * (len(frames) - seen)
        return len(frames) - before

    assert 14 <= stream(10, 1.5) <= 17
    assert 5 <= stream(1000, 2.5) <= 8
    scheduler.run(3.0)
    seen = len(frames)
    hub.emit(TextDelta(run_id="r", seq=1, text="x" * 5000))
    scheduler.run(3.01)
    assert len(frames) == seen + 1
    spent[0] += cost
    hub.emit(TextDelta(run_id="r", seq=1, text="x"))
    hub.emit(ModelRequested(run_id="r", seq=2))
    scheduler.run(3.08)
    assert len(frames) == seen + 2
    assert scheduler.later == [] or scheduler.later[0][0] > 3.08
    scheduler.run(9.0)
    assert len(frames) == seen + 2


def test_frames_wait_while_the_terminal_is_behind() -> None:
    scheduler, hub, frames, behind = FakeScheduler(), Hub(), list[dict[str, RunState]](), [True]
    bridge = Bridge(scheduler, lambda: frames.append(bridge.collect()), lagging=lambda: behind[0])
    bridge.watch(FakeSource(hub, "r"), hub.subscribe(0, bridge.wake))
    scheduler.soon[0]()
    scheduler.soon.clear()
    assert frames == []
    behind[0] = False
    scheduler.run(1.0)
    assert len(frames) == 1


def test_an_ended_run_is_not_watched_any_more() -> None:
    _, scheduler, hub, frames = bridge_with_run()
    hub.emit(RunStarted(run_id="r", seq=1))
    hub.emit(RunFinished(run_id="r", seq=2, status="completed", reason="complete"))
    scheduler.run(1.0)
    assert frames[-1]["r"].finished
    hub.emit(TextDelta(run_id="r", seq=2, text="late"))
    assert scheduler.soon == []

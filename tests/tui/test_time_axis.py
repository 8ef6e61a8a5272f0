"""The time axis on the real screen: shown and left by a key, zoomed, walked through, the same live and in review."""

from __future__ import annotations

import random
from dataclasses import replace
from datetime import timedelta
from decimal import Decimal
from pathlib import Path

from hypothesis import given, settings
from hypothesis import strategies as st

from runner.errors import ServerError
from runner.events import TextDelta, ToolFinished, ToolOutputDelta, ToolStarted
from runner.state import RunState, fold
from runner.testing import calls, hold, reply, text, usage
from runner.testing.gate import Gate
from runner.testing.scripted import Response
from runner.tools import tool
from runner.tools.base import Tool
from runner.usage import Cost, Price
from tests.store.making import Maker, a_call
from tests.store.random_runs import random_run
from tests.tui.cockpit import Deck, cockpit
from tui.call_book import CallBook
from tui.render.bar_words import title
from tui.render.quiet import Badge, badge, call_badge
from tui.screens.ledger import LedgerScreen
from tui.screens.viewer import Viewer
from tui.speed import Speedometer
from tui.today import spent_since
from tui.view import calls_of
from tui.widgets.time_axis import TimeAxis

DONE = Badge("", "", "")
PRICE = Price(input=Decimal(1000), output=Decimal(2000))


def axis(deck: Deck) -> TimeAxis:
    return deck.app.cockpit.query_one(TimeAxis)


def measuring(gates: dict[str, Gate]) -> Tool:
    @tool(read_only=True)
    async def measure(harbour: str) -> str:
        """Measure."""
        await gates[harbour].pass_through()
        return f"{harbour} 1.5"

    return measure


def two_at_once() -> list[Response]:
    """Two calls side by side, an attempt that fails, an answer."""
    return [
        reply(
            text("Measuring."), calls(("measure", {"harbour": "Oslo"}), ("measure", {"harbour": "Brest"})), usage(9, 4)
        ),
        [ServerError("overloaded", retry_after=0.01)],
        reply(text("All measured."), usage(11, 3, cached=5)),
    ]


def words(deck: Deck) -> str:
    return "\n".join(axis(deck).visible_text())


async def test_calls_side_by_side_a_retry_and_their_details(tmp_path: Path) -> None:
    gates = {"Oslo": hold(), "Brest": hold()}
    async with cockpit(tmp_path, two_at_once(), tools=[measuring(gates)], price=PRICE) as deck:
        assert not axis(deck).display
        await deck.send("go")
        await deck.until(lambda: len(deck.view.running_calls) == 2)
        await deck.pilot.press("alt+a")
        await deck.until(lambda: axis(deck).display and axis(deck).has_focus)
        await deck.settle()
        lines = axis(deck).visible_text()
        assert [line[:5].strip() for line in lines[1:7]] == ["model", "tools", "", "", "you", "cost"]
        assert ["●" in line for line in lines[2:5]] == [True, True, False]
        rows = axis(deck).lanes.lanes["tools"]
        brest = next(
            at for at, row in enumerate(rows) if "Brest" in title(row.bars[0], axis(deck).lanes.call(row.bars[0]))
        )
        assert "no output yet, " in lines[0]
        assert "zoom in" in deck.screen_text()
        gates["Brest"].release()
        await deck.until(lambda: len(deck.view.running_calls) == 1)
        await deck.settle()
        lines = axis(deck).visible_text()
        assert "✓" in lines[2 + brest], "a call keeps its row"
        assert "●" in lines[3 - brest]
        gates["Oslo"].release()
        await deck.ended()
        bars = {bar.span.kind: bar for bar in axis(deck).lanes.lanes["model"][0].bars}
        assert bars.keys() == {"request", "retry"}
        assert axis(deck).bar == bars["request"]
        assert "in 11 (cached 5) out 3 · cost $" in words(deck)
        await deck.pilot.press("left")
        assert "↻ waited to retry · after server_error" in words(deck)
        await deck.pilot.press("left")
        assert "✗ discarded: server_error" in words(deck)
        await deck.pilot.press("down")
        assert "✓ ok · measure harbour=" in words(deck)
        await deck.settle()
        assert "measure gave" in deck.screen_text()
        await deck.pilot.press("enter")
        await deck.until(lambda: isinstance(deck.app.screen, Viewer))
        await deck.pilot.press("escape")
        await deck.until(lambda: deck.app.screen is deck.app.cockpit)
        await deck.pilot.press("escape")
        await deck.until(lambda: deck.composer.has_focus)
        assert axis(deck).display
        await deck.pilot.press("alt+a", "alt+a")
        await deck.until(lambda: not axis(deck).display and deck.composer.has_focus)


async def test_zoom_scroll_and_the_mouse(tmp_path: Path) -> None:
    steps = [reply(calls(("list_files", {})), usage(9, 4)), reply(text("Seen."), usage(9, 4))]
    async with cockpit(tmp_path, steps, size=(160, 48)) as deck:
        await deck.until(lambda: axis(deck).display, "on a large screen it is there")
        await deck.send("go")
        await deck.ended()
        whole = axis(deck).window
        await deck.pilot.press("alt+a", "minus")
        assert axis(deck).window.scale > whole.scale
        await deck.pilot.press("plus", "plus")
        closer = axis(deck).window.scale
        assert closer <= whole.scale
        await deck.pilot.press("0")
        assert axis(deck).window == whole
        bar = axis(deck).lanes.lanes["tools"][0].bars[0]
        column = whole.column(bar.start)
        await deck.pilot.click(TimeAxis, offset=(2 + 14 + column, 1 + 2))
        await deck.settle()
        chosen = axis(deck).bar
        assert chosen is not None
        assert chosen.id == bar.id
        await deck.pilot.click(TimeAxis, offset=(2 + 14 + column, 1 + 2))
        await deck.until(lambda: isinstance(deck.app.screen, Viewer))
        await deck.pilot.press("escape")
        await deck.until(lambda: deck.app.screen is deck.app.cockpit)
        await deck.pilot.press("up", "enter")
        await deck.until(lambda: isinstance(deck.app.screen, LedgerScreen), "a request is shown in the ledger")


async def test_review_shows_what_was_seen_live(tmp_path: Path) -> None:
    gates = {"Oslo": hold(), "Brest": hold()}
    for gate in gates.values():
        gate.release()
    async with cockpit(tmp_path, two_at_once(), tools=[measuring(gates)], price=PRICE, size=(160, 48)) as deck:
        await deck.send("go")
        await deck.ended()
        await deck.until(lambda: "All measured." in deck.screen_text())
        live = axis(deck).visible_text()
    async with cockpit(tmp_path, size=(160, 48), resume=True) as deck:
        await deck.until(lambda: deck.view.runs and "✓" in words(deck))
        await deck.settle()
        assert axis(deck).visible_text() == live


async def test_a_narrow_screen_shows_the_list_instead(tmp_path: Path) -> None:
    async with cockpit(tmp_path, [reply(calls(("list_files", {}))), "Seen."], size=(80, 24)) as deck:
        await deck.send("go")
        await deck.ended()
        await deck.pilot.press("alt+a")
        await deck.settle()
        assert not axis(deck).display
        assert "✓ ok      list_files" in deck.screen_text()


async def test_it_leaves_with_the_room_and_comes_back(tmp_path: Path) -> None:
    async with cockpit(tmp_path, ["Fine."], size=(120, 40)) as deck:
        await deck.send("go")
        await deck.ended()
        await deck.pilot.press("alt+a")
        await deck.until(lambda: axis(deck).has_focus)
        await deck.pilot.resize_terminal(80, 24)
        await deck.until(lambda: not axis(deck).display and deck.composer.has_focus)
        await deck.pilot.resize_terminal(100, 28)
        await deck.until(lambda: axis(deck).display and "✓" in words(deck))


async def test_the_ledger_lists_every_request_and_their_sum(tmp_path: Path) -> None:
    gates = {"Oslo": hold(), "Brest": hold()}
    for gate in gates.values():
        gate.release()
    async with cockpit(tmp_path, two_at_once(), tools=[measuring(gates)], price=PRICE) as deck:
        await deck.send("/ledger")
        await deck.settle()
        assert "nothing ran yet" in deck.screen_text()
        await deck.send("go")
        await deck.ended()
        await deck.until(lambda: "today $0.0340" in deck.screen_text())
        await deck.pilot.press("alt+l")
        await deck.until(lambda: "3 requests" in deck.screen_text())
        shown = deck.screen_text()
        assert "discarded: serv" in shown
        assert "1.2 try 2" in shown
        assert "1 retry · 1" in " ".join(shown.split())
        await deck.pilot.press(*"discarded")
        await deck.until(lambda: "of these: 1 request" in deck.screen_text())
        await deck.pilot.press("enter")
        await deck.until(lambda: "run 1, turn 2, attempt 1" in deck.screen_text())
        await deck.pilot.press("escape", "escape")
        await deck.until(lambda: deck.app.screen is deck.app.cockpit)
        await deck.send("/ledger try")
        await deck.until(lambda: isinstance(deck.app.screen, LedgerScreen))


async def test_today_is_what_all_sessions_cost(tmp_path: Path) -> None:
    dear = Price(input=Decimal(100_000), output=Decimal(0))
    steps = [reply(text("One."), usage(10, 1)), reply(text("Two."), usage(20, 1))]
    async with cockpit(tmp_path, steps, price=dear) as deck:
        await deck.send("first")
        await deck.ended()
        await deck.pilot.press("ctrl+n")
        await deck.send("second")
        await deck.ended()
        await deck.until(lambda: "$2.00 · today $3.00" in deck.screen_text(), "the sum of both sessions")


def test_quiet_and_producing_are_told_apart() -> None:
    maker = Maker()
    maker.begin()
    maker.begin_turn()
    maker.request()
    state = fold(maker.events)
    began = state.last_mono
    found = badge(state, began + 3)
    assert found is not None
    assert found.text == "◌ no token yet, 3 s"
    maker.add(TextDelta(text="x"))
    state = fold(maker.events)
    assert (badge(state, began + 1) or found).text == "● producing output"
    assert (badge(state, began + 20.5) or found).text == "◌ quiet for 20 s"
    maker.answer("x", ())
    maker.add(ToolStarted(call_id="none", tool="shell"))
    assert badge(fold(maker.events), began) is None


def test_a_running_call_says_when_it_was_heard_last() -> None:
    maker, call = Maker(), a_call()
    maker.begin()
    maker.begin_turn()
    maker.propose(call)
    maker.add(ToolStarted(call_id=call.call_id, tool="shell"))
    state = fold(maker.events)
    (silent,) = state.live_calls
    assert (call_badge(silent, state.last_mono + 7) or DONE).text == "◌ no output yet, 7 s"
    heard = maker.add(ToolOutputDelta(call_id=call.call_id, text="one line"))
    (prints,) = fold(maker.events).live_calls
    assert prints.heard_mono == heard.mono
    assert (call_badge(prints, heard.mono + 1) or DONE).text == "● producing output"
    assert (badge(fold(maker.events), heard.mono + 20) or DONE).text == "◌ quiet for 20 s"
    maker.add(ToolFinished(call_id=call.call_id, tool="shell", status="ok"))
    (over,) = fold(maker.events).live_calls
    assert (over.heard_mono, call_badge(over, heard.mono)) == (None, None)


def test_the_speed_of_the_last_minute() -> None:
    maker = Maker()
    maker.begin()
    maker.begin_turn()
    maker.request()
    meter, state = Speedometer(), fold(maker.events)
    meter.note(state, 100.0)
    assert meter.line(100.0, 15) == "", "nothing came yet"
    for second, characters in ((101, 40), (109, 80), (110, 80)):
        state = fold([replace(maker.add(TextDelta(text="x" * characters)), mono=float(second))], state)
        meter.note(state, float(second))
    assert meter.line(111.0, 15) == "............▃.█"
    assert meter.line(150.0, 15) == "..▃.█.........."
    assert meter.line(200.0, 15) == ""
    maker.answer("x" * 200, ())
    state = fold(maker.events[-1:], state)
    closed = state.last_mono
    meter.note(state, closed)
    meter.note(state, closed)
    quick = Speedometer()
    quick.note(fold(maker.events[:3]), 100.0)
    quick.note(state, closed)
    assert quick.line(closed, 15).endswith("█"), "an answer that was over before anybody looked counts too"
    fresh = Speedometer()
    fresh.note(state, closed)
    assert fresh.line(closed, 15) == "", "what was before is nobody's last minute"


def test_only_what_was_spent_since_midnight_counts() -> None:
    maker = Maker()
    maker.begin()
    maker.begin_turn()
    for cost in ("1", "2", "4"):
        maker.request()
        maker.answer("x", (), Decimal(cost))
    state = fold(maker.events)
    assert spent_since(state, maker.start) == (Cost(known=Decimal(7)), False)
    assert spent_since(state, state.ledger[1].time) == (Cost(known=Decimal(6)), False)
    assert spent_since(state, state.ledger[2].time + timedelta(seconds=1)) == (Cost(), False)


@settings(max_examples=20, deadline=None)
@given(seeds=st.lists(st.integers(0, 10**6), min_size=1, max_size=3), looks=st.sets(st.integers(0, 150), max_size=10))
def test_the_list_of_calls_is_the_same_however_often_it_was_looked_at(seeds: list[int], looks: set[int]) -> None:
    book, past, at = CallBook(), list[RunState](), 0
    for number, seed in enumerate(seeds):
        state = RunState()
        for event in random_run(random.Random(seed), run_id=f"run-{number}").events:
            state = fold([event], state)
            at += 1
            if at in looks:
                assert list(book.calls([*past, state])) == calls_of((*past, state))
        past.append(state)
    found = book.calls(past)
    assert list(found) == calls_of(tuple(past)) == list(found[0 : len(found)])
    assert list(book.calls(past[:1])) == calls_of((past[0],)), "another session begins anew"

"""The transcript in a real Textual app: following, keeping a place, counting, resizing, painting."""

from __future__ import annotations

import pytest
from textual import events
from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import Input

from runner.events import (
    ModelResponded,
    TurnFinished,
)
from runner.state import RunState, TextItem
from tests.conftest import soak_factor
from tests.tui.transcript_runs import Feed
from tui.widgets.transcript import Transcript

WORDS = ("alpha", "beta", "**gamma**", "`delta`", "epsilon", "漢字", "zeta.")


class Host(App[None]):
    CSS = "Transcript { height: 1fr; }"

    def compose(self) -> ComposeResult:
        yield Transcript(placeholder="Say something to begin.")
        yield Input()

    def on_mount(self) -> None:
        self.transcript.focus()

    @property
    def transcript(self) -> Transcript:
        return self.query_one(Transcript)


def long_run(answers: int = 40) -> Feed:
    feed = Feed()
    for number in range(answers):
        feed.answer(
            f"Answer **{number}** with some words that go on for a while, so that it may be wrapped.\n\n- item\n"
        )
    return feed


async def settle(pilot: Pilot[None]) -> None:
    await pilot.pause()


def screen_text(transcript: Transcript) -> list[str]:
    """What Textual really gets to paint, row by row."""
    return [strip.text.rstrip() for strip in transcript.render_lines(transcript.size.region)]


async def test_the_placeholder_is_there_until_something_is_said() -> None:
    app = Host()
    async with app.run_test(size=(60, 12)) as pilot:
        await settle(pilot)
        assert screen_text(app.transcript)[0].strip() == "Say something to begin."
        app.transcript.placeholder = "Go on\x1b[31m"
        assert app.transcript.visible_text() == ["Go on␛"]
        app.transcript.show([Feed().state])
        assert screen_text(app.transcript)[0].strip() == "┃ hello"


async def test_twenty_thousand_tokens_stream_while_a_place_is_kept() -> None:
    app = Host()
    async with app.run_test(size=(80, 24)) as pilot:
        transcript = app.transcript
        history = long_run()
        live = Feed("run-2", "go")
        live.begin()
        frames = 0

        def frame(tokens: int = 40) -> None:
            nonlocal frames
            for index in range(tokens):
                number = frames * tokens + index
                live.stream("\n\n" if number % 90 == 89 else WORDS[number % len(WORDS)] + " ")
            frames += 1
            transcript.show([history.state, live.state])

        while frames < 250:
            frame()
            if frames % 25 == 0:
                await settle(pilot)
                assert transcript.is_at_end
        assert transcript.visible_text()[-1].strip()
        end = transcript.document.total

        await pilot.press("pageup", "pageup")
        kept = transcript.visible_text()
        assert not transcript.is_at_end
        assert transcript.new_lines == 0
        left = transcript.document.total
        while frames < 500:
            frame()
            if frames % 25 == 0:
                await settle(pilot)
                assert transcript.visible_text() == kept
        assert transcript.document.total > end
        assert 0 < transcript.new_lines <= transcript.document.total - left + 1
        assert screen_text(transcript) == [f"  {row}".rstrip() for row in kept]

        await pilot.press("end")
        assert transcript.is_at_end
        assert transcript.new_lines == 0
        live(ModelResponded(model="m", text="".join(live_text(live.state)), seconds=1.0), TurnFinished())
        last = transcript.visible_text()[-1]
        transcript.show([history.state, live.state])
        assert transcript.visible_text()[-1] == last


def live_text(state: RunState) -> list[str]:
    return [item.text for item in state.live if isinstance(item, TextItem)]


async def test_new_lines_are_counted_exactly() -> None:
    app = Host()
    async with app.run_test(size=(60, 16)) as pilot:
        feed = long_run()
        app.transcript.show([feed.state])
        await pilot.press("up")
        feed.begin()
        feed.stream("one\ntwo\nthree")
        seen: list[int] = []

        def changed(count: int) -> None:
            seen.append(count)

        app.transcript.watch(app.transcript, "new_lines", changed, init=False)
        app.transcript.show([feed.state])
        # The blank line above the answer, and its three lines.
        assert app.transcript.new_lines == 4
        assert seen == [4]


@pytest.mark.parametrize("key", ["end", "G"])
async def test_the_keys_that_follow_again(key: str) -> None:
    app = Host()
    async with app.run_test(size=(60, 16)) as pilot:
        feed = long_run()
        app.transcript.show([feed.state])
        await pilot.press("home")
        assert app.transcript.visible_text()[0] == "┃ hello"
        assert not app.transcript.is_at_end
        await pilot.press(key)
        assert app.transcript.is_at_end
        assert app.transcript.visible_text()[-1] == "• item"


async def test_scrolling_up_and_down_passes_every_line_once() -> None:
    app = Host()
    async with app.run_test(size=(50, 14)) as pilot:
        transcript = app.transcript
        # Three screens of lines of every kind that the text has.
        transcript.show([long_run(9 * soak_factor()).state])
        await settle(pilot)
        rows = transcript.visible_text()
        for _ in range(400 * soak_factor()):
            before = transcript.visible_text()
            await pilot.press("up")
            after = transcript.visible_text()
            if after == before:
                break
            assert after[1:] == before[:-1]
            rows.insert(0, after[0])
        assert rows[0] == "┃ hello"
        down = transcript.visible_text()
        while not transcript.is_at_end:
            before = transcript.visible_text()
            await pilot.press("down")
            assert transcript.visible_text()[:-1] == before[1:]
            down.append(transcript.visible_text()[-1])
        assert down == rows
        assert len(rows) > 3 * 14


async def test_pages_overlap_nowhere_and_miss_nothing() -> None:
    app = Host()
    async with app.run_test(size=(50, 14)) as pilot:
        transcript = app.transcript
        transcript.show([long_run(25).state])
        await settle(pilot)
        bottom = transcript.visible_text()
        await pilot.press("pageup")
        page = transcript.visible_text()
        await pilot.press("pagedown")
        assert transcript.visible_text() == bottom
        await pilot.press("pageup")
        assert transcript.visible_text() == page
        await pilot.press("pageup")
        assert transcript.visible_text()[-1] != page[-1]


async def test_the_mouse_wheel_scrolls() -> None:
    app = Host()
    async with app.run_test(size=(50, 14)) as pilot:
        transcript = app.transcript
        transcript.show([long_run().state])
        await settle(pilot)
        before = transcript.visible_text()
        wheel = (transcript, 5, 5, 0, 0, 0, False, False, False)
        app.post_message(events.MouseScrollUp(*wheel))
        await settle(pilot)
        assert transcript.visible_text()[2:] == before[:-2]
        app.post_message(events.MouseScrollDown(*wheel))
        await settle(pilot)
        assert transcript.visible_text() == before
        assert transcript.is_at_end


async def test_a_new_size_keeps_the_line_at_the_top() -> None:
    app = Host()
    async with app.run_test(size=(100, 20)) as pilot:
        transcript = app.transcript
        transcript.show([long_run().state])
        await pilot.press("home")
        await pilot.press(*["down"] * 30)
        # A line that starts an answer, so that it starts a line at every width.
        while not transcript.visible_text()[0].startswith("Answer"):
            await pilot.press("down")
        number = transcript.visible_text()[0].split()[1]
        for size in ((60, 20), (41, 12), (160, 48), (100, 20)):
            await pilot.resize_terminal(*size)
            await settle(pilot)
            assert transcript.visible_text()[0].startswith(f"Answer {number} ")
            assert not transcript.is_at_end
            assert all(
                strip.cell_length == transcript.size.width for strip in transcript.render_lines(transcript.size.region)
            )
        await pilot.press("end")
        await pilot.resize_terminal(50, 20)
        await settle(pilot)
        assert transcript.is_at_end
        assert transcript.visible_text()[-1] == "• item"


async def test_a_transcript_that_was_hidden_at_first_shows_its_end() -> None:
    app = Host()
    async with app.run_test(size=(60, 16)) as pilot:
        app.transcript.display = False
        await settle(pilot)
        app.transcript.show([long_run().state])
        app.transcript.display = True
        await settle(pilot)
        assert app.transcript.visible_text()[-1] == "• item"
        assert app.transcript.is_at_end


async def test_rows_that_were_seen_are_not_made_again() -> None:
    app = Host()
    async with app.run_test(size=(60, 12)) as pilot:
        transcript = app.transcript
        feed = long_run(5)
        transcript.show([feed.state])
        await pilot.press("home")
        await settle(pilot)
        before = transcript.render_lines(transcript.size.region)
        feed.begin()
        for _ in range(5):
            feed.stream("more\n\n")
            transcript.show([feed.state])
            await settle(pilot)
        after = transcript.render_lines(transcript.size.region)
        assert all(old is new for old, new in zip(before, after, strict=True))
        await pilot.press("down")
        moved = transcript.render_lines(transcript.size.region)
        assert all(old is new for old, new in zip(before[1:], moved[:-1], strict=True))

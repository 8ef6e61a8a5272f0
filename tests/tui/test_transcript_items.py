"""Items of the transcript in a real Textual app: walking, folding, selecting, colours, hostile text."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

from textual.app import App, ComposeResult
from textual.pilot import Pilot
from textual.widgets import Input

import themes
from runner.events import (
    ErrorInfo,
    ErrorOccurred,
    MessageQueued,
    ModelResponded,
    ReasoningDelta,
    ToolOutputDelta,
    TurnFinished,
)
from tests.tui.transcript_runs import Feed
from tui.render.code import LEXERS
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


async def test_items_are_walked_and_unfolded() -> None:
    app = Host()
    async with app.run_test(size=(60, 20)) as pilot:
        transcript = app.transcript
        feed = Feed()
        feed.begin()
        feed(ReasoningDelta(text="First think."))
        answer = ModelResponded(model="m", reasoning="First think.", text="Then *say*.", reasoning_seconds=2.0)
        feed(answer)
        feed.call("c1", "shell", {"command": "ls"}, "a.txt\nb.txt")
        transcript.show([feed.state])
        await pilot.press("j")
        assert transcript.copy_text() == "hello"
        await pilot.press("j", "enter")
        assert "▾ thought for 2.0 s · 2 words" in transcript.visible_text()
        assert "  First think." in transcript.visible_text()
        assert transcript.copy_text() == "First think."
        await pilot.press("alt+down")
        assert transcript.copy_text() == "Then *say*."
        await pilot.press("j", "space")
        assert transcript.marked_item == "c1"
        assert transcript.visible_text()[-4:] == [
            "✓ shell ls · done · 0.2 s",
            "    command ls",
            "    a.txt",
            "    b.txt",
        ]
        assert "a.txt\nb.txt" in transcript.copy_text()
        await pilot.press("space")
        assert transcript.visible_text()[-1] == "✓ shell ls · done · 0.2 s"
        await pilot.press("k", "alt+up", "k", "k")
        assert transcript.copy_text() == "hello"
        transcript.mark(None)
        assert transcript.marked_item is None
        assert transcript.copy_text() == ""


async def test_all_reasoning_is_unfolded_at_once_and_so_is_what_comes() -> None:
    app = Host()
    async with app.run_test(size=(60, 20)):
        transcript = app.transcript
        feed = Feed()
        feed.begin()
        feed(ModelResponded(model="m", reasoning="One.", text="a", seconds=1.0), TurnFinished())
        transcript.show([feed.state])
        assert transcript.toggle_all_reasoning()
        feed.begin()
        feed(ReasoningDelta(text="Two."))
        transcript.show([feed.state])
        assert {"  One.", "  Two."} <= set(transcript.visible_text())
        assert not transcript.toggle_all_reasoning()
        assert not {"  One.", "  Two."} & set(transcript.visible_text())


async def test_an_unfolded_call_shows_its_output_as_it_comes() -> None:
    app = Host()
    async with app.run_test(size=(60, 20)):
        transcript = app.transcript
        feed = Feed()
        feed.begin()
        feed.call("c1", "shell", {"command": "make"}, ended=False)
        transcript.show([feed.state], now=100.0)
        assert transcript.expand_item("c1")
        assert not transcript.expand_item("c1")
        assert not transcript.expand_item("nothing")
        feed(ToolOutputDelta(call_id="c1", text="building\n 10 %"))
        transcript.show([feed.state], now=100.0)
        assert transcript.visible_text()[-2:] == ["    building", "     10 %"]
        feed(ToolOutputDelta(call_id="c1", text="\r 70 %"))
        transcript.show([feed.state], now=112.0)
        assert transcript.visible_text()[-2:] == ["    building", "     70 %"]
        assert any("running · 1 min 4" in row for row in transcript.visible_text())


async def test_a_selection_gives_the_text_without_padding() -> None:
    app = Host()
    async with app.run_test(size=(40, 20)) as pilot:
        transcript = app.transcript
        feed = Feed()
        feed.answer("A paragraph that is wrapped over some lines.\n\n```py\nx = 1\ny = 2\n```\n\nend")
        transcript.show([feed.state])
        await settle(pilot)
        rows: list[str] = [*transcript.visible_text()]
        first, last = rows.index("A paragraph that is wrapped over"), rows.index(" y = 2")
        await pilot.mouse_down(transcript, offset=(4, first))
        await pilot.hover(transcript, offset=(20, last))
        await pilot.mouse_up(transcript, offset=(20, last))
        assert app.screen.get_selected_text() == "paragraph that is wrapped over some lines.\n\nx = 1\ny = 2"
        selected = themes.load(themes.DEFAULT).colour("selection")
        painted = [
            "".join(
                segment.text
                for segment in strip
                if segment.style and segment.style.bgcolor and segment.style.bgcolor.name == selected
            )
            for strip in transcript.render_lines(transcript.size.region)
        ]
        assert [text for text in painted if text] == [
            "paragraph that is wrapped over",
            "some lines.",
            "x = 1",
            "y = 2",
        ]


async def test_a_selection_stays_on_its_text_while_more_is_streamed() -> None:
    app = Host()
    async with app.run_test(size=(60, 12)) as pilot:
        transcript = app.transcript
        feed = long_run(3)
        transcript.show([feed.state])
        await settle(pilot)
        row = len(transcript.visible_text()) - 1
        await pilot.mouse_down(transcript, offset=(2, row))
        await pilot.hover(transcript, offset=(30, row))
        await pilot.mouse_up(transcript, offset=(30, row))
        assert app.screen.get_selected_text() == "• item"
        feed.begin()
        for _ in range(50):
            feed.stream("more and more words\n\n")
            transcript.show([feed.state])
        await settle(pilot)
        assert app.screen.get_selected_text() == "• item"


async def test_a_click_marks_an_item_and_unfolds_it_on_its_line() -> None:
    app = Host()
    async with app.run_test(size=(60, 20)) as pilot:
        transcript = app.transcript
        feed = Feed()
        feed.begin()
        feed.call("c1", "shell", {"command": "ls"}, "a.txt")
        transcript.show([feed.state])
        await settle(pilot)
        rows: list[str] = [*transcript.visible_text()]
        row = rows.index("✓ shell ls · done · 0.2 s")
        await pilot.click(transcript, offset=(6, row))
        assert transcript.marked_item == "c1"
        assert "    a.txt" in transcript.visible_text()
        await pilot.click(transcript, offset=(6, row + 1))
        assert "    a.txt" in transcript.visible_text()
        await pilot.click(transcript, offset=(6, 0))
        assert transcript.copy_text() == "hello"


async def test_a_theme_changes_colours_and_nothing_else() -> None:
    app = Host()
    async with app.run_test(size=(60, 12)):
        transcript = app.transcript
        transcript.show([long_run(2).state])

        def looks() -> list[list[object]]:
            return [[segment.style for segment in strip] for strip in transcript.render_lines(transcript.size.region)]

        text, dark = screen_text(transcript), looks()
        for name, theme in themes.load_all().items():
            transcript.set_theme(theme)
            assert screen_text(transcript) == text
            assert (looks() == dark) == (name == themes.DEFAULT)


async def test_code_gets_its_colours_when_its_lexer_arrives() -> None:
    app = Host()
    async with app.run_test(size=(60, 12)) as pilot:
        feed = Feed()
        feed.answer("```zig\nconst a = 1;\n```")
        app.transcript.show([feed.state])

        def colours() -> set[object]:
            return {
                segment.style.color
                for strip in app.transcript.render_lines(app.transcript.size.region)
                for segment in strip
                if segment.style and any(word in segment.text for word in ("const", "a", "1"))
            }

        await until(pilot, lambda: len(colours()) > 2)
        assert LEXERS.generation > 0


async def until(pilot: Pilot[None], condition: Callable[[], bool]) -> None:
    for _ in range(500):
        await pilot.pause()
        if condition():
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it never happened")


async def test_nothing_of_a_hostile_run_reaches_the_screen_raw() -> None:
    app = Host()
    evil = "a\x1b]0;title\x07b\x1b[2Jc\u202ed\u200be\rf\x9b31mg [@click=app.quit]x[/] &#x202e; \x00"
    async with app.run_test(size=(80, 40)):
        feed = Feed(text=evil)
        feed.begin()
        feed(ReasoningDelta(text=evil))
        feed(
            ModelResponded(
                model=evil,
                reasoning=evil,
                text=evil + f"\n\n```{evil}\n{evil}\n```\n\n|{evil}|\n|-|\n|{evil}|",
                seconds=1.0,
            )
        )
        feed.call("c1", f"tool{evil}", {evil: evil}, evil)
        feed.call("c2", "shell", {"command": evil}, ended=False)
        feed(ToolOutputDelta(call_id="c2", text=evil))
        feed(
            ErrorOccurred(error=ErrorInfo(type=evil, message=evil, fix=evil)), MessageQueued(message_id="m", text=evil)
        )
        transcript = app.transcript
        transcript.show([feed.state])
        transcript.toggle_all_reasoning()
        for call in ("c1", "c2"):
            transcript.expand_item(call)
        for strip in transcript.render_lines(transcript.size.region):
            assert strip.text.isprintable()
            assert all(segment.style is None or not segment.style.meta for segment in strip)
            assert all(segment.style is None or segment.style.link is None for segment in strip)
        assert any("[@click=app.quit]" in row for row in transcript.visible_text())


async def test_the_ground_of_code_ends_before_the_scroll_bar() -> None:
    app = Host()
    async with app.run_test(size=(40, 12)) as pilot:
        feed = Feed()
        feed.answer("```\nx\n```")
        app.transcript.show([feed.state])
        await settle(pilot)
        ground = themes.load(themes.DEFAULT).colour("text.code_bg")
        strip = app.transcript.render_lines(app.transcript.size.region)[2]
        grounded = [
            segment
            for segment in strip
            if segment.style and str(segment.style.bgcolor and segment.style.bgcolor.name) == ground
        ]
        # Two cells of gutter, the margin, and the scroll bar are left out.
        assert sum(segment.cell_length for segment in grounded) == 40 - 2 - 1 - 1


async def test_a_selection_over_items_has_no_frames_and_a_double_click_takes_one_item() -> None:
    app = Host()
    async with app.run_test(size=(44, 34)) as pilot:
        transcript = app.transcript
        feed = Feed(text="a question that is long enough to be wrapped")
        feed.answer(
            "A paragraph that is long enough to be wrapped too.\n\n> quoted\n\n"
            "| a | b |\n|---|---|\n| one | 2 |\n\n- item"
        )
        feed.begin()
        feed.call("c1", "shell", {"command": "ls"}, "out")
        transcript.show([feed.state])
        transcript.toggle_stamps()
        await settle(pilot)
        last = len(transcript.visible_text()) - 1
        await pilot.mouse_down(transcript, offset=(2, 0))
        await pilot.hover(transcript, offset=(40, last))
        await pilot.mouse_up(transcript, offset=(40, last))
        # No times, bars, borders or padding; what was only wrapped is one line again.
        assert app.screen.get_selected_text() == (
            "a question that is long enough to be wrapped\n\n"
            "A paragraph that is long enough to be wrapped too.\n\nquoted\n\na\tb\none\t2\n\n• item\n\n"
            "✓ shell ls · done · 0.2 s"
        )
        row = next(row for row, line in enumerate(transcript.visible_text()) if line.startswith("┃ a question"))
        for times in (2, 3):
            await pilot.click(transcript, offset=(6, row), times=times)
            assert app.screen.get_selected_text() == "a question that is long enough to be wrapped"


async def test_a_long_output_is_cut_in_the_middle_until_that_is_clicked() -> None:
    app = Host()
    async with app.run_test(size=(60, 230)) as pilot:
        transcript = app.transcript
        feed = Feed()
        feed.begin()
        feed.call("c1", "shell", {"command": "seq"}, "\n".join(f"row {number}" for number in range(220)))
        transcript.show([feed.state])
        transcript.expand_item("c1")
        await settle(pilot)
        rows: list[str] = [*transcript.visible_text()]
        row = rows.index("    … 20 lines more: o opens all")
        assert rows[row - 1].strip() == "row 149"
        assert rows[row + 1].strip() == "row 170"
        assert transcript.new_lines == 0
        await pilot.click(transcript, offset=(6, row))
        assert "    row 160" in transcript.visible_text()
        assert not any("more" in line for line in transcript.visible_text())

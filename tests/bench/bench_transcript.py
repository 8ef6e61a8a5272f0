"""What a frame of the transcript costs, short and long, and the CPU of a streamed token, against bare loops."""

from __future__ import annotations

import asyncio
import statistics
import time
from collections.abc import Callable

from textual.app import App, ComposeResult

from runner.state import RunState
from tests.bench.figures import show
from tests.tui.transcript_runs import Feed
from tui.render.clean import clean
from tui.widgets.transcript import Transcript

FRAMES = 300
TOKENS_A_FRAME = 33
"""1,000 tokens a second at 30 frames a second."""

SENTENCE = "The quick brown fox jumps over the `lazy` dog and **goes** on for a while, as models do."
WORDS = SENTENCE.split()
ANSWER = (" ".join(WORDS * 3) + "\n\n- item one\n- item two\n\n") * 10


class Host(App[None]):
    CSS = "Transcript { height: 1fr; }"

    def compose(self) -> ComposeResult:
        yield Transcript()


def history(lines: int) -> RunState:
    """A settled run of about that many lines at a width of 120."""
    feed = Feed()
    for _ in range(lines // 80):
        feed.answer(ANSWER)
    return feed.state


def token(number: int) -> str:
    return "\n\n" if number % 150 == 149 else WORDS[number % len(WORDS)] + " "


def timed(action: Callable[[], object]) -> float:
    started = time.perf_counter()
    action()
    return time.perf_counter() - started


async def _measure(lines: int) -> None:
    app = Host()
    async with app.run_test(size=(120, 40)) as pilot:
        transcript = app.query_one(Transcript)
        settled = history(lines)
        opened = timed(lambda: transcript.show([settled]))
        await pilot.pause()
        total = transcript.document.total
        show(f"open {total:,} lines, until they can be painted", [opened], "ms", scale=1e3)
        live = Feed("run-2")
        live.begin()
        number = 0
        for where in ("at the end", "scrolled up"):
            if where == "scrolled up":
                await pilot.press("home")
            frames: list[float] = []
            painted: list[float] = []
            bare: list[float] = []
            for frame in range(FRAMES):
                texts = [token(number + index) for index in range(TOKENS_A_FRAME)]
                number += len(texts)
                kept: list[str] = []
                bare.append(timed(lambda kept=kept, texts=texts: [kept.append(text) for text in texts]))
                for text in texts:
                    live.stream(text)
                frames.append(timed(lambda: transcript.show([settled, live.state])))
                painted.append(timed(lambda: transcript.render_lines(transcript.size.region)))
                if frame % 30 == 0:
                    await pilot.pause()
            slow = sorted(frames)[int(FRAMES * 0.99)]
            show(f"{total:,} lines, {where}: a frame", frames, "us", scale=1e6)
            print(f"{'':<46} 99 of 100 frames under {slow * 1e6:.0f} us")
            show(f"{total:,} lines, {where}: its rows as strips", painted, "us", scale=1e6)
            scale = 1e6 / TOKENS_A_FRAME
            show(f"{total:,} lines, {where}: a token", frames, "us", scale=scale, against=bare)


def _sanitiser() -> None:
    text = "plain text as tools print it, with words and numbers 12345\n" * 100_000
    seconds = [timed(lambda: clean(text)) for _ in range(5)]
    copies = [timed(lambda: text.encode()) for _ in range(5)]
    show("clean() of a plain megabyte", seconds, "ms", scale=1e3 / (len(text) / 1e6), against=copies)
    print(f"{'':<46} {len(text) / statistics.median(seconds) / 1e6:.0f} MB/s; the ratio is to a bare encode()")


def main() -> None:
    _sanitiser()
    for lines in (1_000, 100_000):
        asyncio.run(_measure(lines))
    print("The ratio of a token is to appending it to a list.")


if __name__ == "__main__":
    main()

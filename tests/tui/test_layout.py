"""What is on the screen at each size, and what it costs."""

from __future__ import annotations

import subprocess
import sys
from pathlib import Path

import pytest

from runner.testing import calls, hold, reply, text
from tests.contract.sources import ROOT
from tests.tui.cockpit import cockpit

MOST_WIDGETS = 150


@pytest.mark.parametrize("theme", ["quarterdeck-dark", "quarterdeck-light", "high-contrast", "terminal"])
@pytest.mark.parametrize("size", [(160, 48), (120, 40), (80, 24), (40, 10)])
async def test_every_size_and_theme_shows_the_run_the_composer_and_the_keys(
    tmp_path: Path, size: tuple[int, int], theme: str
) -> None:
    steps = [reply(text("Looking."), calls(("list_files", {}))), "All seen."]
    async with cockpit(tmp_path, steps, size=size, options={"theme": theme}) as deck:
        await deck.send("look")
        await deck.ended()
        lines = deck.screen_text().split("\n")
        assert len(lines) == size[1]
        assert all(len(line) <= size[0] for line in lines)
        assert any("All seen." in line for line in lines)
        assert any("done in" in line for line in lines)
        assert any("f1 help" in line for line in lines)
        assert len(list(deck.app.cockpit.walk_children())) < MOST_WIDGETS
        assert deck.app.theme == theme


async def test_a_wide_screen_has_a_column_for_tools_and_meters(tmp_path: Path) -> None:
    async with cockpit(tmp_path, [reply(calls(("list_files", {}))), "Seen."], size=(120, 40)) as deck:
        await deck.send("look")
        await deck.ended()
        shown = deck.screen_text()
        assert "✓ ok      list_files" in shown
        assert "tokens  new" in shown
        await deck.pilot.press("f3", "f4")
        await deck.settle()
        shown = deck.screen_text()
        assert "✓ ok      list_files" not in shown
        assert "tokens  new" not in shown


async def test_a_narrow_screen_has_one_line_of_meters_and_a_key_for_the_tools(tmp_path: Path) -> None:
    async with cockpit(tmp_path, [reply(calls(("list_files", {}))), "Seen."], size=(80, 24)) as deck:
        await deck.send("look")
        await deck.ended()
        shown = deck.screen_text()
        assert "run unknown · in 20 out 10" in shown
        assert "✓ ok      list_files" not in shown
        await deck.pilot.press("f3")
        await deck.settle()
        assert "✓ ok      list_files" in deck.screen_text()
        await deck.pilot.press("f3")
        await deck.settle()
        assert "Seen." in deck.screen_text()


async def test_the_smallest_screen_can_still_approve(tmp_path: Path) -> None:
    call = calls(("write_file", {"path": "new.txt", "content": "hello"}))
    async with cockpit(tmp_path, [reply(call), "Written."], size=(40, 10)) as deck:
        await deck.send("do it")
        await deck.waiting()
        await deck.armed()
        shown = deck.screen_text()
        assert "new.txt" in shown
        assert "y allow" in shown
        assert "ctrl+c stop" in shown
        await deck.pilot.press("y")
        await deck.ended()
        assert (tmp_path / "new.txt").exists()


async def test_the_empty_screen_says_what_this_is_and_what_to_try(tmp_path: Path) -> None:
    async with cockpit(tmp_path) as deck:
        shown = deck.screen_text()
        assert "Quarterdeck" in shown
        assert "the tests chose it" in shown
        assert shown.count("Try  ") == 1
        assert "f1 all keys" in shown


async def test_the_demo_is_never_taken_for_a_real_model(tmp_path: Path) -> None:
    async with cockpit(tmp_path) as deck:
        await deck.send("/model demo/pilot")
        await deck.settle()
        shown = deck.screen_text()
        assert "not a real model" in shown
        assert "demo model, not a real one" in shown


async def test_nothing_ticks_while_nothing_happens(tmp_path: Path) -> None:
    async with cockpit(tmp_path, ["Hello."]) as deck:
        await deck.send("hi")
        await deck.ended()
        await deck.until(lambda: not deck.conductor._ticking)  # pyright: ignore[reportPrivateUsage]
        painted: list[float] = []
        paint = deck.conductor._painter.paint  # pyright: ignore[reportPrivateUsage]
        deck.conductor._painter.paint = lambda view: painted.append(view.now) or paint(view)  # pyright: ignore[reportPrivateUsage]
        await deck.pilot.pause(1.2)
        assert painted == []


async def test_untrusted_text_never_reaches_the_terminal_as_control(tmp_path: Path) -> None:
    evil = "\x1b]0;owned\x07\x1b[2J [@click=app.quit]click[/] \u202eabc [/nope] \x9b31m"
    steps = [reply(text(evil), calls(("shell", {"command": evil}), ("list_files", {"path": evil}))), evil]
    async with cockpit(tmp_path, steps) as deck:
        await deck.send(evil)
        await deck.waiting()
        for key in ("f3", "f3", "ctrl+g"):
            await deck.pilot.press(key)
        await deck.settle()
        for shown in (deck.screen_text(), deck.app.export_screenshot()):
            assert "\x1b" not in shown
            assert "\x9b" not in shown
            assert "\u202e" not in shown
        assert "[@click=app.quit]click[/]" in deck.screen_text()
        await deck.armed()
        await deck.pilot.press("n")
        await deck.ended()
        await deck.pilot.press("ctrl+r")
        await deck.until(lambda: "newest first" in deck.screen_text() and "Today" in deck.screen_text())
        assert "\x1b" not in deck.screen_text()


async def test_a_long_answer_is_followed_and_scrolling_up_is_said(tmp_path: Path) -> None:
    gate = hold()
    body = "\n\n".join(f"Paragraph {number}." for number in range(60))
    async with cockpit(tmp_path, [reply(text(body), gate, text("\n\nThe end."))], size=(80, 24)) as deck:
        await deck.send("write")
        await deck.until(lambda: "Paragraph 59." in deck.screen_text())
        await deck.pilot.press("pageup", "pageup")
        gate.release()
        await deck.until(lambda: deck.view.run is not None and deck.view.run.finished)
        await deck.until(lambda: "below" in deck.screen_text())
        await deck.pilot.press("ctrl+end")
        await deck.until(lambda: "The end." in deck.screen_text())


FIRST_FRAME = """
import asyncio, os, sys
from pathlib import Path
from tui.settings.load import load_settings
from tui.app import QuarterdeckApp
app = QuarterdeckApp(load_settings(Path.cwd(), os.environ, {}))
app.engine.start = lambda: None
async def main():
    async with app.run_test(size=(120, 40)) as pilot:
        await pilot.pause()
        print('\\n'.join(sorted(sys.modules)))
asyncio.run(main())
"""


def test_the_first_frame_loads_little(tmp_path: Path) -> None:
    """Neither the runner's state, nor the store, nor a provider, nor what only lists and cards need."""
    done = subprocess.run(
        [sys.executable, "-c", FIRST_FRAME],
        cwd=tmp_path,
        env={
            "PATH": "/usr/bin:/bin",
            "HOME": str(tmp_path),
            "PYTHONPATH": str(ROOT),
            "QUARTERDECK_CONFIG": str(tmp_path),
        },
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    loaded = set(done.stdout.split())
    heavy = {
        *("litellm", "httpx", "pydantic", "sqlite3", "mcp", "pygments", "markdown_it"),
        *("runner.state", "runner.events", "runner.api", "runner.store.store", "tui.widgets.transcript"),
        *("textual.widgets._data_table", "textual.widgets._markdown", "textual.widgets._log"),
    }
    assert loaded & heavy == set()
    assert len(loaded) < 480, len(loaded)

"""Pictures of the real program for the README: the screen with the demo models, the real tools and the real store.

`python -m tests.pictures FOLDER [NAME ...]` writes NAME.svg, and NAME.png where cairosvg (the dependency group
"pictures") and the system's libcairo are installed.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import re
import subprocess
import sys
import tempfile
from collections.abc import Awaitable, Callable
from pathlib import Path
from typing import TypeAlias

from textual.pilot import Pilot

from tests.tui.cockpit import PATIENCE
from tui.app import QuarterdeckApp
from tui.settings.load import load_settings
from tui.view import View

Story: TypeAlias = "Callable[[Scene], Awaitable[None]]"

FILES = {
    "README.md": "# Tidewater\n\nPredicts the tides of a harbour from three numbers.\n",
    "tides.py": "def height(hours: float) -> float:\n    return 2.1 * hours\n\n\nMEAN_LEVEL = 1.5\n",
    "harbours/oslo.toml": 'name = "Oslo"\nmean_level = 0.4\n',
    "harbours/brest.toml": 'name = "Brest"\nmean_level = 4.1\n',
}


class Scene:
    """An open program, and what a picture's story does with it."""

    def __init__(self, app: QuarterdeckApp, pilot: Pilot[int]) -> None:
        self.app = app
        self.pilot = pilot

    @property
    def view(self) -> View:
        assert self.app.conductor is not None
        return self.app.conductor.deck.view()

    async def until(self, condition: Callable[[], object]) -> None:
        async with asyncio.timeout(PATIENCE):
            while not condition():
                await self.pilot.pause(0.02)

    async def send(self, text: str) -> None:
        self.app.cockpit.composer.replace_all(text)
        self.app.cockpit.composer.focus()
        await self.pilot.press("enter")

    async def ended(self) -> None:
        await self.until(lambda: self.view.run is not None and self.view.run.finished and not self.view.starting)
        await self.pilot.pause(0.2)

    async def waiting(self) -> None:
        await self.until(lambda: bool(self.view.waiting))
        await self.pilot.pause(0.8)


async def welcome(scene: Scene) -> None:
    await scene.pilot.pause(0.2)


async def talk(scene: Scene) -> None:
    await scene.send("what is here?")
    await scene.ended()
    await scene.send("search for mean_level")
    await scene.ended()


async def approval(scene: Scene) -> None:
    await talk(scene)
    await scene.send("change 2.1 * hours to 1.7 * hours in tides.py")
    await scene.waiting()


async def command(scene: Scene) -> None:
    await scene.send("run grep -rn mean_level harbours | sort")
    await scene.waiting()


async def streaming(scene: Scene) -> None:
    assert scene.app.conductor is not None
    scene.app.conductor.deck.set_model("demo/slow")
    await scene.send("tell me a long story")
    await scene.until(lambda: scene.view.run is not None and len(scene.view.run.live) > 0)
    await scene.pilot.pause(2.5)


async def aborted(scene: Scene) -> None:
    await streaming(scene)
    await scene.pilot.press("f9")
    await scene.ended()


async def failed(scene: Scene) -> None:
    assert scene.app.conductor is not None
    scene.app.conductor.deck.set_model("demo/flaky")
    await scene.send("hello")
    await scene.ended()


async def busy(scene: Scene) -> None:
    """A command that writes a file and then takes long, allowed by its card."""
    await scene.send("run echo draft > notes.txt; sleep 60")
    await scene.waiting()
    await scene.pilot.press("y")
    await scene.until(lambda: any(call.pid is not None for call in scene.view.running_calls))
    await scene.pilot.pause(2.0)


async def stopping(scene: Scene) -> None:
    await busy(scene)
    await scene.pilot.press("ctrl+c")
    await scene.until(lambda: scene.view.stopping)
    await scene.pilot.pause(0.6)


async def receipt(scene: Scene) -> None:
    await busy(scene)
    await scene.pilot.press("f9")
    await scene.ended()


async def retry(scene: Scene) -> None:
    assert scene.app.conductor is not None
    scene.app.conductor.deck.set_model("demo/flaky")
    await scene.send("what is here?")
    await scene.until(lambda: scene.view.retrying)
    await scene.pilot.pause(0.6)


async def limit(scene: Scene) -> None:
    await scene.send("what is here?")
    await scene.until(lambda: scene.view.limit_asked is not None)
    await scene.pilot.pause(0.8)


async def models(scene: Scene) -> None:
    await talk(scene)
    await scene.pilot.press("ctrl+o")
    await scene.pilot.pause(1.5)
    await scene.pilot.press(*"sonnet")
    await scene.pilot.pause(0.5)


async def sessions(scene: Scene) -> None:
    await talk(scene)
    await scene.pilot.press("ctrl+n")
    await scene.send("read tides.py")
    await scene.ended()
    await scene.pilot.press("ctrl+r")
    await scene.pilot.pause(1.0)


async def help_(scene: Scene) -> None:
    await scene.pilot.press("f1")
    await scene.pilot.pause(0.5)


STORIES: dict[str, Story] = {
    "welcome": welcome,
    "talk": talk,
    "approval": approval,
    "command": command,
    "streaming": streaming,
    "aborted": aborted,
    "failed": failed,
    "stopping": stopping,
    "receipt": receipt,
    "retry": retry,
    "limit": limit,
    "models": models,
    "sessions": sessions,
    "help": help_,
}

SETTINGS: dict[str, dict[str, object]] = {"limit": {"limits.max_turns": 1}}
"""What a story needs besides its theme."""


def make_project(root: Path) -> None:
    for path, text in FILES.items():
        Path(root, path).parent.mkdir(parents=True, exist_ok=True)
        Path(root, path).write_text(text, encoding="utf-8")


async def draw(name: str, theme: str, size: tuple[int, int]) -> str:
    """The screen at the end of a story, as SVG."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "tidewater")
        make_project(root)
        environ = {**os.environ, "HOME": folder, "QUARTERDECK_DATA": f"{folder}/data"}
        environ |= {"QUARTERDECK_CONFIG": f"{folder}/config", "QUARTERDECK_DEMO_SPEED": "4"}
        os.environ.update(environ)
        app = QuarterdeckApp(load_settings(root, environ, {"theme": theme, **SETTINGS.get(name, {})}))
        try:
            async with app.run_test(size=size) as pilot:
                scene = Scene(app, pilot)
                await scene.until(lambda: app.conductor is not None and app.conductor.deck.view().store_open)
                await STORIES[name](scene)
                return app.export_screenshot(title="quarterdeck")
        finally:
            await asyncio.wrap_future(app.engine.shutdown())


def to_png(svg: Path, font: str) -> bool:
    """Convert in a process of its own; False where cairosvg is not to be had."""
    text = re.sub(r"@font-face\s*{[^}]*}", "", svg.read_text(encoding="utf-8"))
    svg.write_text(text.replace("Fira Code", font), encoding="utf-8")
    # A column is 12.2 wide; only where that comes to whole pixels do the lines of boxes meet.
    program = "import sys, cairosvg; cairosvg.svg2png(url=sys.argv[1], write_to=sys.argv[2], scale=12 / 12.2)"
    python = os.environ.get("PICTURES_PYTHON", sys.executable)
    done = subprocess.run([python, "-c", program, str(svg), str(svg.with_suffix(".png"))], check=False)
    return done.returncode == 0


def main() -> int:
    parser = argparse.ArgumentParser(prog="python -m tests.pictures", description=__doc__)
    parser.add_argument("folder", type=Path)
    parser.add_argument("names", nargs="*", metavar="NAME", help=", ".join(STORIES))
    parser.add_argument("--theme", default="quarterdeck-dark")
    parser.add_argument("--size", default="120x36", help="columns x rows")
    parser.add_argument("--font", default="DejaVu Sans Mono", help="an installed monospace font, about 0.6 em wide")
    options = parser.parse_args()
    columns, rows = (int(part) for part in options.size.split("x"))
    options.folder.mkdir(parents=True, exist_ok=True)
    for name in options.names or list(STORIES):
        svg = options.folder / f"{name}.svg"
        svg.write_text(asyncio.run(draw(name, options.theme, (columns, rows))), encoding="utf-8")
        print(svg.with_suffix(".png") if to_png(svg, options.font) else svg, flush=True)
    return 0


if __name__ == "__main__":
    sys.exit(main())

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

from tests.pictures.arranging import STORIES as ARRANGING
from tests.pictures.branching import STORIES as BRANCHING
from tests.pictures.choosing import STORIES as CHOOSING
from tests.pictures.deciding import STORIES as DECIDING
from tests.pictures.finding import STORIES as FINDING
from tests.pictures.handing import STORIES as HANDING
from tests.pictures.replaying import STORIES as REPLAYING
from tests.pictures.reviewing import STORIES as REVIEWING
from tests.pictures.setting import SETTING, SETTING_CONFIGS, UNCONFIGURED
from tests.pictures.spending import STORIES as SPENDING
from tests.pictures.timing import STORIES as TIMING
from tests.pictures.timing import settings as timing
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


async def allow_for(scene: Scene) -> None:
    """The form of "allow for…", with a bound chosen."""
    await command(scene)
    await scene.pilot.press("f")
    await scene.pilot.pause(0.4)
    await scene.pilot.press("2", "tab", "tab", "tab", "tab", "right")
    await scene.pilot.pause(0.4)


async def edit(scene: Scene) -> None:
    await approval(scene)
    await scene.pilot.press("e")
    await scene.pilot.pause(0.6)


async def edit_json(scene: Scene) -> None:
    await edit(scene)
    await scene.pilot.press("ctrl+d")
    await scene.pilot.pause(0.6)


async def changes(scene: Scene) -> None:
    """The change on a screen of its own."""
    await approval(scene)
    await scene.pilot.press("v")
    await scene.pilot.pause(0.6)


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


async def servers(scene: Scene) -> None:
    """Three servers, one of which failed and one of which is off."""
    await scene.pilot.press("alt+s")
    assert scene.app.conductor is not None
    known = scene.app.conductor.servers
    await scene.until(lambda: (state := known.state("tides")) is not None and state.phase == "ready")
    await scene.until(lambda: scene.view.failed_servers)
    await scene.pilot.press("down")
    await scene.pilot.pause(0.5)


async def server(scene: Scene) -> None:
    """All of one server."""
    await servers(scene)
    await scene.pilot.press("up", "enter")
    await scene.pilot.pause(0.6)


async def prompt(scene: Scene) -> None:
    """The arguments of a server's prompt."""
    await servers(scene)
    await scene.pilot.press("escape")
    await scene.send("/tides:forecast")
    await scene.pilot.pause(0.8)


async def several(scene: Scene) -> None:
    """One approval for two files."""
    await scene.send('change "mean_level" to "level" in harbours/oslo.toml and harbours/brest.toml')
    await scene.waiting()


async def changed(scene: Scene) -> None:
    """The same, allowed and unfolded in the transcript."""
    await several(scene)
    await scene.pilot.press("y")
    await scene.ended()
    await scene.pilot.press("tab")
    await scene.pilot.pause(0.6)


async def checklist(scene: Scene) -> None:
    """A plan in the middle of being worked off; its last step waits for the person."""
    await scene.send("make a plan: read README.md, search for mean_level and then run date")
    await scene.waiting()


async def question(scene: Scene) -> None:
    await scene.send("ask me which harbour: Oslo, Brest or both of them")
    await scene.waiting()


async def answered(scene: Scene) -> None:
    await question(scene)
    await scene.pilot.press("2")
    await scene.pilot.pause(0.4)
    await scene.pilot.press("enter")
    await scene.ended()


async def help_(scene: Scene) -> None:
    await scene.pilot.press("f1")
    await scene.pilot.pause(0.5)


STORIES: dict[str, Story] = {
    "welcome": welcome,
    "talk": talk,
    "approval": approval,
    "command": command,
    "allow_for": allow_for,
    "edit": edit,
    "edit_json": edit_json,
    "changes": changes,
    "streaming": streaming,
    "aborted": aborted,
    "failed": failed,
    "stopping": stopping,
    "receipt": receipt,
    "retry": retry,
    "limit": limit,
    "models": models,
    "sessions": sessions,
    "servers": servers,
    "server": server,
    "prompt": prompt,
    "several": several,
    "changed": changed,
    "checklist": checklist,
    "question": question,
    "answered": answered,
    "help": help_,
    **BRANCHING,
    **CHOOSING,
    **DECIDING,
    **REPLAYING,
    **REVIEWING,
    **FINDING,
    **HANDING,
    **SPENDING,
    **SETTING,
    **TIMING,
    **ARRANGING,
}

SETTINGS: dict[str, dict[str, object]] = {"limit": {"limits.max_turns": 1}}
"""What a story needs besides its theme."""

SERVERS = f"""\
[mcp.tides]
command = "{sys.executable}"
args = ["{Path(__file__).parent.parent / "tui" / "tides_server.py"}"]

[mcp.charts]
command = "sh"
args = ["-c", "echo opening charts.db >&2; echo charts.db: no such file >&2; exit 3"]

[mcp.harbour-master]
url = "https://tools.example/mcp"
enabled = false
"""
CONFIG: dict[str, str] = {**SETTING_CONFIGS, **dict.fromkeys(("servers", "server", "prompt"), SERVERS)}
"""The file that a story is configured with."""


def make_project(root: Path) -> None:
    for path, text in FILES.items():
        Path(root, path).parent.mkdir(parents=True, exist_ok=True)
        Path(root, path).write_text(text, encoding="utf-8")


def configure(folder: Path, text: str) -> None:
    folder.mkdir()
    if text != UNCONFIGURED:
        (folder / "config.toml").write_text(text, encoding="utf-8")


async def draw(name: str, theme: str, size: tuple[int, int]) -> str:
    """The screen at the end of a story, as SVG."""
    with tempfile.TemporaryDirectory() as folder:
        root = Path(folder, "tidewater")
        make_project(root)
        environ = {**os.environ, "HOME": folder, "QUARTERDECK_DATA": f"{folder}/data"}
        environ |= {"QUARTERDECK_CONFIG": f"{folder}/config", "QUARTERDECK_DEMO_SPEED": "4"}
        configure(Path(folder, "config"), CONFIG.get(name, ""))
        os.environ.update(environ)
        found = load_settings(root, environ, {"theme": theme, **SETTINGS.get(name, {})})
        app = QuarterdeckApp(timing(found) if name in TIMING else found)
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

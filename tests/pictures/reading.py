"""Stories of reading the transcript: an item in focus, times, a search."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from tui.widgets.find_bar import FindBar

if TYPE_CHECKING:
    from tests.pictures.__main__ import Scene


async def _talked(scene: Scene) -> None:
    await scene.send("what is here?")
    await scene.ended()
    await scene.send("search for mean_level")
    await scene.ended()
    await scene.send("run seq 1 400")
    await scene.waiting()
    await scene.pilot.press("y")
    await scene.ended()


async def reading(scene: Scene) -> None:
    """In the transcript, at an unfolded call."""
    await _talked(scene)
    await scene.pilot.press("alt+up", "alt+up", "alt+up", "alt+up", "enter")
    await scene.pilot.pause(0.5)


async def times(scene: Scene) -> None:
    await _talked(scene)
    await scene.pilot.press("alt+up", "t")
    await scene.pilot.pause(0.6)
    await scene.pilot.press("alt+up", "alt+up", "alt+up")
    await scene.pilot.pause(5.5)


async def finding(scene: Scene) -> None:
    await _talked(scene)
    await scene.pilot.press("f11", *"mean_level", "enter", "enter")
    bar = scene.app.cockpit.query_one(FindBar)
    await scene.until(lambda: bar.display)
    await scene.pilot.pause(0.6)


STORIES: dict[str, Callable[[Scene], Awaitable[None]]] = {
    "reading": reading,
    "times": times,
    "finding": finding,
}

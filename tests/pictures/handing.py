"""Stories about sessions beside each other and handed on."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.pictures.__main__ import Scene


async def two(scene: Scene) -> None:
    """Two sessions that begin in the same way."""
    for texts in (("what is here?", "read tides.py"), ("what is here?", "search for mean_level", "read README.md")):
        await scene.pilot.press("ctrl+n")
        for text in texts:
            await scene.send(text)
            await scene.ended()


async def compared(scene: Scene) -> None:
    await two(scene)
    await scene.pilot.press("alt+shift+d")
    await scene.pilot.pause(0.8)
    await scene.pilot.press("enter")
    await scene.pilot.pause(1.0)


async def compared_step(scene: Scene) -> None:
    await compared(scene)
    await scene.pilot.press("down", "enter")
    await scene.pilot.pause(0.5)


async def hand_on(scene: Scene) -> None:
    await scene.send("run echo token=ghp_abcdefghijklmnopqrstuvwxyz0123456789")
    await scene.waiting()
    await scene.pilot.press("y")
    await scene.ended()
    await scene.pilot.press("alt+shift+e")
    await scene.pilot.pause(1.0)


STORIES: dict[str, Callable[[Scene], Awaitable[None]]] = {
    "compared": compared,
    "compared_step": compared_step,
    "hand_on": hand_on,
}

"""Pictures of the cockpit's own arrangement: the zen view, the list of calls on a narrow screen, the palette."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.pictures.__main__ import Scene


async def zen(scene: Scene) -> None:
    """Only the transcript and the message."""
    await _talked(scene)
    await scene.pilot.press("alt+z")
    await scene.pilot.pause(0.3)
    await scene.until(lambda: scene.view.notice is None)
    await scene.pilot.pause(0.3)


async def zen_card(scene: Scene) -> None:
    """The same with something that asks."""
    await _talked(scene)
    await scene.pilot.press("alt+z")
    await scene.send("change 2.1 * hours to 1.7 * hours in tides.py")
    await scene.waiting()


async def tools(scene: Scene) -> None:
    """What f3 does: on a narrow screen the tool calls take the transcript's place."""
    await _talked(scene)
    await scene.pilot.press("f3")
    await scene.pilot.pause(0.4)


async def palette(scene: Scene) -> None:
    await _talked(scene)
    await scene.pilot.press("ctrl+p")
    await scene.pilot.pause(0.4)


async def _talked(scene: Scene) -> None:
    await scene.send("what is here?")
    await scene.ended()
    await scene.send("search for mean_level")
    await scene.ended()


STORIES: dict[str, Callable[[Scene], Awaitable[None]]] = {
    "zen": zen,
    "zen_card": zen_card,
    "tools": tools,
    "palette": palette,
}

"""Stories of a session that is played again."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from tui.screens.replay import ReplayScreen

if TYPE_CHECKING:
    from tests.pictures.__main__ import Scene


async def _played(scene: Scene) -> None:
    """A session with two approvals, played again and paused at its beginning."""
    for text, key in (
        ("what is here?", ""),
        ("change 2.1 * hours to 1.7 * hours in tides.py", "y"),
        ("run grep -rn mean_level harbours | sort", "n"),
        ("read tides.py", ""),
    ):
        await scene.send(text)
        if key:
            await scene.waiting()
            await scene.pilot.press(key)
        await scene.ended()
    await scene.pilot.press("alt+shift+r")
    await scene.until(lambda: isinstance(scene.app.screen, ReplayScreen) and scene.app.screen.steering is not None)
    await scene.pilot.press("space")


async def replay(scene: Scene) -> None:
    """In the middle, while it plays."""
    await _played(scene)
    await scene.pilot.press("g", *"70%", "enter", "plus", "plus", "space")
    await scene.pilot.pause(0.2)
    await scene.pilot.press("space")
    await scene.pilot.pause(0.3)


async def replay_asked(scene: Scene) -> None:
    """At an approval, as it was then."""
    await _played(scene)
    await scene.pilot.press("home", "m", "m", "m")
    await scene.pilot.pause(0.3)


STORIES: dict[str, Callable[[Scene], Awaitable[None]]] = {"replay": replay, "replay_asked": replay_asked}

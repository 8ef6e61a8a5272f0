"""Stories of looking back over all sessions."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from runner.store import Store
from tests.store.spending import spend

if TYPE_CHECKING:
    from tests.pictures.__main__ import Scene


async def usage(scene: Scene, *keys: str) -> None:
    """Months of work, seen from one side."""

    def fill(store: Store) -> None:
        spend(store, datetime.now(UTC))

    await asyncio.wrap_future(scene.app.engine.ask(fill))
    await scene.pilot.press("alt+shift+u")
    await scene.pilot.pause(1.0)
    for key in keys:
        await scene.pilot.press(key)
        await scene.pilot.pause(0.4)


async def usage_none(scene: Scene) -> None:
    await scene.pilot.press("alt+shift+u")
    await scene.pilot.pause(1.0)


async def tagging(scene: Scene) -> None:
    """The form over the transcript."""
    await scene.send("what is here?")
    await scene.ended()
    await scene.pilot.press("alt+up", "T")
    await scene.pilot.pause(0.8)
    await scene.pilot.press(*"slow cut-off")


STORIES: dict[str, Callable[[Scene], Awaitable[None]]] = {
    "usage": usage,
    "usage_none": usage_none,
    "tagging": tagging,
}
for _name, _keys in {
    "usage_90": ("plus", "s"),
    "usage_models": ("right",),
    "usage_projects": ("right", "right", "right", "s"),
    "usage_tools": ("right", "right", "right", "right"),
    "usage_failing": ("right", "right", "right", "right", "s"),
    "usage_approvals": ("left", "left"),
    "usage_cache": ("left",),
    "usage_one": ("right", "enter"),
}.items():
    STORIES[_name] = lambda scene, keys=_keys: usage(scene, *keys)

"""Pictures of the list of sessions: by day, with what was found, with a preview, by project, and the trash."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from datetime import UTC, datetime
from typing import TYPE_CHECKING

from tests.tui.recorded import record

if TYPE_CHECKING:
    from tests.pictures.__main__ import Scene


async def sessions_list(scene: Scene) -> None:
    home = scene.app.settings.environ["HOME"]
    await asyncio.wrap_future(scene.app.engine.ask(lambda store: record(store, datetime.now(UTC), home)))
    await scene.pilot.press("ctrl+r")
    await scene.pilot.pause(1.0)


async def sessions_found(scene: Scene) -> None:
    await sessions_list(scene)
    await scene.pilot.press(*"mean_level")
    await scene.pilot.pause(1.2)


async def sessions_preview(scene: Scene) -> None:
    await sessions_found(scene)
    await scene.pilot.press("f3", "down", "down")
    await scene.pilot.pause(0.6)


async def sessions_project(scene: Scene) -> None:
    await sessions_list(scene)
    await scene.pilot.press("f6", "tab", "down", "m", "f3", "down")
    await scene.pilot.pause(0.8)


async def sessions_trash(scene: Scene) -> None:
    await sessions_list(scene)
    await scene.pilot.press("f8")
    await scene.pilot.pause(0.8)


async def sessions_wrong(scene: Scene) -> None:
    await sessions_list(scene)
    await scene.pilot.press(*"modle:opus cost>x en")
    await scene.pilot.pause(0.8)


async def sessions_note(scene: Scene) -> None:
    await sessions_list(scene)
    await scene.pilot.press("down", "down", "f4")
    await scene.pilot.pause(0.8)


async def sessions_none(scene: Scene) -> None:
    await scene.pilot.press("ctrl+r")
    await scene.pilot.pause(0.6)


STORIES: dict[str, Callable[[Scene], Awaitable[None]]] = {
    "sessions_list": sessions_list,
    "sessions_found": sessions_found,
    "sessions_preview": sessions_preview,
    "sessions_project": sessions_project,
    "sessions_trash": sessions_trash,
    "sessions_wrong": sessions_wrong,
    "sessions_note": sessions_note,
    "sessions_none": sessions_none,
}

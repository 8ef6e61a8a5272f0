"""Stories about going back: files put back, the turns of a session, a rewind, a fork."""

from __future__ import annotations

import asyncio
import subprocess
from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

if TYPE_CHECKING:
    from tests.pictures.__main__ import Scene


async def changed(scene: Scene) -> None:
    """Two edits and a command in a git work tree."""
    folder = scene.app.settings.cwd
    for line in ("init -q", "add -A", "-c user.name=a -c user.email=a@example.org commit -qm first"):
        await asyncio.to_thread(subprocess.run, ["git", *line.split()], cwd=folder, check=True)
    for text in (
        "change 2.1 * hours to 1.7 * hours in tides.py",
        "change Predicts to Computes in README.md",
        "run rm harbours/oslo.toml; echo checked >> README.md; echo draft > notes.txt",
    ):
        await scene.send(text)
        await scene.waiting()
        await scene.pilot.press("y")
        await scene.ended()


async def undo(scene: Scene) -> None:
    """One of the files was changed by somebody else since."""
    await changed(scene)
    (scene.app.settings.cwd / "notes.txt").write_text("a note of my own\n", encoding="utf-8")
    await scene.pilot.press("alt+u")
    await scene.pilot.pause(1.5)


async def turns(scene: Scene) -> None:
    await changed(scene)
    await scene.send("what is here?")
    await scene.ended()
    await scene.pilot.press("alt+shift+b")
    await scene.pilot.pause(1.0)
    await scene.pilot.press("up", "up", "up")
    await scene.pilot.pause(0.5)


async def rewind(scene: Scene) -> None:
    """After the first edit."""
    await turns(scene)
    await scene.pilot.press("home", "down", "w")
    await scene.pilot.pause(1.5)


async def refused(scene: Scene) -> None:
    """A file that goes back was changed by somebody else."""
    await turns(scene)
    (scene.app.settings.cwd / "notes.txt").write_text("a note of my own\n", encoding="utf-8")
    await scene.pilot.press("home", "down", "w")
    await scene.pilot.pause(1.5)


async def forked(scene: Scene) -> None:
    """Back before the second prompt, which is in the message again."""
    await turns(scene)
    await scene.pilot.press("home", *["down"] * 4, "e")
    await scene.pilot.pause(2.0)


STORIES: dict[str, Callable[[Scene], Awaitable[None]]] = {
    "undo": undo,
    "turns": turns,
    "rewind": rewind,
    "rewind-refused": refused,
    "forked": forked,
}

"""What a person does in a session that is there: jumping through it, its times and decisions, all that it changed."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from textual.widgets import Static

from tui.landing import Landing
from tui.screens.changes import ChangesScreen

if TYPE_CHECKING:
    from tests.pictures.__main__ import Scene


PROMPTS = (
    "change 2.1 * hours to 1.7 * hours in tides.py",
    "create notes.txt with the text draft",
    "change 0.4 to 0.41 in harbours/oslo.toml",
    "run ls nowhere",
)


def _detail(scene: Scene) -> str:
    found = scene.app.screen.query("#changes-detail")
    return str(found.first(Static).content) if found else ""


async def _worked(scene: Scene) -> None:
    await scene.send("search for mean_level")
    await scene.ended()
    for prompt in PROMPTS:
        await scene.send(prompt)
        await scene.waiting()
        await scene.pilot.press("y")
        await scene.ended()


async def jumping(scene: Scene) -> None:
    """At an error, with the times and decisions."""
    await _worked(scene)
    await scene.pilot.press("alt+up", "t")
    await scene.pilot.pause(0.6)
    await scene.pilot.press("left_parenthesis", "enter")
    await scene.pilot.pause(0.6)


async def reviewed(scene: Scene) -> None:
    """A session that was opened again, at a word of an output."""
    await _worked(scene)
    conductor, session_id = scene.app.conductor, scene.view.session_id
    assert conductor is not None
    assert session_id is not None
    run = scene.view.runs[0]
    conductor.new_session()
    await conductor.browsing.open_session(session_id, at=Landing(run.run_id, 1, "mean_level"))
    await scene.pilot.pause(5.6)


async def changes(scene: Scene) -> None:
    await _worked(scene)
    await scene.pilot.press("alt+shift+f")
    await scene.until(lambda: isinstance(scene.app.screen, ChangesScreen) and " of " in _detail(scene))


async def changes_together(scene: Scene) -> None:
    await changes(scene)
    await scene.pilot.press("w")
    await scene.pilot.pause(0.7)


STORIES: dict[str, Callable[[Scene], Awaitable[None]]] = {
    "jumping": jumping,
    "reviewed": reviewed,
    "changes": changes,
    "changes_together": changes_together,
}

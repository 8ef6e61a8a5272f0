"""Pictures of the choice of a model, with its favourites, effort and temperature."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import TYPE_CHECKING

from tui.model_memory import ModelMemory

if TYPE_CHECKING:
    from tests.pictures.__main__ import Scene


async def chosen(scene: Scene) -> None:
    """The list as it opens, with favourites and what was used last; an effort and a temperature are set."""
    memory = ModelMemory(scene.app.remembered)
    for name in ("openai/gpt-5.1", "anthropic/claude-sonnet-4-5"):
        memory.toggle(name)
    memory.used("gemini/gemini-2.5-flash")
    await scene.send("what is here?")
    await scene.ended()
    await scene.pilot.press("ctrl+o")
    await scene.pilot.pause(1.5)
    await scene.pilot.press("up", "right", "right")
    await scene.pilot.press("alt+m", *"0.7", "enter")
    await scene.pilot.pause(0.4)


async def tuned(scene: Scene) -> None:
    """The cockpit with an effort and a temperature that this model does not take."""
    assert scene.app.conductor is not None
    scene.app.conductor.deck.set_model(effort="high", temperature=0.7)
    await scene.send("what is here?")
    await scene.ended()


STORIES: dict[str, Callable[[Scene], Awaitable[None]]] = {"chosen": chosen, "tuned": tuned}

"""Stories along the time axis: calls side by side, an attempt that fails, an approval, a long command."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator, Awaitable, Callable
from decimal import Decimal
from typing import TYPE_CHECKING

from runner.errors import ServerError
from runner.testing import ScriptedModel, calls, pause, reasoning, reply, text, usage
from runner.tools import Activity, tool
from runner.tools.base import Tool
from runner.usage import Price
from tests.tui.cockpit import MODEL, ScriptedSettings
from tui.settings.values import Settings

if TYPE_CHECKING:
    from tests.pictures.__main__ import Scene

WORDS = "The three harbours agree within four centimetres, so the numbers can be trusted. "


@tool(read_only=True)
async def measure(harbour: str, seconds: float) -> AsyncIterator[Activity | str]:
    """Measure the level of a harbour."""
    for number in range(int(seconds * 4)):
        await asyncio.sleep(0.25)
        yield Activity(message=f"sample {number}", progress=number / seconds / 4)
    yield f"mean level of {harbour}: 1.52"


TOOLS: tuple[Tool, ...] = (measure,)


def settings(real: Settings) -> ScriptedSettings:
    """A model that thinks, measures three harbours at once, fails once, and asks to run something."""
    first = reply(
        pause(0.7),
        *reasoning("I compare the harbours."),
        pause(0.5),
        *text("Measuring all of them."),
        *calls(
            ("measure", {"harbour": "Oslo", "seconds": 2.5}),
            ("measure", {"harbour": "Brest", "seconds": 1.2}),
            ("measure", {"harbour": "Lisbon", "seconds": 1.8}),
            ("read_file", {"path": "tides.py"}),
        ),
        usage(4200, 310, cached=0, reasoning=120),
    )
    ask = reply(
        pause(0.4),
        *text("Next I run the tests."),
        *calls(("shell", {"command": "echo collecting; sleep 30"}), ("measure", {"harbour": "Dover", "seconds": 2.0})),
        usage(5100, 220, cached=4100, reasoning=40),
    )
    last = [part for number in range(40) for part in (*text(WORDS if number % 3 == 0 else "and so on "), pause(0.15))]
    model = ScriptedModel(
        [first, [pause(0.5), ServerError("the provider is overloaded", retry_after=1.2)], ask, reply(*last)],
        name=MODEL,
        price=Price(input=Decimal(3), output=Decimal(15), cached_input=Decimal("0.3")),
        context_window=16_000,
    )
    return ScriptedSettings(real, model, tools=TOOLS)


async def parallel(scene: Scene) -> None:
    """In the middle of the calls side by side."""
    await scene.send("compare the harbours")
    await scene.until(lambda: len(scene.view.running_calls) == 3)
    await scene.pilot.pause(0.9)


async def asked(scene: Scene) -> None:
    await scene.send("compare the harbours")
    await scene.waiting()
    await scene.pilot.pause(1.5)


async def card(scene: Scene) -> None:
    """An approval with the axis on the screen."""
    await scene.pilot.press("alt+a", "escape")
    await asked(scene)


async def along(scene: Scene) -> None:
    """The axis after a retry and an approval, with the focus on it, while a command runs and is quiet."""
    await asked(scene)
    await scene.pilot.press("y")
    await scene.until(lambda: any(call.pid is not None for call in scene.view.running_calls))
    await scene.pilot.pause(6.5)
    if not scene.app.cockpit.query_one("#axis").has_focus:
        await scene.pilot.press("alt+a")
    await scene.pilot.pause(0.6)


async def picked(scene: Scene) -> None:
    """One of the calls side by side is selected, zoomed in."""
    await along(scene)
    await scene.pilot.press("home", "up", "left", "left", "plus")
    await scene.pilot.pause(0.5)


async def ledger(scene: Scene) -> None:
    await asked(scene)
    await scene.pilot.press("n")
    await scene.until(lambda: len(scene.view.runs[0].ledger) >= 3)
    await scene.pilot.pause(1.5)
    await scene.pilot.press("alt+l")
    await scene.pilot.pause(1.0)


async def speeds(scene: Scene) -> None:
    """A long answer, with the speed of the last minute."""
    await asked(scene)
    await scene.pilot.press("n")
    await scene.pilot.pause(5.5)


STORIES: dict[str, Callable[[Scene], Awaitable[None]]] = {
    "parallel": parallel,
    "card": card,
    "along": along,
    "picked": picked,
    "ledger": ledger,
    "speeds": speeds,
}

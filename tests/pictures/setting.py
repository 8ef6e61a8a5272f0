"""Stories about settings: the screen, a value that is edited, one that is refused, the first start."""

from __future__ import annotations

from collections.abc import Awaitable, Callable
from typing import Any, TypeAlias

Story: TypeAlias = "Callable[[Any], Awaitable[None]]"


async def settings(scene: Any) -> None:
    await scene.pilot.press("alt+c")
    await scene.pilot.pause(1.0)


async def setting_search(scene: Any) -> None:
    await settings(scene)
    await scene.pilot.press(*"limits max", "down", "tab")
    await scene.pilot.pause(0.5)


async def setting_edit(scene: Any) -> None:
    """A number that is none."""
    await settings(scene)
    await scene.pilot.press(*"max_cost", "enter")
    await scene.pilot.pause(0.5)
    await scene.pilot.press(*"lots")
    await scene.pilot.pause(0.8)


async def setting_choice(scene: Any) -> None:
    await settings(scene)
    await scene.pilot.press(*"theme", "enter")
    await scene.pilot.pause(0.8)


async def first_start(scene: Any) -> None:
    """Nothing configured, no session; the first offer is gone to."""
    await scene.pilot.pause(1.0)
    await scene.pilot.press("tab")
    await scene.pilot.pause(0.5)


SETTING: dict[str, Story] = {
    "settings": settings,
    "setting_search": setting_search,
    "setting_edit": setting_edit,
    "setting_choice": setting_choice,
    "first_start": first_start,
}

UNCONFIGURED = "no file"
"""In the place of a configuration, for a story that begins without one."""

_CONFIG = """\
# what I like
model = "demo/pilot"
approve = "accept_edits"

[limits]
max_turns = 40
max_cost_usd = 2.50

[agents.reviewer]
instructions = "You review code and change nothing."
tools = ["list_files", "read_file", "search"]

[mcp.git]
command = "true"
enabled = false
env = { GIT_TOKEN = "${MY_TOKEN}" }
"""

SETTING_CONFIGS = {**dict.fromkeys(SETTING, _CONFIG), "first_start": UNCONFIGURED}

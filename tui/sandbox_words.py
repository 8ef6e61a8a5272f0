"""Whether commands are caged, in words. Pure."""

from __future__ import annotations

from typing import TYPE_CHECKING

from tui.words import cut

if TYPE_CHECKING:
    from runner.tools.sandbox import SandboxStatus

WIDE = 100
"""Columns from which the status line says that all is well, or as somebody wants it."""

NARROW = 70
LONG = 132
"""Columns from which it says why not: with less, what the run does needs the room."""

_WHY = 44


def sandbox_words(status: SandboxStatus | None, width: int) -> tuple[str, str]:
    """What the status line says, and in which colour; "" where there is nothing to say, or no room for it."""
    if status is None or width < NARROW:
        return "", ""
    if status.on:
        return ("sandbox", "muted") if width >= WIDE else ("", "")
    if not status.wanted:
        return ("no sandbox", "muted") if width >= WIDE else ("", "")
    words = "no sandbox, no commands" if status.required else "no sandbox"
    return (f"{words}: {cut(status.why, _WHY)}" if width >= LONG else words), "state-waiting"

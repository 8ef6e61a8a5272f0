"""When the next frame may come: what frames cost the screen's thread, and how much text nobody can read along. Pure."""

from __future__ import annotations

from dataclasses import dataclass
from typing import Final

SHARE: Final = 4
"""The next frame waits for at least so many times what the last one cost."""

FLOOD_SHARE: Final = 10
"""The same while text floods the screen: the time goes to the text, not to pictures of its passing."""

FLOOD: Final = 8_000
"""Characters a second from which nobody reads along, or sees a difference between ten frames a second and more."""

LONGEST: Final = 0.2
"""Seconds between two frames, however dear they are."""


@dataclass(slots=True)
class FramePace:
    """Times in seconds: began, of the last frame; spent, the processor time of the screen's thread until then."""

    began: float = float("-inf")
    spent: float = 0.0
    flooded: bool = False

    def framed(self, now: float, spent: float, characters: int) -> None:
        """A frame begins, with so many characters of streamed text in it."""
        self.flooded = characters > FLOOD * min(1.0, now - self.began)
        self.began, self.spent = now, spent

    def wait(self, now: float, spent: float, *, at_least: float, facts: bool) -> float:
        """Seconds until the next frame. at_least: between two. facts: something waits that is more than text."""
        share = FLOOD_SHARE if self.flooded and not facts else SHARE
        dear = min(LONGEST, share * (spent - self.spent))
        return self.began + max(at_least, dear) - now

"""What a person does with a recording: playing, pausing, going somewhere. Knows no widget; pure but for the player."""

from __future__ import annotations

import math
from typing import TYPE_CHECKING, Final

from tui.replaying.loading import LONGEST
from tui.replaying.words import SPEEDS, read_target

if TYPE_CHECKING:
    from runner.review.player import Player
    from runner.review.reel import MarkKind

SCRUB: Final = 0.05
"""The part of the whole that one step along the strip goes."""

_TURNS: Final[tuple[MarkKind, ...]] = ("turn",)
_MARKS: Final[tuple[MarkKind, ...]] = ("prompt", "approval", "error")

STEPS: Final = (
    *("play", "faster", "slower", "waits", "event_on", "event_back", "turn_on", "turn_back", "mark_on", "mark_back"),
    *("on", "back", "first", "last"),
)
"""What do() carries out, by the names of the registry."""


class Steering:
    """said: what there is to be told about the last thing done, until the next one."""

    def __init__(self, player: Player) -> None:
        self.player = player
        self.playing = True
        self.speed = SPEEDS[0]
        self.said = ""

    def pass_time(self, seconds: float) -> bool:
        """So many seconds of the person's went by; whether it goes on playing."""
        if self.playing:
            self.player.play(seconds * self.speed)
            self.playing = not self.player.at_end
        return self.playing

    def do(self, step: str) -> bool:
        """Carry out a step; whether it went somewhere else than on."""
        self.said = ""
        match step:
            case "play":
                return self._toggle()
            case "faster" | "slower":
                at = SPEEDS.index(self.speed) + (1 if step == "faster" else -1)
                self.speed = SPEEDS[max(0, min(at, len(SPEEDS) - 1))]
            case "waits":
                real = not math.isinf(self.player.course.longest)
                self.player.cut(math.inf if real else LONGEST)
                self.said = "pauses are as long as they were" if real else f"pauses are cut to {LONGEST:g} s"
            case _:
                self._go(step)
                return True
        return False

    def seek(self, moment: float) -> None:
        self.said = ""
        self.player.go(moment)

    def go_to(self, text: str) -> bool:
        """Go where the person wrote; whether that says anything."""
        target = read_target(text, self.player.course.length)
        if target is None:
            self.said = "write a time such as 1:30, a share such as 40%, or an event such as #120"
            return False
        self.said = ""
        if target.event is not None:
            self.player.seek(target.event)
        elif target.moment is not None:
            self.player.go(target.moment)
        return True

    def _toggle(self) -> bool:
        again = not self.playing and self.player.at_end
        if again:
            self.player.go(0.0)
        self.playing = not self.playing
        return again

    def _go(self, step: str) -> None:
        """Single steps pause; along the strip it goes on playing from there."""
        player, by = self.player, -1 if step.endswith("back") else 1
        match step:
            case "on" | "back":
                player.go(player.moment + by * SCRUB * player.course.length)
            case "first":
                player.seek(0)
            case "last":
                player.go(player.course.length)
            case "event_on" | "event_back":
                self.playing = False
                player.step(by)
            case _:
                self.playing = False
                turns = step.startswith("turn")
                if not player.jump(by, _TURNS if turns else _MARKS):
                    what = "turn" if turns else "message, approval or error"
                    self.said = f"there is no {what} {'before' if by < 0 else 'after'} this"

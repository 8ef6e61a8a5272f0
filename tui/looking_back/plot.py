"""Bars over time and bars in a table, drawn with block characters in the theme's colours. Pure.

A plotting library brings colours of its own, draws with terminal sequences that have to be read again, and knows no
theme made of the terminal's colours; the few marks that are needed here are drawn at once as what the screen shows.
"""

from __future__ import annotations

import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from typing import Final

from textual.content import Content

from tui.words import tokens

_RISING: Final = "▁▂▃▄▅▆▇█"
_GROWING: Final = "▏▎▍▌▋▊▉█"
GUESS: Final = "▒"
"""What a bar is made of where it is an estimate: told apart without any colour."""

BAR, GUESSED, MUTED, UNKNOWN = "$primary", "$secondary", "$muted", "$state-waiting"
WIDEST: Final = 9


@dataclass(frozen=True, slots=True)
class Bucket:
    """One bar: what stands below it, how high it is, how much of that is an estimate, and whether something is not
    known that would make it higher."""

    label: str
    value: float
    guess: float = 0.0
    unknown: bool = False


def nice_step(most: float, parts: int) -> float:
    """1, 2 or 5 times a power of ten, so that at most so many reach the highest value."""
    if most <= 0:
        return 1.0
    rough = most / max(1, parts)
    power = 10.0 ** math.floor(math.log10(rough))
    return next(step * power for step in (1, 2, 5, 10) if step * power >= rough * (1 - 1e-9))


def dollars(value: float, step: float) -> str:
    """Cents, and as many places more as the steps need; none where they are whole dollars."""
    places = 0 if step >= 1 else max(2, -math.floor(math.log10(step)))
    return f"${value:,.{places}f}"


def thousands(value: float, step: float) -> str:
    return tokens(round(value))


def rising(buckets: Sequence[Bucket], width: int, height: int, scale: Callable[[float, float], str]) -> Content:
    """Bars side by side over a line with their labels, in at most so many rows; scale: words for a value at the left,
    and for steps of so much between two of them."""
    rows = height - 2
    if not buckets or rows < 2:
        return Content("")
    most = max(bucket.value for bucket in buckets)
    step = nice_step(most, max(2, rows // 2))
    top = max(step, math.ceil(most / step - 1e-9) * step)
    ticks = round(top / step)
    # As many rows for one step as for another.
    rows -= rows % ticks
    marks = {count * rows // ticks: scale(step * count, step) for count in range(1, ticks + 1)}
    left = max(len(text) for text in (*marks.values(), scale(0, step)))
    slot = max(1, min(WIDEST + 2, (width - left - 2) // len(buckets)))
    shown = buckets[-max(1, (width - left - 2) // slot) :]
    lines = [_line(shown, row, rows, top, slot, f"{marks.get(row, ''):>{left}}") for row in range(rows, 0, -1)]
    return Content("\n").join(
        [*lines, _floor(shown, slot, f"{scale(0, step):>{left}}"), _labels(shown, slot, left, width)]
    )


def _line(shown: Sequence[Bucket], row: int, rows: int, top: float, slot: int, mark: str) -> Content:
    parts: list[tuple[str, str]] = [(f"{mark} {'┤' if mark.strip() else '│'}", MUTED)]
    bar = max(1, slot - (1 if slot > 2 else 0))
    for bucket in shown:
        glyph, colour = _glyph(bucket, row, rows, top)
        parts.append((glyph * bar + " " * (slot - bar), colour))
    return Content.assemble(*parts)


def _glyph(bucket: Bucket, row: int, rows: int, top: float) -> tuple[str, str]:
    """What a bar is in one row: known below, the estimate above it."""
    filled = bucket.value / top * rows
    sure = max(0.0, bucket.value - bucket.guess) / top * rows
    within = filled - (row - 1)
    if row == 1 and bucket.value > 0:
        # What is not nothing is never drawn as nothing.
        within = max(within, 1 / 8)
    if within <= 1 / 16:
        return " ", MUTED
    guessed = sure <= row - 0.5 and bucket.guess > 0
    if guessed:
        return (GUESS if within >= 1 / 2 or row == 1 else " "), GUESSED
    return _RISING[min(7, max(0, round(within * 8) - 1))], BAR


def _floor(shown: Sequence[Bucket], slot: int, mark: str) -> Content:
    """The line below the bars; "?" under those that lack something."""
    bar = max(1, slot - (1 if slot > 2 else 0))
    parts: list[tuple[str, str]] = [(f"{mark} └", MUTED)]
    for bucket in shown:
        if not bucket.unknown:
            parts.append(("─" * slot, MUTED))
            continue
        before = (bar - 1) // 2
        parts += [("─" * before, MUTED), ("?", UNKNOWN), ("─" * (slot - before - 1), MUTED)]
    return Content.assemble(*parts)


def _labels(shown: Sequence[Bucket], slot: int, left: int, width: int) -> Content:
    """As many as there is room for, each under the beginning of its bar."""
    longest = max(len(bucket.label) for bucket in shown)
    every = max(1, math.ceil((longest + 1) / slot))
    text = ""
    for place in range(0, len(shown), every):
        label = shown[place].label
        if left + 2 + place * slot + len(label) <= width:
            text = text.ljust(place * slot) + label
    return Content.styled(" " * (left + 2) + text, MUTED)


def growing(value: float, guess: float, most: float, width: int) -> Content:
    """A bar from left to right, exactly so wide; the highest value fills it."""
    eighths = 0 if most <= 0 else round(value / most * width * 8)
    if value > 0:
        eighths = max(1, min(eighths, width * 8))
    sure = 0 if value <= 0 else round(max(0.0, value - guess) / value * eighths)
    if guess > 0 and eighths - sure >= 4:
        cells = sure // 8
        drawn, guessed = "█" * cells, GUESS * max(1, round((eighths - cells * 8) / 8))
        guessed = guessed[: width - cells]
        return Content.assemble((drawn, BAR), (guessed, GUESSED), (" " * (width - cells - len(guessed)), MUTED))
    whole, rest = divmod(eighths, 8)
    drawn = "█" * whole + (_GROWING[rest - 1] if rest else "")
    return Content.assemble((drawn, BAR), (" " * (width - len(drawn)), MUTED))

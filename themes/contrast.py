"""Readability of colours, as WCAG 2.2 measures it (relative luminance and contrast ratio, 1 to 21)."""

from __future__ import annotations

from typing import TYPE_CHECKING, NamedTuple

from themes.vocabulary import GROUNDS, ON_OWN_GROUND, TEXT

if TYPE_CHECKING:
    from themes.loader import Theme

FOCUS_MINIMUM = 3.0
"""WCAG 1.4.11: parts of the interface that are not text, such as the focus frame, need 3:1."""


class Finding(NamedTuple):
    """One pair of colours that is harder to read than the theme promises."""

    text: str
    ground: str
    ratio: float
    wanted: float

    def __str__(self) -> str:
        return f"{self.text} on {self.ground}: {self.ratio:.2f}, wanted at least {self.wanted:.1f}"


def luminance(colour: str) -> float:
    """Relative luminance of "#rrggbb", 0 (black) to 1 (white)."""
    if len(colour) != 7 or not colour.startswith("#"):
        raise ValueError(f"contrast is defined for #rrggbb colours only, not for {colour!r}")
    red, green, blue = (_linear(int(colour[at : at + 2], 16) / 255) for at in (1, 3, 5))
    return 0.2126 * red + 0.7152 * green + 0.0722 * blue


def _linear(channel: float) -> float:
    return channel / 12.92 if channel <= 0.04045 else ((channel + 0.055) / 1.055) ** 2.4


def ratio(first: str, second: str) -> float:
    """Contrast ratio of two "#rrggbb" colours, 1 (none) to 21 (black on white); the order does not matter."""
    lighter, darker = sorted((luminance(first), luminance(second)), reverse=True)
    return (lighter + 0.05) / (darker + 0.05)


def audit(theme: Theme) -> list[Finding]:
    """Every pair of a theme that falls short of the contrast it promises.

    Pairs with a colour that the terminal chooses ("ansi_blue") cannot be measured and are left out.
    """
    pairs = [(text, ground, theme.contrast) for text in TEXT for ground in GROUNDS]
    pairs += [(text, ground, theme.contrast) for text, ground in ON_OWN_GROUND]
    pairs += [("border_focus", ground, FOCUS_MINIMUM) for ground in GROUNDS]
    findings: list[Finding] = []
    for text, ground, wanted in pairs:
        colours = theme.colour(text), theme.colour(ground)
        if not all(colour.startswith("#") for colour in colours):
            continue
        found = ratio(*colours)
        if found < wanted:
            findings.append(Finding(text, ground, found, wanted))
    return findings

"""A screen as text to be read and compared: its lines, then the style of its cells in runs, by names of the theme.

One text holds a size in two themes. Their words have to be the same; a style is named by the token that has its colour
in both, so most of them say the same for both, and what is no token's colour is written as the two colours.
"""

from __future__ import annotations

import re
from collections.abc import Iterable, Mapping, Sequence
from dataclasses import dataclass
from itertools import groupby
from string import ascii_letters

from rich.cells import cell_len
from rich.color import Color
from rich.style import Style
from textual.app import App
from textual.strip import Strip

from themes import Theme

_THUMB = re.compile("[▁▂▃▄▅▆▇]$")
"""The end of a scroll bar's thumb, in eighths of a line: heights that were never seen are estimates, so it differs."""

ATTRIBUTES = ("bold", "dim", "italic", "underline", "strike", "reverse")


@dataclass(frozen=True, slots=True)
class Look:
    """The style of a cell: colours as #rrggbb or the terminal's own name."""

    front: str
    ground: str
    attributes: tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Picture:
    """lines: without blanks at their ends. looks: of each line, one for every column."""

    lines: tuple[str, ...]
    looks: tuple[tuple[Look, ...], ...]


def picture_of(app: App[object]) -> Picture:
    """What is on the screen now."""
    strips = app.screen._compositor.render_strips(app.size)  # pyright: ignore[reportPrivateUsage]
    return Picture(
        tuple(_THUMB.sub("▒", "".join(segment.text for segment in strip).rstrip()) for strip in strips),
        tuple(tuple(_looks(strip)) for strip in strips),
    )


def _looks(strip: Strip) -> Iterable[Look]:
    for segment in strip:
        yield from [_look(segment.style or Style.null())] * cell_len(segment.text)


def _look(style: Style) -> Look:
    attributes = tuple(name for name in ATTRIBUTES if getattr(style, name))
    return Look(_colour(style.color), _colour(style.bgcolor), attributes)


def _colour(colour: Color | None) -> str:
    if colour is None:
        return "default"
    return colour.triplet.hex if colour.triplet is not None else colour.name


class Names:
    """Names of colours, for a pair of themes."""

    def __init__(self, first: Theme, second: Theme) -> None:
        self._names: dict[tuple[str, str], str] = {}
        for mine, theirs in ((first.base, second.base), (first.tokens, second.tokens)):
            for name, colour in mine.items():
                self._names.setdefault((colour.lower(), theirs[name].lower()), name)

    def of(self, first: Look, second: Look) -> str:
        words = f"{self._pair(first.front, second.front)} on {self._pair(first.ground, second.ground)}"
        return " ".join((words, *_both(first.attributes, second.attributes)))

    def _pair(self, first: str, second: str) -> str:
        return self._names.get((first, second)) or (first if first == second else f"{first}/{second}")


def _both(first: Sequence[str], second: Sequence[str]) -> Iterable[str]:
    return (
        name if name in first and name in second else f"{name}({'first' if name in first else 'second'})"
        for name in ATTRIBUTES
        if name in first or name in second
    )


def written(pictures: Mapping[str, tuple[Picture, Picture]], names: Names) -> str:
    """The pictures by their sizes, and what the letters of the styles stand for. Raises AssertionError where the two
    themes say different words."""
    letters: dict[str, str] = {}
    parts: list[str] = []
    for size, (first, second) in pictures.items():
        other = [f"{mine}\n{theirs}" for mine, theirs in zip(first.lines, second.lines, strict=True) if mine != theirs]
        assert not other, "\n".join((f"{size}: the two themes say different words", *other))
        parts += [f"=== {size}", *(f"|{line}" for line in first.lines), "--- styles"]
        parts += _styles(first, second, names, letters)
    parts.append("=== letters")
    parts += [f"{letter} {words}" for words, letter in letters.items()]
    return "\n".join(parts) + "\n"


def _styles(first: Picture, second: Picture, names: Names, letters: dict[str, str]) -> Iterable[str]:
    """A line for each row of cells, and one for rows in a row that are the same."""
    rows: list[str] = []
    for mine, theirs in zip(first.looks, second.looks, strict=True):
        runs = groupby(names.of(*pair) for pair in zip(mine, theirs, strict=True))
        rows.append(" ".join(f"{_letter(words, letters)}{len(list(cells))}" for words, cells in runs))
    at = 1
    for row, same in groupby(rows):
        count = len(list(same))
        yield f"{at}-{at + count - 1} {row}" if count > 1 else f"{at} {row}"
        at += count


def _letter(words: str, letters: dict[str, str]) -> str:
    if words not in letters:
        number = len(letters)
        more, one = divmod(number, len(ascii_letters))
        letters[words] = ascii_letters[one] * (more + 1)
    return letters[words]
